//! Which of the ways to make a root file system serves on this machine, and why.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;

use crate::config::Env;
use crate::config::storage_conf::StorageConf;
use crate::error::{Error, Result};

/// A way to make a root file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Driver {
    /// The kernel's overlay.
    Overlay,
    /// fuse-overlayfs.
    FuseOverlayfs,
    /// A copy of all layers.
    Vfs,
}

impl Driver {
    /// The name on the command line and in storage.conf.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overlay => "overlay",
            Self::FuseOverlayfs => "fuse-overlayfs",
            Self::Vfs => "vfs",
        }
    }
}

impl FromStr for Driver {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "overlay" | "overlay2" => Ok(Self::Overlay),
            "fuse-overlayfs" => Ok(Self::FuseOverlayfs),
            "vfs" => Ok(Self::Vfs),
            _ => Err(Error::usage(format!("storage driver {text:?} is not supported"))
                .hint("the drivers are overlay, fuse-overlayfs and vfs")),
        }
    }
}

/// A driver with its reason.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What serves.
    pub driver: Driver,
    /// Why it, in a few words.
    pub why: String,
    /// fuse-overlayfs, where it is installed.
    pub program: Option<PathBuf>,
    /// Whether a person asked for it, so that nothing else may be tried.
    pub asked: bool,
    /// Options for the driver, as after `-o`.
    pub options: Vec<String>,
}

/// What makes the kernel's overlay refuse an upper directory.
const UNFIT: &[(i64, &str)] = &[
    (0x794c_7630, "the store is itself on an overlay"),
    (0x6969, "the store is on NFS"),
    (0x6573_5546, "the store is on a FUSE file system"),
    (0xff53_4d42, "the store is on CIFS"),
    (0xfe53_4d42, "the store is on SMB"),
    (0x0102_1997, "the store is on 9p"),
    (0x0bd0_0bd0, "the store is on Lustre"),
    (0x4750_4653, "the store is on GPFS"),
    (0x4d44, "the store is on FAT"),
];

/// Decides by `flag` (`--storage-driver`), then storage.conf, then what the kernel and the store's file
/// system can.
pub fn choose(env: &Env, flag: Option<&str>, conf: &StorageConf, store: &Path) -> Result<Choice> {
    let program = conf.mount_program.clone().or_else(|| env.find_program("fuse-overlayfs"));
    let options: Vec<String> = Vec::new();
    let made = |driver, why: &str, asked| Choice {
        driver,
        why: why.to_owned(),
        program: program.clone(),
        asked,
        options: options.clone(),
    };
    if let Some(driver) = flag {
        return Ok(made(driver.parse()?, "asked for by --storage-driver", true));
    }
    // podman's default file names "overlay" without meaning to forbid anything else.
    if let Some(driver) = conf.driver.as_deref().filter(|driver| *driver != "overlay" && !driver.is_empty()) {
        return Ok(made(driver.parse()?, "asked for by storage.conf", true));
    }
    if conf.mount_program.is_some() {
        return Ok(made(Driver::FuseOverlayfs, "storage.conf names a mount_program", true));
    }
    match obstacle(store) {
        None => Ok(made(Driver::Overlay, "the kernel mounts overlays in user namespaces", false)),
        Some(why) if program.is_some() => Ok(made(Driver::FuseOverlayfs, &why, false)),
        Some(why) => Ok(made(Driver::Vfs, &format!("{why}, and fuse-overlayfs is not installed"), false)),
    }
}

/// What stands against the kernel's overlay for a store at this place.
fn obstacle(store: &Path) -> Option<String> {
    let release = rustix::system::uname();
    let release = release.release().to_string_lossy();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < (5, 11) {
        return Some(format!("Linux {release} mounts no overlay in a user namespace (5.11 does)"));
    }
    let place = store.ancestors().find(|path| path.exists())?;
    let magic = rustix::fs::statfs(place).ok()?.f_type as i64;
    UNFIT.iter().find(|(unfit, _)| *unfit == magic).map(|(_, why)| (*why).to_owned())
}
