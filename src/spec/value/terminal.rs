//! `--detach-keys`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The keys that leave a container without ending it: `ctrl-p,ctrl-q`; the empty string turns them off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetachKeys(Vec<u8>);

impl Default for DetachKeys {
    fn default() -> Self {
        Self(vec![0x10, 0x11])
    }
}

impl DetachKeys {
    /// The bytes that the terminal sends for them; empty: never detach.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The byte of one key: a printable character, or `ctrl-` and a letter or one of `@ ^ [ \ ] _`.
fn key(text: &str) -> Option<u8> {
    match (text.as_bytes(), text.to_ascii_lowercase().strip_prefix("ctrl-").map(str::as_bytes)) {
        (_, Some([letter @ (b'a'..=b'z')])) => Some(letter - b'a' + 1),
        (_, Some([b'@'])) => Some(0),
        (_, Some([sign @ (b'[' | b'\\' | b']' | b'^' | b'_')])) => Some(sign - b'@'),
        ([byte @ 0x21..=0x7e], None) => Some(*byte),
        _ => None,
    }
}

impl FromStr for DetachKeys {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        text.split(',')
            .map(|part| {
                key(part).ok_or_else(|| {
                    Error::usage(format!(
                        "detach keys {text:?}: {part:?} is neither a character nor ctrl-CHARACTER"
                    ))
                })
            })
            .collect::<Result<_>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_the_bytes_of_a_terminal() {
        let bytes = |text: &str| text.parse::<DetachKeys>().unwrap().bytes().to_vec();
        assert_eq!("ctrl-p,ctrl-q".parse::<DetachKeys>().unwrap(), DetachKeys::default());
        assert_eq!(bytes("ctrl-@,ctrl-[,ctrl-_,a,Z"), [0, 27, 31, b'a', b'Z']);
        assert!(bytes("").is_empty());
        for bad in [",", "ctrl-", "ctrl-aa", "ctrl-1", "é", "ab"] {
            assert!(bad.parse::<DetachKeys>().is_err(), "{bad}");
        }
    }
}
