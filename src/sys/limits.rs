//! Resource limits by number, for ones that the C library's headers may not name.

use nix::errno::Errno;

/// setrlimit(2). `resource` is an RLIMIT_* number. Does not allocate.
pub fn set(resource: u32, soft: u64, hard: u64) -> Result<(), Errno> {
    let limit = libc::rlimit64 { rlim_cur: soft, rlim_max: hard };
    // SAFETY: prlimit64 reads one rlimit64, which outlives the call; process 0 is this one.
    Errno::result(unsafe {
        libc::syscall(
            libc::SYS_prlimit64,
            0,
            resource,
            &raw const limit,
            std::ptr::null_mut::<libc::rlimit64>(),
        )
    })
    .map(drop)
}

/// The current (soft, hard) limits of a resource.
pub fn get(resource: u32) -> Result<(u64, u64), Errno> {
    let mut limit = libc::rlimit64 { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: prlimit64 writes one rlimit64, which outlives the call; process 0 is this one.
    Errno::result(unsafe {
        libc::syscall(libc::SYS_prlimit64, 0, resource, std::ptr::null::<libc::rlimit64>(), &raw mut limit)
    })?;
    Ok((limit.rlim_cur, limit.rlim_max))
}

/// `RLIMIT_NOFILE`, or the number of a limit that has no name here.
pub fn name(resource: u32) -> String {
    // In the order of asm-generic/resource.h, which all architectures of ours share.
    const NAMES: [&str; 16] = [
        "CPU",
        "FSIZE",
        "DATA",
        "STACK",
        "CORE",
        "RSS",
        "NPROC",
        "NOFILE",
        "MEMLOCK",
        "AS",
        "LOCKS",
        "SIGPENDING",
        "MSGQUEUE",
        "NICE",
        "RTPRIO",
        "RTTIME",
    ];
    NAMES.get(resource as usize).map_or_else(|| resource.to_string(), |name| format!("RLIMIT_{name}"))
}
