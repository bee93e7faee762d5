//! What a profile says about each system call of one audit architecture, by number.
//!
//! Where several rules name a call, they are weighed as libseccomp does: a rule without conditions stands
//! above all that have some, and the first such rule above later ones; of rules with conditions the first
//! that holds decides.

use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompOperator, LinuxSyscall,
};

use super::table::{self, Name, Table, X32_BIT};
use crate::error::{Context, Error, Result};

/// A comparison of one argument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Condition {
    /// Which argument: 0 to 5.
    pub(super) argument: u8,
    pub(super) comparison: Comparison,
    pub(super) value: u64,
    /// Whether the comparison has to hold (or not to hold).
    pub(super) holds: bool,
}

/// How an argument is compared; the other operators are negations of these.
#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    /// Under this mask.
    Equal(u64),
    Greater,
    GreaterOrEqual,
}

/// What happens if all conditions hold.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) action: u32,
    pub(super) conditions: Vec<Condition>,
}

/// The decision on a range of system call numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The same value for all of them.
    Return(u32),
    /// The first of these rules (by index) whose conditions hold, else the default.
    Rules(Vec<usize>),
}

/// Numbers from `start` to the next range's.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) start: u32,
    pub(super) verdict: Verdict,
}

/// All that a profile says, before it is looked at by architecture.
pub(super) struct Rules<'a> {
    pub(super) default: u32,
    pub(super) list: Vec<Rule>,
    /// Which calls they are about, in the order of the rules.
    mentions: Vec<Mention<'a>>,
    /// Every call that the profile names, if calls that are newer than all of these are to look unknown.
    known: Option<Vec<Name<'a>>>,
}

/// A rule's word on one call.
struct Mention<'a> {
    rule: u32,
    name: Name<'a>,
    /// Whether it stands for a multiplexed call of 32-bit x86, which is the only one that has them.
    only_x86: bool,
}

/// The interfaces that one audit architecture serves.
#[derive(Clone, Copy)]
pub(super) struct Block {
    /// `AUDIT_ARCH_*` (linux/audit.h).
    pub(super) audit: u32,
    table: &'static Table,
    /// Whether the numbers with [`X32_BIT`] are open; `None` where there are none.
    x32: Option<bool>,
    /// Whether arguments are 32 bits wide.
    narrow: bool,
}

impl Block {
    /// The interfaces of a machine of the `native` architecture that a filter for `listed` serves. The
    /// native one is always among them; what the machine cannot run is left out.
    pub(super) fn of(native: Arch, listed: &[Arch]) -> Result<Vec<Block>> {
        let block = |audit: Arch, table, narrow| Block { audit: audit as u32, table, x32: None, narrow };
        let has = |arch| listed.contains(&arch);
        let mut blocks = Vec::with_capacity(2);
        match native {
            Arch::ScmpArchX86_64 => {
                let x32 = Some(has(Arch::ScmpArchX32));
                blocks.push(Block { x32, ..block(Arch::ScmpArchX86_64, &table::X86_64, false) });
                if has(Arch::ScmpArchX86) {
                    blocks.push(block(Arch::ScmpArchX86, &table::X86, true));
                }
            }
            Arch::ScmpArchAarch64 => {
                blocks.push(block(Arch::ScmpArchAarch64, &table::AARCH64, false));
                if has(Arch::ScmpArchArm) {
                    blocks.push(block(Arch::ScmpArchArm, &table::ARM, true));
                }
            }
            other => return Err(Error::unsupported(format!("no system call table for {other}"))),
        }
        Ok(blocks)
    }

    fn is_x86(&self) -> bool {
        self.audit == Arch::ScmpArchX86 as u32
    }

    /// Whether the arguments of call `number` are 32 bits wide.
    pub(super) fn is_narrow(&self, number: u32) -> bool {
        self.narrow || (self.x32.is_some() && number >= X32_BIT)
    }
}

impl<'a> Rules<'a> {
    /// Reads `seccomp`; `x86` says whether 32-bit x86 is among the architectures.
    pub(super) fn read(seccomp: &'a LinuxSeccomp, x86: bool) -> Result<Self> {
        let default = value_of(seccomp.default_action(), seccomp.default_errno_ret())
            .context(|| "the default action of the seccomp profile")?;
        let stated = seccomp.default_errno_ret().is_some();
        let known = (!stated && hides_new_calls(default)).then(Vec::new);
        let mut rules = Rules { default, list: Vec::new(), mentions: Vec::with_capacity(1024), known };
        for syscall in seccomp.syscalls().iter().flatten() {
            rules.add(syscall, x86).context(|| {
                format!(
                    "the seccomp rule for {}",
                    syscall.names().first().map_or("no system call", String::as_str)
                )
            })?;
        }
        Ok(rules)
    }

    fn add(&mut self, syscall: &'a LinuxSyscall, x86: bool) -> Result<()> {
        let action = value_of(syscall.action(), syscall.errno_ret())?;
        if let Some(known) = &mut self.known {
            known.extend(syscall.names().iter().map(|name| Name::new(name)));
        }
        // As in libseccomp, what repeats the default is no rule: it does not stand above others.
        if action == self.default {
            return Ok(());
        }
        let arguments = syscall.args().as_deref().unwrap_or_default();
        let conditions = arguments.iter().map(condition).collect::<Result<Vec<_>>>()?;
        let names: Vec<Name<'a>> = syscall.names().iter().map(|name| Name::new(name)).collect();
        if conditions.is_empty() {
            self.push(action, Vec::new(), &names);
            if x86 {
                self.add_multiplexed(action, &names);
            }
        } else if has_duplicates(&conditions) {
            // runc and crun read several conditions on one argument as alternatives, since libseccomp
            // takes one for each; profiles are written for that.
            for condition in conditions {
                self.push(action, vec![condition], &names);
            }
        } else {
            self.push(action, conditions, &names);
        }
        Ok(())
    }

    /// A rule for `connect` is one for `socketcall(SYS_CONNECT, …)`, too. Not with conditions: the arguments
    /// are in memory there, where a filter cannot see them.
    fn add_multiplexed(&mut self, action: u32, names: &[Name<'a>]) {
        for (multiplexer, value) in names.iter().filter_map(table::x86_multiplexed) {
            let comparison = Comparison::Equal(u64::MAX);
            let condition = Condition { argument: 0, comparison, value, holds: true };
            let rule = self.list.len() as u32;
            self.list.push(Rule { action, conditions: vec![condition] });
            self.mentions.push(Mention { rule, name: Name::new(multiplexer), only_x86: true });
        }
    }

    fn push(&mut self, action: u32, conditions: Vec<Condition>, names: &[Name<'a>]) {
        let rule = self.list.len() as u32;
        self.list.push(Rule { action, conditions });
        self.mentions.extend(names.iter().map(|name| Mention { rule, name: *name, only_x86: false }));
    }

    /// The decisions on all numbers of `block`, in order, the first range beginning at 0.
    pub(super) fn ranges(&self, block: &Block, refused: u32) -> Vec<Range> {
        let entries = self.entries(block);
        let mut groups = entries.chunk_by(|a, b| a.number() == b.number()).peekable();
        let segments = self.segments(block, refused);
        let mut ranges = Vec::with_capacity(256);
        for (i, (start, base)) in segments.iter().enumerate() {
            let end = segments.get(i + 1).map_or(1 << 32, |next| u64::from(next.0));
            let mut next = *start;
            while let Some(group) = groups.next_if(|group| u64::from(group[0].number()) < end) {
                let number = group[0].number();
                if number > next {
                    push(&mut ranges, next, Verdict::Return(*base));
                }
                push(&mut ranges, number, self.verdict(group));
                // The numbers of calls end far below the type's last.
                next = number + 1;
            }
            if u64::from(next) < end {
                push(&mut ranges, next, Verdict::Return(*base));
            }
        }
        ranges
    }

    /// What holds for the numbers that no rule is about: each from its start to the next one's.
    fn segments(&self, block: &Block, refused: u32) -> Vec<(u32, u32)> {
        let unknown = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;
        let mut segments = vec![(0, self.default)];
        let newest = |number: fn(u32) -> Option<u32>| {
            let known = self.known.as_ref()?;
            known.iter().filter_map(|name| block.table.number(name)).filter_map(number).max()
        };
        // A table's private calls lie far above those that Linux adds.
        if let Some(newest) = newest(|number| (number < PRIVATE).then_some(number)) {
            segments.push((newest + 1, unknown));
        }
        match block.x32 {
            None => {}
            Some(true) => {
                segments.push((X32_BIT, self.default));
                if let Some(newest) = newest(table::x32_number) {
                    segments.push(((newest | X32_BIT) + 1, unknown));
                }
            }
            // A tracer cancels a call by making its number -1, which is no x32 call.
            Some(false) => segments.extend([(X32_BIT, refused), (u32::MAX, self.default)]),
        }
        segments
    }

    /// Every number that a rule is about, with the rules' indices, sorted.
    fn entries(&self, block: &Block) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(2 * self.mentions.len());
        for mention in self.mentions.iter().filter(|mention| block.is_x86() || !mention.only_x86) {
            // A name that the architecture does not have is none of its business.
            let Some(number) = block.table.number(&mention.name) else { continue };
            entries.push(Entry::new(number, mention.rule));
            if block.x32 == Some(true)
                && let Some(number) = table::x32_number(number)
            {
                entries.push(Entry::new(number | X32_BIT, mention.rule));
            }
        }
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    fn verdict(&self, group: &[Entry]) -> Verdict {
        let rules = group.iter().map(|entry| entry.rule());
        match rules.clone().find(|rule| self.list[*rule].conditions.is_empty()) {
            Some(rule) => Verdict::Return(self.list[rule].action),
            None => Verdict::Rules(rules.collect()),
        }
    }
}

/// As runc: a program that tries a call that was added to Linux after the profile was written has to hear that
/// there is no such call (ENOSYS), or it will not fall back to an older one. Tracers answer for themselves, and a profile
/// that states its errno means it.
fn hides_new_calls(default: u32) -> bool {
    let permissive = [libc::SECCOMP_RET_ALLOW, libc::SECCOMP_RET_LOG, libc::SECCOMP_RET_TRACE];
    !permissive.contains(&(default & libc::SECCOMP_RET_ACTION_FULL))
}

/// The first number of calls that an architecture has for itself (`__ARM_NR_BASE`).
const PRIVATE: u32 = 0x0f_0000;

/// A number and the index of a rule, in one word that sorts fast.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(u64);

impl Entry {
    fn new(number: u32, rule: u32) -> Self {
        Entry(u64::from(number) << 32 | u64::from(rule))
    }

    fn number(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn rule(self) -> usize {
        self.0 as u32 as usize
    }
}

/// Appends a range, or lets the one before go on where the verdict is the same.
fn push(ranges: &mut Vec<Range>, start: u32, verdict: Verdict) {
    if ranges.last().is_none_or(|last| last.verdict != verdict) {
        ranges.push(Range { start, verdict });
    }
}

fn has_duplicates(conditions: &[Condition]) -> bool {
    (1..conditions.len())
        .any(|i| conditions[..i].iter().any(|earlier| earlier.argument == conditions[i].argument))
}

/// The value that a filter returns for `action` (linux/seccomp.h).
pub(super) fn value_of(action: LinuxSeccompAction, errno: Option<u32>) -> Result<u32> {
    let errno = errno.unwrap_or(libc::EPERM as u32);
    match action {
        LinuxSeccompAction::ScmpActKill | LinuxSeccompAction::ScmpActKillThread => {
            Ok(libc::SECCOMP_RET_KILL_THREAD)
        }
        LinuxSeccompAction::ScmpActKillProcess => Ok(libc::SECCOMP_RET_KILL_PROCESS),
        LinuxSeccompAction::ScmpActTrap => Ok(libc::SECCOMP_RET_TRAP),
        LinuxSeccompAction::ScmpActLog => Ok(libc::SECCOMP_RET_LOG),
        LinuxSeccompAction::ScmpActAllow => Ok(libc::SECCOMP_RET_ALLOW),
        LinuxSeccompAction::ScmpActErrno if errno > MAX_ERRNO => {
            Err(Error::invalid(format!("errno {errno} is not between 0 and {MAX_ERRNO}")))
        }
        LinuxSeccompAction::ScmpActErrno => Ok(libc::SECCOMP_RET_ERRNO | errno),
        LinuxSeccompAction::ScmpActTrace if errno > libc::SECCOMP_RET_DATA => {
            Err(Error::invalid(format!("the tracer's value {errno} is longer than 16 bits")))
        }
        LinuxSeccompAction::ScmpActTrace => Ok(libc::SECCOMP_RET_TRACE | errno),
        LinuxSeccompAction::ScmpActNotify => Ok(libc::SECCOMP_RET_USER_NOTIF),
    }
}

/// The kernel returns no larger one (include/linux/err.h).
const MAX_ERRNO: u32 = 4095;

fn condition(argument: &LinuxSeccompArg) -> Result<Condition> {
    let index = u8::try_from(argument.index()).ok().filter(|index| *index < 6);
    let Some(index) = index else {
        return Err(Error::invalid(format!("argument {} of a system call (0 to 5 exist)", argument.index())));
    };
    let value = argument.value();
    let (comparison, value, holds) = match argument.op() {
        LinuxSeccompOperator::ScmpCmpEq => (Comparison::Equal(u64::MAX), value, true),
        LinuxSeccompOperator::ScmpCmpNe => (Comparison::Equal(u64::MAX), value, false),
        LinuxSeccompOperator::ScmpCmpGt => (Comparison::Greater, value, true),
        LinuxSeccompOperator::ScmpCmpLe => (Comparison::Greater, value, false),
        LinuxSeccompOperator::ScmpCmpGe => (Comparison::GreaterOrEqual, value, true),
        LinuxSeccompOperator::ScmpCmpLt => (Comparison::GreaterOrEqual, value, false),
        // The first value is the mask, the second what has to be under it.
        LinuxSeccompOperator::ScmpCmpMaskedEq => {
            (Comparison::Equal(value), argument.value_two().unwrap_or(0) & value, true)
        }
    };
    Ok(Condition { argument: index, comparison, value, holds })
}
