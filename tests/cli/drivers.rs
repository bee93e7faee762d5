//! How an image becomes a root file system: the kernel's overlay, fuse-overlayfs, a copy.

use crate::rig::{Home, needs};

/// What every driver has to give, whatever lies beneath.
fn serves(driver: &str) {
    let home = Home::new();
    home.ok(&["pull", "-q", "layers"]);
    let run = |script: &str| {
        let args =
            ["--storage-driver", driver, "run", "--rm", "--network", "none", "layers", "sh", "-c", script];
        home.ok(&args)
    };
    let hidden = run("ls /data /opaque; test ! -e /whole && echo gone; find / -xdev -name '.wh.*' | wc -l");
    assert_eq!(hidden, "/data:\nkept\nreplaced\n\n/opaque:\nshown\ngone\n0\n");
    assert_eq!(
        run("echo new >/data/kept; rm /data/replaced; mkdir /opaque/d; cat /data/kept; ls /data"),
        "new\nkept\n"
    );
    assert_eq!(run("cat /data/kept; ls /data"), "lowerkept\nreplaced\n", "nothing of it is in the image");
    assert_eq!(run("stat -c %h /linked/one; stat -c %a /owned/setuid"), "2\n4755\n");
}

#[test]
fn the_kernels_overlay() {
    needs!(containers, registry);
    serves("overlay");
}

#[test]
fn fuse_overlayfs() {
    needs!(containers, registry, fuse_overlayfs);
    serves("fuse-overlayfs");
}

#[test]
fn a_copy() {
    needs!(containers, registry);
    serves("vfs");
}

#[test]
fn fuse_overlayfs_leaves_no_process() {
    needs!(containers, registry, fuse_overlayfs);
    let home = Home::with_busybox();
    let args = [
        "--storage-driver",
        "fuse-overlayfs",
        "run",
        "--rm",
        "--network",
        "none",
        "busybox",
        "echo",
        "works",
    ];
    assert_eq!(home.ok(&args), "works\n");
    let store = home.store();
    crate::rig::command::eventually("fuse-overlayfs has ended", || {
        let left = crate::rig::processes::with_mark("fuse-overlayfs");
        !left.values().any(|line| line.contains(store.to_str().unwrap()))
    });
}

#[test]
fn the_driver_is_chosen_by_flag_over_file_and_an_unknown_one_is_refused() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let args = ["--storage-driver", "no-such-driver", "run", "--rm", "busybox", "true"];
    home.run(&args).exits(125).fails_saying(&["no-such-driver"]);
    home.write("storage.conf", "[storage]\ndriver = \"vfs\"\n");
    let driver = |args: &[&str]| {
        let mut all = args.to_vec();
        all.push("info");
        home.json(&all)["store"]["graphDriverName"].clone()
    };
    assert_eq!(driver(&[]), "vfs");
    assert_eq!(driver(&["--storage-driver", "overlay"]), "overlay");
}
