//! config.json files, good and bad.

use serde_json::json;

use super::*;

const MINIMAL: &str = r#"{"ociVersion":"1.1.0","process":{"terminal":true,"args":["/bin/sh"],"cwd":"/",
"user":{"uid":0,"gid":0},"capabilities":{"bounding":["CAP_CHOWN"]}},"root":{"path":"rootfs","readonly":false},
"mounts":[{"destination":"/proc","type":"proc","source":"proc"}],"linux":{"namespaces":[{"type":"pid"},
{"type":"uts"},{"type":"ipc"},{"type":"mount"},{"type":"network"}]}}"#;

/// The minimal configuration with the value at a JSON pointer set, its parents made where they lack.
fn with(pointer: &str, value: Value) -> String {
    fn put(place: &mut Value, keys: &[&str], value: Value) {
        let Some((key, rest)) = keys.split_first() else {
            *place = value;
            return;
        };
        let next = match key.parse::<usize>() {
            Ok(index) if place.is_array() => &mut place[index],
            _ => &mut place[*key],
        };
        put(next, rest, value);
    }
    let mut config: Value = serde_json::from_str(MINIMAL).unwrap();
    let keys: Vec<&str> = pointer.split('/').skip(1).collect();
    put(&mut config, &keys, value);
    config.to_string()
}

fn refusal(pointer: &str, value: Value) -> String {
    match load(&with(pointer, value.clone())) {
        Ok(_) => panic!("{pointer} = {value} is accepted"),
        Err(error) => {
            let text = error.to_string();
            text.split_once(": ").map_or(text.clone(), |(_, rest)| rest.to_owned())
        }
    }
}

fn warnings(pointer: &str, value: Value) -> Vec<String> {
    load(&with(pointer, value)).unwrap().warnings
}

#[test]
fn the_smallest_configuration_is_accepted_as_it_stands() {
    let loaded = load(MINIMAL).unwrap();
    assert_eq!(loaded.warnings, Vec::<String>::new());
    assert_eq!(loaded.spec.process().as_ref().unwrap().cwd().to_str(), Some("/"));
    for optional in ["/linux", "/mounts", "/process/user", "/process/capabilities", "/linux/namespaces"] {
        load(&with(optional, Value::Null)).unwrap_or_else(|error| panic!("{optional}: {error}"));
    }
}

#[test]
fn an_error_names_the_path_the_line_and_the_column() {
    let text = MINIMAL.replace(r#""cwd":"/""#, r#""cwd":"tmp""#);
    let error = load(&text).unwrap_err();
    assert_eq!(error.to_string(), "config.json line 1 column 75: process.cwd: tmp is not an absolute path");
    let error = load("{\n \"ociVersion\": }").unwrap_err();
    assert!(error.chain()[1].contains("line 2 column 16"), "{error:?}");
    let error = load(&with("/process", json!({"cwd": 5}))).unwrap_err();
    assert!(error.hints()[0].starts_with("1 more"), "{error:?}");
}

#[test]
fn what_is_unknown_is_ignored() {
    let odd = json!({"typ": 1, "bounding": []});
    assert_eq!(warnings("/process/capabilities", odd), Vec::<String>::new());
    assert_eq!(warnings("/futureField", json!([1, {"a": 2}])), Vec::<String>::new());
    assert_eq!(warnings("/hooks", json!({"onTuesday": 4})), Vec::<String>::new());
    assert_eq!(warnings("/windows", json!({})).len(), 1);
}

#[test]
fn versions_are_semantic_ones_of_major_version_1() {
    for good in ["1.0.0", "1.0.2-dev", "1.3.0", "1.2.0-rc.1+build.7", "1.0.0+x"] {
        assert_eq!(warnings("/ociVersion", json!(good)), Vec::<String>::new(), "{good}");
    }
    assert_eq!(warnings("/ociVersion", json!("1.4.0")).len(), 1);
    for wrong in
        ["", "1", "1.0", "v1.0.0", "1.0.0.0", "01.0.0", "1.0.0-", "1.0.0-a..b", "1.0.x", "2.0.0", "0.9.0"]
    {
        assert!(refusal("/ociVersion", json!(wrong)).starts_with("ociVersion: "), "{wrong}");
    }
}

#[test]
fn capabilities_that_do_not_exist_are_warned_of() {
    let found = warnings("/process/capabilities/bounding", json!(["CAP_CHOWN", "CAP_FLY", "chown"]));
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0],
        "config.json: process.capabilities.bounding[1]: unknown capability \"CAP_FLY\", which is ignored"
    );
    let found = warnings("/process/capabilities/ambient", json!(["CAP_CHOWN"]));
    assert!(found[0].contains("ambient: CAP_CHOWN cannot be granted: not in permitted"), "{found:?}");
}

#[test]
fn every_capability_is_known_to_both_sides() {
    let all: Vec<&str> = crate::sys::caps::Cap::ALL.iter().map(|cap| cap.name()).collect();
    assert_eq!(warnings("/process/capabilities/bounding", json!(all)), Vec::<String>::new());
}

#[test]
fn every_value_of_the_tables_is_one_that_can_be_read() {
    for flag in ["SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_PARAMS"] {
        load(&with("/process/scheduler", json!({"policy": "SCHED_BATCH", "flags": [flag]}))).unwrap();
    }
    for typ in ["user", "cgroup", "time"] {
        load(&with("/linux/namespaces", json!([{"type": typ, "path": ""}]))).unwrap();
    }
    for (typ, number) in [("c", json!(1)), ("b", json!(1)), ("u", json!(1)), ("p", Value::Null)] {
        let device = json!([{"type": typ, "path": "/dev/x", "major": number, "minor": number}]);
        load(&with("/linux/devices", device)).unwrap();
    }
    let filter = json!({"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_SHEB"],
        "flags": ["SECCOMP_FILTER_FLAG_LOG"], "syscalls": [{"names": ["read"], "action": "SCMP_ACT_TRACE",
        "errnoRet": 9, "args": [{"index": 1, "value": u64::MAX, "op": "SCMP_CMP_MASKED_EQ"}]}]});
    load(&with("/linux/seccomp", filter)).unwrap();
    load(&with(
        "/linux/memoryPolicy",
        json!({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}),
    ))
    .unwrap();
    load(&with("/linux/resources", json!({"pids": {}, "cpu": {"shares": 2}}))).unwrap();
}

/// Each value at its place is refused with a message that begins so.
fn refuses(cases: &[(&str, Value, &str)]) {
    for (pointer, value, expected) in cases {
        let found = refusal(pointer, value.clone());
        assert!(found.starts_with(expected), "{pointer}: {found}");
    }
}

#[test]
fn the_process_is_checked() {
    refuses(&[
        ("/process/args", json!([]), "process.args: is empty: there is nothing to run"),
        ("/process/args", Value::Null, "process.args: is missing"),
        ("/process/args", json!(["a\u{0}b"]), "process.args[0]: has a zero byte"),
        ("/process/args", json!([1]), "process.args[0]: 1 is not a string"),
        ("/process/terminal", json!("yes"), "process.terminal: \"yes\" is not true or false"),
        ("/process/user/uid", json!(-1), "process.user.uid: -1 is not an integer from 0 to 4294967295"),
        ("/process/user/umask", json!(512), "process.user.umask: 512 is not an integer from 0 to 511"),
        (
            "/process/oomScoreAdj",
            json!(1001),
            "process.oomScoreAdj: 1001 is not an integer from -1000 to 1000",
        ),
        (
            "/process/rlimits",
            json!([{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}]),
            "process.rlimits[0].type: unknown limit \"RLIMIT_FOO\"",
        ),
        (
            "/process/rlimits",
            json!([{"type": "RLIMIT_CPU", "hard": 1}]),
            "process.rlimits[0].soft: is missing",
        ),
        (
            "/process/rlimits",
            json!([{"type": "RLIMIT_CPU", "soft": 2, "hard": 1}]),
            "process.rlimits[0].soft: 2 is above the hard limit 1",
        ),
        (
            "/process/rlimits",
            json!([{"type": "RLIMIT_CPU", "soft": 1, "hard": 1}, {"type": "RLIMIT_CPU", "soft": 1, "hard": 1}]),
            "process.rlimits[1]: the limit RLIMIT_CPU is there twice",
        ),
    ]);
}

#[test]
fn scheduling_the_root_and_hooks_are_checked() {
    refuses(&[
        (
            "/process/scheduler",
            json!({"policy": "SCHED_ISO"}),
            "process.scheduler.policy: Linux has no SCHED_ISO",
        ),
        (
            "/process/scheduler",
            json!({"policy": "SCHED_FIFO"}),
            "process.scheduler.priority: 0 is not between 1 and 99",
        ),
        (
            "/process/scheduler",
            json!({"policy": "SCHED_OTHER", "priority": 1}),
            "process.scheduler.priority: a policy of SCHED_OTHER has none",
        ),
        (
            "/process/scheduler",
            json!({"policy": "SCHED_RR", "priority": 1, "runtime": 5}),
            "process.scheduler.runtime: only",
        ),
        (
            "/process/scheduler",
            json!({"policy": "SCHED_OTHER", "nice": 20}),
            "process.scheduler.nice: 20 is not",
        ),
        (
            "/process/ioPriority",
            json!({"class": "IOPRIO_CLASS_BE", "priority": 8}),
            "process.ioPriority.priority: 8 is not",
        ),
        (
            "/process/execCPUAffinity",
            json!({"initial": "1-"}),
            "process.execCPUAffinity.initial: \"1-\" is no list",
        ),
        ("/root", Value::Null, "root: is missing"),
        ("/root", json!({}), "root.path: is missing"),
        ("/root/path", json!(""), "root.path: is empty"),
        ("/hooks", json!({"poststop": [{"path": "x"}]}), "hooks.poststop[0].path: x is not an absolute path"),
        (
            "/hooks",
            json!({"prestart": [{"path": "/x", "timeout": 0}]}),
            "hooks.prestart[0].timeout: 0 is not greater",
        ),
        ("/hooks", json!({"poststart": [{}]}), "hooks.poststart[0].path: is missing"),
    ]);
}

#[test]
fn linux_is_checked() {
    let pid = json!({"type": "pid"});
    refuses(&[
        ("/linux/namespaces", json!([pid, pid]), "linux.namespaces[1]: the type \"pid\" is there twice"),
        (
            "/linux/namespaces",
            json!([{"type": "net"}]),
            "linux.namespaces[0].type: unknown namespace type \"net\"",
        ),
        ("/linux/namespaces", json!([{"type": "pid", "path": "x"}]), "linux.namespaces[0].path: x is not"),
        ("/hostname", json!("x".repeat(65)), "hostname: is longer"),
        (
            "/linux/uidMappings",
            json!([{"containerID": 0, "hostID": 0, "size": 1}]),
            "linux.uidMappings: needs a user namespace",
        ),
        (
            "/linux/timeOffsets",
            json!({"monotonic": {"secs": 1}}),
            "linux.timeOffsets: needs a time namespace",
        ),
        (
            "/linux/sysctl",
            json!({"kernel.panic": "1"}),
            "linux.sysctl[\"kernel.panic\"]: belongs to no namespace",
        ),
        ("/linux/sysctl", json!({"kernel.hostname": "1"}), "linux.sysctl[\"kernel.hostname\"]: is set by"),
        ("/linux/sysctl", json!({"net..x": "1"}), "linux.sysctl[\"net..x\"]: is not the name"),
        ("/linux/maskedPaths", json!(["/a", "b"]), "linux.maskedPaths[1]: \"b\" is not an absolute path"),
        (
            "/linux/rootfsPropagation",
            json!("public"),
            "linux.rootfsPropagation: unknown propagation \"public\"",
        ),
    ]);
}

#[test]
fn devices_policies_and_mounts_are_checked() {
    refuses(&[
        ("/linux/devices", json!([{"type": "c", "path": "/dev/x"}]), "linux.devices[0].major: is missing"),
        (
            "/linux/devices",
            json!([{"type": "a", "path": "/dev/x"}]),
            "linux.devices[0].type: unknown type of device",
        ),
        ("/linux/devices", json!([{"type": "p", "path": "x"}]), "linux.devices[0].path: x is not"),
        ("/linux/netDevices", json!({"eth0": {"name": "a/b"}}), "linux.netDevices.eth0: \"a/b\" is no name"),
        (
            "/linux/personality",
            json!({"domain": "BSD"}),
            "linux.personality.domain: unknown execution domain",
        ),
        (
            "/linux/personality",
            json!({"domain": "LINUX", "flags": ["X"]}),
            "linux.personality.flags[0]: \"X\" is none",
        ),
        ("/linux/memoryPolicy", json!({"mode": "MPOL_BIND"}), "linux.memoryPolicy.nodes: this mode needs"),
        ("/linux/intelRdt", json!({"memBwSchema": "L3:"}), "linux.intelRdt.memBwSchema: does not begin"),
        ("/mounts", json!([{"type": "proc"}]), "mounts[0].destination: is missing"),
        ("/mounts", json!([{"destination": "/x", "type": "bind"}]), "mounts[0].source: is missing"),
        ("/mounts", json!([{"destination": "/x"}]), "mounts[0].type: is missing"),
        (
            "/mounts",
            json!([{"destination": "/x", "source": "/", "options": ["rbind", "idmap"]}]),
            "mounts[0].options: idmap needs",
        ),
        (
            "/mounts",
            json!([{"destination": "/x", "source": "/", "options": ["rbind"],
            "uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}]}]),
            "mounts[0].gidMappings: is missing",
        ),
    ]);
    assert_eq!(warnings("/mounts", json!([{"destination": "tmp", "type": "tmpfs"}])).len(), 1);
    let found =
        load(&with("/linux", json!({"sysctl": {"net/core/somaxconn": "1"}}))).unwrap_err().to_string();
    assert!(found.ends_with("needs a network namespace: it would change the host"), "{found}");
    let found =
        load(&with("/linux", json!({"namespaces": []})).replace("\"ociV", "\"hostname\":\"x\",\"ociV"));
    assert!(found.unwrap_err().to_string().ends_with("hostname: needs a uts namespace"));
}

#[test]
fn id_maps_are_checked() {
    let range = |inside: u32, outside: u32, size: u32| json!({"containerID": inside, "hostID": outside, "size": size});
    let config = |map: Value| {
        let linux = json!({"namespaces": [{"type": "user"}], "uidMappings": map});
        load(&with("/linux", linux)).map(drop).map_err(|error| error.to_string())
    };
    config(json!([range(0, 1000, 1), range(1, 100_000, 65_536)])).unwrap();
    assert!(config(json!([range(0, 1000, 0)])).unwrap_err().ends_with("[0].size: is 0"));
    assert!(config(json!([range(0, 1000, u32::MAX)])).unwrap_err().ends_with("beyond the last id"));
    assert!(
        config(json!([range(0, 0, 9), range(8, 20, 1)]))
            .unwrap_err()
            .ends_with("[1].containerID: overlaps an earlier range")
    );
    assert!(
        config(json!([range(0, 0, 9), range(9, 8, 1)]))
            .unwrap_err()
            .ends_with("[1].hostID: overlaps an earlier range")
    );
}

#[test]
fn filters_are_checked() {
    let filter = |more: Value| {
        let mut filter = json!({"defaultAction": "SCMP_ACT_ERRNO"});
        filter.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        filter
    };
    let notify = json!([{"names": ["mount"], "action": "SCMP_ACT_NOTIFY"}]);
    for (more, expected) in [
        (json!({"defaultAction": "SCMP_ACT_NOTIFY"}), "defaultAction: SCMP_ACT_NOTIFY cannot be"),
        (
            json!({"defaultAction": "SCMP_ACT_SHRUG"}),
            "defaultAction: unknown seccomp action \"SCMP_ACT_SHRUG\"",
        ),
        (json!({"defaultErrnoRet": 5000}), "defaultErrnoRet: errno 5000 is not"),
        (
            json!({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}),
            "defaultErrnoRet: only SCMP_ACT_ERRNO",
        ),
        (json!({"syscalls": [{"names": [], "action": "SCMP_ACT_ALLOW"}]}), "syscalls[0].names: is empty"),
        (json!({"syscalls": notify}), "listenerPath: is missing"),
        (json!({"syscalls": notify, "listenerPath": "a.sock"}), "listenerPath: a.sock is not"),
        (json!({"listenerMetadata": "x"}), "listenerMetadata: must not be there"),
        (
            json!({"flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}),
            "flags[0]: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs",
        ),
    ] {
        let found = refusal("/linux/seccomp", filter(more));
        assert!(
            found.strip_prefix("linux.seccomp.").is_some_and(|found| found.starts_with(expected)),
            "{found}"
        );
    }
    load(&with("/linux/seccomp", filter(json!({"syscalls": notify, "listenerPath": "/run/a.sock"}))))
        .unwrap();
}
