//! Options that podman has and rcon does not have yet: known by name, so that the refusal says why.

use crate::error::Error;

const REALTIME: &str = "version 2 of control groups has no realtime processor time";
const LIFE: &str = "only foreground containers run so far";
const HEALTH: &str = "health checks come with background containers";
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
    ("-d", LIFE),
    ("attach", "standard input follows -i, output and errors are always attached"),
    ("authfile", REGISTRY),
    ("cert-dir", REGISTRY),
    ("chrootdirs", "it is of no use without systemd's nspawn"),
    ("conmon-pidfile", "there is no conmon; rcon inspect names the monitor"),
    ("cpu-rt-period", REALTIME),
    ("cpu-rt-runtime", REALTIME),
    ("creds", REGISTRY),
    ("decryption-key", REGISTRY),
    ("detach", LIFE),
    (
        "device-cgroup-rule",
        "a filter of devices cannot be loaded without privilege; --device names what is there",
    ),
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
    ("link-local-ip", NETWORKS),
    ("log-driver", LOGS),
    ("log-opt", LOGS),
    ("mac-address", NETWORKS),
    ("memory-swappiness", "version 2 of control groups has none"),
    ("network-alias", NETWORKS),
    ("no-healthcheck", HEALTH),
    ("no-hostname", "mount a file of your own on /etc/hostname"),
    ("oom-kill-disable", "version 2 of control groups cannot switch it off; --memory-swap -1 makes it rare"),
    ("passwd", "mount a file of your own on /etc/passwd"),
    ("passwd-entry", "the entry is made from --user"),
    ("personality", "every container has the kernel's default"),
    ("pidfile", "rcon inspect names the process"),
    ("pod", PODS),
    ("pod-id-file", PODS),
    ("preserve-fd", "only standard input, output and errors are handed over"),
    ("preserve-fds", "only standard input, output and errors are handed over"),
    ("rdt-class", "it needs privilege"),
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
    ("timeout", "timeout(1) before rcon does it"),
    ("tls-verify", REGISTRY),
    ("volumes-from", "name each volume with --volume"),
];

/// The refusal of `option`, as clap reports it (`--restart`, `--restart=no`, `-d`); `None`: podman has no such option.
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
        assert!(
            text("--cpu-rt-period=1").unwrap().starts_with("--cpu-rt-period is not supported yet: version 2")
        );
        assert!(text("-d").unwrap().starts_with("-d is not"));
        assert!(text("memoryy").is_none());
        assert!(text("--volume").is_none());
        assert!(REFUSED.is_sorted_by_key(|(name, _)| *name));
    }
}
