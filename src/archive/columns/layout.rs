//! Layouts: at which places of a record its values stand.

use super::frame::Record;
use super::{Code, LAYOUTS, VALUES};

const SLOTS: usize = 1024;

/// Places of a record's values, in order, and the blanks behind the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    count: usize,
    /// Twice the place, plus one when the value ends there and does not begin there.
    places: [u16; VALUES],
    pub tail: u16,
}

impl Shape {
    pub fn places(&self) -> &[u16] {
        self.places.get(..self.count).unwrap_or_default()
    }

    fn hash(&self) -> u64 {
        let mut hash = u64::from(self.tail) + 0x9E37_79B9;
        for place in self.places() {
            hash = (hash ^ u64::from(*place)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            hash ^= hash >> 29;
        }
        hash
    }
}

/// Takes the shape of one record after the other from the edges of a block's runs of text.
pub struct Shapes<'e> {
    edges: &'e [u32],
    code: Code,
    fixed: bool,
}

impl<'e> Shapes<'e> {
    pub fn new(edges: &'e [u32], code: Code, fixed: bool) -> Shapes<'e> {
        Shapes { edges, code, fixed }
    }

    /// The record's shape; its values are added to `values`. Records have to come in order.
    pub fn next(&mut self, raw: &[u8], record: Record, values: &mut Vec<(u32, u32)>) -> Shape {
        let mut shape = Shape { count: 0, places: [0; VALUES], tail: 0 };
        let (start, end) = (record.start as u32, record.end as u32);
        let mut last = start;
        while let &[from, to, ref rest @ ..] = self.edges {
            if from >= end {
                break;
            }
            let blank = |at: u32| raw.get(at as usize) == Some(&self.code.blank);
            let (mut begin, mut stop) = (from.max(start), to.min(end));
            if begin < stop && blank(begin) {
                begin += 1;
            }
            if begin < stop && blank(stop - 1) {
                stop -= 1;
            }
            if begin < stop {
                last = stop;
                if shape.count == VALUES {
                    // The rest of the record is one value that begins where the last one did.
                    if let Some(value) = values.last_mut() {
                        value.1 = stop;
                        shape.places[VALUES - 1] = ((value.0 - start) as u16) << 1;
                    }
                } else {
                    let text = raw.get(begin as usize..stop as usize).unwrap_or_default();
                    shape.places[shape.count] = match self.code.behind_last_digit(text) {
                        Some(behind) => ((stop - start) as u16 - behind as u16) << 1 | 1,
                        None => ((begin - start) as u16) << 1,
                    };
                    shape.count += 1;
                    values.push((begin, stop));
                }
            }
            if to > end {
                break;
            }
            self.edges = rest;
        }
        if !self.fixed {
            shape.tail = (end - last) as u16;
        }
        shape
    }
}

/// All shapes seen, numbered as they came.
#[derive(Debug, Clone)]
pub struct Layouts {
    shapes: Vec<Shape>,
    hashes: Vec<u64>,
    slots: Box<[u8; SLOTS]>,
}

impl Layouts {
    pub fn new() -> Layouts {
        Layouts { shapes: Vec::new(), hashes: Vec::new(), slots: Box::new([u8::MAX; SLOTS]) }
    }

    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The shape's number; a new one if there is room.
    pub fn number(&mut self, shape: &Shape) -> Option<u8> {
        let hash = shape.hash();
        let mut slot = hash as usize % SLOTS;
        loop {
            let known = usize::from(self.slots[slot]);
            match self.hashes.get(known) {
                Some(other) if *other == hash && self.shapes.get(known) == Some(shape) => return Some(known as u8),
                Some(_) => slot = (slot + 1) % SLOTS,
                None => break,
            }
        }
        if self.shapes.len() == LAYOUTS {
            return None;
        }
        self.slots[slot] = self.shapes.len() as u8;
        self.shapes.push(*shape);
        self.hashes.push(hash);
        Some(self.slots[slot])
    }
}
