//! clone3(2): a process with new namespaces in one system call, and its pidfd.

use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::sched::CloneFlags;
use nix::unistd::Pid;

use crate::error::{Context, Result};

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
    /// Sends `signal` (a number, real-time ones included).
    pub fn signal(&self, signal: i32) -> Result<()> {
        pidfd_send_signal(self.as_fd(), signal).context(|| format!("cannot signal process {}", self.pid))
    }

    /// Reaps it and gives its status as a shell does: the exit code, or 128 + the signal.
    pub fn wait(&self) -> Result<i32> {
        super::process::wait(self.pid)
    }
}

/// Clones the calling, single-threaded process into `namespaces`.
pub fn clone(namespaces: CloneFlags) -> nix::Result<Clone> {
    let mut pidfd: libc::c_int = -1;
    // SAFETY: clone_args is plain data for which all zeroes is the documented "unset".
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (namespaces.bits() | libc::CLONE_PIDFD) as u64;
    args.pidfd = &raw mut pidfd as u64;
    args.exit_signal = libc::SIGCHLD as u64;
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

/// Sends a signal through a pidfd.
pub fn pidfd_send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> std::io::Result<()> {
    use std::os::fd::AsRawFd;
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
