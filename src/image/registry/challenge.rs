//! `WWW-Authenticate`: what a registry wants to see. Source: RFC 9110, section 11.6.1.

/// One challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password with each request.
    Basic,
    /// A token from `realm`.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// Reads one header, which may hold several challenges; schemes that are not known are passed over.
    pub(super) fn parse_all(header: &str) -> Vec<Self> {
        let mut challenges = Vec::new();
        let mut rest = header.trim();
        while !rest.is_empty() {
            let (scheme, after) = rest.split_once(' ').unwrap_or((rest, ""));
            let (parameters, remaining) = parameters(after);
            let value = |name: &str| {
                let found = parameters.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.clone())
            };
            if scheme.eq_ignore_ascii_case("basic") {
                challenges.push(Self::Basic);
            } else if scheme.eq_ignore_ascii_case("bearer")
                && let Some(realm) = value("realm")
            {
                challenges.push(Self::Bearer { realm, service: value("service"), scope: value("scope") });
            }
            if remaining.len() >= rest.len() {
                break;
            }
            rest = remaining;
        }
        challenges
    }
}

/// `key=value` and `key="value"` pairs up to the next scheme, and what follows them.
fn parameters(text: &str) -> (Vec<(String, String)>, &str) {
    let mut pairs = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', ',', '\t']);
        let end = rest.find(['=', ' ', ',']).unwrap_or(rest.len());
        if !rest[end..].starts_with('=') {
            return (pairs, rest);
        }
        let key = rest[..end].to_owned();
        let (value, after) = value(&rest[end + 1..]);
        pairs.push((key, value));
        rest = after;
    }
}

fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_in_all_their_forms() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let Challenge::Bearer { realm, service, scope } = Challenge::parse_all(hub).remove(0) else {
            panic!()
        };
        assert_eq!(realm, "https://auth.docker.io/token");
        assert_eq!(service.as_deref(), Some("registry.docker.io"));
        assert_eq!(scope.as_deref(), Some("repository:a/b:pull,push"));
        assert_eq!(Challenge::parse_all("basic realm=x"), [Challenge::Basic]);
        let both =
            Challenge::parse_all(r#"Negotiate abc==, Basic realm="a \"b\"", Bearer realm=https://x/y"#);
        assert_eq!(
            both.last(),
            Some(&Challenge::Bearer { realm: "https://x/y".into(), service: None, scope: None })
        );
        assert!(both.contains(&Challenge::Basic));
        for hostile in
            ["", "=", "Bearer", "Bearer realm", "Bearer realm=\"x", "\"\"\"", ", , ,", "Bearer  =,=,"]
        {
            Challenge::parse_all(hostile);
        }
    }
}
