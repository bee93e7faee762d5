//! From the OCI form of a system call filter to a BPF program.
//!
//! ```text
//! LinuxSeccomp -> rules (by number, weighed as libseccomp does) -> ranges of equal decision
//!              -> a binary tree of comparisons an architecture -> classic BPF
//! ```
//!
//! A tree, since the kernel runs a new filter once for every system call number in order to remember which
//! are always allowed: against a list, as libseccomp writes it by default, that takes most of a millisecond.

mod assembler;
mod rules;
mod table;

use oci_spec::runtime::{Arch, LinuxSeccomp, LinuxSeccompFilterFlag};

use crate::error::{Error, Result};
use crate::sys::seccomp::{Flags, Instruction, MAX_INSTRUCTIONS, NATIVE};
use assembler::{Assembler, Target};
use rules::{Block, Comparison, Condition, Range, Rule, Rules, Verdict};

/// A compiled filter, ready for [`crate::sys::seccomp::install`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    instructions: Vec<Instruction>,
    flags: Flags,
    notifies: bool,
}

impl Program {
    /// The instructions.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// Whether it leaves decisions to an agent.
    pub fn notifies(&self) -> bool {
        self.notifies
    }

    /// How the filter is to be installed.
    pub fn flags(&self) -> Flags {
        self.flags
    }
}

/// Compiles `seccomp` for this machine. An error names the rule that cannot be had.
pub fn compile(seccomp: &LinuxSeccomp) -> Result<Program> {
    compile_for(NATIVE, seccomp)
}

/// A call through an interface that the profile does not list ends the process, as with libseccomp.
const FOREIGN: u32 = libc::SECCOMP_RET_KILL_PROCESS;

// Offsets in struct seccomp_data.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

fn compile_for(native: Arch, seccomp: &LinuxSeccomp) -> Result<Program> {
    let blocks = Block::of(native, seccomp.architectures().as_deref().unwrap_or_default())?;
    let x86 = blocks.iter().any(|block| block.audit == Arch::ScmpArchX86 as u32);
    let rules = Rules::read(seccomp, x86)?;
    let mut assembler = Assembler::with_capacity(1024);
    let mut entry = Target::Return(FOREIGN);
    // The first block, the native one, is written last and so comes first.
    for block in blocks.iter().rev() {
        let ranges = rules.ranges(block, FOREIGN);
        let tree = Tree { rules: &rules, block }.write(&mut assembler, &ranges);
        let body = assembler.step(assembler::LOAD, NUMBER, tree);
        entry = assembler.branch(assembler::JUMP_EQUAL, block.audit, body, entry);
    }
    let first = assembler.step(assembler::LOAD, ARCHITECTURE, entry);
    let instructions = assembler.finish(first);
    if instructions.len() > MAX_INSTRUCTIONS {
        return Err(Error::unsupported(format!(
            "the seccomp profile needs {} instructions, the kernel takes {MAX_INSTRUCTIONS}",
            instructions.len()
        )));
    }
    let notifies = rules.list.iter().any(|rule| rule.action == libc::SECCOMP_RET_USER_NOTIF);
    let flags = flags(seccomp.flags().as_deref(), notifies)?;
    Ok(Program { instructions, flags, notifies })
}

fn flags(listed: Option<&[LinuxSeccompFilterFlag]>, notifies: bool) -> Result<Flags> {
    // runc's default, so that kernels before 5.16 do not slow a container down for having a filter.
    let Some(listed) = listed else { return Ok(Flags::SPEC_ALLOW) };
    let flag = |flag: &LinuxSeccompFilterFlag| match flag {
        LinuxSeccompFilterFlag::SeccompFilterFlagTsync => Ok(Flags::TSYNC),
        LinuxSeccompFilterFlag::SeccompFilterFlagLog => Ok(Flags::LOG),
        LinuxSeccompFilterFlag::SeccompFilterFlagSpecAllow => Ok(Flags::SPEC_ALLOW),
        LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv if notifies => {
            Ok(Flags::WAIT_KILLABLE_RECV)
        }
        LinuxSeccompFilterFlag::SeccompFilterFlagWaitKillableRecv => {
            Err(Error::invalid("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule of SCMP_ACT_NOTIFY"))
        }
    };
    listed.iter().try_fold(Flags::NONE, |all, next| Ok(all.union(flag(next)?)))
}

/// Writes the decisions of one architecture.
struct Tree<'a> {
    rules: &'a Rules<'a>,
    block: &'a Block,
}

impl Tree<'_> {
    /// The comparisons that find the range of the number in the accumulator.
    fn write(&self, assembler: &mut Assembler, ranges: &[Range]) -> Target {
        if let [range] = ranges {
            return self.leaf(assembler, range);
        }
        let (lower, upper) = ranges.split_at(ranges.len() / 2);
        let yes = self.write(assembler, upper);
        let no = self.write(assembler, lower);
        assembler.branch(assembler::JUMP_GREATER_EQUAL, upper[0].start, yes, no)
    }

    fn leaf(&self, assembler: &mut Assembler, range: &Range) -> Target {
        match &range.verdict {
            Verdict::Return(value) => Target::Return(*value),
            Verdict::Rules(rules) => {
                let narrow = self.block.is_narrow(range.start);
                let default = Target::Return(self.rules.default);
                rules.iter().rev().fold(default, |otherwise, rule| {
                    write_rule(assembler, &self.rules.list[*rule], narrow, otherwise)
                })
            }
        }
    }
}

/// All conditions hold: the rule's action; else on to `otherwise`.
fn write_rule(assembler: &mut Assembler, rule: &Rule, narrow: bool, otherwise: Target) -> Target {
    rule.conditions.iter().rev().fold(Target::Return(rule.action), |then, condition| {
        let (yes, no) = if condition.holds { (then, otherwise) } else { (otherwise, then) };
        write_condition(assembler, condition, narrow, yes, no)
    })
}

/// A 64-bit comparison in 32-bit halves, the upper first.
fn write_condition(
    assembler: &mut Assembler,
    condition: &Condition,
    narrow: bool,
    yes: Target,
    no: Target,
) -> Target {
    let low_half = ARGUMENTS + 8 * u32::from(condition.argument);
    let high_half = low_half + 4;
    let (high, low) = halves(condition.value);
    match condition.comparison {
        Comparison::Equal(mask) => {
            let (high_mask, low_mask) = halves(mask);
            let mut equal = |half, mask, value, yes| {
                if mask == 0 {
                    return yes;
                }
                let mut start = assembler.branch(assembler::JUMP_EQUAL, value, yes, no);
                if mask != u32::MAX {
                    start = assembler.step(assembler::AND, mask, start);
                }
                assembler.step(assembler::LOAD, half, start)
            };
            let low = equal(low_half, low_mask, low, yes);
            if narrow { low } else { equal(high_half, high_mask, high, low) }
        }
        Comparison::Greater | Comparison::GreaterOrEqual => {
            let jump = match condition.comparison {
                Comparison::Greater => assembler::JUMP_GREATER,
                _ => assembler::JUMP_GREATER_EQUAL,
            };
            let low = assembler.branch(jump, low, yes, no);
            let low = assembler.step(assembler::LOAD, low_half, low);
            if narrow {
                return low;
            }
            let same = assembler.branch(assembler::JUMP_EQUAL, high, low, no);
            let above = assembler.branch(assembler::JUMP_GREATER, high, yes, same);
            assembler.step(assembler::LOAD, high_half, above)
        }
    }
}

fn halves(value: u64) -> (u32, u32) {
    ((value >> 32) as u32, value as u32)
}

#[cfg(test)]
mod interpreter;
#[cfg(test)]
mod tests;
