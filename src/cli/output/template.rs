//! Go templates (`--format`), with the functions that docker and podman add to the language.
//!
//! The objects of the commands are Go structs in podman and JSON here. What tells a struct from a map matters to
//! whoever mistypes a field: a struct without the field is an error, a map without the key is `<no value>`.
//! See [`to_go`] for how the two are told apart.

use std::collections::HashMap;

use gtmpl_ng::{Context, ExecError, NumberKind, Value as Go};
use serde_json::Value;

use super::functions;
use crate::error::{Error, Result};

/// A parsed template, to be rendered once for each object.
pub(crate) struct Template {
    parsed: gtmpl_ng::Template,
    /// What was parsed: errors point into it.
    text: String,
}

impl Template {
    /// Parses `text`; `\t` and `\n` written as two characters mean tab and newline, as in docker.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = with_label_method(&text.replace("\\t", "\t").replace("\\n", "\n"));
        let mut parsed = gtmpl_ng::Template::default();
        parsed.add_funcs(functions::ALL);
        parsed.parse(text.as_str()).map_err(|error| {
            Error::usage(format!("template: {}", error.to_string().trim_start_matches("template: ")))
                .hint("--format takes a Go template, such as '{{.ID}}'")
        })?;
        Ok(Self { parsed, text })
    }

    /// The text for one object. A field that the object lacks is an error which lists those it has.
    pub(crate) fn render(&self, object: &Value) -> Result<String> {
        let root = match to_go(object) {
            Go::Map(fields) => Go::Object(fields),
            other => other,
        };
        self.parsed.render(&Context::from(root)).map_err(|error| self.explain(&error, object))
    }

    fn explain(&self, error: &ExecError, object: &Value) -> Error {
        let ExecError::Structured(at) = error else {
            return Error::usage(format!("template: {error}"));
        };
        let (line, column) = (at.context.line, at.context.col);
        let construct = self
            .text
            .lines()
            .nth(line.saturating_sub(1))
            .and_then(|text| text.get(column.saturating_sub(1)..column.saturating_sub(1) + at.context.len))
            .unwrap_or_default();
        let at_construct = format!("template: {line}:{column}: at <{construct}>");
        // The library's message for a missing field carries the whole object.
        let Some(field) = at.message.split("no field `").nth(1).and_then(|rest| rest.split('`').next())
        else {
            let message = at.message.rsplit(": ").next().unwrap_or(&at.message);
            return Error::usage(format!("{at_construct}: {message}"));
        };
        let error = Error::usage(format!("{at_construct}: can't evaluate field {field}"));
        match fields_beside(object, construct, field) {
            Some(names) => error.hint(format!("there is {}", names.join(", "))),
            None => error,
        }
    }
}

/// The names of the fields of the object in which `chain` (`.State.Nope`) looked for `missing`.
fn fields_beside<'a>(object: &'a Value, chain: &str, missing: &str) -> Option<Vec<&'a str>> {
    let mut object = object;
    for name in chain.trim_start_matches(['$', '.']).split('.') {
        if name == missing {
            return Some(object.as_object()?.keys().map(String::as_str).collect());
        }
        object = object.get(name)?;
    }
    None
}

/// Docker's rows have a method `Label`; a template's values have none here. `.Label "x"` becomes `label .Labels "x"`.
fn with_label_method(text: &str) -> String {
    text.replace(".Label \"", "label .Labels \"")
}

/// A JSON value as a template sees it. An object counts as a struct if its keys are a struct's field names.
pub(super) fn to_go(value: &Value) -> Go {
    match value {
        Value::Null => Go::Nil,
        Value::Bool(flag) => Go::Bool(*flag),
        Value::String(text) => Go::String(text.clone()),
        Value::Array(items) => Go::Array(items.iter().map(to_go).collect()),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(unsigned), ..) => Go::from(unsigned),
            (_, Some(signed), _) => Go::from(signed),
            (.., float) => Go::from(float.unwrap_or_default()),
        },
        Value::Object(fields) => {
            let is_struct = !fields.is_empty() && fields.keys().all(|key| is_field_name(key));
            let fields: HashMap<_, _> =
                fields.iter().map(|(key, value)| (key.clone(), to_go(value))).collect();
            if is_struct { Go::Object(fields) } else { Go::Map(fields) }
        }
    }
}

/// `StartedAt` is a field's name; `PATH` may well be a variable's and `maintainer` a label's.
fn is_field_name(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_uppercase())
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && (key.bytes().any(|byte| byte.is_ascii_lowercase()) || matches!(key, "ID" | "OS"))
}

/// A template's value as JSON again, for the function `json`.
pub(super) fn from_go(value: &Go) -> Value {
    match value {
        Go::NoValue | Go::Nil | Go::Function(_) => Value::Null,
        Go::Bool(flag) => Value::Bool(*flag),
        Go::String(text) => Value::String(text.clone()),
        Go::Array(items) => items.iter().map(from_go).collect(),
        Go::Object(fields) | Go::Map(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), from_go(value))).collect()
        }
        Go::Number(number) => match number.kind() {
            NumberKind::Unsigned(number) => number.into(),
            NumberKind::Signed(number) => number.into(),
            NumberKind::Float(number) => number.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn container() -> Value {
        json!({
            "ID": "1ae3b7884b7f", "Name": "c1", "Created": 1_795_449_395, "Pid": 879,
            "Args": ["1000", "x y"], "Mounts": [],
            "State": {"Status": "running", "Running": true, "ExitCode": 0},
            "Labels": {"a": "b", "q": "x<y&z", "com.example.x": "dotted"},
            "Config": {"Env": ["PATH=/bin", "FOO=bar"], "Labels": {"a": "b"}},
        })
    }

    fn render(text: &str) -> String {
        Template::parse(text).unwrap().render(&container()).unwrap()
    }

    /// Each of these was printed by podman 5.4 for a container like this one.
    #[test]
    fn templates_render_as_in_podman() {
        for (template, text) in [
            ("{{.ID}}\\t{{.Name}}", "1ae3b7884b7f\tc1"),
            ("{{.State.Status}} {{.Pid}} {{.State.Running}}", "running 879 true"),
            ("{{json .Labels}}", r#"{"a":"b","com.example.x":"dotted","q":"x<y&z"}"#),
            ("{{.Config.Labels}}", "map[a:b]"),
            (r#"{{index .Labels "com.example.x"}}"#, "dotted"),
            (r#"{{.Label "a"}}|{{.Label "none"}}|"#, "b||"),
            ("{{.Labels.none}}", "<no value>"),
            ("{{.Config.Env}}", "[PATH=/bin FOO=bar]"),
            ("{{json .Config.Env}}", r#"["PATH=/bin","FOO=bar"]"#),
            ("{{range .Args}}<{{.}}>{{else}}none{{end}}", "<1000><x y>"),
            ("{{range .Mounts}}<{{.}}>{{else}}none{{end}}", "none"),
            ("{{range $k, $v := .Config.Labels}}{{$k}}={{$v}};{{end}}", "a=b;"),
            ("{{len .Args}}", "2"),
            ("{{if .State.Running}}up{{end}}", "up"),
            (r#"{{if eq .State.Status "running" "paused"}}up{{end}}"#, "up"),
            (r#"{{join .Args ", "}}"#, "1000, x y"),
            ("{{upper .Name}}{{.Name | title}}{{lower \"X\"}}", "C1C1x"),
            (r#"{{range split "a,b" ","}}{{.}};{{end}}"#, "a;b;"),
            ("{{truncate .ID 4}}|{{truncate .Name 4}}", "1ae3|c1"),
            ("{{pad .Name 1 2}}|", " c1  |"),
            ("{{slice .ID 0 3}}", "1ae"),
            (r#"{{printf "%-4s|%q|%d" .Name .Name .Pid}}"#, "c1  |\"c1\"|879"),
            ("{{println .Name}}", "c1\n"),
        ] {
            assert_eq!(render(template), text, "{template}");
        }
    }

    #[test]
    fn an_unknown_field_is_named_with_those_that_there_are() {
        let failure = |text| Template::parse(text).unwrap().render(&container()).unwrap_err();
        let error = failure("{{.Nope}}");
        assert_eq!(error.to_string(), "template: 1:3: at <.Nope>: can't evaluate field Nope");
        assert_eq!(error.hints(), ["there is Args, Config, Created, ID, Labels, Mounts, Name, Pid, State"]);
        let error = failure("x {{.State.Nope}}");
        assert!(error.to_string().ends_with("at <.State.Nope>: can't evaluate field Nope"), "{error}");
        assert_eq!(error.hints(), ["there is ExitCode, Running, Status"]);
        assert!(!failure("{{.ID.Nope}}").to_string().is_empty());
        assert!(!failure("{{range .Args}}{{$.Nope}}{{end}}").to_string().contains("running"));
    }

    #[test]
    fn a_malformed_template_is_a_usage_error() {
        for text in ["{{.ID", "{{nope .ID}}", "{{if}}", "{{end}}"] {
            let error = Template::parse(text).err().unwrap_or_else(|| panic!("{text} was parsed"));
            assert!(error.to_string().starts_with("template: "), "{error}");
        }
    }

    #[test]
    fn json_round_trips_through_a_template() {
        let value = json!({"U": u64::MAX, "I": -5, "F": 1.5, "N": null, "A": [true, "x"], "M": {"k": {}}});
        assert_eq!(from_go(&to_go(&value)), value);
    }
}
