//! Who the first process is: `USER[:GROUP]` looked up in the container's own passwd and group files.
//!
//! The files are an image's and so untrusted bytes: lines that do not fit are passed over, as the C library does.
//! The rules are those of runc's and podman's lookup: digits are always an id; a user found in the passwd file
//! has its supplementary groups unless a group is named.

use std::path::{Path, PathBuf};

use super::value::{Group, UserSpec};
use crate::error::{Error, Result};

/// A user with everything that a process needs of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedUser {
    /// The user id in the container.
    pub uid: u32,
    /// The group id in the container.
    pub gid: u32,
    /// Supplementary groups, the group itself among them; sorted, without repetition.
    pub groups: Vec<u32>,
    /// The home directory; `/` for a user that the passwd file does not have.
    pub home: PathBuf,
}

/// The container's user database. An absent file is an empty one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Database<'a> {
    /// The bytes of /etc/passwd.
    pub passwd: &'a [u8],
    /// The bytes of /etc/group.
    pub group: &'a [u8],
}

struct PasswdEntry<'a> {
    name: &'a [u8],
    uid: u32,
    gid: u32,
    home: &'a [u8],
}

struct GroupEntry<'a> {
    name: &'a [u8],
    gid: u32,
    members: &'a [u8],
}

/// The fields of each line, without the lines that have fewer than `N`.
fn lines<const N: usize>(file: &[u8]) -> impl Iterator<Item = [&[u8]; N]> {
    file.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut fields = line.trim_ascii().split(|byte| *byte == b':');
        let mut found = [&b""[..]; N];
        for slot in &mut found {
            *slot = fields.next()?;
        }
        Some(found)
    })
}

/// An id in decimal digits. `u32::MAX` is no id: the kernel takes it for "unchanged".
fn id(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().filter(|id| *id != u32::MAX)
}

impl<'a> Database<'a> {
    fn users(self) -> impl Iterator<Item = PasswdEntry<'a>> {
        lines::<6>(self.passwd).filter_map(|[name, _, uid, gid, _, home]| {
            Some(PasswdEntry { name, uid: id(uid)?, gid: id(gid)?, home })
        })
    }

    fn groups(self) -> impl Iterator<Item = GroupEntry<'a>> {
        lines::<4>(self.group)
            .filter_map(|[name, _, gid, members]| Some(GroupEntry { name, gid: id(gid)?, members }))
    }

    /// The id of a group given by name or number.
    fn group_id(self, text: &str) -> Result<u32> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return id(text.as_bytes())
                .ok_or_else(|| Error::usage(format!("group id {text} is out of range")));
        }
        self.groups().find(|group| group.name == text.as_bytes()).map(|group| group.gid).ok_or_else(|| {
            Error::not_found(format!("unable to find group {text}: no matching entries in group file"))
        })
    }
}

impl GroupEntry<'_> {
    fn has(&self, user: &[u8]) -> bool {
        self.members.split(|byte| *byte == b',').any(|member| member == user)
    }
}

/// Looks `user` and the added groups up. Without a `user` it is `default` (keep-id's ids), else root.
pub fn resolve(
    user: Option<&UserSpec>,
    added: &[Group],
    database: Database<'_>,
    default: Option<(u32, u32)>,
) -> Result<ResolvedUser> {
    let (name, default_gid) = match (user, default) {
        (Some(spec), _) => (spec.user.clone(), 0),
        (None, Some((uid, gid))) => (uid.to_string(), gid),
        (None, None) => ("0".to_owned(), 0),
    };
    let by_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let number = id(name.as_bytes());
    let entry = database.users().find(|entry| match number {
        Some(uid) => entry.uid == uid,
        None => entry.name == name.as_bytes(),
    });
    let (uid, mut gid) = match (&entry, number) {
        (Some(entry), _) => (entry.uid, entry.gid),
        (None, Some(uid)) => (uid, default_gid),
        (None, None) if by_number => return Err(Error::usage(format!("user id {name} is out of range"))),
        (None, None) => {
            return Err(Error::not_found(format!(
                "unable to find user {name}: no matching entries in passwd file"
            )));
        }
    };
    let mut groups = Vec::new();
    match user.and_then(|spec| spec.group.as_deref()) {
        Some(group) => gid = database.group_id(group)?,
        None => {
            if let Some(entry) = &entry {
                groups.extend(database.groups().filter(|group| group.has(entry.name)).map(|group| group.gid));
            }
        }
    }
    for group in added {
        groups.push(database.group_id(group.as_str())?);
    }
    groups.push(gid);
    groups.sort_unstable();
    groups.dedup();
    Ok(ResolvedUser { uid, gid, groups, home: home(entry.as_ref()) })
}

/// The home directory; an entry whose home is no usable path has `/`.
fn home(entry: Option<&PasswdEntry<'_>>) -> PathBuf {
    let text = entry.and_then(|entry| std::str::from_utf8(entry.home).ok()).unwrap_or_default();
    if text.starts_with('/') && !text.contains('\0') { PathBuf::from(text) } else { PathBuf::from("/") }
}

/// The line that /etc/passwd lacks for `user`, with its line feed; `None` when it has one. `name` is the caller's
/// login name with keep-id; other ids are named by their number, as podman names them.
pub fn passwd_addition(user: &ResolvedUser, name: Option<&str>, database: Database<'_>) -> Option<String> {
    if database.users().any(|entry| entry.uid == user.uid) {
        return None;
    }
    let free = |name: &&str| {
        !name.is_empty()
            && !name.contains([':', '\n', '\0'])
            && !database.users().any(|entry| entry.name == name.as_bytes())
    };
    let (uid, gid, home) = (user.uid, user.gid, user.home.display());
    Some(match name.filter(free) {
        Some(name) => format!("{name}:*:{uid}:{gid}:{name}:{home}:/bin/sh\n"),
        None => format!("{uid}:*:{uid}:{gid}:container user:{home}:/bin/sh\n"),
    })
}

/// The line that /etc/group lacks for `user`'s own group, with its line feed.
pub fn group_addition(user: &ResolvedUser, name: Option<&str>, database: Database<'_>) -> Option<String> {
    if database.groups().any(|entry| entry.gid == user.gid) {
        return None;
    }
    let free = |name: &&str| {
        !name.is_empty()
            && !name.contains([':', '\n', '\0'])
            && !database.groups().any(|entry| entry.name == name.as_bytes())
    };
    let gid = user.gid;
    Some(match name.filter(free) {
        Some(name) => format!("{name}:x:{gid}:\n"),
        None => format!("{gid}:x:{gid}:\n"),
    })
}

/// `file` with `line` at its end, whether or not its last line is finished.
pub fn append(file: &[u8], line: &str) -> Vec<u8> {
    let mut bytes = file.to_vec();
    if bytes.last().is_some_and(|last| *last != b'\n') {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(line.as_bytes());
    bytes
}

impl ResolvedUser {
    /// Root with nothing looked up.
    pub fn root() -> Self {
        Self { uid: 0, gid: 0, groups: vec![0], home: PathBuf::from("/root") }
    }

    /// Whether the process has the powers of the container's root.
    pub fn is_root(&self) -> bool {
        self.uid == 0
    }

    /// The home directory as a path.
    pub fn home(&self) -> &Path {
        &self.home
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\n# no user\nbroken:x:1\ngames:x:35:35:games:/usr/games:/x\n\
        dev:x:1000:1001:Dev,,,:/home/dev:/bin/sh\nnohome:x:7:7:::\nrel:x:8:8::rel:\nbig:x:99999999999:1::/:\n5:x:77:77::/five:";
    const GROUP: &[u8] = b"root:x:0:root\nbin:x:1:root,bin,daemon\nwheel:x:10:root,dev\ngames:x:35:\nvideo:x:27:dev\nbad:x:y:dev";
    const DATABASE: Database<'static> = Database { passwd: PASSWD, group: GROUP };

    fn look_up(user: &str, groups: &[&str]) -> Result<(u32, u32, Vec<u32>, String)> {
        let spec: UserSpec = user.parse().unwrap();
        let groups: Vec<Group> = groups.iter().map(|group| group.parse().unwrap()).collect();
        resolve(Some(&spec), &groups, DATABASE, None)
            .map(|user| (user.uid, user.gid, user.groups, user.home.display().to_string()))
    }

    #[test]
    fn the_table_of_runc() {
        for (user, groups, uid, gid, all, home) in [
            ("root", &[][..], 0, 0, &[0, 1, 10][..], "/root"),
            ("0", &[], 0, 0, &[0, 1, 10], "/root"),
            ("dev", &[], 1000, 1001, &[10, 27, 1001], "/home/dev"),
            ("1000", &[], 1000, 1001, &[10, 27, 1001], "/home/dev"),
            ("dev:games", &[], 1000, 35, &[35], "/home/dev"),
            ("dev:4", &["wheel", "3"], 1000, 4, &[3, 4, 10], "/home/dev"),
            ("1234", &[], 1234, 0, &[0], "/"),
            ("1234:5", &["10", "games"], 1234, 5, &[5, 10, 35], "/"),
            (":27", &[], 0, 27, &[27], "/root"),
            ("nohome", &[], 7, 7, &[7], "/"),
            ("rel", &[], 8, 8, &[8], "/"),
            ("5", &[], 5, 0, &[0], "/"),
        ] {
            assert_eq!(look_up(user, groups).unwrap(), (uid, gid, all.to_vec(), home.to_owned()), "{user}");
        }
    }

    #[test]
    fn who_is_not_there_is_named_as_podman_names_it() {
        let error = look_up("nobody", &[]).unwrap_err();
        assert_eq!(error.to_string(), "unable to find user nobody: no matching entries in passwd file");
        let error = look_up("root:nogroup", &[]).unwrap_err();
        assert_eq!(error.to_string(), "unable to find group nogroup: no matching entries in group file");
        for bad in ["broken", "big", "4294967295", "99999999999", "0:4294967295", "+5"] {
            assert!(look_up(bad, &[]).is_err(), "{bad}");
        }
        assert!(look_up("root", &["none"]).is_err());
    }

    #[test]
    fn without_a_user_it_is_root_or_the_caller() {
        assert_eq!(
            resolve(None, &[], Database::default(), None).unwrap(),
            ResolvedUser { home: "/".into(), ..ResolvedUser::root() }
        );
        let caller = resolve(None, &[], DATABASE, Some((500, 501))).unwrap();
        assert_eq!((caller.uid, caller.gid, caller.groups), (500, 501, vec![501]));
        let known = resolve(None, &[], DATABASE, Some((1000, 1000))).unwrap();
        assert_eq!((known.uid, known.gid), (1000, 1001));
    }

    #[test]
    fn an_unknown_user_gets_a_line() {
        let user = |uid, gid| ResolvedUser { uid, gid, groups: vec![], home: "/".into() };
        let passwd = |user: &ResolvedUser, name| passwd_addition(user, name, DATABASE);
        assert_eq!(passwd(&user(0, 0), None), None);
        assert_eq!(passwd(&user(500, 5), None).unwrap(), "500:*:500:5:container user:/:/bin/sh\n");
        assert_eq!(passwd(&user(500, 5), Some("me")).unwrap(), "me:*:500:5:me:/:/bin/sh\n");
        assert!(passwd(&user(500, 5), Some("games")).unwrap().starts_with("500:"));
        assert!(passwd(&user(500, 5), Some("a:0:0\nroot")).unwrap().starts_with("500:"));
        assert_eq!(group_addition(&user(0, 501), Some("me"), DATABASE).unwrap(), "me:x:501:\n");
        assert_eq!(group_addition(&user(0, 35), Some("me"), DATABASE), None);
        assert_eq!(append(b"a:x:1", "b:x:2\n"), b"a:x:1\nb:x:2\n");
        assert_eq!(append(b"", "b:x:2\n"), b"b:x:2\n");
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_database(passwd in proptest::collection::vec(any::<u8>(), 0..200), name in "[a-z0-9]{1,3}") {
            let spec = UserSpec { user: name, group: None };
            if let Ok(user) = resolve(Some(&spec), &[], Database { passwd: &passwd, group: &passwd }, None) {
                prop_assert!(user.home.is_absolute());
                prop_assert!(user.uid != u32::MAX);
            }
        }
    }
}
