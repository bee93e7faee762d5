//! What `--help` prints, and what is said of a wrong command line.
//!
//! The parser knows only the definitions of the verb that was typed (see [`super::commands`]); the pages here are made
//! from all of them, which takes some milliseconds that nobody misses when reading.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory as _};

use super::{CommandLine, output};
use crate::error::{Error, Result};

/// podman's verbs that are still to come: whoever types one should not have to guess.
const NOT_YET: &[&str] = &[
    "attach",
    "build",
    "commit",
    "compose",
    "container",
    "cp",
    "create",
    "diff",
    "events",
    "exec",
    "export",
    "generate",
    "healthcheck",
    "history",
    "import",
    "init",
    "kill",
    "kube",
    "load",
    "login",
    "logout",
    "manifest",
    "mount",
    "network",
    "pause",
    "pod",
    "port",
    "push",
    "quadlet",
    "rename",
    "restart",
    "save",
    "search",
    "secret",
    "start",
    "stats",
    "stop",
    "tag",
    "top",
    "unmount",
    "unpause",
    "untag",
    "update",
    "volume",
    "wait",
];

/// What clap has to say: help and version are output, all else becomes an error of ours.
pub(super) fn answer(error: &clap::Error, arguments: &[OsString]) -> Result<ExitCode> {
    match error.kind() {
        ErrorKind::DisplayHelp => output::print(&page(arguments)).map(|()| ExitCode::SUCCESS),
        ErrorKind::DisplayVersion => output::print(&error.render().to_string()).map(|()| ExitCode::SUCCESS),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            output::print(&page(arguments))?;
            Err(Error::usage("missing command"))
        }
        _ => Err(failure(error, arguments)),
    }
}

/// The help for the command that `arguments` begin with.
pub(super) fn page(arguments: &[OsString]) -> String {
    let mut root = whole();
    let command = descend(&mut root, arguments);
    let long = command.get_long_about().cloned();
    let is_root = command.get_name() == "rcon";
    let mut command = command.clone().long_about(Resettable::Reset).mut_args(|argument| {
        let is_help = argument.get_id() == "help";
        let argument = argument.long_help(Resettable::Reset);
        // clap's own text tells of a longer form, which this is.
        if is_help { argument.help("Print help") } else { argument }
    });
    if let Some(long) = long {
        command = command.about(long);
    }
    if !is_root {
        command = without_globals(command).after_help("Global options: see 'rcon --help'.");
    }
    command.render_help().to_string()
}

/// All definitions, none deferred.
pub(super) fn whole() -> Command {
    let mut root = CommandLine::command();
    root.build();
    root
}

/// The same command without the options that every command has.
pub(super) fn without_globals(command: Command) -> Command {
    command.mut_args(|argument| if argument.is_global_set() { argument.hide(true) } else { argument })
}

/// The command that `arguments` name: `image inspect` of `rcon --root X image inspect -f json`.
fn descend<'a>(root: &'a mut Command, arguments: &[OsString]) -> &'a mut Command {
    let mut command = root;
    let mut words = arguments.iter().skip(1).filter_map(|word| word.to_str());
    while let Some(word) = words.next() {
        if let Some(name) = word.strip_prefix("--") {
            let takes_value = |argument: &clap::Arg| {
                argument.get_long() == Some(name) && argument.get_action().takes_values()
            };
            if command.get_arguments().any(takes_value) {
                words.next();
            }
        } else if !word.starts_with('-') && word != "help" {
            if command.find_subcommand(word).is_none() {
                break;
            }
            command = command.find_subcommand_mut(word).expect("it was found just now");
        }
    }
    command
}

fn failure(error: &clap::Error, arguments: &[OsString]) -> Error {
    let mut root = whole();
    let command = descend(&mut root, arguments);
    let command = command.get_bin_name().unwrap_or("rcon");
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let mut failure = match (error.kind(), text(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(verb)) if NOT_YET.contains(&verb.as_str()) => {
            return Error::unsupported(format!("{command} {verb} is not there yet"));
        }
        (ErrorKind::InvalidSubcommand, Some(verb)) => {
            Error::usage(format!("unrecognized command `{command} {verb}`"))
        }
        (ErrorKind::UnknownArgument, _) => {
            let argument = text(ContextKind::InvalidArg).unwrap_or_default();
            if command == "rcon run"
                && let Some(refusal) = super::flags::unsupported::explain(&argument)
            {
                return refusal;
            }
            let what = if argument.starts_with('-') { "unknown flag" } else { "one argument too many" };
            Error::usage(format!("{what}: {argument}"))
        }
        _ => Error::usage(message_of(error)),
    };
    for kind in [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue] {
        if let Some(names) = text(kind) {
            failure = failure.hint(format!("did you mean {names}?"));
        }
    }
    failure.hint(format!("see '{command} --help'"))
}

/// clap's message without its prefix, its tips and its usage.
fn message_of(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let message = rendered.split("\n\n").next().unwrap_or_default();
    let lines: Vec<_> = message.trim_start_matches("error: ").lines().map(str::trim).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn refused(line: &str) -> Error {
        let arguments = words(line);
        let error = CommandLine::try_parse_from(&arguments).err().expect("it was parsed");
        failure(&error, &arguments)
    }

    #[test]
    fn wrong_command_lines_are_explained() {
        let error = refused("rcon completion --nope");
        assert_eq!(error.to_string(), "unknown flag: --nope");
        assert_eq!(error.hints(), ["see 'rcon completion --help'"]);
        let error = refused("rcon compleTion");
        assert_eq!(error.to_string(), "unrecognized command `rcon compleTion`");
        assert_eq!(error.hints(), ["did you mean completion?", "see 'rcon --help'"]);
        assert_eq!(refused("rcon exec -it c1 sh").to_string(), "rcon exec is not there yet");
        let error = refused("rcon completion");
        assert_eq!(error.to_string(), "the following required arguments were not provided: <SHELL>");
        let error = refused("rcon --root /x completion tcsh");
        assert!(error.to_string().contains("invalid value 'tcsh'"), "{error}");
        assert!(error.hints().contains(&"see 'rcon completion --help'".into()), "{error:?}");
        assert_eq!(refused("rcon completion bash zsh").to_string(), "one argument too many: zsh");
        assert!(refused("rcon --log-level").to_string().contains("--log-level"));
    }

    #[test]
    fn help_is_that_of_the_command() {
        let root = page(&words("rcon --help"));
        assert!(
            root.contains("Usage: rcon [OPTIONS] [COMMAND]") && root.contains("--storage-driver"),
            "{root}"
        );
        assert!(root.contains("completion  Print the completion script of a shell"), "{root}");
        assert!(!root.contains("generate-docs"), "{root}");
        for line in ["rcon completion --help", "rcon help completion", "rcon --root /x completion -h"] {
            let page = page(&words(line));
            assert!(page.contains("Usage: rcon completion <SHELL>"), "{page}");
            assert!(page.contains("-h, --help  Print help\n"), "{page}");
            assert!(page.contains("rcon completion fish >") && !page.contains("--storage-driver"), "{page}");
        }
    }
}
