//! Own documents, newest first, by account.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::super::links::Links;
use super::super::{agent, meaning};
use super::{Language, language, money, show, shown};
use crate::crm::account::AccountStatus;
use crate::index::value::Day;
use crate::search::Typed;
use crate::serve::api::documents;
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::backend::{DefinitionView, Facet, HitPage, HitView, HitsAsked};
use crate::serve::problem::Problem;
use crate::serve::state::State;

const PARAMETERS: &[&str] = &["q", "year", "kind", "account", "page", "cursor", "said"];
/// Documents on a page of one account.
const HITS: usize = 20;
/// Documents of each account where there are several.
const FEW: usize = 6;
/// Accounts on a page.
const GROUPS: usize = 8;

/// What the page was asked for.
struct Asked {
    q: String,
    year: Option<i16>,
    kind: Option<String>,
    account: Option<String>,
    page: usize,
    cursor: Option<String>,
}

impl Asked {
    fn of(params: &Params) -> Result<Asked, Problem> {
        let text = |name: &str| params.get(name).map(str::to_string);
        let q = text("q").unwrap_or_default();
        Ok(Asked {
            q,
            year: params.number("year", 1..=9999)?.and_then(|year| i16::try_from(year).ok()),
            kind: text("kind"),
            account: text("account"),
            page: params.number("page", 1..=1_000_000)?.unwrap_or(1) as usize,
            cursor: text("cursor"),
        })
    }

    fn is_narrowed(&self) -> bool {
        !self.q.is_empty() || self.year.is_some() || self.kind.is_some()
    }

    fn hits(&self, query: &str) -> HitsAsked {
        let day = |month, date| self.year.and_then(|year| Day::from_ymd(year, month, date));
        HitsAsked {
            query: query.to_string(),
            kind: self.kind.clone(),
            account: self.account.clone(),
            from: day(1, 1),
            to: day(12, 31),
            limit: 1,
            ..HitsAsked::default()
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let year = self.year.map(|year| year.to_string());
        let all = [
            ("q", Some(self.q.clone())),
            ("year", year),
            ("kind", self.kind.clone()),
            ("account", self.account.clone()),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?))).collect()
    }
}

/// The customer's documents.
pub async fn page(ask: Ask) -> Answer {
    let asked = Asked::of(&ask.params(PARAMETERS)?)?;
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let (status, own) = ask.block(move |state| read(state, &who, &asked, language)).await?;
    show(&ask, "my.html", "documents", status, own).await
}

fn read(state: &State, who: &SignedIn, asked: &Asked, language: Language) -> Result<(StatusCode, Value), Problem> {
    let fits = documents::measured(&asked.q);
    // What is too long is not looked at.
    let typed = if fits.is_ok() { meaning::of(state, who, &asked.q)? } else { Typed::default() };
    let narrowed = asked.hits(&typed.query());
    let found = match fits.and_then(|()| documents::find(state, who, &narrowed)) {
        Err(problem) if problem.query.is_some() => {
            let error = problem.query.as_deref();
            let place = |at: usize| if typed.parts.is_empty() { at } else { typed.place(at) };
            let error = error.map(|error| agent::broken(&asked.q, place(error.at), error, language));
            let page = Page {
                state,
                who,
                asked,
                query: String::new(),
                find: String::new(),
                definitions: Vec::new(),
                language,
            };
            let own = page.shown(&[], &HitPage::default(), Paging::default());
            return Ok((problem.status, context! { error => error.unwrap_or_default(), total => 0, ..own }));
        }
        other => other?,
    };
    // The choices of year and kind are those before one of them was chosen.
    let scope = state.gate.scope(&who.principal);
    let wide = HitsAsked { kind: None, from: None, to: None, ..narrowed };
    let wide = if asked.is_narrowed() { state.backend.hits(&wide, &scope)? } else { found.clone() };
    let page = Page {
        state,
        who,
        asked,
        query: typed.query(),
        find: agent::find(&typed),
        definitions: state.backend.definitions()?,
        language,
    };
    let (groups, paging) = page.groups()?;
    let own = page.shown(&groups, &wide, paging);
    Ok((StatusCode::OK, context! { error => "", total => found.total, ..own }))
}

/// Where the pages before and after are.
#[derive(Default)]
struct Paging {
    first: String,
    next: String,
}

struct Page<'p> {
    state: &'p State,
    who: &'p SignedIn,
    asked: &'p Asked,
    query: String,
    find: String,
    definitions: Vec<DefinitionView>,
    language: Language,
}

impl Page<'_> {
    /// The accounts of this page, each with its newest documents. Many accounts that are searched give one list.
    fn groups(&self) -> Result<(Vec<Value>, Paging), Problem> {
        let accounts = &self.who.accounts;
        let one = match (&self.asked.account, accounts.as_slice()) {
            (Some(number), _) => Some(Some(number.clone())),
            (None, []) => Some(None),
            (None, [number]) => Some(Some(number.clone())),
            (None, many) => (many.len() > GROUPS && self.asked.is_narrowed()).then_some(None),
        };
        let pairs = self.asked.pairs();
        let links = self.links(&pairs);
        if let Some(account) = one {
            let found = self.hits(account.as_deref(), HITS, self.asked.cursor.clone())?;
            let next = found.next_cursor.as_deref().map(|cursor| links.with(&[("cursor", cursor)]));
            let first = if self.asked.cursor.is_some() { links.here() } else { String::new() };
            let groups =
                if found.hits.is_empty() { Vec::new() } else { vec![self.group(account.as_deref(), &found, "")] };
            return Ok((groups, Paging { first, next: next.unwrap_or_default() }));
        }
        let mut groups = Vec::new();
        let skipped = (self.asked.page - 1).saturating_mul(GROUPS);
        for number in accounts.iter().skip(skipped).take(GROUPS) {
            let found = self.hits(Some(number), FEW, None)?;
            if found.hits.is_empty() && self.asked.is_narrowed() {
                continue;
            }
            let more = if found.total > FEW as u64 { links.with(&[("account", number)]) } else { String::new() };
            groups.push(self.group(Some(number), &found, &more));
        }
        let more = accounts.len() > skipped.saturating_add(GROUPS);
        let next = if more { links.with(&[("page", &(self.asked.page + 1).to_string())]) } else { String::new() };
        let first = if self.asked.page > 1 { links.here() } else { String::new() };
        Ok((groups, Paging { first, next }))
    }

    fn links<'l>(&self, pairs: &'l [(&'static str, String)]) -> Links<'l> {
        Links { base: "/my", asked: pairs.iter().map(|(name, value)| (*name, value.as_str())).collect() }
    }

    fn hits(&self, account: Option<&str>, limit: usize, cursor: Option<String>) -> Result<HitPage, Problem> {
        let asked = HitsAsked { account: account.map(str::to_string), limit, cursor, ..self.asked.hits(&self.query) };
        Ok(self.state.backend.hits(&asked, &self.state.gate.scope(&self.who.principal))?)
    }

    fn group(&self, account: Option<&str>, found: &HitPage, more: &str) -> Value {
        let known = account.and_then(|number| self.state.crm.account(number).ok());
        let closed = known.as_ref().is_some_and(|account| account.status != AccountStatus::Open);
        let status = known.as_ref().map(|account| match account.status {
            AccountStatus::Open => "account_open",
            AccountStatus::Suspended => "account_suspended",
            AccountStatus::Closed => "account_closed",
        });
        context! {
            account => account.unwrap_or_default(),
            class => known.as_ref().map(|account| account.class.clone()).unwrap_or_default(),
            status => status.filter(|_| closed).map(|key| self.language.word(key)).unwrap_or_default(),
            total => found.total,
            more,
            hits => found.hits.iter().map(|hit| self.hit(hit)).collect::<Vec<_>>(),
        }
    }

    fn hit(&self, hit: &HitView) -> Value {
        let document = shown::hit(hit, self.language, false);
        context! { money => money(&self.definitions, &hit.document, self.language), ..document }
    }

    fn shown(&self, groups: &[Value], wide: &HitPage, paging: Paging) -> Value {
        let asked = self.asked;
        let year = asked.year.map(|year| year.to_string()).unwrap_or_default();
        let facet = |name: &str| wide.facets.iter().find(|facet| facet.name == name);
        let mut years = facet("year").map(|facet| facet.counts.clone()).unwrap_or_default();
        years.sort_by(|a, b| b.0.cmp(&a.0));
        let kinds = facet("kind").map(|facet: &Facet| facet.counts.clone()).unwrap_or_default();
        let option = |value: &str, label: String, chosen: &str| context! { value, label, chosen => value == chosen };
        let kind = asked.kind.as_deref().unwrap_or_default();
        context! {
            q => asked.q.as_str(),
            account => asked.account.as_deref().unwrap_or_default(),
            several => self.who.accounts.len() > 1,
            narrowed => asked.is_narrowed(),
            find => self.find.as_str(),
            years => years.iter().map(|(value, _)| option(value, value.clone(), &year)).collect::<Vec<_>>(),
            kinds => kinds.iter().map(|(value, _)| option(value, shown::kind(value, self.language), kind)).collect::<Vec<_>>(),
            groups,
            first => paging.first,
            next => paging.next,
        }
    }
}
