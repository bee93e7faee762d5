//! Limits and the control group that they belong to.

use super::{parse_list, parse_option};
use crate::error::Result;
use crate::spec::ResourceRequest;

/// Options of the container's resources.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Resources")]
pub(crate) struct ResourceFlags {
    /// The most memory: BYTES, or with a unit b, k, m, g
    #[arg(short = 'm', long, value_name = "SIZE")]
    memory: Option<String>,
    /// The most memory and swap together, or -1 for as much swap as there is [default: twice the memory]
    #[arg(long, value_name = "SIZE", allow_hyphen_values = true)]
    memory_swap: Option<String>,
    /// Memory that is left to the container when others are short of it
    #[arg(long, value_name = "SIZE")]
    memory_reservation: Option<String>,
    /// The most processor time, in processors: 1.5
    #[arg(long, value_name = "NUMBER")]
    cpus: Option<String>,
    /// Share of processor time against others who want it, 1024 being the usual
    #[arg(short = 'c', long, value_name = "SHARES")]
    cpu_shares: Option<u64>,
    /// Microseconds of processor time in each --cpu-period, or -1
    #[arg(long, value_name = "MICROSECONDS", allow_hyphen_values = true)]
    cpu_quota: Option<i64>,
    /// The period of --cpu-quota in microseconds [default: 100000]
    #[arg(long, value_name = "MICROSECONDS")]
    cpu_period: Option<u64>,
    /// Processors to run on: 0-3,8
    #[arg(long, value_name = "LIST")]
    cpuset_cpus: Option<String>,
    /// Memory nodes to use: 0-3,8
    #[arg(long, value_name = "LIST")]
    cpuset_mems: Option<String>,
    /// The most processes and threads, or -1 [default: 2048]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pids_limit: Option<String>,
    /// Share of disk time against others who want it, 10 to 1000
    #[arg(long, value_name = "WEIGHT")]
    blkio_weight: Option<String>,
    /// The same for one disk: DEVICE:WEIGHT
    #[arg(long, value_name = "DEVICE:WEIGHT")]
    blkio_weight_device: Vec<String>,
    /// The most bytes a second that are read: DEVICE:SIZE
    #[arg(long, value_name = "DEVICE:SIZE")]
    device_read_bps: Vec<String>,
    /// The most bytes a second that are written: DEVICE:SIZE
    #[arg(long, value_name = "DEVICE:SIZE")]
    device_write_bps: Vec<String>,
    /// The most reads a second: DEVICE:NUMBER
    #[arg(long, value_name = "DEVICE:NUMBER")]
    device_read_iops: Vec<String>,
    /// The most writes a second: DEVICE:NUMBER
    #[arg(long, value_name = "DEVICE:NUMBER")]
    device_write_iops: Vec<String>,
    /// Write to a file of the control group: memory.high=1073741824
    #[arg(long, value_name = "FILE=VALUE")]
    cgroup_conf: Vec<String>,
    /// Where the control group goes: NAME.slice with systemd, else an absolute path in /sys/fs/cgroup
    #[arg(long, value_name = "PARENT")]
    cgroup_parent: Option<String>,
    /// Whether there is a control group: enabled, disabled, no-conmon (the monitor stays out of it), or split
    /// (below the caller's)
    #[arg(long, value_name = "MODE")]
    cgroups: Option<String>,
    /// What the container sees of control groups: private (its own) or host
    #[arg(long, value_name = "MODE")]
    cgroupns: Option<String>,
}

impl ResourceFlags {
    /// What they ask for.
    pub(crate) fn resolve(&self) -> Result<ResourceRequest> {
        Ok(ResourceRequest {
            memory: parse_option("--memory", self.memory.as_deref())?,
            memory_swap: parse_option("--memory-swap", self.memory_swap.as_deref())?,
            memory_reservation: parse_option("--memory-reservation", self.memory_reservation.as_deref())?,
            cpus: parse_option("--cpus", self.cpus.as_deref())?,
            cpu_shares: self.cpu_shares,
            cpu_quota: self.cpu_quota,
            cpu_period: self.cpu_period,
            cpuset_cpus: parse_option("--cpuset-cpus", self.cpuset_cpus.as_deref())?,
            cpuset_mems: parse_option("--cpuset-mems", self.cpuset_mems.as_deref())?,
            pids_limit: parse_option("--pids-limit", self.pids_limit.as_deref())?,
            disk_weight: parse_option("--blkio-weight", self.blkio_weight.as_deref())?,
            disk_weights: parse_list("--blkio-weight-device", &self.blkio_weight_device)?,
            read_bps: parse_list("--device-read-bps", &self.device_read_bps)?,
            write_bps: parse_list("--device-write-bps", &self.device_write_bps)?,
            read_iops: parse_list("--device-read-iops", &self.device_read_iops)?,
            write_iops: parse_list("--device-write-iops", &self.device_write_iops)?,
            settings: parse_list("--cgroup-conf", &self.cgroup_conf)?,
            mode: parse_option("--cgroups", self.cgroups.as_deref())?,
            parent: parse_option("--cgroup-parent", self.cgroup_parent.as_deref())?,
            namespace: parse_option("--cgroupns", self.cgroupns.as_deref())?,
        })
    }
}
