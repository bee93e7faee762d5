//! Files that are either whole or absent: written beside their place and renamed into it.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Kind, Result};

/// Replaces `path` with `bytes` by a rename in the same directory. A reader sees the old content or the
/// new, never a part. The parent directory must exist. `mode` is subject to the umask.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let staged = staged_beside(path)?;
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&staged)?;
        file.write_all(bytes)?;
        fs::rename(&staged, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&staged);
    }
    written.context(|| format!("cannot write {}", path.display()))
}

/// Creates `path` with `bytes` if nothing is there, and fails with [`Kind::Conflict`] otherwise. The file
/// appears with its content already in it (link(2) of a complete file), so it can serve as a claim.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let staged = staged_beside(path)?;
    let created = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&staged)?;
        file.write_all(bytes)?;
        fs::hard_link(&staged, path)
    })();
    let _ = fs::remove_file(&staged);
    created.context(|| format!("cannot create {}", path.display()))
}

/// Reads a whole file, or `None` where there is none.
pub fn read_optional(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Error::wrap(format!("cannot read {}", path.display()), error)),
    }
}

/// Removes a file; that it is not there is no failure.
pub fn remove_optional(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Error::wrap(format!("cannot remove {}", path.display()), error))
        }
        _ => Ok(()),
    }
}

/// `n` random bytes from the kernel as lower-case hexadecimal digits (2n of them).
pub fn random_hex(n: usize) -> Result<String> {
    let mut bytes = vec![0u8; n];
    let mut filled = 0;
    while filled < n {
        filled += rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())
            .context(|| "getrandom")?;
    }
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Names the temporary sibling of `path`: `.NAME.RANDOM.tmp`, which sweeps of a directory recognise.
fn staged_beside(path: &Path) -> Result<PathBuf> {
    let name = path
        .file_name()
        .ok_or_else(|| Error::new(Kind::Invalid, format!("{} does not name a file", path.display())))?;
    Ok(path.with_file_name(format!(".{}.{}.tmp", name.to_string_lossy(), random_hex(6)?)))
}

/// Makes what was written below `directory` durable, directory entry included.
pub fn sync_directory(directory: &Path) -> Result<()> {
    File::open(directory)
        .and_then(|dir| dir.sync_all())
        .context(|| format!("cannot sync {}", directory.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn create_is_a_claim_and_write_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("name");
        create(&path, b"one", 0o600).unwrap();
        assert_eq!(create(&path, b"two", 0o600).unwrap_err().kind(), Kind::Conflict);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        write(&path, b"three", 0o600).unwrap();
        assert_eq!(read_optional(&path).unwrap().unwrap(), b"three");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
        remove_optional(&path).unwrap();
        remove_optional(&path).unwrap();
        assert!(read_optional(&path).unwrap().is_none());
    }
}
