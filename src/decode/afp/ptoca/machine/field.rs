//! Underscore and overstrike.

use std::sync::Arc;

use super::super::area::{Area, Stretch};
use super::super::axes::unit;
use super::super::sequence::{OVS, Sequence};
use super::super::setter::rectangle;
use super::Machine;
use super::text::{Look, USUAL_RULE};
use crate::decode::afp::font::Glyph;
use crate::decode::afp::ptoca::SetsText;

/// Characters to strike over the text of a field.
pub(super) struct Overstrike {
    pub(super) area: Area,
    font: Arc<dyn SetsText>,
    glyph: Glyph,
}

impl Machine<'_, '_, '_> {
    pub(super) fn leave_areas(&mut self) {
        let marked = self.underscore.as_mut().and_then(Area::leave);
        self.draw_underscore(marked);
        let marked = self.overstrike.as_mut().and_then(|overstrike| overstrike.area.leave());
        self.draw_overstrike(marked);
    }

    pub(super) fn end_underscore(&mut self) {
        if let Some(area) = self.underscore.take() {
            area.end().into_iter().for_each(|marked| self.draw_underscore(marked));
        }
    }

    /// As runs that are underlined show it, below the established baseline.
    pub(super) fn draw_underscore(&mut self, marked: Option<Stretch>) {
        let Some([from, to]) = marked.filter(|[from, to]| to > from) else { return };
        let size = f64::from(self.font.part(0).size.0.clamp(0, 1 << 20));
        let thick = (size / 18.0).max(USUAL_RULE);
        let (turns, [x, y]) = (self.turns(), self.on_page(from, self.baseline));
        let [down_x, down_y] = unit(turns.wrapping_add(1));
        let below = (size / 10.0).floor();
        let at = [x + down_x * below, y + down_y * below];
        self.rule(rectangle(at, turns, [to - from, thick.floor()], self.color));
    }

    pub(super) fn set_overstrike(&mut self, sequence: &Sequence<'_>) -> Option<()> {
        let identifiers = sequence.byte(0)?;
        self.end_overstrike();
        let Some(area) = Area::begin(identifiers) else { return Some(()) };
        let code = sequence.data.get(1..3)?;
        let font = self.font.clone();
        let single = code.get(1..).filter(|_| code.first() == Some(&0));
        // One byte stands in the second; a font of two bytes takes both.
        let whole = |bytes: &[u8]| font.next(bytes).filter(|(taken, _)| *taken == bytes.len());
        let found = whole(code).or_else(|| whole(single?));
        match found {
            Some((_, glyph)) if glyph.advance.0 > 0 => self.overstrike = Some(Overstrike { area, font, glyph }),
            _ => {
                self.say("afp-text-overstrike", OVS, "a character that the font does not have or that is not printable")
            }
        }
        Some(())
    }

    pub(super) fn end_overstrike(&mut self) {
        let Some(overstrike) = self.overstrike.take() else { return };
        let Overstrike { area, font, glyph } = overstrike;
        for marked in area.end() {
            self.strike(&*font, &glyph, marked);
        }
    }

    pub(super) fn draw_overstrike(&mut self, marked: Option<Stretch>) {
        if marked.is_none() {
            return;
        }
        let Some(Overstrike { font, glyph, .. }) = &self.overstrike else { return };
        let (font, glyph) = (font.clone(), *glyph);
        self.strike(&*font, &glyph, marked);
    }

    /// Characters side by side, spread evenly over the stretch; at least one.
    pub(super) fn strike(&mut self, font: &dyn SetsText, glyph: &Glyph, marked: Option<Stretch>) {
        let Some([from, to]) = marked.filter(|[from, to]| to > from) else { return };
        let advance = f64::from(glyph.advance.0.max(1));
        let fitting = ((to - from) / advance + 0.01).floor().max(1.0);
        let pitch = ((to - from) / fitting).max(advance);
        let mut at = from + (pitch - advance) / 2.0;
        let look = Look { shadow: true, ..Look::default() };
        while at + advance / 2.0 < to.max(from + advance) && !self.stopped {
            self.letter(font, glyph, [at, self.baseline + self.lowered], advance, look);
            at += pitch;
        }
    }
}
