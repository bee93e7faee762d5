//! The trees of images for other id maps, made at the first use of a map with an image and kept:
//! `maps/MAP/CHAIN.shared` without content of its own, or `maps/MAP/CHAIN.copied`.

use std::path::{Path, PathBuf};

use super::remap::{Content, Remap, merge_layers, shares_content};
use crate::error::{Context, Result};
use crate::oci::Digest;
use crate::storage::Store;
use crate::sys::atomic;
use crate::sys::root::Root;
use crate::userns::{self, UserNamespace};

/// What an overlay needs to show an image under another id map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// The merged tree.
    pub lower: PathBuf,
    /// The data-only layer that it redirects to.
    pub data: Option<PathBuf>,
}

/// The name of a stack of layers (keys, bottom first).
fn chain(keys: &[String]) -> String {
    Digest::of(keys.join(",").as_bytes()).hex().to_owned()
}

/// The tree for `userns` of the image with these layers (keys, bottom first); made if it is not there.
pub fn tree(store: &Store, keys: &[String], userns: &UserNamespace) -> Result<Tree> {
    let maps = store.directory("maps")?.join(userns.maps.key());
    std::fs::create_dir_all(&maps).context(|| format!("cannot create {}", maps.display()))?;
    let chain = chain(keys);
    let (shared, copied) = (maps.join(format!("{chain}.shared")), maps.join(format!("{chain}.copied")));
    let data = store.root().join("layers");
    if !shared.is_dir() && !copied.is_dir() {
        make(store, keys, userns, &shared, &copied)?;
    }
    Ok(match shared.is_dir() {
        true => Tree { lower: shared, data: Some(data) },
        false => Tree { lower: copied, data: None },
    })
}

fn make(store: &Store, keys: &[String], userns: &UserNamespace, shared: &Path, copied: &Path) -> Result<()> {
    let staging = store.staging()?;
    userns::run_inside(&userns.default_namespace(), "the copy of the image for another id map", || {
        let failed = |path: &Path| format!("cannot create {}", path.display());
        let (scratch, tree) = (staging.path().join("scratch"), staging.path().join("tree"));
        for path in [&scratch, &tree] {
            std::fs::create_dir(path).context(|| failed(path))?;
        }
        let (new, old) = (&userns.maps, &userns.default_maps);
        // The redirects lead through directories of the caller, whom a map without the caller's ids shuts out.
        let caller = old.to_outside(0, 0).and_then(|(uid, gid)| new.to_inside(uid, gid));
        let share = caller.is_some() && shares_content(&scratch)?;
        let remap = Remap { uid: &|id| userns.uid_in_default(id), gid: &|id| userns.gid_in_default(id) };
        let places: Vec<PathBuf> = keys.iter().map(|key| Path::new(key).join("fs")).collect();
        let roots = keys.iter().map(|key| Root::open(&store.layer_dir(key))).collect::<Result<Vec<_>>>()?;
        let content = |place| if share { Content::Shared(place) } else { Content::Copied };
        let layers: Vec<_> = roots.iter().zip(&places).map(|(root, place)| (root, content(place))).collect();
        merge_layers(&layers, &Root::open(&tree)?, &remap)?;
        let place = if share { shared } else { copied };
        match std::fs::rename(&tree, place) {
            // Somebody else was faster.
            Err(_) if place.is_dir() => {}
            other => other.context(|| failed(place))?,
        }
        // What the namespace owns only it can remove.
        let staging = Root::open(staging.path())?;
        staging.remove_tree(Path::new("scratch"))?;
        staging.remove_tree(Path::new("tree"))
    })
}

/// Copies all layers (keys, bottom first) into the empty directory `to`, with the owners that `userns` has.
pub fn flatten(store: &Store, keys: &[String], userns: &UserNamespace, to: &Path) -> Result<()> {
    userns::run_inside(&userns.default_namespace(), "the copy of the image", || {
        let remap = Remap { uid: &|id| userns.uid_in_default(id), gid: &|id| userns.gid_in_default(id) };
        let roots = keys.iter().map(|key| Root::open(&store.layer_dir(key))).collect::<Result<Vec<_>>>()?;
        let layers: Vec<_> = roots.iter().map(|root| (root, Content::Copied)).collect();
        merge_layers(&layers, &Root::open(to)?, &remap).map(drop)
    })
}

/// Renames the trees of images that are gone into staging, as garbage. `in_use` are the layers (keys, bottom
/// first) of containers, which may outlive their image.
pub fn sweep(store: &Store, in_use: &[Vec<String>]) -> Result<()> {
    let images = store.images()?;
    let used: Vec<String> =
        images.iter().map(|image| &image.layers).chain(in_use).map(|keys| chain(keys)).collect();
    let staging = store.directory("staging")?;
    for map in std::fs::read_dir(store.root().join("maps")).into_iter().flatten().flatten() {
        for tree in std::fs::read_dir(map.path()).into_iter().flatten().flatten() {
            let name = tree.file_name().to_string_lossy().into_owned();
            if !used.iter().any(|chain| name.starts_with(chain.as_str())) {
                let to = staging.join(format!("rm-{}", atomic::random_hex(16)?));
                std::fs::rename(tree.path(), &to)
                    .context(|| format!("cannot remove {}", tree.path().display()))?;
            }
        }
    }
    Ok(())
}
