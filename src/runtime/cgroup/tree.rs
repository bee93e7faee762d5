//! The tree of control groups as it is mounted: where a process is in it, which controllers a group has, and
//! whether the caller may make groups there.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::error::{Context, Error, Kind, Result};

/// Where every distribution mounts it.
const MOUNT: &str = "/sys/fs/cgroup";

/// statfs(2)'s number of the file system cgroup2.
const CGROUP2: u64 = 0x6367_7270;

/// Names of controllers: `cpu`, `memory`.
pub(super) type Controllers = BTreeSet<String>;

/// A hierarchy of version 2. Groups are named as in /proc/PID/cgroup, by paths from its root.
#[derive(Clone, Debug)]
pub(super) struct Tree(PathBuf);

impl Tree {
    /// The machine's, if version 2 is the only one here.
    pub(super) fn find() -> Option<Self> {
        Self::is_at(Path::new(MOUNT)).then(Self::mounted)
    }

    /// The machine's, for what is known to exist.
    pub(super) fn mounted() -> Self {
        Self(PathBuf::from(MOUNT))
    }

    /// The tree below `directory`, for tests.
    #[cfg(test)]
    pub(super) fn at(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    /// Whether this is a version 2 hierarchy's root.
    pub(super) fn is_at(directory: &Path) -> bool {
        rustix::fs::statfs(directory).is_ok_and(|stat| stat.f_type as u64 & 0xffff_ffff == CGROUP2)
    }

    /// The directory of a group.
    pub(super) fn directory(&self, group: &Path) -> PathBuf {
        self.0.join(group.strip_prefix("/").unwrap_or(group))
    }

    /// A file of a group.
    pub(super) fn file(&self, group: &Path, name: &str) -> PathBuf {
        self.directory(group).join(name)
    }

    /// Reads a file of a group.
    pub(super) fn read(&self, group: &Path, name: &str) -> io::Result<String> {
        fs::read_to_string(self.file(group, name))
    }

    /// Writes a file of a group, in one write(2): the kernel takes each for a command of its own.
    pub(super) fn write(&self, group: &Path, name: &str, value: &str) -> io::Result<()> {
        use std::io::Write as _;
        fs::OpenOptions::new().write(true).open(self.file(group, name))?.write_all(value.as_bytes())
    }

    /// The controllers that a group has, and that groups in it can be given.
    pub(super) fn controllers(&self, group: &Path) -> Controllers {
        let text = self.read(group, "cgroup.controllers").unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// The controllers that groups in this one have.
    pub(super) fn enabled(&self, group: &Path) -> Controllers {
        let text = self.read(group, "cgroup.subtree_control").unwrap_or_default();
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// Whether the caller may make groups in this one and move processes of this one and those below it into them.
    pub(super) fn is_ours(&self, group: &Path) -> bool {
        let directory = self.directory(group);
        access(&directory, Access::WRITE_OK | Access::EXEC_OK).is_ok()
            && access(directory.join("cgroup.procs"), Access::WRITE_OK).is_ok()
    }

    /// Whether it is there.
    pub(super) fn has(&self, group: &Path) -> bool {
        self.directory(group).join("cgroup.procs").exists()
    }

    /// Whether processes are in the group itself. Then the kernel gives groups in it no controllers, unless it is the
    /// machine's root.
    pub(super) fn is_inhabited(&self, group: &Path) -> bool {
        // Only the machine's root has no type; a namespace's root that is `/` has one.
        self.file(group, "cgroup.type").exists()
            && self.read(group, "cgroup.procs").is_ok_and(|pids| !pids.is_empty())
    }

    /// Whether systemd has handed the group over (`Delegate=`); older ones than 251 leave no mark.
    pub(super) fn is_delegated(&self, group: &Path) -> bool {
        let mut value = [0; 8];
        rustix::fs::getxattr(self.directory(group), "user.delegate", &mut value[..])
            .is_ok_and(|length| value[..length] == *b"1")
    }
}

/// The group of a process, as its caller sees it: `None` where that has no version 2 hierarchy, or the process lies
/// outside of the part that the caller sees.
pub(super) fn group_of(process: &str) -> Result<Option<PathBuf>> {
    let path = format!("/proc/{process}/cgroup");
    let text = fs::read_to_string(&path).context(|| format!("cannot read {path}"))?;
    Ok(unified(&text))
}

/// The line of version 2 in /proc/PID/cgroup: `0::/path`.
fn unified(text: &str) -> Option<PathBuf> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    // A group that is removed and still has a process, or one above the namespace's root.
    let usable = path.starts_with('/') && !path.ends_with(" (deleted)") && !path.starts_with("/..");
    usable.then(|| PathBuf::from(path))
}

/// What comes from a specification must stay below the root, whatever it says.
pub(super) fn clean(path: &Path) -> Result<PathBuf> {
    use std::path::Component;
    let mut clean = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => clean.push(name),
            Component::ParentDir | Component::Prefix(_) => {
                return Err(Error::new(
                    Kind::Invalid,
                    format!("the control group's path {} must not contain ..", path.display()),
                ));
            }
        }
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_version_2_is_found() {
        let hybrid = "9:name=systemd:/x\n4:memory:/../y\n0::/user.slice/a b\n";
        assert_eq!(unified(hybrid), Some("/user.slice/a b".into()));
        assert_eq!(unified("0::/\n"), Some("/".into()));
        for unusable in ["", "1:cpu:/\n", "0::/../x\n", "0::/x (deleted)\n"] {
            assert_eq!(unified(unusable), None, "{unusable:?}");
        }
    }

    #[test]
    fn paths_stay_below_the_root() {
        assert_eq!(clean(Path::new("a/./b")).unwrap(), Path::new("/a/b"));
        assert_eq!(clean(Path::new("//a")).unwrap(), Path::new("/a"));
        assert!(clean(Path::new("/a/../..")).is_err());
    }

    #[test]
    fn controllers_are_words() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("g")).unwrap();
        fs::write(dir.path().join("g/cgroup.controllers"), "cpu memory\n").unwrap();
        let tree = Tree::at(dir.path());
        assert!(tree.controllers(Path::new("/g")).iter().eq(["cpu", "memory"]));
        assert!(tree.controllers(Path::new("/none")).is_empty());
        assert!(!tree.has(Path::new("/g")) && !tree.is_delegated(Path::new("/g")));
    }
}
