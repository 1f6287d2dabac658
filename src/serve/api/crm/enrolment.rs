//! Enrolment for the portal.

use actix_web::HttpResponse;
use actix_web::http::header;
use serde::Deserialize;
use serde_json::json;

use super::access;
use super::{body, part};
use crate::auth::permission::Permission;
use crate::auth::user::User;
use crate::crm::enrol::{EnrolmentForm, FactField, NewEnrolment};
use crate::distribute::config::Config;
use crate::index::written;
use crate::render::letter::Letter;
use crate::serve::ask::{Answer, Ask, SignedIn, address};
use crate::serve::backend::EnrolField;
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// What may be asked, by report.
pub fn forms_of(state: &State) -> Result<Vec<EnrolmentForm>, Problem> {
    let definitions = state.backend.definitions()?.into_iter().filter(|definition| !definition.enrol.is_empty());
    let form = |definition: crate::serve::backend::DefinitionView| EnrolmentForm {
        definition: definition.name,
        title: definition.title,
        title_zh: definition.title_zh,
        fields: definition
            .enrol
            .into_iter()
            .map(|EnrolField { name, label, label_zh, dates }| FactField::new(name, label, label_zh, dates))
            .collect(),
    };
    Ok(definitions.map(form).collect())
}

/// Makes a user for an account; `from` is the address of who asks. Recorded, whatever comes of it.
pub fn enrol(state: &State, from: &str, asked: NewEnrolment) -> Result<User, Problem> {
    let forms = forms_of(state)?;
    let documents = access::all_documents(state)?;
    let who = access::nobody(from);
    match state.crm.enrol(&state.users, &documents, &forms, from, asked) {
        Ok(user) => {
            state.gate.record(&who, "enrolled", &user.name, user.accounts.first().map_or("", String::as_str))?;
            Ok(user)
        }
        Err(error) => {
            state.gate.record(&who, "enrolment-failed", "", "")?;
            Err(error.into())
        }
    }
}

/// The reports of which facts may be asked, with their fields.
#[utoipa::path(get, path = "/api/v1/enrolment", tag = "customers",
    responses((status = 200, description = "`forms`: definition, title, title_zh, fields with name and labels, of dates an `example` as printed")))]
pub async fn forms(ask: Ask) -> Answer {
    ask.params(&[])?;
    let forms = ask.block(forms_of).await?;
    Ok(HttpResponse::Ok().json(json!({ "forms": forms })))
}

/// Enrols: `account`, and `definition` with `facts` or the `pin` of a letter; `name` and `password` of the user to make.
/// An account that is not there, a wrong fact and a wrong PIN get the same answer.
#[utoipa::path(post, path = "/api/v1/enrolment", tag = "customers",
    responses((status = 201, description = "`name`, `accounts`"), (status = 403, description = "not-confirmed"),
        (status = 409, description = "exists: the sign-in name is taken"), (status = 422, description = "bad-value"),
        (status = 429, description = "too-many-attempts, with Retry-After")))]
pub async fn submit(ask: Ask) -> Answer {
    let asked: NewEnrolment = body(&ask)?;
    let from = address(&ask.request);
    let _turn = ask.state.hashing.acquire().await.map_err(|_| Problem::busy("The server stops."))?;
    let user = ask.block(move |state| enrol(state, &from, asked)).await?;
    Ok(HttpResponse::Created().json(json!({ "name": user.name, "accounts": user.accounts })))
}

/// What a PIN letter says besides the PIN.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LetterAsk {
    /// Who writes.
    pub sender: String,
    /// Address of the portal; empty: `public_url` of the distribution's settings with `/enrol`, when there is one.
    pub portal: String,
}

/// Makes the PIN of an account and the letter that tells it, a PDF. Only the letter says the PIN, and only once; one that
/// was made before is worth nothing then.
pub fn pin_letter(state: &State, who: &SignedIn, account: &str, asked: LetterAsk) -> Result<Vec<u8>, Problem> {
    who.need(Permission::CustomerActFor)?;
    access::need_account(state, who, account)?;
    let to = state.crm.addressee(account)?;
    let portal = match asked.portal.trim() {
        "" => Config::read(&state.config.data).map(|config| config.public_url).unwrap_or_default(),
        given => given.chars().take(200).collect(),
    };
    let (pin, until) = state.crm.make_pin(&who.user.name, account)?;
    state.gate.record_by(&who.principal, Permission::CustomerActFor, "pin letter", account, "")?;
    let letter = Letter {
        sender: asked.sender.chars().filter(|sign| !sign.is_control()).take(100).collect(),
        name: to.name,
        address: to.address,
        account: account.to_string(),
        pin,
        until: written::day(until.day(), to.chinese),
        portal: if asked.portal.trim().is_empty() && !portal.is_empty() { format!("{portal}/enrol") } else { portal },
        date: written::day(state.crm.now().day(), to.chinese),
        chinese: to.chinese,
    };
    letter.pdf().map_err(|error| Problem::failed("making a letter", &error))
}

/// A letter for a browser or a program: never kept by either.
pub fn letter_answer(pdf: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header((header::CONTENT_DISPOSITION, "inline; filename=\"pin-letter.pdf\""))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("content-security-policy", "frame-ancestors 'none'"))
        .body(pdf)
}

/// Makes the PIN of an account and answers with the letter that tells it. A PIN that was made before is worth nothing then.
#[utoipa::path(post, path = "/api/v1/accounts/{number}/pin-letter", tag = "customers",
    params(("number" = String, Path, description = "Account number, as printed")),
    responses((status = 200, description = "the letter, `application/pdf`"), (status = 403, description = "forbidden"),
        (status = 404, description = "not-found"), (status = 422, description = "bad-value: there is no postal address")))]
pub async fn letter(ask: Ask) -> Answer {
    let asked = if ask.body.is_empty() { LetterAsk::default() } else { body(&ask)? };
    let (number, who) = (part(&ask, "number"), ask.who()?.clone());
    let pdf = ask.block(move |state| pin_letter(state, &who, &number, asked)).await?;
    Ok(letter_answer(pdf))
}
