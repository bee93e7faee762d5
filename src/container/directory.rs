//! The directory of a container, and finding it by what a person types.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{Container, Record, State, names};
use crate::error::{Context, Error, Kind, Result};
use crate::storage::Store;
use crate::sys::atomic;
use crate::sys::lock::Lock;

/// The directory of one container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory(PathBuf);

impl Directory {
    /// Where the container with this id is, or would be.
    pub fn of(store: &Store, id: &str) -> Self {
        Self(store.root().join("containers").join(id))
    }

    /// Makes it, and takes its lock before anybody else can.
    pub fn create(store: &Store, id: &str) -> Result<(Self, Lock)> {
        store.directory("containers")?;
        let directory = Self::of(store, id);
        for _ in 0..8 {
            directory.make("")?;
            // A sweep may take the directory for a dead one's before the lock is ours.
            match Lock::exclusive(&directory.lock()) {
                Ok(lock) if directory.lock().exists() => return Ok((directory, lock)),
                Err(error) if error.kind() != Kind::NotFound => return Err(error),
                _ => {}
            }
        }
        Err(Error::new(Kind::Conflict, format!("cannot keep {}", directory.path().display())))
    }

    /// Makes a directory (0700) in it, or itself.
    pub fn make(&self, name: &str) -> Result<PathBuf> {
        let path = self.file(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .context(|| format!("cannot create {}", path.display()))?;
        Ok(path)
    }

    /// The path of something in it.
    pub fn file(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.0.clone() } else { self.0.join(name) }
    }

    /// Itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The container's id.
    pub fn id(&self) -> &str {
        self.0.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// The lock whose holder keeps the container alive.
    pub fn lock(&self) -> PathBuf {
        self.file("lock")
    }

    /// The log.
    pub fn log(&self) -> PathBuf {
        self.file("ctr.log")
    }

    /// Whether somebody holds the lock.
    pub fn is_alive(&self) -> Result<bool> {
        Lock::is_held(&self.lock())
    }

    /// Writes a small file that is the container's own.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<PathBuf> {
        let path = self.file(name);
        std::fs::write(&path, content).context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Writes the record: from here on the container exists.
    pub fn write_record(&self, record: &Record) -> Result<()> {
        self.write_json("record.json", record)
    }

    /// Replaces the state.
    pub fn write_state(&self, state: &State) -> Result<()> {
        self.write_json("state.json", state)
    }

    fn write_json(&self, name: &str, value: &impl serde::Serialize) -> Result<()> {
        let path = self.file(name);
        let bytes = serde_json::to_vec(value).context(|| format!("cannot encode {}", path.display()))?;
        atomic::write(&path, &bytes, 0o600)
    }

    /// The record, if there is one.
    pub fn record(&self) -> Result<Option<Record>> {
        self.read_json("record.json")
    }

    /// The state; that of a new container where none was written.
    pub fn state(&self) -> Result<State> {
        Ok(self.read_json("state.json")?.unwrap_or_default())
    }

    fn read_json<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.file(name);
        let Some(bytes) = atomic::read_optional(&path)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).context(|| format!("cannot read {}", path.display()))
    }
}

/// The directories of all containers, whole or not.
pub(super) fn directories(store: &Store) -> Result<Vec<Directory>> {
    let parent = store.root().join("containers");
    let entries = match std::fs::read_dir(&parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::wrap(format!("cannot read {}", parent.display()), error)),
    };
    Ok(entries.flatten().map(|entry| Directory(entry.path())).collect())
}

/// All containers, the oldest first. One whose record cannot be read is left out.
pub fn all(store: &Store) -> Result<Vec<Container>> {
    let mut containers: Vec<Container> = directories(store)?
        .into_iter()
        .filter_map(|directory| Container::load(directory).ok().flatten())
        .collect();
    containers.sort_by(|a, b| a.record.created.cmp(&b.record.created));
    Ok(containers)
}

/// The container that a person means: by its name, its id, or a beginning of an id that fits one only.
pub fn find(store: &Store, text: &str) -> Result<Container> {
    let missing =
        || Error::not_found(format!("no container with name or ID {text:?} found: no such container"));
    let by_id = |id: &str| Container::load(Directory::of(store, id));
    if let Some(id) = names::holder(store, text)?
        && let Some(container) = by_id(&id)?
    {
        return Ok(container);
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(missing());
    }
    if text.len() == 64 {
        return by_id(text)?.ok_or_else(missing);
    }
    let mut fitting = directories(store)?.into_iter().filter(|directory| directory.id().starts_with(text));
    match (fitting.next(), fitting.next()) {
        (Some(directory), None) => Container::load(directory)?.ok_or_else(missing),
        (Some(_), Some(_)) => Err(Error::new(
            Kind::Conflict,
            format!("more than one container has an id that begins with {text:?}"),
        )),
        (None, _) => Err(missing()),
    }
}
