//! Clones of a container that joins existing namespaces. A process of its own joins them, so that the caller stays where
//! it is, and clones a sibling; what it leaves is the caller's child.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::sched::CloneFlags;

use super::plan::{Join, Plan};
use super::sync::{self, FromChild};
use crate::error::{Context, Error, Kind, Result};
use crate::sys::channel::Channel;
use crate::sys::clone::{self, Clone, Process};
use crate::sys::process::{Fork, fork, leave, wait};
use crate::sys::{exec, scheduling};

/// The message that the clone has been made; it carries the pidfd.
const BORN: u8 = b'P';

/// Joins the plan's namespaces and clones from there. `options.sibling` is set.
pub(super) fn clone_from_inside(plan: &Plan, options: &clone::Options<'_>) -> Result<Clone> {
    let joins = &plan.joins;
    let namespaces = joins.iter().map(open).collect::<Result<Vec<_>>>()?;
    let (ours, theirs) = Channel::pair().context(|| "cannot make a socket pair")?;
    let between = match fork()? {
        Fork::Parent(pid) => pid,
        Fork::Child => {
            drop(ours);
            if let Err(errno) = prepare(plan) {
                let _ = theirs.send(&sync::failure(joins.len(), errno));
                leave(1)
            }
            for (index, (join, namespace)) in joins.iter().zip(&namespaces).enumerate() {
                if let Err(errno) = clone::join(namespace.as_fd(), join.kind) {
                    let _ = theirs.send(&sync::failure(index, errno));
                    leave(1)
                }
            }
            // The change of credentials hid the process; somebody is to open the namespaces of the clone.
            if !plan.hidden {
                let _ = exec::set_dumpable(true);
            }
            match clone::clone(options) {
                Ok(Clone::Child) => return Ok(Clone::Child),
                Ok(Clone::Parent(process)) => {
                    let _ = theirs.send_with(&[BORN], process.as_fd());
                    leave(0)
                }
                Err(errno) => {
                    let _ = theirs.send(&sync::failure(joins.len(), errno));
                    leave(1)
                }
            }
        }
    };
    drop(theirs);
    let mut buffer = [0; 16];
    let received =
        ours.receive(&mut buffer).context(|| "cannot hear from the process that joins namespaces")?;
    wait(between)?;
    if let (BORN, Some(pidfd)) = (buffer[0], received.fd) {
        return Process::of_pidfd(pidfd).map(Clone::Parent);
    }
    Err(match sync::parse(&buffer[..received.length]) {
        Some(FromChild::Failed { index, errno }) => failure(joins.get(index), errno),
        _ => Error::new(Kind::System, "the process that joins namespaces was killed"),
    })
}

/// What the clone inherits and could not do itself once it is hidden.
fn prepare(plan: &Plan) -> Result<(), Errno> {
    if let Some(processors) = &plan.affinity {
        scheduling::set_affinity(processors.words())?;
    }
    for (file, value) in &plan.own_proc {
        let path = Path::new("/proc").join(OsStr::from_bytes(file.to_bytes()));
        let written = std::fs::write(path, value);
        written.map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(libc::EIO)))?;
    }
    if plan.hidden { exec::set_dumpable(false) } else { Ok(()) }
}

fn open(join: &Join) -> Result<File> {
    let what = || format!("cannot join {} ({})", join.path.display(), join.field);
    let file = File::open(&join.path).context(what)?;
    match clone::namespace_kind(file.as_fd()) {
        Ok(kind) if kind == join.kind => Ok(file),
        Ok(kind) => {
            Err(Error::invalid(format!("{}: it is a namespace of another kind ({})", what(), name(kind))))
        }
        Err(_) => Err(Error::invalid(format!("{}: it is no namespace", what()))),
    }
}

fn failure(join: Option<&Join>, errno: Errno) -> Error {
    match join {
        Some(join) => Error::wrap(format!("cannot join {} ({})", join.path.display(), join.field), errno),
        None => Error::wrap("cannot make the container's namespaces", errno),
    }
}

fn name(kind: CloneFlags) -> &'static str {
    match kind {
        CloneFlags::CLONE_NEWUSER => "user",
        CloneFlags::CLONE_NEWNS => "mount",
        CloneFlags::CLONE_NEWPID => "pid",
        CloneFlags::CLONE_NEWNET => "network",
        CloneFlags::CLONE_NEWIPC => "ipc",
        CloneFlags::CLONE_NEWUTS => "uts",
        CloneFlags::CLONE_NEWCGROUP => "cgroup",
        _ => "time",
    }
}
