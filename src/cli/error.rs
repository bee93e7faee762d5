//! How a failure looks on standard error, and which exit code it has.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use super::output;
use crate::config::Env;
use crate::error::{Error, Kind};

/// Whether messages may be coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// A terminal whose user did not object.
    Wanted,
    /// A file, a pipe, `NO_COLOR` or a terminal that cannot.
    Unwanted,
}

impl Colour {
    /// For messages on standard error; <https://no-color.org>.
    pub(crate) fn of_stderr(env: &Env) -> Self {
        let refused =
            env.get("NO_COLOR").is_some_and(|value| !value.is_empty()) || env.get("TERM") == Some("dumb");
        if !refused && std::io::stderr().is_terminal() { Self::Wanted } else { Self::Unwanted }
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Wanted => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Unwanted => text.to_owned(),
        }
    }
}

/// Prints `error` and says how to exit.
pub(crate) fn report(error: &Error, colour: Colour) -> ExitCode {
    if is_closed_output(error) {
        return ExitCode::SUCCESS;
    }
    // Where standard error is closed the exit code has to do.
    let _ = std::io::stderr().write_all(describe(error, colour).as_bytes());
    exit_code(error.kind())
}

/// Prints `error` and goes on: for commands that act on several objects, one after another.
pub(crate) fn report_one_of_several(cx: &super::Context, error: &Error) {
    let _ = report(error, Colour::of_stderr(&cx.env));
}

/// Prints `error` and exits as other OCI runtimes do: with 1 where podman has 125.
pub(crate) fn report_as_runtime(error: &Error, colour: Colour) -> ExitCode {
    let _ = report(error, colour);
    match error.kind() {
        Kind::NotExecutable | Kind::CommandNotFound => exit_code(error.kind()),
        _ => ExitCode::FAILURE,
    }
}

/// The failure's exit code in podman's scheme.
pub(crate) fn exit_code(kind: Kind) -> ExitCode {
    ExitCode::from(match kind {
        Kind::NotExecutable => 126,
        Kind::CommandNotFound => 127,
        _ => 125,
    })
}

fn describe(error: &Error, colour: Colour) -> String {
    let mut text = String::new();
    let mut chain = error.chain().into_iter();
    let heading = colour.paint("1;31", "Error:");
    let _ = writeln!(text, "{heading} {}", chain.next().unwrap_or_default());
    let heading = colour.paint("31", "Caused by:");
    for cause in chain {
        let _ = writeln!(text, "{heading} {cause}");
    }
    let heading = colour.paint("1;36", "hint:");
    for hint in error.hints() {
        let _ = writeln!(text, "{heading} {hint}");
    }
    text
}

/// Whether all that went wrong is that the reader of our output has seen enough, as in `rcon ps | head -1`.
fn is_closed_output(error: &Error) -> bool {
    let mut next: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = next {
        if cause.is::<output::Closed>() {
            return true;
        }
        next = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Context as _;

    #[test]
    fn an_error_has_its_causes_and_its_ways_out() {
        let error = Err::<(), _>(std::io::Error::from_raw_os_error(1))
            .context(|| "fsconfig(lowerdir+)")
            .context(|| "cannot mount overlay on a1b2c3")
            .map_err(|error| error.hint("rcon doctor"))
            .unwrap_err();
        assert_eq!(
            describe(&error, Colour::Unwanted),
            "Error: cannot mount overlay on a1b2c3\nCaused by: fsconfig(lowerdir+)\n\
             Caused by: Operation not permitted (os error 1)\nhint: rcon doctor\n"
        );
        assert!(describe(&error, Colour::Wanted).starts_with("\x1b[1;31mError:\x1b[0m cannot"));
    }

    #[test]
    fn a_closed_output_is_no_failure() {
        let error = Err::<(), _>(output::Closed).context(|| "write").context(|| "ps").unwrap_err();
        assert!(is_closed_output(&error));
        assert!(!is_closed_output(&Error::usage("x")));
    }
}
