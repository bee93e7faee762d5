//! The default profile: what Docker and podman allow a container, as plain tables.
//!
//! An unknown call fails with ENOSYS, so that a C library falls back on what it did before the call existed;
//! what is known and refused fails with EPERM.

use oci_spec::runtime::{Arch, LinuxSeccompOperator as Op};

use crate::sys::caps::Cap;

/// One rule of the profile.
pub(super) struct Rule {
    pub(super) when: When,
    pub(super) outcome: Outcome,
    pub(super) names: &'static [&'static str],
    /// Argument, operator, value: all have to hold.
    pub(super) arguments: &'static [(usize, Op, u64)],
}

/// Whom a rule is for.
pub(super) enum When {
    /// Every container.
    Always,
    /// One that has this capability.
    With(Cap),
    /// One that has none of these.
    Without(&'static [Cap]),
    /// One on a machine of this architecture.
    On(Arch),
}

/// What happens to the call.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    Allow,
    Fail(i32),
}

use Outcome::{Allow, Fail};
use When::{Always, On, With, Without};

const fn rule(when: When, outcome: Outcome, names: &'static [&'static str]) -> Rule {
    Rule { when, outcome, names, arguments: &[] }
}

const fn rule_on(
    when: When,
    outcome: Outcome,
    names: &'static [&'static str],
    arguments: &'static [(usize, Op, u64)],
) -> Rule {
    Rule { when, outcome, names, arguments }
}

/// What a capability unlocks fails with EPERM, as it would without a filter, where the capability is missing.
const EPERM: Outcome = Fail(libc::EPERM);

/// The error of calls that the profile does not know.
pub(super) const UNKNOWN: i32 = libc::ENOSYS;

/// The rules, in order.
pub(super) const RULES: &[Rule] = &[
    rule(Always, EPERM, REFUSED),
    rule(Always, Allow, ALLOWED),
    rule_on(Always, Allow, &["personality"], &[(0, Op::ScmpCmpEq, PER_LINUX)]),
    rule_on(Always, Allow, &["personality"], &[(0, Op::ScmpCmpEq, PER_LINUX32)]),
    rule_on(Always, Allow, &["personality"], &[(0, Op::ScmpCmpEq, UNAME26)]),
    rule_on(Always, Allow, &["personality"], &[(0, Op::ScmpCmpEq, UNAME26 | PER_LINUX32)]),
    rule_on(Always, Allow, &["personality"], &[(0, Op::ScmpCmpEq, PER_QUERY)]),
    rule(On(Arch::ScmpArchAarch64), Allow, ARM),
    rule(On(Arch::ScmpArchX86_64), Allow, &["arch_prctl", "modify_ldt"]),
    rule(With(Cap::DacReadSearch), Allow, OPEN_BY_HANDLE),
    rule(Without(&[Cap::DacReadSearch]), EPERM, OPEN_BY_HANDLE),
    rule(With(Cap::SysAdmin), Allow, ADMINISTRATION),
    rule(With(Cap::SysAdmin), Allow, &["bpf"]),
    rule(Without(&[Cap::SysAdmin]), EPERM, ADMINISTRATION),
    // Before the rules for CAP_PERFMON below, and so above them: without CAP_SYS_ADMIN it stays refused.
    rule(Without(&[Cap::SysAdmin]), EPERM, &["perf_event_open"]),
    rule(With(Cap::SysChroot), Allow, &["chroot"]),
    rule(Without(&[Cap::SysChroot]), EPERM, &["chroot"]),
    rule(With(Cap::SysModule), Allow, MODULES),
    rule(Without(&[Cap::SysModule]), EPERM, MODULES),
    rule(With(Cap::SysPacct), Allow, &["acct"]),
    rule(Without(&[Cap::SysPacct]), EPERM, &["acct"]),
    rule(With(Cap::SysPtrace), Allow, OTHER_PROCESSES),
    rule(Without(&[Cap::SysPtrace]), EPERM, OTHER_PROCESSES),
    rule(With(Cap::SysRawio), Allow, PORTS),
    rule(Without(&[Cap::SysRawio]), EPERM, PORTS),
    rule(With(Cap::SysTime), Allow, CLOCKS),
    rule(Without(&[Cap::SysTime]), EPERM, CLOCKS),
    rule(With(Cap::SysTtyConfig), Allow, &["vhangup"]),
    rule(Without(&[Cap::SysTtyConfig]), EPERM, &["vhangup"]),
    // No audit sockets without CAP_AUDIT_WRITE; EINVAL is what programs take for "no audit here".
    rule_on(
        Without(&[Cap::AuditWrite]),
        Fail(libc::EINVAL),
        &["socket"],
        &[(0, Op::ScmpCmpEq, AF_NETLINK), (2, Op::ScmpCmpEq, NETLINK_AUDIT)],
    ),
    rule_on(Without(&[Cap::AuditWrite]), Allow, &["socket"], &[(2, Op::ScmpCmpNe, NETLINK_AUDIT)]),
    rule_on(Without(&[Cap::AuditWrite]), Allow, &["socket"], &[(0, Op::ScmpCmpNe, AF_NETLINK)]),
    rule(With(Cap::AuditWrite), Allow, &["socket"]),
    rule(Without(&[Cap::SysAdmin, Cap::Bpf]), EPERM, &["bpf"]),
    rule(With(Cap::Bpf), Allow, &["bpf"]),
    rule(Without(&[Cap::SysAdmin, Cap::Bpf]), EPERM, &["perf_event_open"]),
    rule(With(Cap::Perfmon), Allow, &["perf_event_open"]),
];

// linux/personality.h
const PER_LINUX: u64 = 0;
const PER_LINUX32: u64 = 8;
const UNAME26: u64 = 0x2_0000;
/// Asks for the current one.
const PER_QUERY: u64 = 0xffff_ffff;

const AF_NETLINK: u64 = libc::AF_NETLINK as u64;
const NETLINK_AUDIT: u64 = libc::NETLINK_AUDIT as u64;

const OPEN_BY_HANDLE: &[&str] = &["open_by_handle_at"];
// `setns` is in ALLOWED as well, whose rule comes first: it is open to all.
const ADMINISTRATION: &[&str] =
    &["fanotify_init", "lookup_dcookie", "quotactl", "quotactl_fd", "setdomainname", "sethostname", "setns"];
const MODULES: &[&str] = &["delete_module", "finit_module", "init_module", "query_module"];
const OTHER_PROCESSES: &[&str] = &["kcmp", "process_madvise"];
const PORTS: &[&str] = &["ioperm", "iopl"];
const CLOCKS: &[&str] = &["clock_settime", "clock_settime64", "settimeofday", "stime"];
const ARM: &[&str] =
    &["arm_fadvise64_64", "arm_sync_file_range", "breakpoint", "cacheflush", "set_tls", "sync_file_range2"];

/// Never allowed, whatever the capabilities.
#[rustfmt::skip]
const REFUSED: &[&str] = &[
    "bdflush", "cachestat", "futex_requeue", "futex_wait", "futex_waitv", "futex_wake",
    "io_pgetevents", "io_pgetevents_time64", "kexec_file_load", "kexec_load", "map_shadow_stack",
    "migrate_pages", "move_pages", "nfsservctl", "nice", "oldfstat", "oldlstat", "oldolduname",
    "oldstat", "olduname", "pciconfig_iobase", "pciconfig_read", "pciconfig_write", "sgetmask",
    "ssetmask", "swapoff", "swapon", "syscall", "sysfs", "uselib", "userfaultfd", "ustat", "vm86",
    "vm86old", "vmsplice",
];

/// Always allowed.
#[rustfmt::skip]
const ALLOWED: &[&str] = &[
    "_llseek", "_newselect", "accept", "accept4", "access", "adjtimex", "alarm", "bind", "brk",
    "capget", "capset", "chdir", "chmod", "chown", "chown32", "clock_adjtime", "clock_adjtime64",
    "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64", "clock_nanosleep",
    "clock_nanosleep_time64", "clone", "clone3", "close", "close_range", "connect",
    "copy_file_range", "creat", "dup", "dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_ctl_old", "epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_wait_old", "eventfd",
    "eventfd2", "execve", "execveat", "exit", "exit_group", "faccessat", "faccessat2", "fadvise64",
    "fadvise64_64", "fallocate", "fanotify_mark", "fchdir", "fchmod", "fchmodat", "fchmodat2",
    "fchown", "fchown32", "fchownat", "fcntl", "fcntl64", "fdatasync", "fgetxattr", "flistxattr",
    "flock", "fork", "fremovexattr", "fsconfig", "fsetxattr", "fsmount", "fsopen", "fspick",
    "fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64", "fsync", "ftruncate", "ftruncate64",
    "futex", "futex_time64", "futimesat", "get_mempolicy", "get_robust_list", "get_thread_area",
    "getcpu", "getcwd", "getdents", "getdents64", "getegid", "getegid32", "geteuid", "geteuid32",
    "getgid", "getgid32", "getgroups", "getgroups32", "getitimer", "getpeername", "getpgid",
    "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid", "getresgid32",
    "getresuid", "getresuid32", "getrlimit", "getrusage", "getsid", "getsockname", "getsockopt",
    "gettid", "gettimeofday", "getuid", "getuid32", "getxattr", "inotify_add_watch", "inotify_init",
    "inotify_init1", "inotify_rm_watch", "io_cancel", "io_destroy", "io_getevents", "io_setup",
    "io_submit", "ioctl", "ioprio_get", "ioprio_set", "ipc", "keyctl", "kill", "landlock_add_rule",
    "landlock_create_ruleset", "landlock_restrict_self", "lchown", "lchown32", "lgetxattr", "link",
    "linkat", "listen", "listxattr", "llistxattr", "lremovexattr", "lseek", "lsetxattr", "lstat",
    "lstat64", "madvise", "mbind", "membarrier", "memfd_create", "memfd_secret", "mincore", "mkdir",
    "mkdirat", "mknod", "mknodat", "mlock", "mlock2", "mlockall", "mmap", "mmap2", "mount",
    "mount_setattr", "move_mount", "mprotect", "mq_getsetattr", "mq_notify", "mq_open",
    "mq_timedreceive", "mq_timedreceive_time64", "mq_timedsend", "mq_timedsend_time64", "mq_unlink",
    "mremap", "msgctl", "msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap",
    "name_to_handle_at", "nanosleep", "newfstatat", "open", "open_tree", "openat", "openat2",
    "pause", "pidfd_getfd", "pidfd_open", "pidfd_send_signal", "pipe", "pipe2", "pivot_root",
    "pkey_alloc", "pkey_free", "pkey_mprotect", "poll", "ppoll", "ppoll_time64", "prctl", "pread64",
    "preadv", "preadv2", "prlimit64", "process_mrelease", "process_vm_readv", "process_vm_writev",
    "pselect6", "pselect6_time64", "ptrace", "pwrite64", "pwritev", "pwritev2", "read", "readahead",
    "readlink", "readlinkat", "readv", "reboot", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64",
    "recvmsg", "remap_file_pages", "removexattr", "rename", "renameat", "renameat2",
    "restart_syscall", "rmdir", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait", "rt_sigtimedwait_time64",
    "rt_tgsigqueueinfo", "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity",
    "sched_getattr", "sched_getparam", "sched_getscheduler", "sched_rr_get_interval",
    "sched_rr_get_interval_time64", "sched_setaffinity", "sched_setattr", "sched_setparam",
    "sched_setscheduler", "sched_yield", "seccomp", "select", "semctl", "semget", "semop",
    "semtimedop", "semtimedop_time64", "send", "sendfile", "sendfile64", "sendmmsg", "sendmsg",
    "sendto", "set_mempolicy", "set_robust_list", "set_thread_area", "set_tid_address", "setfsgid",
    "setfsgid32", "setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups", "setgroups32",
    "setitimer", "setns", "setpgid", "setpriority", "setregid", "setregid32", "setresgid",
    "setresgid32", "setresuid", "setresuid32", "setreuid", "setreuid32", "setrlimit", "setsid",
    "setsockopt", "setuid", "setuid32", "setxattr", "shmat", "shmctl", "shmdt", "shmget",
    "shutdown", "sigaltstack", "signal", "signalfd", "signalfd4", "sigprocmask", "sigreturn",
    "socketcall", "socketpair", "splice", "stat", "stat64", "statfs", "statfs64", "statx",
    "symlink", "symlinkat", "sync", "sync_file_range", "syncfs", "sysinfo", "syslog", "tee",
    "tgkill", "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime",
    "timer_gettime64", "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime",
    "timerfd_gettime64", "timerfd_settime", "timerfd_settime64", "times", "tkill", "truncate",
    "truncate64", "ugetrlimit", "umask", "umount", "umount2", "uname", "unlink", "unlinkat",
    "unshare", "utime", "utimensat", "utimensat_time64", "utimes", "vfork", "wait4", "waitid",
    "waitpid", "write", "writev",
];
