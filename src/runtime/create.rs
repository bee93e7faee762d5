//! Plan -> process, from the parent's side: clone, id maps, and the conversation with the child until it
//! has become the payload.

use std::os::fd::OwnedFd;

use nix::errno::Errno;

use super::init::{Covers, Init};
use super::op::Op;
use super::plan::Plan;
use super::sync::{self, FromChild};
use crate::error::{Context, Error, Kind, Result};
use crate::storage::rootfs::Rootfs;
use crate::sys::channel::Channel;
use crate::sys::clone::{Clone, Process, clone};
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
}

/// A container whose payload runs.
#[derive(Debug)]
pub struct Started {
    /// The init process.
    pub init: Process,
    /// The leader of the payload's terminal, if the plan has one.
    pub terminal: Option<OwnedFd>,
}

/// Makes the namespaces and starts the set-up in them. The caller is single-threaded. `stdio` is not needed
/// for a plan with a terminal.
pub fn create<'a>(plan: &'a Plan, userns: &UserNamespace, stdio: Option<Stdio>) -> Result<Created<'a>> {
    let (ours, theirs) = Channel::pair().context(|| "cannot make a socket pair")?;
    let mut init = Init {
        ops: &plan.ops,
        slots: Vec::new(),
        sync: Some(theirs),
        stdio,
        preserve: plan.preserve_fds,
        root: None,
        terminal: None,
        covers: Covers::default(),
    };
    init.slots.resize_with(plan.slots, || None);
    let process = match clone(plan.namespaces).map_err(userns::explain_clone_failure)? {
        Clone::Child => {
            drop(ours);
            init.run()
        }
        Clone::Parent(process) => process,
    };
    drop(init);
    let created = Created { plan, init: process, sync: ours };
    match userns.write_maps(created.init.pid) {
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

    /// Says go and waits until the payload has been executed. `serve_root` is called with
    /// an open FUSE device if the root file system has to be served by a helper.
    pub fn start(self, serve_root: impl FnOnce(&Process, OwnedFd) -> Result<()>) -> Result<Started> {
        match self.converse(serve_root) {
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

    fn converse(&self, serve_root: impl FnOnce(&Process, OwnedFd) -> Result<()>) -> Result<Option<OwnedFd>> {
        let mut terminal = None;
        let mut serve_root = Some(serve_root);
        let mut buffer = [0; 16];
        if !matches!(self.plan.rootfs, Rootfs::FuseOverlayfs { .. }) {
            let _ = self.sync.send(&[sync::START]);
        }
        loop {
            let received =
                self.sync.receive(&mut buffer).context(|| "cannot hear from the container's init")?;
            match sync::parse(&buffer[..received.length]) {
                Some(FromChild::Terminal) => terminal = received.fd,
                Some(FromChild::MountRoot) => {
                    if let (Some(serve), Some(device)) = (serve_root.take(), received.fd) {
                        serve(&self.init, device)?;
                    }
                    let _ = self.sync.send(&[sync::ROOT_MOUNTED]);
                    let _ = self.sync.send(&[sync::START]);
                }
                Some(FromChild::Failed { index, errno }) => return Err(self.failure(index, errno)),
                Some(FromChild::Executed) => return self.executed().map(|()| terminal),
                None => return Err(Error::new(Kind::System, "the container's init talks nonsense")),
            }
        }
    }

    /// The channel also closes when the child is killed before execve.
    fn executed(&self) -> Result<()> {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        use std::os::fd::AsFd;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::PidFd(self.init.as_fd()), options) {
            Ok(Some(status)) if status.killed() && !self.plan.reaps => Err(Error::new(
                Kind::System,
                format!(
                    "the container's init was killed (signal {})",
                    status.terminating_signal().unwrap_or(0)
                ),
            )),
            _ => Ok(()),
        }
    }

    fn failure(&self, index: usize, errno: Errno) -> Error {
        let Some(op) = self.plan.ops.get(index) else {
            return Error::new(Kind::System, "the container's init talks nonsense");
        };
        let cause = std::io::Error::from_raw_os_error(errno as i32);
        let error = Error::wrap(op.describe(), cause);
        match (op, errno) {
            (Op::Exec { shown, .. }, Errno::ENOENT) if !shown.contains('/') => {
                Error::new(Kind::CommandNotFound, format!("executable file `{shown}` not found in $PATH"))
            }
            (Op::Exec { .. } | Op::Chdir(_), Errno::ENOENT | Errno::ENOTDIR) => {
                error.with_kind(Kind::CommandNotFound)
            }
            (Op::Exec { .. } | Op::Chdir(_), _) => error.with_kind(Kind::NotExecutable),
            (Op::Overlay(_), Errno::EINVAL | Errno::EPERM | Errno::ENODEV | Errno::ENOSYS | Errno::ELOOP) => {
                error.with_kind(Kind::Unsupported).hint("rcon --storage-driver fuse-overlayfs run …")
            }
            _ => error.with_kind(Kind::System),
        }
    }
}
