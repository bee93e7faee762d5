//! Paths in JSON: text as it is, with `%` and every byte that is not UTF-8 written as `%XX`, so that any name
//! survives.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serializer};

use super::pax::percent_decoded;

pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&encoded(path))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(PathBuf::from(OsStr::from_bytes(&percent_decoded(text.as_bytes()))))
}

fn encoded(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('%', "%25"));
        for byte in chunk.invalid() {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::layer::Override;

    #[test]
    fn any_name_survives_json() {
        for name in [&b"a/b c"[..], b"100%25", b"\xff\xfe/\xc3\xa9", b"new\nline", b"%"] {
            let path = PathBuf::from(OsStr::from_bytes(name));
            let record = Override { path, stat: "0:0:0644".to_owned() };
            let json = serde_json::to_string(&record).unwrap();
            assert_eq!(serde_json::from_str::<Override>(&json).unwrap(), record, "{json}");
        }
    }
}
