//! Profiles in the format that Docker and podman share (`--security-opt seccomp=FILE`): rules that may be
//! tied to capabilities, architectures and kernel versions.
//!
//! Keys that have no meaning in the format (`comment`) are passed over, as Docker and podman do.

use nix::errno::Errno;
use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompFilterFlag, LinuxSeccompOperator, LinuxSyscall,
};
use serde::Deserialize;

use super::{Conditions, Kernel, argument};
use crate::error::{Context, Error, Result};
use crate::sys::caps::Cap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    default_action: String,
    default_errno_ret: Option<u32>,
    default_errno: Option<String>,
    architectures: Option<Vec<String>>,
    arch_map: Option<Vec<ArchEntry>>,
    flags: Option<Vec<String>>,
    listener_path: Option<String>,
    syscalls: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArchEntry {
    architecture: String,
    sub_architectures: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    name: Option<String>,
    names: Option<Vec<String>>,
    action: String,
    errno_ret: Option<u32>,
    errno: Option<String>,
    args: Option<Vec<Argument>>,
    includes: Option<Filter>,
    excludes: Option<Filter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Argument {
    index: usize,
    value: u64,
    value_two: Option<u64>,
    op: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Filter {
    caps: Option<Vec<String>>,
    arches: Option<Vec<String>>,
    min_kernel: Option<String>,
}

/// Reads a profile in the format of Docker and podman and decides its conditional rules.
///
/// # Errors
/// [`crate::error::Kind::Invalid`] with the place of what is malformed: JSON, an action, operator, flag,
/// architecture, errno or kernel version that is not known.
pub fn from_profile_json(json: &[u8], conditions: &Conditions) -> Result<LinuxSeccomp> {
    let profile: Profile = serde_json::from_slice(json)
        .map_err(|error| Error::wrap("cannot parse the seccomp profile", error))
        .map_err(|error| error.with_kind(crate::error::Kind::Invalid))?;
    let mut seccomp = LinuxSeccomp::default();
    seccomp.set_default_action(action(&profile.default_action).context(|| "the profile's default action")?);
    seccomp.set_default_errno_ret(errno(profile.default_errno.as_deref(), profile.default_errno_ret)?);
    seccomp.set_architectures(architectures(&profile, conditions.arch)?);
    if let Some(flags) = &profile.flags {
        seccomp.set_flags(Some(flags.iter().map(|text| flag(text)).collect::<Result<_>>()?));
    }
    seccomp.set_listener_path(profile.listener_path.map(Into::into));
    let mut syscalls = Vec::new();
    for (i, rule) in profile.syscalls.into_iter().flatten().enumerate() {
        syscalls.extend(syscall(rule, conditions).context(|| format!("rule {} of the profile", i + 1))?);
    }
    seccomp.set_syscalls(Some(syscalls));
    Ok(seccomp)
}

/// The rule in OCI form, or nothing if it is not for this container.
fn syscall(rule: Rule, conditions: &Conditions) -> Result<Option<LinuxSyscall>> {
    let names = match (rule.name, rule.names.unwrap_or_default()) {
        (Some(name), names) if names.is_empty() => vec![name],
        (None, names) => names,
        (Some(_), _) => return Err(Error::invalid("both \"name\" and \"names\" are given; one is enough")),
    };
    // All of it is read before it is left out: a mistake shows on every machine.
    let mut syscall = LinuxSyscall::default();
    syscall.set_action(action(&rule.action)?);
    syscall.set_errno_ret(errno(rule.errno.as_deref(), rule.errno_ret)?);
    syscall.set_names(names);
    let arguments = rule.args.unwrap_or_default();
    if !arguments.is_empty() {
        let arguments = arguments
            .iter()
            .map(|own| Ok(argument(own.index, operator(&own.op)?, own.value, own.value_two)))
            .collect::<Result<_>>()?;
        syscall.set_args(Some(arguments));
    }
    let included = rule.includes.unwrap_or_default().includes(conditions)?;
    let excluded = rule.excludes.unwrap_or_default().excludes(conditions)?;
    Ok((included && !excluded).then_some(syscall))
}

impl Filter {
    /// Everything that is asked for is there: all capabilities, one of the architectures, the kernel.
    fn includes(&self, conditions: &Conditions) -> Result<bool> {
        let arches = self.arches.as_deref().unwrap_or_default();
        Ok(self.new_enough(conditions)?.unwrap_or(true)
            && (arches.is_empty() || has_arch(arches, conditions))
            && self.caps.iter().flatten().all(|cap| has_cap(cap, conditions)))
    }

    /// Anything that is asked for is there.
    fn excludes(&self, conditions: &Conditions) -> Result<bool> {
        Ok(self.new_enough(conditions)?.unwrap_or(false)
            || has_arch(self.arches.as_deref().unwrap_or_default(), conditions)
            || self.caps.iter().flatten().any(|cap| has_cap(cap, conditions)))
    }

    fn new_enough(&self, conditions: &Conditions) -> Result<Option<bool>> {
        let Some(version) = self.min_kernel.as_deref().filter(|version| !version.is_empty()) else {
            return Ok(None);
        };
        Ok(Some(conditions.kernel >= version.parse::<Kernel>()?))
    }
}

/// A capability that this program does not know is one that no container has.
fn has_cap(name: &str, conditions: &Conditions) -> bool {
    name.parse::<Cap>().is_ok_and(|cap| conditions.caps.has(cap))
}

/// Conditions name architectures as Go does, not as libseccomp.
fn has_arch(names: &[String], conditions: &Conditions) -> bool {
    let own = match conditions.arch {
        Arch::ScmpArchX86_64 => "amd64",
        Arch::ScmpArchAarch64 => "arm64",
        _ => return false,
    };
    names.iter().any(|name| name == own)
}

/// Either the list as it is, or the entry of `archMap` for this machine.
fn architectures(profile: &Profile, native: Arch) -> Result<Option<Vec<Arch>>> {
    let listed = profile.architectures.as_deref().unwrap_or_default();
    let map = profile.arch_map.as_deref().unwrap_or_default();
    if !listed.is_empty() && !map.is_empty() {
        return Err(Error::invalid("both \"architectures\" and \"archMap\" are given; one is enough"));
    }
    if !listed.is_empty() {
        return listed.iter().map(|text| arch(text)).collect::<Result<_>>().map(Some);
    }
    let mut own = None;
    for entry in map {
        let main = arch(&entry.architecture)?;
        let others = entry.sub_architectures.iter().flatten().map(|text| arch(text));
        let all = std::iter::once(Ok(main)).chain(others).collect::<Result<Vec<_>>>()?;
        if main == native {
            own = Some(all);
        }
    }
    Ok(own)
}

fn action(text: &str) -> Result<LinuxSeccompAction> {
    text.parse().map_err(|_| Error::invalid(format!("unknown seccomp action \"{text}\"")))
}

fn arch(text: &str) -> Result<Arch> {
    text.parse().map_err(|_| Error::invalid(format!("unknown seccomp architecture \"{text}\"")))
}

fn operator(text: &str) -> Result<LinuxSeccompOperator> {
    text.parse().map_err(|_| Error::invalid(format!("unknown seccomp operator \"{text}\"")))
}

fn flag(text: &str) -> Result<LinuxSeccompFilterFlag> {
    text.parse().map_err(|_| Error::invalid(format!("unknown seccomp flag \"{text}\"")))
}

/// The name of an error stands above its number, which differs between architectures.
fn errno(name: Option<&str>, number: Option<u32>) -> Result<Option<u32>> {
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(number) };
    let known = match name {
        "EWOULDBLOCK" => Some(Errno::EAGAIN),
        "EDEADLOCK" => Some(Errno::EDEADLK),
        "ENOTSUP" => Some(Errno::EOPNOTSUPP),
        // The kernel's own numbers end at EHWPOISON (133).
        _ => (1..=133).map(Errno::from_raw).find(|errno| format!("{errno:?}") == name),
    };
    match known {
        Some(errno) => Ok(Some(errno as u32)),
        None => Err(Error::invalid(format!("unknown errno \"{name}\""))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use crate::sys::caps::CapSet;

    fn read(json: &str, caps: &[Cap]) -> Result<LinuxSeccomp> {
        let kernel = Kernel { major: 5, minor: 11 };
        let conditions = Conditions { caps: CapSet::of(caps), arch: Arch::ScmpArchX86_64, kernel };
        from_profile_json(json.as_bytes(), &conditions)
    }

    fn with_rule(rule: &str) -> String {
        format!(r#"{{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{rule}]}}"#)
    }

    /// Whether a rule for `read` with these keys is for a container with `caps`.
    fn applies(keys: &str, caps: &[Cap]) -> bool {
        let rule = format!(r#"{{"names":["read"],"action":"SCMP_ACT_ALLOW",{keys}}}"#);
        !read(&with_rule(&rule), caps).unwrap().syscalls().as_ref().unwrap().is_empty()
    }

    #[test]
    fn a_whole_profile_is_read() {
        let seccomp = read(
            r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"defaultErrno":"ENOSYS",
                "archMap":[{"architecture":"SCMP_ARCH_AARCH64","subArchitectures":["SCMP_ARCH_ARM"]},
                           {"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86"]}],
                "flags":["SECCOMP_FILTER_FLAG_LOG"],
                "syscalls":[{"names":["clone"],"action":"SCMP_ACT_ALLOW","comment":"x","includes":{},
                  "args":[{"index":0,"value":2114060288,"valueTwo":0,"op":"SCMP_CMP_MASKED_EQ"}]},
                 {"name":"read","action":"SCMP_ACT_ERRNO","errnoRet":5,"args":null,"excludes":null}]}"#,
            &[],
        )
        .unwrap();
        assert_eq!(
            seccomp.default_errno_ret(),
            Some(libc::ENOSYS as u32),
            "the name stands above the number"
        );
        assert_eq!(seccomp.architectures().as_deref(), Some(&[Arch::ScmpArchX86_64, Arch::ScmpArchX86][..]));
        assert_eq!(seccomp.flags().as_deref(), Some(&[LinuxSeccompFilterFlag::SeccompFilterFlagLog][..]));
        let syscalls = seccomp.syscalls().as_ref().unwrap();
        let arg = syscalls[0].args().as_ref().unwrap()[0];
        assert_eq!(arg, argument(0, LinuxSeccompOperator::ScmpCmpMaskedEq, 2_114_060_288, Some(0)));
        assert_eq!(
            (syscalls[1].names().as_slice(), syscalls[1].errno_ret()),
            (&["read".to_owned()][..], Some(5))
        );
    }

    #[test]
    fn conditions_are_decided() {
        let (chown, kill) = (Cap::Chown, Cap::Kill);
        assert!(applies(r#""includes":{"caps":["CAP_CHOWN"]}"#, &[chown]));
        assert!(!applies(r#""includes":{"caps":["CAP_CHOWN","CAP_KILL"]}"#, &[chown]));
        assert!(!applies(r#""includes":{"caps":["CAP_FROM_TOMORROW"]}"#, &[chown]));
        assert!(!applies(r#""excludes":{"caps":["CAP_CHOWN","CAP_KILL"]}"#, &[kill]));
        assert!(applies(r#""excludes":{"caps":["CAP_CHOWN"]}"#, &[kill]));
        assert!(applies(r#""includes":{"arches":["amd64","x32"]}"#, &[]));
        assert!(!applies(r#""includes":{"arches":["arm64"]}"#, &[]));
        assert!(!applies(r#""excludes":{"arches":["amd64"]}"#, &[]));
        assert!(applies(r#""includes":{"minKernel":"5.8"}"#, &[]));
        assert!(!applies(r#""includes":{"minKernel":"5.12"}"#, &[]));
        assert!(!applies(r#""excludes":{"minKernel":"4.8"}"#, &[]));
        assert!(applies(r#""excludes":{"minKernel":"6.0"}"#, &[]));
    }

    #[test]
    fn mistakes_are_named() {
        let default = |rest: &str| format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW"{rest}}}"#);
        for (json, word) in [
            (String::new(), "parse"),
            ("{}".to_owned(), "defaultAction"),
            ("[1]".to_owned(), "parse"),
            (r#"{"defaultAction":"ALLOW"}"#.to_owned(), "\"ALLOW\""),
            (default(r#","architectures":["SCMP_ARCH_PDP11"]"#), "SCMP_ARCH_PDP11"),
            (default(r#","archMap":[{"architecture":"SCMP_ARCH_X86_46"}]"#), "SCMP_ARCH_X86_46"),
            (
                default(r#","architectures":["SCMP_ARCH_X86"],"archMap":[{"architecture":"SCMP_ARCH_X86"}]"#),
                "both",
            ),
            (default(r#","flags":["FAST"]"#), "FAST"),
            (default(r#","defaultErrno":"ENOTHING""#), "ENOTHING"),
            (with_rule(r#"{"names":["read"],"action":"SCMP_ACT_MAYBE"}"#), "SCMP_ACT_MAYBE"),
            (with_rule(r#"{"name":"a","names":["b"],"action":"SCMP_ACT_LOG"}"#), "both"),
            (
                with_rule(
                    r#"{"names":["a"],"action":"SCMP_ACT_LOG","args":[{"index":0,"value":1,"op":"SCMP_CMP_XX"}]}"#,
                ),
                "SCMP_CMP_XX",
            ),
            (
                with_rule(r#"{"names":["a"],"action":"SCMP_ACT_LOG","includes":{"minKernel":"new"}}"#),
                "\"new\"",
            ),
            (
                with_rule(r#"{"names":["a"],"action":"SCMP_ACT_LOG","args":[{"index":-1,"value":1}]}"#),
                "parse",
            ),
        ] {
            let error = read(&json, &[]).unwrap_err();
            assert_eq!(error.kind(), Kind::Invalid, "{json}");
            assert!(error.chain().join(": ").contains(word), "{json}: {error:?}");
        }
    }
}
