//! Id maps: which id inside a user namespace is which id outside of it.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Context, Error, Result};

/// A run of ids that are mapped one to one: one line of `/proc/PID/uid_map`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IdMap {
    /// The first id in the namespace.
    pub inside: u32,
    /// The first id outside of it: the host's.
    pub outside: u32,
    /// How many ids; at least one.
    pub count: u32,
}

/// The maps of a user namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct IdMaps {
    /// The user ids.
    pub uid: Vec<IdMap>,
    /// The group ids.
    pub gid: Vec<IdMap>,
}

/// Every id as it is: the map of the first user namespace. 2^32 - 1 is no id.
pub(crate) const ALL: IdMap = IdMap::new(0, 0, u32::MAX);

/// How many lines the kernel takes in one map (user_namespaces(7), since 4.15).
pub(crate) const MAX_EXTENTS: usize = 340;

impl IdMap {
    /// One run.
    pub const fn new(inside: u32, outside: u32, count: u32) -> Self {
        Self { inside, outside, count }
    }

    /// What `id` of the namespace is outside.
    pub fn to_outside(self, id: u32) -> Option<u32> {
        let offset = id.checked_sub(self.inside).filter(|offset| *offset < self.count)?;
        self.outside.checked_add(offset)
    }

    /// What the outer `id` is in the namespace.
    pub fn to_inside(self, id: u32) -> Option<u32> {
        let offset = id.checked_sub(self.outside).filter(|offset| *offset < self.count)?;
        self.inside.checked_add(offset)
    }

    /// The first id inside after this run, as a number that cannot overflow.
    pub(crate) fn inside_end(self) -> u64 {
        u64::from(self.inside) + u64::from(self.count)
    }

    /// The first id outside after this run.
    pub(crate) fn outside_end(self) -> u64 {
        u64::from(self.outside) + u64::from(self.count)
    }
}

impl IdMaps {
    /// One id of each kind: what needs no privilege at all.
    pub fn single(inside: (u32, u32), outside: (u32, u32)) -> Self {
        Self { uid: vec![IdMap::new(inside.0, outside.0, 1)], gid: vec![IdMap::new(inside.1, outside.1, 1)] }
    }

    /// The maps of the user namespace that a process is in, by its directory in /proc.
    pub fn of_process(directory: &Path) -> Result<Self> {
        Ok(Self { uid: read(&directory.join("uid_map"))?, gid: read(&directory.join("gid_map"))? })
    }

    /// The host's user id of a container's.
    pub fn uid_outside(&self, id: u32) -> Option<u32> {
        self.uid.iter().find_map(|map| map.to_outside(id))
    }

    /// The host's group id of a container's.
    pub fn gid_outside(&self, id: u32) -> Option<u32> {
        self.gid.iter().find_map(|map| map.to_outside(id))
    }

    /// The container's user id of a host's.
    pub fn uid_inside(&self, id: u32) -> Option<u32> {
        self.uid.iter().find_map(|map| map.to_inside(id))
    }

    /// The container's group id of a host's.
    pub fn gid_inside(&self, id: u32) -> Option<u32> {
        self.gid.iter().find_map(|map| map.to_inside(id))
    }

    /// Both kinds at once: (uid, gid) of the container to the host's, if both are mapped.
    pub fn to_outside(&self, uid: u32, gid: u32) -> Option<(u32, u32)> {
        Some((self.uid_outside(uid)?, self.gid_outside(gid)?))
    }

    /// Both kinds at once: (uid, gid) of the host to the container's, if both are mapped.
    pub fn to_inside(&self, uid: u32, gid: u32) -> Option<(u32, u32)> {
        Some((self.uid_inside(uid)?, self.gid_inside(gid)?))
    }

    /// Whether only one user id and one group id are mapped.
    pub fn is_single(&self) -> bool {
        matches!((&self.uid[..], &self.gid[..]), ([uid], [gid]) if uid.count == 1 && gid.count == 1)
    }

    /// A short name for this mapping, the same on every machine and in every version: 16 hexadecimal
    /// digits. Names what was prepared for one mapping.
    pub fn key(&self) -> String {
        // FNV-1a: stable by definition (std's hasher is not), and a collision only costs a comparison.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in format!("{}|{}", text(&self.uid), text(&self.gid)).bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        format!("{hash:016x}")
    }
}

/// The text of a map as `/proc/PID/uid_map` takes it.
pub(crate) fn text(maps: &[IdMap]) -> String {
    maps.iter().fold(String::new(), |mut text, map| {
        let _ = writeln!(text, "{} {} {}", map.inside, map.outside, map.count);
        text
    })
}

/// Reads a map from `/proc/PID/uid_map` or `gid_map`.
pub(crate) fn read(file: &Path) -> Result<Vec<IdMap>> {
    let content = std::fs::read_to_string(file).context(|| format!("cannot read {}", file.display()))?;
    parse(&content).ok_or_else(|| Error::invalid(format!("{} is not an id map", file.display())))
}

fn parse(content: &str) -> Option<Vec<IdMap>> {
    content
        .lines()
        .map(|line| {
            let mut fields = line.split_ascii_whitespace().map(|field| field.parse().ok());
            let map = IdMap::new(fields.next()??, fields.next()??, fields.next()??);
            fields.next().is_none().then_some(map)
        })
        .collect()
}

/// Puts `second`, whose outer ids are the inner ids of `first`, after `first`: the map that both make
/// together. An id of `second` that `first` does not map is an error, named by `what` (user, group).
pub(crate) fn compose(first: &[IdMap], second: &[IdMap], what: &str) -> Result<Vec<IdMap>> {
    let mut product = Vec::new();
    for map in second {
        let mut done = 0;
        while done < map.count {
            let wanted = map.outside.checked_add(done);
            let found = wanted.and_then(|id| first.iter().find(|piece| piece.to_outside(id).is_some()));
            let (Some(wanted), Some(piece)) = (wanted, found) else {
                return Err(unmapped(first, map, what));
            };
            let offset = wanted - piece.inside;
            let count = (piece.count - offset).min(map.count - done);
            product.push(IdMap::new(map.inside + done, piece.outside + offset, count));
            done += count;
        }
    }
    Ok(product)
}

fn unmapped(first: &[IdMap], map: &IdMap, what: &str) -> Error {
    let available: u64 = first.iter().map(|piece| u64::from(piece.count)).sum();
    Error::usage(format!(
        "{what} ids {}..{} are not available: you have {available} (0 is you, 1.. your subordinate ids)",
        map.outside,
        map.outside_end()
    ))
    .hint("more of them: sudo usermod --add-subuids FIRST-LAST --add-subgids FIRST-LAST $USER")
}

/// Fails if an id inside or outside would be mapped twice; the kernel says only EINVAL.
pub(crate) fn check(maps: &[IdMap], what: &str) -> Result<()> {
    for (index, map) in maps.iter().enumerate() {
        if map.count == 0 || map.inside_end() > u64::from(u32::MAX) || map.outside_end() > u64::from(u32::MAX)
        {
            return Err(Error::usage(format!(
                "cannot map {} {what} ids from {} to {}: ids end at {}",
                map.count,
                map.outside,
                map.inside,
                u32::MAX - 1
            )));
        }
        for other in &maps[..index] {
            let crosses =
                |a: u32, a_end: u64, b: u32, b_end: u64| u64::from(a) < b_end && u64::from(b) < a_end;
            if crosses(map.inside, map.inside_end(), other.inside, other.inside_end()) {
                return Err(twice(what, "container", map.inside.max(other.inside)));
            }
            if crosses(map.outside, map.outside_end(), other.outside, other.outside_end()) {
                return Err(twice(what, "host", map.outside.max(other.outside)));
            }
        }
    }
    Ok(())
}

fn twice(what: &str, side: &str, id: u32) -> Error {
    Error::usage(format!("the maps of {what} ids overlap: {side} id {id} is mapped twice"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const YOU: [IdMap; 3] = [IdMap::new(0, 1000, 1), IdMap::new(1, 100_000, 10), IdMap::new(11, 500_000, 10)];

    #[test]
    fn ids_translate_both_ways_and_stop_at_the_edges() {
        let maps = IdMaps { uid: YOU.to_vec(), gid: vec![IdMap::new(0, 7, 1)] };
        assert_eq!(maps.uid_outside(0), Some(1000));
        assert_eq!(maps.uid_outside(20), Some(500_009));
        assert_eq!(maps.uid_outside(21), None);
        assert_eq!(maps.uid_inside(100_009), Some(10));
        assert_eq!(maps.uid_inside(999), None);
        assert_eq!(maps.to_outside(5, 0), Some((100_004, 7)));
        assert_eq!(maps.to_outside(5, 1), None);
        assert_eq!(IdMap::new(u32::MAX, 5, u32::MAX).to_inside(6), None, "no overflow");
    }

    #[test]
    fn a_product_breaks_at_the_ranges_of_the_first_map() {
        let product = compose(&YOU, &[IdMap::new(0, 1, 15), IdMap::new(15, 0, 1)], "user").unwrap();
        assert_eq!(
            product,
            [IdMap::new(0, 100_000, 10), IdMap::new(10, 500_000, 5), IdMap::new(15, 1000, 1)]
        );
        check(&product, "user").unwrap();
    }

    #[test]
    fn ids_beyond_the_first_map_are_refused_with_the_count_there_is() {
        let error = compose(&YOU, &[IdMap::new(0, 15, 10)], "group").unwrap_err();
        assert!(error.to_string().contains("you have 21"), "{error}");
        assert!(error.hints()[0].contains("--add-subgids"), "{error:?}");
        assert!(compose(&YOU, &[IdMap::new(0, u32::MAX, 2)], "user").is_err());
    }

    #[test]
    fn overlaps_on_either_side_are_named() {
        let inside = check(&[IdMap::new(0, 0, 5), IdMap::new(4, 10, 1)], "user").unwrap_err();
        assert!(inside.to_string().contains("container id 4"), "{inside}");
        let outside = check(&[IdMap::new(0, 0, 5), IdMap::new(9, 3, 9)], "user").unwrap_err();
        assert!(outside.to_string().contains("host id 3"), "{outside}");
        assert!(check(&[IdMap::new(1, 0, u32::MAX)], "user").is_err());
        assert!(check(&[IdMap::new(1, 0, 0)], "user").is_err());
    }

    #[test]
    fn keys_are_stable_and_tell_maps_apart() {
        let one = IdMaps::single((0, 0), (1000, 1000));
        assert_eq!(one.key(), one.clone().key());
        assert_eq!(one.key().len(), 16);
        assert_ne!(one.key(), IdMaps::single((0, 0), (1000, 1001)).key());
        let swapped = IdMaps { uid: YOU.to_vec(), gid: Vec::new() };
        assert_ne!(swapped.key(), IdMaps { uid: Vec::new(), gid: YOU.to_vec() }.key());
        assert!(one.is_single() && !swapped.is_single());
    }

    #[test]
    fn proc_maps_parse() {
        assert_eq!(parse("         0       1000          1\n 1 100000 65536\n").unwrap().len(), 2);
        assert!(parse("0 1\n").is_none() && parse("0 1 2 3\n").is_none() && parse("a b c\n").is_none());
        read(Path::new("/proc/self/uid_map")).unwrap();
    }
}
