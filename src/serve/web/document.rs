//! One document: pages with thumbnails, find, its fields, other views, downloads.

use std::ops::ControlFlow;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::desk;
use super::foreign;
use super::{Language, coded, language, locale, page as render, shown};
use crate::archive::DocId;
use crate::auth::gate::Use;
use crate::auth::permission::Permission;
use crate::auth::predicate::Predicate;
use crate::crm::timeline::DocumentEntry;
use crate::serve::api::crm::access;
use crate::serve::api::documents;
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::backend::{DocumentView, FormatInfo};
use crate::serve::problem::Problem;
use crate::serve::state::State;
use crate::view::ORIGINAL;

/// Thumbnails at a time: of longer documents, those around the page. A script adds the others.
const THUMBNAILS: u32 = 40;
/// Longer documents show their reading view and text page by page.
const WHOLE: u32 = 20;
const TABS: &[(&str, &str)] = &[("pages", "tab_pages"), ("html", "tab_html"), ("pdf", "tab_pdf"), ("text", "tab_text")];
/// Other documents of the account that are listed beside one.
const MONTHS: usize = 13;
/// Longest text to find in a document, in characters.
const MOST_FIND: usize = 200;

/// For agents.
pub async fn agent(ask: Ask) -> Answer {
    let base = "/agent";
    let params = ask.params(&["page", "tab", "find", "go", "said"])?;
    let id = documents::id(ask.part("id"))?;
    let who = ask.who()?.clone();
    let reader = who.clone();
    let words = words(params.get("find").unwrap_or_default())?;
    let language = language(&ask.request, Some(&who));
    let (view, found, own) = ask
        .block(move |state| {
            let view = documents::look_up(state, &reader, id, "view")
                .map_err(|problem| left(state, &reader, id, language, problem))?;
            let found = if words.is_empty() { Found::default() } else { find_in(state, &reader, id, &words)? };
            let own = beside(state, &reader, id, &view, language)?;
            let foreign = foreign::format(state, &reader, id, &view)?.unwrap_or_default();
            Ok((view, found, context! { foreign, ..own }))
        })
        .await?;
    let own = context! { ..own, ..parts(&ask, &params, &view, &found, base)? };
    render(&ask.request, Some(&who), "document.html", StatusCode::OK, own)
}

/// Says that the document's load left the archive, and why, to those who reach every document.
fn left(state: &State, who: &SignedIn, id: DocId, language: Language, problem: Problem) -> Problem {
    let rights = &who.principal.rights;
    let all = rights.limits.is_empty() && rights.grants.iter().any(|(_, grant)| *grant == Predicate::Everything);
    if problem.code != "not-found" || !all {
        return problem;
    }
    let stones = state.backend.unloaded().unwrap_or_default();
    match stones.iter().find(|stone| stone.load == id.load) {
        Some(stone) => Problem::disposed(format!("{}: {}", locale::moment(stone.at, language), stone.reason)),
        None => problem,
    }
}

/// What stands beside a document for agents: customer, other months, notes, copies; and the contact that it is seen in.
fn beside(state: &State, who: &SignedIn, id: DocId, view: &DocumentView, language: Language) -> Result<Value, Problem> {
    if let Some((call, _)) = access::current_contact(state, &who.user.name)? {
        state.crm.interaction_saw(&who.user.name, &call.id, id)?;
    }
    // Other months are found by the account as it is, also where the reader sees it masked.
    let account = state.backend.subject(id)?.facts.account;
    let entry = DocumentEntry { account, ..access::documents(state, who)?.entry(view) };
    let months = desk::compare::months(state, who, &entry, MONTHS)?.into_iter().map(|other| {
        let date = other.date.map(|date| shown::day(date.0, language)).unwrap_or_else(|| other.title.clone());
        context! { id => other.id.as_str(), date, amount => shown::owed(&other, language) }
    });
    let own = desk::remark::beside(state, who, id, language)?;
    Ok(context! { call => desk::call::bar(state, who, language)?, months => months.collect::<Vec<_>>(), ..own })
}

/// Where words stand in a document, as JSON for the reader's script: `total` and `pages`, pairs of page (from 1) and hits.
pub async fn find(ask: Ask) -> Answer {
    let params = ask.params(&["find"])?;
    let id = documents::id(ask.part("id"))?;
    let who = ask.who()?.clone();
    let words = words(params.get("find").unwrap_or_default())?;
    let found = ask.block(move |state| find_in(state, &who, id, &words)).await?;
    Ok(HttpResponse::Ok().json(found))
}

/// Hits in a document.
#[derive(Debug, Default, serde::Serialize)]
struct Found {
    total: usize,
    /// Page from 1 and hits on it, pages with hits only.
    pages: Vec<(u32, usize)>,
}

impl Found {
    /// The page to show: this one when it has hits or none has, else the next one that has.
    fn page_from(&self, page: u32) -> u32 {
        let next = self.pages.iter().find(|(number, _)| *number >= page).or(self.pages.first());
        next.map_or(page, |(number, _)| *number)
    }
}

fn words(text: &str) -> Result<Vec<String>, Problem> {
    if text.chars().count() > MOST_FIND {
        return Err(Problem::bad_parameter(format!("find has at most {MOST_FIND} characters.")));
    }
    Ok(text.split_whitespace().map(str::to_lowercase).collect())
}

fn find_in(state: &State, who: &SignedIn, id: DocId, words: &[String]) -> Result<Found, Problem> {
    let permit = state.gate.open(&who.principal, Use::READ, &state.backend.subject(id)?, "find")?;
    let mut found = Found::default();
    state.backend.texts(&permit, &mut |page, text| {
        let text = text.to_lowercase();
        let hits = words.iter().map(|word| count(&text, word)).sum();
        if hits > 0 {
            found.total += hits;
            found.pages.push((page + 1, hits));
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// How often a word stands in a text, also overlapping itself, as it is marked.
fn count(text: &str, word: &str) -> usize {
    let step = word.chars().next().map_or(1, char::len_utf8);
    let (mut count, mut rest) = (0, text);
    while let Some(at) = rest.find(word) {
        count += 1;
        rest = rest.get(at + step..).unwrap_or_default();
    }
    count
}

fn format_label(format: &FormatInfo, language: Language) -> String {
    let word = language.word(&format!("format_{}", format.name));
    if word.is_empty() { format.name.to_uppercase() } else { word }
}

fn parts(ask: &Ask, params: &Params, view: &DocumentView, found: &Found, base: &str) -> Result<Value, Problem> {
    let language = language(&ask.request, ask.who.as_ref());
    let count = view.pages.max(1);
    let find = params.get("find").unwrap_or_default();
    let words: Vec<(&str, &str)> = TABS.iter().map(|(name, _)| (*name, *name)).collect();
    let tab = params.word("tab", &words, "pages")?;
    let asked = params.number("page", 1..=u32::MAX)?;
    let page = asked.unwrap_or_else(|| found.page_from(1)).min(count);
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
    let marked = if find.is_empty() { String::new() } else { format!("&highlight={}", coded(find)) };
    let part = if count > WHOLE { format!("&page={page}") } else { String::new() };
    let frame = match tab {
        "html" => format!("{content}?format=html{part}{marked}"),
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
    // The captured bytes hold what is masked; they would be refused.
    let may_have = |format: &FormatInfo| {
        format.name != ORIGINAL
            || !view.masked && ask.who.as_ref().is_some_and(|who| who.may(Permission::DocumentOriginal))
    };
    let formats = ask.state.backend.formats().into_iter().filter(|format| !format.one_page && may_have(format));
    let formats = formats.map(|format| {
        context! { name => format.name, label => format_label(&format, language), extension => format.extension }
    });
    let found_text = if find.is_empty() { String::new() } else { shown::grouped(&found.total.to_string()) };
    Ok(context! {
        base,
        document => shown::document(view, language, true),
        content => content.as_str(),
        address => here.as_str(),
        tab,
        find,
        found_text,
        page,
        count,
        paged => tab == "pages" || !part.is_empty(),
        picture => format!("{content}?format=svg&page={page}{marked}"),
        frame,
        previous => if page > 1 { link(tab, page - 1) } else { String::new() },
        next => if page < count { link(tab, page + 1) } else { String::new() },
        thumbs => thumbs.collect::<Vec<_>>(),
        tabs => tabs.collect::<Vec<_>>(),
        formats => formats.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_counted_as_they_are_marked() {
        assert_eq!(count("a late fee, late", "late"), 2);
        assert_eq!(count("aaaa", "aa"), 3);
        assert_eq!(count("结算账户结算", "结算"), 2);
        assert_eq!(count("", "a"), 0);
    }

    #[test]
    fn the_page_with_the_next_hit_is_shown() {
        let found = Found { total: 3, pages: vec![(2, 1), (5, 2)] };
        assert_eq!([1, 2, 3, 6].map(|page| found.page_from(page)), [2, 2, 5, 2]);
        assert_eq!(Found::default().page_from(4), 4);
    }
}
