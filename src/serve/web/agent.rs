//! The agent console: search box, facets, hit list.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::{Language, coded, language, page as render, shown};
use crate::auth::permission::Permission;
use crate::serve::api::documents::{self, ORDERS, PARAMETERS};
use crate::serve::ask::{Answer, Ask, Params};
use crate::serve::backend::{Facet, HitPage};

/// Hits on a page of the console.
const HITS: usize = 25;
/// Values shown of a facet.
const FACET_VALUES: usize = 12;

/// The console.
pub async fn page(ask: Ask) -> Answer {
    show(ask, "agent.html", "/agent", HITS).await
}

/// A search page: what was asked, what was found. A query that cannot be understood is shown with its reason.
pub async fn show(ask: Ask, template: &'static str, base: &'static str, hits: usize) -> Answer {
    let params = ask.params(PARAMETERS)?;
    let who = ask.who()?.clone();
    let asked = documents::asked(&params, hits)?;
    let seeker = who.clone();
    let found = ask.block(move |state| documents::find(state, &seeker, &asked)).await;
    let (found, error, status) = match found {
        Ok(found) => (found, String::new(), StatusCode::OK),
        Err(problem) if problem.code == "bad-query" => (HitPage::default(), problem.detail, problem.status),
        Err(problem) => return Err(problem),
    };
    let own = parts(&ask, &params, &found, base, who.may(Permission::DocumentSensitive));
    render(&ask.request, Some(&who), template, status, context! { error, ..own })
}

/// Addresses of this page with other parameters.
struct Links<'p> {
    base: &'p str,
    asked: Vec<(&'static str, &'p str)>,
}

impl Links<'_> {
    /// The same list from its first page, with these parameters set, or taken away when empty.
    fn with(&self, changes: &[(&'static str, &str)]) -> String {
        let changed = |name: &str| name == "cursor" || changes.iter().any(|(other, _)| *other == name);
        let kept = self.asked.iter().filter(|(name, _)| !changed(name)).copied();
        let set = changes.iter().filter(|(_, value)| !value.is_empty()).copied();
        let pairs: Vec<_> = kept.chain(set).map(|(name, value)| format!("{name}={}", coded(value))).collect();
        if pairs.is_empty() { self.base.to_string() } else { format!("{}?{}", self.base, pairs.join("&")) }
    }

    /// The list narrowed to a facet's value; with an empty value, no longer narrowed.
    fn narrowed(&self, facet: &'static str, value: &str) -> String {
        match (facet, value) {
            ("year", "") => self.with(&[("from", ""), ("to", "")]),
            ("year", year) => self.with(&[("from", &format!("{year}-01-01")), ("to", &format!("{year}-12-31"))]),
            _ => self.with(&[(facet, value)]),
        }
    }
}

fn facet(facet: &Facet, links: &Links<'_>, params: &Params, language: Language) -> Value {
    let (label, chosen) = match facet.name {
        "year" => ("facet_year", params.get("from").and_then(|day| day.get(..4))),
        "kind" => ("facet_kind", params.get("kind")),
        _ => ("facet_definition", params.get("definition")),
    };
    let count = |(value, count): &(String, u64)| {
        let link = links.narrowed(facet.name, value);
        context! { value => value.as_str(), count => *count, link, chosen => chosen == Some(value) }
    };
    context! {
        label => language.word(label),
        chosen => chosen.is_some(),
        clear => links.narrowed(facet.name, ""),
        counts => facet.counts.iter().take(FACET_VALUES).map(count).collect::<Vec<_>>(),
    }
}

fn parts(ask: &Ask, params: &Params, found: &HitPage, base: &'static str, all: bool) -> Value {
    let language = language(&ask.request, ask.who.as_ref());
    let asked = PARAMETERS.iter().filter_map(|name| Some((*name, params.get(name)?))).collect();
    let links = Links { base, asked };
    let value = |name: &str| params.get(name).unwrap_or_default().to_string();
    let facets = found.facets.iter().filter(|facet| !facet.counts.is_empty());
    context! {
        base,
        q => value("q"),
        definition => value("definition"),
        kind => value("kind"),
        account => value("account"),
        from => value("from"),
        to => value("to"),
        sort => params.get("sort").unwrap_or("newest"),
        orders => ORDERS.iter().map(|(name, _)| context! { name => *name, label => language.word(name) }).collect::<Vec<_>>(),
        total => shown::grouped(&found.total.to_string()),
        hits => found.hits.iter().map(|hit| shown::hit(hit, language, all)).collect::<Vec<_>>(),
        facets => facets.map(|f| facet(f, &links, params, language)).collect::<Vec<_>>(),
        next => found.next_cursor.as_deref().map(|cursor| next(&links, cursor)).unwrap_or_default(),
        paged => params.get("cursor").is_some(),
        first => links.with(&[]),
    }
}

fn next(links: &Links<'_>, cursor: &str) -> String {
    links.with(&[("cursor", cursor)])
}
