//! Options that podman has and rcon does not have yet: known by name, so that the refusal says why.

use crate::error::Error;

const LIMITS: &str = "limits need a control group of the container's own, which comes later; --ulimit works";
const LIFE: &str = "only foreground containers run so far";
const HEALTH: &str = "health checks come with background containers";
const NAMESPACES: &str = "namespaces cannot be shared yet: each container has its own";
const NETWORKS: &str = "networks of several containers come later; pasta, slirp4netns, none and host work";
const PODS: &str = "pods come later";
const REGISTRY: &str = "pull the image with rcon pull first, where it has an effect";
const LOGS: &str = "every log is kept in the k8s-file form so far";
const SECRETS: &str = "secrets come later; a read-only --volume of a file serves";
const DEVICES: &str = "name each device with --device";
const SYSTEMD: &str = "containers that run systemd come later";

/// Option -> why it is refused. Long names without dashes, short ones with one.
const REFUSED: &[(&str, &str)] = &[
    ("-a", "standard input follows -i, output and errors are always attached"),
    ("-c", LIMITS),
    ("-d", LIFE),
    ("-m", LIMITS),
    ("attach", "standard input follows -i, output and errors are always attached"),
    ("authfile", REGISTRY),
    ("blkio-weight", LIMITS),
    ("blkio-weight-device", LIMITS),
    ("cert-dir", REGISTRY),
    ("cgroup-conf", LIMITS),
    ("cgroup-parent", LIMITS),
    ("cgroupns", NAMESPACES),
    ("cgroups", LIMITS),
    ("chrootdirs", "it is of no use without systemd's nspawn"),
    ("conmon-pidfile", "there is no conmon; rcon inspect names the monitor"),
    ("cpu-period", LIMITS),
    ("cpu-quota", LIMITS),
    ("cpu-rt-period", LIMITS),
    ("cpu-rt-runtime", LIMITS),
    ("cpu-shares", LIMITS),
    ("cpus", LIMITS),
    ("cpuset-cpus", LIMITS),
    ("cpuset-mems", LIMITS),
    ("creds", REGISTRY),
    ("decryption-key", REGISTRY),
    ("detach", LIFE),
    ("device-cgroup-rule", LIMITS),
    ("device-read-bps", LIMITS),
    ("device-read-iops", LIMITS),
    ("device-write-bps", LIMITS),
    ("device-write-iops", LIMITS),
    ("disable-content-trust", REGISTRY),
    ("env-host", "-e '*' does the same"),
    ("env-merge", "write the variable's whole value with -e"),
    ("gpus", DEVICES),
    ("group-entry", "the entry is made from --user"),
    ("health-cmd", HEALTH),
    ("health-interval", HEALTH),
    ("health-log-destination", HEALTH),
    ("health-max-log-count", HEALTH),
    ("health-max-log-size", HEALTH),
    ("health-on-failure", HEALTH),
    ("health-retries", HEALTH),
    ("health-start-period", HEALTH),
    ("health-startup-cmd", HEALTH),
    ("health-startup-interval", HEALTH),
    ("health-startup-retries", HEALTH),
    ("health-startup-success", HEALTH),
    ("health-startup-timeout", HEALTH),
    ("health-timeout", HEALTH),
    ("hosts-file", "--add-host adds lines to /etc/hosts"),
    ("hostuser", "--userns keep-id gives the container your own user"),
    ("init-path", "rcon brings its own init"),
    ("ip", NETWORKS),
    ("ip6", NETWORKS),
    ("ipc", NAMESPACES),
    ("link-local-ip", NETWORKS),
    ("log-driver", LOGS),
    ("log-opt", LOGS),
    ("mac-address", NETWORKS),
    ("memory", LIMITS),
    ("memory-reservation", LIMITS),
    ("memory-swap", LIMITS),
    ("memory-swappiness", LIMITS),
    ("network-alias", NETWORKS),
    ("no-healthcheck", HEALTH),
    ("no-hostname", "mount a file of your own on /etc/hostname"),
    ("oom-kill-disable", LIMITS),
    ("passwd", "mount a file of your own on /etc/passwd"),
    ("passwd-entry", "the entry is made from --user"),
    ("personality", "every container has the kernel's default"),
    ("pid", NAMESPACES),
    ("pidfile", "rcon inspect names the process"),
    ("pids-limit", LIMITS),
    ("pod", PODS),
    ("pod-id-file", PODS),
    ("preserve-fd", "only standard input, output and errors are handed over"),
    ("preserve-fds", "only standard input, output and errors are handed over"),
    (
        "privileged",
        "ask for what is needed: --cap-add ALL --security-opt seccomp=unconfined --security-opt unmask=ALL",
    ),
    ("rdt-class", LIMITS),
    ("requires", LIFE),
    ("restart", LIFE),
    ("retry", REGISTRY),
    ("retry-delay", REGISTRY),
    ("rmi", "remove the image with rcon rmi"),
    ("sdnotify", SYSTEMD),
    ("seccomp-policy", "--security-opt seccomp=FILE names a profile"),
    ("secret", SECRETS),
    ("shm-size-systemd", SYSTEMD),
    ("subgidname", "--gidmap names the ids"),
    ("subuidname", "--uidmap names the ids"),
    ("systemd", SYSTEMD),
    ("timeout", "timeout(1) before rcon does it"),
    ("tls-verify", REGISTRY),
    ("uts", NAMESPACES),
    ("volumes-from", "name each volume with --volume"),
];

/// The refusal of `option`, as clap reports it (`--memory`, `--memory=1g`, `-m`); `None`: podman has no such option.
pub(crate) fn explain(option: &str) -> Option<Error> {
    let name = option.split('=').next().unwrap_or(option);
    let key = name.strip_prefix("--").unwrap_or(name);
    let (_, why) = REFUSED.iter().find(|(refused, _)| *refused == key)?;
    Some(Error::unsupported(format!("{name} is not supported yet: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn podmans_options_are_refused_by_name() {
        let text = |option: &str| explain(option).map(|error| error.to_string());
        assert!(text("--memory=1g").unwrap().starts_with("--memory is not supported yet: limits"));
        assert!(text("-d").unwrap().starts_with("-d is not"));
        assert!(text("memoryy").is_none());
        assert!(text("--volume").is_none());
        assert!(REFUSED.is_sorted_by_key(|(name, _)| *name));
    }
}
