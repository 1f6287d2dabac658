//! Carriage control: what the first byte of a record does to the paper.
//!
//! ASA (ANSI) codes act before the record is printed, machine codes after. Both are rows of a table of 256
//! [`Action`]s; a [`Form`] (the forms control buffer: page length and channels) says where a motion ends.
//! Rules: `docs/formats/line-data.md`, "Carriage control".

use std::collections::BTreeMap;

/// Where the carriage control of a stream comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// Nothing but the order of the records.
    None,
    /// ASA character: move, then print.
    Asa,
    /// Machine code: print, then move.
    Machine,
}

/// Movement of the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// None: overprint.
    Stay,
    /// Down by so many lines.
    Space(u16),
    /// To the next line that has this channel (1 to 12).
    Skip(u8),
}

/// What one carriage control byte says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// Whether the data of the record is printed.
    pub print: bool,
    /// How the paper moves.
    pub motion: Motion,
    /// Whether the byte is a carriage control of its kind; if not it acts as a single space.
    pub known: bool,
}

/// An action for each byte.
pub type Actions = [Action; 256];

const SINGLE: Action = Action { print: true, motion: Motion::Space(1), known: true };
const UNKNOWN: Action = Action { known: false, ..SINGLE };

/// The ASA characters of `ebcdic` or ASCII text.
pub fn asa(ebcdic: bool) -> Actions {
    let digits = if ebcdic { 0xF0 } else { b'0' };
    let letters = if ebcdic { 0xC1 } else { b'A' };
    let signs: [(u8, Motion); 4] = if ebcdic {
        [(0x40, Motion::Space(1)), (0xF0, Motion::Space(2)), (0x60, Motion::Space(3)), (0x4E, Motion::Stay)]
    } else {
        [(b' ', Motion::Space(1)), (b'0', Motion::Space(2)), (b'-', Motion::Space(3)), (b'+', Motion::Stay)]
    };
    let channels = (1..=9).map(|n| (digits + n, Motion::Skip(n)));
    let channels = channels.chain((10..=12).map(|n| (letters + n - 10, Motion::Skip(n))));
    // Punch stackers V and W move paper as a blank does.
    let stackers = if ebcdic { [0xE5, 0xE6] } else { [b'V', b'W'] };
    let stackers = stackers.into_iter().map(|byte| (byte, Motion::Space(1)));
    let mut actions = [UNKNOWN; 256];
    for (byte, motion) in signs.into_iter().chain(channels).chain(stackers) {
        set(&mut actions, byte, Action { motion, ..SINGLE });
    }
    // Some report writers put a form feed where the control character belongs.
    set(&mut actions, 0x0C, Action { motion: Motion::Skip(1), ..SINGLE });
    if ebcdic {
        set(&mut actions, STRUCTURED_FIELD, NOTHING);
    }
    actions
}

/// First byte of an AFP structured field in a line data stream: it prints nothing here.
pub const STRUCTURED_FIELD: u8 = 0x5A;

const NOTHING: Action = Action { print: false, motion: Motion::Stay, known: true };

/// Channel commands that load buffers, select fonts or sense, and move no paper.
const SILENT: [u8; 17] =
    [0x03, 0x04, 0x06, 0x07, 0x15, 0x1F, 0x23, 0x2B, 0x33, 0x3B, 0x43, 0x4B, 0x53, 0x63, 0x73, 0xE5, 0xEB];

/// The machine codes. `.. .. .. 01` prints and moves, `.. .. .. 11` only moves.
pub fn machine() -> Actions {
    let mut actions = [UNKNOWN; 256];
    for lines in 0..=3u8 {
        let motion = if lines == 0 { Motion::Stay } else { Motion::Space(lines.into()) };
        set(&mut actions, lines << 3 | 1, Action { motion, ..SINGLE });
        set(&mut actions, lines << 3 | 3, Action { motion, print: false, known: true });
    }
    for channel in 1..=12u8 {
        let motion = Motion::Skip(channel);
        set(&mut actions, 0x80 | channel << 3 | 1, Action { motion, ..SINGLE });
        set(&mut actions, 0x80 | channel << 3 | 3, Action { motion, print: false, known: true });
    }
    for byte in SILENT.into_iter().chain([STRUCTURED_FIELD, 0x5B]) {
        set(&mut actions, byte, NOTHING);
    }
    actions
}

fn set(actions: &mut Actions, byte: u8, action: Action) {
    if let Some(slot) = actions.get_mut(usize::from(byte)) {
        *slot = action;
    }
}

/// Looks up what `byte` does.
#[inline]
pub fn action(actions: &Actions, byte: u8) -> Action {
    actions.get(usize::from(byte)).copied().unwrap_or(UNKNOWN)
}

/// Page length when nothing else is said: 11 inches at 6 lines per inch.
pub const DEFAULT_LINES: u16 = 66;

/// The forms control buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Lines on a page.
    pub lines: u16,
    /// Lines with each channel, rising; index 0 is unused.
    stops: [Vec<u16>; 13],
}

/// Where a motion ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// A new page was started on the way.
    pub eject: bool,
    /// The row, from 1.
    pub row: u16,
}

impl Form {
    /// A form of `lines` lines. Without any `channels`, channel 1 is the first line and 9 and 12 stand three lines above the
    /// end; a channel without lines acts as a single space.
    pub fn new(lines: u16, channels: &BTreeMap<u8, Vec<u16>>) -> Form {
        let lines = lines.max(1);
        let mut stops: [Vec<u16>; 13] = Default::default();
        for (channel, stop) in stops.iter_mut().zip(0u8..).map(|(stop, channel)| (channel, stop)) {
            match channels.get(&channel) {
                Some(given) => stop.extend(given.iter().copied().filter(|row| (1..=lines).contains(row))),
                None if channels.is_empty() && matches!(channel, 9 | 12) && lines > 3 => stop.push(lines - 3),
                None => {}
            }
            if channel == 1 && stop.is_empty() {
                stop.push(1);
            }
            stop.sort_unstable();
            stop.dedup();
        }
        Form { lines, stops }
    }

    /// Where `motion` ends from `row` (0: above the first line). `touched`: something was printed or spaced since the
    /// paper came to `row`; if not, a skip to a channel of this very row stays there.
    #[inline]
    pub fn moved(&self, row: u16, touched: bool, motion: Motion) -> Place {
        match motion {
            Motion::Stay => Place { eject: false, row: row.max(1) },
            Motion::Space(lines) => self.spaced(row, lines),
            Motion::Skip(channel) => {
                let stops = self.stops.get(usize::from(channel)).map_or(&[][..], Vec::as_slice);
                let Some(first) = stops.first() else { return self.spaced(row, 1) };
                match stops.iter().find(|stop| **stop > row || (**stop == row && !touched)) {
                    Some(stop) => Place { eject: false, row: *stop },
                    None => Place { eject: true, row: *first },
                }
            }
        }
    }

    #[inline]
    fn spaced(&self, row: u16, lines: u16) -> Place {
        let row = row.saturating_add(lines);
        if row > self.lines { Place { eject: true, row: 1 } } else { Place { eject: false, row } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standard() -> Form {
        Form::new(66, &BTreeMap::new())
    }

    #[test]
    fn asa_characters_mean_the_same_in_both_alphabets() {
        for (ebcdic, ascii) in
            [(0x40, b' '), (0xF0, b'0'), (0x60, b'-'), (0x4E, b'+'), (0xF1, b'1'), (0xF9, b'9'), (0xC3, b'C')]
        {
            assert_eq!(action(&asa(true), ebcdic), action(&asa(false), ascii));
            assert!(action(&asa(true), ebcdic).known);
        }
        assert!(!action(&asa(false), b'Q').known);
        assert_eq!(action(&asa(false), b'Q').motion, Motion::Space(1));
    }

    #[test]
    fn machine_codes_of_the_printed_table() {
        let actions = machine();
        let skips = [0x89, 0x91, 0x99, 0xA1, 0xA9, 0xB1, 0xB9, 0xC1, 0xC9, 0xD1, 0xD9, 0xE1];
        for (channel, write) in (1..).zip(skips) {
            let expected = Action { print: true, motion: Motion::Skip(channel), known: true };
            assert_eq!(action(&actions, write), expected);
            assert_eq!(action(&actions, write + 2), Action { print: false, ..expected });
        }
        assert_eq!(action(&actions, 0x01).motion, Motion::Stay);
        assert_eq!(action(&actions, 0x19).motion, Motion::Space(3));
        assert_eq!(action(&actions, 0x0B), Action { print: false, motion: Motion::Space(1), known: true });
        assert_eq!(action(&actions, 0x63), NOTHING);
        assert!(!action(&actions, 0x40).known);
    }

    #[test]
    fn a_skip_goes_down_and_ejects_only_when_no_line_is_left() {
        let form = Form::new(66, &BTreeMap::from([(1, vec![1, 34]), (2, vec![10])]));
        assert_eq!(form.moved(5, true, Motion::Skip(2)), Place { eject: false, row: 10 });
        assert_eq!(form.moved(10, true, Motion::Skip(2)), Place { eject: true, row: 10 });
        assert_eq!(form.moved(10, false, Motion::Skip(2)), Place { eject: false, row: 10 });
        assert_eq!(form.moved(10, true, Motion::Skip(1)), Place { eject: false, row: 34 });
        assert_eq!(form.moved(10, true, Motion::Skip(7)), Place { eject: false, row: 11 });
    }

    #[test]
    fn the_standard_form_has_channels_1_9_and_12() {
        assert_eq!(standard().moved(20, true, Motion::Skip(12)), Place { eject: false, row: 63 });
        assert_eq!(standard().moved(63, true, Motion::Skip(9)), Place { eject: true, row: 63 });
        assert_eq!(standard().moved(66, true, Motion::Space(2)), Place { eject: true, row: 1 });
        assert_eq!(standard().moved(0, false, Motion::Stay), Place { eject: false, row: 1 });
    }
}
