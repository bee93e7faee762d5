//! start: the program of a container that waits.

use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use oci_spec::runtime::Spec;

use super::directory::{Container, START};
use super::kill::destroy;
use super::{Runtime, Status, hooks};
use crate::error::{Context, Error, Kind, Result};
use crate::runtime::agent::Agent;
use crate::runtime::sync::{self, FromChild};
use crate::runtime::{Input, plan};
use crate::storage::rootfs::Rootfs;
use crate::sys::atomic;
use crate::sys::channel::{Channel, Received};

/// Starts a created container.
pub fn start(runtime: &Runtime<'_>, container: &Container) -> Result<()> {
    let record = &container.record;
    let wrong = |status: Status| {
        Error::new(
            Kind::Conflict,
            format!("cannot start container {}: it is {status}, not created", record.id),
        )
    };
    match container.status() {
        Status::Created => {}
        other => return Err(wrong(other)),
    }
    let spec = container.spec()?;
    let directory = container.open_directory()?;
    // Somebody else who came first has it.
    let channel = Channel::connect(directory.as_fd(), START).map_err(|_| wrong(Status::Running))?;
    let state = spec.hooks().is_some().then(|| record.state_inside(Status::Created).to_string());
    sync::send_state(&channel, sync::START, state.as_deref()).map_err(|_| wrong(Status::Running))?;
    let mut heard = Heard { container, spec: &spec, channel: &channel };
    match heard.next()? {
        FromChild::Accepted => {}
        _ => return Err(wrong(Status::Running)),
    }
    let started = heard.until_executed(runtime);
    atomic::remove_optional(&container.directory.join(START))?;
    started?;
    let poststart = spec.hooks().as_ref().and_then(|hooks| hooks.poststart().as_deref());
    hooks::run("poststart", poststart, &record.state(Status::Running, record.pid))
        .inspect_err(|_| drop(destroy(container)))
}

/// What the container's init says.
struct Heard<'a> {
    container: &'a Container,
    spec: &'a Spec,
    channel: &'a Channel,
}

impl Heard<'_> {
    fn next(&mut self) -> Result<FromChild> {
        let id = &self.container.record.id;
        let mut buffer = [0; 16];
        let Received { length, fd } =
            self.channel.receive(&mut buffer).context(|| format!("cannot hear from container {id}"))?;
        let said = sync::parse(&buffer[..length])
            .ok_or_else(|| Error::new(Kind::System, "the container's init talks nonsense"))?;
        if let (FromChild::Listener, Some(listener)) = (&said, &fd)
            && let Err(error) = hand_over(self.container, self.spec, listener)
        {
            // Nobody would answer its calls.
            let _ = destroy(self.container);
            return Err(error);
        }
        Ok(said)
    }

    fn until_executed(&mut self, runtime: &Runtime<'_>) -> Result<()> {
        let mut executing = false;
        loop {
            match self.next()? {
                FromChild::Executing => executing = true,
                FromChild::Executed if executing => return Ok(()),
                FromChild::Executed => {
                    let id = &self.container.record.id;
                    return Err(Error::new(Kind::System, format!("container {id} was killed at its start")));
                }
                FromChild::Failed { index, errno } => {
                    return Err(failure(runtime, self.container, index, errno));
                }
                _ => {}
            }
        }
    }
}

/// Gives the listener of the container's system call filter to its agent.
fn hand_over(container: &Container, spec: &Spec, listener: &OwnedFd) -> Result<()> {
    let filter = spec.linux().as_ref().and_then(|linux| linux.seccomp().as_ref());
    let filter = filter.ok_or_else(|| Error::new(Kind::System, "the container's init talks nonsense"))?;
    let record = &container.record;
    let state = record.state(Status::Creating, record.pid).to_string();
    Agent::of(filter)?.hand_over(listener, record.pid, state.as_bytes())
}

/// The sentence for what the container says. Its plan was made by another process: it is made once more, for its words.
fn failure(runtime: &Runtime<'_>, container: &Container, index: usize, errno: Errno) -> Error {
    let again = || {
        let spec = container.spec()?;
        let quiet = Runtime { note: &|_| {}, ..*runtime };
        let userns = quiet.user_namespace(&spec)?;
        plan(&Input {
            spec: &spec,
            rootfs: &Rootfs::Directory(container.record.rootfs.clone()),
            userns: userns.as_ref(),
            bundle: Some(&container.record.bundle),
            keyring: container.record.keyring,
            init: false,
            opened: spec.hooks().is_some(),
            preserve_fds: 0,
        })
    };
    match again() {
        Ok(plan) => plan.failure(index, errno),
        Err(_) => Error::wrap(format!("cannot start container {}", container.record.id), errno),
    }
}
