//! The values of `--uidmap` and `--gidmap`: `[+ug]CONTAINER:[@]FROM[:COUNT]` (podman-run(1)).

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::userns::IdMap;

/// Which ids a map is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Group,
}

impl Kind {
    /// As errors name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }
}

/// One value as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MapOption {
    /// `+`: takes its ids away from the maps before it.
    extends: bool,
    /// `u`, `g`; without either, both.
    users: bool,
    groups: bool,
    /// `@`: `from` is a host id, to be looked up among the intermediate ones.
    host: bool,
    inside: u32,
    from: u32,
    count: u32,
}

impl FromStr for MapOption {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let malformed = || {
            Error::usage(format!("{text:?} is not an id map")).hint(
                "an id map is [+ug]CONTAINER_ID:[@]FROM_ID[:COUNT], for example 0:1:1000 or +g2000:@2000",
            )
        };
        let digits = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
        let (flags, numbers) = text.split_at(digits);
        if flags.chars().any(|flag| !"+ug".contains(flag)) {
            return Err(malformed());
        }
        let (users, groups) = (flags.contains('u'), flags.contains('g'));
        let fields: Vec<&str> = numbers.split(':').collect();
        let (inside, from, count) = match fields[..] {
            [inside, from] => (inside, from, "1"),
            [inside, from, count] => (inside, from, count),
            _ => return Err(malformed()),
        };
        let id = |field: &str| {
            let plain = !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| field.parse::<u32>().ok()).flatten().ok_or_else(malformed)
        };
        let option = Self {
            extends: flags.contains('+'),
            users: users || !groups,
            groups: groups || !users,
            host: from.starts_with('@'),
            inside: id(inside)?,
            from: id(from.strip_prefix('@').unwrap_or(from))?,
            count: id(count)?,
        };
        if option.count == 0 {
            return Err(Error::usage(format!("the id map {text:?} maps no id: the count is at least 1")));
        }
        Ok(option)
    }
}

impl MapOption {
    /// Whether it takes its ids away from the maps before it.
    pub(crate) fn extends(&self) -> bool {
        self.extends
    }

    /// Whether it is for one kind of ids only.
    pub(crate) fn flagged(&self) -> bool {
        self.users != self.groups
    }

    fn is_for(&self, kind: Kind) -> bool {
        match kind {
            Kind::User => self.users,
            Kind::Group => self.groups,
        }
    }

    /// The map from intermediate ids that was asked for; several pieces where host ids lie apart.
    fn resolve(&self, first: &[IdMap], kind: Kind) -> Result<Vec<IdMap>> {
        if !self.host {
            return Ok(vec![IdMap::new(self.inside, self.from, self.count)]);
        }
        let mut pieces = Vec::new();
        let mut done = 0;
        while done < self.count {
            let host = self.from.checked_add(done);
            let found = host.and_then(|id| Some((id, first.iter().find(|map| map.to_inside(id).is_some())?)));
            let (Some((host, map)), Some(inside)) = (found, self.inside.checked_add(done)) else {
                return Err(Error::usage(format!(
                    "host {} id {} is neither yours nor one of your subordinate ids",
                    kind.name(),
                    u64::from(self.from) + u64::from(done)
                )));
            };
            let offset = host - map.outside;
            let count = (map.count - offset).min(self.count - done);
            pieces.push(IdMap::new(inside, map.inside + offset, count));
            done += count;
        }
        Ok(pieces)
    }
}

/// Parses the values of both options and deals them out: (for users, for groups). One option alone is
/// meant for both kinds, except for values that carry a `u` or a `g`.
pub(crate) fn deal(uidmaps: &[String], gidmaps: &[String]) -> Result<(Vec<MapOption>, Vec<MapOption>)> {
    let parse = |values: &[String], name: &str, kind: Option<Kind>| -> Result<Vec<MapOption>> {
        let mut options = Vec::new();
        // podman takes several, separated by commas, in one value.
        for value in values.iter().flat_map(|value| value.split(',')).filter(|value| !value.is_empty()) {
            let option: MapOption = value.parse()?;
            if kind.is_some_and(|kind| !option.is_for(kind)) {
                return Err(Error::usage(format!(
                    "--{name} {value} is flagged for the other kind of ids, which has an option of its own here"
                )));
            }
            options.push(option);
        }
        Ok(options)
    };
    let both = !uidmaps.is_empty() && !gidmaps.is_empty();
    let users = parse(uidmaps, "uidmap", both.then_some(Kind::User))?;
    let groups = parse(gidmaps, "gidmap", both.then_some(Kind::Group))?;
    if both {
        return Ok((users, groups));
    }
    let all = [users, groups].concat();
    let of = |kind| all.iter().copied().filter(|option| option.is_for(kind)).collect();
    Ok((of(Kind::User), of(Kind::Group)))
}

/// The second step (container to intermediate ids) that `options` ask for, over the intermediate ids of
/// `first`. None at all means every id as it is. Where the very first option extends (`+`), it extends the
/// whole: what is left is filled in from 0 on.
pub(crate) fn second_step(options: &[MapOption], first: &[IdMap], kind: Kind) -> Result<Vec<IdMap>> {
    let mut maps: Vec<IdMap> = Vec::new();
    for option in options {
        for piece in option.resolve(first, kind)? {
            if option.extends {
                maps = maps.iter().flat_map(|map| without(*map, piece)).collect();
            }
            maps.push(piece);
        }
    }
    if options.first().is_none_or(|option| option.extends) {
        let free = free_ids(first, &maps);
        fill(&mut maps, &free, u64::MAX);
    }
    Ok(tidy(maps))
}

/// What remains of `map` when the ids of `taken`, on either side, are taken out of it.
fn without(map: IdMap, taken: IdMap) -> Vec<IdMap> {
    let cut = |pieces: Vec<IdMap>, side: fn(&IdMap) -> u32, start: u32| {
        let (start, end) = (u64::from(start), u64::from(start) + u64::from(taken.count));
        let mut left = Vec::new();
        for piece in pieces {
            let (from, to) = (u64::from(side(&piece)), u64::from(side(&piece)) + u64::from(piece.count));
            let (low, high) = (start.clamp(from, to), end.clamp(from, to));
            // Both differences are at most piece.count.
            let (before, skip) = ((low - from) as u32, (high.max(low) - from) as u32);
            left.push(IdMap { count: before, ..piece });
            if skip < piece.count {
                let (inside, outside) = (piece.inside + skip, piece.outside + skip);
                left.push(IdMap::new(inside, outside, piece.count - skip));
            }
        }
        left.retain(|piece| piece.count > 0);
        left
    };
    let pieces = cut(vec![map], |piece| piece.inside, taken.inside);
    cut(pieces, |piece| piece.outside, taken.outside)
}

/// The intermediate ids of `first` that `maps` leave: runs of (start, count), ascending.
pub(crate) fn free_ids(first: &[IdMap], maps: &[IdMap]) -> Vec<(u32, u32)> {
    let mut all: Vec<(u32, u32)> = first.iter().map(|map| (map.inside, map.count)).collect();
    all.sort_unstable();
    let mut taken: Vec<(u32, u32)> = maps.iter().map(|map| (map.outside, map.count)).collect();
    taken.sort_unstable();
    subtract(&all, &taken)
}

/// The runs of `all` without those of `taken`; both ascending.
pub(crate) fn subtract(all: &[(u32, u32)], taken: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut free = Vec::new();
    for &(start, count) in all {
        let (mut next, end) = (u64::from(start), u64::from(start) + u64::from(count));
        for &(taken_start, taken_count) in taken {
            let (from, to) = (u64::from(taken_start), u64::from(taken_start) + u64::from(taken_count));
            if to <= next || from >= end {
                continue;
            }
            if from > next {
                free.push((next as u32, (from - next) as u32));
            }
            next = to.min(end);
        }
        if next < end {
            free.push((next as u32, (end - next) as u32));
        }
    }
    free
}

/// Maps the ids of `free` to the lowest container ids that `maps` leave, until `limit` ids are mapped.
pub(crate) fn fill(maps: &mut Vec<IdMap>, free: &[(u32, u32)], limit: u64) {
    let mut used: Vec<(u32, u32)> = maps.iter().map(|map| (map.inside, map.count)).collect();
    used.sort_unstable();
    let mut left = limit.saturating_sub(maps.iter().map(|map| u64::from(map.count)).sum());
    let mut gaps = subtract(&[(0, u32::MAX)], &used).into_iter();
    let Some(mut gap) = gaps.next() else { return };
    for &(mut start, mut count) in free {
        while count > 0 && left > 0 {
            let step = count.min(gap.1).min(u32::try_from(left).unwrap_or(u32::MAX));
            maps.push(IdMap::new(gap.0, start, step));
            (start, count, left) = (start.saturating_add(step), count - step, left - u64::from(step));
            gap = (gap.0.saturating_add(step), gap.1 - step);
            if gap.1 == 0 {
                let Some(next) = gaps.next() else { return };
                gap = next;
            }
        }
    }
}

/// Sorts by container id and joins what continues on both sides.
pub(crate) fn tidy(mut maps: Vec<IdMap>) -> Vec<IdMap> {
    maps.retain(|map| map.count > 0);
    maps.sort_unstable_by_key(|map| map.inside);
    let mut joined: Vec<IdMap> = Vec::with_capacity(maps.len());
    for map in maps {
        match joined.last_mut() {
            Some(last)
                if last.inside_end() == u64::from(map.inside)
                    && last.outside_end() == u64::from(map.outside) =>
            {
                last.count += map.count;
            }
            _ => joined.push(map),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::userns::id_map;
    use proptest::prelude::*;

    const FIRST: [IdMap; 2] = [IdMap::new(0, 1000, 1), IdMap::new(1, 100_000, 65_536)];

    fn both(uidmaps: &[&str], gidmaps: &[&str]) -> Result<[String; 2]> {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let (users, groups) = deal(&owned(uidmaps), &owned(gidmaps))?;
        let text = |options: &[MapOption], kind| -> Result<String> {
            let maps = second_step(options, &FIRST, kind)?;
            id_map::check(&maps, "user")?;
            let runs = maps.iter().map(|map| format!("{} {} {}", map.inside, map.outside, map.count));
            Ok(runs.collect::<Vec<_>>().join(","))
        };
        Ok([text(&users, Kind::User)?, text(&groups, Kind::Group)?])
    }

    /// Each expectation is what `podman run` 5.4.2 wrote to /proc/self/{uid,gid}_map, adjacent runs joined.
    #[test]
    fn the_maps_are_those_of_podman() {
        let cases: &[(&[&str], &[&str], &str, &str)] = &[
            (&["0:0:1"], &[], "0 0 1", "0 0 1"),
            (&["0:1:1000", "1000:0"], &[], "0 1 1000,1000 0 1", "0 1 1000,1000 0 1"),
            (&["0:0:65000", "+100000:1:1"], &[], "0 0 1,2 2 64998,100000 1 1", "0 0 1,2 2 64998,100000 1 1"),
            (&["+100000:1:1"], &[], "0 0 1,1 2 65535,100000 1 1", "0 0 1,1 2 65535,100000 1 1"),
            (&["+100000:@100000:1"], &[], "0 0 1,1 2 65535,100000 1 1", "0 0 1,1 2 65535,100000 1 1"),
            (&["+100000:@1000:1"], &[], "0 1 65536,100000 0 1", "0 1 65536,100000 0 1"),
            (&[], &["+g100000:@100005"], "0 0 65537", "0 0 6,6 7 65530,100000 6 1"),
            (&[], &["0:0:1000", "g2000:2000:1"], "0 0 1000", "0 0 1000,2000 2000 1"),
            (&["u0:0:1000"], &[], "0 0 1000", "0 0 65537"),
            (&["0:@100000:100"], &[], "0 1 100", "0 1 100"),
            (&["0:0:10", "+5:20:2"], &[], "0 0 5,5 20 2,7 7 3", "0 0 5,5 20 2,7 7 3"),
            (&["0:0:10", "+20:5:2"], &[], "0 0 5,7 7 3,20 5 2", "0 0 5,7 7 3,20 5 2"),
            (&["0:0:10", "+5:5:2"], &[], "0 0 10", "0 0 10"),
            (&[""], &[], "0 0 65537", "0 0 65537"),
            (&["0:0:1,,5:1:1,"], &[], "0 0 1,5 1 1", "0 0 1,5 1 1"),
            (&["70000:1:1", "+0:0:1"], &[], "0 0 1,70000 1 1", "0 0 1,70000 1 1"),
            (&["0:0:1", "u+5:1:1", "g6:1:1"], &[], "0 0 1,5 1 1", "0 0 1,6 1 1"),
            (&["+80000:@1000", "+80000:1"], &[], "0 0 1,1 2 65535,80000 1 1", "0 0 1,1 2 65535,80000 1 1"),
            (&["ug0:0:10"], &[], "0 0 10", "0 0 10"),
            (&["g+0:0:10"], &[], "0 0 65537", "0 0 65537"),
            (&["u+5:0:1"], &[], "0 1 5,5 0 1,6 6 65531", "0 0 65537"),
            (&["u0:0:1"], &["g0:0:1"], "0 0 1", "0 0 1"),
            (&[], &["u0:0:5", "g0:1:3"], "0 0 5", "0 1 3"),
            (&["+0:1:1"], &[], "0 1 1,1 0 1,2 2 65535", "0 1 1,1 0 1,2 2 65535"),
            (&["+5:0:1", "+6:1:1"], &[], "0 2 5,5 0 2,7 7 65530", "0 2 5,5 0 2,7 7 65530"),
            (
                &["+5:0:1", "70000:1:1"],
                &[],
                "0 2 5,5 0 1,6 7 65530,70000 1 1",
                "0 2 5,5 0 1,6 7 65530,70000 1 1",
            ),
        ];
        for (uidmaps, gidmaps, users, groups) in cases {
            let [got_users, got_groups] = both(uidmaps, gidmaps).unwrap();
            assert_eq!((&*got_users, &*got_groups), (*users, *groups), "{uidmaps:?} {gidmaps:?}");
        }
    }

    #[test]
    fn what_cannot_be_mapped_is_refused() {
        for wrong in [
            "abc",
            "0",
            "0:0:0",
            "0:0:1:1",
            "0:-1:1",
            "0: 1:1",
            "0:0:+1",
            "x0:0:1",
            "@0:1:1",
            "0:@:1",
            "4294967296:0:1",
            ":0:1",
            "u",
            "0:@4294967295:2",
            "0:@2000:1",
            "5:0:4294967295",
        ] {
            assert!(both(&[wrong], &[]).is_err(), "{wrong}");
        }
        assert!(both(&["0:0:10", "5:20:10"], &[]).is_err());
        assert!(both(&["0:0:10", "20:5:10"], &[]).is_err());
        let flagged = both(&["g0:0:1"], &["0:0:1"]).unwrap_err();
        assert!(flagged.to_string().contains("other kind"), "{flagged}");
    }

    #[test]
    fn host_ids_that_lie_apart_become_pieces() {
        let first = [IdMap::new(0, 7, 1), IdMap::new(1, 8, 3), IdMap::new(4, 100, 5)];
        let option: MapOption = "50:@7:4".parse().unwrap();
        let maps = second_step(&[option], &first, Kind::User).unwrap();
        assert_eq!(maps, [IdMap::new(50, 0, 4)]);
        assert!("50:@7:5".parse::<MapOption>().unwrap().resolve(&first, Kind::User).is_err());
    }

    proptest! {
        #[test]
        fn no_value_panics(text in "[+ug@:0-9x]{0,24}") {
            if let Ok(option) = text.parse::<MapOption>() {
                let _ = second_step(&[option], &FIRST, Kind::User);
            }
        }

        #[test]
        fn extending_maps_never_overlap(
            values in proptest::collection::vec((0u32..70_000, 0u32..60_000, 1u32..5_000), 1..6)
        ) {
            let options: Vec<MapOption> = values
                .iter()
                .map(|(inside, from, count)| format!("+{inside}:{from}:{count}").parse().unwrap())
                .collect();
            let maps = second_step(&options, &FIRST, Kind::User).unwrap();
            prop_assert!(id_map::check(&maps, "user").is_ok());
            let total: u64 = maps.iter().map(|map| u64::from(map.count)).sum();
            prop_assert_eq!(total, 65_537);
        }
    }
}
