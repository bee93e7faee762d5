//! What every command is given: the environment as it was at the start, and the global options.

use std::io::Write as _;

use crate::config::Env;
use crate::error::Result;
use crate::ops::{self, Session};

/// The surroundings of one invocation.
pub(crate) struct Context {
    /// The environment, read once.
    pub(crate) env: Env,
    /// The options before the subcommand that the layers below act on.
    pub(crate) globals: ops::Globals,
    /// What is worth a line on standard error.
    pub(crate) log_level: LogLevel,
}

/// `--log-level`: the least grave message that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum LogLevel {
    /// Everything.
    #[value(alias = "trace")]
    Debug,
    /// Notes on what is being done.
    Info,
    /// What is lost or taken otherwise than asked for.
    #[value(alias = "warning")]
    Warn,
    /// Failures only.
    #[value(aliases = ["fatal", "panic"])]
    Error,
}

impl Context {
    /// Settings and store, opened for this invocation.
    pub(crate) fn session(&self) -> Result<Session> {
        let session = Session::open(self.env.clone(), self.globals.clone())?;
        Ok(session)
    }

    /// One line on standard error about something that is lost, and how to get it back.
    pub(crate) fn note(&self, text: &str) {
        if self.log_level <= LogLevel::Warn {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(std::io::stderr(), "note: {text}");
        }
    }
}
