//! Control groups, version 2: a group of processes that can be limited, measured, frozen and killed as one.
//!
//! ```text
//! plan()  ──> Plan ── make() ──> Pending ── adopt(pid) ──> Cgroup
//! (looks)      cgroupfs: directory, controllers, limits      freeze, kill, stats, update, remove
//!              systemd:  nothing               scope over D-Bus, then `container` in it with the limits
//! ```
//!
//! Who makes the directory depends on where the caller is. Where a part of the tree is the caller's own and nobody
//! else writes there, it is made right there. Where a systemd manages the tree it has to be asked for a scope: what
//! is written behind its back it may take away again, and from the scope of a login session (`session-N.scope`) only
//! the user's manager can move a process out. The limits are written to a group below that scope, `container`, which
//! is where crun has them, since the scope's own files are systemd's.
//!
//! A cgroup namespace takes the group that its *maker* is in for its root, with CLONE_INTO_CGROUP too
//! (copy_cgroup_ns looks at the parent): it has to be unshared by the first process after [`Pending::adopt`].
//!
//! Version 1 and the hybrid set-up are not used: without privilege nothing there can be written to.
//!
//! Device rules (`linux.resources.devices`) are accepted and not carried out: a BPF program that filters devices
//! cannot be attached in a user namespace, where no device node can be made either. What a container can open is what
//! was bound into its /dev.

mod conversion;
mod group;
mod limits;
mod make;
mod place;
mod stats;
mod survey;
mod systemd;
mod tree;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use oci_spec::runtime::LinuxResources;
use serde::{Deserialize, Serialize};

pub use group::Cgroup;
pub use make::Pending;
pub use place::{Plan, plan};
pub use stats::{Cpu, Io, Memory, Pids, Pressure, Stats};
pub use survey::{DELEGATE, Obstacle, Survey, Version, survey};

use crate::error::{Error, Result};

/// Who makes control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manager {
    /// This program, in the file system.
    Cgroupfs,
    /// The user's or the system's service manager.
    Systemd,
    /// Nobody: processes stay in their caller's group.
    None,
}

impl Manager {
    /// The word that podman has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cgroupfs => "cgroupfs",
            Self::Systemd => "systemd",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Manager {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "cgroupfs" => Ok(Self::Cgroupfs),
            "systemd" => Ok(Self::Systemd),
            "none" | "disabled" => Ok(Self::None),
            _ => Err(Error::usage(format!(
                "{text:?} is no manager of control groups: expected cgroupfs, systemd or none"
            ))),
        }
    }
}

/// The control group that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The container's id, from which a group without a path has its name.
    pub id: &'a str,
    /// `linux.cgroupsPath`: a path from the hierarchy's root, or `slice:prefix:name` for systemd.
    pub path: Option<&'a Path>,
    /// `linux.resources`.
    pub resources: Option<&'a LinuxResources>,
    /// Who is to make it; `None`: whoever can.
    pub manager: Option<Manager>,
    /// D-Bus addresses at which the user's service manager may be found, best first.
    pub user_bus: &'a [String],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managers_have_podmans_names() {
        for manager in [Manager::Cgroupfs, Manager::Systemd, Manager::None] {
            assert_eq!(manager.name().parse::<Manager>().unwrap(), manager);
        }
        assert_eq!("disabled".parse::<Manager>().unwrap(), Manager::None);
        assert!("cgroupsfs".parse::<Manager>().is_err());
    }
}
