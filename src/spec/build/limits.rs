//! Resource limits and the OOM score, clamped to what the caller may set; and what is said about it.

use oci_spec::runtime::{PosixRlimit, PosixRlimitBuilder, PosixRlimitType};

use super::{Inputs, NamespacePlace};
use crate::error::{Context, Result};
use crate::spec::request::Request;
use crate::spec::value::{Limit, Ulimit};

/// What podman and Docker give a container, where the caller's hard limit lets them.
const DEFAULT: u64 = 1_048_576;

/// The limits: the built-in ones, then containers.conf's, then `--ulimit`; after `host` only what follows counts.
pub(super) fn rlimits(request: &Request, inputs: &Inputs<'_>) -> Result<Vec<PosixRlimit>> {
    let host = &inputs.host;
    let default =
        |resource, hard: u64| (resource, Limit::new(DEFAULT.min(hard)), Limit::new(DEFAULT.min(hard)));
    let mut limits = vec![
        default(PosixRlimitType::RlimitNofile, host.nofile_hard),
        default(PosixRlimitType::RlimitNproc, host.nproc_hard),
    ];
    for ulimit in inputs.settings.default_ulimits.iter().chain(&request.process.ulimits) {
        match *ulimit {
            Ulimit::Host => limits.clear(),
            Ulimit::Set { resource, soft, hard } => {
                limits.retain(|(known, ..)| *known != resource);
                limits.push((resource, soft, hard));
            }
        }
    }
    limits
        .into_iter()
        .map(|(resource, soft, hard)| {
            PosixRlimitBuilder::default()
                .typ(resource)
                .soft(soft.value())
                .hard(hard.value())
                .build()
                .context(|| format!("make the limit {resource:?}"))
        })
        .collect()
}

/// `--oom-score-adj`, not below the caller's own: lowering it needs CAP_SYS_RESOURCE outside.
pub(super) fn oom_score_adj(request: &Request, inputs: &Inputs<'_>) -> Option<i32> {
    asked_score(request, inputs).map(|score| score.max(inputs.host.oom_score_adj))
}

/// What the flag asks for, else containers.conf.
fn asked_score(request: &Request, inputs: &Inputs<'_>) -> Option<i32> {
    request.process.oom_score_adj.or(inputs.settings.oom_score_adj)
}

/// What the specification grants less of than was asked for, one sentence each, for the caller to show.
pub fn notes(request: &Request, inputs: &Inputs<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Some(asked), Some(granted)) = (asked_score(request, inputs), oom_score_adj(request, inputs))
        && asked != granted
    {
        notes
            .push(format!("oom score {asked} needs privilege: the container has {granted}, like its caller"));
    }
    let security = &request.security;
    if security.privileged && !(security.cap_add.is_empty() && security.cap_drop.is_empty()) {
        notes.push("--cap-add and --cap-drop change nothing: --privileged gives every capability".to_owned());
    }
    if security.options.label.is_some() && !inputs.host.selinux {
        notes
            .push("--security-opt label=… changes nothing: SELinux is not enabled on this system".to_owned());
    }
    if matches!(inputs.placement.ipc, NamespacePlace::Existing(_)) && request.namespaces.ipc.shm {
        notes.push(
            "/dev/shm is the container's own: message queues and System V memory are shared".to_owned(),
        );
    }
    notes
}
