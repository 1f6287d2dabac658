//! Loads: a list with filters, and one load with its whole accounting.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::arrivals::{is_said, number, to, told};
use super::links::Links;
use super::locale::size;
use super::{Language, language, locale, page as render, shown};
use crate::archive::{LoadId, LoadRow, Tombstone};
use crate::auth::permission::Permission;
use crate::capture::Item;
use crate::decode::foreign;
use crate::note::Note;
use crate::serve::api::load_list::{Asked, Kind};
use crate::serve::api::loads::refused;
use crate::serve::ask::{Answer, Ask};
use crate::serve::operate;
use crate::serve::problem::Problem;

/// Pieces that were set aside, as shown; the counts are complete.
const ASIDE: usize = 200;
/// Pages of a warning that are named.
const PAGES: usize = 20;

/// The list.
pub async fn list(ask: Ask) -> Answer {
    let params = ask.params(&["definition", "state", "q", "from", "to", "limit", "cursor", "said"])?;
    let asked = Asked::read(&params, locale::begins)?;
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let own = ask
        .block(move |state| {
            let page = asked.find(state)?;
            let given = |name: &'static str| params.get(name).map(|value| (name, value));
            let names = ["definition", "state", "q", "from", "to", "limit"];
            let kept: Vec<_> = names.into_iter().filter_map(given).collect();
            let links = Links { base: "/admin/loads", asked: kept };
            let chosen = params.get("state").unwrap_or("all");
            let tabs = Kind::WORDS.iter().map(|(name, _)| {
                let state = if *name == "all" { "" } else { *name };
                context! {
                    label => language.word(&format!("ld_tab_{name}")), link => links.with(&[("state", state)]),
                    current => chosen == *name,
                }
            });
            let definition = params.get("definition").unwrap_or_default();
            let definitions = state.backend.definitions()?;
            let choices = definitions.iter().map(|one| {
                context! { name => one.name.as_str(), title => shown::report(one, language), chosen => one.name == definition }
            });
            Ok(context! {
                tabs => tabs.collect::<Vec<_>>(),
                definitions => choices.collect::<Vec<_>>(),
                rows => page.rows.iter().map(|row| head(row, language)).collect::<Vec<_>>(),
                stones => page.stones.iter().map(|stone| gone(stone, language)).collect::<Vec<_>>(),
                next => page.next.map(|next| links.with(&[("cursor", &next.to_string())])).unwrap_or_default(),
                older => params.get("cursor").is_some(),
                filtered => !links.asked.is_empty(),
                text => params.get("q").unwrap_or_default(),
                from => params.get("from").unwrap_or_default(),
                until => params.get("to").unwrap_or_default(),
                state => if chosen == "all" { "" } else { chosen },
                failed => state.intake.counts().failed,
            })
        })
        .await?;
    render(&ask.request, Some(&who), "loads.html", StatusCode::OK, own)
}

fn head(row: &LoadRow, language: Language) -> Value {
    let warnings: u64 = row.warnings.iter().map(|note| note.count).sum();
    context! {
        id => row.id.0,
        file => row.file.as_str(),
        definition => shown::definition(&row.definition, language),
        version => row.definition_version,
        size => size(row.bytes),
        bytes => number(row.bytes),
        stored => size(row.stored_bytes),
        documents => number(u64::from(row.documents)),
        pages => number(row.pages),
        inside => number(row.pages.saturating_sub(row.set_aside_pages)),
        aside => number(row.set_aside_pages),
        any_aside => row.set_aside_pages > 0,
        warnings => number(warnings),
        any_warnings => warnings > 0,
        loaded => locale::moment(row.loaded_at, language),
        sha256 => row.sha256.as_str(),
        seconds => format!("{:.1}", row.seconds),
    }
}

fn gone(stone: &Tombstone, language: Language) -> Value {
    context! {
        id => stone.load.0, file => stone.file.as_str(), definition => shown::definition(&stone.definition, language),
        documents => number(u64::from(stone.documents)), size => size(stone.bytes), why => stone.reason.as_str(),
        at => locale::moment(stone.at, language),
    }
}

/// A warning with the pages it happened on.
pub fn note(note: &Note) -> Value {
    let pages = note.pages.iter().filter(|(page, _)| *page > 0).take(PAGES);
    let pages =
        pages.map(|(page, count)| context! { page => number(*page), count => number(*count), many => *count > 1 });
    context! {
        code => note.code.as_str(), count => number(note.count), detail => note.detail.as_str(),
        first => note.first.to_string(), pages => pages.collect::<Vec<_>>(), more => note.pages.len() > PAGES,
        field => note.code.starts_with("field-"), resource => is_resource(&note.code),
    }
}

/// Whether a warning tells of a resource that was missing when the stream was read.
fn is_resource(code: &str) -> bool {
    code.contains("missing-resource") || code.contains("resource-missing") || code.starts_with("library-resources")
}

/// One load.
pub async fn page(ask: Ask) -> Answer {
    ask.params(&["said"])?;
    show(&ask, None, StatusCode::OK).await
}

async fn show(ask: &Ask, problem: Option<Problem>, status: StatusCode) -> Answer {
    let id = ask.part("id").parse().map(LoadId).map_err(|_| Problem::nothing())?;
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let asker = who.clone();
    let own = ask
        .block(move |state| {
            let Some(row) = state.backend.load(id)? else {
                let stone = state.backend.unloaded()?.into_iter().find(|stone| stone.load == id);
                let stone = stone.ok_or_else(Problem::nothing)?;
                return Ok(context! { stone => gone(&stone, language), one => (), said_of => id.0, problem => () });
            };
            let items = state.intake.items_of_load(id.0).map_err(|error| refused(&error))?;
            let job = state.backend.job_of(id)?;
            let parts = row.set_aside.iter().filter(|part| part.pages > 0);
            let aside = parts.clone().take(ASIDE).map(|part| {
                let last = part.first_page + part.pages - 1;
                context! {
                    reason => part.reason.as_str(), first => number(part.first_page), last => number(last),
                    pages => number(part.pages), start => number(part.span.start), end => number(part.span.end),
                }
            });
            let sums = sums(&row);
            Ok(context! {
                stone => (),
                one => head(&row, language),
                aside => aside.collect::<Vec<_>>(),
                aside_more => parts.count().saturating_sub(ASIDE),
                sums,
                notes => row.warnings.iter().map(note).collect::<Vec<_>>(),
                fields => row.warnings.iter().filter(|note| note.code.starts_with("field-")).map(note).collect::<Vec<_>>(),
                resources => row.warnings.iter().filter(|note| is_resource(&note.code)).map(note).collect::<Vec<_>>(),
                job => job.iter().map(|(name, value)| context! { name => name.as_str(), value => value.as_str() }).collect::<Vec<_>>(),
                items => items.iter().map(|item| brought(item, language)).collect::<Vec<_>>(),
                format => foreign::format_of(&row.read),
                code_page => row.read.code_page.as_deref().unwrap_or_default(),
                record_format => row.read.record_format.as_deref().unwrap_or_default(),
                console => who.may(Permission::ConsoleUse) && who.may(Permission::DocumentRead),
                export => who.may(Permission::LoadExport),
                unload => who.session.is_some() && who.may(Permission::LoadDelete),
                problem => problem.map(|problem| told(&problem, language)),
            })
        })
        .await?;
    render(&ask.request, Some(&asker), "load.html", status, own)
}

/// Pages set aside by reason, most first.
fn sums(row: &LoadRow) -> Vec<Value> {
    let mut sums: Vec<(&str, u64)> = Vec::new();
    for part in row.set_aside.iter().filter(|part| part.pages > 0) {
        match sums.iter_mut().find(|(reason, _)| *reason == part.reason) {
            Some((_, pages)) => *pages += part.pages,
            None => sums.push((&part.reason, part.pages)),
        }
    }
    sums.sort_by_key(|(_, pages)| std::cmp::Reverse(*pages));
    sums.into_iter().map(|(reason, pages)| context! { reason, pages => number(pages) }).collect()
}

fn brought(item: &Item, language: Language) -> Value {
    context! {
        id => item.id, received => locale::moment(item.received_at, language), peer => item.peer.as_str(),
        sender => item.sent_by.as_str(), queue => item.queue.as_deref().unwrap_or_default(),
        receiver => language.word(&format!("arr_by_{}", item.receiver)), receiver_name => item.receiver.as_str(),
        duplicate => item.duplicate,
    }
}

/// Takes the load out; what is refused is said on the page.
pub async fn unload(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "reason", "sure"])?;
    let id = ask.part("id").parse().map(LoadId).map_err(|_| Problem::nothing())?;
    let (who, why) = (ask.who()?.clone(), form.get("reason").unwrap_or_default().to_string());
    let sure = form.get("sure") == Some("yes");
    let done = ask
        .block(move |state| {
            if !sure {
                return Err(Problem::bad_value("Confirm that the documents leave the archive."));
            }
            operate::unload(state, &who, id, &why)
        })
        .await;
    match done {
        Ok(()) => Ok(to(&format!("/admin/loads/{id}?said=ld_unloaded"))),
        Err(problem) if is_said(&problem) => {
            let status = problem.status;
            show(&ask, Some(problem), status).await
        }
        Err(problem) => Err(problem),
    }
}
