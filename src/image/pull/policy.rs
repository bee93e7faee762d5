//! When a pull asks the registry.

use std::str::FromStr;

use crate::error::{Error, Result};

/// When a pull asks the registry, and what a failure to reach it means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PullPolicy {
    /// Always; a failure is an error.
    #[default]
    Always,
    /// Where the image is not here.
    Missing,
    /// Always, but an image that is here serves if the registry has no newer one or cannot be reached.
    Newer,
    /// Never; an image that is not here is an error.
    Never,
}

impl FromStr for PullPolicy {
    type Err = Error;

    /// podman's names, with `true`, `false` and the `if…` forms that it still takes.
    fn from_str(text: &str) -> Result<Self> {
        match text.to_lowercase().as_str() {
            "always" | "true" => Ok(Self::Always),
            "missing" | "ifmissing" | "ifnotpresent" | "false" => Ok(Self::Missing),
            "newer" | "ifnewer" => Ok(Self::Newer),
            "never" => Ok(Self::Never),
            _ => Err(Error::usage(format!("pull policy {text:?} is not always, missing, newer or never"))),
        }
    }
}
