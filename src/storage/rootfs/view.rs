//! Reading a file of a stack of layers without mounting them.
//!
//! Resolution is the overlay's: the topmost layer that has a name decides, a whiteout or an opaque directory
//! hides what is below, and symbolic links are followed inside the container's root. The layers are an
//! image's and so hostile: no link is ever followed by the kernel, and only regular files are read.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, Stat, fstat, openat2};

/// As the kernel: more links than this in one path are a loop.
const MAX_LINKS: usize = 40;

/// The content of the regular file at `path` as the container will see it; `None` if there is none, or if it
/// has more than `limit` bytes. `layers` are directories, top first.
pub fn read(layers: &[PathBuf], path: &Path, limit: u64) -> Option<Vec<u8>> {
    let roots: Vec<OwnedFd> = layers
        .iter()
        .filter_map(|layer| {
            rustix::fs::open(layer, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).ok()
        })
        .collect();
    let found = resolve(&roots, path)?;
    if FileType::from_raw_mode(found.stat.st_mode) != FileType::RegularFile
        || found.stat.st_size as u64 > limit
    {
        return None;
    }
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = openat2(&roots[found.layer], &found.path, flags, Mode::empty(), NO_LINKS).ok()?;
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(std::fs::File::from(file), limit), &mut bytes)
        .ok()?;
    Some(bytes)
}

const NO_LINKS: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS);

struct Found {
    layer: usize,
    path: PathBuf,
    stat: Stat,
}

fn resolve(roots: &[OwnedFd], path: &Path) -> Option<Found> {
    let mut rest = names(path);
    let mut so_far = PathBuf::new();
    let mut links = 0;
    let mut found = None;
    while let Some(name) = rest.pop() {
        if name == ".." {
            so_far.pop();
            continue;
        }
        let next = so_far.join(&name);
        let entry = look_up(roots, &next)?;
        if FileType::from_raw_mode(entry.stat.st_mode) == FileType::Symlink {
            links += 1;
            if links > MAX_LINKS {
                return None;
            }
            let target = read_link(&roots[entry.layer], &next)?;
            if target.is_absolute() {
                so_far = PathBuf::new();
            }
            rest.extend(names(&target));
            continue;
        }
        so_far = next;
        found = Some(entry);
    }
    found
}

/// The names of a path, the first one last, so that they can be popped. `.` is left out.
fn names(path: &Path) -> Vec<OsString> {
    let names = path.as_os_str().as_bytes().split(|byte| *byte == b'/');
    names
        .rev()
        .filter(|name| !name.is_empty() && *name != b".")
        .map(|name| OsStr::from_bytes(name).to_owned())
        .collect()
}

/// The topmost entry at a path without links, unless something above hides it.
fn look_up(roots: &[OwnedFd], path: &Path) -> Option<Found> {
    for (layer, root) in roots.iter().enumerate() {
        if let Ok(entry) =
            openat2(root, path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty(), NO_LINKS)
        {
            let stat = fstat(&entry).ok()?;
            let whiteout =
                FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0;
            return (!whiteout).then(|| Found { layer, path: path.to_owned(), stat });
        }
        if path.ancestors().skip(1).any(|ancestor| hides(root, ancestor)) {
            return None;
        }
    }
    None
}

/// Whether this layer's `directory` lets nothing of lower layers through.
fn hides(root: &OwnedFd, directory: &Path) -> bool {
    let path = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat2(root, path, flags, Mode::empty(), NO_LINKS) {
        Ok(directory) => {
            let mut value = [0u8; 8];
            rustix::fs::fgetxattr(&directory, c"user.overlay.opaque", &mut value[..])
                .is_ok_and(|length| length == 1 && value[0] == b'y')
        }
        Err(rustix::io::Errno::NOENT) => false,
        // Something that is no directory, or one that only the container may read.
        Err(rustix::io::Errno::ACCESS) => false,
        Err(_) => true,
    }
}

fn read_link(root: &OwnedFd, path: &Path) -> Option<PathBuf> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let link = openat2(root, path, flags, Mode::empty(), NO_LINKS).ok()?;
    let target = rustix::fs::readlinkat(&link, c"", Vec::new()).ok()?;
    Some(PathBuf::from(OsStr::from_bytes(target.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_topmost_layer_decides_and_links_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        let layer = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.join("etc")).unwrap();
            path
        };
        let (top, bottom) = (layer("top"), layer("bottom"));
        fs::write(bottom.join("etc/passwd"), "bottom").unwrap();
        fs::write(bottom.join("etc/group"), "group").unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        let layers = [top.clone(), bottom.clone()];
        let read =
            |path: &str| read(&layers, Path::new(path), 100).map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(read("/etc/passwd").as_deref(), Some("bottom"));
        fs::create_dir_all(top.join("lib")).unwrap();
        fs::write(top.join("lib/users"), "linked").unwrap();
        symlink("/lib/users", top.join("etc/passwd")).unwrap();
        assert_eq!(read("/etc/passwd").as_deref(), Some("linked"));
        symlink("../../../secret", top.join("etc/up")).unwrap();
        assert_eq!(read("/etc/up"), None);
        symlink("loop", top.join("etc/loop")).unwrap();
        assert_eq!(read("/etc/loop"), None);
        fs::remove_file(bottom.join("etc/group")).unwrap();
        assert_eq!(read("/etc/group"), None);
        assert_eq!(read("/etc"), None, "a directory is no file");
    }

    #[test]
    fn an_opaque_directory_hides_what_is_below() {
        let dir = tempfile::tempdir_in("/var/tmp").unwrap();
        let (top, bottom) = (dir.path().join("top"), dir.path().join("bottom"));
        for layer in [&top, &bottom] {
            fs::create_dir_all(layer.join("etc")).unwrap();
        }
        fs::write(bottom.join("etc/passwd"), "bottom").unwrap();
        let opaque = fs::File::open(top.join("etc")).unwrap();
        rustix::fs::fsetxattr(&opaque, c"user.overlay.opaque", b"y", rustix::fs::XattrFlags::empty())
            .unwrap();
        assert_eq!(read(&[top, bottom], Path::new("/etc/passwd"), 100), None);
    }
}
