//! config.md, "Process" and "Linux Process".

use serde_json::{Value, json};

use crate::probe::ask;
use crate::rig::{Bundle, deviates, needs};

fn with(process: &str, value: Value, script: &str) -> Bundle {
    Bundle::sh(script).with(|config| config["process"][process] = value)
}

/// "with the same semantics as IEEE Std 1003.1-2008's environ"
#[test]
fn the_environment_is_the_listed_one_and_nothing_else() {
    needs!(bundles);
    let env = json!(["PATH=/bin", "HOME=/somewhere", "EMPTY=", "SPACED=a b  c", "EQUALS=a=b"]);
    let bundle = with("env", env, "env").set("FROM_OUTSIDE", "yes");
    let printed = bundle.says();
    let mut found: Vec<_> =
        printed.lines().filter(|line| !line.starts_with("SHLVL=") && !line.starts_with("PWD=")).collect();
    found.sort_unstable();
    assert_eq!(found, ["EMPTY=", "EQUALS=a=b", "HOME=/somewhere", "PATH=/bin", "SPACED=a b  c"]);
}

#[test]
fn a_working_directory() {
    needs!(bundles);
    assert_eq!(with("cwd", json!("/usr"), "pwd; readlink /proc/self/cwd").says(), "/usr\n/usr\n");
}

/// runc, crun and youki make it; what the specification does not forbid, engines have come to need.
#[test]
fn a_working_directory_that_does_not_exist_is_made() {
    needs!(bundles);
    assert_eq!(with("cwd", json!("/made/for/this"), "pwd").says(), "/made/for/this\n");
}

/// "This value MUST be an absolute path."
#[test]
fn a_relative_working_directory_is_refused() {
    needs!(bundles);
    deviates!("crun", "takes it as relative to the root");
    with("cwd", json!("usr"), "pwd").is_refused();
}

#[test]
fn a_working_directory_that_is_a_file_is_an_error() {
    needs!(bundles);
    let output = with("cwd", json!("/etc/passwd"), "pwd").run();
    assert_ne!(output.code, 0, "{output}");
    assert_eq!(output.stdout, "");
}

/// "at least one entry is REQUIRED"
#[test]
fn no_arguments_are_refused() {
    needs!(bundles);
    let bundle = Bundle::of(&[]);
    assert_ne!(bundle.run().code, 0);
    let bundle = Bundle::new().with(|config| drop(config["process"].as_object_mut().unwrap().remove("args")));
    assert_ne!(bundle.run().code, 0);
    assert_eq!(bundle.ids(), [""; 0]);
}

/// "umask specifies the umask of the user."
#[test]
fn a_umask() {
    needs!(bundles);
    let bundle = Bundle::sh("umask; touch /tmp/f; stat -c %a /tmp/f")
        .with(|config| config["process"]["user"]["umask"] = json!(0o27));
    assert_eq!(bundle.says(), "0027\n640\n");
}

#[test]
fn a_user_and_groups_of_the_container() {
    needs!(bundles, subordinate_ids);
    let bundle = Bundle::sh("id -u; id -g; grep ^Groups: /proc/self/status | tr -s '\\t ' ' '")
        .with_subordinate_ids()
        .with(|config| {
            config["process"]["user"] = json!({ "uid": 7, "gid": 8, "additionalGids": [5, 6, 1000] });
        });
    assert_eq!(bundle.says(), "7\n8\nGroups: 5 6 1000 \n");
}

#[test]
fn a_user_without_a_number_in_the_map_is_refused() {
    needs!(bundles, user);
    let bundle = Bundle::new().with(|config| config["process"]["user"] = json!({ "uid": 77, "gid": 0 }));
    let output = bundle.run();
    assert_ne!(output.code, 0, "{output}");
    let bundle = Bundle::new().with(|config| config["process"]["user"] = json!({ "uid": 0, "gid": 77 }));
    let output = bundle.run();
    assert_ne!(output.code, 0, "{output}");
}

/// "rlim.rlim_cur MUST match the configured value", "rlim.rlim_max MUST match the configured value".
#[test]
fn every_limit() {
    needs!(bundles);
    let limits = [
        ("RLIMIT_AS", "Max address space", 1 << 32, 1 << 33),
        ("RLIMIT_CORE", "Max core file size", 0, 4096),
        ("RLIMIT_CPU", "Max cpu time", 1000, 2000),
        ("RLIMIT_DATA", "Max data size", 1 << 30, 1 << 31),
        ("RLIMIT_FSIZE", "Max file size", 1 << 30, 1 << 31),
        ("RLIMIT_LOCKS", "Max file locks", 10, 20),
        ("RLIMIT_MEMLOCK", "Max locked memory", 4096, 8192),
        ("RLIMIT_MSGQUEUE", "Max msgqueue size", 1000, 2000),
        ("RLIMIT_NICE", "Max nice priority", 0, 0),
        ("RLIMIT_NOFILE", "Max open files", 100, 200),
        ("RLIMIT_NPROC", "Max processes", 1000, 1500),
        ("RLIMIT_RSS", "Max resident set", 1 << 30, 1 << 31),
        ("RLIMIT_RTPRIO", "Max realtime priority", 0, 0),
        ("RLIMIT_RTTIME", "Max realtime timeout", 1000, 2000),
        ("RLIMIT_SIGPENDING", "Max pending signals", 100, 200),
        ("RLIMIT_STACK", "Max stack size", 1 << 20, 1 << 21),
    ];
    let asked = limits.map(|(name, _, soft, hard)| json!({ "type": name, "soft": soft, "hard": hard }));
    let printed = with("rlimits", json!(asked), "cat /proc/self/limits").says();
    for (name, title, soft, hard) in limits {
        let line = printed.lines().find_map(|line| line.strip_prefix(title)).expect(name);
        let found: Vec<u64> = line.split_whitespace().take(2).map(|n| n.parse().unwrap()).collect();
        assert_eq!(found, [soft, hard], "{name}");
    }
}

/// "MUST generate an error for any values which cannot be mapped to a relevant kernel interface"; "duplicated
/// entries with same type".
#[test]
fn limits_that_mean_nothing_are_refused() {
    needs!(bundles);
    with("rlimits", json!([{ "type": "RLIMIT_NONSENSE", "soft": 1, "hard": 1 }]), "true").is_refused();
    with("rlimits", json!([{ "type": "NOFILE", "soft": 100, "hard": 100 }]), "true").is_refused();
    let above = with("rlimits", json!([{ "type": "RLIMIT_NOFILE", "soft": 20, "hard": 10 }]), "true").run();
    assert_ne!(above.code, 0, "a soft limit above the hard one: {above}");
}

#[test]
fn a_limit_that_is_listed_twice_is_refused() {
    needs!(bundles);
    deviates!("crun", "takes the last");
    let twice = json!([
        { "type": "RLIMIT_NOFILE", "soft": 100, "hard": 100 },
        { "type": "RLIMIT_NOFILE", "soft": 200, "hard": 200 },
    ]);
    with("rlimits", twice, "true").is_refused();
}

#[test]
fn no_new_privileges() {
    needs!(bundles);
    for (asked, bit) in [(json!(true), "1"), (json!(false), "0")] {
        let printed = with("noNewPrivileges", asked, "grep NoNewPrivs: /proc/self/status").says();
        assert_eq!(printed, format!("NoNewPrivs:\t{bit}\n"));
    }
    assert_eq!(Bundle::sh("grep NoNewPrivs: /proc/self/status").says(), "NoNewPrivs:\t0\n");
}

/// "the runtime MUST set oom_score_adj to the given value"; "If oomScoreAdj is not set, the runtime MUST NOT change
/// the value".
#[test]
fn the_oom_score_adjustment() {
    needs!(bundles);
    assert_eq!(with("oomScoreAdj", json!(777), "cat /proc/self/oom_score_adj").says(), "777\n");
    let own = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    assert_eq!(Bundle::sh("cat /proc/self/oom_score_adj").says(), own);
}

#[test]
fn an_oom_score_adjustment_out_of_range_is_an_error() {
    needs!(bundles);
    for value in [1001, -1001] {
        let output = with("oomScoreAdj", json!(value), "true").run();
        assert_ne!(output.code, 0, "{value}: {output}");
    }
}

/// policy, nice and the static priority as proc(5) counts the fields of stat.
const SCHEDULING: &str = "cat /proc/self/stat";

fn scheduling(printed: &str) -> (i64, i64, i64) {
    let fields: Vec<_> = printed.rsplit_once(") ").unwrap().1.split(' ').collect();
    let field = |number: usize| fields[number - 3].trim().parse::<i64>().unwrap();
    (field(41), field(19), field(40))
}

#[test]
fn schedulers_that_anybody_may_have() {
    needs!(bundles);
    // What is idle has no use for a nice value, and the kernel sets none.
    for (policy, number, nice) in [("SCHED_OTHER", 0, 7), ("SCHED_BATCH", 3, 7), ("SCHED_IDLE", 5, 0)] {
        let printed = with("scheduler", json!({ "policy": policy, "nice": nice }), SCHEDULING).says();
        assert_eq!(scheduling(&printed), (number, nice, 0), "{policy}");
    }
    let printed = with("scheduler", json!({ "policy": "SCHED_BATCH" }), SCHEDULING).says();
    assert_eq!(scheduling(&printed), (3, 0, 0), "not set means 0");
    assert_eq!(scheduling(&Bundle::sh(SCHEDULING).says()).0, 0);
}

#[test]
fn real_time_schedulers() {
    needs!(bundles, root);
    for (policy, number) in [("SCHED_FIFO", 1), ("SCHED_RR", 2)] {
        let asked = json!({ "policy": policy, "priority": 12, "flags": ["SCHED_FLAG_RESET_ON_FORK"] });
        let bundle =
            Bundle::of(&["cat", "/proc/self/stat"]).with(|config| config["process"]["scheduler"] = asked);
        assert_eq!(scheduling(&bundle.says()), (number, 0, 12), "{policy}");
    }
}

#[test]
fn schedulers_that_mean_nothing_are_refused() {
    needs!(bundles);
    for asked in [
        json!({ "policy": "SCHED_NONSENSE" }),
        json!({ "policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_NONSENSE"] }),
        json!({ "policy": "SCHED_FIFO", "priority": 1000 }),
    ] {
        let output = with("scheduler", asked, "true").run();
        assert_ne!(output.code, 0, "{output}");
    }
}

/// The class stands above bit 13, the level below: ioprio_get(2).
#[test]
fn io_priorities() {
    needs!(bundles);
    for (class, number, level) in [("IOPRIO_CLASS_BE", 2, 6), ("IOPRIO_CLASS_IDLE", 3, 4)] {
        let bundle = Bundle::probing("ioprio_get:1:0")
            .with(|config| config["process"]["ioPriority"] = json!({ "class": class, "priority": level }));
        let answers = ask(&bundle);
        let value: i64 =
            answers[0].strip_prefix("ok ").unwrap_or_else(|| panic!("{answers:?}")).parse().unwrap();
        assert_eq!(value >> 13, number, "{class}");
        assert!(number == 3 || value & 7 == level, "{class}: {value:x}");
    }
}

#[test]
fn an_io_class_that_does_not_exist_is_refused() {
    needs!(bundles);
    let output = with("ioPriority", json!({ "class": "IOPRIO_CLASS_NONSENSE", "priority": 4 }), "true").run();
    assert_ne!(output.code, 0, "{output}");
}

/// "execCPUAffinity … is not applicable to the container's init process."
#[test]
fn the_affinity_of_later_processes_is_not_the_first_ones() {
    needs!(bundles);
    let script = "grep Cpus_allowed_list /proc/self/status";
    let printed = with("execCPUAffinity", json!({ "initial": "0", "final": "0" }), script).says();
    assert_eq!(printed, Bundle::sh(script).says());
}

/// The payload leads a session of its own, so that a terminal's signals do not reach it past the engine.
#[test]
fn the_process_leads_its_session_and_is_the_first() {
    needs!(bundles);
    let printed = Bundle::of(&["cat", "/proc/self/stat"]).says();
    let fields: Vec<_> = printed.rsplit_once(") ").unwrap().1.split(' ').collect();
    assert!(printed.starts_with("1 ("), "{printed}");
    assert_eq!(fields[3], "1", "session of {printed}");
}

/// What the runtime ignores or blocks for itself is none of the payload's.
#[test]
fn signals_are_at_their_defaults() {
    needs!(bundles);
    let printed = Bundle::of(&["grep", "-E", "^Sig(Blk|Ign|Cgt):", "/proc/self/status"]).says();
    for line in printed.lines() {
        assert!(line.ends_with("0000000000000000"), "{printed}");
    }
    assert_eq!(printed.lines().count(), 3);
}
