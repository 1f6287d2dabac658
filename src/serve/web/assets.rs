//! Styles and scripts, under addresses that change with their content.
//!
//! All lie in one folder whose name is the hash of them all, so that scripts import each other by plain names.

use std::borrow::Cow;
use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::http::header;

use super::source;
use crate::auth::secret;
use crate::serve::ask::{Answer, Ask};
use crate::serve::problem::Problem;

/// Folder in `templates/web`, extension, media type.
const KINDS: &[(&str, &str, &str)] = &[
    ("css/", ".css", "text/css; charset=utf-8"),
    ("img/", ".svg", "image/svg+xml"),
    ("js/", ".js", "text/javascript; charset=utf-8"),
];

fn is_asset(name: &str) -> bool {
    KINDS.iter().any(|(folder, _, _)| name.starts_with(folder))
}

fn hash() -> String {
    let all: String =
        source::FILES.iter().filter(|(name, _)| is_asset(name)).filter_map(|(name, _)| source::text(name)).collect();
    secret::hex(&secret::fingerprint(&all)).chars().take(12).collect()
}

/// The address of the folder, without a slash at its end.
pub fn base() -> String {
    static COMPILED: OnceLock<String> = OnceLock::new();
    let hash = if source::folder().is_some() { Cow::Owned(hash()) } else { Cow::Borrowed(COMPILED.get_or_init(hash)) };
    format!("/static/{hash}")
}

/// A file by its name, in the folder of its hash.
pub async fn get(ask: Ask) -> Answer {
    let name = ask.part("name");
    if format!("/static/{}", ask.part("version")) != base() {
        return Err(Problem::nothing());
    }
    let found = KINDS.iter().filter(|(_, extension, _)| name.ends_with(extension)).find_map(|(folder, _, kind)| {
        let content = source::text(&format!("{folder}{name}"))?;
        Some((kind, content))
    });
    let (kind, content) = found.ok_or_else(Problem::nothing)?;
    Ok(HttpResponse::Ok()
        .content_type(*kind)
        .insert_header((header::CACHE_CONTROL, "public, immutable, max-age=31536000"))
        .body(content.into_owned()))
}
