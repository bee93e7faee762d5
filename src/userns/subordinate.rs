//! The subordinate ids of a user: `/etc/subuid` and `/etc/subgid` (subuid(5)), or what another source says.
//!
//! ```text
//! dev:100000:65536      by name
//! 1000:300000:65536     by user id, in both files
//! ```
//!
//! Where `/etc/nsswitch.conf` has a line `subid:` that names a source other than `files` (sss of FreeIPA),
//! the files are not asked, as newuidmap does not ask them either; `getsubids` speaks for the source.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::config::Env;
use crate::error::{Error, Result};
use crate::sys::atomic;

/// A run of subordinate ids of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The first id.
    pub start: u32,
    /// How many.
    pub count: u32,
}

/// What a user may map beside itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subordinate {
    /// User ids, in the order of the file.
    pub uid: Vec<Range>,
    /// Group ids, in the order of the file.
    pub gid: Vec<Range>,
    /// Lines of other users that make no sense, with file and line: they stop nobody but their owner.
    pub notes: Vec<String>,
}

/// Where subordinate ids are looked up.
#[derive(Clone, Debug)]
pub struct Sources {
    /// `/etc/subuid`.
    pub subuid: PathBuf,
    /// `/etc/subgid`.
    pub subgid: PathBuf,
    /// `/etc/nsswitch.conf`.
    pub nsswitch: PathBuf,
    /// The program that asks other sources than the files.
    pub getsubids: Option<PathBuf>,
}

impl Sources {
    /// Those of this system.
    pub fn of_system(env: &Env) -> Self {
        Self {
            subuid: PathBuf::from("/etc/subuid"),
            subgid: PathBuf::from("/etc/subgid"),
            nsswitch: PathBuf::from("/etc/nsswitch.conf"),
            getsubids: env.find_program("getsubids"),
        }
    }
}

/// Whose ranges are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Owner<'a> {
    /// The login name, if the user database knows one.
    pub name: Option<&'a str>,
    /// The user id, which may stand in either file in place of the name.
    pub uid: u32,
}

impl Subordinate {
    /// Looks up the ranges of `owner`. No files and no ranges are no error; a wrong line of the owner's is,
    /// with its file and line.
    pub fn of(owner: Owner<'_>, sources: &Sources) -> Result<Self> {
        if let Some(source) = other_source(&sources.nsswitch)? {
            return from_getsubids(owner, sources, &source);
        }
        let mut notes = Vec::new();
        let uid = read(&sources.subuid, owner, &mut notes)?;
        let gid = read(&sources.subgid, owner, &mut notes)?;
        Ok(Self { uid, gid, notes })
    }
}

fn read(file: &Path, owner: Owner<'_>, notes: &mut Vec<String>) -> Result<Vec<Range>> {
    let content = atomic::read_optional(file)?.unwrap_or_default();
    let uid = owner.uid.to_string();
    let mut ranges = Vec::new();
    for (index, line) in content.split(|byte| *byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let name = line.split(':').next().unwrap_or_default();
        let ours = owner.name == Some(name) || name == uid;
        match parse_line(line) {
            Ok(range) if ours => ranges.push(range),
            Ok(_) => {}
            Err(reason) => {
                let what = format!("{}:{}: {line:?}: {reason}", file.display(), index + 1);
                if ours {
                    return Err(Error::invalid(what).hint("a line reads NAME:FIRST_ID:COUNT, see subuid(5)"));
                }
                notes.push(what);
            }
        }
    }
    Ok(ranges)
}

fn parse_line(line: &str) -> Result<Range, &'static str> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, start, count] = fields[..] else { return Err("not three fields") };
    if name.is_empty() {
        return Err("no user name");
    }
    range(start, count)
}

/// Ids end at 2^32 - 2: the last number means "no id" to the kernel.
fn range(start: &str, count: &str) -> Result<Range, &'static str> {
    let start: u32 = start.parse().map_err(|_| "the first id is not a number below 2^32")?;
    let count: u32 = count.parse().map_err(|_| "the count is not a number below 2^32")?;
    if count == 0 {
        return Err("the count is zero");
    }
    if u64::from(start) + u64::from(count) > u64::from(u32::MAX) {
        return Err("the range goes beyond the last id");
    }
    Ok(Range { start, count })
}

/// The source of subordinate ids that is not the files, if nsswitch.conf names one.
fn other_source(nsswitch: &Path) -> Result<Option<String>> {
    let content = atomic::read_optional(nsswitch)?.unwrap_or_default();
    let content = String::from_utf8_lossy(&content);
    let line = content
        .lines()
        .filter_map(|line| line.split('#').next().unwrap_or_default().trim().strip_prefix("subid:"))
        .next_back();
    // The library of the shadow tools takes one source, the first that is written there.
    let source = line.and_then(|sources| sources.split_whitespace().next());
    Ok(source.filter(|source| *source != "files").map(str::to_owned))
}

fn from_getsubids(owner: Owner<'_>, sources: &Sources, source: &str) -> Result<Subordinate> {
    let Some(program) = &sources.getsubids else {
        return Ok(Subordinate {
            notes: vec![format!(
                "{} names {source} for subordinate ids, but getsubids, which could ask it, is not installed",
                sources.nsswitch.display()
            )],
            ..Subordinate::default()
        });
    };
    let user = owner.name.map_or_else(|| owner.uid.to_string(), str::to_owned);
    let ask = |group: bool| -> Result<Vec<Range>> {
        let output = Command::new(program)
            .args(group.then_some("-g"))
            .arg(&user)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Error::wrap(format!("cannot run {}", program.display()), error))?;
        // It ends with 1 where there is no range, which is no failure here.
        parse_getsubids(&String::from_utf8_lossy(&output.stdout))
    };
    Ok(Subordinate { uid: ask(false)?, gid: ask(true)?, notes: Vec::new() })
}

/// Lines such as `0: dev 100000 65536`.
fn parse_getsubids(output: &str) -> Result<Vec<Range>> {
    output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let mut fields = line.split_whitespace().rev();
            let (count, start) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            range(start, count).map_err(|reason| Error::invalid(format!("getsubids: {line:?}: {reason}")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt;

    fn sources(dir: &Path, subuid: &str, subgid: &str) -> Sources {
        std::fs::write(dir.join("subuid"), subuid).unwrap();
        std::fs::write(dir.join("subgid"), subgid).unwrap();
        Sources {
            subuid: dir.join("subuid"),
            subgid: dir.join("subgid"),
            nsswitch: dir.join("nsswitch.conf"),
            getsubids: None,
        }
    }

    fn of(subuid: &str) -> Result<Subordinate> {
        let dir = tempfile::tempdir().unwrap();
        Subordinate::of(Owner { name: Some("dev"), uid: 1000 }, &sources(dir.path(), subuid, ""))
    }

    #[test]
    fn ranges_are_found_by_name_and_by_id_in_the_order_of_the_file() {
        let found = of("# users\nroot:1:1\ndev:100000:65536\n\n1000:300000:10\ndevil:5:5\ndev:7:3").unwrap();
        let starts: Vec<u32> = found.uid.iter().map(|range| range.start).collect();
        assert_eq!(starts, [100_000, 300_000, 7]);
        assert!(found.gid.is_empty() && found.notes.is_empty());
    }

    #[test]
    fn missing_files_mean_no_ids() {
        let dir = tempfile::tempdir().unwrap();
        let mut sources = sources(dir.path(), "", "");
        sources.subuid = dir.path().join("none");
        let found = Subordinate::of(Owner { name: None, uid: 1000 }, &sources).unwrap();
        assert_eq!(found, Subordinate::default());
    }

    #[test]
    fn a_wrong_line_of_ours_stops_with_file_and_line() {
        for (line, reason) in [
            ("dev:100000", "not three fields"),
            ("dev:100000:65536:1", "not three fields"),
            ("dev::65536", "first id"),
            ("dev:-1:65536", "first id"),
            ("dev:1:many", "count"),
            ("dev:1:0", "zero"),
            ("dev:4294967290:6", "beyond"),
            ("1000:99999999999:1", "first id"),
        ] {
            let error = of(&format!("# one\n{line}\n")).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("subuid:2:") && text.contains(reason), "{line}: {text}");
        }
    }

    #[test]
    fn a_wrong_line_of_another_is_only_noted() {
        let found = of("other:x:y\n\u{0}\u{fffd}garbage\n:1:1\ndev:100000:5\n").unwrap();
        assert_eq!(found.uid, [Range { start: 100_000, count: 5 }]);
        assert_eq!(found.notes.len(), 3);
        assert!(found.notes[0].contains("subuid:1:"), "{:?}", found.notes);
    }

    #[test]
    fn another_source_is_asked_through_getsubids() {
        let dir = tempfile::tempdir().unwrap();
        let mut sources = sources(dir.path(), "dev:1:1\n", "dev:1:1\n");
        std::fs::write(&sources.nsswitch, "passwd: files\nsubid: sss # FreeIPA\n").unwrap();
        let owner = Owner { name: Some("dev"), uid: 1000 };
        let without = Subordinate::of(owner, &sources).unwrap();
        assert!(without.uid.is_empty() && without.notes[0].contains("getsubids"), "{without:?}");

        let program = dir.path().join("getsubids");
        let script =
            "#!/bin/sh\n[ \"$1\" = -g ] && echo \"0: $2 7 8\" || printf '0: %s 5 6\\n1: %s 50 60\\n' $1 $1\n";
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        sources.getsubids = Some(program);
        let found = Subordinate::of(owner, &sources).unwrap();
        assert_eq!(found.uid, [Range { start: 5, count: 6 }, Range { start: 50, count: 60 }]);
        assert_eq!(found.gid, [Range { start: 7, count: 8 }]);

        std::fs::write(&sources.nsswitch, "subid: files\n").unwrap();
        assert_eq!(Subordinate::of(owner, &sources).unwrap().uid, [Range { start: 1, count: 1 }]);
    }

    proptest! {
        #[test]
        fn no_content_panics(content in "[dev10:#\n \\-x]{0,80}") {
            let _ = of(&content);
        }
    }
}
