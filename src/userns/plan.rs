//! What a user namespace will be, decided before anything is made: the default map from this machine and
//! this user, then the second step from the mode or the maps that were asked for.

use serde::{Deserialize, Serialize};

use crate::config::Env;
use crate::error::{Error, Result};
use crate::userns::machine::Machine;
use crate::userns::map_option::{self, Kind};
use crate::userns::{Helpers, IdMap, IdMaps, Mode, auto, id_map};

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `--userns`, if given; it excludes the maps. [`Mode::Host`] otherwise.
    pub mode: Option<Mode>,
    /// `--uidmap`, as typed.
    pub uidmaps: Vec<String>,
    /// `--gidmap`, as typed.
    pub gidmaps: Vec<String>,
    /// The maps of the containers that exist: `auto` gives out no id of theirs.
    pub in_use: Vec<IdMaps>,
    /// How many ids the image needs at least (its highest user id plus one), for `auto` without a size.
    pub ids_needed: u32,
}

/// Who writes the maps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapWriter {
    /// newuidmap and newgidmap.
    Helpers(Helpers),
    /// This process, into /proc.
    Direct {
        /// Whether setgroups(2) has to be given up first, which the kernel asks of those without privilege.
        deny_setgroups: bool,
    },
}

/// A user namespace that can be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserNamespace {
    /// Container ids to host ids.
    pub maps: IdMaps,
    /// Who writes them.
    pub writer: MapWriter,
    /// What is lost on this machine and the command that mends it; one line each.
    pub notes: Vec<String>,
    /// With keep-id, who the command runs as if nobody says otherwise: (uid, gid) in the container.
    pub container_user: Option<(u32, u32)>,
    /// The map that the store's layers are written with: [`Mode::Host`]'s.
    pub default_maps: IdMaps,
}

impl UserNamespace {
    /// Whether one id alone is mapped: owners cannot be set, only recorded.
    pub fn single(&self) -> bool {
        self.maps.is_single()
    }

    /// Whether setgroups(2) works in the namespace.
    pub fn setgroups_allowed(&self) -> bool {
        !matches!(self.writer, MapWriter::Direct { deny_setgroups: true })
    }

    /// The (uid, gid) that set-up runs as: root where it is mapped, else the first ids that are. A process
    /// with an id that is not mapped can make no file, whatever its capabilities.
    pub fn setup_ids(&self) -> (u32, u32) {
        let first = |maps: &[IdMap]| maps.iter().map(|map| map.inside).min().unwrap_or(0);
        (first(&self.maps.uid), first(&self.maps.gid))
    }

    /// The namespace of [`Mode::Host`] on this machine: the one in which the store is written.
    #[must_use]
    pub fn default_namespace(&self) -> Self {
        Self { maps: self.default_maps.clone(), container_user: None, ..self.clone() }
    }

    /// What the default namespace calls the user id `id` of this one, if it has it.
    pub fn uid_in_default(&self, id: u32) -> Option<u32> {
        self.maps.uid_outside(id).and_then(|host| self.default_maps.uid_inside(host))
    }

    /// The same for a group id.
    pub fn gid_in_default(&self, id: u32) -> Option<u32> {
        self.maps.gid_outside(id).and_then(|host| self.default_maps.gid_inside(host))
    }
}

/// The user namespace with these maps, which speak of ids of this process's own namespace.
pub fn with_maps(env: &Env, maps: IdMaps) -> Result<UserNamespace> {
    id_map::check(&maps.uid, Kind::User.name())?;
    id_map::check(&maps.gid, Kind::Group.name())?;
    let machine = Machine::of(env);
    let own = (env.uid(), env.gid());
    let alone = maps.is_single() && maps.uid[0].outside == own.0 && maps.gid[0].outside == own.1;
    let writer = match &machine.helpers {
        _ if machine.privileged => MapWriter::Direct { deny_setgroups: machine.setgroups_denied },
        _ if alone => MapWriter::Direct { deny_setgroups: true },
        Ok(helpers) => MapWriter::Helpers(helpers.clone()),
        Err(_) => return Err(machine.needs_subordinate_ids("a map of several ids", env)),
    };
    Ok(UserNamespace {
        maps: maps.clone(),
        writer,
        notes: Vec::new(),
        container_user: None,
        default_maps: maps,
    })
}

/// Decides on the user namespace that `request` asks for. Reads files; makes and changes nothing.
pub fn plan(env: &Env, request: &Request) -> Result<UserNamespace> {
    plan_on(&Machine::of(env), env, request)
}

pub(crate) fn plan_on(machine: &Machine, env: &Env, request: &Request) -> Result<UserNamespace> {
    let custom = request.uidmaps.iter().chain(&request.gidmaps).any(|map| !map.is_empty());
    if custom && request.mode.is_some() {
        return Err(Error::usage("--userns and --uidmap/--gidmap exclude each other"));
    }
    let first = machine.first_step(env)?;
    let mode = request.mode.clone().unwrap_or_default();
    let (second, container_user) = if custom {
        let (users, groups) = map_option::deal(&request.uidmaps, &request.gidmaps)?;
        let uid = map_option::second_step(&users, &first.maps.uid, Kind::User)?;
        let gid = map_option::second_step(&groups, &first.maps.gid, Kind::Group)?;
        (Some(IdMaps { uid, gid }), None)
    } else {
        second_step_of(&mode, machine, env, request, &first.maps)?
    };
    let maps = match second {
        None => first.maps.clone(),
        Some(second) => IdMaps {
            uid: compose(&first.maps.uid, &second.uid, Kind::User)?,
            gid: compose(&first.maps.gid, &second.gid, Kind::Group)?,
        },
    };
    Ok(UserNamespace {
        maps,
        writer: first.writer,
        notes: first.notes,
        container_user,
        default_maps: first.maps,
    })
}

fn compose(first: &[IdMap], second: &[IdMap], kind: Kind) -> Result<Vec<IdMap>> {
    // Checked before as well: an overlap is easier to understand in the ids that were typed.
    id_map::check(second, kind.name())?;
    let product = id_map::compose(first, second, kind.name())?;
    id_map::check(&product, kind.name())?;
    if product.len() > id_map::MAX_EXTENTS {
        return Err(Error::usage(format!(
            "the {} map has {} pieces, and the kernel takes {}",
            kind.name(),
            product.len(),
            id_map::MAX_EXTENTS
        )));
    }
    Ok(product)
}

type SecondStep = (Option<IdMaps>, Option<(u32, u32)>);

fn second_step_of(
    mode: &Mode,
    machine: &Machine,
    env: &Env,
    request: &Request,
    first: &IdMaps,
) -> Result<SecondStep> {
    match mode {
        Mode::Host => Ok((None, None)),
        Mode::KeepId { uid, gid, size } if machine.privileged => {
            // Root's intermediate ids are the host's: there is nothing to move.
            if uid.or(*gid).or(*size).is_some() {
                return Err(Error::unsupported(format!("--userns={mode}: root keeps its ids")));
            }
            Ok((None, None))
        }
        Mode::NoMap if machine.privileged => {
            Err(Error::unsupported("--userns=nomap has no meaning for root, who has no subordinate ids"))
        }
        Mode::KeepId { uid, gid, size } => {
            let (uid, gid) = (uid.unwrap_or(env.uid()), gid.unwrap_or(env.gid()));
            let maps = IdMaps { uid: keep(uid, *size, &first.uid), gid: keep(gid, *size, &first.gid) };
            Ok((Some(maps), Some((uid, gid))))
        }
        Mode::NoMap => {
            let all = |maps: &[IdMap]| vec![IdMap::new(0, 1, subordinates(maps))];
            if subordinates(&first.uid) == 0 || subordinates(&first.gid) == 0 {
                return Err(machine.needs_subordinate_ids("--userns=nomap", env));
            }
            Ok((Some(IdMaps { uid: all(&first.uid), gid: all(&first.gid) }), None))
        }
        Mode::Auto { .. } => Ok((Some(auto::allocate(mode, machine, env, request, first)?), None)),
    }
}

/// How many ids beside the own one the first step has.
fn subordinates(first: &[IdMap]) -> u32 {
    let all: u64 = first.iter().map(|map| u64::from(map.count)).sum();
    u32::try_from(all.saturating_sub(1)).unwrap_or(u32::MAX)
}

/// podman's division for keep-id: the ids below `id` from the first subordinate one on, `id` for
/// intermediate 0, and what is left above it.
fn keep(id: u32, size: Option<u32>, first: &[IdMap]) -> Vec<IdMap> {
    let most = size.map_or(u32::MAX, |size| size - 1).min(subordinates(first));
    let below = IdMap::new(0, 1, id.min(most));
    let above = IdMap::new(id.saturating_add(1), id.saturating_add(1), most.saturating_sub(id));
    [below, IdMap::new(id, 0, 1), above].into_iter().filter(|map| map.count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind as ErrorKind;
    use crate::userns::newuidmap::Obstacle;
    use crate::userns::subordinate::Sources;
    use std::path::{Path, PathBuf};

    struct Case {
        dir: tempfile::TempDir,
        machine: Machine,
        env: Env,
    }

    fn case(subuid: &str, helpers: bool) -> Case {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("subuid"), subuid).unwrap();
        std::fs::write(dir.path().join("passwd"), "dev:x:1000:1000::/home/dev:/bin/sh\n").unwrap();
        let file = |name: &str| dir.path().join(name);
        let machine = Machine {
            privileged: false,
            setgroups_denied: false,
            own: IdMaps { uid: vec![id_map::ALL], gid: vec![id_map::ALL] },
            sources: Sources {
                subuid: file("subuid"),
                subgid: file("subuid"),
                nsswitch: file("nsswitch"),
                getsubids: None,
            },
            helpers: if helpers {
                Ok(Helpers { newuidmap: PathBuf::from("/u"), newgidmap: PathBuf::from("/g") })
            } else {
                Err(Obstacle::Missing("newuidmap"))
            },
        };
        let env = Env::from_pairs([("X", "y")]).with_ids(1000, 1000).with_passwd_file(file("passwd"));
        Case { dir, machine, env }
    }

    const SUBUID: &str = "dev:100000:65536\n";

    impl Case {
        fn plan(&self, mode: &str) -> Result<UserNamespace> {
            let request = Request { mode: Some(mode.parse()?), ..Request::default() };
            plan_on(&self.machine, &self.env, &request)
        }

        fn uids(&self, mode: &str) -> String {
            lines(&self.plan(mode).unwrap().maps.uid)
        }
    }

    fn lines(maps: &[IdMap]) -> String {
        id_map::text(maps).trim_end().replace('\n', ",")
    }

    /// What podman 5.4.2 made of these modes for the same user, with both steps multiplied out.
    #[test]
    fn modes_map_as_podman_maps_them() {
        let case = case(SUBUID, true);
        for (mode, expected) in [
            ("host", "0 1000 1,1 100000 65536"),
            ("keep-id", "0 100000 1000,1000 1000 1,1001 101000 64536"),
            ("keep-id:uid=200,gid=210", "0 100000 200,200 1000 1,201 100200 65336"),
            ("keep-id:uid=0", "0 1000 1,1 100000 65536"),
            ("keep-id:uid=70000", "0 100000 65536,70000 1000 1"),
            ("keep-id:size=500", "0 100000 499,1000 1000 1"),
            ("keep-id:size=2000", "0 100000 1000,1000 1000 1,1001 101000 999"),
            ("nomap", "0 100000 65536"),
        ] {
            assert_eq!(case.uids(mode), expected, "{mode}");
        }
        let keep = case.plan("keep-id:uid=200,gid=210").unwrap();
        assert_eq!(keep.container_user, Some((200, 210)));
        assert_eq!(keep.maps.gid[1], IdMap::new(210, 1000, 1));
        assert_eq!(lines(&keep.default_maps.uid), "0 1000 1,1 100000 65536");
        assert_eq!(keep.setup_ids(), (0, 0));
        assert!(keep.setgroups_allowed() && keep.notes.is_empty() && !keep.single());
        assert_eq!(keep.default_namespace().maps, keep.default_maps);
    }

    #[test]
    fn several_ranges_stack_up_and_break_the_second_step() {
        let case = case("dev:100000:500\n1000:300000:1000\n", true);
        assert_eq!(case.uids("host"), "0 1000 1,1 100000 500,501 300000 1000");
        assert_eq!(case.uids("keep-id"), "0 100000 500,500 300000 500,1000 1000 1,1001 300500 500");
    }

    #[test]
    fn ranges_that_overlap_or_hold_the_own_id_are_trimmed_and_noted() {
        let case = case("dev:900:200\ndev:1000:300\n", true);
        let namespace = case.plan("host").unwrap();
        assert_eq!(lines(&namespace.maps.uid), "0 1000 1,1 900 100,101 1001 99,200 1100 200");
        assert_eq!(namespace.notes.len(), 1, "{:?}", namespace.notes);
        id_map::check(&namespace.maps.uid, "user").unwrap();
    }

    #[test]
    fn ids_that_the_surrounding_namespace_lacks_are_not_used() {
        let mut case = case(SUBUID, true);
        case.machine.own.uid = vec![IdMap::new(0, 0, 100_010)];
        let namespace = case.plan("host").unwrap();
        assert_eq!(lines(&namespace.maps.uid), "0 1000 1,1 100000 10");
        assert!(namespace.notes[0].contains("surrounding"), "{:?}", namespace.notes);
    }

    #[test]
    fn zero_set_up_maps_one_id_and_names_the_remedy_in_one_line() {
        for (subuid, helpers, expected) in [
            ("", true, "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 dev"),
            ("ann:100000:65536", true, "--add-subuids 165536-231071"),
            (SUBUID, false, "newuidmap is not installed"),
            ("", false, " && sudo usermod"),
        ] {
            let case = case(subuid, helpers);
            let namespace = case.plan("host").unwrap();
            assert_eq!(lines(&namespace.maps.uid), "0 1000 1");
            assert!(namespace.single() && !namespace.setgroups_allowed());
            assert_eq!(namespace.notes.len(), 1);
            assert!(namespace.notes[0].contains(expected), "{:?}", namespace.notes);
            assert_eq!(case.uids("keep-id"), "1000 1000 1");
            assert_eq!(case.plan("keep-id").unwrap().setup_ids(), (1000, 1000));
            for mode in ["nomap", "auto"] {
                let error = case.plan(mode).unwrap_err();
                assert!(!error.hints().is_empty(), "{error:?}");
            }
        }
    }

    #[test]
    fn auto_takes_free_ids_from_the_end() {
        let case = case(SUBUID, true);
        assert_eq!(case.uids("auto"), "0 164512 1024");
        assert_eq!(case.uids("auto:size=8192"), "0 157344 8192");
        assert_eq!(case.uids("auto:size=65536"), "0 100000 65536");
        assert!(case.plan("auto:size=65537").is_err());
        assert_eq!(case.uids("auto:uidmapping=5:@1000:1"), "0 164513 5,5 1000 1,6 164518 1018");
        let taken = case.plan("auto").unwrap().maps;
        let request = |ids_needed| Request {
            mode: Some("auto".parse().unwrap()),
            in_use: vec![taken.clone()],
            ids_needed,
            ..Request::default()
        };
        let next = plan_on(&case.machine, &case.env, &request(0)).unwrap();
        assert_eq!(lines(&next.maps.uid), "0 163488 1024");
        let clipped = plan_on(&case.machine, &case.env, &request(65_535)).unwrap();
        assert_eq!(lines(&clipped.maps.uid), "0 100000 64512");
    }

    #[test]
    fn maps_and_modes_exclude_each_other() {
        let case = case(SUBUID, true);
        let request = |mode: Option<&str>, map: &str| Request {
            mode: mode.map(|mode| mode.parse().unwrap()),
            uidmaps: vec![map.to_owned()],
            ..Request::default()
        };
        let both = plan_on(&case.machine, &case.env, &request(Some("host"), "0:0:1")).unwrap_err();
        assert_eq!(both.kind(), ErrorKind::Usage);
        let custom = plan_on(&case.machine, &case.env, &request(None, "0:1:1000")).unwrap();
        assert_eq!(lines(&custom.maps.uid), "0 100000 1000");
        assert_eq!(lines(&custom.maps.gid), "0 100000 1000");
        assert!(plan_on(&case.machine, &case.env, &request(None, "0:0:70000")).is_err());
    }

    #[test]
    fn root_maps_all_that_it_has() {
        let mut case = case("containers:500000:2000\n", false);
        case.machine.privileged = true;
        case.env = Env::from_pairs([("X", "y")]).with_ids(0, 0);
        let namespace = case.plan("host").unwrap();
        assert_eq!(lines(&namespace.maps.uid), "0 0 4294967295");
        assert!(namespace.setgroups_allowed() && namespace.notes.is_empty());
        assert_eq!(case.plan("keep-id").unwrap().maps, namespace.maps);
        assert!(case.plan("nomap").is_err() && case.plan("keep-id:uid=5").is_err());
        assert_eq!(case.uids("auto"), "0 500976 1024");
        case.machine.own.uid = vec![IdMap::new(0, 1000, 1), IdMap::new(1, 100_000, 65_536)];
        assert_eq!(case.uids("host"), "0 0 1,1 1 65536");
        assert!(case.dir.path().is_dir());
    }

    #[test]
    fn planning_on_this_machine_works_and_is_quick() {
        let env = Env::capture();
        let begin = std::time::Instant::now();
        let namespace = plan(&env, &Request::default()).unwrap();
        assert!(namespace.maps.uid_inside(env.uid()).is_some());
        assert!(begin.elapsed().as_millis() < 100);
        assert!(Path::new("/proc/self").exists());
    }
}
