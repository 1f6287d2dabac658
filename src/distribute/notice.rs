//! Reads what mail servers send back: delivery status notifications (RFC 3464, in a `multipart/report` of RFC 6522).
//!
//! The piece is told by what we sent: the envelope id (`Original-Envelope-Id`), the address that the notice went to
//! (`bounces+PIECE@`), or the `Message-ID` of the mail that comes back in it. Mails that are no such notice (answers of
//! people on holiday, advertisements) say nothing. Anybody can write to that address: nothing here trusts a length.

use super::evidence::What;

/// Parts of a mail looked at.
const MOST_PARTS: usize = 20;
/// Characters kept of what a server said.
const MOST_SAID: usize = 300;

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Ids that it may be about, the surest first.
    pub ids: Vec<String>,
    /// What became of the mail.
    pub what: What,
    /// The status code and the words of the server.
    pub said: String,
    /// The address will not be there later either (status 5.1.x, 5.2.1).
    pub is_gone: bool,
}

/// Reads a mail; `None`: it is no notice.
pub fn read(mail: &[u8]) -> Option<Notice> {
    let text = String::from_utf8_lossy(mail).replace("\r\n", "\n");
    let (head, body) = split(&text);
    let content_type = header(head, "content-type")?;
    if !content_type.to_ascii_lowercase().starts_with("multipart/report") {
        return None;
    }
    let boundary = format!("--{}", parameter(&content_type, "boundary")?);
    let (mut status, mut ids) = (None, Vec::new());
    for part in body.split(boundary.as_str()).skip(1).take(MOST_PARTS) {
        let (head, body) = split(part.trim_start_matches('\n'));
        let kind = header(head, "content-type").unwrap_or_default().to_ascii_lowercase();
        match kind.split(';').next().unwrap_or_default().trim() {
            "message/delivery-status" | "message/global-delivery-status" => status = status.or_else(|| report(body)),
            "message/rfc822" | "text/rfc822-headers" | "message/global" | "message/global-headers" => {
                ids.extend(header(split(body).0, "message-id").and_then(|id| token(id.trim_start_matches('<'))));
            }
            _ => {}
        }
    }
    let (envelope, what, said, is_gone) = status?;
    let verp = ["x-original-to", "delivered-to", "to"].iter().filter_map(|name| header(head, name));
    let verp = verp.filter_map(|to| token(to.rsplit_once('+')?.1));
    let ids = envelope.and_then(|id| token(&id)).into_iter().chain(verp).chain(ids).collect();
    Some(Notice { ids, what, said, is_gone })
}

/// The fields of a `message/delivery-status`: those of the mail, then those of its first recipient.
fn report(body: &str) -> Option<(Option<String>, What, String, bool)> {
    let mut groups = body.split("\n\n").filter(|group| !group.trim().is_empty());
    let of_mail = groups.next()?;
    let of_recipient = groups.find(|group| header(group, "action").is_some())?;
    let what = match header(of_recipient, "action")?.to_ascii_lowercase().as_str() {
        "failed" => What::Bounced,
        "delayed" => What::Delayed,
        "delivered" => What::Delivered,
        "relayed" | "expanded" => What::Relayed,
        _ => return None,
    };
    let status = header(of_recipient, "status").unwrap_or_default();
    let words = header(of_recipient, "diagnostic-code").unwrap_or_default();
    let words = words.split_once(';').map_or(words.as_str(), |(_, words)| words).trim();
    let said = format!("{status} {words}");
    let said = said.chars().filter(|c| !c.is_control()).take(MOST_SAID).collect::<String>().trim().to_string();
    let is_gone = what == What::Bounced && (status.starts_with("5.1.") || status.starts_with("5.2.1"));
    Some((header(of_mail, "original-envelope-id"), what, said, is_gone))
}

/// Head and body.
fn split(text: &str) -> (&str, &str) {
    text.split_once("\n\n").unwrap_or((text, ""))
}

/// A field of a head, with the lines that belong to it.
fn header(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines();
    let first = lines.find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.trim().eq_ignore_ascii_case(name).then_some(value)
    })?;
    let mut value = first.trim().to_string();
    for more in lines.take_while(|line| line.starts_with([' ', '\t'])) {
        value.push(' ');
        value.push_str(more.trim());
    }
    Some(value)
}

fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        let value = value.trim().trim_matches('"');
        (key.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then(|| value.to_string())
    })
}

/// The id at the beginning of a text: what our ids are made of, up to the `@`.
fn token(text: &str) -> Option<String> {
    let id: String = text.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').take(65).collect();
    (8..=64).contains(&id.len()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From: MAILER-DAEMON@mx.example\r\nTo: bounces+0123456789abcdef@lakes.example\r\n\
        Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"b/1\"\r\n\r\nwords\r\n--b/1\r\n\r\nSorry.\r\n\
        --b/1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\nENVID\r\n\
        Final-Recipient: rfc822; ada@example.com\r\nAction: ACTION\r\nStatus: 5.1.1\r\n\
        Diagnostic-Code: smtp; 550 5.1.1 <ada@example.com>:\r\n no such user\r\n\r\n--b/1\r\nContent-Type: message/rfc822\r\n\r\n\
        Subject: A bill\r\nMessage-ID: <fedcba9876543210@lakes.example>\r\n\r\nHello.\r\n--b/1--\r\n";

    fn notice(action: &str, envelope: &str) -> Option<Notice> {
        read(MAIL.replace("ACTION", action).replace("ENVID\r\n", envelope).as_bytes())
    }

    #[test]
    fn a_bounce_says_which_piece_and_why() {
        let notice = notice("failed", "Original-Envelope-Id: 00112233\r\n\r\n").expect("a notice");
        assert_eq!(notice.ids, ["00112233", "0123456789abcdef", "fedcba9876543210"]);
        assert_eq!((notice.what, notice.is_gone), (What::Bounced, true));
        assert_eq!(notice.said, "5.1.1 550 5.1.1 <ada@example.com>: no such user");
    }

    #[test]
    fn other_actions_are_told_apart_and_other_mail_says_nothing() {
        for (action, what) in [("delivered", What::Delivered), ("relayed", What::Relayed), ("delayed", What::Delayed)] {
            let found = notice(action, "\r\n").expect("a notice");
            assert_eq!((found.what, found.is_gone, found.ids.len()), (what, false, 2));
        }
        assert_eq!(notice("invented", "\r\n"), None);
        assert_eq!(read(b"Subject: I am on holiday\r\nTo: bounces+0123456789abcdef@lakes.example\r\n\r\nHi\r\n"), None);
    }

    #[test]
    fn no_cut_and_no_changed_byte_makes_it_panic() {
        for at in 0..MAIL.len() {
            let _ = read(&MAIL.as_bytes()[..at]);
            let mut changed = MAIL.as_bytes().to_vec();
            changed[at] = changed[at].wrapping_add(97);
            let _ = read(&changed);
        }
    }
}
