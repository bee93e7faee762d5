//! Where a container's group goes and who makes it. Looks only; nothing is made here.

use std::path::{Path, PathBuf};

use super::limits::{Limits, Missing};
use super::survey::{Machine, Obstacle};
use super::systemd::{Bus, Scope};
use super::tree::{Controllers, Tree, clean};
use super::{Cgroup, Manager, Request};
use crate::error::{Error, Kind, Result};

/// How a group will be made; everything that can be known beforehand is checked.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) tree: Tree,
    pub(super) place: Place,
    pub(super) limits: Limits,
}

impl Plan {
    /// The group that will be made, where that can be told: what systemd is asked for goes by itself when it is empty.
    pub fn group(&self) -> Option<Cgroup> {
        match &self.place {
            Place::Directory { group, .. } => Some(Cgroup::at(group)),
            Place::Scope { .. } => None,
        }
    }
}

/// Where a group goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A directory that is made here.
    Directory {
        /// The group.
        group: PathBuf,
        /// The caller's own group, whose processes have to go into a leaf before groups in it get controllers.
        vacate: Option<PathBuf>,
    },
    /// A scope that systemd is asked for.
    Scope {
        /// Where to ask.
        bus: Bus,
        /// What to ask for.
        scope: Scope,
    },
}

/// Finds out how the group that is asked for can be made. `None`: this machine has none, and no limit needs one.
///
/// # Errors
///
/// A limit or a place that was asked for and cannot be had, with the reason and the remedy.
pub fn plan(request: &Request<'_>) -> Result<Option<Plan>> {
    plan_on(&Machine::look(request.user_bus)?, request)
}

fn plan_on(machine: &Machine, request: &Request<'_>) -> Result<Option<Plan>> {
    let limits = Limits::of(request.resources)?;
    let manager = match request.manager {
        Some(Manager::None) => return without(Obstacle::switched_off(), &limits),
        Some(manager) => manager,
        None => machine.manager(request.path),
    };
    let (Some(tree), Some(own)) = (&machine.tree, &machine.own) else {
        return without(machine.obstacle(), &limits);
    };
    let place = match manager {
        Manager::None => return without(machine.obstacle(), &limits),
        Manager::Systemd => scope(machine, request, &limits)?,
        Manager::Cgroupfs => match request.path {
            Some(path) => at(tree, own, clean(path)?, &limits)?,
            None => match beside(tree, own, &limits)? {
                Some((parent, vacate)) => {
                    let group = parent.join(format!("rcon-{}", request.id));
                    Place::Directory { group, vacate: vacate.then_some(parent) }
                }
                None => return without(machine.obstacle(), &limits),
            },
        },
    };
    Ok(Some(Plan { tree: tree.clone(), place, limits }))
}

/// No group: right where no limit was asked for.
fn without(obstacle: Obstacle, limits: &Limits) -> Result<Option<Plan>> {
    let Some(limit) = limits.settings.iter().find(|setting| setting.missing != Missing::Skip) else {
        return Ok(None);
    };
    Err(Error::wrap(limit.attempt(), Error::unsupported(obstacle.reason)).hint(obstacle.remedy))
}

/// The path that the specification names.
fn at(tree: &Tree, own: &Path, group: PathBuf, limits: &Limits) -> Result<Place> {
    let cannot = |reason: String| {
        let reason = Error::new(Kind::Denied, reason);
        Error::wrap(format!("cannot make the control group {}", group.display()), reason)
    };
    if tree.has(&group) && tree.is_inhabited(&group) {
        return Err(cannot("processes are in it already".to_owned()).with_kind(Kind::Conflict));
    }
    let existing = group.ancestors().find(|ancestor| tree.has(ancestor)).unwrap_or(Path::new("/"));
    let shared = group.ancestors().find(|ancestor| own.starts_with(ancestor)).unwrap_or(Path::new("/"));
    for needed in [existing, shared] {
        if !tree.is_ours(needed) {
            return Err(cannot(format!("{} is not yours to write to", tree.directory(needed).display()))
                .hint("leave the path out, or have systemd make the group: --cgroup-manager systemd"));
        }
    }
    let needed = limits.controllers();
    require(limits, &tree.controllers(existing))?;
    let parent = if existing == group { group.parent().unwrap_or(existing) } else { existing };
    let blocked = tree.is_inhabited(parent) && !needed.is_subset(&tree.enabled(parent));
    if blocked && parent != own {
        return Err(cannot(format!(
            "processes are in {}: the kernel gives groups below it no controllers",
            tree.directory(parent).display()
        )));
    }
    Ok(Place::Directory { vacate: blocked.then(|| parent.to_owned()), group })
}

/// The nearest group around the caller in which one with these controllers can be made, and whether the caller's
/// group has to be vacated for that. `None`: the caller may make none.
///
/// Beside the caller's group is better than in it: the kernel gives no controllers to groups in one that
/// has processes itself. What systemd has delegated is not left: what lies above it is not ours, writable or not.
fn beside(tree: &Tree, own: &Path, limits: &Limits) -> Result<Option<(PathBuf, bool)>> {
    let needed = limits.controllers();
    let mut ours = Vec::new();
    for group in own.ancestors().take_while(|group| tree.is_ours(group)) {
        ours.push(group);
        if tree.is_delegated(group) {
            break;
        }
    }
    let Some(top) = ours.last() else { return Ok(None) };
    let free =
        ours.iter().find(|group| !tree.is_inhabited(group) && needed.is_subset(&tree.controllers(group)));
    match free {
        Some(group) => Ok(Some(((*group).to_owned(), false))),
        None if needed.is_empty() => Ok(Some((own.to_owned(), false))),
        None => {
            require(limits, &tree.controllers(top))?;
            require(limits, &tree.controllers(own))?;
            Ok(Some((own.to_owned(), true)))
        }
    }
}

/// A scope of the user's or the system's service manager.
fn scope(machine: &Machine, request: &Request<'_>, limits: &Limits) -> Result<Place> {
    let Some(bus) = machine.bus.clone() else {
        return Err(Error::unsupported(
            "systemd cannot be asked for a control group: no D-Bus socket of it is here",
        )
        .hint("log in as this user (ssh, a console, machinectl shell), or use --cgroup-manager cgroupfs"));
    };
    if let Some(controllers) = machine.manager_controllers() {
        require(limits, &controllers)?;
    }
    let scope = Scope::of(request.id, request.path, &bus)?;
    Ok(Place::Scope { bus, scope })
}

/// Fails with the first limit whose controller is not there.
fn require(limits: &Limits, present: &Controllers) -> Result<()> {
    let missing = limits
        .settings
        .iter()
        .find(|setting| setting.controller().is_some_and(|controller| !present.contains(controller)));
    let Some(setting) = missing else { return Ok(()) };
    let list = present.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let here = if list.is_empty() { "none".to_owned() } else { list };
    let controller = setting.controller().unwrap_or_default();
    let reason = Error::unsupported(format!(
        "the {controller} controller is not delegated to you (those that are: {here})"
    ));
    Err(Error::wrap(setting.attempt(), reason).hint(super::DELEGATE))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Groups with their controllers and processes, in plain files.
    struct Machines(tempfile::TempDir);

    impl Machines {
        fn new(groups: &[(&str, &str, &str)]) -> Self {
            let dir = tempfile::tempdir().unwrap();
            for (group, controllers, processes) in groups {
                let path = dir.path().join(group.trim_start_matches('/'));
                fs::create_dir_all(&path).unwrap();
                fs::write(path.join("cgroup.controllers"), controllers).unwrap();
                fs::write(path.join("cgroup.subtree_control"), "").unwrap();
                fs::write(path.join("cgroup.type"), "domain").unwrap();
                fs::write(path.join("cgroup.procs"), processes).unwrap();
            }
            Self(dir)
        }

        fn machine(&self, own: &str) -> Machine {
            Machine { tree: Some(Tree::at(self.0.path())), own: Some(own.into()), bus: None, version: None }
        }

        fn place(&self, own: &str, path: Option<&str>, resources: &str) -> Result<Option<Place>> {
            let resources = serde_json::from_str(resources).unwrap();
            let request = Request {
                id: "id",
                path: path.map(Path::new),
                resources: Some(&resources),
                manager: Some(Manager::Cgroupfs),
                user_bus: &[],
            };
            Ok(plan_on(&self.machine(own), &request)?.map(|plan| plan.place))
        }
    }

    fn directory(group: &str, vacate: Option<&str>) -> Place {
        Place::Directory { group: group.into(), vacate: vacate.map(PathBuf::from) }
    }

    const MEMORY: &str = r#"{"memory": {"limit": 1}}"#;

    #[test]
    fn a_group_is_made_beside_the_callers() {
        let machine =
            Machines::new(&[("/u", "cpu memory", ""), ("/u/app", "cpu", ""), ("/u/app/term", "", "7")]);
        let place = |resources| machine.place("/u/app/term", None, resources).unwrap().unwrap();
        assert_eq!(place("{}"), directory("/u/app/rcon-id", None));
        assert_eq!(place(MEMORY), directory("/u/rcon-id", None), "where the controller is");
        let error = machine.place("/u/app/term", None, r#"{"pids": {"limit": 9}}"#).unwrap_err();
        assert!(error.chain()[1].contains("pids controller") && !error.hints().is_empty(), "{error:?}");
    }

    #[test]
    fn the_callers_own_group_is_vacated_only_for_a_controller() {
        let machine = Machines::new(&[("/", "memory", "1")]);
        assert_eq!(machine.place("/", None, "{}").unwrap().unwrap(), directory("/rcon-id", None));
        assert_eq!(machine.place("/", None, MEMORY).unwrap().unwrap(), directory("/rcon-id", Some("/")));
        assert_eq!(machine.place("/", Some("a/b"), MEMORY).unwrap().unwrap(), directory("/a/b", Some("/")));
    }

    #[test]
    fn a_path_that_is_asked_for_is_taken_or_refused() {
        let machine = Machines::new(&[
            ("/", "memory", ""),
            ("/x", "memory", "5"),
            ("/own", "", "1"),
            ("/old", "memory", ""),
        ]);
        let place = |path| machine.place("/own", Some(path), MEMORY);
        assert_eq!(
            place("/libpod_parent/libpod-1").unwrap().unwrap(),
            directory("/libpod_parent/libpod-1", None)
        );
        assert_eq!(place("/old").unwrap().unwrap(), directory("/old", None));
        assert_eq!(place("/x").unwrap_err().kind(), Kind::Conflict);
        assert!(place("/x/y").unwrap_err().chain()[1].contains("no controllers"));
        assert_eq!(place("/../y").unwrap_err().kind(), Kind::Invalid);
    }

    #[test]
    fn without_groups_only_limits_fail() {
        let nothing = Machine { tree: None, own: None, bus: None, version: None };
        let resources = serde_json::from_str(MEMORY).unwrap();
        let mut request = Request { id: "id", path: None, resources: None, manager: None, user_bus: &[] };
        assert!(plan_on(&nothing, &request).unwrap().is_none());
        request.resources = Some(&resources);
        let error = plan_on(&nothing, &request).unwrap_err();
        assert!(error.to_string().contains("memory.max") && !error.hints().is_empty(), "{error:?}");
        request.manager = Some(Manager::None);
        let machine = Machines::new(&[("/", "memory", "")]);
        let error = plan_on(&machine.machine("/"), &request).unwrap_err();
        assert!(error.chain()[1].contains("switched off"), "{error:?}");
        request.manager = Some(Manager::Systemd);
        assert!(plan_on(&machine.machine("/"), &request).unwrap_err().to_string().contains("D-Bus"));
    }
}
