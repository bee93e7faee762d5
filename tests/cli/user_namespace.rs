//! `--userns`, `--uidmap`, `rcon unshare`: who is who inside and outside.

use crate::rig::{Home, machine, needs};

fn uid() -> u32 {
    nix::unistd::getuid().as_raw()
}

#[test]
fn the_containers_root_is_the_user_by_default() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    let map = home.sh(&[], "cat /proc/self/uid_map");
    let first: Vec<_> = map.lines().next().unwrap().split_whitespace().map(str::to_owned).collect();
    assert_eq!(first, ["0", &uid().to_string(), "1"], "{map}");
    assert!(map.lines().count() > 1, "and the subordinate ids follow: {map}");
    assert_eq!(home.sh(&["--userns", "host"], "cat /proc/self/uid_map"), map);
}

#[test]
fn keep_id_is_oneself_inside() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    let gid = nix::unistd::getgid();
    let volume = format!("{}:/shared", home.text("work"));
    let found = home.sh(
        &["--userns", "keep-id", "-v", &volume],
        "id -u; id -g; id -un; touch /shared/mine; stat -c %u /shared/mine",
    );
    // The image has a name for 1000; others are given the caller's.
    let name = if uid() == 1000 { "app".to_owned() } else { machine::user_name() };
    assert_eq!(found, format!("{0}\n{gid}\n{name}\n{0}\n", uid()));
    use std::os::unix::fs::MetadataExt;
    assert_eq!(std::fs::metadata(home.path("work/mine")).unwrap().uid(), uid());
    let found = home
        .sh(&["--userns", "keep-id:uid=1000,gid=1000"], "id -u; id -g; stat -c %u /home/app /bin/busybox");
    assert_eq!(found, "1000\n1000\n1000\n0\n", "the image's owners are what they were");
    assert_eq!(home.sh(&["--userns", "keep-id", "-u", "root"], "id -u; stat -c %u /root"), "0\n0\n");
}

#[test]
fn with_keep_id_the_images_files_can_be_changed_by_their_owners() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    let found = home.sh(
        &["--userns", "keep-id:uid=1000,gid=1000"],
        "echo x >/home/app/x && cat /home/app/x; touch /root/x 2>/dev/null || echo refused",
    );
    assert_eq!(found, "x\nrefused\n");
    // What keep-id made of the image's files is invisible to a container without it.
    assert_eq!(home.sh(&[], "stat -c %u:%g /home/app /bin/busybox /root"), "1000:1000\n0:0\n0:0\n");
}

#[test]
fn a_new_volume_has_the_images_owners_under_every_map() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    for (n, mode) in ["host", "keep-id:uid=1000,gid=1000", "nomap", "auto"].into_iter().enumerate() {
        let volume = format!("v{n}:/home");
        let found = home.sh(&["--userns", mode, "-v", &volume], "stat -c %u:%g /home /home/app");
        assert_eq!(found, "0:0\n1000:1000\n", "{mode}");
    }
}

#[test]
fn nomap_and_auto_leave_the_user_out() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    for mode in ["nomap", "auto", "auto:size=5000"] {
        let map = home.sh(&["--userns", mode], "id -u; cat /proc/self/uid_map");
        let mut lines = map.lines();
        assert_eq!(lines.next(), Some("0"), "{mode}");
        for line in lines {
            let fields: Vec<u32> = line.split_whitespace().map(|field| field.parse().unwrap()).collect();
            assert!(!(fields[1]..fields[1] + fields[2]).contains(&uid()), "{mode}: {line}");
        }
    }
    let map =
        home.sh(&["--userns", "auto:size=5000"], "awk '{ n += $3 } END { print n }' /proc/self/uid_map");
    assert_eq!(map, "5000\n");
}

#[test]
fn maps_can_be_written_by_hand() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    let options = ["--uidmap", "0:0:1", "--uidmap", "1:1:2000", "--gidmap", "0:0:2001"];
    let map = home.sh(&options, "awk '{ n += $3 } END { print n }' /proc/self/uid_map; awk '{ n += $3 } END { print n }' /proc/self/gid_map");
    assert_eq!(map, "2001\n2001\n");
    assert_eq!(home.sh(&["--uidmap", "0:0"], "awk '{ print $1, $3 }' /proc/self/uid_map"), "0 1\n", "one id");
    home.try_sh(&["--uidmap", "0:0:1", "--uidmap", "0:5:1"], "true").exits(125).fails_saying(&[]);
    home.try_sh(&["--userns", "no-such-mode"], "true").exits(125).fails_saying(&["no-such-mode"]);
}

#[test]
fn unshare_runs_a_command_as_root_of_the_namespace() {
    needs!(containers, subordinate_ids);
    let home = Home::bare();
    assert_eq!(home.ok(&["unshare", "id", "-u"]), "0\n");
    home.run(&["unshare", "sh", "-c", "exit 23"]).exits(23);
    home.run(&["unshare", "no-such-command"]).exits(127);
    let file = home.text("work/file");
    home.ok(&["unshare", "sh", "-c", &format!("touch {file}; chown 1000:1000 {file}")]);
    use std::os::unix::fs::MetadataExt;
    let owner = std::fs::metadata(&file).unwrap().uid();
    assert!(owner != uid() && owner >= 1000, "a subordinate id: {owner}");
    home.ok(&["unshare", "rm", &file]);
}
