//! CVE-2021-30465: somebody swaps a directory for a symbolic link while a container is put together.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;

use super::{SEARCH, Victim};
use crate::rig::image::Entry;
use crate::rig::needs;

/// Exchanges two names as fast as it goes, until it is dropped.
struct Swapper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Swapper {
    fn start(one: &Path, other: &Path) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (one, other, flag) = (one.to_owned(), other.to_owned(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !flag.load(Ordering::Relaxed) {
                let _ = renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Swapper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// How often each race is run.
const ROUNDS: usize = 12;

#[test]
fn mount_targets_in_a_shared_volume() {
    needs!(containers, registry);
    let victim = Victim::new();
    let shared = victim.home.path("work/shared");
    fs::create_dir_all(shared.join("place/mnt")).unwrap();
    fs::create_dir(victim.home.path("work/other")).unwrap();
    let climbing = format!("{}{}", "../".repeat(30), victim.text().trim_start_matches('/'));
    for target in [victim.text(), climbing, "/".into(), "/proc/self/cwd".into(), "/proc".into()] {
        let link = shared.join("link");
        let _ = fs::remove_file(&link);
        symlink(&target, &link).unwrap();
        let swapper = Swapper::start(&shared.join("place"), &link);
        for _ in 0..ROUNDS {
            let options = ["-v", "./shared:/shared", "-v", "./other:/shared/place/mnt"];
            let output = victim.attack(&target, &options, "busybox", SEARCH);
            assert!(!output.stdout.contains("unmasked"), "{target}: {output}");
            assert!(!output.stdout.contains("writable"), "{target}: {output}");
        }
        drop(swapper);
        // Whichever of the two is the link now.
        for name in ["place", "link"] {
            let path = shared.join(name);
            if path.is_symlink() {
                fs::remove_file(&path).unwrap();
            } else if name == "link" {
                fs::rename(&path, shared.join("place")).unwrap();
            }
        }
    }
}

/// An image whose /dev, /proc and /sys lie in the volume that somebody else writes to.
#[test]
fn the_places_of_the_set_up_itself() {
    needs!(containers, registry);
    let victim = Victim::new();
    let shared = victim.home.path("work/shared");
    for place in ["dev", "proc", "sys"] {
        let entries = vec![
            Entry::file(&format!(".wh.{place}"), ""),
            Entry::symlink(place, &format!("/shared/{place}")),
            Entry::dir("shared"),
        ];
        let image = victim.image(&format!("race-{place}"), entries, json!({ "Env": ["PATH=/bin"] }));
        let _ = fs::remove_dir_all(&shared);
        fs::create_dir_all(shared.join(place)).unwrap();
        symlink(victim.text(), shared.join("link")).unwrap();
        let swapper = Swapper::start(&shared.join(place), &shared.join("link"));
        for _ in 0..ROUNDS {
            let output = victim.attack(place, &["-v", "./shared:/shared"], &image, SEARCH);
            assert!(!output.stdout.contains("unmasked"), "{place}: {output}");
        }
        drop(swapper);
    }
}

/// A volume out of which a directory is moved while `..` is looked up in it.
#[test]
fn a_directory_that_is_moved_out_of_its_volume() {
    needs!(containers, registry);
    let victim = Victim::new();
    let shared = victim.home.path("work/shared");
    let away = victim.home.path("work/away");
    fs::create_dir_all(shared.join("a/b/c")).unwrap();
    fs::create_dir(&away).unwrap();
    symlink("a/b/c/../../../../../../../../victim", shared.join("up")).unwrap();
    let swapper = Swapper::start(&shared.join("a"), &away);
    for _ in 0..ROUNDS {
        let options = ["-v", "./shared:/shared", "-v", "./shared:/shared/up/mnt"];
        victim.attack("moved", &options, "busybox", SEARCH);
    }
    drop(swapper);
}
