//! Blobs: content under its digest. A blob that has its name is whole and was checked when it got it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{Store, staging};
use crate::error::{Context, Error, Result};
use crate::oci::{Digest, Hasher};
use crate::sys::atomic;
use crate::sys::lock::Lock;

/// A blob that is not complete yet: `staging/ALGORITHM-HEX.part`. It is locked by whoever fetches it and
/// stays when that one dies, so that the next one can go on where it stopped.
#[derive(Debug)]
pub struct PartialBlob {
    file: File,
    path: PathBuf,
    target: PathBuf,
    _lock: Lock,
}

impl Store {
    /// Where a blob lies, if it is here.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.root.join("blobs").join(digest.algorithm().name()).join(digest.hex())
    }

    /// Whether a blob is here, whole.
    pub fn has_blob(&self, digest: &Digest) -> bool {
        self.blob_path(digest).is_file()
    }

    /// A small blob of at most `limit` bytes, if it is here and still what its digest says.
    pub fn read_blob(&self, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>> {
        let path = self.blob_path(digest);
        let Ok(file) = File::open(&path) else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes).context(|| format!("cannot read {}", path.display()))?;
        let mut hasher = Hasher::new(digest.algorithm());
        hasher.update(&bytes);
        Ok((bytes.len() as u64 <= limit && hasher.finish() == *digest).then_some(bytes))
    }

    /// Keeps a small blob, whose digest the caller has checked.
    pub fn write_blob(&self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        self.blob_directory(digest)?;
        atomic::write(&self.blob_path(digest), bytes, 0o644)
    }

    /// Claims the right to fetch a blob, and waits while somebody else fetches it. `None` where the blob is
    /// here (by then).
    pub fn partial_blob(&self, digest: &Digest) -> Result<Option<PartialBlob>> {
        self.blob_directory(digest)?;
        let name = format!("{}-{}.part", digest.algorithm().name(), digest.hex());
        let path = self.directory("staging")?.join(name);
        let lock = staging::claim(&path)?;
        let target = self.blob_path(digest);
        if target.is_file() {
            atomic::remove_optional(&path)?;
            return Ok(None);
        }
        let file = OpenOptions::new().read(true).append(true).create(true).mode(0o644).open(&path);
        let file = file.context(|| format!("cannot open {}", path.display()))?;
        Ok(Some(PartialBlob { file, path, target, _lock: lock }))
    }

    fn blob_directory(&self, digest: &Digest) -> Result<PathBuf> {
        self.directory(&format!("blobs/{}", digest.algorithm().name()))
    }
}

impl PartialBlob {
    /// Bytes that are there.
    pub fn len(&self) -> Result<u64> {
        Ok(self.file.metadata().context(|| self.cannot("stat"))?.len())
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// A reader of what is there, from the beginning.
    pub fn reader(&self) -> Result<File> {
        File::open(&self.path).context(|| self.cannot("open"))
    }

    /// Appends the next bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let hint = |error: Error| error.hint("rcon system prune");
        let written = self.file.write_all(bytes);
        let is_full = written.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::StorageFull);
        written.context(|| self.cannot("write")).map_err(|error| if is_full { hint(error) } else { error })
    }

    /// Forgets what is there.
    pub fn restart(&mut self) -> Result<()> {
        self.file.set_len(0).context(|| self.cannot("truncate"))
    }

    /// Gives the blob its name. The caller has checked its digest.
    pub fn commit(self) -> Result<()> {
        std::fs::rename(&self.path, &self.target).context(|| self.cannot("rename"))
    }

    /// Where the blob is going to lie.
    pub fn target(&self) -> &Path {
        &self.target
    }

    fn cannot(&self, act: &str) -> String {
        format!("cannot {act} {}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partial_blob_is_resumed_and_fetched_by_one_only() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::at(dir.path()).unwrap();
        let digest = Digest::of(b"hello");
        let mut partial = store.partial_blob(&digest).unwrap().unwrap();
        partial.append(b"hel").unwrap();
        drop(partial);
        let mut partial = store.partial_blob(&digest).unwrap().unwrap();
        assert_eq!(partial.len().unwrap(), 3);
        let waiter = std::thread::spawn({
            let (store, digest) = (store.clone(), digest.clone());
            move || store.partial_blob(&digest).unwrap().is_none()
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        partial.append(b"lo").unwrap();
        partial.commit().unwrap();
        assert!(waiter.join().unwrap(), "the second finds the blob");
        assert_eq!(store.read_blob(&digest, 5).unwrap().unwrap(), b"hello");
        assert!(store.read_blob(&digest, 4).unwrap().is_none(), "longer than allowed");
        std::fs::write(store.blob_path(&digest), b"jello").unwrap();
        assert!(store.read_blob(&digest, 5).unwrap().is_none(), "not what its name says");
        assert_eq!(std::fs::read_dir(dir.path().join("staging")).unwrap().count(), 0);
    }
}
