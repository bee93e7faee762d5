//! Layers that are right, layers that are hostile, and what becomes of them on disk.
//!
//! Run as root the owners are set, run as anyone else they are recorded: both ways have to pass.

mod contents;
mod corpus;
mod hostile;
mod overlay;
mod streams;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::*;
use crate::error::{Error, Kind};
use corpus::{Head, Tar};

/// A directory to unpack into, beside one that nothing may reach.
struct Ground {
    dir: tempfile::TempDir,
    root: Root,
}

impl Ground {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("root")).unwrap();
        std::fs::create_dir(dir.path().join("outside")).unwrap();
        std::fs::write(dir.path().join("outside/secret"), "untouched").unwrap();
        let root = Root::open(&dir.path().join("root")).unwrap();
        Self { dir, root }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.dir.path().join("root").join(below)
    }

    fn unpack(&self, tar: Tar) -> Result<Unpacked> {
        self.unpack_bytes(&tar.end())
    }

    fn unpack_bytes(&self, bytes: &[u8]) -> Result<Unpacked> {
        let compression = Compression::sniff(bytes);
        let result = unpack_blob(bytes, compression, &self.root, &options());
        self.assert_outside_untouched();
        result
    }

    fn read(&self, below: &str) -> String {
        std::fs::read_to_string(self.path(below)).unwrap()
    }

    fn stat(&self, below: &str) -> std::fs::Metadata {
        std::fs::symlink_metadata(self.path(below)).unwrap()
    }

    fn exists(&self, below: &str) -> bool {
        std::fs::symlink_metadata(self.path(below)).is_ok()
    }

    fn is_whiteout(&self, below: &str) -> bool {
        let stat = self.stat(below);
        stat.mode() & libc::S_IFMT == libc::S_IFCHR && stat.rdev() == 0
    }

    fn xattr(&self, below: &str, name: &str) -> Option<Vec<u8>> {
        let file = std::fs::File::open(self.path(below)).unwrap();
        crate::sys::xattr::get(std::os::fd::AsFd::as_fd(&file), std::ffi::OsStr::new(name)).unwrap()
    }

    fn assert_outside_untouched(&self) {
        let names = |path: &Path| {
            let entries = std::fs::read_dir(path).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(self.dir.path()), ["outside", "root"]);
        let outside = self.dir.path().join("outside");
        assert_eq!(names(&outside), ["secret"]);
        assert_eq!(std::fs::read_to_string(outside.join("secret")).unwrap(), "untouched");
        assert_eq!(std::fs::metadata(outside.join("secret")).unwrap().nlink(), 1);
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn options() -> Options {
    let owners = if is_root() { Owners::Mapped } else { Owners::Single };
    Options { owners, limits: Limits::default() }
}

/// Asserts that the archive is refused, and that the message names `what`.
#[track_caller]
fn assert_refused(tar: Tar, what: &str) {
    let ground = Ground::new();
    let error = ground.unpack(tar).unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid, "{error:?}");
    assert!(format!("{error:?}").contains(what), "{error:?} does not name {what:?}");
}
