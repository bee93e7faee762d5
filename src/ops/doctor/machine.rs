//! The kernel, the network, control groups, certificates and the login session.

use std::fs;
use std::path::Path;

use nix::mount::MsFlags;
use nix::sched::CloneFlags;

use crate::config::{Env, Paths};
use crate::error::Context;
use crate::ops::doctor::Finding;
use crate::runtime::cgroup;
use crate::sys::process;
use crate::userns::{self, UserNamespace};

pub(super) fn examine(
    env: &Env,
    paths: &Paths,
    namespace: Option<&UserNamespace>,
    findings: &mut Vec<Finding>,
) {
    findings.push(kernel(rustix::system::uname().release().to_str().unwrap_or_default()));
    if let Some(namespace) = namespace {
        findings.push(proc_mount(namespace));
    }
    findings.push(seccomp());
    findings.push(network(env));
    findings.extend(low_ports(&read("/proc/sys/net/ipv4/ip_unprivileged_port_start"), env.uid()));
    findings.push(control_groups(env));
    findings.push(certificates());
    findings.extend(lingering(env, paths));
}

fn read(file: &str) -> String {
    fs::read_to_string(file).unwrap_or_default().trim().to_owned()
}

fn kernel(release: &str) -> Finding {
    let mut numbers = release.split(['.', '-']).map(|part| part.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let found = format!("Linux {release}");
    if version >= (5, 11) {
        return Finding::ok("kernel", found);
    }
    Finding::lacking("kernel", found)
        .lost("root file systems by the kernel's overlay, which a normal user may mount since Linux 5.11")
        .remedy("Linux 5.11 or newer, or fuse-overlayfs: sudo apt install fuse-overlayfs")
}

/// A container's own /proc. The kernel refuses one where the surrounding /proc has something mounted over.
fn proc_mount(namespace: &UserNamespace) -> Finding {
    let mounted = userns::run_inside(namespace, "the probe of /proc", || {
        nix::sched::unshare(CloneFlags::CLONE_NEWPID).context(|| "unshare(CLONE_NEWPID)")?;
        process::in_child("the probe of /proc", || {
            nix::mount::mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), None::<&str>)
                .context(|| "cannot mount /proc")
        })
    });
    match mounted {
        Ok(()) => Finding::ok("/proc in containers", "a fresh one can be mounted"),
        Err(error) => Finding::lacking("/proc in containers", error.chain().join(": "))
            .lost("containers see the processes of the container that rcon runs in")
            .remedy(
                "start the surrounding container with --security-opt unmask=/proc (podman) or \
                     --security-opt systempaths=unconfined (docker)",
            ),
    }
}

fn seccomp() -> Finding {
    if Path::new("/proc/sys/kernel/seccomp/actions_avail").exists() {
        return Finding::ok("seccomp", "system calls can be filtered");
    }
    Finding::lacking("seccomp", "the kernel cannot filter system calls")
        .lost("the wall between containers and rarely used system calls")
        .remedy("a kernel with CONFIG_SECCOMP_FILTER=y")
}

fn network(env: &Env) -> Finding {
    let subject = "network";
    let found = ["pasta", "slirp4netns"].iter().find_map(|name| env.find_program(name));
    let Some(program) = found else {
        return Finding::lacking(subject, "neither pasta nor slirp4netns is installed")
            .lost("containers have no network but loopback; --network host works")
            .remedy("sudo apt install passt");
    };
    if !Path::new("/dev/net/tun").exists() {
        return Finding::lacking(subject, format!("{}, but there is no /dev/net/tun", program.display()))
            .lost("containers have no network but loopback; --network host works")
            .remedy("sudo modprobe tun; in a container, --device /dev/net/tun");
    }
    Finding::ok(subject, program.display().to_string())
}

fn low_ports(start: &str, uid: u32) -> Option<Finding> {
    let start: u32 = start.parse().ok().filter(|_| uid != 0)?;
    let found = format!("a normal user may publish ports from {start} on");
    Some(if start <= 80 {
        Finding::ok("low ports", found)
    } else {
        Finding::lacking("low ports", found)
            .lost(format!("-p 80:80 and other host ports below {start}"))
            .remedy("sudo sysctl net.ipv4.ip_unprivileged_port_start=80")
    })
}

fn control_groups(env: &Env) -> Finding {
    let subject = "control groups";
    let survey = match cgroup::survey(&env.user_bus(), None) {
        Ok(survey) => survey,
        Err(error) => return Finding::broken(subject, error.chain().join(": ")),
    };
    if let Some(obstacle) = survey.obstacle {
        return Finding::lacking(subject, obstacle.reason)
            .lost("limits of memory, processor and processes")
            .remedy(obstacle.remedy);
    }
    let missing: Vec<&str> = ["cpu", "cpuset", "io", "memory", "pids"]
        .into_iter()
        .filter(|wanted| !survey.controllers.iter().any(|controller| controller == wanted))
        .collect();
    let controllers =
        if survey.controllers.is_empty() { "no controller".to_owned() } else { survey.controllers.join(" ") };
    let found = format!("made by {}: {controllers}", survey.manager);
    if missing.is_empty() {
        return Finding::ok(subject, found);
    }
    Finding::lacking(subject, found)
        .lost(format!("limits by {}", missing.join(", ")))
        .remedy(cgroup::DELEGATE)
}

fn certificates() -> Finding {
    const BUNDLES: [&str; 4] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
        "/etc/ssl/cert.pem",
    ];
    match BUNDLES.iter().find(|bundle| Path::new(bundle).exists()) {
        Some(bundle) => Finding::ok("certificates", *bundle),
        None => Finding::lacking("certificates", "no certificate authorities are installed")
            .lost("pulls from registries by HTTPS")
            .remedy("sudo apt install ca-certificates"),
    }
}

/// systemd removes /run/user/UID, and with it the sockets of running containers, at the last logout.
fn lingering(env: &Env, paths: &Paths) -> Option<Finding> {
    let name = env.user_name().filter(|_| env.uid() != 0)?;
    if !paths.run.starts_with("/run/user") || !Path::new("/run/systemd/system").exists() {
        return None;
    }
    let subject = "after logout";
    if Path::new("/var/lib/systemd/linger").join(name).exists() {
        return Some(Finding::ok(subject, format!("{name} lingers")));
    }
    Some(
        Finding::lacking(subject, format!("{name} does not linger"))
            .lost("containers may be stopped, and lose their runtime directory, at the last logout")
            .remedy("loginctl enable-linger"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::doctor::State;

    #[test]
    fn kernels_are_told_by_their_release() {
        for (release, state) in [
            ("6.1.0-18-amd64", State::Ok),
            ("5.11.0", State::Ok),
            ("5.10.0-28-amd64", State::Lacking),
            ("4.19", State::Lacking),
            ("", State::Lacking),
        ] {
            assert_eq!(kernel(release).state, state, "{release}");
        }
    }

    #[test]
    fn low_ports_concern_normal_users() {
        assert_eq!(low_ports("1024", 1000).unwrap().state, State::Lacking);
        assert_eq!(low_ports("80", 1000).unwrap().state, State::Ok);
        assert!(low_ports("1024", 0).is_none() && low_ports("", 1000).is_none());
    }
}
