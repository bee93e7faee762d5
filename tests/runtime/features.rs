//! features.md and features-linux.md.

use serde_json::{Value, json};

use crate::rig::{Bundle, needs};

fn features() -> Value {
    let text = Bundle::new().ok(&["features"]);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What a list says; each of them is OPTIONAL.
fn list(features: &Value, pointer: &str) -> Vec<String> {
    let list = features.pointer(pointer).and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().map(|item| item.as_str().unwrap().to_owned()).collect()
}

/// "The value MUST NOT be less than the value of the ociVersionMin property"; both "MUST accept".
#[test]
fn versions() {
    needs!(bundles);
    let features = features();
    let parse = |name: &str| -> Vec<u32> {
        let text = features[name].as_str().unwrap_or_else(|| panic!("no {name}"));
        text.split(['-', '+']).next().unwrap().split('.').map(|part| part.parse().unwrap()).collect()
    };
    assert!(parse("ociVersionMin") <= parse("ociVersionMax"), "{features}");
    for name in ["ociVersionMin", "ociVersionMax"] {
        let version = features[name].clone();
        Bundle::new().with(|config| config["ociVersion"] = version).says();
    }
}

#[test]
fn hooks() {
    needs!(bundles);
    let found = list(&features(), "/hooks");
    for name in ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"] {
        assert!(found.iter().any(|hook| hook == name), "{name} in {found:?}");
    }
    for name in found {
        let path = if name == "startContainer" { "/bin/true" } else { "/usr/bin/true" };
        let bundle = Bundle::new().with(|config| config["hooks"] = json!({ name: [{ "path": path }] }));
        bundle.says();
    }
}

/// "The runtime MUST recognize the elements in this array as the type of linux.namespaces objects".
#[test]
fn namespaces() {
    needs!(bundles);
    let found = list(&features(), "/linux/namespaces");
    for name in ["cgroup", "ipc", "mount", "network", "pid", "user", "uts"] {
        assert!(found.iter().any(|namespace| namespace == name), "{name} in {found:?}");
    }
    for name in found {
        if name == "user" && nix::unistd::geteuid().is_root() {
            continue;
        }
        Bundle::new().with_namespace(&name, None).says();
    }
}

#[test]
fn capabilities() {
    needs!(bundles);
    let found = list(&features(), "/linux/capabilities");
    assert!(found.len() >= 40 && found.iter().all(|name| name.starts_with("CAP_")), "{found:?}");
}

/// "MUST recognize the elements in this array" of actions, operators, architectures and flags.
#[test]
fn seccomp() {
    needs!(bundles);
    let features = features();
    assert_eq!(features["linux"]["seccomp"]["enabled"], true);
    let accepted = |what: &str, filter: Value| {
        let output = Bundle::new().with(|config| config["linux"]["seccomp"] = filter).run();
        assert_eq!(output.code, 0, "{what}: {output}");
    };
    assert!(list(&features, "/linux/seccomp/actions").len() > 5, "{features}");
    for action in list(&features, "/linux/seccomp/actions") {
        if action == "SCMP_ACT_NOTIFY" {
            continue; // needs somebody who listens
        }
        accepted(
            &action,
            json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["acct"], "action": action }] }),
        );
    }
    for op in list(&features, "/linux/seccomp/operators") {
        let args = json!([{ "index": 0, "value": 1, "valueTwo": 1, "op": op }]);
        accepted(
            &op,
            json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["acct"], "action": "SCMP_ACT_ERRNO", "args": args }] }),
        );
    }
    for arch in list(&features, "/linux/seccomp/archs") {
        accepted(
            &arch,
            json!({ "defaultAction": "SCMP_ACT_ALLOW", "architectures": [arch], "syscalls": [] }),
        );
    }
    let known = list(&features, "/linux/seccomp/knownFlags");
    for flag in list(&features, "/linux/seccomp/supportedFlags") {
        assert!(known.contains(&flag), "{flag}");
        // One that says how a listener waits needs a listener.
        if flag != "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV" {
            accepted(
                &flag,
                json!({ "defaultAction": "SCMP_ACT_ALLOW", "flags": [flag], "syscalls": [{ "names": ["acct"], "action": "SCMP_ACT_ERRNO" }] }),
            );
        }
    }
}

/// "All properties … except ociVersionMin and ociVersionMax MAY either be absent or have the null value."
#[test]
fn the_rest_is_of_the_right_type() {
    needs!(bundles);
    let features = features();
    for pointer in [
        "/linux/cgroup/v1",
        "/linux/cgroup/v2",
        "/linux/cgroup/systemd",
        "/linux/cgroup/systemdUser",
        "/linux/cgroup/rdma",
        "/linux/apparmor/enabled",
        "/linux/selinux/enabled",
        "/linux/intelRdt/enabled",
        "/linux/mountExtensions/idmap/enabled",
        "/linux/netDevices/enabled",
    ] {
        let value = features.pointer(pointer).cloned().unwrap_or(Value::Null);
        assert!(value.is_boolean() || value.is_null(), "{pointer}: {value}");
    }
    if let Some(annotations) = features.get("annotations").filter(|value| !value.is_null()) {
        assert!(annotations.as_object().unwrap().values().all(Value::is_string), "{annotations}");
    }
}
