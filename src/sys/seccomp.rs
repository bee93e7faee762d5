//! seccomp(2): one filter instruction, the filter's flags, and the call that installs a filter.

use std::os::fd::{FromRawFd, OwnedFd};

use nix::errno::Errno;
use oci_spec::runtime::Arch;

/// The architecture that this program runs on; `ScmpArchNative` where it has no name here.
pub const NATIVE: Arch = if cfg!(target_arch = "x86_64") {
    Arch::ScmpArchX86_64
} else if cfg!(target_arch = "aarch64") {
    Arch::ScmpArchAarch64
} else {
    Arch::ScmpArchNative
};

/// One classic BPF instruction, as the kernel lays it out (`struct sock_filter`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Instructions to skip if a comparison holds.
    pub jt: u8,
    /// Instructions to skip if it does not.
    pub jf: u8,
    /// Operand.
    pub k: u32,
}

/// The longest filter that the kernel takes (`BPF_MAXINSNS`).
pub const MAX_INSTRUCTIONS: usize = 4096;

/// How a filter is installed (`SECCOMP_FILTER_FLAG_*`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);
    /// All threads of the process at once.
    pub const TSYNC: Flags = Flags(libc::SECCOMP_FILTER_FLAG_TSYNC as u32);
    /// Every decision but "allow" may be logged.
    pub const LOG: Flags = Flags(libc::SECCOMP_FILTER_FLAG_LOG as u32);
    /// The speculative store bypass stays as it is (before Linux 5.16 a filter turned it off, at a price).
    pub const SPEC_ALLOW: Flags = Flags(libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW as u32);

    /// A notification that its receiver has taken is waited for through all signals but deadly ones (Linux 5.19).
    pub const WAIT_KILLABLE_RECV: Flags = Flags(1 << 5);

    /// Makes a descriptor on which decisions are asked for.
    const NEW_LISTENER: Flags = Flags(1 << 3);

    /// Both.
    #[must_use]
    pub const fn union(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// Puts the calling thread under `filter`, for good and for what it executes. Needs no_new_privs or
/// `CAP_SYS_ADMIN` in the thread's user namespace. Allocates nothing.
pub fn install(filter: &[Instruction], flags: Flags) -> Result<(), Errno> {
    match set_filter(filter, flags)? {
        0 => Ok(()),
        // TSYNC reports the thread that could not follow.
        _ => Err(Errno::ESRCH),
    }
}

/// The same, for a filter that leaves decisions to the holder of the descriptor that comes back. The process
/// has one thread: the kernel does not take TSYNC together with a listener.
pub fn install_listening(filter: &[Instruction], flags: Flags) -> Result<OwnedFd, Errno> {
    let flags = Flags(flags.0 & !Flags::TSYNC.0).union(Flags::NEW_LISTENER);
    let fd = set_filter(filter, flags)?;
    // SAFETY: the kernel just gave us this descriptor, which is closed on exec.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

fn set_filter(filter: &[Instruction], flags: Flags) -> Result<libc::c_long, Errno> {
    let Ok(len) = u16::try_from(filter.len()) else { return Err(Errno::EINVAL) };
    let program = libc::sock_fprog { len, filter: filter.as_ptr().cast::<libc::sock_filter>().cast_mut() };
    // SAFETY: `program` describes `filter`, whose elements have the layout of sock_filter; the kernel
    // copies and does not write to it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::c_ulong::from(libc::SECCOMP_SET_MODE_FILTER),
            libc::c_ulong::from(flags.0),
            &raw const program,
        )
    };
    Errno::result(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_binds_the_thread_that_installs_it() {
        let load_number = Instruction { code: 0x20, jt: 0, jf: 0, k: 0 };
        let is_getppid = Instruction { code: 0x15, jt: 0, jf: 1, k: libc::SYS_getppid as u32 };
        let give = |k| Instruction { code: 0x06, jt: 0, jf: 0, k };
        let refuse = give(libc::SECCOMP_RET_ERRNO | libc::EDOM as u32);
        let filter = [load_number, is_getppid, refuse, give(libc::SECCOMP_RET_ALLOW)];
        let bound = std::thread::spawn(move || {
            rustix::thread::set_no_new_privs(true).unwrap();
            install(&filter, Flags::SPEC_ALLOW).unwrap();
            // SAFETY: the call has no arguments and no effect.
            Errno::result(unsafe { libc::syscall(libc::SYS_getppid) })
        });
        assert_eq!(bound.join().unwrap(), Err(Errno::EDOM));
        // SAFETY: as above.
        assert!(unsafe { libc::syscall(libc::SYS_getppid) } >= 0);
    }

    #[test]
    fn what_the_kernel_does_not_take_is_an_error() {
        assert_eq!(install(&[], Flags::NONE), Err(Errno::EINVAL));
        let long = vec![Instruction { code: 0x06, jt: 0, jf: 0, k: 0 }; 1 << 16];
        assert_eq!(install(&long, Flags::NONE), Err(Errno::EINVAL));
    }
}
