//! A list of objects as a table, as JSON or through a template: what `ps`, `images` and their like print.

use serde_json::Value;

use super::template::Template;
use super::{json, table};
use crate::error::{Error, Result};

/// Whether a table begins with the names of its columns (`--noheading`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heading {
    /// The default.
    Shown,
    /// `--noheading`, `--quiet`.
    Hidden,
}

/// What a command can list: made once as a `const` beside the command.
///
/// ```ignore
/// const IMAGES: Listing = Listing {
///     fields: &[("Repository", "REPOSITORY"), ("Tag", "TAG"), ("ID", "IMAGE ID"), ("Size", "SIZE")],
///     columns: &["Repository", "Tag", "ID", "Size"],
/// };
/// output::print(&IMAGES.render(args.format.as_deref(), Heading::Shown, &rows, || json!([]))?)
/// ```
pub(crate) struct Listing {
    /// Every field that `--format` may name, with its heading. Rows are JSON objects with these keys.
    pub(crate) fields: &'static [(&'static str, &'static str)],
    /// The fields of the default table, in order.
    pub(crate) columns: &'static [&'static str],
}

impl Listing {
    /// The whole output for `--format FORMAT`, ending in a newline unless it is empty.
    ///
    /// `format`: none or `table` is the default table, `json` prints what `json` makes (podman's JSON has other
    /// keys than its templates), `table {{.A}}\t{{.B}}` a table with headings, all else a template for each row.
    /// `{{json .}}` alone prints the elements of `json`, one a line.
    pub(crate) fn render(
        &self,
        format: Option<&str>,
        heading: Heading,
        rows: &[Value],
        json: impl FnOnce() -> Value,
    ) -> Result<String> {
        let format = format.unwrap_or("table");
        let squeezed: String = format.split_whitespace().collect();
        match squeezed.as_str() {
            "table" => Ok(self.default_table(heading, rows)),
            "json" => json::pretty(&json()),
            "{{json.}}" => Ok(lines_of(&json())),
            _ => match format.strip_prefix("table ") {
                Some(columns) => self.table(&cells(columns), heading, rows),
                None => self.lines(format, rows),
            },
        }
    }

    fn default_table(&self, heading: Heading, rows: &[Value]) -> String {
        let mut lines = String::new();
        if heading == Heading::Shown {
            let names = self.columns.iter().map(|column| self.heading(column).to_owned());
            push_line(&mut lines, names);
        }
        for row in rows {
            push_line(&mut lines, self.columns.iter().map(|column| cell(&row[*column])));
        }
        table::align(&lines)
    }

    fn heading(&self, field: &str) -> &'static str {
        self.fields.iter().find(|(name, _)| *name == field).map_or("", |(_, heading)| heading)
    }

    fn table(&self, template: &str, heading: Heading, rows: &[Value]) -> Result<String> {
        let template = Template::parse(template)?;
        self.check(&template)?;
        let mut lines = String::new();
        if heading == Heading::Shown {
            lines.push_str(&template.render(&self.headings())?);
            end_line(&mut lines);
        }
        for row in rows {
            lines.push_str(&template.render(row)?);
            end_line(&mut lines);
        }
        Ok(table::align(&lines))
    }

    fn lines(&self, template: &str, rows: &[Value]) -> Result<String> {
        let start: String = template.split_whitespace().collect();
        let template = Template::parse(template)?;
        // A template with a loop of its own is given all rows at once.
        if start.starts_with("{{range.}}") {
            let mut text = template.render(&Value::Array(rows.to_vec()))?;
            end_line(&mut text);
            return Ok(text);
        }
        self.check(&template)?;
        let mut lines = String::new();
        for row in rows {
            lines.push_str(&template.render(row)?);
            end_line(&mut lines);
        }
        Ok(lines)
    }

    /// The row of headings: what a table prints first.
    fn headings(&self) -> Value {
        self.fields.iter().map(|(field, heading)| ((*field).to_owned(), Value::from(*heading))).collect()
    }

    /// Fails for a field that no row has, also where there are no rows.
    fn check(&self, template: &Template) -> Result<()> {
        match template.render(&self.headings()) {
            Err(error) if error.to_string().contains("can't evaluate field") => Err(error),
            // Headings are text, and a template may well be about lists and numbers.
            _ => Ok(()),
        }
    }
}

/// `table` templates are split into columns by white space outside of the actions.
fn cells(template: &str) -> String {
    let mut cells = String::with_capacity(template.len());
    let mut rest = template.trim();
    while let Some(start) = rest.find("{{") {
        let (between, action) = rest.split_at(start);
        cells.push_str(&between.replace(' ', "\t"));
        let end = action.find("}}").map_or(action.len(), |end| end + 2);
        cells.push_str(&action[..end]);
        rest = &action[end..];
    }
    cells.push_str(&rest.replace(' ', "\t"));
    cells
}

/// One cell of the default table. Text from an image must not steer the terminal.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    };
    if text.contains(char::is_control) {
        text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.into() }).collect()
    } else {
        text
    }
}

fn push_line(lines: &mut String, cells: impl Iterator<Item = String>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            lines.push('\t');
        }
        lines.push_str(&cell);
    }
    lines.push('\n');
}

fn end_line(text: &mut String) {
    if !text.ends_with('\n') && !text.is_empty() {
        text.push('\n');
    }
}

fn lines_of(json: &Value) -> String {
    json.as_array().into_iter().flatten().map(|element| format!("{element}\n")).collect()
}

/// The fields of `--sort`, refused with a list of them: every command words it alike.
pub(crate) fn sort_key<'a>(asked: &str, known: &[&'a str]) -> Result<&'a str> {
    known.iter().find(|key| **key == asked).copied().ok_or_else(|| {
        Error::usage(format!("{asked:?} is nothing to sort by"))
            .hint(format!("--sort takes {}", known.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PS: Listing = Listing {
        fields: &[
            ("ID", "CONTAINER ID"),
            ("Image", "IMAGE"),
            ("Command", "COMMAND"),
            ("Names", "NAMES"),
            ("Labels", "LABELS"),
        ],
        columns: &["ID", "Image", "Command", "Names"],
    };

    fn rows() -> Vec<Value> {
        let image = "docker.io/library/alpine:latest";
        vec![
            json!({"ID": "1ae3b7884b7f", "Image": image, "Command": "sleep 1000", "Names": "c1", "Labels": {"a": "b"}}),
            json!({"ID": "a75225803930", "Image": "x", "Command": "evil \u{1b}[2J\n", "Names": "c3", "Labels": {}}),
        ]
    }

    fn render(format: &str) -> String {
        PS.render(Some(format), Heading::Shown, &rows(), || json!([{"Id": "1ae3"}, {"Id": "a752"}])).unwrap()
    }

    #[test]
    fn the_default_table() {
        let expected = "\
CONTAINER ID  IMAGE                            COMMAND           NAMES
1ae3b7884b7f  docker.io/library/alpine:latest  sleep 1000        c1
a75225803930  x                                evil \\u{1b}[2J\\n  c3
";
        assert_eq!(render("table"), expected);
        assert_eq!(PS.render(None, Heading::Shown, &rows(), || Value::Null).unwrap(), expected);
        let headless = PS.render(None, Heading::Hidden, &rows()[..1], || Value::Null).unwrap();
        assert_eq!(headless, "1ae3b7884b7f  docker.io/library/alpine:latest  sleep 1000  c1\n");
        assert_eq!(PS.render(None, Heading::Hidden, &[], || Value::Null).unwrap(), "");
    }

    #[test]
    fn a_table_of_ones_own_columns() {
        let expected = "CONTAINER ID  NAMES\n1ae3b7884b7f  c1\na75225803930  c3\n";
        assert_eq!(render("table {{.ID}}\\t{{.Names}}"), expected);
        assert_eq!(render("table {{.ID}} {{.Names}}"), expected);
        let upper = "CONTAINER ID  NAMES\n1ae3b7884b7f  C1\na75225803930  C3\n";
        assert_eq!(render("table {{ .ID }}\t{{.Names | upper}}"), upper);
        let labels = "NAMES       LABELS\nc1          b\nc3          \n";
        assert_eq!(render("table {{.Names}}\\t{{.Label \"a\"}}"), labels);
        let none = PS.render(Some("table {{.ID}}"), Heading::Shown, &[], || Value::Null).unwrap();
        assert_eq!(none, "CONTAINER ID\n");
    }

    #[test]
    fn lines_and_json() {
        assert_eq!(render("{{.ID}}\\t{{.Names}}"), "1ae3b7884b7f\tc1\na75225803930\tc3\n");
        assert_eq!(render("{{.ID}}x\\n"), "1ae3b7884b7fx\na75225803930x\n");
        assert_eq!(render("{{json .}}"), "{\"Id\":\"1ae3\"}\n{\"Id\":\"a752\"}\n");
        assert_eq!(render("{{range .}}{{.Names}},{{end}}"), "c1,c3,\n");
        assert_eq!(
            render("json"),
            "[\n    {\n        \"Id\": \"1ae3\"\n    },\n    {\n        \"Id\": \"a752\"\n    }\n]\n"
        );
    }

    #[test]
    fn an_unknown_field_fails_with_and_without_rows() {
        for rows in [rows(), Vec::new()] {
            for format in ["{{.Nope}}", "table {{.ID}}\\t{{.Nope}}"] {
                let error = PS.render(Some(format), Heading::Shown, &rows, || Value::Null).unwrap_err();
                assert!(error.to_string().ends_with("can't evaluate field Nope"), "{error}");
                assert_eq!(error.hints(), ["there is Command, ID, Image, Labels, Names"]);
            }
        }
    }
}
