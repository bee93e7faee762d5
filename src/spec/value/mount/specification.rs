//! `--mount`: `type=TYPE,KEY[=VALUE]…`.

use super::options::{self, MountOptions, Propagation, TmpfsOptions};
use super::{Mount, Source, clean_destination, source};
use crate::error::{Error, Result};

pub(super) fn parse(text: &str) -> Result<Mount> {
    fields(text)
        .and_then(|fields| build(&fields))
        .map_err(|error| Error::wrap(format!("--mount {text:?}"), error))
}

/// One `KEY[=VALUE]`.
struct Field {
    key: String,
    value: Option<String>,
}

/// A line of comma-separated values: a field in double quotes may contain commas.
fn fields(text: &str) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or_else(|| Error::usage("a quote is not closed"))?,
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (field, None),
        };
        if key.is_empty() {
            return Err(Error::usage("expected KEY=VALUE between commas"));
        }
        fields.push(Field { key: key.to_owned(), value });
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(fields),
            None => return Err(Error::usage("text after a closing quote")),
        }
    }
}

impl Field {
    fn value(&self) -> Result<&str> {
        self.value
            .as_deref()
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Error::usage(format!("key {:?} needs a value", self.key)))
    }

    /// `key`, `key=true` or `key=false`.
    fn switch(&self) -> Result<bool> {
        match self.value.as_deref() {
            None | Some("true" | "1") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(other) => {
                Err(Error::usage(format!("key {:?}: {other:?} is neither true nor false", self.key)))
            }
        }
    }

    /// The field as it stands in a list of options.
    fn word(&self) -> String {
        self.value.as_ref().map_or_else(|| self.key.clone(), |value| format!("{}={value}", self.key))
    }
}

/// The kinds of `--mount` that can be made.
#[derive(Clone, Copy, PartialEq)]
enum Type {
    Bind,
    Volume,
    Tmpfs,
    Devpts,
}

impl Type {
    fn named(name: &str) -> Result<Self> {
        match name {
            "bind" => Ok(Self::Bind),
            "volume" => Ok(Self::Volume),
            "tmpfs" => Ok(Self::Tmpfs),
            "devpts" => Ok(Self::Devpts),
            "ramfs" | "image" | "glob" | "artifact" | "cluster" | "npipe" => {
                Err(Error::unsupported(format!("mounts of type {name} are not supported yet")))
            }
            _ => Err(Error::usage(format!(
                "{name:?} is not a type of mount: expected bind, volume, tmpfs or devpts"
            ))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Volume => "volume",
            Self::Tmpfs => "tmpfs",
            Self::Devpts => "devpts",
        }
    }
}

fn build(fields: &[Field]) -> Result<Mount> {
    let kind = match fields.iter().find(|field| field.key == "type") {
        Some(field) => Type::named(field.value()?)?,
        None => Type::Volume,
    };
    let (mut from, mut place) = (None, None);
    let mut options = MountOptions::default();
    let mut tmpfs = TmpfsOptions::default();
    for field in fields.iter().filter(|field| field.key != "type") {
        let once = |slot: &mut Option<String>| match slot.replace(field.value()?.to_owned()) {
            None => Ok(()),
            Some(_) => Err(Error::usage(format!("key {:?} is given twice", field.key))),
        };
        match (field.key.as_str(), kind) {
            ("source" | "src", Type::Bind | Type::Volume) => once(&mut from)?,
            ("destination" | "dest" | "dst" | "target", _) => once(&mut place)?,
            _ => take(field, kind, &mut options, &mut tmpfs)?,
        }
    }
    let place = place.ok_or_else(|| Error::usage("the destination is missing: dst=PATH"))?;
    let source = match (kind, from) {
        (Type::Bind, None) => return Err(Error::usage("the source is missing: src=PATH")),
        (Type::Bind, Some(path)) if path.contains('\0') => {
            return Err(Error::usage("the source contains a NUL byte"));
        }
        (Type::Bind, Some(path)) => Source::Bind(path.into()),
        (Type::Volume, None) => Source::AnonymousVolume,
        (Type::Volume, Some(name)) => match source(&name)? {
            Source::Bind(_) => {
                return Err(
                    Error::usage(format!("{name:?} is not a volume's name")).hint("type=bind mounts a path")
                );
            }
            volume => volume,
        },
        (Type::Tmpfs, _) => Source::Tmpfs(tmpfs),
        (Type::Devpts, _) => Source::Devpts,
    };
    Ok(Mount { source, destination: clean_destination(&place)?, options })
}

/// Takes a key that is neither the type nor a path.
fn take(field: &Field, kind: Type, options: &mut MountOptions, tmpfs: &mut TmpfsOptions) -> Result<()> {
    let bind = matches!(kind, Type::Bind | Type::Volume);
    let word = match field.key.as_str() {
        "ro" | "readonly" => if field.switch()? { "ro" } else { "rw" }.to_owned(),
        "rw" => if field.switch()? { "rw" } else { "ro" }.to_owned(),
        "suid" | "nosuid" | "dev" | "nodev" | "exec" | "noexec" => {
            let plain = field.key.trim_start_matches("no");
            let on = field.switch()? != field.key.starts_with("no");
            format!("{}{plain}", if on { "" } else { "no" })
        }
        "bind-propagation" | "propagation" if bind => {
            let name = field.value()?;
            if Propagation::named(name).is_none() {
                return Err(Error::usage(format!("{name:?} is not a mount propagation")));
            }
            name.to_owned()
        }
        "bind-nonrecursive" if bind => if field.switch()? { "bind" } else { "rbind" }.to_owned(),
        "relabel" if bind => match field.value()? {
            "shared" => "z".to_owned(),
            "private" => "Z".to_owned(),
            other => return Err(Error::usage(format!("relabel={other}: expected shared or private"))),
        },
        "volume-nocopy" if bind => if field.switch()? { "nocopy" } else { "copy" }.to_owned(),
        "tmpcopyup" | "notmpcopyup" if kind == Type::Tmpfs => {
            options.copy_up = Some(field.switch()? != (field.key == "notmpcopyup"));
            return Ok(());
        }
        "U" | "chown" if !field.switch()? => return Ok(()),
        "U" | "chown" | "subpath" | "volume-subpath" | "idmap" | "volume-opt" | "no-dereference"
        | "consistency" | "swap" | "noswap" => {
            return Err(options::not_yet(&field.word()));
        }
        _ => field.word(),
    };
    let taken = match kind {
        Type::Bind | Type::Volume => options.take_bind(&word)?,
        Type::Tmpfs => options.take(&word)? || tmpfs.take(&word)?,
        Type::Devpts => options.take(&word)?,
    };
    if taken { Ok(()) } else { Err(options::unknown(&field.word(), kind.name())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Mount {
        Mount::from_mount(text).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    #[test]
    fn every_type_has_its_keys() {
        let bind =
            parse("type=bind,src=a b,dst=/x,ro,bind-propagation=rshared,relabel=shared,bind-nonrecursive");
        assert_eq!(bind.source, Source::Bind("a b".into()));
        assert_eq!((bind.options.read_only, bind.options.recursive), (Some(true), Some(false)));
        assert_eq!(bind.options.propagation, Some(Propagation::RecursiveShared));
        assert_eq!(parse(r#"type=bind,"src=/a,b",target=/x"#).source, Source::Bind("/a,b".into()));
        assert_eq!(parse("source=data,destination=/x").source, Source::Volume("data".parse().unwrap()));
        assert_eq!(parse("type=volume,dst=/x").source, Source::AnonymousVolume);
        assert_eq!(parse("type=volume,dst=/x,readonly=false").options.read_only, Some(false));
        assert_eq!(parse("type=devpts,dst=/x/pts").source, Source::Devpts);
        let tmpfs = parse("type=tmpfs,tmpfs-size=1m,tmpfs-mode=700,dst=/x,noexec=false,notmpcopyup");
        assert!(matches!(&tmpfs.source, Source::Tmpfs(t) if t.mode == Some(0o700) && t.size.is_some()));
        assert_eq!((tmpfs.options.exec, tmpfs.options.copy_up), (Some(true), Some(false)));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (text, word) in [
            ("", "KEY=VALUE"),
            ("type=bind,dst=/x", "source"),
            ("type=bind,src=/a", "destination"),
            ("type=bind,src=,dst=/x", "\"src\""),
            ("type=volume,src=/a,dst=/x", "volume's name"),
            ("type=tmpfs,src=/a,dst=/x", "src=/a"),
            ("type=tmpfs,dst=/x,bind-propagation=shared", "bind-propagation"),
            ("type=bind,src=/a,dst=/x,tmpfs-size=1", "tmpfs-size"),
            ("type=image,src=a,dst=/x", "image"),
            ("type=nfs,dst=/x", "nfs"),
            ("type=bind,src=/a,dst=/x,dst=/y", "twice"),
            ("type=bind,src=/a,dst=/x,ro=maybe", "maybe"),
            ("type=bind,src=/a,dst=/x,U", "U"),
            ("type=bind,src=/a,dst=/x,bind-propagation=x", "propagation"),
            (r#"type=bind,"src=/a"#, "quote"),
            (r#"type=bind,"src=/a"b,dst=/x"#, "quote"),
        ] {
            let error = Mount::from_mount(text).unwrap_err();
            assert!(error.chain().join(": ").contains(word), "{text}: {error:?}");
        }
    }
}
