//! Image records: what `run` needs to know about an image, in one small file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Store;
use crate::config::ShortNames;
use crate::error::{Context, Error, Kind, Result};
use crate::oci::{Digest, ImageConfig, Named, Reference};
use crate::sys::atomic;

/// An image in the store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// The digest of the configuration.
    pub id: Digest,
    /// The digest of the manifest that it came with, last.
    pub manifest_digest: Digest,
    /// Canonical names (`docker.io/library/alpine:latest`), from `refs/`. Not part of the record on disk.
    #[serde(skip)]
    pub names: Vec<String>,
    /// `repository@digest` of every manifest and index that it was pulled by.
    #[serde(default)]
    pub repo_digests: Vec<String>,
    /// Keys of the layers' directories, bottom first.
    pub layers: Vec<String>,
    /// Digests of the uncompressed layers, bottom first.
    pub diff_ids: Vec<Digest>,
    /// Digests of the blobs that belong to it: manifest, configuration, layers as fetched.
    #[serde(default)]
    pub blobs: Vec<Digest>,
    /// Bytes of all layers unpacked.
    pub size: u64,
    /// When it was made, RFC 3339, as its configuration says.
    #[serde(default)]
    pub created: Option<String>,
    /// The manifest's annotations.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub annotations: std::collections::BTreeMap<String, String>,
    /// The media type of the manifest.
    #[serde(default)]
    pub media_type: String,
    /// The configuration.
    pub config: ImageConfig,
}

impl Store {
    fn image_path(&self, id: &Digest) -> PathBuf {
        self.root.join("images").join(format!("{}.json", id.hex()))
    }

    /// The image with this id, without its names.
    pub fn image_by_id(&self, id: &Digest) -> Result<Option<Image>> {
        let path = self.image_path(id);
        let Some(bytes) = atomic::read_optional(&path)? else { return Ok(None) };
        let image = serde_json::from_slice(&bytes).context(|| format!("cannot read {}", path.display()))?;
        Ok(Some(image))
    }

    /// All images with their names, in no order.
    pub fn images(&self) -> Result<Vec<Image>> {
        let refs = self.refs()?;
        let mut images = Vec::new();
        for id in self.image_ids()? {
            let Some(mut image) = self.image_by_id(&id)? else { continue };
            image.names = refs.iter().filter(|r| r.image == id).map(|r| r.name.clone()).collect();
            images.push(image);
        }
        Ok(images)
    }

    /// The ids of all images.
    pub fn image_ids(&self) -> Result<Vec<Digest>> {
        let names = super::file_names(&self.root.join("images"))?;
        Ok(names.iter().filter_map(|n| format!("sha256:{}", n.strip_suffix(".json")?).parse().ok()).collect())
    }

    /// Writes an image's record.
    pub fn write_image(&self, image: &Image) -> Result<()> {
        self.directory("images")?;
        let path = self.image_path(&image.id);
        let bytes = serde_json::to_vec(image).context(|| format!("cannot encode {}", path.display()))?;
        atomic::write(&path, &bytes, 0o600)
    }

    /// Forgets an image; its layers and blobs are left to gc.
    pub fn remove_image(&self, id: &Digest) -> Result<()> {
        atomic::remove_optional(&self.image_path(id))
    }

    /// All names of the image with this id, sorted.
    pub fn names_of(&self, id: &Digest) -> Result<Vec<String>> {
        Ok(self.refs()?.into_iter().filter(|record| record.image == *id).map(|record| record.name).collect())
    }

    /// The image that a person means by `text`: an id, a name, or a unique beginning of an id, in podman's
    /// order. Short names are completed from `short_names`, `localhost/` first. `names` of the result holds
    /// the one name that matched, or all where an id did.
    pub fn resolve(&self, text: &str, short_names: &ShortNames) -> Result<Option<Image>> {
        if let Some(image) = self.by_name_or_id(text)? {
            return Ok(Some(image));
        }
        let Ok(named) = text.parse::<Named>() else {
            return Ok(None);
        };
        for reference in local_candidates(&named, short_names)? {
            if let Some(image) = self.by_reference(&reference)? {
                return Ok(Some(image));
            }
        }
        Ok(None)
    }

    /// Like [`Store::resolve`], but that there is no such image is an error.
    pub fn find(&self, text: &str, short_names: &ShortNames) -> Result<Image> {
        self.resolve(text, short_names)?.ok_or_else(|| {
            Error::not_found(format!("{text}: image not known")).hint(format!("rcon pull {text}"))
        })
    }

    fn by_name_or_id(&self, text: &str) -> Result<Option<Image>> {
        let hex = text.strip_prefix("sha256:").unwrap_or(text);
        if hex.is_empty() || hex.len() > 64 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(None);
        }
        let mut matching = self.image_ids()?.into_iter().filter(|id| id.hex().starts_with(hex));
        let (Some(id), more) = (matching.next(), matching.next()) else { return Ok(None) };
        if more.is_some() {
            return Err(Error::new(
                Kind::Conflict,
                format!("{text} is the beginning of several images' ids"),
            ));
        }
        let Some(mut image) = self.image_by_id(&id)? else { return Ok(None) };
        image.names = self.refs()?.into_iter().filter(|r| r.image == id).map(|r| r.name).collect();
        Ok(Some(image))
    }

    /// The image that a full reference names: by its tag, or by its digest (a manifest's or an index's).
    pub fn by_reference(&self, reference: &Reference) -> Result<Option<Image>> {
        let Some(digest) = reference.digest() else {
            let Some(record) = self.read_ref(&reference.canonical())? else { return Ok(None) };
            let Some(mut image) = self.image_by_id(&record.image)? else { return Ok(None) };
            image.names = vec![record.name];
            return Ok(Some(image));
        };
        let wanted = format!("{}@{digest}", reference.name());
        if let Some(record) = self.read_ref(&wanted)?
            && let Some(mut image) = self.image_by_id(&record.image)?
        {
            image.names = vec![record.name];
            return Ok(Some(image));
        }
        Ok(self.images()?.into_iter().find(|image| image.repo_digests.contains(&wanted)))
    }
}

/// What a name may mean among the images that are here.
fn local_candidates(named: &Named, short_names: &ShortNames) -> Result<Vec<Reference>> {
    let short = match named {
        Named::Full(reference) => return Ok(vec![reference.clone()]),
        Named::Short(short) => short,
    };
    let mut candidates = Vec::new();
    if let Some(full) = short_names.alias(short.path()) {
        candidates.push(short.completed_by(full)?);
    }
    for registry in std::iter::once("localhost").chain(short_names.search().iter().map(String::as_str)) {
        candidates.push(short.at(registry)?);
    }
    Ok(candidates)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::storage::RefRecord;

    pub(in crate::storage) fn image() -> Image {
        Image {
            id: Digest::of(b"id"),
            manifest_digest: Digest::of(b"manifest"),
            names: Vec::new(),
            repo_digests: Vec::new(),
            layers: Vec::new(),
            diff_ids: Vec::new(),
            blobs: Vec::new(),
            size: 0,
            created: None,
            annotations: std::collections::BTreeMap::new(),
            media_type: String::new(),
            config: ImageConfig::default(),
        }
    }

    fn store_with(names: &[&str]) -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path()).unwrap();
        for name in names {
            let mut image = image();
            image.id = Digest::of(name.as_bytes());
            image.repo_digests = vec![format!("docker.io/library/x@{}", Digest::of(b"index"))];
            store.write_image(&image).unwrap();
            let manifest = image.manifest_digest.clone();
            let record = RefRecord { name: (*name).to_owned(), image: image.id, manifest, index: None };
            store.write_ref(&record).unwrap();
        }
        (dir, store)
    }

    #[test]
    fn images_are_found_as_podman_finds_them() {
        let (_dir, store) =
            store_with(&["docker.io/library/alpine:latest", "localhost/mine:1", "quay.io/a/b:2"]);
        let short = ShortNames::docker();
        let found = |text: &str| store.resolve(text, &short).unwrap().map(|image| image.names.join(" "));
        let alpine = Some("docker.io/library/alpine:latest".to_owned());
        assert_eq!(found("alpine"), alpine);
        assert_eq!(found("docker.io/alpine"), alpine);
        assert_eq!(found("alpine:3"), None);
        assert_eq!(found("mine:1").as_deref(), Some("localhost/mine:1"));
        assert_eq!(found("quay.io/a/b:2").as_deref(), Some("quay.io/a/b:2"));
        let id = Digest::of(b"docker.io/library/alpine:latest");
        assert_eq!(found(id.hex()), alpine);
        assert_eq!(found(&id.hex()[..7]), alpine);
        assert_eq!(found(id.as_str()), alpine);
        assert!(found(&format!("x@{}", Digest::of(b"index"))).is_some());
        assert_eq!(found("../../etc"), None);
        assert_eq!(store.images().unwrap().len(), 3);
        assert!(store.find("nothing", &short).unwrap_err().hints()[0].contains("rcon pull nothing"));
    }
}
