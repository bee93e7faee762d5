//! What this machine and this user have of control groups.

use std::path::{Path, PathBuf};

use super::Manager;
use super::make::LEAF;
use super::systemd::Bus;
use super::tree::{Controllers, Tree, group_of};
use crate::error::Result;

/// The command that hands a user's service manager every controller; it holds after the next login.
pub const DELEGATE: &str = "sudo mkdir -p /etc/systemd/system/user@.service.d && printf \
     '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf \
     && sudo systemctl daemon-reload, then log in anew";

/// Which control groups the kernel was booted with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Version 2 alone.
    Unified,
    /// Version 1, possibly with a version 2 hierarchy beside it.
    Legacy,
}

/// What can be had here, for those who report it.
#[derive(Clone, Debug)]
pub struct Survey {
    /// The version; `None` where none is mounted.
    pub version: Option<Version>,
    /// Who would make a container's group; [`Manager::None`] where nobody can.
    pub manager: Manager,
    /// The group that the caller has for its own: where it is, without the leaf that it was moved into.
    pub own: Option<PathBuf>,
    /// The controllers that it could be given, sorted.
    pub controllers: Vec<String>,
    /// Why there are no groups.
    pub obstacle: Option<Obstacle>,
}

/// Why something cannot be had, and what brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The reason.
    pub reason: String,
    /// The remedy.
    pub remedy: String,
}

impl Obstacle {
    fn new(reason: &str, remedy: &str) -> Self {
        Self { reason: reason.to_owned(), remedy: remedy.to_owned() }
    }

    pub(super) fn switched_off() -> Self {
        Self::new("control groups are switched off", "leave out --cgroups disabled")
    }
}

/// Looks at the machine. `user_bus` as in [`Request`](super::Request), `manager` as asked for.
pub fn survey(user_bus: &[String], manager: Option<Manager>) -> Result<Survey> {
    let machine = Machine::look(user_bus)?;
    let manager = match manager {
        Some(manager) => manager,
        None => machine.manager(None),
    };
    let nothing = |machine: &Machine| Survey {
        version: machine.version,
        manager: Manager::None,
        own: machine.home(),
        controllers: Vec::new(),
        obstacle: Some(machine.obstacle()),
    };
    let (Some(tree), Some(own)) = (&machine.tree, &machine.own) else { return Ok(nothing(&machine)) };
    let controllers = match manager {
        Manager::None => return Ok(nothing(&machine)),
        Manager::Systemd if machine.bus.is_none() => return Ok(nothing(&machine)),
        Manager::Systemd => machine.manager_controllers().unwrap_or_default(),
        // The further up, the more there are.
        Manager::Cgroupfs => match own.ancestors().take_while(|group| tree.is_ours(group)).last() {
            Some(top) => tree.controllers(top),
            None => return Ok(nothing(&machine)),
        },
    };
    Ok(Survey {
        version: machine.version,
        manager,
        own: machine.home(),
        controllers: controllers.into_iter().collect(),
        obstacle: None,
    })
}

/// What was found.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    /// The version 2 hierarchy, where it is the only one.
    pub(super) tree: Option<Tree>,
    /// The caller's group in it.
    pub(super) own: Option<PathBuf>,
    /// Where a service manager can be asked.
    pub(super) bus: Option<Bus>,
    /// What is mounted.
    pub(super) version: Option<Version>,
}

impl Machine {
    pub(super) fn look(user_bus: &[String]) -> Result<Self> {
        let tree = Tree::find();
        let own = match &tree {
            // A namespace of groups that does not fit the mount shows a path that is not there.
            Some(tree) => group_of("self")?.filter(|group| tree.has(group)),
            None => None,
        };
        let version = match &tree {
            Some(_) => Some(Version::Unified),
            None => Path::new("/sys/fs/cgroup")
                .read_dir()
                .is_ok_and(|mut entries| entries.next().is_some())
                .then_some(Version::Legacy),
        };
        Ok(Self { tree, own, bus: Bus::find(user_bus), version })
    }

    /// The group that the caller has for its own.
    fn home(&self) -> Option<PathBuf> {
        let own = self.own.as_deref()?;
        let leaf = own.file_name().is_some_and(|name| name == LEAF);
        Some(own.parent().filter(|_| leaf).unwrap_or(own).to_owned())
    }

    /// Who makes groups unless somebody says otherwise.
    pub(super) fn manager(&self, path: Option<&Path>) -> Manager {
        let (Some(tree), Some(own)) = (&self.tree, &self.own) else { return Manager::None };
        if let Some(path) = path {
            let for_systemd = path.to_str().is_some_and(|path| !path.starts_with('/') && path.contains(':'));
            return if for_systemd { Manager::Systemd } else { Manager::Cgroupfs };
        }
        // Within what systemd has handed over nobody else writes.
        let delegated = own.ancestors().find(|group| tree.is_delegated(group));
        let handed_over = delegated.is_some_and(|group| !is_manager(group) && tree.is_ours(group));
        match &self.bus {
            Some(_) if !handed_over => Manager::Systemd,
            _ if tree.is_ours(own) => Manager::Cgroupfs,
            _ => Manager::None,
        }
    }

    /// The controllers that the service manager has to give; `None` where its group is not to be seen.
    pub(super) fn manager_controllers(&self) -> Option<Controllers> {
        let tree = self.tree.as_ref()?;
        let group = match self.bus.as_ref()? {
            Bus::System => PathBuf::from("/"),
            Bus::User(_) => user_manager(self.own.as_deref()?)?,
        };
        tree.has(&group).then(|| tree.controllers(&group))
    }

    /// Why no group can be made.
    pub(super) fn obstacle(&self) -> Obstacle {
        match (self.version, &self.own) {
            (None, _) => Obstacle::new("no control groups are mounted on /sys/fs/cgroup", "mount -t cgroup2 cgroup2 /sys/fs/cgroup"),
            (Some(Version::Legacy), _) => Obstacle::new(
                "this machine has version 1 of control groups, where users cannot set limits",
                "boot with systemd.unified_cgroup_hierarchy=1 on the kernel's command line",
            ),
            (Some(Version::Unified), None) => Obstacle::new(
                "the control group of this process is not to be seen in /sys/fs/cgroup",
                "mount -t cgroup2 cgroup2 /sys/fs/cgroup in the namespace of this process",
            ),
            (Some(Version::Unified), Some(own)) => Obstacle {
                reason: format!("the control group {} is not yours, and no service manager can be asked", own.display()),
                remedy: "log in with a systemd session of yours (ssh, a console, machinectl shell), which hands you one"
                    .to_owned(),
            },
        }
    }
}

/// Whether this is the group of a user's service manager.
fn is_manager(group: &Path) -> bool {
    let name = group.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with("user@") && name.ends_with(".service")
}

/// The group of the service manager of the user in whose session `own` is. The number is taken from there: in
/// a user namespace the caller's own is another.
fn user_manager(own: &Path) -> Option<PathBuf> {
    if let Some(group) = own.ancestors().find(|group| is_manager(group)) {
        return Some(group.to_owned());
    }
    let slice = own.ancestors().find(|group| uid_of(group).is_some())?;
    Some(slice.join(format!("user@{}.service", uid_of(slice)?)))
}

/// The N of user-N.slice.
fn uid_of(group: &Path) -> Option<u32> {
    group.file_name()?.to_str()?.strip_prefix("user-")?.strip_suffix(".slice")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_manager_is_found_from_a_session() {
        let manager = Some("/user.slice/user-7.slice/user@7.service".into());
        for own in [
            "/user.slice/user-7.slice/session-3.scope",
            "/user.slice/user-7.slice/user@7.service/app.slice/x.service",
        ] {
            assert_eq!(user_manager(Path::new(own)), manager, "{own}");
        }
        assert_eq!(user_manager(Path::new("/system.slice/cron.service")), None);
    }
}
