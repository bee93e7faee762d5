//! What config.json says of the system call filter.

use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompAction as Action, LinuxSeccompFilterFlag as Flag};

use super::{Findings, Path, at};

pub(super) fn check(seccomp: &LinuxSeccomp, findings: &mut Findings) {
    let path = at("linux.seccomp");
    errno(seccomp.default_action(), seccomp.default_errno_ret(), &path.key("defaultErrnoRet"), findings);
    if seccomp.default_action() == Action::ScmpActNotify {
        findings.bad(path.key("defaultAction"), "SCMP_ACT_NOTIFY cannot be the default: nobody could answer");
    }
    let mut notifies = false;
    for (index, rule) in seccomp.syscalls().iter().flatten().enumerate() {
        let path = path.key("syscalls").index(index);
        if rule.names().is_empty() {
            findings.bad(path.key("names"), "is empty");
        }
        errno(rule.action(), rule.errno_ret(), &path.key("errnoRet"), findings);
        if rule.action() == Action::ScmpActNotify {
            notifies = true;
            // The process itself hands the descriptor of its filter out, by this call, under the filter.
            if let Some(name) = rule.names().iter().position(|name| name == "sendmsg") {
                findings.unsupported(
                    path.key("names").index(name),
                    "SCMP_ACT_NOTIFY for sendmsg would stop the container before its agent is there",
                );
            }
        }
    }
    let listener = seccomp.listener_path().as_ref().filter(|path| !path.as_os_str().is_empty());
    if notifies && listener.is_none() {
        findings.bad(path.key("listenerPath"), "is missing: SCMP_ACT_NOTIFY needs an agent");
    }
    if let Some(listener) = listener
        && !listener.is_absolute()
    {
        let message = format!("{} is not an absolute path", listener.display());
        findings.bad(path.key("listenerPath"), message);
    }
    if listener.is_none() && seccomp.listener_metadata().as_ref().is_some_and(|data| !data.is_empty()) {
        findings.bad(path.key("listenerMetadata"), "must not be there without listenerPath");
    }
    let flags = seccomp.flags().as_deref().unwrap_or_default();
    if let Some(index) = flags.iter().position(|flag| *flag == Flag::SeccompFilterFlagWaitKillableRecv)
        && !notifies
    {
        let message = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule of SCMP_ACT_NOTIFY";
        findings.bad(path.key("flags").index(index), message);
    }
}

/// Only two actions carry a number.
fn errno(action: Action, errno: Option<u32>, path: &Path, findings: &mut Findings) {
    let Some(errno) = errno else { return };
    match action {
        Action::ScmpActErrno if errno > 4095 => {
            findings.bad(path.clone(), format!("errno {errno} is not between 0 and 4095"));
        }
        Action::ScmpActTrace if errno > 0xffff => {
            findings.bad(path.clone(), format!("{errno} is longer than 16 bits"));
        }
        Action::ScmpActErrno | Action::ScmpActTrace => {}
        // What tools write that know no "absent".
        _ if errno == 0 => {}
        _ => findings.bad(path.clone(), "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE have one"),
    }
}
