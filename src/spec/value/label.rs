//! `--label`, `--label-file`, `--annotation` and `--sysctl`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// `KEY[=VALUE]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Never empty.
    pub key: String,
    /// Possibly empty.
    pub value: String,
}

impl FromStr for Label {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if key.is_empty() || text.contains('\0') {
            return Err(Error::usage(format!("label {text:?}: expected KEY=VALUE")));
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

/// The lines of a label file; blank lines and lines that begin with `#` count for nothing.
pub fn parse_label_file(file: &str, text: &str) -> Result<Vec<Label>> {
    text.lines()
        .zip(1..)
        .map(|(line, number)| (line.trim_start(), number))
        .filter(|(line, _)| !line.is_empty() && !line.starts_with('#'))
        .map(|(line, number)| line.parse().map_err(|error| Error::wrap(format!("{file}:{number}"), error)))
        .collect()
}

/// `NAME=VALUE` for a kernel parameter that belongs to one of the container's namespaces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sysctl {
    /// With dots, as in sysctl(8).
    pub name: String,
    /// Written as it is.
    pub value: String,
}

/// Parameters of the ipc namespace, ipc_namespaces(7).
const IPC: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// Parameters of the uts namespace that have no option of their own.
const UTS: [&str; 1] = ["kernel.domainname"];

impl Sysctl {
    /// Whether it belongs to the ipc namespace.
    pub fn is_ipc(&self) -> bool {
        self.name.starts_with("fs.mqueue.") || IPC.contains(&self.name.as_str())
    }

    /// Whether it belongs to the network namespace, and so cannot be set with the host's.
    pub fn is_network(&self) -> bool {
        self.name.starts_with("net.")
    }
}

impl FromStr for Sysctl {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| Error::usage(format!("--sysctl {text:?}: expected NAME=VALUE")))?;
        let name = name.trim();
        // The name becomes a path under /proc/sys.
        let good = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        };
        if !name.split('.').all(good) || text.contains(['\0', '\n']) {
            return Err(Error::usage(format!("--sysctl {text:?}: {name:?} is not a parameter's name")));
        }
        let namespaced = name.starts_with("net.")
            || name.starts_with("fs.mqueue.")
            || IPC.contains(&name)
            || UTS.contains(&name);
        if !namespaced {
            return Err(Error::usage(format!(
                "--sysctl {text:?}: {name} belongs to the whole machine, not to one of the container's namespaces"
            )));
        }
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_a_key() {
        let label: Label = "a=b=c".parse().unwrap();
        assert_eq!((label.key.as_str(), label.value.as_str()), ("a", "b=c"));
        assert_eq!("a".parse::<Label>().unwrap().value, "");
        assert!("=b".parse::<Label>().is_err());
        let labels = parse_label_file("f", "# c\n\n a=1\nb\n").unwrap();
        assert_eq!(labels.len(), 2);
        assert_eq!(parse_label_file("f", "a=1\n=2").unwrap_err().to_string(), "f:2");
    }

    #[test]
    fn only_namespaced_parameters_are_taken() {
        for good in [
            "net.core.somaxconn=1024",
            "kernel.shmmax=1",
            "fs.mqueue.msg_max=10",
            "net.ipv4.conf.eth0.rp_filter=0",
        ] {
            assert!(good.parse::<Sysctl>().is_ok(), "{good}");
        }
        for bad in [
            "vm.swappiness=1",
            "kernel.core_pattern=|/x",
            "net.core",
            "net...=1",
            "net.../etc=1",
            "net.a/b=1",
            "net.x\n=1",
            "/net.x=1",
            "net.ipv4.=1",
            "=1",
        ] {
            assert!(bad.parse::<Sysctl>().is_err(), "{bad}");
        }
    }
}
