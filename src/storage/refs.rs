//! Names of images: one record a name, replaced by rename. Writing one is the commit of a pull.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Store;
use crate::error::{Context, Result};
use crate::oci::Digest;
use crate::sys::atomic;
use crate::sys::lock::Lock;

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefRecord {
    /// The canonical name: `docker.io/library/alpine:latest`, or `…@sha256:…` for what was pulled by digest.
    pub name: String,
    /// The image's id.
    pub image: Digest,
    /// The manifest that the registry gave for the name.
    pub manifest: Digest,
    /// The index that the manifest was chosen from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Digest>,
}

impl Store {
    fn ref_path(&self, name: &str) -> PathBuf {
        self.root.join("refs").join(format!("{}.json", encode(name)))
    }

    /// What `name` means, a canonical name.
    pub fn read_ref(&self, name: &str) -> Result<Option<RefRecord>> {
        let path = self.ref_path(name);
        let Some(bytes) = atomic::read_optional(&path)? else { return Ok(None) };
        Ok(Some(serde_json::from_slice(&bytes).context(|| format!("cannot read {}", path.display()))?))
    }

    /// All names, sorted.
    pub fn refs(&self) -> Result<Vec<RefRecord>> {
        let directory = self.root.join("refs");
        let mut refs: Vec<RefRecord> = Vec::new();
        for file in super::file_names(&directory)?.iter().filter(|name| name.ends_with(".json")) {
            let path = directory.join(file);
            // A name may vanish while the directory is read.
            let Some(bytes) = atomic::read_optional(&path)? else { continue };
            refs.push(serde_json::from_slice(&bytes).context(|| format!("cannot read {}", path.display()))?);
        }
        refs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(refs)
    }

    /// Makes `record.name` mean `record.image`.
    pub fn write_ref(&self, record: &RefRecord) -> Result<()> {
        self.directory("refs")?;
        let path = self.ref_path(&record.name);
        let bytes = serde_json::to_vec(record).context(|| format!("cannot encode {}", path.display()))?;
        atomic::write(&path, &bytes, 0o600)
    }

    /// Forgets a name.
    pub fn remove_ref(&self, name: &str) -> Result<()> {
        atomic::remove_optional(&self.ref_path(name))
    }

    /// Excludes everybody else who moves names or changes image records.
    pub fn naming(&self) -> Result<Lock> {
        Lock::exclusive(&self.directory("locks")?.join("refs"))
    }
}

/// A file name for a reference: percent-encoded where it is not a letter, a digit or one of `._-@:`. Names
/// longer than a file name may be end in their digest.
fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len() + 8);
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'@' | b':' => encoded.push(byte as char),
            b'.' if !encoded.is_empty() => encoded.push('.'),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    if encoded.len() > 200 {
        encoded.truncate(180 - 64);
        encoded = format!("{encoded}~{}", Digest::of(name.as_bytes()).hex());
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_of_references_are_distinct_and_safe() {
        assert_eq!(encode("docker.io/library/alpine:3.20"), "docker.io%2Flibrary%2Falpine:3.20");
        assert_eq!(encode("../x"), "%2E.%2Fx");
        let long = format!("localhost/{}", "a/".repeat(120));
        assert!(encode(&long).len() <= 200);
        assert_ne!(encode(&long), encode(&format!("{long}b")));
    }
}
