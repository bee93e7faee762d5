//! The room for what is unfinished. Each pull has a directory `staging/ID/` and holds `staging/ID.lock` for as
//! long as it lives: a lock that can be had belongs to a dead one, and what it protected is garbage.
//!
//! Lock files are removed by their holders only, so a lock counts only while its file has its name: who gets
//! one looks whether that is so and tries again otherwise.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::Store;
use crate::error::{Context, Error, Result};
use crate::oci::Digest;
use crate::sys::atomic;
use crate::sys::lock::Lock;

/// How long a partial blob waits for somebody to go on with it.
const PART_LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// A directory for unfinished things; removed with all that is in it when it is dropped.
#[derive(Debug)]
pub struct Staging {
    directory: PathBuf,
    lock_path: PathBuf,
    _lock: Lock,
}

/// What a pull needs although no record says so yet.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) layers: Vec<String>,
    pub(super) blobs: Vec<Digest>,
}

impl Store {
    /// A new staging directory.
    pub fn staging(&self) -> Result<Staging> {
        let parent = self.directory("staging")?;
        let id = format!("work-{}", atomic::random_hex(8)?);
        let lock_path = parent.join(format!("{id}.lock"));
        let lock = claim(&lock_path)?;
        let directory = parent.join(id);
        fs::create_dir(&directory).context(|| format!("cannot create {}", directory.display()))?;
        Ok(Staging { directory, lock_path, _lock: lock })
    }

    /// Excludes everybody else who wants to make the layer `key`, until the lock is dropped.
    pub fn layer_lock(&self, key: &str) -> Result<LayerLock> {
        let path = self.directory("staging")?.join(format!("layer-{key}.lock"));
        Ok(LayerLock { _lock: claim(&path)?, path })
    }

    /// Removes what dead pulls left in staging; what others keep there (`rm-…`) is theirs. Trees that the user
    /// cannot remove himself need the caller to be root of the user namespace that wrote them. With
    /// [`Parts::Remove`] partial blobs go as well; otherwise only those that nobody has touched for a week.
    pub fn sweep(&self, parts: Parts) -> Result<()> {
        let staging = self.root.join("staging");
        let names = super::file_names(&staging)?;
        for name in &names {
            let path = staging.join(name);
            if name.ends_with(".part") {
                if parts == Parts::Remove || is_old(&path) {
                    remove_unlocked(&path)?;
                }
            } else if name.starts_with("work-") && !name.ends_with(".lock") {
                let lock = staging.join(format!("{name}.lock"));
                if !lock.exists() || Lock::try_exclusive(&lock)?.is_some() {
                    remove_tree(&path)?;
                }
            }
        }
        for name in names.iter().filter(|name| name.ends_with(".lock")) {
            remove_unlocked(&staging.join(name))?;
        }
        Ok(())
    }

    /// What living pulls have announced that they need.
    pub(super) fn kept_by_pulls(&self) -> Result<Vec<Kept>> {
        let staging = self.root.join("staging");
        let mut kept = Vec::new();
        for name in super::file_names(&staging)? {
            let Some(bytes) = atomic::read_optional(&staging.join(&name).join("keep.json"))? else {
                continue;
            };
            if Lock::is_held(&staging.join(format!("{name}.lock")))? {
                kept.push(
                    serde_json::from_slice(&bytes).context(|| format!("cannot read keep.json of {name}"))?,
                );
            }
        }
        Ok(kept)
    }
}

/// What a sweep does with partial blobs that could still be resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Leave them, for a week.
    Keep,
    /// Remove them.
    Remove,
}

/// The right to make a layer.
#[derive(Debug)]
pub struct LayerLock {
    path: PathBuf,
    _lock: Lock,
}

impl Drop for LayerLock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Staging {
    /// The directory.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Announces what must survive a gc from now on. The caller holds [`Store::reader`] while it does so,
    /// and looks for these things only afterwards.
    pub fn keep(&self, layers: Vec<String>, blobs: Vec<Digest>) -> Result<()> {
        let bytes = serde_json::to_vec(&Kept { layers, blobs }).context(|| "cannot encode keep.json")?;
        atomic::write(&self.directory.join("keep.json"), &bytes, 0o600)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What cannot be removed now, the next sweep meets without a lock.
        let _ = remove_tree(&self.directory);
        let _ = fs::remove_file(&self.lock_path);
    }
}

fn is_old(part: &Path) -> bool {
    let modified = fs::metadata(part).and_then(|meta| meta.modified()).ok();
    modified.and_then(|at| SystemTime::now().duration_since(at).ok()).is_some_and(|age| age > PART_LIFETIME)
}

/// Locks `path`, which is made where it is missing, and makes sure that the locked file still has that name.
pub(super) fn claim(path: &Path) -> Result<Lock> {
    loop {
        let lock = Lock::exclusive(path)?;
        if has_name(&lock, path) {
            return Ok(lock);
        }
    }
}

fn has_name(lock: &Lock, path: &Path) -> bool {
    match (rustix::fs::fstat(lock), rustix::fs::stat(path)) {
        (Ok(held), Ok(named)) => (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino),
        _ => false,
    }
}

/// Removes a lock file, or a file that serves as its own lock, unless somebody holds it.
fn remove_unlocked(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    match Lock::try_exclusive(path)? {
        Some(lock) if has_name(&lock, path) => atomic::remove_optional(path),
        _ => Ok(()),
    }
}

/// Removes a tree or a file; that it is gone already is no failure.
pub(super) fn remove_tree(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::wrap(format!("cannot remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(store: &Store) -> Vec<String> {
        let mut names = crate::storage::file_names(&store.root().join("staging")).unwrap();
        names.sort();
        names
    }

    #[test]
    fn a_sweep_takes_what_the_dead_left_and_leaves_the_living_alone() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path()).unwrap();
        let alive = store.staging().unwrap();
        fs::create_dir_all(alive.path().join("x")).unwrap();
        let staging = dir.path().join("staging");
        fs::create_dir_all(staging.join("work-dead/tree")).unwrap();
        fs::write(staging.join("work-dead.lock"), "").unwrap();
        fs::create_dir_all(staging.join("work-lockless")).unwrap();
        fs::create_dir_all(staging.join("rm-of-somebody-else")).unwrap();
        fs::write(staging.join("sha256-aa.part"), "").unwrap();
        let layer = store.layer_lock("k").unwrap();
        store.sweep(Parts::Keep).unwrap();
        assert_eq!(entries(&store).len(), 5, "{:?}", entries(&store));
        drop(layer);
        store.sweep(Parts::Remove).unwrap();
        assert_eq!(entries(&store).len(), 3);
        drop(alive);
        assert_eq!(entries(&store), ["rm-of-somebody-else"]);
    }

    #[test]
    fn what_a_living_pull_announced_is_known_to_gc() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path()).unwrap();
        let staging = store.staging().unwrap();
        staging.keep(vec!["k".into()], Vec::new()).unwrap();
        assert_eq!(store.kept_by_pulls().unwrap()[0].layers, ["k"]);
        drop(staging);
        assert!(store.kept_by_pulls().unwrap().is_empty());
    }
}
