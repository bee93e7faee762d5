//! Hooks that run in the container's namespaces: forked by the container's first process, and waited for.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Init, errno};
use crate::runtime::op::Hook;
use crate::sys::{clone, exec, process, signal};

impl Init<'_> {
    /// Runs a hook to its end. EPROTO says that it failed, ETIME that it took too long.
    pub(super) fn run_hook(&self, hook: &Hook) -> Result<(), Errno> {
        let state = self.state.as_ref().ok_or(Errno::EBADF)?;
        rustix::fs::seek(state, rustix::fs::SeekFrom::Start(0)).map_err(errno)?;
        match process::fork_raw()? {
            0 => become_hook(hook, state),
            pid => wait(pid, hook.timeout),
        }
    }
}

fn become_hook(hook: &Hook, input: &OwnedFd) -> ! {
    let ready = nix::unistd::dup2_stdin(input).is_ok() && exec::close_on_exec_from(3).is_ok();
    signal::reset();
    if ready {
        hook.image.exec(&hook.program);
    }
    process::leave(127)
}

fn wait(pid: i32, timeout: Option<u32>) -> Result<(), Errno> {
    let pid = Pid::from_raw(pid);
    if let Some(seconds) = timeout {
        let pidfd = clone::pidfd_open(pid).map_err(|_| Errno::ESRCH)?;
        let limit = Timespec::try_from(Duration::from_secs(seconds.into())).map_err(|_| Errno::EINVAL)?;
        let ended = poll(&mut [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)], Some(&limit));
        if ended.map_err(errno)? == 0 {
            let _ = clone::pidfd_send_signal(pidfd.as_fd(), libc::SIGKILL);
            let _ = process::wait_raw(pid.as_raw());
            return Err(Errno::ETIME);
        }
    }
    match process::wait_raw(pid.as_raw())? {
        0 => Ok(()),
        127 => Err(Errno::ENOENT),
        _ => Err(Errno::EPROTO),
    }
}
