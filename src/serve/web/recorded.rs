//! What records of the audit say, in the reader's language.
//!
//! Records keep English and names of the program (`load 7`, `request-changed`, `document.read by role agent`): they are
//! hashed, searched and exported so. In: a record. Out: what a page shows of it. What people typed (queries, reasons)
//! stays as it is.

use super::{Language, reason, role_word};
use crate::audit::Record;
use crate::crm::interaction::WrapUp;

/// Families of words that a purpose may be one of, for all kinds of records.
const PURPOSES: [&str; 3] = ["purpose", "format", "view"];
/// And those that it may be one of in records of a kind: a state of a request, a way of being verified.
const OF_KIND: [(&str, &str); 4] =
    [("request-changed", "request"), ("verified", "verify"), ("interaction-changed", "verify"), ("role", "role")];
/// Kinds whose text somebody typed.
const TYPED: [&str; 2] = ["search", "audit-search"];

/// A kind in words; as it is recorded when there are none.
pub fn kind_word(kind: &str, language: Language) -> String {
    let word = language.word(&format!("audit_{}", kind.replace([' ', '-'], "_")));
    if word.is_empty() { kind.to_string() } else { word }
}

/// What something was done to, or what for, in words; `outcomes` are the codes that contacts end with.
pub fn told(record: &Record, text: &str, outcomes: &[WrapUp], language: Language) -> String {
    if record.kind == "contact-ended"
        && let Some(outcome) = outcomes.iter().find(|outcome| outcome.code == text)
    {
        return outcome.named(language == Language::Chinese).to_string();
    }
    if let Some(word) =
        OF_KIND.iter().filter(|(kind, _)| record.kind == *kind).find_map(|(_, family)| word(family, text, language))
    {
        return word;
    }
    let typed = TYPED.contains(&record.kind.as_str());
    purpose(text, language)
        .or_else(|| reason::recorded(text, language).filter(|_| !typed))
        .unwrap_or_else(|| text.to_string())
}

/// By which right: `document.read by role agent` names the role as the page of people does.
pub fn right(right: &str, language: Language) -> String {
    match right.rsplit_once(" by role ") {
        Some((permission, role)) => format!("{permission} by role {}", role_word(role, language)),
        None => right.to_string(),
    }
}

fn word(family: &str, name: &str, language: Language) -> Option<String> {
    let plain = !name.is_empty() && name.bytes().all(|sign| sign.is_ascii_lowercase() || sign == b' ' || sign == b'-');
    if !plain {
        return None;
    }
    let words = [name.replace([' ', '-'], "_"), name.to_string()];
    words.iter().map(|name| language.word(&format!("{family}_{name}"))).find(|word| !word.is_empty())
}

/// What a view was for, or what was looked for: `svg page 2`.
fn purpose(text: &str, language: Language) -> Option<String> {
    let word = |name: &str| PURPOSES.iter().find_map(|family| word(family, name, language));
    if let Some((name, page)) = text.split_once(" page ")
        && page.bytes().all(|digit| digit.is_ascii_digit())
        && let Some(what) = word(name)
    {
        return Some(language.word("purpose_page").replace("{what}", &what).replace("{n}", page));
    }
    word(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::web::audit::KINDS;

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

    fn record(kind: &str) -> Record {
        serde_json::from_value(serde_json::json!({
            "seq": 1, "time": "", "who": "", "from": "", "kind": kind, "what": "", "document": null, "why": "",
        }))
        .expect("a record")
    }

    #[test]
    fn purposes_are_told_and_what_people_typed_stays() {
        let read = record("read");
        assert_eq!(told(&read, "svg page 2", &[], Language::English), "Pages, page 2");
        for text in ["svg page 2", "text", "timeline", "second factor", "e-delivery", "customers", "deliveries"] {
            assert!(!told(&read, text, &[], Language::Chinese).contains(text), "{text}");
        }
        for text in ["status page 2", "Birch amount:>100", "svg page two", "load 7", ""] {
            assert_eq!(told(&record("search"), text, &[], Language::Chinese), text);
        }
    }

    #[test]
    fn what_is_composed_is_told_in_chinese_and_stays_in_english() {
        for (kind, text, chinese) in [
            ("unload", "load 7", "装载 7"),
            ("intake-rule", "rule 3 version 2", "规则 3，版本 2"),
            ("intake-rule", "queue INV_*, name a.txt is bill", "队列 INV_*、名称 a.txt 归 bill"),
            ("intake-preview", "arrival 7 (night of march.txt)", "到达 7（night of march.txt）"),
            ("intake-queue", "queue INV: pause", "队列 INV：暂停"),
            ("cut anew", "bill version 3 for 2", "bill 版本 3，取代 2"),
            ("set retention", "for ever", "永久"),
            ("distribution readdressed", "piece 3 goes to x@example.com", "第 3 件改寄 x@example.com"),
            ("distribution handed", "mail to x@example.com: taken", "mail 发往 x@example.com：已接收"),
            ("distribution handed", "run 4 piece 3 attempt 2: 250 ok", "批次 4 第 3 件第 2 次尝试：250 ok"),
            ("policy", "set limit region = user.region", "仅限 region = user.region"),
            ("request-changed", "resolved", "已解决"),
            ("verified", "callback", "回拨"),
            ("role", "supervisor", "主管"),
            ("task", "plan-pages", "按页规划"),
        ] {
            assert_eq!(told(&record(kind), text, &[], Language::Chinese), chinese, "{kind}");
        }
        assert_eq!(told(&record("unload"), "load 7", &[], Language::English), "load 7");
        assert_eq!(told(&record("unload"), "made twice, see 7", &[], Language::Chinese), "made twice, see 7");
        let outcome = WrapUp { code: "lost".into(), label: "Lost".into(), label_zh: "掉线".into() };
        assert_eq!(told(&record("contact-ended"), "lost", &[outcome], Language::Chinese), "掉线");
        assert_eq!(right("document.read by role agent", Language::Chinese), "document.read by role 坐席");
        assert_eq!(right("document.read by policy north", Language::Chinese), "document.read by policy north");
    }
}
