//! `image inspect`: an image as podman describes it.

use serde_json::{Value, json};

use crate::error::Result;
use crate::oci::Reference;
use crate::ops::Session;
use crate::ops::images;
use crate::storage::{Image, Store};

/// The description of the image that `name` means, under podman's keys.
pub fn inspect(session: &Session, name: &str) -> Result<Value> {
    let image = images::find(session, name)?;
    Ok(describe(&session.store, &image))
}

fn describe(store: &Store, image: &Image) -> Value {
    let config = &image.config;
    let tags: Vec<&String> = image
        .names
        .iter()
        .filter(|name| name.parse::<Reference>().is_ok_and(|reference| reference.tag().is_some()))
        .collect();
    let labels = &config.config.labels;
    let media_type = match image.media_type.as_str() {
        "" => "application/vnd.oci.image.manifest.v1+json",
        stated => stated,
    };
    json!({
        "Id": image.id.hex(),
        "Digest": image.manifest_digest,
        "RepoTags": tags,
        "RepoDigests": image.repo_digests,
        "Parent": "",
        "Comment": config.history.last().and_then(|step| step.comment.clone()).unwrap_or_default(),
        "Created": image.created,
        "Config": config.config,
        "Version": labels.get("version").cloned().unwrap_or_default(),
        "Author": config.author,
        "Architecture": config.architecture,
        "Os": config.os,
        "Size": image.size,
        "VirtualSize": image.size,
        "GraphDriver": graph_driver(store, image),
        "RootFS": { "Type": "layers", "Layers": image.diff_ids },
        "Labels": if labels.is_empty() { Value::Null } else { json!(labels) },
        "Annotations": image.annotations,
        "ManifestType": media_type,
        "User": config.config.user,
        "History": config.history,
        "NamesHistory": image.names,
    })
}

/// Where the layers lie: the top one as `UpperDir` and those below it, topmost first, as podman has it.
fn graph_driver(store: &Store, image: &Image) -> Value {
    let mut directories: Vec<String> =
        image.layers.iter().rev().map(|key| store.layer_dir(key).display().to_string()).collect();
    let mut data = serde_json::Map::new();
    if !directories.is_empty() {
        data.insert("UpperDir".to_owned(), directories.remove(0).into());
    }
    if !directories.is_empty() {
        data.insert("LowerDir".to_owned(), directories.join(":").into());
    }
    json!({ "Name": "overlay", "Data": data })
}
