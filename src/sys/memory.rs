//! Files that are in memory alone.

use std::io::Write as _;
use std::os::fd::OwnedFd;

use rustix::fs::{MemfdFlags, memfd_create};

use crate::error::{Context, Result};

/// A file without a name that holds `bytes`, closed on exec. Its offset is at the end.
pub fn file(name: &std::ffi::CStr, bytes: &[u8]) -> Result<OwnedFd> {
    let fd = memfd_create(name, MemfdFlags::CLOEXEC).context(|| "memfd_create")?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes).context(|| "cannot write to memory")?;
    Ok(file.into())
}
