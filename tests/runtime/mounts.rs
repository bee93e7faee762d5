//! config.md, "Mounts": places, sources, order.

use std::os::unix::fs::{PermissionsExt, symlink};

use serde_json::{Value, json};

use crate::rig::{Bundle, needs};

fn bind(source: &str, destination: &str) -> Value {
    json!({ "destination": destination, "type": "none", "source": source, "options": ["rbind", "rw"] })
}

fn tmpfs(destination: &str) -> Value {
    json!({ "destination": destination, "type": "tmpfs", "source": "tmpfs" })
}

/// A bundle with `data/file` beside its root file system.
fn with_data(script: &str) -> (Bundle, String) {
    let bundle = Bundle::sh(script);
    bundle.write("data/file", "content\n");
    let data = bundle.text("data");
    (bundle, data)
}

#[test]
fn a_directory_of_the_host() {
    needs!(bundles);
    let (bundle, data) = with_data("cat /data/file; echo new >/data/new");
    let bundle = bundle.mount(bind(&data, "/data"));
    assert_eq!(bundle.says(), "content\n");
    assert_eq!(bundle.read("data/new"), "new\n");
}

#[test]
fn a_file_of_the_host_over_a_file_and_where_none_is() {
    needs!(bundles);
    let (bundle, data) = with_data("cat /etc/group /made/for/file");
    let file = format!("{data}/file");
    let bundle = bundle.mount(bind(&file, "/etc/group")).mount(bind(&file, "/made/for/file"));
    assert_eq!(bundle.says(), "content\ncontent\n");
    assert_eq!(bundle.read("rootfs/etc/group"), "root:x:0:\n", "what was mounted over stays");
}

/// "Path values for bind mounts are either absolute or relative to the bundle."
#[test]
fn a_source_relative_to_the_bundle() {
    needs!(bundles);
    let (bundle, _) = with_data("cat /data/file");
    assert_eq!(bundle.mount(bind("data", "/data")).says(), "content\n");
}

/// "A mount is a bind mount if it has either bind or rbind in the options", whatever its type says.
#[test]
fn the_type_of_a_bind_mount_does_not_matter() {
    needs!(bundles);
    for typ in [json!("none"), json!("bind"), json!("tmpfs"), json!(null)] {
        let (bundle, data) = with_data("cat /data/file");
        let mut mount = json!({ "destination": "/data", "source": data, "options": ["bind"] });
        if !typ.is_null() {
            mount["type"] = typ.clone();
        }
        assert_eq!(bundle.mount(mount).says(), "content\n", "{typ}");
    }
}

#[test]
fn a_source_that_does_not_exist_is_refused() {
    needs!(bundles);
    Bundle::new().mount(bind("/no/such/source", "/data")).is_refused();
}

/// "it MUST be interpreted as relative to /"
#[test]
fn a_relative_destination() {
    needs!(bundles);
    let (bundle, data) = with_data("cat /data/file");
    assert_eq!(bundle.mount(bind(&data, "data")).says(), "content\n");
}

/// "The runtime MUST mount entries in the listed order."
#[test]
fn later_mounts_cover_earlier_ones() {
    needs!(bundles);
    let script = "ls /place; ls /place/deep 2>/dev/null; grep -c ' /place' /proc/self/mountinfo";
    let (bundle, data) = with_data(script);
    let bundle = bundle.mount(bind(&data, "/place/deep")).mount(tmpfs("/place"));
    assert_eq!(bundle.says(), "2\n", "nothing is seen but what came last");
    let (bundle, data) = with_data(script);
    let bundle = bundle.mount(tmpfs("/place")).mount(bind(&data, "/place/deep"));
    assert_eq!(bundle.says(), "deep\nfile\n2\n");
}

#[test]
fn missing_destinations_are_made() {
    needs!(bundles);
    let bundle = Bundle::sh("touch /a/b/c/file; ls -d /a/b/c/file");
    assert_eq!(bundle.mount(tmpfs("/a/b/c")).says(), "/a/b/c/file\n");
}

#[test]
fn destinations_with_dots_and_slashes() {
    needs!(bundles);
    let (bundle, data) = with_data("cat /one/file /two/file");
    let bundle = bundle.mount(bind(&data, "//one//")).mount(bind(&data, "/usr/../two/."));
    assert_eq!(bundle.says(), "content\ncontent\n");
}

/// An absolute link in the root file system means the container's root, never the host's.
#[test]
fn symlinks_on_the_way_to_a_destination_stay_inside() {
    needs!(bundles);
    let (bundle, data) = with_data("cat /target/inside/file /var/up/file");
    bundle.write("rootfs/target/.keep", "");
    symlink("/target", bundle.path("rootfs/absolute")).unwrap();
    symlink("../../../../../../../var", bundle.path("rootfs/usr/climbing")).unwrap();
    let bundle = bundle.mount(bind(&data, "/absolute/inside")).mount(bind(&data, "/usr/climbing/up"));
    assert_eq!(bundle.says(), "content\ncontent\n");
    assert!(!std::fs::exists("/target").unwrap());
}

#[test]
fn a_destination_that_is_itself_a_symlink_stays_inside() {
    needs!(bundles);
    let bundle = Bundle::sh("touch /inner/mark; ls /link/mark");
    bundle.write("rootfs/inner/.keep", "");
    symlink("/inner", bundle.path("rootfs/link")).unwrap();
    assert_eq!(bundle.mount(tmpfs("/link")).says(), "/link/mark\n");
    // One that names a path of the host, and one that climbs to it: made inside, or refused.
    let outside = tempfile::tempdir_in(std::env::temp_dir()).unwrap();
    let path = outside.path().to_str().unwrap();
    for target in [path.to_owned(), format!("{}{path}", "../".repeat(30))] {
        let bundle = Bundle::sh("touch /link/mark; ls /link");
        symlink(&target, bundle.path("rootfs/link")).unwrap();
        let output = bundle.mount(tmpfs("/link")).run();
        assert!(output.code != 0 || output.stdout == "mark\n", "{target}: {output}");
        assert_eq!(std::fs::read_dir(path).unwrap().count(), 0, "{target}");
    }
}

#[test]
fn a_dangling_symlink_is_made_good_inside_or_refused() {
    needs!(bundles);
    let bundle = Bundle::sh("touch /link/mark; ls /not/yet");
    symlink("/not/yet", bundle.path("rootfs/link")).unwrap();
    let output = bundle.mount(tmpfs("/link")).run();
    assert!(output.code != 0 || output.stdout == "mark\n", "{output}");
    assert!(!std::fs::exists("/not/yet").unwrap());
}

/// A loop has no end, so it has no directory either.
#[test]
fn a_symlink_loop_is_refused() {
    needs!(bundles);
    let bundle = Bundle::new();
    symlink("/b", bundle.path("rootfs/a")).unwrap();
    symlink("/a", bundle.path("rootfs/b")).unwrap();
    bundle.mount(tmpfs("/a/deep")).is_refused();
}

#[test]
fn a_directory_over_a_file_and_a_file_over_a_directory_are_refused() {
    needs!(bundles);
    let (bundle, data) = with_data("true");
    bundle.mount(bind(&data, "/etc/passwd")).is_refused();
    let (bundle, data) = with_data("true");
    bundle.mount(bind(&format!("{data}/file"), "/etc")).is_refused();
}

/// A source is the host's: its links are followed there.
#[test]
fn a_source_that_is_a_symlink() {
    needs!(bundles);
    let (bundle, data) = with_data("cat /data/file");
    symlink("data", bundle.path("link")).unwrap();
    let link = bundle.text("link");
    assert_eq!(bundle.mount(bind(&link, "/data")).says(), "content\n");
    drop(data);
}

#[test]
fn sockets_and_fifos_can_be_bound() {
    needs!(bundles);
    let bundle = Bundle::sh("stat -c %F /run/socket /run/fifo");
    let _listener = std::os::unix::net::UnixListener::bind(bundle.path("socket")).unwrap();
    nix::unistd::mkfifo(&bundle.path("fifo"), nix::sys::stat::Mode::S_IRUSR).unwrap();
    let (socket, fifo) = (bundle.text("socket"), bundle.text("fifo"));
    let bundle = bundle.mount(bind(&socket, "/run/socket")).mount(bind(&fifo, "/run/fifo"));
    assert_eq!(bundle.says(), "socket\nfifo\n");
}

/// `bind` takes the one mount, `rbind` what is mounted below it as well.
#[test]
fn recursive_and_single_bind_mounts() {
    needs!(bundles);
    let count = "grep -q ' /copy/pts ' /proc/self/mountinfo; echo $?";
    let of = |option: &str| {
        let mount = json!({ "destination": "/copy", "source": "/dev", "options": [option, "ro"] });
        Bundle::sh(count).mount(mount).run()
    };
    assert_eq!(of("rbind").success(), "0\n");
    // The kernel gives nobody a view below what hides something, unless it is the whole.
    let single = of("bind");
    if nix::unistd::geteuid().is_root() {
        assert_eq!(single.success(), "1\n");
    } else {
        assert!(single.code != 0 || single.stdout == "1\n", "{single}");
    }
}

#[test]
fn tmpfs_options() {
    needs!(bundles);
    let bundle = Bundle::sh("stat -c %a /scratch; df -k /scratch | tail -1 | tr -s ' ' | cut -d' ' -f2; \
                             dd if=/dev/zero of=/scratch/big bs=1024 count=128 2>&1 | grep -o 'No space left'")
        .mount(json!({
            "destination": "/scratch", "type": "tmpfs", "source": "tmpfs",
            "options": ["nosuid", "mode=1751", "size=64k", "nr_inodes=20"],
        }));
    let printed = bundle.run().stdout;
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines[0], "1751", "{printed}");
    assert!(lines.contains(&"No space left"), "{printed}");
}

/// "Runtimes SHOULD treat unknown options as filesystem-specific ones", so that the kernel refuses them.
#[test]
fn unknown_options_reach_the_file_system() {
    needs!(bundles);
    let bundle = Bundle::new().mount(json!({
        "destination": "/scratch", "type": "tmpfs", "source": "tmpfs", "options": ["of_no_file_system=1"],
    }));
    bundle.is_refused();
}

/// tmpfs takes the mode of the directory that it covers, as no option says otherwise.
#[test]
fn a_tmpfs_is_as_open_as_what_it_covers() {
    needs!(bundles);
    let bundle = Bundle::sh("stat -c %a /open");
    bundle.write("rootfs/open/.keep", "");
    std::fs::set_permissions(bundle.path("rootfs/open"), PermissionsExt::from_mode(0o1777)).unwrap();
    assert_eq!(bundle.mount(tmpfs("/open")).says(), "1777\n");
}

/// "tmpcopyup MAY: copy up the contents to a tmpfs"
#[test]
fn a_tmpfs_with_the_content_that_it_covers() {
    needs!(bundles);
    let script = "cat /place/file /place/deep/file; readlink /place/link; stat -c %a /place/deep; \
                  echo changed >/place/file; grep -c ' /place .*- tmpfs' /proc/self/mountinfo";
    let bundle = Bundle::sh(script);
    bundle.write("rootfs/place/file", "one\n");
    bundle.write("rootfs/place/deep/file", "two\n");
    symlink("../nowhere", bundle.path("rootfs/place/link")).unwrap();
    std::fs::set_permissions(bundle.path("rootfs/place/deep"), PermissionsExt::from_mode(0o750)).unwrap();
    let bundle = bundle.mount(json!({
        "destination": "/place", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"],
    }));
    assert_eq!(bundle.says(), "one\ntwo\n../nowhere\n750\n1\n");
    assert_eq!(bundle.read("rootfs/place/file"), "one\n");
}

#[test]
fn a_file_system_that_the_kernel_does_not_have_is_refused() {
    needs!(bundles);
    let mount = json!({ "destination": "/place", "type": "no-such-file-system", "source": "none" });
    Bundle::new().mount(mount).is_refused();
}

/// "destination (string, REQUIRED)"
#[test]
fn a_mount_without_a_destination_is_refused() {
    needs!(bundles);
    Bundle::new().mount(json!({ "type": "tmpfs", "source": "tmpfs" })).is_refused();
}

#[test]
fn a_bind_mount_without_a_source_is_refused() {
    needs!(bundles);
    Bundle::new().mount(json!({ "destination": "/data", "options": ["bind"] })).is_refused();
}

#[test]
fn overlays_are_a_file_system_like_any() {
    needs!(bundles);
    let bundle = Bundle::sh("cat /merged/file; echo changed >/merged/file; cat /merged/file");
    for dir in ["upper", "work"] {
        std::fs::create_dir(bundle.path(dir)).unwrap();
    }
    bundle.write("lower/file", "lower\n");
    let at = |name: &str| bundle.text(name);
    let options = [
        format!("lowerdir={}", at("lower")),
        format!("upperdir={}", at("upper")),
        format!("workdir={}", at("work")),
        "userxattr".into(),
    ];
    let mount =
        json!({ "destination": "/merged", "type": "overlay", "source": "overlay", "options": options });
    let bundle = bundle.mount(mount);
    let output = bundle.run();
    if output.stderr.contains("nvalid argument") {
        return; // The test's directory lies on a file system that cannot be an upper layer.
    }
    assert_eq!(output.success(), "lower\nchanged\n");
    assert_eq!(bundle.read("lower/file"), "lower\n");
}
