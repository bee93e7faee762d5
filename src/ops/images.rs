//! `images`: what is in the store, filtered and sorted.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::reference_pattern;
use crate::config::ShortNames;
use crate::config::registries_conf::RegistriesConf;
use crate::error::{Error, Result};
use crate::oci::Reference;
use crate::ops::Session;
use crate::storage::Image;

/// One condition of `--filter`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// A name fits the pattern.
    Reference(String),
    /// A label has this value, or any where none is given.
    Label(String, Option<String>),
    /// No label has this value.
    NotLabel(String, Option<String>),
    /// It has no name.
    Dangling(bool),
    /// The id begins so.
    Id(String),
    /// Made before that image.
    Before(String),
    /// Made after that image.
    Since(String),
}

/// What `--sort` goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The newest first.
    #[default]
    Created,
    /// The id.
    Id,
    /// The repository.
    Repository,
    /// The smallest first.
    Size,
    /// The tag.
    Tag,
}

/// One line of the list: an image under one of its names.
#[derive(Clone, Debug)]
pub struct Row {
    /// The image with all its names.
    pub image: Image,
    /// `docker.io/library/alpine`; none for an image without a name.
    pub repository: Option<String>,
    /// `latest`; none for an image without a name and for one that was pulled by digest.
    pub tag: Option<String>,
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let malformed = || Error::usage(format!("filter {text:?} is not of the form KEY=VALUE"));
        let (key, value) = text.split_once('=').ok_or_else(malformed)?;
        let label = |text: &str| match text.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (text.to_owned(), None),
        };
        Ok(match key {
            "reference" => Self::Reference(value.to_owned()),
            "label" => {
                let (name, value) = label(value);
                Self::Label(name, value)
            }
            "label!" => {
                let (name, value) = label(value);
                Self::NotLabel(name, value)
            }
            "dangling" => Self::Dangling(truth(value).ok_or_else(malformed)?),
            "id" => Self::Id(value.trim_start_matches("sha256:").to_owned()),
            "before" => Self::Before(value.to_owned()),
            "since" | "after" => Self::Since(value.to_owned()),
            _ => return Err(Error::usage(format!("{key:?} is not a filter for images"))),
        })
    }
}

/// Go's `strconv.ParseBool`.
fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

impl FromStr for Sort {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Ok(match text {
            "created" => Self::Created,
            "id" => Self::Id,
            "repository" => Self::Repository,
            "size" => Self::Size,
            "tag" => Self::Tag,
            _ => return Err(Error::usage(format!("cannot sort images by {text:?}"))),
        })
    }
}

/// The images that fit all of `filters` (of several with `reference` or `id`, one is enough), a row a name.
pub fn list(session: &Session, filters: &[Filter], sort: Sort) -> Result<Vec<Row>> {
    let images = session.store.images()?;
    let mut rows: Vec<Row> = Vec::new();
    let conditions = Conditions::new(session, filters)?;
    for image in images {
        rows.extend(conditions.rows(image));
    }
    rows.sort_by(|a, b| {
        let name = (&a.repository, &a.tag).cmp(&(&b.repository, &b.tag));
        match sort {
            Sort::Created => created(&b.image).cmp(&created(&a.image)).then(name),
            Sort::Id => a.image.id.cmp(&b.image.id).then(name),
            Sort::Repository => name,
            Sort::Size => a.image.size.cmp(&b.image.size).then(name),
            Sort::Tag => a.tag.cmp(&b.tag).then(name),
        }
    });
    Ok(rows)
}

/// Seconds since 1970, for images that say when they were made.
pub fn created(image: &Image) -> i64 {
    let parsed = image.created.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    parsed.map_or(0, jiff::Timestamp::as_second)
}

struct Conditions<'a> {
    filters: &'a [Filter],
    /// Bounds of `before` and `since`, resolved.
    before: Option<i64>,
    since: Option<i64>,
}

impl<'a> Conditions<'a> {
    fn new(session: &Session, filters: &'a [Filter]) -> Result<Self> {
        let mut conditions = Self { filters, before: None, since: None };
        for filter in filters {
            match filter {
                Filter::Before(name) => conditions.before = Some(created(&find(session, name)?)),
                Filter::Since(name) => conditions.since = Some(created(&find(session, name)?)),
                _ => {}
            }
        }
        Ok(conditions)
    }

    fn rows(&self, image: Image) -> Vec<Row> {
        let patterns: Vec<&String> =
            self.collect(|f| if let Filter::Reference(p) = f { Some(p) } else { None });
        let ids: Vec<&String> = self.collect(|f| if let Filter::Id(id) = f { Some(id) } else { None });
        let fits_id = ids.is_empty() || ids.iter().any(|id| image.id.hex().starts_with(id.as_str()));
        if !fits_id || !self.filters.iter().all(|filter| self.fits(filter, &image)) {
            return Vec::new();
        }
        if image.names.is_empty() {
            let row = Row { image, repository: None, tag: None };
            return if patterns.is_empty() { vec![row] } else { Vec::new() };
        }
        let wanted = |name: &&String| {
            patterns.is_empty() || patterns.iter().any(|pattern| reference_pattern::matches(pattern, name))
        };
        let names: Vec<String> = image.names.iter().filter(wanted).cloned().collect();
        names
            .into_iter()
            .filter_map(|name| {
                let reference: Reference = name.parse().ok()?;
                let tag = reference.tag().map(str::to_owned);
                Some(Row { image: image.clone(), repository: Some(reference.name()), tag })
            })
            .collect()
    }

    fn collect<'b, T>(&'b self, choose: impl Fn(&'b Filter) -> Option<T>) -> Vec<T> {
        self.filters.iter().filter_map(choose).collect()
    }

    fn fits(&self, filter: &Filter, image: &Image) -> bool {
        let has = |name: &String, value: &Option<String>| {
            let found = image.config.config.labels.get(name);
            found.is_some_and(|found| value.as_ref().is_none_or(|value| value == found))
        };
        match filter {
            Filter::Reference(_) | Filter::Id(_) => true,
            Filter::Label(name, value) => has(name, value),
            Filter::NotLabel(name, value) => !has(name, value),
            Filter::Dangling(wanted) => image.names.is_empty() == *wanted,
            Filter::Before(_) => self.before.is_some_and(|bound| created(image) < bound),
            Filter::Since(_) => self.since.is_some_and(|bound| created(image) > bound),
        }
    }
}

/// The image that `name` means, with all its names.
pub fn find(session: &Session, name: &str) -> Result<Image> {
    let mut image = session.store.find(name, &short_names(session)?)?;
    image.names = session.store.names_of(&image.id)?;
    Ok(image)
}

/// How many containers were made from each image, by the digits of its id.
pub fn containers(session: &Session) -> Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    for user in super::rmi::users(session)? {
        *counts.entry(user.image).or_insert(0) += 1;
    }
    Ok(counts)
}

/// Whether there is an image of that name.
pub fn exists(session: &Session, name: &str) -> Result<bool> {
    Ok(session.store.resolve(name, &short_names(session)?)?.is_some())
}

/// How short names are completed here.
pub(super) fn short_names(session: &Session) -> Result<ShortNames> {
    Ok(RegistriesConf::load(&session.env, &session.paths)?.short_names().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_and_unknown_ones_refused() {
        let filter = |text: &str| text.parse::<Filter>();
        assert_eq!(filter("label=a=b").unwrap(), Filter::Label("a".into(), Some("b".into())));
        assert_eq!(filter("label!=a").unwrap(), Filter::NotLabel("a".into(), None));
        assert_eq!(filter("dangling=true").unwrap(), Filter::Dangling(true));
        assert!(filter("dangling=maybe").is_err());
        assert!(filter("reference").is_err());
        assert!(filter("colour=red").is_err());
        assert!("weight".parse::<Sort>().is_err());
    }
}
