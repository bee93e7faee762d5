//! System call filters as the OCI runtime specification describes them: the default profile, and profiles
//! in the format of Docker and podman.

mod default;
mod profile;

use std::str::FromStr;

use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompArgBuilder, LinuxSeccompOperator,
    LinuxSyscall,
};

use crate::error::{Error, Result};
use crate::sys::caps::CapSet;
use crate::sys::seccomp::NATIVE;
pub use profile::from_profile_json;

/// A kernel's version as far as profiles ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kernel {
    /// The 6 of 6.12.
    pub major: u32,
    /// The 12 of 6.12.
    pub minor: u32,
}

impl Kernel {
    /// The running one (uname(2)).
    pub fn running() -> Result<Self> {
        rustix::system::uname().release().to_string_lossy().parse()
    }
}

impl FromStr for Kernel {
    type Err = Error;

    /// `6.12`, `6.12.3-amd64`, `6.12-rc1`.
    fn from_str(text: &str) -> Result<Self> {
        let number = |text: &str| {
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            text[..digits].parse().ok()
        };
        let parsed = text
            .split_once('.')
            .and_then(|(major, rest)| Some(Kernel { major: major.parse().ok()?, minor: number(rest)? }));
        parsed.ok_or_else(|| Error::invalid(format!("\"{text}\" is no kernel version")))
    }
}

/// What the conditional rules of a profile ask about.
#[derive(Clone, Copy, Debug)]
pub struct Conditions {
    /// The bounding set of the container.
    pub caps: CapSet,
    /// The architecture of this machine.
    pub arch: Arch,
    /// The running kernel.
    pub kernel: Kernel,
}

impl Conditions {
    /// A container with the bounding set `caps` on this machine.
    pub fn here(caps: CapSet) -> Result<Self> {
        Ok(Self { caps, arch: NATIVE, kernel: Kernel::running()? })
    }
}

/// The default profile: equal in effect to the one that Docker and podman ship.
pub fn default_profile(conditions: &Conditions) -> LinuxSeccomp {
    let mut seccomp = LinuxSeccomp::default();
    seccomp.set_default_action(LinuxSeccompAction::ScmpActErrno);
    seccomp.set_default_errno_ret(Some(default::UNKNOWN as u32));
    let mut architectures = vec![conditions.arch];
    architectures.extend(secondary(conditions.arch));
    seccomp.set_architectures(Some(architectures));
    let rules = default::RULES.iter().filter(|rule| applies(&rule.when, conditions)).map(syscall);
    seccomp.set_syscalls(Some(rules.collect()));
    seccomp
}

/// The other interfaces that a machine of this architecture offers.
fn secondary(arch: Arch) -> &'static [Arch] {
    match arch {
        Arch::ScmpArchX86_64 => &[Arch::ScmpArchX86, Arch::ScmpArchX32],
        Arch::ScmpArchAarch64 => &[Arch::ScmpArchArm],
        _ => &[],
    }
}

fn applies(when: &default::When, conditions: &Conditions) -> bool {
    match when {
        default::When::Always => true,
        default::When::With(cap) => conditions.caps.has(*cap),
        default::When::Without(caps) => caps.iter().all(|cap| !conditions.caps.has(*cap)),
        default::When::On(arch) => conditions.arch == *arch,
    }
}

fn syscall(rule: &default::Rule) -> LinuxSyscall {
    let mut syscall = LinuxSyscall::default();
    syscall.set_names(rule.names.iter().map(|name| (*name).to_owned()).collect());
    match rule.outcome {
        default::Outcome::Allow => syscall.set_action(LinuxSeccompAction::ScmpActAllow),
        default::Outcome::Fail(errno) => {
            syscall.set_action(LinuxSeccompAction::ScmpActErrno).set_errno_ret(Some(errno as u32))
        }
    };
    if !rule.arguments.is_empty() {
        let arguments =
            rule.arguments.iter().map(|(index, operator, value)| argument(*index, *operator, *value, None));
        syscall.set_args(Some(arguments.collect()));
    }
    syscall
}

fn argument(
    index: usize,
    operator: LinuxSeccompOperator,
    value: u64,
    value_two: Option<u64>,
) -> LinuxSeccompArg {
    let mut argument = LinuxSeccompArgBuilder::default().index(index).op(operator).value(value);
    if let Some(value) = value_two {
        argument = argument.value_two(value);
    }
    argument.build().unwrap_or_else(|_| unreachable!("every field has a default"))
}

#[cfg(test)]
mod tests {
    use LinuxSeccompAction::{ScmpActAllow as Allow, ScmpActErrno as Fail};
    use LinuxSeccompOperator as Op;

    use super::*;
    use crate::sys::caps::Cap;

    const EPERM: (LinuxSeccompAction, Option<u32>) = (Fail, Some(libc::EPERM as u32));
    const ENOSYS: (LinuxSeccompAction, Option<u32>) = (Fail, Some(libc::ENOSYS as u32));
    const ALLOW: (LinuxSeccompAction, Option<u32>) = (Allow, None);

    fn conditions(arch: Arch, caps: CapSet) -> Conditions {
        Conditions { caps, arch, kernel: Kernel { major: 5, minor: 11 } }
    }

    /// What the default profile makes of a call: the first rule without arguments, else the first that fits.
    fn decide(caps: CapSet, name: &str, arguments: [u64; 3]) -> (LinuxSeccompAction, Option<u32>) {
        let seccomp = default_profile(&conditions(Arch::ScmpArchX86_64, caps));
        let rules: Vec<_> = seccomp.syscalls().iter().flatten().collect();
        let about = || rules.iter().filter(|rule| rule.names().iter().any(|own| own == name));
        let fits = |arg: &LinuxSeccompArg| match arg.op() {
            Op::ScmpCmpEq => arguments[arg.index()] == arg.value(),
            Op::ScmpCmpNe => arguments[arg.index()] != arg.value(),
            other => panic!("{other}"),
        };
        about()
            .find(|rule| rule.args().is_none())
            .or_else(|| about().find(|rule| rule.args().iter().flatten().all(fits)))
            .map_or((seccomp.default_action(), seccomp.default_errno_ret()), |rule| {
                (rule.action(), rule.errno_ret())
            })
    }

    #[test]
    fn the_default_profile_decides_as_docker_s_and_podman_s() {
        for (names, outcome) in [
            ("read execve clone clone3 unshare mount setns openat2 ptrace io_setup landlock_add_rule", ALLOW),
            ("kexec_load swapon userfaultfd vmsplice move_pages uselib", EPERM),
            (
                "bpf perf_event_open quotactl sethostname init_module acct iopl settimeofday vhangup kcmp",
                EPERM,
            ),
            ("keyctl arch_prctl modify_ldt socketcall sigreturn", ALLOW),
            ("add_key request_key io_uring_setup io_uring_enter mseal file_setattr breakpoint", ENOSYS),
        ] {
            for name in names.split(' ') {
                assert_eq!(decide(CapSet::DEFAULT, name, [0; 3]), outcome, "{name}");
            }
        }
    }

    #[test]
    fn capabilities_unlock_their_calls() {
        let with = |caps: &[Cap], name| decide(CapSet::of(caps), name, [0; 3]);
        for (cap, name) in [
            (Cap::SysChroot, "chroot"),
            (Cap::DacReadSearch, "open_by_handle_at"),
            (Cap::SysAdmin, "bpf"),
            (Cap::SysAdmin, "quotactl"),
            (Cap::SysAdmin, "sethostname"),
            (Cap::SysModule, "init_module"),
            (Cap::SysPacct, "acct"),
            (Cap::SysPtrace, "kcmp"),
            (Cap::SysRawio, "ioperm"),
            (Cap::SysTime, "clock_settime"),
            (Cap::SysTtyConfig, "vhangup"),
            (Cap::Bpf, "bpf"),
        ] {
            assert_eq!(with(&[], name), EPERM, "{name}");
            assert_eq!(with(&[cap], name), ALLOW, "{name}");
        }
        // The rules of the shipped profile as they are, oddities included.
        assert_eq!(with(&[Cap::Perfmon], "perf_event_open"), EPERM);
        assert_eq!(with(&[Cap::SysAdmin], "perf_event_open"), ENOSYS);
        assert_eq!(with(&[Cap::SysAdmin, Cap::Perfmon], "perf_event_open"), ALLOW);
    }

    #[test]
    fn some_arguments_are_refused() {
        let netlink = [16, 3, 9];
        let einval = (Fail, Some(libc::EINVAL as u32));
        assert_eq!(decide(CapSet::DEFAULT, "socket", netlink), einval);
        assert_eq!(decide(CapSet::of(&[Cap::AuditWrite]), "socket", netlink), ALLOW);
        assert_eq!(decide(CapSet::DEFAULT, "socket", [16, 3, 0]), ALLOW);
        assert_eq!(decide(CapSet::DEFAULT, "socket", [2, 1, 9]), ALLOW);
        for (persona, outcome) in [
            (0, ALLOW),
            (8, ALLOW),
            (0x2_0000, ALLOW),
            (0x2_0008, ALLOW),
            (0xffff_ffff, ALLOW),
            (0x4_0000, ENOSYS),
        ] {
            assert_eq!(decide(CapSet::DEFAULT, "personality", [persona, 0, 0]), outcome, "{persona:#x}");
        }
    }

    #[test]
    fn each_machine_gets_its_interfaces() {
        let x86 = default_profile(&conditions(Arch::ScmpArchX86_64, CapSet::DEFAULT));
        let listed = [Arch::ScmpArchX86_64, Arch::ScmpArchX86, Arch::ScmpArchX32];
        assert_eq!(x86.architectures().as_deref(), Some(&listed[..]));
        let arm = default_profile(&conditions(Arch::ScmpArchAarch64, CapSet::DEFAULT));
        assert_eq!(arm.architectures().as_deref(), Some(&[Arch::ScmpArchAarch64, Arch::ScmpArchArm][..]));
        let names = |seccomp: &LinuxSeccomp, name: &str| {
            seccomp.syscalls().iter().flatten().any(|rule| rule.names().iter().any(|own| own == name))
        };
        assert!(names(&arm, "sync_file_range2") && !names(&arm, "arch_prctl"));
        assert!(names(&x86, "arch_prctl") && !names(&x86, "sync_file_range2"));
    }

    #[test]
    fn kernel_versions_parse_and_compare() {
        let version = |text: &str| text.parse::<Kernel>().unwrap();
        assert_eq!(version("6.12.3-amd64"), Kernel { major: 6, minor: 12 });
        assert_eq!(version("6.12-rc1"), version("6.12"));
        assert!(version("4.8") < version("4.18") && version("4.18") < version("5.0"));
        for text in ["", "6", "6.", "six.one", ".1", "-1.2"] {
            assert!(text.parse::<Kernel>().is_err(), "{text}");
        }
        Kernel::running().unwrap();
    }
}
