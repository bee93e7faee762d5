//! Plan -> process, from the parent's side: clone, id maps, and the conversation with the child until it
//! has become the payload.

use std::os::fd::{BorrowedFd, OwnedFd};

use nix::errno::Errno;

use super::init::{Covers, Init};
use super::join;
use super::plan::Plan;
use super::sync::{self, FromChild};
use crate::error::{Context, Error, Kind, Result};
use crate::sys::channel::Channel;
use crate::sys::clone::{self, Clone, Process};
use crate::sys::mount;
use crate::userns::{self, UserNamespace};

/// Standard input, output and error of the payload: the child's ends.
pub type Stdio = [OwnedFd; 3];

/// A container whose init process waits for the go.
#[derive(Debug)]
pub struct Created<'a> {
    plan: &'a Plan,
    /// The init process.
    pub init: Process,
    sync: Channel,
    /// Whether somebody else will start it.
    waits: bool,
}

/// A container whose payload runs.
#[derive(Debug)]
pub struct Started {
    /// The init process.
    pub init: Process,
    /// The leader of the payload's terminal, if the plan has one.
    pub terminal: Option<OwnedFd>,
}

/// How long a container lives.
#[derive(Debug)]
pub enum Lifetime {
    /// At most as long as its parent.
    Tied,
    /// Until it ends.
    Own,
    /// The same, and it waits for its start behind this listening socket when its parent may already be gone.
    Waiting(OwnedFd),
}

/// What a container is made with besides its plan.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// The user namespace that is made for it, if one is.
    pub userns: Option<&'a UserNamespace>,
    /// Not needed for a plan with a terminal.
    pub stdio: Option<Stdio>,
    /// The control group that it is born in.
    pub cgroup: Option<BorrowedFd<'a>>,
    /// How long it lives.
    pub lifetime: Lifetime,
}

/// What the parent does for the child in the middle of its set-up.
pub trait Host {
    /// Serves the root file system that the child has mounted from this FUSE device.
    fn serve_root(&mut self, _: &Process, _: OwnedFd) -> Result<()> {
        Err(Error::new(Kind::System, "nobody serves the root file system"))
    }

    /// Runs the hooks that belong to the runtime's namespaces. Gives the container's state, as those are told it that run
    /// in the container's.
    fn hooks(&mut self, _: &Process) -> Result<String> {
        Err(Error::new(Kind::System, "nobody runs the hooks"))
    }

    /// The container's state as JSON, for the agent of its system call filter.
    fn state(&mut self, _: &Process) -> Result<Vec<u8>> {
        Err(Error::new(
            Kind::System,
            "nobody knows the container's state, which its seccomp agent has to get",
        ))
    }
}

/// Makes the namespaces and starts the set-up in them. The caller is single-threaded.
pub fn create<'a>(plan: &'a Plan, surroundings: Surroundings<'_>) -> Result<Created<'a>> {
    let (ours, theirs) = Channel::pair().context(|| "cannot make a socket pair")?;
    let (listener, tied) = match surroundings.lifetime {
        Lifetime::Tied => (None, true),
        Lifetime::Own => (None, false),
        Lifetime::Waiting(listener) => (Some(listener), false),
    };
    let waits = listener.is_some();
    let mut init = Init {
        ops: &plan.ops,
        slots: Vec::new(),
        sync: Some(theirs),
        stdio: surroundings.stdio,
        preserve: plan.preserve_fds,
        root: None,
        terminal: None,
        covers: Covers::default(),
        tied,
        listener,
        state: None,
    };
    init.slots.resize_with(plan.slots, || None);
    super::idmap::fill(&plan.mapped_binds, &mut init.slots)?;
    if let Some(slot) = plan.proc {
        let proc = mount::open_path(c"/proc").context(|| "cannot open /proc")?;
        init.slots[slot.0] = Some(proc);
    }
    let options = clone::Options {
        namespaces: plan.namespaces,
        cgroup: surroundings.cgroup,
        sibling: !plan.joins.is_empty(),
    };
    let born = if plan.joins.is_empty() {
        clone::clone(&options).map_err(userns::explain_clone_failure)?
    } else {
        join::clone_from_inside(plan, &options)?
    };
    let process = match born {
        Clone::Child => {
            drop(ours);
            init.run()
        }
        Clone::Parent(process) => process,
    };
    drop(init);
    let created = Created { plan, init: process, sync: ours, waits };
    match surroundings.userns.map_or(Ok(()), |userns| userns.write_maps(created.init.pid)) {
        Ok(()) => Ok(created),
        Err(error) => Err(created.abandon(error)),
    }
}

impl Created<'_> {
    /// Lets the set-up go on as root of the user namespace. Until then the child has the caller's ids, and
    /// its namespaces can be opened through /proc whatever the id maps are.
    pub fn proceed(&self) {
        // A child that is gone already says why when it is asked to start.
        let _ = self.sync.send(&[sync::MAPPED]);
    }

    /// Says go and waits until the payload has been executed.
    pub fn start(self, host: &mut dyn Host) -> Result<Started> {
        match self.converse(host) {
            Ok(terminal) => Ok(Started { init: self.init, terminal }),
            Err(error) => Err(self.abandon(error)),
        }
    }

    /// Kills and reaps the child, because of `error`. A child that had failed by itself is the better reason:
    /// its end is what made everything else fail.
    pub fn abandon(self, error: Error) -> Error {
        let mut buffer = [0; 16];
        let own = match self.sync.try_receive(&mut buffer) {
            Ok(received) => match sync::parse(&buffer[..received.length]) {
                Some(FromChild::Failed { index, errno }) => Some(self.failure(index, errno)),
                _ => None,
            },
            Err(_) => None,
        };
        let _ = self.init.signal(libc::SIGKILL);
        let _ = self.init.wait();
        own.unwrap_or(error)
    }

    /// Until the payload has been executed, or waits for its start.
    fn converse(&self, host: &mut dyn Host) -> Result<Option<OwnedFd>> {
        let mut terminal = None;
        let mut buffer = [0; 16];
        let mut said_start = false;
        let mut executing = false;
        let mut start = || {
            if !std::mem::replace(&mut said_start, true) && !self.waits {
                let _ = self.sync.send(&[sync::START]);
            }
        };
        if !self.plan.asks_before_start() {
            start();
        }
        loop {
            let received =
                self.sync.receive(&mut buffer).context(|| "cannot hear from the container's init")?;
            match sync::parse(&buffer[..received.length]) {
                Some(FromChild::Terminal) => terminal = received.fd,
                Some(FromChild::MountRoot) => {
                    let device =
                        received.fd.ok_or_else(|| Error::new(Kind::System, "no FUSE device came"))?;
                    host.serve_root(&self.init, device)?;
                    let _ = self.sync.send(&[sync::ROOT_MOUNTED]);
                    start();
                }
                Some(FromChild::Hooks) => {
                    let state = host.hooks(&self.init)?;
                    sync::send_state(&self.sync, sync::HOOKS_DONE, Some(&state))?;
                    start();
                }
                Some(FromChild::Created) => return Ok(terminal),
                Some(FromChild::Executing) => executing = true,
                Some(FromChild::Accepted) => {}
                Some(FromChild::Listener) => {
                    let (Some(agent), Some(listener)) = (&self.plan.agent, &received.fd) else {
                        return Err(Error::new(Kind::System, "the container's init talks nonsense"));
                    };
                    let state = host.state(&self.init)?;
                    agent.hand_over(listener, self.init.pid.as_raw(), &state)?;
                }
                Some(FromChild::Failed { index, errno }) => return Err(self.failure(index, errno)),
                Some(FromChild::Executed) if executing => return Ok(terminal),
                Some(FromChild::Executed) => return Err(self.killed()),
                None => return Err(Error::new(Kind::System, "the container's init talks nonsense")),
            }
        }
    }

    /// The channel also closes when the child is killed before execve.
    fn killed(&self) -> Error {
        Error::new(Kind::System, format!("the container's init (process {}) was killed", self.init.pid))
    }

    fn failure(&self, index: usize, errno: Errno) -> Error {
        self.plan.failure(index, errno)
    }
}
