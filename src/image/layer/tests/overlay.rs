//! Whiteouts, opaque directories, and links into lower layers.

use super::*;

#[test]
fn whiteouts_become_devices_and_opaque_directories_attributes() {
    let ground = Ground::new();
    let tar = Tar::default()
        .dir("d")
        .file("d/.wh.gone", b"")
        .file("d/.wh..hidden", b"")
        .file("e/.wh..wh..opq", b"")
        .file("e/new", b"")
        .file(".wh..wh.plnk", b"");
    let unpacked = ground.unpack(tar).unwrap();
    assert!(ground.is_whiteout("d/gone") && ground.is_whiteout("d/.hidden"));
    assert_eq!(ground.xattr("e", "user.overlay.opaque").unwrap(), b"y");
    assert_eq!(ground.xattr("d", "user.overlay.opaque"), None);
    assert!(ground.exists("e/new") && !ground.exists(".wh..wh.plnk"));
    assert!(!unpacked.has_opaque_root);
}

#[test]
fn a_whiteout_does_not_remove_what_its_own_layer_brings() {
    let ground = Ground::new();
    let tar = Tar::default()
        .file("before", b"kept")
        .file(".wh.before", b"")
        .file(".wh.after", b"")
        .file("after", b"kept")
        .file("d/kept", b"")
        .file(".wh.d", b"")
        .file(".wh.e", b"")
        .dir("e")
        .file("e/kept", b"")
        .file(".wh.f", b"")
        .file("f/kept", b"")
        .file("g/kept", b"")
        .file("g/.wh..wh..opq", b"");
    ground.unpack(tar).unwrap();
    assert_eq!((ground.read("before"), ground.read("after")), ("kept".into(), "kept".into()));
    for name in ["d", "e", "f", "g"] {
        assert!(ground.exists(&format!("{name}/kept")), "{name}");
        assert_eq!(ground.xattr(name, "user.overlay.opaque").unwrap(), b"y", "{name}");
    }
}

#[test]
fn a_directory_in_a_files_place_hides_the_directory_below_both() {
    let ground = Ground::new();
    ground.unpack(Tar::default().file("d", b"").dir("d")).unwrap();
    assert_eq!(ground.xattr("d", "user.overlay.opaque").unwrap(), b"y");
}

#[test]
fn an_opaque_root_is_reported() {
    let ground = Ground::new();
    let unpacked = ground.unpack(Tar::default().file(".wh..wh..opq", b"")).unwrap();
    assert!(unpacked.has_opaque_root);
}

/// Unpacks a layer over `lowers` (topmost first) and resolves its links into them.
fn linked(lowers: &[&Ground], tar: Tar) -> (Ground, Result<()>) {
    let ground = Ground::new();
    let unpacked = ground.unpack(tar).unwrap();
    let roots: Vec<Root> = lowers.iter().map(|lower| Root::open(&lower.path("")).unwrap()).collect();
    let resolved = resolve_outside_links(&roots, &ground.root, &unpacked.outside_links);
    (ground, resolved)
}

fn layer(tar: Tar) -> Ground {
    let ground = Ground::new();
    ground.unpack(tar).unwrap();
    ground
}

#[test]
fn hard_links_into_lower_layers_are_copied_with_their_attributes() {
    let bottom = layer(
        Tar::default()
            .head(&Head::new(b'0', "usr/bin/tool").mode(0o4755).size(4).time(99))
            .content(b"tool")
            .symlink("bin", "/usr/bin"),
    );
    let middle = layer(Tar::default().file("other", b""));
    let tar = Tar::default().hard_link("a", "bin/tool").hard_link("b", "a").hard_link("x/c", "/usr/bin/tool");
    let (ground, resolved) = linked(&[&middle, &bottom], tar);
    resolved.unwrap();
    assert_eq!(ground.read("a"), "tool");
    assert_eq!((ground.stat("a").mode() & 0o7777, ground.stat("a").mtime()), (0o4755, 99));
    assert_eq!(ground.stat("a").ino(), ground.stat("b").ino());
    assert_eq!(ground.read("x/c"), "tool");
    assert_eq!(bottom.stat("usr/bin/tool").nlink(), 1);
}

#[test]
fn what_an_upper_layer_hides_cannot_be_linked_to() {
    let bottom = layer(Tar::default().file("d/f", b"f").file("e/f", b"f").file("g", b"g"));
    let middle = layer(Tar::default().file("d/.wh.f", b"").file("e/.wh..wh..opq", b"").file(".wh.g", b""));
    for target in ["d/f", "e/f", "g", "nowhere", "g/x"] {
        let (_, resolved) = linked(&[&middle, &bottom], Tar::default().hard_link("l", target));
        let error = resolved.unwrap_err();
        assert!(format!("{error:?}").contains(target), "{error:?}");
    }
    let (ground, resolved) = linked(&[&bottom, &middle], Tar::default().hard_link("l", "d/f"));
    resolved.unwrap();
    assert_eq!(ground.read("l"), "f");
}

#[test]
fn a_later_entry_takes_a_links_place() {
    let (ground, resolved) = linked(&[], Tar::default().hard_link("l", "lower").file("l", b"mine"));
    resolved.unwrap();
    assert_eq!(ground.read("l"), "mine");
}
