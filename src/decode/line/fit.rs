//! Finds the page length and the width of a stream by decoding its head.

use std::collections::BTreeMap;

use super::control::Control;
use super::draw::Geometry;
use super::layout::Layout;
use super::{DEFAULT_LINES, LineDecoder};
use crate::decode::rows::Rows;
use crate::decode::{Decoder, ReadSpec, Sample, Start, Unit, UnitKind};
use crate::note::Notes;

/// Page lengths of usual forms: 11 inches and 12 inches, 6 and 8 lines per inch.
const FORMS: [u16; 4] = [DEFAULT_LINES, 72, 88, 96];

/// Longest page that is believed.
const LINES_LIMIT: u16 = 500;

/// Bytes of the head that are decoded.
const HEAD: usize = 256 * 1024;

/// Fills in what a sniffed specification leaves open: `lines_per_page` where carriage control or form feeds end pages that are
/// longer than the usual form, and the width of text in `record_length`.
///
/// `hint` is what a definition fixes. A sniffed length of text lines is replaced: it counts bytes, and backspaces,
/// tabulators and multi-byte characters have as many columns as they print.
pub(super) fn complete(read: &mut ReadSpec, hint: &ReadSpec, sample: &Sample<'_>) {
    let head = sample.head.get(..sample.head.len().min(HEAD)).unwrap_or_default();
    let mut long = read.clone();
    long.lines_per_page = Some(LINES_LIMIT);
    if long.channels.is_empty() {
        let low = DEFAULT_LINES - 3;
        long.channels = BTreeMap::from([(1, vec![1]), (9, vec![low]), (12, vec![low])]);
    }
    let Ok(layout) = Layout::new(&long) else { return };
    let text = layout.is_text();
    let before = usize::from(layout.control != Control::None) + usize::from(layout.trc);
    let ends_pages = layout.control != Control::None || (text && memchr::memchr(0x0C, head).is_some());
    let (lines, columns) = extent(head, &long, layout);
    if read.lines_per_page.is_none() && ends_pages && lines > DEFAULT_LINES && lines < LINES_LIMIT {
        read.lines_per_page = Some(FORMS.into_iter().find(|form| *form >= lines).unwrap_or(lines));
    }
    if hint.record_length.is_none() && text && columns > 0 {
        read.record_length = u32::try_from(columns + before).ok();
    }
}

/// Last row and last column that are printed on the pages of `head`.
fn extent(head: &[u8], how: &ReadSpec, layout: Layout) -> (u16, usize) {
    let geometry = Geometry::new(how, &layout);
    let cp = layout.code_page;
    let mut decoder = LineDecoder::new(head, Start::default(), layout, geometry);
    let (mut unit, mut notes, mut rows) = (Unit::default(), Notes::default(), Rows::default());
    let (mut lines, mut columns) = (0, 0);
    while decoder.next(&mut unit, &mut notes).unwrap_or(false) {
        if unit.kind != UnitKind::Page {
            continue;
        }
        rows.fill(&unit, cp);
        for (row, _) in rows.iter() {
            lines = lines.max(row);
            columns = columns.max(rows.width(row));
        }
    }
    (lines, columns)
}
