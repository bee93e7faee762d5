//! The first process and the terminal it is shown on.

use std::path::PathBuf;

use super::{parse, parse_list, parse_option, read, switch};
use crate::config::Env;
use crate::error::{Error, Result};
use crate::spec::value::{EnvArgument, EnvVar, parse_env_file};
use crate::spec::{ProcessRequest, Terminal};

/// Options of the first process.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Process")]
pub(crate) struct ProcessFlags {
    /// Give the process a terminal
    #[arg(short = 't', long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_parser = switch, action = clap::ArgAction::Set,
          hide_default_value = true, value_name = "BOOL")]
    tty: bool,
    /// Keep standard input open
    #[arg(short = 'i', long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_parser = switch, action = clap::ArgAction::Set,
          hide_default_value = true, value_name = "BOOL")]
    interactive: bool,
    /// Set a variable: NAME=VALUE; NAME takes the caller's value, PRE* all of the caller's that begin so
    #[arg(short = 'e', long, value_name = "ENV")]
    env: Vec<String>,
    /// Read variables from a file, one a line
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// Leave out a variable of the image
    #[arg(long, value_name = "NAME")]
    unsetenv: Vec<String>,
    /// Leave out all variables but those that are set here
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true",
          value_parser = switch, action = clap::ArgAction::Set, hide_default_value = true, value_name = "BOOL")]
    unsetenv_all: bool,
    /// Pass the caller's proxy variables on [default: true]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true",
          value_parser = switch, action = clap::ArgAction::Set, value_name = "BOOL")]
    http_proxy: Option<bool>,
    /// Working directory
    #[arg(short = 'w', long, value_name = "DIR")]
    workdir: Option<PathBuf>,
    /// User: NAME or id, with :GROUP
    #[arg(short = 'u', long, value_name = "USER")]
    user: Option<String>,
    /// Add a supplementary group, or keep-groups for the caller's own
    #[arg(long, value_name = "GROUP")]
    group_add: Vec<String>,
    /// File mode creation mask [default: 0022]
    #[arg(long, value_name = "MASK")]
    umask: Option<String>,
    /// Limit a resource: NAME=SOFT[:HARD], or host for the caller's limits
    #[arg(long, value_name = "ULIMIT")]
    ulimit: Vec<String>,
    /// How readily the kernel ends the process when memory is short, -1000 to 1000
    #[arg(long, value_name = "SCORE", allow_hyphen_values = true, value_parser = clap::value_parser!(i32).range(-1000..=1000))]
    oom_score_adj: Option<i32>,
    /// Prepare the container for systemd: true (where it is the command), false or always
    #[arg(long, default_value = "true", value_name = "MODE")]
    systemd: String,
}

impl ProcessFlags {
    /// What they ask for, by a caller with the environment `env`.
    pub(crate) fn resolve(&self, env: &Env) -> Result<ProcessRequest> {
        let keep_groups = self.group_add.iter().any(|group| group == "keep-groups");
        if keep_groups && self.group_add.len() > 1 {
            return Err(Error::usage(
                "the '--group-add keep-groups' option is not allowed with any other --group-add options",
            ));
        }
        Ok(ProcessRequest {
            tty: self.tty,
            interactive: self.interactive,
            env: self.variables(env)?,
            unset_env: self.unsetenv.clone(),
            unset_all_env: self.unsetenv_all,
            http_proxy: self.http_proxy,
            workdir: self.workdir.clone(),
            user: parse_option("--user", self.user.as_deref().filter(|user| !user.is_empty()))?,
            groups: if keep_groups { Vec::new() } else { parse_list("--group-add", &self.group_add)? },
            keep_groups,
            umask: parse_option("--umask", self.umask.as_deref())?,
            ulimits: parse_list("--ulimit", &self.ulimit)?,
            oom_score_adj: self.oom_score_adj,
            systemd: parse("--systemd", &self.systemd)?,
        })
    }

    /// The env files' variables, then `--env`.
    fn variables(&self, env: &Env) -> Result<Vec<EnvVar>> {
        let mut arguments = Vec::new();
        for path in &self.env_file {
            arguments.extend(parse_env_file(&path.display().to_string(), &read("--env-file", path)?)?);
        }
        for text in &self.env {
            arguments.push(parse::<EnvArgument>("--env", text)?);
        }
        let caller = || env.vars().filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)));
        Ok(arguments.into_iter().flat_map(|argument| argument.resolve(caller())).collect())
    }
}

/// Options of the caller's terminal.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Terminal")]
pub(crate) struct TerminalFlags {
    /// Keys that leave the container running [default: ctrl-p,ctrl-q]
    #[arg(long, value_name = "KEYS")]
    detach_keys: Option<String>,
    /// Pass signals on to the process (without --tty)
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "true", default_missing_value = "true",
          value_parser = switch, action = clap::ArgAction::Set, value_name = "BOOL")]
    sig_proxy: bool,
}

impl TerminalFlags {
    /// What they ask for.
    pub(crate) fn resolve(&self) -> Result<Terminal> {
        let detach_keys = parse_option("--detach-keys", self.detach_keys.as_deref())?;
        Ok(Terminal { detach_keys, sig_proxy: self.sig_proxy })
    }
}
