//! A container on disk: an OCI bundle with a record of what it is and a state that changes.
//!
//! ```text
//! containers/ID/record.json    what it is; written once, before the first start
//!               state.json     what became of it; replaced by rename
//!               config.json    the OCI specification
//!               lock           held by the creator, then by the monitor: held means alive
//!               rootfs/        the mount point (empty outside of the container's mount namespace)
//!               upper/ work/   what the container changed
//!               ctr.log        its output (k8s-file)
//!               hosts resolv.conf hostname containerenv passwd group
//! names/NAME                   a symbolic link whose target is the id: an atomic claim
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::network::{NetworkSettings, PortMapping};
use crate::runtime::cgroup::Cgroup;
use crate::spec::Request;
use crate::userns::IdMaps;

/// What a container is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The image's id, without `sha256:`; empty with `--rootfs`.
    pub image_id: String,
    /// The image's name as it was found; empty with `--rootfs`.
    pub image: String,
    /// The image's manifest digest; empty with `--rootfs`.
    #[serde(default)]
    pub image_digest: String,
    /// Keys of the layers in use, bottom first: garbage collection leaves them alone.
    pub layers: Vec<String>,
    /// When it was made, RFC 3339.
    pub created: String,
    /// What runs in it: program and arguments.
    pub command: Vec<String>,
    /// The image's labels and those of the request.
    pub labels: BTreeMap<String, String>,
    /// Removed when it has ended.
    pub remove: bool,
    /// The signal that asks it to stop.
    pub stop_signal: i32,
    /// Seconds between that signal and SIGKILL.
    pub stop_timeout: u32,
    /// Its user namespace's maps.
    pub maps: IdMaps,
    /// Names of the anonymous volumes that are removed with it.
    pub anonymous_volumes: Vec<String>,
    /// Named volumes by destination, anonymous ones included.
    pub volumes: BTreeMap<PathBuf, String>,
    /// How its root file system is made.
    pub rootfs: String,
    /// Its network.
    pub network: NetworkSettings,
    /// The mode of the network, as `--network` says it.
    pub network_mode: String,
    /// The published ports, for `ps`.
    pub ports: Vec<PortMapping>,
    /// The file that got the id.
    #[serde(default)]
    pub cidfile: Option<PathBuf>,
    /// What was asked for.
    pub request: Request,
}

/// Where a container is in its life, as its state file says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Made, not started.
    #[default]
    Created,
    /// The payload runs.
    Running,
    /// The payload has ended.
    Exited,
}

impl Phase {
    /// The word that `ps` and `inspect` show.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Exited => "exited",
        }
    }
}

/// What became of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The phase that was written last.
    pub phase: Phase,
    /// The init process on the host, while it runs.
    #[serde(default)]
    pub pid: Option<i32>,
    /// The monitor, while it runs.
    #[serde(default)]
    pub monitor: Option<i32>,
    /// When the payload was executed, RFC 3339.
    #[serde(default)]
    pub started: Option<String>,
    /// When it ended, RFC 3339.
    #[serde(default)]
    pub finished: Option<String>,
    /// Its exit code, 128+N for signal N.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// Its control group, as long as it has one.
    #[serde(default)]
    pub cgroup: Option<Cgroup>,
    /// Whether a process of it was killed for lack of memory.
    #[serde(default)]
    pub oom_killed: bool,
    /// Why it could not be started.
    #[serde(default)]
    pub error: Option<String>,
}
