//! Resolution under attack: escapes, races, and kernels without openat2.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::*;

/// A root beside a directory that nothing may reach, resolved by the kernel and by the walk.
fn grounds() -> Vec<(tempfile::TempDir, Root)> {
    [false, true]
        .into_iter()
        .map(|only_walk| {
            let dir = tempfile::tempdir().unwrap();
            std::fs::create_dir(dir.path().join("root")).unwrap();
            std::fs::create_dir(dir.path().join("outside")).unwrap();
            std::fs::write(dir.path().join("outside/secret"), "outside").unwrap();
            let mut root = Root::open(&dir.path().join("root")).unwrap();
            root.only_walk = only_walk;
            (dir, root)
        })
        .collect()
}

fn inode(fd: impl AsFd) -> u64 {
    rustix::fs::fstat(fd).unwrap().st_ino
}

#[test]
fn the_kernel_and_the_walk_agree() {
    for (dir, root) in grounds() {
        let top = dir.path().join("root");
        std::fs::create_dir_all(top.join("a/b/c")).unwrap();
        std::fs::write(top.join("a/file"), "in").unwrap();
        std::fs::write(top.join("secret"), "decoy").unwrap();
        std::fs::create_dir(top.join("outside")).unwrap();
        std::fs::write(top.join("outside/secret"), "decoy").unwrap();
        for (text, name) in [
            ("/a/b", "abs"),
            ("../../../..", "up"),
            ("../outside/secret", "climb"),
            ("a/file", "file"),
            ("loop", "loop"),
            ("a/b/../../secret", "dots"),
            ("abs/c/", "chain"),
            ("nowhere", "dangling"),
            ("/proc/self/root", "magic"),
        ] {
            symlink(text, top.join(name)).unwrap();
        }
        let cases: &[(&str, Result<&str, Errno>)] = &[
            ("a/file", Ok("a/file")),
            ("/a/file", Ok("a/file")),
            ("../../a/file", Ok("a/file")),
            ("abs/../file", Ok("a/file")),
            ("up/secret", Ok("secret")),
            ("climb", Ok("outside/secret")),
            ("/../outside/secret", Ok("outside/secret")),
            ("dots", Ok("secret")),
            ("file", Ok("a/file")),
            ("chain", Ok("a/b/c")),
            ("chain/..", Ok("a/b")),
            ("", Ok("")),
            ("/", Ok("")),
            ("..", Ok("")),
            ("a/b/.", Ok("a/b")),
            ("a/file/", Err(Errno::NOTDIR)),
            ("a/file/x", Err(Errno::NOTDIR)),
            ("loop", Err(Errno::LOOP)),
            ("loop/x", Err(Errno::LOOP)),
            ("dangling", Err(Errno::NOENT)),
            ("dangling/x", Err(Errno::NOENT)),
            ("magic/etc/passwd", Err(Errno::NOENT)),
            ("a/none/../file", Err(Errno::NOENT)),
        ];
        for (path, want) in cases {
            let found = root.resolve(Path::new(path), OFlags::PATH).map(inode);
            let want = want.map(|path| std::fs::metadata(top.join(path)).unwrap().ino());
            assert_eq!(found, want, "{path:?}, walk: {}", root.only_walk);
            let read = root.resolve(Path::new(path), OFlags::RDONLY | OFlags::NONBLOCK).map(inode);
            assert_eq!(read, want, "{path:?} for reading, walk: {}", root.only_walk);
        }
        let link = root.resolve(Path::new("climb"), OFlags::PATH | OFlags::NOFOLLOW).unwrap();
        assert_eq!(inode(link), std::fs::symlink_metadata(top.join("climb")).unwrap().ino());
        let refused = root.resolve(Path::new("climb"), OFlags::RDONLY | OFlags::NOFOLLOW);
        assert_eq!(refused.unwrap_err(), Errno::LOOP);
    }
}

#[test]
fn what_is_missing_is_made_inside() {
    for (dir, root) in grounds() {
        let top = dir.path().join("root");
        symlink("/var/run", top.join("to-run")).unwrap();
        symlink("../../outside/new", top.join("climb")).unwrap();
        root.mkdir_all(Path::new("/to-run/a/../b"), 0o700).unwrap();
        assert!(top.join("var/run/b").is_dir());
        root.ensure_file(Path::new("climb"), 0o600).unwrap();
        assert!(top.join("outside/new").is_file());
        assert!(!dir.path().join("outside/new").exists());
        root.ensure_file(Path::new("deep/er/file"), 0o644).unwrap();
        let held = root.ensure_file(Path::new("deep/er/file"), 0o644).unwrap();
        assert_eq!(inode(held), std::fs::metadata(top.join("deep/er/file")).unwrap().ino());
        assert_eq!(root.mkdir_all(Path::new("deep/er/file/x"), 0o755).unwrap_err().kind(), Kind::System);
        assert_eq!(root.create_file(Path::new("climb"), 0o644).unwrap_err().kind(), Kind::Conflict);
        for bad in ["/", "..", "a/..", "."] {
            assert_eq!(root.create_file(Path::new(bad), 0o644).unwrap_err().kind(), Kind::Invalid, "{bad}");
        }
    }
}

#[test]
fn objects_are_made_and_changed_by_name() {
    for (dir, root) in grounds() {
        let top = dir.path().join("root");
        root.mkdir_all(Path::new("d"), 0o755).unwrap();
        root.create_file(Path::new("d/f"), 0o600).unwrap();
        root.link(Path::new("d/f"), Path::new("g")).unwrap();
        root.symlink(OsStr::new("../../outside/secret"), Path::new("l")).unwrap();
        root.link(Path::new("l"), Path::new("d/l")).unwrap();
        root.mknod(Path::new("fifo"), FileType::Fifo, 0o600, 0).unwrap();
        root.set_xattr(Path::new("d/f"), OsStr::new("user.x"), b"y").unwrap();
        let fd = root.open_at(Path::new("g"), OFlags::RDONLY).unwrap();
        assert_eq!(crate::sys::xattr::get(fd.as_fd(), OsStr::new("user.x")).unwrap().unwrap(), b"y");
        let time = rustix::fs::Timespec { tv_sec: 5, tv_nsec: 6 };
        root.utimens(Path::new("l"), &Timestamps { last_access: time, last_modification: time }).unwrap();
        assert_eq!(root.lstat(Path::new("l")).unwrap().st_mtime, 5);
        assert_eq!(std::fs::symlink_metadata(top.join("d/l")).unwrap().mtime(), 5);
        assert_ne!(std::fs::metadata(dir.path().join("outside/secret")).unwrap().mtime(), 5);
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        root.chown(Path::new("l"), uid, gid).unwrap();
        assert_eq!(root.stat(Path::new("l")).unwrap_err().kind(), Kind::NotFound);
    }
}

#[test]
fn only_regular_files_of_a_bearable_size_are_read() {
    for (dir, root) in grounds() {
        let top = dir.path().join("root");
        std::fs::write(top.join("passwd"), "root:x:0:0").unwrap();
        symlink("/passwd", top.join("link")).unwrap();
        symlink("../outside/secret", top.join("climb")).unwrap();
        root.mknod(Path::new("fifo"), FileType::Fifo, 0o644, 0).unwrap();
        assert_eq!(root.read_file(Path::new("link"), 10).unwrap(), b"root:x:0:0");
        let error = root.read_file(Path::new("passwd"), 9).unwrap_err();
        assert!(error.kind() == Kind::Invalid && error.to_string().contains("longer than 9"));
        assert_eq!(root.read_file(Path::new("fifo"), 10).unwrap_err().kind(), Kind::Invalid);
        assert_eq!(root.read_file(Path::new("/"), 10).unwrap_err().kind(), Kind::Invalid);
        assert_eq!(root.read_file(Path::new("climb"), 10).unwrap_err().kind(), Kind::NotFound);
    }
}

#[test]
fn removal_follows_nothing_and_no_permission_stops_it() {
    for (dir, root) in grounds() {
        let top = dir.path().join("root");
        std::fs::create_dir_all(top.join("t/locked/deeper")).unwrap();
        std::fs::write(top.join("t/locked/deeper/f"), "").unwrap();
        symlink("../../../outside", top.join("t/locked/link")).unwrap();
        for name in ["t/locked/deeper", "t/locked", "t"] {
            std::fs::set_permissions(top.join(name), std::fs::Permissions::from_mode(0o000)).unwrap();
        }
        root.remove_tree(Path::new("t")).unwrap();
        root.remove_tree(Path::new("t")).unwrap();
        root.remove_tree(Path::new("no/such/thing")).unwrap();
        assert!(!top.join("t").exists());
        symlink("../outside", top.join("link")).unwrap();
        root.remove_tree(Path::new("link")).unwrap();
        assert!(dir.path().join("outside/secret").exists() && !top.join("link").is_symlink());
    }
}

#[test]
fn trees_deeper_than_the_descriptor_limit_are_removed() {
    let (dir, root) = grounds().remove(0);
    let mut here = root.mkdir_all(Path::new("deep"), 0o755).unwrap();
    for level in 0..3000 {
        rustix::fs::mkdirat(&here, "d", Mode::from_raw_mode(0o755)).unwrap();
        if level % 500 == 0 {
            rustix::fs::symlinkat("/", &here, "l").unwrap();
        }
        here = rustix::fs::openat(&here, "d", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
    }
    root.remove_contents().unwrap();
    assert_eq!(std::fs::read_dir(dir.path().join("root")).unwrap().count(), 0);
}

/// An attacker swaps a directory for a link to the outside, as fast as it can, while paths through it are
/// resolved, made and removed. Whatever the outcome of each call, none may reach the outside.
#[test]
fn a_racing_renamer_gains_nothing() {
    for (dir, root) in grounds() {
        let top = dir.path().join("root");
        std::fs::create_dir_all(top.join("swap/inner")).unwrap();
        std::fs::write(top.join("swap/inner/secret"), "inside").unwrap();
        std::fs::create_dir(dir.path().join("outside/inner")).unwrap();
        std::fs::write(dir.path().join("outside/inner/secret"), "outside").unwrap();
        symlink(dir.path().join("outside"), top.join("evil")).unwrap();
        symlink("../outside", top.join("evil2")).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let attacker = std::thread::spawn({
            let (stop, top) = (Arc::clone(&stop), top.clone());
            move || {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                while !stop.load(Ordering::Relaxed) {
                    for evil in ["evil", "evil2"] {
                        let (a, b) = (top.join("swap"), top.join(evil));
                        let _ = rustix::fs::renameat_with(CWD, &a, CWD, &b, flags);
                        let _ = rustix::fs::renameat_with(CWD, &a, CWD, &b, flags);
                    }
                }
            }
        });
        let outside = std::fs::metadata(dir.path().join("outside/inner/secret")).unwrap().ino();
        for round in 0..3000 {
            if let Ok(fd) = root.resolve(Path::new("swap/inner/secret"), OFlags::RDONLY) {
                assert_ne!(inode(fd), outside, "round {round}, walk: {}", root.only_walk);
            }
            let _ = root.mkdir_all(Path::new("swap/inner/made"), 0o755);
            let _ = root.ensure_file(Path::new("swap/../swap/inner/file"), 0o644);
            let _ = root.remove_tree(Path::new("swap/inner/made"));
        }
        stop.store(true, Ordering::Relaxed);
        attacker.join().unwrap();
        let names: Vec<_> = std::fs::read_dir(dir.path().join("outside/inner")).unwrap().collect();
        assert_eq!(names.len(), 1, "walk: {}", root.only_walk);
        assert_eq!(std::fs::read_to_string(dir.path().join("outside/inner/secret")).unwrap(), "outside");
    }
}
