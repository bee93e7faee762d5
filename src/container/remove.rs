//! Removing containers, and what dead ones left.
//!
//! The directory is renamed away under the container's lock, so that it is gone at once and for everybody;
//! its files are unlinked after that. Files of subordinate owners can only be removed inside a user
//! namespace that maps them.

use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::directory::directories;
use super::{Container, Directory, Record, names};
use crate::error::{Context, Error, Kind, Result};
use crate::storage::Store;
use crate::sys::atomic;
use crate::sys::lock::Lock;
use crate::sys::process::{Fork, fork, leave, wait};
use crate::sys::root::Root;
use crate::userns::{self, UserNamespace};

/// A directory younger than this may belong to somebody who has not taken its lock yet.
const SETTLED: Duration = Duration::from_secs(60);

/// Removes a container that does not run. `userns` maps the owners of its files.
pub fn remove(store: &Store, container: &Container, userns: &UserNamespace) -> Result<()> {
    let name = &container.record.name;
    let Some(_lock) = Lock::try_exclusive(&container.directory.lock())? else {
        return Err(Error::new(
            Kind::Conflict,
            format!("cannot remove container {name} as it is running - running containers cannot be removed without force"),
        )
        .hint(format!("rcon rm -f {name}")));
    };
    // Of a container whose monitor was killed, or could not remove it.
    if let Some(cgroup) = &container.state.cgroup {
        cgroup.remove()?;
    }
    let trash = take_away(store, &container.directory, &container.record)?;
    for path in trash {
        erase_in(&path, userns)?;
    }
    Ok(())
}

/// The same from the container's own monitor, which holds the lock; `namespace` is the container's user
/// namespace, if it was ever made.
pub fn remove_as_owner(
    store: &Store,
    directory: &Directory,
    record: &Record,
    namespace: Option<(BorrowedFd<'_>, &UserNamespace)>,
) -> Result<()> {
    for path in take_away(store, directory, record)? {
        if erase(&path).is_ok() {
            continue;
        }
        // A namespace that maps the caller can remove what is the caller's; another one leaves the directories.
        let Some((fd, userns)) = namespace else { continue };
        if erase_joined(&path, fd, userns).is_err() {
            erase_in(&path, &userns.default_namespace())?;
        }
    }
    Ok(())
}

/// Renames the container's directory and its anonymous volumes into staging, and gives its name back.
fn take_away(store: &Store, directory: &Directory, record: &Record) -> Result<Vec<PathBuf>> {
    let staging = store.directory("staging")?;
    let mut trash = vec![staging.join(format!("rm-{}", record.id))];
    std::fs::rename(directory.path(), &trash[0])
        .context(|| format!("cannot remove {}", directory.path().display()))?;
    names::release(store, &record.name, &record.id)?;
    for volume in &record.anonymous_volumes {
        let to = staging.join(format!("rm-{volume}"));
        if std::fs::rename(store.root().join("volumes").join(volume), &to).is_ok() {
            trash.push(to);
        }
    }
    if let Some(file) = &record.cidfile {
        atomic::remove_optional(file)?;
    }
    Ok(trash)
}

/// Unlinks a tree as the caller.
fn erase(path: &Path) -> Result<()> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default();
    Root::open(parent)?.remove_tree(Path::new(name))
}

/// Unlinks a tree, in a user namespace of its own if the caller may not.
fn erase_in(path: &Path, userns: &UserNamespace) -> Result<()> {
    if erase(path).is_ok() {
        return Ok(());
    }
    userns::run_inside(userns, "the removal of a container's files", || erase(path))
}

fn erase_joined(path: &Path, namespace: BorrowedFd<'_>, userns: &UserNamespace) -> Result<()> {
    match fork()? {
        Fork::Child => {
            let erased = userns::join(namespace, userns).and_then(|()| erase(path));
            leave(i32::from(erased.is_err()))
        }
        Fork::Parent(pid) => match wait(pid)? {
            0 => Ok(()),
            _ => Err(Error::new(Kind::System, format!("cannot remove {}", path.display()))),
        },
    }
}

/// Removes what was left by processes that were killed: containers that were to be removed at their end,
/// directories without a record, trash. Gives the ids and names of what went.
pub fn sweep(store: &Store, userns: &UserNamespace) -> Result<Vec<String>> {
    let mut removed = Vec::new();
    for directory in directories(store)? {
        if directory.is_alive()? {
            continue;
        }
        match Container::load(directory.clone()) {
            Ok(Some(container)) if container.record.remove => remove(store, &container, userns)?,
            Ok(Some(container)) => {
                if let Some(cgroup) = &container.state.cgroup {
                    cgroup.remove()?;
                }
                continue;
            }
            Ok(None) if directory.lock().exists() => {
                let Some(_lock) = Lock::try_exclusive(&directory.lock())? else { continue };
                let trash = store.directory("staging")?.join(format!("rm-{}", directory.id()));
                std::fs::rename(directory.path(), &trash)
                    .context(|| format!("cannot remove {}", directory.path().display()))?;
                erase_in(&trash, userns)?;
            }
            // Its maker was killed before it made the lock, or is about to: then it makes the directory again.
            Ok(None) if std::fs::remove_dir(directory.path()).is_ok() => {}
            Ok(None) if is_settled(directory.path()) => erase_in(directory.path(), userns)?,
            _ => continue,
        }
        removed.push(directory.id().to_owned());
    }
    let staging = store.root().join("staging");
    for entry in std::fs::read_dir(&staging).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("rm-") {
            erase_in(&entry.path(), userns)?;
            removed.push(entry.file_name().to_string_lossy()[3..].to_owned());
        }
    }
    sweep_names(store)?;
    Ok(removed)
}

/// Names whose container is gone.
fn sweep_names(store: &Store) -> Result<()> {
    for entry in std::fs::read_dir(store.root().join("names")).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(id) = names::holder(store, &name)?
            && !Directory::of(store, &id).path().exists()
        {
            names::release(store, &name, &id)?;
        }
    }
    Ok(())
}

fn is_settled(path: &Path) -> bool {
    let modified = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > SETTLED))
}
