//! Sparse files: where the stored bytes belong. Sources: the GNU tar manual, "Storing Sparse Files" (the old
//! `S` entries, and pax versions 0.0, 0.1 and 1.0).

use super::header::number;
use super::pax::{Records, decimal};

/// Stored bytes: `length` of them belong at `offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// A file with holes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sparse {
    /// The file's size, holes included.
    pub(super) size: u64,
    /// In ascending order.
    pub(super) segments: Vec<Segment>,
}

/// Segments in one file.
pub(super) const SEGMENTS: usize = 1 << 20;

const MALFORMED: &str = "its sparse map is malformed";

impl Sparse {
    /// Checks that the segments ascend, lie within the file and use up the `stored` bytes.
    pub(super) fn new(size: u64, segments: Vec<Segment>, stored: u64) -> Result<Self, &'static str> {
        let (mut end, mut sum) = (0u64, 0u64);
        for segment in &segments {
            if segment.offset < end {
                return Err("its sparse map overlaps");
            }
            end = segment.offset.checked_add(segment.length).ok_or(MALFORMED)?;
            sum = sum.checked_add(segment.length).ok_or(MALFORMED)?;
        }
        if end > size || i64::try_from(size).is_err() {
            return Err("its sparse map leads beyond its size");
        }
        // Old GNU entries pad every segment but the last to whole blocks; nobody writes unaligned ones.
        if sum != stored {
            return Err("its sparse map does not fit its stored bytes");
        }
        Ok(Self { size, segments })
    }
}

/// Adds the 24-byte pairs of an old GNU header.
pub(super) fn old_gnu(segments: &mut Vec<Segment>, pairs: &[u8]) -> Result<(), &'static str> {
    for pair in pairs.chunks_exact(24) {
        let value = |field| number(field).and_then(|n| u64::try_from(n).ok()).ok_or(MALFORMED);
        if pair[0] == 0 && pair[12] == 0 {
            break;
        }
        push(segments, value(&pair[..12])?, value(&pair[12..])?)?;
    }
    Ok(())
}

/// Where a pax header keeps the map.
pub(super) enum Map {
    /// No sparse file.
    None,
    /// In the header (0.0 and 0.1).
    Here { size: u64, segments: Vec<Segment> },
    /// At the start of the content (1.0).
    InContent { size: u64 },
}

/// Reads what the records say of holes.
pub(super) fn of_records(records: &Records) -> Result<Map, String> {
    let size = match records.number("GNU.sparse.realsize")? {
        Some(size) => Some(size),
        None => records.number("GNU.sparse.size")?,
    };
    let Some(size) = size else { return Ok(Map::None) };
    match records.get("GNU.sparse.major") {
        Some(b"1") if records.get("GNU.sparse.minor") == Some(b"0") => return Ok(Map::InContent { size }),
        None | Some(b"0") => {}
        Some(_) => return Err("its sparse format is unknown".to_owned()),
    }
    let mut segments = Vec::new();
    if let Some(map) = records.get("GNU.sparse.map") {
        let numbers: Option<Vec<u64>> = map.split(|byte| *byte == b',').map(decimal).collect();
        let numbers = numbers.filter(|numbers| numbers.len() % 2 == 0).ok_or(MALFORMED)?;
        for pair in numbers.chunks_exact(2) {
            push(&mut segments, pair[0], pair[1])?;
        }
    } else {
        let mut offset = None;
        for (key, value) in records.iter() {
            match key {
                b"GNU.sparse.offset" => offset = Some(decimal(value).ok_or(MALFORMED)?),
                b"GNU.sparse.numbytes" => {
                    let offset = offset.take().ok_or(MALFORMED)?;
                    push(&mut segments, offset, decimal(value).ok_or(MALFORMED)?)?;
                }
                _ => {}
            }
        }
    }
    Ok(Map::Here { size, segments })
}

/// Adds a segment to the map.
pub(super) fn push(segments: &mut Vec<Segment>, offset: u64, length: u64) -> Result<(), &'static str> {
    if segments.len() >= SEGMENTS {
        return Err("its sparse map is too long");
    }
    segments.push(Segment { offset, length });
    Ok(())
}
