//! Where images and containers lie, and how root file systems are made of layers.

use std::fs;
use std::path::{Path, PathBuf};

use nix::mount::MsFlags;

use crate::config::storage_conf::StorageConf;
use crate::config::{Env, Paths};
use crate::error::{Context, Result};
use crate::ops::doctor::Finding;
use crate::ops::info::existing;
use crate::storage::rootfs::{self, Driver};
use crate::sys::{atomic, filesystem};
use crate::userns::{self, UserNamespace};

pub(super) fn examine(
    env: &Env,
    paths: &Paths,
    conf: &StorageConf,
    namespace: Option<&UserNamespace>,
    findings: &mut Vec<Finding>,
) {
    findings.push(data_directory(paths));
    findings.push(run_directory(env, paths));
    if let Some(namespace) = namespace {
        findings.push(root_file_systems(env, paths, conf, namespace));
    }
}

fn data_directory(paths: &Paths) -> Finding {
    let subject = "data directory";
    let place = existing(&paths.data);
    let kind = filesystem::name_of(place);
    let found = format!("{} on {kind}", paths.data.display());
    if let Some(note) = paths.notes.iter().find(|note| note.contains("cannot be written")) {
        return Finding::lacking(subject, note.clone())
            .lost("images and containers may be cleaned away with the temporary files")
            .remedy("set HOME or XDG_DATA_HOME to a directory that you can write");
    }
    let restrictions = filesystem::restrictions_of(place);
    if restrictions.contains(&"noexec") {
        return Finding::broken(subject, format!("{found}, mounted noexec"))
            .lost("no program of an image can be executed")
            .remedy("rcon --root DIR with a directory on another file system, or remount without noexec");
    }
    if ["nfs", "cifs", "lustre", "gpfs"].contains(&kind.as_str()) {
        return Finding::lacking(subject, found)
            .lost("a network file system refuses owners and attributes of images")
            .remedy("rcon --root DIR with a directory on a local file system");
    }
    Finding::ok(subject, found)
}

fn run_directory(env: &Env, paths: &Paths) -> Finding {
    let subject = "runtime directory";
    let found = paths.run.display().to_string();
    if paths.run.starts_with("/tmp") {
        return Finding::lacking(subject, format!("{found}: there is no login session's"))
            .lost("a cleaner of /tmp may take it away from running containers")
            .remedy(match env.user_name() {
                Some(name) => format!("sudo loginctl enable-linger {name}, or set XDG_RUNTIME_DIR"),
                None => "set XDG_RUNTIME_DIR to a directory of yours (mode 0700)".to_owned(),
            });
    }
    Finding::ok(subject, found)
}

fn root_file_systems(env: &Env, paths: &Paths, conf: &StorageConf, namespace: &UserNamespace) -> Finding {
    let subject = "root file systems";
    let choice = match rootfs::choose(env, None, conf, &paths.data) {
        Ok(choice) => choice,
        Err(error) => {
            return Finding::broken(subject, error.chain().join(": "))
                .lost("containers cannot be made")
                .remedy("a driver of overlay, fuse-overlayfs and vfs in storage.conf");
        }
    };
    let found = format!("{}: {}", choice.driver.name(), choice.why);
    match choice.driver {
        // Files that say it should work are believed no further than the kernel does it.
        Driver::Overlay => match overlay_works(paths, namespace) {
            Ok(()) => Finding::ok(subject, found),
            Err(error) => {
                Finding::lacking(subject, format!("the kernel refuses: {}", error.chain().join(": ")))
                    .lost("speed: fuse-overlayfs, or a copy for each container, takes the place")
                    .remedy("a data directory (rcon --root DIR) on ext4, xfs, btrfs or tmpfs")
            }
        },
        _ if choice.asked => Finding::ok(subject, found),
        Driver::FuseOverlayfs if Path::new("/dev/fuse").exists() => Finding::lacking(subject, found)
            .lost("speed: every file access goes through a process")
            .remedy("Linux 5.11 or newer, and a data directory on ext4, xfs, btrfs or tmpfs"),
        Driver::FuseOverlayfs => Finding::lacking(subject, format!("{found}, but there is no /dev/fuse"))
            .lost("root file systems by fuse-overlayfs")
            .remedy("sudo modprobe fuse; in a container, --device /dev/fuse"),
        Driver::Vfs => Finding::lacking(subject, found)
            .lost("time and disk space at every start: each container is a copy")
            .remedy("sudo apt install fuse-overlayfs"),
    }
}

/// Mounts an overlay in `namespace` on the file system of the data directory, to see whether it can be done.
fn overlay_works(paths: &Paths, namespace: &UserNamespace) -> Result<()> {
    let probe = Probe::new(existing(&paths.data))?;
    let dir = probe.0.clone();
    userns::run_inside(namespace, "the probe of the overlay", move || {
        for name in ["lower", "upper", "work", "merged"] {
            fs::create_dir(dir.join(name))
                .context(|| format!("cannot create {}", dir.join(name).display()))?;
        }
        // Relative, so that no character of the path needs an escape.
        std::env::set_current_dir(&dir).context(|| format!("cannot enter {}", dir.display()))?;
        let options = "lowerdir=lower,upperdir=upper,workdir=work,userxattr";
        nix::mount::mount(Some("overlay"), "merged", Some("overlay"), MsFlags::empty(), Some(options))
            .context(|| format!("cannot mount an overlay on {}", filesystem::name_of(&dir)))?;
        // A file system without user attributes or whiteouts shows it only now.
        fs::create_dir(dir.join("merged/x"))
            .and_then(|()| fs::remove_dir(dir.join("merged/x")))
            .context(|| "cannot write to the overlay")
    })?;
    // The kernel leaves work/work without permissions, owned by root of the namespace: removed in there.
    let dir = probe.0.clone();
    userns::run_inside(namespace, "the probe of the overlay", move || {
        fs::remove_dir_all(&dir).context(|| format!("cannot remove {}", dir.display()))
    })
}

/// A directory that goes with this value, at the latest.
struct Probe(PathBuf);

impl Probe {
    fn new(place: &Path) -> Result<Self> {
        let dir = place.join(format!(".rcon-probe-{}", atomic::random_hex(6)?));
        fs::create_dir(&dir).context(|| format!("cannot create {}", dir.display()))?;
        Ok(Self(dir))
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
