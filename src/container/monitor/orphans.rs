//! The end of a container among the host's processes: without a pid namespace of its own, the end of its first process
//! ends nobody else. Its control group ends them, where there is one; here they come to the monitor, which ends them.

use std::fs;

use crate::sys::process;

/// Takes in what loses its parent. Those that end before the container stay zombies for so long.
pub(super) fn adopt() {
    // A kernel that refuses has orphans go to its init, as they would without it.
    let _ = process::become_subreaper();
}

/// Ends all that came, and what comes by that. To be called when this process has no other children any more.
pub(super) fn end() {
    loop {
        let children = fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
        let children: Vec<i32> =
            children.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect();
        if children.is_empty() {
            return;
        }
        for pid in children {
            let _ = process::kill_raw(pid, libc::SIGKILL);
            if process::wait_raw(pid).is_err() {
                return;
            }
        }
    }
}
