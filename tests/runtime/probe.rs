//! Questions to the kernel that no applet asks: this very program, run again inside a container.
//!
//! The test program is linked statically, so it runs on any root file system. `RCON_TEST_PROBE` is a list of system
//! calls with their arguments, `name:argument:argument`; the answer to each is the name of the errno, or `ok`.

use std::io::Write;

use crate::rig::Bundle;

/// The answers of a container that asks.
#[track_caller]
pub(crate) fn ask(bundle: &Bundle) -> Vec<String> {
    let output = bundle.says();
    let answers = output.lines().filter_map(|line| line.split_once("answer: "));
    answers.map(|(_, answer)| answer.to_owned()).collect()
}

#[test]
#[ignore = "runs inside a container, started by other tests"]
fn answer() {
    let Ok(questions) = std::env::var("RCON_TEST_PROBE") else { return };
    for question in questions.split(',') {
        let answer = put(question).unwrap_or_else(|errno| format!("{errno:?}"));
        std::io::stdout().write_all(format!("\nanswer: {answer}\n").as_bytes()).unwrap();
    }
}

/// One system call without an effect that matters, were it allowed.
fn put(question: &str) -> Result<String, nix::errno::Errno> {
    let mut parts = question.split(':');
    let number = match parts.next().unwrap() {
        "getpriority" => libc::SYS_getpriority,
        "add_key" => libc::SYS_add_key,
        "acct" => libc::SYS_acct,
        "personality" => libc::SYS_personality,
        "sched_getscheduler" => libc::SYS_sched_getscheduler,
        "ioprio_get" => libc::SYS_ioprio_get,
        "lseek" => libc::SYS_lseek,
        "getcpu" => libc::SYS_getcpu,
        "quotactl" => libc::SYS_quotactl,
        "nonsense" => 5000,
        other => panic!("no such question: {other}"),
    };
    let mut arguments = [0i64; 6];
    for (argument, text) in arguments.iter_mut().zip(parts) {
        *argument = text.parse().unwrap();
    }
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the questions are calls that take numbers alone, or get null pointers.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    nix::errno::Errno::result(result).map(|value| format!("ok {value}"))
}
