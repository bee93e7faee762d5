//! `rcon generate-docs DIR`, hidden: writes what the repository keeps under `completions/` and `man/`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::{Context, docs};
use crate::error::{Context as _, Result};

/// Write completion scripts and manual pages below a directory
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where `completions/` and `man/` go
    dir: PathBuf,
}

/// Writes them.
pub(crate) fn run(_: &Context, args: Args) -> Result<ExitCode> {
    for (path, content) in docs::generate() {
        let path = args.dir.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).context(|| format!("create {}", parent.display()))?;
        }
        fs::write(&path, content).context(|| format!("write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}
