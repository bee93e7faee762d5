//! The devices of the host that a container gets: bound, since a user namespace cannot make nodes that work.

use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};
use crate::spec::value::{Access, Device};
use crate::spec::{Request, Settings};

const ALL: Access = Access { read: true, write: true, mknod: true };

/// What in /dev is no device of the machine's, but part of a session or of the set-up of every container.
const OTHERS: [&str; 12] =
    ["char", "block", "console", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "tty"];

/// So are these; the table of a container has them from the runtime.
const STANDARD: [&str; 2] = ["urandom", "zero"];

/// `--device` and containers.conf's, directories looked through; then, with `--privileged`, every device that the
/// caller can open.
pub(super) fn find(request: &Request, settings: &Settings) -> Result<Vec<Device>> {
    let mut devices = Vec::new();
    for device in request.filesystem.devices.iter().chain(&settings.devices) {
        expand(device, &mut devices)?;
    }
    if request.security.privileged {
        for path in of_host(Path::new("/dev"), true) {
            if !devices.iter().any(|device| device.destination == path) {
                devices.push(Device { source: path.clone(), destination: path, access: ALL });
            }
        }
    }
    Ok(devices)
}

/// One device, or all in a directory.
fn expand(device: &Device, into: &mut Vec<Device>) -> Result<()> {
    let shown = device.source.display();
    let about = std::fs::metadata(&device.source).context(|| format!("--device: stat {shown}"))?;
    if about.file_type().is_char_device() || about.file_type().is_block_device() {
        into.push(device.clone());
        return Ok(());
    }
    if !about.is_dir() {
        return Err(Error::usage(format!("--device: {shown} is not a device node")));
    }
    let before = into.len();
    for source in of_host(&device.source, false) {
        let below = source.strip_prefix(&device.source).unwrap_or(&source);
        let destination = device.destination.join(below);
        into.push(Device { source, destination, access: device.access });
    }
    if into.len() == before {
        return Err(Error::not_found(format!("--device: no devices found in {shown}")));
    }
    Ok(())
}

/// The device nodes below a directory; `usable`: only those that the caller can open and a container lacks.
fn of_host(directory: &Path, usable: bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(directory) else { return found };
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Ok(kind) = entry.file_type() else { continue };
        let skipped = name.to_str().is_some_and(|name| OTHERS.contains(&name) || STANDARD.contains(&name));
        if usable && skipped {
            continue;
        }
        if kind.is_dir() {
            found.extend(of_host(&path, usable));
        } else if (kind.is_char_device() || kind.is_block_device()) && (!usable || can_open(&path)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn can_open(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(path, Access::READ_OK).is_ok() || access(path, Access::WRITE_OK).is_ok()
}
