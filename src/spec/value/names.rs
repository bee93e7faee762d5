//! Names of containers, volumes, hosts and time zones.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub struct $type(String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A container's name: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, so that it is also a safe file name.
    ContainerName
);
name!(
    /// A volume's name: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, so that it is also a safe file name.
    VolumeName
);
name!(
    /// A host name: letters, digits, `-` and `.`, up to the 64 bytes that the kernel keeps.
    Hostname
);
name!(
    /// A time zone: `local` (the host's), or a name of the zone database like `Europe/Berlin`.
    Timezone
);

fn file_name(text: &str, what: &str) -> Result<String> {
    let bytes = text.as_bytes();
    let good = bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    if !good {
        return Err(Error::usage(format!("{what} {text:?} must match [a-zA-Z0-9][a-zA-Z0-9_.-]*")));
    }
    if bytes.len() > 250 {
        return Err(Error::usage(format!("{what} {:?}… is longer than 250 bytes", &text[..40])));
    }
    Ok(text.to_owned())
}

impl FromStr for ContainerName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // Podman takes a leading slash, as Docker's API shows it.
        file_name(text.strip_prefix('/').unwrap_or(text), "container name").map(Self)
    }
}

impl FromStr for VolumeName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        file_name(text, "volume name").map(Self)
    }
}

impl FromStr for Hostname {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::usage(format!("host name {text:?} {why}"));
        if text.len() > 64 {
            return Err(wrong("is longer than 64 bytes"));
        }
        let label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        if !text.split('.').all(label) {
            return Err(wrong("must be of letters, digits and '-', in parts separated by '.'"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl Timezone {
    /// The file of the host that describes it.
    pub fn host_file(&self) -> PathBuf {
        match self.0.as_str() {
            "local" => PathBuf::from("/etc/localtime"),
            name => PathBuf::from("/usr/share/zoneinfo").join(name),
        }
    }
}

impl FromStr for Timezone {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+'))
        };
        if !text.split('/').all(part) {
            return Err(Error::usage(format!(
                "time zone {text:?}: expected local or a name like Europe/Berlin"
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_file_names() {
        for good in ["a", "web-1", "A.b_c", "/web"] {
            assert!(good.parse::<ContainerName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-a", "a/b", "a b", "é", "a\n", "//a"] {
            assert!(bad.parse::<ContainerName>().is_err(), "{bad}");
            assert!(bad.parse::<VolumeName>().is_err(), "{bad}");
        }
        assert!("a".repeat(251).parse::<ContainerName>().is_err());
    }

    #[test]
    fn host_names_and_zones_are_checked() {
        for good in ["a", "web-1.example.org", &"a".repeat(64)] {
            assert!(good.parse::<Hostname>().is_ok(), "{good}");
        }
        for bad in ["", ".", "a..b", "-a", "a b", "a\nb", &"a".repeat(65)] {
            assert!(bad.parse::<Hostname>().is_err(), "{bad}");
        }
        assert_eq!("local".parse::<Timezone>().unwrap().host_file(), PathBuf::from("/etc/localtime"));
        assert!("Etc/GMT+1".parse::<Timezone>().is_ok());
        for bad in ["", "/etc/passwd", "../../etc/passwd", "a//b", "a/../b"] {
            assert!(bad.parse::<Timezone>().is_err(), "{bad}");
        }
    }
}
