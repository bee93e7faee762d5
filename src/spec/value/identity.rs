//! `--user`, `--group-add` and `--umask`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// `USER[:GROUP]`, each a name or a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserSpec {
    /// A name or an id.
    pub user: String,
    /// A name or an id; `None`: the user's own group.
    pub group: Option<String>,
}

impl FromStr for UserSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        let good = |name: &str| !name.contains([':', '\n', '\0']);
        if !good(user) || !group.is_none_or(good) {
            return Err(Error::usage(format!("user {text:?}: expected USER[:GROUP]")));
        }
        // Docker and podman: `:group` is root with that group, `user:` is `user`.
        let user = if user.is_empty() { "0" } else { user };
        Ok(Self { user: user.to_owned(), group: group.filter(|group| !group.is_empty()).map(str::to_owned) })
    }
}

impl fmt::Display for UserSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.user)?;
        self.group.iter().try_for_each(|group| write!(f, ":{group}"))
    }
}

/// `--group-add`: a name or an id from the container's group file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group(String);

impl Group {
    /// The name or the number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Group {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() || text.contains([':', '\n', '\0']) {
            return Err(Error::usage(format!("--group-add {text:?}: expected a group's name or id")));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The file mode creation mask: octal, up to 0777.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Umask(u32);

impl Umask {
    /// The mask of a container that asks for none.
    pub const DEFAULT: Self = Self(0o022);

    /// The mask's bits.
    pub fn bits(self) -> u32 {
        self.0
    }
}

impl FromStr for Umask {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| (b'0'..=b'7').contains(&b));
        let bits = if digits { u32::from_str_radix(text, 8).ok() } else { None };
        bits.filter(|bits| *bits <= 0o777).map(Self).ok_or_else(|| {
            Error::usage(format!("umask {text:?}: expected an octal number between 0000 and 0777"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_groups_and_umasks() {
        let show = |text: &str| text.parse::<UserSpec>().unwrap().to_string();
        assert_eq!(["dev", "1:2", "dev:", ":5"].map(show), ["dev", "1:2", "dev", "0:5"]);
        for bad in ["a:b:c", "a\nb", "a\0"] {
            assert!(bad.parse::<UserSpec>().is_err(), "{bad:?}");
        }
        assert!("".parse::<Group>().is_err());
        assert_eq!("27".parse::<Group>().unwrap().as_str(), "27");
        assert_eq!("0077".parse::<Umask>().unwrap().bits(), 0o77);
        for bad in ["", "8", "1777", "+22", "-1", "00000022"] {
            assert!(bad.parse::<Umask>().is_err(), "{bad:?}");
        }
    }
}
