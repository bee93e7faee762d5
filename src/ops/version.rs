//! `version`: of this program, in podman's shape.

use serde::Serialize;

/// podman's `Client` table. What has no meaning here (Go's version, the time of a build that is to be
/// reproducible) is left out.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Version {
    /// The version of the API that rcon will serve: its own.
    #[serde(rename = "APIVersion")]
    pub api_version: &'static str,
    /// The version of rcon.
    pub version: &'static str,
    /// `linux/amd64`.
    pub os_arch: String,
    /// `linux`.
    pub os: &'static str,
}

/// This program's version.
pub fn version() -> Version {
    let version = env!("CARGO_PKG_VERSION");
    Version { api_version: version, version, os_arch: format!("linux/{}", arch()), os: "linux" }
}

/// The architecture as OCI and Go name it.
pub fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}
