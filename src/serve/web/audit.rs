//! Search in the audit trail: who did what, to what, when, from where, by which right, and how it ended.

use actix_web::http::StatusCode;
use minijinja::{Value, context};

use super::{Language, language, page as render};
use crate::audit::Record;
use crate::auth::oidc::coded;
use crate::auth::permission::Permission;
use crate::serve::api::audit::{PARAMETERS, filter, record_search};
use crate::serve::ask::{Answer, Ask, Params};
use crate::serve::problem::Problem;

/// Records on a page.
const RECORDS: u32 = 100;

/// The page.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(PARAMETERS)?;
    let who = ask.who()?.clone();
    let asked = params.clone();
    let reader = who.principal.clone();
    let outcome = ask
        .block(move |state| {
            let filter = filter(state, &asked, RECORDS)?;
            record_search(state, &reader, &asked, "search")?;
            Ok(state.gate.search_audit(&filter)?)
        })
        .await;
    let language = language(&ask.request, Some(&who));
    let (found, error, status) = match outcome {
        Ok(found) => (found, String::new(), StatusCode::OK),
        // What is wrong with the form is told above it, and what was typed stays.
        Err(problem) if problem.status == StatusCode::BAD_REQUEST => {
            (crate::audit::Found::default(), problem.detail, problem.status)
        }
        Err(problem) => return Err(problem),
    };
    let narrowed = address(&params, &["before", "limit"]);
    let own = context! {
        typed => Value::from_pairs(PARAMETERS.iter().map(|name| (*name, params.get(name).unwrap_or_default().to_string()))),
        kinds => KINDS.iter().map(|kind| context! { name => *kind, word => kind_word(kind, language) }).collect::<Vec<_>>(),
        records => found.records.iter().map(|record| shown(record, language)).collect::<Vec<_>>(),
        next => found.next,
        reached => found.next.is_some() && found.records.len() < RECORDS as usize,
        narrowed => !narrowed.is_empty(),
        query => narrowed,
        first => params.get("before").is_none(),
        error,
        may_read => who.may(Permission::DocumentRead) && who.may(Permission::ConsoleUse),
    };
    render(&ask.request, Some(&who), "audit.html", status, own)
}

/// The parameters as a query, without some of them.
fn address(params: &Params, without: &[&str]) -> String {
    let kept = PARAMETERS.iter().filter(|name| !without.contains(name));
    let pairs = kept.filter_map(|name| params.get(name).map(|value| format!("{name}={}", coded(value))));
    pairs.collect::<Vec<_>>().join("&")
}

/// Kinds that are offered; any other can be typed.
const KINDS: &[&str] = &[
    "read",
    "download",
    "print",
    "send",
    "refused",
    "search",
    "sign-in",
    "sign-in-failed",
    "sign-out",
    "load",
    "export-load",
    "preview",
    "add definition",
    "user",
    "role",
    "group",
    "policy",
    "customer",
    "note",
    "request",
    "verified",
    "enrolled",
    "enrolment-failed",
    "audit-search",
    "audit-export",
    "task",
];

/// A kind in words; as it is recorded when there are none.
fn kind_word(kind: &str, language: Language) -> String {
    let word = language.word(&format!("audit_{}", kind.replace([' ', '-'], "_")));
    if word.is_empty() { kind.to_string() } else { word }
}

/// What a view was for, or what was looked for, in words: `svg page 2`. What people typed stays as it is.
fn purpose(text: &str, language: Language) -> String {
    let word = |name: &str| {
        let name = name.replace([' ', '-'], "_");
        let words = ["purpose", "format", "view"].map(|kind| language.word(&format!("{kind}_{name}")));
        words.into_iter().find(|word| !word.is_empty())
    };
    if let Some((name, page)) = text.split_once(" page ")
        && page.bytes().all(|digit| digit.is_ascii_digit())
        && let Some(what) = word(name)
    {
        return language.word("purpose_page").replace("{what}", &what).replace("{n}", page);
    }
    word(text).unwrap_or_else(|| text.to_string())
}

fn shown(record: &Record, language: Language) -> Value {
    let time = record.time.replace('T', " ");
    context! {
        seq => record.seq,
        time => time.trim_end_matches('Z'),
        who => record.who.as_str(),
        kind => record.kind.as_str(),
        word => kind_word(&record.kind, language),
        document => record.document.as_deref().unwrap_or_default(),
        account => record.account.as_str(),
        what => purpose(&record.what, language),
        why => purpose(&record.why, language),
        as_kept => vec![record.what.clone(), record.why.clone()],
        from => record.from.as_str(),
        right => record.right.as_str(),
        outcome => record.outcome(),
        outcome_word => language.word(&format!("outcome_{}", record.outcome())),
    }
}

/// All records that are wanted, as a file.
pub async fn export(ask: Ask) -> Result<actix_web::HttpResponse, Problem> {
    crate::serve::api::audit::export(ask).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source files that write to the audit.
    fn sources(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("tests") {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).expect("text");
                found.push(text.split("#[cfg(test)]").next().unwrap_or_default().to_string());
            }
        }
    }

    /// The first literal of what is handed to the audit, where it stands right behind the caller and the right.
    fn kind_of(arguments: &str) -> Option<&str> {
        let (before, after) = arguments.split_once('"')?;
        let parts: Vec<&str> = before.trim().trim_end_matches(',').split(',').map(str::trim).collect();
        let right =
            |part: &str| part.starts_with("Permission::") || part.starts_with("access::right(") || part == "right";
        let plain = match parts.as_slice() {
            [who] => !who.ends_with("nobody("),
            [_, second] => right(second),
            _ => false,
        };
        plain.then(|| after.split('"').next()).flatten()
    }

    #[test]
    fn whatever_is_recorded_has_words_in_both_languages() {
        let mut texts = Vec::new();
        sources(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
        let mut kinds: Vec<String> = KINDS.iter().map(ToString::to_string).collect();
        for text in &texts {
            for call in [".record(", ".record_by("] {
                let arguments = text.split(call).skip(1);
                kinds.extend(arguments.filter_map(kind_of).filter(|kind| !kind.contains('{')).map(str::to_string));
            }
            // Those that are chosen before they are recorded.
            for begin in ["\"intake-", "\"distribution ", "\"consent-"] {
                let rest = text.split(begin).skip(1).filter_map(|rest| rest.split('"').next());
                let whole = rest.map(|rest| format!("{}{rest}", begin.trim_start_matches('"')));
                kinds.extend(whole.filter(|kind| texts_record(kind)));
            }
        }
        assert!(kinds.iter().any(|kind| kind == "contact-point-added") && kinds.len() > 80, "{}", kinds.len());
        for language in [Language::English, Language::Chinese] {
            let bare: Vec<_> = kinds.iter().filter(|kind| kind_word(kind, language) == **kind).collect();
            assert!(bare.is_empty(), "no words for {bare:?} in {}", language.code());
        }
    }

    /// Kinds that begin so, and nothing else that happens to.
    fn texts_record(kind: &str) -> bool {
        kind.chars().all(|sign| sign.is_ascii_lowercase() || sign == '-' || sign == ' ')
            && kind.split(['-', ' ']).count() == 2
    }

    #[test]
    fn purposes_are_told_and_what_people_typed_stays() {
        assert_eq!(purpose("svg page 2", Language::English), "Pages, page 2");
        for text in ["svg page 2", "text", "timeline", "second factor", "e-delivery", "customers", "deliveries"] {
            assert!(!purpose(text, Language::Chinese).contains(text), "{text}");
        }
        for text in ["status page 2", "Birch amount:>100", "svg page two", ""] {
            assert_eq!(purpose(text, Language::Chinese), text);
        }
    }
}
