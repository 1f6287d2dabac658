//! The rules by which arrivals get their definition: what holds, what held before, a form for a new one.

use actix_web::http::StatusCode;
use minijinja::context;

use super::arrivals::{is_said, pattern, to, told};
use super::{language, locale, page as render, shown};
use crate::auth::permission::Permission;
use crate::capture::rule::Rule;
use crate::serve::ask::{Answer, Ask};
use crate::serve::operate;
use crate::serve::problem::Problem;

/// The page.
pub async fn page(ask: Ask) -> Answer {
    ask.params(&["said"])?;
    show(&ask, None, StatusCode::OK).await
}

async fn show(ask: &Ask, problem: Option<Problem>, status: StatusCode) -> Answer {
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let (rules, versions, definitions) = ask
        .block(|state| Ok((state.intake.rules(), state.intake.rule_versions(), state.backend.definitions()?)))
        .await?;
    let rule = |rule: &Rule| {
        context! {
            number => rule.number, version => rule.version, queue => rule.queue.as_deref().unwrap_or_default(),
            name => rule.name.as_deref().unwrap_or_default(), definition => rule.definition.as_str(),
            by => rule.by.as_str(), at => locale::moment(rule.at, language), removed => rule.removed,
        }
    };
    let choice = |one: &crate::serve::backend::DefinitionView| context! { name => one.name.as_str(), title => shown::report(one, language) };
    let own = context! {
        rules => rules.iter().map(rule).collect::<Vec<_>>(),
        versions => versions.iter().rev().map(rule).collect::<Vec<_>>(),
        definitions => definitions.iter().map(choice).collect::<Vec<_>>(),
        may => who.session.is_some() && who.may(Permission::LoadWrite),
        problem => problem.map(|problem| told(&problem, language)),
    };
    render(&ask.request, Some(&who), "rules.html", status, own)
}

/// Makes a rule, changes one, or takes one back.
pub async fn act(ask: Ask) -> Answer {
    let form = ask.form(&["csrf", "do", "number", "queue", "name", "definition"])?;
    let number = form.number("number", 0..=u32::MAX)?.unwrap_or(0);
    let removes = match form.get("do") {
        Some("set") => false,
        Some("remove") => true,
        _ => return Err(Problem::bad_value("do: one of set, remove.")),
    };
    let definition = form.get("definition").unwrap_or_default().to_string();
    let rule =
        Rule { number, queue: pattern(&form, "queue"), name: pattern(&form, "name"), definition, ..Rule::default() };
    let who = ask.who()?.clone();
    let done = ask
        .block(move |state| match removes {
            true => operate::remove_rule(state, &who, number).map(drop),
            false => operate::set_rule(state, &who, rule).map(drop),
        })
        .await;
    match done {
        Ok(()) => Ok(to(if removes { "/admin/rules?said=rule_removed" } else { "/admin/rules?said=arr_rule" })),
        Err(problem) if is_said(&problem) => {
            let status = problem.status;
            show(&ask, Some(problem), status).await
        }
        Err(problem) => Err(problem),
    }
}
