//! Compiled programs against a plain reading of the profile.

use std::io::{Seek, SeekFrom};

use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction as Action, LinuxSeccompArg, LinuxSeccompArgBuilder,
    LinuxSeccompFilterFlag as Flag, LinuxSeccompOperator as Op, LinuxSyscall,
};
use proptest::prelude::*;

use super::interpreter::{Call, check, run};
use super::rules::value_of;
use super::table::{self, X32_BIT};
use super::*;

const X86_64: u32 = Arch::ScmpArchX86_64 as u32;
const X86: u32 = Arch::ScmpArchX86 as u32;
const AARCH64: u32 = Arch::ScmpArchAarch64 as u32;
const ARM: u32 = Arch::ScmpArchArm as u32;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const EPERM: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const ENOSYS: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

fn arg(index: usize, op: Op, value: u64, value_two: u64) -> LinuxSeccompArg {
    LinuxSeccompArgBuilder::default().index(index).op(op).value(value).value_two(value_two).build().unwrap()
}

fn rule(names: &[&str], action: Action, errno: Option<u32>, args: Vec<LinuxSeccompArg>) -> LinuxSyscall {
    let mut syscall = LinuxSyscall::default();
    syscall.set_names(names.iter().map(|name| (*name).to_owned()).collect());
    syscall.set_action(action).set_errno_ret(errno).set_args(Some(args));
    syscall
}

fn profile(architectures: &[Arch], syscalls: Vec<LinuxSyscall>) -> LinuxSeccomp {
    let mut seccomp = LinuxSeccomp::default();
    seccomp.set_default_action(Action::ScmpActErrno).set_default_errno_ret(Some(libc::ENOSYS as u32));
    seccomp.set_architectures(Some(architectures.to_vec())).set_syscalls(Some(syscalls));
    seccomp
}

fn build(native: Arch, seccomp: &LinuxSeccomp) -> Vec<Instruction> {
    let program = compile_for(native, seccomp).unwrap();
    check(program.instructions());
    program.instructions
}

fn call(audit: u32, number: u32, first: u64) -> Call {
    Call { number, audit, arguments: [first, 0, 0, 0, 0, 0] }
}

const ALL_X86: [Arch; 3] = [Arch::ScmpArchX86_64, Arch::ScmpArchX86, Arch::ScmpArchX32];

#[test]
fn each_interface_has_its_own_numbers() {
    let seccomp =
        profile(&ALL_X86, vec![rule(&["execve", "no_such_call"], Action::ScmpActAllow, None, vec![])]);
    let program = build(Arch::ScmpArchX86_64, &seccomp);
    let decide = |audit, number| run(&program, &call(audit, number, 0));
    assert_eq!(decide(X86_64, 59), ALLOW);
    assert_eq!(decide(X86_64, 520 | X32_BIT), ALLOW);
    assert_eq!(decide(X86_64, 59 | X32_BIT), ENOSYS);
    assert_eq!(decide(X86_64, 520), ENOSYS);
    assert_eq!(decide(X86, 11), ALLOW);
    assert_eq!(decide(X86, 59), ENOSYS);
    assert_eq!(decide(AARCH64, 221), FOREIGN);
}

#[test]
fn interfaces_that_are_not_listed_are_closed() {
    let seccomp = profile(&[], vec![rule(&["read"], Action::ScmpActAllow, None, vec![])]);
    let program = build(Arch::ScmpArchX86_64, &seccomp);
    assert_eq!(run(&program, &call(X86_64, 0, 0)), ALLOW);
    assert_eq!(run(&program, &call(X86_64, X32_BIT, 0)), FOREIGN);
    assert_eq!(run(&program, &call(X86_64, u32::MAX - 1, 0)), FOREIGN);
    assert_eq!(run(&program, &call(X86_64, u32::MAX, 0)), ENOSYS, "a call that a tracer cancelled");
    assert_eq!(run(&program, &call(X86, 3, 0)), FOREIGN);
}

#[test]
fn arm_machines_run_two_interfaces() {
    let allowed = rule(&["openat", "cacheflush", "open"], Action::ScmpActAllow, None, vec![]);
    let seccomp = profile(&[Arch::ScmpArchAarch64, Arch::ScmpArchArm, Arch::ScmpArchX86], vec![allowed]);
    let program = build(Arch::ScmpArchAarch64, &seccomp);
    let decide = |audit, number| run(&program, &call(audit, number, 0));
    assert_eq!(decide(AARCH64, 56), ALLOW);
    assert_eq!(decide(AARCH64, 5), ENOSYS);
    assert_eq!(decide(ARM, 322), ALLOW);
    assert_eq!(decide(ARM, 5), ALLOW);
    assert_eq!(decide(ARM, 0x0f_0002), ALLOW);
    assert_eq!(decide(ARM, 0x0f_0003), ENOSYS);
    assert_eq!(decide(X86, 11), FOREIGN);
    assert!(compile_for(Arch::ScmpArchS390x, &seccomp).is_err());
}

#[test]
fn a_rule_without_conditions_stands_above_others() {
    let conditional =
        |value| rule(&["kill"], Action::ScmpActAllow, None, vec![arg(0, Op::ScmpCmpEq, value, 0)]);
    let refused = rule(&["kill"], Action::ScmpActErrno, Some(1), vec![]);
    let open = rule(&["kill"], Action::ScmpActAllow, None, vec![]);
    let repeats_default = rule(&["kill"], Action::ScmpActErrno, Some(38), vec![]);
    let decide = |rules| run(&build(Arch::ScmpArchX86_64, &profile(&[], rules)), &call(X86_64, 62, 7));
    assert_eq!(decide(vec![conditional(7), refused.clone()]), EPERM);
    assert_eq!(decide(vec![refused.clone(), open.clone(), conditional(7)]), EPERM);
    assert_eq!(decide(vec![open.clone(), refused.clone()]), ALLOW);
    assert_eq!(decide(vec![repeats_default, open]), ALLOW);
    assert_eq!(decide(vec![conditional(8), conditional(7)]), ALLOW);
    assert_eq!(decide(vec![conditional(8)]), ENOSYS);
}

#[test]
fn several_conditions_on_one_argument_are_alternatives() {
    let both = vec![arg(0, Op::ScmpCmpEq, 1, 0), arg(0, Op::ScmpCmpEq, 2, 0)];
    let seccomp = profile(&[], vec![rule(&["kill"], Action::ScmpActAllow, None, both)]);
    let program = build(Arch::ScmpArchX86_64, &seccomp);
    let decide = |first| run(&program, &call(X86_64, 62, first));
    assert_eq!([decide(0), decide(1), decide(2), decide(3)], [ENOSYS, ALLOW, ALLOW, ENOSYS]);
}

#[test]
fn multiplexed_calls_follow_their_direct_ones() {
    let mut seccomp =
        profile(&ALL_X86, vec![rule(&["connect", "shmat"], Action::ScmpActErrno, Some(1), vec![])]);
    seccomp.set_default_action(Action::ScmpActAllow).set_default_errno_ret(None);
    let program = build(Arch::ScmpArchX86_64, &seccomp);
    let decide = |number, first| run(&program, &call(X86, number, first));
    assert_eq!([decide(362, 0), decide(102, 3), decide(102, 2)], [EPERM, EPERM, ALLOW]);
    assert_eq!([decide(397, 0), decide(117, 21), decide(117, 22)], [EPERM, EPERM, ALLOW]);
}

#[test]
fn arguments_of_narrow_interfaces_are_compared_by_their_low_half() {
    let condition = vec![arg(0, Op::ScmpCmpEq, 0xffff_ffff_ffff_ffff, 0)];
    let seccomp = profile(&ALL_X86, vec![rule(&["kill"], Action::ScmpActAllow, None, condition)]);
    let program = build(Arch::ScmpArchX86_64, &seccomp);
    assert_eq!(run(&program, &call(X86, 37, 0xffff_ffff)), ALLOW);
    assert_eq!(run(&program, &call(X86_64, 62, 0xffff_ffff)), ENOSYS);
    assert_eq!(run(&program, &call(X86_64, 62, u64::MAX)), ALLOW);
}

#[test]
fn every_action_has_its_value() {
    let values = [
        (Action::ScmpActKill, None, 0),
        (Action::ScmpActKillThread, None, 0),
        (Action::ScmpActKillProcess, None, 0x8000_0000),
        (Action::ScmpActTrap, None, 0x0003_0000),
        (Action::ScmpActErrno, None, 0x0005_0001),
        (Action::ScmpActErrno, Some(22), 0x0005_0016),
        (Action::ScmpActTrace, None, 0x7ff0_0001),
        (Action::ScmpActTrace, Some(77), 0x7ff0_004d),
        (Action::ScmpActNotify, None, 0x7fc0_0000),
        (Action::ScmpActLog, None, 0x7ffc_0000),
        (Action::ScmpActAllow, None, 0x7fff_0000),
    ];
    for (action, errno, value) in values {
        let program =
            build(Arch::ScmpArchX86_64, &profile(&[], vec![rule(&["read"], action, errno, vec![])]));
        assert_eq!(run(&program, &call(X86_64, 0, 0)), value, "{action:?}");
    }
}

#[test]
fn what_cannot_be_had_is_refused_by_name() {
    let refusal = |seccomp: &LinuxSeccomp| {
        compile_for(Arch::ScmpArchX86_64, seccomp).map(|_| ()).unwrap_err().chain().join(": ")
    };
    let with = |action, errno, args| profile(&[], vec![rule(&["read"], action, errno, args)]);
    assert!(refusal(&with(Action::ScmpActErrno, Some(4096), vec![])).contains("errno 4096"));
    assert!(refusal(&with(Action::ScmpActTrace, Some(65536), vec![])).contains("65536"));
    let args = vec![arg(6, Op::ScmpCmpEq, 0, 0)];
    assert!(refusal(&with(Action::ScmpActAllow, None, args)).contains("argument 6"));
    let mut flagged = with(Action::ScmpActAllow, None, vec![]);
    flagged.set_flags(Some(vec![Flag::SeccompFilterFlagWaitKillableRecv]));
    assert!(refusal(&flagged).contains("WAIT_KILLABLE"));
    let many = (0..2000).map(|value| {
        rule(&["read"], Action::ScmpActAllow, None, vec![arg(0, Op::ScmpCmpEq, value << 32, 0)])
    });
    assert!(refusal(&profile(&[], many.collect())).contains("instructions"));
}

#[test]
fn flags_are_those_listed_or_the_default() {
    let compiled = |flags| {
        let mut seccomp = profile(&[], vec![]);
        seccomp.set_flags(flags);
        compile_for(Arch::ScmpArchX86_64, &seccomp).unwrap().flags()
    };
    assert_eq!(compiled(None), Flags::SPEC_ALLOW);
    assert_eq!(compiled(Some(vec![])), Flags::NONE);
    let listed = vec![Flag::SeccompFilterFlagTsync, Flag::SeccompFilterFlagLog];
    assert_eq!(compiled(Some(listed)), Flags::TSYNC.union(Flags::LOG));
}

#[test]
fn calls_that_are_newer_than_the_profile_look_unknown() {
    let strict = |architectures: &[Arch]| {
        let allowed = rule(&["read", "openat2", "cacheflush"], Action::ScmpActAllow, None, vec![]);
        let mut seccomp = profile(architectures, vec![allowed]);
        seccomp.set_default_errno_ret(None);
        seccomp
    };
    // openat2 is 437 everywhere, faccessat2 439.
    let program = build(Arch::ScmpArchX86_64, &strict(&ALL_X86));
    let decide = |audit, number| run(&program, &call(audit, number, 0));
    assert_eq!([decide(X86_64, 437), decide(X86_64, 1), decide(X86_64, 439)], [ALLOW, EPERM, ENOSYS]);
    assert_eq!([decide(X86, 437), decide(X86, 1), decide(X86, 439)], [ALLOW, EPERM, ENOSYS]);
    let x32 = |number| decide(X86_64, X32_BIT | number);
    assert_eq!([x32(437), x32(1), x32(439)], [ALLOW, EPERM, ENOSYS]);
    let program = build(Arch::ScmpArchX86_64, &strict(&[]));
    let decide = |number| run(&program, &call(X86_64, number, 0));
    assert_eq!([decide(439), decide(X32_BIT | 1), decide(u32::MAX)], [ENOSYS, FOREIGN, EPERM]);
    let program = build(Arch::ScmpArchAarch64, &strict(&[Arch::ScmpArchArm]));
    let decide = |audit, number| run(&program, &call(audit, number, 0));
    assert_eq!([decide(AARCH64, 437), decide(AARCH64, 1), decide(AARCH64, 439)], [ALLOW, EPERM, ENOSYS]);
    assert_eq!([decide(ARM, 439), decide(ARM, 0x0f_0002), decide(ARM, 0x0f_0003)], [ENOSYS, ALLOW, ENOSYS]);
    for permissive in [Action::ScmpActAllow, Action::ScmpActLog, Action::ScmpActTrace] {
        let mut seccomp = strict(&[]);
        seccomp.set_default_action(permissive);
        let program = build(Arch::ScmpArchX86_64, &seccomp);
        assert_eq!(run(&program, &call(X86_64, 439, 0)), value_of(permissive, None).unwrap());
    }
    let mut killing = strict(&[]);
    killing.set_default_action(Action::ScmpActKillProcess);
    let program = build(Arch::ScmpArchX86_64, &killing);
    assert_eq!(run(&program, &call(X86_64, 1, 0)), libc::SECCOMP_RET_KILL_PROCESS);
    assert_eq!(run(&program, &call(X86_64, 1000, 0)), ENOSYS);
}

#[test]
fn an_agent_decides_what_it_is_asked_for() {
    let mut seccomp = profile(&[], vec![rule(&["sync"], Action::ScmpActNotify, None, vec![])]);
    seccomp.set_default_action(Action::ScmpActAllow).set_default_errno_ret(None);
    seccomp.set_flags(Some(vec![Flag::SeccompFilterFlagTsync, Flag::SeccompFilterFlagWaitKillableRecv]));
    let program = compile(&seccomp).unwrap();
    assert!(program.notifies());
    // Only this thread is bound, and it asks for nothing.
    let installed = std::thread::spawn(move || {
        rustix::thread::set_no_new_privs(true).unwrap();
        crate::sys::seccomp::install_listening(program.instructions(), program.flags())
    });
    assert!(installed.join().unwrap().is_ok());
    assert!(!compile(&profile(&[], vec![])).unwrap().notifies());
}

#[test]
fn the_kernel_takes_a_compiled_program() {
    let far = vec![arg(1, Op::ScmpCmpGt, 0x1_0000_0000, 0)];
    let mut seccomp = profile(&ALL_X86, vec![rule(&["lseek"], Action::ScmpActErrno, Some(33), far)]);
    seccomp.set_default_action(Action::ScmpActAllow).set_default_errno_ret(None);
    let program = compile(&seccomp).unwrap();
    // Only this thread is bound.
    let results = std::thread::spawn(move || {
        rustix::thread::set_no_new_privs(true).unwrap();
        crate::sys::seccomp::install(program.instructions(), program.flags()).unwrap();
        let mut file = std::fs::File::open("/dev/null").unwrap();
        [1, 0x1_0000_0000, 0x1_0000_0001, 0x2_0000_0000]
            .map(|offset| file.seek(SeekFrom::Start(offset)).err().and_then(|error| error.raw_os_error()))
    });
    assert_eq!(results.join().unwrap(), [None, None, Some(33), Some(33)]);
}

fn native_number(name: &str) -> u32 {
    table::X86_64.number(&table::Name::new(name)).unwrap()
}

fn x32_number(name: &str) -> u32 {
    table::x32_number(native_number(name)).unwrap()
}

/// The decision on a call of the interface with these numbers, read straight from the profile.
fn plain_reading(seccomp: &LinuxSeccomp, name: &str, arguments: &[u64; 6], number: fn(&str) -> u32) -> u32 {
    let value = |action, errno| value_of(action, errno).unwrap();
    let default = value(seccomp.default_action(), seccomp.default_errno_ret());
    let about = |syscall: &&LinuxSyscall| {
        syscall.names().iter().any(|own| own == name)
            && value(syscall.action(), syscall.errno_ret()) != default
    };
    let holds = |arg: &LinuxSeccompArg| {
        let actual = arguments[arg.index()];
        match arg.op() {
            Op::ScmpCmpNe => actual != arg.value(),
            Op::ScmpCmpLt => actual < arg.value(),
            Op::ScmpCmpLe => actual <= arg.value(),
            Op::ScmpCmpEq => actual == arg.value(),
            Op::ScmpCmpGe => actual >= arg.value(),
            Op::ScmpCmpGt => actual > arg.value(),
            Op::ScmpCmpMaskedEq => actual & arg.value() == arg.value_two().unwrap() & arg.value(),
        }
    };
    let args = |syscall: &LinuxSyscall| syscall.args().clone().unwrap_or_default();
    let matches = |syscall: &&LinuxSyscall| {
        let args = args(syscall);
        let repeated = args.iter().enumerate().any(|(i, a)| args[..i].iter().any(|b| a.index() == b.index()));
        if repeated { args.iter().any(holds) } else { args.iter().all(holds) }
    };
    let rules = || seccomp.syscalls().iter().flatten().filter(about);
    let decisive = rules().find(|syscall| args(syscall).is_empty()).or_else(|| rules().find(matches));
    let named = || seccomp.syscalls().iter().flatten().flat_map(LinuxSyscall::names);
    let newest = named().map(|own| number(own)).max();
    let permissive = [libc::SECCOMP_RET_ALLOW, libc::SECCOMP_RET_LOG, libc::SECCOMP_RET_TRACE];
    let hides = seccomp.default_errno_ret().is_none()
        && !permissive.contains(&(default & libc::SECCOMP_RET_ACTION_FULL));
    let default = match newest {
        Some(newest) if hides && number(name) > newest => ENOSYS,
        _ => default,
    };
    decisive.map_or(default, |syscall| value(syscall.action(), syscall.errno_ret()))
}

const NAMES: [&str; 12] = [
    "read",
    "write",
    "close",
    "kill",
    "clone",
    "socket",
    "personality",
    "ioctl",
    "futex_waitv",
    "openat2",
    "file_setattr",
    "mq_open",
];

/// Values that are close to each other and to the edges of their halves.
fn any_value() -> impl Strategy<Value = u64> {
    let half = || prop_oneof![Just(0u32), Just(1), Just(2), Just(u32::MAX - 1), Just(u32::MAX), any::<u32>()];
    (half(), half()).prop_map(|(high, low)| u64::from(high) << 32 | u64::from(low))
}

fn any_action() -> impl Strategy<Value = (Action, Option<u32>)> {
    prop_oneof![
        Just((Action::ScmpActAllow, None)),
        Just((Action::ScmpActErrno, None)),
        Just((Action::ScmpActErrno, Some(38))),
        Just((Action::ScmpActLog, None)),
        Just((Action::ScmpActTrace, Some(9))),
        Just((Action::ScmpActKillProcess, None)),
    ]
}

fn any_op() -> impl Strategy<Value = Op> {
    prop::sample::select(vec![
        Op::ScmpCmpNe,
        Op::ScmpCmpLt,
        Op::ScmpCmpLe,
        Op::ScmpCmpEq,
        Op::ScmpCmpGe,
        Op::ScmpCmpGt,
        Op::ScmpCmpMaskedEq,
    ])
}

fn any_rule() -> impl Strategy<Value = LinuxSyscall> {
    let args = (0..6usize, any_op(), any_value(), any_value())
        .prop_map(|(index, op, value, two)| arg(index, op, value, two));
    (prop::sample::subsequence(&NAMES[..], 1..4), any_action(), prop::collection::vec(args, 0..4))
        .prop_map(|(names, (action, errno), args)| rule(&names, action, errno, args))
}

proptest! {
    #[test]
    fn programs_decide_as_the_profile_reads(
        rules in prop::collection::vec(any_rule(), 0..60),
        default in any_action(),
        calls in prop::collection::vec((prop::sample::select(&NAMES[..]), any::<[prop::sample::Index; 6]>()), 30),
        others in prop::collection::vec(any_value(), 8),
    ) {
        let mut seccomp = profile(&ALL_X86, rules);
        seccomp.set_default_action(default.0).set_default_errno_ret(default.1);
        let program = build(Arch::ScmpArchX86_64, &seccomp);
        // Arguments that rules ask about, their neighbours, and others.
        let asked = seccomp.syscalls().iter().flatten().flat_map(|syscall| syscall.args().iter().flatten());
        let mut values: Vec<u64> = asked
            .flat_map(|arg| [arg.value(), arg.value().wrapping_add(1), arg.value_two().unwrap()])
            .collect();
        values.extend(others);
        for (name, picks) in calls {
            let arguments = picks.map(|pick| *pick.get(&values));
            let number = native_number(name);
            let call = Call { number, audit: X86_64, arguments };
            prop_assert_eq!(run(&program, &call), plain_reading(&seccomp, name, &arguments, native_number), "{} {:x?}", name, arguments);
            // The narrow interfaces see the low halves of values and arguments.
            let low = |value: u64| value & 0xffff_ffff;
            let narrow_call = Call { number: X32_BIT | x32_number(name), ..call };
            let mut narrow = seccomp.clone();
            let mut syscalls = seccomp.syscalls().clone().unwrap();
            for syscall in syscalls.iter_mut() {
                let args = syscall.args().iter().flatten();
                let args = args.map(|a| arg(a.index(), a.op(), low(a.value()), low(a.value_two().unwrap())));
                syscall.set_args(Some(args.collect()));
            }
            narrow.set_syscalls(Some(syscalls));
            let expected = plain_reading(&narrow, name, &arguments.map(low), x32_number);
            prop_assert_eq!(run(&program, &narrow_call), expected, "x32 {} {:x?}", name, arguments);
        }
    }
}
