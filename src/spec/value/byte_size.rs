//! Sizes in bytes, as Docker's go-units reads them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A number of bytes: `65536`, `64k`, `64m`, `1.5g`, `64MiB`. Units are powers of 1024 in either spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ByteSize(u64);

impl ByteSize {
    /// The size of `bytes` bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

/// The power of 1024 that `unit` stands for.
fn exponent(unit: &str) -> Option<u32> {
    let unit = unit.to_ascii_lowercase();
    let letter = match unit.as_str() {
        "" | "b" => return Some(0),
        other => other.strip_suffix("ib").or_else(|| other.strip_suffix('b')).unwrap_or(other),
    };
    ["k", "m", "g", "t", "p"].iter().zip(1..).find_map(|(name, power)| (letter == *name).then_some(power))
}

impl FromStr for ByteSize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::usage(format!(
                "{text:?} is not a size: expected a number with an optional unit b, k, m, g, t or p"
            ))
        };
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = 1024u64.pow(exponent(unit.trim_start()).ok_or_else(wrong)?);
        if let Ok(whole) = number.parse::<u64>() {
            return whole
                .checked_mul(factor)
                .map(Self)
                .ok_or_else(|| Error::usage(format!("{text:?} is too large a size")));
        }
        let fraction: f64 = number.parse().map_err(|_| wrong())?;
        let bytes = fraction * factor as f64;
        if !bytes.is_finite() || bytes >= u64::MAX as f64 {
            return Err(wrong());
        }
        Ok(Self(bytes as u64))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        for (text, bytes) in [
            ("0", 0),
            ("65536", 65536),
            ("64k", 65536),
            ("64K", 65536),
            ("64kb", 65536),
            ("64KiB", 65536),
            ("64m", 64 << 20),
            ("1g", 1 << 30),
            ("1.5g", 3 << 29),
            ("1 g", 1 << 30),
            (".5k", 512),
            ("10b", 10),
        ] {
            assert_eq!(text.parse::<ByteSize>().unwrap().bytes(), bytes, "{text}");
        }
        for bad in ["", "m", "-1", "1x", "1mm", "1..5g", ".", "99999999p", "é", "1ib", "0x10", "1e3"] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "\\PC*") {
            let _ = text.parse::<ByteSize>();
        }
    }
}
