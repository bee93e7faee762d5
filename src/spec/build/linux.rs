//! The Linux part: namespaces, id maps, sysctls, seccomp, hidden paths.

use std::collections::HashMap;

use oci_spec::runtime::{
    Linux, LinuxIdMapping, LinuxIdMappingBuilder, LinuxNamespace, LinuxNamespaceType, LinuxSeccomp,
};

use super::{Inputs, NetworkNamespace, conditions, masks};
use crate::error::{Context, Error, Result};
use crate::spec::request::Request;
use crate::spec::seccomp;
use crate::spec::value::{Seccomp, Sysctl};
use crate::sys::caps::CapSet;
use crate::userns::IdMap;

pub(super) fn linux(request: &Request, inputs: &Inputs<'_>, capabilities: CapSet) -> Result<Linux> {
    let (masked, read_only) = masks::paths(&request.security.options.masks);
    let mut linux = Linux::default();
    linux
        .set_namespaces(Some(namespaces(inputs)))
        .set_uid_mappings(inputs.maps.map(|maps| mappings(&maps.uid)).transpose()?)
        .set_gid_mappings(inputs.maps.map(|maps| mappings(&maps.gid)).transpose()?)
        .set_sysctl(Some(sysctls(request, inputs)?))
        .set_resources(None)
        .set_seccomp(filter(request, inputs, capabilities)?)
        .set_masked_paths(Some(masked))
        .set_readonly_paths(Some(read_only));
    Ok(linux)
}

fn namespaces(inputs: &Inputs<'_>) -> Vec<LinuxNamespace> {
    use LinuxNamespaceType::{Cgroup, Ipc, Mount, Network, Pid, User, Uts};
    [User, Pid, Network, Ipc, Uts, Mount, Cgroup]
        .into_iter()
        .filter(|kind| match kind {
            User => inputs.maps.is_some(),
            Network => inputs.network == NetworkNamespace::Private,
            _ => true,
        })
        .map(|kind| {
            let mut namespace = LinuxNamespace::default();
            namespace.set_typ(kind);
            namespace
        })
        .collect()
}

fn mappings(maps: &[IdMap]) -> Result<Vec<LinuxIdMapping>> {
    maps.iter()
        .map(|map| {
            LinuxIdMappingBuilder::default()
                .container_id(map.inside)
                .host_id(map.outside)
                .size(map.count)
                .build()
                .context(|| "make an id mapping")
        })
        .collect()
}

/// containers.conf's, or the one that lets everybody's `ping` work; then `--sysctl`.
fn sysctls(request: &Request, inputs: &Inputs<'_>) -> Result<HashMap<String, String>> {
    let private = inputs.network == NetworkNamespace::Private;
    let mut sysctls = HashMap::new();
    match &inputs.settings.default_sysctls {
        Some(settings) => {
            let fitting = settings.iter().filter(|sysctl| private || !sysctl.is_network());
            sysctls.extend(fitting.map(|Sysctl { name, value }| (name.clone(), value.clone())));
        }
        // The kernel refuses the range when the group is not mapped.
        None if private && inputs.maps.is_none_or(|maps| maps.gid_outside(0).is_some()) => {
            sysctls.insert("net.ipv4.ping_group_range".to_owned(), "0 0".to_owned());
        }
        None => {}
    }
    for sysctl in &request.sysctls {
        if sysctl.is_network() && !private {
            return Err(Error::usage(format!(
                "--sysctl {}: the network belongs to the host with --network host",
                sysctl.name
            )));
        }
        sysctls.insert(sysctl.name.clone(), sysctl.value.clone());
    }
    Ok(sysctls)
}

fn filter(request: &Request, inputs: &Inputs<'_>, capabilities: CapSet) -> Result<Option<LinuxSeccomp>> {
    let conditions = conditions(inputs, capabilities);
    match (&request.security.options.seccomp, inputs.seccomp_profile) {
        (Seccomp::Unconfined, _) => Ok(None),
        (_, Some(profile)) => seccomp::from_profile_json(profile, &conditions).map(Some),
        (Seccomp::Default, None) => Ok(Some(seccomp::default_profile(&conditions))),
        (Seccomp::Profile(path), None) => {
            Err(Error::not_found(format!("the seccomp profile {} was not read", path.display())))
        }
    }
}
