//! The state of presentation text, and what every control sequence does to it.

mod complex;
mod field;
mod shaped;
mod text;

use std::sync::Arc;

use super::area::{Area, Move};
use super::axes::{Axes, turned};
use super::glyphs::Chain;
use super::initial::{Initial, adjustment, orientation};
use super::sequence::{
    AMB, AMI, BLN, BSU, DBR, DIR, ENC, ESU, GAR, GIR, GLC, GOR, Met, NOP, OVS, RMB, RMI, RPS, Reader, SBI, SCFL, SEA,
    SEC, SIA, SIM, SKI, STC, STO, SVI, Sequence, TBM, TRN, UCT, USC,
};
use super::setter::Setter;
use super::{Carried, Report, SetsText, TextEnvironment};
use crate::decode::afp::color;
use crate::page::{Color, Element};
use field::Overstrike;

/// Characters that a page may set beyond one for each byte of its text: repeated strings and overstrikes make more.
const EXTRA_CHARACTERS: usize = 1_000_000;
/// Interprets one text object. The inline and baseline positions are in [`Lu`](crate::page::Lu), unrounded; lengths that a change of
/// orientation may scale anew are kept in units of the object.
pub(super) struct Machine<'m, 'e, 'r> {
    env: &'m TextEnvironment<'e>,
    initial: &'m Initial,
    carried: &'m mut Carried,
    report: &'m mut Report<'r>,
    setter: Setter<'m>,
    axes: Axes,
    inline: f64,
    /// The established baseline, and how far below it text stands for now (TBM).
    baseline: f64,
    lowered: f64,
    margin: f64,
    adjustment: f64,
    increment: f64,
    font: Arc<dyn SetsText>,
    color: Color,
    /// The adjustment applies before the next character: the one before was not a space, nor was there a move.
    in_word: bool,
    /// A character without increment was set: what follows stands on it.
    coupled: bool,
    suppressing: Option<u8>,
    underscore: Option<Area>,
    overstrike: Option<Overstrike>,
    chain: Option<Chain>,
    /// Whether the paragraph of complex text runs from right to left; `None`: not known yet.
    paragraph: Option<bool>,
    /// The type of the sequence before this one, for those whose data go on.
    before: u8,
    letters: usize,
    stopped: bool,
    reported: Vec<(&'static str, u8)>,
}

impl<'m, 'e, 'r> Machine<'m, 'e, 'r> {
    pub fn new(
        env: &'m TextEnvironment<'e>,
        initial: &'m Initial,
        carried: &'m mut Carried,
        out: &'m mut Vec<Element>,
        report: &'m mut Report<'r>,
    ) -> Self {
        let mut machine = Machine {
            env,
            initial,
            carried,
            report,
            setter: Setter::new(out, env.elements),
            axes: initial.axes,
            inline: 0.0,
            baseline: 0.0,
            lowered: 0.0,
            margin: f64::from(initial.margin),
            adjustment: f64::from(initial.adjustment),
            increment: 0.0,
            font: env.default_font.clone(),
            color: initial.color,
            in_word: false,
            coupled: false,
            suppressing: None,
            underscore: None,
            overstrike: None,
            chain: None,
            paragraph: None,
            before: NOP,
            letters: 0,
            stopped: false,
            reported: Vec::new(),
        };
        machine.inline = f64::from(initial.inline) * machine.inline_scale();
        machine.baseline = f64::from(initial.baseline) * machine.baseline_scale();
        machine.increment = initial.line_increment(machine.baseline_scale());
        machine.select_font(initial.font);
        machine
    }

    pub fn run(mut self, data: &[u8]) {
        let extra = EXTRA_CHARACTERS.saturating_sub(self.carried.extra);
        self.letters = data.len().saturating_add(extra);
        let mut reader = Reader::new(data, false);
        while !reader.is_done() && !self.stopped {
            if !reader.at_sequence() {
                self.end_chain(&[]);
                let font = self.font.clone();
                let (taken, glyph) = font.next(reader.rest()).map_or((1, None), |(taken, glyph)| (taken, Some(glyph)));
                reader.take(taken.max(1));
                glyph.into_iter().for_each(|glyph| self.glyph(glyph));
                self.before = TRN;
                continue;
            }
            match reader.next() {
                Met::Sequence { sequence, cut } => {
                    if cut {
                        self.say("afp-text-cut", sequence.kind, "the object ends inside a control sequence");
                    }
                    self.sequence(&sequence, &mut reader);
                    self.before = sequence.kind;
                }
                Met::Broken => self.say("afp-text-sequence", 0, "a control sequence without a length; skipped"),
            }
        }
        self.end_chain(&[]);
        self.end_underscore();
        self.end_overstrike();
        self.carried.extra += extra.saturating_sub(self.letters);
        self.setter.finish();
    }

    fn sequence(&mut self, sequence: &Sequence<'_>, reader: &mut Reader<'_>) {
        let kind = sequence.kind;
        if !matches!(kind, GIR | GAR | GOR | UCT) {
            self.end_chain(&[]);
        }
        let done = match kind {
            SIM => self.set_margin(sequence),
            SIA => self.set_adjustment(sequence),
            SVI => self.set_space(sequence),
            AMI => sequence.signed(0).map(|to| self.move_to(f64::from(to) * self.inline_scale(), Move::Absolute)),
            RMI => sequence
                .signed(0)
                .map(|by| self.move_to(self.inline + f64::from(by) * self.inline_scale(), Move::Relative)),
            SBI => self.set_increment(sequence),
            AMB => sequence.signed(0).map(|to| self.go_down_to(f64::from(to) * self.baseline_scale())),
            RMB => sequence.signed(0).map(|by| self.go_down_to(self.baseline + f64::from(by) * self.baseline_scale())),
            RPS => self.repeat(sequence),
            DIR => self.draw_rule(sequence, true),
            DBR => self.draw_rule(sequence, false),
            SCFL => sequence.byte(0).map(|lid| self.select_font(lid)),
            BSU => sequence.byte(0).map(|lid| self.begin_suppression(lid)),
            ESU => sequence.byte(0).map(|lid| self.suppressing = self.suppressing.filter(|active| *active != lid)),
            OVS => self.set_overstrike(sequence),
            STC => self.set_color(sequence),
            USC => sequence.byte(0).map(|identifiers| {
                self.end_underscore();
                self.underscore = Area::begin(identifiers);
            }),
            TBM => self.shift_baseline(sequence),
            SEC => self.set_extended_color(sequence),
            UCT => self.complex_text(sequence, reader),
            GLC => Chain::begin(sequence).map(|chain| self.chain = Some(chain)),
            GIR | GAR | GOR => self.glyph_run(sequence),
            _ => return self.plain_sequence(sequence),
        };
        if done.is_none() {
            self.say("afp-text-short", kind, "a control sequence without what it must have; skipped");
        }
    }

    /// Those that need no data, or bear its absence.
    fn plain_sequence(&mut self, sequence: &Sequence<'_>) {
        match sequence.kind {
            BLN => self.begin_line(),
            TRN => self.text(sequence.data),
            STO => self.orient(sequence),
            ENC => self.encrypted(),
            SEA => self.set_alternate(sequence),
            NOP | SKI => {}
            kind => self.say("afp-text-unknown", kind, "an unknown control sequence; skipped"),
        }
    }

    /// Reports once for each code and type in an object.
    fn say(&mut self, code: &'static str, kind: u8, what: &str) {
        if !self.reported.contains(&(code, kind)) {
            self.reported.push((code, kind));
            (self.report)(code, format!("X'{kind:02X}': {what}"));
        }
    }

    fn inline_scale(&self) -> f64 {
        let [x, y] = self.initial.scale;
        if self.axes.is_level() { x } else { y }
    }

    fn baseline_scale(&self) -> f64 {
        let [x, y] = self.initial.scale;
        if self.axes.is_level() { y } else { x }
    }

    /// Where (I, B) lies on the page.
    fn on_page(&self, inline: f64, baseline: f64) -> [f64; 2] {
        let point = self.axes.point([inline, baseline], self.initial.extent);
        let [x, y] = turned(point, self.env.turns);
        let [left, top] = self.env.origin;
        [x + f64::from(left.0), y + f64::from(top.0)]
    }

    /// Direction of the baseline on the page.
    fn turns(&self) -> u8 {
        self.axes.inline.wrapping_add(self.env.turns) % 4
    }

    // Modal settings.

    fn set_margin(&mut self, sequence: &Sequence<'_>) -> Option<()> {
        self.margin = f64::from(sequence.signed_or_default(0)?.unwrap_or(self.initial.margin));
        Some(())
    }

    fn set_adjustment(&mut self, sequence: &Sequence<'_>) -> Option<()> {
        self.adjustment = f64::from(adjustment(sequence)?.unwrap_or(self.initial.adjustment));
        Some(())
    }

    fn set_space(&mut self, sequence: &Sequence<'_>) -> Option<()> {
        let increment = sequence.signed_or_default(0)?;
        self.carried.space = increment.map(|increment| f64::from(increment) * self.inline_scale());
        Some(())
    }

    fn set_increment(&mut self, sequence: &Sequence<'_>) -> Option<()> {
        self.increment = match sequence.signed_or_default(0)? {
            Some(increment) => f64::from(increment),
            None => self.initial.line_increment(self.baseline_scale()),
        };
        Some(())
    }

    fn set_color(&mut self, sequence: &Sequence<'_>) -> Option<()> {
        let value = sequence.unsigned(0)?;
        let color = if value == 0xFFFF { Some(self.initial.color) } else { color::named(value) };
        if color.is_none() {
            self.say("afp-text-color", STC, "a colour that nobody defines; the default is used");
        }
        self.change_color(color.unwrap_or(self.env.color));
        Some(())
    }

    fn set_extended_color(&mut self, sequence: &Sequence<'_>) -> Option<()> {
        let color = color::color(sequence.data.get(1..)?);
        if color.is_none() {
            self.say("afp-text-color", SEC, "a colour that is cut or of an unknown space; the default is used");
        }
        self.change_color(color.unwrap_or(self.env.color));
        Some(())
    }

    /// What is underscored so far keeps its colour.
    fn change_color(&mut self, color: Color) {
        let marked = self.underscore.as_mut().and_then(Area::settle);
        self.draw_underscore(marked);
        self.color = color;
    }

    fn select_font(&mut self, lid: u8) {
        let marked = self.underscore.as_mut().and_then(Area::settle);
        self.draw_underscore(marked);
        let found = if lid == 0xFF { None } else { self.env.fonts.text_font(lid) };
        if found.is_none() && lid != 0xFF && !self.reported.contains(&("afp-text-font", lid)) {
            self.reported.push(("afp-text-font", lid));
            (self.report)("afp-text-font", format!("local id {lid} has no font; the default font is used"));
        }
        self.font = found.unwrap_or_else(|| self.env.default_font.clone());
    }

    /// The point on the page stays; its coordinates are those of the new axes.
    fn orient(&mut self, sequence: &Sequence<'_>) {
        self.leave_areas();
        let extent = self.initial.extent;
        let point = self.axes.point([self.inline, self.baseline + self.lowered], extent);
        self.axes = orientation(sequence, self.initial.axes).unwrap_or_else(|| {
            self.say("afp-text-orientation", STO, "axes that are cut, oblique or parallel; 0 and 90 degrees are used");
            Axes::default()
        });
        let [inline, baseline] = self.axes.coordinates(point, extent);
        (self.inline, self.baseline) = (inline, baseline - self.lowered);
    }

    /// A suppression that is not in force does nothing, so it may hold one that is.
    fn begin_suppression(&mut self, lid: u8) {
        if self.suppressing.is_none() && self.env.suppressed.contains(&lid) {
            self.suppressing = Some(lid);
        }
    }

    // Moves.

    fn move_to(&mut self, inline: f64, how: Move) {
        let stretch = [self.inline, inline];
        let marked = self.underscore.as_mut().and_then(|area| area.moved(how, stretch));
        self.draw_underscore(marked);
        let marked = self.overstrike.as_mut().and_then(|overstrike| overstrike.area.moved(how, stretch));
        self.draw_overstrike(marked);
        self.inline = inline;
        (self.in_word, self.coupled) = (false, false);
    }

    fn go_down_to(&mut self, baseline: f64) {
        if baseline != self.baseline {
            self.leave_areas();
            self.baseline = baseline;
        }
    }

    fn begin_line(&mut self) {
        self.go_down_to(self.baseline + self.increment * self.baseline_scale());
        self.inline = self.margin * self.inline_scale();
        (self.in_word, self.coupled) = (false, false);
    }

    fn shift_baseline(&mut self, sequence: &Sequence<'_>) -> Option<()> {
        let direction = sequence.byte(0)?;
        let amount = sequence.signed_or_default(2).flatten().map_or(self.increment / 2.0, f64::from);
        let amount = amount * self.baseline_scale();
        let lowered = match direction {
            1 => 0.0,
            2 => self.lowered + amount,
            3 => self.lowered - amount,
            _ => return Some(()),
        };
        let marked = self.overstrike.as_mut().and_then(|overstrike| overstrike.area.leave());
        self.draw_overstrike(marked);
        self.lowered = lowered;
        Some(())
    }
}
