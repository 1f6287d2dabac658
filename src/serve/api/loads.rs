//! Sending streams, and what became of them.

use std::future::Future;
use std::io::{self, BufWriter, Write};
use std::pin::Pin;

use actix_web::body::SizedStream;
use actix_web::http::header;
use actix_web::{HttpResponse, web};
use futures_util::{StreamExt, stream};
use serde_json::json;

use super::content::disposition;
use super::load_list::Asked;
use super::{json, uploads};
use crate::archive::LoadId;
use crate::auth::permission::Permission;
use crate::capture::{Arrival, CaptureError, Item, Spool};
use crate::index::value::Day;
use crate::serve::ask::{Answer, Ask};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Bytes gathered before they are written: with a quarter more still so few that the heap uses their memory again
/// ([`crate::heap`]).
pub(super) const GATHERED: usize = 256 << 10;
/// Pieces of a sent load that wait for a slow reader.
const PIECES: usize = 8;

/// Captures a stream: 202 when it is on disk; it is loaded in the background.
#[utoipa::path(post, path = "/api/v1/loads", tag = "loads",
    params(("definition" = Option<String>, Query, description = "Report definition; recognised by content when left out"),
        ("file" = Option<String>, Query, description = "Name to remember the stream by"),
        ("Repr-Digest" = Option<String>, Header, description = "`sha-256=:BASE64:` (RFC 9530): anything else is not taken")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 202, description = "Location tells where to look"), (status = 400, description = "bad-parameter, bad-body"),
        (status = 403, description = "forbidden"), (status = 413, description = "too-large"),
        (status = 507, description = "disk-full")))]
pub async fn send(mut ask: Ask) -> Answer {
    let params = ask.params(&["definition", "file"])?;
    let file = file_name(params.get("file").unwrap_or("stream"))?;
    let definition = params.get("definition").map(str::to_string);
    if let Some(name) = definition.clone() {
        ask.block(move |state| known(state, &name)).await?;
    }
    let length =
        ask.request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    check_length(&ask, length.unwrap_or(0))?;
    let announced = uploads::digest(&ask, "repr-digest")?.or(uploads::digest(&ask, "content-digest")?);
    let payload = ask.payload.take().ok_or_else(|| Problem::bad_body("There is no body."))?;
    let received = receive(&ask, payload).await?;
    if received.bytes() == 0 {
        return Err(Problem::bad_body("The stream is empty."));
    }
    let who = ask.who()?.clone();
    let named = Arrival { file, definition, sha256: announced, ..Arrival::default() };
    let job = ask.block(move |state| accept(state, received, named, &who.principal)).await?;
    let place = format!("/api/v1/loads/j{}", job.id);
    Ok(HttpResponse::Accepted().insert_header((header::LOCATION, place)).json(json::job(&job, None)))
}

/// A name without a path.
pub(super) fn file_name(name: &str) -> Result<String, Problem> {
    let fine = name.len() <= 255
        && name != "."
        && name != ".."
        && !name.contains(['/', '\\'])
        && !name.contains(char::is_control);
    if fine {
        Ok(name.to_string())
    } else {
        Err(Problem::bad_parameter("file is a name of at most 255 bytes without a path."))
    }
}

pub(super) fn known(state: &State, name: &str) -> Result<(), Problem> {
    let definitions = state.backend.definitions()?;
    if definitions.iter().any(|definition| definition.name == name) {
        return Ok(());
    }
    let names: Vec<_> = definitions.into_iter().map(|definition| definition.name).collect();
    Err(Problem::bad_parameter(format!("There is no such definition; there are: {}.", names.join(", "))))
}

pub(super) fn check_length(ask: &Ask, bytes: u64) -> Result<(), Problem> {
    let most = ask.state.config.max_load_bytes;
    if bytes > most { Err(Problem::too_large(format!("A stream has at most {most} bytes."))) } else { Ok(()) }
}

/// Receives the body. A piece is written while the next one comes; when the disk is behind by one, nothing more is read.
async fn receive(ask: &Ask, mut payload: web::Payload) -> Result<Spool, Problem> {
    let most = ask.state.config.max_load_bytes;
    let receiving = ask.state.intake.begin_limited(most).map_err(|error| refused(&error))?;
    let (mut writing, mut bytes) = (write(receiving, web::Bytes::new()), 0);
    let mut gathered = web::BytesMut::with_capacity(GATHERED);
    while let Some(piece) = payload.next().await {
        let taken = piece.map_err(|_| Problem::bad_body("The stream broke off; send it again.")).and_then(|piece| {
            gathered.extend_from_slice(&piece);
            bytes += piece.len() as u64;
            check_length(ask, bytes)
        });
        if let Err(problem) = taken {
            // What is on its way to the disk comes to its end first: whoever hears no finds nothing left.
            drop(writing.await);
            return Err(problem);
        }
        if gathered.len() >= GATHERED {
            let full = std::mem::replace(&mut gathered, web::BytesMut::with_capacity(GATHERED + GATHERED / 4));
            writing = write(writing.await?, full.freeze());
        }
    }
    write(writing.await?, gathered.freeze()).await
}

type Writing = Pin<Box<dyn Future<Output = Result<Spool, Problem>>>>;

/// Begins to write a piece, on a thread that may wait for the disk.
fn write(mut receiving: Spool, piece: web::Bytes) -> Writing {
    let work = web::block(move || receiving.write(&piece).map(|()| receiving));
    Box::pin(async move {
        let done = work.await.map_err(|error| Problem::failed("receiving a stream", &error))?;
        done.map_err(|error| refused(&error))
    })
}

/// Why a stream was not taken, or an item not changed.
pub fn refused(error: &CaptureError) -> Problem {
    match error {
        CaptureError::Full => Problem::full("The stream was not kept; send it again when there is room."),
        CaptureError::Busy { .. } => Problem::busy(error.to_string()),
        CaptureError::TooLarge { limit } => Problem::too_large(format!("A stream has at most {limit} bytes.")),
        CaptureError::Empty => Problem::bad_body("The stream is empty."),
        CaptureError::Digest { .. } => Problem::bad_body(error.to_string()),
        CaptureError::Nothing(_) => Problem::nothing(),
        CaptureError::Rule(why) => Problem::bad_value(format!("{why}.")),
        CaptureError::State { .. } | CaptureError::Quota { .. } | CaptureError::Closed(_) => {
            Problem::state(error.to_string())
        }
        other => Problem::failed("receiving a stream", &crate::serve::archived::told(other)),
    }
}

fn accept(state: &State, received: Spool, named: Arrival, who: &crate::auth::gate::Principal) -> Result<Item, Problem> {
    let arrival = Arrival {
        receiver: "http",
        peer: who.from.clone(),
        sent_by: who.name.clone(),
        // Who sends a file here has always had it kept, known or not.
        only_known: Some(false),
        ..named
    };
    let item = received.accept(arrival).map_err(|error| refused(&error))?;
    state.gate.record(who, "load", &item.file, &format!("sha-256 {}", item.sha256))?;
    Ok(item)
}

/// All loads, and the streams that are not loaded yet.
#[utoipa::path(get, path = "/api/v1/loads", tag = "loads",
    params(("definition" = Option<String>, Query, description = "Only of this definition"),
        ("state" = Option<String>, Query, description = "all, clean, warnings, aside (with pages set aside), unloaded"),
        ("q" = Option<String>, Query, description = "Part of the name; beginning of a digest; a number"),
        ("from" = Option<String>, Query, description = "Loaded on this day (UTC) or later"),
        ("to" = Option<String>, Query, description = "Loaded on this day or earlier"),
        ("limit" = Option<u32>, Query, description = "1 to 500; 50 when any parameter is given, otherwise all"),
        ("cursor" = Option<u32>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "`loads` and, waiting or failed, `received`; with any parameter a page of \
        `loads` or `unloaded`, newest first, with `next_cursor`")))]
pub async fn list(ask: Ask) -> Answer {
    let params = ask.params(Asked::PARAMS)?;
    if !ask.request.query_string().is_empty() {
        let asked = Asked::read(&params, Day::begins)?;
        let page = ask.block(move |state| asked.find(state)).await?;
        let loads: Vec<_> = page.rows.iter().map(json::load).collect();
        let told = json!({ "loads": loads, "unloaded": page.stones, "next_cursor": page.next });
        return Ok(HttpResponse::Ok().json(told));
    }
    let (rows, jobs) = ask
        .block(|state| {
            let jobs = state.intake.open_items().map_err(|error| Problem::failed("reading the intake", &error))?;
            Ok((state.backend.loads()?, jobs))
        })
        .await?;
    let rows: Vec<_> = rows.iter().map(json::load).collect();
    let jobs: Vec<_> = jobs.iter().map(|job| json::job(job, None)).collect();
    Ok(HttpResponse::Ok().json(json!({ "loads": rows, "received": jobs })))
}

/// What the path names: `7` a load, `j7` a received stream.
enum Named {
    Load(LoadId),
    Job(u64),
}

fn named(text: &str) -> Result<Named, Problem> {
    let digits = text.strip_prefix('j').unwrap_or(text);
    if digits.is_empty() || digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Problem::nothing());
    }
    let number: u64 = digits.parse().map_err(|_| Problem::nothing())?;
    if digits.len() != text.len() {
        return Ok(Named::Job(number));
    }
    u32::try_from(number).map(|number| Named::Load(LoadId(number))).map_err(|_| Problem::nothing())
}

/// One load with its page accounting, or a received stream and how far it is.
#[utoipa::path(get, path = "/api/v1/loads/{id}", tag = "loads",
    params(("id" = String, Path, description = "Number of a load, or the id that sending gave (`j7`)")),
    responses((status = 200, description = "`state` is queued, running, done or failed"), (status = 404, description = "not-found")))]
pub async fn show(ask: Ask) -> Answer {
    ask.params(&[])?;
    let named = named(ask.part("id"))?;
    let json = ask.block(move |state| report(state, &named)).await?;
    Ok(HttpResponse::Ok().json(json))
}

fn report(state: &State, named: &Named) -> Result<serde_json::Value, Problem> {
    match named {
        Named::Load(id) => Ok(json::load(&state.backend.load(*id)?.ok_or_else(Problem::nothing)?)),
        Named::Job(id) => {
            let job = job(state, *id)?;
            let row = job.load_id().map(|id| state.backend.load(id)).transpose()?.flatten();
            Ok(json::job(&job, row.as_ref()))
        }
    }
}

fn job(state: &State, id: u64) -> Result<Item, Problem> {
    let job = state.intake.item(id).map_err(|error| Problem::failed("reading the intake", &error))?;
    job.ok_or_else(Problem::nothing)
}

/// The captured stream, byte for byte.
#[utoipa::path(get, path = "/api/v1/loads/{id}/original", tag = "loads",
    params(("id" = String, Path, description = "Number of a load, or the id that sending gave")),
    responses((status = 200, description = "the bytes", content_type = "application/octet-stream"),
        (status = 404, description = "not-found"), (status = 409, description = "not-ready")))]
pub async fn original(ask: Ask) -> Answer {
    ask.params(&[])?;
    let named = named(ask.part("id"))?;
    let who = ask.who()?.clone();
    let row = ask
        .block(move |state| {
            let id = match named {
                Named::Load(id) => id,
                Named::Job(id) => {
                    job(state, id)?.load_id().ok_or_else(|| Problem::not_ready("The stream is not loaded."))?
                }
            };
            let row = state.backend.load(id)?.filter(|row| who.principal.rights.may_see_report(&row.definition));
            let row = row.ok_or_else(Problem::nothing)?;
            state.gate.record_by(
                &who.principal,
                Permission::LoadExport,
                "export-load",
                &format!("load {id}"),
                "original",
            )?;
            Ok(row)
        })
        .await?;
    let body = SizedStream::new(row.bytes, exported(&ask, row.id).await?);
    Ok(HttpResponse::Ok()
        .content_type("application/octet-stream")
        .insert_header((header::CONTENT_DISPOSITION, disposition(&row.file, true)))
        .insert_header((header::ETAG, format!("\"{}\"", row.sha256)))
        .body(body))
}

type Pieces = tokio::sync::mpsc::Receiver<io::Result<web::Bytes>>;

/// The stream of a load.
async fn exported(
    ask: &Ask,
    id: LoadId,
) -> Result<impl stream::Stream<Item = io::Result<web::Bytes>> + use<>, Problem> {
    let backend = ask.state.backend.clone();
    let work = move |out: Sending| {
        let mut out = BufWriter::with_capacity(GATHERED, out);
        backend.export_load(id, &mut out).map_err(io::Error::other).and_then(|()| out.flush())
    };
    pieces(ask, work).await
}

/// What some work writes, made by a thread of its own as fast as the reader takes it; few at a time.
pub async fn pieces<W: FnOnce(Sending) -> io::Result<()> + Send + 'static>(
    ask: &Ask,
    work: W,
) -> Result<impl stream::Stream<Item = io::Result<web::Bytes>> + use<W>, Problem> {
    let busy = |_| Problem::busy("The server stops.");
    let turn = ask.state.exports.clone().acquire_owned().await.map_err(busy)?;
    let (sender, pieces): (_, Pieces) = tokio::sync::mpsc::channel(PIECES);
    let work = move || {
        let _turn = turn;
        if let Err(error) = work(Sending(sender.clone())) {
            let _ = sender.blocking_send(Err(error));
        }
    };
    let name = "greenbar-export".to_string();
    std::thread::Builder::new().name(name).spawn(work).map_err(|error| Problem::failed("sending a stream", &error))?;
    Ok(stream::unfold(pieces, |mut pieces| async move { pieces.recv().await.map(|piece| (piece, pieces)) }))
}

/// Hands what is written to the answer; an error when the reader went away.
pub struct Sending(tokio::sync::mpsc::Sender<io::Result<web::Bytes>>);

impl Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = web::Bytes::copy_from_slice(bytes);
        self.0.blocking_send(Ok(piece)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
