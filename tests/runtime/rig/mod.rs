//! The rig: a bundle of its own for each test, the runtime under test, and what it says and leaves.
//!
//! The runtime is the built rcon under the name `rcon-runtime`, or the program that `RCON_TEST_RUNTIME` names.
//! Nothing in here knows which of them it drives: what they share is the command line that engines speak.

mod bundle;
pub(crate) mod cgroup;
#[path = "../../cli/rig/command.rs"]
#[allow(dead_code, reason = "shared with tests/cli, which uses the rest")]
pub(crate) mod command;
mod config;
mod detached;
mod ids;
pub(crate) mod machine;
pub(crate) mod socket;

use std::path::{Path, PathBuf};

pub(crate) use bundle::{Bundle, copy_executable};
pub(crate) use command::{Output, eventually};
pub(crate) use machine::needs;

/// Returns from the test where the runtime under test is known to do something else than the specification
/// says. The list is of other runtimes: for rcon it is a bug.
macro_rules! deviates {
    ($runtime:literal, $how:literal) => {
        if crate::rig::runtime_is($runtime) {
            return crate::rig::left_out(concat!($runtime, ": ", $how));
        }
    };
}
pub(crate) use deviates;

/// Whether the runtime under test is the named one.
pub(crate) fn runtime_is(name: &str) -> bool {
    other_runtime().is_some_and(|path| path.file_name().is_some_and(|file| file == name))
}

/// Says that a test was left out.
pub(crate) fn left_out(how: &str) {
    use std::io::Write;
    let name = std::thread::current().name().unwrap_or("?").to_owned();
    let _ = writeln!(std::io::stderr(), "deviates: {name}: {how}");
}

/// The runtime that was asked for instead of rcon.
fn other_runtime() -> Option<PathBuf> {
    std::env::var_os("RCON_TEST_RUNTIME").filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// The rcon under test.
fn rcon() -> PathBuf {
    std::env::var_os("RCON_TEST_BIN").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_rcon")), PathBuf::from)
}

/// The runtime as a program that can be started; `dir` is where a link to rcon may lie.
fn program(dir: &Path) -> PathBuf {
    other_runtime().unwrap_or_else(|| {
        let link = dir.join("rcon-runtime");
        let _ = std::os::unix::fs::symlink(rcon(), &link);
        link
    })
}
