//! newuidmap and newgidmap: the two set-user-id programs that write the maps of more than one id.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::config::Env;

/// Both programs, where they are and have the power that they need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Helpers {
    /// newuidmap(1).
    pub newuidmap: PathBuf,
    /// newgidmap(1).
    pub newgidmap: PathBuf,
}

/// Why a helper cannot do its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It is not installed.
    Missing(&'static str),
    /// Neither a set-user-id bit nor a file capability.
    NoPrivilege(PathBuf),
    /// The file system ignores set-user-id bits and file capabilities.
    NoSuidMount(PathBuf),
    /// This process may not gain privileges by exec (a sandbox, systemd's `NoNewPrivileges=`).
    NoNewPrivileges,
}

impl Helpers {
    /// Finds both, and tells the first thing that keeps them from working.
    pub fn find(env: &Env) -> Result<Self, Obstacle> {
        let find = |name| env.find_program(name).ok_or(Obstacle::Missing(name));
        let found = Self { newuidmap: find("newuidmap")?, newgidmap: find("newgidmap")? };
        found.check()?;
        Ok(found)
    }

    fn check(&self) -> Result<(), Obstacle> {
        if rustix::thread::no_new_privs().unwrap_or(false) {
            return Err(Obstacle::NoNewPrivileges);
        }
        privileged(&self.newuidmap)?;
        privileged(&self.newgidmap)
    }
}

fn privileged(file: &Path) -> Result<(), Obstacle> {
    let setuid = file.metadata().is_ok_and(|meta| meta.mode() & 0o4000 != 0 && meta.uid() == 0);
    if !setuid && !has_file_capability(file) {
        return Err(Obstacle::NoPrivilege(file.to_owned()));
    }
    let nosuid = rustix::fs::statvfs(file)
        .is_ok_and(|stat| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::NOSUID));
    if nosuid { Err(Obstacle::NoSuidMount(file.to_owned())) } else { Ok(()) }
}

fn has_file_capability(file: &Path) -> bool {
    let mut value = [0u8; 64];
    rustix::fs::getxattr(file, "security.capability", &mut value[..]).is_ok_and(|length| length > 0)
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{name} is not installed"),
            Self::NoPrivilege(file) => {
                write!(f, "{} has neither the set-user-id bit nor a file capability", file.display())
            }
            Self::NoSuidMount(file) => {
                write!(f, "{} lies on a file system that is mounted nosuid", file.display())
            }
            Self::NoNewPrivileges => {
                f.write_str("this process may not gain privileges (no_new_privs), which newuidmap needs")
            }
        }
    }
}

impl Obstacle {
    /// The command that mends it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Missing(_) => {
                install_command(&std::fs::read_to_string("/etc/os-release").unwrap_or_default())
            }
            Self::NoPrivilege(file) => format!("sudo chmod u+s {}", file.display()),
            Self::NoSuidMount(_) => "install it on a file system that is mounted without nosuid".to_owned(),
            Self::NoNewPrivileges => {
                "start rcon outside of the sandbox or service that set no_new_privs".to_owned()
            }
        }
    }
}

/// How this distribution, by its os-release(5), installs newuidmap.
fn install_command(os_release: &str) -> String {
    let value = |name: &str| {
        let line = os_release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches('"').to_owned()
    };
    let names = format!("{} {}", value("ID"), value("ID_LIKE"));
    let is = |wanted: &[&str]| names.split_whitespace().any(|name| wanted.contains(&name));
    let command = if is(&["debian", "ubuntu"]) {
        "sudo apt install uidmap"
    } else if is(&["fedora", "rhel", "centos"]) {
        "sudo dnf install shadow-utils"
    } else if is(&["alpine"]) {
        "sudo apk add shadow-subids"
    } else if is(&["arch"]) {
        "sudo pacman -S shadow"
    } else if is(&["suse", "opensuse"]) {
        "sudo zypper install shadow"
    } else {
        "install the package that holds newuidmap (uidmap, shadow-utils or shadow)"
    };
    command.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_program_without_privilege_is_told_from_a_missing_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("newuidmap");
        std::fs::write(&file, "").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        let obstacle = privileged(&file).unwrap_err();
        assert_eq!(obstacle, Obstacle::NoPrivilege(file.clone()));
        assert!(obstacle.remedy().starts_with("sudo chmod u+s /"), "{}", obstacle.remedy());
    }

    #[test]
    fn each_distribution_has_its_command() {
        assert_eq!(install_command("NAME=x\nID=debian\n"), "sudo apt install uidmap");
        assert_eq!(install_command("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"), "sudo apt install uidmap");
        assert_eq!(
            install_command("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\""),
            "sudo dnf install shadow-utils"
        );
        assert!(install_command("").starts_with("install the package"));
    }
}
