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
}

/// A block's records, sorted by layout.
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
        let mut encoder = Encoder { frame, code, layouts: Layouts::new(), hints: Vec::new() };
        let mut hints = Vec::new();
        let (form, layouts) = encoder.form(raw, &mut hints)?;
        (encoder.layouts, encoder.hints) = (layouts, hints);
        Some((encoder, form))
    }

    /// The block's columnar form; nothing when too little of it is like what was learned.
    pub fn encode(&self, raw: &[u8]) -> Option<Vec<u8>> {
        self.form(raw, &mut self.hints.clone()).map(|(form, _)| form)
    }

    fn form(&self, raw: &[u8], hints: &mut Vec<[Option<Hint>; VALUES]>) -> Option<(Vec<u8>, Layouts)> {
        let terminator = match memchr(0, raw) {
            None => 0,
            Some(_) => unused(raw)?,
        };
        let sorted = self.sort(raw)?;
        let mut out = Vec::with_capacity(raw.len() / 2 + 1024);
        self.put_head(&sorted, terminator, &mut out);
        hints.resize(sorted.values.len().max(hints.len()), [None; VALUES]);
        let mut column = Vec::new();
        let layouts = sorted.layouts.shapes().iter().zip(&sorted.values).zip(hints.iter_mut());
        for ((shape, values), hints) in layouts {
            let places = shape.places();
            if values.is_empty() || places.is_empty() {
                continue;
            }
            let mut columns = Columns { raw, code: self.code, terminator, numbers: Vec::new() };
            for (at, (place, hint)) in places.iter().zip(hints).enumerate() {
                column.clear();
                column.extend(values.iter().skip(at).step_by(places.len()));
                *hint = columns.put(&column, place & 1 == 1, *hint, &mut out);
            }
        }
        for &(start, end) in &sorted.kept {
            put(&mut out, end - start);
            out.extend_from_slice(raw.get(start..end)?);
        }
        out.extend_from_slice(raw.get(sorted.end..)?);
        (out.len() <= raw.len()).then_some((out, sorted.layouts))
    }

    fn put_head(&self, sorted: &Sorted, terminator: u8, out: &mut Vec<u8>) {
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

    fn sort(&self, raw: &[u8]) -> Option<Sorted> {
        let mut edges = Vec::with_capacity(raw.len() / 8);
        spans::find(raw, self.code.blank, &mut edges);
        let mut shapes = Shapes::new(&edges, self.code, matches!(self.frame, Frame::Fixed(_)));
        let mut layouts = self.layouts.clone();
        let mut values = vec![Vec::new(); layouts.shapes().len()];
        let (mut ids, mut kept, mut kept_bytes) = (Vec::new(), Vec::new(), 0);
        let mut of_record = Vec::with_capacity(VALUES);
        let mut end = 0;
        while let Some(record) = self.frame.record(raw, end).filter(|record| record.next > end) {
            end = record.next;
            of_record.clear();
            let fits = record.end - record.start <= RECORD_LIMIT;
            let id = fits.then(|| shapes.next(raw, record, &mut of_record)).and_then(|shape| layouts.number(&shape));
            ids.push(id.unwrap_or(KEPT));
            let Some(id) = id else {
                kept.push((record.start, record.end));
                kept_bytes += record.end - record.start;
                continue;
            };
            if values.len() <= usize::from(id) {
                values.resize(usize::from(id) + 1, Vec::new());
            }
            values[usize::from(id)].extend_from_slice(&of_record);
        }
        let left = kept_bytes + raw.len() - end;
        (left * 8 <= raw.len() && !ids.is_empty()).then_some(Sorted { layouts, ids, values, kept, end })
    }
}

/// A byte that does not occur.
fn unused(raw: &[u8]) -> Option<u8> {
    let mut seen = [false; 256];
    raw.iter().for_each(|byte| seen[usize::from(*byte)] = true);
    (0..=255).find(|byte| !seen[usize::from(*byte)])
}
