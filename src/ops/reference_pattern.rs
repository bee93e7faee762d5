//! Patterns over names of images, as `--filter reference=` and the argument of `images` take them.

/// Whether `pattern` means the image called `name` (canonical, with its tag): the whole name or its end after
/// a slash, with or without the tag.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let without_version = match name.split_once('@') {
        Some((before, _)) => before,
        None => name.rsplit_once(':').map_or(name, |(before, _)| before),
    };
    [name, without_version].into_iter().any(|name| {
        let starts = std::iter::once(0).chain(name.match_indices('/').map(|(at, _)| at + 1));
        starts.into_iter().any(|start| glob(pattern.as_bytes(), &name.as_bytes()[start..]))
    })
}

/// Go's `path.Match`: `*` and `?` stop at a slash, `[a-z]` and `[^a-z]` are classes, a backslash escapes.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => {
            let reach = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=reach).any(|taken| glob(rest, &text[taken..]))
        }
        ([b'?', rest @ ..], [byte, text @ ..]) if *byte != b'/' => glob(rest, text),
        ([b'[', rest @ ..], [byte, text @ ..]) => {
            let Some(end) = rest.iter().position(|byte| *byte == b']') else { return false };
            class(&rest[..end], *byte) && glob(&rest[end + 1..], text)
        }
        ([b'\\', escaped, rest @ ..], [byte, text @ ..]) if escaped == byte => glob(rest, text),
        ([literal, rest @ ..], [byte, text @ ..]) if literal == byte => glob(rest, text),
        _ => false,
    }
}

fn class(class: &[u8], byte: u8) -> bool {
    let (negated, class) = match class {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, class),
    };
    let mut rest = class;
    let mut found = false;
    while let [first, tail @ ..] = rest {
        (found, rest) = match tail {
            [b'-', last, tail @ ..] => (found || (*first..=*last).contains(&byte), tail),
            _ => (found || *first == byte, tail),
        };
    }
    found != negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_whole_names_and_their_ends() {
        let name = "docker.io/library/alpine:3.20";
        for pattern in [
            "alpine",
            "alpine:3.20",
            "library/alpine",
            "al*",
            "*pine:3.*",
            "docker.io/library/alpine",
            "[a-c]lpine",
            "*/alpine",
            "?lpine",
        ] {
            assert!(matches(pattern, name), "{pattern}");
        }
        for pattern in ["pine", "alpine:3.2", "busybox", "docker*", "[^a]lpine", "[", ""] {
            assert!(!matches(pattern, name), "{pattern}");
        }
    }
}
