//! Forms with a file in them (RFC 7578), read whole from a body that was bounded before.

use actix_web::HttpRequest;
use actix_web::http::header;

use super::ask::Params;
use super::problem::Problem;

/// Parts of a form; more are no form of ours.
const MOST_PARTS: usize = 40;
/// Longest boundary that the rule allows.
const MOST_BOUNDARY: usize = 70;

/// A form that was read.
#[derive(Debug, Default)]
pub struct Form<'b> {
    /// Its texts.
    pub params: Params,
    /// The file's own name and its bytes, when one was chosen.
    pub file: Option<(String, &'b [u8])>,
}

/// One part: what its header says, and its bytes.
struct Part<'b> {
    name: String,
    file: Option<String>,
    bytes: &'b [u8],
}

/// The boundary of a request's form; `None`: it has another kind of body.
pub fn boundary(request: &HttpRequest) -> Option<String> {
    let kind = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (kind, rest) = kind.split_once(';')?;
    let found = rest.split(';').find_map(|one| one.trim().strip_prefix("boundary="))?.trim_matches('"');
    let fits = kind.trim().eq_ignore_ascii_case("multipart/form-data") && (1..=MOST_BOUNDARY).contains(&found.len());
    fits.then(|| found.to_string())
}

/// The forgery token in a form; two of them are one too many.
pub fn token(boundary: &str, body: &[u8]) -> Option<Vec<u8>> {
    let mut tokens = parts(boundary, body)?.into_iter().filter(|part| part.name == "csrf");
    let token = tokens.next()?;
    tokens.next().is_none().then(|| token.bytes.to_vec())
}

/// Reads a form of which these texts are known, and one file called `file`.
pub fn form<'b>(boundary: &str, body: &'b [u8], known: &[&str], file: &str) -> Result<Form<'b>, Problem> {
    let broken = || Problem::bad_body("The form cannot be read.");
    let (mut pairs, mut found) = (Vec::new(), None);
    for part in parts(boundary, body).ok_or_else(broken)? {
        if let Some(name) = part.file.filter(|_| part.name == file) {
            // A browser sends an empty file when none is chosen.
            if !part.bytes.is_empty() {
                found = Some((name, part.bytes));
            }
            continue;
        }
        let text = std::str::from_utf8(part.bytes).map_err(|_| Problem::bad_body("The form is not UTF-8."))?;
        pairs.push((part.name, text.to_string()));
    }
    Ok(Form { params: Params::checked(pairs, known)?, file: found })
}

fn parts<'b>(boundary: &str, body: &'b [u8]) -> Option<Vec<Part<'b>>> {
    let line = format!("--{boundary}");
    let between = format!("\r\n{line}");
    let mut rest = body.strip_prefix(line.as_bytes())?;
    let mut parts = Vec::new();
    while let Some(part) = rest.strip_prefix(b"\r\n") {
        let head_end = memchr::memmem::find(part, b"\r\n\r\n")?;
        let (head, content) = (part.get(..head_end)?, part.get(head_end + 4..)?);
        let end = memchr::memmem::find(content, between.as_bytes())?;
        let (name, file) = names(std::str::from_utf8(head).ok()?)?;
        parts.push(Part { name, file, bytes: content.get(..end)? });
        rest = content.get(end + between.len()..)?;
        if parts.len() > MOST_PARTS {
            return None;
        }
    }
    rest.starts_with(b"--").then_some(parts)
}

/// `name` and `filename` of a part's header.
fn names(head: &str) -> Option<(String, Option<String>)> {
    let said = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("content-disposition").then(|| value.trim())
    })?;
    let quoted = |key: &str| {
        let (_, rest) = said.split_once(&format!("; {key}=\""))?;
        // Browsers write a quote in a name as %22.
        rest.split_once('"').map(|(value, _)| value.to_string())
    };
    Some((quoted("name")?, quoted("filename")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"--XX\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n--XX\r\n\
        Content-Disposition: form-data; name=\"sample\"; filename=\"a.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n\
        \x00\r\n--X\r\n\xff\r\n--XX--\r\n";

    #[test]
    fn texts_and_the_file_come_as_they_were_sent() {
        let form = form("XX", BODY, &["csrf"], "sample").expect("a form");
        assert_eq!(form.params.get("csrf"), Some("abc"));
        assert_eq!(form.file, Some(("a.bin".to_string(), &b"\x00\r\n--X\r\n\xff"[..])));
        assert_eq!(token("XX", BODY), Some(b"abc".to_vec()));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for cut in 0..BODY.len() - 4 {
            assert!(form("XX", &BODY[..cut], &["csrf"], "sample").is_err(), "{cut}");
        }
        assert!(form("XX", BODY, &["other"], "sample").is_err(), "an unknown text");
        assert_eq!(token("YY", BODY), None);
    }
}
