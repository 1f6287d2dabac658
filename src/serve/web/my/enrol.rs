//! The way into the portal: account number and facts from a recent bill, or the PIN of a letter.
//!
//! An account that is not there, a wrong fact and a wrong PIN give the same page.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use minijinja::{Value, context};

use super::super::{language, page as render, sign_in};
use super::{Language, address};
use crate::auth::AuthError;
use crate::crm::enrol::{EnrolmentForm, Fact, FactField, NewEnrolment};
use crate::serve::api::crm::enrolment;
use crate::serve::ask::{self, Answer, Ask, Params};
use crate::serve::problem::Problem;

/// Facts that one form can ask.
const MOST_FACTS: usize = 8;
const FIELDS: [&str; 16] = [
    "csrf",
    "report",
    "account",
    "pin",
    "name",
    "password",
    "again",
    "display_name",
    "fact0",
    "fact1",
    "fact2",
    "fact3",
    "fact4",
    "fact5",
    "fact6",
    "fact7",
];
/// What of the form is shown again after a mistake; never a password or a PIN.
const SHOWN: [&str; 3] = ["account", "name", "display_name"];

/// The form: the letter's, or that of a report.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["report"])?;
    let report = params.get("report").map(str::to_string);
    let forms = ask.block(enrolment::forms_of).await?;
    form(&ask, &forms, report.as_deref(), &Params::default(), "", StatusCode::OK)
}

/// Chinese or English, as the definition has it.
fn own<'t>(english: &'t str, chinese: Option<&'t String>, language: Language) -> &'t str {
    chinese.filter(|_| language == Language::Chinese).map_or(english, String::as_str)
}

fn form(
    ask: &Ask,
    forms: &[EnrolmentForm],
    report: Option<&str>,
    typed: &Params,
    error: &str,
    status: StatusCode,
) -> Answer {
    let language = language(&ask.request, None);
    let chosen = match report {
        None => forms.first(),
        Some(name) => forms.iter().find(|form| form.definition == name),
    };
    let tab = |form: &EnrolmentForm| {
        context! {
            label => own(&form.title, form.title_zh.as_ref(), language),
            link => address("/enrol", &[("report", &form.definition)]),
            current => chosen.is_some_and(|chosen| chosen.definition == form.definition),
        }
    };
    let pin =
        context! { label => language.word("enrol_with_pin"), link => "/enrol?report=pin", current => chosen.is_none() };
    let text = |name: &str| typed.get(name).unwrap_or_default().to_string();
    let field = |(at, field): (usize, &FactField)| {
        let name = format!("fact{at}");
        context! {
            label => own(&field.label, field.label_zh.as_ref(), language),
            value => text(&name),
            example => field.example.clone().unwrap_or_default(),
            name,
        }
    };
    let fields = chosen.map(|form| form.fields.iter().take(MOST_FACTS).enumerate().map(field).collect::<Vec<_>>());
    let values = context! {
        tabs => forms.iter().map(tab).chain([pin]).collect::<Vec<Value>>(),
        report => chosen.map_or("pin", |form| form.definition.as_str()),
        title => chosen.map_or("", |form| own(&form.title, form.title_zh.as_ref(), language)),
        fields => fields.unwrap_or_default(),
        typed => SHOWN.map(text),
        error,
    };
    render(&ask.request, None, "enrol.html", status, values)
}

/// Makes the user, and leads to the sign-in; or shows the form again with what is wrong.
pub async fn submit(ask: Ask) -> Answer {
    let typed = ask.form(&FIELDS)?;
    let language = language(&ask.request, None);
    let forms = ask.block(enrolment::forms_of).await?;
    let report = typed.get("report").unwrap_or("pin").to_string();
    let again =
        |problem: &Problem| form(&ask, &forms, Some(&report), &typed, &reason(problem, language), problem.status);
    if typed.get("password") != typed.get("again") {
        let error = language.word("enrol_again_differs");
        return form(&ask, &forms, Some(&report), &typed, &error, StatusCode::UNPROCESSABLE_ENTITY);
    }
    if let Some(field) = unread(&typed, &forms, &report) {
        let label = own(&field.label, field.label_zh.as_ref(), language);
        let error = language.word("enrol_date_wrong").replace("{label}", label);
        let error = error.replace("{example}", field.example.as_deref().unwrap_or_default());
        return form(&ask, &forms, Some(&report), &typed, &error, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let asked = enrolment_of(&typed, &forms, &report, language);
    let from = ask::address(&ask.request);
    let turn = ask.state.hashing.acquire().await.map_err(|_| Problem::busy("The server stops."))?;
    let made = ask.block(move |state| enrolment::enrol(state, &from, asked)).await;
    drop(turn);
    match made {
        Ok(_) => Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, "/?next=%2Fmy&said=enrolled")).finish()),
        Err(problem) if problem.status.is_client_error() => Ok(sign_in::waiting(again(&problem)?, &problem)),
        Err(problem) => Err(problem),
    }
}

/// The first field whose text cannot be a value of it.
fn unread<'f>(typed: &Params, forms: &'f [EnrolmentForm], report: &str) -> Option<&'f FactField> {
    let form = forms.iter().find(|form| form.definition == report)?;
    let text = |at: usize| typed.get(&format!("fact{at}")).unwrap_or_default().trim();
    let wrong = |(at, field): &(usize, &FactField)| !text(*at).is_empty() && !field.reads(text(*at));
    form.fields.iter().enumerate().find(wrong).map(|(_, field)| field)
}

fn enrolment_of(typed: &Params, forms: &[EnrolmentForm], report: &str, language: Language) -> NewEnrolment {
    let text = |name: &str| typed.get(name).unwrap_or_default().to_string();
    let known = forms.iter().find(|form| form.definition == report);
    let fact = |(at, field): (usize, &FactField)| Fact { field: field.name.clone(), value: text(&format!("fact{at}")) };
    NewEnrolment {
        account: text("account"),
        definition: known.map(|form| form.definition.clone()).unwrap_or_default(),
        facts: known.map(|form| form.fields.iter().enumerate().map(fact).collect()).unwrap_or_default(),
        pin: if known.is_none() { text("pin") } else { String::new() },
        name: text("name"),
        password: text("password"),
        display_name: text("display_name"),
        language: language.code().into(),
    }
}

/// Why it did not work, in the reader's language.
fn reason(problem: &Problem, language: Language) -> String {
    language.word(match problem.code {
        "not-confirmed" => "enrol_not_confirmed",
        "too-many-attempts" => "enrol_wait",
        "exists" => "enrol_taken",
        _ if problem.detail == format!("{}.", AuthError::BadName) => "enrol_name_wrong",
        _ => "enrol_incomplete",
    })
}
