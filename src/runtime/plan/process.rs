//! The operations that turn the child into the payload.

use std::ffi::CString;

use oci_spec::runtime::{LinuxCapabilities, PosixRlimitType, Process};

use super::{Builder, Phase, c_path, c_text, missing};
use crate::error::{Error, Result};
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
            self.push(Phase::Final, Op::OomScoreAdj(adjustment.to_string().into_bytes()));
        }
        self.push(Phase::Final, Op::AwaitStart);
        if self.input.init {
            self.push(Phase::Final, Op::Reap { title: ArgumentArea::find() });
        }
        self.push(Phase::Final, Op::Session);
        let user = process.user();
        self.push(Phase::Final, Op::OwnStdio { uid: user.uid(), gid: user.gid() });
        self.push(Phase::Final, Op::Umask(user.umask().unwrap_or(0o022)));
        let filter = self.linux.seccomp().as_ref().map(seccomp::compile).transpose()?;
        let no_new_privileges = process.no_new_privileges().unwrap_or(false);
        // Without no_new_privs, installing a filter needs the capabilities that the next steps drop.
        let (before, after) = if no_new_privileges { (None, filter) } else { (filter, None) };
        if let Some(program) = before {
            self.push(Phase::Final, Op::Seccomp(program));
        }
        self.identity(process)?;
        if no_new_privileges {
            self.push(Phase::Final, Op::NoNewPrivileges);
        }
        if let Some(program) = after {
            self.push(Phase::Final, Op::Seccomp(program));
        }
        self.push(Phase::Final, Op::Chdir(c_path(process.cwd())?));
        let exec = exec(process)?;
        self.push(Phase::Final, exec);
        Ok(())
    }

    fn identity(&mut self, process: &Process) -> Result<()> {
        let capabilities = process.capabilities().clone().unwrap_or_else(no_capabilities);
        let set = |caps: &Option<_>| caps.as_ref().map_or(Ok(CapSet::EMPTY), CapSet::from_oci);
        self.push(Phase::Final, Op::Bound { keep: set(capabilities.bounding())?, last: caps::last()? });
        let user = process.user();
        let maps = &self.input.userns.maps;
        if maps.to_outside(user.uid(), user.gid()).is_none() {
            return Err(Error::unsupported(format!(
                "user {}:{} has no id on this machine: the container's map does not reach it",
                user.uid(),
                user.gid()
            ))
            .hint("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $USER"));
        }
        let additional = user.additional_gids().clone().unwrap_or_default();
        let groups = self
            .input
            .userns
            .setgroups_allowed()
            .then(|| additional.into_iter().filter(|gid| maps.gid_outside(*gid).is_some()).collect());
        self.push(
            Phase::Final,
            Op::Identity(Identity {
                uid: user.uid(),
                gid: user.gid(),
                groups,
                effective: set(capabilities.effective())?,
                permitted: set(capabilities.permitted())?,
                inheritable: set(capabilities.inheritable())?,
                ambient: set(capabilities.ambient())?,
            }),
        );
        Ok(())
    }
}

fn no_capabilities() -> LinuxCapabilities {
    let mut none = LinuxCapabilities::default();
    none.set_bounding(None).set_effective(None).set_permitted(None).set_inheritable(None).set_ambient(None);
    none
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
