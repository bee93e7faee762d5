//! The mount options of config.json as attributes, propagation and what is left for the file system.
//!
//! Source: runtime-spec config.md, "Linux mount options".

use std::ffi::CString;

use crate::error::{Error, Result};
use crate::sys::mount::Attributes;

/// The options of one mount, sorted out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Some(recursive) for `bind` and `rbind`.
    pub(super) bind: Option<bool>,
    /// Attributes of the mount itself.
    pub(super) attributes: Attributes,
    /// Attributes of the whole tree (`rro`, `rnosuid`, …).
    pub(super) recursive: Attributes,
    /// What to do about propagation once the mount is in place.
    pub(super) propagation: Attributes,
    /// `tmpcopyup`.
    pub(super) copy_up: bool,
    /// Some(recursive) for `idmap` and `ridmap`.
    pub(super) idmap: Option<bool>,
    /// Changes what is mounted there instead of mounting.
    pub(super) remount: bool,
    /// The file system's own options.
    pub(super) data: Vec<(CString, Option<CString>)>,
}

const RELATIME: u64 = 0;
const STRICTATIME: u64 = 0x20;
const NODIRATIME: u64 = 0x80;

/// (name, to set, to clear)
const ATTRIBUTES: &[(&str, u64, u64)] = &[
    ("ro", Attributes::RDONLY, 0),
    ("rw", 0, Attributes::RDONLY),
    ("nosuid", Attributes::NOSUID, 0),
    ("suid", 0, Attributes::NOSUID),
    ("nodev", Attributes::NODEV, 0),
    ("dev", 0, Attributes::NODEV),
    ("noexec", Attributes::NOEXEC, 0),
    ("exec", 0, Attributes::NOEXEC),
    ("noatime", Attributes::NOATIME, Attributes::ATIME),
    ("atime", RELATIME, Attributes::ATIME),
    ("relatime", RELATIME, Attributes::ATIME),
    ("strictatime", STRICTATIME, Attributes::ATIME),
    ("nostrictatime", RELATIME, Attributes::ATIME),
    // Takes back `relatime` and no other option; without any the kernel is back at it.
    ("norelatime", 0, 0),
    ("nodiratime", NODIRATIME, 0),
    ("diratime", 0, NODIRATIME),
    ("nosymfollow", Attributes::NOSYMFOLLOW, 0),
    ("symfollow", 0, Attributes::NOSYMFOLLOW),
];

const PROPAGATIONS: &[(&str, u64)] = &[
    ("private", libc::MS_PRIVATE),
    ("slave", libc::MS_SLAVE),
    ("shared", libc::MS_SHARED),
    ("unbindable", libc::MS_UNBINDABLE),
];

/// Options of the file system as a whole, each with its opposite. A bind shares it with the host, and the
/// kernel ignores them there, as it does in mount(2).
const SUPERBLOCK: &[(&str, &str)] =
    &[("sync", "async"), ("dirsync", "nodirsync"), ("mand", "nomand"), ("lazytime", "nolazytime")];

/// What there is nothing to do for: `silent` is about messages that fsconfig(2) hands back and never logs;
/// whether inodes have a version is the file system's own affair since Linux 6.6, and mounts have no say.
const WITHOUT_EFFECT: &[&str] = &["defaults", "silent", "loud", "iversion", "noiversion"];

/// Every option that is not a file system's own.
pub(crate) fn mount_option_names() -> Vec<String> {
    let mut names: Vec<String> = ["bind", "rbind", "tmpcopyup", "notmpcopyup", "idmap", "ridmap", "remount"]
        .iter()
        .chain(WITHOUT_EFFECT)
        .map(ToString::to_string)
        .collect();
    for (name, ..) in ATTRIBUTES {
        names.extend([name.to_string(), format!("r{name}")]);
    }
    for (name, _) in PROPAGATIONS {
        names.extend([name.to_string(), format!("r{name}")]);
    }
    for (name, opposite) in SUPERBLOCK {
        names.extend([name.to_string(), opposite.to_string()]);
    }
    names.sort();
    names
}

impl Options {
    /// Sorts out `options` of a mount that is a bind or is not. An option that is unknown goes to the file
    /// system, which refuses it if it must; a bind has no file system to ask, so there it is an error.
    pub(super) fn parse(options: &[String], bind: bool) -> Result<Self> {
        let mut parsed = Self::default();
        for option in options {
            parsed.take(option)?;
        }
        if bind || parsed.bind.is_some() {
            let of_superblock =
                |key: &CString| SUPERBLOCK.iter().any(|(name, _)| key.as_bytes() == name.as_bytes());
            // Values for a new file system, as `mode=`: mount(2) takes and ignores them for a bind, and bundles have them.
            parsed.data.retain(|(key, value)| !of_superblock(key) && value.is_none());
            if let Some((key, _)) = parsed.data.first() {
                return Err(Error::invalid(format!(
                    "mount option {:?} has no meaning for a bind",
                    key.to_string_lossy()
                )));
            }
        } else {
            // A new file system has no mounts below it.
            change(&mut parsed.attributes, parsed.recursive.set, parsed.recursive.clear);
            parsed.recursive = Attributes::default();
        }
        Ok(parsed)
    }

    /// The changes to make to a mount, in this order.
    pub(super) fn changes(&self) -> Vec<Attributes> {
        [self.recursive, self.attributes].into_iter().filter(|change| !change.is_empty()).collect()
    }

    fn take(&mut self, option: &str) -> Result<()> {
        match option {
            "bind" => self.bind = Some(self.bind.unwrap_or(false)),
            "rbind" => self.bind = Some(true),
            "tmpcopyup" => self.copy_up = true,
            "notmpcopyup" => self.copy_up = false,
            "idmap" => self.idmap = Some(false),
            "ridmap" => self.idmap = Some(true),
            "remount" => self.remount = true,
            _ if WITHOUT_EFFECT.contains(&option) => {}
            _ => {
                if let Some(&(_, set, clear)) = ATTRIBUTES.iter().find(|(name, ..)| *name == option) {
                    change(&mut self.attributes, set, clear);
                } else if let Some(found) = recursive_attribute(option) {
                    change(&mut self.recursive, found.0, found.1);
                    self.recursive.recursive = true;
                } else if let Some((propagation, recursive)) = propagation(option) {
                    self.propagation = Attributes { propagation, recursive, ..Attributes::default() };
                } else if let Some((name, off)) =
                    SUPERBLOCK.iter().find(|(name, off)| *name == option || *off == option)
                {
                    self.data.retain(|(key, _)| key.as_bytes() != name.as_bytes());
                    if option != *off {
                        self.data.push(key_value(option)?);
                    }
                } else {
                    self.data.push(key_value(option)?);
                }
            }
        }
        Ok(())
    }
}

/// A later option overrules an earlier one.
fn change(attributes: &mut Attributes, set: u64, clear: u64) {
    attributes.set = (attributes.set & !clear) | set;
    attributes.clear = (attributes.clear & !set) | clear;
}

fn recursive_attribute(option: &str) -> Option<(u64, u64)> {
    let name = option.strip_prefix('r')?;
    ATTRIBUTES.iter().find(|(known, ..)| *known == name).map(|&(_, set, clear)| (set, clear))
}

fn propagation(option: &str) -> Option<(u64, bool)> {
    let find = |name: &str| PROPAGATIONS.iter().find(|(known, _)| *known == name).map(|&(_, value)| value);
    find(option)
        .map(|value| (value, false))
        .or_else(|| option.strip_prefix('r').and_then(find).map(|value| (value, true)))
}

fn key_value(option: &str) -> Result<(CString, Option<CString>)> {
    let c_string = |text: &str| {
        CString::new(text).map_err(|_| Error::invalid(format!("mount option {option:?} has a NUL byte")))
    };
    match option.split_once('=') {
        Some((key, value)) => Ok((c_string(key)?, Some(c_string(value)?))),
        None => Ok((c_string(option)?, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sort(options: &[&str], bind: bool) -> Result<Options> {
        Options::parse(&options.iter().map(ToString::to_string).collect::<Vec<_>>(), bind)
    }

    fn parse(options: &[&str]) -> Result<Options> {
        sort(options, false)
    }

    #[test]
    fn options_are_sorted_out() {
        let options = parse(&["rbind", "ro", "nosuid", "rslave", "rnoexec"]).unwrap();
        assert_eq!(options.bind, Some(true));
        assert_eq!(options.attributes.set, Attributes::RDONLY | Attributes::NOSUID);
        assert_eq!((options.recursive.set, options.recursive.recursive), (Attributes::NOEXEC, true));
        assert_eq!((options.propagation.propagation, options.propagation.recursive), (libc::MS_SLAVE, true));
        assert_eq!(options.changes().len(), 2);
        let options = parse(&["nosuid", "mode=1777", "size=64m", "tmpcopyup"]).unwrap();
        assert_eq!(options.data.len(), 2);
        assert!(options.copy_up && options.bind.is_none());
        assert_eq!(parse(&["ridmap", "remount"]).map(|o| (o.idmap, o.remount)).unwrap(), (Some(true), true));
    }

    /// Every option of the specification's table.
    const TABLE: &[&str] = &[
        "async",
        "atime",
        "bind",
        "defaults",
        "dev",
        "diratime",
        "dirsync",
        "exec",
        "iversion",
        "lazytime",
        "loud",
        "mand",
        "noatime",
        "nodev",
        "nodiratime",
        "noexec",
        "noiversion",
        "nolazytime",
        "nomand",
        "norelatime",
        "nostrictatime",
        "nosuid",
        "nosymfollow",
        "private",
        "ratime",
        "rbind",
        "rdev",
        "rdiratime",
        "relatime",
        "remount",
        "rexec",
        "rnoatime",
        "rnodiratime",
        "rnoexec",
        "rnorelatime",
        "rnostrictatime",
        "rnosuid",
        "rnosymfollow",
        "ro",
        "rprivate",
        "rrelatime",
        "rro",
        "rrw",
        "rshared",
        "rslave",
        "rstrictatime",
        "rsuid",
        "rsymfollow",
        "runbindable",
        "rw",
        "shared",
        "silent",
        "slave",
        "strictatime",
        "suid",
        "symfollow",
        "sync",
        "tmpcopyup",
        "unbindable",
        "idmap",
        "ridmap",
    ];

    #[test]
    fn every_option_of_the_specification_is_understood() {
        for option in TABLE {
            let options = sort(&[option], true).unwrap_or_else(|error| panic!("{option}: {error}"));
            assert_eq!(options.data, [], "{option}");
            let options = parse(&[option]).unwrap();
            let known = ["sync", "dirsync", "mand", "lazytime"].contains(option);
            assert_eq!(options.data.len(), usize::from(known), "{option}");
        }
    }

    #[test]
    fn a_new_file_system_has_no_tree() {
        let options = parse(&["rro", "rnosuid", "rstrictatime"]).unwrap();
        assert_eq!(options.attributes.set, Attributes::RDONLY | Attributes::NOSUID | STRICTATIME);
        assert!(options.recursive.is_empty());
        assert_eq!(parse(&["sync", "async", "lazytime"]).unwrap().data, [(c"lazytime".to_owned(), None)]);
    }

    #[test]
    fn the_last_word_counts() {
        let options = parse(&["ro", "rw"]).unwrap();
        assert_eq!((options.attributes.set, options.attributes.clear), (0, Attributes::RDONLY));
        let options = parse(&["rw", "ro"]).unwrap();
        assert_eq!((options.attributes.set, options.attributes.clear), (Attributes::RDONLY, 0));
        let options = parse(&["noatime", "strictatime"]).unwrap();
        assert_eq!(options.attributes.set, STRICTATIME);
    }

    #[test]
    fn a_bind_with_an_unknown_option_is_refused() {
        assert!(parse(&["bind", "inode64"]).is_err());
        assert!(sort(&["inode64"], true).is_err());
        assert_eq!(sort(&["size=1", "ro"], true).unwrap().data, []);
        assert!(parse(&["a\0b"]).is_err());
    }
}
