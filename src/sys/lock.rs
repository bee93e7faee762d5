//! Advisory locks on files (flock), released by the kernel when their last descriptor closes, however the
//! holder ended.
//!
//! A flock belongs to the open file description: a forked child shares it until it closes its copy.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::{Context, Error, Result};

/// A held lock; dropping it releases it unless a forked child still holds the same description.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Waits until no one else holds `path`, which is created (0600) where it is missing.
    pub fn exclusive(path: &Path) -> Result<Self> {
        let file = open(path)?;
        file.lock().context(|| format!("cannot lock {}", path.display()))?;
        Ok(Self(file))
    }

    /// Waits until no one holds `path` exclusively.
    pub fn shared(path: &Path) -> Result<Self> {
        let file = open(path)?;
        file.lock_shared().context(|| format!("cannot lock {}", path.display()))?;
        Ok(Self(file))
    }

    /// The lock if nobody holds it, `None` at once otherwise.
    pub fn try_exclusive(path: &Path) -> Result<Option<Self>> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(Error::wrap(format!("cannot lock {}", path.display()), error))
            }
        }
    }

    /// Whether somebody holds `path` exclusively right now. A missing file is not held.
    pub fn is_held(path: &Path) -> Result<bool> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::wrap(format!("cannot open {}", path.display()), error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => {
                Err(Error::wrap(format!("cannot lock {}", path.display()), error))
            }
        }
    }
}

impl AsFd for Lock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn open(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .context(|| format!("cannot open {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exclusive_lock_excludes_and_ends_with_its_holder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(!Lock::is_held(&path).unwrap());
        let held = Lock::exclusive(&path).unwrap();
        assert!(Lock::is_held(&path).unwrap());
        assert!(Lock::try_exclusive(&path).unwrap().is_none());
        drop(held);
        let _one = Lock::shared(&path).unwrap();
        let _two = Lock::shared(&path).unwrap();
        assert!(Lock::try_exclusive(&path).unwrap().is_none());
        assert!(!Lock::is_held(&path).unwrap(), "a shared holder does not count");
    }
}
