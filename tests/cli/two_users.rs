//! Two users on one machine, at once: tests/run starts this as both of them with a directory to meet in.

use std::fs;
use std::path::PathBuf;

use crate::rig::command::eventually;
use crate::rig::{Home, machine, needs};

/// Where the users meet.
fn meeting() -> Option<PathBuf> {
    std::env::var_os("RCON_TEST_MEETING").map(PathBuf::from)
}

/// Says that this user has come so far, and waits until the other has too.
fn meet(place: &std::path::Path, stage: &str) {
    fs::write(place.join(format!("{stage}-{}", machine::user_name())), "").unwrap();
    eventually(&format!("both users come to {stage}"), || {
        let names = fs::read_dir(place).unwrap().flatten();
        names.filter(|entry| entry.file_name().to_string_lossy().starts_with(&format!("{stage}-"))).count()
            == 2
    });
}

#[test]
#[ignore = "tests/run starts it as two users at once"]
fn two_users_do_not_notice_each_other() {
    needs!(containers, registry);
    let place = meeting().expect("RCON_TEST_MEETING");
    let mut home = Home::new();
    // Both fall back on a directory in /tmp, the one place that they share.
    home.unset("XDG_RUNTIME_DIR");
    home.ok(&["pull", "-q", "busybox"]);
    let script = format!("echo {} is ready; exec sleep 1000", machine::user_name());
    let mut run =
        home.start(&["run", "--name", "same-name", "--network", "none", "busybox", "sh", "-c", &script]);
    run.expect("is ready");
    meet(&place, "running");
    assert_eq!(home.containers(), [("same-name".into(), "running".into())], "one's own and no other");
    assert_eq!(home.sh(&[], "ls -d /proc/[0-9]* | wc -l").trim().parse::<u32>().map(|n| n <= 4), Ok(true));
    meet(&place, "seen");
    home.ok(&["rm", "--force", "same-name"]);
    assert_eq!(home.containers(), []);
    meet(&place, "removed");
}
