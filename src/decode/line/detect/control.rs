//! Carriage control and table reference characters.

use super::framing::Frame;
use super::{Findings, Wanted, share};

/// Which kind of carriage control the first byte of a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// ASA (ANSI): acts before the line is printed.
    Asa,
    /// Machine code: acts after the line is printed.
    Machine,
}

/// What stands before the text of a record.
#[derive(Debug, Clone, Copy, Default)]
pub struct Columns {
    /// Carriage control, if there is one.
    pub kind: Option<Control>,
    /// A table reference character follows it.
    pub trc: bool,
}

impl Columns {
    /// The letter in the record format.
    pub fn letter(self) -> &'static str {
        match self.kind {
            Some(Control::Asa) => "A",
            Some(Control::Machine) => "M",
            None => "",
        }
    }

    /// The word in a read specification.
    pub fn word(self) -> &'static str {
        match self.kind {
            Some(Control::Asa) => "asa",
            Some(Control::Machine) => "machine",
            None => "none",
        }
    }

    /// The text of a record.
    pub fn text(self, record: &[u8]) -> &[u8] {
        record.get(usize::from(self.kind.is_some()) + usize::from(self.trc)..).unwrap_or_default()
    }
}

/// Length of the longest record.
pub fn longest(records: &[&[u8]]) -> usize {
    records.iter().map(|record| record.len()).max().unwrap_or(0)
}

/// Finds carriage control and TRC.
pub fn find(records: &[&[u8]], frame: &Frame, wanted: &Wanted, found: &mut Findings) -> Columns {
    let tally = Tally::new(records, frame.ebcdic);
    let kind = match wanted.control {
        Some(fixed) => fixed,
        None if !frame.is_text() && tally.is_machine() => {
            found.say("the first byte of each record is a machine carriage control code".into());
            Some(Control::Machine)
        }
        None => tally.is_asa().then(|| {
            let pages = tally.ones;
            found.say(format!(
                "column 1 is ASA carriage control: {} of {} legal, {pages} page starts",
                tally.legal, tally.records
            ));
            Control::Asa
        }),
    };
    let trc = wanted.trc.unwrap_or_else(|| has_trc(records, kind.is_some(), frame.ebcdic));
    if trc && wanted.trc.is_none() {
        found.say("a table reference character follows the carriage control".into());
    }
    Columns { kind, trc }
}

/// Whether the records of a trial framing start with ASA control; for choosing a record length.
pub fn looks_controlled(records: &[&[u8]], ebcdic: bool) -> bool {
    let tally = Tally::new(records, ebcdic);
    tally.is_asa() || tally.is_machine()
}

/// Whether the records of a trial framing start with machine codes; for records without boundaries.
pub fn is_machine_coded(records: &[&[u8]]) -> bool {
    Tally::new(records, true).is_machine()
}

/// First bytes of records, counted by what they would mean.
#[derive(Debug, Default)]
struct Tally {
    records: usize,
    /// Records whose first byte is an ASA control.
    legal: usize,
    blanks: usize,
    /// Space 2, space 3, overprint.
    spacing: usize,
    /// Skips to channel 1.
    ones: usize,
    /// Skips to channels 2 to 12.
    channels: usize,
    /// Spacing or skip controls before a digit.
    before_digit: usize,
    /// Records whose first byte is a machine code.
    machine: usize,
    /// Machine codes that are no characters in any code page.
    machine_only: usize,
    first_is_one: bool,
}

impl Tally {
    fn new(records: &[&[u8]], ebcdic: bool) -> Tally {
        let mut tally = Tally::default();
        for record in records {
            let Some((&first, text)) = record.split_first() else { continue };
            tally.records += 1;
            tally.first_is_one |= tally.records == 1 && is_one(first, ebcdic);
            let digit = text.first().is_some_and(|byte| if ebcdic { *byte >= 0xF0 } else { byte.is_ascii_digit() });
            match (first, ebcdic) {
                (0x40, true) | (b' ', false) => tally.blanks += 1,
                (0xF0 | 0x60 | 0x4E, true) | (b'0' | b'-' | b'+', false) => {
                    tally.spacing += 1;
                    tally.before_digit += usize::from(digit);
                }
                (0xF1, true) | (b'1', false) => {
                    tally.ones += 1;
                    tally.before_digit += usize::from(digit);
                }
                (0xF2..=0xF9 | 0xC1..=0xC3, true) | (b'2'..=b'9' | b'A'..=b'C', false) => tally.channels += 1,
                _ => {}
            }
            tally.machine += usize::from(is_machine(first));
            tally.machine_only += usize::from(is_machine(first) && first < 0x20);
        }
        tally.legal = tally.blanks + tally.spacing + tally.ones + tally.channels;
        tally
    }

    /// Legal bytes alone prove nothing (digits are legal): it takes the shape of a report as well, and numbers in
    /// column 1 would go on in column 2.
    fn is_asa(&self) -> bool {
        let acting = self.spacing + self.ones;
        if self.records < 2 || acting == 0 || share(self.legal, self.records) < 0.99 {
            return false;
        }
        let a_number = acting >= 2 && share(self.before_digit, acting) > 0.7 && !self.first_is_one;
        let pages = self.ones > 0 && share(self.ones, self.records) <= 0.5;
        let spacing_alone = self.ones == 0 && self.records >= 10 && self.spacing > 1;
        !a_number
            && self.channels <= self.ones.max(self.records / 20)
            && share(self.blanks + self.spacing, self.records) >= 0.5
            && (pages || spacing_alone)
    }

    fn is_machine(&self) -> bool {
        self.records >= 2 && share(self.machine, self.records) >= 0.99 && share(self.machine_only, self.records) >= 0.3
    }
}

fn is_one(first: u8, ebcdic: bool) -> bool {
    first == if ebcdic { 0xF1 } else { b'1' }
}

/// Whether a byte is a machine code: write or immediate, space 0 to 3 or skip to channel 1 to 12. (Table 3.2.)
fn is_machine(byte: u8) -> bool {
    let action = byte >> 3;
    let low = byte & 0x07;
    (matches!(low, 1 | 3) && (action <= 3 || (0x11..=0x1C).contains(&action))) || byte == 0x5A
}

/// Whether the byte behind the control (or the first one) chooses a font in every record.
///
/// Without control, the digit must stand on blank lines too: a column of account numbers would not.
fn has_trc(records: &[&[u8]], controlled: bool, ebcdic: bool) -> bool {
    let at = usize::from(controlled);
    let zero = if ebcdic { 0xF0 } else { b'0' };
    let blank = if ebcdic { 0x40 } else { b' ' };
    let mut with = 0;
    let mut legal = 0;
    let mut then_digit = 0;
    let mut on_blank_lines = 0;
    for record in records {
        let Some((&trc, text)) = record.get(at..).and_then(<[u8]>::split_first) else { continue };
        with += 1;
        legal += usize::from((zero..=zero + 3).contains(&trc));
        then_digit += usize::from(text.first().is_some_and(|byte| (zero..=zero + 9).contains(byte)));
        on_blank_lines += usize::from(text.iter().all(|&byte| byte == blank));
    }
    with >= 3
        && share(legal, with) >= 0.995
        && share(then_digit, with) < 0.5
        && (controlled || share(on_blank_lines, with) > 0.02)
}
