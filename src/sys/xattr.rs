//! Extended attributes of open files and directories.

use std::ffi::{OsStr, OsString};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use rustix::fs::XattrFlags;
use rustix::io::Errno;

use super::root::Io;

/// Sets `name` to `value`, replacing what it was.
pub fn set(fd: BorrowedFd<'_>, name: &OsStr, value: &[u8]) -> Io<()> {
    rustix::fs::fsetxattr(fd, name, value, XattrFlags::empty())
}

/// The value of `name`; `None` where it is not set or the file system has no such attributes.
pub fn get(fd: BorrowedFd<'_>, name: &OsStr) -> Io<Option<Vec<u8>>> {
    let mut value = vec![0u8; 256];
    loop {
        match rustix::fs::fgetxattr(fd, name, &mut value[..]) {
            Ok(length) => {
                value.truncate(length);
                return Ok(Some(value));
            }
            Err(Errno::RANGE) => value.resize(value.len() * 8, 0),
            Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
            Err(errno) => return Err(errno),
        }
    }
}

/// The names that are set; none where the file system has no extended attributes.
pub fn list(fd: BorrowedFd<'_>) -> Io<Vec<OsString>> {
    let mut names = vec![0u8; 1024];
    loop {
        match rustix::fs::flistxattr(fd, &mut names[..]) {
            Ok(length) => {
                let names = names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty());
                return Ok(names.map(|name| OsStr::from_bytes(name).to_owned()).collect());
            }
            Err(Errno::RANGE) => names.resize(names.len() * 8, 0),
            Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
            Err(errno) => return Err(errno),
        }
    }
}

/// Copies every attribute of `from` that can be read and set; the names of those that could not.
pub fn copy(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Io<Vec<OsString>> {
    let mut refused = Vec::new();
    for name in list(from)? {
        if let Some(value) = get(from, &name)?
            && set(to, &name, &value).is_err()
        {
            refused.push(OsString::from_vec(name.into_vec()));
        }
    }
    Ok(refused)
}
