//! config-linux.md, "Seccomp" and "The Container Process State".

use std::os::fd::{AsFd, AsRawFd};

use serde_json::{Value, json};

use crate::probe::ask;
use crate::rig::{Bundle, Output, deviates, eventually, needs, socket};

const EPERM: &str = "EPERM";

/// A rule about one system call.
fn rule(name: &str, action: &str) -> Value {
    json!({ "names": [name], "action": action })
}

/// A container that asks, under these rules; everything else is allowed.
fn under(rules: &Value, question: &str) -> Bundle {
    filtered(json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": rules }), Bundle::probing(question))
}

fn filtered(filter: Value, bundle: Bundle) -> Bundle {
    bundle.with(|config| config["linux"]["seccomp"] = filter)
}

#[track_caller]
fn run_filtered(filter: Value) -> Output {
    filtered(filter, Bundle::new()).run()
}

#[test]
fn without_rules_nothing_is_filtered() {
    needs!(bundles);
    let grep = ["grep", "^Seccomp:", "/proc/self/status"];
    assert_eq!(Bundle::of(&grep).says(), "Seccomp:\t0\n");
    let with = filtered(
        json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule("acct", "SCMP_ACT_ERRNO")] }),
        Bundle::of(&grep),
    );
    assert_eq!(with.says(), "Seccomp:\t2\n");
}

/// "The default is EPERM."
#[test]
fn an_errno_and_its_default() {
    needs!(bundles);
    let mut other = rule("quotactl", "SCMP_ACT_ERRNO");
    other["errnoRet"] = json!(95);
    let mut none = rule("add_key", "SCMP_ACT_ERRNO");
    none["errnoRet"] = json!(0);
    let rules = json!([rule("acct", "SCMP_ACT_ERRNO"), other, none]);
    assert_eq!(ask(&under(&rules, "acct,quotactl,add_key,getcpu")), [EPERM, "EOPNOTSUPP", "ok 0", "ok 0"]);
}

#[test]
fn several_names_of_one_rule() {
    needs!(bundles);
    let rules = json!([{ "names": ["acct", "quotactl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 71 }]);
    assert_eq!(ask(&under(&rules, "acct,quotactl,getcpu")), ["EPROTO", "EPROTO", "ok 0"]);
}

/// "defaultErrnoRet (uint, OPTIONAL) the errno return code to use"
#[test]
fn the_default_action_and_its_errno() {
    needs!(bundles);
    let allowed: Vec<_> = ALLOWED.split_whitespace().collect();
    for (errno, answer) in [(json!(38), "ENOSYS"), (json!(95), "EOPNOTSUPP")] {
        let filter = json!({
            "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": errno,
            "syscalls": [{ "names": allowed, "action": "SCMP_ACT_ALLOW" }],
        });
        assert_eq!(ask(&filtered(filter, Bundle::probing("acct"))), [answer]);
    }
    let filter = json!({
        "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{ "names": allowed, "action": "SCMP_ACT_ALLOW" }],
    });
    assert_eq!(ask(&filtered(filter, Bundle::probing("acct"))), [EPERM]);
}

/// What a static program with threads, and a runtime on its last steps to execve, call.
const ALLOWED: &str = "access arch_prctl brk capget capset chdir clone clone3 close close_range dup dup2 dup3 \
    epoll_create1 execve execveat exit exit_group faccessat faccessat2 fchdir fcntl fstat fstatfs futex getcwd getdents64 getegid \
    geteuid getgid getgroups getpgrp getpid getppid getrandom getrlimit gettid getuid ioctl lseek lstat madvise mmap mprotect \
    mremap munmap nanosleep clock_nanosleep newfstatat open openat openat2 pipe pipe2 poll ppoll prctl pread64 prlimit64 pwrite64 read readlink readlinkat \
    readv recvfrom recvmsg restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_getaffinity sched_yield \
    sendmsg sendto set_robust_list set_tid_address setgid setgroups setresgid setresuid setsid setuid sigaltstack stat \
    statfs statx sysinfo tgkill uname umask unlink wait4 write writev clock_gettime";

#[test]
fn every_comparison_of_an_argument() {
    needs!(bundles);
    // getpriority(which, who): the answers tell only whether the filter let it through.
    let with = |op: &str, value: u64, two: u64| {
        let mut rule = rule("getpriority", "SCMP_ACT_ERRNO");
        rule["errnoRet"] = json!(71);
        rule["args"] = json!([{ "index": 1, "value": value, "valueTwo": two, "op": op }]);
        json!([rule])
    };
    for (op, value, two, hit) in [
        ("SCMP_CMP_NE", 5, 0, [true, false, true]),
        ("SCMP_CMP_LT", 5, 0, [true, false, false]),
        ("SCMP_CMP_LE", 5, 0, [true, true, false]),
        ("SCMP_CMP_EQ", 5, 0, [false, true, false]),
        ("SCMP_CMP_GE", 5, 0, [false, true, true]),
        ("SCMP_CMP_GT", 5, 0, [false, false, true]),
        // value is the mask, valueTwo what is compared.
        ("SCMP_CMP_MASKED_EQ", 4, 4, [false, true, true]),
    ] {
        let answers = ask(&under(&with(op, value, two), "getpriority:0:1,getpriority:0:5,getpriority:0:6"));
        let hits: Vec<_> = answers.iter().map(|answer| answer == "EPROTO").collect();
        assert_eq!(hits, hit, "{op}: {answers:?}");
    }
}

#[test]
fn all_64_bits_of_an_argument_count() {
    needs!(bundles);
    let mut rule = rule("personality", "SCMP_ACT_ERRNO");
    rule["errnoRet"] = json!(71);
    rule["args"] = json!([{ "index": 1, "value": 0x1_0000_0005_u64, "op": "SCMP_CMP_EQ" }]);
    let rules = json!([rule]);
    let question = "personality:4294967295:5,personality:4294967295:4294967301";
    assert_eq!(ask(&under(&rules, question)), ["ok 0", "EPROTO"]);
}

/// All of a rule's arguments have to match.
#[test]
fn several_arguments() {
    needs!(bundles);
    let mut rule = rule("getpriority", "SCMP_ACT_ERRNO");
    rule["errnoRet"] = json!(71);
    rule["args"] = json!([
        { "index": 0, "value": 0, "op": "SCMP_CMP_EQ" }, { "index": 1, "value": 5, "op": "SCMP_CMP_EQ" },
    ]);
    let rules = json!([rule]);
    let answers = ask(&under(&rules, "getpriority:0:5,getpriority:1:5,getpriority:0:1"));
    assert_eq!(answers[0], "EPROTO");
    assert!(answers[1..].iter().all(|answer| answer != "EPROTO"), "{answers:?}");
}

#[test]
fn several_rules_about_one_call() {
    needs!(bundles);
    let with = |value: u64, errno: u32| {
        json!({
            "names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": errno,
            "args": [{ "index": 1, "value": value, "op": "SCMP_CMP_EQ" }],
        })
    };
    let rules = json!([with(5, 71), with(6, 95)]);
    let answers = ask(&under(&rules, "getpriority:0:5,getpriority:0:6"));
    assert_eq!(answers, ["EPROTO", "EOPNOTSUPP"]);
}

/// 31 is SIGSYS, by which the kernel kills.
#[test]
fn killing_and_trapping() {
    needs!(bundles);
    for action in ["SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"] {
        let bundle = under(&json!([rule("acct", action)]), "acct");
        let output = bundle.run();
        assert_eq!(output.code, 128 + 31, "{action}: {output}");
    }
    // Killing the only thread is the end of a process, too.
    for action in ["SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD"] {
        let filter = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule("mkdir", action), rule("mkdirat", action)] });
        let output = filtered(filter, Bundle::of(&["mkdir", "/tmp/made"])).run();
        assert_eq!(output.code, 128 + 31, "{action}: {output}");
    }
}

/// Seen in the log alone.
#[test]
fn logging_lets_through() {
    needs!(bundles);
    assert_eq!(ask(&under(&json!([rule("getcpu", "SCMP_ACT_LOG")]), "getcpu")), ["ok 0"]);
}

/// Without a tracer it does not exist: seccomp(2).
#[test]
fn tracing_without_a_tracer() {
    needs!(bundles);
    assert_eq!(ask(&under(&json!([rule("acct", "SCMP_ACT_TRACE")]), "acct")), ["ENOSYS"]);
}

/// A profile for many kernels names calls that this one's table does not have.
#[test]
fn unknown_names_are_passed_over() {
    needs!(bundles);
    let rules = json!([{ "names": ["no_such_call", "acct"], "action": "SCMP_ACT_ERRNO" }]);
    assert_eq!(ask(&under(&rules, "acct")), [EPERM]);
}

#[test]
fn other_architectures() {
    needs!(bundles);
    let filter = json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
        "syscalls": [rule("acct", "SCMP_ACT_ERRNO")],
    });
    assert_eq!(ask(&filtered(filter, Bundle::probing("acct,getcpu"))), [EPERM, "ok 0"]);
}

#[test]
fn flags_of_the_filter() {
    needs!(bundles);
    for flag in ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"] {
        let filter = json!({
            "defaultAction": "SCMP_ACT_ALLOW", "flags": [flag], "syscalls": [rule("acct", "SCMP_ACT_ERRNO")],
        });
        assert_eq!(ask(&filtered(filter, Bundle::probing("acct"))), [EPERM], "{flag}");
    }
}

/// With no_new_privs, without, as another user: the filter is there.
#[test]
fn filters_and_privileges() {
    needs!(bundles);
    let filter = json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule("acct", "SCMP_ACT_ERRNO")] });
    for forbidden in [true, false] {
        for capabilities in [
            json!({}),
            json!({ "bounding": ["CAP_SYS_ADMIN"], "effective": ["CAP_SYS_ADMIN"], "permitted": ["CAP_SYS_ADMIN"] }),
        ] {
            let bundle = filtered(filter.clone(), Bundle::of(&["grep", "^Seccomp:", "/proc/self/status"]))
                .with(|config| {
                    config["process"]["noNewPrivileges"] = json!(forbidden);
                    config["process"]["capabilities"] = capabilities;
                });
            assert_eq!(bundle.says(), "Seccomp:\t2\n");
        }
    }
}

#[test]
fn filters_that_mean_nothing_are_refused() {
    needs!(bundles);
    let allow = "SCMP_ACT_ALLOW";
    for filter in [
        json!({ "defaultAction": "SCMP_ACT_NONSENSE" }),
        json!({ "syscalls": [] }),
        json!({ "defaultAction": allow, "syscalls": [rule("acct", "SCMP_ACT_NONSENSE")] }),
        json!({ "defaultAction": allow, "architectures": ["SCMP_ARCH_NONSENSE"], "syscalls": [] }),
        json!({ "defaultAction": allow, "syscalls": [{
            "names": ["acct"], "action": "SCMP_ACT_ERRNO",
            "args": [{ "index": 0, "value": 1, "op": "SCMP_CMP_NONSENSE" }],
        }] }),
        json!({ "defaultAction": allow, "syscalls": [{
            "names": ["acct"], "action": "SCMP_ACT_ERRNO",
            "args": [{ "index": 6, "value": 1, "op": "SCMP_CMP_EQ" }],
        }] }),
        json!({ "defaultAction": allow, "flags": ["SECCOMP_FILTER_FLAG_NONSENSE"], "syscalls": [rule("acct", "SCMP_ACT_ERRNO")] }),
    ] {
        let output = run_filtered(filter.clone());
        assert_ne!(output.code, 0, "{filter}: {output}");
    }
}

/// "names MUST contain at least one entry."; "When the action doesn't support an errno, the runtime MUST print and
/// error and fail."
#[test]
fn rules_without_a_sense_are_refused() {
    needs!(bundles);
    deviates!("crun", "passes over them");
    for filter in [
        json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": [], "action": "SCMP_ACT_ERRNO" }] }),
        json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["acct"], "action": "SCMP_ACT_KILL", "errnoRet": 1 }] }),
        json!({ "defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1, "syscalls": [rule("acct", "SCMP_ACT_ERRNO")] }),
    ] {
        let output = run_filtered(filter.clone());
        assert_ne!(output.code, 0, "{filter}: {output}");
    }
}

/// The descriptor of the filter, and the state of the container, over "AF_UNIX domain and SOCK_STREAM type".
#[test]
fn a_listener_gets_the_filters_descriptor_and_the_state() {
    needs!(bundles);
    let mut bundle = under(&json!([rule("acct", "SCMP_ACT_NOTIFY")]), "acct,getcpu");
    let listener = socket::listen(&bundle.path("listener"));
    let path = bundle.text("listener");
    bundle.config["linux"]["seccomp"]["listenerPath"] = json!(path);
    bundle.config["linux"]["seccomp"]["listenerMetadata"] = json!("of the test");
    bundle.config["annotations"] = json!({ "com.example": "noted" });
    bundle.save();
    let mut running = bundle.start_run();
    let complete = |payload: &[u8]| serde_json::from_slice::<Value>(payload).is_ok();
    let (payload, descriptors) = socket::receive_until(&socket::accept(&listener), complete);
    let state: Value = serde_json::from_slice(&payload).expect("the container process state");
    assert_eq!(state["fds"], json!(["seccompFd"]), "{state}");
    assert_eq!(state["metadata"], "of the test", "{state}");
    assert_eq!(state["state"]["id"], json!(bundle.id), "{state}");
    assert_eq!(state["state"]["annotations"]["com.example"], "noted", "{state}");
    assert_eq!(
        state["state"]["bundle"].as_str().unwrap().trim_end_matches('/'),
        bundle.text("").trim_end_matches('/')
    );
    assert!(state["ociVersion"].is_string(), "{state}");
    let pid = state["pid"].as_i64().unwrap();
    assert!(std::fs::exists(format!("/proc/{pid}")).unwrap(), "{state}");
    assert_eq!(descriptors.len(), 1);
    // The call waits for what the listener says.
    let [descriptor] = <[_; 1]>::try_from(descriptors).unwrap();
    assert_eq!(answer_with(&descriptor, 71), libc::SYS_acct);
    running.expect("answer: EPROTO");
    running.expect("answer: ok 0");
    assert!(running.wait().success());
}

/// "The connection MUST NOT be reused and it MUST be closed after sending a seccomp state."
#[test]
fn a_listeners_connection_is_closed() {
    needs!(bundles);
    deviates!("crun", "leaves it open while the container runs");
    let mut bundle = under(&json!([rule("acct", "SCMP_ACT_NOTIFY")]), "getcpu");
    let listener = socket::listen(&bundle.path("listener"));
    let path = bundle.text("listener");
    bundle.config["linux"]["seccomp"]["listenerPath"] = json!(path);
    bundle.config["process"]["args"] = json!(["sleep", "1000"]);
    let _running = bundle.start_run();
    let (payload, _descriptors) = socket::receive(&socket::accept(&listener));
    assert!(serde_json::from_slice::<Value>(&payload).is_ok());
    eventually("it runs", || bundle.try_to(&["state", &bundle.id]).stdout.contains("\"running\""));
}

/// Takes one notification and answers it with an errno; the number of the call.
fn answer_with(listener: &impl AsFd, errno: i32) -> i64 {
    let mut ready = [nix::poll::PollFd::new(listener.as_fd(), nix::poll::PollFlags::POLLIN)];
    assert_eq!(nix::poll::poll(&mut ready, nix::poll::PollTimeout::from(60_000u16)).unwrap(), 1);
    let fd = listener.as_fd().as_raw_fd();
    // SAFETY: all zero is what the kernel asks for, and both structures are its own.
    unsafe {
        let mut call: libc::seccomp_notif = std::mem::zeroed();
        assert_eq!(libc::ioctl(fd, libc::SECCOMP_IOCTL_NOTIF_RECV, &mut call), 0, "receiving");
        let mut answer: libc::seccomp_notif_resp = std::mem::zeroed();
        answer.id = call.id;
        answer.error = -errno;
        assert_eq!(libc::ioctl(fd, libc::SECCOMP_IOCTL_NOTIF_SEND, &mut answer), 0, "answering");
        i64::from(call.data.nr)
    }
}

/// "If sending to this socket fails, the runtime MUST generate an error."
#[test]
fn a_listener_that_is_not_there_is_an_error() {
    needs!(bundles);
    let filter = json!({
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/no/such/socket",
        "syscalls": [rule("acct", "SCMP_ACT_NOTIFY")],
    });
    let output = run_filtered(filter);
    assert_ne!(output.code, 0, "{output}");
}

/// Nobody would answer.
#[test]
fn notifications_without_a_listener_are_refused() {
    needs!(bundles);
    deviates!("crun", "lets the calls wait for ever");
    let notify = json!([rule("acct", "SCMP_ACT_NOTIFY")]);
    let output = run_filtered(json!({ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": notify }));
    assert_ne!(output.code, 0, "{output}");
}

/// "If the SCMP_ACT_NOTIFY action is not used this value is ignored."
#[test]
fn a_listener_without_a_use_is_ignored() {
    needs!(bundles);
    let filter = json!({
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/no/such/socket",
        "syscalls": [rule("acct", "SCMP_ACT_ERRNO")],
    });
    deviates!("crun", "connects all the same");
    assert_eq!(run_filtered(filter).code, 0);
}

/// "This field MUST NOT be set if listenerPath is not set."
#[test]
fn metadata_for_no_listener_is_refused() {
    needs!(bundles);
    deviates!("crun", "ignores it");
    let filter = json!({
        "defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x", "syscalls": [rule("acct", "SCMP_ACT_ERRNO")],
    });
    assert_ne!(run_filtered(filter).code, 0);
}
