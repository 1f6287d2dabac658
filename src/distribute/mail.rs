//! Mails: a notice with a link, or documents as attachments. The same content gives the same bytes.
//!
//! A notice says who writes, which kind of document there is and until when the link leads to it; no amount, no name of
//! the account. The words lie in `templates/mail/`.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};

use super::DistributeError;
use super::channel::Content;

const ENGLISH: &str = include_str!("../../templates/mail/en.toml");
const CHINESE: &str = include_str!("../../templates/mail/zh-CN.toml");

type Words = BTreeMap<String, String>;

/// The words of a language; what is not Chinese is English.
fn words(language: &str) -> &'static Words {
    static BOTH: OnceLock<[Words; 2]> = OnceLock::new();
    let [english, chinese] =
        BOTH.get_or_init(|| [ENGLISH, CHINESE].map(|text| toml::from_str(text).unwrap_or_default()));
    if language.starts_with("zh") { chinese } else { english }
}

/// One text with its places filled in.
pub fn say(language: &str, key: &str, values: &[(&str, &str)]) -> String {
    let mut text = words(language).get(key).cloned().unwrap_or_default();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    text
}

/// Makes the mail.
pub fn compose(sender: &Mailbox, content: &Content) -> Result<Vec<u8>, DistributeError> {
    let broken = |error: &dyn std::fmt::Display| DistributeError::Compose(format!("the mail cannot be made: {error}"));
    let to: Mailbox = content.to.parse().map_err(|error| broken(&error))?;
    let reports = reports(content);
    let way = match (&content.link, content.files.is_empty()) {
        (Some(_), _) if content.documents.len() > 1 => "zip",
        (Some(_), _) => "link",
        (None, false) => "pdf",
        (None, true) => "notice",
    };
    let count = content.documents.len().to_string();
    let fill = [
        ("count", count.as_str()),
        ("report", reports.as_str()),
        ("link", content.link.as_deref().unwrap_or_default()),
        ("until", content.link_until.as_str()),
    ];
    let mut text = say(&content.language, &format!("{way}_text"), &fill);
    if content.copy {
        text = format!("{}\n\n{text}", say(&content.language, "copy_text", &[]));
    }
    let made = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(content.made_at.0).unwrap_or_default());
    let domain = sender.email.domain();
    let auto = HeaderName::new_from_ascii_str("Auto-Submitted");
    let builder = Message::builder()
        .from(sender.clone())
        .to(to)
        .subject(say(&content.language, &format!("{way}_subject"), &fill))
        .date(made)
        .message_id(Some(format!("<{}@{domain}>", content.id)))
        .raw_header(HeaderValue::new(auto, "auto-generated".into()));
    let text = text.replace('\n', "\r\n");
    let message = if content.files.is_empty() {
        builder.singlepart(SinglePart::plain(text)).map_err(|error| broken(&error))?
    } else {
        // The boundary comes from the id: random ones would make every attempt another mail.
        let boundary = format!("greenbar-{}", content.id);
        let mut parts = MultiPart::mixed().boundary(boundary).singlepart(SinglePart::plain(text));
        for file in &content.files {
            let media_type = ContentType::parse(&file.media_type).map_err(|error| broken(&error))?;
            parts = parts.singlepart(Attachment::new(file.name.clone()).body(file.bytes.clone(), media_type));
        }
        builder.multipart(parts).map_err(|error| broken(&error))?
    };
    Ok(message.formatted())
}

/// What the documents are called, each name once.
fn reports(content: &Content) -> String {
    let mut names: Vec<&str> = Vec::new();
    for document in &content.documents {
        if !names.contains(&document.report.as_str()) {
            names.push(&document.report);
        }
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::channel::{File, Mention};
    use super::*;
    use crate::crm::Time;

    fn content(language: &str) -> Content {
        let mention = Mention { report: "Bank statement 对账单".into(), ..Mention::default() };
        Content {
            id: "01abc".into(),
            to: "Ada <ada@example.com>".into(),
            language: language.into(),
            documents: vec![mention.clone(), mention],
            link: Some("https://bills.example.com/d/0123".into()),
            link_until: "2026-12-31".into(),
            made_at: Time(1_700_000_000),
            ..Content::default()
        }
    }

    fn sender() -> Mailbox {
        "Great Lakes <bills@lakes.example>".parse().expect("an address")
    }

    #[test]
    fn both_languages_have_the_same_texts() {
        let keys = |language: &str| words(language).keys().cloned().collect::<Vec<_>>();
        assert!(keys("en").len() >= 7);
        assert_eq!(keys("en"), keys("zh-CN"));
        for (key, text) in words("en") {
            let places = |text: &str| {
                let mut all: Vec<String> =
                    text.split('{').skip(1).map(|part| part.split('}').next().unwrap_or("").into()).collect();
                all.sort();
                all
            };
            assert_eq!(places(text), places(&words("zh")[key]), "{key}");
        }
    }

    #[test]
    fn the_same_piece_is_the_same_mail_and_says_nothing_of_the_account() {
        for language in ["en", "zh-CN"] {
            let one = compose(&sender(), &content(language)).expect("made");
            let text = say(language, "zip_text", &[("count", "2")]);
            assert!(text.contains('2') && text.contains("ZIP"), "{text}");
            assert_eq!(one, compose(&sender(), &content(language)).expect("made"));
            let text = String::from_utf8_lossy(&one);
            assert!(text.contains("Message-ID: <01abc@lakes.example>"), "{text}");
            assert!(text.contains("Date: Tue, 14 Nov 2023 22:13:20 +0000"), "{text}");
        }
        let with = Content {
            link: None,
            files: vec![File {
                name: "对账单.pdf".into(),
                media_type: "application/pdf".into(),
                bytes: b"%PDF".to_vec(),
            }],
            ..content("en")
        };
        let one = compose(&sender(), &with).expect("made");
        assert_eq!(one, compose(&sender(), &with).expect("made"));
        assert!(String::from_utf8_lossy(&one).contains("boundary=\"greenbar-01abc\""));
    }
}
