//! Attacks: one for each class of container escape that was ever published, each against the built rcon.
//!
//! What an attack reaches for is there and in reach of the caller: a test whose victim could not be harmed anyway
//! proves nothing.

mod kernel;
mod paths;
mod processes;
mod races;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::rig::image::{Entry, Image, Layer};
use crate::rig::{Home, Output, registry, stock};

/// A home with a directory outside of every container, which all may write to.
struct Victim {
    home: Home,
    dir: PathBuf,
}

/// What is in the victim's only file, and in no other of this machine.
const SECRET: &str = "the-secret-of-the-host";

impl Victim {
    fn new() -> Self {
        let home = Home::with_busybox();
        let dir = home.path("victim");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join(SECRET), SECRET).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
        fs::set_permissions(dir.join(SECRET), fs::Permissions::from_mode(0o666)).unwrap();
        Self { home, dir }
    }

    fn text(&self) -> String {
        self.dir.to_str().unwrap().to_owned()
    }

    fn secret(&self) -> String {
        self.dir.join(SECRET).to_str().unwrap().to_owned()
    }

    /// Pushes an image with `entries` on top of busybox.
    fn image(&self, name: &str, entries: Vec<Entry>, config: serde_json::Value) -> String {
        let reference = format!("escapes/{name}");
        let image = Image::of([stock::base_layer(), Layer::of(entries)]).config(config);
        image.push(registry(), &reference, "latest");
        reference
    }

    /// Runs `script` in `image`, and holds what came of it against the rules.
    #[track_caller]
    fn attack(&self, name: &str, options: &[&str], image: &str, script: &str) -> Output {
        let mut args = vec!["run", "--rm", "-q", "--network", "none"];
        args.extend_from_slice(options);
        args.extend_from_slice(&[image, "sh", "-c", script]);
        let output = self.home.run(&args);
        self.assert_unharmed(name);
        assert!(!output.stdout.contains(SECRET), "{name}: {output}");
        assert!(!output.stderr.contains("panicked"), "{name}: {output}");
        output
    }

    #[track_caller]
    fn assert_unharmed(&self, name: &str) {
        let names: Vec<_> =
            fs::read_dir(&self.dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, [SECRET], "{name}");
        assert_eq!(fs::read_to_string(self.dir.join(SECRET)).unwrap(), SECRET, "{name}");
    }
}

/// Finds the secret wherever it may have come in, and tells of each mask that does not hold. The parameters are
/// those that the container's root owns, and that only a read-only mount protects.
const SEARCH: &str = "find / -xdev -name 'the-secret*' 2>/dev/null; \
    for f in keys kcore timer_list; do \
      [ ! -e /proc/$f ] || [ \"$(head -c 1 /proc/$f 2>/dev/null | wc -c)\" = 0 ] || echo unmasked $f; done; \
    for f in net/ipv4/ping_group_range net/ipv4/ip_forward kernel/shmmax kernel/core_pattern; do \
      (: >>/proc/sys/$f) 2>/dev/null && echo writable $f; done; \
    echo searched";
