//! Archives made byte by byte, so that they can be wrong in every way.

use std::io::Write;

/// A tar stream being written. Nothing is checked.
#[derive(Clone, Default)]
pub(super) struct Tar(pub(super) Vec<u8>);

/// One header's fields; change what the test is about.
#[derive(Clone)]
pub(super) struct Head {
    pub(super) kind: u8,
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) size: u64,
    pub(super) time: u64,
    pub(super) device: (u32, u32),
}

impl Head {
    pub(super) fn new(kind: u8, name: impl AsRef<[u8]>) -> Self {
        let mode = if kind == b'5' { 0o755 } else { 0o644 };
        let name = name.as_ref().to_vec();
        Self { kind, name, link: Vec::new(), mode, uid: 0, gid: 0, size: 0, time: 1, device: (0, 0) }
    }

    pub(super) fn link(mut self, link: impl AsRef<[u8]>) -> Self {
        self.link = link.as_ref().to_vec();
        self
    }

    pub(super) fn mode(mut self, mode: u32) -> Self {
        self.mode = mode;
        self
    }

    pub(super) fn owner(mut self, uid: u64, gid: u64) -> Self {
        (self.uid, self.gid) = (uid, gid);
        self
    }

    pub(super) fn size(mut self, size: u64) -> Self {
        self.size = size;
        self
    }

    pub(super) fn time(mut self, time: u64) -> Self {
        self.time = time;
        self
    }

    pub(super) fn device(mut self, major: u32, minor: u32) -> Self {
        self.device = (major, minor);
        self
    }

    /// The block, with its checksum.
    pub(super) fn block(&self) -> [u8; 512] {
        let mut block = [0u8; 512];
        let mut put = |at: usize, bytes: &[u8], most: usize| {
            let bytes = &bytes[..bytes.len().min(most)];
            block[at..at + bytes.len()].copy_from_slice(bytes);
        };
        put(0, &self.name, 100);
        put(100, format!("{:07o}", self.mode).as_bytes(), 8);
        put(108, format!("{:07o}", self.uid).as_bytes(), 8);
        put(116, format!("{:07o}", self.gid).as_bytes(), 8);
        put(124, format!("{:011o}", self.size).as_bytes(), 12);
        put(136, format!("{:011o}", self.time).as_bytes(), 12);
        put(156, &[self.kind], 1);
        put(157, &self.link, 100);
        put(257, b"ustar\x0000", 8);
        put(329, format!("{:07o}", self.device.0).as_bytes(), 8);
        put(337, format!("{:07o}", self.device.1).as_bytes(), 8);
        checksum(&mut block);
        block
    }
}

/// Writes the checksum of a header block into it.
pub(super) fn checksum(block: &mut [u8; 512]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

impl Tar {
    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn content(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(super) fn head(self, head: &Head) -> Self {
        self.raw(&head.block())
    }

    pub(super) fn file(self, name: impl AsRef<[u8]>, content: &[u8]) -> Self {
        self.head(&Head::new(b'0', name).size(content.len() as u64)).content(content)
    }

    pub(super) fn dir(self, name: impl AsRef<[u8]>) -> Self {
        self.head(&Head::new(b'5', name))
    }

    pub(super) fn symlink(self, name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.head(&Head::new(b'2', name).mode(0o777).link(target))
    }

    pub(super) fn hard_link(self, name: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        self.head(&Head::new(b'1', name).link(target))
    }

    /// A GNU long name (`L`) or link (`K`).
    pub(super) fn long(self, kind: u8, text: &[u8]) -> Self {
        let text = [text, b"\0"].concat();
        self.head(&Head::new(kind, "././@LongLink").size(text.len() as u64)).content(&text)
    }

    /// A pax header, local (`x`) or global (`g`).
    pub(super) fn pax(self, kind: u8, records: &[(&str, &[u8])]) -> Self {
        let mut text = Vec::new();
        for (key, value) in records {
            let bare = key.len() + value.len() + 3;
            let mut length = bare + 1;
            while bare + length.to_string().len() != length {
                length += 1;
            }
            text.extend_from_slice(format!("{length} {key}=").as_bytes());
            text.extend_from_slice(value);
            text.push(b'\n');
        }
        self.head(&Head::new(kind, "PaxHeaders/x").size(text.len() as u64)).content(&text)
    }

    /// The finished stream.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}
