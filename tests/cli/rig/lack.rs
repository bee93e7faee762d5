//! What a test needs and how it says that the machine lacks it: shared by the test programs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Why a test cannot run here.
pub(crate) struct Lack {
    pub(crate) reason: String,
    pub(crate) kernel: bool,
}

pub(crate) fn lack(reason: impl Into<String>) -> Option<Lack> {
    Some(Lack { reason: reason.into(), kernel: false })
}

/// Returns from the test when the machine lacks one of the named things (functions of `rig::machine`).
macro_rules! needs {
    ($($thing:ident),+ $(,)?) => {
        $(if let Some(lack) = crate::rig::machine::$thing() {
            return crate::rig::machine::skip(&lack);
        })+
    };
}
pub(crate) use needs;

/// Says so, notes it for the runner's list, and fails instead where nothing may be skipped.
pub(crate) fn skip(lack: &Lack) {
    let thread = std::thread::current();
    let line = format!("skipped: {}: {}\n", thread.name().unwrap_or("?"), lack.reason);
    // The standard streams' macros are captured by the harness; the list must be seen.
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(file) = std::env::var_os("RCON_TEST_SKIPPED") {
        let file = fs::OpenOptions::new().create(true).append(true).open(file);
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
    let strict = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(lack.kernel || !strict, "CI=true allows no skipping: {}", lack.reason);
}

/// Whether whoever runs this may make user namespaces.
pub(crate) fn user_namespaces() -> Option<Lack> {
    static USER_NAMESPACES: OnceLock<bool> = OnceLock::new();
    let possible = USER_NAMESPACES.get_or_init(|| {
        let status =
            std::process::Command::new("unshare").args(["--user", "--map-root-user", "true"]).status();
        status.is_ok_and(|status| status.success())
    });
    (!possible)
        .then(|| Lack { reason: "this kernel gives ordinary users no user namespace".into(), kernel: true })
}

/// busybox-static, the content of the test images.
pub(crate) fn busybox() -> Option<Lack> {
    (!Path::new("/bin/busybox").exists()).then(|| lack("no /bin/busybox: apt-get install busybox-static"))?
}

/// Subordinate ids and the helpers that map them.
pub(crate) fn subordinate_ids() -> Option<Lack> {
    let name = user_name();
    let uid = nix::unistd::getuid().to_string();
    for file in ["/etc/subuid", "/etc/subgid"] {
        let granted = fs::read_to_string(file).unwrap_or_default();
        if !granted.lines().any(|line| line.split(':').next().is_some_and(|who| who == name || who == uid)) {
            return lack(format!("{file} grants {name} nothing: usermod --add-subuids …"));
        }
    }
    tool("newuidmap", "uidmap")
}

pub(crate) fn tool(name: &str, package: &str) -> Option<Lack> {
    which(name).is_none().then(|| lack(format!("no {name}: apt-get install {package}")))?
}

pub(crate) fn which(name: &str) -> Option<PathBuf> {
    PATH.split(':').map(|dir| Path::new(dir).join(name)).find(|path| path.exists())
}

/// The path that tests give to rcon.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

pub(crate) fn user_name() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
    user.map_or_else(|| nix::unistd::getuid().to_string(), |user| user.name)
}
