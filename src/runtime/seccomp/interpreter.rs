//! The kernel's part, for tests: which programs it takes, and what they return.

use super::assembler::{AND, JUMP, JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_EQUAL, LOAD, RETURN};
use crate::sys::seccomp::{Instruction, MAX_INSTRUCTIONS};

/// `struct seccomp_data`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) number: u32,
    pub(super) audit: u32,
    pub(super) arguments: [u64; 6],
}

impl Call {
    fn word(&self, offset: u32) -> u32 {
        match offset {
            0 => self.number,
            4 => self.audit,
            8 | 12 => 0,
            _ => {
                let word = (offset - 16) / 4;
                (self.arguments[(word / 2) as usize] >> (32 * (word % 2))) as u32
            }
        }
    }
}

/// Panics where seccomp_check_filter and bpf_check_classic of the kernel would refuse.
pub(super) fn check(program: &[Instruction]) {
    assert!(!program.is_empty() && program.len() <= MAX_INSTRUCTIONS);
    for (i, instruction) in program.iter().enumerate() {
        let rest = program.len() - i - 1;
        match instruction.code {
            LOAD => assert!(instruction.k.is_multiple_of(4) && instruction.k < 64),
            AND | RETURN => {}
            JUMP => assert!((instruction.k as usize) < rest),
            JUMP_EQUAL | JUMP_GREATER | JUMP_GREATER_EQUAL => {
                assert!((instruction.jt as usize) < rest && (instruction.jf as usize) < rest);
            }
            other => panic!("operation {other:#x}"),
        }
    }
    assert_eq!(program.last().unwrap().code, RETURN);
}

/// What `program` returns for `call`.
pub(super) fn run(program: &[Instruction], call: &Call) -> u32 {
    let mut accumulator = 0;
    let mut next = 0;
    loop {
        let Instruction { code, jt, jf, k } = program[next];
        next += 1;
        let holds = match code {
            LOAD => {
                accumulator = call.word(k);
                continue;
            }
            AND => {
                accumulator &= k;
                continue;
            }
            JUMP => {
                next += k as usize;
                continue;
            }
            JUMP_EQUAL => accumulator == k,
            JUMP_GREATER => accumulator > k,
            JUMP_GREATER_EQUAL => accumulator >= k,
            _ => return k,
        };
        next += usize::from(if holds { jt } else { jf });
    }
}
