//! What this machine has of the things that tests of a runtime need, and what the black-box tests ask too.

#[path = "../../cli/rig/lack.rs"]
#[allow(dead_code, reason = "shared with tests/cli, which uses the rest")]
mod shared;

pub(crate) use shared::*;

/// What a bundle needs: busybox, and for a user a user namespace. Root is as good as anybody.
pub(crate) fn bundles() -> Option<Lack> {
    let root = nix::unistd::geteuid().is_root();
    if root { busybox() } else { user_namespaces().or_else(busybox) }
}

/// More than one id to map: root has them all.
pub(crate) fn subordinate_ids() -> Option<Lack> {
    (!nix::unistd::geteuid().is_root()).then(shared::subordinate_ids)?
}

/// Root, whom some things are reserved for.
pub(crate) fn root() -> Option<Lack> {
    let reason = || "this is for root, and rcon's tests run as a user".into();
    (!nix::unistd::geteuid().is_root()).then(|| Lack { reason: reason(), kernel: true })
}

/// A user, for whom some things differ from root.
pub(crate) fn user() -> Option<Lack> {
    let reason = || "this is for users, and this is root".into();
    nix::unistd::geteuid().is_root().then(|| Lack { reason: reason(), kernel: true })
}

/// A cgroup v2 that this user may make others in.
pub(crate) fn cgroup() -> Option<Lack> {
    let reason = || "no cgroup v2 is delegated to this user".into();
    super::cgroup::parent().is_none().then(|| Lack { reason: reason(), kernel: true })
}

/// Namespaces of clocks.
pub(crate) fn time_namespaces() -> Option<Lack> {
    let there = std::fs::exists("/proc/self/ns/time").is_ok_and(|there| there);
    (!there).then(|| Lack { reason: "this kernel has no time namespaces".into(), kernel: true })
}
