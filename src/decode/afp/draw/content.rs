//! What stands on a page, an overlay or a page segment, in stream order.

use super::Artist;
use crate::decode::afp::environment::Environment;
use crate::decode::afp::field::Field;
use crate::decode::afp::ptoca::Carried;
use crate::decode::afp::text::{Charset, token};
use crate::decode::afp::triplet::{s24_at, u16_at};
use crate::decode::afp::{id, units};
use crate::page::{Element, Lu};

impl Artist<'_> {
    /// Draws what `fields` include and hold. `segment`: the point that objects of a page segment are placed from.
    pub(super) fn content(
        &self,
        fields: &[Field<'_>],
        env: &Environment,
        segment: Option<[Lu; 2]>,
        out: &mut Vec<Element>,
        carried: &mut Carried,
    ) {
        let mut at = 0;
        while let Some(field) = fields.get(at) {
            // Places in a page segment are not places in the stream: there the include counts.
            if segment.is_none() {
                self.at.set((field.id, field.offset));
            }
            if self.left.get() == 0 {
                return self
                    .note("afp-limit", format!("more than {} elements on a page", self.store.limits.page_elements));
            }
            match field.id {
                id::BAG | id::BSG => {
                    at = group_end(fields, at);
                }
                id::PTX => {
                    let end = run_of_text(fields, at);
                    self.text(fields.get(at..end).unwrap_or_default(), env, segment, out, carried);
                    at = end - 1;
                }
                id::BPT | id::BIM | id::BII | id::BGR | id::BBC | id::BOC => {
                    let end = object_end(fields, at);
                    let object = fields.get(at..end).unwrap_or_default();
                    self.object(object, None, env, segment, out, carried);
                    at = end - 1;
                }
                id::IPO => self.include_overlay(field, env, out),
                id::IPS => self.include_segment(field, env, segment, out, carried),
                id::IOB => self.include_object(field, env, segment, out, carried),
                id::IPG => self.note("afp-include-page", "an included page (IPG) is not shown".into()),
                id::IDM => self.note("afp-line-data", "a data map is invoked (IDM) for line data".into()),
                _ => {}
            }
            at += 1;
        }
    }

    fn include_overlay(&self, field: &Field<'_>, env: &Environment, out: &mut Vec<Element>) {
        let Some(name) = token(field.data, Charset::Default) else { return };
        let place = place(field.data, env.units);
        let turns = u16_at(field.data, 14).and_then(units::turns).unwrap_or(0);
        self.overlay(&name, place, turns, out);
    }
}

/// The point at offset 8 of an include; X'FFFFFF' (the position of line data) counts as the origin.
pub(super) fn place(data: &[u8], per_inch: [f64; 2]) -> [Lu; 2] {
    let length =
        |at, per_inch| s24_at(data, at).filter(|length| *length != -1).map_or(Lu(0), |l| units::lu(l, per_inch));
    [length(8, per_inch[0]), length(11, per_inch[1])]
}

/// Where an environment group ends. Without an end it is what stands before the first object; nothing of it is drawn anyway.
fn group_end(fields: &[Field<'_>], at: usize) -> usize {
    let Some(begin) = fields.get(at) else { return at };
    let (end, rest) = (id::end_of(begin.id), fields.get(at + 1..).unwrap_or_default());
    let apart = |field: &Field<'_>| id::is_begin(field.id) || matches!(field.id, id::PTX | id::IPO | id::IPS | id::IOB);
    let stop = rest.iter().position(|field| field.id == end || apart(field));
    stop.filter(|stop| rest.get(*stop).is_some_and(|field| field.id == end)).map_or(at, |stop| at + 1 + stop)
}

/// Where PTX fields that follow one another end.
fn run_of_text(fields: &[Field<'_>], at: usize) -> usize {
    let rest = fields.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|field| matches!(field.id, id::PTX | id::NOP)).count()
}

/// Behind an object: its End, or where the next one begins when that is missing.
pub(super) fn object_end(fields: &[Field<'_>], at: usize) -> usize {
    let Some(begin) = fields.get(at) else { return at + 1 };
    let end = id::end_of(begin.id);
    let rest = fields.get(at + 1..).unwrap_or_default();
    for (number, field) in rest.iter().enumerate() {
        if field.id == end {
            return at + number + 2;
        }
        let other =
            matches!(field.id, id::BPT | id::BIM | id::BII | id::BGR | id::BBC | id::BOC | id::IOB | id::IPO | id::IPS);
        if other || matches!(field.id, id::EMO | id::EPS) {
            return at + number + 1;
        }
    }
    fields.len()
}
