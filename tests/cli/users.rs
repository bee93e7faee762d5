//! Who the command runs as.

use crate::rig::{Home, needs};

#[test]
fn the_container_root_is_the_default() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    assert_eq!(home.sh(&[], "id -u; id -g; whoami"), "0\n0\nroot\n");
}

#[test]
fn users_go_by_name_and_by_number_with_their_groups() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    let id = |user: &str| home.sh(&["-u", user], "id -u; id -g; id -G; echo $HOME");
    assert_eq!(id("app"), "1000\n1000\n1000 10 2000\n/home/app\n");
    assert_eq!(id("1000"), "1000\n1000\n1000 10 2000\n/home/app\n");
    assert_eq!(id("app:extra"), "1000\n2000\n2000\n/home/app\n");
    assert_eq!(id("1000:10"), "1000\n10\n10\n/home/app\n");
    assert_eq!(id("1234"), "1234\n0\n0\n/\n", "an id that passwd does not know");
    assert_eq!(id("1234:4321"), "1234\n4321\n4321\n/\n");
    assert_eq!(id("root"), "0\n0\n0 2000\n/root\n");
}

#[test]
fn a_user_that_is_not_there_is_an_error() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    home.try_sh(&["-u", "nobody-here"], "id").fails_saying(&["nobody-here"]);
    home.try_sh(&["-u", "root:no-such-group"], "id").fails_saying(&["no-such-group"]);
    assert_eq!(home.containers(), []);
}

#[test]
fn a_user_other_than_root_has_no_capabilities() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    let caps = home.sh(&["-u", "app"], "grep -E 'Cap(Prm|Eff|Amb)' /proc/self/status");
    for line in caps.lines() {
        assert!(line.ends_with("0000000000000000"), "{line}");
    }
    home.try_sh(&["-u", "app"], "touch /root/x || exit 9").exits(9);
    assert_eq!(home.sh(&["-u", "app"], "touch /home/app/x /tmp/y && echo written"), "written\n");
}

#[test]
fn a_terminal_and_the_streams_belong_to_the_user() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    assert_eq!(home.sh(&["-u", "app"], "echo out >/dev/stdout; echo err >/dev/stderr"), "out\n");
    let mut terminal = home.on_terminal(&[
        "run",
        "-it",
        "--rm",
        "--network",
        "none",
        "-u",
        "app",
        "busybox",
        "sh",
        "-c",
        "echo to >/dev/tty; echo $(stat -c %u $(tty)) is owner",
    ]);
    terminal.expect("to");
    terminal.expect("1000 is owner");
    assert_eq!(terminal.wait(), 0);
}
