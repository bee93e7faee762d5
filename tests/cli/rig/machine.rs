//! What this machine has. A test that needs more says `skipped: NAME: why` and returns; where CI=true, lacking
//! anything but a faculty of the kernel is a failure.

use std::fs;

pub(crate) use super::lack::*;

/// An ordinary user who may make user namespaces, and the pieces that the test images are made from.
pub(crate) fn containers() -> Option<Lack> {
    if nix::unistd::geteuid().is_root() {
        return lack("rcon is for ordinary users and this is root: use tests/run, which makes one");
    }
    user_namespaces().or_else(busybox)
}

/// A part of the tree of control groups that is this user's: groups can be made in it, even if it limits nothing.
pub(crate) fn control_groups() -> Option<Lack> {
    let home = super::Home::bare();
    let manager = home.ok(&["info", "--format", "{{.Host.CgroupManager}}"]);
    let lack = |reason: &str| Some(Lack { reason: reason.into(), kernel: true });
    if manager.trim() == "none" { lack("no control group here is this user's") } else { None }
}

/// A registry to pull from.
pub(crate) fn registry() -> Option<Lack> {
    busybox().or_else(|| tool("docker-registry", "docker-registry"))
}

pub(crate) fn pasta() -> Option<Lack> {
    tool("pasta", "passt").or_else(tun)
}

pub(crate) fn slirp4netns() -> Option<Lack> {
    tool("slirp4netns", "slirp4netns").or_else(tun)
}

pub(crate) fn fuse_overlayfs() -> Option<Lack> {
    tool("fuse-overlayfs", "fuse-overlayfs").or_else(|| device("/dev/fuse"))
}

fn tun() -> Option<Lack> {
    device("/dev/net/tun")
}

pub(crate) fn getfattr() -> Option<Lack> {
    tool("getfattr", "attr")
}

fn device(path: &str) -> Option<Lack> {
    match fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => None,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            lack(format!("{path} is closed to {}: chmod 666 {path}, as udev does", user_name()))
        }
        Err(error) => Some(Lack { reason: format!("{path}: {error}"), kernel: true }),
    }
}

/// This machine's architecture as images name it.
pub(crate) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
