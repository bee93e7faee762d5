//! Capabilities: names, sets and the calls that change a thread's sets (capabilities(7)).
//!
//! The calls allocate nothing and are safe between clone and execve; the order in which they have to be
//! made is the caller's: bounding set (needs `CAP_SETPCAP`), ids with [`keep_on_setuid`], [`set`], [`raise_ambient`].

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use nix::errno::Errno;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Context, Error, Result};

/// Declares [`Cap`] in the kernel's order (linux/capability.h), numbers counting from 0.
macro_rules! caps {
    ($($variant:ident $name:literal,)*) => {
        /// One capability; its number is the kernel's.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the names are the kernel's: capabilities(7)")]
        pub enum Cap { $($variant,)* }

        impl Cap {
            /// Every capability that this program has a name for, by number.
            pub const ALL: &'static [Cap] = &[$(Cap::$variant,)*];

            /// The name as in capabilities(7): `CAP_CHOWN`.
            pub const fn name(self) -> &'static str {
                match self { $(Cap::$variant => $name,)* }
            }
        }
    };
}

caps! {
    Chown "CAP_CHOWN",
    DacOverride "CAP_DAC_OVERRIDE",
    DacReadSearch "CAP_DAC_READ_SEARCH",
    Fowner "CAP_FOWNER",
    Fsetid "CAP_FSETID",
    Kill "CAP_KILL",
    Setgid "CAP_SETGID",
    Setuid "CAP_SETUID",
    Setpcap "CAP_SETPCAP",
    LinuxImmutable "CAP_LINUX_IMMUTABLE",
    NetBindService "CAP_NET_BIND_SERVICE",
    NetBroadcast "CAP_NET_BROADCAST",
    NetAdmin "CAP_NET_ADMIN",
    NetRaw "CAP_NET_RAW",
    IpcLock "CAP_IPC_LOCK",
    IpcOwner "CAP_IPC_OWNER",
    SysModule "CAP_SYS_MODULE",
    SysRawio "CAP_SYS_RAWIO",
    SysChroot "CAP_SYS_CHROOT",
    SysPtrace "CAP_SYS_PTRACE",
    SysPacct "CAP_SYS_PACCT",
    SysAdmin "CAP_SYS_ADMIN",
    SysBoot "CAP_SYS_BOOT",
    SysNice "CAP_SYS_NICE",
    SysResource "CAP_SYS_RESOURCE",
    SysTime "CAP_SYS_TIME",
    SysTtyConfig "CAP_SYS_TTY_CONFIG",
    Mknod "CAP_MKNOD",
    Lease "CAP_LEASE",
    AuditWrite "CAP_AUDIT_WRITE",
    AuditControl "CAP_AUDIT_CONTROL",
    Setfcap "CAP_SETFCAP",
    MacOverride "CAP_MAC_OVERRIDE",
    MacAdmin "CAP_MAC_ADMIN",
    Syslog "CAP_SYSLOG",
    WakeAlarm "CAP_WAKE_ALARM",
    BlockSuspend "CAP_BLOCK_SUSPEND",
    AuditRead "CAP_AUDIT_READ",
    Perfmon "CAP_PERFMON",
    Bpf "CAP_BPF",
    CheckpointRestore "CAP_CHECKPOINT_RESTORE",
}

impl Cap {
    /// The kernel's number.
    pub const fn number(self) -> u8 {
        self as u8
    }

    const fn bit(self) -> u64 {
        1 << self.number()
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Cap {
    type Err = Error;

    /// `CAP_CHOWN`, `CHOWN`, `chown`.
    fn from_str(text: &str) -> Result<Self> {
        let bare = match text.split_at_checked(4) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("cap_") => rest,
            _ => text,
        };
        Cap::ALL
            .iter()
            .find(|cap| cap.name()[4..].eq_ignore_ascii_case(bare))
            .copied()
            .ok_or_else(|| Error::usage(format!("unknown capability \"{text}\"")))
    }
}

/// A set of capabilities. Serialised as the list of their names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CapSet(u64);

impl CapSet {
    /// No capability.
    pub const EMPTY: CapSet = CapSet(0);

    /// What a container gets unless asked otherwise: podman's default.
    pub const DEFAULT: CapSet = CapSet::of(&[
        Cap::Chown,
        Cap::DacOverride,
        Cap::Fowner,
        Cap::Fsetid,
        Cap::Kill,
        Cap::NetBindService,
        Cap::Setfcap,
        Cap::Setgid,
        Cap::Setpcap,
        Cap::Setuid,
        Cap::SysChroot,
    ]);

    /// The set of these.
    pub const fn of(caps: &[Cap]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < caps.len() {
            bits |= caps[i].bit();
            i += 1;
        }
        CapSet(bits)
    }

    /// Every capability that both this program and a kernel whose last capability is `last` know.
    pub fn all(last: u8) -> Self {
        Cap::ALL.iter().copied().filter(|cap| cap.number() <= last).collect()
    }

    /// Whether `cap` is in the set.
    pub const fn has(self, cap: Cap) -> bool {
        self.0 & cap.bit() != 0
    }

    /// Adds `cap`.
    pub fn insert(&mut self, cap: Cap) {
        self.0 |= cap.bit();
    }

    /// Takes `cap` out.
    pub fn remove(&mut self, cap: Cap) {
        self.0 &= !cap.bit();
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: CapSet) -> CapSet {
        CapSet(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: CapSet) -> CapSet {
        CapSet(self.0 & other.0)
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub const fn difference(self, other: CapSet) -> CapSet {
        CapSet(self.0 & !other.0)
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The kernel's bit mask, as in the `Cap…:` lines of /proc/PID/status.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The capabilities in the kernel's order.
    pub fn iter(self) -> impl Iterator<Item = Cap> {
        Cap::ALL.iter().copied().filter(move |cap| self.has(*cap))
    }

    /// The form of the OCI runtime specification.
    pub fn to_oci(self) -> HashSet<oci_spec::runtime::Capability> {
        // The two tables name the same 41 capabilities; a test holds them together.
        self.iter().filter_map(|cap| cap.name()[4..].parse().ok()).collect()
    }

    /// From the form of the OCI runtime specification.
    pub fn from_oci(caps: &HashSet<oci_spec::runtime::Capability>) -> Result<Self> {
        caps.iter().map(|cap| cap.to_string().parse::<Cap>()).collect()
    }
}

impl FromIterator<Cap> for CapSet {
    fn from_iter<I: IntoIterator<Item = Cap>>(caps: I) -> Self {
        CapSet(caps.into_iter().fold(0, |bits, cap| bits | cap.bit()))
    }
}

impl Serialize for CapSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Cap::name))
    }
}

impl<'de> Deserialize<'de> for CapSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        names.iter().map(|name| name.parse::<Cap>()).collect::<Result<_>>().map_err(serde::de::Error::custom)
    }
}

/// What `--cap-add` and `--cap-drop` take: one capability, or `ALL` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CapArg {
    /// Every capability of the kernel.
    All,
    /// This one.
    One(Cap),
}

impl CapArg {
    /// The set that is meant on a kernel whose last capability is `last`.
    pub fn set(self, last: u8) -> CapSet {
        match self {
            CapArg::All => CapSet::all(last),
            CapArg::One(cap) => CapSet::of(&[cap]),
        }
    }
}

impl FromStr for CapArg {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.eq_ignore_ascii_case("all") { Ok(CapArg::All) } else { text.parse().map(CapArg::One) }
    }
}

/// The number of the last capability that this kernel has (/proc/sys/kernel/cap_last_cap).
pub fn last() -> Result<u8> {
    let path = "/proc/sys/kernel/cap_last_cap";
    let text = std::fs::read_to_string(path).context(|| format!("cannot read {path}"))?;
    let last = text.trim().parse::<u8>().context(|| format!("cannot parse {path}"))?;
    // A set is 64 bits wide, here and in the kernel.
    Ok(last.min(63))
}

/// The three sets that capset(2) changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sets {
    /// What the thread may use now.
    pub effective: CapSet,
    /// What it may make effective.
    pub permitted: CapSet,
    /// What survives execve of a file that has it inheritable too.
    pub inheritable: CapSet,
}

/// `_LINUX_CAPABILITY_VERSION_3`: two 32-bit words a set.
const VERSION_3: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Sets the calling thread's effective, permitted and inheritable sets.
pub fn set(sets: &Sets) -> Result<(), Errno> {
    let header = Header { version: VERSION_3, pid: 0 };
    let word = |shift: u32| Data {
        effective: (sets.effective.0 >> shift) as u32,
        permitted: (sets.permitted.0 >> shift) as u32,
        inheritable: (sets.inheritable.0 >> shift) as u32,
    };
    let data = [word(0), word(32)];
    // SAFETY: both pointers are to initialised memory of the layout that version 3 asks for.
    Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw const header, data.as_ptr()) }).map(drop)
}

/// The calling thread's effective, permitted and inheritable sets.
pub fn get() -> Result<Sets, Errno> {
    let header = Header { version: VERSION_3, pid: 0 };
    let mut data = [Data::default(); 2];
    // SAFETY: `data` has room for the two words that version 3 writes.
    Errno::result(unsafe { libc::syscall(libc::SYS_capget, &raw const header, data.as_mut_ptr()) })?;
    let join = |word: fn(&Data) -> u32| CapSet(u64::from(word(&data[1])) << 32 | u64::from(word(&data[0])));
    Ok(Sets {
        effective: join(|word| word.effective),
        permitted: join(|word| word.permitted),
        inheritable: join(|word| word.inheritable),
    })
}

/// Takes everything but `keep` out of the thread's bounding set, also what only the kernel has a name for.
/// Needs `CAP_SETPCAP`.
pub fn limit_bounding(keep: CapSet, last: u8) -> Result<(), Errno> {
    for number in 0..=last.min(63) {
        if keep.0 & (1 << number) == 0 {
            prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(number), 0)?;
        }
    }
    Ok(())
}

/// Makes `caps`, which must be permitted and inheritable, survive execve of an ordinary file.
pub fn raise_ambient(caps: CapSet) -> Result<(), Errno> {
    for cap in Cap::ALL.iter().filter(|cap| caps.has(**cap)) {
        prctl(
            libc::PR_CAP_AMBIENT,
            libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong,
            libc::c_ulong::from(cap.number()),
        )?;
    }
    Ok(())
}

/// Empties the ambient set.
pub fn clear_ambient() -> Result<(), Errno> {
    prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong, 0)
}

/// Whether the permitted set outlives a change from root to another user (`PR_SET_KEEPCAPS`; execve clears it).
pub fn keep_on_setuid(keep: bool) -> Result<(), Errno> {
    prctl(libc::PR_SET_KEEPCAPS, libc::c_ulong::from(keep), 0)
}

fn prctl(option: libc::c_int, first: libc::c_ulong, second: libc::c_ulong) -> Result<(), Errno> {
    let zero: libc::c_ulong = 0;
    // SAFETY: the options above take numbers only; unused arguments are zero, as the kernel demands.
    Errno::result(unsafe { libc::prctl(option, first, second, zero, zero) }).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_in_every_spelling() {
        for text in ["CAP_SYS_ADMIN", "SYS_ADMIN", "sys_admin", "cap_sys_admin", "Cap_Sys_Admin"] {
            assert_eq!(text.parse::<Cap>().unwrap(), Cap::SysAdmin);
        }
        for text in ["", "CAP_", "ALL", "CAP_CAP_CHOWN", "SYS_ADMIN ", "ÄÖÜ"] {
            assert!(text.parse::<Cap>().is_err(), "{text}");
        }
        assert_eq!("all".parse::<CapArg>().unwrap(), CapArg::All);
        assert_eq!("chown".parse::<CapArg>().unwrap(), CapArg::One(Cap::Chown));
    }

    #[test]
    fn numbers_are_the_kernel_s() {
        let known = [(Cap::Chown, 0), (Cap::SysAdmin, 21), (Cap::Setfcap, 31), (Cap::CheckpointRestore, 40)];
        for (cap, number) in known {
            assert_eq!(cap.number(), number);
        }
        assert_eq!(Cap::ALL.len(), 41);
        // CapEff of a default podman container.
        assert_eq!(CapSet::DEFAULT.bits(), 0x8004_05fb);
    }

    #[test]
    fn a_set_is_a_list_of_names_in_json() {
        let set = CapSet::of(&[Cap::Setuid, Cap::Chown, Cap::Bpf]);
        let json = serde_json::to_string(&set).unwrap();
        assert_eq!(json, r#"["CAP_CHOWN","CAP_SETUID","CAP_BPF"]"#);
        assert_eq!(serde_json::from_str::<CapSet>(&json).unwrap(), set);
        assert!(serde_json::from_str::<CapSet>(r#"["CAP_MAGIC"]"#).is_err());
    }

    #[test]
    fn every_capability_has_its_oci_name() {
        let all = CapSet::all(63);
        assert_eq!(all.iter().count(), 41);
        assert_eq!(all.to_oci().len(), 41);
        assert_eq!(CapSet::from_oci(&all.to_oci()).unwrap(), all);
    }

    #[test]
    fn all_stops_at_the_kernel_s_last() {
        assert!(!CapSet::all(Cap::Bpf.number()).has(Cap::CheckpointRestore));
        assert!(last().unwrap() >= Cap::AuditRead.number());
    }

    #[test]
    fn own_sets_can_be_read_and_set_again() {
        let own = get().unwrap();
        assert_eq!(own.effective.difference(own.permitted), CapSet::EMPTY);
        set(&own).unwrap();
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("CapPrm:\t")).unwrap();
        assert_eq!(u64::from_str_radix(line, 16).unwrap(), own.permitted.bits());
    }

    #[test]
    fn a_thread_can_give_up_what_it_has() {
        // Capabilities belong to threads: the test runner's other threads keep theirs.
        let rest = std::thread::spawn(|| {
            clear_ambient().unwrap();
            keep_on_setuid(true).unwrap();
            keep_on_setuid(false).unwrap();
            let none =
                Sets { effective: CapSet::EMPTY, permitted: CapSet::EMPTY, inheritable: CapSet::EMPTY };
            set(&none).unwrap();
            assert_eq!(raise_ambient(CapSet::of(&[Cap::Chown])), Err(Errno::EPERM));
            assert_eq!(limit_bounding(CapSet::EMPTY, 0), Err(Errno::EPERM));
            get().unwrap()
        });
        assert!(rest.join().unwrap().permitted.is_empty());
    }
}
