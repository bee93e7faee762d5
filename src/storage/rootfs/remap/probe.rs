//! Whether the kernel follows `user.overlay` attributes into a data-only layer: tried, not guessed.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use crate::error::{Context, Error, Result};
use crate::sys::mount::{self, FsOption};
use crate::sys::xattr;

use super::object::{METACOPY, REDIRECT};

const CONTENT: &[u8] = b"here";

/// Mounts a data-only layer made in the existing directory `scratch` of the store, and reads through it.
/// To be called as root of a user namespace with a mount namespace of its own. Leaves `scratch` with files
/// in it.
pub fn shares_content(scratch: &Path) -> Result<bool> {
    let failed = || format!("cannot prepare {}", scratch.display());
    for directory in ["lower", "data"] {
        std::fs::create_dir(scratch.join(directory)).context(failed)?;
    }
    std::fs::write(scratch.join("data/content"), CONTENT).context(failed)?;
    let stub = File::create_new(scratch.join("lower/stub")).context(failed)?;
    stub.set_len(CONTENT.len() as u64).context(failed)?;
    let set = |name: &str, value: &[u8]| xattr::set(stub.as_fd(), OsStr::new(name), value);
    if set(METACOPY, b"").and_then(|()| set(REDIRECT, b"/content")).is_err() {
        return Ok(false);
    }
    let path = |name: &str| {
        CString::new(scratch.join(name).as_os_str().as_bytes())
            .map_err(|_| Error::invalid(format!("{} contains a NUL", scratch.display())))
    };
    let (lower, data) = (path("lower")?, path("data")?);
    let options = [
        FsOption::Flag(c"userxattr"),
        FsOption::Value(c"lowerdir+", &lower),
        FsOption::Value(c"datadir+", &data),
    ];
    let Ok(mounted) = mount::filesystem(c"overlay", options, 0) else { return Ok(false) };
    let Ok(file) = rustix::fs::openat(&mounted, "stub", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
    else {
        return Ok(false);
    };
    let mut content = Vec::new();
    Ok(File::from(file).take(64).read_to_end(&mut content).is_ok() && content == CONTENT)
}
