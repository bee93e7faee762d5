//! Classic BPF, assembled from its last instruction to its first: jumps only go forward, so the distance of
//! every jump is known when it is written.

use crate::sys::seccomp::Instruction;

// linux/bpf_common.h: class | size or operation | mode or source.
pub(super) const LOAD: u16 = 0x20;
pub(super) const AND: u16 = 0x54;
pub(super) const JUMP: u16 = 0x05;
pub(super) const JUMP_EQUAL: u16 = 0x15;
pub(super) const JUMP_GREATER: u16 = 0x25;
pub(super) const JUMP_GREATER_EQUAL: u16 = 0x35;
pub(super) const RETURN: u16 = 0x06;

/// Where a jump goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To an instruction that is already written.
    At(Label),
    /// To any instruction that returns this value.
    Return(u32),
}

/// An instruction's distance from the end of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

/// A conditional jump skips up to 255 instructions; one is kept back for the detour of its other branch.
const REACH: usize = 255;

/// A program under construction.
#[derive(Default)]
pub(super) struct Assembler {
    /// Last instruction first.
    code: Vec<Instruction>,
    /// The nearest return of each value.
    returns: Vec<(u32, Label)>,
}

impl Assembler {
    pub(super) fn with_capacity(instructions: usize) -> Self {
        Self { code: Vec::with_capacity(instructions), returns: Vec::new() }
    }

    /// Writes `operation operand` before what is written, and falls through to `next`.
    pub(super) fn step(&mut self, operation: u16, operand: u32, next: Target) -> Target {
        let next = self.near(next);
        if next.0 + 1 != self.code.len() {
            self.jump(next);
        }
        self.push(Instruction { code: operation, jt: 0, jf: 0, k: operand })
    }

    /// Writes a comparison of the accumulator with `operand`.
    pub(super) fn branch(&mut self, operation: u16, operand: u32, yes: Target, no: Target) -> Target {
        if yes == no {
            return yes;
        }
        let yes = self.near(yes);
        let no = self.near(no);
        let (jt, jf) = (self.skip(yes), self.skip(no));
        self.push(Instruction { code: operation, jt, jf, k: operand })
    }

    /// The program that begins with `first`.
    pub(super) fn finish(mut self, first: Target) -> Vec<Instruction> {
        let first = self.near(first);
        self.code.truncate(first.0 + 1);
        self.code.reverse();
        self.code
    }

    /// A label for `target` that a branch written next or next but one can reach.
    fn near(&mut self, target: Target) -> Label {
        match target {
            Target::At(label) if self.code.len() - label.0 <= REACH => label,
            Target::At(label) => self.jump(label),
            Target::Return(value) => {
                let known = self.returns.iter().position(|(own, _)| *own == value);
                if let Some(i) = known
                    && self.code.len() - self.returns[i].1.0 <= REACH
                {
                    return self.returns[i].1;
                }
                let label = self.write(Instruction { code: RETURN, jt: 0, jf: 0, k: value });
                match known {
                    Some(i) => self.returns[i].1 = label,
                    None => self.returns.push((value, label)),
                }
                label
            }
        }
    }

    /// An unconditional jump, whose operand is wide enough for any distance.
    fn jump(&mut self, to: Label) -> Label {
        let distance = self.code.len() - to.0 - 1;
        // A program is far shorter than 2^32 instructions; its length is checked at the end.
        self.write(Instruction { code: JUMP, jt: 0, jf: 0, k: distance as u32 })
    }

    fn skip(&self, to: Label) -> u8 {
        u8::try_from(self.code.len() - to.0 - 1).unwrap_or_else(|_| unreachable!("near() keeps within reach"))
    }

    fn write(&mut self, instruction: Instruction) -> Label {
        self.code.push(instruction);
        Label(self.code.len() - 1)
    }

    fn push(&mut self, instruction: Instruction) -> Target {
        Target::At(self.write(instruction))
    }
}
