//! Layers that want something which is not theirs. `Ground` checks after each that nothing outside changed.

use super::*;

#[test]
fn paths_that_climb_are_refused() {
    for name in ["../outside/secret", "a/../../outside/secret", "/../outside/x", ".."] {
        assert_refused(Tar::default().file(name, b"pwned"), name);
    }
    assert_refused(Tar::default().file("a", b"").hard_link("b", "../outside/secret"), "\"b\"");
    assert_refused(Tar::default().hard_link("b", "/"), "\"b\"");
    assert_refused(Tar::default().pax(b'x', &[("path", b"a/../../b")]).file("x", b""), "a/../../b");
    assert_refused(Tar::default().pax(b'x', &[("path", b"a\0b")]).file("x", b""), "NUL");
    assert_refused(Tar::default().pax(b'x', &[("linkpath", b"a\0b")]).symlink("x", "y"), "NUL");
}

#[test]
fn absolute_paths_and_links_stay_inside() {
    let ground = Ground::new();
    let outside = ground.dir.path().join("outside");
    let outside = outside.to_str().unwrap();
    let tar = Tar::default()
        .file("/etc/passwd", b"mine")
        .symlink("escape", outside)
        .file("escape/new", b"inside")
        .symlink("secret", format!("{outside}/secret"))
        .file("secret", b"replaced the link")
        .symlink("dots", "../../../../../../../../../..")
        .file("dots/top", b"at the root");
    ground.unpack(tar).unwrap();
    assert_eq!(ground.read("etc/passwd"), "mine");
    assert_eq!(ground.read(&format!("{}/new", outside.trim_start_matches('/'))), "inside");
    assert_eq!(ground.read("secret"), "replaced the link");
    assert_eq!(ground.read("top"), "at the root");
}

#[test]
fn a_hard_link_through_a_link_finds_only_what_is_inside() {
    let ground = Ground::new();
    let outside = ground.dir.path().join("outside");
    let outside = outside.to_str().unwrap();
    let tar = Tar::default().symlink("escape", outside).hard_link("stolen", "escape/secret");
    let unpacked = ground.unpack(tar).unwrap();
    assert!(!ground.exists("stolen"));
    assert_eq!(unpacked.outside_links.len(), 1);
    let error = resolve_outside_links(&[], &ground.root, &unpacked.outside_links).unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
}

#[test]
fn directory_attributes_do_not_follow_links() {
    let ground = Ground::new();
    let outside = ground.dir.path().join("outside");
    let mode = std::fs::metadata(&outside).unwrap().mode();
    let tar = Tar::default()
        .head(&Head::new(b'5', "d").mode(0o1700).time(3))
        .symlink("d", outside.to_str().unwrap())
        .head(&Head::new(b'5', "e/f").mode(0o1700).time(3))
        .symlink("e", "/../outside");
    ground.unpack(tar).unwrap();
    let after = std::fs::metadata(&outside).unwrap();
    assert_eq!(after.mode(), mode);
    assert_ne!(after.mtime(), 3);
}

#[test]
fn whiteouts_that_climb_are_refused() {
    for name in [".wh.", ".wh..", ".wh...", "a/.wh...", "../.wh.x"] {
        assert_refused(Tar::default().dir("a").file(name, b""), name);
    }
    assert_refused(Tar::default().file(".wh.dir/f", b""), "whiteout");
    assert_refused(Tar::default().file(".wh.a", b"").hard_link("b", "a"), "whiteout");
}

#[test]
fn a_whiteout_through_a_link_stays_inside() {
    let ground = Ground::new();
    let outside = ground.dir.path().join("outside");
    let outside = outside.to_str().unwrap();
    let tar = Tar::default()
        .symlink("escape", outside)
        .file("escape/.wh.secret", b"")
        .file("escape/.wh..wh..opq", b"");
    ground.unpack(tar).unwrap();
    assert!(ground.is_whiteout(&format!("{}/secret", outside.trim_start_matches('/'))));
}

#[test]
fn files_in_the_way_of_directories_are_refused_unless_replaced() {
    assert_refused(Tar::default().file("f", b"").file("f/below", b""), "f/below");
    assert_refused(Tar::default().symlink("l", "l").file("l/below", b""), "circle");
    assert_refused(Tar::default().dir("d").hard_link("l", "d"), "directory");
    assert_refused(Tar::default().file("d/f", b"").hard_link("d", "d/f"), "into itself");
    assert_refused(Tar::default().file(".", b""), "root directory");
    assert_refused(Tar::default().symlink("/", "x"), "root directory");
}

#[test]
fn sizes_that_lie_break_the_archive_and_nothing_else() {
    assert_refused(Tar::default().head(&Head::new(b'0', "f").size(1 << 20)).content(b"short"), "cut off");
    assert_refused(Tar::default().head(&Head::new(b'0', "f").size(0)).content(b"content"), "checksum");
    assert_refused(Tar::default().pax(b'x', &[("size", b"99999999999999999999")]).file("f", b""), "size");
    assert_refused(Tar::default().pax(b'x', &[("size", b"9223372036854775807")]).file("f", b""), "f");
    assert_refused(Tar::default().pax(b'x', &[("size", b"-1")]).file("f", b""), "size");
    // Links have no content, whatever they say: what follows is read as a header.
    let lie = Head::new(b'2', "l").link("x").size(512);
    assert_refused(Tar::default().head(&lie).content(b"payload"), "checksum");
}

#[test]
fn malformed_numbers_are_refused_by_name() {
    let with = |at: usize, bytes: &[u8]| {
        let mut block = Head::new(b'0', "the-file").block();
        block[at..at + bytes.len()].copy_from_slice(bytes);
        corpus::checksum(&mut block);
        Tar::default().raw(&block)
    };
    assert_refused(with(100, b"00009999"), "the-file");
    assert_refused(with(108, b"-0000001"), "the-file");
    assert_refused(with(108, &[0x80, 0, 0, 1, 0, 0, 0, 0]), "32 bits");
    assert_refused(with(124, &[0xff; 12]), "the-file");
    assert_refused(with(124, b"0x000000000\0"), "the-file");
    assert_refused(with(136, b"yesterday\0\0\0"), "the-file");
    assert_refused(Tar::default().pax(b'x', &[("mtime", b"1e9")]).file("the-file", b""), "the-file");
    assert_refused(Tar::default().head(&Head::new(b'Z', "the-file")), "the-file");
    let mut broken = Head::new(b'0', "f").block();
    broken[0] ^= 1;
    assert_refused(Tar::default().raw(&broken), "checksum");
}

#[test]
fn extended_headers_are_bounded_and_well_formed() {
    assert_refused(Tar::default().head(&Head::new(b'x', "p").size(8 << 30)), "1 MiB");
    assert_refused(Tar::default().head(&Head::new(b'L', "p").size(2 << 20)), "1 MiB");
    assert_refused(Tar::default().long(b'L', b"a").long(b'L', b"b").file("x", b""), "two extended");
    assert_refused(Tar::default().pax(b'x', &[]).pax(b'x', &[]).file("x", b""), "two extended");
    assert_refused(Tar::default().pax(b'x', &[("path", b"x")]), "describes nothing");
    let malformed = |text: &[u8]| {
        Tar::default().head(&Head::new(b'x', "p").size(text.len() as u64)).content(text).file("f", b"")
    };
    for text in [&b"5 a=b\n"[..], b"7 a=b\n", b"x a=b\n", b"6 abc\n", b"999999999999999999999 a=b\n"] {
        assert_refused(malformed(text), "malformed");
    }
    let half = vec![b'v'; 600 << 10];
    let globals = Tar::default().pax(b'g', &[("a", &half)]).pax(b'g', &[("b", &half)]).file("f", b"");
    assert_refused(globals, "global headers are too long");
}

#[test]
fn sparse_maps_that_lie_are_refused() {
    let sparse = |map: &[u8], size: &[u8]| {
        let records = [("GNU.sparse.size", size), ("GNU.sparse.map", map)];
        Tar::default().pax(b'x', &records).file("holes", b"0123456789")
    };
    for (map, size) in [
        (&b"0,5,3,5"[..], &b"100"[..]),
        (b"0,10", b"5"),
        (b"0,9", b"100"),
        (b"0,11", b"100"),
        (b"18446744073709551615,10", b"100"),
        (b"0,10,5", b"100"),
        (b"0,a", b"100"),
        (b"0,10", b"18446744073709551615"),
    ] {
        assert_refused(sparse(map, size), "holes");
    }
    let records: [(&str, &[u8]); 3] =
        [("GNU.sparse.major", b"1"), ("GNU.sparse.minor", b"0"), ("GNU.sparse.realsize", b"100")];
    for content in [&b"99999999999\n"[..], b"1\n0\n", b"x\n", b"1000000\n0\n1\n"] {
        assert_refused(Tar::default().pax(b'x', &records).file("holes", content), "holes");
    }
}

#[test]
fn limits_stop_bombs() {
    let limited = |limits: Limits, tar: Tar| {
        let ground = Ground::new();
        let options = Options { limits, ..options() };
        let error = unpack_blob(&tar.end()[..], Compression::None, &ground.root, &options).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
        error.to_string()
    };
    let many = (0..20).fold(Tar::default(), |tar, n| tar.file(format!("f{n}"), b"0123456789"));
    assert!(limited(Limits { entries: 10, ..Limits::default() }, many.clone()).contains("10 entries"));
    assert!(limited(Limits { bytes: 100, ..Limits::default() }, many.clone()).contains("f10"));
    let deep = Tar::default().file("a/b/c/d", b"");
    assert!(limited(Limits { depth: 3, ..Limits::default() }, deep.clone()).contains("deep"));
    assert!(limited(Limits { path: 5, ..Limits::default() }, deep).contains("long"));
    let dirs = (0..20).fold(Tar::default(), |tar, n| tar.dir(format!("d{n}")));
    assert!(limited(Limits { names: 1000, ..Limits::default() }, dirs).contains("names"));
}

#[test]
fn odd_names_are_only_names() {
    let ground = Ground::new();
    let tar = Tar::default()
        .file("new\nline", b"1")
        .file("-rf", b"2")
        .file("\x1b[31mred", b"3")
        .file(b"\xff\xfe", b"4")
        .file("back\\slash", b"5")
        .file("...", b"6");
    assert_eq!(ground.unpack(tar).unwrap().entries, 6);
    assert_eq!(ground.read("new\nline"), "1");
    assert_eq!(ground.read("..."), "6");
    assert_refused(Tar::default().file("\x1b[31m/../../x", b""), "\\u{1b}[31m");
}
