//! config-linux.md, "Control groups", and the operations that work by them: pause, resume, update, events, ps.

use serde_json::{Value, json};

use crate::rig::{Bundle, deviates, eventually, needs};

/// "the runtime MUST take the path to be relative to the cgroups mount point"; "will be created if they don't exist".
#[test]
fn the_container_is_in_its_cgroup_and_takes_it_down() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sleeping().in_cgroup().running();
    let pid = bundle.pid().to_string();
    assert_eq!(bundle.controlled("cgroup.procs"), pid);
    let own = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let path = bundle.config["linux"]["cgroupsPath"].as_str().unwrap();
    assert!(own.lines().any(|line| line == format!("0::{path}")), "{own}");
    bundle.ok(&["delete", "--force", &bundle.id]);
    assert!(!bundle.cgroup().exists(), "{} is left", bundle.cgroup().display());
}

/// "Deleting a container MUST delete the resources that were created during the create step."
#[test]
fn a_stopped_containers_cgroup_goes_with_it() {
    needs!(bundles, cgroup);
    let bundle = Bundle::new().in_cgroup().stopped();
    bundle.ok(&["delete", &bundle.id]);
    assert!(!bundle.cgroup().exists());
    bundle.run().success();
    assert!(!bundle.cgroup().exists());
}

#[test]
fn a_create_that_fails_leaves_no_cgroup() {
    needs!(bundles, cgroup);
    let mount = json!({ "destination": "/broken", "type": "no-such-file-system", "source": "none" });
    let bundle = Bundle::new().in_cgroup().mount(mount);
    bundle.is_refused();
    assert!(!bundle.cgroup().exists());
    let bundle = Bundle::of(&["no-such-command"]).in_cgroup();
    assert_ne!(bundle.run().code, 0);
    assert!(!bundle.cgroup().exists());
}

#[test]
fn what_the_container_forks_is_in_it_and_dies_with_it() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sh("sleep 1000 & sleep 1000 & wait").in_cgroup().running();
    eventually("all three are there", || bundle.controlled("cgroup.procs").lines().count() == 3);
    bundle.ok(&["delete", "--force", &bundle.id]);
    assert!(!bundle.cgroup().exists());
}

/// A cgroup namespace is rooted in the container's own cgroup.
#[test]
fn a_cgroup_namespace_shows_the_containers_as_root() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sh("grep ^0: /proc/self/cgroup").in_cgroup().with_namespace("cgroup", None);
    assert_eq!(bundle.says(), "0::/\n");
    let bundle = Bundle::sh("grep ^0: /proc/self/cgroup").in_cgroup();
    let path = bundle.config["linux"]["cgroupsPath"].as_str().unwrap().to_owned();
    assert_eq!(bundle.says(), format!("0::{path}\n"));
}

/// "a frozen cgroup … MUST generate an error if such a check fails"; here: a cgroup that cannot be had.
#[test]
fn a_path_that_climbs_out_is_refused_or_stays_below() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sleeping().in_cgroup();
    let path = format!(
        "{}/../../../../../../climbed-{}",
        bundle.config["linux"]["cgroupsPath"].as_str().unwrap(),
        bundle.id
    );
    let bundle = bundle.with(|config| config["linux"]["cgroupsPath"] = json!(path));
    let output = bundle.try_create(&[]);
    assert!(output.code != 0 || bundle.status() == "created", "{output}");
}

#[test]
fn pausing_and_resuming() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sh("while :; do echo tick; sleep 0.01; done").in_cgroup().running();
    eventually("it ticks", || bundle.printed().contains("tick"));
    bundle.ok(&["pause", &bundle.id]);
    assert_eq!(bundle.status(), "paused");
    eventually("it is frozen", || bundle.controlled("cgroup.events").contains("frozen 1"));
    let before = bundle.printed().len();
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(bundle.printed().len(), before, "it ticks on");
    bundle.ok(&["resume", &bundle.id]);
    assert_eq!(bundle.status(), "running");
    eventually("it ticks again", || bundle.printed().len() > before);
}

#[test]
fn pausing_and_resuming_in_the_wrong_state_are_refused() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sleeping().in_cgroup();
    bundle.refuses(&["pause", &bundle.id]);
    bundle.refuses(&["resume", &bundle.id]);
    let bundle = bundle.running();
    bundle.ok(&["pause", &bundle.id]);
    bundle.refuses(&["delete", &bundle.id]);
    bundle.ok(&["resume", &bundle.id]);
    bundle.kill("KILL");
    bundle.wait_for("stopped");
    bundle.refuses(&["pause", &bundle.id]);
    bundle.refuses(&["resume", &bundle.id]);
}

#[test]
fn resuming_what_is_not_paused_is_refused() {
    needs!(bundles, cgroup);
    deviates!("crun", "answers with success");
    let bundle = Bundle::sleeping().in_cgroup().running();
    bundle.refuses(&["resume", &bundle.id]);
}

#[test]
fn a_paused_container_can_be_killed_and_deleted() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sleeping().in_cgroup().running();
    bundle.ok(&["pause", &bundle.id]);
    bundle.ok(&["delete", "--force", &bundle.id]);
    assert!(!bundle.cgroup().exists());
}

/// Everything that runs in it, by the pids that the runtime sees.
#[test]
fn processes_as_a_table_and_as_json() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sh("sleep 1000 & sleep 1000 & wait").in_cgroup().running();
    eventually("all three are there", || bundle.controlled("cgroup.procs").lines().count() == 3);
    let text = bundle.ok(&["ps", "--format", "json", &bundle.id]);
    let found: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let found: Vec<i64> = found.as_array().unwrap().iter().map(|pid| pid.as_i64().unwrap()).collect();
    let mut expected: Vec<i64> =
        bundle.controlled("cgroup.procs").lines().map(|pid| pid.parse().unwrap()).collect();
    expected.sort_unstable();
    let mut sorted = found.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
    let table = bundle.ok(&["ps", &bundle.id]);
    assert!(expected.iter().all(|pid| table.contains(&pid.to_string())), "{table}");
}

/// Skips what the delegated hierarchy has no controller for.
fn has_controller(bundle: &Bundle, name: &str) -> bool {
    let parent = bundle.cgroup().parent().unwrap().join("cgroup.subtree_control");
    std::fs::read_to_string(parent).is_ok_and(|text| text.split_whitespace().any(|found| found == name))
}

#[test]
fn limits_of_processes_and_memory() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sleeping().in_cgroup();
    for (name, resources, file, value) in [
        ("pids", json!({ "pids": { "limit": 77 } }), "pids.max", "77"),
        ("pids", json!({ "pids": { "limit": -1 } }), "pids.max", "max"),
        ("memory", json!({ "memory": { "limit": 67_108_864 } }), "memory.max", "67108864"),
        ("memory", json!({ "memory": { "reservation": 33_554_432 } }), "memory.low", "33554432"),
        ("cpu", json!({ "cpu": { "quota": 50_000, "period": 100_000 } }), "cpu.max", "50000 100000"),
    ] {
        if !has_controller(&bundle, name) {
            continue;
        }
        let bundle = Bundle::sleeping().in_cgroup().resources(resources).running();
        assert_eq!(bundle.controlled(file), value);
    }
}

/// "Configuration unknown to the runtime MUST still be written to the relevant file."
#[test]
fn unified_settings() {
    needs!(bundles, cgroup);
    let bundle =
        Bundle::sleeping().in_cgroup().resources(json!({ "unified": { "cgroup.max.descendants": "7" } }));
    let bundle = bundle.running();
    assert_eq!(bundle.controlled("cgroup.max.descendants"), "7");
}

/// "MUST generate an error when the configuration refers to a cgroup controller that is not present".
#[test]
fn unified_settings_of_no_controller_are_refused() {
    needs!(bundles, cgroup);
    for name in ["nonsense.max", "../cgroup.procs", "cgroup/procs"] {
        let bundle = Bundle::sleeping().in_cgroup().resources(json!({ "unified": { name: "1" } }));
        bundle.is_refused();
        if !crate::rig::runtime_is("crun") {
            assert!(!bundle.cgroup().exists(), "{name}: the cgroup is left");
        }
    }
}

#[test]
fn an_update() {
    needs!(bundles, cgroup);
    let bundle = Bundle::sleeping().in_cgroup().running();
    if has_controller(&bundle, "pids") {
        bundle.ok(&["update", "--pids-limit", "55", &bundle.id]);
        assert_eq!(bundle.controlled("pids.max"), "55");
    }
    bundle.write("resources.json", &json!({ "unified": { "cgroup.max.depth": "9" } }).to_string());
    bundle.ok(&["update", "--resources", &bundle.text("resources.json"), &bundle.id]);
    assert_eq!(bundle.controlled("cgroup.max.depth"), "9");
    bundle.refuses(&["update", "--resources", "/no/such/file", &bundle.id]);
    bundle.write("resources.json", "{");
    bundle.refuses(&["update", "--resources", &bundle.text("resources.json"), &bundle.id]);
    bundle.refuses(&["update", "--pids-limit", "1", "no-such-container"]);
}

/// One JSON object a line, as runc prints them.
#[test]
fn events() {
    needs!(bundles, cgroup);
    deviates!("crun", "has no such command");
    let bundle = Bundle::sleeping().in_cgroup().running();
    let text = bundle.ok(&["events", "--stats", &bundle.id]);
    let event: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(event["type"], "stats", "{event}");
    assert_eq!(event["id"], json!(bundle.id), "{event}");
    assert!(event["data"].is_object(), "{event}");
    bundle.refuses(&["events", "--stats", "no-such-container"]);
}
