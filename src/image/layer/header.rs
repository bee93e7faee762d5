//! One 512-byte header: its checksum and its numbers. The layout is the tar crate's.

use tar::Header;

/// Bytes in a block.
pub(super) const BLOCK: usize = 512;

/// Whether the checksum fits, counted with unsigned bytes or, as some old writers did, with signed ones.
pub(super) fn checksum_fits(header: &Header) -> bool {
    let bytes = header.as_bytes();
    let field = 148..156;
    let outside = bytes.iter().enumerate().filter(|(at, _)| !field.contains(at)).map(|(_, byte)| *byte);
    let (mut unsigned, mut signed) = (8 * 32i64, 8 * 32i64);
    for byte in outside {
        unsigned += i64::from(byte);
        signed += i64::from(byte as i8);
    }
    number(&bytes[field]).is_some_and(|sum| sum == unsigned || sum == signed)
}

/// A numeric field: octal digits between blanks and NULs (none at all is 0), or base-256 with the top bit
/// set, which can be negative. `None` for anything else and for what 63 bits cannot hold.
pub(super) fn number(field: &[u8]) -> Option<i64> {
    if field.first().is_some_and(|byte| byte & 0x80 != 0) {
        return base256(field);
    }
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    let digits = field[..end].trim_ascii();
    // What follows the NUL must not be a number of its own for another reader.
    if !field[end..].iter().all(|byte| matches!(byte, 0 | b' ')) && !digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0i64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(digit - b'0')),
        _ => None,
    })
}

fn base256(field: &[u8]) -> Option<i64> {
    // The bit below the marker is the sign.
    let negative = field[0] & 0x40 != 0;
    let first = if negative { field[0] } else { field[0] & 0x7f };
    let mut value = if negative { i128::from(first as i8) } else { i128::from(first) };
    for byte in &field[1..] {
        value = value.checked_mul(256)?.checked_add(i128::from(*byte))?;
    }
    i64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_or_base_256() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"644 \0  \0"), Some(0o644));
        assert_eq!(number(&[0; 8]), Some(0));
        assert_eq!(number(b"77777777777\0"), Some(0o77777777777));
        assert_eq!(number(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]), Some(2 << 32));
        assert_eq!(number(&[0xff; 12]), Some(-1));
        for bad in [&b"0000648\0"[..], b"-000644\0", b"0x44\0\0\0\0", b"64\0\x0044\0\0", &[0x80 | 0x3f; 12]] {
            assert_eq!(number(bad), None, "{bad:?}");
        }
    }
}
