//! Completion scripts and manual pages, made from the definitions that also parse the command line.
//!
//! The repository keeps what [`generate`] returns; a test compares the two.

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use clap_complete::aot;

use super::{CommandLine, help};

/// The shells that can be taught.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Shell {
    /// `bash`, with the package bash-completion.
    Bash,
    /// `zsh`.
    Zsh,
    /// `fish`.
    Fish,
}

/// Every generated file: its path in the repository and its content. The same definitions give the same bytes.
#[must_use]
pub fn generate() -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for (shell, name) in [(Shell::Bash, "rcon.bash"), (Shell::Zsh, "_rcon"), (Shell::Fish, "rcon.fish")] {
        files.push((Path::new("completions").join(name), completion(shell).into_bytes()));
    }
    let mut root = CommandLine::command().disable_help_subcommand(true);
    root.build();
    pages(&root, &mut files);
    files
}

/// The completion script for `shell`.
pub(crate) fn completion(shell: Shell) -> String {
    let mut command = CommandLine::command();
    let mut script = Vec::new();
    match shell {
        Shell::Bash => aot::generate(aot::Bash, &mut command, "rcon", &mut script),
        Shell::Zsh => aot::generate(aot::Zsh, &mut command, "rcon", &mut script),
        Shell::Fish => aot::generate(aot::Fish, &mut command, "rcon", &mut script),
    }
    String::from_utf8_lossy(&script).into_owned()
}

/// One manual page for `command` and one for each command below it.
fn pages(command: &clap::Command, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    let is_root = command.get_name() == "rcon";
    let documented = if is_root { command.clone() } else { help::without_globals(command.clone()) };
    let man = clap_mangen::Man::new(documented);
    let mut page = Vec::new();
    man.render(&mut page).expect("writing to memory does not fail");
    files.push((Path::new("man").join(man.get_filename()), page));
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        pages(below, files);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visible_command_has_its_page() {
        let files = generate();
        let names: Vec<_> = files.iter().map(|(path, _)| path.to_str().unwrap()).collect();
        assert_eq!(names[..3], ["completions/rcon.bash", "completions/_rcon", "completions/rcon.fish"]);
        assert!(names.contains(&"man/rcon.1") && names.contains(&"man/rcon-completion.1"), "{names:?}");
        assert!(!names.iter().any(|name| name.contains("generate")), "{names:?}");
    }

    #[test]
    fn the_same_definitions_give_the_same_bytes() {
        assert_eq!(generate(), generate());
    }
}
