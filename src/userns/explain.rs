//! Why this machine does not give a normal user a user namespace: the knob, by name.

use std::path::Path;

use nix::errno::Errno;

use crate::error::{Error, Kind};

/// A setting that forbids user namespaces or takes their power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knob {
    /// The setting and its value.
    pub what: String,
    /// The command that changes it.
    pub remedy: &'static str,
}

/// The error of a clone or unshare that was to make a user namespace, explained by the knob that forbids it.
pub fn explain_clone_failure(errno: Errno) -> Error {
    explain_below(Path::new("/"), errno)
}

fn explain_below(root: &Path, errno: Errno) -> Error {
    let error = Error::wrap("cannot make a user namespace", errno);
    if let Some(knob) = forbidding_below(root) {
        let kind = Kind::Denied;
        return Error::wrap(format!("cannot make a user namespace: {}", knob.what), errno)
            .with_kind(kind)
            .hint(knob.remedy);
    }
    match errno {
        Errno::ENOSPC | Errno::EUSERS => error
            .hint("too many user namespaces exist or are nested: sudo sysctl user.max_user_namespaces=63359"),
        Errno::EINVAL | Errno::ENOSYS => {
            error.with_kind(Kind::Unsupported).hint("the kernel needs CONFIG_USER_NS=y")
        }
        Errno::EPERM if filtered(root) => error.with_kind(Kind::Denied).hint(
            "a seccomp filter is in force here: in a container of Docker or Podman, \
             start that one with --security-opt seccomp=unconfined",
        ),
        Errno::EPERM => error.with_kind(Kind::Denied).hint(
            "inside a chroot, or under a security module that forbids it, no user namespace can be made",
        ),
        _ => error,
    }
}

/// The knob that forbids user namespaces to a normal user on this machine, if one does.
pub fn forbidding_knob() -> Option<Knob> {
    forbidding_below(Path::new("/"))
}

fn forbidding_below(root: &Path) -> Option<Knob> {
    let value =
        |file: &str| std::fs::read_to_string(root.join(file)).ok().map(|content| content.trim().to_owned());
    // Debian's own patch; other kernels do not have the file.
    if value("proc/sys/kernel/unprivileged_userns_clone").as_deref() == Some("0") {
        return Some(Knob {
            what: "kernel.unprivileged_userns_clone is 0".to_owned(),
            remedy: "sudo sysctl kernel.unprivileged_userns_clone=1 \
                     (and in /etc/sysctl.d/ to keep it)",
        });
    }
    if value("proc/sys/user/max_user_namespaces").as_deref() == Some("0") {
        return Some(Knob {
            what: "user.max_user_namespaces is 0".to_owned(),
            remedy: "sudo sysctl user.max_user_namespaces=63359 (and in /etc/sysctl.d/ to keep it)",
        });
    }
    // Ubuntu since 23.10. The namespace is made, but every act in it that needs a capability is refused.
    if value("proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref() == Some("1")
        && !allowed_by_profile(value("proc/self/attr/current").as_deref())
    {
        return Some(Knob {
            what: "kernel.apparmor_restrict_unprivileged_userns is 1".to_owned(),
            remedy: "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile \
                     with the rule `userns,` for rcon in /etc/apparmor.d/",
        });
    }
    None
}

/// A process under a named profile is the profile's business; the restriction is for the unconfined.
fn allowed_by_profile(label: Option<&str>) -> bool {
    label.is_some_and(|label| !label.is_empty() && label != "unconfined")
}

fn filtered(root: &Path) -> bool {
    std::fs::read_to_string(root.join("proc/self/status"))
        .is_ok_and(|status| status.lines().any(|line| line == "Seccomp:\t2"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (file, content) in files {
            let path = dir.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        dir
    }

    #[test]
    fn each_knob_is_named_with_the_command_that_turns_it() {
        for (file, value, name) in [
            ("proc/sys/kernel/unprivileged_userns_clone", "0\n", "kernel.unprivileged_userns_clone"),
            ("proc/sys/user/max_user_namespaces", "0\n", "user.max_user_namespaces"),
            (
                "proc/sys/kernel/apparmor_restrict_unprivileged_userns",
                "1\n",
                "kernel.apparmor_restrict_unprivileged_userns",
            ),
        ] {
            let dir = root(&[(file, value)]);
            let error = explain_below(dir.path(), Errno::EPERM);
            assert!(error.to_string().contains(name), "{error}");
            assert!(error.hints()[0].contains(name), "{error:?}");
            assert_eq!(error.kind(), Kind::Denied);
        }
    }

    #[test]
    fn a_profile_of_its_own_lifts_the_restriction() {
        let dir = root(&[
            ("proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n"),
            ("proc/self/attr/current", "rcon (unconfined)\n"),
        ]);
        assert_eq!(forbidding_below(dir.path()), None);
    }

    #[test]
    fn without_a_knob_the_errno_tells() {
        let dir = root(&[("proc/self/status", "Name:\tx\nSeccomp:\t2\n")]);
        assert!(explain_below(dir.path(), Errno::EPERM).hints()[0].contains("seccomp"));
        assert!(explain_below(dir.path(), Errno::ENOSPC).hints()[0].contains("max_user_namespaces"));
        assert_eq!(explain_below(dir.path(), Errno::EINVAL).kind(), Kind::Unsupported);
        let bare = root(&[]);
        assert!(explain_below(bare.path(), Errno::EPERM).hints()[0].contains("chroot"));
    }
}
