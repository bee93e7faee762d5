//! What a group has used, from the files in which the kernel counts it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::tree::Tree;

/// What a group has used. Where a controller is missing, what it would count is `None` or 0.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Processor time.
    pub cpu: Cpu,
    /// Memory.
    pub memory: Memory,
    /// Processes and threads.
    pub pids: Pids,
    /// Block devices, by `major:minor`.
    pub io: BTreeMap<String, Io>,
}

/// Processor time in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cpu {
    /// All of it.
    pub usage: u64,
    /// In programs.
    pub user: u64,
    /// In the kernel.
    pub system: u64,
    /// Periods of the quota that passed while something wanted to run.
    pub periods: u64,
    /// Periods in which the quota was used up.
    pub throttled_periods: u64,
    /// How long the quota kept it waiting.
    pub throttled: u64,
    /// How much of the time something waited for a processor.
    pub pressure: Option<Pressure>,
}

/// Memory in bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// In use now, page cache included.
    pub usage: Option<u64>,
    /// Of that, page cache that can be given up at once.
    pub inactive_file: u64,
    /// The limit; `None`: no limit.
    pub limit: Option<u64>,
    /// The most that was ever in use (Linux 5.19).
    pub peak: Option<u64>,
    /// Swap in use.
    pub swap_usage: Option<u64>,
    /// The limit of swap.
    pub swap_limit: Option<u64>,
    /// How often it reached the limit.
    pub limit_hits: u64,
    /// How many processes were killed for lack of memory.
    pub oom_kills: u64,
    /// How much of the time something waited for memory.
    pub pressure: Option<Pressure>,
}

/// Processes and threads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pids {
    /// How many there are.
    pub current: Option<u64>,
    /// The most there may be; `None`: no limit.
    pub limit: Option<u64>,
    /// How often one more was refused.
    pub refused: u64,
}

/// A block device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Io {
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Reads.
    pub reads: u64,
    /// Writes.
    pub writes: u64,
}

/// Pressure stall information: how much of the time somebody waited, in percent, over three windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    /// Ten seconds.
    pub avg10: f64,
    /// A minute.
    pub avg60: f64,
    /// Five minutes.
    pub avg300: f64,
    /// Microseconds in all.
    pub total: u64,
}

/// Reads everything that there is.
pub(super) fn read(tree: &Tree, group: &Path) -> Stats {
    let text = |name: &str| tree.read(group, name).unwrap_or_default();
    let number = |name: &str| text(name).trim().parse().ok();
    let cpu = text("cpu.stat");
    let memory = text("memory.stat");
    let events = text("memory.events");
    Stats {
        cpu: Cpu {
            usage: field(&cpu, "usage_usec"),
            user: field(&cpu, "user_usec"),
            system: field(&cpu, "system_usec"),
            periods: field(&cpu, "nr_periods"),
            throttled_periods: field(&cpu, "nr_throttled"),
            throttled: field(&cpu, "throttled_usec"),
            pressure: pressure(&text("cpu.pressure")),
        },
        memory: Memory {
            usage: number("memory.current"),
            inactive_file: field(&memory, "inactive_file"),
            limit: number("memory.max"),
            peak: number("memory.peak"),
            swap_usage: number("memory.swap.current"),
            swap_limit: number("memory.swap.max"),
            limit_hits: field(&events, "max"),
            oom_kills: field(&events, "oom_kill"),
            pressure: pressure(&text("memory.pressure")),
        },
        pids: Pids {
            current: number("pids.current"),
            limit: number("pids.max"),
            refused: field(&text("pids.events"), "max"),
        },
        io: devices(&text("io.stat")),
    }
}

/// The number behind `name` on a line of its own; 0 where there is none.
pub(super) fn field(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(key, _)| *key == name).and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
}

/// The line `some avg10=… avg60=… avg300=… total=…`.
fn pressure(text: &str) -> Option<Pressure> {
    let some = text.lines().find_map(|line| line.strip_prefix("some "))?;
    let mut pressure = Pressure::default();
    for (key, value) in some.split(' ').filter_map(|pair| pair.split_once('=')) {
        match key {
            "avg10" => pressure.avg10 = value.parse().ok()?,
            "avg60" => pressure.avg60 = value.parse().ok()?,
            "avg300" => pressure.avg300 = value.parse().ok()?,
            "total" => pressure.total = value.parse().ok()?,
            _ => {}
        }
    }
    Some(pressure)
}

/// Lines of `MAJOR:MINOR rbytes=… wbytes=… rios=… wios=… …`.
fn devices(text: &str) -> BTreeMap<String, Io> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(device, counts)| {
            let count = |name: &str| {
                let mut pairs = counts.split(' ').filter_map(|pair| pair.split_once('='));
                pairs.find(|(key, _)| *key == name).and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
            };
            let io = Io {
                read_bytes: count("rbytes"),
                write_bytes: count("wbytes"),
                reads: count("rios"),
                writes: count("wios"),
            };
            (device.to_owned(), io)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_kernels_files_are_read() {
        let dir = tempfile::tempdir().unwrap();
        for (file, content) in [
            (
                "cpu.stat",
                "usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 2\nthrottled_usec 9\n",
            ),
            ("cpu.pressure", "some avg10=1.50 avg60=0.25 avg300=0.00 total=77\nfull avg10=0.00\n"),
            ("memory.current", "4096\n"),
            ("memory.max", "max\n"),
            ("memory.swap.max", "64\n"),
            ("memory.stat", "anon 1\ninactive_file 2\n"),
            ("memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\noom_group_kill 0\n"),
            ("pids.current", "2\n"),
            ("pids.events", "max 5\n"),
            ("io.stat", "254:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n7:0 \n"),
        ] {
            fs::write(dir.path().join(file), content).unwrap();
        }
        let stats = read(&Tree::at(dir.path()), Path::new("/"));
        assert_eq!((stats.cpu.usage, stats.cpu.throttled_periods, stats.cpu.throttled), (30, 2, 9));
        let pressure = Pressure { avg10: 1.5, avg60: 0.25, avg300: 0.0, total: 77 };
        assert_eq!(stats.cpu.pressure, Some(pressure));
        assert_eq!((stats.memory.usage, stats.memory.limit), (Some(4096), None));
        assert_eq!((stats.memory.swap_limit, stats.memory.peak), (Some(64), None));
        assert_eq!((stats.memory.limit_hits, stats.memory.oom_kills, stats.memory.inactive_file), (3, 1, 2));
        assert_eq!((stats.pids.current, stats.pids.limit, stats.pids.refused), (Some(2), None, 5));
        assert_eq!(stats.io["254:0"], Io { read_bytes: 1, write_bytes: 2, reads: 3, writes: 4 });
        assert_eq!(stats.io["7:0"], Io::default());
    }
}
