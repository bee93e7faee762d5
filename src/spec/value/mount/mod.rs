//! What is mounted into a container: `--volume`, `--mount` and `--tmpfs`, all three to one type.

mod options;
mod specification;
mod volume;

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::VolumeName;
use crate::error::{Error, Result};

pub use options::{MountOptions, Propagation, TmpfsOptions, TmpfsSize};

/// One mount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// What is mounted.
    pub source: Source,
    /// Where: absolute, without `.` and `..`, never `/`.
    pub destination: PathBuf,
    /// How.
    pub options: MountOptions,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A file or directory of the host, as typed (relative paths begin with `.`).
    Bind(PathBuf),
    /// A volume that has a name, made at first use.
    Volume(VolumeName),
    /// A volume of its own that goes with the container.
    AnonymousVolume,
    /// A file system in memory.
    Tmpfs(TmpfsOptions),
    /// A set of pseudo terminals of its own.
    Devpts,
}

impl Mount {
    /// `-v [[SRC|NAME:]DST[:OPTIONS]]`
    pub fn from_volume(text: &str) -> Result<Self> {
        volume::parse(text)
    }

    /// `--mount type=TYPE,KEY=VALUE…`
    pub fn from_mount(text: &str) -> Result<Self> {
        specification::parse(text)
    }

    /// `--tmpfs DST[:OPTIONS]`
    pub fn from_tmpfs(text: &str) -> Result<Self> {
        volume::parse_tmpfs(text)
    }
}

/// The place in the container that `text` names: podman cleans it lexically, before any link is followed.
pub(in crate::spec) fn clean_destination(text: &str) -> Result<PathBuf> {
    if !text.starts_with('/') {
        return Err(Error::usage(format!("mount destination {text:?} must be an absolute path")));
    }
    if text.contains('\0') {
        return Err(Error::usage(format!("mount destination {text:?} contains a NUL byte")));
    }
    let mut clean = PathBuf::from("/");
    for component in Path::new(text).components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    if clean == Path::new("/") {
        return Err(Error::usage(format!("mount destination {text:?} cannot be the root directory")));
    }
    Ok(clean)
}

/// A path of the host or a volume's name: paths begin with `/` or `.`.
fn source(text: &str) -> Result<Source> {
    if text.is_empty() {
        return Err(Error::usage("a mount's source cannot be empty"));
    }
    if text.contains('\0') {
        return Err(Error::usage(format!("mount source {text:?} contains a NUL byte")));
    }
    if text.starts_with(['/', '.']) {
        return Ok(Source::Bind(PathBuf::from(text)));
    }
    text.parse()
        .map(Source::Volume)
        .map_err(|error: Error| error.hint(format!("a relative host path begins with a dot: ./{text}")))
}
