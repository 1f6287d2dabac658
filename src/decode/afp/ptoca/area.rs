//! What underscore and overstrike cover: the text of a field, and the white space in it that is not bypassed.
//!
//! Rule: PTOCA Reference, "Underscore (USC)" and "Overstrike (OVS)". White space that a move leaves counts when text
//! follows it on the same baseline, or when the field ends there; otherwise every jump to the next line would be
//! marked too.

const BYPASS_RMI: u8 = 0x08;
const BYPASS_AMI: u8 = 0x04;
const BYPASS_SPACE: u8 = 0x02;
const NO_BYPASS: u8 = 0x01;

/// Where one piece of text ends and the next begins, in [`crate::page::Lu`]: less than this is no gap.
const TOUCHES: f64 = 1.0;

/// What moved the inline position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Move {
    Absolute,
    Relative,
}

/// From and to, along the inline axis.
pub(super) type Stretch = [f64; 2];

/// The field being marked, on one baseline.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Area {
    bypass: u8,
    /// White space that is marked if text follows.
    pending: Option<Stretch>,
    marked: Option<Stretch>,
}

impl Area {
    /// A field with these bypass identifiers; `None` when they end one. X'FF' is the default: nothing is bypassed.
    pub fn begin(identifiers: u8) -> Option<Area> {
        let bypass = match identifiers & 0x0F {
            0 => return None,
            flags if flags & NO_BYPASS != 0 => 0,
            flags => flags,
        };
        Some(Area { bypass, pending: None, marked: None })
    }

    /// Whether spaces are left out.
    pub fn bypasses_spaces(&self) -> bool {
        self.bypass & BYPASS_SPACE != 0
    }

    /// Text from here to there. What is returned is complete and to be drawn.
    pub fn text(&mut self, stretch: Stretch) -> Option<Stretch> {
        let before = self.settle();
        before.or(self.mark(stretch))
    }

    /// Settles the white space before text that somebody else marks.
    pub fn settle(&mut self) -> Option<Stretch> {
        let pending = self.pending.take()?;
        self.mark(pending)
    }

    /// A move from here to there.
    pub fn moved(&mut self, how: Move, [from, to]: Stretch) -> Option<Stretch> {
        let bit = if how == Move::Absolute { BYPASS_AMI } else { BYPASS_RMI };
        if self.bypass & bit != 0 || to < from {
            self.pending = None;
            return if to == from { None } else { self.marked.take() };
        }
        let start = self.pending.map_or(from, |[start, _]| start);
        self.pending = Some([start, to]);
        None
    }

    /// The baseline changes, or the text is bypassed: what is marked is complete.
    pub fn leave(&mut self) -> Option<Stretch> {
        self.pending = None;
        self.marked.take()
    }

    /// The field ends: white space at its end belongs to it. There may be two stretches.
    pub fn end(mut self) -> [Option<Stretch>; 2] {
        let before = self.settle();
        [before, self.marked]
    }

    fn mark(&mut self, [from, to]: Stretch) -> Option<Stretch> {
        match &mut self.marked {
            Some([_, end]) if (from - *end).abs() < TOUCHES => {
                *end = to.max(*end);
                None
            }
            marked => marked.replace([from, to]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_in_the_low_half_ends_a_field() {
        assert!(Area::begin(0x00).is_none() && Area::begin(0xF0).is_none());
        assert!(Area::begin(0xFF).is_some_and(|area| !area.bypasses_spaces()));
        assert!(Area::begin(0x02).is_some_and(|area| area.bypasses_spaces()));
    }

    #[test]
    fn white_space_counts_between_text_and_at_the_end_but_not_before_a_new_line() {
        let mut area = Area::begin(1).unwrap();
        assert_eq!(area.text([0.0, 10.0]), None);
        assert_eq!(area.moved(Move::Relative, [10.0, 20.0]), None);
        assert_eq!(area.text([20.0, 30.0]), None);
        area.moved(Move::Absolute, [30.0, 90.0]);
        assert_eq!(area.leave(), Some([0.0, 30.0]));
        area.moved(Move::Absolute, [5.0, 50.0]);
        assert_eq!(area.end(), [None, Some([5.0, 50.0])]);
    }

    #[test]
    fn bypassed_and_backward_moves_cut_the_area() {
        let mut area = Area::begin(0x04).unwrap();
        area.text([0.0, 10.0]);
        assert_eq!(area.moved(Move::Absolute, [10.0, 20.0]), Some([0.0, 10.0]));
        area.text([20.0, 30.0]);
        assert_eq!(area.moved(Move::Relative, [30.0, 25.0]), Some([20.0, 30.0]));
    }
}
