//! Control groups, as far as no controller is needed; `tests/limits` is about what they limit.

use std::fs;
use std::path::PathBuf;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::rig::command::{Running, eventually};
use crate::rig::{Home, needs};

/// A container called `it` that runs, and the directory of its control group.
fn running(home: &Home, options: &[&str]) -> (Running, PathBuf) {
    let mut args = vec!["run", "--name", "it", "--network", "none"];
    args.extend(options);
    args.extend(["busybox", "sh", "-c", "sleep 1000 & echo ready; wait"]);
    let mut run = home.start(&args);
    run.expect("ready");
    let mut group = PathBuf::new();
    // The state is written when the payload has been executed, about when that writes.
    eventually("its group is known", || {
        let path = home.ok(&["inspect", "-f", "{{.State.CgroupPath}}", "it"]);
        group = PathBuf::from(format!("/sys/fs/cgroup{}", path.trim()));
        path.starts_with('/') && home.ok(&["inspect", "-f", "{{.State.Running}}", "it"]).trim() == "true"
    });
    (run, group)
}

fn number(home: &Home, field: &str) -> i32 {
    home.ok(&["inspect", "-f", &format!("{{{{.State.{field}}}}}"), "it"]).trim().parse().unwrap()
}

#[test]
fn what_cannot_be_limited_is_refused_with_the_way_out() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let run = |options: &[&str]| home.run(&[&["run", "--rm"], options, &["busybox", "true"]].concat());
    run(&["--cgroups", "disabled", "-m", "64m"]).exits(125).fails_saying(&[
        "memory.max",
        "switched off",
        "hint",
    ]);
    run(&["--memory-swap", "1g"]).exits(125).fails_saying(&["--memory is missing"]);
    run(&["--cpus", "1", "--cpu-quota", "5"]).exits(125).fails_saying(&["choose one"]);
    run(&["--memory-swappiness", "5"]).exits(125).fails_saying(&["--memory-swappiness", "version 2"]);
    run(&["--device-read-bps", "/dev/null:1mb"]).exits(125).fails_saying(&["/dev/null", "no block device"]);
    run(&["--cgroup-parent", "relative/path"]).exits(125).fails_saying(&["--cgroup-parent"]);
    assert!(home.containers().is_empty(), "a refusal leaves nothing");
}

#[test]
fn a_container_has_a_group_of_its_own_as_long_as_it_runs() {
    needs!(containers, registry, control_groups);
    let home = Home::with_busybox();
    let (run, group) = running(&home, &[]);
    let inside = fs::read_to_string(group.join("cgroup.procs")).unwrap();
    let init = number(&home, "Pid").to_string();
    assert!(inside.lines().any(|pid| pid == init), "{inside} has {init}");
    assert!(!inside.lines().any(|pid| pid == number(&home, "ConmonPid").to_string()), "and not the monitor");
    assert_eq!(home.ok(&["inspect", "-f", "{{.State.OOMKilled}}", "it"]), "false\n");
    kill(Pid::from_raw(number(&home, "Pid")), Signal::SIGKILL).unwrap();
    assert_eq!(run.end().code, 137);
    assert!(!group.exists(), "{}", group.display());
    assert_eq!(home.ok(&["inspect", "-f", "{{.State.OOMKilled}}", "it"]), "false\n");
}

#[test]
fn a_frozen_container_can_be_removed() {
    needs!(containers, registry, control_groups);
    let home = Home::with_busybox();
    let (_run, group) = running(&home, &[]);
    fs::write(group.join("cgroup.freeze"), "1").unwrap();
    eventually("it is frozen", || {
        fs::read_to_string(group.join("cgroup.events")).unwrap().contains("frozen 1")
    });
    home.ok(&["rm", "-f", "it"]);
    assert!(!group.exists(), "{}", group.display());
}

#[test]
fn the_group_of_a_killed_monitor_goes_with_the_container_or_before() {
    needs!(containers, registry, control_groups);
    let home = Home::with_busybox();
    for command in [&["rm", "it"][..], &["system", "prune"]] {
        let (_run, group) = running(&home, &[]);
        kill(Pid::from_raw(number(&home, "ConmonPid")), Signal::SIGKILL).unwrap();
        eventually("it has ended", || {
            home.ok(&["inspect", "-f", "{{.State.Running}}", "it"]).trim() == "false"
        });
        home.ok(command);
        assert!(!group.exists(), "{command:?}: {}", group.display());
        home.run(&["rm", "it"]);
    }
}

#[test]
fn a_container_sees_its_group_or_the_hosts() {
    needs!(containers, registry, control_groups);
    let home = Home::with_busybox();
    let own = "sed -n s/^0:://p /proc/self/cgroup";
    assert_eq!(home.sh(&[], own), "/\n");
    assert_eq!(home.sh(&[], "wc -l </sys/fs/cgroup/cgroup.procs | grep -c [1-9]"), "1\n");
    let seen = home.sh(&["--cgroupns", "host"], own);
    assert!(seen.contains("rcon-"), "{seen}");
    let here = fs::read_to_string("/proc/self/cgroup").unwrap();
    let here = here.lines().find_map(|line| line.strip_prefix("0::")).unwrap();
    assert_eq!(home.sh(&["--cgroupns", "host", "--cgroups", "disabled"], own).trim(), here);
}
