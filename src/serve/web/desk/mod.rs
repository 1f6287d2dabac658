//! What agents do around documents: calls, customers, notes, copies, requests, comparisons, saved searches.
//!
//! Every change is a form that is done once: it carries a name of its own, and a second sending (an impatient click, a
//! reload) leads to where the first one led. Who may do what is asked in `api::crm::access`.

pub mod call;
pub mod compare;
pub mod customer;
pub mod remark;
pub mod request;
pub mod saved;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use minijinja::{Value, context};
use sha2::{Digest, Sha256};

use super::{Language, coded, language, locale, page as render};
use crate::auth::secret;
use crate::crm::Time;
use crate::crm::once::{Answered, Once};
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// Longest text of a form's field that leads back to a page.
const MOST_BACK: usize = 2_000;
/// How often a form that is sent again looks whether its first sending is done.
const MOST_LOOKS: u32 = 200;
/// The time between.
const LOOK_AGAIN: std::time::Duration = std::time::Duration::from_millis(50);

/// Shows a page of the desk, with the contact that the agent is in.
async fn show(ask: &Ask, template: &str, own: Value) -> Answer {
    let who = ask.who()?.clone();
    let language = language(&ask.request, Some(&who));
    let agent = who.clone();
    let call = ask.block(move |state| call::bar(state, &agent, language)).await?;
    render(&ask.request, Some(&who), template, StatusCode::OK, context! { call, ..own })
}

/// Does what a form asks for, once, and goes to the address that the work names.
pub(super) async fn done(
    ask: &Ask,
    form: Params,
    work: impl FnOnce(&State, &SignedIn, &Params) -> Result<String, Problem> + Send + 'static,
) -> Answer {
    let who = ask.who()?.clone();
    let name = form.get("once").unwrap_or_default().to_string();
    let mut digest = Sha256::new();
    for part in [ask.request.uri().path().as_bytes(), b"\0", &ask.body[..]] {
        digest.update(part);
    }
    let fingerprint = secret::hex(&digest.finalize());
    let place = ask
        .block(move |state| {
            if name.is_empty() {
                return work(state, &who, &form);
            }
            match taken(state, &who.user.name, &name, &fingerprint)? {
                Once::Done(answer) => return Ok(answer.location),
                // The first sending is at work for long, or something else was sent from a page that was shown once.
                Once::Busy | Once::Other => return Err(Problem::exists("This form was sent already.")),
                Once::Fresh => {}
            }
            match work(state, &who, &form) {
                Ok(location) => {
                    let (etag, body) = (String::new(), String::new());
                    let answer = Answered { status: 303, location: location.clone(), etag, body };
                    state.crm.keep_answer(&who.user.name, &name, &fingerprint, answer)?;
                    Ok(location)
                }
                Err(problem) => {
                    state.crm.forget_name(&who.user.name, &name)?;
                    Err(problem)
                }
            }
        })
        .await?;
    Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish())
}

/// Takes the name of a form. While its first sending is at work, later ones wait: they lead to where it leads.
fn taken(state: &State, user: &str, name: &str, fingerprint: &str) -> Result<Once, Problem> {
    for _ in 0..MOST_LOOKS {
        match state.crm.take_name(user, name, fingerprint)? {
            Once::Busy => std::thread::sleep(LOOK_AGAIN),
            other => return Ok(other),
        }
    }
    Ok(Once::Busy)
}

/// Does what must not be done twice and cannot be shown again, such as a letter with a new PIN, whose first print a second
/// one would make worthless.
pub(super) fn once<T>(
    state: &State,
    who: &SignedIn,
    form: &Params,
    work: impl FnOnce() -> Result<T, Problem>,
) -> Result<T, Problem> {
    let name = form.get("once").unwrap_or_default();
    if name.is_empty() {
        return work();
    }
    let print = secret::hex(&Sha256::digest(name.as_bytes()));
    if !matches!(taken(state, &who.user.name, name, &print)?, Once::Fresh) {
        return Err(Problem::exists("This form was sent already."));
    }
    let done = work();
    match &done {
        Ok(_) => {
            let (location, etag, body) = (String::new(), String::new(), String::new());
            state.crm.keep_answer(&who.user.name, name, &print, Answered { status: 200, location, etag, body })?;
        }
        Err(_) => state.crm.forget_name(&who.user.name, name)?,
    }
    done
}

/// The page that a form came from, when it is one of the desk's; else another one. `said` is what the page then says.
fn back(form: &Params, otherwise: &str, said: &str) -> String {
    let ours = |path: &&str| path.starts_with("/agent") && path.len() <= MOST_BACK && !path.contains(char::is_control);
    let path = form.get("back").filter(ours).unwrap_or(otherwise);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut pairs: Vec<String> =
        query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("said=")).map(str::to_string).collect();
    pairs.push(format!("said={said}"));
    format!("{path}?{}", pairs.join("&"))
}

/// A moment for people, and for programs.
fn moment(time: Time, language: Language) -> String {
    locale::moment(time.0, language)
}

/// A path of the desk with a part that may hold any characters.
fn path(before: &str, part: &str) -> String {
    format!("{before}/{}", coded(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_pages_of_the_desk_only() {
        let form = |back: &str| Params::parse(&format!("back={}", coded(back)), &["back"]).expect("a form");
        assert_eq!(back(&form("/agent/customers/1?x=2&said=old"), "/agent", "new"), "/agent/customers/1?x=2&said=new");
        assert_eq!(back(&form("https://evil.example/"), "/agent/x", "new"), "/agent/x?said=new");
        assert_eq!(back(&form("//evil.example/agent"), "/agent/x", "new"), "/agent/x?said=new");
    }
}
