//! Binds whose owners are mapped (`idmap`, `ridmap`): made by the parent, which may have the right to do so on
//! the host's file systems; the child in its user namespace never has.

use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use super::op::Slot;
use crate::error::{Context, Error, Kind, Result};
use crate::sys::mount::{self, Attributes};
use crate::sys::process::{self, Fork, fork, leave, wait};
use crate::userns::UserNamespace;

/// A bind with mapped owners.
#[derive(Debug)]
pub(crate) struct MappedBind {
    /// `mounts[3]`.
    pub(crate) field: String,
    pub(crate) source: CString,
    /// Whether mounts below the source come along.
    pub(crate) recursive: bool,
    pub(crate) attributes: Vec<Attributes>,
    /// Whether the mounts below are mapped, too.
    pub(crate) map_all: bool,
    pub(crate) maps: UserNamespace,
    pub(crate) slot: Slot,
}

/// Makes the binds, detached, and puts them where the child looks for them.
pub(super) fn fill(binds: &[MappedBind], slots: &mut [Option<OwnedFd>]) -> Result<()> {
    for bind in binds {
        slots[bind.slot.0] = Some(make(bind)?);
    }
    Ok(())
}

fn make(bind: &MappedBind) -> Result<OwnedFd> {
    let what = || format!("{}: cannot bind {} with mapped ids", bind.field, bind.source.to_string_lossy());
    let tree = mount::clone_tree(rustix::fs::CWD, &bind.source, bind.recursive)
        .map_err(|errno| refused(what(), errno))?;
    let namespace = namespace_of(&bind.maps).context(what)?;
    mount::map_ids(tree.as_fd(), bind.map_all, namespace.as_fd()).map_err(|errno| refused(what(), errno))?;
    for attributes in &bind.attributes {
        mount::set_attributes(tree.as_fd(), attributes).context(what)?;
    }
    Ok(tree)
}

fn refused(what: String, errno: Errno) -> Error {
    let why = match errno {
        Errno::PERM => {
            "only root of the user namespace that its file system was mounted in may do that; rootless, no file \
             system of the host's can be mapped"
        }
        Errno::INVAL => {
            "its file system does not support mapped ids, or it is mapped already (Linux 5.12 and later)"
        }
        Errno::NOSYS => "the kernel does not know mount_setattr (Linux 5.12 and later)",
        _ => return Error::wrap(what, errno),
    };
    Error::wrap(format!("{what}: {why}"), errno).with_kind(Kind::Unsupported)
}

/// A user namespace with these maps, which lives as long as the descriptor.
fn namespace_of(maps: &UserNamespace) -> Result<File> {
    let (held, hold) = process::pipe()?;
    let (ready, made) = process::pipe()?;
    match fork()? {
        Fork::Child => {
            drop((hold, ready));
            let unshared = nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER).is_ok();
            let _ = rustix::io::write(&made, &[u8::from(unshared)]);
            drop(made);
            // Until the parent closes the other end, or is gone.
            let _ = rustix::io::read(&held, &mut [0; 1]);
            leave(0)
        }
        Fork::Parent(pid) => {
            drop((held, made));
            let mut answer = [0];
            let _ = rustix::io::read(&ready, &mut answer);
            let opened = match answer {
                [1] => maps.write_maps(pid).and_then(|()| {
                    File::open(format!("/proc/{pid}/ns/user")).context(|| "cannot open its namespace")
                }),
                _ => Err(Error::new(Kind::Denied, "cannot make a user namespace")),
            };
            drop(hold);
            wait(pid)?;
            opened
        }
    }
}
