//! Where in the text of a JSON document a path leads: line and column, from 1.

use super::{Path, Step};

/// The place of `path` in `text`, which is well-formed; of its nearest ancestor where it is not there.
pub(super) fn find(text: &str, path: &Path) -> (usize, usize) {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
    scanner.space();
    let mut place = scanner.at;
    for step in path.steps() {
        let found = match step {
            Step::Key(key) => scanner.enter_object(key),
            Step::Index(index) => scanner.enter_list(*index),
        };
        let Some(found) = found else { break };
        place = found;
        scanner.at = found;
    }
    let before = &text.as_bytes()[..place];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    (line, String::from_utf8_lossy(&before[start..]).chars().count() + 1)
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn space(&mut self) {
        while self.peek().is_ascii_whitespace() {
            self.at += 1;
        }
    }

    /// Where the last value of `key` begins, if an object that has it begins here: the last one counts.
    fn enter_object(&mut self, key: &str) -> Option<usize> {
        let mut found = None;
        let mut wanted = false;
        self.members(b'{', |scanner| {
            let start = scanner.at;
            scanner.skip();
            wanted = serde_json::from_slice::<String>(&scanner.bytes[start..scanner.at])
                .is_ok_and(|name| name == key);
            scanner.space();
            scanner.at += 1; // the colon
            scanner.space();
            if wanted {
                found = Some(scanner.at);
            }
            scanner.skip();
        });
        found
    }

    fn enter_list(&mut self, index: usize) -> Option<usize> {
        let (mut found, mut next) = (None, 0);
        self.members(b'[', |scanner| {
            if next == index {
                found = Some(scanner.at);
            }
            next += 1;
            scanner.skip();
        });
        found
    }

    /// Calls `member` at the beginning of each member of the container that begins here.
    fn members(&mut self, opening: u8, mut member: impl FnMut(&mut Self)) {
        if self.peek() != opening {
            return;
        }
        loop {
            self.at += 1; // the opening bracket or a comma
            self.space();
            if matches!(self.peek(), 0 | b'}' | b']') {
                return;
            }
            member(self);
            self.space();
            if self.peek() != b',' {
                return;
            }
        }
    }

    /// Goes on behind the value that begins here.
    fn skip(&mut self) {
        let mut depth = 0;
        loop {
            match self.peek() {
                0 => return,
                b'"' => self.string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                _ if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                _ => {
                    while !matches!(self.peek(), 0 | b',' | b'}' | b']') && !self.peek().is_ascii_whitespace()
                    {
                        self.at += 1;
                    }
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.at += 1;
        loop {
            match self.peek() {
                0 => return,
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found() {
        let text = "{\n  \"a\": [1, {\"b\\n\": \"}\", \"c\": [ ] }, -2.5e3],\n  \"é\": 7, \"d\": null}";
        let path = Path::default();
        assert_eq!(find(text, &path), (1, 1));
        assert_eq!(find(text, &path.key("a").index(0)), (2, 9));
        assert_eq!(find(text, &path.key("a").index(1).key("c")), (2, 30));
        assert_eq!(find(text, &path.key("a").index(1).key("b\n")), (2, 20));
        assert_eq!(find(text, &path.key("a").index(2)), (2, 37));
        assert_eq!(find(text, &path.key("d")), (3, 16));
        assert_eq!(find(text, &path.key("a").index(9)), (2, 8));
        assert_eq!(find(text, &path.key("x").key("y")), (1, 1));
    }
}
