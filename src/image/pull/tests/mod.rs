//! Pulls from a registry that lies.

mod lying_registry;

use std::time::Duration;

use lying_registry::{Content, MANIFEST, Registry, Reply, Request};
use serde_json::json;

use super::fetch::{self, Job};
use super::resolve::{Candidate, Wanted};
use super::{Options, PullPolicy};
use crate::config::ShortNames;
use crate::config::auth::Credentials;
use crate::error::{Error, Kind, Result};
use crate::image::Silent;
use crate::image::registry::{Endpoint, Proxies, Retry};
use crate::oci::{Digest, Platform};
use crate::storage::{Image, Store};

struct Rig {
    dir: tempfile::TempDir,
    store: Store,
    options: Options,
    credentials: Option<Credentials>,
    repair: bool,
}

impl Rig {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(&dir.path().join("store")).unwrap();
        let retry = Retry { count: 2, delay: Some(Duration::from_millis(1)) };
        Self {
            dir,
            store,
            options: Options { retry, ..Options::default() },
            credentials: None,
            repair: false,
        }
    }

    fn pull(&self, registry: &Registry) -> Result<Digest> {
        self.pull_version(registry, ":latest")
    }

    fn pull_version(&self, registry: &Registry, version: &str) -> Result<Digest> {
        let name = format!("{}/a/b", registry.host);
        let endpoint = Endpoint {
            name: name.clone(),
            insecure: true,
            credentials: self.credentials.clone(),
            ..Endpoint::default()
        };
        let reference = format!("{name}{version}").parse()?;
        let wanted = Wanted {
            text: name,
            settled: None,
            fallback: None,
            candidates: vec![Candidate { reference, endpoints: vec![endpoint] }],
        };
        let job = Job {
            store: &self.store,
            options: &self.options,
            proxies: Proxies::default(),
            single: true,
            parallel: 4,
            repair: self.repair,
        };
        Ok(fetch::run(&job, &[wanted], &Silent)?.remove(0))
    }

    fn image(&self, registry: &Registry) -> Option<Image> {
        self.store.resolve(&format!("{}/a/b", registry.host), &ShortNames::docker()).unwrap()
    }

    /// Files in the store's directory `name`.
    fn names(&self, name: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path().join("store").join(name));
        entries
            .map(|entries| entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect())
            .unwrap_or_default()
    }

    /// After a failure there is no image, no layer, and nothing but partial blobs in staging.
    fn assert_untouched(&self) {
        for directory in ["images", "refs", "layers"] {
            assert_eq!(self.names(directory), Vec::<String>::new(), "{directory}");
        }
        let staging = self.names("staging");
        assert!(staging.iter().all(|name| name.ends_with(".part")), "{staging:?}");
    }
}

fn content() -> Content {
    let big: Vec<u8> = (0..300_000u32).flat_map(u32::to_le_bytes).collect();
    Content::new(&[("hello", b"world"), ("big", &big)])
}

fn is_layer(request: &Request, content: &Content) -> bool {
    request.path.ends_with(Digest::of(&content.layer).as_str())
}

/// Pulls from a registry that answers requests for the layer with `lie`, where that says anything.
fn pull_with(
    lie: impl Fn(&Content, &Request, usize) -> Option<Reply> + Send + Sync + 'static,
) -> (Rig, Registry, Result<Digest>) {
    let content = content();
    let registry = Registry::start(move |request, before| {
        let lied = is_layer(request, &content).then(|| lie(&content, request, before)).flatten();
        lied.unwrap_or_else(|| content.answer(request))
    });
    let rig = Rig::new();
    let pulled = rig.pull(&registry);
    (rig, registry, pulled)
}

fn failure(pulled: Result<Digest>) -> (Kind, String) {
    let error: Error = pulled.unwrap_err();
    (error.kind(), error.chain().join(": "))
}

#[test]
fn an_honest_registry_is_asked_once_and_then_only_whether_anything_changed() {
    let (rig, registry, pulled) = pull_with(|_, _, _| None);
    let id = pulled.unwrap();
    let image = rig.image(&registry).unwrap();
    assert_eq!(image.id, id);
    assert_eq!(image.config.config.cmd, ["sh"]);
    assert_eq!(std::fs::read(rig.store.layer_dir(&image.layers[0]).join("hello")).unwrap(), b"world");
    assert_eq!(rig.names("staging"), Vec::<String>::new());
    assert_eq!(rig.names("blobs/sha256").len(), 3);
    let before = registry.requests().len();
    assert_eq!(rig.pull(&registry).unwrap(), id);
    assert_eq!(registry.requests().len() - before, 1);
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(rig.store.root().join("index.json")).unwrap()).unwrap();
    assert_eq!(index["manifests"][0]["digest"], image.manifest_digest.as_str());
}

#[test]
fn a_wrong_blob_is_refused_and_not_kept() {
    let (rig, _, pulled) = pull_with(|content, _, _| {
        let mut bytes = content.layer.clone();
        let last = bytes.len() - 100_000;
        bytes[last] ^= 1;
        Some(Reply::of(200, &bytes))
    });
    let (kind, text) = failure(pulled);
    assert_eq!(kind, Kind::Invalid, "{text}");
    rig.assert_untouched();
    // The configuration, which was right, may stay: it is garbage like any blob without a reference.
    for name in rig.names("blobs/sha256") {
        let bytes = std::fs::read(rig.store.root().join("blobs/sha256").join(&name)).unwrap();
        assert_eq!(Digest::of(&bytes).hex(), name);
    }
}

#[test]
fn a_longer_body_is_cut_off_whether_it_is_announced_or_not() {
    for unbounded in [false, true] {
        let (rig, registry, pulled) = pull_with(move |content, _, _| {
            let mut bytes = content.layer.clone();
            bytes.extend_from_slice(&[0; 1000]);
            Some(Reply { unbounded, ..Reply::of(200, &bytes) })
        });
        let (kind, text) = failure(pulled);
        assert_eq!(kind, Kind::Invalid, "{text}");
        assert_eq!(registry.count("blobs/sha256"), 2, "no retry: {text}");
        rig.assert_untouched();
    }
}

#[test]
fn a_broken_connection_resumes_where_it_stopped() {
    for unbounded in [false, true] {
        let (_, registry, pulled) = pull_with(move |content, _, before| match before {
            0 => Some(Reply { cut: Some(500_000), unbounded, ..Reply::of(200, &content.layer) }),
            _ => None,
        });
        pulled.unwrap();
        let ranges: Vec<String> =
            registry.requests().iter().filter_map(|request| request.headers.get("range").cloned()).collect();
        assert_eq!(ranges, ["bytes=500000-"], "cut without a length: {unbounded}");
    }
}

#[test]
fn a_registry_without_ranges_is_listened_to_again_from_the_start() {
    let (rig, registry, pulled) = pull_with(|content, _, before| {
        let cut = (before == 0).then_some(500_000);
        Some(Reply { cut, ..Reply::of(200, &content.layer) })
    });
    pulled.unwrap();
    assert!(rig.image(&registry).is_some());
}

#[test]
fn a_part_that_is_not_the_one_asked_for_is_refused() {
    for range in ["bytes 500001-1200000/1300000", "bytes 600000-600001/7", "nonsense"] {
        let (rig, _, pulled) = pull_with(move |content, _, before| {
            Some(match before {
                0 => Reply { cut: Some(500_000), ..Reply::of(200, &content.layer) },
                _ => Reply::of(206, &content.layer[500_000..]).with("Content-Range", range),
            })
        });
        assert_eq!(failure(pulled).0, Kind::Invalid, "{range}");
        rig.assert_untouched();
    }
}

#[test]
fn a_pull_that_gave_up_is_continued_by_the_next_from_what_is_on_disk() {
    let content = content();
    let (honest, always_cut) = (content.clone(), content.clone());
    let registry = Registry::start(move |request, before| {
        let mut reply = always_cut.answer(request);
        if is_layer(request, &always_cut) && before < 3 {
            reply.cut = Some(if before == 0 { 400_000 } else { 0 });
        }
        reply
    });
    let rig = Rig::new();
    let (kind, text) = failure(rig.pull(&registry));
    assert_eq!(kind, Kind::Network, "{text}");
    assert!(text.contains("400000 of"), "{text}");
    rig.assert_untouched();
    assert_eq!(rig.names("staging").len(), 1);
    rig.pull(&registry).unwrap();
    let last = registry.requests().into_iter().rfind(|request| is_layer(request, &honest)).unwrap();
    assert_eq!(last.headers["range"], "bytes=400000-");
}

#[test]
fn rotten_bytes_of_an_earlier_pull_cost_one_more_download() {
    let content = content();
    let digest = Digest::of(&content.layer);
    let registry = Registry::start(move |request, _| content.answer(request));
    let rig = Rig::new();
    let mut partial = rig.store.partial_blob(&digest).unwrap().unwrap();
    partial.append(b"this is not how the blob begins").unwrap();
    drop(partial);
    rig.pull(&registry).unwrap();
    assert_eq!(registry.count(digest.hex()), 2);
}

#[test]
fn transient_failures_are_retried_and_lasting_ones_are_not() {
    for status in [429, 500, 502, 503, 504, 408] {
        let (_, registry, pulled) = pull_with(move |_, _, before| {
            (before < 2).then(|| Reply::of(status, b"").with("Retry-After", "0"))
        });
        pulled.unwrap_or_else(|error| panic!("{status}: {error:?}"));
        assert_eq!(registry.count("blobs/sha256"), 4, "configuration, and the layer three times");
    }
    for (status, expected) in [(404, Kind::NotFound), (403, Kind::Denied), (400, Kind::Denied)] {
        let (rig, registry, pulled) = pull_with(move |_, _, _| Some(Reply::of(status, b"")));
        assert_eq!(failure(pulled).0, expected);
        assert_eq!(registry.count("blobs/sha256"), 2, "{status}");
        rig.assert_untouched();
    }
    let (_, registry, pulled) = pull_with(|_, _, _| Some(Reply::of(429, b"").with("Retry-After", "86400")));
    assert!(failure(pulled).1.contains("86400"));
    assert_eq!(registry.count("blobs/sha256"), 2, "nobody waits for a day");
}

#[test]
fn a_redirect_is_followed() {
    let content = content();
    let registry = Registry::start(move |request, _| {
        if request.path == "/elsewhere" {
            return Reply::of(200, &content.layer);
        }
        if is_layer(request, &content) {
            return Reply::of(307, b"").with("Location", "/elsewhere");
        }
        content.answer(request)
    });
    Rig::new().pull(&registry).unwrap();
    assert_eq!(registry.count("/elsewhere"), 1);
}

#[test]
fn tokens_are_fetched_with_the_credentials_and_used() {
    let content = content();
    let registry = Registry::start(move |request, _| {
        let authorization = request.headers.get("authorization").map(String::as_str);
        if request.path.starts_with("/token") {
            let good = authorization == Some("Basic dTpw")
                && request.path.contains("scope=repository%3Aa%2Fb%3Apull");
            return if good { Reply::of(200, br#"{"token":"t0k"}"#) } else { Reply::of(401, b"{}") };
        }
        if authorization != Some("Bearer t0k") {
            let host = &request.headers["host"];
            let challenge =
                format!(r#"Bearer realm="http://{host}/token",service="s",scope="repository:a/b:pull""#);
            return Reply::of(401, b"").with("WWW-Authenticate", &challenge);
        }
        content.answer(request)
    });
    let mut rig = Rig::new();
    let (kind, text) = failure(rig.pull(&registry));
    assert_eq!(kind, Kind::Denied, "{text}");
    rig.credentials = Some(Credentials::from_option("u:p").unwrap());
    rig.pull(&registry).unwrap();
    assert_eq!(registry.count("/token"), 2, "one token serves the whole pull");
}

#[test]
fn hostile_manifests_are_refused() {
    let huge = vec![b' '; 5 << 20];
    let deep = "[".repeat(100_000);
    let cases: Vec<(Vec<u8>, &str, bool)> = vec![
        (huge.clone(), MANIFEST, false),
        (huge, MANIFEST, true),
        (b"<html>".to_vec(), "text/html", false),
        (deep.into_bytes(), MANIFEST, false),
        (b"{}".to_vec(), "application/json", false),
        (br#"{"schemaVersion":1,"fsLayers":[]}"#.to_vec(), MANIFEST, false),
        (
            br#"{"schemaVersion":2,"config":{"digest":"sha256:../../x","size":1},"layers":[]}"#.to_vec(),
            MANIFEST,
            false,
        ),
        (
            format!(r#"{{"config":{{"digest":"{}","size":99999999999}},"layers":[]}}"#, Digest::of(b""))
                .into_bytes(),
            MANIFEST,
            false,
        ),
    ];
    for (bytes, content_type, unbounded) in cases {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        let registry = Registry::start(move |_, _| Reply {
            unbounded,
            ..Reply::of(200, &bytes).with("Content-Type", content_type)
        });
        let rig = Rig::new();
        assert!(rig.pull(&registry).is_err(), "{shown}");
        assert_eq!(registry.count("manifests"), 1, "{shown}");
        rig.assert_untouched();
    }
}

#[test]
fn what_was_asked_for_by_digest_is_what_comes_or_nothing() {
    let content = content();
    let registry = Registry::start(move |request, _| content.answer(request));
    let rig = Rig::new();
    let (kind, text) = failure(rig.pull_version(&registry, &format!("@{}", Digest::of(b"else"))));
    assert_eq!(kind, Kind::Invalid, "{text}");
    rig.assert_untouched();
}

#[test]
fn a_layer_that_is_not_what_the_configuration_says_is_refused() {
    let honest = content();
    let content = Content::of_layer(honest.layer, &Digest::of(b"another"));
    let registry = Registry::start(move |request, _| content.answer(request));
    let rig = Rig::new();
    let (kind, text) = failure(rig.pull(&registry));
    assert_eq!(kind, Kind::Invalid, "{text}");
    assert!(text.contains("unpacks to"), "{text}");
    rig.assert_untouched();
}

#[test]
fn an_index_yields_the_image_for_the_platform() {
    let content = content();
    let native = Platform::native();
    let entry = |architecture: &str, bytes: &[u8]| {
        json!({ "mediaType": MANIFEST, "digest": Digest::of(bytes), "size": bytes.len(),
                "platform": { "os": "linux", "architecture": architecture } })
    };
    let index = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry("s390x", b"x"), entry(&native.architecture, &content.manifest)] });
    let index = serde_json::to_vec(&index).unwrap();
    let index_digest = Digest::of(&index);
    let registry = Registry::start(move |request, _| {
        if request.path.ends_with("/latest") {
            let digest = Digest::of(&index).to_string();
            return Reply::of(200, &index).with("Docker-Content-Digest", &digest);
        }
        content.answer(request)
    });
    let mut rig = Rig::new();
    rig.pull(&registry).unwrap();
    let image = rig.image(&registry).unwrap();
    assert!(image.repo_digests.iter().any(|digest| digest.ends_with(index_digest.as_str())), "{image:?}");
    let before = registry.requests().len();
    rig.pull(&registry).unwrap();
    assert_eq!(registry.requests().len() - before, 1, "an unchanged index is one request");
    rig.options.platform = Some("linux/riscv64".parse().unwrap());
    assert_eq!(failure(rig.pull(&registry)).0, Kind::NotFound);
}

#[test]
fn two_pulls_at_once_fetch_each_blob_once() {
    let content = content();
    let registry = Registry::start(move |request, _| {
        if is_layer(request, &content) {
            std::thread::sleep(Duration::from_millis(100));
        }
        content.answer(request)
    });
    let rig = Rig::new();
    std::thread::scope(|scope| {
        let both: Vec<_> = (0..2).map(|_| scope.spawn(|| rig.pull(&registry))).collect();
        for pull in both {
            pull.join().unwrap().unwrap();
        }
    });
    let layer = rig.image(&registry).unwrap().blobs[0].clone();
    assert_eq!(registry.count(layer.hex()), 1);
    assert_eq!(rig.names("staging"), Vec::<String>::new());
}

#[test]
fn what_a_power_cut_damaged_is_unpacked_anew_without_the_registry() {
    let (mut rig, registry, pulled) = pull_with(|_, _, _| None);
    pulled.unwrap();
    let image = rig.image(&registry).unwrap();
    let key = image.layers[0].clone();
    let mut record = rig.store.layer(&key).unwrap().unwrap();
    record.unsynced_boot = Some("an earlier boot".into());
    let layer = rig.store.layer_dir(&key);
    std::fs::write(layer.with_file_name("layer.json"), serde_json::to_vec(&record).unwrap()).unwrap();
    std::fs::write(layer.join("big"), b"").unwrap();
    assert_eq!(rig.store.damaged_layers(&image).unwrap(), std::slice::from_ref(&key));
    let before = registry.requests().len();
    rig.repair = true;
    rig.pull(&registry).unwrap();
    assert_eq!(registry.requests().len(), before);
    assert!(rig.store.damaged_layers(&image).unwrap().is_empty());
    assert_eq!(std::fs::metadata(layer.join("big")).unwrap().len(), 1_200_000);
}

#[test]
fn a_registry_that_does_not_answer_head_is_asked_in_full() {
    let content = content();
    let registry = Registry::start(move |request, _| match request.method.as_str() {
        "HEAD" => Reply::of(405, b""),
        _ => content.answer(request),
    });
    let rig = Rig::new();
    rig.pull(&registry).unwrap();
    rig.pull(&registry).unwrap();
    assert_eq!(registry.count("/blobs/"), 2, "what is here is not fetched again");
}

#[test]
fn policies_are_read_in_podman_s_spellings() {
    for (text, policy) in [
        ("always", PullPolicy::Always),
        ("IfNewer", PullPolicy::Newer),
        ("missing", PullPolicy::Missing),
        ("never", PullPolicy::Never),
    ] {
        assert_eq!(text.parse::<PullPolicy>().unwrap(), policy);
    }
    assert!("sometimes".parse::<PullPolicy>().is_err());
}
