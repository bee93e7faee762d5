//! The verbs, one file each.
//!
//! A new verb is its module and one line in [`Command`]: `Name(name::Args)` with `name::run(&Context, Args)`.

mod completion;
mod doctor;
mod generate_docs;
mod image;
mod images;
mod info;
mod inspect;
mod logs;
mod ps;
mod pull;
mod rm;
mod rmi;
mod run;
mod runtime;
mod system;
mod unshare;
mod version;

use std::process::ExitCode;

use super::Context;
use crate::error::Result;

/// Makes the enum of the verbs and its dispatch from one list.
macro_rules! verbs {
    ($($(#[$attribute:meta])* $name:ident($module:ident),)*) => {
        /// What rcon can do. Deferred: only the definitions of the verb that was typed are built, which at podman's
        /// number of options makes the difference between one and four milliseconds.
        #[derive(clap::Subcommand)]
        #[command(defer = true)]
        #[expect(clippy::large_enum_variant, reason = "one value a process, made once")]
        pub(super) enum Command {
            $($(#[$attribute])* $name($module::Args),)*
        }

        impl Command {
            /// Does it.
            pub(super) fn run(self, cx: &Context) -> Result<ExitCode> {
                match self {
                    $(Self::$name(args) => $module::run(cx, args),)*
                }
            }
        }
    };
}

verbs! {
    Run(run),
    Ps(ps),
    Logs(logs),
    Inspect(inspect),
    Rm(rm),
    Pull(pull),
    Images(images),
    Rmi(rmi),
    Image(image),
    Unshare(unshare),
    Runtime(runtime),
    System(system),
    Info(info),
    Doctor(doctor),
    Version(version),
    Completion(completion),
    #[command(hide = true)]
    GenerateDocs(generate_docs),
}
