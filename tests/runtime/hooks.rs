//! config.md, "POSIX-platform Hooks", and the steps of runtime.md, "Lifecycle", that call them.

use serde_json::{Value, json};

use crate::rig::{Bundle, deviates, needs};

/// A hook that takes the state and then runs a line of the host's shell.
fn shell(script: &str) -> Value {
    reading(&format!("cat >/dev/null; {script}"))
}

/// A hook that does with its standard input what it likes.
fn reading(script: &str) -> Value {
    json!({ "path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/usr/bin:/bin"] })
}

/// A hook that notes that it ran, and what the payload had printed by then.
fn noting(bundle: &Bundle, name: &str) -> Value {
    shell(&format!("echo {name} >>{}", bundle.text("log")))
}

fn log(bundle: &Bundle) -> Vec<String> {
    let text = std::fs::read_to_string(bundle.path("log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

const OUTSIDE: [&str; 4] = ["prestart", "createRuntime", "poststart", "poststop"];

/// A container whose payload and all hooks of the runtime's namespaces note that they ran.
fn with_all(bundle: Bundle) -> Bundle {
    let log = bundle.text("log");
    std::fs::write(bundle.path("log"), "").unwrap();
    let mut hooks = json!({});
    for name in OUTSIDE.iter().chain(&["createContainer"]) {
        hooks[*name] = json!([noting(&bundle, &format!("{name} 1")), noting(&bundle, &format!("{name} 2"))]);
    }
    // What runs in the container sees the log as /log.
    hooks["startContainer"] = json!([
        { "path": "/bin/sh", "args": ["sh", "-c", "cat >/dev/null; echo startContainer 1 >>/log"] },
        { "path": "/bin/sh", "args": ["sh", "-c", "cat >/dev/null; echo startContainer 2 >>/log"] },
    ]);
    bundle
        .mount(json!({ "destination": "/log", "source": log, "options": ["bind"] }))
        .with(|config| config["hooks"] = hooks)
}

/// "Hooks MUST be called in the listed order", and each kind at its step of the lifecycle.
#[test]
fn the_order_of_all_hooks() {
    needs!(bundles);
    deviates!("crun", "start answers before the startContainer hooks have run");
    let bundle = with_all(Bundle::sh("sleep 1000"));
    bundle.create();
    let both = |name: &str| [format!("{name} 1"), format!("{name} 2")];
    let mut expected: Vec<_> =
        ["prestart", "createRuntime", "createContainer"].iter().flat_map(|name| both(name)).collect();
    assert_eq!(log(&bundle), expected, "after create");
    bundle.start();
    expected.extend(["startContainer", "poststart"].iter().flat_map(|name| both(name)));
    assert_eq!(log(&bundle), expected, "after start");
    bundle.kill("KILL");
    bundle.wait_for("stopped");
    assert_eq!(log(&bundle), expected, "the end calls none");
    bundle.ok(&["delete", &bundle.id]);
    expected.extend(both("poststop"));
    assert_eq!(log(&bundle), expected, "after delete");
}

#[test]
fn run_calls_them_all() {
    needs!(bundles);
    let bundle = with_all(Bundle::sh("echo payload >>/log"));
    bundle.run().success();
    let found = log(&bundle);
    assert_eq!(found.len(), 13, "{found:?}");
    let at = |name: &str| found.iter().position(|line| line == name).unwrap();
    assert!(at("startContainer 2") < at("payload"), "{found:?}");
    assert_eq!(&found[11..], ["poststop 1", "poststop 2"]);
}

/// "The state of the container MUST be passed to hooks over stdin."
#[test]
fn the_state_on_standard_input() {
    needs!(bundles);
    let mut bundle = Bundle::sleeping();
    let mut hooks = json!({});
    for name in OUTSIDE.iter().chain(&["createContainer"]) {
        hooks[*name] = json!([reading(&format!("cat >{}", bundle.text(&format!("state-{name}"))))]);
    }
    hooks["startContainer"] = json!([{ "path": "/bin/sh", "args": ["sh", "-c", "cat >/tmp/state"] }]);
    bundle.config["hooks"] = hooks;
    bundle.config["annotations"] = json!({ "com.example": "noted" });
    bundle.create();
    let pid = bundle.pid();
    bundle.start();
    bundle.kill("KILL");
    bundle.wait_for("stopped");
    bundle.ok(&["delete", &bundle.id]);
    let parse = |file: &str| -> Value {
        let text = bundle.read(file);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}: {text:?}"))
    };
    for (name, statuses) in [
        ("prestart", &["creating", "created"][..]),
        ("createRuntime", &["creating", "created"]),
        ("createContainer", &["creating", "created"]),
        ("poststart", &["running", "stopped"]),
        ("poststop", &["stopped"]),
    ] {
        let state = parse(&format!("state-{name}"));
        assert_eq!(state["id"], json!(bundle.id), "{name}: {state}");
        assert_eq!(
            state["bundle"].as_str().unwrap().trim_end_matches('/'),
            bundle.text("").trim_end_matches('/'),
            "{name}"
        );
        assert_eq!(state["annotations"]["com.example"], "noted", "{name}: {state}");
        assert!(state["ociVersion"].as_str().unwrap().starts_with("1."), "{name}: {state}");
        assert!(statuses.contains(&state["status"].as_str().unwrap()), "{name}: {state}");
        // "For hooks executed in the runtime namespace, it is the pid as seen by the runtime."
        if ["prestart", "createRuntime", "poststart"].contains(&name) {
            assert_eq!(state["pid"], json!(pid), "{name}: {state}");
        }
    }
    let state = parse("rootfs/tmp/state");
    assert_eq!(state["id"], json!(bundle.id), "{state}");
    assert!(!["running", "stopped"].contains(&state["status"].as_str().unwrap()), "{state}");
}

/// A hook need not read its input: neither its closing nor its filling up is the runtime's end.
#[test]
fn a_hook_that_reads_nothing() {
    needs!(bundles);
    deviates!("crun", "may die of SIGPIPE");
    for script in ["exec <&-; exit 0", "sleep 0.2"] {
        let mut hooks = json!({});
        for name in OUTSIDE {
            hooks[name] = json!([reading(script)]);
        }
        let bundle = Bundle::sh("echo ran").with(|config| {
            config["annotations"] = json!({ "com.example.long": "x".repeat(60_000) });
            config["hooks"] = hooks;
        });
        assert_eq!(bundle.says(), "ran\n");
    }
}

/// Nothing limits how much annotations say; a pipe holds 64 KiB.
#[test]
fn a_state_longer_than_a_pipe() {
    needs!(bundles);
    let mut bundle = Bundle::sh("echo ran");
    let count = format!("wc -c >{}", bundle.text("length"));
    bundle.config["annotations"] = json!({ "com.example.long": "x".repeat(200_000) });
    bundle.config["hooks"] = json!({ "createRuntime": [reading(&count)] });
    assert_eq!(bundle.says(), "ran\n");
    let length: usize = bundle.read("length").trim().parse().unwrap();
    assert!(length > 200_000, "{length}");
}

/// "For hooks executed in the container namespace, it is the pid as seen by the container."
#[test]
fn the_pid_in_the_state_of_hooks_in_the_container() {
    needs!(bundles);
    deviates!("crun", "tells the pid that the runtime sees");
    let bundle = Bundle::new().with(|config| {
        config["hooks"] =
            json!({ "startContainer": [{ "path": "/bin/sh", "args": ["sh", "-c", "cat >/tmp/state"] }] });
    });
    bundle.run().success();
    let state: Value = serde_json::from_str(&bundle.read("rootfs/tmp/state")).unwrap();
    assert_eq!(state["pid"], 1, "{state}");
}

/// In which namespaces each runs.
#[test]
fn namespaces_of_hooks() {
    needs!(bundles);
    let mut bundle = Bundle::sh("sleep 1000");
    let names = "for n in mnt uts net; do readlink /proc/self/ns/$n; done";
    let mut hooks = json!({});
    for name in OUTSIDE {
        hooks[name] = json!([shell(&format!("({names}) >{}", bundle.text(&format!("ns-{name}"))))]);
    }
    let file = bundle.text("ns-createContainer");
    hooks["createContainer"] =
        json!([shell(&format!("({names}; ls {}) >{file}", bundle.text("rootfs/bin/busybox")))]);
    hooks["startContainer"] = json!([{ "path": "/bin/sh", "args": ["sh", "-c", format!("({names}; ls -d /bin/busybox) >/tmp/ns")] }]);
    bundle.config["hooks"] = hooks;
    let bundle = bundle.running();
    let inside = bundle.exec(&[], names);
    bundle.ok(&["delete", "--force", &bundle.id]);
    let own: String = ["mnt", "uts", "net"]
        .map(|name| format!("{}\n", std::fs::read_link(format!("/proc/self/ns/{name}")).unwrap().display()))
        .concat();
    assert_ne!(inside, own);
    // A runtime without privileges may run them in a user namespace of its own: what matters is what they see.
    let network = |text: &str| text.lines().nth(2).unwrap().to_owned();
    for name in OUTSIDE {
        assert_eq!(network(&bundle.read(&format!("ns-{name}"))), network(&own), "{name}");
    }
    let expected = format!("{inside}{}\n", bundle.text("rootfs/bin/busybox"));
    assert_eq!(bundle.read("ns-createContainer"), expected, "before the pivot, the host's paths are there");
    assert_eq!(bundle.read("rootfs/tmp/ns"), format!("{inside}/bin/busybox\n"));
}

/// "after the mount namespace was created and setup": a createContainer hook can look at the mounts, and add to them.
#[test]
fn a_hook_can_mount_into_the_container() {
    needs!(bundles);
    let mut bundle = Bundle::sh("cat /extra/file");
    bundle.write("rootfs/extra/.keep", "");
    bundle.write("data/file", "from the hook\n");
    let script = format!("mount --bind {} {}", bundle.text("data"), bundle.text("rootfs/extra"));
    bundle.config["hooks"] = json!({ "createContainer": [shell(&script)] });
    bundle.run().success();
    assert_eq!(bundle.says(), "from the hook\n");
}

/// "with the same semantics as execv's argv", "environ": nothing of the runtime's own.
#[test]
fn arguments_and_environment() {
    needs!(bundles);
    let mut bundle = Bundle::new().set("FROM_OUTSIDE", "yes");
    bundle.write_script(
        "hook",
        "#!/bin/sh\ncat >/dev/null\n(printf '%s|' \"$0\" \"$@\"; /usr/bin/env) >\"${0%/*}/facts\"\n",
    );
    let hook = bundle.text("hook");
    bundle.config["hooks"] =
        json!({ "createRuntime": [{ "path": hook, "args": ["name", "one", "two words"], "env": ["A=b"] }] });
    bundle.run().success();
    let facts = bundle.read("facts");
    let mut lines: Vec<_> = facts
        .lines()
        .filter(|line| !line.starts_with("PWD=") && !line.starts_with("_=") && !line.starts_with("SHLVL="))
        .collect();
    lines.sort_unstable();
    assert!(lines.iter().any(|line| line.contains("|one|two words|A=b")), "{facts}");
    assert!(!facts.contains("FROM_OUTSIDE"), "{facts}");
    // An environment of nothing, and the path as the only argument.
    bundle.config["hooks"] = json!({ "createRuntime": [{ "path": hook, "env": [] }] });
    bundle.run().success();
    let facts = bundle.read("facts");
    assert!(!facts.contains("A=b") && !facts.contains("FROM_OUTSIDE"), "{facts}");
    assert!(!facts.contains("|one|"), "{facts}");
}

/// "If any … hook fails, the runtime MUST generate an error, stop the container, and continue the lifecycle at step
/// 12": destroyed, and the poststop hooks called.
#[test]
fn a_hook_of_create_that_fails() {
    needs!(bundles);
    for name in ["prestart", "createRuntime", "createContainer"] {
        let bundle = Bundle::sh("echo ran");
        let bundle = bundle.with(|config| config["hooks"] = json!({ name: [shell("exit 3")] }));
        bundle.is_refused();
        let output = bundle.run();
        assert_ne!(output.code, 0, "{name}: {output}");
        assert_eq!(output.stdout, "", "{name}");
        assert_eq!(bundle.ids(), [""; 0], "{name}");
    }
}

#[test]
fn hooks_after_the_one_that_failed_are_not_called() {
    needs!(bundles);
    let mut bundle = Bundle::new();
    let second = noting(&bundle, "second");
    let runtime = noting(&bundle, "createRuntime");
    bundle.config["hooks"] = json!({ "prestart": [shell("exit 1"), second], "createRuntime": [runtime] });
    bundle.is_refused();
    assert_eq!(log(&bundle), [""; 0]);
}

#[test]
fn poststop_hooks_are_called_after_a_create_that_failed() {
    needs!(bundles);
    deviates!("crun", "calls none");
    let mut bundle = Bundle::new();
    let poststop = noting(&bundle, "poststop");
    bundle.config["hooks"] = json!({ "createRuntime": [shell("exit 1")], "poststop": [poststop] });
    bundle.is_refused();
    assert_eq!(log(&bundle), ["poststop"]);
}

#[test]
fn a_start_container_hook_that_fails() {
    needs!(bundles);
    let bundle = Bundle::sh("echo ran").with(|config| {
        config["hooks"] = json!({ "startContainer": [{ "path": "/bin/false" }] });
    });
    let output = bundle.run();
    assert_ne!(output.code, 0, "{output}");
    assert_eq!(output.stdout, "");
}

#[test]
fn a_start_whose_hook_fails_is_an_error_and_the_end() {
    needs!(bundles);
    deviates!("crun", "start has answered by then");
    let bundle = Bundle::sh("echo ran").with(|config| {
        config["hooks"] = json!({ "startContainer": [{ "path": "/bin/false" }] });
    });
    bundle.create();
    bundle.refuses(&["start", &bundle.id]);
    let state = bundle.try_to(&["state", &bundle.id]);
    assert!(state.code != 0 || state.stdout.contains("stopped"), "{state}");
    assert_eq!(bundle.printed(), "");
}

/// Since 1.3: "If any poststart hook fails, the runtime MUST generate an error, stop the container".
#[test]
fn a_poststart_hook_that_fails() {
    needs!(bundles);
    deviates!("crun", "logs a warning, as the specification said before 1.3");
    let bundle =
        Bundle::sleeping().with(|config| config["hooks"] = json!({ "poststart": [shell("exit 1")] }));
    bundle.create();
    bundle.refuses(&["start", &bundle.id]);
    let state = bundle.try_to(&["state", &bundle.id]);
    assert!(state.code != 0 || state.stdout.contains("stopped"), "{state}");
}

/// "MUST log a warning, but the remaining hooks and lifecycle continue as if the hook had succeeded"
#[test]
fn a_poststop_hook_that_fails() {
    needs!(bundles);
    let mut bundle = Bundle::new();
    let second = noting(&bundle, "second");
    bundle.config["hooks"] = json!({ "poststop": [shell("exit 1"), second] });
    let bundle = bundle.stopped();
    bundle.ok(&["delete", &bundle.id]);
    assert_eq!(log(&bundle), ["second"]);
    bundle.refuses(&["state", &bundle.id]);
}

/// "the number of seconds before aborting the hook"
#[test]
fn a_hook_that_takes_too_long_is_ended() {
    needs!(bundles);
    let mut hook = shell("exec sleep 1000");
    hook["timeout"] = json!(1);
    let bundle = Bundle::sh("echo ran").with(|config| config["hooks"] = json!({ "createRuntime": [hook] }));
    bundle.is_refused();
    let mut hook = shell("exit 0");
    hook["timeout"] = json!(1000);
    let bundle = Bundle::sh("echo ran").with(|config| config["hooks"] = json!({ "createRuntime": [hook] }));
    assert_eq!(bundle.says(), "ran\n");
}

/// "If set, timeout MUST be greater than zero."
#[test]
fn a_timeout_of_nothing_is_refused() {
    needs!(bundles);
    deviates!("crun", "waits for ever");
    for timeout in [0, -1] {
        let mut hook = shell("exit 0");
        hook["timeout"] = json!(timeout);
        Bundle::new().with(|config| config["hooks"] = json!({ "createRuntime": [hook] })).is_refused();
    }
}

/// "path MUST be absolute"
#[test]
fn a_hook_without_an_absolute_path_that_exists_is_refused() {
    needs!(bundles);
    let hooks = [json!({ "path": "/no/such/hook" }), json!({ "path": "bin/sh" }), json!({ "args": ["sh"] })];
    for hook in hooks {
        Bundle::new().with(|config| config["hooks"] = json!({ "createRuntime": [hook] })).is_refused();
    }
}
