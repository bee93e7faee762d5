//! Names in archives: from bytes that anyone may have written to a path relative to the root.

use std::borrow::Cow;

use super::Limits;

/// Cleans a path as tar and containers/storage do: leading slashes and `.` go, `a/../b` is `b`. The root is
/// the empty path. Refused, with the reason: a `..` that climbs out, a NUL, what the kernel cannot hold.
pub(super) fn clean<'a>(raw: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, &'static str> {
    if raw.contains(&0) {
        return Err("its name contains a NUL");
    }
    if raw.len() > limits.path.saturating_mul(2) {
        return Err("its path is too long");
    }
    let trimmed = trim(raw);
    let clean = if trimmed.split(|byte| *byte == b'/').any(|name| matches!(name, b"" | b"." | b"..")) {
        Cow::Owned(normalise(trimmed)?)
    } else {
        Cow::Borrowed(trimmed)
    };
    if clean.len() > limits.path {
        return Err("its path is too long");
    }
    let mut depth = 0;
    for name in clean.split(|byte| *byte == b'/') {
        depth += 1;
        if name.len() > 255 {
            return Err("its name is too long");
        }
    }
    if depth > limits.depth { Err("its path is too deep") } else { Ok(clean) }
}

/// Without the slashes around it and a leading `./`.
fn trim(raw: &[u8]) -> &[u8] {
    let mut path = raw;
    loop {
        path = match path {
            [b'/', rest @ ..] | [b'.', b'/', rest @ ..] => rest,
            _ => break,
        };
    }
    while let [rest @ .., b'/'] = path {
        path = rest;
    }
    path
}

fn normalise(path: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut names: Vec<&[u8]> = Vec::new();
    for name in path.split(|byte| *byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => {
                names.pop().ok_or("its path leads out of the layer")?;
            }
            name => names.push(name),
        }
    }
    Ok(names.join(&b'/'))
}

/// The directory part (empty for the root) and the last component.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (&[], path),
    }
}

/// What a last component means. Source: OCI image-spec, layer.md, "Whiteouts".
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning<'a> {
    /// An entry of the layer.
    Entry,
    /// `.wh.NAME`: NAME of the lower layers is gone.
    Whiteout(&'a [u8]),
    /// `.wh..wh..opq`: everything that lower layers have in this directory is gone.
    Opaque,
    /// Other `.wh..wh.` names: what AUFS kept for itself.
    Aufs,
}

/// Tells whiteouts from entries; refuses whiteouts of what is no name.
pub(super) fn meaning(name: &[u8]) -> Result<Meaning<'_>, &'static str> {
    match name.strip_prefix(b".wh.") {
        None => Ok(Meaning::Entry),
        Some(b".wh..opq") => Ok(Meaning::Opaque),
        Some(hidden) if hidden.starts_with(b".wh.") => Ok(Meaning::Aufs),
        Some(b"" | b"." | b"..") => Err("it is a whiteout of no name"),
        Some(hidden) => Ok(Meaning::Whiteout(hidden)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(raw: &[u8]) -> Result<Vec<u8>, &'static str> {
        clean(raw, &Limits::default()).map(Cow::into_owned)
    }

    #[test]
    fn paths_are_cleaned_or_refused() {
        for (raw, want) in [
            ("a/b", "a/b"),
            ("/a/b", "a/b"),
            ("./a/b/", "a/b"),
            ("//a//./b", "a/b"),
            ("a/../b", "b"),
            ("", ""),
            ("./", ""),
            (".", ""),
            ("/", ""),
            ("././/./a", "a"),
            ("a/..", ""),
            ("..a/b..", "..a/b.."),
            ("new\nline", "new\nline"),
        ] {
            assert_eq!(cleaned(raw.as_bytes()).as_deref(), Ok(want.as_bytes()), "{raw:?}");
        }
        for raw in ["..", "../a", "a/../../b", "/..", "./../x", "a\0b"] {
            assert!(cleaned(raw.as_bytes()).is_err(), "{raw:?}");
        }
        assert!(cleaned(&[b'a'; 256]).is_err());
        assert!(cleaned(&b"a/".repeat(1025)).is_err());
        assert!(cleaned(&b"aaaaaaaaaaaaaaa/".repeat(300)).is_err());
    }

    #[test]
    fn whiteouts_cannot_climb() {
        assert_eq!(meaning(b"a.wh."), Ok(Meaning::Entry));
        assert_eq!(meaning(b".wh.a"), Ok(Meaning::Whiteout(b"a")));
        assert_eq!(meaning(b".wh..a"), Ok(Meaning::Whiteout(b".a")));
        assert_eq!(meaning(b".wh..wh..opq"), Ok(Meaning::Opaque));
        assert_eq!(meaning(b".wh..wh.plnk"), Ok(Meaning::Aufs));
        for bad in [&b".wh."[..], b".wh..", b".wh..."] {
            assert!(meaning(bad).is_err(), "{bad:?}");
        }
    }
}
