//! `--device`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// `SRC[:DST][:rwm]`: a device of the host, bind-mounted, since a user namespace cannot make nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The device, or a directory of devices, on the host.
    pub source: PathBuf,
    /// Where it appears in the container.
    pub destination: PathBuf,
    /// What was asked; the host's permissions decide in a user namespace.
    pub access: Access,
}

/// The `rwm` of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// `r`
    pub read: bool,
    /// `w`
    pub write: bool,
    /// `m`
    pub mknod: bool,
}

fn access(text: &str) -> Option<Access> {
    let mut access = Access { read: false, write: false, mknod: false };
    for letter in text.chars() {
        let field = match letter {
            'r' => &mut access.read,
            'w' => &mut access.write,
            'm' => &mut access.mknod,
            _ => return None,
        };
        if std::mem::replace(field, true) {
            return None;
        }
    }
    (!text.is_empty()).then_some(access)
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::usage(format!("--device {text:?}: {why}"));
        let parts: Vec<&str> = text.split(':').collect();
        let all = Access { read: true, write: true, mknod: true };
        let (source, destination, access) = match parts[..] {
            [source] => (source, source, all),
            [source, second] => match access(second) {
                Some(access) => (source, source, access),
                None => (source, second, all),
            },
            [source, destination, third] => (
                source,
                destination,
                access(third).ok_or_else(|| wrong("permissions are letters of rwm, each once"))?,
            ),
            _ => return Err(wrong("expected SRC[:DST][:rwm]")),
        };
        if !source.starts_with('/') && source.contains('=') {
            return Err(Error::unsupported(format!("--device {text:?}: CDI names are not supported yet")));
        }
        if !Path::new(source).is_absolute() {
            return Err(wrong("the device must be an absolute path"));
        }
        if !Path::new(destination).is_absolute() {
            return Err(wrong("the path in the container must be absolute"));
        }
        Ok(Self { source: source.into(), destination: destination.into(), access })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_a_source_a_destination_and_permissions() {
        let show = |text: &str| {
            let device: Device = text.parse().unwrap();
            let Access { read, write, mknod } = device.access;
            (
                device.source.display().to_string(),
                device.destination.display().to_string(),
                read,
                write,
                mknod,
            )
        };
        let (fuse, x) = ("/dev/fuse".to_owned(), "/dev/x".to_owned());
        assert_eq!(show("/dev/fuse"), (fuse.clone(), fuse.clone(), true, true, true));
        assert_eq!(show("/dev/fuse:r"), (fuse.clone(), fuse.clone(), true, false, false));
        assert_eq!(show("/dev/fuse:/dev/x"), (fuse.clone(), x.clone(), true, true, true));
        assert_eq!(show("/dev/fuse:/dev/x:rw"), (fuse, x, true, true, false));
        for bad in
            ["", "dev/fuse", "/dev/fuse:x", "/dev/fuse:/x:rr", "/dev/fuse:/x:", "/a:/b:r:w", "a.b/c=all"]
        {
            assert!(bad.parse::<Device>().is_err(), "{bad}");
        }
    }
}
