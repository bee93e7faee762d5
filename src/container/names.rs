//! Names of containers: claimed by one atomic symlink(2), made up where none is given.

use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::{Container, Directory};
use crate::error::{Context, Error, Kind, Result};
use crate::storage::Store;
use crate::sys::atomic;

const ADJECTIVES: &[&str] = &[
    "able", "agile", "amber", "ample", "azure", "bold", "brave", "bright", "brisk", "calm", "candid",
    "clever", "cosmic", "crisp", "daring", "deft", "eager", "early", "elated", "fair", "fluent", "fond",
    "frank", "gentle", "glad", "golden", "happy", "hardy", "honest", "humble", "jolly", "keen", "kind",
    "lively", "lucid", "lucky", "mellow", "merry", "modest", "neat", "nimble", "noble", "patient", "placid",
    "polite", "prompt", "proud", "quick", "quiet", "rapid", "ready", "serene", "sharp", "silent", "sincere",
    "smart", "snug", "solid", "steady", "stoic", "sunny", "swift", "tender", "tidy", "upbeat", "vivid",
    "warm", "wise", "witty", "zealous",
];

const SURNAMES: &[&str] = &[
    "abel", "agnesi", "ampere", "babbage", "banach", "bell", "bohr", "boole", "bose", "cantor", "cerf",
    "clarke", "curie", "darwin", "dijkstra", "dirac", "einstein", "erdos", "euclid", "euler", "faraday",
    "fermat", "fermi", "feynman", "fourier", "franklin", "galileo", "galois", "gauss", "germain", "godel",
    "goodall", "hamilton", "hawking", "hertz", "hilbert", "hodgkin", "hoover", "hopper", "hypatia", "kepler",
    "khorana", "knuth", "lamarr", "lamport", "leibniz", "liskov", "lovelace", "maxwell", "meitner", "mendel",
    "napier", "nash", "newton", "noether", "pascal", "pasteur", "perlman", "planck", "raman", "ride",
    "ritchie", "shannon", "snyder", "tesla", "thompson", "torvalds", "turing", "volta", "wiles", "wozniak",
    "yonath",
];

fn path(store: &Store, name: &str) -> PathBuf {
    store.root().join("names").join(name)
}

/// The id that holds `name`, if any.
pub fn holder(store: &Store, name: &str) -> Result<Option<String>> {
    if name.is_empty() || name.contains('/') {
        return Ok(None);
    }
    match std::fs::read_link(path(store, name)) {
        Ok(target) => Ok(target.to_str().map(str::to_owned)),
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::InvalidInput) =>
        {
            Ok(None)
        }
        Err(error) => Err(Error::wrap(format!("cannot read the name {name:?}"), error)),
    }
}

/// Claims `name` for `id`. A name whose container is gone is taken over.
pub fn claim(store: &Store, name: &str, id: &str) -> Result<()> {
    let path = path(store, name);
    for _ in 0..16 {
        match symlink(id, &path) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                store.directory("names")?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let Some(other) = holder(store, name)? else { continue };
                if is_in_use(store, &other)? {
                    return Err(Error::new(
                        Kind::Conflict,
                        format!("the container name {name:?} is already in use by {other}"),
                    )
                    .hint(format!("rcon rm {name}, or --replace")));
                }
                release(store, name, &other)?;
            }
            Err(error) => return Err(Error::wrap(format!("cannot claim the name {name:?}"), error)),
        }
    }
    Err(Error::new(Kind::Conflict, format!("the container name {name:?} is taken again and again")))
}

/// A container that is being made has a held lock; one that was made has a record.
fn is_in_use(store: &Store, id: &str) -> Result<bool> {
    let directory = Directory::of(store, id);
    if directory.is_alive()? {
        return Ok(true);
    }
    // A dead container that was to be removed at its end keeps no name.
    Ok(Container::load(directory)?.is_some_and(|container| !container.record.remove))
}

/// Gives `name` back if `id` still holds it.
pub fn release(store: &Store, name: &str, id: &str) -> Result<()> {
    if holder(store, name)?.as_deref() == Some(id) {
        atomic::remove_optional(&path(store, name))?;
    }
    Ok(())
}

/// Makes up a name that nobody holds and claims it.
pub fn claim_any(store: &Store, id: &str) -> Result<String> {
    let seed = u64::from_str_radix(&atomic::random_hex(7)?, 16).context(|| "random number")? as usize;
    for attempt in 0..64 {
        let number = seed.wrapping_add(attempt * 7919);
        let adjective = ADJECTIVES[number % ADJECTIVES.len()];
        let surname = SURNAMES[(number / ADJECTIVES.len()) % SURNAMES.len()];
        let mut name = format!("{adjective}_{surname}");
        if attempt >= 8 {
            name.push_str(&(number % 1000).to_string());
        }
        match claim(store, &name, id) {
            Ok(()) => return Ok(name),
            Err(error) if error.kind() == Kind::Conflict => {}
            Err(error) => return Err(error),
        }
    }
    Err(Error::new(Kind::Conflict, "cannot find a free name").hint("--name NAME"))
}
