//! Which processes a container has.

use std::fs;

use nix::unistd::Pid;

use super::Status;
use super::directory::Container;
use crate::error::Result;

/// All processes of a container, as the caller numbers them: those of its control group, or without one those of its
/// first process's pid namespace. Without that namespace either, the first process alone.
pub fn processes(container: &Container) -> Result<Vec<Pid>> {
    if let Some(cgroup) = &container.record.cgroup
        && cgroup.exists()
    {
        return cgroup.processes();
    }
    if container.status() == Status::Stopped {
        return Ok(Vec::new());
    }
    let first = container.record.pid;
    let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let wanted = namespace(&first.to_string());
    if wanted.is_none() || wanted == namespace("self") {
        return Ok(vec![Pid::from_raw(first)]);
    }
    let mut found: Vec<i32> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()) && namespace(name) == wanted)
        .filter_map(|name| name.parse().ok())
        .collect();
    found.sort_unstable();
    Ok(found.into_iter().map(Pid::from_raw).collect())
}
