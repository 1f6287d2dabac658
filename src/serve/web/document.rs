//! One document: pages with thumbnails, its fields, other views, downloads.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::{coded, language, page as render, shown};
use crate::serve::api::documents;
use crate::serve::ask::{Answer, Ask, Params};
use crate::serve::backend::DocumentView;

/// Thumbnails at a time: of longer documents, those around the page.
const THUMBNAILS: u32 = 40;
/// Longer documents show their reading view and text page by page.
const WHOLE: u32 = 20;
const TABS: &[(&str, &str)] = &[("pages", "tab_pages"), ("html", "tab_html"), ("pdf", "tab_pdf"), ("text", "tab_text")];

/// For agents.
pub async fn agent(ask: Ask) -> Answer {
    show(ask, "/agent").await
}

/// For customers.
pub async fn my(ask: Ask) -> Answer {
    show(ask, "/my").await
}

async fn show(ask: Ask, base: &'static str) -> Answer {
    let params = ask.params(&["page", "tab", "find"])?;
    let id = documents::id(ask.part("id"))?;
    let who = ask.who()?.clone();
    let reader = who.clone();
    let view = ask.block(move |state| documents::look_up(state, &reader, id, "view")).await?;
    let own = parts(&ask, &params, &view, base)?;
    render(&ask.request, Some(&who), "document.html", StatusCode::OK, own)
}

fn parts(ask: &Ask, params: &Params, view: &DocumentView, base: &str) -> Result<Value, crate::serve::problem::Problem> {
    let language = language(&ask.request, ask.who.as_ref());
    let count = view.pages.max(1);
    let page = params.number("page", 1..=u32::MAX)?.unwrap_or(1).min(count);
    let find = params.get("find").unwrap_or_default();
    let words: Vec<(&str, &str)> = TABS.iter().map(|(name, _)| (*name, *name)).collect();
    let tab = params.word("tab", &words, if find.is_empty() { "pages" } else { "html" })?;
    let id = view.id.to_string();
    let content = format!("/api/v1/documents/{id}/content");
    let here = format!("{base}/documents/{id}");
    let link = |tab: &str, page: u32| {
        let mut link = format!("{here}?tab={tab}&page={page}");
        if !find.is_empty() {
            link.push_str(&format!("&find={}", coded(find)));
        }
        link
    };
    let part = if count > WHOLE { format!("&page={page}") } else { String::new() };
    let frame = match tab {
        "html" => format!("{content}?format=html{part}&highlight={}", coded(find)),
        "pdf" => format!("{content}?format=pdf#page={page}"),
        "text" => format!("{content}?format=text{part}"),
        _ => String::new(),
    };
    let first = page.saturating_sub(THUMBNAILS / 2).max(1);
    let last = first.saturating_add(THUMBNAILS - 1).min(count);
    let thumbs = (first..=last).map(|number| {
        let picture = format!("{content}?format=png&page={number}&width=160");
        context! { number, picture, link => link("pages", number), current => number == page }
    });
    let tabs = TABS.iter().map(|(name, word)| {
        context! { name => *name, label => language.word(word), link => link(name, page), current => *name == tab }
    });
    let formats: Vec<_> = ask.state.backend.formats().iter().filter(|f| f.name != "png").map(|f| f.name).collect();
    Ok(context! {
        base,
        document => shown::document(view, language, true),
        content => content.as_str(),
        address => here.as_str(),
        tab,
        find,
        page,
        count,
        paged => tab == "pages" || !part.is_empty(),
        picture => format!("{content}?format=png&page={page}&width=1400"),
        frame,
        previous => if page > 1 { link(tab, page - 1) } else { String::new() },
        next => if page < count { link(tab, page + 1) } else { String::new() },
        thumbs => thumbs.collect::<Vec<_>>(),
        tabs => tabs.collect::<Vec<_>>(),
        formats,
    })
}
