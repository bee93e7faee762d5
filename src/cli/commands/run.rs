//! `rcon run [OPTIONS] IMAGE [COMMAND [ARG…]]`.

use std::os::fd::AsFd;
use std::process::ExitCode;

use crate::cli::Context;
use crate::cli::flags::{
    FilesystemFlags, ImageFlags, LifecycleFlags, MetadataFlags, NetworkFlags, ProcessFlags, ResourceFlags,
    SecurityFlags, TerminalFlags, UserNamespaceFlags, switch,
};
use crate::cli::output::progress::{Verbosity, reporter};
use crate::config::Env;
use crate::error::{Error, Result};
use crate::ops::run::{self, Caller, Outcome};
use crate::spec::{Base, Request, Rootfs, RootfsMode};

/// Run a command in a new container
///
/// Options end at the image: what follows it is the command and its own options.
///
/// Examples:
///   rcon run -it alpine sh
///   rcon run --rm -v "$PWD":/src:ro -w /src -p 8080:80 busybox httpd -f
///   rcon run -it --rootfs /:O sh
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment, disable_help_flag = true)]
pub(crate) struct Args {
    /// The image, or with --rootfs the directory; then the command and its arguments
    #[arg(trailing_var_arg = true, required = true, value_name = "IMAGE [COMMAND [ARG…]]")]
    words: Vec<String>,
    /// Take the first word for a directory of the host; with :O at its end writes are thrown away
    #[arg(long, num_args = 0..=1, require_equals = true, default_value = "false", default_missing_value = "true",
          value_parser = switch, action = clap::ArgAction::Set, hide_default_value = true, value_name = "BOOL")]
    rootfs: bool,
    /// Replace the image's entrypoint: a program, or a JSON array of words
    #[arg(long, value_name = "COMMAND")]
    entrypoint: Option<String>,
    #[command(flatten)]
    process: ProcessFlags,
    #[command(flatten)]
    terminal: TerminalFlags,
    #[command(flatten)]
    metadata: MetadataFlags,
    #[command(flatten)]
    lifecycle: LifecycleFlags,
    #[command(flatten)]
    filesystem: FilesystemFlags,
    #[command(flatten)]
    network: NetworkFlags,
    #[command(flatten)]
    security: SecurityFlags,
    #[command(flatten)]
    resources: ResourceFlags,
    #[command(flatten)]
    user_namespace: UserNamespaceFlags,
    #[command(flatten)]
    image: ImageFlags,
    /// Print help
    #[arg(long, action = clap::ArgAction::HelpLong, help_heading = "Options")]
    help: Option<bool>,
}

impl Args {
    /// What was typed means this, for a caller with the environment `env`.
    pub(crate) fn into_request(self, env: &Env) -> Result<Request> {
        let mut words = self.words.into_iter();
        let first = words
            .next()
            .filter(|word| !word.is_empty())
            .ok_or_else(|| Error::usage("the image is missing"))?;
        let base = if self.rootfs { Base::Rootfs(rootfs(&first)?) } else { Base::Image(first) };
        Ok(Request {
            command: words.collect(),
            entrypoint: self.entrypoint.map(|text| text.parse().unwrap_or_else(|never| match never {})),
            name: self.metadata.name()?,
            hostname: self.metadata.hostname()?,
            labels: self.metadata.labels()?,
            annotations: self.metadata.annotations()?,
            lifecycle: self.lifecycle.resolve()?,
            image: self.image.resolve()?,
            process: self.process.resolve(env)?,
            terminal: self.terminal.resolve()?,
            filesystem: self.filesystem.resolve()?,
            sysctls: self.security.sysctls()?,
            namespaces: self.security.namespaces()?,
            security: self.security.resolve()?,
            resources: self.resources.resolve()?,
            network: self.network.resolve()?,
            user_namespace: self.user_namespace.resolve(),
            base,
        })
    }
}

/// `DIR[:O]`
fn rootfs(text: &str) -> Result<Rootfs> {
    let (path, mode) = match text.rsplit_once(':') {
        Some((path, "O")) => (path, RootfsMode::Overlay),
        Some((_, option)) if option == "idmap" || option.starts_with("idmap=") => {
            return Err(Error::unsupported(format!("--rootfs {text:?}: mapped ids are not supported yet")));
        }
        _ => (text, RootfsMode::Direct),
    };
    if path.is_empty() {
        return Err(Error::usage(format!("--rootfs {text:?}: the directory is missing")));
    }
    Ok(Rootfs { path: path.into(), mode })
}

/// Runs it and hands its exit code on.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    let request = args.into_request(&cx.env)?;
    let session = cx.session()?;
    let verbosity = if request.image.quiet { Verbosity::Quiet } else { Verbosity::Normal };
    let progress = reporter(verbosity);
    let (input, output, error) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let caller = Caller {
        input: input.as_fd(),
        output: output.as_fd(),
        error: error.as_fd(),
        progress: progress.as_ref(),
        note: &|text| cx.note(text),
    };
    Ok(ExitCode::from(match run::run(&session, request, &caller)? {
        Outcome::Exited(code) => u8::try_from(code).unwrap_or(125),
        Outcome::Detached => 0,
        Outcome::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(125),
    }))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    #[command(args_override_self = true)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &[&str]) -> Result<Request, String> {
        let env = Env::from_pairs([("HOME", "/home/dev"), ("LC_ALL", "C")]);
        let line = Line::try_parse_from([&["run"], line].concat()).map_err(|error| error.to_string())?;
        line.args.into_request(&env).map_err(|error| error.chain().join(": "))
    }

    fn request(line: &[&str]) -> Request {
        parse(line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    #[test]
    fn the_definitions_hold() {
        <Line as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn options_end_at_the_image() {
        for line in [&["alpine", "-l"][..], &["--", "alpine", "-l"]] {
            assert_eq!(request(line).command, ["-l"]);
        }
        let request = request(&["-it", "--rm", "alpine", "ls", "--rm", "-e", "A=1", "--", "-x"]);
        assert_eq!(request.base, Base::Image("alpine".into()));
        assert_eq!(request.command, ["ls", "--rm", "-e", "A=1", "--", "-x"]);
        assert!(request.process.tty && request.process.interactive && request.lifecycle.remove);
        assert!(request.process.env.is_empty());
        for bad in [&["--nonsense", "alpine"][..], &[], &[""], &["-it"]] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn switches_may_have_a_value_and_be_repeated() {
        assert!(!request(&["--rm", "--rm=false", "x"]).lifecycle.remove);
        assert!(request(&["--rm=false", "--rm", "--rm", "x"]).lifecycle.remove);
        assert!(!request(&["-t=false", "x"]).process.tty);
        assert_eq!(request(&["--init=false", "x"]).lifecycle.init, Some(false));
        assert_eq!(request(&["x"]).lifecycle.init, None);
        assert!(!request(&["--sig-proxy=false", "x"]).terminal.sig_proxy);
        assert!(parse(&["--rm=maybe", "x"]).is_err());
    }

    #[test]
    fn values_reach_their_places() {
        let line = "--name=web -h host -e A=1 -e LC_* -e HOME -w /w -u 1:2 -v /a:/b --mount type=tmpfs,dst=/t --tmpfs /u \
                    --net none -p 80:80 -p 81:81 --stop-timeout -1 --oom-score-adj -5 --cap-add net_raw,chown \
                    --cap-drop=ALL --security-opt no-new-privileges --ulimit nofile=1:2 --shm-size 1m --entrypoint [\"a\"] \
                    --platform linux/arm64 -l k=v -m 1g --memory-swap -1 --cpus 1.5 --pids-limit -1 --device-read-bps /dev/sda:1mb --dns 1.1.1.1 --add-host a:1.2.3.4 -q x";
        let request = request(&line.split_whitespace().collect::<Vec<_>>());
        assert_eq!(request.name.unwrap().as_str(), "web");
        assert_eq!(request.hostname.unwrap().as_str(), "host");
        let env: Vec<String> = request
            .process
            .env
            .iter()
            .map(|variable| format!("{}={}", variable.name, variable.value))
            .collect();
        assert_eq!(env, ["A=1", "LC_ALL=C", "HOME=/home/dev"]);
        assert_eq!(request.filesystem.mounts.len(), 3);
        assert_eq!(request.network.mode.as_deref(), Some("none"));
        assert_eq!(request.network.publish, ["80:80", "81:81"]);
        assert_eq!(request.lifecycle.stop_timeout.unwrap().seconds(), None);
        assert_eq!(request.process.oom_score_adj, Some(-5));
        assert_eq!(request.security.cap_add.len(), 2);
        assert_eq!(request.image.platform.unwrap().architecture, "arm64");
        assert!(request.image.quiet);
        assert_eq!(request.resources.memory.unwrap().bytes(), 1 << 30);
        assert_eq!(request.resources.memory_swap.unwrap().get(), None);
        assert_eq!(request.resources.cpus.unwrap().nanos(), 1_500_000_000);
        assert_eq!(request.resources.read_bps.len(), 1);
    }

    #[test]
    fn a_root_directory_may_be_overlaid() {
        let base = |line: &[&str]| request(line).base;
        let rootfs = |path: &str, mode| Base::Rootfs(Rootfs { path: path.into(), mode });
        assert_eq!(base(&["--rootfs", "/:O", "sh"]), rootfs("/", RootfsMode::Overlay));
        assert_eq!(base(&["--rootfs", "/a:b", "sh"]), rootfs("/a:b", RootfsMode::Direct));
        assert_eq!(base(&["--rootfs=false", "a:O", "sh"]), Base::Image("a:O".into()));
        assert!(parse(&["--rootfs", ":O"]).is_err());
        assert!(parse(&["--rootfs", "/:idmap"]).is_err());
    }

    #[test]
    fn wrong_values_are_named_with_their_flag() {
        for (line, word) in [
            (&["--shm-size=x", "i"][..], "--shm-size"),
            (&["--name=a/b", "i"], "a/b"),
            (&["-v", "x", "i"], "--volume"),
            (&["--env-file", "/nonexistent", "i"], "/nonexistent"),
            (&["--sysctl", "vm.x=1", "i"], "vm.x"),
            (&["--no-hosts", "--add-host", "a:1.1.1.1", "i"], "--no-hosts"),
            (&["--network=none", "--network=host", "i"], "--network"),
            (&["--memory=x", "i"], "--memory"),
            (&["--cgroups=x", "i"], "--cgroups"),
        ] {
            assert!(parse(line).unwrap_err().contains(word), "{line:?}");
        }
    }
}
