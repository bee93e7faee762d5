//! Layers: from an archive, as a registry serves it, to a directory in the form that overlayfs stacks.
//!
//! ```text
//! source -> inflate -> sha256 (the diff id) -> tar headers -> files below a sys::Root
//! caller's   thread      thread                      thread
//! ```
//!
//! Buffers of 256 KiB travel down that line and come back to its start: twelve of them (3 MiB) are all that is in
//! flight, whatever the layer's size. Beside them memory holds the decoder's window (32 KiB for gzip, at
//! most 128 MiB for zstd, whose larger windows are refused), one entry's extended header (at most 1 MiB) and
//! the names of the layer's directories (bounded by [`Limits::names`]).
//!
//! A layer is hostile until proven otherwise: names are resolved by [`Root`] alone, an entry never follows
//! a link in its last component, and [`Limits`] bound what an archive can make of the disk and of memory.
//!
//! On disk a whiteout is a 0/0 character device and an opaque directory carries `user.overlay.opaque=y`;
//! what could not be set is recorded in `user.containers.override_stat`, in the form that
//! containers/storage and fuse-overlayfs give it.

mod archive;
mod attributes;
mod draft;
mod extract;
mod header;
mod name;
mod notes;
mod objects;
mod outside;
mod parents;
mod path_text;
mod pax;
mod pipeline;
mod sparse;
mod whiteout;

#[cfg(test)]
mod tests;

pub use outside::resolve_outside_links;

use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::oci::Digest;
use crate::sys::root::Root;

use extract::Extractor;
use notes::Note;

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// A plain tar stream.
    None,
    /// gzip (RFC 1952), any number of members.
    Gzip,
    /// Zstandard (RFC 8878), any number of frames.
    Zstd,
}

impl Compression {
    /// What the first bytes of a stream show it to be. Six bytes are enough.
    pub fn sniff(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, 0x08, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            // A skippable frame may come first (zstd:chunked puts its index there).
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }

    /// What a layer's media type says; `None` for a type that is not a layer's.
    pub fn of_media_type(media_type: &str) -> Option<Self> {
        let layer = media_type.starts_with("application/vnd.oci.image.layer.")
            || media_type.starts_with("application/vnd.docker.image.rootfs.");
        let (_, suffix) = media_type.rsplit_once("tar").filter(|_| layer)?;
        match suffix {
            "" => Some(Self::None),
            "+gzip" | ".gzip" => Some(Self::Gzip),
            "+zstd" | ".zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "uncompressed",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// Who the files may belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owners {
    /// The process is root in a user namespace (or on the host): owners are set, and those outside the
    /// namespace's map are recorded.
    Mapped,
    /// Nothing but the process's own ids exists: no owner is set, any but 0:0 is recorded.
    Single,
}

/// What an archive may make of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of file content.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
    /// Bytes in the names that have to be remembered (directories, links to lower layers, owners of links).
    pub names: u64,
    /// Bytes in one path.
    pub path: usize,
    /// Components in one path.
    pub depth: usize,
    /// Uncompressed bytes for each compressed one, once [`Limits::FREE`] bytes have come out.
    pub ratio: u64,
}

impl Limits {
    /// How much may come out of a compressed stream before the ratio counts.
    pub const FREE: u64 = 1 << 30;
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 256 << 30, entries: 8 << 20, names: 256 << 20, path: 4095, depth: 1024, ratio: 500 }
    }
}

/// How a layer is unpacked.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Who the files may belong to.
    pub owners: Owners,
    /// The bounds.
    pub limits: Limits,
}

/// What became of an archive.
#[derive(Debug, Serialize, Deserialize)]
pub struct Unpacked {
    /// sha256 of the uncompressed stream, all of it.
    pub diff_id: Digest,
    /// Bytes of file content written.
    pub bytes: u64,
    /// Entries in the archive.
    pub entries: u64,
    /// Whether the archive says what the root directory itself is like (its owner, mode and time).
    pub has_root_entry: bool,
    /// Whether the layer hides everything below it: overlayfs does not heed an opaque root directory, so a
    /// stack has to end at this layer.
    pub has_opaque_root: bool,
    /// What was left out or could not be set, one sentence a sort.
    pub notes: Vec<String>,
    /// Hard links to files that only lower layers can have, for [`resolve_outside_links`].
    pub outside_links: Vec<OutsideLink>,
    /// What the entries should be whose object cannot carry `user.containers.override_stat` itself.
    pub overrides: Vec<Override>,
}

/// A hard link whose target is not in the layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutsideLink {
    /// Where the link belongs, relative to the root.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// What it is another name of, relative to the root.
    #[serde(with = "path_text")]
    pub target: PathBuf,
}

/// The recorded attributes of a link, a FIFO or a device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// The object, relative to the root. A device is not there at all.
    #[serde(with = "path_text")]
    pub path: PathBuf,
    /// `UID:GID:0MODE` or, for a device, `UID:GID:0MODE:char-MAJOR-MINOR` (or `block-`).
    pub stat: String,
}

/// Unpacks the layer that `source` delivers into the empty directory `into`.
///
/// `compression` is what the media type says; the stream's first bytes overrule it. The stream is read
/// to its end, archive or not, so that the caller's digest of it is that of the whole blob. Three threads
/// live while it runs.
///
/// Errors are [`Kind::Invalid`](crate::error::Kind::Invalid) and name the entry where the archive is at
/// fault. `into` is then to be removed.
pub fn unpack_blob(
    source: impl Read + Send,
    compression: Compression,
    into: &Root,
    options: &Options,
) -> Result<Unpacked> {
    let written = pipeline::run(source, &options.limits, |stream| Extractor::new(into, options)?.run(stream));
    let (diff_id, found, summary) = written?;
    let mut notes = summary.notes.sentences();
    if found != compression {
        notes.push(format!("the layer is {found}, not {compression} as its media type says"));
    }
    Ok(Unpacked {
        diff_id,
        bytes: summary.bytes,
        entries: summary.entries,
        has_root_entry: summary.has_root_entry,
        has_opaque_root: summary.notes.has(Note::OpaqueRoot),
        notes,
        outside_links: summary.outside_links,
        overrides: summary.overrides,
    })
}
