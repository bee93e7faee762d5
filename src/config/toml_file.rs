//! Files in TOML: read with errors that name the place, and merged layer by layer.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::config::Env;
use crate::error::{Error, Result};
use crate::sys::atomic;

/// Something that a later file can set anew.
pub(crate) trait Layer {
    /// Takes over what `later` sets.
    fn overlay(&mut self, later: Self);
}

impl<T> Layer for Option<T> {
    fn overlay(&mut self, later: Self) {
        if later.is_some() {
            *self = later;
        }
    }
}

/// Reads a file, `None` where there is none or where it sets nothing.
pub(crate) fn read<T: DeserializeOwned>(file: &Path) -> Result<Option<T>> {
    let Some(bytes) = atomic::read_optional(file)? else { return Ok(None) };
    let wrong = |what: String| Error::invalid(format!("{}: {what}", file.display()));
    let text = String::from_utf8(bytes).map_err(|error| wrong(error.to_string()))?;
    // Distributions ship these files as 30 kB of comments; they are on the path of every command.
    if text.lines().all(sets_nothing) {
        return Ok(None);
    }
    toml::from_str(&text).map(Some).map_err(|error| wrong(place(&text, &error)))
}

fn sets_nothing(line: &str) -> bool {
    let line = line.trim();
    let name = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
    line.is_empty()
        || (line.starts_with('#') && !line.contains(|c: char| c.is_control() && c != '\t'))
        || name.is_some_and(|name| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        })
}

/// One line for what the parser says in several.
fn place(text: &str, error: &toml::de::Error) -> String {
    let Some(span) = error.span() else { return error.message().to_owned() };
    let before = &text.as_bytes()[..span.start.min(text.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    format!("line {line}, column {column}: {}", error.message().trim().replace('\n', ", "))
}

/// The file that an environment variable names. It has to exist, or the setting was in vain.
pub(crate) fn named_by(env: &Env, variable: &str) -> Result<Option<PathBuf>> {
    let Some(file) = env.get_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    match fs::metadata(&file) {
        Ok(_) => Ok(Some(file)),
        Err(error) => Err(Error::wrap(format!("cannot read {variable}={}", file.display()), error)),
    }
}

/// Adds the `*.conf` files of a directory in the order of their names.
pub(crate) fn drop_ins(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        // What a user may not read is not for that user.
        Err(_) => return Ok(()),
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf") && path.is_file())
        .collect();
    found.sort();
    files.append(&mut found);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_set_nothing_are_passed_over() {
        for line in ["", "  # x = 1", "[containers]", " [engine.runtimes] "] {
            assert!(sets_nothing(line), "{line:?}");
        }
        for line in ["x=1", "[containers", "[[registry]]", "[a]]", "]", "\"\"\"", "# \u{0}"] {
            assert!(!sets_nothing(line), "{line:?}");
        }
    }
}
