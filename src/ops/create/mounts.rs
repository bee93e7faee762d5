//! The volumes of a new container: named ones that are made at their first use, anonymous ones that go with
//! the container, both filled from the image when they are new.

use std::collections::BTreeMap;
use std::fs::DirBuilder;
use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{Draft, root::Root};
use crate::error::{Context, Error, Result};
use crate::spec::value::{Mount, Source};
use crate::spec::{self, Settings};
use crate::sys::mount::{self, FsOption};
use crate::sys::{atomic, copy};
use crate::userns;

/// The volumes of one container.
#[derive(Default)]
pub(super) struct Volumes {
    /// Their directories by destination.
    pub(super) paths: BTreeMap<PathBuf, PathBuf>,
    /// Their names by destination.
    pub(super) names: BTreeMap<PathBuf, String>,
    /// Names of those that go with the container.
    pub(super) anonymous: Vec<String>,
}

impl Draft<'_> {
    /// Makes the volumes that the request, the image and containers.conf name.
    pub(super) fn volumes(&self, settings: &Settings, root: &Root) -> Result<Volumes> {
        let config = self.image.as_ref().map(|image| &image.config);
        let mut volumes = Volumes::default();
        for mount in spec::mounts(&self.request, config, settings)? {
            let name = match &mount.source {
                Source::Volume(name) => name.as_str().to_owned(),
                Source::AnonymousVolume => {
                    let name = atomic::random_hex(32)?;
                    volumes.anonymous.push(name.clone());
                    name
                }
                _ => continue,
            };
            let data = self.volume(&name, &mount, root)?;
            volumes.paths.insert(mount.destination.clone(), data);
            volumes.names.insert(mount.destination, name);
        }
        Ok(volumes)
    }

    /// The directory of a volume. A new one appears whole, by rename.
    fn volume(&self, name: &str, mount: &Mount, root: &Root) -> Result<PathBuf> {
        let store = &self.session.store;
        let place = store.directory("volumes")?.join(name);
        let data = place.join("_data");
        if data.is_dir() {
            return Ok(data);
        }
        let staging = store.staging()?;
        let staged = staging.path().join("volume");
        let create = |path: &Path, mode| DirBuilder::new().mode(mode).create(path);
        create(&staged, 0o700).context(|| format!("cannot create volume {name}"))?;
        create(&staged.join("_data"), 0o755).context(|| format!("cannot create volume {name}"))?;
        if mount.options.copy_up.unwrap_or(true) {
            self.fill(&staged.join("_data"), &mount.destination, root)
                .context(|| format!("cannot fill volume {name}"))?;
        }
        match std::fs::rename(&staged, &place) {
            Ok(()) => Ok(data),
            // Somebody else made it first: theirs it is.
            Err(error) if matches!(error.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {
                Ok(data)
            }
            Err(error) => Err(Error::wrap(format!("cannot create volume {name}"), error)),
        }
    }

    /// Copies what the image has at `destination` into a new volume.
    fn fill(&self, data: &Path, destination: &Path, root: &Root) -> Result<()> {
        let userns = &self.userns;
        let root_of_map = userns.setup_ids();
        let owner = |uid, gid| {
            // Who is not in the map becomes its root.
            let uid = userns.uid_in_default(uid).or_else(|| userns.uid_in_default(root_of_map.0));
            let gid = userns.gid_in_default(gid).or_else(|| userns.gid_in_default(root_of_map.1));
            (uid.unwrap_or(0), gid.unwrap_or(0))
        };
        // Layers and volumes lie below directories of the caller, whom a map may leave out.
        userns::run_inside(&userns.default_namespace(), "the filling of a volume", || {
            let image = open_layers(&root.layers)?;
            let inside = destination.strip_prefix("/").unwrap_or(destination);
            let inside = std::ffi::CString::new(inside.as_os_str().as_encoded_bytes())
                .context(|| format!("the destination {}", destination.display()))?;
            let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
            let Ok(from) = mount::open_inside(image.as_fd(), &inside, flags) else { return Ok(()) };
            let to = std::fs::File::open(data).context(|| format!("cannot open {}", data.display()))?;
            copy::tree(from.as_fd(), to.as_fd(), &owner)
                .context(|| format!("cannot copy {}", destination.display()))
        })
    }
}

/// All layers as one read-only tree. Needs a user namespace with its own mounts.
fn open_layers(layers: &[PathBuf]) -> Result<std::os::fd::OwnedFd> {
    let text = |path: &Path| {
        std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).context(|| format!("{}", path.display()))
    };
    let [only] = layers else {
        let layers = layers.iter().map(|layer| text(layer)).collect::<Result<Vec<_>>>()?;
        let mut options = vec![FsOption::Flag(c"userxattr")];
        options.extend(layers.iter().map(|layer| FsOption::Value(c"lowerdir+", layer)));
        return mount::filesystem(c"overlay", options, mount::Attributes::RDONLY)
            .context(|| "cannot mount the image's layers");
    };
    mount::open_path(&text(only)?).context(|| format!("cannot open {}", only.display()))
}
