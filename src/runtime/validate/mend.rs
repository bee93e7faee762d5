//! Between the JSON of config.json and the types of oci-spec: what those demand and the specification leaves
//! open is filled in, what it has ignored or warned of is taken out.

use serde_json::{Map, Value, json};

use super::{Findings, at};
use crate::runtime::plan::number_list::NumberSet;
use crate::sys::caps::Cap;

/// A field that is null is a field that is not there, as for all that is written in Go.
pub(super) fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.retain(|_, value| !value.is_null());
            object.values_mut().for_each(drop_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Makes `config`, which has passed the schema, readable for oci-spec.
pub(super) fn mend(config: &mut Value, findings: &mut Findings) {
    let Some(config) = config.as_object_mut() else { return };
    for platform in ["windows", "solaris", "zos", "freebsd", "vm"] {
        if config.remove(platform).is_some() {
            findings.warn(at(platform), "is for another platform, and ignored");
        }
    }
    // Fields of the whole that only mounts and linux have a use for.
    config.remove("uidMappings");
    config.remove("gidMappings");
    if let Some(process) = config.get_mut("process").and_then(Value::as_object_mut) {
        process.entry("user").or_insert_with(|| json!({}));
        process.remove("commandLine");
        capabilities(process, findings);
        affinity(process, findings);
        scheduler_flags(process);
    }
    drop_empty(config, &["hostname", "domainname"]);
    let linux = config.entry("linux").or_insert_with(|| json!({}));
    if let Some(linux) = linux.as_object_mut() {
        drop_empty(linux, &["rootfsPropagation", "mountLabel", "cgroupsPath"]);
        for namespace in objects(linux, "namespaces") {
            drop_empty(namespace, &["path"]);
        }
        for (index, device) in objects(linux, "devices").enumerate() {
            for number in ["major", "minor"] {
                if device.get("type").is_some_and(|typ| typ != "p") && !device.contains_key(number) {
                    findings.bad(at("linux.devices").index(index).key(number), "is missing");
                }
            }
        }
        if let Some(filter) = linux.get_mut("seccomp").and_then(Value::as_object_mut) {
            drop_empty(filter, &["listenerPath", "listenerMetadata"]);
        }
        // Without a limit the object says nothing; oci-spec would read it as a limit of 0.
        if let Some(resources) = linux.get_mut("resources").and_then(Value::as_object_mut)
            && resources.get("pids").is_some_and(|pids| pids.get("limit").is_none())
        {
            resources.remove("pids");
        }
    }
}

/// Takes out names that are no capability's: the specification has them warned of.
fn capabilities(process: &mut Map<String, Value>, findings: &mut Findings) {
    let Some(sets) = process.get_mut("capabilities").and_then(Value::as_object_mut) else { return };
    for set in ["bounding", "effective", "inheritable", "permitted", "ambient"] {
        let Some(list) = sets.get_mut(set).and_then(Value::as_array_mut) else { continue };
        let mut index = 0;
        list.retain(|name| {
            let name = name.as_str().unwrap_or_default();
            let known = Cap::ALL.iter().any(|cap| cap.name() == name);
            if !known {
                let path = at("process.capabilities").key(set).index(index);
                findings.warn(path, format!("unknown capability {name:?}, which is ignored"));
            }
            index += 1;
            known
        });
    }
}

/// An empty text is what tools write that know no "absent".
fn drop_empty(object: &mut Map<String, Value>, keys: &[&str]) {
    for key in keys {
        if object.get(*key).is_some_and(|value| value == "") {
            object.remove(*key);
        }
    }
}

fn objects<'a>(
    parent: &'a mut Map<String, Value>,
    key: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let list = parent.get_mut(key).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// oci-spec refuses a malformed list without a word of where, and an empty one.
fn affinity(process: &mut Map<String, Value>, findings: &mut Findings) {
    drop_empty(process, &["apparmorProfile", "selinuxLabel"]);
    let Some(affinity) = process.get_mut("execCPUAffinity").and_then(Value::as_object_mut) else { return };
    drop_empty(affinity, &["initial", "final"]);
    for key in ["initial", "final"] {
        if let Some(list) = affinity.get(key).and_then(Value::as_str)
            && let Err(error) = NumberSet::parse(list)
        {
            findings.bad(at("process.execCPUAffinity").key(key), error.to_string());
            affinity.remove(key);
        }
    }
}

/// oci-spec has other names for two of them.
fn scheduler_flags(process: &mut Map<String, Value>) {
    let flags = process.get_mut("scheduler").and_then(|scheduler| scheduler.get_mut("flags"));
    for flag in flags.and_then(Value::as_array_mut).into_iter().flatten() {
        match flag.as_str() {
            Some("SCHED_FLAG_RESET_ON_FORK") => *flag = json!("SCHED_RESET_ON_FORK"),
            Some("SCHED_FLAG_DL_OVERRUN") => *flag = json!("SCHED_FLAG_D_L_OVERRUN"),
            _ => {}
        }
    }
}
