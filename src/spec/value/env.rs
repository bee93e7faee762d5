//! `--env` and `--env-file`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A variable with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvVar {
    /// Never empty, without `=`.
    pub name: String,
    /// Possibly empty; without NUL.
    pub value: String,
}

/// What `--env` and a line of an env file say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvArgument {
    /// `NAME=VALUE`
    Set(EnvVar),
    /// `NAME`: the caller's value, if it has one.
    FromCaller(String),
    /// `PRE*`: every variable of the caller whose name begins so.
    FromCallerPrefix(String),
}

impl FromStr for EnvArgument {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why| Error::usage(format!("environment variable {text:?}: {why}"));
        if text.contains('\0') {
            return Err(wrong("contains a NUL byte"));
        }
        match text.split_once('=') {
            Some(("", _)) => Err(wrong("has no name")),
            Some((name, value)) => Ok(Self::Set(EnvVar { name: name.to_owned(), value: value.to_owned() })),
            None if text.is_empty() => Err(wrong("has no name")),
            None => Ok(match text.strip_suffix('*') {
                Some(prefix) => Self::FromCallerPrefix(prefix.to_owned()),
                None => Self::FromCaller(text.to_owned()),
            }),
        }
    }
}

impl EnvArgument {
    /// The variables it stands for, given the caller's environment.
    pub fn resolve<'a>(self, caller: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<EnvVar> {
        let wanted: Box<dyn Fn(&str) -> bool> = match self {
            Self::Set(variable) => return vec![variable],
            Self::FromCaller(name) => Box::new(move |other| other == name),
            Self::FromCallerPrefix(prefix) => Box::new(move |other| other.starts_with(&prefix)),
        };
        caller
            .filter(|(name, _)| wanted(name))
            .map(|(name, value)| EnvVar { name: name.to_owned(), value: value.to_owned() })
            .collect()
    }
}

/// The lines of an env file: blank lines and lines that begin with `#` count for nothing; spaces before a name
/// are dropped; values are taken as they are, quotes included. `file` is named in errors.
pub fn parse_env_file(file: &str, text: &str) -> Result<Vec<EnvArgument>> {
    let mut arguments = Vec::new();
    for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let name = line.split_once('=').map_or(line, |(name, _)| name);
        if name.trim_end_matches('*').contains(char::is_whitespace) {
            return Err(Error::usage(format!("{file}:{number}: variable name {name:?} contains a space")));
        }
        arguments.push(line.parse().map_err(|error| Error::wrap(format!("{file}:{number}"), error))?);
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(text: &str) -> Vec<String> {
        let caller = [("HOME", "/root"), ("LC_ALL", "C"), ("LC_TIME", "de")];
        let argument: EnvArgument = text.parse().unwrap();
        let variables = argument.resolve(caller.into_iter());
        variables.into_iter().map(|variable| format!("{}={}", variable.name, variable.value)).collect()
    }

    #[test]
    fn a_value_a_name_or_a_prefix() {
        assert_eq!(resolve("A=b=c"), ["A=b=c"]);
        assert_eq!(resolve("A="), ["A="]);
        assert_eq!(resolve("A*=x"), ["A*=x"]);
        assert_eq!(resolve("HOME"), ["HOME=/root"]);
        assert_eq!(resolve("NONE"), [""; 0]);
        assert_eq!(resolve("LC_*"), ["LC_ALL=C", "LC_TIME=de"]);
        assert_eq!(resolve("*").len(), 3);
        for bad in ["", "=x", "A=\0"] {
            assert!(bad.parse::<EnvArgument>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_env_file_has_comments_names_and_values() {
        let text = "\u{feff}# comment\n\n  A=1 # no comment\nB=\"q\"\r\nHOME\nLC_*\n";
        let arguments = parse_env_file("f", text).unwrap();
        let set =
            |name: &str, value: &str| EnvArgument::Set(EnvVar { name: name.into(), value: value.into() });
        assert_eq!(
            arguments,
            [
                set("A", "1 # no comment"),
                set("B", "\"q\""),
                EnvArgument::FromCaller("HOME".into()),
                EnvArgument::FromCallerPrefix("LC_".into())
            ]
        );
        let error = parse_env_file("f", "A=1\nB C=2").unwrap_err();
        assert!(error.to_string().starts_with("f:2"), "{error}");
        assert!(parse_env_file("f", "=2").is_err());
    }
}
