//! What an image or a volume lays out as a trap where a container is put together.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::{SEARCH, Victim};
use crate::rig::image::Entry;
use crate::rig::needs;

/// Every place that rcon itself mounts on, reads or writes, as everything that it is not expected to be.
#[test]
fn traps_of_an_image_do_not_spring() {
    needs!(containers, registry);
    let victim = Victim::new();
    let outside = format!("{}{}", "../".repeat(30), victim.secret().trim_start_matches('/'));
    let places = [
        "dev",
        "proc",
        "sys",
        "etc/hosts",
        "etc/resolv.conf",
        "etc/hostname",
        "etc/passwd",
        "etc/group",
        "run/.containerenv",
        "work",
        "volume",
    ];
    let config =
        json!({ "Env": ["PATH=/bin"], "WorkingDir": "/work", "Volumes": { "/volume": {} }, "User": "0" });
    for place in places {
        let trap = |kind: &str| match kind {
            "host" => Entry::symlink(place, &victim.text()),
            "climbing" => Entry::symlink(place, &outside),
            "proc" => Entry::symlink(place, "/proc"),
            "fd" => Entry::symlink(place, "/proc/self/fd/9"),
            "self" => Entry::symlink(place, &format!("/{place}")),
            "fifo" => Entry::fifo(place),
            "device" => Entry::char_device(place, 1, 5),
            "file" => Entry::file(place, "a file").mode(0o666),
            "dir" => Entry::dir(place),
            other => panic!("{other}"),
        };
        for kind in ["host", "climbing", "proc", "fd", "self", "fifo", "device", "file", "dir"] {
            let parent = place.rsplit_once('/').map_or(String::new(), |(parent, _)| format!("{parent}/"));
            let name = place.rsplit('/').next().unwrap();
            let whiteout = Entry::file(&format!("{parent}.wh.{name}"), "");
            let entries = if place == "work" || place == "volume" || place == "run/.containerenv" {
                vec![trap(kind)]
            } else {
                vec![whiteout, trap(kind)]
            };
            let label = format!("{}-{kind}", name.trim_matches('.'));
            let image = victim.image(&format!("trap-{label}"), entries, config.clone());
            let output = victim.attack(&label, &[], &image, &format!("cat /etc/hosts; {SEARCH}"));
            assert!([0, 125, 126, 127].contains(&output.code), "{label}: {output}");
            for word in ["unmasked", "writable"] {
                assert!(!output.stdout.contains(word), "{label}: {output}");
            }
        }
    }
}

/// The mounts of a user that lie on links of the image.
#[test]
fn links_of_an_image_lead_mounts_nowhere_else() {
    needs!(containers, registry);
    let victim = Victim::new();
    fs::create_dir(victim.home.path("work/data")).unwrap();
    fs::write(victim.home.path("work/data/mine"), "mine").unwrap();
    for (name, target) in [
        ("host", victim.text()),
        ("root", "/".into()),
        ("dev", "/dev".into()),
        ("sys", "/sys".into()),
        ("fd", "/proc/self/fd/9".into()),
        ("cwd", "/proc/self/cwd".into()),
        ("loop", "/x".into()),
    ] {
        let image = victim.image(
            &format!("mount-{name}"),
            vec![Entry::symlink("x", &target)],
            json!({ "Env": ["PATH=/bin"] }),
        );
        for place in ["/x", "/x/below", "/x/a/b"] {
            let volume = format!("./data:{place}");
            let output = victim.attack(name, &["-v", &volume], &image, SEARCH);
            assert!(!output.stdout.contains("unmasked"), "{name} {place}: {output}");
            let output = victim.attack(name, &["--tmpfs", place], &image, SEARCH);
            assert!(!output.stdout.contains("unmasked"), "{name} {place}: {output}");
        }
    }
}

/// CVE-2019-19921, CVE-2023-28642: what is hidden is hidden on the procfs, not where its path leads by then.
#[test]
fn a_mount_over_proc_does_not_take_the_masks_away() {
    needs!(containers, registry);
    let victim = Victim::new();
    let image =
        victim.image("over-proc", vec![Entry::symlink("x", "/proc")], json!({ "Env": ["PATH=/bin"] }));
    let data = victim.home.path("work/data");
    fs::create_dir_all(data.join("sys/net/ipv4")).unwrap();
    fs::write(data.join("sys/net/ipv4/ping_group_range"), "untouched").unwrap();
    let options = ["-v", "./data:/x", "--cap-add", "sys_admin", "--sysctl", "net.ipv4.ping_group_range=0 7"];
    let script = format!(
        "[ -d /proc/1 ] && echo not covered; umount /proc; [ -d /proc/1 ] && echo uncovered; \
         cat /proc/sys/net/ipv4/ping_group_range; {SEARCH}"
    );
    let output = victim.attack("over-proc", &options, &image, &script).success();
    assert!(output.starts_with("uncovered\n0\t7\n"), "{output}");
    assert!(output.ends_with("searched\n") && !output.contains("unmasked"), "{output}");
    assert!(!output.contains("writable"), "{output}");
    let fake = fs::read_to_string(data.join("sys/net/ipv4/ping_group_range")).unwrap();
    assert_eq!(fake, "untouched", "CVE-2025-52881: written where it was redirected to");
}

/// CVE-2025-31133, CVE-2025-52565: what stands for /dev/null and /dev/console.
#[test]
fn masks_do_not_come_from_the_containers_dev() {
    needs!(containers, registry);
    let victim = Victim::new();
    let dev = victim.home.path("work/dev");
    fs::create_dir(&dev).unwrap();
    for (link, target) in [
        ("null", "/etc/passwd".to_owned()),
        ("console", "/console-of-the-image".to_owned()),
        ("ptmx", victim.secret()),
        ("fd", victim.text()),
    ] {
        symlink(target, dev.join(link)).unwrap();
    }
    for options in [&[][..], &["-t"], &["--init"]] {
        let mut all = vec!["-v", "./dev:/dev"];
        all.extend_from_slice(options);
        let output = victim.attack("dev", &all, "busybox", &format!("cat /proc/keys; {SEARCH}"));
        assert!(!output.stdout.contains("root:"), "{options:?}: {output}");
        assert!(!output.stdout.contains("unmasked"), "{options:?}: {output}");
    }
    assert_eq!(
        fs::read_dir(&dev)
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_symlink())
            .count(),
        4
    );
}

/// /proc cannot be replaced by something that has nothing to hide.
#[test]
fn proc_is_procfs_or_nothing_starts() {
    needs!(containers, registry);
    let victim = Victim::new();
    fs::create_dir(victim.home.path("work/empty")).unwrap();
    let refused = |options: &[&str], image: &str| {
        victim.attack("proc", options, image, "true").exits(125).fails_saying(&["/proc"]);
    };
    for option in ["./empty:/proc", "empty:/proc", "./empty:/proc/self", "./empty:/proc/../proc/sys", "/proc"]
    {
        refused(&["-v", option], "busybox");
    }
    refused(&["--tmpfs", "/proc"], "busybox");
    refused(&["--mount", "type=tmpfs,dst=/proc/sys"], "busybox");
    for (number, place) in ["/proc", "/proc/sys/", "/dev", "/sys", "//proc/."].into_iter().enumerate() {
        let config = json!({ "Env": ["PATH=/bin"], "Volumes": { place: {} } });
        let image = victim.image(&format!("volume-{number}"), vec![], config);
        let output = victim.attack(place, &[], &image, "true").exits(125);
        assert!(output.stderr.contains("Volumes"), "{output}");
    }
    let host = victim.attack("host", &["-v", "/proc:/proc"], "busybox", SEARCH).success();
    assert_eq!(host, "searched\n", "the host's procfs, with the masks on it");
    let uptime = victim.attack("uptime", &["-v", "/proc/uptime:/proc/uptime"], "busybox", "cat /proc/uptime");
    assert_eq!(uptime.success().lines().count(), 1);
}
