//! The operations that turn the child into the payload.

use std::ffi::CString;

use oci_spec::runtime::{Capabilities, LinuxCapabilities, PosixRlimitType, Process};

use super::{Builder, Phase, c_path, c_text, missing};
use crate::error::{Context, Error, Result};
use crate::runtime::agent::Agent;
use crate::runtime::op::{Identity, Op};
use crate::runtime::seccomp;
use crate::sys::caps::{self, CapSet};
use crate::sys::exec::Image;
use crate::sys::process::ArgumentArea;

impl Builder<'_> {
    /// Limits, go, session, identity, execve.
    pub(super) fn process(&mut self, process: &Process) -> Result<()> {
        for limit in process.rlimits().iter().flatten() {
            let resource = rlimit_number(limit.typ());
            self.push(Phase::Final, Op::Rlimit { resource, soft: limit.soft(), hard: limit.hard() });
        }
        if let Some(adjustment) = process.oom_score_adj() {
            self.own_proc(Phase::Final, "self/oom_score_adj", adjustment.to_string().into_bytes())?;
        }
        if self.input.keyring {
            self.push(Phase::Final, Op::Keyring);
        }
        if !self.input.init {
            self.push(Phase::Final, Op::Session);
        }
        let exec = exec(process)?;
        self.look_for_program(&exec);
        let filter = self.filter(process)?;
        self.push(Phase::Final, Op::AwaitStart);
        self.hooks_before_payload()?;
        if self.input.init {
            self.push(Phase::Final, Op::Reap { title: ArgumentArea::find() });
            self.push(Phase::Final, Op::Session);
        }
        let user = process.user();
        self.push(Phase::Final, Op::OwnStdio { uid: user.uid(), gid: user.gid() });
        if let Some(umask) = user.umask() {
            self.push(Phase::Final, Op::Umask(umask));
        }
        self.settings(process)?;
        let no_new_privileges = process.no_new_privileges().unwrap_or(false);
        // Without no_new_privs, installing a filter needs the capabilities that the next steps drop.
        let (before, after) = if no_new_privileges { (None, filter) } else { (filter, None) };
        // A filter may know none of the calls of the set-up: as few as can be come after it.
        self.push(Phase::Final, Op::CloseRest);
        if let Some(program) = before {
            self.push(Phase::Final, Op::Seccomp(program));
        }
        self.identity(process)?;
        self.push(Phase::Final, Op::Chdir(c_path(process.cwd())?));
        if no_new_privileges {
            self.push(Phase::Final, Op::NoNewPrivileges);
        }
        if let Some(program) = after {
            self.push(Phase::Final, Op::Seccomp(program));
        }
        self.push(Phase::Final, exec);
        Ok(())
    }

    /// The filter that is still to be installed. One with an agent is installed here and now in a container that waits for
    /// its start: the agent belongs to what create has to have made.
    fn filter(&mut self, process: &Process) -> Result<Option<seccomp::Program>> {
        let Some(profile) = self.linux.seccomp() else { return Ok(None) };
        let program = seccomp::compile(profile)?;
        if !program.notifies() {
            return Ok(Some(program));
        }
        self.agent = Some(Agent::of(profile)?);
        if self.input.bundle.is_none() {
            return Ok(Some(program));
        }
        if process.no_new_privileges().unwrap_or(false) {
            self.push(Phase::Final, Op::NoNewPrivileges);
        }
        self.push(Phase::Final, Op::Seccomp(program));
        Ok(None)
    }

    /// For a container that waits for its start. A relative path means something only in the working directory, which
    /// comes later.
    fn look_for_program(&mut self, exec: &Op) {
        if let Op::Exec { candidates, shown, .. } = exec
            && self.input.bundle.is_some()
            && candidates.iter().all(|candidate| candidate.to_bytes().starts_with(b"/"))
        {
            let op = Op::FindProgram { candidates: candidates.clone(), shown: shown.clone() };
            self.push(Phase::Final, op);
        }
    }

    /// What the process that sets the container up may give away: everything in a user namespace of its own.
    fn available(&self, last: u8) -> Result<CapSet> {
        let all = CapSet::all(last);
        if self.input.userns.is_some() || self.maps.is_none() {
            return Ok(all);
        }
        let own = caps::get().context(|| "cannot read the capabilities of this process")?;
        Ok(own.permitted.intersection(all))
    }

    fn identity(&mut self, process: &Process) -> Result<()> {
        let last = caps::last()?;
        let granted = Granted::of(process.capabilities().as_ref(), self.available(last)?)?;
        self.push(Phase::Final, Op::Bound { keep: granted.bounding, last });
        let user = process.user();
        let maps = self.maps.clone();
        if maps.as_ref().is_some_and(|maps| maps.to_outside(user.uid(), user.gid()).is_none()) {
            return Err(Error::unsupported(format!(
                "user {}:{} has no id on this machine: the container's map does not reach it",
                user.uid(),
                user.gid()
            ))
            .hint("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER"));
        }
        let additional = user.additional_gids().clone().unwrap_or_default();
        let exists = |gid: &u32| maps.as_ref().is_none_or(|maps| maps.gid_outside(*gid).is_some());
        let groups = self.setgroups.then(|| additional.into_iter().filter(exists).collect());
        self.push(
            Phase::Final,
            Op::Identity(Identity {
                uid: user.uid(),
                gid: user.gid(),
                groups,
                effective: granted.effective,
                permitted: granted.permitted,
                inheritable: granted.inheritable,
                ambient: granted.ambient,
            }),
        );
        Ok(())
    }
}

/// The five sets, without what the kernel would refuse to have together: the specification wants such a
/// request warned of (as `validate` does) and not refused.
#[derive(Debug, PartialEq, Eq)]
struct Granted {
    bounding: CapSet,
    effective: CapSet,
    permitted: CapSet,
    inheritable: CapSet,
    ambient: CapSet,
}

impl Granted {
    /// `available` is what the process that sets them up has.
    fn of(asked: Option<&LinuxCapabilities>, available: CapSet) -> Result<Self> {
        let set = |caps: Option<&Option<Capabilities>>| match caps.and_then(Option::as_ref) {
            Some(caps) => CapSet::from_oci(caps),
            None => Ok(CapSet::EMPTY),
        };
        // capabilities(7), "Programmatically adjusting capability sets".
        let bounding = set(asked.map(LinuxCapabilities::bounding))?.intersection(available);
        let permitted = set(asked.map(LinuxCapabilities::permitted))?.intersection(available);
        let inheritable = set(asked.map(LinuxCapabilities::inheritable))?.intersection(bounding);
        let both = permitted.intersection(inheritable);
        Ok(Self {
            bounding,
            effective: set(asked.map(LinuxCapabilities::effective))?.intersection(permitted),
            permitted,
            inheritable,
            ambient: set(asked.map(LinuxCapabilities::ambient))?.intersection(both),
        })
    }
}

/// argv, envp and where to look for the program: along the container's own PATH, as execvpe does.
fn exec(process: &Process) -> Result<Op> {
    let args = process.args().as_deref().unwrap_or_default();
    let program =
        args.first().filter(|program| !program.is_empty()).ok_or_else(|| missing("process.args"))?;
    let env = process.env().as_deref().unwrap_or_default();
    let candidates = if program.contains('/') {
        vec![c_text(program, "program")?]
    } else {
        let path = env.iter().find_map(|entry| entry.strip_prefix("PATH="));
        let path = path.unwrap_or("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        path.split(':')
            .map(|dir| if dir.is_empty() { format!("./{program}") } else { format!("{dir}/{program}") })
            .map(|candidate| c_text(&candidate, "program"))
            .collect::<Result<_>>()?
    };
    let strings = |texts: &[String], what| {
        texts.iter().map(|text| c_text(text, what)).collect::<Result<Vec<CString>>>()
    };
    let image = Image::new(strings(args, "argument")?, strings(env, "environment variable")?);
    Ok(Op::Exec { candidates, image, shown: program.clone() })
}

fn rlimit_number(typ: PosixRlimitType) -> u32 {
    match typ {
        PosixRlimitType::RlimitCpu => libc::RLIMIT_CPU,
        PosixRlimitType::RlimitFsize => libc::RLIMIT_FSIZE,
        PosixRlimitType::RlimitData => libc::RLIMIT_DATA,
        PosixRlimitType::RlimitStack => libc::RLIMIT_STACK,
        PosixRlimitType::RlimitCore => libc::RLIMIT_CORE,
        PosixRlimitType::RlimitRss => libc::RLIMIT_RSS,
        PosixRlimitType::RlimitNproc => libc::RLIMIT_NPROC,
        PosixRlimitType::RlimitNofile => libc::RLIMIT_NOFILE,
        PosixRlimitType::RlimitMemlock => libc::RLIMIT_MEMLOCK,
        PosixRlimitType::RlimitAs => libc::RLIMIT_AS,
        PosixRlimitType::RlimitLocks => libc::RLIMIT_LOCKS,
        PosixRlimitType::RlimitSigpending => libc::RLIMIT_SIGPENDING,
        PosixRlimitType::RlimitMsgqueue => libc::RLIMIT_MSGQUEUE,
        PosixRlimitType::RlimitNice => libc::RLIMIT_NICE,
        PosixRlimitType::RlimitRtprio => libc::RLIMIT_RTPRIO,
        PosixRlimitType::RlimitRttime => libc::RLIMIT_RTTIME,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::caps::Cap;

    #[test]
    fn capabilities_that_cannot_be_together_are_left_out() {
        let oci = |caps: &[Cap]| Some(CapSet::of(caps).to_oci());
        let mut asked = LinuxCapabilities::default();
        asked
            .set_bounding(oci(&[Cap::Chown, Cap::Kill, Cap::Bpf]))
            .set_permitted(oci(&[Cap::Chown, Cap::Setuid]));
        asked.set_effective(oci(&[Cap::Chown, Cap::Kill])).set_inheritable(oci(&[Cap::Chown, Cap::Setgid]));
        asked.set_ambient(oci(&[Cap::Chown, Cap::Setuid]));
        let mut available = CapSet::all(63);
        available.remove(Cap::Bpf);
        let granted = Granted::of(Some(&asked), available).unwrap();
        assert_eq!(granted.bounding, CapSet::of(&[Cap::Chown, Cap::Kill]));
        assert_eq!(granted.permitted, CapSet::of(&[Cap::Chown, Cap::Setuid]));
        for set in [granted.effective, granted.inheritable, granted.ambient] {
            assert_eq!(set, CapSet::of(&[Cap::Chown]));
        }
        assert!(Granted::of(None, available).unwrap().bounding.is_empty());
    }
}
