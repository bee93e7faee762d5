//! `system prune`: what killed processes left, and, when asked, containers that have ended.

use super::{Session, rmi};
use crate::container::{self, Phase};
use crate::error::Result;
use crate::storage::Parts;
use crate::storage::rootfs::remapped;
use crate::userns;

/// Whether containers that have ended go too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// They stay.
    Keep,
    /// They go, as with podman.
    Remove,
}

/// Removes what killed processes left, and gives the names of what went.
pub fn prune(session: &Session, ended: Ended) -> Result<Vec<String>> {
    let userns = userns::plan(&session.env, &userns::Request::default())?;
    let mut removed = Vec::new();
    if ended == Ended::Remove {
        for container in container::all(&session.store)? {
            // One that was started in between stays.
            if container.state.phase != Phase::Running
                && container::remove(&session.store, &container, &userns).is_ok()
            {
                removed.push(container.record.id);
            }
        }
    }
    let in_use: Vec<Vec<String>> =
        container::all(&session.store)?.into_iter().map(|container| container.record.layers).collect();
    remapped::sweep(&session.store, &in_use)?;
    removed.extend(container::sweep(&session.store, &userns)?);
    let freed = rmi::collect(session, Parts::Remove)?;
    removed.extend(freed.layers);
    removed.extend(freed.blobs);
    Ok(removed)
}
