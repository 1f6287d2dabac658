//! A [`ReadSpec`] for line data, checked and ready to decode with.

use super::check::Checker;
use super::control::{self, Actions, Control, DEFAULT_LINES, Form};
use crate::decode::{DecodeError, ReadSpec};
use crate::frame::codepage::CodePage;
use crate::frame::{Framing, RECORD_LIMIT, lines::Ends, prefix::Order};

/// How to decode one line data stream.
#[derive(Debug)]
pub struct Layout {
    /// How records are told apart.
    pub framing: Framing,
    /// What moves the paper.
    pub control: Control,
    /// What each carriage control byte does.
    pub actions: Actions,
    /// Whether a table reference character stands before the text.
    pub trc: bool,
    /// Page length and channels.
    pub form: Form,
    /// The code page of the text.
    pub code_page: &'static CodePage,
    /// EBCDIC or ASCII controls.
    pub ebcdic: bool,
    /// SO and SI take no column on paper.
    pub narrow_shifts: bool,
    /// Longest allowed data of a record; longer ones are noted.
    pub record_limit: usize,
    /// Looks for bytes without meaning.
    pub checker: Checker,
}

const FRAMINGS: &str = "fixed, rdw, bdw-rdw, le16, be16, nl, crlf, cr, nel, glued";
const RECORD_FORMATS: &str = "F, FB, V, VB, VBS or text, followed by A or M for carriage control";

impl Layout {
    /// Checks `how`. What it leaves open gets the usual values of its record format.
    pub fn new(how: &ReadSpec) -> Result<Layout, DecodeError> {
        let name = how.code_page.as_deref().unwrap_or("ibm-1047");
        let code_page = CodePage::find(name).ok_or_else(|| {
            unknown("code_page", name, "the name of a code page, such as ibm-1047, iso-8859-1, utf-8")
        })?;
        let ebcdic = code_page.is_ebcdic();
        let (format, letter) = record_format(how)?;
        let framing = framing(how, &format, ebcdic)?;
        let control = match how.carriage_control.as_deref() {
            None => letter,
            Some("asa") => Control::Asa,
            Some("machine") => Control::Machine,
            Some("none") => Control::None,
            Some(other) => return Err(unknown("carriage_control", other, "asa, machine, none")),
        };
        let longest = match framing {
            Framing::Lines(_) | Framing::Fixed(_) => RECORD_LIMIT,
            _ => how.record_length.map_or(RECORD_LIMIT, to_usize),
        };
        Ok(Layout {
            framing,
            control,
            actions: if control == Control::Machine { control::machine() } else { control::asa(ebcdic) },
            trc: how.trc.unwrap_or(false),
            form: Form::new(how.lines_per_page.filter(|lines| *lines > 0).unwrap_or(DEFAULT_LINES), &how.channels),
            code_page,
            ebcdic,
            narrow_shifts: how.shift_width == Some(0) && code_page.has_shifts(),
            record_limit: longest,
            checker: Checker::new(code_page),
        })
    }

    /// Whether records are lines of text, in which control codes act.
    pub fn is_text(&self) -> bool {
        matches!(self.framing, Framing::Lines(_))
    }
}

/// The record format without its carriage control letter, and what the letter says.
fn record_format(how: &ReadSpec) -> Result<(String, Control), DecodeError> {
    let Some(given) = how.record_format.as_deref() else { return Ok((String::new(), Control::None)) };
    let upper = given.to_ascii_uppercase();
    let (stem, control) = match (upper.strip_suffix('A'), upper.strip_suffix('M')) {
        (Some(stem), _) => (stem, Control::Asa),
        (_, Some(stem)) => (stem, Control::Machine),
        _ => (upper.as_str(), Control::None),
    };
    match stem {
        "F" | "FB" | "FS" | "FBS" | "V" | "VB" | "VS" | "VBS" | "TEXT" => Ok((stem.into(), control)),
        _ => Err(unknown("record_format", given, RECORD_FORMATS)),
    }
}

fn framing(how: &ReadSpec, format: &str, ebcdic: bool) -> Result<Framing, DecodeError> {
    let text = Framing::Lines(if ebcdic { Ends::Ebcdic } else { Ends::Ascii });
    let framing = match (how.framing.as_deref(), format) {
        (Some("fixed"), _) | (None, "F" | "FB" | "FS" | "FBS") => Framing::Fixed(fixed_length(how)?),
        (Some("rdw"), _) | (None, "V" | "VS") => Framing::Descriptors { blocked: false },
        (Some("bdw-rdw"), _) | (None, "VB" | "VBS") => Framing::Descriptors { blocked: true },
        (Some("le16"), _) => Framing::Prefixed(Order::Little),
        (Some("be16"), _) => Framing::Prefixed(Order::Big),
        (Some("nl" | "lf" | "crlf"), _) => Framing::Lines(Ends::Ascii),
        (Some("cr"), _) => Framing::Lines(Ends::Cr),
        (Some("nel"), _) => Framing::Lines(Ends::Ebcdic),
        (Some("glued"), _) => Framing::Glued,
        (None, "" | "TEXT") => text,
        (Some(other), _) => return Err(unknown("framing", other, FRAMINGS)),
        (None, other) => return Err(unknown("record_format", other, RECORD_FORMATS)),
    };
    Ok(framing)
}

fn fixed_length(how: &ReadSpec) -> Result<usize, DecodeError> {
    match how.record_length.map(to_usize) {
        Some(length) if (1..=RECORD_LIMIT).contains(&length) => Ok(length),
        Some(length) => Err(unknown("record_length", &length.to_string(), "1 to 32760")),
        None => Err(unknown("record_length", "", "1 to 32760; fixed records need it")),
    }
}

fn to_usize(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn unknown(key: &'static str, value: &str, allowed: &str) -> DecodeError {
    DecodeError::Unknown { key, value: value.into(), allowed: allowed.into() }
}
