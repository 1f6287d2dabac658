//! A document for its customer: what it says at a glance, the reading view, its look on paper, the months around it.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::plot::plot;
use super::{Language, MOST_ACCOUNTS, coded, language, locale, money, question, show, shown, viewer};
use crate::archive::DocId;
use crate::audit::views;
use crate::auth::permission::Permission;
use crate::crm::timeline::DocumentEntry;
use crate::serve::api::crm::documents::{With, partner};
use crate::serve::api::crm::{access, accounts};
use crate::serve::api::documents;
use crate::serve::ask::{Answer, Ask, SignedIn};
use crate::serve::backend::DocumentView;
use crate::serve::problem::Problem;
use crate::serve::state::State;
use crate::serve::web::foreign;

const TABS: &[(&str, &str)] = &[("html", "tab_html"), ("pages", "my_tab_pages")];
/// Pages whose pictures are on one page.
const MOST_PAGES: u32 = 20;
/// Longest text to mark, in characters.
const MOST_FIND: usize = 200;
/// Views of an account that are looked through at a time for a document that left, and how often.
const VIEWS: usize = 500;
const MOST_READS: usize = 20;
/// Questions listed on a document.
const QUESTIONS: usize = 20;

/// A document.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["tab", "find", "from", "said"])?;
    let id = documents::id(ask.part("id"))?;
    let tab =
        params.word("tab", &[("html", "html"), ("pages", "pages"), ("pdf", "pages"), ("text", "html")], "html")?;
    let from = params.number("from", 1..=u32::MAX)?.unwrap_or(1);
    let find = params.get("find").unwrap_or_default().to_string();
    if find.chars().count() > MOST_FIND {
        return Err(Problem::bad_parameter(format!("find has at most {MOST_FIND} characters.")));
    }
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let own = ask.block(move |state| read(state, &who, id, &Shown { tab, find, from, language })).await?;
    show(&ask, "bill.html", "documents", StatusCode::OK, own).await
}

/// How a document is shown.
struct Shown {
    tab: &'static str,
    find: String,
    from: u32,
    language: Language,
}

fn read(state: &State, who: &SignedIn, id: DocId, how: &Shown) -> Result<Value, Problem> {
    let language = how.language;
    let view = documents::look_up(state, who, id, "view").map_err(|problem| left(state, who, id, language, problem))?;
    let account = state.backend.subject(id)?.facts.account;
    let shelf = access::documents(state, who)?;
    let entry = DocumentEntry { account, ..shelf.entry(&view) };
    let months = match &entry.account {
        Some(number) => accounts::months(&shelf, number, &view.definition)?,
        None => Vec::new(),
    };
    let other =
        |with: With| Ok::<_, Problem>(partner(&shelf, &entry, with)?.map(|id| id.to_string()).unwrap_or_default());
    let asked = state.crm.requests_on(viewer(who), id, QUESTIONS)?;
    Ok(context! {
        document => shown::document(&view, language, true),
        money => money(&state.backend.definitions()?, &view, language),
        facts => facts(state, &view, language)?,
        plot => plot(&months, &id.to_string(), language).unwrap_or_else(|| Value::from(false)),
        previous => other(With::Previous)?,
        last_year => other(With::LastYear)?,
        questions => asked.iter().map(|request| question::head(request, language)).collect::<Vec<_>>(),
        may_ask => who.may(Permission::RequestWrite),
        foreign => foreign::format(state, who, id, &view)?.unwrap_or_default(),
        ..look(&view, how)
    })
}

/// Says that a document is no longer kept to whose account's activity names it; all others hear that there is nothing.
fn left(state: &State, who: &SignedIn, id: DocId, language: Language, problem: Problem) -> Problem {
    if problem.code != "not-found" {
        return problem;
    }
    let text = id.to_string();
    let was_theirs = who.accounts.iter().take(MOST_ACCOUNTS).any(|account| was_seen(state, account, &text));
    let stones = state.backend.unloaded().unwrap_or_default();
    match stones.iter().find(|stone| stone.load == id.load).filter(|_| was_theirs) {
        Some(stone) => Problem::no_longer_kept(locale::moment(stone.at, language)),
        None => problem,
    }
}

/// Whether a document of this id was seen as one of the account.
fn was_seen(state: &State, account: &str, document: &str) -> bool {
    let engine = state.backend.engine();
    let mut upto = state.config.clock.now();
    for _ in 0..MOST_READS {
        let Ok((views, next)) = views::read(engine.as_ref(), account, upto, VIEWS) else { return false };
        if views.iter().any(|view| view.document == document) {
            return true;
        }
        let Some(next) = next else { return false };
        upto = next;
    }
    false
}

/// The fields besides those that stand out.
fn facts(state: &State, view: &DocumentView, language: Language) -> Result<Vec<Value>, Problem> {
    let definitions = state.backend.definitions()?;
    let definition = definitions.iter().find(|definition| definition.name == view.definition);
    let out = definition.map(|one| [one.amount.clone(), one.due.clone()]).unwrap_or_default();
    let rest = view.fields.iter().filter(|field| !out.iter().flatten().any(|name| *name == field.name));
    Ok(rest.map(|field| shown::field(field, language)).collect())
}

/// The tabs and what the chosen one shows.
fn look(view: &DocumentView, how: &Shown) -> Value {
    let content = format!("/api/v1/documents/{}/content", view.id);
    let count = view.pages.max(1);
    let here = format!("/my/documents/{}", view.id);
    let tab = |(name, word): &(&str, &str)| {
        let find = if how.find.is_empty() { String::new() } else { format!("&find={}", coded(&how.find)) };
        context! { label => how.language.word(word), link => format!("{here}?tab={name}{find}"), current => *name == how.tab }
    };
    let marked = if how.find.is_empty() { String::new() } else { format!("&highlight={}", coded(&how.find)) };
    let first = how.from.min(count);
    let last = first.saturating_add(MOST_PAGES - 1).min(count);
    // The reading view of a long document comes in the same portions as its pictures.
    let part = if count > MOST_PAGES { format!("&page={first}-{last}") } else { String::new() };
    let picture = |number: u32| {
        context! { number, picture => format!("{content}?format=svg&page={number}") }
    };
    let turn = |from: u32| format!("{here}?tab={}&from={from}", how.tab);
    context! {
        content => content.as_str(),
        here => here.as_str(),
        tab => how.tab,
        tabs => TABS.iter().map(tab).collect::<Vec<_>>(),
        frame => format!("{content}?format=html{part}{marked}"),
        pages => (first..=last).map(picture).collect::<Vec<_>>(),
        count,
        earlier => if first > 1 { turn(first.saturating_sub(MOST_PAGES).max(1)) } else { String::new() },
        later => if last < count { turn(last + 1) } else { String::new() },
    }
}
