//! A config.json to start from: what engines ask for an ordinary container, for whoever runs the tests.

use serde_json::{Value, json};

/// A user gets a user namespace in which the user is root; root gets none.
pub(crate) fn default() -> Value {
    let capabilities =
        ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP"];
    let mut config = json!({
        "ociVersion": "1.0.2",
        "process": {
            "terminal": false,
            "user": { "uid": 0, "gid": 0 },
            "args": ["true"],
            "env": ["PATH=/bin:/sbin"],
            "cwd": "/",
            "capabilities": {
                "bounding": capabilities,
                "effective": capabilities,
                "permitted": capabilities,
            },
        },
        "root": { "path": "rootfs" },
        "hostname": "conformance",
        "mounts": mounts(),
        "linux": {
            "namespaces": namespaces(),
            "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
        },
    });
    if !nix::unistd::geteuid().is_root() {
        config["linux"]["uidMappings"] = own(nix::unistd::getuid().as_raw());
        config["linux"]["gidMappings"] = own(nix::unistd::getgid().as_raw());
    }
    config
}

/// The map that the kernel allows anybody.
pub(crate) fn own(id: u32) -> Value {
    json!([{ "containerID": 0, "hostID": id, "size": 1 }])
}

fn namespaces() -> Value {
    let mut names = vec!["pid", "network", "ipc", "uts", "mount"];
    if !nix::unistd::geteuid().is_root() {
        names.push("user");
    }
    names.into_iter().map(|name| json!({ "type": name })).collect()
}

fn mounts() -> Value {
    json!([
        { "destination": "/proc", "type": "proc", "source": "proc" },
        {
            "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        },
        {
            "destination": "/dev/pts", "type": "devpts", "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
        },
        {
            "destination": "/dev/shm", "type": "tmpfs", "source": "shm",
            "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
        },
        {
            "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
            "options": ["nosuid", "noexec", "nodev"],
        },
        {
            "destination": "/sys", "type": "sysfs", "source": "sysfs",
            "options": ["nosuid", "noexec", "nodev", "ro"],
        },
    ])
}
