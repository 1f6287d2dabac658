//! What a signed link leads to: first a page with a button, and the document (several: a ZIP file) only when the button is
//! pressed. Mail programs fetch addresses on their own; they press no buttons.

use std::io;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use minijinja::context;

use super::my::period::{Bytes, entry_name};
use super::my::zip::Zip;
use super::{Language, language, page as render};
use crate::archive::DocId;
use crate::crm::Time;
use crate::crm::link::Link;
use crate::distribute::evidence::{Proof, What};
use crate::render::RenderOptions;
use crate::serve::api::content;
use crate::serve::api::crm::access;
use crate::serve::ask::{Answer, Ask, address};
use crate::serve::problem::Problem;
use crate::serve::rendition::{Rendition, Spool};
use crate::serve::state::State;

/// The page behind a link. It says which kind of document there is, nothing of what is in it.
pub async fn page(ask: Ask) -> Answer {
    ask.params(&[])?;
    let token = ask.part("token").to_string();
    let chinese = language(&ask.request, None) == Language::Chinese;
    let (report, until, count) = ask
        .block(move |state| {
            let link = state.crm.look_at_link(&token)?;
            let id = link.document.parse().map_err(|()| Problem::nothing())?;
            let report = access::report_of(state, id)?.ok_or_else(Problem::nothing)?;
            let title = if chinese { report.1.unwrap_or(report.0) } else { report.0 };
            Ok((title, Time(link.expires_at.0 - 1).day().to_string(), link.documents().count()))
        })
        .await?;
    let own = context! { report, until, count, address => ask.request.path() };
    let mut response = render(&ask.request, None, "link.html", StatusCode::OK, own)?;
    private(&mut response);
    Ok(response)
}

/// The document, after the button was pressed: counts as a use, and is recorded as a view by the link.
pub async fn reveal(ask: Ask) -> Answer {
    let token = ask.part("token").to_string();
    let from = address(&ask.request);
    let rendition = ask
        .block(move |state| {
            let link = state.crm.use_link(&token, &from)?;
            let mut spool = Spool::new(&state.config.data.join("tmp"));
            let media_type = if link.others.is_empty() {
                let permit = access::open_by_link(state, &link, document(&link.document)?, &from)?;
                state.backend.render(&permit, "pdf", &RenderOptions::default(), &mut spool)?;
                "application/pdf"
            } else {
                bundle(state, &link, &from, &mut spool)?;
                "application/zip"
            };
            prove_opened(state, &link);
            spool.finish(media_type).map_err(kept_badly)
        })
        .await?;
    Ok(sent(&rendition))
}

fn document(id: &str) -> Result<DocId, Problem> {
    id.parse().map_err(|()| Problem::nothing())
}

fn kept_badly(error: io::Error) -> Problem {
    Problem::failed("keeping a rendition", &error)
}

/// Writes the documents of a link as a ZIP file, each through the gate.
fn bundle(state: &State, link: &Link, from: &str, out: &mut Spool) -> Result<(), Problem> {
    let mut zip = Zip::new(out);
    for id in link.documents() {
        let permit = access::open_by_link(state, link, document(id)?, from)?;
        let view = state.backend.document(&permit)?;
        let mut spool = Spool::new(&state.config.data.join("tmp"));
        state.backend.render(&permit, "pdf", &RenderOptions::default(), &mut spool)?;
        let rendition = spool.finish("application/pdf").map_err(kept_badly)?;
        zip.add(&entry_name(&view), view.date, || Ok(Bytes::of(&rendition))).map_err(kept_badly)?;
    }
    zip.finish().map(|_| ()).map_err(kept_badly)
}

/// Somebody pressed the button: the piece that the link went out with was opened.
fn prove_opened(state: &State, link: &Link) {
    let Some(delivery) = &link.delivery else { return };
    let proof = Proof::new(state.crm.now(), What::Opened, "its link was opened");
    if let Err(error) = state.ledger.prove(delivery, &proof) {
        tracing::error!(%error, "a proof could not be noted");
    }
}

fn sent(rendition: &Rendition) -> HttpResponse {
    let mut response = content::send(HttpResponse::Ok(), rendition, 0, rendition.len);
    private(&mut response);
    let headers = response.headers_mut();
    let shown = match rendition.media_type {
        "application/zip" => "attachment; filename=\"documents.zip\"",
        _ => "inline; filename=\"document.pdf\"",
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(rendition.media_type));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(shown));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("frame-ancestors 'none'"));
    response
}

/// Not kept, not indexed, not told to the next site.
fn private(response: &mut HttpResponse) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
}
