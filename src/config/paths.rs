//! Where rcon keeps what: images and containers, what may vanish at logout, caches, settings.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::config::Env;
use crate::error::{Context, Error, Kind, Result};

/// The directories of one user's rcon. Only [`Paths::run`] and a fallback below /tmp are made here; whoever
/// writes to one of the others makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Images, containers, volumes: `--root`, `$XDG_DATA_HOME/rcon`, `~/.local/share/rcon`.
    pub data: PathBuf,
    /// Sockets and locks of running things: `--runroot`, `$XDG_RUNTIME_DIR/rcon`, `/run/user/UID/rcon`,
    /// `/tmp/rcon-UID`.
    pub run: PathBuf,
    /// What can be made anew: `$XDG_CACHE_HOME/rcon`, `~/.cache/rcon`.
    pub cache: PathBuf,
    /// The user's settings, all programs' (`containers/` lies below it): `$XDG_CONFIG_HOME`, `~/.config`.
    pub config_home: PathBuf,
    /// The home directory.
    pub home: PathBuf,
    /// What is lost by a fallback that was taken, and how to get it back; one line each.
    pub notes: Vec<String>,
}

impl Paths {
    /// Finds the directories. `root` and `runroot` are the command line's, which win.
    pub fn discover(env: &Env, root: Option<&Path>, runroot: Option<&Path>) -> Result<Self> {
        Self::discover_below(Path::new("/"), env, root, runroot)
    }

    /// As [`Paths::discover`], with `/run/user`, `/tmp` and `/var/tmp` below `system`.
    fn discover_below(system: &Path, env: &Env, root: Option<&Path>, runroot: Option<&Path>) -> Result<Self> {
        let mut notes = Vec::new();
        let home = env.home();
        let data = match root {
            Some(path) => absolute(path)?,
            None => data_directory(system, env, &home, &mut notes)?,
        };
        let run = match runroot {
            Some(path) => absolute(path)?,
            None => run_directory(system, env, &mut notes)?,
        };
        let below_home =
            |name: &str, default: &str| env.path(name).map_or_else(|| home.join(default), Path::to_path_buf);
        let cache = match below_home("XDG_CACHE_HOME", ".cache").join("rcon") {
            path if can_create(&path) => path,
            _ => data.join("cache"),
        };
        let config_home = below_home("XDG_CONFIG_HOME", ".config");
        Ok(Self { data, run, cache, config_home, home, notes })
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).context(|| format!("cannot make {} absolute", path.display()))
}

fn data_directory(system: &Path, env: &Env, home: &Path, notes: &mut Vec<String>) -> Result<PathBuf> {
    let wanted = match env.path("XDG_DATA_HOME") {
        Some(path) => path.join("rcon"),
        None => home.join(".local/share/rcon"),
    };
    if can_create(&wanted) {
        return Ok(wanted);
    }
    let fallback = system.join(format!("var/tmp/rcon-{}", env.uid()));
    claim(&fallback, env.uid()).context(|| format!("cannot write to {}", wanted.display())).map_err(
        |error| {
            error.hint("give a directory with rcon --root DIR, or set XDG_DATA_HOME to one you can write")
        },
    )?;
    notes.push(format!(
        "{} cannot be written: images and containers go to {}, which the system may clean \
         (set HOME or XDG_DATA_HOME to a directory you can write, or use --root)",
        wanted.display(),
        fallback.display()
    ));
    Ok(fallback)
}

fn run_directory(system: &Path, env: &Env, notes: &mut Vec<String>) -> Result<PathBuf> {
    let uid = env.uid();
    let login = system.join(format!("run/user/{uid}"));
    if let Some(dir) = env.path("XDG_RUNTIME_DIR") {
        if is_ours(dir, uid) {
            return Ok(dir.join("rcon"));
        }
        // `su` keeps the caller's: what is another user's is not ours to use, and none at all is common.
        if dir.exists() {
            notes.push(format!("XDG_RUNTIME_DIR={} belongs to another user and is not used", dir.display()));
        }
    }
    if is_ours(&login, uid) {
        return Ok(login.join("rcon"));
    }
    let fallback = system.join(format!("tmp/rcon-{uid}"));
    claim(&fallback, uid).map_err(|error| {
        error.hint("set XDG_RUNTIME_DIR to a directory of yours (mode 0700), or use --runroot DIR")
    })?;
    Ok(fallback)
}

/// Whether `path` exists and can be written, or can be made by whoever runs this.
fn can_create(path: &Path) -> bool {
    for ancestor in path.ancestors() {
        match rustix::fs::access(ancestor, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK) {
            Ok(()) => return ancestor.is_dir(),
            Err(rustix::io::Errno::NOENT) => {}
            Err(_) => return false,
        }
    }
    false
}

fn is_ours(dir: &Path, uid: u32) -> bool {
    fs::metadata(dir).is_ok_and(|meta| meta.is_dir() && meta.uid() == uid)
        && rustix::fs::access(dir, rustix::fs::Access::WRITE_OK).is_ok()
}

/// Makes `dir` (0700) in a directory that others can write too, or takes it if it is already ours. A
/// symbolic link or another user's directory of that name is refused.
fn claim(dir: &Path, uid: u32) -> Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(Error::wrap(format!("cannot create {}", dir.display()), error)),
    }
    let meta = fs::symlink_metadata(dir).context(|| format!("cannot stat {}", dir.display()))?;
    if !meta.is_dir() || meta.uid() != uid {
        return Err(Error::new(
            Kind::Denied,
            format!("{} exists and is not a directory of user {uid}", dir.display()),
        ));
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
            .context(|| format!("cannot chmod {}", dir.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct System(tempfile::TempDir);

    impl System {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            for sub in ["tmp", "var/tmp", "run/user", "home/me"] {
                fs::create_dir_all(dir.path().join(sub)).unwrap();
            }
            Self(dir)
        }

        fn path(&self, sub: &str) -> String {
            self.0.path().join(sub).to_str().unwrap().to_owned()
        }

        fn discover(&self, pairs: &[(&str, &str)]) -> Result<Paths> {
            Paths::discover_below(self.0.path(), &Env::from_pairs(pairs.to_vec()), None, None)
        }
    }

    fn uid() -> u32 {
        rustix::process::getuid().as_raw()
    }

    #[test]
    fn xdg_variables_win_over_home() {
        let system = System::new();
        fs::create_dir(system.path("rt")).unwrap();
        let paths = system
            .discover(&[
                ("HOME", &system.path("home/me")),
                ("XDG_DATA_HOME", &system.path("data")),
                ("XDG_RUNTIME_DIR", &system.path("rt")),
                ("XDG_CONFIG_HOME", "relative"),
            ])
            .unwrap();
        assert_eq!(paths.data, Path::new(&system.path("data/rcon")));
        assert_eq!(paths.run, Path::new(&system.path("rt/rcon")));
        assert_eq!(paths.config_home, Path::new(&system.path("home/me/.config")));
        assert!(paths.notes.is_empty());
    }

    #[test]
    fn without_a_login_session_a_private_directory_below_tmp_is_made() {
        let system = System::new();
        let paths = system.discover(&[("HOME", &system.path("home/me"))]).unwrap();
        let expected = system.path(&format!("tmp/rcon-{}", uid()));
        assert_eq!(paths.run, Path::new(&expected));
        assert_eq!(fs::metadata(&expected).unwrap().mode() & 0o777, 0o700);
        fs::set_permissions(&expected, fs::Permissions::from_mode(0o755)).unwrap();
        system.discover(&[("HOME", &system.path("home/me"))]).unwrap();
        assert_eq!(fs::metadata(&expected).unwrap().mode() & 0o777, 0o700, "closed again");
    }

    #[test]
    fn a_link_planted_in_tmp_is_refused_with_the_way_out() {
        let system = System::new();
        let planted = system.path(&format!("tmp/rcon-{}", uid()));
        std::os::unix::fs::symlink(system.path("home"), planted).unwrap();
        let error = system.discover(&[("HOME", &system.path("home/me"))]).unwrap_err();
        assert_eq!(error.kind(), Kind::Denied);
        assert!(error.hints()[0].contains("XDG_RUNTIME_DIR"));
    }

    #[test]
    fn a_home_that_cannot_be_written_falls_back_and_says_so() {
        let system = System::new();
        fs::write(system.path("file"), "").unwrap();
        let paths = system.discover(&[("HOME", &system.path("file/home"))]).unwrap();
        assert_eq!(paths.data, Path::new(&system.path(&format!("var/tmp/rcon-{}", uid()))));
        assert!(paths.notes[0].contains("cannot be written"), "{:?}", paths.notes);
    }

    #[test]
    fn the_command_line_wins_and_is_made_absolute() {
        let system = System::new();
        let env = Env::from_pairs([("HOME", system.path("home/me"))]);
        let paths = Paths::discover(&env, Some(Path::new("store")), Some(Path::new("/r"))).unwrap();
        assert_eq!(paths.data, std::env::current_dir().unwrap().join("store"));
        assert_eq!(paths.run, Path::new("/r"));
    }
}
