//! The Linux part: namespaces, id maps, sysctls, seccomp, hidden paths.

use std::collections::HashMap;

use oci_spec::runtime::{
    Linux, LinuxIdMapping, LinuxIdMappingBuilder, LinuxNamespace, LinuxNamespaceType, LinuxSeccomp,
};

use super::{Inputs, NamespacePlace, NetworkNamespace, cgroup_namespace, conditions, masks, resources};
use crate::error::{Context, Error, Result};
use crate::spec::request::Request;
use crate::spec::seccomp;
use crate::spec::value::{CgroupNamespace, MaskChange, Seccomp, Sysctl};
use crate::sys::caps::CapSet;
use crate::userns::IdMap;

pub(super) fn linux(request: &Request, inputs: &Inputs<'_>, capabilities: CapSet) -> Result<Linux> {
    let security = &request.security;
    // With --privileged, only what is asked for by name is hidden.
    let all = [MaskChange::UnmaskAll];
    let lifted = if security.privileged { &all[..] } else { &[] };
    let changes: Vec<&MaskChange> = lifted.iter().chain(&security.options.masks).collect();
    let (masked, read_only) = masks::paths(&changes);
    // A namespace that exists has its maps.
    let maps = inputs.maps.filter(|_| inputs.placement.user.is_none());
    let label = security.options.label.as_ref().filter(|_| inputs.host.selinux);
    let mut linux = Linux::default();
    linux
        .set_namespaces(Some(namespaces(request, inputs)))
        .set_uid_mappings(maps.map(|maps| mappings(&maps.uid)).transpose()?)
        .set_gid_mappings(maps.map(|maps| mappings(&maps.gid)).transpose()?)
        .set_sysctl(Some(sysctls(request, inputs)?))
        .set_resources(resources::resources(request, inputs)?)
        .set_cgroups_path(resources::path(request, inputs)?)
        .set_seccomp(filter(request, inputs, capabilities)?)
        .set_mount_label(label.map(|label| label.labels().1))
        .set_masked_paths(Some(masked))
        .set_readonly_paths(Some(read_only));
    Ok(linux)
}

fn namespaces(request: &Request, inputs: &Inputs<'_>) -> Vec<LinuxNamespace> {
    use LinuxNamespaceType::{Cgroup, Ipc, Mount, Network, Pid, User, Uts};
    let placement = &inputs.placement;
    let new = |is_new| if is_new { NamespacePlace::New } else { NamespacePlace::Host };
    let user = placement.user.clone().map_or(new(inputs.maps.is_some()), NamespacePlace::Existing);
    let network = match &placement.network {
        NamespacePlace::Existing(path) => NamespacePlace::Existing(path.clone()),
        _ => new(inputs.network == NetworkNamespace::Private),
    };
    [
        (User, user),
        (Pid, placement.pid.clone()),
        (Network, network),
        (Ipc, placement.ipc.clone()),
        (Uts, placement.uts.clone()),
        (Mount, NamespacePlace::New),
        (Cgroup, new(cgroup_namespace(request, inputs.settings) == CgroupNamespace::Private)),
    ]
    .into_iter()
    .filter_map(|(kind, place)| {
        let path = match place {
            NamespacePlace::Host => return None,
            NamespacePlace::New => None,
            NamespacePlace::Existing(path) => Some(path),
        };
        let mut namespace = LinuxNamespace::default();
        namespace.set_typ(kind).set_path(path);
        Some(namespace)
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
        // A read-only procfs takes no values.
        _ if request.security.options.proc_options.iter().any(|option| option == "ro") => {}
        Some(settings) => {
            let fitting = settings.iter().filter(|sysctl| whose(sysctl, inputs).is_none());
            sysctls.extend(fitting.map(|Sysctl { name, value }| (name.clone(), value.clone())));
        }
        // A network that is joined has its values.
        None if matches!(inputs.placement.network, NamespacePlace::Existing(_)) => {}
        // The kernel refuses the range when the group is not mapped.
        None if private && inputs.maps.is_none_or(|maps| maps.gid_outside(0).is_some()) => {
            sysctls.insert("net.ipv4.ping_group_range".to_owned(), "0 0".to_owned());
        }
        None => {}
    }
    for sysctl in &request.sysctls {
        if let Some(reason) = whose(sysctl, inputs) {
            return Err(Error::usage(format!("--sysctl {}: {reason}", sysctl.name)));
        }
        sysctls.insert(sysctl.name.clone(), sysctl.value.clone());
    }
    Ok(sysctls)
}

/// Why a parameter is not the container's to set; `None`: its namespace is the container's own or one that it joins.
fn whose(sysctl: &Sysctl, inputs: &Inputs<'_>) -> Option<&'static str> {
    let placement = &inputs.placement;
    if sysctl.is_network() {
        let host = inputs.network == NetworkNamespace::Host;
        return host.then_some("the network belongs to the host with --network host");
    }
    if sysctl.is_ipc() {
        let host = placement.ipc == NamespacePlace::Host;
        return host.then_some("the ipc namespace belongs to the host with --ipc host");
    }
    let host = placement.uts == NamespacePlace::Host;
    host.then_some("the uts namespace belongs to the host with --uts host")
}

fn filter(request: &Request, inputs: &Inputs<'_>, capabilities: CapSet) -> Result<Option<LinuxSeccomp>> {
    let conditions = conditions(inputs, capabilities);
    match (&request.security.options.seccomp, inputs.seccomp_profile) {
        (Seccomp::Unconfined, _) => Ok(None),
        (Seccomp::Default, _) if request.security.privileged => Ok(None),
        (_, Some(profile)) => seccomp::from_profile_json(profile, &conditions).map(Some),
        (Seccomp::Default, None) => Ok(Some(seccomp::default_profile(&conditions))),
        (Seccomp::Profile(path), None) => {
            Err(Error::not_found(format!("the seccomp profile {} was not read", path.display())))
        }
    }
}
