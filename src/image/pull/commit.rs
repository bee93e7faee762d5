//! Records of a complete image; the name comes last.

use super::layers::Obtained;
use crate::error::Result;
use crate::oci::{Digest, ImageConfig, Manifest, Reference};
use crate::storage::{RefRecord, Store};

/// An image, all of whose layers are in the store.
pub(super) struct Complete {
    pub(super) id: Digest,
    pub(super) manifest_digest: Digest,
    pub(super) manifest: Manifest,
    pub(super) index: Option<Digest>,
    pub(super) config: ImageConfig,
    pub(super) layers: Vec<Obtained>,
    /// The documents as they came, to be kept as blobs.
    pub(super) documents: Vec<(Digest, Vec<u8>)>,
}

/// Writes the documents, the image's record, and last its name.
pub(super) fn commit(store: &Store, reference: &Reference, complete: Complete) -> Result<Digest> {
    for (digest, bytes) in &complete.documents {
        // What is there may have rotted since: it is read, not only looked for.
        if store.read_blob(digest, bytes.len() as u64)?.is_none() {
            store.write_blob(digest, bytes)?;
        }
    }
    let _naming = store.naming()?;
    let mut image = complete.record(reference);
    if let Some(known) = store.image_by_id(&image.id)? {
        // The same image under another manifest (other compression, other repository): both stay known.
        for digest in known.repo_digests {
            if !image.repo_digests.contains(&digest) {
                image.repo_digests.push(digest);
            }
        }
        for blob in known.blobs.into_iter().chain([known.manifest_digest]) {
            if !image.blobs.contains(&blob) {
                image.blobs.push(blob);
            }
        }
    }
    store.write_image(&image)?;
    store.write_ref(&RefRecord {
        name: reference.canonical(),
        image: image.id.clone(),
        manifest: complete.manifest_digest,
        index: complete.index,
    })?;
    store.write_layout()?;
    Ok(image.id)
}
