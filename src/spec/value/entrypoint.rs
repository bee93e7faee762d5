//! `--entrypoint`.

use std::convert::Infallible;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The words that come before the command: `PROGRAM` (one word, spaces and all), a JSON array of words, or
/// the empty string, which takes the image's entrypoint away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrypoint(Vec<String>);

impl Entrypoint {
    /// The words; empty when the image's entrypoint is only taken away.
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl FromStr for Entrypoint {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        // Like podman: whatever is no JSON array of strings is the program's name.
        let words = serde_json::from_str::<Vec<String>>(text).unwrap_or_else(|_| vec![text.to_owned()]);
        Ok(Self(if words.iter().all(String::is_empty) { Vec::new() } else { words }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_or_a_json_array() {
        for (text, words) in [
            ("", &[][..]),
            ("[]", &[]),
            (r#"[""]"#, &[]),
            ("/bin/sh", &["/bin/sh"]),
            ("/bin/sh -c", &["/bin/sh -c"]),
            (r#"["sh", "-c"]"#, &["sh", "-c"]),
            ("[sh", &["[sh"]),
            ("[1]", &["[1]"]),
        ] {
            let entrypoint: Entrypoint = text.parse().unwrap();
            assert_eq!(entrypoint.words(), words, "{text}");
        }
    }
}
