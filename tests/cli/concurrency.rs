//! Many rcon processes at once.

use crate::rig::proxy::{Faults, Proxy};
use crate::rig::{Home, Running, needs, registry};
use std::time::Duration;

#[test]
fn sixteen_containers_at_once() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let runs: Vec<_> = (0..16)
        .map(|n| {
            let script = format!("echo {n}; exit {n}");
            home.start(&["run", "--rm", "--network", "none", "busybox", "sh", "-c", &script])
        })
        .collect();
    for (n, run) in runs.into_iter().enumerate() {
        let output = run.end().exits(i32::try_from(n).unwrap());
        assert_eq!(output.stdout, format!("{n}\n"));
    }
    assert_eq!(home.containers(), []);
}

#[test]
fn one_name_goes_to_one_of_many() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let runs: Vec<_> = (0..12)
        .map(|_| home.start(&["run", "--name", "one", "--network", "none", "busybox", "true"]))
        .collect();
    let codes: Vec<_> = runs.into_iter().map(|run| run.end().code).collect();
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == 125).count(), 11, "{codes:?}");
    assert_eq!(home.containers().len(), 1);
}

#[test]
fn pulls_of_one_image_at_once_fetch_it_once() {
    needs!(containers, registry);
    let faults = Faults { pause: Duration::from_millis(2), ..Faults::default() };
    let proxy = Proxy::start(&registry().address, faults);
    let home = Home::with_registry(&proxy.address);
    let pulls: Vec<Running> = (0..4).map(|_| home.start(&["pull", "-q", "layers"])).collect();
    let ids: Vec<_> = pulls.into_iter().map(|pull| pull.end().success()).collect();
    assert!(ids.iter().all(|id| *id == ids[0] && !id.is_empty()), "{ids:?}");
    let mut paths: Vec<_> = proxy.blob_fetches("").into_iter().map(|request| request.path).collect();
    let all = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(all, paths.len(), "a blob was fetched twice");
    assert_eq!(home.ok(&["images", "-q"]).lines().count(), 1);
}

#[test]
fn runs_of_a_missing_image_at_once_all_work() {
    needs!(containers, registry);
    let home = Home::new();
    let run = ["run", "--rm", "-q", "--network", "none", "busybox", "echo", "works"];
    let runs: Vec<_> = (0..6).map(|_| home.start(&run)).collect();
    for run in runs {
        assert_eq!(run.end().success(), "works\n");
    }
}

#[test]
fn an_image_removed_while_containers_start_leaves_no_half_container() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    for _ in 0..5 {
        let runs: Vec<_> = (0..4)
            .map(|_| home.start(&["run", "--rm", "--pull", "never", "--network", "none", "busybox", "true"]))
            .collect();
        let removed = home.run(&["rmi", "busybox"]);
        assert!([0, 1, 2, 125].contains(&removed.code), "{removed}");
        for run in runs {
            let output = run.end();
            assert!(output.code == 0 || output.code == 125, "it runs whole or not at all: {output}");
        }
        assert_eq!(home.containers(), []);
        home.ok(&["pull", "-q", "busybox"]);
    }
    assert_eq!(home.sh(&[], "echo works"), "works\n");
}

#[test]
fn listing_never_fails_while_containers_come_and_go() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8; do '{}' run --rm --network none busybox true || exit 1; done",
        crate::rig::binary().display()
    );
    let mut command = home.command("sh");
    command.args(["-c", &script]);
    let mut busy = Running::start(command);
    for _ in 0..30 {
        home.ok(&["ps", "-a"]);
        home.json(&["ps", "-a"]);
        home.ok(&["images"]);
    }
    assert_eq!(busy.wait().code(), Some(0));
}

#[test]
fn a_prune_leaves_what_is_being_made() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let whole = home.sh(&[], "ls /bin");
    let binary = crate::rig::binary().display().to_string();
    let going = home.path("going");
    std::fs::write(&going, "").unwrap();
    let script = format!(
        "while [ -e '{}' ]; do '{binary}' system prune --force >/dev/null || exit 1; done",
        going.display()
    );
    let mut command = home.command("sh");
    command.args(["-c", &script]);
    let mut pruning = Running::start(command);
    for n in 0..12 {
        // A map of its own makes a tree of the image, a new volume is filled from the image.
        let map = format!("0:{}:1", n + 1);
        let volume = format!("v{n}:/bin");
        let run = ["run", "--rm", "--network", "none", "--uidmap", &map, "--gidmap", &map, "-v", &volume];
        assert_eq!(home.ok(&[&run[..], &["busybox", "ls", "/bin"]].concat()), whole);
    }
    std::fs::remove_file(going).unwrap();
    assert_eq!(pruning.wait().code(), Some(0));
}
