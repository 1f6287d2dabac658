//! Enrolment for the portal.

use actix_web::HttpResponse;
use serde_json::json;

use super::access;
use super::body;
use crate::auth::user::User;
use crate::crm::enrol::{EnrolmentForm, FactField, NewEnrolment};
use crate::serve::ask::{Answer, Ask, address};
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
            .map(|(name, label, label_zh)| FactField { name, label, label_zh })
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
    responses((status = 200, description = "`forms`: definition, title, title_zh, fields with name and labels")))]
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
