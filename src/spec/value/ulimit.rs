//! `--ulimit`.

use std::str::FromStr;

use oci_spec::runtime::PosixRlimitType;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// One `--ulimit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ulimit {
    /// `host`: every limit is the caller's.
    Host,
    /// `NAME=SOFT[:HARD]`
    Set {
        /// Which resource.
        resource: PosixRlimitType,
        /// The limit in force.
        soft: Limit,
        /// Its ceiling.
        hard: Limit,
    },
}

/// A limit's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Limit(u64);

impl Limit {
    /// A limit of `value`; `u64::MAX` (RLIM_INFINITY) is none.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// As setrlimit(2) takes it.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl FromStr for Limit {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "-1" | "unlimited" => Ok(Self(u64::MAX)),
            _ if text.starts_with('+') => Err(()),
            _ => text.parse().map(Self).map_err(|_| ()),
        }
    }
}

fn resource(name: &str) -> Option<PosixRlimitType> {
    let upper = name.to_ascii_uppercase();
    serde_json::from_value(format!("RLIMIT_{}", upper.strip_prefix("RLIMIT_").unwrap_or(&upper)).into()).ok()
}

impl FromStr for Ulimit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "host" {
            return Ok(Self::Host);
        }
        let wrong = |why: &str| Error::usage(format!("--ulimit {text:?}: {why}"));
        let (name, limits) =
            text.split_once('=').ok_or_else(|| wrong("expected NAME=SOFT[:HARD] or host"))?;
        let resource = resource(name).ok_or_else(|| wrong("there is no such resource"))?;
        let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
        let limit =
            |text: &str| text.parse::<Limit>().map_err(|()| wrong("a limit is a number, -1 or unlimited"));
        let (soft, hard) = (limit(soft)?, limit(hard)?);
        if soft > hard {
            return Err(wrong("the soft limit is above the hard limit"));
        }
        Ok(Self::Set { resource, soft, hard })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_and_its_limits() {
        let show = |text: &str| match text.parse::<Ulimit>().unwrap() {
            Ulimit::Host => "host".to_owned(),
            Ulimit::Set { resource, soft, hard } => format!("{resource:?} {} {}", soft.value(), hard.value()),
        };
        assert_eq!(show("nofile=10:20"), "RlimitNofile 10 20");
        assert_eq!(show("RLIMIT_NPROC=5"), "RlimitNproc 5 5");
        assert_eq!(show("core=-1:unlimited"), format!("RlimitCore {0} {0}", u64::MAX));
        assert_eq!(show("host"), "host");
        for bad in [
            "",
            "nofile",
            "nofile=",
            "nofile=a",
            "nofile=20:10",
            "nofile=-1:10",
            "foo=1",
            "nofile=1:2:3",
            "nofile=-2",
            "=1",
        ] {
            assert!(bad.parse::<Ulimit>().is_err(), "{bad}");
        }
    }
}
