//! The operations that put the root file system together.

use std::ffi::CString;
use std::path::Path;

use super::{Builder, Phase, c_path};
use crate::error::Result;
use crate::runtime::op::{Kind, Op, Overlay, Slot, Target};
use crate::storage::rootfs::{Content, Layers, Piece, Rootfs, Upper};
use crate::sys::mount::Attributes;

impl Builder<'_> {
    /// Opens all paths of the recipe as the caller, and mounts as early as the id maps allow.
    pub(super) fn root(&mut self, rootfs: &Rootfs) -> Result<()> {
        match rootfs {
            Rootfs::Directory(path) => {
                let mountpoint = self.open(path)?;
                let slot = self.slot();
                let op = Op::Tree {
                    source: c_path(path)?,
                    recursive: true,
                    attributes: Attributes::default(),
                    slot,
                };
                self.push(Phase::Early, op);
                self.push(Phase::Mapped, Op::AttachRoot { slot, mountpoint });
            }
            Rootfs::Overlay(layers) => {
                let mountpoint = self.open(&layers.mountpoint)?;
                let slot = self.overlay(layers, mountpoint)?;
                self.push(Phase::Mapped, Op::AttachRoot { slot, mountpoint });
            }
            Rootfs::Pieces { pieces, mountpoint } => self.pieces(pieces, mountpoint)?,
            Rootfs::FuseOverlayfs { layers, .. } => {
                let mountpoint = self.open(&layers.mountpoint)?;
                let slot = self.slot();
                self.push(Phase::Mapped, Op::Fuse { slot });
                self.push(Phase::Mapped, Op::AttachRoot { slot, mountpoint });
            }
        }
        Ok(())
    }

    fn overlay(&mut self, layers: &Layers, mountpoint: Slot) -> Result<Slot> {
        let lowers = layers.lowers.iter().map(|path| self.open(path)).collect::<Result<_>>()?;
        let data = layers.data.iter().map(|path| self.open(path)).collect::<Result<_>>()?;
        let mut options = vec![(c"userxattr".to_owned(), None)];
        let upper = match &layers.upper {
            Upper::Disk { upper, work, volatile } => {
                if *volatile {
                    options.push((c"volatile".to_owned(), None));
                }
                (self.open(upper)?, self.open(work)?)
            }
            Upper::Memory => {
                let scratch = self.scratch(mountpoint);
                self.room(scratch, c"root")
            }
        };
        let slot = self.slot();
        let mountpoint = c_path(&layers.mountpoint)?;
        let overlay = Overlay { lowers, data, upper: Some(upper), options, mountpoint, slot };
        // Not earlier: without a map the kernel may not write to any inode of the new superblock.
        self.push(Phase::Mapped, Op::Overlay(overlay));
        Ok(slot)
    }

    /// A tmpfs as root, and in it an overlay, a bind or a link for each piece.
    fn pieces(&mut self, pieces: &[Piece], mountpoint_path: &Path) -> Result<()> {
        let mountpoint = self.open(mountpoint_path)?;
        let scratch = self.scratch(mountpoint);
        let root = self.slot();
        self.filesystem(Phase::Mapped, c"tmpfs", vec![(c"mode".to_owned(), Some(c"0755".to_owned()))], root);
        self.push(Phase::Mapped, Op::AttachRoot { slot: root, mountpoint });
        for (index, piece) in pieces.iter().enumerate() {
            let target = Target::new(&Path::new("/").join(&piece.name))?;
            let (slot, kind) = match &piece.content {
                Content::Overlay(path) => {
                    let lowers = vec![self.open(path)?];
                    let room = CString::new(index.to_string()).unwrap_or_default();
                    let upper = Some(self.room(scratch, &room));
                    let slot = self.slot();
                    let options = vec![(c"userxattr".to_owned(), None)];
                    let mountpoint = c_path(mountpoint_path)?;
                    let data = Vec::new();
                    let overlay = Overlay { lowers, data, upper, options, mountpoint, slot };
                    self.push(Phase::Mapped, Op::Overlay(overlay));
                    (slot, Kind::Directory)
                }
                Content::ReadOnly(path) => {
                    let slot = self.slot();
                    let set = Attributes::RDONLY;
                    let attributes = Attributes { set, recursive: true, ..Attributes::default() };
                    let op = Op::Tree { source: c_path(path)?, recursive: true, attributes, slot };
                    self.push(Phase::Open, op);
                    (slot, if path.is_dir() { Kind::Directory } else { Kind::File })
                }
                Content::Link(to) => {
                    let (directory, name) = (Target::new(Path::new("/"))?, c_path(Path::new(&piece.name))?);
                    self.push(Phase::Mapped, Op::Symlink { to: c_path(to)?, directory, name });
                    continue;
                }
                Content::Empty => {
                    self.push(Phase::Mapped, Op::Directory { target, owner: None });
                    continue;
                }
            };
            self.push(Phase::Mapped, Op::Attach { slot, target, kind, attributes: Attributes::default() });
        }
        Ok(())
    }

    /// A tmpfs on the mount point, where the root file system will cover it.
    fn scratch(&mut self, mountpoint: Slot) -> Slot {
        let tmpfs = self.slot();
        let options = vec![(c"mode".to_owned(), Some(c"0700".to_owned()))];
        self.filesystem(Phase::Mapped, c"tmpfs", options, tmpfs);
        self.push(Phase::Mapped, Op::Scratch { tmpfs, mountpoint });
        tmpfs
    }

    /// Upper and work directory in a scratch tmpfs.
    fn room(&mut self, tmpfs: Slot, name: &std::ffi::CStr) -> (Slot, Slot) {
        let (upper, work) = (self.slot(), self.slot());
        self.push(Phase::Mapped, Op::Room { tmpfs, name: name.to_owned(), upper, work });
        (upper, work)
    }

    pub(super) fn open(&mut self, path: &Path) -> Result<Slot> {
        let slot = self.slot();
        self.push(Phase::Open, Op::Open { path: c_path(path)?, slot });
        Ok(slot)
    }

    pub(super) fn filesystem(
        &mut self,
        phase: Phase,
        fstype: &std::ffi::CStr,
        options: Vec<(CString, Option<CString>)>,
        slot: Slot,
    ) {
        let fstype = fstype.to_owned();
        let or = crate::runtime::op::Fallback::Fail;
        self.push(phase, Op::Filesystem { fstype, options, flags: 0, slot, or });
    }
}
