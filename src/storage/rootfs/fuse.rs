//! fuse-overlayfs: the overlay for kernels and file systems that refuse the kernel's own.
//!
//! The container's init mounts an empty FUSE file system and hands its device over; the program that serves
//! it lives outside of the container's pid and mount namespaces, where nothing of the container reaches it.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::{Layers, Rootfs, Upper};
use crate::error::{Context, Error, Kind, Result};
use crate::sys::clone::Process;
use crate::sys::spawn;

/// A running fuse-overlayfs. Dropping it ends it; the kernel kills it when this process dies.
#[derive(Debug)]
pub struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts fuse-overlayfs on `device`, an open /dev/fuse that `init` has mounted, as root of the user
/// namespace of `init`. Requests wait until it serves. The caller is single-threaded.
pub fn serve(rootfs: &Rootfs, init: &Process, device: OwnedFd) -> Result<Server> {
    let Rootfs::FuseOverlayfs { layers, program, options } = rootfs else {
        return Err(Error::new(Kind::System, "this root file system needs no helper"));
    };
    let path = format!("/proc/{}/ns/user", init.pid);
    let user_namespace = std::fs::File::open(&path).context(|| format!("cannot open {path}"))?.into();
    let mut command = Command::new(program);
    command
        .arg("-f")
        .arg("-o")
        .arg(option_text(layers, options)?)
        .arg(format!("/dev/fd/{}", device.as_raw_fd()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let inheritance = spawn::Inheritance { descriptors: vec![device], user_namespace: Some(user_namespace) };
    spawn::tie_to_this_process(&mut command, inheritance);
    spawn::unshare_mounts(&mut command);
    let child = command.spawn().context(|| format!("cannot run {}", program.display()))?;
    Ok(Server(child))
}

/// lowerdir, upperdir and workdir as the program takes them. A colon separates the layers, a comma the
/// options: neither can be in a path.
fn option_text(layers: &Layers, options: &[String]) -> Result<String> {
    let Upper::Disk { upper, work, .. } = &layers.upper else {
        return Err(Error::unsupported("fuse-overlayfs needs its upper directory on disk"));
    };
    let text = |path: &Path| {
        path.to_str().filter(|text| !text.contains([':', ',', '\\'])).map(str::to_owned).ok_or_else(|| {
            Error::unsupported(format!("fuse-overlayfs cannot take a path like {}", path.display()))
        })
    };
    let lowers = layers.lowers.iter().map(|path| text(path)).collect::<Result<Vec<_>>>()?.join(":");
    let mut all = vec![
        format!("lowerdir={lowers}"),
        format!("upperdir={}", text(upper)?),
        format!("workdir={}", text(work)?),
    ];
    all.extend_from_slice(options);
    Ok(all.join(","))
}
