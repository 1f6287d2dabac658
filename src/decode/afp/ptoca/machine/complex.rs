//! Unicode complex text, glyph runs and encrypted text.

use std::collections::HashMap;

use skrifa::MetadataProvider;

use super::super::glyphs::{Chain, PlacedGlyph, Shown, align};
use super::super::sequence::{ENC, GAR, GIR, GLC, Reader, SEA, Sequence, UCT};
use super::Machine;
use super::text::Look;
use crate::decode::afp::font::Glyph;
use crate::decode::afp::ptoca::SetsText;
use crate::decode::afp::ptoca::arabic;
use crate::page::bidi::{is_right_to_left, visual_order, visual_runs};
use crate::page::{FontProgram, Lu};

/// Bytes of alternate text kept.
const ALTERNATE_BYTES: usize = 1 << 16;
/// Space in UTF-16, ASCII and EBCDIC.
const BLANKS: [&[u8]; 3] = [&[0, 0x20], &[0x20], &[0x40]];

impl Machine<'_, '_, '_> {
    pub(super) fn glyph_run(&mut self, sequence: &Sequence<'_>) -> Option<()> {
        let Some(chain) = &mut self.chain else {
            self.say("afp-text-glyphs", sequence.kind, "glyphs without a glyph layout control; skipped");
            return Some(());
        };
        sequence.data.get(..2)?;
        match sequence.kind {
            GIR => chain.ids(sequence),
            GAR => chain.advances(sequence),
            _ => chain.offsets(sequence),
        }
        Some(())
    }

    /// The text stands behind the sequence. In a chain of glyphs it says what they show; alone it is set.
    pub(super) fn complex_text(&mut self, sequence: &Sequence<'_>, reader: &mut Reader<'_>) -> Option<()> {
        let count = sequence.unsigned(2)?;
        let bytes = reader.take(usize::from(count));
        if self.chain.is_some() {
            self.end_chain(bytes);
            return Some(());
        }
        self.unicode_text(sequence, bytes)
    }

    /// Text in the order of reading, laid out by the Unicode bidirectional algorithm as far as the sequence asks for it, and
    /// shaped by the font's own tables where it has them.
    fn unicode_text(&mut self, sequence: &Sequence<'_>, bytes: &[u8]) -> Option<()> {
        let (flags, control) = (sequence.byte(4)?, sequence.byte(6).unwrap_or(bidi::DISABLED));
        if bytes.is_empty() && flags & bidi::RESET != 0 {
            self.paragraph = None;
            return Some(());
        }
        let start = self.inline;
        let glyphs = self.glyphs_of(bytes);
        let given = match control {
            bidi::AUTO => Some(None),
            bidi::LEFT_TO_RIGHT => Some(Some(false)),
            bidi::RIGHT_TO_LEFT => Some(Some(true)),
            bidi::AS_BEFORE => Some(self.paragraph),
            _ => None,
        };
        let Some(direction) = given else {
            let set = self.one_way(&glyphs, control == bidi::FIXED_RIGHT_TO_LEFT);
            self.set(set);
            return self.after(flags, start, None);
        };
        let chars: Vec<char> = glyphs.iter().map(|glyph| glyph.ch).collect();
        let (runs, right_to_left) = visual_runs(&chars, direction, false);
        self.paragraph = Some(right_to_left);
        let mut set = Vec::with_capacity(glyphs.len());
        for (run, turned) in runs {
            set.extend(self.one_way(glyphs.get(run).unwrap_or_default(), turned));
        }
        // Against the direction of writing the text ends at the alternate position.
        let mut begin = None;
        if right_to_left && flags & bidi::ALTERNATE != 0 {
            let given = f64::from(sequence.signed(12)?) * self.inline_scale();
            let end = if flags & bidi::RELATIVE != 0 { start + given } else { given };
            let width: f64 = set.iter().map(|placed| self.advance(&placed.glyph)).sum();
            self.inline = end - width;
            begin = Some(self.inline);
        }
        self.set(set);
        self.after(flags, start, begin)
    }

    /// Where the next text stands: where this one ends, or, of text against the direction of writing, begins.
    fn after(&mut self, flags: u8, start: f64, begin: Option<f64>) -> Option<()> {
        match begin {
            _ if flags & bidi::KEEP != 0 => self.inline = start,
            Some(begin) => self.inline = begin,
            None => {}
        }
        Some(())
    }

    /// The letters in the forms that join them, as far as the font has them.
    pub(super) fn joined(&mut self, glyphs: &[Glyph]) -> Vec<Glyph> {
        let chars: Vec<char> = glyphs.iter().map(|glyph| glyph.ch).collect();
        let (mut out, mut plain) = (Vec::with_capacity(glyphs.len()), Vec::new());
        let mut lacks = false;
        let all = arabic::joined(&chars);
        let ends = all.iter().skip(1).map(|(from, _)| *from).chain([glyphs.len()]);
        for ((from, form), end) in all.iter().zip(ends) {
            plain.clear();
            plain.extend(glyphs.get(*from..end).unwrap_or_default());
            let code: Vec<u8> = form.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()).collect();
            let known = self.font.next(&code).map(|(_, glyph)| glyph);
            match known.filter(|glyph| glyph.ch == *form && !glyph.missing && glyph.id != 0) {
                Some(glyph) => out.push(glyph),
                None => {
                    lacks |= chars.get(*from) != Some(form);
                    out.append(&mut plain);
                }
            }
        }
        if lacks {
            self.say("afp-text-complex", UCT, "the font has no joined forms of some Arabic letters; set one by one");
        }
        out
    }

    pub(super) fn glyphs_of(&self, bytes: &[u8]) -> Vec<Glyph> {
        let mut glyphs = Vec::new();
        let mut rest = bytes;
        while let Some((taken, glyph)) = self.font.next(rest) {
            glyphs.push(glyph);
            rest = rest.get(taken.max(1)..).unwrap_or_default();
        }
        glyphs
    }

    /// Draws the glyphs of a chain, if one is open. `text`: the bytes that UCT gave.
    pub(super) fn end_chain(&mut self, text: &[u8]) {
        let Some(chain) = self.chain.take() else { return };
        if chain.uneven {
            self.say("afp-text-glyphs", GLC, "glyphs, advances and offsets of a group differ in number");
        }
        let font = self.font.clone();
        let (start, glyphs) = (self.inline, self.glyphs_of(text));
        // Glyphs stand as they are seen, their text as it is read.
        let chars: Vec<char> = glyphs.iter().map(|glyph| glyph.ch).collect();
        let seen = chars.iter().any(|ch| is_right_to_left(*ch)).then(|| visual_order(&chars, None, false).0);
        let glyphs = match seen {
            Some(order) => order.iter().filter_map(|from| glyphs.get(*from).copied()).collect(),
            None => glyphs,
        };
        let text: Vec<(char, u16)> = glyphs.iter().map(|glyph| (glyph.ch, glyph.id)).collect();
        match font.part(0).program {
            // If not one agrees, the font is a substitute with glyphs of its own.
            Some(program) if text.is_empty() || chain.agrees(&text) => self.draw_chain(&*font, program, &chain, &text),
            _ => self.substitute(&glyphs, &chain),
        }
        self.inline = start + f64::from(chain.advance) * self.inline_scale();
        (self.in_word, self.coupled) = (false, false);
    }

    /// The font is not the one whose glyphs these are: its own characters, squeezed or spread to the same length.
    pub(super) fn substitute(&mut self, glyphs: &[Glyph], chain: &Chain) {
        if glyphs.is_empty() {
            return self.say(
                "afp-text-glyphs",
                GIR,
                "glyphs of a font that is absent, and no text for them; not drawn",
            );
        }
        self.say("afp-text-substitute", GIR, "glyphs of a font that is absent; set from their text");
        let font = self.font.clone();
        let natural: f64 = glyphs.iter().map(|glyph| f64::from(glyph.advance.0)).sum();
        let wanted = f64::from(chain.advance) * self.inline_scale();
        let share = if natural > 0.0 && wanted > 0.0 { wanted / natural } else { 1.0 };
        let (mut at, baseline) = (self.inline, self.baseline + self.lowered);
        for glyph in glyphs {
            let advance = f64::from(glyph.advance.0) * share;
            self.letter(&*font, glyph, [at, baseline], advance, Look::default());
            at += advance;
        }
    }

    pub(super) fn draw_chain(
        &mut self,
        font: &dyn SetsText,
        program: &FontProgram,
        chain: &Chain,
        text: &[(char, u16)],
    ) {
        let glyphs = chain.glyphs();
        let shown = if text.is_empty() { read_back(program, glyphs) } else { align(glyphs, text) };
        let mut letters = text.iter().map(|(ch, _)| *ch);
        let blank = blank_of(font).map(|glyph| glyph.id);
        let mut before = char::REPLACEMENT_CHARACTER;
        for (number, (glyph, shown)) in glyphs.iter().zip(shown).enumerate() {
            if self.stopped {
                return;
            }
            let end = glyphs.get(number + 1).map_or(i32::from(chain.advance), |next| i32::from(next.inline));
            let advance = f64::from((end - i32::from(glyph.inline)).max(0));
            before = shown.ch.unwrap_or(before);
            self.chain_glyph(font, *glyph, shown, before, [advance, 0.0], blank);
            if shown.ch.is_some() {
                letters.next();
            }
            for _ in 0..shown.more {
                if let (Some(ch), Some(blank)) = (letters.next(), blank) {
                    let nothing = PlacedGlyph { id: blank, ..*glyph };
                    self.chain_glyph(font, nothing, Shown { ch: Some(ch), more: 0 }, ch, [0.0, advance], Some(blank));
                }
            }
        }
    }

    /// One glyph; `behind`: how far behind its place. A glyph away from the baseline is drawn there, while its character
    /// stays in the line for readers; a glyph that only completes a character is drawn and not read.
    pub(super) fn chain_glyph(
        &mut self,
        font: &dyn SetsText,
        glyph: PlacedGlyph,
        shown: Shown,
        ch: char,
        [advance, behind]: [f64; 2],
        blank: Option<u16>,
    ) {
        let (inline_scale, baseline_scale) = (self.inline_scale(), self.baseline_scale());
        let advance = advance * inline_scale;
        let inline = self.inline + (f64::from(glyph.inline) + behind) * inline_scale;
        let baseline = self.baseline + self.lowered;
        let drawn = Glyph { ch, part: 0, id: glyph.id, advance: Lu(0), space: false, missing: false };
        let place = [inline, baseline - f64::from(glyph.offset) * baseline_scale];
        let shadow = Look { shadow: true, ..Look::default() };
        match (shown.ch, blank) {
            (None, _) => self.letter(font, &drawn, place, advance, shadow),
            (Some(_), Some(blank)) if glyph.offset != 0 => {
                self.letter(font, &drawn, place, advance, shadow);
                self.letter(font, &Glyph { id: blank, ..drawn }, [inline, baseline], advance, Look::default());
            }
            _ => self.letter(font, &drawn, place, advance, Look::default()),
        }
    }

    /// Nobody here can decrypt; what stands for the text is set once for a row of ENC.
    pub(super) fn encrypted(&mut self) {
        self.say("afp-text-encrypted", ENC, "encrypted text; what stands for it is set, if there is anything");
        if self.before != ENC {
            let alternate = self.carried.alternate.clone();
            self.text(&alternate);
        }
    }

    /// A row of SEA makes one text; an empty one clears it.
    pub(super) fn set_alternate(&mut self, sequence: &Sequence<'_>) {
        let more = sequence.data.get(4..).unwrap_or_default();
        if self.before != SEA || more.is_empty() {
            self.carried.alternate.clear();
        }
        let room = ALTERNATE_BYTES.saturating_sub(self.carried.alternate.len());
        self.carried.alternate.extend(more.iter().take(room));
    }
}

/// The glyph that shows nothing.
pub(super) fn blank_of(font: &dyn SetsText) -> Option<Glyph> {
    let found = |code: &&[u8]| font.next(code).map(|(_, glyph)| glyph).filter(|glyph| glyph.ch == ' ' && glyph.id != 0);
    BLANKS.iter().find_map(found)
}

/// The characters of glyphs by the font's own character map.
fn read_back(program: &FontProgram, glyphs: &[PlacedGlyph]) -> Vec<Shown> {
    let mut characters: HashMap<u16, Option<char>> = glyphs.iter().map(|glyph| (glyph.id, None)).collect();
    if let Ok(font) = skrifa::FontRef::from_index(program.bytes(), program.index()) {
        for (ch, glyph) in font.charmap().mappings() {
            let known = u16::try_from(glyph.to_u32()).ok().and_then(|glyph| characters.get_mut(&glyph));
            if let Some(known @ None) = known {
                *known = char::from_u32(ch);
            }
        }
    }
    let unknown = char::REPLACEMENT_CHARACTER;
    glyphs
        .iter()
        .map(|glyph| Shown { ch: Some(characters.get(&glyph.id).copied().flatten().unwrap_or(unknown)), more: 0 })
        .collect()
}

/// Flags and controls of UCT (PTOCA Reference, "Unicode Complex Text").
mod bidi {
    pub const ALTERNATE: u8 = 0x40;
    pub const RELATIVE: u8 = 0x20;
    pub const KEEP: u8 = 0x10;
    pub const RESET: u8 = 0x08;
    pub const AUTO: u8 = 0x02;
    pub const LEFT_TO_RIGHT: u8 = 0x04;
    pub const RIGHT_TO_LEFT: u8 = 0x05;
    pub const AS_BEFORE: u8 = 0x12;
    pub const DISABLED: u8 = 0x20;
    pub const FIXED_RIGHT_TO_LEFT: u8 = 0x23;
}
