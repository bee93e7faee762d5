//! `--init`: rcon itself as pid 1. It reaps orphans, passes signals on to the payload, and ends with the
//! payload's status. No file of it is in the container.

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};

use crate::sys::channel::Channel;
use crate::sys::process::ArgumentArea;
use crate::sys::{exec, process, signal};

/// Forks. The child returns and goes on to become the payload; the parent stays as pid 1 and never returns.
pub(super) fn split(sync: &mut Option<Channel>, title: &ArgumentArea) -> Result<(), Errno> {
    // /proc/1/exe must not lead a process in the container to rcon's own file.
    exec::set_dumpable(false)?;
    signal::block_all();
    match process::fork_raw()? {
        0 => {
            exec::set_dumpable(true)?;
            Ok(())
        }
        payload => {
            // The payload's copy is the one whose closing tells that execve has happened.
            drop(sync.take());
            // Everybody may read /proc/1/cmdline: what the caller typed is none of the container's business.
            title.overwrite(c"rcon-init");
            serve(payload)
        }
    }
}

/// Waits for signals for ever. All of them are blocked, so none is lost between two waits.
fn serve(payload: i32) -> ! {
    let _ = exec::close_from(3);
    let _ = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None);
    loop {
        match process::wait_for_any_signal() {
            libc::SIGCHLD => reap(payload),
            // Job control of the terminal concerns the payload's own session.
            libc::SIGTTIN | libc::SIGTTOU => {}
            signal => {
                let _ = process::kill_raw(payload, signal);
            }
        }
    }
}

/// Reaps all that have ended, and ends as the payload did.
fn reap(payload: i32) {
    while let Some((pid, status)) = process::reap_raw() {
        if pid == payload {
            process::leave(status)
        }
    }
}
