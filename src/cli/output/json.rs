//! JSON for people and scripts, laid out as podman lays it out.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::error::{Context as _, Error, Result};

/// `value` over several lines, four spaces a level, with a newline at the end.
pub(crate) fn pretty(value: &impl Serialize) -> Result<String> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    value.serialize(&mut serializer).context(|| "write JSON")?;
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(|error| Error::wrap("write JSON", error))
}
