//! `--cap-add`, `--cap-drop` and `--security-opt`.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

/// A capability or `ALL`. Which names exist is the kernel's business; here it is upper case with `CAP_`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilityName(String);

impl CapabilityName {
    /// `CAP_CHOWN`, or `ALL`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for every capability.
    pub fn is_all(&self) -> bool {
        self.0 == "ALL"
    }
}

impl FromStr for CapabilityName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let upper = text.to_ascii_uppercase();
        if upper == "ALL" {
            return Ok(Self(upper));
        }
        let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
            return Err(Error::usage(format!("{text:?} is not a capability")));
        }
        Ok(Self(format!("CAP_{name}")))
    }
}

/// All `--security-opt` together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SecurityOptions {
    /// `no-new-privileges`
    pub no_new_privileges: bool,
    /// `seccomp=`
    pub seccomp: Seccomp,
    /// `mask=` and `unmask=` in order.
    pub masks: Vec<MaskChange>,
    /// `proc-opts=`: mount options of /proc.
    pub proc_options: Vec<String>,
}

/// Which seccomp filter.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seccomp {
    /// The built-in allow-list, or the one that containers.conf names.
    #[default]
    Default,
    /// None.
    Unconfined,
    /// A profile in Docker's JSON form.
    Profile(PathBuf),
}

/// A change of the masked and read-only paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MaskChange {
    /// `mask=PATH[:PATH…]`: hide these too.
    Mask(Vec<PathBuf>),
    /// `unmask=PATH[:PATH…]`: neither hide these nor make them read-only; `*` and `?` match within a name.
    Unmask(Vec<String>),
    /// `unmask=ALL`
    UnmaskAll,
}

/// One `--security-opt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecurityOption {
    /// `no-new-privileges[=:]BOOL`
    NoNewPrivileges(bool),
    /// `seccomp=unconfined|FILE`
    Seccomp(Seccomp),
    /// `apparmor=unconfined`, `label=disable`: what holds in any case.
    Nothing,
    /// `mask=`, `unmask=`
    Mask(MaskChange),
    /// `proc-opts=`
    ProcOptions(Vec<String>),
}

fn paths(value: &str) -> Option<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = value.split(':').map(PathBuf::from).collect();
    paths.iter().all(|path| path.is_absolute() && !value.contains('\0')).then_some(paths)
}

impl FromStr for SecurityOption {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::usage(format!("--security-opt {text:?}: {why}"));
        let (name, value) = match text.split_once(['=', ':']) {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let needed = || value.filter(|value| !value.is_empty()).ok_or_else(|| wrong("a value is missing"));
        let absolute = || wrong("expected absolute paths separated by ':'");
        Ok(match name {
            "no-new-privileges" => Self::NoNewPrivileges(match value {
                None => true,
                Some(value) => value.parse().map_err(|_| wrong("expected true or false"))?,
            }),
            "seccomp" => Self::Seccomp(match needed()? {
                "unconfined" => Seccomp::Unconfined,
                file => Seccomp::Profile(file.into()),
            }),
            "apparmor" | "label" => match (name, needed()?) {
                ("apparmor", "unconfined") | ("label", "disable") => Self::Nothing,
                ("apparmor", _) => {
                    return Err(wrong("AppArmor profiles are not supported yet").with_kind(Kind::Unsupported));
                }
                _ => return Err(wrong("SELinux labels are not supported").with_kind(Kind::Unsupported)),
            },
            "mask" => Self::Mask(MaskChange::Mask(paths(needed()?).ok_or_else(absolute)?)),
            "unmask" => Self::Mask(match needed()? {
                "ALL" | "all" => MaskChange::UnmaskAll,
                list => {
                    paths(list).ok_or_else(absolute)?;
                    MaskChange::Unmask(list.split(':').map(str::to_owned).collect())
                }
            }),
            "proc-opts" => {
                let options: Vec<String> = needed()?.split(',').map(str::to_owned).collect();
                if options
                    .iter()
                    .any(|option| !(option.starts_with("hidepid=") || option.starts_with("subset=")))
                {
                    return Err(wrong("expected hidepid=… or subset=pid"));
                }
                Self::ProcOptions(options)
            }
            _ => {
                return Err(wrong(
                    "expected no-new-privileges, seccomp=, apparmor=, label=disable, mask=, unmask= or proc-opts=",
                ));
            }
        })
    }
}

impl SecurityOptions {
    /// Adds one option; a later one of the same kind replaces the earlier, masks add up.
    pub fn add(&mut self, option: SecurityOption) {
        match option {
            SecurityOption::NoNewPrivileges(value) => self.no_new_privileges = value,
            SecurityOption::Seccomp(seccomp) => self.seccomp = seccomp,
            SecurityOption::Nothing => {}
            SecurityOption::Mask(change) => self.masks.push(change),
            SecurityOption::ProcOptions(options) => self.proc_options = options,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_have_one_spelling() {
        for text in ["chown", "CAP_CHOWN", "Cap_Chown"] {
            assert_eq!(text.parse::<CapabilityName>().unwrap().as_str(), "CAP_CHOWN");
        }
        assert!("all".parse::<CapabilityName>().unwrap().is_all());
        for bad in ["", "CAP_", "a b", "chown,kill", "1"] {
            assert!(bad.parse::<CapabilityName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn security_options_add_up() {
        let mut all = SecurityOptions::default();
        for text in [
            "no-new-privileges",
            "seccomp=unconfined",
            "apparmor=unconfined",
            "label=disable",
            "mask=/a:/b",
            "unmask=/proc/*",
            "unmask=ALL",
            "proc-opts=hidepid=2,subset=pid",
        ] {
            all.add(text.parse().unwrap());
        }
        assert!(all.no_new_privileges);
        assert_eq!(all.seccomp, Seccomp::Unconfined);
        assert_eq!(all.masks.len(), 3);
        assert_eq!(all.proc_options, ["hidepid=2", "subset=pid"]);
        all.add("no-new-privileges:false".parse().unwrap());
        assert!(!all.no_new_privileges);
        for bad in [
            "",
            "x",
            "seccomp",
            "seccomp=",
            "mask=a",
            "unmask=/a:b",
            "no-new-privileges=maybe",
            "label=type:x",
            "apparmor=x",
            "proc-opts=rw",
        ] {
            assert!(bad.parse::<SecurityOption>().is_err(), "{bad}");
        }
    }
}
