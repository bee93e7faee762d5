//! Starting what leaves a process behind with its standard streams.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::command::{Output, PATIENCE, code_of};

/// Runs a command whose standard streams, appended to files, are passed on to what it leaves running: waits for
/// the command alone.
pub(crate) fn finish(mut command: Command, stdout: &Path, stderr: &Path) -> Output {
    let what = format!("{:?}", command.get_args().collect::<Vec<_>>());
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |about| about.len()) as usize;
    let before = [length(stdout), length(stderr)];
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    drop(command);
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{what} does not end: {}", std::fs::read_to_string(stderr).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let [stdout, stderr] = [(stdout, before[0]), (stderr, before[1])].map(|(path, before)| {
        let text = std::fs::read(path).unwrap_or_default();
        String::from_utf8_lossy(&text[before.min(text.len())..]).into_owned()
    });
    Output { code: code_of(status), stdout, stderr, what }
}
