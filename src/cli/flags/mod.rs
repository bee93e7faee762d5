//! Groups of options that several commands share, each with the step from what was typed to what it means.
//!
//! Values stay text until the whole line is parsed: then an error has a cause and a hint like every other.

mod filesystem;
mod identity;
mod image;
mod network;
mod process;
mod resources;
mod security;
pub(crate) mod unsupported;
mod user_namespace;

use std::fs;
use std::path::Path;
use std::str::FromStr;

pub(crate) use filesystem::FilesystemFlags;
pub(crate) use identity::{LifecycleFlags, MetadataFlags};
pub(crate) use image::ImageFlags;
pub(crate) use network::NetworkFlags;
pub(crate) use process::{ProcessFlags, TerminalFlags};
pub(crate) use resources::ResourceFlags;
pub(crate) use security::SecurityFlags;
pub(crate) use user_namespace::UserNamespaceFlags;

use crate::error::{Context as _, Error, Result};

/// The values of a switch that is given one: `--rm=false`. As Go's strconv.ParseBool reads them.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}

/// Parses the value of `flag`, which an error names.
pub(crate) fn parse<T: FromStr<Err = Error>>(flag: &str, text: &str) -> Result<T> {
    text.parse().map_err(|error: Error| {
        // Most errors name their flag already.
        if error.to_string().starts_with("--") { error } else { Error::wrap(flag, error) }
    })
}

/// The same for an option that may be absent.
fn parse_option<T: FromStr<Err = Error>>(flag: &str, text: Option<&str>) -> Result<Option<T>> {
    text.map(|text| parse(flag, text)).transpose()
}

/// The same for an option that may be repeated.
fn parse_list<T: FromStr<Err = Error>>(flag: &str, texts: &[String]) -> Result<Vec<T>> {
    texts.iter().map(|text| parse(flag, text)).collect()
}

/// The file that `flag` names.
fn read(flag: &str, path: &Path) -> Result<String> {
    fs::read_to_string(path).context(|| format!("{flag}: cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::value::{ByteSize, Ulimit};

    #[test]
    fn an_error_names_its_flag_once() {
        let error = parse::<ByteSize>("--shm-size", "x").unwrap_err();
        assert_eq!(error.chain()[0], "--shm-size");
        let error = parse::<Ulimit>("--ulimit", "x").unwrap_err();
        assert_eq!(error.chain().len(), 1, "{error:?}");
    }

    #[test]
    fn switches_take_gos_booleans() {
        assert_eq!(switch("T"), Ok(true));
        assert_eq!(switch("0"), Ok(false));
        assert!(switch("yes").is_err());
    }
}
