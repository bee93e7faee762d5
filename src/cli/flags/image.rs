//! How an image is found for a container.

use super::{parse, switch};
use crate::error::Result;
use crate::oci::Platform;
use crate::spec::ImageRequest;

/// Options of the image.
#[derive(clap::Args, Debug)]
#[command(next_help_heading = "Image")]
pub(crate) struct ImageFlags {
    /// When to pull: always, missing, newer or never [default: missing]
    #[arg(long, value_name = "POLICY")]
    pull: Option<String>,
    /// Platform of the image: OS/ARCH[/VARIANT]
    #[arg(long, value_name = "PLATFORM", conflicts_with_all = ["arch", "os", "variant"])]
    platform: Option<String>,
    /// Architecture of the image
    #[arg(long, value_name = "ARCH")]
    arch: Option<String>,
    /// Operating system of the image
    #[arg(long, value_name = "OS")]
    os: Option<String>,
    /// Variant of the architecture
    #[arg(long, value_name = "VARIANT")]
    variant: Option<String>,
    /// Show no progress of a pull
    #[arg(short = 'q', long, num_args = 0..=1, require_equals = true, default_value = "false",
          default_missing_value = "true", value_parser = switch, action = clap::ArgAction::Set,
          hide_default_value = true, value_name = "BOOL")]
    quiet: bool,
}

impl ImageFlags {
    /// What they ask for.
    pub(crate) fn resolve(&self) -> Result<ImageRequest> {
        Ok(ImageRequest { pull: self.pull.clone(), platform: self.platform()?, quiet: self.quiet })
    }

    fn platform(&self) -> Result<Option<Platform>> {
        if let Some(text) = &self.platform {
            return parse("--platform", text).map(Some);
        }
        if self.arch.is_none() && self.os.is_none() && self.variant.is_none() {
            return Ok(None);
        }
        let native = Platform::native();
        let part = |asked: &Option<String>, native: String| asked.clone().unwrap_or(native);
        let variant = if self.arch.is_some() { String::new() } else { native.variant };
        Ok(Some(Platform::new(
            &part(&self.os, native.os),
            &part(&self.arch, native.architecture),
            &part(&self.variant, variant),
        )))
    }
}
