//! `rcon pull IMAGE…`.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::flags::{parse, switch};
use crate::cli::output::progress::{Verbosity, reporter};
use crate::cli::output::units::parse_duration;
use crate::cli::{Context, output};
use crate::config::auth::Credentials;
use crate::error::Result;
use crate::image::pull::Options;
use crate::image::registry::Retry;
use crate::oci::Platform;
use crate::ops;

/// Pull images from a registry
///
/// A name without a tag or a digest means the tag `latest`; a name without a registry is completed as
/// registries.conf says, and from docker.io where there is none. Prints the id of each image.
///
/// Examples:
///   rcon pull alpine
///   rcon pull --platform linux/arm64 docker.io/library/busybox:musl
///   rcon pull localhost:5000/team/app@sha256:0f012cbe…
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// What to pull
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// Pull every tag of the repository
    #[arg(short = 'a', long)]
    all_tags: bool,
    /// Architecture of the image
    #[arg(long, value_name = "ARCH")]
    arch: Option<String>,
    /// File with credentials; $REGISTRY_AUTH_FILE says the same
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,
    /// Directory with certificates for the registry
    #[arg(long, value_name = "DIR")]
    cert_dir: Option<PathBuf>,
    /// Credentials for the registry
    #[arg(long, value_name = "USER:PASSWORD")]
    creds: Option<String>,
    /// Operating system of the image
    #[arg(long, value_name = "OS")]
    os: Option<String>,
    /// Platform of the image: OS/ARCH[/VARIANT]
    #[arg(long, value_name = "PLATFORM", conflicts_with_all = ["arch", "os", "variant"])]
    platform: Option<String>,
    /// When to ask the registry: always, missing, newer or never
    #[arg(long, value_name = "POLICY", default_value = "always")]
    policy: String,
    /// Show no progress
    #[arg(short = 'q', long)]
    quiet: bool,
    /// How often to try again after a failure
    #[arg(long, value_name = "N", default_value_t = 3)]
    retry: u32,
    /// Pause between two tries [default: half a second, doubled each time]
    #[arg(long, value_name = "DURATION")]
    retry_delay: Option<String>,
    /// Verify the registry's certificate; with =false plain HTTP will do as well
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = switch,
          value_name = "BOOL")]
    tls_verify: Option<bool>,
    /// Variant of the architecture
    #[arg(long, value_name = "VARIANT")]
    variant: Option<String>,
}

/// Does it.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    let options = args.options()?;
    let session = cx.session()?;
    let progress = reporter(if args.quiet { Verbosity::Quiet } else { Verbosity::Normal });
    let ids = ops::pull::pull(&session, &args.images, &options, progress.as_ref())?;
    for id in ids {
        output::print(&format!("{}\n", id.hex()))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn options(&self) -> Result<Options> {
        let delay = self.retry_delay.as_deref().map(parse_duration).transpose()?;
        Ok(Options {
            platform: self.platform()?,
            policy: parse("--policy", &self.policy)?,
            auth_file: self.authfile.clone(),
            credentials: self.creds.as_deref().map(Credentials::from_option).transpose()?,
            tls_verify: self.tls_verify,
            cert_dir: self.cert_dir.clone(),
            retry: Retry { count: self.retry, delay },
            all_tags: self.all_tags,
        })
    }

    fn platform(&self) -> Result<Option<Platform>> {
        if let Some(text) = &self.platform {
            return parse("--platform", text).map(Some);
        }
        if self.arch.is_none() && self.os.is_none() && self.variant.is_none() {
            return Ok(None);
        }
        let native = Platform::native();
        let variant = if self.arch.is_some() { "" } else { native.variant.as_str() };
        Ok(Some(Platform::new(
            self.os.as_deref().unwrap_or(&native.os),
            self.arch.as_deref().unwrap_or(&native.architecture),
            self.variant.as_deref().unwrap_or(variant),
        )))
    }
}
