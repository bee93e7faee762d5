//! A directory of the host as a root file system that takes writes and keeps none, in pieces.
//!
//! In a user namespace the mounts of the host are locked together: the kernel clones none without those
//! below it, and so takes no directory as a layer of an overlay that has mounts below it (EINVAL), as `/`
//! always has. Its subdirectories mostly have none: each becomes an overlay of its own.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::{Context, Result};

/// One name of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its name.
    pub name: String,
    /// What is there.
    pub content: Content,
}

/// What becomes of one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// This directory under an overlay.
    Overlay(PathBuf),
    /// This directory with the mounts below it, or this file, read-only.
    ReadOnly(PathBuf),
    /// A link that leads here.
    Link(PathBuf),
    /// A directory for what every container has mounted there.
    Empty,
}

/// What a container has its own of.
const OWN: &[&str] = &["dev", "proc", "sys", "run"];

/// The pieces of `directory`. Names that are not UTF-8, sockets and devices are left out.
pub fn pieces(directory: &Path) -> Result<Vec<Piece>> {
    let mounts = mount_points()?;
    let what = || format!("cannot read {}", directory.display());
    let mut pieces = Vec::new();
    for entry in std::fs::read_dir(directory).context(what)? {
        let entry = entry.context(what)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = entry.path();
        let kind = entry.file_type().context(what)?;
        let content = if kind.is_symlink() {
            Content::Link(std::fs::read_link(&path).context(|| format!("cannot read {}", path.display()))?)
        } else if kind.is_dir() && OWN.contains(&name.as_str()) {
            Content::Empty
        } else if kind.is_dir() && mounts.iter().any(|mount| mount != &path && mount.starts_with(&path)) {
            Content::ReadOnly(path)
        } else if kind.is_dir() {
            Content::Overlay(path)
        } else if kind.is_file() {
            Content::ReadOnly(path)
        } else {
            continue;
        };
        pieces.push(Piece { name, content });
    }
    pieces.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pieces)
}

/// Where something is mounted (proc_pid_mountinfo(5), field 5).
fn mount_points() -> Result<Vec<PathBuf>> {
    let path = "/proc/self/mountinfo";
    let table = std::fs::read(path).context(|| format!("cannot read {path}"))?;
    let fields =
        table.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    Ok(fields.map(|field| PathBuf::from(std::ffi::OsStr::from_bytes(&unescape(field)))).collect())
}

/// Space, tab, line feed and backslash are written as a backslash and three octal digits.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        let octal = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        match octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(byte) if first == b'\\' => {
                bytes.push(byte);
                rest = &after[3..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_unescaped() {
        assert_eq!(unescape(b"/a\\040b\\134c"), b"/a b\\c");
        assert_eq!(unescape(b"/a\\9"), b"/a\\9");
    }

    #[test]
    fn the_root_has_pieces_of_its_own_kind() {
        let pieces = pieces(Path::new("/")).unwrap();
        let of = |name: &str| pieces.iter().find(|piece| piece.name == name).map(|piece| &piece.content);
        assert_eq!(of("proc"), Some(&Content::Empty));
        assert!(matches!(of("usr"), Some(Content::Overlay(_) | Content::ReadOnly(_))));
    }
}
