//! `rcon logs`.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;

use crate::cli::output::units;
use crate::cli::{Context, output};
use crate::container::logs::Entry;
use crate::error::{Error, Result};
use crate::ops::logs::{self, Log};

/// How often `--follow` looks for more.
const INTERVAL: Duration = Duration::from_millis(50);

/// Print what containers wrote
///
/// Standard output and standard error of the container come out of those of this command.
///
/// Examples:
///   rcon logs -f web
///   rcon logs --since 10m --tail 100 -t web
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Names or ids
    #[arg(value_name = "CONTAINER", required = true)]
    containers: Vec<String>,
    /// Go on until the container ends
    #[arg(short, long)]
    follow: bool,
    /// Print the container's name before each line
    #[arg(short, long)]
    names: bool,
    /// Print the time before each line
    #[arg(short, long)]
    timestamps: bool,
    /// Print the last N lines alone
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        default_value = "-1",
        hide_default_value = true
    )]
    tail: i64,
    /// Leave out what is older: a date, seconds since 1970, or how long ago (10m)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Leave out what is newer
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// Prints the logs, one container after another.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    let session = cx.session()?;
    if args.follow && args.containers.len() > 1 {
        return Err(Error::unsupported("--follow takes one container"));
    }
    let now = Timestamp::now();
    let time = |text: &Option<String>| text.as_deref().map(|text| units::parse_time(text, now)).transpose();
    let (since, until) = (time(&args.since)?, time(&args.until)?);
    for name in &args.containers {
        let mut log = logs::open(&session, name)?;
        let mut printer = Printer {
            name: args.names.then(|| log.container_name().to_owned()),
            timestamps: args.timestamps,
            since,
            until,
            midway: [false; 2],
        };
        printer.print_all(&mut log, usize::try_from(args.tail).ok())?;
        let mut goes_on = args.follow;
        while goes_on {
            // Asked before the log is read: what a container wrote at its end is there then.
            goes_on = log.is_live()? && until.is_none_or(|until| Timestamp::now() <= until);
            printer.print_all(&mut log, None)?;
            if goes_on {
                std::thread::sleep(INTERVAL);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Printer {
    name: Option<String>,
    timestamps: bool,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    /// For each stream: the last entry did not end its line.
    midway: [bool; 2],
}

impl Printer {
    /// Prints what is written by now, or the last `tail` lines of it.
    fn print_all(&mut self, log: &mut Log, tail: Option<usize>) -> Result<()> {
        // Lines are written in pieces of a good size: a log may have millions of them.
        let (mut stdout, mut stderr) =
            (BufWriter::new(io::stdout().lock()), BufWriter::new(io::stderr().lock()));
        let mut out: [&mut dyn Write; 2] = [&mut stdout, &mut stderr];
        let mut last = Tail::new(tail);
        while let Some(entry) = log.read()? {
            let too_old = self.since.is_some_and(|since| entry.time < since);
            let too_new = self.until.is_some_and(|until| entry.time > until);
            if too_old || too_new {
                continue;
            }
            if let Some(entry) = last.push(entry) {
                self.print(&mut out, &entry)?;
            }
        }
        for entry in &last.entries {
            self.print(&mut out, entry)?;
        }
        out.into_iter().try_for_each(|stream| output::check(stream.flush()))
    }

    fn print(&mut self, out: &mut [&mut dyn Write; 2], entry: &Entry) -> Result<()> {
        let stream = usize::from(entry.is_error);
        let mut line = Vec::new();
        if !self.midway[stream] {
            if let Some(name) = &self.name {
                line.extend_from_slice(name.as_bytes());
                line.push(b' ');
            }
            if self.timestamps {
                line.extend_from_slice(entry.time.to_string().as_bytes());
                line.push(b' ');
            }
        }
        line.extend_from_slice(&entry.text);
        if entry.ends_line {
            line.push(b'\n');
        }
        self.midway[stream] = !entry.ends_line;
        output::check(out[stream].write_all(&line))
    }
}

/// Holds back the last so many lines; without a number nothing.
struct Tail {
    lines: Option<usize>,
    held: usize,
    entries: VecDeque<Entry>,
}

impl Tail {
    fn new(lines: Option<usize>) -> Self {
        Self { lines, held: 0, entries: VecDeque::new() }
    }

    /// Takes an entry; gives it back at once if none are held.
    fn push(&mut self, entry: Entry) -> Option<Entry> {
        let Some(lines) = self.lines else { return Some(entry) };
        self.held += usize::from(entry.ends_line);
        self.entries.push_back(entry);
        while self.held > lines {
            let Some(dropped) = self.entries.pop_front() else { break };
            self.held -= usize::from(dropped.ends_line);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str, is_error: bool) -> Entry {
        let (ends_line, text) = text.strip_suffix('\n').map_or((false, text), |text| (true, text));
        let time = "2026-11-23T15:56:35.752290401Z".parse().unwrap();
        Entry { time, is_error, ends_line, text: text.into() }
    }

    fn printed(printer: &mut Printer, entries: &[Entry]) -> (String, String) {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        for entry in entries {
            printer.print(&mut [&mut stdout, &mut stderr], entry).unwrap();
        }
        (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    #[test]
    fn streams_stay_apart_and_lines_whole() {
        let entries =
            [entry("one\n", false), entry("par", false), entry("oops\n", true), entry("tial\n", false)];
        let mut printer =
            Printer { name: None, timestamps: false, since: None, until: None, midway: [false; 2] };
        assert_eq!(printed(&mut printer, &entries), ("one\npartial\n".into(), "oops\n".into()));
        let mut printer = Printer { name: Some("c2".into()), timestamps: true, ..printer };
        let (stdout, stderr) = printed(&mut printer, &entries);
        let prefix = "c2 2026-11-23T15:56:35.752290401Z";
        assert_eq!(stdout, format!("{prefix} one\n{prefix} partial\n"));
        assert_eq!(stderr, format!("{prefix} oops\n"));
    }

    #[test]
    fn the_tail_is_counted_in_lines() {
        let of = |lines| {
            let mut tail = Tail::new(Some(lines));
            for text in ["one\n", "tw", "o\n", "three\n"] {
                assert!(tail.push(entry(text, false)).is_none());
            }
            tail.entries
                .iter()
                .map(|entry| String::from_utf8_lossy(&entry.text).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(of(1), ["three"]);
        assert_eq!(of(2), ["tw", "o", "three"]);
        assert_eq!(of(9).len(), 4);
        assert!(of(0).is_empty());
        assert!(Tail::new(None).push(entry("x\n", false)).is_some());
    }
}
