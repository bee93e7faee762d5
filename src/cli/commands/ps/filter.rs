//! `--filter KEY=VALUE`: filters of one key are alternatives (labels: all of them), those of several keys all hold.

use jiff::Timestamp;

use super::row::Row;
use crate::cli::output::units;
use crate::container::Phase;
use crate::error::{Error, Result};

/// What `--filter` understands.
const KEYS: &str = "ancestor, before, exited, id, label, label!, name, since, status, until, volume";

/// One condition.
#[derive(Clone, Debug, PartialEq)]
enum Condition {
    Id(String),
    Name(Pattern),
    Label(String, Option<String>),
    NoLabel(String, Option<String>),
    Status(Phase),
    Exited(i32),
    Ancestor(String),
    Volume(String),
    Before(Timestamp),
    Since(Timestamp),
    /// A state that no container of ours is ever in.
    Never,
}

/// All of a command line's filters.
#[derive(Clone, Debug, Default)]
pub(super) struct Filters(Vec<(String, Condition)>);

impl Filters {
    /// Reads the values of `--filter`. Containers that `before` and `since` name are looked for among `rows`.
    pub(super) fn parse(texts: &[String], rows: &[Row], now: Timestamp) -> Result<Self> {
        texts.iter().map(|text| parse(text, rows, now)).collect::<Result<_>>().map(Self)
    }

    /// Whether a state is asked for: then stopped containers are shown without `--all` too.
    pub(super) fn ask_for_state(&self) -> bool {
        self.0.iter().any(|(key, _)| matches!(key.as_str(), "status" | "exited"))
    }

    /// Whether `row` is to be shown.
    pub(super) fn accept(&self, row: &Row) -> bool {
        self.0.iter().all(|(key, condition)| {
            let holds = condition.holds(row);
            let is_all_of = key.starts_with("label");
            holds || (!is_all_of && self.0.iter().any(|(other, also)| other == key && also.holds(row)))
        })
    }
}

fn parse(text: &str, rows: &[Row], now: Timestamp) -> Result<(String, Condition)> {
    let (key, value) = match text.split_once("!=") {
        Some(("label", value)) => ("label!", value),
        _ => text.split_once('=').ok_or_else(|| {
            Error::usage(format!("the filter {text:?} has no value"))
                .hint("--filter KEY=VALUE, such as status=running")
        })?,
    };
    let label = || match value.split_once('=') {
        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
        None => (value.to_owned(), None),
    };
    let created = |value: &str| {
        let meant = |row: &&Row| row.name == value || (!value.is_empty() && row.id.starts_with(value));
        rows.iter().find(meant).map(|row| row.created).ok_or_else(|| {
            Error::not_found(format!("no container with name or ID {value:?} found: no such container"))
        })
    };
    let condition = match key {
        "id" => Condition::Id(value.trim_start_matches('^').to_owned()),
        "name" => Condition::Name(Pattern::parse(value)?),
        "label" => {
            let (name, value) = label();
            Condition::Label(name, value)
        }
        "label!" => {
            let (name, value) = label();
            Condition::NoLabel(name, value)
        }
        "status" => status(value)?,
        "exited" => Condition::Exited(
            value.parse().map_err(|_| Error::usage(format!("the filter {text:?} takes an exit code")))?,
        ),
        "ancestor" => Condition::Ancestor(value.to_owned()),
        "volume" => Condition::Volume(value.to_owned()),
        "before" => Condition::Before(created(value)?),
        "since" => Condition::Since(created(value)?),
        "until" => Condition::Before(units::parse_time(value, now)?),
        _ => {
            return Err(
                Error::usage(format!("{key} is an invalid filter")).hint(format!("--filter takes {KEYS}"))
            );
        }
    };
    Ok((key.to_owned(), condition))
}

fn status(value: &str) -> Result<Condition> {
    Ok(match value {
        "created" => Condition::Status(Phase::Created),
        "running" => Condition::Status(Phase::Running),
        "exited" | "stopped" => Condition::Status(Phase::Exited),
        "initialized" | "paused" | "removing" | "stopping" | "unknown" => Condition::Never,
        _ => return Err(Error::usage(format!("unknown container state: {value}"))),
    })
}

impl Condition {
    fn holds(&self, row: &Row) -> bool {
        let labelled = |name: &String, value: &Option<String>| {
            row.labels.get(name).is_some_and(|is| value.as_ref().is_none_or(|value| is == value))
        };
        match self {
            Self::Id(start) => row.id.starts_with(start.as_str()),
            Self::Name(pattern) => pattern.matches(&row.name),
            Self::Label(name, value) => labelled(name, value),
            Self::NoLabel(name, value) => !labelled(name, value),
            Self::Status(phase) => row.phase == *phase,
            Self::Exited(code) => row.phase == Phase::Exited && row.exit_code == *code,
            Self::Ancestor(image) => is_image(row, image),
            Self::Volume(volume) => row.mounts.iter().any(|(path, name)| path == volume || name == volume),
            Self::Before(time) => row.created < *time,
            Self::Since(time) => row.created > *time,
            Self::Never => false,
        }
    }
}

/// An id or its beginning, or a name with any of what comes before its last part and the tag left out.
fn is_image(row: &Row, asked: &str) -> bool {
    let hex = asked.strip_prefix("sha256:").unwrap_or(asked);
    if !hex.is_empty() && row.image_id.starts_with(hex) {
        return true;
    }
    let untagged = row
        .image
        .rsplit_once(':')
        .map_or(row.image.as_str(), |(name, tag)| if tag.contains('/') { row.image.as_str() } else { name });
    [row.image.as_str(), untagged]
        .iter()
        .any(|name| *name == asked || name.strip_suffix(asked).is_some_and(|before| before.ends_with('/')))
}

/// A part of a name, which `^` and `$` tie to its ends: as much of a regular expression as names need.
#[derive(Clone, Debug, PartialEq)]
struct Pattern {
    text: String,
    at_start: bool,
    at_end: bool,
}

impl Pattern {
    fn parse(text: &str) -> Result<Self> {
        let (at_start, rest) = text.strip_prefix('^').map_or((false, text), |rest| (true, rest));
        let (at_end, rest) = rest.strip_suffix('$').map_or((false, rest), |rest| (true, rest));
        // A dot stands for itself too, which is what is meant by whoever types one in a name.
        if rest.contains(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.' | '-')) {
            return Err(Error::unsupported(format!(
                "{text:?} is more of a regular expression than the filter name takes"
            ))
            .hint("a part of a name, with ^ before it and $ after it where it begins or ends there"));
        }
        Ok(Self { text: rest.to_owned(), at_start, at_end })
    }

    fn matches(&self, name: &str) -> bool {
        match (self.at_start, self.at_end) {
            (true, true) => name == self.text,
            (true, false) => name.starts_with(&self.text),
            (false, true) => name.ends_with(&self.text),
            (false, false) => name.contains(&self.text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::commands::ps::row::tests::{now, rows};

    fn names(filters: &[&str]) -> Vec<String> {
        let texts: Vec<_> = filters.iter().map(|text| (*text).to_owned()).collect();
        let rows = rows();
        let filters = Filters::parse(&texts, &rows, now()).unwrap();
        rows.into_iter().filter(|row| filters.accept(row)).map(|row| row.name).collect()
    }

    #[test]
    fn each_filter() {
        for (filter, expected) in [
            ("id=1ae3", &["c1"][..]),
            ("name=c", &["c1", "c2", "c3"]),
            ("name=^c2$", &["c2"]),
            ("name=2", &["c2"]),
            ("name=^2", &[]),
            ("label=a", &["c1"]),
            ("label=a=b", &["c1"]),
            ("label=a=c", &[]),
            ("label!=a", &["c2", "c3"]),
            ("status=running", &["c1"]),
            ("status=exited", &["c2"]),
            ("status=paused", &[]),
            ("exited=3", &["c2"]),
            ("exited=0", &[]),
            ("ancestor=alpine", &["c1", "c2"]),
            ("ancestor=busybox:latest", &["c3"]),
            ("ancestor=docker.io/library/busybox", &["c3"]),
            ("ancestor=box", &[]),
            ("volume=vol1", &["c1"]),
            ("volume=/data", &["c1"]),
            ("before=c3", &["c1", "c2"]),
            ("since=c1", &["c3"]),
            ("until=1h", &[]),
            ("until=2026-11-23T15:56:36Z", &["c1", "c2"]),
        ] {
            assert_eq!(names(&[filter]), expected, "{filter}");
        }
    }

    #[test]
    fn one_key_is_or_and_several_are_and() {
        assert_eq!(names(&["name=c1", "name=c3"]), ["c1", "c3"]);
        assert_eq!(names(&["name=c1", "name=c3", "status=created"]), ["c3"]);
        assert_eq!(names(&["label=a", "label=q"]), ["c1"]);
        assert!(names(&["label=a", "label=none"]).is_empty());
    }

    #[test]
    fn wrong_filters_are_refused() {
        for wrong in [
            "nope=1",
            "name",
            "status=zzz",
            "exited=x",
            "until=never",
            "before=nobody",
            "name=a*",
            "name=(x|y)",
        ] {
            assert!(Filters::parse(&[wrong.to_owned()], &rows(), now()).is_err(), "{wrong}");
        }
    }
}
