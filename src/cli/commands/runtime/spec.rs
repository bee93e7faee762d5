//! `rcon runtime spec`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::Context;
use crate::error::{Context as _, Error, Kind, Result};
use crate::sys::atomic;

/// Write a config.json to begin with
///
/// It is rootless: container root is you. Examples:
///   mkdir -p bundle/rootfs && rcon runtime spec -b bundle
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Args {
    /// Where config.json is written
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    bundle: PathBuf,
    /// Map your own id to root; what root gets only with this
    #[arg(long)]
    rootless: bool,
}

pub(super) fn run(cx: &Context, args: &Args) -> Result<ExitCode> {
    let path = args.bundle.join("config.json");
    if path.exists() {
        return Err(Error::new(
            Kind::Conflict,
            format!("{} exists already: remove it first", path.display()),
        ));
    }
    let rootless = args.rootless || cx.env.uid() != 0;
    let spec = example(rootless.then_some((cx.env.uid(), cx.env.gid())));
    let text = serde_json::to_string_pretty(&spec).context(|| "cannot encode config.json")?;
    atomic::create(&path, format!("{text}\n").as_bytes(), 0o644)?;
    Ok(ExitCode::SUCCESS)
}

/// A shell in what runc's and crun's examples have. `own`: the ids that become root in a user namespace.
fn example(own: Option<(u32, u32)>) -> Value {
    let capabilities = json!(["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]);
    let mut namespaces = vec!["pid", "network", "ipc", "uts", "cgroup", "mount"];
    let mut linux = json!({
        "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
            "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
            "/sys/devices/virtual/powercap", "/sys/firmware"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    });
    if let Some((uid, gid)) = own {
        namespaces.push("user");
        linux["uidMappings"] = json!([{ "containerID": 0, "hostID": uid, "size": 1 }]);
        linux["gidMappings"] = json!([{ "containerID": 0, "hostID": gid, "size": 1 }]);
    } else {
        linux["resources"] = json!({ "devices": [{ "allow": false, "access": "rwm" }] });
    }
    linux["namespaces"] = namespaces.iter().map(|typ| json!({ "type": typ })).collect();
    json!({
        "ociVersion": "1.2.0",
        "process": {
            "terminal": true,
            "user": { "uid": 0, "gid": 0 },
            "args": ["sh"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": { "bounding": capabilities, "effective": capabilities, "permitted": capabilities },
            "rlimits": [{ "type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024 }],
            "noNewPrivileges": true,
        },
        "root": { "path": "rootfs", "readonly": true },
        "hostname": "rcon",
        "mounts": mounts(own.is_some()),
        "linux": linux,
    })
}

fn mounts(rootless: bool) -> Value {
    // In a map of one id the group of terminals has none.
    let terminals = if rootless { vec![] } else { vec!["gid=5"] };
    let devpts =
        [&["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"][..], &terminals].concat();
    json!([
        { "destination": "/proc", "type": "proc", "source": "proc" },
        { "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
          "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
        { "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": devpts },
        { "destination": "/dev/shm", "type": "tmpfs", "source": "shm",
          "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
        { "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
          "options": ["nosuid", "noexec", "nodev"] },
        { "destination": "/sys", "type": "sysfs", "source": "sysfs",
          "options": ["nosuid", "noexec", "nodev", "ro"] },
        { "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
          "options": ["nosuid", "noexec", "nodev", "relatime", "ro"] },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_a_valid_configuration() {
        for own in [None, Some((1000, 1000))] {
            let loaded = crate::runtime::validate::load(&example(own).to_string()).unwrap();
            assert_eq!(loaded.warnings, Vec::<String>::new());
        }
    }
}
