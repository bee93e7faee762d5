//! Starting a container's monitor.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use super::record::Record;
use super::{Directory, monitor};
use crate::error::{Context, Result};
use crate::network;
use crate::runtime::{Plan, cgroup};
use crate::storage::Store;
use crate::storage::rootfs::{Rootfs, fuse};
use crate::sys::channel::Channel;
use crate::sys::clone::Process;
use crate::sys::lock::Lock;
use crate::sys::process::{Fork, fork};
use crate::userns::UserNamespace;

/// Everything that a monitor needs, made before it is forked.
#[derive(Debug)]
pub struct Job<'a> {
    /// The store that the container is in.
    pub store: &'a Store,
    /// The container's directory.
    pub directory: Directory,
    /// What it is.
    pub record: &'a Record,
    /// How it is made.
    pub plan: &'a Plan,
    /// Its user namespace.
    pub userns: &'a UserNamespace,
    /// Its network.
    pub network: &'a network::Plan,
    /// Where the network helper keeps its sockets; made if there is one, and removed after it.
    pub run_dir: PathBuf,
    /// Its root file system.
    pub rootfs: &'a Rootfs,
    /// Its control group, if it gets one.
    pub cgroup: Option<&'a cgroup::Plan>,
    /// Whether the monitor goes into the scope that systemd makes for it.
    pub monitor_in_scope: bool,
}

impl Job<'_> {
    /// Serves the root file system that `init` has mounted from `device`.
    pub(super) fn serve_root(&self, init: &Process, device: OwnedFd) -> Result<fuse::Server> {
        fuse::serve(self.rootfs, init, device)
    }
}

/// Forks the monitor, which takes over `lock`, and gives the channel to it. The caller is single-threaded.
pub fn launch(job: &Job<'_>, lock: Lock) -> Result<Channel> {
    let (ours, theirs) = Channel::pair().context(|| "cannot make a socket pair")?;
    match fork()? {
        Fork::Parent(_) => Ok(ours),
        Fork::Child => {
            drop(ours);
            monitor::run(job, theirs, &lock)
        }
    }
}
