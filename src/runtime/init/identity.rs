//! Who the process is: ids, groups, capabilities, filters.

use nix::errno::Errno;

use crate::runtime::op::{Identity, Op};
use crate::sys::{caps, exec, seccomp};

/// Carries out the operations about identity.
pub(super) fn carry_out(op: &Op) -> Result<(), Errno> {
    match op {
        Op::BecomeRoot { uid, gid, groups, dumpable } => {
            become_root(*uid, *gid, *groups)?;
            // A change of ids takes it away.
            exec::set_dumpable(*dumpable)
        }
        Op::Bound { keep, last } => caps::limit_bounding(*keep, *last),
        Op::Identity(identity) => take_on(identity),
        Op::NoNewPrivileges => exec::set_no_new_privileges(),
        Op::Seccomp(program) => seccomp::install(program.instructions(), program.flags()),
        Op::OwnStdio { uid, gid } => {
            // Not possible for a descriptor of another owner, and not needed then.
            for fd in 0..3 {
                let _ = exec::own_by_number(fd, *uid, *gid);
            }
            Ok(())
        }
        _ => Err(Errno::ENOSYS),
    }
}

fn become_root(uid: u32, gid: u32, groups: bool) -> Result<(), Errno> {
    exec::set_group(gid)?;
    exec::set_user(uid)?;
    if groups { drop_groups(&[]) } else { Ok(()) }
}

/// Sets the supplementary groups, where the namespace has setgroups(2) at all: newgidmap turns it off for a
/// map of the caller's own group alone, and then no group can be dropped.
fn drop_groups(groups: &[u32]) -> Result<(), Errno> {
    match exec::set_groups(groups) {
        Err(Errno::EPERM) if groups.len() <= 1 => Ok(()),
        other => other,
    }
}

/// The order matters: groups while CAP_SETGID is there, the user with capabilities kept, then the sets.
fn take_on(identity: &Identity) -> Result<(), Errno> {
    if let Some(groups) = &identity.groups {
        drop_groups(groups)?;
    }
    caps::keep_on_setuid(true)?;
    exec::set_group(identity.gid)?;
    exec::set_user(identity.uid)?;
    caps::set(&caps::Sets {
        effective: identity.effective,
        permitted: identity.permitted,
        inheritable: identity.inheritable,
    })?;
    caps::clear_ambient()?;
    caps::raise_ambient(identity.ambient)?;
    // From here on the process has no more power than others in its container, whom a shared pid namespace may
    // show it: until its execve they must not reach rcon's file and descriptors through /proc (CVE-2016-9962).
    exec::set_dumpable(false)
}
