//! Every sort of entry, and everything that can be said of one.

use super::*;

#[test]
fn files_directories_links_and_fifos_come_out_as_they_went_in() {
    let ground = Ground::new();
    let big: Vec<u8> = (0..700_000u32).map(|n| (n * 7 % 251) as u8).collect();
    let tar = Tar::default()
        .head(&Head::new(b'5', "./").mode(0o711).time(77))
        .head(&Head::new(b'5', "d/").mode(0o750).time(1_000))
        .file("d/big", &big)
        .file("d/empty", b"")
        .head(&Head::new(b'0', "d/tool").mode(0o4755).size(2).time(5))
        .content(b"hi")
        .symlink("d/link", "/etc/../x")
        .hard_link("d/same", "./d/tool")
        .head(&Head::new(b'6', "d/fifo").mode(0o620))
        .file("implied/parent/f", b"x")
        .head(&Head::new(b'5', "sgid/").mode(0o2775))
        .file("sgid/f", b"");
    let unpacked = ground.unpack(tar).unwrap();
    assert_eq!((unpacked.entries, unpacked.bytes), (11, 700_003));
    assert!(unpacked.has_root_entry && unpacked.notes.is_empty(), "{:?}", unpacked.notes);
    assert_eq!(std::fs::read(ground.path("d/big")).unwrap(), big);
    assert_eq!(ground.stat("d/empty").len(), 0);
    assert_eq!((ground.stat("d").mode() & 0o7777, ground.stat("d").mtime()), (0o750, 1_000));
    assert_eq!((ground.stat("").mode() & 0o7777, ground.stat("").mtime()), (0o711, 77));
    assert_eq!(ground.stat("d/tool").mode() & 0o7777, 0o4755);
    assert_eq!(ground.stat("d/tool").ino(), ground.stat("d/same").ino());
    assert_eq!(std::fs::read_link(ground.path("d/link")).unwrap(), Path::new("/etc/../x"));
    assert_eq!(ground.stat("d/fifo").mode(), libc::S_IFIFO | 0o620);
    assert_eq!(ground.stat("implied").mode() & 0o7777, 0o755);
    assert_eq!(ground.stat("sgid").mode() & 0o7777, 0o2775);
    assert_eq!(ground.read("implied/parent/f"), "x");
}

#[test]
fn times_keep_nanoseconds_and_may_be_long_ago() {
    let ground = Ground::new();
    let tar = Tar::default()
        .pax(b'x', &[("mtime", b"1700000000.123456789")])
        .file("f", b"")
        .pax(b'x', &[("mtime", b"-2.5")])
        .symlink("l", "f")
        .pax(b'x', &[("mtime", b"9.000000001")])
        .dir("d")
        .file("d/later", b"")
        .head(&Head::new(b'0', "zero").time(0));
    ground.unpack(tar).unwrap();
    let time = |name: &str| (ground.stat(name).mtime(), ground.stat(name).mtime_nsec());
    assert_eq!(time("f"), (1_700_000_000, 123_456_789));
    assert_eq!(time("l"), (-3, 500_000_000));
    assert_eq!(time("d"), (9, 1));
    assert_eq!(time("zero"), (0, 0));
}

#[test]
fn long_names_come_from_pax_and_from_gnu() {
    let ground = Ground::new();
    let deep = format!("{}/{}", "a".repeat(200), "b".repeat(200));
    let tar = Tar::default()
        .pax(b'x', &[("path", deep.as_bytes())])
        .file("short", b"pax")
        .long(b'L', b"gnu/long")
        .file("ignored", b"gnu")
        .long(b'K', b"a/very/long/target")
        .long(b'L', b"link")
        .symlink("x", "y")
        .pax(b'x', &[("linkpath", b"pax/target"), ("path", b"link2")])
        .symlink("x", "y");
    ground.unpack(tar).unwrap();
    assert_eq!(ground.read(&deep), "pax");
    assert_eq!(ground.read("gnu/long"), "gnu");
    assert_eq!(std::fs::read_link(ground.path("link")).unwrap(), Path::new("a/very/long/target"));
    assert_eq!(std::fs::read_link(ground.path("link2")).unwrap(), Path::new("pax/target"));
}

#[test]
fn global_headers_hold_until_they_are_replaced() {
    let ground = Ground::new();
    let tar = Tar::default()
        .pax(b'g', &[("mtime", b"5"), ("comment", b"0123")])
        .file("a", b"")
        .pax(b'x', &[("mtime", b"6")])
        .file("b", b"")
        .pax(b'g', &[("mtime", b"")])
        .head(&Head::new(b'0', "c").time(7));
    ground.unpack(tar).unwrap();
    assert_eq!(["a", "b", "c"].map(|name| ground.stat(name).mtime()), [5, 6, 7]);
}

#[test]
fn pax_size_and_owner_overrule_the_header() {
    let ground = Ground::new();
    let tar = Tar::default()
        .pax(b'x', &[("size", b"3"), ("uid", b"3000000"), ("gid", b"4")])
        .head(&Head::new(b'0', "f").size(0))
        .content(b"abc")
        .file("g", b"next");
    let unpacked = ground.unpack(tar).unwrap();
    assert_eq!((ground.read("f"), ground.read("g")), ("abc".into(), "next".into()));
    if is_root() {
        assert_eq!((ground.stat("f").uid(), ground.stat("f").gid()), (3_000_000, 4));
    } else {
        assert_eq!(unpacked.notes.len(), 1);
        assert_eq!(ground.xattr("f", "user.containers.override_stat").unwrap(), b"3000000:4:0644");
    }
}

#[test]
fn owners_that_cannot_be_set_are_recorded() {
    let ground = Ground::new();
    let tar = Tar::default()
        .head(&Head::new(b'5', "d").owner(5, 6).mode(0o1777))
        .head(&Head::new(b'0', "d/f").owner(7, 8).mode(0o4711))
        .head(&Head::new(b'2', "d/l").owner(9, 10).mode(0o777).link("f"))
        .head(&Head::new(b'5', "again").owner(5, 6))
        .head(&Head::new(b'5', "again"));
    let options = Options { owners: Owners::Single, limits: Limits::default() };
    let unpacked = unpack_blob(&tar.end()[..], Compression::None, &ground.root, &options).unwrap();
    assert_eq!(ground.xattr("d", "user.containers.override_stat").unwrap(), b"5:6:01777");
    assert_eq!(ground.xattr("d/f", "user.containers.override_stat").unwrap(), b"7:8:04711");
    assert_eq!(ground.xattr("again", "user.containers.override_stat"), None);
    assert_eq!(unpacked.overrides, [Override { path: "d/l".into(), stat: "9:10:0777".into() }]);
    assert_eq!(ground.stat("d/f").uid(), rustix::process::geteuid().as_raw());
    assert_eq!(ground.stat("d/f").mode() & 0o7777, 0o4711);
    assert!(unpacked.notes[0].contains("4 owners"), "{:?}", unpacked.notes);
}

#[test]
fn an_owner_of_minus_one_is_recorded() {
    let ground = Ground::new();
    let tar = Tar::default().pax(b'x', &[("uid", b"4294967295"), ("gid", b"0")]).file("f", b"");
    ground.unpack(tar).unwrap();
    assert_eq!(ground.xattr("f", "user.containers.override_stat").unwrap(), b"4294967295:0:0644");
}

#[test]
fn extended_attributes_are_set_but_for_those_that_steer_the_host() {
    let ground = Ground::new();
    // cap_net_raw+ep
    let capability = b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let tar = Tar::default()
        .pax(
            b'x',
            &[
                ("SCHILY.xattr.user.a", b"1\n\0=2"),
                ("SCHILY.xattr.user.overlay.redirect", b"/etc"),
                ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
                ("SCHILY.xattr.security.capability", capability),
            ],
        )
        .file("f", b"content")
        .pax(b'x', &[("LIBARCHIVE.xattr.user.b", b"Yg==")])
        .dir("d");
    let unpacked = ground.unpack(tar).unwrap();
    assert_eq!(ground.xattr("f", "user.a").unwrap(), b"1\n\0=2");
    assert_eq!(ground.xattr("d", "user.b").unwrap(), b"b");
    assert_eq!(ground.xattr("f", "user.overlay.redirect"), None);
    assert!(unpacked.notes[0].starts_with("2 extended attributes left out"), "{:?}", unpacked.notes);
    if is_root() {
        assert_eq!(ground.xattr("f", "security.capability").unwrap(), capability);
    } else {
        assert!(unpacked.notes[1].starts_with("1 file capability refused"), "{:?}", unpacked.notes);
    }
}

#[test]
fn devices_are_left_out_and_noted() {
    let ground = Ground::new();
    let tar = Tar::default()
        .head(&Head::new(b'3', "dev/null").device(1, 3).mode(0o666))
        .head(&Head::new(b'4', "dev/sda").device(8, 0).owner(0, 6).mode(0o660))
        .head(&Head::new(b'3', "dev/fake-whiteout").device(0, 0));
    let unpacked = ground.unpack(tar).unwrap();
    assert!(!ground.exists("dev/null") && !ground.exists("dev/fake-whiteout"));
    assert_eq!(unpacked.overrides.len(), 3);
    assert_eq!(unpacked.overrides[2].stat, "0:6:0660:block-8-0");
    assert!(unpacked.notes[0].starts_with("3 device nodes"), "{:?}", unpacked.notes);
}

#[test]
fn sparse_files_keep_their_holes_in_all_four_formats() {
    let ground = Ground::new();
    let size = 10 << 30;
    let (start, end) = (vec![b'a'; 1024], b"end");
    let tail = size - 3;
    let both = [&start[..], end].concat();
    let text = |n: u64| n.to_string().into_bytes();
    let map = format!("4096,1024,{tail},3");
    let one = {
        let mut content = format!("2\n4096\n1024\n{tail}\n3\n").into_bytes();
        content.resize(512, 0);
        [content, both.clone()].concat()
    };
    let tar = Tar::default()
        .raw(&old_gnu("old", size, &[(4096, 1024), (tail, 3)]))
        .content(&both)
        .pax(
            b'x',
            &[
                ("GNU.sparse.size", &text(size)),
                ("GNU.sparse.numblocks", b"2"),
                ("GNU.sparse.offset", b"4096"),
                ("GNU.sparse.numbytes", b"1024"),
                ("GNU.sparse.offset", &text(tail)),
                ("GNU.sparse.numbytes", b"3"),
            ],
        )
        .file("0.0", &both)
        .pax(
            b'x',
            &[
                ("GNU.sparse.size", &text(size)),
                ("GNU.sparse.name", b"0.1"),
                ("GNU.sparse.map", map.as_bytes()),
            ],
        )
        .file("GNUSparseFile.0/0.1", &both)
        .pax(
            b'x',
            &[
                ("GNU.sparse.major", b"1"),
                ("GNU.sparse.minor", b"0"),
                ("GNU.sparse.name", b"1.0"),
                ("GNU.sparse.realsize", &text(size)),
            ],
        )
        .file("GNUSparseFile.0/1.0", &one)
        .file("after", b"in step");
    ground.unpack(tar).unwrap();
    for name in ["old", "0.0", "0.1", "1.0"] {
        assert_has_holes(&ground, name, size);
    }
    assert_eq!(ground.read("after"), "in step");
}

#[track_caller]
fn assert_has_holes(ground: &Ground, name: &str, size: u64) {
    use std::os::unix::fs::FileExt;
    let stat = ground.stat(name);
    assert_eq!(stat.len(), size, "{name}");
    assert!(stat.blocks() < 100, "{name} has {} blocks", stat.blocks());
    let file = std::fs::File::open(ground.path(name)).unwrap();
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, 4095).unwrap();
    assert_eq!(&bytes, b"\0aaa", "{name}");
    file.read_exact_at(&mut bytes, size - 4).unwrap();
    assert_eq!(&bytes, b"\0end", "{name}");
}

/// An old GNU sparse header (`S`) with up to four segments.
fn old_gnu(name: &str, size: u64, segments: &[(u64, u64)]) -> [u8; 512] {
    let stored = segments.iter().map(|(_, length)| length).sum();
    let mut block = Head::new(b'S', name).size(stored).block();
    block[257..265].copy_from_slice(b"ustar  \0");
    for (at, (offset, length)) in segments.iter().enumerate() {
        let at = 386 + at * 24;
        block[at..at + 12].copy_from_slice(&number(*offset));
        block[at + 12..at + 24].copy_from_slice(&number(*length));
    }
    block[483..495].copy_from_slice(&number(size));
    corpus::checksum(&mut block);
    block
}

/// A 12-byte base-256 number.
fn number(n: u64) -> [u8; 12] {
    let mut field = [0; 12];
    field[0] = 0x80;
    field[4..].copy_from_slice(&n.to_be_bytes());
    field
}

#[test]
fn entries_go_through_links_inside_the_root() {
    let ground = Ground::new();
    let tar = Tar::default()
        .dir("run")
        .symlink("varrun", "/run")
        .file("varrun/pid", b"1")
        .dir("usr/lib")
        .symlink("lib", "usr/lib")
        .file("lib/a/b", b"2")
        .symlink("up", "../../../../run")
        .file("up/c", b"3")
        .hard_link("lib/hard", "varrun/pid")
        .symlink("dangling", "/not/there")
        .file("dangling/f", b"4");
    ground.unpack(tar).unwrap();
    assert_eq!(ground.read("run/pid"), "1");
    assert_eq!(ground.read("usr/lib/a/b"), "2");
    assert_eq!(ground.read("run/c"), "3");
    assert_eq!(ground.stat("usr/lib/hard").ino(), ground.stat("run/pid").ino());
    assert_eq!(ground.read("not/there/f"), "4");
}

#[test]
fn the_last_of_several_entries_wins() {
    let ground = Ground::new();
    let tar = Tar::default()
        .file("a", b"first")
        .file("a", b"second")
        .file("b", b"file")
        .dir("b")
        .file("b/inside", b"")
        .file("c/inside", b"")
        .file("c", b"file again")
        .symlink("d", "a")
        .file("d", b"no link")
        .dir("e/f/g")
        .symlink("e", "b")
        .file("e/through", b"")
        .file("h", b"target")
        .file("i", b"old")
        .hard_link("i", "h")
        .hard_link("h", "h");
    ground.unpack(tar).unwrap();
    assert_eq!(ground.read("a"), "second");
    assert!(ground.exists("b/inside") && ground.exists("b/through"));
    assert_eq!(ground.read("c"), "file again");
    assert_eq!(ground.read("d"), "no link");
    assert_eq!(ground.read("i"), "target");
    assert_eq!(ground.stat("h").ino(), ground.stat("i").ino());
}

#[test]
fn directories_that_lock_their_owner_out_can_be_filled_and_removed() {
    let ground = Ground::new();
    let tar = Tar::default()
        .head(&Head::new(b'5', "locked").mode(0))
        .head(&Head::new(b'5', "locked/inner").mode(0o500))
        .file("locked/inner/f", b"x")
        .head(&Head::new(b'0', "unreadable").mode(0));
    ground.unpack(tar).unwrap();
    assert_eq!(ground.stat("locked").mode() & 0o7777, 0);
    ground.root.remove_tree(Path::new("locked")).unwrap();
    assert!(!ground.exists("locked"));
}

#[test]
fn an_old_archive_without_ustar_is_read() {
    let ground = Ground::new();
    let v7 = |head: Head| {
        let mut block = head.block();
        block[257..512].fill(0);
        corpus::checksum(&mut block);
        block
    };
    let tar = Tar::default()
        .raw(&v7(Head::new(0, "old/").mode(0o700)))
        .raw(&v7(Head::new(0, "old/f").size(1)))
        .content(b"x");
    ground.unpack(tar).unwrap();
    assert_eq!(ground.read("old/f"), "x");
    assert_eq!(ground.stat("old").mode() & 0o777, 0o700);
}
