//! kill: a signal to the container.

use std::os::fd::AsFd;

use super::directory::Container;
use super::{Status, processes};
use crate::error::{Context, Error, Kind, Result};
use crate::sys::clone::{pidfd_open, pidfd_send_signal};

/// Who gets the signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The first process.
    First,
    /// Every process of the container.
    All,
}

/// Sends `signal` (a number).
pub fn kill(container: &Container, signal: i32, target: Target) -> Result<()> {
    let id = &container.record.id;
    let first = match (container.process(), target) {
        (Ok(first), _) => Some(first),
        // Without a pid namespace of its own, others may have outlived the first.
        (Err(_), Target::All) if !processes(container)?.is_empty() => None,
        (Err(error), _) => return Err(error),
    };
    if target == Target::All {
        for pid in processes(container)? {
            // One that has just ended needs no signal.
            if let Ok(process) = pidfd_open(pid) {
                let _ = pidfd_send_signal(process.as_fd(), signal);
            }
        }
    } else if let Some(first) = first {
        pidfd_send_signal(first.as_fd(), signal).context(|| format!("cannot signal container {id}"))?;
    }
    // A frozen process takes no signal; one that is to die has to thaw for it, even SIGKILL's before Linux 5.14.
    if signal == libc::SIGKILL
        && container.status() == Status::Paused
        && let Some(cgroup) = &container.record.cgroup
    {
        cgroup.thaw()?;
    }
    Ok(())
}

/// Kills everything of a container, and waits until its first process has ended.
pub(super) fn destroy(container: &Container) -> Result<()> {
    if let Some(cgroup) = &container.record.cgroup
        && cgroup.exists()
    {
        let _ = cgroup.kill();
    }
    let Ok(first) = container.process() else { return Ok(()) };
    let _ = pidfd_send_signal(first.as_fd(), libc::SIGKILL);
    if ends(first.as_fd())? {
        return Ok(());
    }
    let message = format!("container {} was killed and does not end", container.record.id);
    Err(Error::new(Kind::System, message))
}

/// Waits until the process behind the handle has ended; a minute at most, which only a dead disk exceeds.
fn ends(process: std::os::fd::BorrowedFd<'_>) -> Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let minute = Timespec { tv_sec: 60, tv_nsec: 0 };
    let mut fds = [PollFd::from_borrowed_fd(process, PollFlags::IN)];
    Ok(poll(&mut fds, Some(&minute)).context(|| "poll")? > 0)
}
