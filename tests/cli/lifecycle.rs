//! `ps`, `logs`, `inspect`, `rm`, `system prune`: what is known of containers.

use nix::sys::signal::Signal;

use crate::rig::command::eventually;
use crate::rig::{Home, needs};

#[test]
fn an_empty_store_has_no_containers() {
    needs!(containers);
    let home = Home::bare();
    assert_eq!(home.json(&["ps", "-a"]), serde_json::json!([]));
    let table = home.ok(&["ps"]);
    assert_eq!(table.lines().count(), 1);
    for heading in ["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"] {
        assert!(table.contains(heading), "{table}");
    }
    assert_eq!(home.ok(&["ps", "-aq"]), "");
    assert_eq!(home.stored("/locks/").len() + home.stored("/blobs/").len(), 0, "looking makes nothing");
}

#[test]
fn a_running_container_is_listed_and_an_ended_one_only_with_all() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    home.run(&["run", "--name", "ended", "--network", "none", "busybox", "sh", "-c", "exit 9"]).exits(9);
    let args = [
        "run",
        "--name",
        "going",
        "-l",
        "who=me",
        "--network",
        "none",
        "busybox",
        "sh",
        "-c",
        "echo ready; exec sleep 1000",
    ];
    let mut run = home.start(&args);
    run.expect("ready");
    let names = |args: &[&str]| -> Vec<String> { home.ok(args).lines().map(str::to_owned).collect() };
    assert_eq!(names(&["ps", "--format", "{{.Names}}"]), ["going"]);
    let mut all = names(&["ps", "-a", "--format", "{{.Names}}"]);
    all.sort();
    assert_eq!(all, ["ended", "going"]);
    let list = home.json(&["ps", "-a"]);
    let entry =
        |name: &str| list.as_array().unwrap().iter().find(|entry| entry["Names"][0] == name).unwrap().clone();
    assert_eq!(entry("ended")["ExitCode"], 9);
    assert_eq!(entry("ended")["State"], "exited");
    assert_eq!(entry("going")["State"], "running");
    assert_eq!(entry("going")["Labels"]["who"], "me");
    assert_eq!(entry("going")["Image"], "docker.io/library/busybox:latest");
    assert_eq!(entry("going")["Id"].as_str().map(str::len), Some(64));
    let table = home.ok(&["ps", "-a"]);
    assert!(table.contains("Exited (9)") && table.contains("Up "), "{table}");
    run.signal(Signal::SIGKILL);
}

#[test]
fn a_container_can_be_named_by_name_id_and_prefix() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    home.ok(&["run", "--name", "subject", "--network", "none", "busybox", "true"]);
    let id = home.ok(&["ps", "-aq", "--no-trunc"]).trim().to_owned();
    assert_eq!(id.len(), 64);
    for name in ["subject", &id, &id[..12], &id[..4]] {
        assert_eq!(home.ok(&["inspect", "--format", "{{.Name}}", name]), "subject\n", "{name}");
    }
    home.run(&["inspect", "no-such-thing"]).fails_saying(&["no-such-thing"]);
    home.run(&["rm", "no-such-thing"]).exits(1).fails_saying(&["no-such-thing"]);
    home.run(&["logs", "no-such-thing"]).exits(125).fails_saying(&["no-such-thing"]);
}

#[test]
fn inspect_tells_what_was_asked_for_and_what_became_of_it() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let args = [
        "run",
        "--name",
        "subject",
        "-e",
        "A=b",
        "-w",
        "/tmp",
        "--hostname",
        "h",
        "-l",
        "k=v",
        "--network",
        "none",
        "busybox",
        "sh",
        "-c",
        "exit 3",
    ];
    home.run(&args).exits(3);
    let container = &home.json(&["inspect", "subject"])[0];
    assert_eq!(container["Name"], "subject");
    assert_eq!(container["State"]["Status"], "exited");
    assert_eq!(container["State"]["ExitCode"], 3);
    assert_eq!(container["State"]["Running"], false);
    assert_eq!(container["Config"]["WorkingDir"], "/tmp");
    assert_eq!(container["Config"]["Hostname"], "h");
    assert_eq!(container["Config"]["Labels"]["k"], "v");
    let variables = container["Config"]["Env"].as_array().unwrap();
    assert!(variables.iter().any(|variable| variable == "A=b"), "{variables:?}");
    assert_eq!(
        home.ok(&["inspect", "-f", "{{.State.ExitCode}} {{index .Config.Labels \"k\"}}", "subject"]),
        "3 v\n"
    );
    let failed = home.run(&["inspect", "-f", "{{.NoSuchField}}", "subject"]);
    failed.fails_saying(&["NoSuchField"]);
}

#[test]
fn logs_have_both_streams_apart() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script = "for i in 1 2 3; do echo out $i; echo err $i >&2; done; printf unfinished";
    home.ok(&["run", "--name", "talker", "--network", "none", "busybox", "sh", "-c", script]);
    let output = home.run(&["logs", "talker"]).exits(0);
    assert_eq!(output.stdout, "out 1\nout 2\nout 3\nunfinished");
    assert_eq!(output.stderr, "err 1\nerr 2\nerr 3\n");
}

#[test]
fn logs_of_a_running_container_can_be_read() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut run = home.start(&[
        "run",
        "--name",
        "talker",
        "--network",
        "none",
        "busybox",
        "sh",
        "-c",
        "echo ready; exec sleep 1000",
    ]);
    run.expect("ready");
    eventually("the log has it", || home.ok(&["logs", "talker"]) == "ready\n");
}

#[test]
fn rm_removes_what_has_ended_and_force_what_runs() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let mut run = home.start(&[
        "run",
        "--name",
        "going",
        "--network",
        "none",
        "busybox",
        "sh",
        "-c",
        "trap '' TERM; echo ready; while :; do sleep 1; done",
    ]);
    run.expect("ready");
    home.run(&["rm", "going"]).fails_saying(&["going"]);
    assert_eq!(home.containers(), [("going".into(), "running".into())]);
    home.ok(&["rm", "-f", "going"]);
    assert_eq!(home.containers(), []);
    assert_eq!(run.end().code, 137);
    for name in ["a", "b"] {
        home.ok(&["run", "--name", name, "--network", "none", "busybox", "true"]);
    }
    home.ok(&["rm", "a", "b"]);
    assert_eq!(home.containers(), []);
}

#[test]
fn prune_keeps_what_is_in_use() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    home.ok(&["run", "--name", "ended", "--network", "none", "busybox", "true"]);
    let mut run = home.start(&[
        "run",
        "--name",
        "going",
        "--network",
        "none",
        "busybox",
        "sh",
        "-c",
        "echo ready; exec sleep 1000",
    ]);
    run.expect("ready");
    home.ok(&["system", "prune", "--force"]);
    let names: Vec<_> = home.containers().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["going"]);
    assert_eq!(home.sh(&[], "echo works"), "works\n");
}

#[test]
fn reading_commands_need_no_user_namespace() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    home.ok(&["run", "--name", "c", "--network", "none", "busybox", "echo", "logged"]);
    let trace = home.path("none");
    let _ = trace;
    // Where no user namespace can be had any more, they answer all the same.
    for args in
        [&["ps", "-a"][..], &["images"], &["inspect", "c"], &["logs", "c"], &["image", "inspect", "busybox"]]
    {
        let mut command = home.command("unshare");
        let script = "echo 0 >/proc/sys/user/max_user_namespaces && exec \"$@\"";
        command.args(["--user", "--map-current-user", "--keep-caps", "sh", "-c", script, "sh"]);
        command.arg(crate::rig::binary()).args(args);
        crate::rig::command::finish(command, b"").success();
    }
}
