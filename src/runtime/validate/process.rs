//! What config.json says of the process and of hooks.

use std::path::Path as FilePath;

use oci_spec::runtime::{Hook, LinuxCapabilities, LinuxSchedulerPolicy as Policy, Process, Scheduler, Spec};

use super::{Findings, Path, at};
pub(super) fn check(process: &Process, findings: &mut Findings) {
    let path = at("process");
    match process.args().as_deref() {
        None | Some([]) => findings.bad(path.key("args"), "is empty: there is nothing to run"),
        Some([program, ..]) if program.is_empty() => {
            findings.bad(path.key("args").index(0), "is empty: there is nothing to run");
        }
        Some(_) => {}
    }
    if !process.cwd().is_absolute() {
        findings.bad(path.key("cwd"), format!("{} is not an absolute path", process.cwd().display()));
    }
    strings(process.args().as_deref(), &path.key("args"), findings);
    strings(process.env().as_deref(), &path.key("env"), findings);
    limits(process, findings);
    if let Some(scheduler) = process.scheduler() {
        schedule(scheduler, &path.key("scheduler"), findings);
    }
    if let Some(capabilities) = process.capabilities() {
        capability_sets(capabilities, &path.key("capabilities"), findings);
    }
}

/// The kernel ends every string at a zero byte.
pub(super) fn strings(list: Option<&[String]>, path: &Path, findings: &mut Findings) {
    for (index, text) in list.unwrap_or_default().iter().enumerate() {
        if text.contains('\0') {
            findings.bad(path.index(index), "has a zero byte");
        }
    }
}

fn limits(process: &Process, findings: &mut Findings) {
    let limits = process.rlimits().as_deref().unwrap_or_default();
    for (index, limit) in limits.iter().enumerate() {
        let path = at("process.rlimits").index(index);
        if limits[..index].iter().any(|earlier| earlier.typ() == limit.typ()) {
            findings.bad(path.clone(), format!("the limit {} is there twice", limit.typ()));
        }
        if limit.soft() > limit.hard() {
            let message = format!("{} is above the hard limit {}", limit.soft(), limit.hard());
            findings.bad(path.key("soft"), message);
        }
    }
}

fn schedule(scheduler: &Scheduler, path: &Path, findings: &mut Findings) {
    let priority = scheduler.priority().unwrap_or(0);
    match scheduler.policy() {
        Policy::SchedIso => findings.unsupported(path.key("policy"), "Linux has no SCHED_ISO"),
        Policy::SchedFifo | Policy::SchedRr if (1..=99).contains(&priority) => {}
        Policy::SchedFifo | Policy::SchedRr => {
            findings.bad(path.key("priority"), format!("{priority} is not between 1 and 99"));
        }
        other if priority != 0 => {
            findings.bad(path.key("priority"), format!("a policy of {} has none", name_of(*other)));
        }
        _ => {}
    }
    let times = [
        ("runtime", *scheduler.runtime()),
        ("deadline", *scheduler.deadline()),
        ("period", *scheduler.period()),
    ];
    for (key, value) in times {
        if value.unwrap_or(0) != 0 && *scheduler.policy() != Policy::SchedDeadline {
            findings.bad(path.key(key), "only a policy of SCHED_DEADLINE has one");
        }
    }
    if *scheduler.policy() == Policy::SchedDeadline {
        let [runtime, deadline, period] = times.map(|(_, value)| value.unwrap_or(0));
        if runtime > deadline || (period != 0 && deadline > period) {
            let message =
                format!("{runtime} ≤ {deadline} ≤ {period} (runtime, deadline, period) does not hold");
            findings.bad(path.clone(), message);
        }
    }
}

fn name_of(policy: Policy) -> String {
    serde_json::to_value(policy).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// What the kernel does not let be together is warned of; the plan leaves it out.
fn capability_sets(sets: &LinuxCapabilities, path: &Path, findings: &mut Findings) {
    let within = |inner: &Option<_>, outer: &Option<_>| -> Vec<String> {
        let inner: Option<&oci_spec::runtime::Capabilities> = inner.as_ref();
        let outer: Option<&oci_spec::runtime::Capabilities> = outer.as_ref();
        let mut missing: Vec<String> = inner
            .into_iter()
            .flatten()
            .filter(|cap| outer.is_none_or(|outer| !outer.contains(*cap)))
            .map(|cap| format!("CAP_{}", cap.to_string().trim_start_matches("CAP_")))
            .collect();
        missing.sort();
        missing
    };
    for (key, inner, outer_key, outer) in [
        ("effective", sets.effective(), "permitted", sets.permitted()),
        ("inheritable", sets.inheritable(), "bounding", sets.bounding()),
        ("ambient", sets.ambient(), "permitted", sets.permitted()),
        ("ambient", sets.ambient(), "inheritable", sets.inheritable()),
    ] {
        let missing = within(inner, outer);
        if !missing.is_empty() {
            let message = format!("{} cannot be granted: not in {outer_key}", missing.join(", "));
            findings.warn(path.key(key), message);
        }
    }
}

/// Hooks have absolute paths and positive timeouts.
pub(super) fn hooks(spec: &Spec, findings: &mut Findings) {
    let Some(hooks) = spec.hooks() else { return };
    #[allow(deprecated, reason = "configurations have them all the same")]
    let prestart = hooks.prestart();
    for (key, list) in [
        ("prestart", prestart),
        ("createRuntime", hooks.create_runtime()),
        ("createContainer", hooks.create_container()),
        ("startContainer", hooks.start_container()),
        ("poststart", hooks.poststart()),
        ("poststop", hooks.poststop()),
    ] {
        for (index, hook) in list.iter().flatten().enumerate() {
            check_hook(hook, &at("hooks").key(key).index(index), findings);
        }
    }
}

fn check_hook(hook: &Hook, path: &Path, findings: &mut Findings) {
    let file: &FilePath = hook.path();
    if !file.is_absolute() {
        findings.bad(path.key("path"), format!("{} is not an absolute path", file.display()));
    }
    if let Some(timeout) = hook.timeout()
        && timeout <= 0
    {
        findings.bad(path.key("timeout"), format!("{timeout} is not greater than zero"));
    }
    strings(hook.args().as_deref(), &path.key("args"), findings);
    strings(hook.env().as_deref(), &path.key("env"), findings);
}
