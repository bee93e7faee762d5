//! The tar reader: a stream of blocks becomes entries with everything that extended headers say of them.
//!
//! It reads as Go's archive/tar does, since that is what images are written by and checked with: an
//! extended header counts for the next entry only, a global one for all that follow; links, directories and
//! nodes have no content whatever their size field says. Where readers are known to disagree, the archive is
//! refused. The tar crate's own iterator reads extended headers of any size into memory and knows neither
//! global headers nor pax sparse files, so only its header layout is used.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::BufRead;

use tar::{EntryType, Header};

use crate::error::{Context, Error, Result};

use super::draft::Draft;
use super::header::{BLOCK, checksum_fits, number};
use super::pax::{self, Records};
use super::sparse::{self, Map, Segment, Sparse};

/// The longest extended header or long name; Go's own bound.
const EXTENSION: u64 = 1 << 20;

/// Seconds and nanoseconds since 1970.
pub(super) type Time = (i64, u32);

/// One object of the layer.
#[derive(Debug)]
pub(super) struct Entry {
    /// As written in the archive.
    pub(super) name: Vec<u8>,
    pub(super) object: Object,
    /// Permissions and the three special bits.
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) time: Time,
    pub(super) xattrs: Vec<(OsString, Vec<u8>)>,
}

/// What an entry is.
#[derive(Debug)]
pub(super) enum Object {
    File { size: u64, sparse: Option<Sparse> },
    Directory,
    Symlink(Vec<u8>),
    HardLink(Vec<u8>),
    Fifo,
    Device(Device),
}

/// A character or block device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Device {
    pub(super) block: bool,
    pub(super) major: u32,
    pub(super) minor: u32,
}

/// Reads entries from `source`.
pub(super) struct Archive<R> {
    source: R,
    globals: Records,
    /// Content of the present entry that has not been read, and the padding after it.
    content: u64,
    padding: u64,
    /// Bytes read so far.
    offset: u64,
}

/// What the entries before an entry say of it.
#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    records: Option<Records>,
}

impl<R: BufRead> Archive<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, globals: Records::default(), content: 0, padding: 0, offset: 0 }
    }

    /// The next entry, whose content [`Archive::data`] then gives; `None` at the end of the archive.
    pub(super) fn next(&mut self) -> Result<Option<Entry>> {
        let mut extensions = Extensions::default();
        let mut extended = false;
        loop {
            self.skip_content()?;
            let Some(header) = self.header()? else {
                return if extended {
                    Err(self.invalid("an extended header describes nothing"))
                } else {
                    Ok(None)
                };
            };
            let kind = header.entry_type();
            let twice = match kind {
                EntryType::GNULongName => extensions.name.replace(self.long_name(&header)?).is_some(),
                EntryType::GNULongLink => extensions.link.replace(self.long_name(&header)?).is_some(),
                EntryType::XHeader => extensions.records.replace(self.records(&header)?).is_some(),
                EntryType::XGlobalHeader => {
                    let records = self.records(&header)?;
                    self.globals.merge(records);
                    if self.globals.size() as u64 > EXTENSION {
                        return Err(self.invalid("its global headers are too long"));
                    }
                    false
                }
                _ => return self.entry(&header, extensions).map(Some),
            };
            if twice {
                return Err(self.invalid("two extended headers of one sort describe one entry"));
            }
            extended |= kind != EntryType::XGlobalHeader;
        }
    }

    /// The next bytes of the present entry's content; empty at its end.
    pub(super) fn data(&mut self) -> Result<&[u8]> {
        if self.content == 0 {
            return Ok(&[]);
        }
        let offset = self.offset;
        let available = self.source.fill_buf().context(|| "cannot read layer")?;
        if available.is_empty() {
            return Err(cut_off(offset));
        }
        let length = usize::try_from(self.content).map_or(available.len(), |left| left.min(available.len()));
        Ok(&available[..length])
    }

    /// Takes `count` bytes that [`Archive::data`] gave as read.
    pub(super) fn advance(&mut self, count: usize) {
        self.source.consume(count);
        self.content -= count as u64;
        self.offset += count as u64;
    }

    fn skip_content(&mut self) -> Result<()> {
        self.content += std::mem::take(&mut self.padding);
        loop {
            let length = self.data()?.len();
            if length == 0 {
                return Ok(());
            }
            self.advance(length);
        }
    }

    /// The next header; `None` at the end mark, or where the stream ends between two entries.
    fn header(&mut self) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        if !self.block(header.as_mut_bytes())? {
            return Ok(None);
        }
        if is_zero(&header) {
            // One block of zeros and then more entries: some readers stop here, others go on.
            let mut second = Header::new_old();
            return match self.block(second.as_mut_bytes())? && !is_zero(&second) {
                true => Err(self.invalid("entries follow its end mark")),
                false => Ok(None),
            };
        }
        if !checksum_fits(&header) {
            return Err(self.invalid("a header's checksum is wrong"));
        }
        Ok(Some(header))
    }

    /// Fills a block; false where the stream ends before it.
    fn block(&mut self, block: &mut [u8; BLOCK]) -> Result<bool> {
        let mut filled = 0;
        while filled < BLOCK {
            let available = self.source.fill_buf().context(|| "cannot read layer")?;
            if available.is_empty() {
                return if filled == 0 { Ok(false) } else { Err(cut_off(self.offset)) };
            }
            let length = available.len().min(BLOCK - filled);
            block[filled..filled + length].copy_from_slice(&available[..length]);
            self.source.consume(length);
            filled += length;
            self.offset += length as u64;
        }
        Ok(true)
    }

    /// The content of an extended header.
    fn extension(&mut self, header: &Header) -> Result<Vec<u8>> {
        let size = number(&header.as_old().size).and_then(|size| u64::try_from(size).ok());
        let size = size.ok_or_else(|| self.invalid("the size of an extended header is not a number"))?;
        if size > EXTENSION {
            return Err(self.invalid("an extended header is longer than 1 MiB"));
        }
        self.expect(size);
        let mut bytes = Vec::with_capacity(size as usize);
        loop {
            let data = self.data()?;
            if data.is_empty() {
                return Ok(bytes);
            }
            bytes.extend_from_slice(data);
            let length = data.len();
            self.advance(length);
        }
    }

    fn long_name(&mut self, header: &Header) -> Result<Vec<u8>> {
        let mut name = self.extension(header)?;
        if let Some(end) = name.iter().position(|byte| *byte == 0) {
            name.truncate(end);
        }
        Ok(name)
    }

    fn records(&mut self, header: &Header) -> Result<Records> {
        let bytes = self.extension(header)?;
        Records::parse(&bytes).map_err(|reason| self.invalid(reason))
    }

    fn expect(&mut self, size: u64) {
        self.content = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// Puts a header and what precedes it together.
    fn entry(&mut self, header: &Header, extensions: Extensions) -> Result<Entry> {
        let records = match extensions.records {
            None if self.globals.size() == 0 => Cow::Owned(Records::default()),
            None => Cow::Borrowed(&self.globals),
            Some(own) => {
                let mut all = self.globals.clone();
                all.merge(own);
                Cow::Owned(all)
            }
        };
        let name = records.get("GNU.sparse.name").or_else(|| records.get("path")).map(<[u8]>::to_vec);
        let name = name.or(extensions.name).unwrap_or_else(|| header.path_bytes().into_owned());
        let link = records.get("linkpath").map(<[u8]>::to_vec).or(extensions.link);
        let link = link.or_else(|| header.link_name_bytes().map(Cow::into_owned)).unwrap_or_default();
        let draft = Draft { header, records: &records, link };
        let parsed = draft.parse(name.ends_with(b"/"));
        let (object, stored, map, attributes) = parsed.map_err(|reason| refused(&name, &reason))?;
        let (mode, uid, gid, time, xattrs) = attributes;
        let mut entry = Entry { name, object, mode, uid, gid, time, xattrs };
        if let Some(stored) = stored {
            self.expect(stored);
            self.sparse(&mut entry, header, map)?;
        }
        Ok(entry)
    }

    /// Completes a file that has holes.
    fn sparse(&mut self, entry: &mut Entry, header: &Header, map: Map) -> Result<()> {
        let old = header.entry_type() == EntryType::GNUSparse;
        let (size, segments) = match map {
            _ if old => self.old_sparse(entry, header)?,
            Map::None => return Ok(()),
            Map::Here { size, segments } => (size, segments),
            Map::InContent { size } => (size, self.map_in_content(entry)?),
        };
        let sparse =
            Sparse::new(size, segments, self.content).map_err(|reason| refused(&entry.name, reason))?;
        entry.object = Object::File { size, sparse: Some(sparse) };
        Ok(())
    }

    fn old_sparse(&mut self, entry: &Entry, header: &Header) -> Result<(u64, Vec<Segment>)> {
        let refuse = |reason: &str| refused(&entry.name, reason);
        let gnu = header.as_gnu().ok_or_else(|| refuse("it is sparse without a GNU header"))?;
        let size = number(&gnu.realsize).and_then(|size| u64::try_from(size).ok());
        let size = size.ok_or_else(|| refuse("its size is not a number"))?;
        let mut segments = Vec::new();
        sparse::old_gnu(&mut segments, &header.as_bytes()[386..482]).map_err(refuse)?;
        let mut more = gnu.isextended[0] != 0;
        while more {
            let mut block = [0; BLOCK];
            if !self.block(&mut block)? {
                return Err(cut_off(self.offset));
            }
            sparse::old_gnu(&mut segments, &block[..504]).map_err(refuse)?;
            more = block[504] != 0;
        }
        Ok((size, segments))
    }

    /// Reads a version 1.0 map: a count and pairs of numbers, a line each, padded to a block.
    fn map_in_content(&mut self, entry: &Entry) -> Result<Vec<Segment>> {
        let before = self.offset;
        let count = self.line(entry)?;
        if count > sparse::SEGMENTS as u64 {
            return Err(refused(&entry.name, "its sparse map is too long"));
        }
        let mut segments = Vec::new();
        for _ in 0..count {
            let (offset, length) = (self.line(entry)?, self.line(entry)?);
            sparse::push(&mut segments, offset, length).map_err(|reason| refused(&entry.name, reason))?;
        }
        let mut padding = (self.offset - before).wrapping_neg() % BLOCK as u64;
        while padding > 0 {
            let length = self.data()?.len().min(padding as usize);
            if length == 0 {
                return Err(refused(&entry.name, "its sparse map is cut off"));
            }
            self.advance(length);
            padding -= length as u64;
        }
        Ok(segments)
    }

    fn line(&mut self, entry: &Entry) -> Result<u64> {
        let mut digits = Vec::new();
        loop {
            let first = self.data()?.first().copied();
            match first {
                Some(b'\n') => break,
                Some(byte) if digits.len() < 20 => digits.push(byte),
                _ => return Err(refused(&entry.name, "its sparse map is malformed")),
            }
            self.advance(1);
        }
        self.advance(1);
        pax::decimal(&digits).ok_or_else(|| refused(&entry.name, "its sparse map is malformed"))
    }

    fn invalid(&self, reason: &str) -> Error {
        Error::invalid(format!("malformed archive before byte {}: {reason}", self.offset))
    }
}

fn is_zero(header: &Header) -> bool {
    header.as_bytes().iter().all(|byte| *byte == 0)
}

fn cut_off(offset: u64) -> Error {
    Error::invalid(format!("archive is cut off after {offset} bytes"))
}

/// The refusal of an entry, which it names.
pub(super) fn refused(name: &[u8], reason: &str) -> Error {
    Error::invalid(format!("refused entry {:?}: {reason}", shown(name)))
}

/// A name for a message: as text, and not longer than a person reads.
pub(super) fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(&name[..name.len().min(200)]);
    if name.len() > 200 { format!("{text}…") } else { text.into_owned() }
}
