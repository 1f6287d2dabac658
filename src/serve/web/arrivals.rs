//! What arrived: a list by state with live progress, and one arrival with its preview, its trial cut and what can be done.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use minijinja::{Value, context};

use super::links::Links;
use super::locale::size;
use super::{Language, language, locale, page as render, shown};
use crate::archive::trial::{Look, Trial};
use crate::auth::permission::Permission;
use crate::capture::door::Refused;
use crate::capture::intake::Counts;
use crate::capture::item::Step;
use crate::capture::rule::Rule;
use crate::capture::switches::{Switch, Switches};
use crate::capture::{Item, State as Stage, Told};
use crate::serve::api::intake::Asked;
use crate::serve::api::loads::refused;
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::backend::DefinitionView;
use crate::serve::operate::{self, Act};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Pages of an arrival that are shown at once.
const PAGES: u32 = 3;

/// The tabs over the list: name, and the states it stands for.
const TABS: [(&str, &str); 8] = [
    ("all", ""),
    ("waiting", "received,identified"),
    ("loading", "loading"),
    ("unidentified", "unidentified"),
    ("failed", "failed"),
    ("held", "held"),
    ("loaded", "loaded"),
    ("discarded", "discarded"),
];

/// The list.
pub async fn list(ask: Ask) -> Answer {
    let params = ask.params(&["state", "q", "queue", "limit", "cursor", "said"])?;
    show_list(&ask, params, None, StatusCode::OK).await
}

async fn show_list(ask: &Ask, params: Params, problem: Option<Problem>, status: StatusCode) -> Answer {
    let asked = Asked::read(&params)?;
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let signed = who.session.is_some() && who.may(Permission::LoadWrite);
    let own = ask
        .block(move |state| {
            let page = asked.find(state)?;
            let given = |name: &'static str| params.get(name).map(|value| (name, value));
            let kept: Vec<_> = ["state", "q", "queue", "limit"].into_iter().filter_map(given).collect();
            let links = Links { base: "/admin/arrivals", asked: kept };
            let chosen = params.get("state").unwrap_or_default();
            let counts = state.intake.counts();
            let next = page.next.map(|next| links.with(&[("cursor", &next.to_string())])).unwrap_or_default();
            Ok(context! {
                tabs => TABS.iter().map(|(name, states)| tab(name, states, chosen, &links, &counts, language)).collect::<Vec<_>>(),
                rows => page.items.iter().map(|item| row(state, item, language)).collect::<Vec<_>>(),
                next,
                older => params.get("cursor").is_some(),
                filtered => !links.asked.is_empty(),
                text => params.get("q").unwrap_or_default(),
                state => chosen,
                doors => doors(state, language),
                moves => counts.waiting + counts.loading > 0,
                full => state.intake.has_room().is_err(),
                retry => signed && counts.failed > 0 && chosen == "failed",
                rules => state.intake.rules().len(),
                queues => queues(state, language),
                switches => signed,
                problem => problem.map(|problem| told(&problem, language)),
            })
        })
        .await?;
    render(&ask.request, Some(&who), "arrivals.html", status, own)
}

/// Queues that are paused or closed.
fn queues(state: &State, language: Language) -> Vec<Value> {
    let stopped = state.intake.switches().into_iter().filter(|one| one.paused || one.holds_new || one.closed);
    let row = |one: Switches| {
        context! {
            name => one.queue, paused => one.paused || one.holds_new, closed => one.closed, by => one.by,
            at => locale::moment(one.at, language),
        }
    };
    stopped.map(row).collect()
}

/// Pauses a queue, resumes it, closes it or opens it.
pub async fn switch(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "do", "queue"])?;
    let wanted = form.get("do").and_then(Switch::parse);
    let wanted = wanted.ok_or_else(|| Problem::bad_value("do: one of pause, resume, close, open."))?;
    let (queue, said) = (form.get("queue").unwrap_or_default().to_string(), wanted.name());
    let who = ask.who()?.clone();
    match ask.block(move |state| operate::switch(state, &who, &queue, &wanted)).await {
        Ok(_) => Ok(to(&format!("/admin/arrivals?said=arr_queue_{said}"))),
        Err(problem) if is_said(&problem) => {
            let status = problem.status;
            show_list(&ask, Params::default(), Some(problem), status).await
        }
        Err(problem) => Err(problem),
    }
}

fn tab(name: &str, states: &str, chosen: &str, links: &Links<'_>, counts: &Counts, language: Language) -> Value {
    let count = match name {
        "waiting" => Some(counts.waiting),
        "loading" => Some(counts.loading),
        "unidentified" => Some(counts.unidentified),
        "failed" => Some(counts.failed),
        "held" => Some(counts.held),
        _ => None,
    };
    context! {
        label => language.word(&format!("arr_tab_{name}")),
        link => links.with(&[("state", states)]),
        current => chosen == states,
        count => count.filter(|count| *count > 0).map(|count| number(count as u64)).unwrap_or_default(),
        bad => matches!(name, "failed" | "unidentified"),
    }
}

fn doors(state: &State, language: Language) -> Vec<Value> {
    let refusal = |one: &Refused| {
        let at = locale::moment(one.at, language);
        context! { at, from => one.from.as_str(), why => one.why.as_str() }
    };
    let told = |told: &std::sync::Arc<Told>| {
        let figures = told.figures();
        context! {
            receiver => told.receiver, place => told.place.as_str(), queue => told.queue.as_deref().unwrap_or_default(),
            open => figures.open, taken => number(figures.taken), refused => figures.refused,
            lately => figures.lately.iter().rev().map(refusal).collect::<Vec<_>>(),
        }
    };
    state.doors.get().map(|doors| doors.iter().map(told).collect()).unwrap_or_default()
}

/// An arrival as both pages tell it.
fn row(state: &State, item: &Item, language: Language) -> Value {
    let progress = state.intake.progress(item.id).map(|progress| {
        let total = progress.total.unwrap_or(item.bytes).max(1);
        let percent = (progress.bytes.min(total) * 100 / total).min(100);
        let (pages, documents) = (number(progress.pages), number(progress.documents));
        context! { percent, pages, documents }
    });
    context! {
        id => item.id,
        file => item.file.as_str(),
        stage => item.state.name(),
        state_word => language.word(&format!("arr_{}", item.state.name())),
        tone => tone(item.state),
        receiver => language.word(&format!("arr_by_{}", item.receiver)),
        receiver_name => item.receiver.as_str(),
        queue => item.queue.as_deref().unwrap_or_default(),
        peer => item.peer.as_str(),
        sender => item.sent_by.as_str(),
        size => size(item.bytes),
        bytes => number(item.bytes),
        received => locale::moment(item.received_at, language),
        changed => locale::moment(item.changed_at, language),
        definition => shown::definition(item.definition.as_deref().unwrap_or_default(), language),
        why => item.error.as_deref().unwrap_or_default(),
        load => item.load,
        duplicate => item.duplicate,
        repeats => item.repeats,
        attempts => item.attempts,
        sha256 => item.sha256.as_str(),
        progress,
    }
}

fn tone(state: Stage) -> &'static str {
    match state {
        Stage::Loaded => "ok",
        Stage::Failed => "bad",
        Stage::Unidentified | Stage::Held => "warn",
        Stage::Loading => "info",
        Stage::Received | Stage::Identified | Stage::Discarded => "",
    }
}

/// One arrival.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["definition", "page", "said"])?;
    show(&ask, &params, None, StatusCode::OK).await
}

async fn show(ask: &Ask, params: &Params, problem: Option<Problem>, status: StatusCode) -> Answer {
    let id = ask.part("id").parse::<u64>().map_err(|_| Problem::nothing())?;
    let first = params.number("page", 1..=100_000)?.unwrap_or(1);
    let wanted = params.get("definition").map(str::to_string);
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let asker = who.clone();
    let own = ask
        .block(move |state| {
            let item = state.intake.shown(id).map_err(|error| refused(&error))?.ok_or_else(Problem::nothing)?;
            let definitions = state.backend.definitions()?;
            let mut problem = problem;
            let (mut look, mut trial) = (None, None);
            // While it is loaded the page is looked at for its progress.
            if who.may(Permission::LoadWrite) && item.state.keeps_bytes() && item.state != Stage::Loading {
                match operate::look(state, &who, id, wanted.as_deref(), (first, PAGES)) {
                    Ok(found) => look = Some(shown_look(&found, id, wanted.as_deref(), first)),
                    Err(error) => problem = problem.or(Some(error)),
                }
                if let Some(name) = &wanted {
                    match operate::trial(state, &who, id, name) {
                        Ok(found) => trial = Some(shown_trial(&found)),
                        Err(error) => problem = problem.or(Some(error)),
                    }
                }
            }
            let chosen = wanted.or_else(|| item.definition.clone()).unwrap_or_default();
            Ok(context! {
                one => row(state, &item, language),
                attributes => item.attributes.iter().map(|(name, value)| context! { name, value }).collect::<Vec<_>>(),
                history => history(&item, language),
                definitions => definitions.iter().map(|one| choice(one, &chosen, language)).collect::<Vec<_>>(),
                look,
                trial,
                problem => problem.map(|problem| told(&problem, language)),
                acts => acts(&item, &who),
                chosen,
            })
        })
        .await?;
    render(&ask.request, Some(&asker), "arrival.html", status, own)
}

/// What the reader may do with it now.
fn acts(item: &Item, who: &SignedIn) -> Value {
    let signed = who.session.is_some();
    let write = signed && who.may(Permission::LoadWrite);
    let keeps = item.state.keeps_bytes();
    context! {
        assign => write && keeps && item.state != Stage::Loading,
        retry => write && matches!(item.state, Stage::Failed | Stage::Unidentified),
        hold => write && matches!(item.state, Stage::Received | Stage::Identified),
        release => write && item.state == Stage::Held,
        discard => signed && who.may(Permission::LoadDelete)
            && matches!(item.state, Stage::Failed | Stage::Unidentified | Stage::Held),
        moves => item.state.moves(),
        sees => who.may(Permission::LoadWrite) && keeps,
    }
}

fn choice(one: &DefinitionView, chosen: &str, language: Language) -> Value {
    context! { name => one.name.as_str(), title => shown::report(one, language), chosen => one.name == chosen }
}

fn history(item: &Item, language: Language) -> Vec<Value> {
    let shown = |step: &Step| {
        // What greenbar says is English; what somebody wrote is in whatever language.
        let own = step.by.is_empty();
        context! {
            what => language.word(&format!("arr_step_{}", step.what.replace('-', "_"))),
            when => locale::moment(step.at, language), by => step.by.as_str(), detail => step.detail.as_str(), own,
        }
    };
    let first = Step { at: item.received_at, what: "received".into(), ..Step::default() };
    let last =
        (item.state == Stage::Loaded).then(|| Step { at: item.changed_at, what: "loaded".into(), ..Step::default() });
    std::iter::once(&first).chain(&item.history).chain(&last).map(shown).collect()
}

fn shown_look(look: &Look, id: u64, definition: Option<&str>, first: u32) -> Value {
    let pages = look.pages.iter().map(|page| {
        context! {
            number => page.page, start => number(page.start), end => number(page.start + page.bytes), cut => page.cut,
            text => page.text.as_str(),
        }
    });
    let place = format!("/admin/arrivals/{id}");
    let links = Links { base: &place, asked: definition.map(|name| ("definition", name)).into_iter().collect() };
    let to = |page: u32| format!("{}#preview", links.with(&[("page", &page.to_string())]));
    context! {
        format => look.format.as_str(),
        code_page => look.code_page.as_deref().unwrap_or_default(),
        record_format => look.record_format.as_deref().unwrap_or_default(),
        pages => pages.collect::<Vec<_>>(),
        next => if look.more { to(first + PAGES) } else { String::new() },
        previous => if first > 1 { to(first.saturating_sub(PAGES).max(1)) } else { String::new() },
        looked => look.looked_at_bytes.map(size).unwrap_or_default(),
        error => look.error.as_deref().unwrap_or_default(),
        bytes => look.first_bytes.join("\n"),
    }
}

fn shown_trial(trial: &Trial) -> Value {
    let report = &trial.report;
    let fields = report.fields.iter().map(|field| {
        let missing = report.documents.saturating_sub(field.found);
        context! { name => field.name.as_str(), found => number(field.found), missing => number(missing), any => missing > 0 }
    });
    let documents = report.first_documents.iter().map(|document| {
        let fields =
            document.fields.iter().map(|(name, value)| context! { name => name.as_str(), value => value.as_str() });
        context! {
            title => document.title.as_str(), page => number(document.first_page), pages => document.pages,
            fields => fields.collect::<Vec<_>>(),
        }
    });
    context! {
        definition => report.definition.as_str(), version => trial.version, fits => trial.fits,
        documents => number(report.documents), pages => number(report.pages),
        inside => number(report.document_pages), aside => number(report.set_aside_pages),
        none => report.documents == 0,
        fields => fields.collect::<Vec<_>>(),
        missing => report.fields.iter().filter(|field| field.found < report.documents).count(),
        warnings => report.warnings.iter().map(super::loads::note).collect::<Vec<_>>(),
        first => documents.collect::<Vec<_>>(),
        looked => trial.looked_at_bytes.map(size).unwrap_or_default(),
        error => trial.error.as_deref().unwrap_or_default(),
    }
}

/// A problem to be said on the page that it concerns.
pub fn told(problem: &Problem, language: Language) -> Value {
    let key = format!("problem_{}", problem.code.replace('-', "_"));
    context! { title => language.word(&key), detail => problem.detail.as_str() }
}

/// Does what a form asks for; what is refused is said on the page.
pub async fn act(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "do", "definition", "reason", "queue", "name"])?;
    let id = ask.part("id").parse::<u64>().map_err(|_| Problem::nothing())?;
    let text = |name: &str| form.get(name).unwrap_or_default().to_string();
    let wanted = match form.get("do") {
        Some("assign") => Some(Act::Assign(text("definition"))),
        Some("retry") => Some(Act::Retry),
        Some("hold") => Some(Act::Hold(text("reason"))),
        Some("release") => Some(Act::Release),
        Some("discard") => Some(Act::Discard(text("reason"))),
        Some("rule") => None,
        _ => return Err(Problem::bad_value("do: one of assign, retry, hold, release, discard, rule.")),
    };
    let who = ask.who()?.clone();
    let said = form.get("do").unwrap_or_default().to_string();
    let rule = Rule {
        queue: pattern(&form, "queue"),
        name: pattern(&form, "name"),
        definition: text("definition"),
        ..Rule::default()
    };
    let done = ask
        .block(move |state| match wanted {
            Some(wanted) => operate::act(state, &who, id, &wanted).map(drop),
            None => operate::set_rule(state, &who, rule).map(drop),
        })
        .await;
    match done {
        Ok(()) => Ok(to(&format!("/admin/arrivals/{id}?said=arr_{said}"))),
        Err(problem) if is_said(&problem) => {
            let status = problem.status;
            show(&ask, &Params::default(), Some(problem), status).await
        }
        Err(problem) => Err(problem),
    }
}

/// Tries everything again that failed.
pub async fn retry_failed(ask: Ask) -> Answer {
    ask.form(&["csrf"])?;
    let who = ask.who()?.clone();
    ask.block(move |state| operate::retry_failed(state, &who)).await?;
    Ok(to("/admin/arrivals?said=arr_retry_failed"))
}

/// A pattern of a form; an empty one is none.
pub fn pattern(form: &Params, name: &str) -> Option<String> {
    form.get(name).map(|text| text.trim().to_string()).filter(|text| !text.is_empty())
}

/// Whether a problem belongs on the page that asked, not on one of its own.
pub fn is_said(problem: &Problem) -> bool {
    matches!(problem.status, StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY)
}

/// Goes to a page after something was done.
pub fn to(place: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish()
}

/// A whole number for people.
pub fn number(number: u64) -> String {
    shown::grouped(&number.to_string())
}
