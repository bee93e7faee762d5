//! `rcon pull`: what is fetched, what is said, what is believed.

use std::time::Duration;

use serde_json::json;

use crate::rig::image::{Compression, Digest, Entry, Format, Image, Layer, push_index};
use crate::rig::proxy::{Faults, Proxy};
use crate::rig::{Home, machine, needs, registry, stock};

/// An image of one small layer of its own, so that nobody else's pull has its blobs.
fn unique(name: &str) -> Image {
    Image::of([stock::base_layer(), Layer::of([Entry::file("unique", name)])])
}

#[test]
fn quiet_prints_the_id_alone() {
    needs!(containers, registry);
    let home = Home::new();
    let pushed = unique("quiet").push(registry(), "library/quiet", "latest");
    let output = home.run(&["pull", "-q", "quiet"]).exits(0);
    assert_eq!(output.stdout, format!("{}\n", pushed.config.hex()));
    assert_eq!(output.stderr, "");
}

#[test]
fn the_id_goes_to_stdout_and_progress_to_stderr_in_plain_lines() {
    needs!(containers, registry);
    let home = Home::new();
    let pushed = unique("plain").push(registry(), "library/plain", "latest");
    let output = home.run(&["pull", "plain"]).exits(0);
    assert_eq!(output.stdout, format!("{}\n", pushed.config.hex()));
    assert!(!output.stderr.is_empty());
    assert!(!output.stderr.contains(['\u{1b}', '\r']), "no cursor movements: {}", output.stderr);
}

#[test]
fn references_in_all_their_forms() {
    needs!(containers, registry);
    let home = Home::new();
    let pushed = unique("forms").push(registry(), "library/forms", "latest");
    unique("forms").push(registry(), "library/forms", "v1.2");
    unique("forms").push(registry(), "team/project/forms", "latest");
    let address = &registry().address;
    let by_digest = format!("docker.io/library/forms@{}", pushed.manifest);
    let names = [
        "forms",
        "forms:v1.2",
        "docker.io/forms",
        "docker.io/library/forms:latest",
        &by_digest,
        "team/project/forms",
        &format!("{address}/library/forms"),
        &format!("docker://{address}/team/project/forms:latest"),
    ];
    for name in names {
        let id = home.ok(&["pull", "-q", name]);
        assert_eq!(id.trim(), pushed.config.hex(), "{name}");
    }
    for name in ["UPPER", "a b", "forms:", "forms@sha256:123", ":tag", "forms:ta/g"] {
        home.run(&["pull", name]).exits(125).fails_saying(&[]);
    }
}

#[test]
fn several_images_at_once() {
    needs!(containers, registry);
    let home = Home::new();
    let ids = home.ok(&["pull", "-q", "busybox", "layers", "docker"]);
    assert_eq!(ids.lines().count(), 3);
    let names = home.ok(&["images", "--format", "{{.Repository}}"]);
    for name in ["busybox", "layers", "docker"] {
        assert!(names.lines().any(|line| line == format!("docker.io/library/{name}")), "{names}");
    }
    let mixed = home.run(&["pull", "-q", "busybox", "no-such-image"]);
    mixed.exits(125).fails_saying(&["no-such-image"]);
}

#[test]
fn what_the_registry_does_not_have_is_named() {
    needs!(containers, registry);
    let home = Home::new();
    home.run(&["pull", "no-such-image"]).exits(125).fails_saying(&["no-such-image"]);
    home.run(&["pull", "busybox:no-such-tag"]).exits(125).fails_saying(&["no-such-tag"]);
    let absent = format!("busybox@sha256:{}", "0".repeat(64));
    home.run(&["pull", &absent]).exits(125).fails_saying(&["0000"]);
    assert_eq!(home.ok(&["images", "-q"]), "");
}

#[test]
fn a_registry_that_is_not_there_is_an_error_and_soon() {
    needs!(containers);
    let home = Home::bare();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    home.use_registry(&format!("127.0.0.1:{port}"));
    let started = std::time::Instant::now();
    home.run(&["pull", "busybox"]).exits(125).fails_saying(&[&port.to_string()]);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[test]
fn policies() {
    needs!(containers, registry);
    let proxy = Proxy::start(&registry().address, Faults::default());
    let home = Home::with_registry(&proxy.address);
    unique("policy 1").push(registry(), "library/policy", "latest");
    home.run(&["pull", "--policy", "never", "policy"]).exits(125).fails_saying(&["policy"]);
    assert_eq!(proxy.requests().len(), 0, "never asks nobody");
    let first = home.ok(&["pull", "-q", "--policy", "missing", "policy"]);
    let second = unique("policy 2").push(registry(), "library/policy", "latest");
    let before = proxy.requests().len();
    assert_eq!(home.ok(&["pull", "-q", "--policy", "missing", "policy"]), first);
    assert_eq!(proxy.requests().len(), before, "what is there is not asked for");
    let always = home.ok(&["pull", "-q", "--policy", "always", "policy"]);
    assert_eq!(always.trim(), second.config.hex());
    let third = unique("policy 3").push(registry(), "library/policy", "latest");
    assert_eq!(home.ok(&["pull", "-q", "--policy", "newer", "policy"]).trim(), third.config.hex());
    home.run(&["pull", "--policy", "sometimes", "policy"]).exits(125).fails_saying(&["sometimes"]);
}

#[test]
fn only_what_is_missing_is_fetched() {
    needs!(containers, registry);
    let proxy = Proxy::start(&registry().address, Faults::default());
    let home = Home::with_registry(&proxy.address);
    let one = unique("delta 1").push(registry(), "library/delta", "one");
    let two = unique("delta 2").push(registry(), "library/delta", "two");
    home.ok(&["pull", "-q", "delta:one"]);
    home.ok(&["pull", "-q", "delta:two"]);
    assert_eq!(one.layers[0], two.layers[0]);
    assert_eq!(proxy.blob_fetches(one.layers[0].hex()).len(), 1, "the shared layer");
    assert_eq!(proxy.blob_fetches(two.layers[1].hex()).len(), 1);
    let before = proxy.blob_fetches("").len();
    home.ok(&["pull", "-q", "delta:one"]);
    assert_eq!(proxy.blob_fetches("").len(), before, "a second pull fetches no blob");
}

#[test]
fn the_platform_is_this_machines_or_the_one_asked_for() {
    needs!(containers, registry);
    let home = Home::new();
    let own = machine::architecture();
    let other = if own == "arm64" { "amd64" } else { "arm64" };
    let run = ["run", "--rm", "-q", "--network", "none", "multi", "cat", "/platform"];
    assert_eq!(home.ok(&run), own);
    let architecture =
        |reference: &str| home.json(&["image", "inspect", reference])[0]["Architecture"].clone();
    assert_eq!(architecture("multi"), own);
    let id = home.ok(&["pull", "-q", "--platform", &format!("linux/{other}"), "multi"]);
    assert_eq!(architecture(id.trim()), other);
    let id = home.ok(&["pull", "-q", "--arch", other, "multi"]);
    assert_eq!(architecture(id.trim()), other);
    let absent = home.run(&["pull", "--platform", "linux/s390x", "multi"]);
    absent.exits(125).fails_saying(&["s390x"]);
}

#[test]
fn dockers_manifests_and_lists_are_understood() {
    needs!(containers, registry);
    let home = Home::new();
    let image = unique("docker list").format(Format::Docker).push(registry(), "library/docker-list", "one");
    push_index(registry(), "library/docker-list", "latest", &[image]);
    let run = ["run", "--rm", "-q", "--network", "none", "docker-list", "cat", "/unique"];
    assert_eq!(home.ok(&run), "docker list");
}

#[test]
fn layers_come_in_every_compression() {
    needs!(containers, registry);
    let home = Home::new();
    let layer = |name: &str, compression| Layer::of([Entry::file(name, name)]).compressed(compression);
    let layers = [
        stock::base_layer(),
        layer("plain", Compression::None),
        layer("gzip", Compression::Gzip),
        layer("zstd", Compression::Zstd),
    ];
    Image::of(layers).push(registry(), "library/compressions", "latest");
    let run = ["run", "--rm", "-q", "--network", "none", "compressions", "cat", "/plain", "/gzip", "/zstd"];
    assert_eq!(home.ok(&run), "plaingzipzstd");
    // The bytes decide, not the media type.
    let image = unique("mislabelled");
    image.push_altered(registry(), "library/mislabelled", "latest", |manifest| {
        manifest["layers"][1]["mediaType"] = json!("application/vnd.oci.image.layer.v1.tar+zstd");
    });
    let run = ["run", "--rm", "-q", "--network", "none", "mislabelled", "cat", "/unique"];
    assert_eq!(home.ok(&run), "mislabelled");
}

#[test]
fn a_broken_connection_resumes_where_it_stopped() {
    needs!(containers, registry);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    let content: Vec<u8> = (0..3_000_000).map(|_| noise()).collect();
    let expected = Digest::of(&content);
    let layer = Layer::of([Entry::file("noise", content)]);
    let image = Image::of([stock::base_layer(), layer]).push(registry(), "library/noise", "latest");
    let faults = Faults { cut_after: Some(700_000), cuts: 3, ..Faults::default() };
    let proxy = Proxy::start(&registry().address, faults);
    let home = Home::with_registry(&proxy.address);
    home.ok(&["pull", "-q", "noise"]);
    let fetches = proxy.blob_fetches(image.layers[1].hex());
    let resumed =
        fetches.iter().filter(|request| request.range.as_deref().is_some_and(|range| range != "bytes=0-"));
    assert!(resumed.count() >= 1, "no Range request: {fetches:?}");
    let found = home.ok(&["run", "--rm", "--network", "none", "noise", "sha256sum", "/noise"]);
    assert_eq!(found.split_whitespace().next(), Some(expected.hex()));
}

#[test]
fn a_busy_registry_is_asked_again() {
    needs!(containers, registry);
    let faults = Faults { busy: 2, ..Faults::default() };
    let proxy = Proxy::start(&registry().address, faults);
    let home = Home::with_registry(&proxy.address);
    home.ok(&["pull", "-q", "busybox"]);
    assert_eq!(home.ok(&["images", "-q"]).lines().count(), 1);
}

#[test]
fn corrupt_blobs_are_not_believed() {
    needs!(containers, registry);
    unique("corrupt").push(registry(), "library/corrupt", "latest");
    let proxy = Proxy::start(&registry().address, Faults { corrupt: true, ..Faults::default() });
    let home = Home::with_registry(&proxy.address);
    home.run(&["pull", "corrupt"]).exits(125).fails_saying(&["sha256"]);
    assert_eq!(home.ok(&["images", "-q"]), "");
    home.use_registry(&registry().address);
    home.ok(&["pull", "-q", "corrupt"]);
    assert_eq!(home.ok(&["run", "--rm", "--network", "none", "corrupt", "cat", "/unique"]), "corrupt");
}

#[test]
fn what_contradicts_itself_is_not_believed() {
    needs!(containers, registry);
    let home = Home::new();
    let bad = |name: &str, alter: &dyn Fn(&mut serde_json::Value)| {
        unique(name).push_altered(registry(), &format!("library/{name}"), "latest", alter);
        home.run(&["pull", name]).exits(125).fails_saying(&[]);
    };
    bad("size-too-small", &|manifest| manifest["layers"][1]["size"] = json!(10));
    bad("size-too-large", &|manifest| manifest["layers"][1]["size"] = json!(10_000_000));
    bad("size-negative", &|manifest| manifest["layers"][1]["size"] = json!(-5));
    bad("layers-missing", &|manifest| drop(manifest["layers"].as_array_mut().unwrap().pop()));
    // The diff id of another layer.
    let mut image = unique("wrong-diff-id");
    let real = image.layers[1].clone();
    image.layers[1] = Layer::of([Entry::file("other", "other")]);
    let pushed_other = image.push(registry(), "library/wrong-diff-id", "other");
    let blob = real.blob();
    registry().push_blob("library/wrong-diff-id", &blob);
    image.push_altered(registry(), "library/wrong-diff-id", "latest", |manifest| {
        manifest["layers"][1]["digest"] = json!(Digest::of(&blob).to_string());
        manifest["layers"][1]["size"] = json!(blob.len());
    });
    assert_ne!(pushed_other.layers[1], Digest::of(&blob));
    home.run(&["pull", "wrong-diff-id"]).exits(125).fails_saying(&[]);
    assert_eq!(home.ok(&["images", "-q"]), "", "nothing of these is an image");
}

#[test]
fn progress_bars_on_a_terminal() {
    needs!(containers, registry);
    let home = Home::new();
    let pushed = unique("bars").push(registry(), "library/bars", "latest");
    let mut terminal = home.on_terminal(&["pull", "bars"]);
    terminal.expect(pushed.config.hex());
    assert_eq!(terminal.wait(), 0);
    terminal.assert_restored();
}

#[test]
fn blocked_registries_and_mirrors_are_heeded() {
    needs!(containers, registry);
    let home = Home::bare();
    let address = &registry().address;
    home.write(
        "registries.conf",
        &format!(
            "unqualified-search-registries = [\"docker.io\"]\n[aliases]\nnick = \"docker.io/library/busybox\"\n\
             [[registry]]\nprefix = \"blocked.example\"\nlocation = \"{address}\"\nblocked = true\n\
             [[registry]]\nlocation = \"docker.io\"\n[[registry.mirror]]\nlocation = \"{address}\"\ninsecure = true\n"
        ),
    );
    home.run(&["pull", "blocked.example/library/busybox"]).exits(125).fails_saying(&["blocked"]);
    home.ok(&["pull", "-q", "nick"]);
    assert_eq!(
        home.ok(&["images", "--format", "{{.Repository}}:{{.Tag}}"]),
        "docker.io/library/busybox:latest\n"
    );
}
