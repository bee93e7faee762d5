//! `--userns=auto`: subordinate ids that no other container has.
//!
//! Ids are taken from the end of the subordinate ranges, where containers of the other modes, whose ids
//! count from the beginning, have their rarest ones. Those containers may use every subordinate id, so the
//! promise is among `auto` containers only: the caller says which maps are in use, and two that are made in
//! the same instant may still get the same ids. Nothing breaks then but the extra wall between these two.

use crate::config::Env;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::userns::machine::Machine;
use crate::userns::map_option::{self, Kind, MapOption};
use crate::userns::plan::Request;
use crate::userns::subordinate::{Owner, Subordinate};
use crate::userns::{IdMap, IdMaps, Mode};

/// As many as podman gives an image that does not ask for more.
const LEAST: u32 = 1024;

/// The second step of `mode`, which is [`Mode::Auto`], over the intermediate ids of `first`.
pub(crate) fn allocate(
    mode: &Mode,
    machine: &Machine,
    env: &Env,
    request: &Request,
    first: &IdMaps,
) -> Result<IdMaps> {
    let Mode::Auto { size, uidmaps, gidmaps } = mode else { return Ok(first.clone()) };
    let pool = pool(mode, machine, env, first)?;
    let kind = |kind: Kind, texts: &[String], first: &[IdMap], pool: &[IdMap]| {
        let in_use = request.in_use.iter().flat_map(|maps| match kind {
            Kind::User => maps.uid.iter(),
            Kind::Group => maps.gid.iter(),
        });
        let taken: Vec<IdMap> = in_use.flat_map(|map| intermediate(*map, first)).collect();
        let forced = forced(mode, texts, first, kind)?;
        let free = map_option::free_ids(pool, &[taken, forced.clone()].concat());
        let wanted = size.unwrap_or(LEAST.max(request.ids_needed));
        let available: u64 = free.iter().chain(&runs(&forced)).map(|run| u64::from(run.1)).sum();
        if available == 0 || (size.is_some() && available < u64::from(wanted)) {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("--userns={mode}: {available} {} ids are free, {wanted} are needed", kind.name()),
            )
            .hint("remove containers that were run with --userns=auto, or ask for less with auto:size=N"));
        }
        let mut maps = forced;
        let mapped: u64 = maps.iter().map(|map| u64::from(map.count)).sum();
        let rest = last(&free, u64::from(wanted).saturating_sub(mapped));
        map_option::fill(&mut maps, &rest, u64::from(wanted));
        Ok(map_option::tidy(maps))
    };
    Ok(IdMaps {
        uid: kind(Kind::User, uidmaps, &first.uid, &pool.uid)?,
        gid: kind(Kind::Group, gidmaps, &first.gid, &pool.gid)?,
    })
}

/// The intermediate ids that may be given out: the subordinate ones; for root those of the user
/// `containers`, as podman has it.
fn pool(mode: &Mode, machine: &Machine, env: &Env, first: &IdMaps) -> Result<IdMaps> {
    if !machine.privileged {
        let rest = |maps: &[IdMap]| maps.iter().copied().filter(|map| map.inside > 0).collect::<Vec<_>>();
        let pool = IdMaps { uid: rest(&first.uid), gid: rest(&first.gid) };
        if pool.uid.is_empty() || pool.gid.is_empty() {
            return Err(machine.needs_subordinate_ids(&format!("--userns={mode}"), env));
        }
        return Ok(pool);
    }
    // No user has this id, so the name alone counts.
    let owner = Owner { name: Some("containers"), uid: u32::MAX };
    let found = Subordinate::of(owner, &machine.sources)?;
    if found.uid.is_empty() || found.gid.is_empty() {
        return Err(Error::unsupported(format!("--userns={mode}: root has no ids to give out"))
            .hint("echo containers:2147483647:2147483648 | sudo tee -a /etc/subuid /etc/subgid"));
    }
    let same = |ranges: &[crate::userns::Range]| {
        ranges.iter().map(|range| IdMap::new(range.start, range.start, range.count)).collect()
    };
    Ok(IdMaps { uid: same(&found.uid), gid: same(&found.gid) })
}

fn forced(mode: &Mode, texts: &[String], first: &[IdMap], kind: Kind) -> Result<Vec<IdMap>> {
    let options = texts.iter().map(|text| text.parse()).collect::<Result<Vec<MapOption>>>()?;
    if options.is_empty() {
        return Ok(Vec::new());
    }
    if options.iter().any(|option| option.extends() || option.flagged()) {
        return Err(Error::usage(format!(
            "--userns={mode}: the flags +, u and g have no meaning in a mapping"
        )));
    }
    map_option::second_step(&options, first, kind)
}

/// Where the host ids of a map lie among the intermediate ones.
fn intermediate(map: IdMap, first: &[IdMap]) -> Vec<IdMap> {
    first
        .iter()
        .filter_map(|piece| {
            let start = u64::from(map.outside.max(piece.outside));
            let end = map.outside_end().min(piece.outside_end());
            let count = u32::try_from(end.checked_sub(start)?).ok().filter(|count| *count > 0)?;
            Some(IdMap::new(0, piece.to_inside(u32::try_from(start).ok()?)?, count))
        })
        .collect()
}

fn runs(maps: &[IdMap]) -> Vec<(u32, u32)> {
    maps.iter().map(|map| (map.outside, map.count)).collect()
}

/// The last `count` ids of `free`, ascending.
fn last(free: &[(u32, u32)], count: u64) -> Vec<(u32, u32)> {
    let mut left = count;
    let mut taken: Vec<(u32, u32)> = free
        .iter()
        .rev()
        .map(|&(start, length)| {
            let take = u32::try_from(left).unwrap_or(u32::MAX).min(length);
            left -= u64::from(take);
            (start + (length - take), take)
        })
        .filter(|run| run.1 > 0)
        .collect();
    taken.reverse();
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_ids_come_in_ascending_order() {
        assert_eq!(last(&[(1, 10), (20, 5)], 7), [(9, 2), (20, 5)]);
        assert_eq!(last(&[(1, 10), (20, 5)], 3), [(22, 3)]);
        assert_eq!(last(&[(1, 10)], 99), [(1, 10)]);
        assert!(last(&[(1, 10)], 0).is_empty());
    }

    #[test]
    fn host_ids_in_use_are_found_among_the_intermediate_ones() {
        let first = [IdMap::new(0, 1000, 1), IdMap::new(1, 100_000, 100), IdMap::new(101, 500_000, 100)];
        let found = intermediate(IdMap::new(0, 100_050, 400_000), &first);
        let runs: Vec<_> = found.iter().map(|map| (map.outside, map.count)).collect();
        assert_eq!(runs, [(51, 50), (101, 50)]);
        assert!(intermediate(IdMap::new(0, 7, 3), &first).is_empty());
    }
}
