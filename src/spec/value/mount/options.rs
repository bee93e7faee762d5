//! Mount options and what they ask for.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::spec::value::ByteSize;

/// How a mount is made. `None` leaves the choice to the kind of mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountOptions {
    /// `ro` or `rw`.
    pub read_only: Option<bool>,
    /// `suid` or `nosuid`.
    pub suid: Option<bool>,
    /// `dev` or `nodev`.
    pub dev: Option<bool>,
    /// `exec` or `noexec`.
    pub exec: Option<bool>,
    /// `rbind` or `bind`: with or without the mounts below the source.
    pub recursive: Option<bool>,
    /// `rprivate` and so on.
    pub propagation: Option<Propagation>,
    /// `copy` or `nocopy`: fill an empty volume with what the image has at its place.
    pub copy_up: Option<bool>,
    /// `noatime`.
    pub no_atime: bool,
}

/// How mounts and unmounts below spread, mount_namespaces(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the kernel's own words")]
pub enum Propagation {
    Shared,
    RecursiveShared,
    Slave,
    RecursiveSlave,
    Private,
    RecursivePrivate,
    Unbindable,
    RecursiveUnbindable,
}

impl Propagation {
    const ALL: [(&'static str, Self); 8] = [
        ("shared", Self::Shared),
        ("rshared", Self::RecursiveShared),
        ("slave", Self::Slave),
        ("rslave", Self::RecursiveSlave),
        ("private", Self::Private),
        ("rprivate", Self::RecursivePrivate),
        ("unbindable", Self::Unbindable),
        ("runbindable", Self::RecursiveUnbindable),
    ];

    /// The propagation called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find_map(|(known, propagation)| (*known == name).then_some(*propagation))
    }

    /// The option's name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find_map(|(name, known)| (*known == self).then_some(*name)).unwrap_or("rprivate")
    }
}

/// What is particular to a file system in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TmpfsOptions {
    /// The size; `None`: the kernel's default, half the memory.
    pub size: Option<TmpfsSize>,
    /// The mode of its root; `None`: that of the directory it covers, or 1777.
    pub mode: Option<u32>,
    /// The owner of its root, as an id of the container.
    pub uid: Option<u32>,
    /// The group of its root.
    pub gid: Option<u32>,
    /// The number of files.
    pub inodes: Option<u64>,
}

/// The size of a tmpfs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TmpfsSize {
    /// So many bytes.
    Bytes(ByteSize),
    /// So much of the memory.
    Percent(u8),
}

impl std::str::FromStr for TmpfsSize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.strip_suffix('%') {
            Some(number) => match number.parse::<u8>() {
                Ok(percent @ 1..=100) => Ok(Self::Percent(percent)),
                _ => Err(Error::usage(format!("tmpfs size {text:?}: expected 1% to 100%"))),
            },
            None => text.parse().map(Self::Bytes),
        }
    }
}

impl std::fmt::Display for TmpfsSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bytes(size) => write!(f, "{}", size.bytes()),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// Sets `field`, which an option of the same pair may have set before.
fn set<T: PartialEq>(field: &mut Option<T>, value: T, option: &str) -> Result<()> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => {
            Err(Error::usage(format!("mount option {option:?} repeats or contradicts an earlier one")))
        }
    }
}

impl MountOptions {
    /// Takes one word of a mount's options; `Ok(false)`: it is not one that every kind of mount has.
    pub(super) fn take(&mut self, option: &str) -> Result<bool> {
        let taken = match option {
            "ro" => set(&mut self.read_only, true, option),
            "rw" => set(&mut self.read_only, false, option),
            "suid" => set(&mut self.suid, true, option),
            "nosuid" => set(&mut self.suid, false, option),
            "dev" => set(&mut self.dev, true, option),
            "nodev" => set(&mut self.dev, false, option),
            "exec" => set(&mut self.exec, true, option),
            "noexec" => set(&mut self.exec, false, option),
            "noatime" => {
                self.no_atime = true;
                Ok(())
            }
            _ => return Ok(false),
        };
        taken.map(|()| true)
    }

    /// Takes one word of the options of a bind mount or a volume.
    pub(super) fn take_bind(&mut self, option: &str) -> Result<bool> {
        if self.take(option)? {
            return Ok(true);
        }
        match option {
            "rbind" => set(&mut self.recursive, true, option)?,
            "bind" => set(&mut self.recursive, false, option)?,
            "copy" => set(&mut self.copy_up, true, option)?,
            "nocopy" => set(&mut self.copy_up, false, option)?,
            // SELinux labels: without SELinux these do nothing, as with podman.
            "z" | "Z" => {}
            "O" | "U" | "idmap" => return Err(not_yet(option)),
            _ if option.starts_with("idmap=")
                || option.starts_with("upperdir=")
                || option.starts_with("workdir=") =>
            {
                return Err(not_yet(option));
            }
            name => match Propagation::named(name) {
                Some(propagation) => set(&mut self.propagation, propagation, option)?,
                None => return Ok(false),
            },
        }
        Ok(true)
    }
}

impl TmpfsOptions {
    /// Takes one word of a tmpfs's options.
    pub(super) fn take(&mut self, option: &str) -> Result<bool> {
        let number = |text: &str| {
            text.parse().map_err(|_| Error::usage(format!("mount option {option:?}: expected a number")))
        };
        match option.split_once('=') {
            Some(("size" | "tmpfs-size", size)) => set(&mut self.size, size.parse()?, option)?,
            Some(("mode" | "tmpfs-mode", mode)) => {
                let bits = u32::from_str_radix(mode, 8).ok().filter(|bits| *bits <= 0o7777);
                let bits = bits.ok_or_else(|| {
                    Error::usage(format!("mount option {option:?}: expected an octal mode"))
                })?;
                set(&mut self.mode, bits, option)?;
            }
            Some(("uid", id)) => set(&mut self.uid, number(id)?, option)?,
            Some(("gid", id)) => set(&mut self.gid, number(id)?, option)?,
            Some(("nr_inodes", count)) => {
                let count = count
                    .parse()
                    .map_err(|_| Error::usage(format!("mount option {option:?}: expected a number")))?;
                set(&mut self.inodes, count, option)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

pub(super) fn not_yet(option: &str) -> Error {
    Error::unsupported(format!("mount option {option:?} is not supported yet"))
}

pub(super) fn unknown(option: &str, kind: &str) -> Error {
    Error::usage(format!("{option:?} is not an option of a {kind} mount"))
}
