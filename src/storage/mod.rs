//! What is kept on disk, as plain files that any OCI tool can read.
//!
//! ```text
//! oci-layout  index.json      the OCI image layout; index.json is a view derived from images/ and refs/
//! blobs/sha256/HEX            manifests, configurations and compressed layers, as the registry sent them
//! layers/KEY/fs/              an unpacked layer; KEY is the diff id, or the chain id of a layer that links
//! layers/KEY/layer.json       into the ones below it
//! images/HEX.json             one record an image, by the digest of its configuration
//! refs/NAME.json              one record a name: which image it means
//! staging/                    what is being fetched, unpacked or thrown away; what no lock protects is garbage
//! locks/gc                    shared: I am between finding a layer and recording its use; exclusive: gc
//! locks/refs                  exclusive: names are being moved
//! containers/ names/ volumes/ not of this module's making; gc reads which layers containers hold
//! ```
//!
//! Records are replaced by rename and read without a lock. Nothing here speaks to a network.

mod blobs;
mod gc;
mod images;
mod layers;
mod layout;
mod refs;
pub mod rootfs;
mod staging;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

pub use blobs::PartialBlob;
pub use gc::Freed;
pub use images::Image;
pub use layers::{Census, LayerRecord, boot_id, chain_ids};
pub use refs::RefRecord;
pub use staging::{LayerLock, Parts, Staging};

use crate::config::Paths;
use crate::error::{Error, Kind, Result};
use crate::sys::lock::Lock;

/// The store of one user: a directory, opened.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

impl Store {
    /// Opens the store, whose directory is made (0700) where it is missing.
    pub fn open(paths: &Paths) -> Result<Self> {
        Self::at(&paths.data)
    }

    /// Opens the store in `root`.
    pub fn at(root: &Path) -> Result<Self> {
        make_directory(root)?;
        Ok(Self { root: root.to_owned() })
    }

    /// The directory that everything lies in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Forbids gc to take anything away for as long as the lock lives: held by whoever is between finding a
    /// layer and recording its use.
    pub fn reader(&self) -> Result<Lock> {
        Lock::shared(&self.directory("locks")?.join("gc"))
    }

    /// A directory of the store by its name, made where it is missing.
    pub fn directory(&self, name: &str) -> Result<PathBuf> {
        let path = self.root.join(name);
        make_directory(&path)?;
        Ok(path)
    }
}

/// mkdir -p with mode 0700; that the directory exists is no failure.
fn make_directory(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| {
        let kind = if error.raw_os_error() == Some(libc::EROFS) { Kind::Denied } else { Kind::System };
        Error::wrap(format!("cannot create {}", path.display()), error)
            .with_kind(kind)
            .hint("choose another place with --root, XDG_DATA_HOME or HOME")
    })
}

/// The names in a directory; none where there is no such directory.
fn file_names(directory: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::wrap(format!("cannot read {}", directory.display()), error)),
    };
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
}
