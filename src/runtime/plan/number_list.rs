//! Lists of processors or memory nodes: `0-3,7` (cpuset(7), "List format").

use crate::error::{Error, Result};

/// No machine that Linux runs on has more (`CONFIG_NR_CPUS`, `MAX_NUMNODES`).
const MOST: usize = 8192;

/// A set of small numbers in the form of the kernel's bit masks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NumberSet {
    words: Vec<u64>,
}

impl NumberSet {
    /// Reads a list.
    pub(crate) fn parse(list: &str) -> Result<Self> {
        let mut set = Self::default();
        for part in list.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| -> Option<usize> {
                let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                text.parse().ok().filter(|number| digits && *number < MOST)
            };
            match (number(first), number(last)) {
                (Some(first), Some(last)) if first <= last => set.insert(first, last),
                _ => return Err(Error::invalid(format!("{list:?} is no list of numbers like 0-3,7"))),
            }
        }
        Ok(set)
    }

    fn insert(&mut self, first: usize, last: usize) {
        for number in first..=last {
            if self.words.len() <= number / 64 {
                self.words.resize(number / 64 + 1, 0);
            }
            self.words[number / 64] |= 1 << (number % 64);
        }
    }

    /// The mask, least significant word first.
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_sets() {
        assert_eq!(NumberSet::parse("0-3,7").unwrap().words(), [0b1000_1111]);
        assert_eq!(NumberSet::parse("64,1").unwrap().words(), [2, 1]);
        for wrong in ["", "3-1", "a", "1-", "-1", "1,,2", "+1", "9999999", " 1"] {
            assert!(NumberSet::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
