//! The store as an OCI image layout: `oci-layout` and `index.json`, for other tools to read. The index is a
//! view: it is written after names have changed and never read here.

use std::collections::BTreeSet;

use serde_json::json;

use super::Store;
use crate::error::{Context, Result};
use crate::sys::atomic;

impl Store {
    /// Writes `oci-layout` and `index.json` anew. The caller holds [`Store::naming`].
    pub fn write_layout(&self) -> Result<()> {
        let marker = self.root.join("oci-layout");
        if !marker.exists() {
            atomic::write(&marker, br#"{"imageLayoutVersion":"1.0.0"}"#, 0o644)?;
        }
        let mut named = BTreeSet::new();
        let mut manifests = Vec::new();
        for record in self.refs()? {
            named.insert(record.image.clone());
            manifests.extend(self.entry(&record.manifest, Some(&record.name)));
        }
        for id in self.image_ids()?.into_iter().filter(|id| !named.contains(id)) {
            let Some(image) = self.image_by_id(&id)? else { continue };
            manifests.extend(self.entry(&image.manifest_digest, None));
        }
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": manifests,
        });
        let bytes = serde_json::to_vec(&index).context(|| "cannot encode index.json")?;
        atomic::write(&self.root.join("index.json"), &bytes, 0o644)
    }

    fn entry(&self, manifest: &crate::oci::Digest, name: Option<&str>) -> Option<serde_json::Value> {
        let bytes = self.read_blob(manifest, 4 << 20).ok()??;
        let stated: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        let media_type = stated.get("mediaType").and_then(|value| value.as_str());
        let mut entry = json!({
            "mediaType": media_type.unwrap_or("application/vnd.oci.image.manifest.v1+json"),
            "digest": manifest,
            "size": bytes.len(),
        });
        if let Some(name) = name {
            entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        }
        Some(entry)
    }
}
