//! The rig's own parts do what the tests believe of them.

use super::http::request;
use super::image::{Digest, Entry, Layer};
use super::proxy::{Faults, Proxy};
use super::{needs, registry};

#[test]
fn the_registry_has_what_was_pushed_and_the_proxy_tells_who_asked() {
    needs!(registry);
    let proxy = Proxy::start(&registry().address, Faults::default());
    let accept = [("Accept", "application/vnd.oci.image.manifest.v1+json")];
    let answer =
        request(&proxy.address, "GET", "/v2/library/busybox/manifests/latest", &accept, b"").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("docker-content-digest"), Some(Digest::of(&answer.body).to_string().as_str()));
    let manifest: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let digest = manifest["layers"][0]["digest"].as_str().unwrap();
    let path = format!("/v2/library/busybox/blobs/{digest}");
    let blob = request(&proxy.address, "GET", &path, &[], b"").unwrap().body;
    assert_eq!(Digest::of(&blob).to_string(), digest);
    assert_eq!(proxy.requests().len(), 2);
    assert_eq!(proxy.blob_fetches(digest).len(), 1);
    let part = request(&proxy.address, "GET", &path, &[("Range", "bytes=10-19")], b"").unwrap();
    assert_eq!((part.status, &part.body[..]), (206, &blob[10..20]));
    assert_eq!(proxy.blob_fetches("")[1].range.as_deref(), Some("bytes=10-19"));
}

#[test]
fn the_proxy_breaks_what_it_is_told_to() {
    needs!(registry);
    let blob = vec![7; 100_000];
    let digest = registry().push_blob("library/breakage", &blob);
    let path = format!("/v2/library/breakage/blobs/{digest}");
    let faults = Faults { cut_after: Some(1000), cuts: 1, busy: 1, corrupt: true, ..Faults::default() };
    let proxy = Proxy::start(&registry().address, faults);
    let get = || request(&proxy.address, "GET", &path, &[], b"").unwrap();
    assert_eq!(get().status, 503);
    assert_eq!(get().body.len(), 1000);
    let corrupt = get().body;
    assert_eq!(corrupt.len(), blob.len());
    assert_ne!(corrupt, blob);
}

#[test]
fn layers_are_archives_that_tar_can_read() {
    let long = format!("{}/{}", "d".repeat(150), "f".repeat(90));
    let entries = [
        Entry::dir("d").owner(1000, 2000),
        Entry::file("d/f", "content").mode(0o4755),
        Entry::symlink("d/l", "f"),
        Entry::hardlink("d/h", "d/f"),
        Entry::file(&long, "long"),
        Entry::file("p", "x").pax("mtime", "1.5"),
    ];
    let layer = Layer::of(entries);
    let mut archive = tar::Archive::new(&layer.tar[..]);
    let found: Vec<_> = archive
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            (
                entry.path().unwrap().to_str().unwrap().to_owned(),
                header.mode().unwrap(),
                header.uid().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("d", 0o755, 1000),
        ("d/f", 0o4755, 0),
        ("d/l", 0o777, 0),
        ("d/h", 0o644, 0),
        (&long, 0o644, 0),
        ("p", 0o644, 0),
    ];
    assert_eq!(found, expected.map(|(path, mode, owner)| (path.to_owned(), mode, owner)));
}
