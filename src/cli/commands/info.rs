//! `rcon info`.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::{Map, Value};

use crate::cli::{Context, output};
use crate::error::{Context as _, Result};
use crate::ops::info;

/// Show this machine, the store and what rcon makes of them
///
/// Examples:
///   rcon info
///   rcon info --format json
///   rcon info --format '{{.Store.GraphDriverName}}: {{.Store.GraphDriverReason}}'
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

/// Gathers and prints.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    let info = info::info(&cx.session()?)?;
    let value = serde_json::to_value(&info).context(|| "cannot write the information as JSON")?;
    let text = match args.format.as_deref().map(str::trim) {
        None => yaml(&value),
        Some("json") => output::json::pretty(&info)?,
        // In a template these two mean podman's JSON, whose keys are not the names of its fields.
        Some("{{json .}}" | "{{ json . }}") => format!("{value}\n"),
        format => output::object(format, &fields(&value))?,
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// The same document under the names that podman's templates use: those of its Go fields.
fn fields(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.iter().map(|(key, value)| (field(key), fields(value))).collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.iter().map(fields).collect()),
        other => other.clone(),
    }
}

fn field(key: &str) -> String {
    let irregular = match key {
        "cgroupVersion" => "CgroupsVersion",
        "cpus" => "CPUs",
        "idMappings" => "IDMappings",
        "gidmap" => "GIDMap",
        "uidmap" => "UIDMap",
        "container_id" => "ContainerID",
        "host_id" => "HostID",
        "ociRuntime" => "OCIRuntime",
        "os" => "OS",
        "slirp4netns" => "Slirp4NetNS",
        "apparmorEnabled" => "AppArmorEnabled",
        "capabilities" => "DefaultCapabilities",
        "seccompEnabled" => "SECCOMPEnabled",
        "seccompProfilePath" => "SECCOMPProfilePath",
        "selinuxEnabled" => "SELinuxEnabled",
        _ => "",
    };
    if !irregular.is_empty() {
        return irregular.to_owned();
    }
    let mut characters = key.chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

/// `value` as YAML, as podman prints it.
fn yaml(value: &Value) -> String {
    let mut text = String::new();
    write_yaml(value, 0, &mut text);
    text
}

fn write_yaml(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let _ = write!(text, "{indent}{key}:");
                write_yaml_value(value, depth, text);
            }
        }
        Value::Array(values) => {
            for value in values {
                let mut item = String::new();
                match value {
                    Value::Object(_) | Value::Array(_) => write_yaml(value, depth + 1, &mut item),
                    scalar => item = format!("{indent}  {}\n", yaml_scalar(scalar)),
                }
                // The dash takes the place of the first line's indentation.
                let _ = write!(text, "{indent}- {}", item.trim_start());
            }
        }
        scalar => {
            let _ = writeln!(text, "{indent}{}", yaml_scalar(scalar));
        }
    }
}

fn write_yaml_value(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(map) if map.is_empty() => text.push_str(" {}\n"),
        Value::Array(values) if values.is_empty() => text.push_str(" []\n"),
        Value::Object(_) => {
            text.push('\n');
            write_yaml(value, depth + 1, text);
        }
        // As in podman, the dashes of a list stand below the key.
        Value::Array(_) => {
            text.push('\n');
            write_yaml(value, depth, text);
        }
        scalar => {
            let _ = writeln!(text, " {}", yaml_scalar(scalar));
        }
    }
}

/// A scalar; a string that YAML would take for something else is quoted as JSON quotes it, which is YAML.
fn yaml_scalar(value: &Value) -> String {
    let Value::String(text) = value else { return value.to_string() };
    let plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || "/_.".contains(c))
        && text.chars().all(|c| !c.is_control())
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with([':', ' '])
        && text.parse::<f64>().is_err()
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
            .contains(&text.to_lowercase().as_str());
    if plain { text.clone() } else { value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_document_is_yaml_as_podman_prints_it() {
        let value = json!({
            "host": {
                "arch": "amd64", "cgroupControllers": [], "empty": "", "none": null, "on": true,
                "idMappings": {"uidmap": [{"container_id": 0, "size": 1}, {"container_id": 1, "size": 2}]},
                "version": "13", "text": "conmon version 2, commit: unknown", "list": ["k8s-file", "- x"],
            },
            "store": {"graphOptions": {}},
        });
        assert_eq!(
            yaml(&value),
            "host:\n  arch: amd64\n  cgroupControllers: []\n  empty: \"\"\n  idMappings:\n    uidmap:\n    \
             - container_id: 0\n      size: 1\n    - container_id: 1\n      size: 2\n  list:\n  - k8s-file\n  \
             - \"- x\"\n  none: null\n  on: true\n  text: \"conmon version 2, commit: unknown\"\n  \
             version: \"13\"\nstore:\n  graphOptions: {}\n"
        );
    }

    #[test]
    fn templates_use_the_names_of_podmans_fields() {
        for (key, name) in [
            ("graphRoot", "GraphRoot"),
            ("cgroupVersion", "CgroupsVersion"),
            ("ociRuntime", "OCIRuntime"),
            ("seccompEnabled", "SECCOMPEnabled"),
            ("Version", "Version"),
        ] {
            assert_eq!(field(key), name);
        }
        let value = fields(&json!({"host": {"idMappings": {"uidmap": [{"host_id": 5}]}}}));
        assert_eq!(value, json!({"Host": {"IDMappings": {"UIDMap": [{"HostID": 5}]}}}));
    }
}
