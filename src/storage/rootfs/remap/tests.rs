//! Layers copied and merged under other id maps.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::*;
use crate::sys::xattr;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A layer with one of everything, and an empty directory.
fn layer() -> (tempfile::TempDir, Root, Root) {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("KEY/fs"), dir.path().join("to"));
    std::fs::create_dir_all(from.join("d/e")).unwrap();
    std::fs::create_dir(&to).unwrap();
    std::fs::write(from.join("d/file"), "content").unwrap();
    std::fs::hard_link(from.join("d/file"), from.join("d/e/same")).unwrap();
    std::fs::write(from.join("d/empty"), "").unwrap();
    std::fs::set_permissions(from.join("d/file"), PermissionsExt::from_mode(0o4750)).unwrap();
    std::fs::set_permissions(from.join("d"), PermissionsExt::from_mode(0o1775)).unwrap();
    symlink("/d/file", from.join("link")).unwrap();
    let root = Root::open(&from).unwrap();
    root.mknod(Path::new("d/gone"), FileType::CharacterDevice, 0, 0).unwrap();
    root.mknod(Path::new("fifo"), FileType::Fifo, 0o640, 0).unwrap();
    root.set_xattr(Path::new("d"), OsStr::new("user.overlay.opaque"), b"y").unwrap();
    let time = rustix::fs::Timespec { tv_sec: 9, tv_nsec: 8 };
    for name in ["d/file", "d", "link", "/fifo"] {
        let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
        root.utimens(Path::new(name), &times).unwrap();
    }
    if is_root() {
        root.chown(Path::new("d/empty"), 7, 8).unwrap();
        root.chown(Path::new("link"), 7, 8).unwrap();
    }
    let to = Root::open(&to).unwrap();
    (dir, root, to)
}

/// As root every id moves up by a thousand; otherwise there is only the process's own.
fn shift(id: u32) -> Option<u32> {
    match is_root() {
        true => (id < 5000).then_some(id + 1000),
        false => Some(id),
    }
}

fn check(content: Content<'_>, dir: &tempfile::TempDir, from: &Root, to: &Root) -> Remapped {
    let done = copy_layer(from, to, &Remap { uid: &shift, gid: &shift }, content).unwrap();
    let (old, new) = (dir.path().join("KEY/fs"), dir.path().join("to"));
    for name in ["", "d", "d/e", "d/file", "d/e/same", "d/empty", "d/gone", "fifo", "link"] {
        let (a, b) = (std::fs::symlink_metadata(old.join(name)), std::fs::symlink_metadata(new.join(name)));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!((a.mode(), a.nlink(), a.rdev()), (b.mode(), b.nlink(), b.rdev()), "{name}");
        if name != "d/gone" {
            assert_eq!((shift(a.uid()), shift(a.gid())), (Some(b.uid()), Some(b.gid())), "{name}");
            assert_eq!((a.mtime(), a.mtime_nsec()), (b.mtime(), b.mtime_nsec()), "{name}");
        }
        if !a.is_dir() {
            assert_eq!(a.len(), b.len(), "{name}");
        }
    }
    assert_eq!(std::fs::read_link(new.join("link")).unwrap(), Path::new("/d/file"));
    assert_eq!(attribute(&new.join("d"), "user.overlay.opaque").unwrap(), b"y");
    done
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    xattr::get(std::fs::File::open(path).unwrap().as_fd(), OsStr::new(name)).unwrap()
}

#[test]
fn a_copied_layer_differs_in_its_owners_only() {
    let (dir, from, to) = layer();
    let done = check(Content::Copied, &dir, &from, &to);
    assert_eq!(done, Remapped { objects: 8, bytes: 7, unmapped: 0, lost: 0 });
    assert_eq!(std::fs::read_to_string(dir.path().join("to/d/file")).unwrap(), "content");
}

#[test]
fn a_sharing_layer_has_redirects_for_content() {
    let (dir, from, to) = layer();
    let done = check(Content::Shared(Path::new("KEY/fs")), &dir, &from, &to);
    assert_eq!((done.bytes, done.lost), (0, 0));
    let redirect = attribute(&dir.path().join("to/d/file"), "user.overlay.redirect").unwrap();
    let redirect = std::str::from_utf8(&redirect).unwrap();
    assert!(["/KEY/fs/d/file", "/KEY/fs/d/e/same"].contains(&redirect), "{redirect}");
    assert_eq!(attribute(&dir.path().join("to/d/empty"), "user.overlay.metacopy"), None);
    assert_eq!(std::fs::metadata(dir.path().join("to/d/file")).unwrap().blocks() / 16, 0);
}

#[test]
fn ids_in_acls_and_capabilities_are_translated() {
    if !is_root() {
        return;
    }
    let (dir, from, to) = layer();
    let file = Path::new("d/empty");
    // user::rw-, user:7:r--, group::r--, mask::r--, other::---
    let entry = |tag: u16, perm: u16, id: u32| {
        [&tag.to_le_bytes()[..], &perm.to_le_bytes(), &id.to_le_bytes()].concat()
    };
    let none = u32::MAX;
    let acl = [
        2u32.to_le_bytes().to_vec(),
        entry(1, 6, none),
        entry(2, 4, 7),
        entry(4, 4, none),
        entry(16, 4, none),
        entry(32, 0, none),
    ]
    .concat();
    from.set_xattr(file, OsStr::new("system.posix_acl_access"), &acl).unwrap();
    let capability = b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    from.set_xattr(file, OsStr::new("security.capability"), capability).unwrap();
    check(Content::Copied, &dir, &from, &to);
    let new = dir.path().join("to/d/empty");
    let acl = attribute(&new, "system.posix_acl_access").unwrap();
    assert_eq!(u32::from_le_bytes(acl[4 + 8 + 4..4 + 16].try_into().unwrap()), 1007);
    let capability = attribute(&new, "security.capability").unwrap();
    assert_eq!((capability[0], capability[3], &capability[20..]), (1, 3, &1000u32.to_le_bytes()[..]));
}

#[test]
fn an_owner_that_the_new_map_lacks_is_recorded() {
    if !is_root() {
        return;
    }
    let (dir, from, to) = layer();
    let only_root = |id: u32| (id == 0).then_some(0);
    let done = copy_layer(&from, &to, &Remap { uid: &only_root, gid: &only_root }, Content::Copied).unwrap();
    assert_eq!(done.unmapped, 2);
    let record = attribute(&dir.path().join("to/d/empty"), "user.containers.override_stat").unwrap();
    assert_eq!(record, b"7:8:0644");
}

#[test]
fn merged_layers_are_what_an_overlay_would_show() {
    let (dir, bottom, to) = layer();
    let upper = dir.path().join("UP/fs");
    std::fs::create_dir_all(upper.join("d/e")).unwrap();
    std::fs::create_dir_all(upper.join("link/inside")).unwrap();
    std::fs::write(upper.join("d/file"), "newer").unwrap();
    std::fs::write(bottom_path(&dir).join("stays"), "").unwrap();
    std::fs::write(upper.join("d/e/fresh"), "").unwrap();
    let root = Root::open(&upper).unwrap();
    root.mknod(Path::new("fifo"), FileType::CharacterDevice, 0, 0).unwrap();
    root.set_xattr(Path::new("d/e"), OsStr::new("user.overlay.opaque"), b"y").unwrap();
    let remap = Remap { uid: &shift, gid: &shift };
    let shared = |prefix| Content::Shared(Path::new(prefix));
    merge_layers(&[(&bottom, shared("KEY/fs")), (&root, shared("UP/fs"))], &to, &remap).unwrap();
    let new = dir.path().join("to");
    let redirect = |name: &str| attribute(&new.join(name), "user.overlay.redirect");
    assert_eq!(redirect("d/file").unwrap(), b"/UP/fs/d/file");
    assert!(new.join("stays").exists() && new.join("link/inside").is_dir() && !new.join("fifo").exists());
    let names = |name: &str| std::fs::read_dir(new.join(name)).unwrap().count();
    assert_eq!((names("d/e"), names("d")), (1, 3));
    let mode = |path: &Path| std::fs::metadata(path.join("d")).unwrap().mode();
    assert_eq!(mode(&new), mode(&upper));
    assert_eq!(attribute(&new.join("d"), "user.overlay.opaque"), None);
    assert_eq!(attribute(&new.join("d/e"), "user.overlay.opaque"), None);
}

fn bottom_path(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("KEY/fs")
}

#[test]
fn the_probe_answers_without_failing() {
    let dir = tempfile::tempdir().unwrap();
    shares_content(dir.path()).unwrap();
}
