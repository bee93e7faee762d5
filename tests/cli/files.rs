//! The container's file system: volumes, mounts, read-only, devices.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::rig::{Home, needs};

#[test]
fn a_directory_of_the_host_is_shared_both_ways() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    home.write("work/from-host", "host");
    let volume = format!("{}:/shared", home.text("work"));
    assert_eq!(home.sh(&["-v", &volume], "cat /shared/from-host; echo box >/shared/from-box"), "host");
    let made = home.path("work/from-box");
    assert_eq!(fs::read_to_string(&made).unwrap(), "box\n");
    let owner = fs::metadata(&made).unwrap().uid();
    assert_eq!(owner, nix::unistd::getuid().as_raw(), "the container's root is the user");
}

#[test]
fn a_relative_source_and_a_single_file_can_be_mounted() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    fs::create_dir(home.path("work/sub")).unwrap();
    home.write("work/sub/file", "content");
    assert_eq!(home.sh(&["-v", "./sub:/sub"], "cat /sub/file"), "content");
    let file = format!("{}:/etc/one-file:ro", home.text("work/sub/file"));
    assert_eq!(home.sh(&["-v", &file], "cat /etc/one-file"), "content");
    home.try_sh(&["-v", &file], "echo x >/etc/one-file").exits(1);
    assert_eq!(fs::read_to_string(home.path("work/sub/file")).unwrap(), "content");
}

#[test]
fn read_only_mounts_are() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let source = home.text("work");
    let options = [
        ["-v".to_owned(), format!("{source}:/m:ro")],
        ["--mount".into(), format!("type=bind,src={source},dst=/m,ro")],
        ["--mount".into(), format!("type=bind,source={source},target=/m,readonly=true")],
    ];
    for [flag, value] in &options {
        home.try_sh(&[flag, value], "touch /m/x 2>&1 || exit 7").exits(7);
        // The kernel must refuse to make it writable again.
        home.try_sh(&[flag, value], "mount -o remount,rw,bind /m 2>/dev/null; touch /m/x || exit 7").exits(7);
    }
    assert!(!home.path("work/x").exists());
}

#[test]
fn tmpfs_mounts_have_their_options() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let found = home.sh(
        &["--tmpfs", "/t:size=1m,mode=700"],
        "stat -c %a /t; df -k /t | awk 'NR==2{print $2}'; touch /t/x",
    );
    assert_eq!(found, "700\n1024\n");
    let found = home.sh(&["--mount", "type=tmpfs,dst=/e,tmpfs-size=2m"], "df -k /e | awk 'NR==2{print $2}'");
    assert_eq!(found, "2048\n");
    let flags = home.sh(&["--tmpfs", "/t"], "grep ' /t ' /proc/self/mounts");
    for flag in ["nosuid", "nodev"] {
        assert!(flags.contains(flag), "{flag} in {flags}");
    }
}

#[test]
fn a_read_only_container_has_a_few_places_to_write() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let script = "for p in / /etc /home/app /bin; do touch $p/x 2>/dev/null && echo wrote $p; done; \
                  for p in /tmp /run /var/tmp /dev/shm; do touch $p/x || echo cannot $p; done; echo end";
    assert_eq!(home.sh(&["--read-only"], script), "end\n");
    let remount = home.try_sh(
        &["--read-only"],
        "mount -o remount,rw / 2>/dev/null; touch /x 2>/dev/null && exit 9; exit 0",
    );
    remount.exits(0);
}

#[test]
fn the_mount_point_is_made_where_the_image_has_none_and_never_on_the_host() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let volume = format!("{}:/made/for/this", home.text("work"));
    assert_eq!(home.sh(&["-v", &volume], "test -d /made/for/this && echo made"), "made\n");
    assert_eq!(home.sh(&[], "test -e /made || echo gone"), "gone\n");
    assert!(!fs::exists("/made").unwrap());
}

#[test]
fn a_mount_point_behind_a_symlink_of_the_image_stays_inside() {
    needs!(containers, registry);
    use crate::rig::image::{Entry, Image, Layer};
    let home = Home::new();
    let outside = home.text("outside");
    fs::create_dir(&outside).unwrap();
    let trap = Layer::of([
        Entry::symlink("absolute", &outside),
        Entry::symlink("honest", "/tmp"),
        Entry::symlink("climbing", "../../../../../../../../../../../../../../tmp"),
    ]);
    Image::of([crate::rig::stock::base_layer(), trap]).push(
        crate::rig::registry(),
        "library/symlinks",
        "latest",
    );
    let work = home.text("work");
    let mounts = [format!("{work}:/absolute/in"), format!("{work}:/climbing/in-the-box")];
    for mount in &mounts {
        let target = mount.split_once(':').unwrap().1;
        let run =
            home.run(&["run", "--rm", "--network", "none", "-v", mount, "symlinks", "test", "-d", target]);
        assert!(run.code == 0 || run.stderr.contains("Error: "), "inside the image or not at all: {run}");
    }
    let honest = format!("{work}:/honest/in");
    let run = [
        "run",
        "--rm",
        "--network",
        "none",
        "-v",
        &honest,
        "symlinks",
        "sh",
        "-c",
        "touch /honest/in/x; ls /tmp/in",
    ];
    assert_eq!(home.ok(&run), "x\n", "a symlink within the image is followed");
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0, "written through a symlink of the image");
    assert!(!std::path::Path::new("/tmp/in-the-box").exists());
}

#[test]
fn the_standard_devices_are_there_and_no_others() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let found = home.sh(&[], "ls /dev");
    let mut names: Vec<_> = found.split_whitespace().collect();
    names.retain(|name| *name != "console" && *name != "core");
    let expected = [
        "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty",
        "urandom", "zero",
    ];
    assert_eq!(names, expected);
    let script = "echo x >/dev/null; head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c; echo y 2>/dev/null >/dev/full || echo full";
    let works = home.sh(&[], script);
    assert_eq!(works.split_whitespace().collect::<Vec<_>>(), ["4", "4", "full"]);
}

#[test]
fn a_device_can_be_added() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let found = home
        .sh(&["--device", "/dev/zero:/dev/nought"], "test -c /dev/nought && head -c 3 /dev/nought | wc -c");
    assert_eq!(found.trim(), "3");
}

#[test]
fn a_volume_of_the_image_keeps_what_the_image_has_there_and_is_writable() {
    needs!(containers, registry);
    let home = Home::new();
    let run =
        ["run", "--rm", "-q", "--network", "none", "-u", "root", "--entrypoint", "sh", "settings", "-c"];
    let mut args = run.to_vec();
    args.push("touch /volume/x && grep -c ' /volume ' /proc/self/mounts");
    assert_eq!(home.ok(&args), "1\n", "VOLUME is a mount of its own");
}

#[test]
fn what_one_container_writes_no_other_sees() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    home.sh(&[], "echo x >/bin/sh.new; rm /etc/passwd; echo y >/etc/group; chmod 777 /root");
    let found = home.sh(&[], "test ! -e /bin/sh.new && head -n1 /etc/passwd /etc/group && stat -c %a /root");
    assert!(
        found.contains("root:x:0:0") && found.contains("root:x:0:\n") && found.ends_with("700\n"),
        "{found}"
    );
}

#[test]
fn files_made_in_the_container_may_belong_to_any_mapped_id() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::with_busybox();
    let script =
        "touch /a && chown 1000:1000 /a && stat -c %u:%g /a && mknod /p p && chmod 4711 /a && stat -c %a /a";
    assert_eq!(home.sh(&[], script), "1000:1000\n4711\n");
    let mode = fs::metadata(home.path("work")).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o755);
}
