//! config.md, "Valid values": "Runtimes MUST generate an error when invalid or unsupported values are encountered", and
//! runtime.md, "Errors": as if the operation had never been attempted.

use serde_json::{Value, json};

use crate::rig::{Bundle, deviates, needs};

/// The bundle's directory before and after: the same.
#[track_caller]
fn assert_refused_without_a_trace(bundle: &Bundle) {
    let list = || {
        let output = bundle.command("find").args(["rootfs", "-printf", "%p %y %s %m\n"]).output().unwrap();
        let mut lines: Vec<_> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let before = list();
    bundle.is_refused();
    assert_eq!(list(), before, "a trace is left: {}", bundle.config);
}

fn set(config: &mut Value, pointer: &str, value: Value) {
    if let Some(place) = config.pointer_mut(pointer) {
        *place = value;
        return;
    }
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    config.pointer_mut(parent).unwrap()[name] = value;
}

#[test]
fn text_that_is_no_json() {
    needs!(bundles);
    let bundle = Bundle::new();
    for text in
        ["", "{", "null", "[]", "7", "{\"ociVersion\": }", "{\"ociVersion\": \"1.0.2\"} trailing", "\u{0}"]
    {
        bundle.write("config.json", text);
        let output = bundle.detached(bundle.runtime(&["create", &bundle.id]));
        assert_ne!(output.code, 0, "{text:?}: {output}");
        assert!(!output.stderr.contains("panicked"), "{text:?}: {output}");
        assert_eq!(bundle.ids(), [""; 0], "{text:?}");
    }
}

#[test]
fn text_that_is_no_utf_8() {
    needs!(bundles);
    let bundle = Bundle::sleeping();
    deviates!("crun", "does not look");
    bundle.save();
    let mut bytes = std::fs::read(bundle.path("config.json")).unwrap();
    let at = bytes.windows(11).position(|window| window == b"conformance").unwrap();
    bytes[at] = 0xff;
    std::fs::write(bundle.path("config.json"), bytes).unwrap();
    let output = bundle.detached(bundle.runtime(&["create", &bundle.id]));
    assert_ne!(output.code, 0, "{output}");
}

/// Values of another type than the specification says.
#[test]
fn values_of_the_wrong_type() {
    needs!(bundles);
    deviates!("crun", "takes some of them for nothing, and then lacks even a mount namespace");
    for (pointer, value) in [
        ("/ociVersion", json!(1)),
        ("/root", json!("rootfs")),
        ("/root/path", json!(7)),
        ("/process", json!([])),
        ("/process/args", json!("true")),
        ("/process/args", json!({ "0": "true" })),
        ("/process/env", json!("A=b")),
        ("/process/cwd", json!(7)),
        ("/process/user", json!("root")),
        ("/process/user/uid", json!("zero")),
        ("/process/capabilities/bounding", json!("CAP_KILL")),
        ("/process/rlimits", json!({})),
        ("/mounts", json!({ "destination": "/x" })),
        ("/mounts/0/options", json!("ro")),
        ("/mounts/0/destination", json!(7)),
        ("/hostname", json!(["a"])),
        ("/linux", json!("linux")),
        ("/linux/namespaces", json!("pid")),
        ("/linux/namespaces/0", json!("pid")),
        ("/linux/maskedPaths", json!("/proc/kcore")),
        ("/linux/sysctl", json!([])),
        ("/linux/devices", json!("null")),
        ("/linux/seccomp", json!("none")),
        ("/hooks", json!({ "prestart": "hook" })),
    ] {
        let bundle = Bundle::new().with(|config| set(config, pointer, value.clone()));
        let output = bundle.try_create(&[]);
        assert_ne!(output.code, 0, "{pointer} = {value} was accepted");
        assert!(!output.stderr.contains("panicked"), "{pointer} = {value}: {output}");
        assert_eq!(bundle.ids(), [""; 0], "{pointer} = {value}");
    }
}

/// "REQUIRED"
#[test]
fn values_that_are_missing() {
    needs!(bundles);
    for pointer in ["/root", "/root/path", "/mounts/0/destination", "/linux/namespaces/0/type"] {
        let bundle = Bundle::new().with(|config| {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            config.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
        });
        assert_refused_without_a_trace(&bundle);
    }
}

/// "cwd (string, REQUIRED)". So are uid and gid, but what every runtime takes for 0, engines may leave out.
#[test]
fn a_process_without_a_working_directory_is_refused() {
    needs!(bundles);
    deviates!("crun", "takes the root");
    Bundle::new().with(|config| drop(config["process"].as_object_mut().unwrap().remove("cwd"))).is_refused();
}

/// What would be cut off at the first of them.
#[test]
fn texts_with_a_nul() {
    needs!(bundles);
    deviates!("crun", "cuts them off");
    for (pointer, value) in [
        ("/process/args", json!(["true\0false"])),
        ("/process/env", json!(["A=b\0c"])),
        ("/process/cwd", json!("/\0x")),
        ("/hostname", json!("a\0b")),
        ("/root/path", json!("rootfs\0x")),
        ("/mounts/0/destination", json!("/proc\0x")),
        ("/linux/maskedPaths", json!(["/proc/kcore\0x"])),
    ] {
        let bundle = Bundle::new().with(|config| set(config, pointer, value.clone()));
        let output = bundle.try_create(&[]);
        assert_ne!(output.code, 0, "{pointer} = {value} was accepted");
        assert!(!output.stderr.contains("panicked"), "{pointer}: {output}");
    }
}

/// Everything that can be known before something is made is found before something is made.
#[test]
fn errors_in_the_last_part_leave_no_trace_of_the_first() {
    needs!(bundles);
    deviates!("crun", "makes mount points before it has looked at the rest");
    for (pointer, value) in [
        ("/process/rlimits", json!([{ "type": "RLIMIT_NONSENSE", "soft": 1, "hard": 1 }])),
        ("/linux/seccomp", json!({ "defaultAction": "SCMP_ACT_NONSENSE" })),
        ("/linux/rootfsPropagation", json!("nonsense")),
        ("/linux/personality", json!({ "domain": "BSD" })),
        ("/linux/sysctl", json!({ "vm.swappiness": "1" })),
        ("/process/scheduler", json!({ "policy": "SCHED_NONSENSE" })),
        ("/process/ioPriority", json!({ "class": "IOPRIO_CLASS_NONSENSE", "priority": 1 })),
    ] {
        let bundle = Bundle::new()
            .mount(json!({ "destination": "/made/for/this", "type": "tmpfs", "source": "tmpfs" }))
            .with(|config| set(config, pointer, value.clone()));
        assert_refused_without_a_trace(&bundle);
    }
}

#[test]
fn names_that_are_too_long() {
    needs!(bundles);
    for (pointer, value) in [
        ("/hostname", json!("h".repeat(65))),
        ("/domainname", json!("d".repeat(65))),
        ("/root/path", json!("r".repeat(5000))),
    ] {
        let bundle = Bundle::new().with(|config| set(config, pointer, value.clone()));
        let output = bundle.run();
        assert_ne!(output.code, 0, "{pointer} was accepted");
        assert!(!output.stderr.contains("panicked"), "{pointer}: {output}");
    }
}

/// Much of everything is not invalid.
#[test]
fn large_configurations() {
    needs!(bundles);
    let bundle = Bundle::sh("env | wc -l; echo $#").with(|config| {
        let env: Vec<_> = (0..500).map(|number| format!("V{number}={}", "x".repeat(100))).collect();
        config["process"]["env"] = json!([&["PATH=/bin".to_owned()], &env[..]].concat());
        let args = config["process"]["args"].as_array_mut().unwrap();
        args.extend((0..1001).map(|number| json!(format!("argument {number}"))));
        let masks: Vec<_> = (0..200).map(|number| format!("/no/such/path{number}")).collect();
        config["linux"]["maskedPaths"] = json!(masks);
        config["annotations"] =
            (0..500).map(|number| (format!("com.example.{number}"), json!("x"))).collect();
    });
    let printed = bundle.says();
    let lines: Vec<u32> = printed.lines().map(|line| line.trim().parse().unwrap()).collect();
    assert!(lines[0] >= 501, "{printed}");
    assert_eq!(lines[1], 1000, "{printed}");
}
