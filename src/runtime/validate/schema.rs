//! The fields of config.json and what may stand in them, as a table.
//!
//! Source: runtime-spec 1.3, config.md and config-linux.md. A row's path names a field; `[]` stands for each
//! element of a list, `*` for each key of a map, `a|b` for either field. A field that no row names is none
//! of ours, and is ignored as the specification demands.

use serde_json::Value;

use super::{Findings, Path};

/// What a field holds.
#[derive(Clone, Copy, Debug)]
enum Holds {
    Bool,
    Text,
    Object,
    List,
    Integer(i64, u64),
    /// A noun for the error, and the values.
    OneOf(&'static str, &'static [&'static str]),
}

use Holds::{Bool, Integer, List, Object, OneOf, Text};

const U16: Holds = Integer(0, u16::MAX as u64);
const U32: Holds = Integer(0, u32::MAX as u64);
const U64: Holds = Integer(0, u64::MAX);
const I32: Holds = Integer(i32::MIN as i64, i32::MAX as u64);
const I64: Holds = Integer(i64::MIN, i64::MAX as u64);

const ACTION: Holds = OneOf(
    "seccomp action",
    &[
        "SCMP_ACT_KILL",
        "SCMP_ACT_KILL_PROCESS",
        "SCMP_ACT_KILL_THREAD",
        "SCMP_ACT_TRAP",
        "SCMP_ACT_ERRNO",
        "SCMP_ACT_TRACE",
        "SCMP_ACT_ALLOW",
        "SCMP_ACT_LOG",
        "SCMP_ACT_NOTIFY",
    ],
);

/// Whether the parent may be without the field.
type Required = bool;
const MUST: Required = true;
const MAY: Required = false;

#[rustfmt::skip]
const FIELDS: &[(&str, Holds, Required)] = &[
    ("ociVersion", Text, MUST),
    ("root", Object, MUST),
    ("root.path", Text, MUST),
    ("root.readonly", Bool, MAY),
    ("hostname|domainname", Text, MAY),
    ("annotations", Object, MAY),
    ("annotations.*", Text, MAY),
    ("mounts", List, MAY),
    ("mounts[]", Object, MAY),
    ("mounts[].destination", Text, MUST),
    ("mounts[].source|type", Text, MAY),
    ("mounts[].options", List, MAY),
    ("mounts[].options[]", Text, MAY),
    ("mounts[].uidMappings|gidMappings", List, MAY),
    ("mounts[].uidMappings|gidMappings[]", Object, MAY),
    ("mounts[].uidMappings|gidMappings[].containerID|hostID|size", U32, MUST),
    ("hooks", Object, MAY),
    ("hooks.prestart|createRuntime|createContainer|startContainer|poststart|poststop", List, MAY),
    ("hooks.prestart|createRuntime|createContainer|startContainer|poststart|poststop[]", Object, MAY),
    ("hooks.prestart|createRuntime|createContainer|startContainer|poststart|poststop[].path", Text, MUST),
    ("hooks.prestart|createRuntime|createContainer|startContainer|poststart|poststop[].args|env", List, MAY),
    ("hooks.prestart|createRuntime|createContainer|startContainer|poststart|poststop[].args|env[]", Text, MAY),
    ("hooks.prestart|createRuntime|createContainer|startContainer|poststart|poststop[].timeout", I64, MAY),
    ("process", Object, MAY),
    ("process.terminal|noNewPrivileges", Bool, MAY),
    ("process.consoleSize", Object, MAY),
    ("process.consoleSize.height|width", U16, MUST),
    ("process.cwd", Text, MUST),
    ("process.args", List, MUST),
    ("process.args[]", Text, MAY),
    ("process.env", List, MAY),
    ("process.env[]", Text, MAY),
    ("process.apparmorProfile|selinuxLabel", Text, MAY),
    ("process.oomScoreAdj", Integer(-1000, 1000), MAY),
    ("process.user", Object, MAY),
    ("process.user.uid|gid", U32, MUST),
    ("process.user.umask", Integer(0, 0o777), MAY),
    ("process.user.additionalGids", List, MAY),
    ("process.user.additionalGids[]", U32, MAY),
    ("process.capabilities", Object, MAY),
    ("process.capabilities.bounding|effective|inheritable|permitted|ambient", List, MAY),
    ("process.capabilities.bounding|effective|inheritable|permitted|ambient[]", Text, MAY),
    ("process.rlimits", List, MAY),
    ("process.rlimits[]", Object, MAY),
    ("process.rlimits[].type", OneOf("limit", &[
        "RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE", "RLIMIT_LOCKS", "RLIMIT_MEMLOCK",
        "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS", "RLIMIT_RTPRIO",
        "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK",
    ]), MUST),
    ("process.rlimits[].soft|hard", U64, MUST),
    ("process.scheduler", Object, MAY),
    ("process.scheduler.policy", OneOf("scheduling policy", &[
        "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE",
    ]), MUST),
    ("process.scheduler.nice", Integer(-20, 19), MAY),
    ("process.scheduler.priority", I32, MAY),
    ("process.scheduler.flags", List, MAY),
    ("process.scheduler.flags[]", OneOf("scheduling flag", &[
        "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY",
        "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX",
    ]), MAY),
    ("process.scheduler.runtime|deadline|period", U64, MAY),
    ("process.ioPriority", Object, MAY),
    ("process.ioPriority.class", OneOf("I/O scheduling class", &[
        "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE",
    ]), MUST),
    ("process.ioPriority.priority", Integer(0, 7), MUST),
    ("process.execCPUAffinity", Object, MAY),
    ("process.execCPUAffinity.initial|final", Text, MAY),
    ("linux", Object, MAY),
    ("linux.namespaces", List, MAY),
    ("linux.namespaces[]", Object, MAY),
    ("linux.namespaces[].type", OneOf("namespace type", &[
        "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time",
    ]), MUST),
    ("linux.namespaces[].path", Text, MAY),
    ("linux.uidMappings|gidMappings", List, MAY),
    ("linux.uidMappings|gidMappings[]", Object, MAY),
    ("linux.uidMappings|gidMappings[].containerID|hostID|size", U32, MUST),
    ("linux.timeOffsets", Object, MAY),
    ("linux.timeOffsets.*", Object, MAY),
    ("linux.timeOffsets.*.secs", I64, MAY),
    ("linux.timeOffsets.*.nanosecs", Integer(0, 999_999_999), MAY),
    ("linux.devices", List, MAY),
    ("linux.devices[]", Object, MAY),
    ("linux.devices[].type", OneOf("type of device", &["c", "b", "u", "p"]), MUST),
    ("linux.devices[].path", Text, MUST),
    ("linux.devices[].major|minor", Integer(0, u32::MAX as u64), MAY),
    ("linux.devices[].fileMode|uid|gid", U32, MAY),
    ("linux.netDevices", Object, MAY),
    ("linux.netDevices.*", Object, MAY),
    ("linux.netDevices.*.name", Text, MAY),
    ("linux.cgroupsPath|mountLabel", Text, MAY),
    ("linux.sysctl", Object, MAY),
    ("linux.sysctl.*", Text, MAY),
    ("linux.rootfsPropagation", OneOf("propagation", &[
        "", "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable",
    ]), MAY),
    ("linux.maskedPaths|readonlyPaths", List, MAY),
    ("linux.maskedPaths|readonlyPaths[]", Text, MAY),
    ("linux.personality", Object, MAY),
    ("linux.personality.domain", OneOf("execution domain", &["LINUX", "LINUX32"]), MUST),
    ("linux.personality.flags", List, MAY),
    ("linux.personality.flags[]", Text, MAY),
    ("linux.intelRdt", Object, MAY),
    ("linux.intelRdt.closID|l3CacheSchema|memBwSchema", Text, MAY),
    ("linux.intelRdt.schemata", List, MAY),
    ("linux.intelRdt.schemata[]", Text, MAY),
    ("linux.intelRdt.enableMonitoring|enableCMT|enableMBM", Bool, MAY),
    ("linux.memoryPolicy", Object, MAY),
    ("linux.memoryPolicy.mode", OneOf("memory policy", &[
        "MPOL_DEFAULT", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED",
        "MPOL_PREFERRED_MANY", "MPOL_LOCAL",
    ]), MUST),
    ("linux.memoryPolicy.nodes", Text, MAY),
    ("linux.memoryPolicy.flags", List, MAY),
    ("linux.memoryPolicy.flags[]", OneOf("memory policy flag", &[
        "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES",
    ]), MAY),
    ("linux.seccomp", Object, MAY),
    ("linux.seccomp.defaultAction", ACTION, MUST),
    ("linux.seccomp.defaultErrnoRet", U32, MAY),
    ("linux.seccomp.listenerPath|listenerMetadata", Text, MAY),
    ("linux.seccomp.flags", List, MAY),
    ("linux.seccomp.flags[]", OneOf("seccomp flag", &[
        "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
        "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    ]), MAY),
    ("linux.seccomp.architectures", List, MAY),
    ("linux.seccomp.architectures[]", OneOf("architecture", &[
        "SCMP_ARCH_NATIVE", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM",
        "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",
        "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE",
        "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64",
        "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_SH", "SCMP_ARCH_SHEB",
    ]), MAY),
    ("linux.seccomp.syscalls", List, MAY),
    ("linux.seccomp.syscalls[]", Object, MAY),
    ("linux.seccomp.syscalls[].names", List, MUST),
    ("linux.seccomp.syscalls[].names[]", Text, MAY),
    ("linux.seccomp.syscalls[].action", ACTION, MUST),
    ("linux.seccomp.syscalls[].errnoRet", U32, MAY),
    ("linux.seccomp.syscalls[].args", List, MAY),
    ("linux.seccomp.syscalls[].args[]", Object, MAY),
    ("linux.seccomp.syscalls[].args[].index", Integer(0, 5), MUST),
    ("linux.seccomp.syscalls[].args[].value", U64, MUST),
    ("linux.seccomp.syscalls[].args[].valueTwo", U64, MAY),
    ("linux.seccomp.syscalls[].args[].op", OneOf("operator", &[
        "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT",
        "SCMP_CMP_MASKED_EQ",
    ]), MUST),
    ("linux.resources", Object, MAY),
    ("linux.resources.devices", List, MAY),
    ("linux.resources.devices[]", Object, MAY),
    ("linux.resources.devices[].allow", Bool, MUST),
    ("linux.resources.devices[].type", OneOf("type of device", &["a", "c", "b"]), MAY),
    ("linux.resources.devices[].major|minor", I64, MAY),
    ("linux.resources.devices[].access", Text, MAY),
    ("linux.resources.memory", Object, MAY),
    ("linux.resources.memory.limit|reservation|swap|kernel|kernelTCP", I64, MAY),
    ("linux.resources.memory.swappiness", Integer(0, 100), MAY),
    ("linux.resources.memory.disableOOMKiller|useHierarchy|checkBeforeUpdate", Bool, MAY),
    ("linux.resources.cpu", Object, MAY),
    ("linux.resources.cpu.shares|burst|period|realtimePeriod", U64, MAY),
    ("linux.resources.cpu.quota|realtimeRuntime|idle", I64, MAY),
    ("linux.resources.cpu.cpus|mems", Text, MAY),
    ("linux.resources.pids", Object, MAY),
    ("linux.resources.pids.limit", I64, MAY),
    ("linux.resources.blockIO", Object, MAY),
    ("linux.resources.blockIO.weight|leafWeight", U16, MAY),
    ("linux.resources.blockIO.weightDevice", List, MAY),
    ("linux.resources.blockIO.weightDevice[]", Object, MAY),
    ("linux.resources.blockIO.weightDevice[].major|minor", I64, MUST),
    ("linux.resources.blockIO.weightDevice[].weight|leafWeight", U16, MAY),
    ("linux.resources.blockIO.throttleReadBpsDevice|throttleWriteBpsDevice|throttleReadIOPSDevice|throttleWriteIOPSDevice", List, MAY),
    ("linux.resources.blockIO.throttleReadBpsDevice|throttleWriteBpsDevice|throttleReadIOPSDevice|throttleWriteIOPSDevice[]", Object, MAY),
    ("linux.resources.blockIO.throttleReadBpsDevice|throttleWriteBpsDevice|throttleReadIOPSDevice|throttleWriteIOPSDevice[].major|minor", I64, MUST),
    ("linux.resources.blockIO.throttleReadBpsDevice|throttleWriteBpsDevice|throttleReadIOPSDevice|throttleWriteIOPSDevice[].rate", U64, MUST),
    ("linux.resources.hugepageLimits", List, MAY),
    ("linux.resources.hugepageLimits[]", Object, MAY),
    ("linux.resources.hugepageLimits[].pageSize", Text, MUST),
    ("linux.resources.hugepageLimits[].limit", I64, MUST),
    ("linux.resources.network", Object, MAY),
    ("linux.resources.network.classID", U32, MAY),
    ("linux.resources.network.priorities", List, MAY),
    ("linux.resources.network.priorities[]", Object, MAY),
    ("linux.resources.network.priorities[].name", Text, MUST),
    ("linux.resources.network.priorities[].priority", U32, MUST),
    ("linux.resources.rdma", Object, MAY),
    ("linux.resources.rdma.*", Object, MAY),
    ("linux.resources.rdma.*.hcaHandles|hcaObjects", U32, MAY),
    ("linux.resources.unified", Object, MAY),
    ("linux.resources.unified.*", Text, MAY),
];

/// Holds every field of `config` against the table.
pub(super) fn check(config: &Value, findings: &mut Findings) {
    if !config.is_object() {
        findings.bad(Path::default(), "config.json is not an object");
        return;
    }
    for (pattern, holds, required) in FIELDS {
        let steps: Vec<&str> = pattern.split('.').collect();
        Row { holds, required: *required }.visit(config, &steps, &Path::default(), findings);
    }
}

struct Row {
    holds: &'static Holds,
    required: Required,
}

impl Row {
    /// Follows `steps` down from `value`; what has another shape than the path says is another row's matter.
    fn visit(&self, value: &Value, steps: &[&str], path: &Path, findings: &mut Findings) {
        let Some((step, rest)) = steps.split_first() else {
            return self.judge(value, path, findings);
        };
        let Some(object) = value.as_object() else { return };
        let (names, each) = match step.strip_suffix("[]") {
            Some(names) => (names, true),
            None => (*step, false),
        };
        if names == "*" {
            for (key, value) in object {
                self.visit(value, rest, &path.key(key), findings);
            }
            return;
        }
        for name in names.split('|') {
            match object.get(name) {
                None => {
                    if self.required && rest.is_empty() && !each {
                        findings.bad(path.key(name), "is missing");
                    }
                }
                Some(list) if each => {
                    for (index, value) in list.as_array().into_iter().flatten().enumerate() {
                        self.visit(value, rest, &path.key(name).index(index), findings);
                    }
                }
                Some(value) => self.visit(value, rest, &path.key(name), findings),
            }
        }
    }

    fn judge(&self, value: &Value, path: &Path, findings: &mut Findings) {
        let wanted = match self.holds {
            Bool if value.is_boolean() => return,
            Text if value.is_string() => return,
            Object if value.is_object() => return,
            List if value.is_array() => return,
            Integer(least, most) => {
                let fits = value.as_i64().is_some_and(|n| n >= *least && (n < 0 || n as u64 <= *most))
                    || value.as_u64().is_some_and(|n| n <= *most && *least <= 0);
                if fits {
                    return;
                }
                return findings
                    .bad(path.clone(), format!("{value} is not an integer from {least} to {most}"));
            }
            OneOf(_, values) if value.as_str().is_some_and(|text| values.contains(&text)) => return,
            OneOf(noun, values) if value.is_string() => {
                let list: Vec<&str> = values.iter().copied().filter(|value| !value.is_empty()).collect();
                return findings
                    .bad(path.clone(), format!("unknown {noun} {value} (known: {})", list.join(", ")));
            }
            Bool => "true or false",
            Text | OneOf(..) => "a string",
            Object => "an object",
            List => "a list",
        };
        findings.bad(path.clone(), format!("{} is not {wanted}", shown(value)));
    }
}

/// A value for an error message, cut short.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
