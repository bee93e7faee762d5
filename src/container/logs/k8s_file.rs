//! The k8s-file format (json-file is podman's alias for it): one line an entry,
//! `RFC3339-NANOSECONDS stdout|stderr F|P TEXT`. `P` is a part of a line that goes on in the next entry of
//! the same stream; the text is kept byte for byte.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::container::protocol::Stream;
use crate::error::{Context, Error, Result};

/// The longest entry that is read back in one piece; longer ones come in several.
const MAX_ENTRY: u64 = 1 << 20;

/// Appends to a log that is created at the first byte. A disk that is full ends the log, not the container.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: Option<File>,
    failed: bool,
    buffer: Vec<u8>,
}

impl Writer {
    /// A log at `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None, failed: false, buffer: Vec::new() }
    }

    /// Writes what was read from a stream at once; one system call for all of its lines.
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) {
        if self.failed || bytes.is_empty() {
            return;
        }
        let time = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.9f+00:00").to_string();
        self.buffer.clear();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (tag, text) = match line.strip_suffix(b"\n") {
                Some(text) => ('F', text),
                None => ('P', line),
            };
            let _ = write!(self.buffer, "{time} {} {tag} ", stream.name());
            self.buffer.extend_from_slice(text);
            self.buffer.push(b'\n');
        }
        if self.append().is_err() {
            self.failed = true;
        }
    }

    fn append(&mut self) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                self.file.insert(OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?)
            }
        };
        file.write_all(&self.buffer)
    }
}

/// One entry of a log.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// When it was written.
    pub time: Timestamp,
    /// Whether it is of standard error.
    pub is_error: bool,
    /// Whether a line ends here.
    pub ends_line: bool,
    /// The text, without the line's end.
    pub text: Vec<u8>,
}

/// Reads a log from its beginning. At its end it can be asked again, when more has been written.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: BufReader<File>,
    /// The beginning of a line whose end is not written yet.
    partial: Vec<u8>,
}

impl Reader {
    /// Opens a log; `None` where nothing was printed yet.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => {
                let file = BufReader::with_capacity(64 * 1024, file);
                Ok(Some(Self { path: path.to_owned(), file, partial: Vec::new() }))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::wrap(format!("cannot open {}", path.display()), error)),
        }
    }

    /// The next entry; `None` at the end of what is written. Lines that are no entries are passed over.
    pub fn read(&mut self) -> Result<Option<Entry>> {
        loop {
            let room = MAX_ENTRY.saturating_sub(self.partial.len() as u64);
            self.file
                .by_ref()
                .take(room)
                .read_until(b'\n', &mut self.partial)
                .context(|| format!("cannot read {}", self.path.display()))?;
            let whole = self.partial.last() == Some(&b'\n');
            if !whole && (self.partial.len() as u64) < MAX_ENTRY {
                return Ok(None);
            }
            let line = std::mem::take(&mut self.partial);
            if let Some(entry) = parse(line.strip_suffix(b"\n").unwrap_or(&line)) {
                return Ok(Some(entry));
            }
        }
    }
}

fn parse(line: &[u8]) -> Option<Entry> {
    let mut fields = line.splitn(4, |byte| *byte == b' ');
    let time = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let is_error = match fields.next()? {
        b"stdout" => false,
        b"stderr" => true,
        _ => return None,
    };
    let ends_line = match fields.next()? {
        b"F" => true,
        b"P" => false,
        _ => return None,
    };
    Some(Entry { time, is_error, ends_line, text: fields.next()?.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_as_they_were_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ctr.log");
        assert!(Reader::open(&path).unwrap().is_none());
        let mut log = Writer::new(path.clone());
        log.write(Stream::Output, b"one\ntwo \xff\0\r\npart");
        log.write(Stream::Error, b"oops\n");
        log.write(Stream::Output, b"ial\n\n");
        let mut reader = Reader::open(&path).unwrap().unwrap();
        let mut entries = Vec::new();
        while let Some(entry) = reader.read().unwrap() {
            entries.push((entry.is_error, entry.ends_line, entry.text));
        }
        let expected: Vec<(bool, bool, &[u8])> = vec![
            (false, true, b"one"),
            (false, true, b"two \xff\0\r"),
            (false, false, b"part"),
            (true, true, b"oops"),
            (false, true, b"ial"),
            (false, true, b""),
        ];
        assert_eq!(entries.len(), expected.len());
        for (entry, expected) in entries.iter().zip(expected) {
            assert_eq!((entry.0, entry.1, entry.2.as_slice()), expected);
        }
        log.write(Stream::Output, b"later\n");
        assert_eq!(reader.read().unwrap().unwrap().text, b"later", "a reader at the end sees what is added");
    }

    #[test]
    fn what_is_no_entry_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ctr.log");
        std::fs::write(&path, b"garbage\n\n2026-01-01T00:00:00.5+00:00 stdout F ok\n2026 x").unwrap();
        let mut reader = Reader::open(&path).unwrap().unwrap();
        assert_eq!(reader.read().unwrap().unwrap().text, b"ok");
        assert!(reader.read().unwrap().is_none());
    }
}
