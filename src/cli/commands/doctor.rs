//! `rcon doctor`.

use std::fmt::Write as _;
use std::process::ExitCode;

use serde_json::json;

use crate::cli::{Context, output};
use crate::config::Paths;
use crate::config::storage_conf::StorageConf;
use crate::error::{Context as _, Result};
use crate::ops::doctor::{self, Finding, State};

/// Examine this machine: what it lacks, what is lost without it, what mends it
///
/// The exit code is 0 where containers run, whatever else is lacking, and 1 where they do not.
///
/// Examples:
///   rcon doctor
///   rcon doctor --format json
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// json, or a Go template
    #[arg(short, long, value_name = "FORMAT")]
    format: Option<String>,
}

/// Examines and reports.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    let paths = Paths::discover(&cx.env, cx.globals.root.as_deref(), cx.globals.runroot.as_deref())?;
    let mut storage_conf = StorageConf::load(&cx.env, &paths)?;
    for option in &cx.globals.storage_opts {
        storage_conf.set(option)?;
    }
    if cx.globals.storage_driver.is_some() {
        storage_conf.driver.clone_from(&cx.globals.storage_driver);
    }
    let findings = doctor::examine(&cx.env, &paths, &storage_conf);
    let text = match args.format.as_deref() {
        None => report(&findings),
        Some("json") => {
            let list = serde_json::to_value(&findings).context(|| "cannot write the findings as JSON")?;
            output::object(Some("json"), &list)?
        }
        format => {
            let list = serde_json::to_value(&findings).context(|| "cannot write the findings as JSON")?;
            output::object(format, &json!({ "Findings": list }))?
        }
    };
    output::print(&text)?;
    Ok(if doctor::main_job_works(&findings) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn report(findings: &[Finding]) -> String {
    let mut text = String::new();
    let width = findings.iter().map(|finding| finding.subject.len()).max().unwrap_or(0);
    for finding in findings {
        let state = match finding.state {
            State::Ok => "ok",
            State::Lacking => "lacking",
            State::Broken => "BROKEN",
        };
        let _ = writeln!(text, "{state:<8} {:<width$}  {}", finding.subject, finding.found);
        for (name, what) in [("lost:", &finding.lost), ("mend:", &finding.remedy)] {
            if let Some(what) = what {
                let _ = writeln!(text, "{:>9}{:<width$}  {name} {what}", "", "");
            }
        }
    }
    text.push_str(if doctor::main_job_works(findings) {
        "\ncontainers run on this machine\n"
    } else {
        "\ncontainers do not run on this machine\n"
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_stands_below_its_subject() {
        let finding = |subject, state| Finding {
            subject,
            state,
            found: "found".to_owned(),
            lost: (state != State::Ok).then(|| "this".to_owned()),
            remedy: (state != State::Ok).then(|| "that".to_owned()),
        };
        let text = report(&[finding("kernel", State::Ok), finding("net", State::Lacking)]);
        assert_eq!(
            text,
            "ok       kernel  found\nlacking  net     found\n                 lost: this\n                 \
             mend: that\n\ncontainers run on this machine\n"
        );
        assert!(report(&[finding("x", State::Broken)]).contains("BROKEN   x"));
    }
}
