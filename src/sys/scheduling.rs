//! How the kernel treats the calling process: processors, priorities, memory nodes, execution domain, clocks.
//!
//! Nothing here allocates, so that a cloned child may call all of it.

use nix::errno::Errno;

/// `struct sched_attr` (sched_setattr(2)), with the utilisation clamps of Linux 5.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Scheduling {
    size: u32,
    /// SCHED_*.
    pub policy: u32,
    /// SCHED_FLAG_*.
    pub flags: u64,
    /// For SCHED_OTHER and SCHED_BATCH.
    pub nice: i32,
    /// For SCHED_FIFO and SCHED_RR.
    pub priority: u32,
    /// For SCHED_DEADLINE, as the next two; nanoseconds.
    pub runtime: u64,
    /// See `runtime`.
    pub deadline: u64,
    /// See `runtime`.
    pub period: u64,
    util_min: u32,
    util_max: u32,
}

/// sched_setattr(2) on this process.
pub fn set(scheduling: &Scheduling) -> Result<(), Errno> {
    let attributes = Scheduling { size: size_of::<Scheduling>() as u32, ..*scheduling };
    // SAFETY: the kernel reads `size` bytes of a structure that outlives the call.
    Errno::result(unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) }).map(drop)
}

/// ioprio_set(2) on this process. `class` is 1 (real time), 2 (best effort) or 3 (idle).
pub fn set_io_priority(class: u8, level: u8) -> Result<(), Errno> {
    const WHO_PROCESS: libc::c_int = 1;
    const CLASS_SHIFT: u32 = 13;
    let value = (libc::c_int::from(class) << CLASS_SHIFT) | libc::c_int::from(level);
    // SAFETY: takes numbers.
    Errno::result(unsafe { libc::syscall(libc::SYS_ioprio_set, WHO_PROCESS, 0, value) }).map(drop)
}

/// sched_setaffinity(2) on this process: the processors whose bits are set, the least significant word first.
pub fn set_affinity(mask: &[u64]) -> Result<(), Errno> {
    // SAFETY: the pointer and the length in bytes are of one slice.
    Errno::result(unsafe { libc::syscall(libc::SYS_sched_setaffinity, 0, size_of_val(mask), mask.as_ptr()) })
        .map(drop)
}

/// set_mempolicy(2) for this process. `mode` is MPOL_* with MPOL_F_*; `nodes` is a mask as for
/// [`set_affinity`].
pub fn set_memory_policy(mode: i32, nodes: &[u64]) -> Result<(), Errno> {
    // The kernel reads one bit less than it is told.
    let bits = if nodes.is_empty() { 0 } else { nodes.len() * 64 + 1 };
    let mask = if nodes.is_empty() { std::ptr::null() } else { nodes.as_ptr() };
    // SAFETY: the kernel reads no more than `bits - 1` bits of `mask`.
    Errno::result(unsafe { libc::syscall(libc::SYS_set_mempolicy, mode, mask, bits) }).map(drop)
}

/// personality(2): `PER_LINUX` or `PER_LINUX32`.
pub fn set_personality(domain: u32) -> Result<(), Errno> {
    // SAFETY: takes a number.
    Errno::result(unsafe { libc::personality(libc::c_ulong::from(domain)) }).map(drop)
}

/// Makes a time namespace. This process stays where it is; what it forks, and since Linux 6.2 what it
/// executes, is in the new one (time_namespaces(7)).
pub fn new_time_namespace() -> Result<(), Errno> {
    // SAFETY: takes flags.
    Errno::result(unsafe { libc::unshare(libc::CLONE_NEWTIME) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread of its own, whose scheduling concerns no other test.
    fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        std::thread::spawn(work).join().unwrap()
    }

    #[test]
    fn what_needs_no_privilege_is_set() {
        let batch = Scheduling { policy: libc::SCHED_BATCH as u32, nice: 19, ..Scheduling::default() };
        assert_eq!(apart(move || set(&batch)), Ok(()));
        let impossible = Scheduling { policy: 99, ..Scheduling::default() };
        assert_eq!(apart(move || set(&impossible)), Err(Errno::EINVAL));
        assert_eq!(apart(|| set_io_priority(2, 7)), Ok(()));
        assert_eq!(apart(|| set_affinity(&[u64::MAX])), Ok(()));
        assert_eq!(apart(|| set_affinity(&[0])), Err(Errno::EINVAL));
        assert_eq!(apart(|| set_personality(8).and_then(|()| set_personality(0))), Ok(()));
    }

    #[test]
    fn memory_comes_from_the_nodes_that_are_asked_for() {
        match apart(|| set_memory_policy(libc::MPOL_BIND, &[1])) {
            // A kernel without NUMA, or a container that forbids the call.
            Err(Errno::ENOSYS | Errno::EPERM) => {}
            other => assert_eq!(other, Ok(())),
        }
    }
}
