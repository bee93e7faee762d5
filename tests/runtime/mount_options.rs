//! config.md, "Linux mount options": each as the kernel shows it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::rig::{Bundle, copy_executable, deviates, needs};

/// Of a mount: its options, its propagation, its file system's options.
struct Seen {
    mount: BTreeSet<String>,
    propagation: String,
    superblock: BTreeSet<String>,
}

/// How a mount at /place with these options looks from inside.
#[track_caller]
fn seen(typ: &str, options: &[&str]) -> Seen {
    try_seen(typ, options).unwrap_or_else(|error| panic!("{options:?}: {error}"))
}

fn try_seen(typ: &str, options: &[&str]) -> Result<Seen, String> {
    let bundle = Bundle::of(&["cat", "/proc/self/mountinfo"]);
    let source = bundle.text("place");
    bundle.write("place/.keep", "");
    let source = if typ == "tmpfs" { "tmpfs" } else { &*source };
    let mount = json!({ "destination": "/place", "type": typ, "source": source, "options": options });
    look(&bundle.mount(mount), "/place")
}

/// Asserts of each case by itself, so that one failure does not hide the next.
#[track_caller]
fn each<T: std::fmt::Debug>(cases: impl IntoIterator<Item = T>, right: impl Fn(&T) -> Result<(), String>) {
    let judge = |case: T| right(&case).err().map(|error| format!("{case:?}: {error}"));
    let wrong: Vec<_> = cases.into_iter().filter_map(judge).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn expect(right: bool, found: impl std::fmt::Debug) -> Result<(), String> {
    if right { Ok(()) } else { Err(format!("{found:?}")) }
}

fn look(bundle: &Bundle, place: &str) -> Result<Seen, String> {
    let output = bundle.run();
    if output.code != 0 {
        return Err(output.stderr);
    }
    let line = output.stdout.lines().rev().find(|line| line.split(' ').nth(4) == Some(place));
    let line = line.ok_or_else(|| format!("no {place} in {}", output.stdout))?;
    let (own, superblock) = line.split_once(" - ").unwrap();
    let own: Vec<_> = own.split(' ').collect();
    let set = |text: &str| text.split(',').map(str::to_owned).collect::<BTreeSet<_>>();
    Ok(Seen {
        mount: set(own[5]),
        propagation: own[6..].join(" "),
        superblock: set(superblock.split(' ').nth(2).unwrap()),
    })
}

#[track_caller]
fn tmpfs(options: &[&str]) -> BTreeSet<String> {
    seen("tmpfs", options).mount
}

const FLAGS: [(&str, &str, &str); 6] = [
    ("ro", "rw", "ro"),
    ("nosuid", "suid", "nosuid"),
    ("nodev", "dev", "nodev"),
    ("noexec", "exec", "noexec"),
    ("nodiratime", "diratime", "nodiratime"),
    ("noatime", "atime", "noatime"),
];

#[test]
fn flags_of_a_mount() {
    needs!(bundles);
    each(FLAGS, |(on, _, shown)| {
        let found = try_seen("tmpfs", &[on])?.mount;
        expect(found.contains(*shown), found)
    });
    each(FLAGS, |(on, off, shown)| {
        let found = try_seen("tmpfs", &[off, on])?.mount;
        expect(found.contains(*shown), found)
    });
}

/// Each taken back by its opposite: "the runtime SHOULD follow the behavior of mount(8)", where the later one wins.
#[test]
fn flags_that_are_taken_back() {
    needs!(bundles);
    deviates!("crun", "ro stays after rw");
    each(FLAGS, |(on, off, shown)| {
        let found = try_seen("tmpfs", &[on, off])?.mount;
        expect(!found.contains(*shown), found)
    });
}

/// SHOULD, since Linux 5.10.
#[test]
fn symlinks_that_are_not_followed() {
    needs!(bundles);
    deviates!("crun", "knows it for bind mounts alone");
    assert!(tmpfs(&["nosymfollow"]).contains("nosymfollow"));
    assert!(tmpfs(&["symfollow", "nosymfollow"]).contains("nosymfollow"));
    assert!(!tmpfs(&["nosymfollow", "symfollow"]).contains("nosymfollow"));
}

#[test]
fn access_times() {
    needs!(bundles);
    assert!(tmpfs(&[]).contains("relatime"), "the kernel's default");
    assert!(tmpfs(&["relatime"]).contains("relatime"));
    let strict = tmpfs(&["strictatime"]);
    assert!(!strict.contains("relatime") && !strict.contains("noatime"), "{strict:?}");
    let without = tmpfs(&["noatime", "strictatime"]);
    assert!(!without.contains("relatime") && !without.contains("noatime"), "{without:?}");
}

/// mount(8), nostrictatime: "Use the kernel's default behavior".
#[test]
fn strict_access_times_that_are_taken_back() {
    needs!(bundles);
    deviates!("crun", "strictatime stays after nostrictatime");
    assert!(tmpfs(&["strictatime", "nostrictatime"]).contains("relatime"));
}

#[test]
fn flags_of_a_file_system() {
    needs!(bundles);
    each(["sync", "dirsync", "lazytime"], |on| {
        let found = try_seen("tmpfs", &[on])?.superblock;
        expect(found.contains(*on), found)
    });
}

#[test]
fn flags_of_a_file_system_that_are_taken_back() {
    needs!(bundles);
    deviates!("crun", "sync stays after async");
    each([("sync", "async"), ("lazytime", "nolazytime")], |(on, off)| {
        let found = try_seen("tmpfs", &[on, off])?.superblock;
        expect(!found.contains(*on), found)
    });
}

/// "defaults" and those that ask for nothing.
#[test]
fn options_without_an_effect_are_accepted() {
    needs!(bundles);
    each(["defaults", "async", "norelatime", "nostrictatime"], |option| {
        try_seen("tmpfs", &[option]).map(drop)
    });
}

#[test]
fn loudness_and_versions_of_inodes() {
    needs!(bundles);
    deviates!("crun", "hands them to the file system as data");
    each(["loud", "silent", "noiversion"], |option| try_seen("tmpfs", &[option]).map(drop));
}

#[test]
fn flags_of_a_bind_mount() {
    needs!(bundles);
    let found = seen("none", &["bind", "ro", "nosuid", "nodev", "noexec"]).mount;
    for flag in ["ro", "nosuid", "nodev", "noexec"] {
        assert!(found.contains(flag), "{flag}: {found:?}");
    }
    let found = seen("none", &["rbind", "rw"]).mount;
    assert!(found.contains("rw"), "{found:?}");
}

/// Shown, and true.
#[test]
fn a_read_only_bind_mount_is_read_only_and_its_source_is_not() {
    needs!(bundles);
    let bundle = Bundle::sh("touch /place/new 2>&1; rm /place/.keep 2>&1; ls -A /place");
    bundle.write("place/.keep", "");
    let source = bundle.text("place");
    let bundle =
        bundle.mount(json!({ "destination": "/place", "source": source, "options": ["bind", "ro"] }));
    let printed = bundle.says();
    assert_eq!(printed.matches("Read-only file system").count(), 2, "{printed}");
    assert!(printed.ends_with(".keep\n"), "{printed}");
    bundle.write("place/from-outside", "");
}

#[test]
fn noexec_and_nosymfollow_are_true_too() {
    needs!(bundles);
    let bundle = Bundle::sh("/place/busybox true 2>&1; echo $?; cat /place/link 2>&1; true");
    std::fs::create_dir(bundle.path("place")).unwrap();
    copy_executable("/bin/busybox".as_ref(), &bundle.path("place/busybox"));
    std::os::unix::fs::symlink("busybox", bundle.path("place/link")).unwrap();
    let source = bundle.text("place");
    let options = json!(["bind", "noexec", "nosymfollow"]);
    let printed =
        bundle.mount(json!({ "destination": "/place", "source": source, "options": options })).says();
    assert!(printed.contains("Permission denied\n126\n"), "{printed}");
    assert!(printed.contains("symbolic links"), "{printed}");
}

/// mount(2) cannot lift for a user what the source's mount forbids: it is kept instead of failing.
#[test]
fn what_a_source_forbids_stays_forbidden_without_an_error() {
    needs!(bundles);
    let bundle = Bundle::of(&["cat", "/proc/self/mountinfo"])
        .mount(json!({ "destination": "/place", "source": "/proc/sys", "options": ["rbind", "ro"] }));
    let found = look(&bundle, "/place").unwrap().mount;
    for flag in ["ro", "nosuid", "nodev", "noexec"] {
        let outside = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let proc = outside.lines().find(|line| line.split(' ').nth(4) == Some("/proc")).unwrap();
        let forbidden = proc.split(' ').nth(5).unwrap().split(',').any(|option| option == flag);
        assert!(!forbidden || found.contains(flag), "{flag}: {found:?}");
    }
    assert!(found.contains("ro"));
}

#[test]
fn propagation_of_a_bind_mount() {
    needs!(bundles);
    let private = ["private", "rprivate"].map(|option| (option, ""));
    each(private, |(option, _)| {
        let found = try_seen("none", &["rbind", option])?.propagation;
        expect(found.is_empty(), found)
    });
    // A slave needs a master, which a private mount of the host is none.
    each(["slave", "rslave"], |option| {
        let found = try_seen("none", &["rbind", option])?.propagation;
        expect(found.is_empty() || found.contains("master:"), found)
    });
}

#[test]
fn shared_and_unbindable_bind_mounts() {
    needs!(bundles);
    deviates!("crun", "makes everything private afterwards, unless rootfsPropagation is set");
    let cases = [
        ("shared", "shared:"),
        ("rshared", "shared:"),
        ("unbindable", "unbindable"),
        ("runbindable", "unbindable"),
    ];
    each(cases, |(option, shown)| {
        let found = try_seen("none", &["rbind", option])?.propagation;
        expect(found.contains(*shown), found)
    });
}

/// What engines ask for with a shared volume.
#[test]
fn a_shared_bind_mount_in_a_shared_root() {
    needs!(bundles);
    let bundle = Bundle::of(&["cat", "/proc/self/mountinfo"]);
    bundle.write("place/.keep", "");
    let source = bundle.text("place");
    let bundle = bundle
        .mount(json!({ "destination": "/place", "source": source, "options": ["rbind", "shared"] }))
        .with(|config| config["linux"]["rootfsPropagation"] = json!("shared"));
    let found = look(&bundle, "/place").unwrap().propagation;
    assert!(found.contains("shared:"), "{found}");
}

/// "Recursive ro", and the like: what is mounted below obeys too.
#[test]
fn recursive_flags() {
    needs!(bundles);
    let cases = [("rro", "ro"), ("rnosuid", "nosuid"), ("rnodev", "nodev"), ("rnoexec", "noexec")];
    each(cases, |(option, shown)| {
        for place in ["/copy", "/copy/pts"] {
            let bundle = Bundle::of(&["cat", "/proc/self/mountinfo"])
                .mount(json!({ "destination": "/copy", "source": "/dev", "options": ["rbind", option] }));
            let found = look(&bundle, place)?.mount;
            expect(found.contains(*shown), (place, found))?;
        }
        Ok(())
    });
}

/// One of four at a time: what was there before is cleared with it. Only in mounts of one's own does the kernel let
/// access times be changed.
#[test]
fn recursive_access_times() {
    needs!(bundles);
    deviates!("crun", "sets without clearing, which the kernel refuses");
    each([("rnodiratime", "nodiratime"), ("rnosymfollow", "nosymfollow")], |(option, shown)| {
        let found = try_seen("tmpfs", &[option])?.mount;
        expect(found.contains(*shown), found)
    });
    let cases =
        [("rnoatime", "noatime"), ("rrelatime", "relatime"), ("rstrictatime", ""), ("ratime", "relatime")];
    each(cases, |(option, shown)| {
        let found = try_seen("tmpfs", &[option])?.mount;
        let right = |name: &str| found.contains(name) == (name == *shown);
        expect(right("noatime") && right("relatime"), &found)
    });
}

/// Without the r, it is the one mount.
#[test]
fn a_read_only_bind_mount_is_not_so_below() {
    needs!(bundles);
    let bundle = Bundle::of(&["cat", "/proc/self/mountinfo"])
        .mount(json!({ "destination": "/copy", "source": "/dev", "options": ["rbind", "ro"] }));
    assert!(look(&bundle, "/copy").unwrap().mount.contains("ro"));
    assert!(look(&bundle, "/copy/pts").unwrap().mount.contains("rw"));
}

/// "The runtime MUST recognize the elements in this array as the options of mounts."
#[test]
fn every_option_of_the_features_is_recognised() {
    needs!(bundles);
    deviates!("crun", "fails with its recursive access times");
    let features: Value = serde_json::from_str(&Bundle::new().ok(&["features"])).unwrap();
    let options: Vec<_> =
        features["mountOptions"].as_array().unwrap().iter().map(|option| option.as_str().unwrap()).collect();
    for option in ["bind", "rbind", "ro", "rro", "nosuid", "noexec", "private", "rslave", "tmpcopyup"] {
        assert!(options.contains(&option), "{option} is missing in {options:?}");
    }
    // What is known is not handed to the file system, which would refuse it. The rest need more than a name: a
    // source, a mapping, a mount to change, privileges.
    let special = ["bind", "rbind", "idmap", "ridmap", "remount", "mand", "acl", "noacl", "iversion"];
    each(options.into_iter().filter(|option| !special.contains(option)), |option| {
        try_seen("tmpfs", &[option]).map(drop)
    });
}

/// "If there are no uidMappings and gidMappings specified and the container isn't using user namespaces, an error
/// MUST be returned."
#[test]
fn an_id_mapping_needs_a_map() {
    needs!(bundles, root);
    let bundle = Bundle::new();
    let source = bundle.text("rootfs");
    let options = json!(["bind", "idmap"]);
    bundle.mount(json!({ "destination": "/place", "source": source, "options": options })).is_refused();
}

/// "If specified, it MUST be specified along with gidMappings."
#[test]
fn half_an_id_mapping_is_refused() {
    needs!(bundles);
    let bundle = Bundle::new();
    let source = bundle.text("rootfs");
    let map = json!([{ "containerID": 0, "hostID": 0, "size": 1 }]);
    let mount = json!({ "destination": "/place", "source": source, "options": ["bind", "idmap"], "uidMappings": map });
    bundle.mount(mount).is_refused();
}

/// "the mapping to convert UIDs from the source file system to the destination mount point"
#[test]
fn owners_are_mapped() {
    needs!(bundles, root);
    let bundle = Bundle::sh("stat -c %u:%g /place/file");
    bundle.write("place/file", "");
    let source = bundle.text("place");
    let map = |host: u32| json!([{ "containerID": 0, "hostID": host, "size": 10 }]);
    let mount = json!({
        "destination": "/place", "source": source, "options": ["bind", "idmap"],
        "uidMappings": map(1000), "gidMappings": map(2000),
    });
    let output = bundle.mount(mount).run();
    if output.stderr.contains("nvalid argument") {
        return; // The file system cannot.
    }
    assert_eq!(output.success(), "1000:2000\n");
}
