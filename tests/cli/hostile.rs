//! Layers made to get out, get in, or fill the disk, each through a real pull.
//!
//! A victim directory lies outside the store, at a path that the layers know. Whatever a layer tries, the victim
//! stays as it was; a layer that cannot mean anything good is refused with a message that names the reason.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use serde_json::json;

use crate::rig::image::{Compression, Digest, Entry, Image, Layer};
use crate::rig::{Home, Output, needs, registry, stock};

/// A home with something outside the store that must not be touched.
struct Victim {
    home: Home,
    dir: PathBuf,
}

impl Victim {
    fn new() -> Self {
        // What is honest works, or a refusal would prove nothing.
        let home = Home::with_busybox();
        let dir = home.path("victim");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("secret"), "secret").unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        Self { home, dir }
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).to_str().unwrap().to_owned()
    }

    /// `path` as seen from a directory deep in the store.
    fn climbing(&self, name: &str) -> String {
        format!("{}{}", "../".repeat(30), self.path(name).trim_start_matches('/'))
    }

    fn pull(&self, name: &str, entries: Vec<Entry>) -> Output {
        let image = Image::of([stock::base_layer(), Layer::of(entries)]);
        image.push(registry(), &format!("hostile/{name}"), "latest");
        let output = self.home.run(&["pull", &format!("hostile/{name}")]);
        self.assert_unharmed(name);
        assert!(!output.stderr.contains("panicked"), "{output}");
        output
    }

    #[track_caller]
    fn assert_unharmed(&self, name: &str) {
        let names: Vec<_> =
            fs::read_dir(&self.dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["secret"], "{name}");
        let secret = self.dir.join("secret");
        assert_eq!(fs::read_to_string(&secret).unwrap(), "secret", "{name}");
        let about = fs::metadata(&secret).unwrap();
        assert_eq!((about.nlink(), about.mode() & 0o7777), (1, 0o644), "{name}");
        assert_eq!(fs::metadata(&self.dir).unwrap().mode() & 0o7777, 0o755, "{name}");
        for stray in ["/tmp/rcon-escaped", "/var/tmp/rcon-escaped"] {
            assert!(!fs::exists(stray).unwrap(), "{name} wrote {stray}");
        }
    }

    /// The layer is refused, as an error of rcon that says why, and leaves no image.
    #[track_caller]
    fn refuses(&self, name: &str, entries: Vec<Entry>) {
        self.pull(name, entries).exits(125).fails_saying(&[]);
        let images = self.home.ok(&["images", "--format", "{{.Repository}}"]);
        assert!(images.contains("docker.io/library/busybox\n"), "{images}");
        assert!(!images.contains(&format!("hostile/{name}\n")), "{name} is an image");
    }

    /// The layer may be refused, or unpacked with everything in its place.
    #[track_caller]
    fn contains(&self, name: &str, entries: Vec<Entry>) {
        let code = self.pull(name, entries).code;
        assert!(code == 0 || code == 125, "{name}: {code}");
    }

    /// The layer is harmless and must work.
    #[track_caller]
    fn accepts(&self, name: &str, entries: Vec<Entry>, script: &str) -> String {
        self.pull(name, entries).exits(0);
        let image = format!("hostile/{name}");
        self.home.ok(&["run", "--rm", "--network", "none", &image, "sh", "-c", script])
    }
}

#[test]
fn names_that_climb_are_refused() {
    needs!(containers, registry);
    let victim = Victim::new();
    let names = [
        ("dotdot", "../rcon-escaped".to_owned()),
        ("deep-dotdot", "a/b/../../../../rcon-escaped".to_owned()),
        ("far-dotdot", victim.climbing("escaped")),
        ("absolute-dotdot", format!("/{}", victim.climbing("escaped"))),
        ("only-dotdot", "..".to_owned()),
        ("slash-dotdot", "/../".to_owned()),
    ];
    for (name, path) in names {
        victim.refuses(&format!("file-{name}"), vec![Entry::file(&path, "escaped")]);
        victim.refuses(&format!("dir-{name}"), vec![Entry::dir(&path).mode(0o777)]);
        victim.refuses(&format!("link-{name}"), vec![Entry::symlink(&path, "/")]);
    }
    let long = vec![Entry::file("short", "x").pax("path", victim.climbing("escaped"))];
    victim.refuses("pax-dotdot", long);
    victim.refuses("nul", vec![Entry::file("x", "x").pax("path", b"in\0side")]);
}

#[test]
fn an_absolute_name_is_relative_to_the_root_of_the_image() {
    needs!(containers, registry);
    let victim = Victim::new();
    let path = victim.path("escaped");
    let found = victim.accepts("absolute", vec![Entry::file(&path, "inside")], &format!("cat {path}"));
    assert_eq!(found, "inside");
}

#[test]
fn symlinks_lead_nowhere_but_into_the_image() {
    needs!(containers, registry);
    let victim = Victim::new();
    for (name, target) in [("absolute", victim.path("")), ("climbing", victim.climbing(""))] {
        let link = || Entry::symlink("s", &target);
        victim.contains(&format!("{name}-file"), vec![link(), Entry::file("s/escaped", "x")]);
        victim.contains(&format!("{name}-overwrite"), vec![link(), Entry::file("s/secret", "spoilt")]);
        victim.contains(&format!("{name}-dir"), vec![link(), Entry::dir("s/escaped")]);
        victim
            .contains(&format!("{name}-chmod"), vec![link(), Entry::dir("s").mode(0o777).owner(1000, 1000)]);
        victim.contains(&format!("{name}-chmod-dot"), vec![link(), Entry::dir("s/.").mode(0o777)]);
        victim.contains(&format!("{name}-symlink"), vec![link(), Entry::symlink("s/escaped", "/")]);
        victim.contains(&format!("{name}-fifo"), vec![link(), Entry::fifo("s/escaped")]);
        victim.contains(&format!("{name}-whiteout"), vec![link(), Entry::file("s/.wh.secret", "")]);
        victim.contains(&format!("{name}-opaque"), vec![link(), Entry::file("s/.wh..wh..opq", "")]);
        victim.contains(
            &format!("{name}-hardlink"),
            vec![link(), Entry::hardlink("h", "s/secret"), Entry::file("h", "spoilt")],
        );
        victim.contains(
            &format!("{name}-hardlink-in"),
            vec![link(), Entry::file("f", "x"), Entry::hardlink("s/escaped", "f")],
        );
        victim.contains(
            &format!("{name}-two-steps"),
            vec![link(), Entry::symlink("t", "s"), Entry::file("t/escaped", "x")],
        );
    }
    let secret = victim.path("secret");
    let over = vec![Entry::symlink("s", &secret), Entry::file("s", "mine")];
    assert_eq!(victim.accepts("through-last", over, "cat /s; test ! -L /s && echo file"), "minefile\n");
    let touched = vec![
        Entry::symlink("s", &secret),
        Entry::symlink("s", &secret).mode(0o777).owner(1000, 1000).mtime(1),
    ];
    victim.contains("touch-through", touched);
    victim
        .contains("loop", vec![Entry::symlink("a", "b"), Entry::symlink("b", "a"), Entry::file("a/f", "x")]);
}

#[test]
fn a_symlink_of_a_lower_layer_is_no_way_out_either() {
    needs!(containers, registry);
    let victim = Victim::new();
    let lower = Layer::of([Entry::symlink("out", &victim.path("")), Entry::symlink("run-link", "/run")]);
    let upper = Layer::of([Entry::file("out/escaped", "x"), Entry::file("run-link/pid", "inside")]);
    Image::of([stock::base_layer(), lower, upper]).push(registry(), "hostile/layered", "latest");
    let output = victim.home.run(&["pull", "hostile/layered"]);
    victim.assert_unharmed("layered");
    output.exits(0);
    let run = ["run", "--rm", "--network", "none", "hostile/layered", "cat", "/run-link/pid"];
    assert_eq!(victim.home.ok(&run), "inside");
}

#[test]
fn hard_links_reach_nothing_outside() {
    needs!(containers, registry);
    let victim = Victim::new();
    victim.refuses("link-dotdot", vec![Entry::hardlink("h", &victim.climbing("secret"))]);
    victim.refuses("link-nowhere", vec![Entry::hardlink("h", "no/such/file")]);
    victim.contains(
        "link-absolute",
        vec![Entry::hardlink("h", &victim.path("secret")), Entry::file("h", "spoilt")],
    );
    victim.contains("link-self", vec![Entry::hardlink("h", "h")]);
    victim.contains("link-root", vec![Entry::hardlink("h", "/")]);
    let found = victim.accepts("link-inside", vec![Entry::hardlink("h", "/etc/passwd")], "head -c 4 /h");
    assert_eq!(found, "root", "an absolute target is the image's own");
}

#[test]
fn whiteouts_that_climb_are_refused_or_mean_nothing() {
    needs!(containers, registry);
    let victim = Victim::new();
    victim.refuses("whiteout-dotdot", vec![Entry::file("../.wh.victim", "")]);
    victim.refuses("whiteout-far", vec![Entry::file(&victim.climbing(".wh.secret"), "")]);
    victim.refuses("opaque-far", vec![Entry::file(&victim.climbing(".wh..wh..opq"), "")]);
    victim.contains("whiteout-of-dotdot", vec![Entry::file("a/.wh...", "")]);
    victim.contains("whiteout-of-dot", vec![Entry::file("a/.wh..", "")]);
    victim.contains("whiteout-of-nothing", vec![Entry::file("a/.wh.", "")]);
    victim.contains("whiteout-directory", vec![Entry::dir(".wh.etc")]);
    victim.contains("whiteout-link", vec![Entry::symlink(".wh.etc", &victim.path(""))]);
}

#[test]
fn lies_about_sizes_are_refused() {
    needs!(containers, registry);
    let victim = Victim::new();
    victim.refuses("size-larger", vec![Entry::file("f", "short").claiming(1_000_000)]);
    victim.refuses("size-huge", vec![Entry::file("f", "short").claiming(0o77777777777)]);
    victim.refuses("size-pax", vec![Entry::file("f", "short").pax("size", "9223372036854775807")]);
    victim.contains("size-smaller", vec![Entry::file("f", [b'x'; 5000]).claiming(10)]);
    victim.contains("size-of-dir", vec![Entry::dir("d").claiming(512)]);
    victim.contains("size-of-link", vec![Entry::symlink("l", "t").claiming(1 << 30)]);
    victim.refuses("pax-nonsense", vec![Entry::file("f", "x").pax("size", "twelve")]);
}

#[test]
fn archives_that_are_none_are_refused() {
    needs!(containers, registry);
    let victim = Victim::new();
    let corpus: Vec<(&str, Vec<u8>)> = vec![
        ("noise", (0..20_000u32).map(|n| ((n * n) >> 3) as u8).collect()),
        ("half-a-header", vec![b'x'; 100]),
        ("bad-checksum", {
            let mut tar = Layer::of([Entry::file("f", "x")]).tar;
            tar[0] ^= 0x20;
            tar
        }),
    ];
    for (name, tar) in corpus {
        let layer = Layer { tar, compression: Compression::Gzip };
        let reference = format!("hostile/{name}");
        Image::of([stock::base_layer(), layer]).push(registry(), &reference, "latest");
        victim.home.run(&["pull", &reference]).exits(125).fails_saying(&[]);
        victim.assert_unharmed(name);
    }
    let truncated = |blob: &[u8]| blob[..blob.len() - 10].to_vec();
    raw_blob(&victim, "truncated-gzip", |layer| truncated(&layer.blob())).exits(125).fails_saying(&[]);
    let trailing = |blob: Vec<u8>| [blob, b"trailing garbage".to_vec()].concat();
    let output = raw_blob(&victim, "trailing", |layer| trailing(layer.blob()));
    assert!(output.code == 0 || output.code == 125, "{output}");
}

/// Pulls an image whose second layer is what `make` makes of an honest one.
fn raw_blob(victim: &Victim, name: &str, make: impl FnOnce(&Layer) -> Vec<u8>) -> Output {
    let image = Image::of([stock::base_layer(), Layer::of([Entry::file("f", name)])]);
    let blob = make(&image.layers[1]);
    let reference = format!("hostile/{name}");
    registry().push_blob(&reference, &blob);
    image.push_altered(registry(), &reference, "latest", |manifest| {
        manifest["layers"][1]["digest"] = json!(Digest::of(&blob).to_string());
        manifest["layers"][1]["size"] = json!(blob.len());
    });
    let output = victim.home.run(&["pull", &reference]);
    victim.assert_unharmed(name);
    assert!(!output.stderr.contains("panicked"), "{output}");
    output
}

#[test]
fn a_bomb_goes_off_at_a_limit() {
    needs!(containers, registry);
    let victim = Victim::new();
    // 64 GiB in a few megabytes: one member of zeros, four thousand times.
    let output = raw_blob(&victim, "bomb", |_| {
        let gzip = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let header = Layer::of([Entry::file("zeros", "").claiming(64 << 30)]).tar[..512].to_vec();
        let zeros = gzip(&vec![0; 16 << 20]);
        let mut blob = gzip(&header);
        for _ in 0..4096 {
            blob.extend_from_slice(&zeros);
        }
        blob
    });
    output.exits(125).fails_saying(&["inflates"]);
    assert!(!victim.home.stored("staging/").iter().any(|path| path.ends_with("zeros")), "cleaned up");
}

#[test]
fn duplicate_and_contradictory_entries_end_in_the_last_one() {
    needs!(containers, registry);
    let victim = Victim::new();
    let entries = vec![
        Entry::file("x", "first"),
        Entry::dir("x"),
        Entry::file("x/in", "in"),
        Entry::symlink("x", "/etc"),
        Entry::file("x", "last"),
        Entry::file("y", "first"),
        Entry::file("y", "second"),
    ];
    let output = victim.pull("duplicates", entries);
    if output.code == 0 {
        let run = ["run", "--rm", "--network", "none", "hostile/duplicates", "cat", "/x", "/y"];
        assert_eq!(victim.home.ok(&run), "lastsecond");
    } else {
        output.exits(125).fails_saying(&[]);
    }
}

#[test]
fn an_image_cannot_write_through_its_own_files_when_a_container_is_made() {
    needs!(containers, registry);
    let victim = Victim::new();
    // What a runtime itself writes in a root file system: hosts, resolv.conf, mount points, passwd, the working
    // directory.
    let outside = victim.path("");
    let secret = victim.path("secret");
    let base = stock::base_layer();
    let traps = [
        ("hosts", vec![Entry::symlink("etc/hosts", &secret)]),
        ("resolv", vec![Entry::symlink("etc/resolv.conf", &victim.climbing("secret"))]),
        ("hostname", vec![Entry::symlink("etc/hostname", &victim.path("escaped"))]),
        ("proc", vec![Entry::file(".wh.proc", ""), Entry::symlink("proc", &outside)]),
        ("sys", vec![Entry::file(".wh.sys", ""), Entry::symlink("sys", &outside)]),
        ("dev", vec![Entry::file(".wh.dev", ""), Entry::symlink("dev", &outside)]),
        ("run", vec![Entry::file(".wh.run", ""), Entry::symlink("run", &outside)]),
        ("passwd", vec![Entry::symlink("etc/passwd", &secret)]),
    ];
    for (name, entries) in traps {
        let reference = format!("hostile/trap-{name}");
        Image::of([base.clone(), Layer::of(entries)]).push(registry(), &reference, "latest");
        let run = [
            "run",
            "--rm",
            "-q",
            "--network",
            "none",
            &reference,
            "sh",
            "-c",
            "cat /etc/hosts /etc/passwd; true",
        ];
        let output = victim.home.run(&run);
        victim.assert_unharmed(name);
        assert!(!output.stdout.contains("secret"), "{name}: {output}");
    }
    let work = Image::of([base, Layer::of([Entry::symlink("w", &outside)])]);
    work.config(json!({ "WorkingDir": "/w/made", "Cmd": ["pwd"] })).push(
        registry(),
        "hostile/workdir",
        "latest",
    );
    victim.home.run(&["run", "--rm", "-q", "--network", "none", "hostile/workdir"]);
    victim.assert_unharmed("workdir");
    assert_eq!(victim.home.sh(&[], "echo works"), "works\n");
}
