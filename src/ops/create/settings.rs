//! From the request and containers.conf to what the modules below want to know.

use crate::config::containers_conf::ContainersConf;
use crate::error::{Context, Error, Result};
use crate::image::Progress;
use crate::image::pull::{Options, PullPolicy};
use crate::network::{self, AddHost};
use crate::oci::ImageConfig;
use crate::ops::{Session, pull};
use crate::spec::seccomp::{Conditions, Kernel, from_profile_json};
use crate::spec::value::Seccomp;
use crate::spec::{self, HostFacts, Request};
use crate::storage::Image;
use crate::sys::caps::{self, CapSet};
use crate::sys::limits;

/// A seccomp profile of more bytes than this is none.
const MAX_PROFILE: u64 = 8 << 20;

/// The image of the request, pulled if need be.
pub(super) fn image(
    session: &Session,
    request: &Request,
    name: &str,
    progress: &dyn Progress,
) -> Result<Image> {
    let configured = session.conf.engine.pull_policy.as_deref();
    let policy = match request.image.pull.as_deref().or(configured) {
        Some(text) => text.parse()?,
        None => PullPolicy::Missing,
    };
    let options = Options { policy, platform: request.image.platform.clone(), ..Options::default() };
    pull::for_container(session, name, &options, progress)
}

/// The name that the container keeps for its image.
pub(super) fn image_name(image: &Image, request: &Request) -> String {
    match (image.names.as_slice(), &request.base) {
        ([name, ..], _) => name.clone(),
        ([], spec::Base::Image(name)) => name.clone(),
        ([], spec::Base::Rootfs(_)) => String::new(),
    }
}

/// The request as the network takes it.
pub(super) fn network_request(
    request: &Request,
    image: Option<&ImageConfig>,
    hostname: &str,
    name: &str,
) -> Result<network::Request> {
    let asked = &request.network;
    let publish = spec::published(request, image);
    Ok(network::Request {
        mode: asked.mode.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
        publish: publish.iter().map(|text| text.parse()).collect::<Result<_>>()?,
        dns: asked.dns.iter().map(|text| text.parse()).collect::<Result<_>>()?,
        dns_search: asked.dns_search.clone(),
        dns_options: asked.dns_options.clone(),
        add_hosts: asked
            .add_hosts
            .iter()
            .map(|host| host.to_string().parse::<AddHost>())
            .collect::<Result<_>>()?,
        no_hosts: asked.no_hosts.unwrap_or(false),
        hostname: hostname.to_owned(),
        name: name.to_owned(),
    })
}

/// The profile that the request or containers.conf names.
pub(super) fn seccomp_profile(request: &Request, conf: &ContainersConf) -> Result<Option<Vec<u8>>> {
    let path = match &request.security.options.seccomp {
        Seccomp::Unconfined => return Ok(None),
        Seccomp::Profile(path) => path.clone(),
        Seccomp::Default => match conf.containers.seccomp_profile.as_deref() {
            Some(path) if !path.is_empty() => path.into(),
            _ => return Ok(None),
        },
    };
    let what = || format!("cannot read the seccomp profile {}", path.display());
    let metadata = std::fs::metadata(&path).context(what)?;
    if !metadata.is_file() || metadata.len() > MAX_PROFILE {
        return Err(Error::invalid(format!("{} is no seccomp profile", path.display())));
    }
    let profile = std::fs::read(&path).context(what)?;
    let everything = Conditions::here(CapSet::all(caps::last()?))?;
    from_profile_json(&profile, &everything).context(|| format!("the seccomp profile {}", path.display()))?;
    Ok(Some(profile))
}

/// What this machine is and allows.
pub(super) fn host_facts() -> Result<HostFacts> {
    let hard = |resource: u32| limits::get(resource).map_or(u64::MAX, |(_, hard)| hard);
    let adjustment = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
    Ok(HostFacts {
        hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        working_dir: std::env::current_dir().context(|| "cannot tell the working directory")?,
        nofile_hard: hard(libc::RLIMIT_NOFILE),
        nproc_hard: hard(libc::RLIMIT_NPROC),
        oom_score_adj: adjustment.trim().parse().unwrap_or(0),
        last_capability: caps::last()?,
        kernel: Kernel::running()?,
        arch: crate::sys::seccomp::NATIVE,
        mqueue: std::path::Path::new("/dev/mqueue").is_dir(),
        apparmor: std::fs::read("/sys/module/apparmor/parameters/enabled")
            .is_ok_and(|text| text.starts_with(b"Y")),
        selinux: std::path::Path::new("/sys/fs/selinux/enforce").exists(),
    })
}
