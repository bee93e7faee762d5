//! Extended headers: `LENGTH KEY=VALUE\n` records. Source: POSIX.1-2017, pax, "pax Extended Header".

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

/// Extended attributes of one entry; far more than a file system has room for.
const XATTRS: usize = 256;

/// Records in their order; a key can come several times (GNU sparse maps do).
#[derive(Clone, Debug, Default)]
pub(super) struct Records(Vec<(Vec<u8>, Vec<u8>)>);

impl Records {
    /// Takes apart the content of an `x` or `g` entry.
    pub(super) fn parse(mut bytes: &[u8]) -> Result<Self, &'static str> {
        const MALFORMED: &str = "its extended header is malformed";
        let mut records = Vec::new();
        while !bytes.is_empty() {
            // Some writers pad with NULs up to the size they announced.
            if bytes.iter().all(|byte| *byte == 0) {
                break;
            }
            let space = bytes.iter().take(20).position(|byte| *byte == b' ').ok_or(MALFORMED)?;
            let length = decimal(&bytes[..space]).and_then(|n| usize::try_from(n).ok()).ok_or(MALFORMED)?;
            let record = bytes.get(space + 1..length).and_then(|r| r.strip_suffix(b"\n")).ok_or(MALFORMED)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or(MALFORMED)?;
            if equals == 0 {
                return Err(MALFORMED);
            }
            records.push((record[..equals].to_vec(), record[equals + 1..].to_vec()));
            bytes = &bytes[length..];
        }
        Ok(Self(records))
    }

    /// Adds `later`, whose values replace those of the same keys. An empty value takes a key back.
    pub(super) fn merge(&mut self, later: Records) {
        let replaced: HashSet<&[u8]> = later.0.iter().map(|(key, _)| &key[..]).collect();
        self.0.retain(|(key, _)| !replaced.contains(&key[..]));
        self.0.extend(later.0.into_iter().filter(|(_, value)| !value.is_empty()));
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    fn last(&self, key: &[u8]) -> Option<&[u8]> {
        self.0.iter().rev().find(|(found, _)| found == key).map(|(_, value)| &value[..])
    }

    /// The value that counts for `key`.
    pub(super) fn get(&self, key: &str) -> Option<&[u8]> {
        self.last(key.as_bytes()).filter(|value| !value.is_empty())
    }

    /// A decimal value.
    pub(super) fn number(&self, key: &str) -> Result<Option<u64>, String> {
        self.get(key).map_or(Ok(None), |text| {
            decimal(text).map(Some).ok_or_else(|| format!("its {key} is not a number"))
        })
    }

    /// Every record, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(key, value)| (&key[..], &value[..]))
    }

    /// The extended attributes, in star's form and in libarchive's.
    pub(super) fn xattrs(&self) -> Result<Vec<(OsString, Vec<u8>)>, &'static str> {
        let mut found: Vec<(OsString, Vec<u8>)> = Vec::new();
        let mut add = |name: &[u8], value: Vec<u8>| {
            if found.len() > XATTRS {
                return;
            }
            let name = OsStr::from_bytes(name);
            found.retain(|(other, _)| other != name);
            found.push((name.to_owned(), value));
        };
        for (key, value) in &self.0 {
            if let Some(name) = key.strip_prefix(b"LIBARCHIVE.xattr.") {
                let engine = if value.ends_with(b"=") { STANDARD } else { STANDARD_NO_PAD };
                let value = engine.decode(value).map_err(|_| "an extended attribute is not base64")?;
                add(&percent_decoded(name), value);
            }
        }
        for (key, value) in &self.0 {
            if let Some(name) = key.strip_prefix(b"SCHILY.xattr.") {
                add(name, value.clone());
            }
        }
        if found.len() > XATTRS {
            return Err("it has too many extended attributes");
        }
        match found
            .iter()
            .any(|(name, _)| name.is_empty() || name.len() > 255 || name.as_bytes().contains(&0))
        {
            true => Err("the name of an extended attribute is malformed"),
            false => Ok(found),
        }
    }
}

/// `%41` is `A`; anything else stands for itself.
pub(super) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            _ => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    decoded
}

/// A number of digits only.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A time, `SECONDS[.FRACTION]`, also negative; nanoseconds are cut off, downwards.
pub(super) fn time(text: &[u8]) -> Option<(i64, u32)> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (seconds, fraction) = match digits.iter().position(|byte| *byte == b'.') {
        Some(dot) => (&digits[..dot], &digits[dot + 1..]),
        None => (digits, &[][..]),
    };
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let seconds = i64::try_from(decimal(seconds)?).ok()?;
    let nanoseconds =
        (0..9).fold(0, |n, i| n * 10 + u32::from(fraction.get(i).map_or(0, |byte| byte - b'0')));
    match (negative, nanoseconds) {
        (false, _) => Some((seconds, nanoseconds)),
        (true, 0) => Some((-seconds, 0)),
        (true, _) => Some((-seconds - 1, 1_000_000_000 - nanoseconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_taken_apart_by_their_length() {
        let records = Records::parse(b"10 path=a\n17 comment=x\ny=\nz\n").unwrap_err();
        assert!(records.contains("malformed"));
        let records = Records::parse(b"10 path=a\n18 comment=x\ny=\nz\n").unwrap();
        assert_eq!(records.get("path"), Some(&b"a"[..]));
        assert_eq!(records.get("comment"), Some(&b"x\ny=\nz"[..]));
        for bad in [
            &b"path=a\n"[..],
            b"99 path=a\n",
            b"8 path=a\n",
            b"0 \n",
            b"7 =abc\n",
            b"-1 a=b\n",
            b"10 path\0a\n",
        ] {
            assert!(Records::parse(bad).is_err(), "{bad:?}");
        }
        assert!(Records::parse(b"10 path=a\n\0\0").is_ok());
    }

    #[test]
    fn later_records_replace_and_empty_ones_take_back() {
        let mut records = Records::parse(b"10 path=a\n8 uid=7\n").unwrap();
        records.merge(Records::parse(b"8 uid=9\n8 path=\n").unwrap());
        assert_eq!((records.get("path"), records.number("uid")), (None, Ok(Some(9))));
    }

    #[test]
    fn both_forms_of_xattrs_are_read() {
        let text = b"36 LIBARCHIVE.xattr.user.a%3Db=YWI=\n30 SCHILY.xattr.user.n=a=b\n\0c\n";
        let records = Records::parse(text).unwrap();
        let xattrs = records.xattrs().unwrap();
        assert_eq!(xattrs[0], ("user.a=b".into(), b"ab".to_vec()));
        assert_eq!(xattrs[1], ("user.n".into(), b"a=b\n\0c".to_vec()));
    }

    #[test]
    fn times_have_nanoseconds_and_a_sign() {
        assert_eq!(time(b"12.5"), Some((12, 500_000_000)));
        assert_eq!(time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(time(b"1.1234567899"), Some((1, 123_456_789)));
        for bad in [&b""[..], b".", b"a", b"1.x", b"--1", b"99999999999999999999"] {
            assert_eq!(time(bad), None, "{bad:?}");
        }
    }
}
