//! User namespaces, subordinate ids and the programs that map them.

use crate::config::Env;
use crate::error::Error;
use crate::ops::doctor::Finding;
use crate::userns::{self, Helpers, Owner, Request, Sources, Subordinate, UserNamespace};

/// Examines them, and gives back the namespace in which the store is written if it can be made.
pub(super) fn examine(env: &Env, findings: &mut Vec<Finding>) -> Option<UserNamespace> {
    let namespace = match userns::plan(env, &Request::default()) {
        Ok(namespace) => namespace,
        Err(error) => {
            findings.push(failed("user namespaces", &error));
            return None;
        }
    };
    let works = userns::run_inside(&namespace, "the probe of user namespaces", || Ok(()));
    if let Err(error) = works {
        findings.push(failed("user namespaces", &error).lost("containers cannot be made at all"));
        if env.uid() != 0 {
            findings.extend([helpers(env), subordinate_ids(env, &namespace)]);
        }
        return None;
    }
    let ids: u64 = namespace.maps.uid.iter().map(|map| u64::from(map.count)).sum();
    findings.push(Finding::ok("user namespaces", format!("one was made, with {ids} user ids")));
    if env.uid() != 0 {
        findings.extend([helpers(env), subordinate_ids(env, &namespace)]);
    }
    Some(namespace)
}

fn failed(subject: &'static str, error: &Error) -> Finding {
    let finding = Finding::broken(subject, error.chain().join(": "));
    match error.hints() {
        [] => finding,
        hints => finding.remedy(hints.join("; ")),
    }
}

const ONE_ID: &str = "containers have one id: owners in images are recorded, not set; a service that \
                      changes its user in the container fails";

fn helpers(env: &Env) -> Finding {
    match Helpers::find(env) {
        Ok(Helpers { newuidmap, newgidmap }) => {
            Finding::ok("id mappers", format!("{}, {}", newuidmap.display(), newgidmap.display()))
        }
        Err(obstacle) => {
            Finding::lacking("id mappers", obstacle.to_string()).lost(ONE_ID).remedy(obstacle.remedy())
        }
    }
}

fn subordinate_ids(env: &Env, namespace: &UserNamespace) -> Finding {
    let subject = "subordinate ids";
    let sources = Sources::of_system(env);
    let subordinate = match Subordinate::of(Owner { name: env.user_name(), uid: env.uid() }, &sources) {
        Ok(subordinate) => subordinate,
        Err(error) => return failed(subject, &error),
    };
    let ids = |ranges: &[userns::Range]| ranges.iter().map(|range| u64::from(range.count)).sum::<u64>();
    let (uids, gids) = (ids(&subordinate.uid), ids(&subordinate.gid));
    let mut found = format!("{uids} user ids, {gids} group ids");
    for note in &subordinate.notes {
        found.push_str("; ");
        found.push_str(note);
    }
    if uids == 0 || gids == 0 {
        let remedy = userns::grant_command(env);
        return Finding::lacking(subject, found).lost(ONE_ID).remedy(remedy);
    }
    if uids.min(gids) < 65_536 && !namespace.single() {
        return Finding::lacking(subject, found)
            .lost("files of images with ids beyond these belong to nobody")
            .remedy(userns::grant_command(env));
    }
    Finding::ok(subject, found)
}
