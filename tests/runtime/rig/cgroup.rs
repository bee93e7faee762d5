//! The cgroups that this user may make, as systemd delegates them: version 2 only.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::Bundle;

/// Where the v2 hierarchy is mounted.
fn mount_point() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let line = mounts.lines().find(|line| line.contains(" - cgroup2 "))?;
    line.split(' ').nth(4).map(PathBuf::from)
}

/// The nearest cgroup above this process's that the user may make others in, relative to the mount point.
pub(crate) fn parent() -> Option<String> {
    let own = fs::read_to_string("/proc/self/cgroup").ok()?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::"))?.to_owned();
    let (above, _) = own.rsplit_once('/')?;
    if above.is_empty() && !nix::unistd::geteuid().is_root() {
        return None;
    }
    let dir = mount_point()?.join(above.trim_start_matches('/'));
    let writable = |path: PathBuf| {
        nix::unistd::access(&path, nix::unistd::AccessFlags::W_OK).is_ok() && !path.as_os_str().is_empty()
    };
    (writable(dir.clone()) && writable(dir.join("cgroup.procs"))).then(|| above.to_owned())
}

impl Bundle {
    /// Puts the container into a cgroup of its own below the delegated one.
    pub(crate) fn in_cgroup(mut self) -> Self {
        let path = format!("{}/{}", parent().expect("a delegated cgroup"), self.id);
        self.config["linux"]["cgroupsPath"] = json!(path);
        self
    }

    /// The container's cgroup as a directory.
    pub(crate) fn cgroup(&self) -> PathBuf {
        let path = self.config["linux"]["cgroupsPath"].as_str().expect("a cgroup");
        mount_point().expect("cgroup v2").join(path.trim_start_matches('/'))
    }

    /// What a file of the cgroup says.
    #[track_caller]
    pub(crate) fn controlled(&self, file: &str) -> String {
        let path = self.cgroup().join(file);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.trim().to_owned()
    }

    /// Asks for resources.
    pub(crate) fn resources(mut self, resources: Value) -> Self {
        self.config["linux"]["resources"] = resources;
        self
    }
}
