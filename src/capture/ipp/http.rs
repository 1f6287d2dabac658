//! HTTP around the printer: the listener, bodies read piece by piece, answers.

use std::any::Any;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::http::header;
use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{sleep, timeout};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures_util::StreamExt;

use super::document::Document;
use super::message::{Head, Reply, Request};
use super::printer::{Order, Plan, Printer};
use super::status::{Refusal, Status};
use crate::capture::door::Inside;

/// Threads that speak HTTP. The disk is written by others.
const WORKERS: usize = 2;
/// Bytes gathered before they are written.
const GATHERED: usize = 512 << 10;
/// Seconds that a head of HTTP may take, and that an idle connection is kept.
const PATIENCE: Duration = Duration::from_secs(30);
/// Seconds that requests may take to end when the server stops; those that do not end were not acknowledged.
const SHUTDOWN_S: u64 = 2;
/// How long, and how much, is still read of a document that is refused, so that its sender hears why.
const DRAIN: Duration = Duration::from_secs(2);
const DRAINED: usize = 8 << 20;
const MEDIA_TYPE: &str = "application/ipp";

/// Whether the other side may send, and who it is.
struct Entered(Option<IpAddr>, Result<Inside, &'static str>);

/// Serves until the printer is stopped.
pub fn serve(listener: TcpListener, printer: Arc<Printer>) -> io::Result<()> {
    actix_web::rt::System::new().block_on(async move {
        let (entering, shown) = (printer.clone(), web::Data::from(printer.clone()));
        let app = move || {
            let app = App::new().app_data(shown.clone());
            app.route("/", web::get().to(front)).default_service(web::to(post))
        };
        let running = HttpServer::new(app)
            .workers(WORKERS)
            // A thread waits for the disk, or keeps a sender to its pace, for each document.
            .worker_max_blocking_threads(printer.config.limits.connections.clamp(8, 512))
            .disable_signals()
            .shutdown_timeout(SHUTDOWN_S)
            .keep_alive(PATIENCE)
            .client_request_timeout(PATIENCE)
            .on_connect(move |connection, extensions| enter(&entering, connection, extensions))
            .listen(listener)?
            .run();
        let handle = running.handle();
        let running = actix_web::rt::spawn(running);
        while !printer.stop.is_now() && !running.is_finished() {
            sleep(Duration::from_millis(200)).await;
        }
        handle.stop(true).await;
        running.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    })
}

fn enter(printer: &Printer, connection: &dyn Any, extensions: &mut Extensions) {
    let peer = connection.downcast_ref::<TcpStream>().and_then(|stream| stream.peer_addr().ok());
    let peer = peer.map(|address| address.ip().to_canonical());
    let inside = match peer {
        Some(peer) => printer.told.admit(peer, &printer.config.limits),
        None => Err("the connection has no address"),
    };
    if let (Some(peer), Err(why)) = (&peer, &inside) {
        printer.told.refused(peer, why);
    }
    extensions.insert(Entered(peer, inside));
}

/// What a browser sees.
async fn front(request: HttpRequest) -> HttpResponse {
    match entered(&request) {
        Ok(_) => {
            HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("greenbar: print to /ipp/print/QUEUE\n")
        }
        Err(why) => turned_away(why),
    }
}

/// The address of a connection that was let in.
fn entered(request: &HttpRequest) -> Result<IpAddr, &'static str> {
    match request.conn_data::<Entered>() {
        Some(Entered(Some(peer), Ok(_))) => Ok(*peer),
        Some(Entered(_, Err(why))) => Err(why),
        _ => Err("the connection has no address"),
    }
}

fn turned_away(why: &'static str) -> HttpResponse {
    HttpResponse::Forbidden().force_close().body(why)
}

async fn post(request: HttpRequest, mut body: web::Payload, printer: web::Data<Printer>) -> HttpResponse {
    let peer = match entered(&request) {
        Ok(peer) => peer,
        Err(why) => return turned_away(why),
    };
    if request.method() != actix_web::http::Method::POST {
        return HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "POST")).finish();
    }
    let heading = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = heading(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind != MEDIA_TYPE || !heading(header::CONTENT_ENCODING).is_empty() {
        return HttpResponse::UnsupportedMediaType().force_close().body("a body of application/ipp is expected");
    }
    let host = heading(header::HOST).to_string();
    let mut fixed = None;
    let reply = match answer(&printer, &mut body, peer, host, &mut fixed).await {
        Ok(reply) => reply,
        Err(refusal) => {
            printer.told.refused(&peer, &refusal.why);
            let Some(fixed) = fixed else { return HttpResponse::BadRequest().force_close().body(refusal.why) };
            drain(&mut body).await;
            Reply::new(&fixed, refusal.status, &refusal.why)
        }
    };
    tracing::debug!(%peer, status = ?reply.status(), "answered");
    HttpResponse::Ok().content_type(MEDIA_TYPE).body(reply.finish())
}

/// The next piece of a body; `None` at its end.
async fn next(printer: &Printer, body: &mut web::Payload) -> Result<Option<web::Bytes>, Refusal> {
    let idle_s = printer.config.limits.idle_s;
    let tick = Duration::from_millis(250);
    let started = std::time::Instant::now();
    loop {
        if printer.stop.is_now() {
            return Err(Refusal::new(Status::Temporary, "the server stops"));
        }
        match timeout(tick, body.next()).await {
            Ok(Some(Ok(piece))) => return Ok(Some(piece)),
            Ok(Some(Err(error))) => return Err(Refusal::bad(format!("the request broke off: {error}"))),
            Ok(None) => return Ok(None),
            Err(_) if started.elapsed().as_secs() >= idle_s => {
                return Err(Refusal::new(Status::Timeout, format!("nothing came for {idle_s} seconds")));
            }
            Err(_) => {}
        }
    }
}

async fn answer(
    printer: &web::Data<Printer>,
    body: &mut web::Payload,
    peer: IpAddr,
    host: String,
    fixed: &mut Option<Request>,
) -> Result<Reply, Refusal> {
    let mut head = Head::default();
    let rest = loop {
        let piece = next(printer, body).await?;
        let Some(mut piece) = piece else {
            *fixed = head.fixed();
            return Err(Refusal::bad("the request ends inside its attributes"));
        };
        let end = head.add(&piece);
        *fixed = head.fixed();
        if let Some(end) = end? {
            break piece.split_off(end);
        }
    };
    let request = head.message()?;
    let planning = printer.clone();
    match blocking(move || planning.plan(request, peer, &host)).await? {
        Plan::Answer(reply) => Ok(reply),
        Plan::Receive(order) => receive(printer, body, rest, order).await,
    }
}

/// Work that waits for the disk, away from the threads that speak HTTP.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    let failed = |error: actix_web::error::BlockingError| Refusal::new(Status::Internal, error.to_string());
    web::block(work).await.map_err(failed)?
}

/// Receives a document. Nothing more is read while what came is being written: a sender that is faster than the disk waits.
async fn receive(
    printer: &web::Data<Printer>,
    body: &mut web::Payload,
    first: web::Bytes,
    order: Box<Order>,
) -> Result<Reply, Refusal> {
    let mut document: Option<Document> = None;
    let mut gathered = web::BytesMut::from(first);
    loop {
        let over = match next(printer, body).await? {
            Some(piece) => {
                gathered.extend_from_slice(&piece);
                false
            }
            None => true,
        };
        if gathered.len() >= GATHERED || (over && !gathered.is_empty()) {
            if order.receiving.as_ref().is_some_and(super::jobs::Receiving::is_canceled) {
                return Err(Refusal::new(Status::JobCanceled, "the job was canceled"));
            }
            let (piece, to, compression) = (gathered.split().freeze(), printer.clone(), order.compression.clone());
            document = blocking(move || written(&to, document, &compression, &piece).map(Some)).await?;
        }
        if over {
            break;
        }
    }
    let printer = printer.clone();
    blocking(move || {
        let spool = document.map(Document::finish).transpose()?;
        printer.take(*order, spool)
    })
    .await
}

fn written(
    printer: &Printer,
    document: Option<Document>,
    compression: &str,
    piece: &[u8],
) -> Result<Document, Refusal> {
    let mut document = match document {
        Some(document) => document,
        None => {
            let spool = printer.intake.begin()?.paced(printer.config.limits.max_bytes_per_s, &printer.stop);
            Document::new(compression, spool)?
        }
    };
    document.write(piece)?;
    Ok(document)
}

/// Reads on for a moment behind a refusal: who still sends would otherwise see a broken connection and no answer.
async fn drain(body: &mut web::Payload) {
    let reading = async {
        let mut bytes = 0;
        while let Some(Ok(piece)) = body.next().await {
            bytes += piece.len();
            if bytes > DRAINED {
                return;
            }
        }
    };
    let _ = timeout(DRAIN, reading).await;
}
