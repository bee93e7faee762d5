//! runtime.md, "Kill".

use crate::rig::{Bundle, eventually, needs};

/// A container that tells which signals came.
fn listening() -> Bundle {
    let script = "for s in HUP INT TERM USR1 USR2 WINCH; do trap \"echo got $s\" $s; done; \
                  echo ready; while :; do sleep 0.02; done";
    let bundle = Bundle::sh(script).running();
    eventually("its traps are set", || bundle.printed().contains("ready"));
    bundle
}

/// "This operation MUST send the specified signal to the container process."
#[test]
fn the_signal_arrives_by_name_by_short_name_and_by_number() {
    needs!(bundles);
    let bundle = listening();
    for (signal, name) in [("SIGUSR1", "USR1"), ("USR2", "USR2"), ("1", "HUP"), ("28", "WINCH")] {
        bundle.kill(signal);
        eventually("the signal arrived", || bundle.printed().contains(&format!("got {name}\n")));
    }
    assert_eq!(bundle.status(), "running");
}

#[test]
fn without_a_name_it_is_sigterm() {
    needs!(bundles);
    let bundle = listening();
    bundle.ok(&["kill", &bundle.id]);
    eventually("SIGTERM arrived", || bundle.printed().contains("got TERM\n"));
}

#[test]
fn what_is_no_signal_is_refused() {
    needs!(bundles);
    let bundle = Bundle::sleeping().running();
    for signal in ["SIGNONSENSE", "4711", "-1", "SIG"] {
        bundle.refuses(&["kill", &bundle.id, signal]);
        assert_eq!(bundle.status(), "running", "{signal}");
    }
}

/// "MUST generate an error if it is not provided the container ID"
#[test]
fn it_needs_an_id_that_exists() {
    needs!(bundles);
    let bundle = Bundle::new();
    bundle.refuses(&["kill"]);
    bundle.refuses(&["kill", "no-such-container", "TERM"]);
}

/// "neither created nor running": so a created one can be killed.
#[test]
fn a_created_container_can_be_killed() {
    needs!(bundles);
    let bundle = Bundle::sh("echo ran");
    bundle.create();
    bundle.kill("KILL");
    bundle.wait_for("stopped");
    assert_eq!(bundle.printed(), "");
    bundle.refuses(&["start", &bundle.id]);
    bundle.ok(&["delete", &bundle.id]);
}

/// "MUST have no effect on the container and MUST generate an error"
#[test]
fn a_stopped_container_cannot_be_killed() {
    needs!(bundles);
    let bundle = Bundle::new().stopped();
    let before = bundle.state();
    bundle.refuses(&["kill", &bundle.id, "KILL"]);
    assert_eq!(bundle.state(), before);
}

#[test]
fn a_signal_for_the_init_process_is_not_for_its_children() {
    needs!(bundles);
    let script = "sh -c 'trap \"echo child got it\" USR1; echo ready; while :; do sleep 0.02; done' & \
                  trap 'echo init got it' USR1; while :; do sleep 0.02; done";
    let bundle = Bundle::sh(script).running();
    eventually("both are ready", || bundle.printed().contains("ready"));
    bundle.kill("USR1");
    eventually("the signal arrived", || bundle.printed().contains("init got it"));
    bundle.kill("USR1");
    eventually("and another", || bundle.printed().matches("init got it").count() == 2);
    assert!(!bundle.printed().contains("child got it"));
}

/// An ended init takes all that its pid namespace holds with it.
#[test]
fn a_killed_init_leaves_no_process() {
    needs!(bundles);
    let mark = format!("{}", 100_000 + std::process::id());
    let bundle = Bundle::sh(&format!("sleep {mark} & sleep {mark} & wait")).running();
    let sleeping = || {
        let pids = std::fs::read_dir("/proc").unwrap().flatten();
        let lines = pids.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
        lines.filter(|line| *line == format!("sleep\0{mark}\0")).count()
    };
    eventually("both sleep", || sleeping() == 2);
    bundle.kill("KILL");
    bundle.wait_for("stopped");
    eventually("none is left", || sleeping() == 0);
}
