//! `images`, `rmi`, `image inspect`.

use crate::rig::{Home, needs, registry};

#[test]
fn an_empty_store_lists_nothing() {
    needs!(containers);
    let home = Home::bare();
    assert_eq!(home.ok(&["images", "-q"]), "");
    assert_eq!(home.json(&["images"]), serde_json::json!([]));
    let table = home.ok(&["images"]);
    assert_eq!(table.lines().count(), 1);
    for heading in ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"] {
        assert!(table.contains(heading), "{table}");
    }
}

#[test]
fn images_are_listed_by_name_with_their_ids() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    let id = home.ok(&["images", "-q"]);
    assert_eq!(id.trim().len(), 12);
    let full = home.ok(&["images", "-q", "--no-trunc"]);
    assert!(full.trim().trim_start_matches("sha256:").starts_with(id.trim()));
    let row = home.ok(&["images"]);
    let row = row.lines().nth(1).unwrap();
    let words: Vec<_> = row.split_whitespace().collect();
    assert_eq!(words[..3], ["docker.io/library/busybox", "latest", id.trim()]);
    let json = home.json(&["images"]);
    assert_eq!(json[0]["Names"][0], "docker.io/library/busybox:latest");
}

#[test]
fn an_image_can_be_inspected_by_any_of_its_names() {
    needs!(containers, registry);
    let home = Home::new();
    home.ok(&["pull", "-q", "settings"]);
    let id = home.ok(&["images", "-q"]).trim().to_owned();
    for name in ["settings", "docker.io/library/settings:latest", &id, &id[..6]] {
        let image = &home.json(&["image", "inspect", name])[0];
        assert_eq!(image["Config"]["User"], "app", "{name}");
        assert_eq!(image["Config"]["Entrypoint"], serde_json::json!(["/entry", "fixed"]));
        assert_eq!(image["Config"]["Labels"]["maker"], "tests");
        assert_eq!(image["RepoTags"][0], "docker.io/library/settings:latest");
        assert_eq!(image["RootFS"]["Layers"].as_array().map(Vec::len), Some(2));
    }
    assert_eq!(home.ok(&["image", "inspect", "--format", "{{.Config.WorkingDir}}", "settings"]), "/work\n");
    home.run(&["image", "inspect", "no-such-image"]).fails_saying(&["no-such-image"]);
}

#[test]
fn removing_an_image_frees_what_no_other_needs() {
    needs!(containers, registry);
    let home = Home::new();
    home.ok(&["pull", "-q", "busybox"]);
    let small = home.stored("/layers/").len();
    home.ok(&["pull", "-q", "layers"]);
    home.ok(&["rmi", "layers"]);
    assert_eq!(home.stored("/layers/").len(), small, "the shared layer stays, the others go");
    assert_eq!(home.sh(&[], "echo works"), "works\n");
    home.ok(&["rmi", "busybox"]);
    assert_eq!(home.ok(&["images", "-q"]), "");
    let files: Vec<_> = home.stored("/blobs/sha256/").into_iter().filter(|path| path.is_file()).collect();
    assert_eq!(files.len(), 0, "{files:?}");
    home.run(&["rmi", "busybox"]).exits(1).fails_saying(&["busybox"]);
}

#[test]
fn an_image_with_two_names_loses_one_at_a_time() {
    needs!(containers, registry);
    let home = Home::new();
    let address = &registry().address;
    home.ok(&["pull", "-q", "busybox"]);
    let other = format!("{address}/library/busybox:latest");
    home.ok(&["pull", "-q", &other]);
    home.ok(&["rmi", "busybox"]);
    assert_eq!(home.ok(&["images", "--format", "{{.Repository}}"]), format!("{address}/library/busybox\n"));
    home.ok(&["rmi", &other]);
    assert_eq!(home.ok(&["images", "-q"]), "");
}

#[test]
fn an_image_that_a_container_uses_is_kept() {
    needs!(containers, registry);
    let home = Home::with_busybox();
    home.ok(&["run", "--name", "user", "--network", "none", "busybox", "true"]);
    home.run(&["rmi", "busybox"]).fails_saying(&["in use", "user"]);
    assert_eq!(home.ok(&["images", "-q"]).lines().count(), 1);
    home.ok(&["rm", "user"]);
    home.ok(&["rmi", "busybox"]);
    assert_eq!(home.ok(&["images", "-q"]), "");
}

#[test]
fn the_store_is_an_oci_layout_with_every_blob_under_its_own_digest() {
    needs!(containers, registry);
    let home = Home::new();
    home.ok(&["pull", "-q", "layers", "settings"]);
    let layout = std::fs::read_to_string(home.store().join("oci-layout")).unwrap();
    let layout: serde_json::Value = serde_json::from_str(&layout).unwrap();
    assert_eq!(layout["imageLayoutVersion"], "1.0.0");
    let index = std::fs::read_to_string(home.store().join("index.json")).unwrap();
    let index: serde_json::Value = serde_json::from_str(&index).unwrap();
    let manifests = index["manifests"].as_array().unwrap();
    assert_eq!(manifests.len(), 2, "{index}");
    for manifest in manifests {
        let hex = manifest["digest"].as_str().unwrap().trim_start_matches("sha256:");
        let path = home.store().join("blobs/sha256").join(hex);
        let text = std::fs::read(&path).unwrap();
        assert_eq!(manifest["size"], text.len());
        assert_eq!(crate::rig::image::Digest::of(&text).hex(), hex);
        let manifest: serde_json::Value = serde_json::from_slice(&text).unwrap();
        for descriptor in manifest["layers"].as_array().unwrap().iter().chain([&manifest["config"]]) {
            let hex = descriptor["digest"].as_str().unwrap().trim_start_matches("sha256:");
            let blob = std::fs::read(home.store().join("blobs/sha256").join(hex)).unwrap();
            assert_eq!(crate::rig::image::Digest::of(&blob).hex(), hex);
        }
    }
}
