//! Renditions.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_web::body::SizedStream;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;

use super::documents;
use crate::archive::DocId;
use crate::auth::gate::{Sight, Use};
use crate::decode::foreign;
use crate::render::RenderOptions;
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::backend::{DocumentView, FormatInfo};
use crate::serve::problem::Problem;
use crate::serve::range::{self, Asked};
use crate::serve::rendition::{Body, Kept, Key, Rendition, Spool};
use crate::serve::state::State;
use crate::view::ORIGINAL;

/// What the HTML rendition may do: show itself. It runs in a frame, its own styles are inside it. No script runs in it, so
/// that its origin gives it nothing; the page around reads how high it is.
const HTML_POLICY: &str = "sandbox allow-popups allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; \
     frame-ancestors 'self'; base-uri 'none'; form-action 'none'";
/// The browser's PDF viewer needs more than `default-src 'none'` leaves it.
const PDF_POLICY: &str = "frame-ancestors 'self'";
/// How long a browser may keep a rendition without asking. A document never changes, but rights may, and reads that
/// the browser answers itself are not audited.
const CACHING: &str = "private, immutable, max-age=3600";
/// Bytes read from a file at a time.
const CHUNK: u64 = 256 << 10;
/// Widest picture.
const MOST_PIXELS: u32 = 3000;
/// Words to highlight.
const MOST_WORDS: usize = 32;

/// One rendition of a document, whole or a range of it.
#[utoipa::path(get, path = "/api/v1/documents/{id}/content", tag = "documents",
    params(
        ("id" = String, Path, description = "Document id"),
        ("format" = Option<String>, Query, description = "`pdf` (when left out), `html`, `text`, `png`, `svg`, `csv`, `json`, `original`"),
        ("page" = Option<String>, Query, description = "Pages from 1: `3` or `2-5`"),
        ("width" = Option<u32>, Query, description = "Width of a picture in pixels"),
        ("highlight" = Option<String>, Query, description = "Words to mark in HTML and SVG, parted by blanks"),
        ("download" = Option<String>, Query, description = "`1`: as a file to save"),
        ("print" = Option<String>, Query, description = "`1`: to be printed; needs `document.print`, recorded as such"),
    ),
    responses((status = 200, description = "the rendition, with a strong ETag"), (status = 206, description = "a range"),
        (status = 304, description = "unchanged"),
        (status = 403, description = "forbidden; masked: the original of a document with values masked for the caller"),
        (status = 404, description = "not-found"),
        (status = 416, description = "range")))]
pub async fn get(ask: Ask) -> Answer {
    let params = ask.params(&["format", "page", "width", "highlight", "download", "print"])?;
    let id = documents::id(ask.part("id"))?;
    let who = ask.who()?;
    let sight = ask.state.gate.scope(&who.principal).sight().clone();
    let (key, format) = wanted(&ask.state.backend.formats(), id, sight, &params)?;
    let download = params.get("download").is_some();
    let used = match () {
        () if format.name == ORIGINAL => Use::ORIGINAL,
        () if params.get("print").is_some() => Use::PRINT,
        () if download => Use::DOWNLOAD,
        () => Use::READ,
    };
    let kept = match ask.state.cache.get(&key, ask.state.backend.generation()) {
        Some(kept) => {
            ask.state.gate.open(&who.principal, used, &kept.subject, format.name)?;
            ask.state.metrics.cache_hits.fetch_add(1, Ordering::Relaxed);
            kept
        }
        None => {
            let who = who.clone();
            ask.block(move |state| made(state, &who, used, key, &format)).await?
        }
    };
    Ok(answer(&ask.request, &kept, format.name, download))
}

/// What is asked for, as the key it is kept under.
fn wanted(
    formats: &[FormatInfo],
    document: DocId,
    sight: Sight,
    params: &Params,
) -> Result<(Key, FormatInfo), Problem> {
    let name = params.get("format").unwrap_or("pdf");
    let Some(format) = formats.iter().find(|format| format.name == name) else {
        let allowed: Vec<_> = formats.iter().map(|format| format.name).collect();
        return Err(Problem::bad_parameter(format!("format is one of: {}.", allowed.join(", "))));
    };
    let pages = params.get("page").map(pages).transpose()?;
    let width_px = params.number("width", 16..=MOST_PIXELS)?.filter(|_| name == "png");
    let words = params.get("highlight").filter(|_| format.marks_words).unwrap_or_default();
    let highlight = words.split_whitespace().take(MOST_WORDS).map(str::to_string).collect();
    let pages = if format.one_page { pages.or(Some((0, 0))) } else { pages };
    if format.one_page && pages.is_some_and(|(first, last)| first != last) {
        return Err(Problem::bad_parameter("A picture shows one page: page is a whole number from 1."));
    }
    Ok((Key { document, sight, format: format.name, pages, width_px, highlight }, *format))
}

fn pages(text: &str) -> Result<(u32, u32), Problem> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let number =
        |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten();
    match (number(from), number(to)) {
        (Some(from), Some(to)) if from >= 1 && from <= to => Ok((from - 1, to - 1)),
        _ => Err(Problem::bad_parameter("page is a number from 1, or two of them such as 2-5.")),
    }
}

/// Makes a rendition with the gate's permit and keeps it.
fn made(state: &State, who: &SignedIn, used: Use, key: Key, format: &FormatInfo) -> Result<Kept, Problem> {
    let generation = state.backend.generation();
    let subject = Arc::new(state.backend.subject(key.document)?);
    let permit = state.gate.open(&who.principal, used, &subject, format.name)?;
    let view = state.backend.document(&permit)?;
    if let Some((_, last)) = key.pages
        && last >= view.pages
    {
        let detail = format!("page {} does not exist; the document has {}.", last.saturating_add(1), view.pages);
        return Err(Problem::bad_parameter(detail));
    }
    let how =
        RenderOptions { pages: key.pages, width_px: key.width_px, highlight: key.highlight.clone(), only: Vec::new() };
    let mut spool = Spool::new(&state.config.data.join("tmp"));
    state.backend.render(&permit, format.name, &how, &mut spool)?;
    let rendition = spool.finish(format.media_type).map_err(|error| Problem::failed("keeping a rendition", &error))?;
    state.metrics.cache_misses.fetch_add(1, Ordering::Relaxed);
    let mut named = *format;
    if format.name == ORIGINAL {
        named.extension = extension(&rendition.body).unwrap_or(format.extension);
    }
    let kept =
        Kept { generation, file_name: file_name(&view, &named, key.pages), subject, rendition: Arc::new(rendition) };
    state.cache.put(key, kept.clone());
    Ok(kept)
}

/// How files in the format of an original are called, where it is one that other programs open.
fn extension(body: &Body) -> Option<&'static str> {
    let mut head = vec![0; foreign::HEAD];
    let head = match body {
        Body::Memory(bytes) => bytes.as_ref(),
        Body::File(file) => {
            let read = file.read_at(&mut head, 0).ok()?;
            head.get(..read)?
        }
    };
    match foreign::named(head)? {
        "pdf" => Some("pdf"),
        "postscript" => Some("ps"),
        "tiff" => Some("tif"),
        "pcl" => Some("pcl"),
        _ => None,
    }
}

/// A name for people's folders: what it is, when, and its id.
fn file_name(view: &DocumentView, format: &FormatInfo, pages: Option<(u32, u32)>) -> String {
    let mut name: String = view.title.chars().filter(|c| !c.is_control()).take(80).collect();
    let odd = ['/', '\\', ':', '*', '?', '"', '<', '>', '|'];
    name = name.replace(odd, " ").split_whitespace().collect::<Vec<_>>().join(" ");
    name = name.trim_matches('.').to_string();
    if name.is_empty() {
        name = view.kind.clone();
    }
    if let Some((first, last)) = pages {
        name.push_str(&format!(" p{}", first + 1));
        if last > first {
            name.push_str(&format!("-{}", last + 1));
        }
    }
    format!("{name} {}.{}", view.id, format.extension)
}

/// `Content-Disposition` with an ASCII name for old programs and the real one (RFC 6266, RFC 8187).
pub fn disposition(name: &str, download: bool) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '_' }).collect();
    let plain = plain.replace(['"', '\\', '%'], "_");
    let mut coded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            coded.push(char::from(byte));
        } else {
            coded.push_str(&format!("%{byte:02X}"));
        }
    }
    let kind = if download { "attachment" } else { "inline" };
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{coded}")
}

fn answer(request: &HttpRequest, kept: &Kept, format: &str, download: bool) -> HttpResponse {
    let rendition = &kept.rendition;
    let header = |name: header::HeaderName| request.headers().get(name).and_then(|value| value.to_str().ok());
    let known = header(header::IF_NONE_MATCH).is_some_and(|tags| names(tags, &rendition.etag));
    let ranged = header(header::IF_RANGE).is_none_or(|tag| tag.trim() == rendition.etag);
    let range = if ranged { range::read(header(header::RANGE), rendition.len) } else { Asked::Whole };
    let mut response = match range {
        _ if known => HttpResponse::NotModified().finish(),
        Asked::Outside => {
            let mut response = Problem::range(format!("The content has {} bytes.", rendition.len)).response();
            set(&mut response, header::CONTENT_RANGE, &format!("bytes */{}", rendition.len));
            return response;
        }
        Asked::Whole => send(HttpResponse::Ok(), rendition, 0, rendition.len),
        Asked::Part(from, to) => {
            let mut response = send(HttpResponse::PartialContent(), rendition, from, to + 1);
            set(&mut response, header::CONTENT_RANGE, &format!("bytes {from}-{to}/{}", rendition.len));
            response
        }
    };
    set(&mut response, header::ETAG, &rendition.etag);
    set(&mut response, header::CACHE_CONTROL, CACHING);
    // One browser, two people one after the other: what is kept for one is not for the other.
    set(&mut response, header::VARY, "Cookie, Authorization");
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    set(&mut response, header::CONTENT_TYPE, rendition.media_type);
    set(&mut response, header::CONTENT_DISPOSITION, &disposition(&kept.file_name, download || format == "original"));
    let policy = if format == "pdf" { PDF_POLICY } else { HTML_POLICY };
    set(&mut response, header::CONTENT_SECURITY_POLICY, policy);
    set(&mut response, header::X_FRAME_OPTIONS, "SAMEORIGIN");
    response
}

/// Whether a list of entity tags names this one; weak comparison, as `If-None-Match` wants.
fn names(tags: &str, etag: &str) -> bool {
    tags.split(',').map(|tag| tag.trim().trim_start_matches("W/")).any(|tag| tag == etag || tag == "*")
}

fn set(response: &mut HttpResponse, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// A part of a rendition as an answer.
pub fn send(mut builder: actix_web::HttpResponseBuilder, rendition: &Rendition, from: u64, to: u64) -> HttpResponse {
    match &rendition.body {
        Body::Memory(bytes) => {
            let (from, to) = (from as usize, to as usize);
            builder.body(bytes.slice(from.min(bytes.len())..to.min(bytes.len())))
        }
        Body::File(file) => builder.body(SizedStream::new(to - from, from_file(file.clone(), from, to))),
    }
}

/// A part of a file, read off the server's threads.
fn from_file(file: Arc<File>, from: u64, to: u64) -> impl stream::Stream<Item = io::Result<web::Bytes>> {
    stream::unfold(Some(from), move |at| {
        let file = file.clone();
        async move {
            let at = at.filter(|at| *at < to)?;
            let read = web::block(move || {
                let mut chunk = vec![0; (to - at).min(CHUNK) as usize];
                file.read_exact_at(&mut chunk, at).map(|()| web::Bytes::from(chunk))
            });
            match read.await {
                Ok(Ok(chunk)) => {
                    let next = at + chunk.len() as u64;
                    Some((Ok(chunk), Some(next)))
                }
                Ok(Err(error)) => Some((Err(error), None)),
                Err(error) => Some((Err(io::Error::other(error)), None)),
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe_in_headers_and_keep_their_letters() {
        let text = disposition("对账单 \"März\"\r\n/1-2.pdf", true);
        assert!(!text.contains(['\r', '\n']), "{text}");
        assert!(
            text.starts_with("attachment; filename=\"___ _M_rz____1-2.pdf\"") || text.contains("filename=\""),
            "{text}"
        );
        assert!(
            text.ends_with("filename*=UTF-8''%E5%AF%B9%E8%B4%A6%E5%8D%95%20%22M%C3%A4rz%22%0D%0A%2F1-2.pdf"),
            "{text}"
        );
    }

    #[test]
    fn entity_tags_compare_as_lists() {
        assert!(names("\"a\", W/\"b\"", "\"b\""));
        assert!(names("*", "\"b\""));
        assert!(!names("\"a\"", "\"b\""));
    }
}
