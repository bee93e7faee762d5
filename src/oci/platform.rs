//! Platforms: operating system, architecture and its variant, and which of an index's entries fits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// `os/architecture[/variant]` in Go's names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`.
    #[serde(default)]
    pub os: String,
    /// `amd64`, `arm64`, `arm`, …
    #[serde(default)]
    pub architecture: String,
    /// `v8`, `v7`, …; empty means the architecture's usual one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Windows only; an entry that has one never fits.
    #[serde(rename = "os.version", default, skip_serializing_if = "String::is_empty")]
    pub os_version: String,
}

impl Platform {
    /// The platform that this program was built for.
    pub fn native() -> Self {
        let (architecture, variant) = normal(std::env::consts::ARCH, "");
        Self { os: "linux".to_owned(), architecture, variant, os_version: String::new() }
    }

    /// A platform from its parts; names are brought to Go's (`x86_64` is `amd64`).
    pub fn new(os: &str, architecture: &str, variant: &str) -> Self {
        let (architecture, variant) = normal(architecture, variant);
        Self { os: os.to_lowercase(), architecture, variant, os_version: String::new() }
    }

    /// How well an entry for `offered` serves who asked for `self`: the lower the better, `None` for not at
    /// all. A 32-bit ARM takes older variants too, the newest first; an amd64 takes lower levels.
    pub fn distance(&self, offered: &Platform) -> Option<usize> {
        let (architecture, variant) = normal(&offered.architecture, &offered.variant);
        if offered.os != self.os || architecture != self.architecture {
            return None;
        }
        if variant == self.variant {
            return Some(0);
        }
        let ladder: &[&str] = match architecture.as_str() {
            "arm" => &["v8", "v7", "v6", "v5"],
            "amd64" => &["v4", "v3", "v2", ""],
            "arm64" => &["v9", ""],
            _ => &[],
        };
        let place = |variant: &str| ladder.iter().position(|step| *step == variant);
        match (place(&self.variant), place(&variant)) {
            (Some(wanted), Some(offered)) if offered > wanted => Some(offered - wanted),
            // No variant asked for or named where the architecture has none that matters: take it, last.
            _ if variant.is_empty() || self.variant.is_empty() && ladder.is_empty() => Some(ladder.len() + 1),
            _ => None,
        }
    }
}

/// Go's names for an architecture and its variant; the usual variant of an architecture is left out, but for
/// `arm`, where it is `v7`. Source: containerd, `platforms/database.go`.
fn normal(architecture: &str, variant: &str) -> (String, String) {
    let architecture = architecture.to_lowercase();
    let variant = variant.to_lowercase();
    let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
        ("x86_64" | "x86-64" | "amd64", "v1" | "") => ("amd64", ""),
        ("x86_64" | "x86-64", _) => ("amd64", variant.as_str()),
        ("i386" | "i686" | "x86", _) => ("386", ""),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0" | "") => ("arm64", ""),
        ("aarch64", _) => ("arm64", variant.as_str()),
        ("armhf", _) => ("arm", "v7"),
        ("armel", _) => ("arm", "v6"),
        ("arm", "" | "7") => ("arm", "v7"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "6") => ("arm", "v6"),
        ("arm", "8") => ("arm", "v8"),
        ("powerpc64le", _) => ("ppc64le", ""),
        (other, variant) => (other, variant),
    };
    (architecture.to_owned(), variant.to_owned())
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, ""),
            [os, architecture, variant] => (os, architecture, variant),
            _ => ("", "", ""),
        };
        if os.is_empty() || architecture.is_empty() {
            return Err(Error::usage(format!("platform {text:?} is not of the form OS/ARCH[/VARIANT]")));
        }
        Ok(Self::new(os, architecture, variant))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        if self.variant.is_empty() { Ok(()) } else { write!(f, "/{}", self.variant) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(wanted: &str, offered: &str) -> Option<usize> {
        wanted.parse::<Platform>().unwrap().distance(&offered.parse().unwrap())
    }

    #[test]
    fn the_nearest_variant_serves_and_foreign_platforms_never() {
        assert_eq!(distance("linux/amd64", "linux/amd64"), Some(0));
        assert_eq!(distance("linux/arm64", "linux/arm64/v8"), Some(0));
        assert_eq!(distance("linux/x86_64", "linux/amd64"), Some(0));
        assert_eq!(distance("linux/amd64", "linux/arm64"), None);
        assert_eq!(distance("linux/amd64", "windows/amd64"), None);
        assert_eq!(distance("linux/amd64", "linux/amd64/v3"), None);
        assert!(distance("linux/amd64/v3", "linux/amd64/v2") < distance("linux/amd64/v3", "linux/amd64"));
        assert!(distance("linux/arm/v7", "linux/arm/v6") < distance("linux/arm/v7", "linux/arm/v5"));
        assert_eq!(distance("linux/arm/v6", "linux/arm/v7"), None);
        assert!("linux".parse::<Platform>().is_err());
        assert!("linux/".parse::<Platform>().is_err());
    }
}
