//! Writes streams: the fields, triplets, control sequences and orders by their manuals, in other words than the decoder has.

use super::*;
use crate::decode::afp::field::FieldId;

/// 1440 units in an inch.
const UNITS: [u8; 6] = [0, 0, 0x38, 0x40, 0x38, 0x40];
/// Width and height of pages and overlays in these.
pub(super) const PAGE: [u32; 2] = [14_400, 20_000];
/// The axes of text: I and B, in the order of [`super::check`].
const ANGLES: [[u8; 4]; 8] = [
    [0x00, 0, 0x2D, 0],
    [0x2D, 0, 0x5A, 0],
    [0x5A, 0, 0x87, 0],
    [0x87, 0, 0x00, 0],
    [0x2D, 0, 0x00, 0],
    [0x5A, 0, 0x2D, 0],
    [0x87, 0, 0x5A, 0],
    [0x00, 0, 0x87, 0],
];
const TURNS: [[u8; 4]; 4] = [[0x00, 0, 0x2D, 0], [0x2D, 0, 0x5A, 0], [0x5A, 0, 0x87, 0], [0x87, 0, 0x00, 0]];

/// A stream on its way.
pub(super) struct Writer<'c> {
    framing: Framing,
    bytes: Vec<u8>,
    cuts: std::iter::Cycle<std::slice::Iter<'c, bool>>,
}

fn ebcdic(text: &str) -> Vec<u8> {
    CodePage::find("ibm-500").unwrap().encode(text).unwrap()
}

fn token(text: &str) -> Vec<u8> {
    let mut token = ebcdic(text);
    token.resize(8, 0x40);
    token
}

fn u24(value: u32) -> [u8; 3] {
    let [_, a, b, c] = value.to_be_bytes();
    [a, b, c]
}

fn triplet(id: u8, data: &[u8]) -> Vec<u8> {
    [&[u8::try_from(data.len() + 2).unwrap(), id], data].concat()
}

/// A colour specification from its colour space on.
fn specification(ink: Ink) -> Vec<u8> {
    let [space, sizes, value] = match ink {
        Ink::Named(value) => [vec![0x40], vec![16, 0, 0, 0], value.to_be_bytes().to_vec()],
        Ink::Rgb(value) => [vec![0x01], vec![8, 8, 8, 0], value.to_vec()],
        Ink::Cmyk(value) => [vec![0x04], vec![8; 4], value.to_vec()],
    };
    [space, vec![0; 4], sizes, value].concat()
}

/// Dots as rows of whole bytes.
pub(super) fn packed(dots: &Dots) -> Vec<u8> {
    let byte = |bits: &[bool]| bits.iter().enumerate().fold(0u8, |byte, (at, bit)| byte | u8::from(*bit) << (7 - at));
    dots.iter().flat_map(|row| row.chunks(8).map(byte)).collect()
}

fn size_of(dots: &Dots) -> [u16; 2] {
    [dots[0].len(), dots.len()].map(|side| u16::try_from(side).unwrap())
}

impl<'c> Writer<'c> {
    /// `cuts` say in turn whether control sequences are chained and data are split into several fields.
    pub(super) fn new(framing: Framing, cuts: &'c [bool]) -> Self {
        Writer { framing, bytes: Vec::new(), cuts: cuts.iter().cycle() }
    }

    fn cut(&mut self) -> bool {
        *self.cuts.next().unwrap()
    }

    fn field(&mut self, id: FieldId, data: &[u8]) {
        let length = u16::try_from(8 + data.len()).unwrap();
        let field = [&length.to_be_bytes()[..], &id.0, &[0, 0, 0], data].concat();
        let record = length + 1;
        match self.framing {
            Framing::Bare => {}
            Framing::Rdw => self.bytes.extend([&(record + 4).to_be_bytes()[..], &[0, 0, 0x5A]].concat()),
            Framing::LengthExclusive => self.bytes.extend([&record.to_be_bytes()[..], &[0x5A]].concat()),
            _ => self.bytes.push(0x5A),
        }
        self.bytes.extend(field);
    }

    /// Data in one field or two.
    fn split(&mut self, id: FieldId, data: &[u8]) {
        let middle = if self.cut() { data.len() / 2 } else { 0 };
        if middle > 0 {
            self.field(id, &data[..middle]);
        }
        self.field(id, &data[middle..]);
    }

    pub(super) fn stream(mut self, stream: &Stream) -> Vec<u8> {
        self.field(id::BRG, &token("RG"));
        for (number, things) in stream.overlays.iter().enumerate() {
            self.resource(&format!("O1{number}"), 0xFC, |writer, name| {
                writer.field(id::BMO, &token(name));
                writer.environment();
                things.iter().for_each(|thing| writer.thing(thing));
                writer.field(id::EMO, &token(name));
            });
        }
        for (number, things) in stream.segments.iter().enumerate() {
            self.resource(&format!("S1{number}"), 0xFB, |writer, name| {
                writer.field(id::BPS, &token(name));
                things.iter().for_each(|thing| writer.thing(thing));
                writer.field(id::EPS, &token(name));
            });
        }
        self.field(id::ERG, &token("RG"));
        self.field(id::BDT, &[&token("DOC")[..], &[0, 0], &triplet(0x01, &[0, 0, 0x01, 0xF4])].concat());
        let mut number = 0;
        for (group_number, group) in stream.groups.iter().enumerate() {
            self.field(id::BNG, &token(&format!("G{group_number}")));
            group.tags.iter().for_each(|tag| self.tag(tag));
            for sheet in &group.pages {
                number += 1;
                self.page(&format!("P{number}"), sheet);
            }
            self.field(id::ENG, &token(&format!("G{group_number}")));
        }
        self.field(id::EDT, &token("DOC"));
        self.bytes
    }

    fn resource(&mut self, name: &str, kind: u8, write: impl FnOnce(&mut Self, &str)) {
        let begin = [&token(name)[..], &[0, 0], &triplet(0x21, &[kind, 0, 0, 0, 0, 0, 0, 0])].concat();
        self.field(id::BRS, &begin);
        write(self, name);
        self.field(id::ERS, &token(name));
    }

    fn tag(&mut self, (name, value): &(String, String)) {
        let name = triplet(0x02, &[&[0x0B, 0][..], &ebcdic(name)].concat());
        let value = triplet(0x36, &[&[0, 0][..], &ebcdic(value)].concat());
        self.field(id::TLE, &[name, value].concat());
    }

    fn page(&mut self, name: &str, sheet: &Sheet) {
        self.field(id::BPG, &token(name));
        self.environment();
        sheet.tags.iter().for_each(|tag| self.tag(tag));
        sheet.things.iter().for_each(|thing| self.thing(thing));
        self.field(id::EPG, &token(name));
    }

    /// Fonts 1 (Helvetica, 10 points) and 2 (Courier, 12 points), and the size.
    fn environment(&mut self) {
        self.field(id::BAG, &token("AEG"));
        let mut fonts = Vec::new();
        for (lid, name, twentieths) in [(1u8, "CZH200", 200u16), (2, "CZ4200", 240)] {
            let named = |kind: u8, name: &str| triplet(0x02, &[&[kind, 0][..], &token(name)].concat());
            let size = twentieths.to_be_bytes();
            let descriptor = [&[0, 0, 0, 0][..], &size, &[0; 12]].concat();
            let group = [
                named(0x86, name),
                named(0x85, "T1V10500"),
                triplet(0x24, &[5, lid]),
                triplet(0x1F, &descriptor[2..]),
                triplet(0x5D, &size),
            ]
            .concat();
            fonts.extend(u16::try_from(group.len() + 2).unwrap().to_be_bytes());
            fonts.extend(group);
        }
        self.field(id::MCF, &fonts);
        let size = [u24(PAGE[0]), u24(PAGE[1])].concat();
        self.field(id::PGD, &[&UNITS[..], &size, &[0, 0, 0]].concat());
        self.field(id::PTD, &[&UNITS[..], &size, &[0, 0]].concat());
        self.field(id::EAG, &token("AEG"));
    }

    fn thing(&mut self, thing: &Thing) {
        match thing {
            Thing::Text { .. } | Thing::Rule { .. } => self.text(thing),
            Thing::Raster { spot, dots, double, color } => self.raster(*spot, dots, *double, *color),
            Thing::Image { spot, dots, area, color } => self.image(*spot, dots, *area, *color),
            Thing::Graphics { .. } => self.graphics(thing),
            Thing::Bars { spot, at, kind, color } => self.bars(*spot, *at, kind, *color),
            Thing::Overlay { number, spot } => {
                let turned = &TURNS[usize::from(spot.turns)][..2];
                let place = [u24(spot.x.into()), u24(spot.y.into())].concat();
                self.field(id::IPO, &[&token(&format!("O1{number}"))[..], &place, turned].concat());
            }
            Thing::Segment { number, at } => {
                let place = at.map(|at| u24(at.into())).concat();
                self.field(id::IPS, &[&token(&format!("S1{number}"))[..], &place].concat());
            }
        }
    }

    fn text(&mut self, thing: &Thing) {
        let (Thing::Text { axes, at, ink, .. } | Thing::Rule { axes, at, ink, .. }) = thing else { return };
        let mut sequences: Vec<(u8, Vec<u8>)> = vec![
            (0xF6, ANGLES[*axes].to_vec()),
            (0xC6, at[0].to_be_bytes().to_vec()),
            (0xD2, at[1].to_be_bytes().to_vec()),
            match ink {
                Ink::Named(value) => (0x74, value.to_be_bytes().to_vec()),
                _ => (0x80, [&[0][..], &specification(*ink)].concat()),
            },
        ];
        match thing {
            Thing::Text { text, font, .. } => {
                sequences.push((0xF0, vec![*font]));
                sequences.push((0xDA, ebcdic(text)));
            }
            Thing::Rule { length, width, inline, .. } => {
                let data = [&length.to_be_bytes()[..], &width.to_be_bytes(), &[0]].concat();
                sequences.push((if *inline { 0xE4 } else { 0xE6 }, data));
            }
            _ => {}
        }
        self.field(id::BPT, &token("PT"));
        let (mut data, mut chained, last) = (Vec::new(), false, sequences.len() - 1);
        for (number, (kind, body)) in sequences.iter().enumerate() {
            if !chained {
                data.extend([0x2B, 0xD3]);
            }
            chained = number != last && self.cut();
            data.extend([u8::try_from(body.len() + 2).unwrap(), kind | u8::from(chained)]);
            data.extend(body);
            if !chained && self.cut() {
                self.field(id::PTX, &std::mem::take(&mut data));
            }
        }
        self.field(id::PTX, &data);
        self.field(id::EPT, &token("PT"));
    }

    fn raster(&mut self, spot: Spot, dots: &Dots, double: bool, color: u16) {
        let [width, height] = size_of(dots).map(u16::to_be_bytes);
        self.field(id::BII, &token("IM"));
        let scale: [u8; 2] = if double { [0x07, 0xD0] } else { [0x03, 0xE8] };
        let place = [u24(spot.x.into()), u24(spot.y.into())].concat();
        let turned = &TURNS[usize::from(spot.turns)];
        let control = [&place[..], turned, &[0; 8], &scale, &scale, &[0xFF, 0xFF]].concat();
        self.field(FieldId([0xD3, 0xA7, 0x7B]), &control);
        let pels = [0x09, 0x60, 0x09, 0x60];
        let parts: [&[u8]; 9] = [
            &[0, 0],
            &pels,
            &[0; 6],
            &[0, 0],
            &pels,
            &width,
            &height,
            &[0, 0, 0, 0, 0x2D, 0, 0, 8, 0, 2, 0, 1],
            &color.to_be_bytes(),
        ];
        self.field(FieldId([0xD3, 0xA6, 0x7B]), &parts.concat());
        self.split(FieldId([0xD3, 0xEE, 0x7B]), &packed(dots));
        self.field(id::EII, &token("IM"));
    }

    /// The object environment group: an area of this size in 1/1440 inch, how its content lies in it, and the content's descriptor.
    fn area(&mut self, spot: Spot, size: [u32; 2], mapping: (FieldId, u8), descriptor: (FieldId, &[u8])) {
        self.field(id::BOG, &token("OEG"));
        let extent = size.map(u24).concat();
        let area = [triplet(0x43, &[1]), triplet(0x4B, &UNITS), triplet(0x4C, &[&[2][..], &extent].concat())];
        self.field(id::OBD, &area.concat());
        let turned = &TURNS[usize::from(spot.turns)];
        let place = [u24(spot.x.into()), u24(spot.y.into())].concat();
        self.field(id::OBP, &[&[1, 23][..], &place, turned, &[0; 7], &[0, 0, 0x2D, 0, 0]].concat());
        self.field(mapping.0, &[&[0, 5][..], &triplet(0x04, &[mapping.1])].concat());
        self.field(descriptor.0, descriptor.1);
        self.field(id::EOG, &token("OEG"));
    }

    fn image(&mut self, spot: Spot, dots: &Dots, area: Option<[u16; 2]>, color: u16) {
        let [width, height] = size_of(dots).map(u16::to_be_bytes);
        let size = [&[0, 0x17, 0x70, 0x17, 0x70][..], &width, &height].concat();
        let descriptor = [&size[..], &[0xF7, 2, 1, 0x0B, 0xF6, 4, 0, 0], &color.to_be_bytes()].concat();
        self.field(id::BIM, &token("IO"));
        let (extent, mapping) = area.map_or(([14_400; 2], 0x10), |area| (area.map(u32::from), 0x60));
        self.area(spot, extent, (id::MIO, mapping), (id::IDD, &descriptor));
        let data = packed(dots);
        let length = u16::try_from(data.len()).unwrap().to_be_bytes();
        let parts: [&[u8]; 8] = [
            &[0x70, 0, 0x91, 1, 0xFF, 0x94, 9],
            &size,
            &[0x95, 2, 0x03, 0x01],
            &[0x96, 1, 1],
            &[0xFE, 0x92],
            &length,
            &data,
            &[0x93, 0, 0x71, 0],
        ];
        self.split(id::IPD, &parts.concat());
        self.field(id::EIM, &token("IO"));
    }

    fn graphics(&mut self, thing: &Thing) {
        let Thing::Graphics { spot, points, filled, width, times, ink } = thing else { return };
        self.field(id::BGR, &token("GR"));
        let window = [0u16, 1000, 0, 1000].map(u16::to_be_bytes).concat();
        let head = [0xF7, 7, 0xB0, 0, 0, 0, 2, 0, 1, 0xF6, 18, 0, 0, 0];
        let descriptor = [&head[..], &UNITS[..1], &UNITS[2..], &[0, 0], &window].concat();
        let side = 1000 * u32::from(*times);
        self.area(*spot, [side; 2], (id::MGO, 0x60), (id::GDD, &descriptor));
        let mut orders = match ink {
            Ink::Named(value) => [&[0x26, 2][..], &value.to_be_bytes()].concat(),
            _ => {
                let spec = specification(*ink);
                [&[0xB2, u8::try_from(spec.len() + 1).unwrap(), 0][..], &spec].concat()
            }
        };
        orders.extend([0x19, *width]);
        let coordinates =
            |points: &[[u16; 2]]| -> Vec<u8> { points.iter().flatten().flat_map(|part| part.to_be_bytes()).collect() };
        if *filled {
            let corners = coordinates(&points[..2]);
            orders.extend([&[0x68, 0x80, 0xC0, 10, 0x20, 0][..], &corners, &[0x60, 0]].concat());
        } else {
            let line = coordinates(points);
            orders.extend([&[0xC1, u8::try_from(line.len()).unwrap()][..], &line].concat());
        }
        let length = u16::try_from(orders.len()).unwrap().to_be_bytes();
        let segment = [&[0x70, 0x0C, 0, 0, 0, 1, 0, 0][..], &length, &[0; 4], &orders].concat();
        self.split(id::GAD, &segment);
        self.field(id::EGR, &token("GR"));
    }

    fn bars(&mut self, spot: Spot, at: [u16; 2], kind: &BarKind, color: u16) {
        let (kind, modifier, data, special) = match kind {
            BarKind::Code39(text) => (0x01, 1, text, &[][..]),
            BarKind::Code128(text) => (0x11, 2, text, &[][..]),
            BarKind::Interleaved(text) => (0x0C, 1, text, &[][..]),
            // From code page 500; version found, level M, no structured append, nothing special.
            BarKind::Qr(text) => (0x20, 2, text, &[0x80, 1, 0, 1, 0, 0, 0, 0, 0][..]),
        };
        let parts: [&[u8]; 5] = [
            &UNITS,
            &[0x38, 0x40, 0x4E, 0x20, 0, 0, kind, modifier, 0xFF],
            &color.to_be_bytes(),
            &[0xFF, 0xFF, 0xFF, 1],
            &[0xFF, 0xFF],
        ];
        self.field(id::BBC, &token("BC"));
        self.area(spot, PAGE, (id::MBC, 0x00), (id::BDD, &parts.concat()));
        let [x, y] = at.map(u16::to_be_bytes);
        self.field(id::BDA, &[&[0x80][..], &x, &y, special, &ebcdic(data)].concat());
        self.field(id::EBC, &token("BC"));
    }
}
