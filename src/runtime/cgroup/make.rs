//! From a plan to a group with a process in it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nix::unistd::Pid;

use super::group::Cgroup;
use super::limits::{Limits, Missing, Setting};
use super::place::{Place, Plan};
use super::systemd::{Bus, Scope};
use super::tree::{Controllers, Tree, group_of};
use crate::error::{Context, Error, Kind, Result};

/// The leaf into which the processes of a group go whose groups are to get controllers; podman's name for it.
pub(super) const LEAF: &str = "init";

/// The group below a scope in which a container is; crun's name for it.
const PAYLOAD: &str = "container";

/// The group below a scope in which its monitor is.
const MONITOR: &str = "monitor";

/// A group that waits for its first process. Dropped without one, what was made is removed.
#[derive(Debug)]
pub struct Pending {
    tree: Tree,
    state: State,
}

#[derive(Debug)]
enum State {
    Made { group: PathBuf, directory: File, made: Made },
    Wanted { bus: Bus, scope: Scope, limits: Limits },
}

/// Directories that were made, outermost first; removed when dropped, unless they were released.
#[derive(Debug, Default)]
struct Made(Vec<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        for directory in self.0.iter().rev() {
            let _ = fs::remove_dir(directory);
        }
    }
}

impl Plan {
    /// Makes what can be made before there is a process: the directory with its limits, or with systemd nothing.
    pub fn make(&self) -> Result<Pending> {
        let tree = self.tree.clone();
        let state = match &self.place {
            Place::Scope { bus, scope } => {
                State::Wanted { bus: bus.clone(), scope: scope.clone(), limits: self.limits.clone() }
            }
            Place::Directory { group, vacate } => {
                if let Some(own) = vacate {
                    self::vacate(&tree, own)?;
                }
                let made = make(&tree, group, &self.limits.controllers())?;
                apply(&tree, group, &self.limits)?;
                State::Made { directory: open(&tree, group)?, group: group.clone(), made }
            }
        };
        Ok(Pending { tree, state })
    }
}

impl Pending {
    /// The group for CLONE_INTO_CGROUP; `None` where systemd has to put the process into its group.
    pub fn directory(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Made { directory, .. } => Some(directory.as_fd()),
            State::Wanted { .. } => None,
        }
    }

    /// Puts `pid` into the group, if it is not there already, which then has all its limits.
    pub fn adopt(self, pid: Pid) -> Result<Cgroup> {
        self.adopt_with(pid, None)
    }

    /// The same, and has `monitor` come along into the scope, beside the group. While it is there systemd does not take
    /// the scope for empty and remove it, with everything that the kernel has counted in it; and the monitor outlives
    /// the service or the session that it came from, as the container does. Without systemd it stays where it is.
    pub fn adopt_with(self, pid: Pid, monitor: Option<Pid>) -> Result<Cgroup> {
        let Self { tree, state } = self;
        match state {
            State::Made { group, mut made, .. } => {
                if group_of(&pid.to_string())?.as_deref() != Some(&group) {
                    move_into(&tree, &group, pid)?;
                }
                made.0.clear();
                Ok(Cgroup::at(&group))
            }
            State::Wanted { bus, scope, limits } => {
                let pids: Vec<Pid> = std::iter::once(pid).chain(monitor).collect();
                scope.start(&bus, &pids)?;
                let parent = group_of(&pid.to_string())?
                    .filter(|group| group.file_name().is_some_and(|name| *name == *scope.unit))
                    .ok_or_else(|| {
                        Error::new(
                            Kind::System,
                            format!("systemd did not put the container into {}", scope.unit),
                        )
                    })?;
                // A group that hands controllers on has no processes of its own: they go below.
                let group = leaf(&tree, &parent, PAYLOAD, pid)?;
                if let Some(monitor) = monitor {
                    leaf(&tree, &parent, MONITOR, monitor)?;
                }
                hand_on(&tree, &parent, &limits.controllers())?;
                apply(&tree, &group, &limits)?;
                show(&tree, &group, &limits);
                Ok(Cgroup::at(&group))
            }
        }
    }
}

/// Makes a group below a scope and moves a process into it.
fn leaf(tree: &Tree, parent: &Path, name: &str, pid: Pid) -> Result<PathBuf> {
    let group = parent.join(name);
    DirBuilder::new()
        .mode(0o755)
        .create(tree.directory(&group))
        .context(|| format!("cannot make the control group {}", group.display()))?;
    move_into(tree, &group, pid)?;
    Ok(group)
}

fn open(tree: &Tree, group: &Path) -> Result<File> {
    let directory = tree.directory(group);
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
        .open(&directory)
        .context(|| format!("cannot open {}", directory.display()))
}

/// Makes the directories down to `group`, each with the controllers that the next needs.
fn make(tree: &Tree, group: &Path, needed: &Controllers) -> Result<Made> {
    let mut made = Made::default();
    let mut missing: Vec<&Path> = group.ancestors().take_while(|group| !tree.has(group)).collect();
    missing.reverse();
    // One that is there already can be used, with what its parent has handed on.
    if missing.is_empty()
        && let Some(parent) = group.parent()
    {
        hand_on(tree, parent, needed)?;
    }
    for group in missing {
        if let Some(parent) = group.parent() {
            hand_on(tree, parent, needed)?;
        }
        let directory = tree.directory(group);
        match DirBuilder::new().mode(0o755).create(&directory) {
            Ok(()) => made.0.push(directory),
            // Another container with the same parent was quicker.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                return Err(Error::wrap(format!("cannot make the control group {}", group.display()), error));
            }
        }
    }
    Ok(made)
}

/// Gives groups in `parent` the controllers that `parent` has: those that are needed, and the others as far as
/// that can be done, since each counts something.
fn hand_on(tree: &Tree, parent: &Path, needed: &Controllers) -> Result<()> {
    let enabled = tree.enabled(parent);
    for controller in tree.controllers(parent).difference(&enabled).chain(needed.difference(&enabled)) {
        let written = tree.write(parent, "cgroup.subtree_control", &format!("+{controller}"));
        match written {
            Err(error) if needed.contains(controller) => {
                return Err(Error::wrap(
                    format!(
                        "cannot enable the {controller} controller in {}",
                        tree.directory(parent).display()
                    ),
                    error,
                )
                .hint(super::DELEGATE));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Moves the processes of the caller's own group into a leaf of it.
fn vacate(tree: &Tree, own: &Path) -> Result<()> {
    let leaf = own.join(LEAF);
    let what = || format!("cannot move the processes of {} out of the way", tree.directory(own).display());
    match DirBuilder::new().mode(0o755).create(tree.directory(&leaf)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(Error::wrap(what(), error)),
        _ => {}
    }
    // A process may fork while its parent is moved.
    for _ in 0..16 {
        let processes = tree.read(own, "cgroup.procs").context(what)?;
        if processes.is_empty() {
            return Ok(());
        }
        for process in processes.lines() {
            match tree.write(&leaf, "cgroup.procs", process) {
                // It has ended.
                Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
                moved => moved.context(what)?,
            }
        }
    }
    Err(Error::new(Kind::Conflict, what()))
}

/// Moves a process.
pub(super) fn move_into(tree: &Tree, group: &Path, pid: Pid) -> Result<()> {
    tree.write(group, "cgroup.procs", &pid.to_string())
        .context(|| format!("cannot move process {pid} into the control group {}", group.display()))
}

/// Writes all limits.
pub(super) fn apply(tree: &Tree, group: &Path, limits: &Limits) -> Result<()> {
    limits.settings.iter().try_for_each(|setting| set(tree, group, setting))
}

/// Writes the maxima to the scope of a group as well, if that is alone in it: podman looks for them there. They are the
/// scope's own files, which systemd may write anew at any time, so that nothing depends on them.
pub(super) fn show(tree: &Tree, group: &Path, limits: &Limits) {
    let Some(scope) = scope_of(group) else { return };
    if tree.has(&scope.join(MONITOR)) {
        return;
    }
    let shown = ["memory.max", "memory.swap.max", "pids.max", "cpu.max"];
    for setting in limits.settings.iter().filter(|setting| shown.contains(&setting.file.as_str())) {
        let _ = set(tree, scope, setting);
    }
}

/// The scope that systemd made for a group, if one did.
pub(super) fn scope_of(group: &Path) -> Option<&Path> {
    // A group that was made in somebody else's scope is called otherwise.
    let parent = group.parent().filter(|_| group.file_name().is_some_and(|name| name == PAYLOAD))?;
    parent.extension().is_some_and(|extension| extension == "scope").then_some(parent)
}

fn set(tree: &Tree, group: &Path, setting: &Setting) -> Result<()> {
    let Setting { file, value, missing } = setting;
    let present = tree.file(group, file).exists();
    let (file, value) = match missing {
        Missing::Skip if !present => return Ok(()),
        Missing::Instead(file, value) if !present => (file, value),
        _ => (file, value),
    };
    tree.write(group, file, value).context(|| format!("cannot set {file} to {value}")).map_err(|error| {
        match error.kind() {
            Kind::NotFound => {
                let controller = file.split('.').next().unwrap_or_default();
                error.with_kind(Kind::Unsupported).hint(format!(
                    "the kernel or whoever delegated {} left the {controller} controller out",
                    group.display()
                ))
            }
            _ => error,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_group_lacks_is_skipped_replaced_or_an_error() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["io.weight", "pids.max"] {
            fs::write(dir.path().join(file), "").unwrap();
        }
        let tree = Tree::at(dir.path());
        let resources = r#"{"pids": {"limit": 5}, "blockIO": {"weight": 200}, "memory": {"limit": -1}}"#;
        let limits = Limits::of(Some(&serde_json::from_str(resources).unwrap())).unwrap();
        apply(&tree, Path::new("/"), &limits).unwrap();
        let read = |name: &str| tree.read(Path::new("/"), name).unwrap_or_default();
        assert_eq!((read("pids.max"), read("io.weight")), ("5".to_owned(), "1920".to_owned()));
        let resources = r#"{"cpu": {"shares": 5}}"#;
        let limits = Limits::of(Some(&serde_json::from_str(resources).unwrap())).unwrap();
        let error = apply(&tree, Path::new("/"), &limits).unwrap_err();
        assert!(error.to_string().contains("cpu.weight") && error.hints()[0].contains("cpu controller"));
    }

    #[test]
    fn what_was_made_goes_when_nobody_moves_in() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("cgroup.procs"), "").unwrap();
        let tree = Tree::at(dir.path());
        let made = make(&tree, Path::new("/a/b"), &Controllers::new()).unwrap();
        assert!(dir.path().join("a/b").is_dir());
        drop(made);
        assert!(!dir.path().join("a").exists());
    }
}
