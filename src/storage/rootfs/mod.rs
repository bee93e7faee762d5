//! The root file system of a container as a recipe: what to put together, not yet mounted.
//!
//! The recipe is carried out inside the container's own mount namespace, so nothing is ever mounted on the
//! host and nothing has to be unmounted.

mod choice;
pub mod fuse;
mod pieces;
pub mod remap;
pub mod remapped;
pub mod view;

use std::path::PathBuf;

pub use choice::{Choice, Driver, choose};
pub use pieces::{Content, Piece, pieces};

/// How to make a root file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rootfs {
    /// A directory as it is.
    Directory(PathBuf),
    /// The kernel's overlay.
    Overlay(Layers),
    /// A directory of the host, piece by piece, under overlays whose writes go to memory.
    Pieces {
        /// What is in it, by name.
        pieces: Vec<Piece>,
        /// An empty directory to mount on.
        mountpoint: PathBuf,
    },
    /// The same layers through fuse-overlayfs, for kernels and file systems that refuse the overlay.
    FuseOverlayfs {
        /// The layers.
        layers: Layers,
        /// The program.
        program: PathBuf,
        /// Further options, as on its command line after `-o`.
        options: Vec<String>,
    },
}

/// The layers of an overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers {
    /// Directories of the layers, top first.
    pub lowers: Vec<PathBuf>,
    /// Directories that hold only file contents to which `lowers` redirect.
    pub data: Vec<PathBuf>,
    /// Where writes go.
    pub upper: Upper,
    /// An empty directory to mount on.
    pub mountpoint: PathBuf,
}

/// Where the writes to an overlay go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upper {
    /// Directories of one file system.
    Disk {
        /// What was changed.
        upper: PathBuf,
        /// The kernel's working space.
        work: PathBuf,
        /// Whether the data need not survive a crash, so that unmounting need not sync the file system.
        volatile: bool,
    },
    /// A tmpfs that goes with the mount namespace.
    Memory,
}
