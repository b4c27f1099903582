//! `mfn dead-letters`: looks at the records that could not be done, and brings them back.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use base64::Engine as _;
use clap::{Args, Subcommand};
use mfn_runtime::{
    dead_letters::{DeadLetter, DeadLetters, DeadLettersView},
    spool::SpoolError,
};
use serde::Serialize;

use crate::{
    failure::Failure,
    output::Output,
    table::{self, Align},
};

/// Nothing is added here, so the limit of the store does not matter.
const STORE_BYTES_MAX: u64 = 1 << 40;

/// Look at dead letters, and bring them back.
///
/// A store is the directory that a route names as dead_letters_store. It can be looked at while its pipeline runs; replay
/// and purge need it for themselves.
#[derive(Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Example:\n  mfn dead-letters list dead\n  mfn dead-letters replay dead --to requests"
)]
pub(crate) enum Verb {
    List(List),
    Show(Show),
    Replay(Replay),
    Purge(Purge),
}

/// List dead letters, oldest first, a page at a time.
#[derive(Args)]
#[command(
    after_help = "Example:\n  mfn dead-letters list dead\n  mfn dead-letters list dead --from 101 --max 100 --json"
)]
pub(crate) struct List {
    /// The directory of the store.
    #[arg(value_name = "STORE")]
    store: PathBuf,

    /// Begin with the letter of this number.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    from: u64,

    /// The most letters of the page; all of them are in memory at once.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    max: u32,

    /// Write one line of JSON for each letter.
    #[arg(long)]
    json: bool,
}

/// Show one dead letter with everything that is known of it.
#[derive(Args)]
#[command(
    after_help = "Example:\n  mfn dead-letters show dead 7\n  mfn dead-letters show dead 7 --payload > request.json"
)]
pub(crate) struct Show {
    /// The directory of the store.
    #[arg(value_name = "STORE")]
    store: PathBuf,

    /// The number of the letter.
    #[arg(value_name = "NUMBER")]
    number: u64,

    /// Write the payload and nothing else, byte for byte.
    #[arg(long)]
    payload: bool,
}

/// Write dead letters as files into a directory, for a connector to read again, and remove them from the store.
///
/// Each payload becomes a file of its own that appears whole, named after the number and with the extension of its content
/// type. A letter is removed after its file is durable.
#[derive(Args)]
#[command(
    after_help = "Example:\n  mfn dead-letters replay dead --to requests\n  mfn dead-letters replay dead --to requests --id 7 --id 9\n  mfn dead-letters replay dead --to requests --records"
)]
pub(crate) struct Replay {
    /// The directory of the store.
    #[arg(value_name = "STORE")]
    store: PathBuf,

    /// The directory for the files. It must be there.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,

    /// Write whole records instead of payloads: each file is one line of JSON with id, key, headers, reason and all else
    /// that is known. Key, payload and the values of headers are {"text": ...}, or {"base64": ...} where they are not UTF-8.
    #[arg(long)]
    records: bool,

    /// Only the letter of this number. May be repeated.
    #[arg(long = "id", value_name = "NUMBER")]
    ids: Vec<u64>,
}

/// Remove dead letters for good.
#[derive(Args)]
#[command(after_help = "Example:\n  mfn dead-letters purge dead --id 7\n  mfn dead-letters purge dead --all")]
pub(crate) struct Purge {
    /// The directory of the store.
    #[arg(value_name = "STORE")]
    store: PathBuf,

    /// The letter of this number. May be repeated.
    #[arg(long = "id", value_name = "NUMBER", required_unless_present = "all")]
    ids: Vec<u64>,

    /// All letters.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
}

/// Does the work of the verb.
pub(crate) fn run(verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::List(arguments) => list(&arguments),
        Verb::Show(arguments) => show(&arguments),
        Verb::Replay(arguments) => replay(&arguments),
        Verb::Purge(arguments) => purge(&arguments),
    }
}

/// A letter for scripts.
#[derive(Serialize)]
struct Line<'a> {
    number: u64,
    id: &'a str,
    content_type: &'a str,
    payload_bytes: usize,
    reason: &'a str,
    route: &'a str,
    component: &'a str,
    attempts: u32,
    at_ms: i64,
}

impl<'a> Line<'a> {
    fn of(letter: &'a DeadLetter) -> Self {
        let DeadLetter { id, record, cause } = letter;
        Self {
            number: *id,
            id: &record.id,
            content_type: &record.content_type,
            payload_bytes: record.payload.len(),
            reason: &cause.reason,
            route: &cause.route,
            component: &cause.component,
            attempts: cause.attempts,
            at_ms: cause.at_ms,
        }
    }
}

fn list(arguments: &List) -> Result<(), Failure> {
    let letters = view(&arguments.store)?.list(arguments.from, arguments.max as usize).map_err(refused)?;
    let mut output = Output::stdout();
    if arguments.json {
        return letters.iter().try_for_each(|letter| output.json(&Line::of(letter)));
    }
    let columns = [
        ("number", Align::Right, 0),
        ("route", Align::Left, 0),
        ("component", Align::Left, 0),
        ("attempts", Align::Right, 0),
        ("bytes", Align::Right, 0),
        ("id", Align::Left, 0),
        ("reason", Align::Left, 0),
    ];
    let rows: Vec<[String; 7]> = letters
        .iter()
        .map(|DeadLetter { id, record, cause }| {
            let numbers = [id.to_string(), cause.attempts.to_string(), record.payload.len().to_string()];
            let [number, attempts, bytes] = numbers;
            let (route, component) = (cause.route.clone(), cause.component.clone());
            [number, route, component, attempts, bytes, record.id.clone(), cause.reason.clone()]
        })
        .collect();
    output.text(&table::layout(columns, &rows))
}

fn show(arguments: &Show) -> Result<(), Failure> {
    let letter = view(&arguments.store)?.get(arguments.number).map_err(refused)?;
    let Some(letter) = letter else {
        return Err(Failure::usage(
            format!("{} has no letter {}", arguments.store.display(), arguments.number),
            "take a number from mfn dead-letters list",
        ));
    };
    if arguments.payload {
        return std::io::stdout().lock().write_all(&letter.record.payload).map_err(|error| {
            Failure::work(
                format!("standard output can not be written: {error}"),
                "free space or redirect it elsewhere",
            )
        });
    }
    let headers =
        letter.record.headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value)));
    #[derive(Serialize)]
    struct Whole<'a> {
        #[serde(flatten)]
        line: Line<'a>,
        key: Option<std::borrow::Cow<'a, str>>,
        timestamp_ms: Option<i64>,
        trace_parent: &'a str,
        headers: Vec<(&'a str, std::borrow::Cow<'a, str>)>,
    }
    Output::stdout().json(&Whole {
        line: Line::of(&letter),
        key: letter.record.key.as_deref().map(String::from_utf8_lossy),
        timestamp_ms: letter.record.timestamp_ms,
        trace_parent: &letter.record.trace_parent,
        headers: headers.collect(),
    })
}

fn replay(arguments: &Replay) -> Result<(), Failure> {
    let store = open(&arguments.store)?;
    let mut failure = None;
    let chosen = |id| arguments.ids.is_empty() || arguments.ids.contains(&id);
    let report = store.replay(chosen, |letter| {
        // After the first file that could not be written nothing else is tried.
        failure.is_none()
            && write_letter(&arguments.to, letter, arguments.records)
                .map_err(|error| failure = Some(error))
                .is_ok()
    });
    let report = report.map_err(refused)?;
    Output::stdout().line(&format!(
        "{} written to {}, {} left",
        report.replayed,
        arguments.to.display(),
        store.count()
    ))?;
    failure.map_or(Ok(()), |error| Err(Failure::writing(&arguments.to, error)))
}

/// Bytes in JSON: as text where they are UTF-8, otherwise in base64.
#[derive(Serialize)]
#[serde(untagged)]
enum Bytes<'a> {
    Text { text: &'a str },
    Base64 { base64: String },
}

impl<'a> Bytes<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text { text },
            Err(_) => Self::Base64 { base64: base64::engine::general_purpose::STANDARD.encode(bytes) },
        }
    }
}

/// The line of a whole record.
fn whole_record(letter: &DeadLetter) -> std::io::Result<Vec<u8>> {
    #[derive(Serialize)]
    struct Header<'a> {
        name: &'a str,
        #[serde(flatten)]
        value: Bytes<'a>,
    }
    #[derive(Serialize)]
    struct Whole<'a> {
        #[serde(flatten)]
        line: Line<'a>,
        key: Option<Bytes<'a>>,
        timestamp_ms: Option<i64>,
        trace_parent: &'a str,
        headers: Vec<Header<'a>>,
        payload: Bytes<'a>,
    }
    let record = &letter.record;
    let mut line = serde_json::to_vec(&Whole {
        line: Line::of(letter),
        key: record.key.as_deref().map(Bytes::of),
        timestamp_ms: record.timestamp_ms,
        trace_parent: &record.trace_parent,
        headers: record
            .headers
            .iter()
            .map(|(name, value)| Header { name, value: Bytes::of(value) })
            .collect(),
        payload: Bytes::of(&record.payload),
    })?;
    line.push(b'\n');
    Ok(line)
}

/// Writes a letter, its payload or the whole record, to a file that appears whole and durable. A file that an interrupted
/// replay has left is replaced by the same bytes.
fn write_letter(directory: &Path, letter: &DeadLetter, whole: bool) -> std::io::Result<()> {
    let extension = match letter.record.content_type.as_str() {
        _ if whole => "jsonl",
        "application/json" => "json",
        "text/csv" => "csv",
        "application/x-npy" => "npy",
        _ => "bin",
    };
    let line = if whole { Some(whole_record(letter)?) } else { None };
    let mut file = tempfile::Builder::new().prefix(".mfn-").suffix(".partial").tempfile_in(directory)?;
    file.write_all(line.as_deref().unwrap_or(&letter.record.payload))?;
    file.as_file().sync_all()?;
    file.persist(directory.join(format!("dead-letter-{:08}.{extension}", letter.id)))
        .map_err(|error| error.error)?;
    std::fs::File::open(directory)?.sync_all()
}

fn purge(arguments: &Purge) -> Result<(), Failure> {
    let store = open(&arguments.store)?;
    let removed = if arguments.all {
        store.replay(|_| true, |_| true).map_err(refused)?.replayed
    } else {
        store.remove(&arguments.ids).map_err(refused)?
    };
    Output::stdout().line(&format!("{removed} removed, {} left", store.count()))
}

fn view(store: &Path) -> Result<DeadLettersView, Failure> {
    DeadLettersView::open(store).map_err(|error| match error {
        SpoolError::Disk { kind: std::io::ErrorKind::NotFound, .. } => Failure::usage(
            format!("{} is no store of dead letters", store.display()),
            "name the directory that a route has as dead_letters_store",
        ),
        other => refused(other),
    })
}

/// Opens a store that is there.
fn open(store: &Path) -> Result<DeadLetters, Failure> {
    view(store)?;
    DeadLetters::open(store, STORE_BYTES_MAX).map(|(store, _)| store).map_err(refused)
}

fn refused(error: SpoolError) -> Failure {
    let text = error.to_string();
    let (what, fix) = text.rsplit_once("; ").unwrap_or((&text, "try again"));
    Failure::work(what, fix)
}
