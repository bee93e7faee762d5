//! The hooks of config.json that belong to the child: `createContainer` before the pivot, `startContainer` before the
//! payload. The parent runs the others.
//!
//! Source: runtime-spec config.md, "POSIX-platform Hooks".

use std::ffi::CString;

use oci_spec::runtime::Hook as OciHook;

use super::{Builder, Phase, c_path, c_text};
use crate::error::{Error, Result};
use crate::runtime::op::{Hook, Op};
use crate::sys::exec::Image;

impl Builder<'_> {
    /// What comes right before the pivot: the parent's hooks, then those of the container's namespaces whose programs
    /// are the host's.
    pub(super) fn hooks_before_pivot(&mut self) -> Result<()> {
        let Some(hooks) = self.input.spec.hooks() else { return Ok(()) };
        self.push(Phase::Mapped, Op::RuntimeHooks);
        self.hooks("createContainer", hooks.create_container().as_deref(), Phase::Mapped)
    }

    /// What comes after the go and before the payload.
    pub(super) fn hooks_before_payload(&mut self) -> Result<()> {
        let Some(hooks) = self.input.spec.hooks() else { return Ok(()) };
        self.hooks("startContainer", hooks.start_container().as_deref(), Phase::Final)
    }

    fn hooks(&mut self, kind: &str, hooks: Option<&[OciHook]>, phase: Phase) -> Result<()> {
        for (index, hook) in hooks.unwrap_or_default().iter().enumerate() {
            let hook = prepare(hook, format!("hooks.{kind}[{index}]"))?;
            self.push(phase, Op::Hook(hook));
        }
        Ok(())
    }
}

fn prepare(hook: &OciHook, name: String) -> Result<Hook> {
    let strings =
        |texts: &[String]| texts.iter().map(|text| c_text(text, &name)).collect::<Result<Vec<CString>>>();
    let program = c_path(hook.path())?;
    let arguments = match hook.args().as_deref() {
        Some(arguments) if !arguments.is_empty() => strings(arguments)?,
        _ => vec![program.clone()],
    };
    let image = Image::new(arguments, strings(hook.env().as_deref().unwrap_or_default())?);
    let timeout = hook.timeout().map(u32::try_from).transpose();
    let timeout = timeout.map_err(|_| Error::invalid(format!("{name}.timeout is negative")))?;
    Ok(Hook { name, program, image, timeout })
}
