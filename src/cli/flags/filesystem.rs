//! Mounts, devices and the root file system's mode.

use super::{parse_list, parse_option, switch};
use crate::error::{Error, Result};
use crate::spec::value::Mount;
use crate::spec::{Filesystem, ImageVolumes};

/// Options of the container's file system.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "File system")]
pub(crate) struct FilesystemFlags {
    /// Mount a directory, a file or a volume: [SOURCE:]DESTINATION[:ro,noexec,rslave,…]
    #[arg(short = 'v', long, value_name = "VOLUME")]
    volume: Vec<String>,
    /// Mount: type=bind|volume|tmpfs|devpts,src=…,dst=…,ro,…
    #[arg(long, value_name = "MOUNT")]
    mount: Vec<String>,
    /// Mount a file system in memory: DESTINATION[:size=64m,mode=1777,exec,…]
    #[arg(long, value_name = "TMPFS")]
    tmpfs: Vec<String>,
    /// What becomes of the image's volumes: anonymous, tmpfs or ignore
    #[arg(long, value_name = "KIND")]
    image_volume: Option<String>,
    /// Make the root file system read-only
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = switch, action = clap::ArgAction::Set, value_name = "BOOL")]
    read_only: Option<bool>,
    /// With --read-only, keep /run, /tmp and /var/tmp writable in memory
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true",
          value_parser = switch, action = clap::ArgAction::Set, value_name = "BOOL")]
    read_only_tmpfs: bool,
    /// Size of /dev/shm [default: 64m]
    #[arg(long, value_name = "SIZE")]
    shm_size: Option<String>,
    /// Add a device of the host: SOURCE[:DESTINATION][:rwm]
    #[arg(long, value_name = "DEVICE")]
    device: Vec<String>,
    /// Time zone: local or a name like Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
}

impl FilesystemFlags {
    /// What they ask for.
    pub(crate) fn resolve(&self) -> Result<Filesystem> {
        let image_volumes = match self.image_volume.as_deref() {
            None | Some("anonymous" | "bind") => ImageVolumes::Anonymous,
            Some("tmpfs") => ImageVolumes::Tmpfs,
            Some("ignore") => ImageVolumes::Ignore,
            Some(other) => {
                return Err(Error::usage(format!(
                    "--image-volume {other:?}: expected anonymous, tmpfs or ignore"
                )));
            }
        };
        let volumes = self.volume.iter().map(|text| Mount::from_volume(text));
        let mounts = self.mount.iter().map(|text| Mount::from_mount(text));
        let tmpfs = self.tmpfs.iter().map(|text| Mount::from_tmpfs(text));
        Ok(Filesystem {
            mounts: volumes.chain(mounts).chain(tmpfs).collect::<Result<_>>()?,
            image_volumes,
            read_only: self.read_only,
            read_only_tmpfs: self.read_only_tmpfs,
            shm_size: parse_option("--shm-size", self.shm_size.as_deref())?,
            devices: parse_list("--device", &self.device)?,
            timezone: parse_option("--tz", self.tz.as_deref())?,
        })
    }
}
