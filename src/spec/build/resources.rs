//! `linux.resources` and `linux.cgroupsPath`: the limits, as far as they were asked for, and where the group goes.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{
    LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxPids, LinuxResources, LinuxThrottleDevice,
    LinuxThrottleDeviceBuilder, LinuxWeightDevice, LinuxWeightDeviceBuilder,
};

use super::{Inputs, cgroup_mode};
use crate::error::{Context, Error, Result};
use crate::spec::request::{Request, ResourceRequest};
use crate::spec::value::{ByteSize, CgroupMode, DiskWeight, OfDevice};

/// How many processes a container may have unless somebody says otherwise: podman's number.
const PIDS: i64 = 2048;

/// The period of processor quotas, in microseconds: the kernel's.
const PERIOD: u64 = 100_000;

/// Who makes control groups on this machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CgroupMaker {
    /// Nobody.
    #[default]
    Nobody,
    /// The runtime itself, in the file system.
    Runtime,
    /// systemd.
    Systemd,
}

/// What this machine has of control groups.
#[derive(Clone, Debug, Default)]
pub struct CgroupFacts {
    /// Who makes them.
    pub maker: CgroupMaker,
    /// The controllers that a container can be given.
    pub controllers: Vec<String>,
    /// The caller's own group.
    pub own: Option<PathBuf>,
    /// The numbers of the block devices that the request names.
    pub devices: BTreeMap<PathBuf, (u32, u32)>,
}

/// The limits; `None` where there are none.
pub(super) fn resources(request: &Request, inputs: &Inputs<'_>) -> Result<Option<LinuxResources>> {
    let asked = &request.resources;
    let mut resources = LinuxResources::default();
    resources
        .set_memory(memory(asked)?)
        .set_cpu(cpu(asked)?)
        .set_pids(pids(request, inputs))
        .set_block_io(block_io(asked, inputs)?)
        .set_unified(unified(asked, inputs));
    Ok((resources != LinuxResources::default()).then_some(resources))
}

/// Where the group goes, where the request says so: for systemd `SLICE:rcon:ID`.
pub(super) fn path(request: &Request, inputs: &Inputs<'_>) -> Result<Option<PathBuf>> {
    let (asked, facts) = (&request.resources, &inputs.cgroups);
    match (cgroup_mode(request, inputs.settings), &asked.parent) {
        (CgroupMode::Disabled, Some(_)) => {
            Err(Error::usage("--cgroup-parent and --cgroups disabled contradict each other"))
        }
        (CgroupMode::Split, Some(_)) => {
            Err(Error::usage("--cgroup-parent and --cgroups split contradict each other"))
        }
        (CgroupMode::Split, None) => {
            let own = facts.own.as_deref().ok_or_else(|| {
                Error::unsupported("--cgroups split: this process has no control group of version 2")
            })?;
            Ok(Some(own.join(format!("rcon-payload-{}", inputs.id))))
        }
        (CgroupMode::Disabled | CgroupMode::Enabled | CgroupMode::NoConmon, None) => Ok(None),
        (CgroupMode::Enabled | CgroupMode::NoConmon, Some(parent)) => match (facts.maker, parent.slice()) {
            (CgroupMaker::Systemd, Some(slice)) => Ok(Some(format!("{slice}:rcon:{}", inputs.id).into())),
            (CgroupMaker::Systemd, None) => Err(Error::usage(format!(
                "--cgroup-parent {parent}: systemd makes the control groups here, and wants the name of a slice"
            ))
            .hint("--cgroup-parent NAME.slice, or --cgroup-manager cgroupfs")),
            _ => Ok(Some(Path::new("/").join(parent.as_str()).join(format!("rcon-{}", inputs.id)))),
        },
    }
}

fn memory(asked: &ResourceRequest) -> Result<Option<LinuxMemory>> {
    let bytes = |size: u64| i64::try_from(size).unwrap_or(i64::MAX);
    let limit = asked.memory.map(|size| bytes(size.bytes())).filter(|limit| *limit > 0);
    let reservation = asked.memory_reservation.map(|size| bytes(size.bytes())).filter(|size| *size > 0);
    let swap = match (limit, asked.memory_swap) {
        (Some(limit), None) => Some(limit.saturating_mul(2)),
        (_, None) => None,
        (None, Some(_)) => {
            return Err(Error::usage("--memory-swap limits memory and swap together: --memory is missing"));
        }
        (Some(limit), Some(swap)) => match swap.get().map(|size| bytes(size.bytes())) {
            None => Some(-1),
            // As if it had not been said, as with podman.
            Some(0) => Some(limit.saturating_mul(2)),
            Some(swap) if swap < limit => {
                return Err(Error::usage("--memory-swap is memory and swap together: it is below --memory"));
            }
            Some(swap) => Some(swap),
        },
    };
    if let (Some(limit), Some(reservation)) = (limit, reservation)
        && reservation > limit
    {
        return Err(Error::usage("--memory-reservation is above --memory"));
    }
    let mut memory = LinuxMemory::default();
    memory.set_limit(limit).set_swap(swap).set_reservation(reservation);
    Ok((memory != LinuxMemory::default()).then_some(memory))
}

fn cpu(asked: &ResourceRequest) -> Result<Option<LinuxCpu>> {
    let cpus = asked.cpus.filter(|cpus| cpus.nanos() > 0);
    if cpus.is_some() && (asked.cpu_quota.is_some() || asked.cpu_period.is_some()) {
        return Err(Error::usage("--cpus is another way to say --cpu-quota and --cpu-period: choose one"));
    }
    let mut cpu = LinuxCpu::default();
    cpu.set_shares(asked.cpu_shares.filter(|shares| *shares > 0))
        .set_quota(cpus.map(|cpus| cpus.quota(PERIOD)).or(asked.cpu_quota).filter(|quota| *quota != 0))
        .set_period(cpus.map(|_| PERIOD).or(asked.cpu_period).filter(|period| *period != 0))
        .set_cpus(asked.cpuset_cpus.as_ref().map(|list| list.as_str().to_owned()))
        .set_mems(asked.cpuset_mems.as_ref().map(|list| list.as_str().to_owned()));
    Ok((cpu != LinuxCpu::default()).then_some(cpu))
}

/// What was asked for; else containers.conf's number or podman's, where that takes nothing that is not there.
fn pids(request: &Request, inputs: &Inputs<'_>) -> Option<LinuxPids> {
    let facts = &inputs.cgroups;
    let counted = facts.controllers.iter().any(|controller| controller == "pids");
    let possible = counted && cgroup_mode(request, inputs.settings) != CgroupMode::Disabled;
    let limit = match request.resources.pids_limit {
        Some(maximum) => maximum.get().map(i64::from),
        None => Some(inputs.settings.pids_limit.unwrap_or(PIDS)).filter(|_| possible),
    };
    let mut pids = LinuxPids::default();
    pids.set_limit(limit.filter(|limit| *limit > 0)?);
    Some(pids)
}

fn block_io(asked: &ResourceRequest, inputs: &Inputs<'_>) -> Result<Option<LinuxBlockIo>> {
    let mut io = LinuxBlockIo::default();
    io.set_weight(asked.disk_weight.map(DiskWeight::get).filter(|weight| *weight > 0));
    if !asked.disk_weights.is_empty() {
        let weights: Result<_> = asked.disk_weights.iter().map(|device| weighed(device, inputs)).collect();
        io.set_weight_device(Some(weights?));
    }
    let bytes = |list: &[OfDevice<ByteSize>]| {
        throttled(list.iter().map(|device| (&device.path, device.value.bytes())), inputs)
    };
    let operations =
        |list: &[OfDevice<u64>]| throttled(list.iter().map(|device| (&device.path, device.value)), inputs);
    io.set_throttle_read_bps_device(bytes(&asked.read_bps)?)
        .set_throttle_write_bps_device(bytes(&asked.write_bps)?)
        .set_throttle_read_iops_device(operations(&asked.read_iops)?)
        .set_throttle_write_iops_device(operations(&asked.write_iops)?);
    Ok((io != LinuxBlockIo::default()).then_some(io))
}

fn number(path: &Path, inputs: &Inputs<'_>) -> Result<(i64, i64)> {
    let (major, minor) =
        inputs.cgroups.devices.get(path).ok_or_else(|| {
            Error::not_found(format!("{} is no block device of this machine", path.display()))
        })?;
    Ok((i64::from(*major), i64::from(*minor)))
}

fn weighed(device: &OfDevice<DiskWeight>, inputs: &Inputs<'_>) -> Result<LinuxWeightDevice> {
    let (major, minor) = number(&device.path, inputs)?;
    LinuxWeightDeviceBuilder::default()
        .major(major)
        .minor(minor)
        .weight(device.value.get())
        .build()
        .context(|| "make a device's weight")
}

fn throttled<'a>(
    devices: impl Iterator<Item = (&'a PathBuf, u64)>,
    inputs: &Inputs<'_>,
) -> Result<Option<Vec<LinuxThrottleDevice>>> {
    let throttled: Vec<LinuxThrottleDevice> = devices
        .map(|(path, rate)| {
            let (major, minor) = number(path, inputs)?;
            LinuxThrottleDeviceBuilder::default()
                .major(major)
                .minor(minor)
                .rate(rate)
                .build()
                .context(|| "make a device's limit")
        })
        .collect::<Result<_>>()?;
    Ok((!throttled.is_empty()).then_some(throttled))
}

/// containers.conf's, then `--cgroup-conf`; several values of one file are lines of it.
fn unified(asked: &ResourceRequest, inputs: &Inputs<'_>) -> Option<HashMap<String, String>> {
    let mut files: HashMap<String, String> = HashMap::new();
    for setting in &inputs.settings.cgroup_settings {
        files.insert(setting.file.clone(), setting.value.clone());
    }
    let mut said = HashMap::new();
    for setting in &asked.settings {
        let lines: &mut Vec<&str> = said.entry(setting.file.clone()).or_default();
        lines.push(&setting.value);
    }
    files.extend(said.into_iter().map(|(file, lines)| (file, lines.join("\n"))));
    (!files.is_empty()).then_some(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::request::Base;

    fn asked(change: impl FnOnce(&mut ResourceRequest)) -> ResourceRequest {
        let mut request = Request::new(Base::Image("x".into()));
        change(&mut request.resources);
        request.resources
    }

    #[test]
    fn swap_follows_memory() {
        let size = |text: &str| Some(text.parse::<ByteSize>().unwrap());
        let of_pair = |limit: &str, swap: Option<&str>| {
            let asked = asked(|asked| {
                asked.memory = size(limit);
                asked.memory_swap = swap.map(|text| text.parse().unwrap());
            });
            memory(&asked).map(|memory| memory.map(|memory| (memory.limit(), memory.swap())))
        };
        assert_eq!(of_pair("1k", None).unwrap(), Some((Some(1024), Some(2048))));
        assert_eq!(of_pair("1k", Some("1k")).unwrap(), Some((Some(1024), Some(1024))));
        assert_eq!(of_pair("1k", Some("-1")).unwrap(), Some((Some(1024), Some(-1))));
        assert_eq!(of_pair("0", None).unwrap(), None);
        assert!(of_pair("1k", Some("1")).is_err() && of_pair("0", Some("1k")).is_err());
    }

    #[test]
    fn processors_are_a_quota() {
        let of = |change: fn(&mut ResourceRequest)| cpu(&asked(change));
        let cpu = of(|asked| asked.cpus = "0.5".parse().ok()).unwrap().unwrap();
        assert_eq!((cpu.quota(), cpu.period()), (Some(50_000), Some(100_000)));
        assert_eq!(of(|asked| asked.cpus = "0".parse().ok()).unwrap(), None);
        let both = of(|asked| {
            asked.cpus = "1".parse().ok();
            asked.cpu_period = Some(1000);
        });
        assert!(both.is_err());
    }
}
