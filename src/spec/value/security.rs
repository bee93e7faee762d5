//! `--cap-add`, `--cap-drop` and `--security-opt`.

use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

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
    /// `apparmor=`: a profile that the kernel has loaded; `None` also for `unconfined`.
    #[serde(default)]
    pub apparmor: Option<String>,
    /// `label=`; `None`: no SELinux label is set.
    #[serde(default)]
    pub label: Option<SelinuxLabel>,
}

/// The parts of an SELinux label that were asked for; the others are the policy's defaults for containers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelinuxLabel {
    /// `label=user:`
    pub user: Option<String>,
    /// `label=role:`
    pub role: Option<String>,
    /// `label=type:`
    pub typ: Option<String>,
    /// `label=level:`
    pub level: Option<String>,
    /// `label=filetype:`: the type of the container's files.
    pub file_type: Option<String>,
}

impl SelinuxLabel {
    fn or(self, earlier: Self) -> Self {
        Self {
            user: self.user.or(earlier.user),
            role: self.role.or(earlier.role),
            typ: self.typ.or(earlier.typ),
            level: self.level.or(earlier.level),
            file_type: self.file_type.or(earlier.file_type),
        }
    }

    /// The label of processes, and that of files.
    pub fn labels(&self) -> (String, String) {
        let part =
            |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
        let (user, level) = (part(&self.user, "system_u"), part(&self.level, "s0"));
        let (role, typ) = (part(&self.role, "system_r"), part(&self.typ, "container_t"));
        let file_type = part(&self.file_type, "container_file_t");
        (format!("{user}:{role}:{typ}:{level}"), format!("{user}:object_r:{file_type}:{level}"))
    }
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
    /// `apparmor=PROFILE`; `None`: `unconfined`
    AppArmor(Option<String>),
    /// `label=`; `None`: `disable`
    Label(Option<SelinuxLabel>),
    /// `mask=`, `unmask=`
    Mask(MaskChange),
    /// `proc-opts=`
    ProcOptions(Vec<String>),
}

fn is_proc_option(option: &str) -> bool {
    let named = ["hidepid=", "subset=", "gid="].iter().any(|name| option.starts_with(name));
    named || ["ro", "rw", "nosuid", "noexec", "nodev"].contains(&option)
}

/// The value of `label=`: `disable`, or one part of a label.
fn label(value: &str) -> Result<Option<SelinuxLabel>, String> {
    if value == "disable" {
        return Ok(None);
    }
    let (part, name) = value.split_once(':').unwrap_or((value, ""));
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.,:-".contains(&byte);
    if name.is_empty() || !name.bytes().all(good) {
        return Err("expected disable, user:U, role:R, type:T, level:L or filetype:T".to_owned());
    }
    let name = Some(name.to_owned());
    let mut label = SelinuxLabel::default();
    match part {
        "user" => label.user = name,
        "role" => label.role = name,
        "type" => label.typ = name,
        "level" => label.level = name,
        "filetype" => label.file_type = name,
        _ => return Err(format!("a label has no part {part:?}")),
    }
    Ok(Some(label))
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
            "apparmor" => Self::AppArmor(match needed()? {
                "unconfined" => None,
                profile if profile.contains(['\0', '\n', ' ']) => {
                    return Err(wrong("that is no profile's name"));
                }
                profile => Some(profile.to_owned()),
            }),
            "label" => Self::Label(label(needed()?).map_err(|why| wrong(&why))?),
            "systempaths" => match needed()? {
                "unconfined" => Self::Mask(MaskChange::UnmaskAll),
                _ => return Err(wrong("expected systempaths=unconfined")),
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
                if let Some(bad) = options.iter().find(|option| !is_proc_option(option)) {
                    return Err(wrong(&format!("{bad:?} is not a mount option of procfs")));
                }
                Self::ProcOptions(options)
            }
            _ => {
                return Err(wrong(
                    "expected no-new-privileges, seccomp=, apparmor=, label=, mask=, unmask=, systempaths= or proc-opts=",
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
            SecurityOption::AppArmor(profile) => self.apparmor = profile,
            SecurityOption::Label(None) => self.label = None,
            SecurityOption::Label(Some(label)) => {
                self.label = Some(label.or(self.label.take().unwrap_or_default()));
            }
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
        assert!(!all.no_new_privileges && all.apparmor.is_none() && all.label.is_none());
        for text in ["label=type:foo_t", "label:level:s0:c1,c2", "apparmor=profile"] {
            all.add(text.parse().unwrap());
        }
        let (process, files) = all.label.as_ref().unwrap().labels();
        assert_eq!(process, "system_u:system_r:foo_t:s0:c1,c2");
        assert_eq!(files, "system_u:object_r:container_file_t:s0:c1,c2");
        assert_eq!(all.apparmor.as_deref(), Some("profile"));
        for bad in [
            "",
            "x",
            "seccomp",
            "seccomp=",
            "mask=a",
            "unmask=/a:b",
            "no-new-privileges=maybe",
            "label=nested",
            "label=type:a b",
            "apparmor=a b",
            "systempaths=x",
            "proc-opts=size=1",
        ] {
            assert!(bad.parse::<SecurityOption>().is_err(), "{bad}");
        }
    }
}
