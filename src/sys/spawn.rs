//! Starting a helper program that must not outlive this process.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// What a helper gets from this process.
#[derive(Debug, Default)]
pub struct Inheritance {
    /// Descriptors, which it finds under their own numbers.
    pub descriptors: Vec<OwnedFd>,
    /// A user namespace to be root of; without one it stays in this process's.
    pub user_namespace: Option<OwnedFd>,
}

/// Has the kernel kill `command`'s process when this one dies (prctl(2), PR_SET_PDEATHSIG), whatever kills
/// it, and gives it `inheritance`, which closes here with `command`.
///
/// The signal follows the *thread* that spawns: call this from a process with one thread. It outlasts an
/// execve(2) without set-user-id or file capabilities, and joining a user namespace that the caller owns.
pub fn tie_to_this_process(command: &mut Command, inheritance: Inheritance) {
    let parent = rustix::process::getpid();
    let prepare = move || {
        if let Some(namespace) = &inheritance.user_namespace {
            become_root_of(namespace)?;
        }
        // After the change of ids, which would clear it.
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        // The parent may have died before the kernel was told.
        if rustix::process::getppid() != Some(parent) {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        for descriptor in &inheritance.descriptors {
            rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::empty())?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls only; it allocates nothing and takes no
    // lock. An io::Error of an errno is a plain value.
    unsafe { command.pre_exec(prepare) };
}

/// Joins a user namespace and takes its ids 0. System calls only, of this thread only.
fn become_root_of(namespace: &OwnedFd) -> io::Result<()> {
    // SAFETY: setns takes a descriptor, which lives for the call, and a flag.
    if unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWUSER) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // Not libc's functions, which would set the ids of all threads.
    for call in [libc::SYS_setresgid, libc::SYS_setresuid] {
        // SAFETY: both calls take three ids.
        if unsafe { libc::syscall(call, 0, 0, 0) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Has `command`'s process leave for a mount namespace of its own, a copy of this one. Needs to be root of a
/// user namespace, so it comes after [`tie_to_this_process`].
pub fn unshare_mounts(command: &mut Command) {
    let unshare = || {
        // SAFETY: takes flags; the process has one thread.
        if unsafe { libc::unshare(libc::CLONE_NEWNS) } < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes system calls only; it allocates nothing and takes no
    // lock.
    unsafe { command.pre_exec(unshare) };
}
