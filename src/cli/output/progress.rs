//! How a pull is going: a bar for each layer on a terminal, plain lines elsewhere, nothing with `--quiet`.
//!
//! All of it goes to standard error: standard output is for the id of what was pulled. The bars are drawn by
//! whoever reports bytes; no thread ticks, since rcon forks.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::image::{LayerProgress, Progress};
use crate::oci::Digest;

/// How much a command says while it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verbosity {
    /// The default.
    Normal,
    /// `--quiet`: results and failures only.
    Quiet,
}

/// The reporter that fits standard error.
pub(crate) fn reporter(verbosity: Verbosity) -> Box<dyn Progress> {
    match verbosity {
        Verbosity::Quiet => Box::new(Silence),
        Verbosity::Normal if std::io::stderr().is_terminal() => Box::new(Bars(MultiProgress::new())),
        Verbosity::Normal => Box::new(Lines),
    }
}

struct Silence;

impl Progress for Silence {
    fn layer(&self, _: &Digest, _: u64) -> Box<dyn LayerProgress> {
        Box::new(Silence)
    }

    fn message(&self, _: &str) {}
}

impl LayerProgress for Silence {
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn done(&self) {}
}

/// For files and pipes: podman's lines.
struct Lines;

/// One line, whole even when several layers report at once. Nobody is left to tell when standard error is closed.
fn say(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

impl Progress for Lines {
    fn layer(&self, digest: &Digest, _: u64) -> Box<dyn LayerProgress> {
        say(&format!("Copying blob {digest}"));
        Box::new(Line { name: digest.to_string() })
    }

    fn message(&self, text: &str) {
        say(text);
    }
}

struct Line {
    name: String,
}

impl LayerProgress for Line {
    fn advance(&self, _: u64) {}

    fn note(&self, text: &str) {
        say(&format!("Copying blob {}: {text}", self.name));
    }

    fn done(&self) {}
}

/// For terminals.
struct Bars(MultiProgress);

/// `d4e6fd67dcf7` of `sha256:d4e6fd67dcf75e40…`.
fn short(digest: &Digest) -> String {
    let text = digest.to_string();
    text.rsplit(':').next().unwrap_or_default().chars().take(12).collect()
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

impl Progress for Bars {
    fn layer(&self, digest: &Digest, size: u64) -> Box<dyn LayerProgress> {
        let bar = self.0.add(ProgressBar::new(size));
        bar.set_style(style("{prefix} [{bar:32}] {binary_bytes}/{binary_total_bytes} {msg}"));
        bar.set_prefix(format!("Copying blob {}", short(digest)));
        Box::new(Bar(bar))
    }

    fn message(&self, text: &str) {
        // Above the bars, which are then drawn anew.
        let _ = self.0.println(text);
    }
}

struct Bar(ProgressBar);

impl LayerProgress for Bar {
    fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    fn note(&self, text: &str) {
        self.0.set_message(text.to_owned());
    }

    fn done(&self) {
        self.0.set_style(style("{prefix} done {binary_total_bytes} {msg}"));
        self.0.finish();
    }
}
