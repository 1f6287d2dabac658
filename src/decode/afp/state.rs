//! What a page needs to know of the stream before it, in one number: [`Unit::resume`](crate::decode::Unit::resume).

/// The state between two units. It never grows: everything that does is learnt from shared units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    /// Shared units before: what was brought later is not seen.
    pub epoch: u32,
    /// The medium map that was invoked last, counted from 1 among all that shared units brought; 0: none yet in this
    /// document, or one that is not there.
    pub map: u16,
    /// The Begin Document in force, counted from 1 among those that differ; 0: none.
    pub document: u8,
    /// Pages since the medium map was invoked, modulo [`SHEET_PAGES`].
    pub sheet_page: u8,
    /// Page groups that are open.
    pub depth: u8,
}

/// After so many pages every duplex and N-up sequence starts again.
pub const SHEET_PAGES: u8 = 24;
/// Largest values that fit.
pub const EPOCHS: u32 = (1 << 24) - 1;
/// Medium maps that can be told apart.
pub const MAPS: u16 = (1 << 14) - 1;
/// Page groups inside one another.
pub const DEPTH: u8 = 63;

impl State {
    /// As one number.
    pub fn pack(self) -> u64 {
        u64::from(self.epoch.min(EPOCHS))
            | u64::from(self.map.min(MAPS)) << 24
            | u64::from(self.document) << 38
            | u64::from(self.sheet_page % SHEET_PAGES) << 46
            | u64::from(self.depth.min(DEPTH)) << 51
    }

    /// From the number.
    pub fn unpack(resume: u64) -> State {
        let bits = |from: u32, count: u32| (resume >> from) & ((1 << count) - 1);
        State {
            epoch: u32::try_from(bits(0, 24)).unwrap_or(0),
            map: u16::try_from(bits(24, 14)).unwrap_or(0),
            document: u8::try_from(bits(38, 8)).unwrap_or(0),
            sheet_page: u8::try_from(bits(46, 5)).unwrap_or(0) % SHEET_PAGES,
            depth: u8::try_from(bits(51, 6)).unwrap_or(0),
        }
    }

    /// Behind a page.
    pub fn after_page(&mut self) {
        self.sheet_page = (self.sheet_page + 1) % SHEET_PAGES;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_from_its_number() {
        let state = State { epoch: EPOCHS, map: MAPS, document: 255, sheet_page: 23, depth: DEPTH };
        assert_eq!(State::unpack(state.pack()), state);
        let state = State { epoch: 5, map: 2, document: 1, sheet_page: 3, depth: 1 };
        assert_eq!(State::unpack(state.pack()), state);
        assert_eq!(State::unpack(0), State::default());
        assert!(State::unpack(u64::MAX).sheet_page < SHEET_PAGES);
    }
}
