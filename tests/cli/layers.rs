//! What an image's layers look like from inside: whiteouts, links, owners, modes, times, names.

use crate::rig::image::{Entry, Image, Layer};
use crate::rig::{Home, needs, registry, stock};

fn inside(home: &Home, image: &str, script: &str) -> String {
    home.ok(&["run", "--rm", "-q", "--network", "none", image, "sh", "-c", script])
}

#[test]
fn whiteouts_and_opaque_directories_hide_what_lies_below() {
    needs!(containers, registry);
    let home = Home::new();
    let found = inside(
        &home,
        "layers",
        "cd /; ls data opaque; cat data/replaced; test ! -e whole && echo gone; cat turned/inside",
    );
    assert_eq!(found, "data:\nkept\nreplaced\n\nopaque:\nshown\nuppergone\nnow a directory");
    let strays = inside(&home, "layers", "find / -xdev -name '.wh.*' | wc -l");
    assert_eq!(strays, "0\n");
}

#[test]
fn a_whiteout_does_not_remove_what_its_own_layer_brings() {
    needs!(containers, registry);
    let home = Home::new();
    let lower = Layer::of([Entry::dir("d"), Entry::file("d/old", "old"), Entry::file("f", "old")]);
    let upper = Layer::of([
        Entry::dir("d"),
        Entry::file("d/new", "new"),
        Entry::file("d/.wh..wh..opq", ""),
        Entry::file("f", "new"),
        Entry::file(".wh.f", ""),
    ]);
    Image::of([stock::base_layer(), lower, upper]).push(registry(), "library/late-whiteout", "latest");
    assert_eq!(inside(&home, "late-whiteout", "ls /d; cat /f"), "new\nnew");
}

#[test]
fn hard_links_are_one_file() {
    needs!(containers, registry);
    let home = Home::new();
    let found = inside(&home, "layers", "cd /linked; stat -c %h one; test one -ef two && echo same");
    assert_eq!(found, "2\nsame\n");
}

#[test]
fn a_hard_link_may_lead_into_a_lower_layer() {
    needs!(containers, registry);
    let home = Home::new();
    let lower = Layer::of([Entry::dir("data"), Entry::file("data/kept", "lower").mode(0o640)]);
    let upper =
        Layer::of([Entry::hardlink("data/link", "data/kept"), Entry::hardlink("busybox-2", "bin/busybox")]);
    Image::of([stock::base_layer(), lower, upper]).push(registry(), "library/linked-down", "latest");
    let found = inside(
        &home,
        "linked-down",
        "cat /data/link; stat -c %a /data/link; cmp /bin/busybox /busybox-2 && echo same",
    );
    assert_eq!(found, "lower640\nsame\n");
}

#[test]
fn owners_are_the_images() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::new();
    let found = inside(
        &home,
        "layers",
        "cd /owned; stat -c '%n %u:%g' . app nobody mixed link setuid; stat -c %u:%g /home/app /bin/busybox",
    );
    let expected = ". 1000:1000\napp 1000:1000\nnobody 65534:65534\nmixed 0:2000\nlink 1000:1000\nsetuid 0:0\n1000:1000\n0:0\n";
    assert_eq!(found, expected);
}

#[test]
fn modes_kinds_and_times_are_the_images() {
    needs!(containers, registry, subordinate_ids);
    let home = Home::new();
    let found = inside(
        &home,
        "layers",
        "cd /owned; stat -c '%n %a %F' app setuid setgid sticky fifo link; stat -c '%Y' old; stat -c '%y' precise",
    );
    let lines: Vec<_> = found.lines().collect();
    assert_eq!(
        lines[..7],
        [
            "app 640 regular file",
            "setuid 4755 regular file",
            "setgid 2755 regular file",
            "sticky 1777 directory",
            "fifo 644 fifo",
            "link 777 symbolic link",
            "1000000000",
        ]
    );
    assert!(lines[7].contains(".123456789"), "nanoseconds: {}", lines[7]);
    let times = inside(&home, "layers", "stat -c %Y /data /opaque /owned");
    assert!(times.lines().all(|line| line == "1600000000"), "directories keep theirs: {times}");
}

#[test]
fn long_and_foreign_names_arrive() {
    needs!(containers, registry);
    let home = Home::new();
    let found = inside(
        &home,
        "layers",
        "cat /long/*/*; for name in /*; do case $name in *spaces) echo \"${name#/}\";; esac; done; cat \"/näme with spaces\"",
    );
    assert_eq!(found, "a long namenäme with spaces\nutf-8");
}

#[test]
fn ids_beyond_the_map_are_no_obstacle() {
    needs!(containers, registry);
    let home = Home::new();
    let far = Layer::of([
        Entry::file("far", "far away").owner(500_000, 600_000),
        Entry::file("farther", "farther").pax("uid", "4000000000").pax("gid", "4000000000"),
    ]);
    Image::of([stock::base_layer(), far]).push(registry(), "library/far", "latest");
    assert_eq!(inside(&home, "far", "cat /far /farther"), "far awayfarther");
}

#[test]
fn a_device_node_in_a_layer_is_no_obstacle_and_no_device() {
    needs!(containers, registry);
    let home = Home::new();
    let nodes = Layer::of([Entry::char_device("mem", 1, 1), Entry::file("beside", "beside")]);
    Image::of([stock::base_layer(), nodes]).push(registry(), "library/nodes", "latest");
    assert_eq!(
        inside(&home, "nodes", "cat /beside; head -c 1 /mem >/dev/null 2>&1 && echo readable; true"),
        "beside"
    );
}

#[test]
fn extended_attributes_and_file_capabilities_arrive() {
    needs!(containers, registry, subordinate_ids, getfattr);
    let home = Home::new();
    // VFS_CAP_REVISION_2, effective, cap_net_raw permitted.
    let mut capability = vec![1, 0, 0, 2, 0, 0x20, 0, 0];
    capability.resize(20, 0);
    let layer = Layer::of([
        Entry::file("with-attribute", "x").pax("SCHILY.xattr.user.colour", "blue"),
        Entry::file("with-capability", "x").mode(0o755).pax("SCHILY.xattr.security.capability", capability),
    ]);
    Image::of([stock::base_layer(), layer]).push(registry(), "library/attributes", "latest");
    home.ok(&["pull", "-q", "attributes"]);
    let find = |name: &str| {
        let all = home.stored(&format!("/{name}"));
        all.first().unwrap_or_else(|| panic!("{name} is in no layer")).to_str().unwrap().to_owned()
    };
    let ask = |name: &str, attribute: &str| {
        let args = ["unshare", "getfattr", "--absolute-names", "-n", attribute, &find(name)];
        home.ok(&args)
    };
    assert!(ask("with-attribute", "user.colour").contains("\"blue\""));
    assert!(ask("with-capability", "security.capability").contains("security.capability=0s"));
}

#[test]
fn an_image_of_many_layers_runs() {
    needs!(containers, registry);
    let home = Home::new();
    let layers = (0..90).map(|n| Layer::of([Entry::file(&format!("n/{n}"), n.to_string())]));
    Image::of(std::iter::once(stock::base_layer()).chain(layers)).push(registry(), "library/many", "latest");
    assert_eq!(inside(&home, "many", "ls /n | wc -l; cat /n/89"), "90\n89");
}

#[test]
fn an_image_without_a_layer_or_command_says_so() {
    needs!(containers, registry);
    let home = Home::new();
    let empty = Image::of([stock::base_layer()]).config(serde_json::json!({}));
    empty.push(registry(), "library/no-command", "latest");
    home.run(&["run", "--rm", "-q", "--network", "none", "no-command"]).fails_saying(&["command"]);
    let found = home.ok(&["run", "--rm", "-q", "--network", "none", "no-command", "sh", "-c", "echo $PATH"]);
    assert!(found.contains("/bin"), "a default PATH: {found}");
}
