//! `info`: this machine, this user's store and this rcon, under the keys of `podman info` where these have
//! a meaning here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::config::Env;
use crate::config::containers_conf::ContainersConf;
use crate::config::storage_conf::StorageConf;
use crate::container::Phase;
use crate::error::Result;
use crate::ops::Session;
use crate::ops::control_groups;
use crate::ops::ps::{self, Which};
use crate::ops::version::{self, Version};
use crate::runtime::cgroup;
use crate::sys::caps::{Cap, CapSet};
use crate::sys::filesystem;
use crate::userns::{self, IdMap, Request};

/// How many containers there are.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[allow(missing_docs)]
pub struct ContainerCounts {
    pub number: usize,
    pub paused: usize,
    pub running: usize,
    pub stopped: usize,
}

/// The document.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Info {
    pub host: Host,
    pub store: Store,
    pub version: Version,
}

/// The machine.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Host {
    pub arch: &'static str,
    pub cgroup_manager: String,
    pub cgroup_version: &'static str,
    pub cgroup_controllers: Vec<String>,
    pub cpus: usize,
    pub distribution: Distribution,
    pub hostname: String,
    pub id_mappings: IdMappings,
    pub kernel: String,
    pub log_driver: String,
    pub mem_free: u64,
    pub mem_total: u64,
    pub oci_runtime: Program,
    pub os: &'static str,
    pub rootless_network_cmd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pasta: Option<Executable>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slirp4netns: Option<Executable>,
    pub security: Security,
    pub service_is_remote: bool,
    pub swap_free: u64,
    pub swap_total: u64,
    pub uptime: String,
    pub linkmode: &'static str,
    /// What is lost on this machine and how to get it back; podman has no such key.
    pub notes: Vec<String>,
}

/// os-release(5).
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs)]
pub struct Distribution {
    pub distribution: String,
    pub version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub codename: String,
}

/// The default map.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct IdMappings {
    pub gidmap: Vec<Mapping>,
    pub uidmap: Vec<Mapping>,
}

/// A run of ids.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Mapping {
    pub container_id: u32,
    pub host_id: u32,
    pub size: u32,
}

/// A program with a version.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Program {
    pub name: &'static str,
    pub path: String,
    pub version: String,
}

/// A program that was found.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Executable {
    pub executable: String,
}

/// What confines a container.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Security {
    pub apparmor_enabled: bool,
    pub capabilities: String,
    pub rootless: bool,
    pub seccomp_enabled: bool,
    pub seccomp_profile_path: String,
    pub selinux_enabled: bool,
}

/// The store.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct Store {
    pub config_file: String,
    pub container_store: ContainerCounts,
    pub graph_driver_name: String,
    /// Why this driver; podman has no such key.
    pub graph_driver_reason: String,
    pub graph_options: BTreeMap<String, String>,
    pub graph_root: String,
    pub graph_root_allocated: u64,
    pub graph_root_used: u64,
    pub graph_status: BTreeMap<&'static str, String>,
    pub image_store: ImageStore,
    pub run_root: String,
    pub transient_store: bool,
    pub volume_path: String,
}

/// How many images there are.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs)]
pub struct ImageStore {
    pub number: usize,
}

/// Finds everything out.
pub fn info(session: &Session) -> Result<Info> {
    Ok(Info { host: host(session)?, store: store(session)?, version: version::version() })
}

impl ContainerCounts {
    fn of(session: &Session) -> Result<Self> {
        let containers = ps::list(session, Which::All)?;
        let running = containers.iter().filter(|container| container.state.phase == Phase::Running).count();
        let number = containers.len();
        Ok(Self { number, paused: 0, running, stopped: number - running })
    }
}

fn host(session: &Session) -> Result<Host> {
    let Session { env, conf, paths, .. } = session;
    let namespace = userns::plan(env, &Request::default())?;
    let memory = fields("/proc/meminfo", ':');
    let bytes = |name: &str| {
        let value = memory.get(name).and_then(|value| value.strip_suffix(" kB")?.parse::<u64>().ok());
        value.unwrap_or(0) * 1024
    };
    let cgroups = control_groups::survey(&session.env, conf)?;
    let uname = rustix::system::uname();
    let executable =
        |name: &str| env.find_program(name).map(|path| Executable { executable: path.display().to_string() });
    let (pasta, slirp4netns) = (executable("pasta"), executable("slirp4netns"));
    let wanted = conf.network.default_rootless_network_cmd.as_deref().unwrap_or("pasta");
    let network = match (wanted, &pasta, &slirp4netns) {
        ("pasta", Some(_), _) | ("slirp4netns", Some(_), None) => Some("pasta"),
        (_, _, Some(_)) => Some("slirp4netns"),
        _ => None,
    };
    Ok(Host {
        arch: version::arch(),
        cgroup_manager: cgroups.manager.name().to_owned(),
        cgroup_version: if cgroups.version == Some(cgroup::Version::Unified) { "v2" } else { "v1" },
        cgroup_controllers: cgroups.controllers,
        cpus: std::thread::available_parallelism().map_or(1, usize::from),
        distribution: distribution(),
        hostname: uname.nodename().to_string_lossy().into_owned(),
        id_mappings: IdMappings {
            gidmap: mappings(&namespace.default_maps.gid),
            uidmap: mappings(&namespace.default_maps.uid),
        },
        kernel: uname.release().to_string_lossy().into_owned(),
        log_driver: conf.containers.log_driver.clone().unwrap_or_else(|| "k8s-file".to_owned()),
        mem_free: bytes("MemFree"),
        mem_total: bytes("MemTotal"),
        oci_runtime: Program {
            name: "rcon",
            path: std::env::current_exe().map_or_else(|_| "rcon".into(), |path| path.display().to_string()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        os: "linux",
        rootless_network_cmd: network.map(str::to_owned),
        pasta,
        slirp4netns,
        security: security(env, conf),
        service_is_remote: false,
        swap_free: bytes("SwapFree"),
        swap_total: bytes("SwapTotal"),
        uptime: uptime(&fs::read_to_string("/proc/uptime").unwrap_or_default()),
        linkmode: "static",
        notes: paths.notes.iter().chain(&namespace.notes).cloned().collect(),
    })
}

fn mappings(maps: &[IdMap]) -> Vec<Mapping> {
    maps.iter()
        .map(|map| Mapping { container_id: map.inside, host_id: map.outside, size: map.count })
        .collect()
}

fn security(env: &Env, conf: &ContainersConf) -> Security {
    let capabilities = match conf.containers.default_capabilities.get() {
        Some(names) => names.join(","),
        None => {
            let mut names: Vec<_> = CapSet::DEFAULT.iter().map(Cap::name).collect();
            names.sort_unstable();
            names.join(",")
        }
    };
    Security {
        // Neither is applied to containers, whether or not the host has them.
        apparmor_enabled: false,
        selinux_enabled: false,
        capabilities,
        rootless: env.uid() != 0,
        seccomp_enabled: Path::new("/proc/sys/kernel/seccomp/actions_avail").exists(),
        seccomp_profile_path: conf.containers.seccomp_profile.clone().unwrap_or_default(),
    }
}

fn store(session: &Session) -> Result<Store> {
    let Session { paths, storage_conf, .. } = session;
    let rootfs = session.rootfs_choice()?;
    let display = |path: &Path| path.display().to_string();
    let (allocated, used) = disk(&paths.data);
    let backing = filesystem::name_of(existing(&paths.data));
    Ok(Store {
        config_file: storage_conf.file.as_deref().map(display).unwrap_or_default(),
        container_store: ContainerCounts::of(session)?,
        graph_driver_name: rootfs.driver.name().to_owned(),
        graph_driver_reason: rootfs.why,
        graph_options: graph_options(storage_conf),
        graph_root: display(&paths.data),
        graph_root_allocated: allocated,
        graph_root_used: used,
        graph_status: [("Backing Filesystem", backing)].into(),
        image_store: ImageStore { number: session.store.image_ids()?.len() },
        run_root: display(&paths.run),
        transient_store: false,
        volume_path: display(&paths.data.join("volumes")),
    })
}

fn graph_options(conf: &StorageConf) -> BTreeMap<String, String> {
    let program = conf.mount_program.as_ref().map(|path| path.display().to_string());
    [
        ("overlay.mount_program", program),
        ("overlay.mountopt", conf.mountopt.clone()),
        ("overlay.ignore_chown_errors", conf.ignore_chown_errors.map(|value| value.to_string())),
        ("overlay.force_mask", conf.force_mask.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

/// The size of the file system below `path` and what is used of it.
fn disk(path: &Path) -> (u64, u64) {
    rustix::fs::statvfs(existing(path)).map_or((0, 0), |stat| {
        (stat.f_blocks * stat.f_frsize, stat.f_blocks.saturating_sub(stat.f_bfree) * stat.f_frsize)
    })
}

/// `path`, or the nearest directory above it that exists.
pub(crate) fn existing(path: &Path) -> &Path {
    path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"))
}

fn distribution() -> Distribution {
    let fields = fields("/etc/os-release", '=');
    let value = |name: &str| {
        fields.get(name).map(|value| value.trim_matches(['"', '\'']).to_owned()).unwrap_or_default()
    };
    Distribution {
        distribution: value("ID"),
        version: value("VERSION_ID"),
        codename: value("VERSION_CODENAME"),
    }
}

/// The lines `NAME<separator>VALUE` of a file.
fn fields(file: &str, separator: char) -> BTreeMap<String, String> {
    let content = fs::read_to_string(file).unwrap_or_default();
    content
        .lines()
        .filter_map(|line| line.split_once(separator))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect()
}

/// podman's form: `51h 2m 9.00s (Approximately 2.12 days)`.
fn uptime(content: &str) -> String {
    let seconds = content.split(['.', ' ']).next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let days = match hours {
        0..24 => String::new(),
        _ => {
            let hundredths = hours * 100 / 24;
            format!(" (Approximately {}.{:02} days)", hundredths / 100, hundredths % 100)
        }
    };
    format!("{hours}h {minutes}m {rest}.00s{days}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::Globals;

    #[test]
    fn uptimes_read_as_podmans() {
        assert_eq!(uptime("996.52 1900.01\n"), "0h 16m 36.00s");
        assert_eq!(uptime("183729.00 1\n"), "51h 2m 9.00s (Approximately 2.12 days)");
        assert_eq!(uptime(""), "0h 0m 0.00s");
    }

    #[test]
    fn the_document_has_podmans_keys() {
        let dir = tempfile::tempdir().unwrap();
        let root = Some(dir.path().to_owned());
        let globals = Globals { root: root.clone(), runroot: root, ..Globals::default() };
        let info = info(&Session::open(Env::capture(), globals).unwrap()).unwrap();
        let value = serde_json::to_value(info).unwrap();
        for pointer in [
            "/host/arch",
            "/host/cgroupVersion",
            "/host/cgroupControllers",
            "/host/cpus",
            "/host/distribution/distribution",
            "/host/hostname",
            "/host/idMappings/uidmap/0/container_id",
            "/host/kernel",
            "/host/memTotal",
            "/host/ociRuntime/name",
            "/host/security/rootless",
            "/host/security/seccompEnabled",
            "/store/graphRoot",
            "/store/graphDriverName",
            "/store/imageStore/number",
            "/store/runRoot",
            "/version/Version",
            "/version/OsArch",
        ] {
            assert!(value.pointer(pointer).is_some(), "{pointer} is missing");
        }
        assert_eq!(value["host"]["security"]["capabilities"].as_str().unwrap().split(',').count(), 11);
        assert!(value["store"]["graphRootAllocated"].as_u64().unwrap() > 0);
    }
}
