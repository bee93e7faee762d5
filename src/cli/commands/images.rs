//! `rcon images [IMAGE]`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cli::output::units::{ago, go_time, human_size};
use crate::cli::output::{Heading, Listing};
use crate::cli::{Context, output};
use crate::error::Result;
use crate::ops::images::{self, Filter, Row};
use crate::storage::Image;

/// List the images that are here
///
/// Examples:
///   rcon images --filter reference='alpine:*'
///   rcon images --sort size --format 'table {{.Repository}}\t{{.Size}}'
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {
    /// Only images of this name; * and ? stand for parts of it
    #[arg(value_name = "IMAGE")]
    image: Option<String>,
    /// Show also those that only serve as layers of others (rcon keeps none)
    #[arg(short = 'a', long)]
    all: bool,
    /// Show digests
    #[arg(long)]
    digests: bool,
    /// Only what fits: reference=, id=, label=, label!=, dangling=, before=, since=
    #[arg(short = 'f', long = "filter", value_name = "KEY=VALUE")]
    filters: Vec<String>,
    /// json, a Go template, or `table` and a template
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Show ids and digests whole
    #[arg(long)]
    no_trunc: bool,
    /// Show no headings
    #[arg(short = 'n', long)]
    noheading: bool,
    /// Show ids only
    #[arg(short = 'q', long)]
    quiet: bool,
    /// created, id, repository, size or tag
    #[arg(long, value_name = "FIELD", default_value = "created")]
    sort: String,
}

const FIELDS: &[(&str, &str)] = &[
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("Digest", "DIGEST"),
    ("ID", "IMAGE ID"),
    ("Created", "CREATED"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("Size", "SIZE"),
    ("Containers", "CONTAINERS"),
    ("Dangling", "DANGLING"),
    ("History", "HISTORY"),
    ("Id", "ID"),
    ("Labels", "LABELS"),
    ("Names", "NAMES"),
    ("ParentId", "PARENT ID"),
    ("ReadOnly", "READ ONLY"),
    ("RepoDigests", "REPO DIGESTS"),
    ("RepoTags", "REPO TAGS"),
    ("SharedSize", "SHARED SIZE"),
    ("VirtualSize", "VIRTUAL SIZE"),
];

const IMAGES: Listing =
    Listing { fields: FIELDS, columns: &["Repository", "Tag", "ID", "CreatedSince", "Size"] };
const WITH_DIGESTS: Listing =
    Listing { fields: FIELDS, columns: &["Repository", "Tag", "Digest", "ID", "CreatedSince", "Size"] };

/// Does it.
pub(crate) fn run(cx: &Context, args: Args) -> Result<ExitCode> {
    let mut filters: Vec<Filter> = args.filters.iter().map(|text| text.parse()).collect::<Result<_>>()?;
    filters.extend(args.image.clone().map(Filter::Reference));
    let session = cx.session()?;
    let rows = images::list(&session, &filters, args.sort.parse()?)?;
    if args.quiet && args.format.is_none() {
        return print_ids(&rows, args.no_trunc);
    }
    let now = Timestamp::now();
    // Only a format can show how many containers there are, and counting reads a file for each.
    let counts = if args.format.is_some() { images::containers(&session)? } else { BTreeMap::new() };
    let count = |image: &Image| counts.get(image.id.hex()).copied().unwrap_or(0);
    let values: Vec<Value> =
        rows.iter().map(|row| value(row, args.no_trunc, now, count(&row.image))).collect();
    let heading = if args.noheading { Heading::Hidden } else { Heading::Shown };
    let listing = if args.digests { &WITH_DIGESTS } else { &IMAGES };
    let text = listing.render(args.format.as_deref(), heading, &values, || {
        distinct(&rows, |image| json_of(image, count(image)))
    })?;
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn print_ids(rows: &[Row], whole: bool) -> Result<ExitCode> {
    let ids = distinct(rows, |image| json!(shown_id(image, whole)));
    let lines = ids.as_array().into_iter().flatten().filter_map(Value::as_str).map(|id| format!("{id}\n"));
    output::print(&lines.collect::<String>())?;
    Ok(ExitCode::SUCCESS)
}

/// One value an image, in the order of the rows.
fn distinct(rows: &[Row], value: impl Fn(&Image) -> Value) -> Value {
    let mut seen = Vec::new();
    let mut values = Vec::new();
    for row in rows {
        if !seen.contains(&&row.image.id) {
            seen.push(&row.image.id);
            values.push(value(&row.image));
        }
    }
    Value::Array(values)
}

fn shown_id(image: &Image, whole: bool) -> String {
    if whole { image.id.to_string() } else { image.id.hex()[..12].to_owned() }
}

fn created(image: &Image) -> Timestamp {
    Timestamp::from_second(images::created(image)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The fields that a template may name.
fn value(row: &Row, whole: bool, now: Timestamp, containers: u64) -> Value {
    const NONE: &str = "<none>";
    let image = &row.image;
    let created = created(image);
    let since = ago(created, now);
    json!({
        "Repository": row.repository.as_deref().unwrap_or(NONE),
        "Tag": row.tag.as_deref().unwrap_or(NONE),
        "Digest": digest(image),
        "ID": shown_id(image, whole),
        "Id": image.id.hex(),
        "Created": since,
        "CreatedSince": since,
        "CreatedAt": go_time(created),
        "Size": human_size(image.size),
        "VirtualSize": image.size,
        "SharedSize": 0,
        "Containers": containers,
        "Dangling": image.names.is_empty(),
        "ReadOnly": false,
        "ParentId": "",
        "Labels": image.config.config.labels,
        "Names": image.names,
        "RepoTags": image.names,
        "RepoDigests": image.repo_digests,
        "History": image.names.join(", "),
    })
}

/// An image as podman's `--format json` has it.
fn json_of(image: &Image, containers: u64) -> Value {
    let labels = &image.config.config.labels;
    let created = created(image);
    json!({
        "Id": image.id.hex(),
        "ParentId": "",
        "RepoTags": image.names,
        "RepoDigests": image.repo_digests,
        "Size": image.size,
        "SharedSize": 0,
        "VirtualSize": image.size,
        "Labels": if labels.is_empty() { Value::Null } else { json!(labels) },
        "Containers": containers,
        "Digest": digest(image),
        "History": image.names,
        "Names": image.names,
        "Created": created.as_second(),
        "CreatedAt": created.to_string(),
    })
}

/// The digest that the name has at the registry: of the index, where the image came out of one.
fn digest(image: &Image) -> String {
    let last = image.repo_digests.iter().rev().find_map(|digest| digest.split_once('@'));
    last.map_or_else(|| image.manifest_digest.to_string(), |(_, digest)| digest.to_owned())
}
