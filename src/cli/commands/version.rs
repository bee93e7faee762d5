//! `rcon version`.

use std::process::ExitCode;

use serde_json::json;

use crate::cli::{Context, output};
use crate::error::{Context as _, Result};
use crate::ops::version;

/// Show the version of rcon
///
/// Examples:
///   rcon version
///   rcon version --format '{{.Client.Version}}'
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

/// Prints it.
pub(crate) fn run(_: &Context, args: Args) -> Result<ExitCode> {
    let version = version::version();
    let text = match args.format.as_deref() {
        None => format!(
            "{:<15}rcon\n{:<15}{}\n{:<15}{}\n{:<15}{}\n",
            "Client:",
            "Version:",
            version.version,
            "API Version:",
            version.api_version,
            "OS/Arch:",
            version.os_arch
        ),
        format => {
            let client = serde_json::to_value(&version).context(|| "cannot write the version as JSON")?;
            output::object(format, &json!({ "Client": client }))?
        }
    };
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
