//! What containers.conf decides, parsed to the types of the flags that it stands in for.

use std::str::FromStr;

use crate::config::containers_conf::ContainersConf;
use crate::error::{Error, Result};
use crate::spec::request::Request;
use crate::spec::value::{
    ByteSize, CgroupMode, CgroupNamespace, CgroupSetting, Device, EnvArgument, EnvVar, Label, Mount,
    StopTimeout, Sysctl, Timezone, Ulimit, Umask,
};
use crate::sys::caps::{Cap, CapSet};

/// The settings that a specification depends on.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `default_capabilities`; `None`: the built-in set.
    pub default_capabilities: Option<CapSet>,
    /// `default_sysctls`; `None`: the built-in ping group range.
    pub default_sysctls: Option<Vec<Sysctl>>,
    /// `default_ulimits`
    pub default_ulimits: Vec<Ulimit>,
    /// `env`
    pub env: Vec<EnvVar>,
    /// `http_proxy`; `None`: yes.
    pub http_proxy: Option<bool>,
    /// `init`
    pub init: bool,
    /// `read_only`
    pub read_only: bool,
    /// `oom_score_adj`
    pub oom_score_adj: Option<i32>,
    /// `shm_size`
    pub shm_size: Option<ByteSize>,
    /// `stop_timeout`
    pub stop_timeout: Option<StopTimeout>,
    /// `tz`
    pub timezone: Option<Timezone>,
    /// `umask`
    pub umask: Option<Umask>,
    /// `volumes` and `mounts`
    pub mounts: Vec<Mount>,
    /// `devices`
    pub devices: Vec<Device>,
    /// `annotations`
    pub annotations: Vec<Label>,
    /// `cgroups`
    pub cgroup_mode: CgroupMode,
    /// `cgroupns`
    pub cgroup_namespace: CgroupNamespace,
    /// `cgroup_conf`
    pub cgroup_settings: Vec<CgroupSetting>,
    /// `pids_limit`; 0 and less: no limit.
    pub pids_limit: Option<i64>,
}

/// Parses the value of `key`, which an error names.
fn one<T: FromStr<Err = Error>>(key: &str, text: &str) -> Result<T> {
    text.parse().map_err(|error: Error| Error::wrap(format!("containers.conf: {key}"), error))
}

fn option<T: FromStr<Err = Error>>(key: &str, text: Option<&String>) -> Result<Option<T>> {
    // Podman's own containers.conf carries empty values for "not set".
    text.filter(|text| !text.is_empty()).map(|text| one(key, text)).transpose()
}

fn list<T: FromStr<Err = Error>>(key: &str, texts: &[String]) -> Result<Vec<T>> {
    texts.iter().map(|text| one(key, text)).collect()
}

impl Settings {
    /// The settings of `conf`, each value checked like the flag's.
    pub fn from_conf(conf: &ContainersConf) -> Result<Self> {
        let containers = &conf.containers;
        let capabilities = containers.default_capabilities.get();
        let sysctls = containers.default_sysctls.get();
        Ok(Self {
            default_capabilities: capabilities
                .map(|names| {
                    list::<Cap>("default_capabilities", names).map(|caps| caps.into_iter().collect())
                })
                .transpose()?,
            default_sysctls: sysctls.map(|texts| list("default_sysctls", texts)).transpose()?,
            default_ulimits: list("default_ulimits", containers.default_ulimits.values())?,
            env: variables(containers.env.values())?,
            http_proxy: containers.http_proxy,
            init: containers.init.unwrap_or(false),
            read_only: containers.read_only.unwrap_or(false),
            oom_score_adj: containers.oom_score_adj,
            shm_size: option("shm_size", containers.shm_size.as_ref())?,
            stop_timeout: conf
                .engine
                .stop_timeout
                .map(|seconds| one("stop_timeout", &seconds.to_string()))
                .transpose()?,
            timezone: option("tz", containers.tz.as_ref())?,
            umask: option("umask", containers.umask.as_ref())?,
            mounts: mounts(containers.volumes.values(), containers.mounts.values())?,
            devices: list("devices", containers.devices.values())?,
            annotations: list("annotations", containers.annotations.values())?,
            cgroup_mode: option("cgroups", containers.cgroups.as_ref())?.unwrap_or_default(),
            cgroup_namespace: option("cgroupns", containers.cgroupns.as_ref())?.unwrap_or_default(),
            cgroup_settings: list("cgroup_conf", containers.cgroup_conf.values())?,
            pids_limit: containers.pids_limit,
        })
    }
}

/// `NAME=VALUE` each; names alone stand for nothing there.
fn variables(texts: &[String]) -> Result<Vec<EnvVar>> {
    let arguments = list::<EnvArgument>("env", texts)?;
    Ok(arguments.into_iter().flat_map(|argument| argument.resolve(std::iter::empty())).collect())
}

fn mounts(volumes: &[String], mounts: &[String]) -> Result<Vec<Mount>> {
    let volumes = volumes.iter().map(|text| Mount::from_volume(text));
    let mounts = mounts.iter().map(|text| Mount::from_mount(text));
    volumes.chain(mounts).map(|mount| mount.map_err(|error| Error::wrap("containers.conf", error))).collect()
}

/// Whether rcon's own pid 1 stands before the command.
pub fn init(request: &Request, settings: &Settings) -> bool {
    request.lifecycle.init.unwrap_or(settings.init)
}

/// Whether the root file system is read-only.
pub fn read_only(request: &Request, settings: &Settings) -> bool {
    request.filesystem.read_only.unwrap_or(settings.read_only)
}

/// `--tz`, else the one of containers.conf.
pub fn timezone<'a>(request: &'a Request, settings: &'a Settings) -> Option<&'a Timezone> {
    request.filesystem.timezone.as_ref().or(settings.timezone.as_ref())
}

/// `--stop-timeout`, else the one of containers.conf, else ten seconds.
pub fn stop_timeout(request: &Request, settings: &Settings) -> StopTimeout {
    request.lifecycle.stop_timeout.or(settings.stop_timeout).unwrap_or(StopTimeout::DEFAULT)
}

/// `--cgroups`, else the one of containers.conf.
pub fn cgroup_mode(request: &Request, settings: &Settings) -> CgroupMode {
    request.resources.mode.unwrap_or(settings.cgroup_mode)
}

/// `--cgroupns`, else the one of containers.conf.
pub fn cgroup_namespace(request: &Request, settings: &Settings) -> CgroupNamespace {
    request.resources.namespace.unwrap_or(settings.cgroup_namespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_checked_like_the_flags() {
        let mut conf = ContainersConf::default();
        let settings = Settings::from_conf(&conf).unwrap();
        assert!(settings.default_capabilities.is_none() && settings.default_sysctls.is_none());
        conf.containers.shm_size = Some("1m".into());
        conf.containers.tz = Some(String::new());
        conf.containers.env = ["A=1", "NAME"].into();
        conf.containers.default_capabilities = ["CHOWN"].into();
        conf.containers.volumes = ["/a:/b:ro"].into();
        conf.engine.stop_timeout = Some(3);
        let settings = Settings::from_conf(&conf).unwrap();
        assert_eq!(settings.shm_size.unwrap().bytes(), 1 << 20);
        assert_eq!((settings.env.len(), settings.mounts.len()), (1, 1));
        assert!(settings.default_capabilities.unwrap().has(Cap::Chown) && settings.timezone.is_none());
        assert_eq!(settings.stop_timeout.unwrap().seconds(), Some(3));
        conf.containers.umask = Some("9".into());
        let error = Settings::from_conf(&conf).unwrap_err();
        assert!(error.to_string().contains("umask"), "{error:?}");
    }
}
