//! `--pid`, `--ipc` and `--uts`: whose namespace a container is in.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Whose namespace it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NamespaceMode {
    /// The container's own.
    #[default]
    Private,
    /// The caller's.
    Host,
    /// `container:NAME|ID`: that of a container that runs.
    Container(String),
    /// `ns:PATH`: the one that a file leads to.
    Path(PathBuf),
}

impl NamespaceMode {
    /// Whether it is the container's own.
    pub fn is_private(&self) -> bool {
        *self == Self::Private
    }

    /// Whether it is the caller's.
    pub fn is_host(&self) -> bool {
        *self == Self::Host
    }
}

impl FromStr for NamespaceMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once(':') {
            None if text.is_empty() || text == "private" => Ok(Self::Private),
            None if text == "host" => Ok(Self::Host),
            Some(("container", name)) if !name.is_empty() => Ok(Self::Container(name.to_owned())),
            Some(("ns", path)) if path.starts_with('/') && !path.contains('\0') => {
                Ok(Self::Path(PathBuf::from(path)))
            }
            Some(("ns", _)) => Err(Error::usage(format!("{text:?}: the path must be absolute"))),
            Some(("container", _)) => Err(Error::usage(format!("{text:?}: the container's name is missing"))),
            _ => Err(Error::usage(format!(
                "unrecognized namespace mode {text:?}: expected private, host, container:NAME or ns:PATH"
            ))),
        }
    }
}

/// `--ipc`: also says whether there is a /dev/shm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IpcMode {
    /// Whose namespace it is.
    pub namespace: NamespaceMode,
    /// Whether /dev/shm is mounted; not with `none`.
    pub shm: bool,
}

impl Default for IpcMode {
    fn default() -> Self {
        Self { namespace: NamespaceMode::Private, shm: true }
    }
}

impl FromStr for IpcMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "none" => Ok(Self { shm: false, ..Self::default() }),
            // Every container's namespace can be joined.
            "shareable" => Ok(Self::default()),
            _ => Ok(Self { namespace: text.parse()?, ..Self::default() }),
        }
    }
}

/// `--systemd`: whether the container is prepared for systemd as its first process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SystemdMode {
    /// `true`: where the command is systemd or an init.
    #[default]
    Detect,
    /// `false`
    Never,
    /// `always`
    Always,
}

impl FromStr for SystemdMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "true" => Ok(Self::Detect),
            "false" => Ok(Self::Never),
            "always" => Ok(Self::Always),
            _ => Err(Error::usage(format!("--systemd {text:?}: expected true, false or always"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_podmans() {
        let mode = |text: &str| text.parse::<NamespaceMode>().unwrap();
        assert_eq!(mode("private"), NamespaceMode::Private);
        assert_eq!(mode("host"), NamespaceMode::Host);
        assert_eq!(mode("container:web"), NamespaceMode::Container("web".into()));
        assert_eq!(mode("ns:/proc/7/ns/pid"), NamespaceMode::Path("/proc/7/ns/pid".into()));
        for bad in ["none", "container:", "ns:", "ns:x", "foo", "host:x"] {
            assert!(bad.parse::<NamespaceMode>().is_err(), "{bad}");
        }
        assert!(!"none".parse::<IpcMode>().unwrap().shm);
        assert_eq!("shareable".parse::<IpcMode>().unwrap(), IpcMode::default());
        assert!("ipc".parse::<IpcMode>().is_err() && "yes".parse::<SystemdMode>().is_err());
    }
}
