//! Styles and script, under addresses that change with their content.

use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::auth::secret;
use crate::serve::ask::{Answer, Ask};
use crate::serve::problem::Problem;

/// Name, media type, content.
const FILES: &[(&str, &str, &str)] = &[
    (
        "style.css",
        "text/css; charset=utf-8",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/web/style.css")),
    ),
    (
        "app.js",
        "text/javascript; charset=utf-8",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/templates/web/app.js")),
    ),
];

/// The hash of each file, in the order of [`FILES`].
fn hashes() -> &'static [String] {
    static HASHES: OnceLock<Vec<String>> = OnceLock::new();
    let hash = |content: &str| secret::hex(&secret::fingerprint(content)).chars().take(12).collect();
    HASHES.get_or_init(|| FILES.iter().map(|(_, _, content)| hash(content)).collect())
}

/// The address of a file.
pub fn address(name: &str) -> String {
    let at = FILES.iter().position(|(file, _, _)| *file == name);
    let hash = at.and_then(|at| hashes().get(at)).map_or("", String::as_str);
    format!("/static/{hash}.{name}")
}

/// A file by its hashed name.
pub async fn get(ask: Ask) -> Answer {
    let asked = ask.part("name");
    let found = FILES.iter().zip(hashes()).find(|((name, _, _), hash)| asked == format!("{hash}.{name}"));
    let ((_, kind, content), _) = found.ok_or_else(Problem::nothing)?;
    Ok(HttpResponse::Ok()
        .content_type(*kind)
        .insert_header((header::CACHE_CONTROL, "public, immutable, max-age=31536000"))
        .body(*content))
}
