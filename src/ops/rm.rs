//! `rm`: remove containers.

use std::time::{Duration, Instant};

use super::Session;
use crate::container::{self, Container, Phase};
use crate::error::{Error, Kind, Result};
use crate::sys::clone::{pidfd_open, pidfd_send_signal};
use crate::userns;
use std::os::fd::AsFd;

/// How long a killed container's monitor may take to clean up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Removes the container that `text` means; with `force` also one that runs. Gives its id.
pub fn remove_one(session: &Session, text: &str, force: bool) -> Result<String> {
    let container = container::find(&session.store, text)?;
    let id = container.record.id.clone();
    if container.state.phase == Phase::Running && force {
        kill(&container)?;
        // One that is removed at its end is gone now.
        let Ok(ended) = container::find(&session.store, &id) else { return Ok(id) };
        return remove(session, &ended).map(|()| id);
    }
    remove(session, &container)?;
    Ok(id)
}

fn remove(session: &Session, container: &Container) -> Result<()> {
    let userns = userns::plan(&session.env, &userns::Request::default())?;
    container::remove(&session.store, container, &userns)
}

/// Kills the payload and waits until its monitor is through.
fn kill(container: &Container) -> Result<()> {
    if let Some(pid) = container.state.pid
        && let Ok(pidfd) = pidfd_open(nix::unistd::Pid::from_raw(pid))
        && container.directory.is_alive()?
    {
        // The monitor is alive and has not reaped it: the number is still the payload's.
        let _ = pidfd_send_signal(pidfd.as_fd(), libc::SIGKILL);
    }
    let started = Instant::now();
    while container.directory.is_alive()? {
        if started.elapsed() > PATIENCE {
            let name = &container.record.name;
            return Err(Error::new(Kind::Conflict, format!("container {name} does not end")));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
