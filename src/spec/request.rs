//! What a person asked for, typed: the one form of a container between the command line and the
//! OCI specification.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::oci::Platform;

use super::value::{
    ByteSize, CapabilityName, CgroupMode, CgroupNamespace, CgroupParent, CgroupSetting, ContainerName, Cpus,
    DetachKeys, Device, DiskWeight, Entrypoint, EnvVar, Group, Hostname, IpcMode, Label, Maximum, Mount,
    NamespaceMode, NumberList, OfDevice, SecurityOptions, Signal, StopTimeout, Sysctl, SystemdMode, Timezone,
    Ulimit, Umask, UserSpec,
};
/// Everything that `run` was asked for. Fields that are `None` or empty leave the choice to the image, then to
/// containers.conf, then to the built-in default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Where the root file system comes from.
    pub base: Base,
    /// The words after the image: replace the image's Cmd.
    pub command: Vec<String>,
    /// `--entrypoint`: replaces the image's Entrypoint and drops its Cmd.
    pub entrypoint: Option<Entrypoint>,
    /// `--name`.
    pub name: Option<ContainerName>,
    /// `--hostname`; default: the short id.
    pub hostname: Option<Hostname>,
    /// `--label-file` then `--label`, in order; the last of a key counts. The image's labels come below them.
    pub labels: Vec<Label>,
    /// `--annotation`, in order.
    pub annotations: Vec<Label>,
    /// Creation and end of the container.
    pub lifecycle: Lifecycle,
    /// How the image is found.
    pub image: ImageRequest,
    /// The first process.
    pub process: ProcessRequest,
    /// How the caller's terminal is attached.
    pub terminal: Terminal,
    /// Mounts, devices and the root file system's mode.
    pub filesystem: Filesystem,
    /// Capabilities, seccomp, masks.
    pub security: Security,
    /// Network options, as typed where the network module parses them.
    pub network: NetworkRequest,
    /// `--userns`, `--uidmap`, `--gidmap` as typed; parsed by the userns module.
    pub user_namespace: UserNamespaceRequest,
    /// `--sysctl`.
    pub sysctls: Vec<Sysctl>,
    /// `--pid`, `--ipc`, `--uts`.
    #[serde(default)]
    pub namespaces: Namespaces,
    /// The control group and its limits.
    #[serde(default)]
    pub resources: ResourceRequest,
}

impl Request {
    /// A request for `base` with nothing else asked.
    pub fn new(base: Base) -> Self {
        Self {
            base,
            command: Vec::new(),
            entrypoint: None,
            name: None,
            hostname: None,
            labels: Vec::new(),
            annotations: Vec::new(),
            lifecycle: Lifecycle::default(),
            image: ImageRequest::default(),
            process: ProcessRequest::default(),
            terminal: Terminal::default(),
            filesystem: Filesystem::default(),
            security: Security::default(),
            network: NetworkRequest::default(),
            user_namespace: UserNamespaceRequest::default(),
            sysctls: Vec::new(),
            namespaces: Namespaces::default(),
            resources: ResourceRequest::default(),
        }
    }
}

/// Where the root file system comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Base {
    /// A reference or an id as typed; `image::Reference` and the store understand it.
    Image(String),
    /// `--rootfs`: a directory of the host.
    Rootfs(Rootfs),
}

/// `--rootfs DIR[:O]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rootfs {
    /// The directory as typed, possibly relative.
    pub path: PathBuf,
    /// Whether the container's writes reach it.
    pub mode: RootfsMode,
}

/// What happens to writes under a `--rootfs` directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RootfsMode {
    /// They are the directory's own.
    Direct,
    /// `:O`: they go to an overlay that is thrown away with the container.
    Overlay,
}

/// Creation and end of the container.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// `--rm`: remove the container when it has ended.
    pub remove: bool,
    /// `--replace`: remove another container of the same name first.
    pub replace: bool,
    /// `--cidfile`: must not exist; receives the id.
    pub cidfile: Option<PathBuf>,
    /// `--init` / `--init=false`: rcon's own pid 1; `None`: containers.conf decides.
    pub init: Option<bool>,
    /// `--stop-signal`; default: the image's, then SIGTERM.
    pub stop_signal: Option<Signal>,
    /// `--stop-timeout`; default 10 seconds.
    pub stop_timeout: Option<StopTimeout>,
}

/// How the image is found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageRequest {
    /// `--pull` as typed; parsed by `image::pull::PullPolicy`.
    pub pull: Option<String>,
    /// `--platform`, or `--os`, `--arch` and `--variant` put together.
    pub platform: Option<Platform>,
    /// `--quiet`: no progress.
    pub quiet: bool,
}

/// The first process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessRequest {
    /// `-t`.
    pub tty: bool,
    /// `-i`.
    pub interactive: bool,
    /// `--env-file` then `--env`, resolved against the caller's environment, in order.
    pub env: Vec<EnvVar>,
    /// `--unsetenv`: names of the image's and the default environment that are left out.
    pub unset_env: Vec<String>,
    /// `--unsetenv-all`: nothing but what was asked for.
    pub unset_all_env: bool,
    /// `--http-proxy`: pass the proxy variables on; `None`: containers.conf decides (default yes).
    pub http_proxy: Option<bool>,
    /// `--workdir`.
    pub workdir: Option<PathBuf>,
    /// `--user`.
    pub user: Option<UserSpec>,
    /// `--group-add`.
    pub groups: Vec<Group>,
    /// `--group-add keep-groups`: the caller's supplementary groups stay.
    #[serde(default)]
    pub keep_groups: bool,
    /// `--umask`; default 0022.
    pub umask: Option<Umask>,
    /// `--ulimit`.
    pub ulimits: Vec<Ulimit>,
    /// `--oom-score-adj`.
    pub oom_score_adj: Option<i32>,
    /// `--systemd`.
    #[serde(default)]
    pub systemd: SystemdMode,
}

/// How the caller's terminal is attached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terminal {
    /// `--detach-keys`; `None`: the default.
    pub detach_keys: Option<DetachKeys>,
    /// `--sig-proxy`: pass signals on to the container (without `-t`).
    pub sig_proxy: bool,
}

impl Default for Terminal {
    fn default() -> Self {
        Self { detach_keys: None, sig_proxy: true }
    }
}

/// Mounts, devices and the root file system's mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Filesystem {
    /// `--volume`, `--mount` and `--tmpfs`, in that order.
    pub mounts: Vec<Mount>,
    /// What becomes of the image's VOLUMEs.
    pub image_volumes: ImageVolumes,
    /// `--read-only`; `None`: containers.conf decides.
    pub read_only: Option<bool>,
    /// `--read-only-tmpfs`: with `--read-only`, writable tmpfs on /run, /tmp, /var/tmp (default yes).
    pub read_only_tmpfs: bool,
    /// `--shm-size`; default 64 MiB.
    pub shm_size: Option<ByteSize>,
    /// `--device`.
    pub devices: Vec<Device>,
    /// `--tz`.
    pub timezone: Option<Timezone>,
}

impl Default for Filesystem {
    fn default() -> Self {
        Self {
            mounts: Vec::new(),
            image_volumes: ImageVolumes::default(),
            read_only: None,
            read_only_tmpfs: true,
            shm_size: None,
            devices: Vec::new(),
            timezone: None,
        }
    }
}

/// `--image-volume`: what becomes of the image's VOLUMEs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImageVolumes {
    /// `anonymous` (also `bind`, podman's older word): an anonymous volume each.
    #[default]
    Anonymous,
    /// A tmpfs each.
    Tmpfs,
    /// Plain directories of the root file system.
    Ignore,
}

/// Capabilities, seccomp, masks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Security {
    /// `--privileged`.
    #[serde(default)]
    pub privileged: bool,
    /// `--cap-add`.
    pub cap_add: Vec<CapabilityName>,
    /// `--cap-drop`.
    pub cap_drop: Vec<CapabilityName>,
    /// `--security-opt`, all of them.
    pub options: SecurityOptions,
}

/// Whose namespaces the container is in.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Namespaces {
    /// `--pid`.
    pub pid: NamespaceMode,
    /// `--ipc`.
    pub ipc: IpcMode,
    /// `--uts`.
    pub uts: NamespaceMode,
}

/// Network options, for `network::Request`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetworkRequest {
    /// `--network` as typed.
    pub mode: Option<String>,
    /// `--publish` as typed.
    pub publish: Vec<String>,
    /// `--publish-all`: every exposed port on a free port of the host.
    pub publish_all: bool,
    /// `--expose` as typed: PORT[-PORT][/PROTOCOL].
    pub expose: Vec<String>,
    /// `--dns` as typed.
    pub dns: Vec<String>,
    /// `--dns-search` as typed.
    pub dns_search: Vec<String>,
    /// `--dns-option` as typed.
    pub dns_options: Vec<String>,
    /// `--add-host` as typed.
    pub add_hosts: Vec<String>,
    /// `--no-hosts`: leave the image's /etc/hosts alone; `None`: containers.conf decides.
    pub no_hosts: Option<bool>,
}

/// User namespace options, for `userns::Request`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct UserNamespaceRequest {
    /// `--userns` as typed.
    pub mode: Option<String>,
    /// `--uidmap` as typed.
    pub uidmaps: Vec<String>,
    /// `--gidmap` as typed.
    pub gidmaps: Vec<String>,
}

/// The control group and its limits. `None` and empty: no limit, but for the number of processes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ResourceRequest {
    /// `--memory`.
    pub memory: Option<ByteSize>,
    /// `--memory-swap`: memory and swap together; default: twice the memory.
    pub memory_swap: Option<Maximum<ByteSize>>,
    /// `--memory-reservation`.
    pub memory_reservation: Option<ByteSize>,
    /// `--cpus`; not with a quota or a period.
    pub cpus: Option<Cpus>,
    /// `--cpu-shares`.
    pub cpu_shares: Option<u64>,
    /// `--cpu-quota`, in microseconds; -1: none.
    pub cpu_quota: Option<i64>,
    /// `--cpu-period`, in microseconds.
    pub cpu_period: Option<u64>,
    /// `--cpuset-cpus`.
    pub cpuset_cpus: Option<NumberList>,
    /// `--cpuset-mems`.
    pub cpuset_mems: Option<NumberList>,
    /// `--pids-limit`; `None`: containers.conf's, else 2048 where that can be had.
    pub pids_limit: Option<Maximum<u32>>,
    /// `--blkio-weight`.
    pub disk_weight: Option<DiskWeight>,
    /// `--blkio-weight-device`.
    pub disk_weights: Vec<OfDevice<DiskWeight>>,
    /// `--device-read-bps`.
    pub read_bps: Vec<OfDevice<ByteSize>>,
    /// `--device-write-bps`.
    pub write_bps: Vec<OfDevice<ByteSize>>,
    /// `--device-read-iops`.
    pub read_iops: Vec<OfDevice<u64>>,
    /// `--device-write-iops`.
    pub write_iops: Vec<OfDevice<u64>>,
    /// `--cgroup-conf`.
    pub settings: Vec<CgroupSetting>,
    /// `--cgroups`; `None`: containers.conf's.
    pub mode: Option<CgroupMode>,
    /// `--cgroup-parent`.
    pub parent: Option<CgroupParent>,
    /// `--cgroupns`; `None`: containers.conf's.
    pub namespace: Option<CgroupNamespace>,
}

impl ResourceRequest {
    /// The devices that something is said about.
    pub fn devices(&self) -> impl Iterator<Item = &PathBuf> {
        let weights = self.disk_weights.iter().map(|device| &device.path);
        let bytes = self.read_bps.iter().chain(&self.write_bps).map(|device| &device.path);
        let operations = self.read_iops.iter().chain(&self.write_iops).map(|device| &device.path);
        weights.chain(bytes).chain(operations)
    }
}
