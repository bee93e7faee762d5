//! The first process: its words, directory, user and limits.

use std::path::{Path, PathBuf};

use oci_spec::runtime::{Process, User};

use super::{Inputs, capabilities, environment, limits};
use crate::error::{Error, Result};
use crate::oci::ImageConfig;
use crate::spec::request::{Base, Request};
use crate::spec::value::Umask;
use crate::sys::caps::CapSet;

pub(super) fn process(
    request: &Request,
    inputs: &Inputs<'_>,
    bounding: CapSet,
    hostname: &str,
) -> Result<Process> {
    let asked = &request.process;
    let umask = asked.umask.or(inputs.settings.umask).unwrap_or(Umask::DEFAULT);
    let mut user = User::default();
    user.set_uid(inputs.user.uid)
        .set_gid(inputs.user.gid)
        .set_umask(Some(umask.bits()))
        .set_additional_gids(Some(inputs.user.groups.clone()));
    let sets = capabilities::sets(request, &inputs.user, bounding, inputs.host.last_capability)?;
    let mut process = Process::default();
    process
        .set_terminal(asked.tty.then_some(true))
        .set_user(user)
        .set_args(Some(arguments(request, inputs.image)?))
        .set_env(Some(environment::environment(request, inputs, hostname)?))
        .set_cwd(working_dir(request, inputs.image)?)
        .set_capabilities(Some(sets))
        .set_rlimits(Some(limits::rlimits(request, inputs)?))
        .set_no_new_privileges(Some(request.security.options.no_new_privileges))
        .set_apparmor_profile(apparmor_profile(request, inputs)?)
        .set_selinux_label(selinux_label(request, inputs))
        .set_oom_score_adj(limits::oom_score_adj(request, inputs));
    Ok(process)
}

/// `--security-opt apparmor=PROFILE`.
fn apparmor_profile(request: &Request, inputs: &Inputs<'_>) -> Result<Option<String>> {
    match &request.security.options.apparmor {
        Some(profile) if !inputs.host.apparmor => Err(Error::unsupported(format!(
            "--security-opt apparmor={profile}: AppArmor is not enabled on this system"
        ))),
        profile => Ok(profile.clone()),
    }
}

/// `--security-opt label=…`; without SELinux, `limits::notes` says that it has no effect.
fn selinux_label(request: &Request, inputs: &Inputs<'_>) -> Option<String> {
    let label = request.security.options.label.as_ref().filter(|_| inputs.host.selinux);
    label.map(|label| label.labels().0)
}

/// Docker's rule: ENTRYPOINT then CMD; a command replaces CMD; `--entrypoint` replaces ENTRYPOINT and drops CMD.
pub(super) fn arguments(request: &Request, image: Option<&ImageConfig>) -> Result<Vec<String>> {
    let (entrypoint, cmd) = match image {
        Some(image) => (&image.config.entrypoint[..], &image.config.cmd[..]),
        None => (&[][..], &[][..]),
    };
    let (entrypoint, cmd) = match &request.entrypoint {
        Some(entrypoint) => (entrypoint.words(), &[][..]),
        None => (entrypoint, cmd),
    };
    let command = if request.command.is_empty() { cmd } else { &request.command };
    let arguments: Vec<String> = entrypoint.iter().chain(command).cloned().collect();
    if arguments.is_empty() {
        let what = match &request.base {
            Base::Image(name) => format!("image {name} names no command to run"),
            Base::Rootfs(_) => "a root directory names no command to run".to_owned(),
        };
        return Err(Error::usage(what).hint("add the command after the image: … sh"));
    }
    if arguments.iter().any(|word| word.contains('\0')) {
        return Err(Error::invalid("a word of the command contains a NUL byte"));
    }
    Ok(arguments)
}

/// `--workdir`, else the image's, else `/`.
fn working_dir(request: &Request, image: Option<&ImageConfig>) -> Result<PathBuf> {
    let of_image = image.map(|image| image.config.working_dir.as_str()).filter(|text| !text.is_empty());
    let dir = match (&request.process.workdir, of_image) {
        (Some(dir), _) if dir.is_absolute() => dir.clone(),
        (Some(dir), _) => {
            return Err(Error::usage(format!(
                "workdir {:?} must be an absolute path",
                dir.display().to_string()
            )));
        }
        (None, dir) => Path::new("/").join(dir.unwrap_or_default()),
    };
    if dir.as_os_str().as_encoded_bytes().contains(&0) {
        return Err(Error::invalid("the working directory contains a NUL byte"));
    }
    Ok(dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn entrypoint_and_command() {
        for (image_entrypoint, image_cmd, entrypoint, command, expected) in [
            (&[][..], &["/bin/sh"][..], None, &[][..], &["/bin/sh"][..]),
            (&[], &["/bin/sh"], None, &["ls", "-l"], &["ls", "-l"]),
            (&["/e"], &["c"], None, &[], &["/e", "c"]),
            (&["/e"], &["c"], None, &["d"], &["/e", "d"]),
            (&["/e"], &["c"], Some("/x"), &[], &["/x"]),
            (&["/e"], &["c"], Some("/x"), &["d"], &["/x", "d"]),
            (&["/e"], &["c"], Some(""), &["d"], &["d"]),
            (&["/e"], &["c"], Some(r#"["a","b"]"#), &["d"], &["a", "b", "d"]),
        ] {
            let mut image = ImageConfig::default();
            image.config.entrypoint = words(image_entrypoint);
            image.config.cmd = words(image_cmd);
            let mut request = Request::new(Base::Image("x".into()));
            request.entrypoint = entrypoint.map(|text| text.parse().unwrap());
            request.command = words(command);
            assert_eq!(arguments(&request, Some(&image)).unwrap(), words(expected));
        }
        let mut request = Request::new(Base::Image("x".into()));
        assert!(arguments(&request, None).unwrap_err().to_string().contains("image x"));
        request.entrypoint = Some("".parse().unwrap());
        assert!(arguments(&request, Some(&ImageConfig::default())).is_err());
        request.command = words(&["a\0b"]);
        assert!(arguments(&request, None).is_err());
    }

    #[test]
    fn a_working_directory_is_absolute() {
        let mut request = Request::new(Base::Image("x".into()));
        let mut image = ImageConfig::default();
        assert_eq!(working_dir(&request, Some(&image)).unwrap(), Path::new("/"));
        image.config.working_dir = "srv".into();
        assert_eq!(working_dir(&request, Some(&image)).unwrap(), Path::new("/srv"));
        request.process.workdir = Some("/w".into());
        assert_eq!(working_dir(&request, Some(&image)).unwrap(), Path::new("/w"));
        request.process.workdir = Some("w".into());
        assert!(working_dir(&request, Some(&image)).is_err());
    }
}
