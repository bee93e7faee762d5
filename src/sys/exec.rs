//! The last steps of a process that becomes a payload: ids, limits, flags, descriptors, execve. Nothing
//! here allocates after [`Image::new`].

use std::ffi::{CStr, CString, c_char};

use nix::errno::Errno;
use nix::unistd::{Gid, Uid};

/// argv and envp in the form that execve takes, built before the clone.
pub struct Image {
    strings: Vec<CString>,
    argv: Vec<*const c_char>,
    envp: Vec<*const c_char>,
}

impl Image {
    /// Arguments and environment of a program.
    pub fn new(arguments: Vec<CString>, environment: Vec<CString>) -> Self {
        let split = arguments.len();
        let mut strings = arguments;
        strings.extend(environment);
        let end = std::iter::once(std::ptr::null());
        let pointers = |part: &[CString]| part.iter().map(|s| s.as_ptr()).chain(end.clone()).collect();
        let (argv, envp) = (pointers(&strings[..split]), pointers(&strings[split..]));
        Self { strings, argv, envp }
    }

    /// Replaces the process by `path`; returns only if that failed.
    pub fn exec(&self, path: &CStr) -> Errno {
        debug_assert_eq!(self.strings.len() + 2, self.argv.len() + self.envp.len());
        // SAFETY: both arrays end with a null pointer and point into `strings`, which `self` owns.
        unsafe { libc::execve(path.as_ptr(), self.argv.as_ptr(), self.envp.as_ptr()) };
        Errno::last()
    }
}

/// Whether the process may be traced and its /proc entries opened by its own user. A process that is not
/// dumpable cannot be used as a way to rcon's own executable.
pub fn set_dumpable(dumpable: bool) -> Result<(), Errno> {
    prctl(libc::PR_SET_DUMPABLE, libc::c_ulong::from(dumpable))
}

/// The signal that this process gets when the thread that made it dies (0: none).
pub fn set_parent_death_signal(signal: i32) -> Result<(), Errno> {
    prctl(libc::PR_SET_PDEATHSIG, signal as libc::c_ulong)
}

/// execve grants nothing that the process does not have.
pub fn set_no_new_privileges() -> Result<(), Errno> {
    prctl(libc::PR_SET_NO_NEW_PRIVS, 1)
}

fn prctl(option: libc::c_int, value: libc::c_ulong) -> Result<(), Errno> {
    // SAFETY: the options used here take one number and touch no memory.
    Errno::result(unsafe { libc::prctl(option, value, 0, 0, 0) }).map(drop)
}

/// Real, effective and saved user id of this thread, which must be the only one.
pub fn set_user(uid: u32) -> Result<(), Errno> {
    // The raw system call: libc's would signal other threads, and there are none.
    // SAFETY: takes numbers.
    Errno::result(unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) }).map(drop)
}

/// Real, effective and saved group id of this thread, which must be the only one.
pub fn set_group(gid: u32) -> Result<(), Errno> {
    // SAFETY: takes numbers.
    Errno::result(unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) }).map(drop)
}

/// Supplementary groups of this thread.
pub fn set_groups(groups: &[u32]) -> Result<(), Errno> {
    // SAFETY: the pointer and the length are of one slice.
    Errno::result(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) }).map(drop)
}

/// Marks every descriptor from `first` on to be closed by execve.
pub fn close_on_exec_from(first: u32) -> Result<(), Errno> {
    const CLOSE_RANGE_CLOEXEC: u32 = 4;
    close_range(first, CLOSE_RANGE_CLOEXEC)
}

/// Closes every descriptor from `first` on at once. Nothing that owns one of them may be used afterwards.
pub fn close_from(first: u32) -> Result<(), Errno> {
    close_range(first, 0)
}

/// Has execve leave `count` descriptors from `first` on open. Does not allocate.
pub fn keep_on_exec(first: u32, count: u32) -> Result<(), Errno> {
    for fd in first..first + count {
        // SAFETY: F_SETFD takes a number, and any descriptor is fine.
        Errno::result(unsafe { libc::fcntl(fd as i32, libc::F_SETFD, 0) })?;
    }
    Ok(())
}

/// Whether a descriptor with this number is open.
pub fn is_open(fd: i32) -> bool {
    // SAFETY: F_GETFD takes no argument, and any number is fine.
    unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
}

fn close_range(first: u32, flags: u32) -> Result<(), Errno> {
    // SAFETY: takes numbers.
    Errno::result(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, flags) }).map(drop)
}

/// Gives an open file to another owner inside the current user namespace. /dev/null stays as it is: root would give away
/// the one that the whole machine uses.
pub fn own_by_number(fd: i32, uid: u32, gid: u32) -> Result<(), Errno> {
    // SAFETY: the descriptors asked for are the three standard ones, which stay open.
    let file = unsafe { std::os::fd::BorrowedFd::borrow_raw(fd) };
    if rustix::fs::fstat(file).is_ok_and(|found| found.st_rdev == rustix::fs::makedev(1, 3)) {
        return Ok(());
    }
    nix::unistd::fchown(file, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
}

/// Closes every descriptor from 3 on that is not among `keep`, which are of this process and stay valid.
pub fn close_all_but(keep: &[std::os::fd::BorrowedFd<'_>]) -> Result<(), Errno> {
    use std::os::fd::AsRawFd;
    let mut numbers: Vec<u32> = keep.iter().map(|fd| fd.as_raw_fd() as u32).collect();
    numbers.sort_unstable();
    let mut first = 3;
    for number in numbers {
        if number > first {
            // SAFETY: takes numbers.
            Errno::result(unsafe { libc::syscall(libc::SYS_close_range, first, number - 1, 0) })?;
        }
        first = first.max(number + 1);
    }
    close_from(first)
}
