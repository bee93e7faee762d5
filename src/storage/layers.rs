//! Unpacked layers: `layers/KEY/fs` and a record beside it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Image, Store};
use crate::error::{Context, Kind, Result};
use crate::oci::Digest;
use crate::sys::atomic;

/// What is known about an unpacked layer (`layers/KEY/layer.json`). It is in place before the directory gets
/// its name, so a layer without one does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerRecord {
    /// The digest of the uncompressed archive.
    pub diff_id: Digest,
    /// The blob that it was unpacked from.
    pub blob: Digest,
    /// Bytes of file content in the archive.
    pub size: u64,
    /// What the directory held when it was complete.
    #[serde(default)]
    pub census: Census,
    /// The boot in which it was written without being synced. After a power cut in that boot it may be
    /// incomplete; in a later boot it is checked or unpacked anew before use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsynced_boot: Option<String>,
    /// What could not be unpacked as the archive says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The attributes of objects that cannot carry them, as `UID:GID:MODE[:device]`, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<PathBuf, String>,
}

/// A count of what lies below a directory: enough to see that a power cut took something, which shows as
/// missing or empty files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Census {
    /// Directories, files, links and devices.
    pub entries: u64,
    /// Bytes in files, each name counted.
    pub bytes: u64,
}

impl Census {
    /// Counts what lies below `directory`.
    pub fn of(directory: &Path) -> Result<Self> {
        let mut census = Self::default();
        let mut pending = vec![directory.to_owned()];
        while let Some(directory) = pending.pop() {
            let cannot = || format!("cannot read {}", directory.display());
            for entry in std::fs::read_dir(&directory).context(cannot)? {
                let entry = entry.context(cannot)?;
                census.entries += 1;
                let kind = entry.file_type().context(cannot)?;
                if kind.is_dir() {
                    pending.push(entry.path());
                } else if kind.is_file() {
                    census.bytes += entry.metadata().context(cannot)?.len();
                }
            }
        }
        Ok(census)
    }
}

impl Store {
    /// Where the files of the layer `key` lie.
    pub fn layer_dir(&self, key: &str) -> PathBuf {
        self.root.join("layers").join(key).join("fs")
    }

    /// The record of the layer `key`, or `None` where there is no such layer.
    pub fn layer(&self, key: &str) -> Result<Option<LayerRecord>> {
        let path = self.root.join("layers").join(key).join("layer.json");
        let Some(bytes) = atomic::read_optional(&path)? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(&bytes).context(|| format!("cannot read {}", path.display()))?))
    }

    /// The key of the layer with this diff id that stands on the layers whose chain id is `chain`: the
    /// chain id where the layer links into those, else the diff id. `None` where it is not here.
    pub fn layer_key(&self, diff_id: &Digest, chain: &Digest) -> Option<String> {
        let is_here = |key: &&str| self.root.join("layers").join(key).join("layer.json").exists();
        [diff_id.hex(), chain.hex()].into_iter().find(is_here).map(str::to_owned)
    }

    /// Gives a complete layer, which lies in `staged/fs`, its name. That somebody else was faster is no
    /// failure.
    pub fn commit_layer(&self, staged: &Path, key: &str, record: &LayerRecord) -> Result<()> {
        let bytes = serde_json::to_vec(record).context(|| "cannot encode a layer's record")?;
        atomic::write(&staged.join("layer.json"), &bytes, 0o600)?;
        let target = self.directory("layers")?.join(key);
        match std::fs::rename(staged, &target) {
            Err(error) if target.join("layer.json").exists() => {
                let _ = error;
                Ok(())
            }
            renamed => renamed.context(|| format!("cannot name layer {}", target.display())),
        }
    }

    /// Looks at the layers of `image` that an earlier boot left without knowing that they reached the disk,
    /// and gives the keys of those that are damaged, which are to be unpacked anew from their blobs. What is
    /// whole is marked so. Costs one small read a layer in the usual case.
    pub fn damaged_layers(&self, image: &Image) -> Result<Vec<String>> {
        let mut damaged = Vec::new();
        for key in &image.layers {
            if !self.is_sound(key)? {
                damaged.push(key.clone());
            }
        }
        Ok(damaged)
    }

    /// Whether a layer is here and, if an earlier boot left it in doubt, whole.
    pub fn is_sound(&self, key: &str) -> Result<bool> {
        let Some(mut record) = self.layer(key)? else { return Ok(false) };
        if record.unsynced_boot.as_ref().is_none_or(|boot| *boot == boot_id()) {
            return Ok(true);
        }
        // Directories that only root of the user namespace can read leave the layer in doubt, not damaged.
        match Census::of(&self.layer_dir(key)) {
            Err(error) if error.kind() == Kind::Denied => return Ok(true),
            Ok(census) if census == record.census => {}
            _ => return Ok(false),
        }
        record.unsynced_boot = None;
        let path = self.root.join("layers").join(key).join("layer.json");
        let bytes = serde_json::to_vec(&record).context(|| "cannot encode a layer's record")?;
        atomic::write(&path, &bytes, 0o600)?;
        Ok(true)
    }

    /// Takes a layer's name away, so that it can be unpacked anew. The directory goes to `to`.
    pub fn take_layer(&self, key: &str, to: &Path) -> Result<()> {
        let from = self.root.join("layers").join(key);
        match std::fs::rename(&from, to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            renamed => renamed.context(|| format!("cannot move {} away", from.display())),
        }
    }
}

/// The kernel's name for this boot; empty where /proc does not tell, which no boot's name is equal to.
pub fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// The chain ids of a stack of layers, bottom first: each names a layer together with those below it.
/// Source: OCI image-spec, config.md, "Layer ChainID".
pub fn chain_ids(diff_ids: &[Digest]) -> Vec<Digest> {
    let mut chain: Vec<Digest> = Vec::with_capacity(diff_ids.len());
    for diff_id in diff_ids {
        chain.push(match chain.last() {
            None => diff_id.clone(),
            Some(below) => Digest::of(format!("{below} {diff_id}").as_bytes()),
        });
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> LayerRecord {
        LayerRecord {
            diff_id: Digest::of(b"d"),
            blob: Digest::of(b"b"),
            size: 3,
            census: Census { entries: 2, bytes: 3 },
            unsynced_boot: Some("an earlier boot".into()),
            notes: Vec::new(),
            overrides: BTreeMap::new(),
        }
    }

    #[test]
    fn a_layer_of_an_earlier_boot_is_checked_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path()).unwrap();
        let key = Digest::of(b"d").hex().to_owned();
        let staged = dir.path().join("staged");
        std::fs::create_dir_all(staged.join("fs/d")).unwrap();
        std::fs::write(staged.join("fs/d/f"), "abc").unwrap();
        store.commit_layer(&staged, &key, &record()).unwrap();
        let image = Image { layers: vec![key.clone()], ..crate::storage::images::tests::image() };
        std::fs::write(store.layer_dir(&key).join("d/f"), "").unwrap();
        assert_eq!(store.damaged_layers(&image).unwrap(), std::slice::from_ref(&key));
        std::fs::write(store.layer_dir(&key).join("d/f"), "abc").unwrap();
        assert!(store.damaged_layers(&image).unwrap().is_empty());
        assert_eq!(store.layer(&key).unwrap().unwrap().unsynced_boot, None);
        store.take_layer(&key, &dir.path().join("taken")).unwrap();
        store.take_layer(&key, &dir.path().join("taken")).unwrap();
        assert_eq!(store.damaged_layers(&image).unwrap(), [key]);
    }

    #[test]
    fn chain_ids_follow_the_specification() {
        let (a, b) = (Digest::of(b"a"), Digest::of(b"b"));
        let chain = chain_ids(&[a.clone(), b.clone()]);
        assert_eq!(chain[0], a);
        assert_eq!(chain[1], Digest::of(format!("{a} {b}").as_bytes()));
    }
}
