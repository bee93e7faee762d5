//! The root file system of a new container: from the image's layers, or from a directory of the host.

use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use super::{Draft, Reports};
use crate::error::{Context, Error, Result};
use crate::spec::{Base, RootfsMode};
use crate::storage::rootfs::{self, Choice, Content, Driver, Layers, Rootfs, Upper, remapped, view};
use crate::userns;

/// A database file of more bytes than this is no database.
const MAX_DATABASE: u64 = 1 << 20;

/// A root file system that can be mounted, and looked into without being mounted.
pub(super) struct Root {
    pub(super) recipe: Rootfs,
    /// What made it, for people.
    pub(super) driver: String,
    /// Top first.
    pub(super) layers: Vec<PathBuf>,
    mountpoint: PathBuf,
}

impl Root {
    /// Where it will be mounted.
    pub(super) fn path(&self) -> &Path {
        &self.mountpoint
    }

    /// The content of a small file; empty where there is none.
    pub(super) fn read(&self, path: &str) -> Vec<u8> {
        view::read(&self.layers, Path::new(path), MAX_DATABASE).unwrap_or_default()
    }
}

impl Draft<'_> {
    /// Makes the directories and decides what will be mounted.
    pub(super) fn root(&mut self, reports: &Reports<'_>) -> Result<Root> {
        match &self.request.base {
            Base::Rootfs(rootfs) => {
                let path = resolved(&rootfs.path)?;
                match rootfs.mode {
                    RootfsMode::Direct => Ok(Root {
                        recipe: Rootfs::Directory(path.clone()),
                        driver: "directory".into(),
                        layers: vec![path.clone()],
                        mountpoint: path,
                    }),
                    RootfsMode::Overlay => self.overlaid_directory(path, reports),
                }
            }
            Base::Image(_) => self.image_root(reports),
        }
    }

    fn image_root(&self, reports: &Reports<'_>) -> Result<Root> {
        let store = &self.session.store;
        let keys = self.image.as_ref().map(|image| image.layers.as_slice()).unwrap_or_default();
        let lowers: Vec<PathBuf> = keys.iter().rev().map(|key| store.layer_dir(key)).collect();
        self.stacked(lowers, reports)
    }

    /// A directory under an overlay. Where the store itself lies below the directory, the kernel refuses the
    /// overlap, and writes go to memory.
    fn overlaid_directory(&self, path: PathBuf, reports: &Reports<'_>) -> Result<Root> {
        let store = resolved(self.session.store.root())?;
        if !store.starts_with(&path) {
            return self.stacked(vec![path], reports);
        }
        let mountpoint = self.directory.make("rootfs")?;
        let pieces = rootfs::pieces(&path)?;
        for piece in
            pieces.iter().filter(|piece| matches!(&piece.content, Content::ReadOnly(path) if path.is_dir()))
        {
            (reports.note)(&format!("/{} is read-only: other file systems are mounted below it", piece.name));
        }
        let recipe = Rootfs::Pieces { pieces, mountpoint: mountpoint.clone() };
        Ok(Root { recipe, driver: "overlay (in memory)".into(), layers: vec![path], mountpoint })
    }

    fn stacked(&self, lowers: Vec<PathBuf>, reports: &Reports<'_>) -> Result<Root> {
        let choice = self.session.rootfs_choice()?;
        let mountpoint = self.directory.make("rootfs")?;
        let driver = choice.driver.name().to_owned();
        if choice.driver == Driver::Vfs && self.image.is_some() {
            if !choice.asked {
                (reports.note)(&format!("the image is copied for this container: {}", choice.why));
            }
            return self.copied(driver);
        }
        let (readable, (lowers, data)) = (lowers.clone(), self.mapped(lowers)?);
        let upper = self.upper(&lowers)?;
        let layers = Layers { lowers, data, upper, mountpoint: mountpoint.clone() };
        let recipe = match choice.driver {
            Driver::FuseOverlayfs => self.fuse(layers, &choice)?,
            _ => Rootfs::Overlay(layers),
        };
        Ok(Root { recipe, driver, layers: readable, mountpoint })
    }

    fn fuse(&self, layers: Layers, choice: &Choice) -> Result<Rootfs> {
        let program = choice.program.clone().ok_or_else(|| {
            Error::unsupported("the storage driver is fuse-overlayfs, which is not installed")
                .hint("sudo apt-get install fuse-overlayfs")
        })?;
        Ok(Rootfs::FuseOverlayfs { layers, program, options: choice.options.clone() })
    }

    /// The layers with owners as the container's id map has them.
    fn mapped(&self, lowers: Vec<PathBuf>) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
        match &self.image {
            Some(image) if self.has_own_map() => {
                let tree = remapped::tree(&self.session.store, &image.layers, &self.userns)?;
                Ok((vec![tree.lower], tree.data.into_iter().collect()))
            }
            _ => Ok((lowers, Vec::new())),
        }
    }

    /// Whether the layers' owners on disk are not the container's.
    fn has_own_map(&self) -> bool {
        self.userns.maps != self.userns.default_maps
    }

    /// Upper and work directory. The upper directory's mode is the root directory's of the container.
    fn upper(&self, lowers: &[PathBuf]) -> Result<Upper> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let (upper, work) = (self.directory.make("upper")?, self.directory.make("work")?);
        let mode = match lowers.first() {
            Some(top) => std::fs::metadata(top).context(|| format!("cannot stat {}", top.display()))?.mode(),
            None => 0o755,
        };
        std::fs::set_permissions(&upper, std::fs::Permissions::from_mode(mode & 0o7777))
            .context(|| format!("chmod {}", upper.display()))?;
        if self.has_own_map() {
            self.give_to_root(&[&upper, &work])?;
        }
        Ok(Upper::Disk { upper, work, volatile: self.request.lifecycle.remove })
    }

    fn copied(&self, driver: String) -> Result<Root> {
        let copy = self.directory.make("copy")?;
        let keys = self.image.as_ref().map(|image| image.layers.as_slice()).unwrap_or_default();
        remapped::flatten(&self.session.store, keys, &self.userns, &copy)?;
        Ok(Root {
            recipe: Rootfs::Directory(copy.clone()),
            driver,
            layers: vec![copy.clone()],
            mountpoint: copy,
        })
    }

    /// Gives a directory of the caller to the container's root.
    fn give_to_root(&self, paths: &[&Path]) -> Result<()> {
        let (new, old) = (&self.userns.maps, &self.userns.default_maps);
        let (uid, gid) = self.userns.setup_ids();
        let owner = (
            new.uid_outside(uid).and_then(|host| old.uid_inside(host)),
            new.gid_outside(gid).and_then(|host| old.gid_inside(host)),
        );
        userns::run_inside(&self.userns.default_namespace(), "the container's directories", || {
            for path in paths {
                std::os::unix::fs::chown(path, owner.0, owner.1)
                    .context(|| format!("chown {}", path.display()))?;
            }
            Ok(())
        })
    }
}

/// An existing directory's path without links.
fn resolved(path: &Path) -> Result<PathBuf> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = rustix::fs::open(path, flags, Mode::empty())
        .context(|| format!("cannot use {} as root file system", path.display()))?;
    let link = format!("/proc/self/fd/{}", directory.as_raw_fd());
    std::fs::read_link(&link).context(|| format!("cannot read {link}"))
}
