//! The functions that docker and podman add to Go's templates.

use gtmpl_ng::{Func, FuncError, Value};

use super::template::from_go;

/// Name and implementation of each.
pub(super) const ALL: &[(&str, Func)] = &[
    ("json", json),
    ("join", join),
    ("split", split),
    ("lower", lower),
    ("upper", upper),
    ("title", title),
    ("pad", pad),
    ("truncate", truncate),
    ("label", label),
];

type Outcome = Result<Value, FuncError>;

fn wrong(function: &str, takes: &str) -> FuncError {
    FuncError::Generic(format!("{function} takes {takes}"))
}

/// What a template prints for the value: numbers may stand where text is asked for.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn json(arguments: &[Value]) -> Outcome {
    match arguments {
        [value] => Ok(from_go(value).to_string().into()),
        _ => Err(wrong("json", "one value")),
    }
}

/// A text counts as a list of one: `Command` is a list in one command's rows and text in another's.
fn join(arguments: &[Value]) -> Outcome {
    match arguments {
        [Value::Array(items), Value::String(separator)] => {
            Ok(items.iter().map(text).collect::<Vec<_>>().join(separator).into())
        }
        [Value::String(only), Value::String(_)] => Ok(only.as_str().into()),
        [Value::Nil | Value::NoValue, Value::String(_)] => Ok("".into()),
        _ => Err(wrong("join", "a list and a separator")),
    }
}

fn split(arguments: &[Value]) -> Outcome {
    match arguments {
        [whole, Value::String(separator)] => {
            Ok(text(whole).split(separator.as_str()).map(str::to_owned).collect::<Vec<_>>().into())
        }
        _ => Err(wrong("split", "a text and a separator")),
    }
}

fn lower(arguments: &[Value]) -> Outcome {
    match arguments {
        [value] => Ok(text(value).to_lowercase().into()),
        _ => Err(wrong("lower", "one text")),
    }
}

fn upper(arguments: &[Value]) -> Outcome {
    match arguments {
        [value] => Ok(text(value).to_uppercase().into()),
        _ => Err(wrong("upper", "one text")),
    }
}

/// The first letter of each word in upper case.
fn title(arguments: &[Value]) -> Outcome {
    let [value] = arguments else {
        return Err(wrong("title", "one text"));
    };
    let mut titled = String::new();
    let mut in_word = false;
    for letter in text(value).chars() {
        if in_word {
            titled.push(letter);
        } else {
            titled.extend(letter.to_uppercase());
        }
        in_word = letter.is_alphanumeric() || letter == '_' || letter == '\'';
    }
    Ok(titled.into())
}

fn count(value: &Value) -> Option<usize> {
    match value {
        Value::Number(number) => usize::try_from(number.as_u64()?).ok(),
        _ => None,
    }
}

/// `pad TEXT BEFORE AFTER`: an empty text stays empty.
fn pad(arguments: &[Value]) -> Outcome {
    const MOST: usize = 4096;
    let [value, before, after] = arguments else {
        return Err(wrong("pad", "a text and two numbers"));
    };
    let (Some(before), Some(after)) = (count(before), count(after)) else {
        return Err(wrong("pad", "a text and two numbers"));
    };
    let text = text(value);
    if text.is_empty() {
        return Ok(text.into());
    }
    Ok(format!("{}{text}{}", " ".repeat(before.min(MOST)), " ".repeat(after.min(MOST))).into())
}

fn truncate(arguments: &[Value]) -> Outcome {
    match arguments {
        [value, length] => {
            let length = count(length).ok_or_else(|| wrong("truncate", "a text and a number"))?;
            Ok(text(value).chars().take(length).collect::<String>().into())
        }
        _ => Err(wrong("truncate", "a text and a number")),
    }
}

/// `label .Labels "name"`: nothing where there is no such label, for `.Label "name"`.
fn label(arguments: &[Value]) -> Outcome {
    match arguments {
        [Value::Map(labels) | Value::Object(labels), Value::String(name)] => {
            Ok(labels.get(name).cloned().unwrap_or_else(|| "".into()))
        }
        // The heading of a table is rendered from the names of the columns.
        [Value::String(heading), Value::String(_)] => Ok(heading.as_str().into()),
        [Value::Nil | Value::NoValue, Value::String(_)] => Ok("".into()),
        _ => Err(wrong(".Label", "a label's name")),
    }
}
