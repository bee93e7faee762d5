//! `unshare`: a command in the user namespace in which the store is written.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::config::{Env, Paths};
use crate::error::{Error, Kind, Result};
use crate::userns::{self, Request, UserNamespace};

/// The user namespace of `unshare`, whose notes are the caller's to show before [`exec`].
pub fn plan(env: &Env) -> Result<UserNamespace> {
    userns::plan(env, &Request::default())
}

/// Becomes `command` (the user's shell where it is empty) as root of `namespace`, with a mount namespace of
/// its own. No process of rcon's is left, so exit codes and signals are the command's.
pub fn exec(env: &Env, paths: &Paths, namespace: &UserNamespace, command: &[OsString]) -> Result<Infallible> {
    let shell = [shell(env)];
    let [program, arguments @ ..] = (if command.is_empty() { &shell } else { command }) else {
        return Err(Error::usage("no command"));
    };
    userns::enter(namespace)?;
    let error = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(env.vars())
        .envs(environment(env, paths))
        .exec();
    Err(explain(program, error))
}

fn shell(env: &Env) -> OsString {
    let of_passwd = || env.passwd().map(|entry| entry.shell.clone().into_os_string());
    let given = env.get_os("SHELL").map(OsStr::to_owned);
    let is_set = |shell: &OsString| !shell.is_empty();
    given.filter(is_set).or_else(|| of_passwd().filter(is_set)).unwrap_or_else(|| "/bin/sh".into())
}

/// What podman tells the commands of its `unshare`; buildah and skopeo go by it.
fn environment(env: &Env, paths: &Paths) -> Vec<(&'static str, OsString)> {
    let mut variables = vec![
        ("CONTAINERS_GRAPHROOT", paths.data.clone().into_os_string()),
        ("CONTAINERS_RUNROOT", paths.run.clone().into_os_string()),
        ("XDG_CONFIG_HOME", paths.config_home.clone().into_os_string()),
        ("_CONTAINERS_USERNS_CONFIGURED", "done".into()),
    ];
    // rcon in rcon's own unshare is root already; who the user is was said outside.
    if env.get("_CONTAINERS_ROOTLESS_UID").is_none() {
        variables.push(("_CONTAINERS_ROOTLESS_UID", env.uid().to_string().into()));
        variables.push(("_CONTAINERS_ROOTLESS_GID", env.gid().to_string().into()));
    }
    if env.get_os("TMPDIR").is_none() {
        variables.push(("TMPDIR", "/var/tmp".into()));
    }
    variables
}

fn explain(program: &OsStr, error: std::io::Error) -> Error {
    let name = program.to_string_lossy();
    match error.kind() {
        ErrorKind::NotFound if program.as_encoded_bytes().contains(&b'/') => {
            Error::wrap(format!("cannot execute {name}"), error).with_kind(Kind::CommandNotFound)
        }
        ErrorKind::NotFound => {
            Error::new(Kind::CommandNotFound, format!("{name}: executable file not found in $PATH"))
        }
        _ => Error::wrap(format!("cannot execute {name}"), error).with_kind(Kind::NotExecutable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_is_the_environments_else_the_users() {
        assert_eq!(shell(&Env::from_pairs([("SHELL", "/bin/zsh")])), "/bin/zsh");
        assert_eq!(shell(&Env::from_pairs([("SHELL", "")])), "/bin/sh");
        let dir = tempfile::tempdir().unwrap();
        let passwd = dir.path().join("passwd");
        std::fs::write(&passwd, "me:x:7:7::/:/bin/fish\n").unwrap();
        let env = Env::from_pairs([("X", "y")]).with_ids(7, 7).with_passwd_file(passwd);
        assert_eq!(shell(&env), "/bin/fish");
    }

    #[test]
    fn commands_that_cannot_be_run_are_told_apart() {
        let of = |program: &str, errno| {
            explain(OsStr::new(program), std::io::Error::from_raw_os_error(errno)).kind()
        };
        assert_eq!(of("nosuch", libc::ENOENT), Kind::CommandNotFound);
        assert_eq!(of("/no/such", libc::ENOENT), Kind::CommandNotFound);
        assert_eq!(of("/etc", libc::EACCES), Kind::NotExecutable);
        assert_eq!(of("/etc/passwd", libc::ENOEXEC), Kind::NotExecutable);
    }
}
