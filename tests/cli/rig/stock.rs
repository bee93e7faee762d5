//! The images that most tests use.
//!
//! | name | what it is |
//! | --- | --- |
//! | `busybox` | one gzip layer: busybox with its applets, accounts, the usual directories |
//! | `library/layers` | four layers over it: whiteouts, an opaque directory, links, owners, set-id bits, zstd |
//! | `library/docker` | the same content as `busybox` in Docker's manifest format |
//! | `library/multi` | an index of two platforms; `/platform` names the one that was chosen |
//! | `library/settings` | an image whose configuration sets everything that it can set |

use serde_json::json;

use super::image::{Compression, Entry, Format, Image, Layer, push_index};
use super::machine;
use super::registry::Registry;

pub(crate) const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    daemon:x:1:1:daemon:/usr/sbin:/bin/false\n\
    app:x:1000:1000:app:/home/app:/bin/sh\n\
    nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n";

pub(crate) const GROUP: &str = "root:x:0:\ndaemon:x:1:\nwheel:x:10:app\napp:x:1000:\nextra:x:2000:app,root\n\
    nogroup:x:65534:\n";

pub(crate) fn push_all(registry: &Registry) {
    let base = base_layer();
    Image::of([base.clone()]).push(registry, "library/busybox", "latest");
    Image::of([base.clone()]).format(Format::Docker).push(registry, "library/docker", "latest");
    layered(&base).push(registry, "library/layers", "latest");
    settings(&base).push(registry, "library/settings", "latest");
    let other = if machine::architecture() == "arm64" { "amd64" } else { "arm64" };
    let platforms = [machine::architecture(), other].map(|architecture| {
        let mark = Layer::of([Entry::file("platform", architecture)]);
        let image = Image::of([base.clone(), mark]).architecture(architecture);
        image.push(registry, "library/multi", architecture)
    });
    push_index(registry, "library/multi", "latest", &platforms);
}

/// busybox, its applets as symbolic links, accounts and the directories that every image has.
pub(crate) fn base_layer() -> Layer {
    let busybox = std::fs::read("/bin/busybox").expect("busybox-static is installed");
    let applets = std::process::Command::new("/bin/busybox").arg("--list").output().unwrap();
    let applets = String::from_utf8(applets.stdout).unwrap();
    let mut entries: Vec<_> =
        ["bin", "dev", "etc", "home", "proc", "run", "sys", "usr", "usr/bin", "var", "sbin"]
            .map(Entry::dir)
            .into();
    entries.push(Entry::dir("tmp").mode(0o1777));
    entries.push(Entry::dir("var/tmp").mode(0o1777));
    entries.push(Entry::dir("root").mode(0o700));
    entries.push(Entry::dir("home/app").owner(1000, 1000));
    entries.push(Entry::file("bin/busybox", busybox).mode(0o755));
    let links = applets.lines().filter(|name| *name != "busybox");
    entries.extend(links.map(|name| Entry::symlink(&format!("bin/{name}"), "busybox")));
    entries.push(Entry::file("etc/passwd", PASSWD));
    entries.push(Entry::file("etc/group", GROUP));
    entries.push(Entry::file("etc/not-executable", "#!/bin/sh\n"));
    Layer::of(entries)
}

fn layered(base: &Layer) -> Image {
    let lower = Layer::of([
        Entry::dir("data"),
        Entry::file("data/removed", "lower"),
        Entry::file("data/replaced", "lower"),
        Entry::file("data/kept", "lower"),
        Entry::dir("opaque"),
        Entry::file("opaque/hidden", "lower"),
        Entry::dir("opaque/deep"),
        Entry::file("opaque/deep/hidden", "lower"),
        Entry::dir("whole"),
        Entry::file("whole/content", "lower"),
        Entry::file("turned", "a file in the lower layer"),
        Entry::dir("linked"),
        Entry::file("linked/one", "one file"),
        Entry::hardlink("linked/two", "linked/one"),
    ]);
    let middle = Layer::of([
        Entry::dir("data"),
        Entry::file("data/.wh.removed", ""),
        Entry::file("data/replaced", "upper"),
        Entry::dir("opaque"),
        Entry::file("opaque/.wh..wh..opq", ""),
        Entry::file("opaque/shown", "upper"),
        Entry::file(".wh.whole", ""),
        Entry::dir("turned"),
        Entry::file("turned/inside", "now a directory"),
    ])
    .compressed(Compression::Zstd);
    let owners = Layer::of([
        Entry::dir("owned").owner(1000, 1000),
        Entry::file("owned/app", "app").owner(1000, 1000).mode(0o640),
        Entry::file("owned/nobody", "nobody").owner(65534, 65534),
        Entry::file("owned/mixed", "mixed").owner(0, 2000),
        Entry::file("owned/setuid", "x").mode(0o4755),
        Entry::file("owned/setgid", "x").mode(0o2755).owner(0, 1000),
        Entry::dir("owned/sticky").mode(0o1777),
        Entry::symlink("owned/link", "app").owner(1000, 1000),
        Entry::fifo("owned/fifo"),
        Entry::file("owned/old", "old").mtime(1_000_000_000),
        Entry::file("owned/precise", "precise").pax("mtime", "1234567890.123456789"),
    ])
    .compressed(Compression::None);
    let long = format!("long/{}/{}", "d".repeat(120), "f".repeat(200));
    let names = Layer::of([Entry::file(&long, "a long name"), Entry::file("näme with spaces", "utf-8")]);
    Image::of([base.clone(), lower, middle, owners, names])
}

fn settings(base: &Layer) -> Image {
    let script = Entry::file("entry", "#!/bin/sh\necho entry \"$@\"\n").mode(0o755);
    let work = Entry::dir("work").owner(1000, 1000);
    Image::of([base.clone(), Layer::of([script, work])]).config(json!({
        "Env": ["PATH=/bin", "FROM_IMAGE=yes", "SPACED=a b  c"],
        "Entrypoint": ["/entry", "fixed"],
        "Cmd": ["default"],
        "User": "app",
        "WorkingDir": "/work",
        "Volumes": { "/volume": {} },
        "ExposedPorts": { "8080/tcp": {} },
        "StopSignal": "SIGUSR1",
        "Labels": { "maker": "tests" },
    }))
}
