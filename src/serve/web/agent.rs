//! The agent console: what was typed, facets, hit list. The same part of the page comes alone for results as one types.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::columns::{self, Column};
use super::desk;
use super::links::Links;
use super::meaning;
use super::{Language, language, page as render, shown};
use crate::auth::permission::Permission;
use crate::search::{Meaning, Part, QueryError, Typed};
use crate::serve::api::documents::{self, ORDERS, PARAMETERS};
use crate::serve::ask::{Answer, Ask, Params};
use crate::serve::backend::{DefinitionView, Facet, HitPage};

/// Hits on a page of the console: somewhat more than a screen, since all are drawn anew with each letter typed.
const HITS: usize = 25;
/// Values shown of a facet.
const FACET_VALUES: usize = 12;

/// The console.
pub async fn page(ask: Ask) -> Answer {
    show(ask, "agent.html", "/agent", HITS).await
}

/// The part of the console below the search box.
pub async fn results(ask: Ask) -> Answer {
    show(ask, "results.html", "/agent", HITS).await
}

/// A search page: what was asked, what was found. A query that cannot be understood is shown with its reason.
pub async fn show(ask: Ask, template: &'static str, base: &'static str, hits: usize) -> Answer {
    let (wanted, rest) = columns::asked(ask.request.query_string());
    let params = Params::parse(&rest, PARAMETERS)?;
    let who = ask.who()?.clone();
    let mut asked = documents::asked(&params, hits)?;
    let seeker = who.clone();
    let speech = language(&ask.request, Some(&who));
    let (definitions, typed, found, call, kept) = ask
        .block(move |state| {
            let definitions = state.backend.definitions()?;
            let fits = documents::measured(&asked.query);
            // What is too long is not looked at.
            let typed = if fits.is_ok() { meaning::of(state, &seeker, &asked.query)? } else { Typed::default() };
            asked.query = typed.query();
            let found = match fits.and_then(|()| documents::find(state, &seeker, &asked)) {
                Err(problem) if problem.query.is_some() => Err(problem),
                other => Ok(other?),
            };
            let staff = seeker.may(Permission::ConsoleUse);
            let call = if staff { desk::call::bar(state, &seeker, speech)? } else { Value::from(false) };
            let kept = if staff { state.crm.saved_searches(&seeker.user.name)? } else { Vec::new() };
            Ok((definitions, typed, found, call, kept))
        })
        .await?;
    let (found, error, status) = match found {
        Ok(found) => (found, Value::from(""), StatusCode::OK),
        Err(problem) => {
            let query = params.get("q").unwrap_or_default();
            let place = |at: usize| if typed.parts.is_empty() { at } else { typed.place(at) };
            let broken = |error: &QueryError| broken(query, place(error.at), error, speech);
            let error = problem.query.as_deref().map(broken);
            (HitPage::default(), error.unwrap_or_default(), problem.status)
        }
    };
    let search = Shown {
        params: &params,
        found: &found,
        definitions: &definitions,
        typed: &typed,
        wanted,
        base,
        language: speech,
    };
    let here = search.links().here();
    let saved = desk::saved::list(&kept, &here);
    let own = search.parts(who.may(Permission::DocumentSensitive));
    render(&ask.request, Some(&who), template, status, context! { error, call, saved, ..own })
}

/// Where a query is broken: the text before, the place, the text after, and why.
pub(super) fn broken(query: &str, place: usize, error: &QueryError, language: Language) -> Value {
    let (text, advice) = meaning::wrong(error, language);
    let chars: Vec<char> = query.chars().collect();
    let at = place.saturating_sub(1).min(chars.len());
    let (before, rest) = chars.split_at(at);
    let spot: String = rest.iter().take(1).collect();
    context! {
        before => before.iter().collect::<String>(),
        spot => if spot.trim().is_empty() { "␣".to_string() } else { spot },
        after => rest.iter().skip(1).collect::<String>(),
        text,
        place,
        advice,
    }
}

/// What a search page shows.
struct Shown<'s> {
    params: &'s Params,
    found: &'s HitPage,
    definitions: &'s [DefinitionView],
    typed: &'s Typed,
    wanted: Vec<String>,
    base: &'static str,
    language: Language,
}

impl Shown<'_> {
    fn links(&self) -> Links<'_> {
        let mut asked: Vec<(&str, &str)> =
            PARAMETERS.iter().filter_map(|name| Some((*name, self.params.get(name)?))).collect();
        asked.extend(self.wanted.iter().map(|column| (columns::PARAMETER, column.as_str())));
        Links { base: self.base, asked }
    }

    fn parts(&self, all: bool) -> Value {
        let links = self.links();
        let value = |name: &str| self.params.get(name).unwrap_or_default().to_string();
        let sort = self.params.get("sort").unwrap_or("newest");
        let choices = columns::choices(&self.found.hits, &self.wanted, self.language);
        let chosen: Vec<&Column> = choices.iter().filter(|column| column.chosen).collect();
        let facets = self.found.facets.iter().filter(|facet| !facet.counts.is_empty());
        let order = |name: &'static str| context! { label => self.language.word(name), link => links.with(&[("sort", if name == "newest" { "" } else { name })]), current => name == sort };
        let kept = links.asked.iter().filter(|(name, _)| !matches!(*name, columns::PARAMETER | "cursor"));
        context! {
            base => self.base,
            address => links.here(),
            query_part => links.with(&[]).split_once('?').map(|(_, query)| query.to_string()).unwrap_or_default(),
            q => value("q"),
            account => value("account"),
            from => value("from"),
            to => value("to"),
            find => find(self.typed),
            kept => kept.map(|(name, value)| vec![name.to_string(), value.to_string()]).collect::<Vec<_>>(),
            orders => ORDERS.iter().map(|(name, _)| order(name)).collect::<Vec<_>>(),
            columns => chosen.iter().map(|column| column.head(sort, &links)).collect::<Vec<_>>(),
            choices => choices.iter().map(Column::choice).collect::<Vec<_>>(),
            total => self.found.total,
            hits => self.found.hits.iter().map(|hit| {
                let document = shown::hit(hit, self.language, all);
                context! { cells => chosen.iter().map(|column| column.cell(&hit.document, self.language)).collect::<Vec<_>>(), ..document }
            }).collect::<Vec<_>>(),
            facets => facets.map(|f| self.facet(f, &links)).collect::<Vec<_>>(),
            next => self.found.next_cursor.as_deref().map(|cursor| links.with(&[("cursor", cursor)])).unwrap_or_default(),
            paged => self.params.get("cursor").is_some(),
            first => links.with(&[]),
            understood => meaning::parts(self.typed, &links, self.language),
        }
    }

    fn facet(&self, facet: &Facet, links: &Links<'_>) -> Value {
        let (label, chosen) = match facet.name {
            "year" => ("facet_year", self.params.get("from").and_then(|day| day.get(..4))),
            "kind" => ("kind", self.params.get("kind")),
            _ => ("report", self.params.get("definition")),
        };
        let count = |(value, count): &(String, u64)| {
            context! {
                value => value.as_str(),
                label => self.facet_label(facet.name, value),
                count => *count,
                link => links.narrowed(facet.name, value),
                chosen => chosen == Some(value),
            }
        };
        context! {
            label => self.language.word(label),
            chosen => chosen.is_some(),
            clear => links.narrowed(facet.name, ""),
            counts => facet.counts.iter().take(FACET_VALUES).map(count).collect::<Vec<_>>(),
        }
    }

    fn facet_label(&self, facet: &str, value: &str) -> String {
        match facet {
            "kind" => shown::kind(value, self.language),
            "definition" => shown::titled(value, self.definitions, self.language),
            _ => value.to_string(),
        }
    }
}

/// What a document is opened with, to be found in it: the words, numbers and amounts that were searched for.
pub(super) fn find(typed: &Typed) -> String {
    let looked_for = |part: &&Part| {
        matches!(part.meaning, Meaning::Words | Meaning::Name | Meaning::Number | Meaning::Invoice)
            && !part.value.contains('*')
    };
    let words: Vec<&str> = typed.parts.iter().filter(looked_for).map(|part| part.value.as_str()).collect();
    if words.is_empty() { String::new() } else { format!("?find={}", super::coded(&words.join(" "))) }
}
