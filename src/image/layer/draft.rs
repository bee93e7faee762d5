//! What a header and the records that extend it say together.

use std::ffi::OsString;

use tar::{EntryType, Header};

use super::archive::{Device, Object, Time};
use super::header::number;
use super::pax::{self, Records};
use super::sparse::{self, Map};

/// Mode, owner, group, time, extended attributes.
type Attributes = (u32, u32, u32, Time, Vec<(OsString, Vec<u8>)>);

/// A header being read together with its records.
pub(super) struct Draft<'a> {
    pub(super) header: &'a Header,
    pub(super) records: &'a Records,
    pub(super) link: Vec<u8>,
}

impl Draft<'_> {
    /// The object, the bytes stored for it (`None`: it has no content), its map of holes, its attributes.
    pub(super) fn parse(
        self,
        directory_name: bool,
    ) -> Result<(Object, Option<u64>, Map, Attributes), String> {
        let old = self.header.as_old();
        let attributes = (
            self.number("mode", &old.mode)? as u32 & 0o7777,
            self.id("uid", &old.uid)?,
            self.id("gid", &old.gid)?,
            self.time()?,
            self.records.xattrs()?,
        );
        let mut map = Map::None;
        let (object, stored) = match self.header.entry_type() {
            EntryType::Directory => (Object::Directory, None),
            // Before ustar, a directory was a file whose name ends in a slash.
            EntryType::Regular if directory_name => (Object::Directory, Some(self.size()?)),
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                map = sparse::of_records(self.records)?;
                let size = self.size()?;
                (Object::File { size, sparse: None }, Some(size))
            }
            EntryType::Symlink => (Object::Symlink(self.target()?), None),
            EntryType::Link => (Object::HardLink(self.target()?), None),
            EntryType::Fifo => (Object::Fifo, None),
            EntryType::Char => (Object::Device(self.device(false)?), None),
            EntryType::Block => (Object::Device(self.device(true)?), None),
            other => return Err(format!("its type {:?} is unknown", char::from(other.as_byte()))),
        };
        Ok((object, stored, map, attributes))
    }

    fn number(&self, what: &str, field: &[u8]) -> Result<u64, String> {
        let value = number(field).and_then(|value| u64::try_from(value).ok());
        value.ok_or_else(|| format!("its {what} is not a number"))
    }

    fn id(&self, what: &str, field: &[u8]) -> Result<u32, String> {
        let id = match self.records.number(what)? {
            Some(id) => id,
            None => self.number(what, field)?,
        };
        u32::try_from(id).map_err(|_| format!("its {what} {id} does not fit 32 bits"))
    }

    fn size(&self) -> Result<u64, String> {
        let size = match self.records.number("size")? {
            Some(size) => size,
            None => self.number("size", &self.header.as_old().size)?,
        };
        // No file is larger, and sums of two such sizes cannot overflow.
        if size > i64::MAX as u64 { Err("its size is beyond any file".to_owned()) } else { Ok(size) }
    }

    fn time(&self) -> Result<Time, String> {
        let time = match self.records.get("mtime") {
            Some(text) => pax::time(text),
            None => number(&self.header.as_old().mtime).map(|seconds| (seconds, 0)),
        };
        time.ok_or_else(|| "its time is malformed".to_owned())
    }

    fn target(&self) -> Result<Vec<u8>, String> {
        match &self.link[..] {
            [] => Err("it is a link to nothing".to_owned()),
            link if link.contains(&0) => Err("its target contains a NUL".to_owned()),
            link if link.len() > 4095 => Err("its target is too long".to_owned()),
            link => Ok(link.to_vec()),
        }
    }

    fn device(&self, block: bool) -> Result<Device, String> {
        let bytes = self.header.as_bytes();
        let part = |what, field| self.number(what, field).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        let (major, minor) = (part("major", &bytes[329..337])?, part("minor", &bytes[337..345])?);
        Ok(Device { block, major, minor })
    }
}
