//! `doctor`: each thing that a machine may lack, probed; what is lost without it, and what mends it.

mod machine;
mod storage;
mod user;

use serde::Serialize;

use crate::config::storage_conf::StorageConf;
use crate::config::{Env, Paths};

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// All is there.
    Ok,
    /// Something is lost, and containers run all the same.
    Lacking,
    /// Containers do not run.
    Broken,
}

/// What was found about one thing.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The thing, in two or three words.
    pub subject: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What is lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<String>,
    /// What mends it: a command where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Finding {
    fn ok(subject: &'static str, found: impl Into<String>) -> Self {
        Self { subject, state: State::Ok, found: found.into(), lost: None, remedy: None }
    }

    fn lacking(subject: &'static str, found: impl Into<String>) -> Self {
        Self { state: State::Lacking, ..Self::ok(subject, found) }
    }

    fn broken(subject: &'static str, found: impl Into<String>) -> Self {
        Self { state: State::Broken, ..Self::ok(subject, found) }
    }

    fn lost(mut self, what: impl Into<String>) -> Self {
        self.lost = Some(what.into());
        self
    }

    fn remedy(mut self, what: impl Into<String>) -> Self {
        self.remedy = Some(what.into());
        self
    }
}

/// Looks at everything. Only what the probes need for a moment is made on disk, in the user's own
/// directories.
pub fn examine(env: &Env, paths: &Paths, storage_conf: &StorageConf) -> Vec<Finding> {
    let mut findings = Vec::new();
    let namespace = user::examine(env, &mut findings);
    storage::examine(env, paths, storage_conf, namespace.as_ref(), &mut findings);
    machine::examine(env, paths, namespace.as_ref(), &mut findings);
    findings
}

/// Whether containers run on this machine.
pub fn main_job_works(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.state != State::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_says_what_is_lost_and_what_mends_it() {
        let env = Env::capture();
        let mut findings = Vec::new();
        // Without the probes that fork: this harness has threads.
        machine::examine(&env, &Paths::discover(&env, None, None).unwrap(), None, &mut findings);
        assert!(!findings.is_empty());
        for finding in findings {
            let complete = finding.lost.is_some() && finding.remedy.is_some();
            assert!(finding.state == State::Ok || complete, "{finding:?}");
        }
    }

    #[test]
    fn only_what_is_broken_stops_the_main_job() {
        let lacking = Finding::lacking("network", "none").lost("the net").remedy("sudo apt install passt");
        assert!(main_job_works(&[Finding::ok("kernel", "6.1"), lacking.clone()]));
        assert!(!main_job_works(&[lacking, Finding::broken("user namespaces", "forbidden")]));
    }
}
