//! The value of `--userns`.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Kind, Result};

/// Which user namespace a container gets (podman-run(1), `--userns`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Container root is you; your subordinate ids follow from 1 on.
    #[default]
    Host,
    /// You keep your ids (or get the given ones); the subordinate ids fill what is around them.
    KeepId {
        /// The user id to be in the container, the own one by default.
        uid: Option<u32>,
        /// The group id to be in the container, the own one by default.
        gid: Option<u32>,
        /// How many ids the namespace has at most.
        size: Option<u32>,
    },
    /// Only subordinate ids: you do not exist in the container.
    NoMap,
    /// Subordinate ids that no other container has.
    Auto {
        /// How many ids, 1024 or what the image needs by default.
        size: Option<u32>,
        /// User ids that must be mapped, in the syntax of `--uidmap`.
        uidmaps: Vec<String>,
        /// Group ids that must be mapped, in the syntax of `--gidmap`.
        gidmaps: Vec<String>,
    },
}

impl FromStr for Mode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, options) = text.split_once(':').map_or((text, None), |(name, rest)| (name, Some(rest)));
        match (name, options) {
            ("" | "host", None) => Ok(Self::Host),
            ("nomap", None) => Ok(Self::NoMap),
            ("keep-id", options) => keep_id(text, options),
            ("auto", options) => auto(text, options),
            ("container" | "ns", Some(_)) => Err(Error::unsupported(format!(
                "--userns={text}: joining another user namespace is not supported"
            ))
            .hint("host, keep-id, nomap and auto give the container a user namespace of its own")),
            _ => Err(Error::usage(format!("--userns={text}: no such mode"))
                .hint("host, keep-id[:uid=UID,gid=GID,size=N], nomap or auto[:size=N]")),
        }
    }
}

fn keep_id(text: &str, options: Option<&str>) -> Result<Mode> {
    let (mut uid, mut gid, mut size) = (None, None, None);
    for (name, value) in pairs(text, options)? {
        let place = match name {
            "uid" => &mut uid,
            "gid" => &mut gid,
            "size" => &mut size,
            _ => return Err(unknown_option(text, name, "uid=UID, gid=GID, size=N")),
        };
        *place = Some(number(text, name, value)?);
    }
    Ok(Mode::KeepId { uid, gid, size: at_least_one(text, size)? })
}

fn auto(text: &str, options: Option<&str>) -> Result<Mode> {
    let (mut size, mut uidmaps, mut gidmaps) = (None, Vec::new(), Vec::new());
    for (name, value) in pairs(text, options)? {
        match name {
            "size" => size = Some(number(text, name, value)?),
            "uidmapping" => uidmaps.push(value.to_owned()),
            "gidmapping" => gidmaps.push(value.to_owned()),
            _ => {
                let known = "size=N, uidmapping=CTR:FROM:N, gidmapping=CTR:FROM:N";
                return Err(unknown_option(text, name, known));
            }
        }
    }
    Ok(Mode::Auto { size: at_least_one(text, size)?, uidmaps, gidmaps })
}

fn pairs<'a>(text: &'a str, options: Option<&'a str>) -> Result<Vec<(&'a str, &'a str)>> {
    options
        .into_iter()
        .flat_map(|options| options.split(','))
        .map(|option| {
            option.split_once('=').ok_or_else(|| {
                Error::usage(format!("--userns={text}: {option:?} is not of the form NAME=VALUE"))
            })
        })
        .collect()
}

/// Ids end before 2^32 - 1, which the kernel keeps for "no id".
fn number(text: &str, name: &str, value: &str) -> Result<u32> {
    value.parse().ok().filter(|number| *number != u32::MAX).ok_or_else(|| {
        Error::usage(format!("--userns={text}: {name}={value} is not an id or a number of ids"))
    })
}

fn at_least_one(text: &str, size: Option<u32>) -> Result<Option<u32>> {
    if size == Some(0) {
        return Err(Error::usage(format!("--userns={text}: a user namespace has at least one id")));
    }
    Ok(size)
}

fn unknown_option(text: &str, name: &str, known: &str) -> Error {
    Error::new(Kind::Usage, format!("--userns={text}: no such option {name:?}")).hint(known)
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, options) = match self {
            Self::Host => ("host", Vec::new()),
            Self::NoMap => ("nomap", Vec::new()),
            Self::KeepId { uid, gid, size } => (
                "keep-id",
                [("uid", uid), ("gid", gid), ("size", size)]
                    .iter()
                    .filter_map(|(name, value)| value.map(|value| format!("{name}={value}")))
                    .collect(),
            ),
            Self::Auto { size, uidmaps, gidmaps } => (
                "auto",
                size.iter()
                    .map(|size| format!("size={size}"))
                    .chain(uidmaps.iter().map(|map| format!("uidmapping={map}")))
                    .chain(gidmaps.iter().map(|map| format!("gidmapping={map}")))
                    .collect(),
            ),
        };
        if options.is_empty() { f.write_str(name) } else { write!(f, "{name}:{}", options.join(",")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_parse_and_print_themselves() {
        for text in [
            "host",
            "keep-id",
            "keep-id:uid=200,gid=210",
            "keep-id:size=5",
            "nomap",
            "auto",
            "auto:size=8192,uidmapping=0:@1000:1,gidmapping=0:1:1",
        ] {
            assert_eq!(text.parse::<Mode>().unwrap().to_string(), text);
        }
        assert_eq!("".parse::<Mode>().unwrap(), Mode::Host);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, expected) in [
            ("container:abc", "not supported"),
            ("ns:/proc/1/ns/user", "not supported"),
            ("hots", "no such mode"),
            ("host:x", "no such mode"),
            ("nomap:size=1", "no such mode"),
            ("keep-id:", "NAME=VALUE"),
            ("keep-id:uid", "NAME=VALUE"),
            ("keep-id:uid=-1", "uid=-1"),
            ("keep-id:uid=4294967295", "not an id"),
            ("keep-id:user=1", "no such option"),
            ("auto:size=0", "at least one"),
            ("auto:size=99999999999", "size=99999999999"),
        ] {
            let error = text.parse::<Mode>().unwrap_err();
            assert!(error.to_string().contains(expected), "{text}: {error}");
        }
    }
}
