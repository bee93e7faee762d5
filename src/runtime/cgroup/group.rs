//! A control group that exists: what can be done with the processes in it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use oci_spec::runtime::LinuxResources;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use super::limits::Limits;
use super::make::{apply, move_into, scope_of, show};
use super::stats::{Stats, field, read};
use super::tree::Tree;
use crate::error::{Context, Error, Kind, Result};

/// How long killed or frozen processes may take: one in an uninterruptible system call comes late.
const PATIENCE: Duration = Duration::from_secs(10);

/// A container's control group, by its path from the hierarchy's root, as in /proc/PID/cgroup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cgroup(PathBuf);

impl Cgroup {
    /// The group at `path`, which was [`path`](Self::path) before.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Its path from the hierarchy's root.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether it is there.
    pub fn exists(&self) -> bool {
        Tree::mounted().has(&self.0)
    }

    /// Stops every process in it, and waits until all have stopped.
    pub fn freeze(&self) -> Result<()> {
        self.set_frozen("1")
    }

    /// Lets them go on.
    pub fn thaw(&self) -> Result<()> {
        self.set_frozen("0")
    }

    fn set_frozen(&self, value: &'static str) -> Result<()> {
        let what = || format!("cannot write {value} to cgroup.freeze of {}", self.0.display());
        Tree::mounted().write(&self.0, "cgroup.freeze", value).context(what)?;
        let done = self.wait_for("frozen", u64::from(value == "1"))?;
        if done {
            Ok(())
        } else {
            Err(Error::new(Kind::System, what()).hint("a process hangs in the kernel"))
        }
    }

    /// Whether it is frozen, or about to be.
    pub fn is_frozen(&self) -> Result<bool> {
        let text = Tree::mounted()
            .read(&self.0, "cgroup.freeze")
            .context(|| format!("cannot read cgroup.freeze of {}", self.0.display()))?;
        Ok(text.trim() == "1")
    }

    /// Kills every process in it and below it, frozen ones too. That it is gone is no failure.
    pub fn kill(&self) -> Result<()> {
        let tree = Tree::mounted();
        match tree.write(&self.0, "cgroup.kill", "1") {
            Ok(()) => Ok(()),
            Err(_) if !tree.has(&self.0) => Ok(()),
            // Linux 5.14 has it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.kill_each(),
            Err(error) => {
                Err(Error::wrap(format!("cannot kill the control group {}", self.0.display()), error))
            }
        }
    }

    /// Until nobody is left: a process may fork between being read and being killed.
    fn kill_each(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            let processes = self.processes()?;
            if processes.is_empty() {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                return Err(Error::new(
                    Kind::System,
                    format!("processes of {} do not end", self.0.display()),
                ));
            }
            for process in processes {
                // It may have ended by itself.
                let _ = kill(process, Signal::SIGKILL);
            }
            self.wait_for("populated", 0)?;
        }
    }

    /// The processes in it and below it; none where it is gone.
    pub fn processes(&self) -> Result<Vec<Pid>> {
        let tree = Tree::mounted();
        let mut found = Vec::new();
        for group in descendants(&tree, &self.0) {
            let text = match tree.read(&group, "cgroup.procs") {
                Ok(text) => text,
                // Removed meanwhile; a threaded group's processes are listed by the one above it.
                Err(error)
                    if matches!(
                        error.raw_os_error(),
                        Some(libc::ENOENT | libc::ENODEV | libc::EOPNOTSUPP)
                    ) =>
                {
                    continue;
                }
                Err(error) => {
                    return Err(Error::wrap(
                        format!("cannot read cgroup.procs of {}", group.display()),
                        error,
                    ));
                }
            };
            found.extend(text.lines().filter_map(|line| line.parse().ok()).map(Pid::from_raw));
        }
        Ok(found)
    }

    /// What it has used.
    pub fn stats(&self) -> Stats {
        read(&Tree::mounted(), &self.0)
    }

    /// How many of its processes were killed for lack of memory.
    pub fn oom_kills(&self) -> u64 {
        field(&Tree::mounted().read(&self.0, "memory.events").unwrap_or_default(), "oom_kill")
    }

    /// Sets these limits, and leaves the others as they are.
    pub fn update(&self, resources: &LinuxResources) -> Result<()> {
        let tree = Tree::mounted();
        let limits = Limits::of(Some(resources))?;
        if let Some(allowed) = limits.check {
            let memory = self.stats().memory;
            let used = memory.usage.unwrap_or(0).saturating_add(memory.swap_usage.unwrap_or(0));
            if allowed <= used {
                return Err(Error::new(
                    Kind::Conflict,
                    format!("cannot limit memory to {allowed} bytes: {used} are in use"),
                ));
            }
        }
        // The scope's would stand in the way of a limit that is raised.
        show(&tree, &self.0, &limits);
        apply(&tree, &self.0, &limits).context(|| format!("cannot update the limits of {}", self.0.display()))
    }

    /// Moves a process into it.
    pub fn enter(&self, pid: Pid) -> Result<()> {
        move_into(&Tree::mounted(), &self.0, pid)
    }

    /// Kills what is in it and removes it, with everything below it and the scope around it. What is gone already
    /// is no failure; whatever else goes wrong is told together, after all has been tried.
    pub fn remove(&self) -> Result<()> {
        let tree = Tree::mounted();
        let mut failures = Vec::new();
        let events = tree.read(&self.0, "cgroup.events").unwrap_or_default();
        if field(&events, "populated") != 0 {
            if let Err(error) = self.kill() {
                failures.push(error.chain().join(": "));
            }
            if !self.wait_for("populated", 0).unwrap_or(true) {
                failures.push("processes in it do not end".to_owned());
            }
        }
        let mut groups = descendants(&tree, &self.0);
        groups.reverse();
        for group in groups {
            if let Err(error) = remove_directory(&tree, &group) {
                failures.push(format!("{}: {error}", group.display()));
            }
        }
        // systemd removes a scope that is empty, soon; whoever is faster.
        if let Some(scope) = scope_of(&self.0) {
            let _ = fs::remove_dir(tree.directory(scope));
        }
        if failures.is_empty() {
            return Ok(());
        }
        let reason = Error::new(Kind::System, failures.join("; "));
        Err(Error::wrap(format!("cannot remove the control group {}", self.0.display()), reason))
    }

    /// Waits until `field` of cgroup.events is `value`; false if that takes too long.
    fn wait_for(&self, name: &str, value: u64) -> Result<bool> {
        use std::io::{Read as _, Seek as _};
        let path = Tree::mounted().file(&self.0, "cgroup.events");
        let what = || format!("cannot read {}", path.display());
        let mut file = match File::open(&path) {
            Ok(file) => file,
            // Nothing is populated or frozen where nothing is.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(Error::wrap(what(), error)),
        };
        let started = Instant::now();
        loop {
            let mut text = String::new();
            file.rewind().context(what)?;
            match file.read_to_string(&mut text) {
                Err(error) if error.raw_os_error() == Some(libc::ENODEV) => return Ok(true),
                read => read.context(what)?,
            };
            if field(&text, name) == value {
                return Ok(true);
            }
            let left = PATIENCE.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            // The kernel wakes who polls for an exception after each change; not after the removal.
            let step = left.min(Duration::from_millis(100));
            let timeout = Timespec { tv_sec: 0, tv_nsec: i64::from(step.subsec_nanos()) };
            let _ = poll(&mut [PollFd::new(&file, PollFlags::PRI)], Some(&timeout));
        }
    }
}

/// rmdir(2) of a group whose last process is just about to be gone: its zombie counts until it is reaped.
fn remove_directory(tree: &Tree, group: &Path) -> io::Result<()> {
    let started = Instant::now();
    loop {
        match fs::remove_dir(tree.directory(group)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) && started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(1));
            }
            other => return other,
        }
    }
}

/// The group and all below it, each before what is below it.
fn descendants(tree: &Tree, group: &Path) -> Vec<PathBuf> {
    let mut all = vec![group.to_owned()];
    let mut next = 0;
    while let Some(group) = all.get(next).cloned() {
        next += 1;
        let entries = fs::read_dir(tree.directory(&group)).into_iter().flatten().flatten();
        let directories = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        all.extend(directories.map(|entry| group.join(entry.file_name())));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_written_as_its_path() {
        let group = Cgroup::at(Path::new("/user.slice/rcon-1.scope/container"));
        let json = serde_json::to_string(&group).unwrap();
        assert_eq!(json, r#""/user.slice/rcon-1.scope/container""#);
        assert_eq!(serde_json::from_str::<Cgroup>(&json).unwrap(), group);
        assert_eq!(scope_of(group.path()), Some(Path::new("/user.slice/rcon-1.scope")));
        assert_eq!(scope_of(Path::new("/rcon-1")), None);
        assert_eq!(scope_of(Path::new("/run-1.scope/rcon-1")), None, "somebody else's scope");
    }

    #[test]
    fn a_group_that_is_gone_holds_nothing() {
        let group = Cgroup::at(Path::new("/no/such/group"));
        assert!(group.processes().unwrap().is_empty() && !group.exists());
        group.kill().unwrap();
        group.remove().unwrap();
        assert_eq!(group.oom_kills(), 0);
        assert!(group.freeze().is_err() && group.is_frozen().is_err());
    }

    #[test]
    fn descendants_come_after_their_ancestors() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b/c")).unwrap();
        fs::write(dir.path().join("a/file"), "").unwrap();
        let all = descendants(&Tree::at(dir.path()), Path::new("/a"));
        assert_eq!(all, [Path::new("/a"), Path::new("/a/b"), Path::new("/a/b/c")]);
    }
}
