//! What a signed link leads to: first a page with a button, and the document only when the button is pressed. Mail
//! programs fetch addresses on their own; they press no buttons.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use minijinja::context;

use super::{Language, language, page as render};
use crate::crm::Time;
use crate::render::RenderOptions;
use crate::serve::api::content;
use crate::serve::api::crm::access;
use crate::serve::ask::{Answer, Ask, address};
use crate::serve::problem::Problem;
use crate::serve::rendition::{Rendition, Spool};

/// The page behind a link. It says which kind of document there is, nothing of what is in it.
pub async fn page(ask: Ask) -> Answer {
    ask.params(&[])?;
    let token = ask.part("token").to_string();
    let chinese = language(&ask.request, None) == Language::Chinese;
    let (report, until) = ask
        .block(move |state| {
            let link = state.crm.look_at_link(&token)?;
            let id = link.document.parse().map_err(|()| Problem::nothing())?;
            let report = access::report_of(state, id)?.ok_or_else(Problem::nothing)?;
            let title = if chinese { report.1.unwrap_or(report.0) } else { report.0 };
            Ok((title, Time(link.expires_at.0 - 1).day().to_string()))
        })
        .await?;
    let own = context! { report, until, address => ask.request.path() };
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
            let id = link.document.parse().map_err(|()| Problem::nothing())?;
            let permit = access::open_by_link(state, &link, id, &from)?;
            let mut spool = Spool::new(&state.config.data.join("tmp"));
            state.backend.render(&permit, "pdf", &RenderOptions::default(), &mut spool)?;
            spool.finish("application/pdf").map_err(|error| Problem::failed("keeping a rendition", &error))
        })
        .await?;
    Ok(sent(&rendition))
}

fn sent(rendition: &Rendition) -> HttpResponse {
    let mut response = content::send(HttpResponse::Ok(), rendition, 0, rendition.len);
    private(&mut response);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("inline; filename=\"document.pdf\""));
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
