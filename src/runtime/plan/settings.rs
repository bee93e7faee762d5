//! How the kernel is to treat the payload: scheduling, memory nodes, execution domain, security labels,
//! clocks.

use std::path::Path;

use oci_spec::runtime::{
    IOPriorityClass, Linux, LinuxPersonalityDomain, LinuxSchedulerFlag as Flag,
    LinuxSchedulerPolicy as Policy, MemoryPolicyFlagType, MemoryPolicyModeType as Mode, Process, Scheduler,
};

use super::number_list::NumberSet;
use super::{Builder, Phase, c_text};
use crate::error::{Error, Kind, Result};
use crate::runtime::op::{Op, Setting, Slot};
use crate::sys::scheduling::Scheduling;

/// linux/personality.h.
const PER_LINUX32: u32 = 8;

impl Builder<'_> {
    /// What the payload's process is told about itself, after its own fork and before its identity.
    pub(super) fn settings(&mut self, process: &Process) -> Result<()> {
        if let Some(scheduler) = process.scheduler() {
            self.set(Setting::Scheduler(scheduling(scheduler)?));
        }
        if let Some(priority) = process.io_priority() {
            let class = match priority.class() {
                IOPriorityClass::IoprioClassRt => 1,
                IOPriorityClass::IoprioClassBe => 2,
                IOPriorityClass::IoprioClassIdle => 3,
            };
            let level = u8::try_from(priority.priority()).ok().filter(|level| *level < 8);
            let level =
                level.ok_or_else(|| Error::invalid("process.ioPriority.priority: not from 0 to 7"))?;
            self.set(Setting::IoPriority { class, level });
        }
        if let Some(personality) = self.linux.personality() {
            self.set(Setting::Personality(match personality.domain() {
                LinuxPersonalityDomain::PerLinux => 0,
                LinuxPersonalityDomain::PerLinux32 => PER_LINUX32,
            }));
        }
        if let Some(setting) = memory_policy(self.linux)? {
            self.set(setting);
        }
        self.labels(process)
    }

    fn set(&mut self, setting: Setting) {
        self.push(Phase::Final, Op::Setting(setting));
    }

    /// Security labels take effect with the execve that follows.
    fn labels(&mut self, process: &Process) -> Result<()> {
        if let Some(profile) = process.apparmor_profile().as_ref().filter(|profile| !profile.is_empty()) {
            if apparmor() {
                let value = format!("exec {profile}").into_bytes();
                let own = Path::new("/proc/self/attr/apparmor/exec").exists();
                let file = if own { "self/attr/apparmor/exec" } else { "self/attr/exec" };
                self.own_proc(Phase::Final, file, value)?;
            } else if profile != "unconfined" {
                return Err(absent("process.apparmorProfile", profile, "AppArmor"));
            }
        }
        if let Some(label) = process.selinux_label().as_ref().filter(|label| !label.is_empty()) {
            if !selinux() {
                return Err(absent("process.selinuxLabel", label, "SELinux"));
            }
            self.own_proc(Phase::Final, "self/attr/exec", label.clone().into_bytes())?;
        }
        Ok(())
    }

    /// Writes a file of this very process's in the proc file system that the caller sees: the container need
    /// not have one.
    pub(super) fn own_proc(&mut self, phase: Phase, file: &str, value: Vec<u8>) -> Result<()> {
        let proc = self.host_proc();
        self.push(phase, Op::OwnProc { proc, file: c_text(file, "file")?, value });
        Ok(())
    }

    /// The caller's /proc, which the parent opens.
    pub(super) fn host_proc(&mut self) -> Slot {
        if let Some(slot) = self.proc {
            return slot;
        }
        let slot = self.slot();
        self.proc = Some(slot);
        slot
    }

    /// A time namespace, and what its clocks are ahead by.
    pub(super) fn clocks(&mut self) -> Result<()> {
        if !enters_on_exec(&rustix::system::uname().release().to_string_lossy()) && !self.input.init {
            return Err(Error::unsupported("a new time namespace needs Linux 6.2 or later"));
        }
        let mut text = String::new();
        let mut offsets: Vec<_> = self.linux.time_offsets().iter().flatten().collect();
        offsets.sort_by_key(|(clock, _)| *clock);
        for (clock, offset) in offsets {
            let (seconds, nanoseconds) = (offset.secs().unwrap_or(0), offset.nanosecs().unwrap_or(0));
            text += &format!("{clock} {seconds} {nanoseconds}\n");
        }
        let proc = self.host_proc();
        self.push(Phase::Mapped, Op::TimeNamespace { proc, offsets: text.into_bytes() });
        Ok(())
    }

    /// What nobody can have yet, by name.
    pub(super) fn refuse_what_is_missing(&self) -> Result<()> {
        if self.linux.intel_rdt().is_some() {
            let mounted = Path::new("/sys/fs/resctrl/schemata").exists();
            let why = if mounted { "is not supported" } else { "no resctrl file system is mounted" };
            return Err(Error::unsupported(format!("linux.intelRdt: {why}")));
        }
        if self.linux.net_devices().as_ref().is_some_and(|devices| !devices.is_empty()) {
            return Err(Error::unsupported(
                "linux.netDevices: moving the host's network devices into a container is not supported",
            ));
        }
        Ok(())
    }
}

/// Whether an execve moves a process into the time namespace that it has made for its children.
fn enters_on_exec(release: &str) -> bool {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(str::parse::<u32>);
    let version = (numbers.next(), numbers.next());
    matches!(version, (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (6, 2))
}

fn absent(field: &str, value: &str, module: &str) -> Error {
    Error::new(
        Kind::Unsupported,
        format!("{field} asks for {value:?}, but this machine runs without {module}"),
    )
}

fn apparmor() -> bool {
    let enabled = std::fs::read_to_string("/sys/module/apparmor/parameters/enabled");
    enabled.is_ok_and(|text| text.starts_with('Y'))
}

pub(super) fn selinux() -> bool {
    Path::new("/sys/fs/selinux/enforce").exists()
}

fn scheduling(scheduler: &Scheduler) -> Result<Scheduling> {
    let policy = match scheduler.policy() {
        Policy::SchedOther => libc::SCHED_OTHER,
        Policy::SchedFifo => libc::SCHED_FIFO,
        Policy::SchedRr => libc::SCHED_RR,
        Policy::SchedBatch => libc::SCHED_BATCH,
        Policy::SchedIdle => libc::SCHED_IDLE,
        Policy::SchedDeadline => libc::SCHED_DEADLINE,
        Policy::SchedIso => {
            return Err(Error::unsupported("process.scheduler.policy: Linux has no SCHED_ISO"));
        }
    };
    let flag = |flag: &Flag| match flag {
        Flag::SchedResetOnFork => libc::SCHED_FLAG_RESET_ON_FORK,
        Flag::SchedFlagReclaim => libc::SCHED_FLAG_RECLAIM,
        Flag::SchedFlagDLOverrun => libc::SCHED_FLAG_DL_OVERRUN,
        Flag::SchedFlagKeepPolicy => libc::SCHED_FLAG_KEEP_POLICY,
        Flag::SchedFlagKeepParams => libc::SCHED_FLAG_KEEP_PARAMS,
        Flag::SchedFlagUtilClampMin => libc::SCHED_FLAG_UTIL_CLAMP_MIN,
        Flag::SchedFlagUtilClampMax => libc::SCHED_FLAG_UTIL_CLAMP_MAX,
    };
    let mut result = Scheduling::default();
    let priority = scheduler.priority().unwrap_or(0);
    result.policy = policy as u32;
    result.flags = scheduler.flags().iter().flatten().fold(0, |all, next| all | flag(next) as u64);
    result.nice = scheduler.nice().unwrap_or(0);
    result.priority = u32::try_from(priority)
        .map_err(|_| Error::invalid(format!("process.scheduler.priority: {priority} is negative")))?;
    result.runtime = scheduler.runtime().unwrap_or(0);
    result.deadline = scheduler.deadline().unwrap_or(0);
    result.period = scheduler.period().unwrap_or(0);
    Ok(result)
}

fn memory_policy(linux: &Linux) -> Result<Option<Setting>> {
    let Some(policy) = linux.memory_policy() else { return Ok(None) };
    // linux/mempolicy.h; the C library has no name for the newest two.
    let mode = match policy.mode() {
        Mode::MpolDefault => libc::MPOL_DEFAULT,
        Mode::MpolPreferred => libc::MPOL_PREFERRED,
        Mode::MpolBind => libc::MPOL_BIND,
        Mode::MpolInterleave => libc::MPOL_INTERLEAVE,
        Mode::MpolLocal => libc::MPOL_LOCAL,
        Mode::MpolPreferredMany => 5,
        Mode::MpolWeightedInterleave => 6,
    };
    let flag = |flag: &MemoryPolicyFlagType| match flag {
        MemoryPolicyFlagType::MpolFNumaBalancing => libc::MPOL_F_NUMA_BALANCING,
        MemoryPolicyFlagType::MpolFRelativeNodes => libc::MPOL_F_RELATIVE_NODES,
        MemoryPolicyFlagType::MpolFStaticNodes => libc::MPOL_F_STATIC_NODES,
    };
    let nodes = match policy.nodes().as_deref() {
        None | Some("") => NumberSet::default(),
        Some(list) => NumberSet::parse(list)?,
    };
    let mode = policy.flags().iter().flatten().fold(mode, |all, next| all | flag(next));
    Ok(Some(Setting::MemoryPolicy { mode, nodes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scheduling_is_translated() {
        let mut scheduler = Scheduler::default();
        scheduler
            .set_policy(Policy::SchedRr)
            .set_priority(Some(7))
            .set_flags(Some(vec![Flag::SchedResetOnFork, Flag::SchedFlagDLOverrun]));
        let set = scheduling(&scheduler).unwrap();
        assert_eq!((set.policy, set.priority, set.flags), (libc::SCHED_RR as u32, 7, 5));
        scheduler.set_policy(Policy::SchedIso);
        assert!(scheduling(&scheduler).is_err());
    }

    #[test]
    fn memory_policies_are_translated() {
        let policy = serde_json::json!({"mode": "MPOL_PREFERRED_MANY", "nodes": "1,3", "flags": ["MPOL_F_STATIC_NODES"]});
        let mut linux = Linux::default();
        linux.set_memory_policy(Some(serde_json::from_value(policy).unwrap()));
        let Some(Setting::MemoryPolicy { mode, nodes }) = memory_policy(&linux).unwrap() else { panic!() };
        assert_eq!((mode, nodes.words()), (5 | libc::MPOL_F_STATIC_NODES, &[0b1010][..]));
    }

    #[test]
    fn kernels_are_told_apart() {
        assert!(enters_on_exec("6.2.0-13-amd64") && enters_on_exec("10.0") && enters_on_exec("6.18.44-fc"));
        assert!(!enters_on_exec("5.15.0") && !enters_on_exec("6.1.9") && !enters_on_exec(""));
    }
}
