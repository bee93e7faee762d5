//! The operations for device nodes: the ones that every container has, and those of config.json.
//!
//! Source: runtime-spec config-linux.md, "Devices" and "Default Devices".

use std::ffi::CStr;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{LinuxDevice, LinuxDeviceType};
use rustix::fs::{FileType, makedev};

use super::{Builder, Phase, c_path};
use crate::error::{Error, Result};
use crate::runtime::op::{Device, Kind, Op, Place, Target};
use crate::sys::mount::Attributes;
use crate::userns::IdMaps;

const DEFAULT: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];

/// Links that every container has. Source: runtime-spec runtime-linux.md, "Dev symbolic links".
const LINKS: &[(&CStr, &CStr)] = &[
    (c"fd", c"/proc/self/fd"),
    (c"stdin", c"/proc/self/fd/0"),
    (c"stdout", c"/proc/self/fd/1"),
    (c"stderr", c"/proc/self/fd/2"),
    (c"ptmx", c"pts/ptmx"),
];

impl Builder<'_> {
    /// The standard devices are binds of the host's: a user namespace cannot make device nodes that work.
    pub(super) fn default_devices(&mut self) -> Result<()> {
        let listed = self.linux.devices().as_deref().unwrap_or_default();
        for name in DEFAULT {
            let path = PathBuf::from("/dev").join(name);
            if listed.iter().any(|device| *device.path() == path) {
                continue;
            }
            let slot = self.slot();
            let attributes = Attributes::default();
            self.push(Phase::Open, Op::Tree { source: c_path(&path)?, recursive: false, attributes, slot });
            let target = self.target(&path)?;
            self.push(Phase::Mapped, Op::Attach { slot, target, kind: Kind::File, attributes });
        }
        for (name, to) in LINKS {
            let directory = self.target(Path::new("/dev"))?;
            let op = Op::Symlink { to: (*to).to_owned(), directory, name: (*name).to_owned() };
            self.push(Phase::Mapped, op);
        }
        Ok(())
    }

    /// The devices that config.json lists.
    pub(super) fn devices(&mut self) -> Result<()> {
        for (index, device) in self.linux.devices().iter().flatten().enumerate() {
            let host = match find(device) {
                Some(path) => {
                    let slot = self.slot();
                    let attributes = Attributes::default();
                    let source = c_path(&path)?;
                    self.push(Phase::Open, Op::Tree { source, recursive: false, attributes, slot });
                    Some(slot)
                }
                None if device.typ() == LinuxDeviceType::P || self.may_make_devices() => None,
                None => return Err(nowhere(index, device)),
            };
            let device = translate(device, host)?;
            self.push(Phase::Mapped, Op::Device(device));
        }
        Ok(())
    }

    /// Whether device nodes that the container's process makes work: in the first user namespace only.
    fn may_make_devices(&self) -> bool {
        let whole = |maps: &IdMaps| matches!(maps.uid[..], [map] if map.count == u32::MAX);
        self.input.userns.is_none()
            && self.maps.as_ref().is_some_and(whole)
            && rustix::process::geteuid().is_root()
    }
}

fn translate(device: &LinuxDevice, host: Option<crate::runtime::op::Slot>) -> Result<Device> {
    let path = device.path();
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::invalid(format!("linux.devices: {} is no place for a device", path.display())));
    };
    let number = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Ok(Device {
        target: Target::new(path)?,
        place: Place { directory: Target::new(parent)?, name: c_path(Path::new(name))? },
        kind: kind(device.typ()),
        number: match device.typ() {
            LinuxDeviceType::P => 0,
            _ => makedev(number(device.major()), number(device.minor())),
        },
        mode: device.file_mode().unwrap_or(0o666) & 0o7777,
        uid: device.uid().unwrap_or(0),
        gid: device.gid().unwrap_or(0),
        host,
    })
}

fn kind(typ: LinuxDeviceType) -> FileType {
    match typ {
        LinuxDeviceType::B => FileType::BlockDevice,
        LinuxDeviceType::P => FileType::Fifo,
        LinuxDeviceType::C | LinuxDeviceType::U | LinuxDeviceType::A => FileType::CharacterDevice,
    }
}

/// The host's node of the very same type and number: at the same path, where the kernel says that it is, or where udev
/// keeps one by number.
fn find(device: &LinuxDevice) -> Option<PathBuf> {
    let directory = match kind(device.typ()) {
        FileType::BlockDevice => "block",
        FileType::CharacterDevice => "char",
        _ => return None,
    };
    let number = format!("{}:{}", device.major(), device.minor());
    let event = std::fs::read_to_string(format!("/sys/dev/{directory}/{number}/uevent")).unwrap_or_default();
    let named =
        event.lines().find_map(|line| line.strip_prefix("DEVNAME=")).map(|name| Path::new("/dev").join(name));
    let by_number = PathBuf::from(format!("/dev/{directory}/{number}"));
    [Some(device.path().clone()), named, Some(by_number)].into_iter().flatten().find(|path| is(path, device))
}

fn is(path: &Path, device: &LinuxDevice) -> bool {
    let Ok(found) = std::fs::metadata(path) else { return false };
    let kind_fits = match kind(device.typ()) {
        FileType::BlockDevice => found.file_type().is_block_device(),
        _ => found.file_type().is_char_device(),
    };
    let number = found.rdev();
    kind_fits
        && i64::from(rustix::fs::major(number)) == device.major()
        && i64::from(rustix::fs::minor(number)) == device.minor()
}

fn nowhere(index: usize, device: &LinuxDevice) -> Error {
    let what = format!("{} {}:{}", device.typ().as_str(), device.major(), device.minor());
    let path = device.path().display();
    let why = match std::fs::metadata(device.path()) {
        Ok(_) => format!("{path} of the host is another device"),
        Err(_) => format!("the host has none at {path}, nor elsewhere in /dev"),
    };
    Error::unsupported(format!(
        "linux.devices[{index}]: {what} has to be a bind of the host's, as nobody but root can make devices; {why}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(json: serde_json::Value) -> LinuxDevice {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn nodes_of_the_host_are_found_by_type_and_number() {
        let null = serde_json::json!({"path": "/dev/null", "type": "c", "major": 1, "minor": 3});
        assert_eq!(find(&device(null)), Some("/dev/null".into()));
        let elsewhere = serde_json::json!({"path": "/opt/zero", "type": "c", "major": 1, "minor": 5});
        assert_eq!(find(&device(elsewhere)), Some("/dev/zero".into()));
        for other in [
            serde_json::json!({"path": "/dev/null", "type": "c", "major": 1, "minor": 4444}),
            serde_json::json!({"path": "/dev/null", "type": "b", "major": 1, "minor": 3}),
            serde_json::json!({"path": "/dev/no-such", "type": "c", "major": 77, "minor": 4444}),
        ] {
            let other = device(other);
            assert_eq!(find(&other), None);
            assert!(nowhere(2, &other).to_string().starts_with("linux.devices[2]: "));
        }
    }

    #[test]
    fn a_device_has_a_place_and_defaults() {
        let fifo = device(serde_json::json!({"path": "/run/x/pipe", "type": "p"}));
        let fifo = translate(&fifo, None).unwrap();
        assert_eq!((fifo.kind, fifo.number, fifo.mode), (FileType::Fifo, 0, 0o666));
        assert_eq!(fifo.place.name.as_c_str(), c"pipe");
        assert_eq!(fifo.place.directory.path.as_c_str(), c"run/x");
        let disk =
            serde_json::json!({"path": "/dev/x", "type": "b", "major": 8, "minor": 1, "fileMode": 0o10_0640});
        let disk = translate(&device(disk), None).unwrap();
        assert_eq!((disk.kind, disk.number, disk.mode), (FileType::BlockDevice, makedev(8, 1), 0o640));
        assert!(translate(&device(serde_json::json!({"path": "/", "type": "p"})), None).is_err());
    }
}
