//! clone3(2): a process with new namespaces in one system call, and its pidfd.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::sched::CloneFlags;
use nix::unistd::Pid;

use crate::error::{Context, Error, Kind, Result};

/// The caller's side of a clone.
pub enum Clone {
    /// The caller: the new process and its pidfd.
    Parent(Process),
    /// The new process. It may only make system calls, and leaves by exec or by
    /// [`leave`](crate::sys::process::leave).
    Child,
}

/// A child process that is held by pidfd, so that its number cannot be reused under us.
#[derive(Debug)]
pub struct Process {
    /// Its number in our pid namespace.
    pub pid: Pid,
    pidfd: OwnedFd,
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

impl Process {
    /// The process behind a pidfd that somebody else made. Its number is read from /proc/self/fdinfo.
    pub fn of_pidfd(pidfd: OwnedFd) -> Result<Self> {
        let path = format!("/proc/self/fdinfo/{}", pidfd.as_raw_fd());
        let info = std::fs::read_to_string(&path).context(|| format!("cannot read {path}"))?;
        let pid = info.lines().find_map(|line| line.strip_prefix("Pid:")?.trim().parse::<i32>().ok());
        match pid {
            Some(pid) if pid > 0 => Ok(Self { pid: Pid::from_raw(pid), pidfd }),
            _ => Err(Error::new(Kind::NotFound, "the process has ended")),
        }
    }

    /// Sends `signal` (a number, real-time ones included).
    pub fn signal(&self, signal: i32) -> Result<()> {
        pidfd_send_signal(self.as_fd(), signal).context(|| format!("cannot signal process {}", self.pid))
    }

    /// Reaps it and gives its status as a shell does: the exit code, or 128 + the signal.
    pub fn wait(&self) -> Result<i32> {
        super::process::wait(self.pid)
    }
}

/// What a clone is to be.
#[derive(Debug)]
pub struct Options<'a> {
    /// New namespaces.
    pub namespaces: CloneFlags,
    /// The control group that it is born in.
    pub cgroup: Option<BorrowedFd<'a>>,
    /// Whether it is a child of the caller's parent (CLONE_PARENT).
    pub sibling: bool,
}

/// Clones the calling, single-threaded process.
pub fn clone(options: &Options<'_>) -> nix::Result<Clone> {
    let mut pidfd: libc::c_int = -1;
    // SAFETY: clone_args is plain data for which all zeroes is the documented "unset".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (options.namespaces.bits() | libc::CLONE_PIDFD) as u64;
    args.pidfd = &raw mut pidfd as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    if options.sibling {
        // The signal is the one that the caller's own end sends.
        args.flags |= libc::CLONE_PARENT as u64;
        args.exit_signal = 0;
    }
    // libc has it as a number that is too small for it.
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    if let Some(cgroup) = options.cgroup {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = cgroup.as_raw_fd() as u64;
    }
    // SAFETY: without CLONE_VM the child runs on a copy of this stack, as after fork; `pidfd` outlives the
    // call; the caller is single-threaded, so no lock is held by a thread that the child lacks.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>()) };
    match nix::errno::Errno::result(pid)? {
        0 => Ok(Clone::Child),
        pid => Ok(Clone::Parent(Process {
            pid: Pid::from_raw(pid as libc::pid_t),
            // SAFETY: the kernel put a new descriptor there, which nobody else owns.
            pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
        })),
    }
}

/// Joins the namespace behind `fd`, which has to be one of `kind`. The caller is single-threaded.
pub fn join(fd: BorrowedFd<'_>, kind: CloneFlags) -> nix::Result<()> {
    nix::sched::setns(fd, kind)
}

/// Which kind of namespace `fd` is, as the flag that makes one (ioctl_nsfs(2), NS_GET_NSTYPE).
pub fn namespace_kind(fd: BorrowedFd<'_>) -> nix::Result<CloneFlags> {
    const NS_GET_NSTYPE: libc::c_ulong = 0xb703;
    // SAFETY: the request takes no argument and gives a number.
    let kind = nix::errno::Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), NS_GET_NSTYPE) })?;
    Ok(CloneFlags::from_bits_retain(kind))
}

/// The user namespace that the namespace behind `fd` belongs to (ioctl_nsfs(2), NS_GET_USERNS). EPERM for one that is
/// not the caller's own or below it.
pub fn owner_of_namespace(fd: BorrowedFd<'_>) -> nix::Result<OwnedFd> {
    const NS_GET_USERNS: libc::c_ulong = 0xb701;
    // SAFETY: the request takes no argument and gives a new descriptor.
    let owner = nix::errno::Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), NS_GET_USERNS) })?;
    // SAFETY: the descriptor was just made and has no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(owner) })
}

/// Sends a signal through a pidfd.
pub fn pidfd_send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> std::io::Result<()> {
    // SAFETY: a system call on a valid descriptor; the siginfo pointer may be null.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    if result < 0 { Err(std::io::Error::last_os_error()) } else { Ok(()) }
}

/// A descriptor for an existing process.
pub fn pidfd_open(pid: Pid) -> std::io::Result<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(pid.as_raw()).ok_or(std::io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())?)
}
