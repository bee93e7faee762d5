//! A container's directory: claimed, read, listed, removed.

use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use std::collections::BTreeMap;

use oci_spec::runtime::Spec;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Status;
use crate::error::{Context, Error, Kind, Result};
use crate::runtime::cgroup::Cgroup;
use crate::runtime::validate;
use crate::sys::atomic;
use crate::sys::clone::pidfd_open;
use crate::sys::lock::Lock;

/// The socket behind which a created container waits.
pub(super) const START: &str = "start";

/// What is kept of a container.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// `ociVersion` of its config.json.
    pub oci_version: String,
    /// Its id.
    pub id: String,
    /// Its first process, as the namespace of the runtime's caller numbers it.
    pub pid: i32,
    /// When that process started, in clock ticks since boot: tells it from a later one with the same number.
    pub pid_started: u64,
    /// The bundle's directory, absolute.
    pub bundle: PathBuf,
    /// The root file system's directory, absolute.
    pub rootfs: PathBuf,
    /// When it was made (RFC 3339).
    pub created: String,
    /// Who made it.
    pub owner: String,
    /// `annotations` of its config.json.
    pub annotations: BTreeMap<String, String>,
    /// Its control group, if it has one.
    pub cgroup: Option<Cgroup>,
    /// Whether it has a session keyring of its own.
    pub keyring: bool,
}

/// A container that is there.
#[derive(Debug)]
pub struct Container {
    /// What is kept of it.
    pub record: Record,
    pub(super) directory: PathBuf,
}

/// A directory that is ours until its state.json is written.
pub(super) struct Claim {
    pub(super) directory: PathBuf,
    _lock: Lock,
    kept: bool,
}

/// Refuses ids that are no single, harmless file name. As runc, which others rely on.
pub(super) fn check_id(id: &str) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+-.".contains(&byte);
    if id.is_empty() || id.len() > 255 || id == "." || id == ".." || !id.bytes().all(fits) {
        return Err(Error::usage(format!("{id:?} is no container id: letters, digits and _+-. are allowed")));
    }
    Ok(())
}

/// Takes the id. It is given back when the claim is dropped before [`Claim::keep`].
pub(super) fn claim(root: &Path, id: &str) -> Result<Claim> {
    check_id(id)?;
    let make = |path: &Path, recursive| DirBuilder::new().recursive(recursive).mode(0o700).create(path);
    make(root, true).context(|| format!("cannot create {}", root.display()))?;
    let directory = root.join(id);
    let taken = || Error::new(Kind::Conflict, format!("a container with the id {id} already exists"));
    match make(&directory, false) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        other => other.context(|| format!("cannot create {}", directory.display()))?,
    }
    let lock = Lock::try_exclusive(&directory.join("lock"))?.ok_or_else(taken)?;
    if directory.join("state.json").exists() {
        return Err(taken());
    }
    Ok(Claim { directory, _lock: lock, kept: false })
}

impl Claim {
    /// Writes the record. From now on others see the container, whatever becomes of us; it is still undone when the claim
    /// is dropped.
    pub(super) fn write(&self, record: &Record) -> Result<()> {
        let bytes = serde_json::to_vec(record).context(|| "cannot encode state.json")?;
        atomic::write(&self.directory.join("state.json"), &bytes, 0o600)
    }

    /// The container stays.
    pub(super) fn keep(mut self, record: Record) -> Container {
        self.kept = true;
        Container { record, directory: self.directory.clone() }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// The container with this id.
pub fn load(root: &Path, id: &str) -> Result<Container> {
    check_id(id)?;
    let directory = root.join(id);
    let missing = || Error::not_found(format!("container {id} does not exist"));
    let bytes = atomic::read_optional(&directory.join("state.json"))?.ok_or_else(missing)?;
    let record = serde_json::from_slice(&bytes)
        .context(|| format!("cannot read {}", directory.join("state.json").display()))?;
    Ok(Container { record, directory })
}

/// All containers, by id.
pub fn list(root: &Path) -> Result<Vec<Container>> {
    let mut names: Vec<String> = match fs::read_dir(root) {
        Ok(entries) => entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::wrap(format!("cannot read {}", root.display()), error)),
    };
    names.sort();
    let mut containers = Vec::new();
    for name in names {
        match load(root, &name) {
            Ok(container) => containers.push(container),
            // Being made, or just removed.
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(containers)
}

impl Container {
    /// What it does now.
    pub fn status(&self) -> Status {
        if !is_alive(self.record.pid, self.record.pid_started) {
            Status::Stopped
        } else if self.directory.join(START).exists() {
            Status::Created
        } else if self.record.cgroup.as_ref().is_some_and(|cgroup| cgroup.is_frozen().unwrap_or(false)) {
            Status::Paused
        } else {
            Status::Running
        }
    }

    /// The state that the specification knows, with what runc adds. The pid is 0 once it has stopped.
    pub fn state(&self) -> Value {
        let status = self.status();
        let record = &self.record;
        let pid = if status == Status::Stopped { 0 } else { record.pid };
        let mut state = record.state(status, pid);
        state["rootfs"] = json!(record.rootfs);
        state["created"] = json!(record.created);
        state["owner"] = json!(record.owner);
        state
    }

    /// The config.json that it was made with.
    pub fn spec(&self) -> Result<Spec> {
        let path = self.directory.join("config.json");
        let text = fs::read_to_string(&path).context(|| format!("cannot read {}", path.display()))?;
        Ok(validate::load(&text)?.spec)
    }

    /// A handle on its first process, which is checked to be the one that was made.
    pub(super) fn process(&self) -> Result<std::os::fd::OwnedFd> {
        let record = &self.record;
        let stopped = || Error::new(Kind::Conflict, format!("container {} is not running", record.id));
        let pidfd = pidfd_open(nix::unistd::Pid::from_raw(record.pid)).map_err(|_| stopped())?;
        if is_alive(record.pid, record.pid_started) { Ok(pidfd) } else { Err(stopped()) }
    }

    /// Forgets it.
    pub(super) fn remove(&self) -> Result<()> {
        // Without its state it no longer exists; what a kill leaves of the rest, the next claim of the id takes over.
        atomic::remove_optional(&self.directory.join("state.json"))?;
        fs::remove_dir_all(&self.directory).context(|| format!("cannot remove {}", self.directory.display()))
    }

    pub(super) fn open_directory(&self) -> Result<File> {
        File::open(&self.directory).context(|| format!("cannot open {}", self.directory.display()))
    }
}

impl Record {
    /// The state that hooks in the container's namespaces are given: its process as they see it.
    pub(super) fn state_inside(&self, status: Status) -> Value {
        self.state(status, pid_inside(self.pid).unwrap_or(self.pid))
    }

    /// The state that hooks are given. Source: runtime-spec runtime.md, "State".
    pub(super) fn state(&self, status: Status, pid: i32) -> Value {
        json!({
            "ociVersion": self.oci_version,
            "id": self.id,
            "pid": pid,
            "status": status.to_string(),
            "bundle": self.bundle,
            "annotations": self.annotations,
        })
    }
}

/// The number of process `pid` in its own pid namespace (proc_pid_status(5), NSpid).
fn pid_inside(pid: i32) -> Option<i32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("NSpid:"))?.split_whitespace().last()?.parse().ok()
}

/// Whether process `pid` is the one that started then, and has not ended. A zombie has.
fn is_alive(pid: i32, started: u64) -> bool {
    process_stat(pid).is_some_and(|(state, start)| start == started && !matches!(state, 'Z' | 'X' | 'x'))
}

/// State and start time of a process (proc_pid_stat(5), fields 3 and 22).
pub(super) fn process_stat(pid: i32) -> Option<(char, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field may contain anything; what follows its last parenthesis does not.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_harmless_file_names() {
        for good in ["a", "my-box_1.2+3", "..."] {
            check_id(good).unwrap();
        }
        for bad in ["", ".", "..", "a/b", "a b", "é", "a\0", &"x".repeat(256)] {
            assert!(check_id(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_id_is_claimed_once_and_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let held = claim(dir.path(), "one").unwrap();
        assert_eq!(claim(dir.path(), "one").err().unwrap().kind(), Kind::Conflict);
        assert_eq!(load(dir.path(), "one").unwrap_err().kind(), Kind::NotFound);
        drop(held);
        // What somebody left who was killed.
        fs::create_dir(dir.path().join("one")).unwrap();
        drop(claim(dir.path(), "one").unwrap());
        assert!(list(dir.path()).unwrap().is_empty());
    }

    #[test]
    fn a_process_is_told_from_another_one_with_its_number() {
        let this = std::process::id() as i32;
        let (_, started) = process_stat(this).unwrap();
        assert!(is_alive(this, started));
        assert!(!is_alive(this, started + 1));
    }
}
