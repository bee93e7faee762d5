//! Garbage: layers and blobs that no image, no container and no running pull needs.
//!
//! The exclusive lock is held while things are marked and moved away, never while trees are removed.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::staging::{Parts, Staging, remove_tree};
use super::{Store, file_names};
use crate::error::{Context, Result};
use crate::sys::atomic;
use crate::sys::lock::Lock;

/// What a collection removed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freed {
    /// Keys of layers.
    pub layers: Vec<String>,
    /// Digests of blobs, as `ALGORITHM:HEX`.
    pub blobs: Vec<String>,
    /// Bytes that both took.
    pub bytes: u64,
}

/// What must stay.
#[derive(Default)]
struct Marked {
    layers: HashSet<String>,
    blobs: HashSet<String>,
}

impl Store {
    /// Removes every layer and blob that is not needed, and what dead processes left. `keep` are keys of
    /// layers to be left alone. The trees belong to subordinate ids: the caller is root in the user
    /// namespace that wrote them.
    pub fn gc(&self, keep: &[String], parts: Parts) -> Result<Freed> {
        let trash = self.staging()?;
        let freed = {
            let _alone = Lock::exclusive(&self.directory("locks")?.join("gc"))?;
            let mut marked = self.mark()?;
            marked.layers.extend(keep.iter().cloned());
            self.move_away(&marked, &trash)?
        };
        remove_tree(trash.path())?;
        drop(trash);
        self.sweep(parts)?;
        Ok(freed)
    }

    fn mark(&self) -> Result<Marked> {
        let mut marked = Marked::default();
        for id in self.image_ids()? {
            let Some(image) = self.image_by_id(&id)? else { continue };
            marked.layers.extend(image.layers);
            marked.blobs.extend(image.blobs.into_iter().map(String::from));
            marked.blobs.insert(image.id.into());
            marked.blobs.insert(image.manifest_digest.into());
        }
        for record in self.refs()? {
            marked.blobs.insert(record.manifest.into());
            marked.blobs.extend(record.index.map(String::from));
        }
        for kept in self.kept_by_pulls()? {
            marked.layers.extend(kept.layers);
            marked.blobs.extend(kept.blobs.into_iter().map(String::from));
        }
        marked.layers.extend(self.layers_of_containers()?);
        Ok(marked)
    }

    /// The layers that containers stand on. A record that cannot be read stops the collection: what it
    /// needs is not known.
    fn layers_of_containers(&self) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Record {
            #[serde(default)]
            layers: Vec<String>,
        }
        let containers = self.root.join("containers");
        let mut layers = Vec::new();
        for id in file_names(&containers)? {
            let path = containers.join(id).join("record.json");
            let Some(bytes) = atomic::read_optional(&path)? else { continue };
            let record: Record =
                serde_json::from_slice(&bytes).context(|| format!("cannot read {}", path.display()))?;
            layers.extend(record.layers);
        }
        Ok(layers)
    }

    fn move_away(&self, marked: &Marked, trash: &Staging) -> Result<Freed> {
        let mut freed = Freed::default();
        let layers = self.root.join("layers");
        for key in file_names(&layers)?.into_iter().filter(|key| !marked.layers.contains(key)) {
            freed.bytes += self.layer(&key).ok().flatten().map_or(0, |record| record.size);
            self.take_layer(&key, &trash.path().join(&key))?;
            freed.layers.push(key);
        }
        for algorithm in ["sha256", "sha512"] {
            let directory = self.root.join("blobs").join(algorithm);
            for hex in file_names(&directory)? {
                let digest = format!("{algorithm}:{hex}");
                if marked.blobs.contains(&digest) {
                    continue;
                }
                let path = directory.join(&hex);
                // A hidden file is somebody's write in progress, or what a dead one left of it.
                if hex.starts_with('.') && is_recent(&path) {
                    continue;
                }
                freed.bytes += std::fs::metadata(&path).map_or(0, |meta| meta.len());
                atomic::remove_optional(&path)?;
                freed.blobs.push(digest);
            }
        }
        Ok(freed)
    }
}

fn is_recent(path: &std::path::Path) -> bool {
    let age = std::fs::metadata(path).and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
    age.is_none_or(|age| age.as_secs() < 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    #[test]
    fn only_what_nobody_needs_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path()).unwrap();
        for key in ["image", "container", "pull", "kept", "garbage"] {
            std::fs::create_dir_all(store.layer_dir(key)).unwrap();
        }
        let mut image = crate::storage::images::tests::image();
        image.layers = vec!["image".into()];
        for content in [&b"config"[..], b"manifest", b"layer", b"garbage"] {
            store.write_blob(&Digest::of(content), content).unwrap();
        }
        image.id = Digest::of(b"config");
        image.manifest_digest = Digest::of(b"manifest");
        image.blobs = vec![Digest::of(b"layer")];
        store.write_image(&image).unwrap();
        std::fs::create_dir_all(dir.path().join("containers/c")).unwrap();
        std::fs::write(dir.path().join("containers/c/record.json"), r#"{"layers":["container"]}"#).unwrap();
        let pull = store.staging().unwrap();
        pull.keep(vec!["pull".into()], Vec::new()).unwrap();
        let freed = store.gc(&["kept".into()], Parts::Keep).unwrap();
        assert_eq!(freed.layers, ["garbage"]);
        assert_eq!(freed.blobs, [Digest::of(b"garbage").to_string()]);
        assert_eq!(freed.bytes, 7);
        drop(pull);
        std::fs::write(dir.path().join("containers/c/record.json"), "{").unwrap();
        assert!(store.gc(&[], Parts::Keep).is_err(), "a broken record stops the collection");
        assert!(store.layer_dir("container").exists());
    }
}
