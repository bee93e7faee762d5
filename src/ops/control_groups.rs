//! Who makes control groups here, by flag, by containers.conf or by what the machine has.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rustix::fs::{FileType, major, minor, stat};

use super::Session;
use crate::config::Env;
use crate::config::containers_conf::ContainersConf;
use crate::error::{Context, Error, Result};
use crate::runtime::cgroup::{self, Manager, Survey};
use crate::spec::value::CgroupMode;
use crate::spec::{CgroupFacts, CgroupMaker, Request};

/// How a container's group will be made.
#[derive(Debug)]
pub(super) struct PlannedGroup {
    /// `None`: it gets none.
    pub(super) plan: Option<cgroup::Plan>,
    /// Whether the monitor goes into the scope that systemd makes for it.
    pub(super) with_monitor: bool,
}

/// What is known before a container's group is planned.
#[derive(Debug)]
pub(super) struct ControlGroups {
    manager: Option<Manager>,
    user_bus: Vec<String>,
    survey: Survey,
}

/// The machine as containers find it without a flag.
pub(super) fn survey(env: &Env, conf: &ContainersConf) -> Result<Survey> {
    Ok(configured(env, conf)?.1)
}

/// The manager that containers.conf names, where it can be had, and what it gives. Else whoever can:
/// the setting is the distribution's, and does not know where it is used.
fn configured(env: &Env, conf: &ContainersConf) -> Result<(Option<Manager>, Survey)> {
    let user_bus = env.user_bus();
    let any = cgroup::survey(&user_bus, None)?;
    let Some(text) = conf.engine.cgroup_manager.as_deref().filter(|text| !text.is_empty()) else {
        return Ok((None, any));
    };
    let wanted: Manager = text.parse().context(|| "containers.conf: cgroup_manager")?;
    if wanted == any.manager {
        return Ok((None, any));
    }
    let survey = cgroup::survey(&user_bus, Some(wanted))?;
    Ok(if survey.manager == wanted { (Some(wanted), survey) } else { (None, any) })
}

impl ControlGroups {
    /// For a container of this session.
    pub(super) fn of(session: &Session) -> Result<Self> {
        let user_bus = session.env.user_bus();
        let Some(text) = session.globals.cgroup_manager.as_deref() else {
            let (manager, survey) = configured(&session.env, &session.conf)?;
            return Ok(Self { manager, user_bus, survey });
        };
        let manager: Manager = text.parse().map_err(|error: Error| Error::wrap("--cgroup-manager", error))?;
        let survey = cgroup::survey(&user_bus, Some(manager))?;
        Ok(Self { manager: Some(manager), user_bus, survey })
    }

    /// What a specification depends on.
    pub(super) fn facts(&self, request: &Request) -> Result<CgroupFacts> {
        let mut devices = BTreeMap::new();
        for path in request.resources.devices() {
            let stat = stat(path).context(|| format!("cannot look at {}", path.display()))?;
            if FileType::from_raw_mode(stat.st_mode) == FileType::BlockDevice {
                devices.insert(path.clone(), (major(stat.st_rdev), minor(stat.st_rdev)));
            }
        }
        Ok(CgroupFacts {
            maker: match self.survey.manager {
                Manager::None => CgroupMaker::Nobody,
                Manager::Cgroupfs => CgroupMaker::Runtime,
                Manager::Systemd => CgroupMaker::Systemd,
            },
            controllers: self.survey.controllers.clone(),
            own: self.survey.own.clone(),
            devices,
        })
    }

    /// The group of the container `id`, if it gets one.
    pub(super) fn plan(
        &self,
        id: &str,
        bundle: &oci_spec::runtime::Spec,
        mode: CgroupMode,
    ) -> Result<PlannedGroup> {
        let linux = bundle.linux().as_ref();
        let path: Option<&PathBuf> = linux.and_then(|linux| linux.cgroups_path().as_ref());
        let plan = cgroup::plan(&cgroup::Request {
            id,
            path: path.map(PathBuf::as_path),
            resources: linux.and_then(|linux| linux.resources().as_ref()),
            manager: match mode {
                CgroupMode::Enabled | CgroupMode::NoConmon => self.manager,
                CgroupMode::Disabled => Some(Manager::None),
                CgroupMode::Split => Some(Manager::Cgroupfs),
            },
            user_bus: &self.user_bus,
        })?;
        Ok(PlannedGroup { plan, with_monitor: mode == CgroupMode::Enabled })
    }
}
