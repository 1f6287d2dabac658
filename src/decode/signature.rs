//! Tells print streams apart by what they start with, formats included that greenbar cannot decode yet.
//!
//! Adding one: a row in [`SIGNATURES`]. Line data has no signature; see `line/detect`.

/// One format and how it is recognised.
struct Signature {
    /// The word for it in `inspect`.
    format: &'static str,
    /// How sure the head of a stream makes us, 0 to 1.
    score: fn(&[u8]) -> f32,
    /// What was seen when it is.
    evidence: &'static str,
}

static SIGNATURES: &[Signature] = &[
    Signature { format: "pdf", score: pdf, evidence: "%PDF- stands near the start" },
    Signature {
        format: "postscript",
        score: postscript,
        evidence: "it starts with %!, behind printer job language at most",
    },
    Signature { format: "tiff", score: tiff, evidence: "it starts with the byte order and number of a TIFF file" },
    Signature { format: "pcl-xl", score: pcl_xl, evidence: "it has a PCL XL stream header" },
    Signature { format: "pcl", score: pcl, evidence: "it starts with PCL escape sequences or printer job language" },
    Signature {
        format: "afp",
        score: super::afp::confidence,
        evidence: "structured fields (X'5A', length, X'D3') follow one another",
    },
    Signature { format: "scs", score: scs, evidence: "EBCDIC text with SCS controls" },
];

/// A format that a stream may be in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// The word for it in `inspect`.
    pub format: &'static str,
    /// 0 to 1.
    pub confidence: f32,
    /// What was seen.
    pub evidence: &'static str,
}

/// The formats whose signature the head of a stream shows, the surest first.
pub fn matches(head: &[u8]) -> Vec<Match> {
    let mut found: Vec<Match> = SIGNATURES
        .iter()
        .map(|row| Match { format: row.format, confidence: (row.score)(head), evidence: row.evidence })
        .filter(|found| found.confidence > 0.0)
        .collect();
    found.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    found
}

/// Universal exit language: ends one printer language and starts PJL.
pub const UEL: &[u8] = b"\x1B%-12345X";
/// The start of a PJL line.
pub const PJL: &[u8] = b"@PJL";

/// What comes after universal exits, PJL lines, blanks, NULs and a Ctrl-D.
fn behind_job_language(head: &[u8]) -> &[u8] {
    let mut rest = head;
    loop {
        let trimmed = rest.trim_ascii_start();
        let trimmed = trimmed.strip_prefix(&[0]).or_else(|| trimmed.strip_prefix(&[4])).unwrap_or(trimmed);
        let trimmed = trimmed.strip_prefix(UEL).unwrap_or(trimmed);
        let next = if trimmed.starts_with(PJL) {
            let line = memchr::memchr(b'\n', trimmed).map_or(trimmed.len(), |at| at + 1);
            trimmed.get(line..).unwrap_or_default()
        } else {
            trimmed
        };
        if next.len() == rest.len() {
            return rest;
        }
        rest = next;
    }
}

fn pdf(head: &[u8]) -> f32 {
    let near = head.get(..1024).unwrap_or(head);
    if behind_job_language(head).starts_with(b"%PDF-") {
        1.0
    } else if memchr::memmem::find(near, b"%PDF-").is_some() {
        0.9
    } else {
        0.0
    }
}

fn postscript(head: &[u8]) -> f32 {
    let start = behind_job_language(head);
    if start.starts_with(b"%!PS") {
        1.0
    } else if start.starts_with(b"%!") || start.starts_with(&[0xC5, 0xD0, 0xD3, 0xC6]) {
        0.9
    } else {
        0.0
    }
}

fn tiff(head: &[u8]) -> f32 {
    match head {
        [b'I', b'I', 42 | 43, 0, _, _, _, _, ..] | [b'M', b'M', 0, 42 | 43, _, _, _, _, ..] => 1.0,
        _ => 0.0,
    }
}

fn pcl_xl(head: &[u8]) -> f32 {
    let start = behind_job_language(head);
    if [b") HP-PCL XL", b"( HP-PCL XL", b"' HP-PCL XL"].iter().any(|header| start.starts_with(*header)) {
        1.0
    } else {
        0.0
    }
}

fn pcl(head: &[u8]) -> f32 {
    let led = head.trim_ascii_start();
    if led.starts_with(UEL) || led.starts_with(PJL) {
        return 0.95;
    }
    match behind_job_language(head) {
        [0x1B, b'E', ..] => 0.97,
        [0x1B, b'%' | b'&' | b'(' | b')' | b'*', ..] => 0.9,
        _ => {
            // Text with escape sequences further on.
            let near = head.get(..4096).unwrap_or(head);
            let known = near.windows(2).filter(|pair| matches!(pair, [0x1B, b'%' | b'&' | b'(' | b')' | b'*'])).count();
            if known >= 4 && !near.contains(&0) { 0.8 } else { 0.0 }
        }
    }
}

/// EBCDIC text with SCS controls and without records.
fn scs(head: &[u8]) -> f32 {
    let near = head.get(..8192).unwrap_or(head);
    if near.len() < 16 {
        return 0.0;
    }
    let text = near
        .iter()
        .filter(|byte| {
            matches!(byte, 0x40 | 0x4B..=0x50 | 0x5B..=0x61 | 0x6B..=0x6F | 0x7A..=0x7F
        | 0x81..=0x89 | 0x91..=0x99 | 0xA2..=0xA9 | 0xC1..=0xC9 | 0xD1..=0xD9 | 0xE2..=0xE9 | 0xF0..=0xF9)
        })
        .count();
    let (mut formats, mut positions, mut lines, mut pages, mut ends, mut others) = (0, 0, 0, 0, 0, 0);
    let mut rest = near;
    while let Some((&code, tail)) = rest.split_first() {
        let skip = match (code, tail) {
            (0x2B, [0xC1 | 0xC2 | 0xC6 | 0xC8 | 0xD1..=0xD4 | 0xFD | 0xFE, length @ 1..=40, ..]) => {
                formats += 1;
                1 + usize::from(*length)
            }
            (0x34, [0xC0 | 0xC4 | 0xC8 | 0x4C, _, ..]) => {
                positions += 1;
                2
            }
            (0x15, _) => {
                lines += 1;
                0
            }
            (0x0C, _) => {
                pages += 1;
                0
            }
            (0x19, _) => {
                ends += 1;
                0
            }
            (0x05 | 0x0D..=0x0F | 0x16 | 0x25 | 0x40.., _) => 0,
            _ => {
                others += 1;
                0
            }
        };
        rest = tail.get(skip..).unwrap_or_default();
    }
    let mostly_text = text * 10 > near.len() * 7;
    match (mostly_text, formats, positions) {
        (true, 2.., _) | (true, 1, 1..) => 0.95,
        // A listing of an LU 1 printer: new lines, page ends, and nothing else.
        (true, 0, 0) if others == 0 && lines > 0 && pages > 0 && (ends > 0 || starts_in_text(near)) => 0.75,
        _ => 0.0,
    }
}

/// Whether lines do not all start with a carriage control code.
fn starts_in_text(near: &[u8]) -> bool {
    near.split(|byte| matches!(byte, 0x15 | 0x25))
        .filter_map(|line| line.first())
        .any(|byte| !matches!(byte, 0x40 | 0xF0..=0xF9 | 0x60 | 0x4E | 0xC1..=0xC3 | 0x0C | 0x0D))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_seen_behind_job_language() {
        let first = |head: &[u8]| matches(head).first().map(|found| found.format);
        assert_eq!(first(b"%PDF-1.7\n"), Some("pdf"));
        assert_eq!(
            first(b"\x1B%-12345X@PJL JOB\r\n@PJL ENTER LANGUAGE=POSTSCRIPT\r\n%!PS-Adobe\n"),
            Some("postscript")
        );
        assert_eq!(first(b"\x04%!PS-Adobe-3.0\n"), Some("postscript"));
        assert_eq!(first(b"\x1B%-12345X@PJL ENTER LANGUAGE=PDF\n%PDF-1.4"), Some("pdf"));
        assert_eq!(first(b"\x1B%-12345X@PJL ENTER LANGUAGE=PCLXL\n) HP-PCL XL;2;0\n"), Some("pcl-xl"));
        assert_eq!(first(b"\x1BE\x1B&l0O"), Some("pcl"));
        assert_eq!(first(b"@PJL ENTER LANGUAGE=PCL\n\x1BE"), Some("pcl"));
        assert_eq!(first(b"\x5A\x00\x10\xD3\xA8\xA8\x00\x00\x00\xC4\xC4\xC4\xC4\xC4\xC4\xC4\xC4"), Some("afp"));
        for text in [&b"Dear customer,\n"[..], b"", b"\x5A", b"1 REPORT", b"%", b"II", b"\x1B"] {
            assert_eq!(first(text), None, "{text:?}");
        }
    }
}
