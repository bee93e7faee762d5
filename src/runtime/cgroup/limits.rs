//! `linux.resources` as what is written to which file, in order.

use std::collections::BTreeMap;

use oci_spec::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxResources, LinuxThrottleDevice};

use super::conversion::{cpu_weight, io_weight};
use super::tree::Controllers;
use crate::error::{Error, Kind, Result};

/// One value for one file of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// The file: `memory.max`.
    pub(super) file: String,
    /// What is written.
    pub(super) value: String,
    /// What is done where the group has no such file.
    pub(super) missing: Missing,
}

impl Setting {
    /// The controller without which it cannot be had.
    pub(super) fn controller(&self) -> Option<&str> {
        let (controller, _) = self.file.split_once('.')?;
        (self.missing != Missing::Skip && controller != "cgroup").then_some(controller)
    }

    /// What is attempted with it, for an error.
    pub(super) fn attempt(&self) -> String {
        format!("cannot set {} to {}", self.file, self.value)
    }
}

/// What is done where a group has no such file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// The limit cannot be had.
    Fail,
    /// Nothing is limited there anyway.
    Skip,
    /// This is written to that file: (file, value).
    Instead(String, String),
}

/// Everything that a specification asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// In the order in which they are written.
    pub(super) settings: Vec<Setting>,
    /// `checkBeforeUpdate`: the least that memory and swap must be allowed together, if that is to be compared with
    /// what is in use first.
    pub(super) check: Option<u64>,
}

impl Limits {
    /// The limits of `resources`; what version 2 cannot do is refused by name.
    pub(super) fn of(resources: Option<&LinuxResources>) -> Result<Self> {
        let mut limits = Self::default();
        let Some(resources) = resources else { return Ok(limits) };
        if let Some(network) = resources.network()
            && (network.class_id().is_some_and(|id| id != 0)
                || network.priorities().as_ref().is_some_and(|list| !list.is_empty()))
        {
            return Err(version_1("network class ids and priorities"));
        }
        if let Some(memory) = resources.memory() {
            limits.memory(memory)?;
        }
        if let Some(pids) = resources.pids() {
            limits.maximum("pids.max", Some(pids.limit()).filter(|limit| *limit != 0));
        }
        if let Some(cpu) = resources.cpu() {
            limits.cpu(cpu)?;
        }
        if let Some(io) = resources.block_io() {
            limits.block_io(io)?;
        }
        for page in resources.hugepage_limits().iter().flatten() {
            limits.maximum(&format!("hugetlb.{}.max", page.page_size()), Some(page.limit()));
        }
        for (device, rdma) in sorted(resources.rdma().as_ref()) {
            let count = |name, count: Option<u32>| count.map(|count| format!(" {name}={count}"));
            let handles = count("hca_handle", rdma.hca_handles()).unwrap_or_default();
            let objects = count("hca_object", rdma.hca_objects()).unwrap_or_default();
            limits.set("rdma.max", format!("{device}{handles}{objects}"));
        }
        for (file, value) in sorted(resources.unified().as_ref()) {
            limits.unified(file, value)?;
        }
        Ok(limits)
    }

    /// The controllers without which they cannot be had.
    pub(super) fn controllers(&self) -> Controllers {
        self.settings.iter().filter_map(Setting::controller).map(str::to_owned).collect()
    }

    fn set(&mut self, file: &str, value: impl ToString) {
        self.settings.push(Setting { file: file.into(), value: value.to_string(), missing: Missing::Fail });
    }

    /// What lifts a limit is fulfilled where there is none.
    fn lift(&mut self, file: &str, value: &str) {
        self.settings.push(Setting { file: file.into(), value: value.into(), missing: Missing::Skip });
    }

    /// A number, or with a negative one no limit.
    fn maximum(&mut self, file: &str, value: Option<i64>) {
        match value {
            None => {}
            Some(value @ 0..) => self.set(file, value),
            Some(_) => self.lift(file, "max"),
        }
    }

    fn memory(&mut self, memory: &LinuxMemory) -> Result<()> {
        for (given, name) in [
            (memory.kernel().is_some(), "the limit of kernel memory"),
            (memory.kernel_tcp().is_some(), "the limit of the kernel's TCP memory"),
            (memory.swappiness().is_some(), "swappiness"),
            (memory.disable_oom_killer() == Some(true), "a disabled OOM killer"),
            (memory.use_hierarchy() == Some(false), "memory without hierarchy"),
        ] {
            if given {
                return Err(version_1(name));
            }
        }
        let swap = swap_alone(memory.limit(), memory.swap())?;
        if memory.check_before_update() == Some(true) {
            let bytes = |value: Option<i64>| u64::try_from(value.unwrap_or(0)).unwrap_or(u64::MAX);
            self.check = memory.limit().map(|limit| bytes(Some(limit)).saturating_add(bytes(swap)));
        }
        self.maximum("memory.max", memory.limit());
        self.maximum("memory.swap.max", swap);
        // A kernel without swap accounting has no swap to limit.
        if let Some(last) = self.settings.last_mut().filter(|last| last.file == "memory.swap.max") {
            last.missing = Missing::Skip;
        }
        self.maximum("memory.low", memory.reservation());
        Ok(())
    }

    fn cpu(&mut self, cpu: &LinuxCpu) -> Result<()> {
        if cpu.realtime_period().is_some_and(|period| period != 0)
            || cpu.realtime_runtime().is_some_and(|runtime| runtime != 0)
        {
            return Err(version_1("realtime processor time"));
        }
        match cpu.idle() {
            None => {}
            Some(0) => self.lift("cpu.idle", "0"),
            Some(idle) => self.set("cpu.idle", idle),
        }
        if let Some(shares) = cpu.shares().filter(|shares| *shares != 0) {
            if cpu.idle() == Some(1) {
                return Err(Error::usage("an idle control group cannot have processor shares"));
            }
            self.set("cpu.weight", cpu_weight(shares));
        }
        let quota = cpu.quota().filter(|quota| *quota != 0);
        let period = cpu.period().filter(|period| *period != 0);
        match (quota, period) {
            (None, None) => {}
            // The period stays what it is.
            (Some(quota @ 0..), None) => self.set("cpu.max", quota),
            (Some(quota @ 0..), Some(period)) => self.set("cpu.max", format!("{quota} {period}")),
            (Some(_), None) => self.lift("cpu.max", "max"),
            (Some(_) | None, Some(period)) => self.lift("cpu.max", &format!("max {period}")),
        }
        if let Some(burst) = cpu.burst() {
            self.set("cpu.max.burst", burst);
        }
        for (file, list) in [("cpuset.cpus", cpu.cpus()), ("cpuset.mems", cpu.mems())] {
            if let Some(list) = list.as_deref().filter(|list| !list.is_empty()) {
                self.set(file, list);
            }
        }
        Ok(())
    }

    fn block_io(&mut self, io: &LinuxBlockIo) -> Result<()> {
        if io.leaf_weight().is_some_and(|weight| weight != 0) {
            return Err(version_1("leafWeight of block devices"));
        }
        if let Some(weight) = io.weight().filter(|weight| *weight != 0) {
            self.io_weight(weight.to_string(), io_weight(weight).to_string());
        }
        for device in io.weight_device().iter().flatten() {
            let Some(weight) = device.weight().filter(|weight| *weight != 0) else { continue };
            let (major, minor) = (device.major(), device.minor());
            self.io_weight(
                format!("{major}:{minor} {weight}"),
                format!("{major}:{minor} {}", io_weight(weight)),
            );
        }
        for (devices, key) in [
            (io.throttle_read_bps_device(), "rbps"),
            (io.throttle_write_bps_device(), "wbps"),
            (io.throttle_read_iops_device(), "riops"),
            (io.throttle_write_iops_device(), "wiops"),
        ] {
            for device in devices.iter().flatten() {
                self.set("io.max", throttle(device, key));
            }
        }
        Ok(())
    }

    /// Where the devices' scheduler is BFQ its own file counts, and the other does nothing.
    fn io_weight(&mut self, bfq: String, general: String) {
        self.settings.push(Setting {
            file: "io.bfq.weight".to_owned(),
            value: bfq,
            missing: Missing::Instead("io.weight".to_owned(), general),
        });
    }

    fn unified(&mut self, file: &str, value: &str) -> Result<()> {
        let named = file.split_once('.').is_some_and(|(controller, name)| {
            !controller.is_empty() && !name.is_empty() && !file.contains('/')
        });
        if !named {
            return Err(Error::usage(format!(
                "{file:?} is no file of a control group: expected CONTROLLER.NAME, as in memory.high"
            )));
        }
        for line in value.lines().filter(|line| !line.is_empty()) {
            self.set(file, line);
        }
        Ok(())
    }
}

/// The specification's swap is memory and swap together, the kernel's is swap alone.
fn swap_alone(limit: Option<i64>, swap: Option<i64>) -> Result<Option<i64>> {
    match (limit, swap) {
        (_, Some(..=0) | None) => Ok(swap),
        (Some(limit @ 1..), Some(swap)) if swap >= limit => Ok(Some(swap - limit)),
        (Some(1..), Some(_)) => {
            Err(Error::usage("the limit of memory and swap together is lower than the limit of memory"))
        }
        (_, Some(_)) => {
            Err(Error::usage("memory and swap together cannot be limited without a limit of memory"))
        }
    }
}

fn throttle(device: &LinuxThrottleDevice, key: &str) -> String {
    let (major, minor, rate) = (device.major(), device.minor(), device.rate());
    // Version 1 had 0 for no limit; this one refuses it.
    if rate == 0 { format!("{major}:{minor} {key}=max") } else { format!("{major}:{minor} {key}={rate}") }
}

/// In an order that does not change from run to run.
fn sorted<T>(map: Option<&std::collections::HashMap<String, T>>) -> BTreeMap<&String, &T> {
    map.into_iter().flatten().collect()
}

fn version_1(what: &str) -> Error {
    Error::new(Kind::Unsupported, format!("{what}: version 2 of control groups does not have that"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(json: &str) -> Result<Limits> {
        Limits::of(Some(&serde_json::from_str(json).unwrap()))
    }

    /// `file=value`, with `?` behind the file of what may be missing.
    fn written(json: &str) -> Vec<String> {
        let limits = limits(json).unwrap_or_else(|error| panic!("{json}: {error}"));
        let mark = |setting: &Setting| if setting.missing == Missing::Skip { "?" } else { "" };
        limits.settings.iter().map(|set| format!("{}{}={}", set.file, mark(set), set.value)).collect()
    }

    #[test]
    fn nothing_asked_is_nothing_written() {
        assert_eq!(Limits::of(None).unwrap(), Limits::default());
        assert!(written(r#"{"devices": [{"allow": false, "access": "rwm"}]}"#).is_empty());
        assert!(
            written(r#"{"pids": {"limit": 0}, "cpu": {"shares": 0, "quota": 0, "cpus": ""}}"#).is_empty()
        );
    }

    #[test]
    fn memory_and_swap_are_told_apart() {
        assert_eq!(
            written(r#"{"memory": {"limit": 100, "swap": 150, "reservation": 50}}"#),
            ["memory.max=100", "memory.swap.max?=50", "memory.low=50"]
        );
        assert_eq!(written(r#"{"memory": {"limit": 100, "swap": 100}}"#)[1], "memory.swap.max?=0");
        assert_eq!(
            written(r#"{"memory": {"limit": -1, "swap": -1}}"#),
            ["memory.max?=max", "memory.swap.max?=max"]
        );
        for wrong in [r#"{"memory": {"limit": 100, "swap": 50}}"#, r#"{"memory": {"swap": 50}}"#] {
            assert!(limits(wrong).is_err(), "{wrong}");
        }
        let checked = limits(r#"{"memory": {"limit": 100, "swap": 150, "checkBeforeUpdate": true}}"#);
        assert_eq!(checked.unwrap().check, Some(150));
    }

    #[test]
    fn processor_limits_become_weights_and_maxima() {
        assert_eq!(written(r#"{"cpu": {"shares": 1024}}"#), ["cpu.weight=100"]);
        assert_eq!(written(r#"{"cpu": {"quota": 5000}}"#), ["cpu.max=5000"]);
        assert_eq!(
            written(r#"{"cpu": {"quota": 5, "period": 10, "burst": 2}}"#),
            ["cpu.max=5 10", "cpu.max.burst=2"]
        );
        assert_eq!(written(r#"{"cpu": {"quota": -1, "period": 10}}"#), ["cpu.max?=max 10"]);
        assert_eq!(
            written(r#"{"cpu": {"idle": 1, "cpus": "0-1", "mems": "0"}}"#),
            ["cpu.idle=1", "cpuset.cpus=0-1", "cpuset.mems=0"]
        );
    }

    #[test]
    fn devices_are_weighed_and_throttled() {
        let json = r#"{"blockIO": {"weight": 200,
            "weightDevice": [{"major": 8, "minor": 0, "weight": 10}],
            "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1024}],
            "throttleWriteIOPSDevice": [{"major": 8, "minor": 16, "rate": 0}]}}"#;
        assert_eq!(
            written(json),
            ["io.bfq.weight=200", "io.bfq.weight=8:0 10", "io.max=8:0 rbps=1024", "io.max=8:16 wiops=max"]
        );
        let first = limits(json).unwrap().settings.remove(0);
        assert_eq!(first.missing, Missing::Instead("io.weight".into(), "1920".into()));
    }

    #[test]
    fn the_rest_is_written_as_it_is_and_last() {
        let json = r#"{"unified": {"memory.high": "1\n2", "cgroup.max.depth": "3"}, "pids": {"limit": -1},
            "hugepageLimits": [{"pageSize": "2MB", "limit": 4}],
            "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 4}}}"#;
        assert_eq!(
            written(json),
            [
                "pids.max?=max",
                "hugetlb.2MB.max=4",
                "rdma.max=mlx5_1 hca_handle=3 hca_object=4",
                "cgroup.max.depth=3",
                "memory.high=1",
                "memory.high=2"
            ]
        );
        let controllers = limits(json).unwrap().controllers();
        assert!(controllers.iter().eq(["hugetlb", "memory", "rdma"]), "{controllers:?}");
        for wrong in ["a/b.c", "memory", ".max", "../x.y"] {
            assert!(limits(&format!(r#"{{"unified": {{"{wrong}": "1"}}}}"#)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_only_version_1_has_is_refused_by_name() {
        for (json, word) in [
            (r#"{"memory": {"kernel": 1}}"#, "kernel memory"),
            (r#"{"memory": {"kernelTCP": 1}}"#, "TCP"),
            (r#"{"memory": {"swappiness": 1}}"#, "swappiness"),
            (r#"{"memory": {"disableOOMKiller": true}}"#, "OOM killer"),
            (r#"{"memory": {"useHierarchy": false}}"#, "hierarchy"),
            (r#"{"cpu": {"realtimeRuntime": 1}}"#, "realtime"),
            (r#"{"cpu": {"realtimePeriod": 1}}"#, "realtime"),
            (r#"{"network": {"classID": 1}}"#, "network"),
            (r#"{"blockIO": {"leafWeight": 10}}"#, "leafWeight"),
        ] {
            let error = limits(json).unwrap_err();
            assert_eq!(error.kind(), Kind::Unsupported, "{json}");
            assert!(error.to_string().contains(word), "{json}: {error}");
        }
        assert!(written(r#"{"memory": {"disableOOMKiller": false, "useHierarchy": true}}"#).is_empty());
    }
}
