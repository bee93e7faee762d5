//! `--systemd`: what systemd as the container's first process expects to find.

use oci_spec::runtime::Mount;

use super::mounts::make;
use super::process::arguments;
use crate::oci::ImageConfig;
use crate::spec::request::Request;
use crate::spec::value::{Signal, SystemdMode};

/// SIGRTMIN+3: systemd halts.
pub(super) const STOP_SIGNAL: Signal = Signal::RTMIN_3;

/// Whether the container runs systemd: asked for, or seen from the command.
pub(super) fn wanted(request: &Request, image: Option<&ImageConfig>) -> bool {
    match request.process.systemd {
        SystemdMode::Always => true,
        SystemdMode::Never => false,
        SystemdMode::Detect => {
            let arguments = arguments(request, image).unwrap_or_default();
            let program = arguments.first().map_or("", String::as_str);
            let name = program.rsplit('/').next().unwrap_or_default();
            name == "systemd" || ["/sbin/init", "/usr/sbin/init", "/usr/local/sbin/init"].contains(&program)
        }
    }
}

/// File systems in memory where it keeps its state.
pub(super) fn mounts() -> impl Iterator<Item = Mount> {
    ["/run", "/run/lock", "/tmp", "/var/log/journal"]
        .into_iter()
        .map(|place| make(place, "tmpfs", "tmpfs", &["rw", "rprivate", "nosuid", "nodev", "tmpcopyup"]))
}
