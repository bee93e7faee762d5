//! The environment of this process as one value: variables, ids, and who the passwd file says we are.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A snapshot of the process environment. The only reader of it in the crate.
#[derive(Clone, Debug)]
pub struct Env {
    vars: Vec<(OsString, OsString)>,
    uid: u32,
    gid: u32,
    passwd_file: PathBuf,
    /// `None` where no database is to be asked beside the file (tests).
    getent: Option<PathBuf>,
    passwd: OnceCell<Option<Passwd>>,
}

/// What passwd(5) knows of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passwd {
    /// The login name.
    pub name: String,
    /// The user id.
    pub uid: u32,
    /// The login group.
    pub gid: u32,
    /// The home directory.
    pub home: PathBuf,
    /// The login shell; may be empty.
    pub shell: PathBuf,
}

impl Env {
    /// The environment of this process as it is now.
    pub fn capture() -> Self {
        Self {
            vars: std::env::vars_os().collect(),
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
            passwd_file: PathBuf::from("/etc/passwd"),
            getent: Some(PathBuf::from("getent")),
            passwd: OnceCell::new(),
        }
    }

    /// An environment of exactly these variables, with the ids of this process. No user database is asked:
    /// see [`Env::with_passwd_file`].
    pub fn from_pairs<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        Self {
            vars: pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect(),
            passwd_file: PathBuf::from("/dev/null"),
            getent: None,
            ..Self::capture()
        }
    }

    /// The same environment for another user.
    #[must_use]
    pub fn with_ids(mut self, uid: u32, gid: u32) -> Self {
        (self.uid, self.gid) = (uid, gid);
        self.passwd = OnceCell::new();
        self
    }

    /// The same environment with another user database.
    #[must_use]
    pub fn with_passwd_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.passwd_file = file.into();
        self.passwd = OnceCell::new();
        self
    }

    /// A variable that is set, not empty and valid UTF-8.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_os(name).and_then(OsStr::to_str).filter(|value| !value.is_empty())
    }

    /// A variable as the bytes that it is, empty or not.
    pub fn get_os(&self, name: &str) -> Option<&OsStr> {
        self.vars.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
    }

    /// A variable that holds an absolute path; the XDG specification has relative ones ignored.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.get_os(name).map(Path::new).filter(|path| path.is_absolute())
    }

    /// All variables in the order in which they came.
    pub fn vars(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.vars.iter().map(|(key, value)| (key.as_os_str(), value.as_os_str()))
    }

    /// The real user id.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    /// The real group id.
    pub fn gid(&self) -> u32 {
        self.gid
    }

    /// What the user database says of the real user id, looked up once and only when asked for.
    pub fn passwd(&self) -> Option<&Passwd> {
        self.passwd.get_or_init(|| self.look_up()).as_ref()
    }

    /// The login name, by the user database alone: `$USER` is what `su` and cron left in it.
    pub fn user_name(&self) -> Option<&str> {
        self.passwd().map(|entry| entry.name.as_str())
    }

    /// `$HOME`, else the home directory of the user database, else `/`.
    pub fn home(&self) -> PathBuf {
        self.path("HOME")
            .or_else(|| self.passwd().map(|entry| entry.home.as_path()).filter(|home| home.is_absolute()))
            .map_or_else(|| PathBuf::from("/"), Path::to_path_buf)
    }

    /// The D-Bus addresses at which the user's service manager may answer, best first: `$XDG_RUNTIME_DIR/bus`, which is
    /// its own, `$DBUS_SESSION_BUS_ADDRESS`, which may be another bus, and where the first would be without `su`.
    pub fn user_bus(&self) -> Vec<String> {
        let of = |directory: &Path| format!("unix:path={}/bus", directory.display());
        let runtime = self.path("XDG_RUNTIME_DIR").map(of);
        let session = self.get("DBUS_SESSION_BUS_ADDRESS").map(str::to_owned);
        let login = of(&Path::new("/run/user").join(self.uid.to_string()));
        let mut addresses = Vec::new();
        for address in runtime.into_iter().chain(session).chain([login]) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses
    }

    /// Where an executable lies on `$PATH`; where there is none (`env -i`), in the usual directories.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        const ALWAYS: [&str; 6] =
            ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];
        let listed = self.get_os("PATH").filter(|path| !path.is_empty());
        let usual = if listed.is_none() { &ALWAYS[..] } else { &[] };
        listed
            .unwrap_or_default()
            .as_bytes()
            .split(|byte| *byte == b':')
            .map(|dir| Path::new(OsStr::from_bytes(dir)))
            .chain(usual.iter().map(Path::new))
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(name))
            .find(|file| is_executable(file))
    }

    /// libc's getpwuid would load NSS modules, which a static binary cannot: the file is read here, and
    /// `getent` answers for the users of other sources (LDAP, systemd-homed).
    fn look_up(&self) -> Option<Passwd> {
        let file = std::fs::read(&self.passwd_file).unwrap_or_default();
        let preferred = self.get("USER").or_else(|| self.get("LOGNAME"));
        entry_of(&file, self.uid, preferred).or_else(|| {
            let output = Command::new(self.getent.as_ref()?)
                .args(["passwd", &self.uid.to_string()])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .output()
                .ok()?;
            entry_of(&output.stdout, self.uid, preferred)
        })
    }
}

/// The entry of `uid`: the one named `preferred` where several share the id, else the first.
fn entry_of(file: &[u8], uid: u32, preferred: Option<&str>) -> Option<Passwd> {
    let mut first = None;
    for entry in file.split(|byte| *byte == b'\n').filter_map(parse_entry).filter(|entry| entry.uid == uid) {
        if preferred.is_none_or(|name| name == entry.name) {
            return Some(entry);
        }
        first.get_or_insert(entry);
    }
    first
}

fn parse_entry(line: &[u8]) -> Option<Passwd> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
    let [name, _, uid, gid, _, home, shell] = fields[..] else { return None };
    let number = |field: &[u8]| std::str::from_utf8(field).ok()?.parse().ok();
    Some(Passwd {
        name: std::str::from_utf8(name).ok().filter(|name| !name.is_empty())?.to_owned(),
        uid: number(uid)?,
        gid: number(gid)?,
        home: PathBuf::from(OsStr::from_bytes(home)),
        shell: PathBuf::from(OsStr::from_bytes(shell)),
    })
}

fn is_executable(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
        broken line\n\
        :x:1000:1000::/nameless:/bin/sh\n\
        bad:x:-1:12::/:/bin/sh\n\
        first:x:1000:1000:One:/home/first:/bin/sh\n\
        second:x:1000:100:Two:/home/second:\n";

    fn env(pairs: &[(&str, &str)]) -> (Env, tempfile::NamedTempFile) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), PASSWD).unwrap();
        (Env::from_pairs(pairs.to_vec()).with_passwd_file(file.path()).with_ids(1000, 1000), file)
    }

    #[test]
    fn home_and_name_come_from_passwd_where_the_environment_is_bare() {
        let (env, _file) = env(&[]);
        assert_eq!(env.user_name(), Some("first"));
        assert_eq!(env.home(), Path::new("/home/first"));
        let nobody = env.with_ids(77, 77);
        assert_eq!(nobody.user_name(), None);
        assert_eq!(nobody.home(), Path::new("/"));
    }

    #[test]
    fn the_environment_chooses_among_names_but_does_not_invent_one() {
        let (by_user, _file) = env(&[("USER", "second"), ("HOME", "/elsewhere")]);
        assert_eq!(by_user.user_name(), Some("second"));
        assert_eq!(by_user.home(), Path::new("/elsewhere"));
        let (stale, _file) = env(&[("USER", "root"), ("HOME", "relative")]);
        assert_eq!(stale.user_name(), Some("first"));
        assert_eq!(stale.home(), Path::new("/home/first"));
    }

    #[test]
    fn an_empty_variable_counts_as_unset_and_a_relative_path_is_ignored() {
        let env = Env::from_pairs([("A", ""), ("B", "b"), ("P", "x/y"), ("Q", "/q")]);
        assert_eq!((env.get("A"), env.get("B"), env.get("C")), (None, Some("b"), None));
        assert_eq!((env.path("P"), env.path("Q")), (None, Some(Path::new("/q"))));
    }

    #[test]
    fn the_users_bus_is_sought_where_systemd_has_it() {
        let bus = |pairs: &[(&str, &str)]| Env::from_pairs(pairs.to_vec()).with_ids(7, 7).user_bus();
        assert_eq!(bus(&[]), ["unix:path=/run/user/7/bus"]);
        assert_eq!(
            bus(&[("XDG_RUNTIME_DIR", "/r"), ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/x")]),
            ["unix:path=/r/bus", "unix:path=/x", "unix:path=/run/user/7/bus"]
        );
    }

    #[test]
    fn programs_are_found_without_a_path() {
        let env = Env::from_pairs([("X", "y")]);
        assert!(env.find_program("sh").is_some());
        assert!(env.find_program("no-such-program-here").is_none());
    }
}
