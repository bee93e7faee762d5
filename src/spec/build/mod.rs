//! [`Request`] + image configuration + settings -> [`Spec`].
//!
//! What comes out is what podman generates rootless, but for what is ours: /dev/shm is a tmpfs of the container's
//! mount namespace, and the user namespace's maps stand in the specification itself.

mod capabilities;
mod environment;
mod limits;
mod linux;
mod masks;
mod mounts;
mod process;
mod resources;
mod settings;
mod systemd;
mod volumes;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{Root, Spec};

use super::request::Request;
use super::seccomp;
use super::user::ResolvedUser;
use super::value::{Device, Label, Signal};
use crate::error::{Error, Result};
use crate::oci::ImageConfig;
use crate::sys::caps::CapSet;
use crate::userns::IdMaps;

pub use capabilities::capabilities;
pub use limits::notes;
pub use resources::{CgroupFacts, CgroupMaker};
pub use settings::{Settings, cgroup_mode, cgroup_namespace, init, read_only, stop_timeout, timezone};
pub use volumes::{mounts, published};

/// The annotation that asks for rcon's own pid 1; its value is `true`.
pub const INIT_ANNOTATION: &str = "io.rcon.init";

/// The annotation that tells the stop signal's number, as podman and CRI-O write it.
const STOP_SIGNAL_ANNOTATION: &str = "org.opencontainers.image.stopSignal";

/// The annotation by which the runtime leaves the caller's supplementary groups, as crun knows it; its value is `1`.
pub const KEEP_GROUPS_ANNOTATION: &str = "run.oci.keep_original_groups";

/// Everything that the specification depends on besides the request, gathered by the caller.
pub struct Inputs<'a> {
    /// The image's configuration; `None` with `--rootfs`.
    pub image: Option<&'a ImageConfig>,
    /// The container's id: the default host name is its first twelve digits.
    pub id: &'a str,
    /// Where the root file system is: `root.path`.
    pub root: &'a Path,
    /// Who the first process is, from [`user::resolve`](super::user::resolve).
    pub user: ResolvedUser,
    /// Files of the host that are mounted on the container's.
    pub files: Files,
    /// For each mount of [`mounts`] that is a volume, by destination: its directory on the host.
    pub volumes: BTreeMap<PathBuf, PathBuf>,
    /// The user namespace's maps; `None`: the caller's own namespace.
    pub maps: Option<&'a IdMaps>,
    /// Whether the container has the host's network.
    pub network: NetworkNamespace,
    /// Where its other namespaces are: what `--pid`, `--ipc` and `--uts` name, looked up.
    pub placement: Placement,
    /// The devices of the host that it gets, directories looked through: `--device`, containers.conf's and those
    /// of `--privileged`.
    pub devices: Vec<Device>,
    /// The profile that `seccomp=FILE` or containers.conf names, read by the caller; `None`: the built-in one.
    pub seccomp_profile: Option<&'a [u8]>,
    /// What this machine is and allows.
    pub host: HostFacts,
    /// What it has of control groups.
    pub cgroups: CgroupFacts,
    /// From containers.conf.
    pub settings: &'a Settings,
    /// The caller's environment, for the proxy variables.
    pub caller_env: &'a dyn Fn(&str) -> Option<String>,
}

/// Whose network the container sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkNamespace {
    /// Its own.
    Private,
    /// The host's.
    Host,
}

/// Where a namespace is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NamespacePlace {
    /// It is made for the container.
    #[default]
    New,
    /// It is the host's.
    Host,
    /// It exists: a file that leads to it.
    Existing(PathBuf),
}

/// Where the namespaces of a container are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// The user namespace that those below belong to, if one of them exists already.
    pub user: Option<PathBuf>,
    /// `--pid`
    pub pid: NamespacePlace,
    /// `--ipc`
    pub ipc: NamespacePlace,
    /// `--uts`
    pub uts: NamespacePlace,
    /// `--network`, where it is one that exists.
    pub network: NamespacePlace,
    /// The host name that an existing uts namespace has, where it is known.
    pub hostname: Option<String>,
}

/// Files of the host that are mounted on the container's, unless the user mounts something there.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// /etc/hosts
    pub hosts: Option<PathBuf>,
    /// /etc/resolv.conf
    pub resolv_conf: Option<PathBuf>,
    /// /etc/hostname
    pub hostname: Option<PathBuf>,
    /// /run/.containerenv
    pub containerenv: Option<PathBuf>,
    /// /etc/passwd, where a line had to be added for the user
    pub passwd: Option<PathBuf>,
    /// /etc/group, likewise
    pub group: Option<PathBuf>,
    /// /etc/localtime, with `--tz`
    pub localtime: Option<PathBuf>,
}

/// What this machine is and allows.
#[derive(Clone, Debug)]
pub struct HostFacts {
    /// Its name, which a container with the host's network has too.
    pub hostname: String,
    /// The directory that relative paths of `--volume` and `--device` begin at.
    pub working_dir: PathBuf,
    /// The caller's hard limit of open files.
    pub nofile_hard: u64,
    /// The caller's hard limit of processes.
    pub nproc_hard: u64,
    /// The caller's own adjustment: without privilege it can only be raised.
    pub oom_score_adj: i32,
    /// The highest capability that the kernel knows.
    pub last_capability: u8,
    /// The kernel's version, on which seccomp rules depend.
    pub kernel: seccomp::Kernel,
    /// The processor.
    pub arch: oci_spec::runtime::Arch,
    /// Whether /dev/mqueue is mounted.
    pub mqueue: bool,
    /// Whether the kernel enforces AppArmor profiles.
    pub apparmor: bool,
    /// Whether the kernel enforces an SELinux policy.
    pub selinux: bool,
}

/// Makes the specification that the runtime is given. Pure; fails only where the request does not fit the image
/// or the machine.
pub fn build(request: &Request, inputs: &Inputs<'_>) -> Result<Spec> {
    let capabilities = capabilities(request, inputs.settings, inputs.host.last_capability)?;
    check_namespaces(request, inputs)?;
    let hostname = hostname(request, inputs);
    let own_name = (inputs.placement.uts == NamespacePlace::New).then(|| hostname.clone());
    let mut root = Root::default();
    root.set_path(inputs.root.to_owned()).set_readonly(read_only(request, inputs.settings).then_some(true));
    let mut spec = Spec::default();
    spec.set_version("1.2.0".to_owned())
        .set_process(Some(process::process(request, inputs, capabilities, &hostname)?))
        .set_root(Some(root))
        .set_hostname(own_name)
        .set_mounts(Some(mounts::all(request, inputs)?))
        .set_annotations(Some(annotations(request, inputs)?))
        .set_linux(Some(linux::linux(request, inputs, capabilities)?));
    Ok(spec)
}

/// `--hostname`, else the host's name with the host's network, else the short id.
pub fn hostname(request: &Request, inputs: &Inputs<'_>) -> String {
    let own = || match (&request.hostname, inputs.network) {
        (Some(name), _) => name.as_str().to_owned(),
        (None, NetworkNamespace::Host) => inputs.host.hostname.clone(),
        (None, NetworkNamespace::Private) => inputs.id.get(..12).unwrap_or(inputs.id).to_owned(),
    };
    match &inputs.placement.uts {
        NamespacePlace::New => own(),
        NamespacePlace::Host => inputs.host.hostname.clone(),
        NamespacePlace::Existing(_) => inputs.placement.hostname.clone().unwrap_or_else(own),
    }
}

/// What cannot be had of a namespace that is not the container's own.
fn check_namespaces(request: &Request, inputs: &Inputs<'_>) -> Result<()> {
    let Placement { pid, ipc, uts, .. } = &inputs.placement;
    let refuse = |option: &str, why: &str| Err(Error::usage(format!("{option}: {why}")));
    if request.hostname.is_some() && *uts != NamespacePlace::New {
        return refuse("--hostname", "the uts namespace is not the container's own, but what --uts names");
    }
    if request.filesystem.shm_size.is_some() && *ipc == NamespacePlace::Host {
        return refuse("--shm-size", "/dev/shm is the host's with --ipc host");
    }
    if init(request, inputs.settings) && *pid != NamespacePlace::New {
        return refuse(
            "--init",
            "a pid namespace that is not the container's own has its first process already",
        );
    }
    if !request.security.options.proc_options.is_empty() && *pid == NamespacePlace::Host {
        return refuse("--security-opt proc-opts", "/proc is the host's with --pid host");
    }
    Ok(())
}

/// The image's labels, below those of the request.
pub fn labels(request: &Request, image: Option<&ImageConfig>) -> BTreeMap<String, String> {
    let mut labels = image.map(|image| image.config.labels.clone()).unwrap_or_default();
    labels.extend(request.labels.iter().map(|Label { key, value }| (key.clone(), value.clone())));
    labels
}

/// `--stop-signal`, else the image's, else SIGTERM.
pub fn stop_signal(request: &Request, image: Option<&ImageConfig>) -> Result<Signal> {
    let of_image = image.map(|image| image.config.stop_signal.as_str()).filter(|text| !text.is_empty());
    match (request.lifecycle.stop_signal, of_image) {
        (Some(signal), _) => Ok(signal),
        (None, None) if systemd::wanted(request, image) => Ok(systemd::STOP_SIGNAL),
        (None, Some(text)) => text
            .parse()
            .map_err(|error| Error::wrap("the image's StopSignal", error))
            .map_err(|error: Error| error.hint("--stop-signal SIGTERM overrides it")),
        (None, None) => Ok(Signal::TERM),
    }
}

/// Labels, then what the runtime and `stop` read, then containers.conf's and `--annotation`.
fn annotations(request: &Request, inputs: &Inputs<'_>) -> Result<HashMap<String, String>> {
    let mut annotations: HashMap<String, String> = labels(request, inputs.image).into_iter().collect();
    let signal = stop_signal(request, inputs.image)?;
    annotations.insert(STOP_SIGNAL_ANNOTATION.to_owned(), signal.number().to_string());
    annotations.remove(INIT_ANNOTATION);
    let explicit = inputs.settings.annotations.iter().chain(&request.annotations);
    annotations.extend(explicit.map(|Label { key, value }| (key.clone(), value.clone())));
    if request.process.keep_groups {
        annotations.insert(KEEP_GROUPS_ANNOTATION.to_owned(), "1".to_owned());
    }
    if init(request, inputs.settings) {
        annotations.insert(INIT_ANNOTATION.to_owned(), "true".to_owned());
    }
    Ok(annotations)
}

/// What seccomp rules depend on.
fn conditions(inputs: &Inputs<'_>, caps: CapSet) -> seccomp::Conditions {
    seccomp::Conditions { caps, arch: inputs.host.arch, kernel: inputs.host.kernel }
}
