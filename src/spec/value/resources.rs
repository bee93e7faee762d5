//! Amounts of processor, memory, processes and disk that a container may use, and its control group.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ByteSize;
use crate::error::{Error, Result};

/// `--cpus`: a number of processors, `1.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpus(u64);

impl Cpus {
    /// In thousand-millionths of a processor; 0: no limit.
    pub fn nanos(self) -> u64 {
        self.0
    }

    /// Microseconds of processor time in a period of as many.
    pub fn quota(self, period: u64) -> i64 {
        i64::try_from(u128::from(self.0) * u128::from(period) / 1_000_000_000).unwrap_or(i64::MAX)
    }
}

impl FromStr for Cpus {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match text.parse::<f64>() {
            Ok(count) if plain && (0.0..1e6).contains(&count) => Ok(Self((count * 1e9).round() as u64)),
            _ => Err(Error::usage(format!("--cpus {text:?}: expected a number of processors, as in 1.5"))),
        }
    }
}

/// A list of processors or memory nodes: `0-3,8`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberList(String);

impl NumberList {
    /// The list as the kernel takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NumberList {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let number = |text: &str| text.parse::<u16>().ok().filter(|_| !text.starts_with('+'));
        let fits = text.split(',').all(|part| match part.split_once('-') {
            None => number(part).is_some(),
            Some((first, last)) => {
                matches!((number(first), number(last)), (Some(first), Some(last)) if first <= last)
            }
        });
        if fits {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::usage(format!("{text:?} is no list of numbers: expected something like 0-3,8")))
    }
}

/// The most of something: a number, or -1 for no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maximum<T>(Option<T>);

impl<T: Copy> Maximum<T> {
    /// `None`: no limit.
    pub fn get(self) -> Option<T> {
        self.0
    }
}

impl FromStr for Maximum<ByteSize> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "-1" { Ok(Self(None)) } else { text.parse().map(|size| Self(Some(size))) }
    }
}

impl FromStr for Maximum<u32> {
    type Err = Error;

    /// 0 is no limit too, as with podman: a container of no processes would be none.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "-1" | "0" => Ok(Self(None)),
            _ => text.parse().map(|count| Self(Some(count))).map_err(|_| {
                Error::usage(format!("{text:?} is no number of processes: expected one, or -1 for no limit"))
            }),
        }
    }
}

/// The share of a disk's time: 10 to 1000, where 0 is as good as none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskWeight(u16);

impl DiskWeight {
    /// The number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl FromStr for DiskWeight {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            Ok(weight @ (0 | 10..=1000)) => Ok(Self(weight)),
            _ => Err(Error::usage(format!("{text:?} is no weight: expected a number from 10 to 1000, or 0"))),
        }
    }
}

/// Something about one block device: `/dev/sda:VALUE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfDevice<T> {
    /// The device's node.
    pub path: PathBuf,
    /// What is said of it.
    pub value: T,
}

/// A device's path and the text behind its last colon.
fn of_device(text: &str) -> Result<(PathBuf, &str)> {
    match text.rsplit_once(':') {
        Some((path, value)) if Path::new(path).is_absolute() && path.starts_with("/dev/") => {
            Ok((path.into(), value))
        }
        _ => Err(Error::usage(format!("{text:?}: expected a device below /dev, a colon and a number"))),
    }
}

impl FromStr for OfDevice<DiskWeight> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (path, value) = of_device(text)?;
        Ok(Self { path, value: value.parse()? })
    }
}

/// Bytes a second.
impl FromStr for OfDevice<ByteSize> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (path, value) = of_device(text)?;
        Ok(Self { path, value: value.parse()? })
    }
}

/// Operations a second.
impl FromStr for OfDevice<u64> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (path, value) = of_device(text)?;
        let value = value.parse().map_err(|_| Error::usage(format!("{text:?}: {value:?} is no number")))?;
        Ok(Self { path, value })
    }
}

/// `--cgroup-conf`: a file of the control group and what is written to it, `memory.high=1073741824`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupSetting {
    /// The file.
    pub file: String,
    /// What is written.
    pub value: String,
}

impl FromStr for CgroupSetting {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('=') {
            Some((file, value)) if file.contains('.') && !file.contains('/') => {
                Ok(Self { file: file.trim().to_owned(), value: value.trim().to_owned() })
            }
            _ => Err(Error::usage(format!(
                "--cgroup-conf {text:?}: expected FILE=VALUE, as in memory.high=1073741824"
            ))),
        }
    }
}

/// `--cgroups`: whether the container has a control group of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CgroupMode {
    /// Yes, and with systemd the monitor is beside it in its scope.
    #[default]
    Enabled,
    /// Yes, and the monitor stays in its caller's. A scope is gone as soon as its last process is, and with it the
    /// count of those that lacked memory: whether that was the end of the container may then remain unknown.
    NoConmon,
    /// No: it stays in its caller's.
    Disabled,
    /// Below its caller's, which a service that runs containers has delegated.
    Split,
}

impl CgroupMode {
    /// Podman's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enabled => "default",
            Self::NoConmon => "no-conmon",
            Self::Disabled => "disabled",
            Self::Split => "split",
        }
    }
}

impl FromStr for CgroupMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "enabled" | "default" => Ok(Self::Enabled),
            "no-conmon" => Ok(Self::NoConmon),
            "disabled" => Ok(Self::Disabled),
            "split" => Ok(Self::Split),
            _ => Err(Error::usage(format!(
                "--cgroups {text:?}: expected enabled, disabled, no-conmon or split"
            ))),
        }
    }
}

/// `--cgroupns`: what the container sees of control groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CgroupNamespace {
    /// Its own group, as the root.
    #[default]
    Private,
    /// All that the host shows.
    Host,
}

impl FromStr for CgroupNamespace {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "private" => Ok(Self::Private),
            "host" => Ok(Self::Host),
            _ if text.starts_with("container:") || text.starts_with("ns:") => Err(Error::unsupported(
                format!("--cgroupns {text:?}: namespaces cannot be shared yet; private and host work"),
            )),
            _ => Err(Error::usage(format!("--cgroupns {text:?}: expected private or host"))),
        }
    }
}

/// `--cgroup-parent`: a path from the hierarchy's root, or with systemd a slice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CgroupParent(String);

impl CgroupParent {
    /// What was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its last part, if that is a slice's name.
    pub fn slice(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| name.ends_with(".slice"))
    }
}

impl fmt::Display for CgroupParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CgroupParent {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parent = Self(text.to_owned());
        let dots = Path::new(text).components().any(|part| part == std::path::Component::ParentDir);
        if !dots && (text.starts_with('/') || (!text.contains('/') && parent.slice().is_some())) {
            return Ok(parent);
        }
        Err(Error::usage(format!(
            "--cgroup-parent {text:?}: expected an absolute path in /sys/fs/cgroup, or NAME.slice"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_decimals() {
        let quota = |text: &str| text.parse::<Cpus>().unwrap().quota(100_000);
        assert_eq!((quota("1.5"), quota("0.25"), quota("2"), quota("0")), (150_000, 25_000, 200_000, 0));
        for bad in ["", "-1", "x", "1e3", "inf", "NaN", "1.2.3", "9999999"] {
            assert!(bad.parse::<Cpus>().is_err(), "{bad}");
        }
    }

    #[test]
    fn lists_have_numbers_and_ranges() {
        for good in ["0", "0-3", "0-3,8", "1,1"] {
            assert_eq!(good.parse::<NumberList>().unwrap().as_str(), good);
        }
        for bad in ["", "3-1", "a", "0,", "-1", "0-", "+1", "0 1"] {
            assert!(bad.parse::<NumberList>().is_err(), "{bad}");
        }
    }

    #[test]
    fn maxima_may_be_none() {
        assert_eq!("-1".parse::<Maximum<ByteSize>>().unwrap().get(), None);
        assert_eq!("1k".parse::<Maximum<ByteSize>>().unwrap().get(), Some(ByteSize::new(1024)));
        assert_eq!("0".parse::<Maximum<u32>>().unwrap().get(), None);
        assert_eq!("7".parse::<Maximum<u32>>().unwrap().get(), Some(7));
        assert!("-2".parse::<Maximum<u32>>().is_err() && "-2".parse::<Maximum<ByteSize>>().is_err());
    }

    #[test]
    fn devices_come_with_a_number() {
        let device = "/dev/a:b:1mb".parse::<OfDevice<ByteSize>>().unwrap();
        assert_eq!((device.path.as_path(), device.value.bytes()), (Path::new("/dev/a:b"), 1 << 20));
        assert_eq!("/dev/sda:200".parse::<OfDevice<DiskWeight>>().unwrap().value.get(), 200);
        assert_eq!("/dev/sda:7".parse::<OfDevice<u64>>().unwrap().value, 7);
        for bad in ["/dev/sda", "sda:1", "/dev/sda:", "/dev/sda:x", "/etc/x:1"] {
            assert!(bad.parse::<OfDevice<u64>>().is_err(), "{bad}");
        }
        for bad in ["9", "1001", "-1", "x"] {
            assert!(bad.parse::<DiskWeight>().is_err(), "{bad}");
        }
    }

    #[test]
    fn groups_have_settings_modes_and_parents() {
        let setting: CgroupSetting = "io.max=8:0 rbps=5".parse().unwrap();
        assert_eq!((setting.file.as_str(), setting.value.as_str()), ("io.max", "8:0 rbps=5"));
        assert!("memory".parse::<CgroupSetting>().is_err() && "a/b.c=1".parse::<CgroupSetting>().is_err());
        assert_eq!("no-conmon".parse::<CgroupMode>().unwrap(), CgroupMode::NoConmon);
        assert!("on".parse::<CgroupMode>().is_err());
        assert_eq!("host".parse::<CgroupNamespace>().unwrap(), CgroupNamespace::Host);
        assert!("container:x".parse::<CgroupNamespace>().is_err());
        let slice = |text: &str| text.parse::<CgroupParent>().unwrap().slice().map(str::to_owned);
        assert_eq!(slice("a.slice").as_deref(), Some("a.slice"));
        assert_eq!(slice("/x/a.slice").as_deref(), Some("a.slice"));
        assert_eq!(slice("/x"), None);
        for bad in ["", "x", "x/a.slice", "/a/../b"] {
            assert!(bad.parse::<CgroupParent>().is_err(), "{bad}");
        }
    }
}
