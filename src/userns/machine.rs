//! What this machine and this user have to make a user namespace of, and the default map that follows.

use std::path::Path;

use crate::config::Env;
use crate::error::{Error, Kind, Result};
use crate::userns::map_option::subtract;
use crate::userns::newuidmap::{Helpers, Obstacle};
use crate::userns::plan::MapWriter;
use crate::userns::subordinate::{Owner, Range, Sources, Subordinate};
use crate::userns::{IdMap, IdMaps, id_map};

/// The facts that a plan hangs on; a test makes up its own.
pub(crate) struct Machine {
    /// Whether this process may write any map: root with CAP_SETUID and CAP_SETGID.
    pub(crate) privileged: bool,
    /// Whether the surrounding user namespace forbids setgroups(2).
    pub(crate) setgroups_denied: bool,
    /// The maps of the surrounding user namespace: ids that it lacks cannot be mapped on.
    pub(crate) own: IdMaps,
    /// Where subordinate ids are looked up.
    pub(crate) sources: Sources,
    /// newuidmap and newgidmap.
    pub(crate) helpers: Result<Helpers, Obstacle>,
}

/// The user namespace that this process is in.
#[derive(Clone, Debug)]
pub struct Surrounding {
    /// The ids that exist in it, each mapped to itself.
    pub maps: IdMaps,
    /// Whether setgroups(2) works in it.
    pub setgroups_allowed: bool,
    /// Whether this process is its root and has CAP_SYS_ADMIN: then it needs no namespace of its own to mount.
    pub root: bool,
}

/// Looks at the user namespace that this process is in.
pub fn surrounding() -> Surrounding {
    let identity = |maps: Vec<IdMap>| {
        maps.iter().map(|map| IdMap::new(map.inside, map.inside, map.count)).collect::<Vec<_>>()
    };
    let own = own_maps();
    Surrounding {
        maps: IdMaps { uid: identity(own.uid), gid: identity(own.gid) },
        setgroups_allowed: !setgroups_denied(),
        root: rustix::process::geteuid().is_root() && has_capabilities(1 << 21),
    }
}

fn own_maps() -> IdMaps {
    let own = |file: &str| id_map::read(Path::new(file)).unwrap_or_else(|_| vec![id_map::ALL]);
    IdMaps { uid: own("/proc/self/uid_map"), gid: own("/proc/self/gid_map") }
}

fn setgroups_denied() -> bool {
    std::fs::read("/proc/self/setgroups").unwrap_or_default().starts_with(b"deny")
}

/// The default map and what it takes to write it.
pub(crate) struct FirstStep {
    pub(crate) maps: IdMaps,
    pub(crate) writer: MapWriter,
    pub(crate) notes: Vec<String>,
}

impl Machine {
    /// The facts of this machine.
    pub(crate) fn of(env: &Env) -> Self {
        // CAP_SETGID (6) and CAP_SETUID (7).
        let privileged = env.uid() == 0 && has_capabilities(0xc0);
        Self {
            privileged,
            setgroups_denied: setgroups_denied(),
            own: own_maps(),
            sources: Sources::of_system(env),
            helpers: if privileged { Err(Obstacle::NoNewPrivileges) } else { Helpers::find(env) },
        }
    }

    /// The default map: for root every id that there is, as it is; else you, then your subordinate ids; or
    /// you alone, with a note that says why.
    pub(crate) fn first_step(&self, env: &Env) -> Result<FirstStep> {
        if self.privileged {
            // Piece by piece: the kernel refuses a line that spans two of the surrounding namespace's.
            let same = |own: &[IdMap]| {
                own.iter().map(|map| IdMap::new(map.inside, map.inside, map.count)).collect::<Vec<_>>()
            };
            return Ok(FirstStep {
                maps: IdMaps { uid: same(&self.own.uid), gid: same(&self.own.gid) },
                writer: MapWriter::Direct { deny_setgroups: self.setgroups_denied },
                notes: Vec::new(),
            });
        }
        let subordinate = self.subordinate(env)?;
        let mut notes = Vec::new();
        let uid = stack(env.uid(), &subordinate.uid, &self.own.uid, &mut notes);
        let gid = stack(env.gid(), &subordinate.gid, &self.own.gid, &mut notes);
        match &self.helpers {
            Ok(helpers) if uid.len() > 1 && gid.len() > 1 => Ok(FirstStep {
                maps: IdMaps { uid, gid },
                writer: MapWriter::Helpers(helpers.clone()),
                notes,
            }),
            _ => {
                notes.push(self.single_note(&subordinate, env));
                Ok(FirstStep {
                    maps: IdMaps::single((0, 0), (env.uid(), env.gid())),
                    writer: MapWriter::Direct { deny_setgroups: true },
                    notes,
                })
            }
        }
    }

    /// The ranges of this user.
    pub(crate) fn subordinate(&self, env: &Env) -> Result<Subordinate> {
        Subordinate::of(Owner { name: env.user_name(), uid: env.uid() }, &self.sources)
    }

    /// The error of a mode that is nothing without subordinate ids.
    pub(crate) fn needs_subordinate_ids(&self, what: &str, env: &Env) -> Error {
        let subordinate = self.subordinate(env).unwrap_or_default();
        let (reasons, remedies) = self.lacks(&subordinate, env);
        Error::new(Kind::Unsupported, format!("{what} needs subordinate ids: {}", reasons.join(", and ")))
            .hint(remedies.join(" && "))
    }

    fn single_note(&self, subordinate: &Subordinate, env: &Env) -> String {
        let (reasons, remedies) = self.lacks(subordinate, env);
        format!(
            "only your own id exists in containers, since {} (to have more: {})",
            reasons.join(", and "),
            remedies.join(" && ")
        )
    }

    /// What keeps this user from mapping more than one id, and the commands that mend it.
    pub(crate) fn lacks(&self, subordinate: &Subordinate, env: &Env) -> (Vec<String>, Vec<String>) {
        let (mut reasons, mut remedies) = (Vec::new(), Vec::new());
        if let Err(obstacle) = &self.helpers {
            reasons.push(obstacle.to_string());
            remedies.push(obstacle.remedy());
        }
        let files: Vec<String> =
            [(&self.sources.subuid, &subordinate.uid), (&self.sources.subgid, &subordinate.gid)]
                .iter()
                .filter(|(_, ranges)| ranges.is_empty())
                .map(|(file, _)| file.display().to_string())
                .collect();
        if !files.is_empty() {
            let who = env.user_name().map_or_else(|| env.uid().to_string(), str::to_owned);
            reasons.push(format!("{who} has no range in {}", files.join(" and ")));
            remedies.push(grant_command_by(&self.sources, env));
        }
        if reasons.is_empty() {
            reasons.push("the surrounding user namespace lacks your subordinate ids".to_owned());
            remedies.push("start the surrounding container with more ids".to_owned());
        }
        (reasons, remedies)
    }
}

/// The command that grants the next 65536 ids that nobody has.
pub fn grant_command(env: &Env) -> String {
    grant_command_by(&Sources::of_system(env), env)
}

fn grant_command_by(sources: &Sources, env: &Env) -> String {
    let end = |file: &Path| {
        let content = std::fs::read_to_string(file).unwrap_or_default();
        content.lines().filter_map(end_of_range).max().unwrap_or(0)
    };
    let first = end(&sources.subuid).max(end(&sources.subgid)).max(100_000);
    let last = first + 65_535;
    match env.user_name() {
        Some(name) => {
            format!("sudo usermod --add-subuids {first}-{last} --add-subgids {first}-{last} {name}")
        }
        None => format!("echo {}:{first}:65536 | sudo tee -a /etc/subuid /etc/subgid", env.uid()),
    }
}

fn end_of_range(line: &str) -> Option<u64> {
    let mut fields = line.split(':').skip(1).map(|field| field.trim().parse::<u64>().ok());
    fields.next()??.checked_add(fields.next()??)
}

/// Stacks the subordinate `ranges` after the own id, leaving out what would be refused: the own id, an id
/// twice, ids that the surrounding namespace does not have.
fn stack(own_id: u32, ranges: &[Range], surrounding: &[IdMap], notes: &mut Vec<String>) -> Vec<IdMap> {
    let mut maps = vec![IdMap::new(0, own_id, 1)];
    let mut next = 1u32;
    let exists: Vec<(u32, u32)> = surrounding.iter().map(|map| (map.inside, map.count)).collect();
    for range in ranges {
        let mut taken: Vec<(u32, u32)> = maps.iter().map(|map| (map.outside, map.count)).collect();
        taken.sort_unstable();
        let free = subtract(&[(range.start, range.count)], &taken);
        let mut missing = subtract(&free, &sorted(&exists));
        if !missing.is_empty() {
            let lost: u64 = missing.iter().map(|(_, count)| u64::from(*count)).sum();
            notes.push(format!(
                "{lost} of your subordinate ids do not exist in the surrounding user namespace"
            ));
        }
        missing.sort_unstable();
        for (start, count) in subtract(&free, &missing) {
            let count = count.min(u32::MAX - next);
            if count > 0 && maps.len() < id_map::MAX_EXTENTS {
                maps.push(IdMap::new(next, start, count));
                next += count;
            }
        }
    }
    let granted: u64 = ranges.iter().map(|range| u64::from(range.count)).sum();
    if notes.is_empty() && u64::from(next - 1) < granted {
        notes.push(format!(
            "{} of your subordinate ids are not used: ranges overlap, or hold your own id, or are too many",
            granted - u64::from(next - 1)
        ));
    }
    maps
}

fn sorted(runs: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut runs = runs.to_vec();
    runs.sort_unstable();
    runs
}

/// Whether the capabilities with these bits are effective.
fn has_capabilities(bits: u64) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap_or_default();
    u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & bits == bits)
}
