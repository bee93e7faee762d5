//! System call numbers by name, for each architecture that a machine of ours can run.
//!
//! The tables are laid out at compile time: all names in one string, and an open hash of numbers over them.
//! Two thousand `&str` constants would cost a relocation each at every start of the program, and a match on
//! strings ten times the time of the hash.

/// The system calls of one architecture.
pub(super) struct Table {
    /// Number + 1 by hash of the name; 0 is a free slot.
    slots: &'static [u16; SLOTS],
    /// Where the name of each number begins in `names`; the next number's beginning is its end.
    starts: &'static [u16],
    names: &'static [u8],
    /// Calls that the `syscalls` crate lacks.
    private: &'static [(&'static str, u32)],
}

/// More than twice the number of calls, so that a look-up takes one or two probes.
const SLOTS: usize = 1024;

/// A call's name with its hash, which is the same for all tables.
#[derive(Clone, Copy)]
pub(super) struct Name<'a> {
    text: &'a str,
    hash: usize,
}

impl<'a> Name<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, hash: hash(text.as_bytes()) }
    }
}

impl Table {
    /// The number of the call `name`.
    pub(super) fn number(&self, name: &Name<'_>) -> Option<u32> {
        let mut slot = name.hash;
        while self.slots[slot] != 0 {
            let number = self.slots[slot] - 1;
            if self.name_bytes(number) == name.text.as_bytes() {
                return Some(u32::from(number));
            }
            slot = (slot + 1) % SLOTS;
        }
        self.private.iter().find(|(own, _)| *own == name.text).map(|(_, number)| *number)
    }

    fn name_bytes(&self, number: u16) -> &'static [u8] {
        let number = usize::from(number);
        &self.names[usize::from(self.starts[number])..usize::from(self.starts[number + 1])]
    }

    /// Every call: name and number.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let dense = (0..self.starts.len() as u16 - 1)
            .map(|number| (std::str::from_utf8(self.name_bytes(number)).unwrap(), u32::from(number)))
            .filter(|(name, _)| !name.is_empty());
        dense.chain(self.private.iter().copied())
    }
}

/// FNV-1a, folded to the size of the table.
const fn hash(name: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut i = 0;
    while i < name.len() {
        hash = (hash ^ name[i] as u32).wrapping_mul(0x0100_0193);
        i += 1;
    }
    (hash ^ (hash >> 15)) as usize % SLOTS
}

/// Lays out the table of one `Sysno` enumeration of the `syscalls` crate.
macro_rules! table {
    ($arch:ident, $private:expr $(, without $absent:pat)?) => {{
        use syscalls::$arch::Sysno;

        /// Numbers are counted from 0, whatever the first call is.
        const SIZE: usize = Sysno::last() as usize + 1;

        const fn name(number: usize) -> &'static [u8] {
            match Sysno::new(number) {
                $(Some(_) if matches!(number, $absent) => &[],)?
                Some(call) => call.name().as_bytes(),
                None => &[],
            }
        }

        const STARTS: [u16; SIZE + 1] = {
            let mut starts = [0; SIZE + 1];
            let mut number = 0;
            while number < SIZE {
                starts[number + 1] = starts[number] + name(number).len() as u16;
                number += 1;
            }
            starts
        };

        const NAMES: [u8; STARTS[SIZE] as usize] = {
            let mut names = [0; STARTS[SIZE] as usize];
            let mut number = 0;
            while number < SIZE {
                let name = name(number);
                let mut i = 0;
                while i < name.len() {
                    names[STARTS[number] as usize + i] = name[i];
                    i += 1;
                }
                number += 1;
            }
            names
        };

        const SLOTS_OF: [u16; SLOTS] = {
            let mut slots = [0; SLOTS];
            let mut number = 0;
            while number < SIZE {
                let name = name(number);
                if !name.is_empty() {
                    let mut slot = hash(name);
                    while slots[slot] != 0 {
                        slot = (slot + 1) % SLOTS;
                    }
                    slots[slot] = number as u16 + 1;
                }
                number += 1;
            }
            slots
        };

        Table { slots: &SLOTS_OF, starts: &STARTS, names: &NAMES, private: $private }
    }};
}

/// Newer than the crate; such calls have one number everywhere.
const NEW: &[(&str, u32)] = &[("listns", 470), ("rseq_slice_yield", 471)];

/// 64-bit x86.
pub(super) static X86_64: Table = table!(x86_64, NEW);
/// 32-bit x86.
pub(super) static X86: Table = table!(x86, NEW);
/// 64-bit ARM. The crate gives it the 64-bit time calls that only 32-bit architectures have.
pub(super) static AARCH64: Table = table!(aarch64, &[("newfstatat", 79), NEW[0], NEW[1]], without 403..=423);
/// 32-bit ARM (EABI). Its private calls are in arch/arm/include/uapi/asm/unistd.h.
pub(super) static ARM: Table = table!(
    arm,
    &[
        ("breakpoint", 0x0f_0001),
        ("cacheflush", 0x0f_0002),
        ("usr26", 0x0f_0003),
        ("usr32", 0x0f_0004),
        ("set_tls", 0x0f_0005),
        ("get_tls", 0x0f_0006),
        NEW[0],
        NEW[1],
    ]
);

/// Set in the number of a call of the x32 interface, which shares its audit architecture with x86_64.
pub(super) const X32_BIT: u32 = 0x4000_0000;

/// The x32 number of the x86_64 call `number`, without [`X32_BIT`] (arch/x86/entry/syscalls/syscall_64.tbl).
pub(super) fn x32_number(number: u32) -> Option<u32> {
    match X32.get(number as usize) {
        Some(&ABSENT) => None,
        Some(&own) => Some(u32::from(own)),
        None => Some(number),
    }
}

const ABSENT: u16 = u16::MAX;

static X32: [u16; syscalls::x86_64::Sysno::last() as usize + 1] = {
    let mut table = [0; syscalls::x86_64::Sysno::last() as usize + 1];
    let mut i = 0;
    while i < table.len() {
        table[i] = i as u16;
        i += 1;
    }
    i = 0;
    while i < X32_OWN.len() {
        table[X32_OWN[i].0 as usize] = X32_OWN[i].1;
        i += 1;
    }
    i = 0;
    while i < X32_MISSING.len() {
        table[X32_MISSING[i] as usize] = ABSENT;
        i += 1;
    }
    table
};

use syscalls::x86_64::Sysno as Wide;

/// Calls whose arguments differ in x32 and that have a number of their own there.
const X32_OWN: [(Wide, u16); 36] = [
    (Wide::rt_sigaction, 512),
    (Wide::rt_sigreturn, 513),
    (Wide::ioctl, 514),
    (Wide::readv, 515),
    (Wide::writev, 516),
    (Wide::recvfrom, 517),
    (Wide::sendmsg, 518),
    (Wide::recvmsg, 519),
    (Wide::execve, 520),
    (Wide::ptrace, 521),
    (Wide::rt_sigpending, 522),
    (Wide::rt_sigtimedwait, 523),
    (Wide::rt_sigqueueinfo, 524),
    (Wide::sigaltstack, 525),
    (Wide::timer_create, 526),
    (Wide::mq_notify, 527),
    (Wide::kexec_load, 528),
    (Wide::waitid, 529),
    (Wide::set_robust_list, 530),
    (Wide::get_robust_list, 531),
    (Wide::vmsplice, 532),
    (Wide::move_pages, 533),
    (Wide::preadv, 534),
    (Wide::pwritev, 535),
    (Wide::rt_tgsigqueueinfo, 536),
    (Wide::recvmmsg, 537),
    (Wide::sendmmsg, 538),
    (Wide::process_vm_readv, 539),
    (Wide::process_vm_writev, 540),
    (Wide::setsockopt, 541),
    (Wide::getsockopt, 542),
    (Wide::io_setup, 543),
    (Wide::io_submit, 544),
    (Wide::execveat, 545),
    (Wide::preadv2, 546),
    (Wide::pwritev2, 547),
];

/// Calls that x32 does not have.
const X32_MISSING: [Wide; 11] = [
    Wide::uselib,
    Wide::_sysctl,
    Wide::create_module,
    Wide::get_kernel_syms,
    Wide::query_module,
    Wide::nfsservctl,
    Wide::set_thread_area,
    Wide::get_thread_area,
    Wide::epoll_ctl_old,
    Wide::epoll_wait_old,
    Wide::vserver,
];

/// 32-bit x86 multiplexes its socket and System V calls through `socketcall(2)` and `ipc(2)`: the
/// multiplexer and the number that stands for `name` in its first argument (linux/net.h, linux/ipc.h).
pub(super) fn x86_multiplexed(name: &Name<'_>) -> Option<(&'static str, u64)> {
    if !MULTIPLEXED[name.hash] {
        return None;
    }
    let socket = SOCKETCALLS.iter().position(|own| *own == name.text).map(|i| ("socketcall", i as u64 + 1));
    socket.or_else(|| IPC_CALLS.iter().find(|(own, _)| *own == name.text).map(|(_, call)| ("ipc", *call)))
}

/// The hashes of these names: few others share them.
static MULTIPLEXED: [bool; SLOTS] = {
    let mut hashes = [false; SLOTS];
    let mut i = 0;
    while i < SOCKETCALLS.len() {
        hashes[hash(SOCKETCALLS[i].as_bytes())] = true;
        i += 1;
    }
    i = 0;
    while i < IPC_CALLS.len() {
        hashes[hash(IPC_CALLS[i].0.as_bytes())] = true;
        i += 1;
    }
    hashes
};

const SOCKETCALLS: [&str; 20] = [
    "socket",
    "bind",
    "connect",
    "listen",
    "accept",
    "getsockname",
    "getpeername",
    "socketpair",
    "send",
    "recv",
    "sendto",
    "recvfrom",
    "shutdown",
    "setsockopt",
    "getsockopt",
    "sendmsg",
    "recvmsg",
    "accept4",
    "recvmmsg",
    "sendmmsg",
];

const IPC_CALLS: [(&str, u64); 12] = [
    ("semop", 1),
    ("semget", 2),
    ("semctl", 3),
    ("semtimedop", 4),
    ("msgsnd", 11),
    ("msgrcv", 12),
    ("msgget", 13),
    ("msgctl", 14),
    ("shmat", 21),
    ("shmdt", 22),
    ("shmget", 23),
    ("shmctl", 24),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_is_found_by_its_name() {
        for table in [&X86_64, &X86, &AARCH64, &ARM] {
            let mut count = 0;
            for (name, number) in table.iter() {
                assert_eq!(table.number(&Name::new(name)), Some(number), "{name}");
                count += 1;
            }
            assert!(count > 300);
            for name in ["", "nonsense", "Read", "read ", "SCMP"] {
                assert_eq!(table.number(&Name::new(name)), None);
            }
        }
    }

    #[test]
    fn telling_numbers_are_the_kernel_s() {
        let telling = [
            ("read", [Some(0), Some(3), Some(63), Some(3)]),
            ("openat2", [Some(437); 4]),
            ("open", [Some(2), Some(5), None, Some(5)]),
            ("socketcall", [None, Some(102), None, None]),
            ("arch_prctl", [Some(158), Some(384), None, None]),
            ("cacheflush", [None, None, None, Some(983_042)]),
            ("clock_gettime64", [None, Some(403), None, Some(403)]),
            ("mmap2", [None, Some(192), None, Some(192)]),
            ("newfstatat", [Some(262), None, Some(79), None]),
            ("listns", [Some(470); 4]),
        ];
        for (name, numbers) in telling {
            assert_eq!(
                [&X86_64, &X86, &AARCH64, &ARM].map(|table| table.number(&Name::new(name))),
                numbers,
                "{name}"
            );
        }
    }

    #[test]
    fn x32_has_its_own_numbers_for_some() {
        let number = |name| x32_number(X86_64.number(&Name::new(name)).unwrap());
        assert_eq!(number("read"), Some(0));
        assert_eq!(number("execve"), Some(520));
        assert_eq!(number("pwritev2"), Some(547));
        assert_eq!(number("uselib"), None);
        assert_eq!(x32_number(X86_64.number(&Name::new("listns")).unwrap()), Some(470));
    }

    #[test]
    fn multiplexed_calls_have_their_selector() {
        assert_eq!(x86_multiplexed(&Name::new("socket")), Some(("socketcall", 1)));
        assert_eq!(x86_multiplexed(&Name::new("sendmmsg")), Some(("socketcall", 20)));
        assert_eq!(x86_multiplexed(&Name::new("shmctl")), Some(("ipc", 24)));
        assert_eq!(x86_multiplexed(&Name::new("read")), None);
    }
}
