//! Characters and rules: where they stand, and how they move the inline position.

use super::super::area::Stretch;
use super::super::sequence::{Sequence, TRN};
use super::super::setter::{Letter, rectangle};
use super::Machine;
use crate::decode::afp::font::Glyph;
use crate::decode::afp::ptoca::SetsText;
use crate::page::{Lu, Rule};

/// Width of a rule that names none: one pel of a 240-pel printer.
pub(super) const USUAL_RULE: f64 = 60.0;
/// No rule is thinner: one pel of a 600-pel printer.
const FINEST_RULE: f64 = 24.0;

/// How a character is drawn, apart from where.
#[derive(Clone, Copy, Default)]
pub(super) struct Look {
    pub(super) underline: bool,
    pub(super) shadow: bool,
    /// Drawn as wide as it moves the position; this is its own width.
    pub(super) fitted: Option<Lu>,
}

impl Machine<'_, '_, '_> {
    pub(super) fn text(&mut self, bytes: &[u8]) {
        let font = self.font.clone();
        let mut rest = bytes;
        while let Some((taken, glyph)) = font.next(rest) {
            self.glyph(glyph);
            if self.stopped {
                return;
            }
            rest = rest.get(taken.max(1)..).unwrap_or_default();
        }
    }

    /// Fills `count` bytes with a string, over and over.
    pub(super) fn repeat(&mut self, sequence: &Sequence<'_>) -> Option<()> {
        let count = usize::from(sequence.unsigned(0)?);
        let string = sequence.data.get(2..).unwrap_or_default();
        if count > 0 {
            string.first()?;
        }
        let filled: Vec<u8> = string.iter().copied().cycle().take(count).collect();
        self.text(&filled);
        Some(())
    }

    pub(super) fn glyph(&mut self, glyph: Glyph) {
        self.glyph_as(glyph, None);
    }

    /// A character, perhaps made as wide as its advance; `own` is its width in the font. Readers of a PDF find words by the
    /// widths of what is drawn.
    pub(super) fn glyph_as(&mut self, glyph: Glyph, own: Option<Lu>) {
        let from = self.inline;
        let advance = self.advance(&glyph);
        let blank = glyph.space || matches!(glyph.ch, ' ' | '\u{A0}');
        if blank {
            (self.in_word, self.coupled) = (false, false);
        } else {
            if self.in_word && !self.coupled {
                self.inline += self.adjustment * self.inline_scale();
            }
            self.coupled = self.in_word && advance == 0.0;
            self.in_word |= advance != 0.0;
        }
        let to = self.inline + advance;
        let underline = self.mark(blank, [from.min(self.inline), to]);
        let (baseline, look) = (self.baseline + self.lowered, Look { underline, shadow: false, fitted: own });
        let place = [self.inline, baseline];
        self.inline = to;
        if glyph.missing {
            self.say("afp-text-character", TRN, "a character that the font does not have");
            if glyph.id == 0 && glyph.ch == char::REPLACEMENT_CHARACTER {
                return;
            }
        }
        let font = self.font.clone();
        self.letter(&*font, &glyph, place, advance, look);
    }

    pub(super) fn advance(&self, glyph: &Glyph) -> f64 {
        let own = f64::from(glyph.advance.0);
        let font = || f64::from(self.font.space().0);
        match self.carried.space {
            Some(space) if glyph.space => space,
            None if glyph.space && font() > 0.0 => font(),
            _ => own,
        }
    }

    /// Puts a character into the fields that are open; whether its run is underlined.
    pub(super) fn mark(&mut self, blank: bool, stretch: Stretch) -> bool {
        let strike = self.overstrike.as_mut().and_then(|overstrike| {
            let bypassed = blank && overstrike.area.bypasses_spaces();
            if bypassed { overstrike.area.leave() } else { overstrike.area.text(stretch) }
        });
        self.draw_overstrike(strike);
        let shifted = self.lowered != 0.0;
        let Some(area) = &mut self.underscore else { return false };
        let bypassed = blank && area.bypasses_spaces();
        let marked = match (bypassed, shifted) {
            (true, _) => area.leave(),
            // The run cannot carry it: the underscore stays on the established baseline.
            (false, true) => area.text(stretch),
            (false, false) => area.settle(),
        };
        self.draw_underscore(marked);
        !bypassed && !shifted
    }

    pub(super) fn letter(
        &mut self,
        font: &dyn SetsText,
        glyph: &Glyph,
        [inline, baseline]: [f64; 2],
        advance: f64,
        look: Look,
    ) {
        if self.letters == 0 {
            return self.stop("the object sets too many characters");
        }
        self.letters -= 1;
        if self.suppressing.is_some() {
            return;
        }
        let mut part = font.part(glyph.part);
        if let Some(own) = look.fitted.filter(|own| own.0 > 0) {
            part.stretch = fitted(part.stretch, advance / f64::from(own.0));
        }
        let letter = Letter {
            ch: glyph.ch,
            glyph: glyph.id,
            part,
            at: self.on_page(inline, baseline),
            turns: self.turns(),
            advance,
            gap: word_gap(font.space(), part.size),
            color: self.color,
            underline: look.underline,
            shadow: look.shadow,
        };
        if !self.setter.letter(letter) {
            self.stop("the page holds too many elements");
        }
    }

    pub(super) fn stop(&mut self, why: &str) {
        if !self.stopped {
            self.stopped = true;
            (self.report)("afp-text-limit", format!("{why}; the rest of the text is not drawn"));
        }
    }

    pub(super) fn draw_rule(&mut self, sequence: &Sequence<'_>, inline: bool) -> Option<()> {
        let (inline_scale, baseline_scale) = (self.inline_scale(), self.baseline_scale());
        let (along, across) = if inline { (inline_scale, baseline_scale) } else { (baseline_scale, inline_scale) };
        let length = f64::from(sequence.signed(0)?) * along;
        let width = sequence.fraction(2).map_or(USUAL_RULE, |width| f64::from(width) / 256.0 * across);
        if length == 0.0 || width == 0.0 {
            return Some(());
        }
        let visible = |size: f64| size.abs().max(FINEST_RULE).copysign(size);
        let (length, width) = (visible(length), visible(width));
        let size = if inline { [length, width] } else { [width, length] };
        let at = [self.inline, self.baseline + self.lowered];
        self.rectangle(at, size);
        Some(())
    }

    /// A rectangle from (I, B) by this much along I and along B.
    pub(super) fn rectangle(&mut self, [inline, baseline]: [f64; 2], [along, across]: [f64; 2]) {
        let turns = self.turns();
        // B lies to the right of I, or to the left of it when the baselines are mirrored.
        let right = self.axes.baseline == self.axes.inline.wrapping_add(1) % 4;
        let across = if right { across } else { -across };
        self.rule(rectangle(self.on_page(inline, baseline), turns, [along, across], self.color));
    }

    pub(super) fn rule(&mut self, rule: Rule) {
        if self.suppressing.is_none() && !self.setter.rule(rule) {
            self.stop("the page holds too many elements");
        }
    }
}

/// The width of letters that are drawn this much wider.
fn fitted(stretch: u16, share: f64) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the type's range")]
    let fitted = (f64::from(stretch) * share).round().clamp(1.0, f64::from(u16::MAX)) as u16;
    fitted
}

/// The gap that readers take for a blank: three fifths of the font's own, which is a quarter of an em or a little less
/// in most fonts, but never more than a quarter.
fn word_gap(space: Lu, size: Lu) -> i32 {
    let size = size.0.max(0);
    let usual = if space.0 > 0 { space.0 / 5 * 3 } else { size / 5 };
    usual.clamp(size / 10, size / 4)
}
