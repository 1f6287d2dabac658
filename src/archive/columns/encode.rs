//! Makes the columnar form of blocks.

use memchr::memchr;

use super::column::{Columns, Hint};
use super::frame::Frame;
use super::layout::{Layouts, Shapes};
use super::{ASCII, Code, KEPT, RECORD_LIMIT, VALUES, put, spans};

/// Makes the columnar form of one block after the other, like the block that it learned from.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    frame: Frame,
    code: Code,
    layouts: Layouts,
    hints: Vec<[Option<Hint>; VALUES]>,
    /// Of the last block; its memory is used again.
    sorted: Sorted,
    edges: Vec<u32>,
}

/// A block's records, sorted by layout.
#[derive(Debug, Clone)]
struct Sorted {
    layouts: Layouts,
    /// The layout of each record.
    ids: Vec<u8>,
    /// For each layout the values of its records, record by record.
    values: Vec<Vec<(u32, u32)>>,
    /// Where the records are that are kept.
    kept: Vec<(usize, usize)>,
    /// Where the last record ends.
    end: usize,
}

impl Encoder {
    /// Learns from a block, and makes its form; nothing when it has no records that this understands.
    pub fn learn(raw: &[u8]) -> Option<(Encoder, Vec<u8>)> {
        let (frame, code) = Frame::detect(raw)?;
        let sorted = Sorted { layouts: Layouts::new(), ids: Vec::new(), values: Vec::new(), kept: Vec::new(), end: 0 };
        let mut encoder =
            Encoder { frame, code, layouts: Layouts::new(), hints: Vec::new(), sorted, edges: Vec::new() };
        let mut form = Vec::new();
        let hints = encoder.form(raw, &mut form)?;
        (encoder.layouts, encoder.hints) = (encoder.sorted.layouts.clone(), hints);
        Some((encoder, form))
    }

    /// Makes the block's columnar form; nothing when too little of it is like what was learned.
    pub fn encode(&mut self, raw: &[u8], form: &mut Vec<u8>) -> Option<()> {
        self.form(raw, form).map(|_| ())
    }

    /// Makes the form, and says how its columns were written.
    fn form(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Option<Vec<[Option<Hint>; VALUES]>> {
        let terminator = match memchr(0, raw) {
            None => 0,
            Some(_) => unused(raw)?,
        };
        self.sort(raw)?;
        out.clear();
        out.reserve(raw.len() / 2);
        self.put_head(terminator, out);
        let mut hints = self.hints.clone();
        hints.resize(self.sorted.layouts.shapes().len().max(hints.len()), [None; VALUES]);
        let mut column = Vec::new();
        for ((shape, values), hints) in self.sorted.layouts.shapes().iter().zip(&self.sorted.values).zip(&mut hints) {
            let places = shape.places();
            if values.is_empty() || places.is_empty() {
                continue;
            }
            let mut columns = Columns { raw, code: self.code, terminator, numbers: Vec::new() };
            for (at, (place, hint)) in places.iter().zip(hints).enumerate() {
                column.clear();
                column.extend(values.iter().skip(at).step_by(places.len()));
                *hint = columns.put(&column, place & 1 == 1, *hint, out);
            }
        }
        for &(start, end) in &self.sorted.kept {
            put(out, end - start);
            out.extend_from_slice(raw.get(start..end)?);
        }
        out.extend_from_slice(raw.get(self.sorted.end..)?);
        (out.len() <= raw.len()).then_some(hints)
    }

    fn put_head(&self, terminator: u8, out: &mut Vec<u8>) {
        let sorted = &self.sorted;
        let (kind, detail) = match self.frame {
            Frame::Fixed(length) => (0, length),
            Frame::Lines(ender) => (1, usize::from(ender)),
            Frame::CrLf => (2, 0),
            Frame::Rdw => (3, 0),
        };
        out.extend([u8::from(self.code != ASCII), terminator, kind]);
        put(out, detail);
        put(out, sorted.layouts.shapes().len());
        for shape in sorted.layouts.shapes() {
            put(out, usize::from(shape.tail));
            put(out, shape.places().len());
            shape.places().iter().for_each(|place| put(out, usize::from(*place)));
        }
        put(out, sorted.ids.len());
        out.extend_from_slice(&sorted.ids);
    }

    fn sort(&mut self, raw: &[u8]) -> Option<()> {
        spans::find(raw, self.code.blank, &mut self.edges);
        let mut shapes = Shapes::new(&self.edges, self.code, matches!(self.frame, Frame::Fixed(_)));
        let sorted = &mut self.sorted;
        sorted.layouts.clone_from(&self.layouts);
        sorted.values.iter_mut().for_each(Vec::clear);
        sorted.ids.clear();
        sorted.kept.clear();
        sorted.end = 0;
        let mut kept_bytes = 0;
        let mut values = Vec::with_capacity(VALUES);
        while let Some(record) = self.frame.record(raw, sorted.end).filter(|record| record.next > sorted.end) {
            sorted.end = record.next;
            values.clear();
            let fits = record.end - record.start <= RECORD_LIMIT;
            let id =
                fits.then(|| shapes.next(raw, record, &mut values)).and_then(|shape| sorted.layouts.number(&shape));
            sorted.ids.push(id.unwrap_or(KEPT));
            let Some(id) = id else {
                sorted.kept.push((record.start, record.end));
                kept_bytes += record.end - record.start;
                continue;
            };
            if sorted.values.len() <= usize::from(id) {
                sorted.values.resize(usize::from(id) + 1, Vec::new());
            }
            sorted.values[usize::from(id)].extend_from_slice(&values);
        }
        let left = kept_bytes + raw.len() - sorted.end;
        (left * 8 <= raw.len() && !sorted.ids.is_empty()).then_some(())
    }
}

/// A byte that does not occur.
fn unused(raw: &[u8]) -> Option<u8> {
    let mut seen = [false; 256];
    raw.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    (0..=255).find(|byte| !seen[usize::from(*byte)])
}
