//! What config.json says of namespaces, mounts, devices and kernel parameters.

use oci_spec::runtime::{
    Linux, LinuxDeviceType, LinuxIdMapping, LinuxNamespaceType as Namespace, MemoryPolicyModeType as Mode,
    Mount, Spec,
};

use super::{Findings, Path, at, seccomp};
use crate::runtime::plan::number_list::NumberSet;
use crate::runtime::plan::sysctl;

/// Which namespaces the container has of its own, be they new or joined.
struct Namespaces<'a>(&'a Linux);

impl Namespaces<'_> {
    fn has(&self, typ: Namespace) -> bool {
        self.0.namespaces().iter().flatten().any(|namespace| namespace.typ() == typ)
    }

    fn is_joined(&self, typ: Namespace) -> bool {
        let mut all = self.0.namespaces().iter().flatten();
        all.any(|namespace| namespace.typ() == typ && namespace.path().is_some())
    }
}

pub(super) fn check(spec: &Spec, findings: &mut Findings) {
    let Some(linux) = spec.linux() else {
        mounts(spec, false, findings);
        return;
    };
    let own = Namespaces(linux);
    namespaces(linux, findings);
    mounts(spec, own.has(Namespace::User), findings);
    names(spec, &own, findings);
    id_maps(linux, &own, findings);
    time_offsets(linux, &own, findings);
    sysctls(linux, &own, findings);
    paths(linux, findings);
    devices(linux, findings);
    net_devices(linux, &own, findings);
    rest(linux, findings);
    if let Some(filter) = linux.seccomp() {
        seccomp::check(filter, findings);
    }
}

fn namespaces(linux: &Linux, findings: &mut Findings) {
    let list = linux.namespaces().as_deref().unwrap_or_default();
    for (index, namespace) in list.iter().enumerate() {
        let path = at("linux.namespaces").index(index);
        if list[..index].iter().any(|earlier| earlier.typ() == namespace.typ()) {
            findings.bad(path.clone(), format!("the type {:?} is there twice", word(namespace.typ())));
        }
        if let Some(file) = namespace.path()
            && !file.is_absolute()
        {
            findings.bad(path.key("path"), format!("{} is not an absolute path", file.display()));
        }
    }
}

/// The name of a namespace type in config.json.
fn word(typ: Namespace) -> &'static str {
    match typ {
        Namespace::Mount => "mount",
        Namespace::Cgroup => "cgroup",
        Namespace::Uts => "uts",
        Namespace::Ipc => "ipc",
        Namespace::User => "user",
        Namespace::Pid => "pid",
        Namespace::Network => "network",
        Namespace::Time => "time",
    }
}

fn mounts(spec: &Spec, user_namespace: bool, findings: &mut Findings) {
    for (index, mount) in spec.mounts().iter().flatten().enumerate() {
        check_mount(mount, user_namespace, &at("mounts").index(index), findings);
    }
}

fn check_mount(mount: &Mount, user_namespace: bool, path: &Path, findings: &mut Findings) {
    let destination = mount.destination();
    if destination.as_os_str().is_empty() {
        findings.bad(path.key("destination"), "is empty");
    } else if !destination.is_absolute() {
        let message = format!("{} is relative (deprecated): taken as below /", destination.display());
        findings.warn(path.key("destination"), message);
    }
    let has =
        |wanted: &[&str]| mount.options().iter().flatten().any(|option| wanted.contains(&option.as_str()));
    let typ = mount.typ().as_deref().unwrap_or_default();
    let bind = typ == "bind" || has(&["bind", "rbind"]);
    if bind && mount.source().as_ref().is_none_or(|source| source.as_os_str().is_empty()) {
        findings.bad(path.key("source"), "is missing: a bind has one");
    }
    if !bind && typ.is_empty() && !has(&["remount"]) {
        findings.bad(path.key("type"), "is missing: only a bind has none");
    }
    let maps = [("uidMappings", mount.uid_mappings()), ("gidMappings", mount.gid_mappings())];
    for (key, map) in maps {
        id_map(map.as_deref().unwrap_or_default(), &path.key(key), findings);
    }
    let filled = maps.map(|(_, map)| map.as_ref().is_some_and(|map| !map.is_empty()));
    match filled {
        [true, false] => findings.bad(path.key("gidMappings"), "is missing: there are uidMappings"),
        [false, true] => findings.bad(path.key("uidMappings"), "is missing: there are gidMappings"),
        [false, false] if has(&["idmap", "ridmap"]) && !user_namespace => {
            let message = "idmap needs uidMappings and gidMappings, or a user namespace to take them from";
            findings.bad(path.key("options"), message);
        }
        _ => {}
    }
}

/// Host and domain name are the UTS namespace's.
fn names(spec: &Spec, own: &Namespaces<'_>, findings: &mut Findings) {
    for (key, name) in [("hostname", spec.hostname()), ("domainname", spec.domainname())] {
        let Some(name) = name.as_ref().filter(|name| !name.is_empty()) else { continue };
        if !own.has(Namespace::Uts) {
            findings.bad(at(key), "needs a uts namespace");
        } else if name.len() > 64 || name.contains('\0') {
            findings.bad(at(key), "is longer than 64 bytes, or has a zero byte");
        }
    }
}

fn id_maps(linux: &Linux, own: &Namespaces<'_>, findings: &mut Findings) {
    for (key, map) in [("uidMappings", linux.uid_mappings()), ("gidMappings", linux.gid_mappings())] {
        let Some(map) = map.as_ref().filter(|map| !map.is_empty()) else { continue };
        if !own.has(Namespace::User) {
            findings.bad(at("linux").key(key), "needs a user namespace");
        }
        id_map(map, &at("linux").key(key), findings);
    }
}

fn id_map(map: &[LinuxIdMapping], path: &Path, findings: &mut Findings) {
    for (index, range) in map.iter().enumerate() {
        let path = path.index(index);
        let size = u64::from(range.size());
        if size == 0 {
            findings.bad(path.key("size"), "is 0");
        }
        let ends = [range.container_id(), range.host_id()].map(|first| u64::from(first) + size);
        if ends.iter().any(|end| *end > u64::from(u32::MAX)) {
            findings.bad(path.clone(), "goes beyond the last id");
        }
        let overlaps = |a: u32, b: u32, other: &LinuxIdMapping| {
            u64::from(a) < u64::from(b) + u64::from(other.size()) && u64::from(b) < u64::from(a) + size
        };
        let earlier = &map[..index];
        if earlier.iter().any(|other| overlaps(range.container_id(), other.container_id(), other)) {
            findings.bad(path.key("containerID"), "overlaps an earlier range");
        } else if earlier.iter().any(|other| overlaps(range.host_id(), other.host_id(), other)) {
            findings.bad(path.key("hostID"), "overlaps an earlier range");
        }
    }
}

fn time_offsets(linux: &Linux, own: &Namespaces<'_>, findings: &mut Findings) {
    let Some(offsets) = linux.time_offsets().as_ref().filter(|offsets| !offsets.is_empty()) else { return };
    let path = at("linux.timeOffsets");
    if !own.has(Namespace::Time) {
        findings.bad(path.clone(), "needs a time namespace");
    } else if own.is_joined(Namespace::Time) {
        findings.bad(path.clone(), "cannot be set in a time namespace that is joined");
    }
    let mut clocks: Vec<&String> = offsets.keys().collect();
    clocks.sort();
    for clock in clocks {
        if clock != "monotonic" && clock != "boottime" {
            findings.bad(path.key(clock), "is no clock that has an offset (monotonic, boottime)");
        }
    }
}

fn sysctls(linux: &Linux, own: &Namespaces<'_>, findings: &mut Findings) {
    let mut names: Vec<&String> = linux.sysctl().iter().flatten().map(|(name, _)| name).collect();
    names.sort();
    for name in names {
        let path = at("linux.sysctl").key(name);
        let Some(file) = sysctl::file_of(name) else {
            findings.bad(path, "is not the name of a kernel parameter");
            continue;
        };
        match sysctl::namespace_of(&file) {
            _ if file == "kernel/hostname" => findings.bad(path, "is set by the field `hostname`"),
            // Every container has one, whether it is listed or not.
            Some(Namespace::User) => {}
            Some(typ) if !own.has(typ) => {
                findings.bad(path, format!("needs a {} namespace: it would change the host", word(typ)));
            }
            Some(_) => {}
            None => findings.bad(path, "belongs to no namespace: it would change the host"),
        }
    }
}

fn paths(linux: &Linux, findings: &mut Findings) {
    for (key, list) in [("maskedPaths", linux.masked_paths()), ("readonlyPaths", linux.readonly_paths())] {
        for (index, path) in list.iter().flatten().enumerate() {
            if !path.starts_with('/') {
                let place = at("linux").key(key).index(index);
                findings.bad(place, format!("{path:?} is not an absolute path"));
            }
        }
    }
}

fn devices(linux: &Linux, findings: &mut Findings) {
    let list = linux.devices().as_deref().unwrap_or_default();
    for (index, device) in list.iter().enumerate() {
        let path = at("linux.devices").index(index);
        if !device.path().is_absolute() {
            let message = format!("{} is not an absolute path", device.path().display());
            findings.bad(path.key("path"), message);
        }
        if list[..index].iter().any(|earlier| earlier.path() == device.path()) {
            findings.bad(path.key("path"), format!("{} is there twice", device.path().display()));
        }
        if device.typ() != LinuxDeviceType::P && (device.major() > 0xfff || device.minor() > 0xf_ffff) {
            findings.bad(path, "Linux has 12 bits for the major and 20 for the minor number");
        }
    }
}

fn net_devices(linux: &Linux, own: &Namespaces<'_>, findings: &mut Findings) {
    let mut devices: Vec<_> = linux.net_devices().iter().flatten().collect();
    devices.sort_by_key(|(name, _)| *name);
    for (name, device) in devices {
        let path = at("linux.netDevices").key(name);
        if !own.has(Namespace::Network) {
            findings.bad(path.clone(), "needs a network namespace");
        }
        for name in [Some(name), device.name().as_ref()].into_iter().flatten() {
            let fits = !name.is_empty() && name.len() < libc::IFNAMSIZ && name != "." && name != "..";
            if !fits || name.contains(|letter: char| letter == '/' || letter == ':' || letter.is_whitespace())
            {
                findings.bad(path.clone(), format!("{name:?} is no name of a network device"));
            }
        }
    }
}

fn rest(linux: &Linux, findings: &mut Findings) {
    if let Some(flags) = linux.personality().as_ref().and_then(|personality| personality.flags().as_ref())
        && let Some(flag) = flags.first()
    {
        let path = at("linux.personality.flags").index(0);
        findings.bad(path, format!("{flag:?} is none: the specification has no flag yet"));
    }
    if let Some(policy) = linux.memory_policy() {
        let path = at("linux.memoryPolicy.nodes");
        let nodes = policy.nodes().as_deref().unwrap_or_default();
        let none = matches!(policy.mode(), Mode::MpolDefault | Mode::MpolLocal);
        let some = !none && policy.mode() != Mode::MpolPreferred;
        if none && !nodes.is_empty() {
            findings.bad(path, "this mode takes no nodes");
        } else if some && nodes.is_empty() {
            findings.bad(path, "this mode needs at least one node");
        } else if !nodes.is_empty()
            && let Err(error) = NumberSet::parse(nodes)
        {
            findings.bad(path, error.to_string());
        }
    }
    let Some(rdt) = linux.intel_rdt() else { return };
    let path = at("linux.intelRdt");
    if let Some(id) = rdt.clos_id()
        && (id == "." || id == ".." || (id.contains('/') && id != "/"))
    {
        findings.bad(path.key("closID"), format!("{id:?} is no name of a directory"));
    }
    if let Some(schema) = rdt.mem_bw_schema()
        && (!schema.starts_with("MB:") || schema.contains('\n'))
    {
        findings.bad(path.key("memBwSchema"), "does not begin with MB:, or has a newline");
    }
}
