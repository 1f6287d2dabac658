//! Random whole streams, written by an encoder of their own, decode from the first byte to the last element to what was encoded: page
//! groups and tags, text and rules in all orientations and colours, IM and IO images, graphics, bar codes, overlays and page
//! segments; each page the same when its document stands alone.

mod check;
mod writer;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use check::{check_page, check_tags};
use writer::Writer;

/// A colour as the stream says it.
#[derive(Debug, Clone, Copy)]
enum Ink {
    Named(u16),
    Rgb([u8; 3]),
    Cmyk([u8; 4]),
}

/// Where an object area lies: 1/1440 inch from the page's corner, quarter turns.
#[derive(Debug, Clone, Copy)]
struct Spot {
    x: u16,
    y: u16,
    turns: u8,
}

/// Rows of dots; true is ink.
type Dots = Vec<Vec<bool>>;

/// Something on a page. Positions are in 1/1440 inch; those of text and rules in axes of their own.
#[derive(Debug, Clone)]
enum Thing {
    Text {
        axes: usize,
        at: [u16; 2],
        text: String,
        ink: Ink,
        font: u8,
    },
    Rule {
        axes: usize,
        at: [u16; 2],
        length: i16,
        width: i16,
        inline: bool,
        ink: Ink,
    },
    /// An IM image; positions in dots of 1/240 inch.
    Raster {
        spot: Spot,
        dots: Dots,
        double: bool,
        color: u16,
    },
    /// An IO image, 600 dots in an inch; stretched to an area of this size where there is one.
    Image {
        spot: Spot,
        dots: Dots,
        area: Option<[u16; 2]>,
        color: u16,
    },
    /// A polyline, or a filled box, in a window of 1000 units that is shown this many times as large.
    Graphics {
        spot: Spot,
        points: Vec<[u16; 2]>,
        filled: bool,
        width: u8,
        times: u8,
        ink: Ink,
    },
    Bars {
        spot: Spot,
        at: [u16; 2],
        kind: BarKind,
        color: u16,
    },
    Overlay {
        number: usize,
        spot: Spot,
    },
    Segment {
        number: usize,
        at: [u16; 2],
    },
}

#[derive(Debug, Clone)]
enum BarKind {
    Code39(String),
    Code128(String),
    Interleaved(String),
    Qr(String),
}

/// Pages with the tags of their group.
#[derive(Debug, Clone)]
struct Group {
    tags: Vec<(String, String)>,
    pages: Vec<Sheet>,
}

/// A page: its own tags and what is on it.
#[derive(Debug, Clone)]
struct Sheet {
    tags: Vec<(String, String)>,
    things: Vec<Thing>,
}

/// Everything in a stream.
#[derive(Debug, Clone)]
struct Stream {
    overlays: Vec<Vec<Thing>>,
    segments: Vec<Vec<Thing>>,
    groups: Vec<Group>,
}

const OVERLAYS: usize = 3;
const SEGMENTS: usize = 3;

fn ink() -> impl Strategy<Value = Ink> {
    prop_oneof![
        (1u16..=16).prop_map(Ink::Named),
        any::<[u8; 3]>().prop_map(Ink::Rgb),
        any::<[u8; 4]>().prop_map(Ink::Cmyk)
    ]
}

fn spot() -> impl Strategy<Value = Spot> {
    (0u16..10_000, 0u16..16_000, 0u8..4).prop_map(|(x, y, turns)| Spot { x, y, turns })
}

/// At least one dot of ink and one without: rasters of one colour are rules, or nothing.
fn dots() -> impl Strategy<Value = Dots> {
    (2usize..40, 1usize..20).prop_flat_map(|(width, height)| vec(vec(any::<bool>(), width), height)).prop_map(
        |mut dots| {
            dots[0][0] = true;
            dots[0][1] = false;
            dots
        },
    )
}

fn written() -> impl Strategy<Value = Thing> {
    let at = || [0u16..12_000, 0u16..12_000];
    let size = || prop_oneof![-2000i16..-10, 10i16..2000];
    let text = (0usize..8, at(), "[A-Za-z0-9][A-Za-z0-9.,:-]{0,20}( [A-Za-z0-9]{1,8}){0,3}", ink(), 1u8..=2);
    let rule = (0usize..8, at(), size(), size(), any::<bool>(), ink());
    prop_oneof![
        text.prop_map(|(axes, at, text, ink, font)| Thing::Text { axes, at, text, ink, font }),
        rule.prop_map(|(axes, at, length, width, inline, ink)| Thing::Rule { axes, at, length, width, inline, ink }),
    ]
}

fn placed() -> impl Strategy<Value = Thing> {
    let raster = (spot(), dots(), any::<bool>(), 1u16..=16);
    let image = (spot(), dots(), proptest::option::of([1u16..4000, 1u16..4000]), 1u16..=16);
    let point = || [0u16..=1000, 0u16..=1000];
    let graphics = (spot(), vec(point(), 2..8), any::<bool>(), 1u8..6, 1u8..4, ink());
    prop_oneof![
        raster.prop_map(|(spot, dots, double, color)| Thing::Raster { spot, dots, double, color }),
        image.prop_map(|(spot, dots, area, color)| Thing::Image { spot, dots, area, color }),
        graphics.prop_map(|(spot, points, filled, width, times, ink)| Thing::Graphics {
            spot,
            points,
            filled,
            width,
            times,
            ink
        }),
    ]
}

fn bars() -> impl Strategy<Value = Thing> {
    let kind = prop_oneof![
        "[A-Z0-9. $/+%-]{1,12}".prop_map(|text| BarKind::Code39(text.replace(' ', "-"))),
        "[A-Za-z0-9]{1,14}".prop_map(BarKind::Code128),
        "([0-9]{2}){1,8}".prop_map(BarKind::Interleaved),
        "[A-Za-z0-9]{1,30}".prop_map(BarKind::Qr),
    ];
    let at = [0u16..2000, 0u16..2000];
    (spot(), at, kind, 1u16..=16).prop_map(|(spot, at, kind, color)| Thing::Bars { spot, at, kind, color })
}

fn included() -> impl Strategy<Value = Thing> {
    let at = [0u16..9000, 0u16..9000];
    prop_oneof![
        (0..OVERLAYS, spot()).prop_map(|(number, spot)| Thing::Overlay { number, spot }),
        (0..SEGMENTS, at).prop_map(|(number, at)| Thing::Segment { number, at }),
    ]
}

fn tags() -> impl Strategy<Value = Vec<(String, String)>> {
    vec(("[A-Za-z][A-Za-z0-9]{0,12}", "[A-Za-z0-9 .,-]{0,19}[A-Za-z0-9]"), 0..3)
}

fn stream() -> impl Strategy<Value = Stream> {
    let thing = || prop_oneof![4 => written(), 3 => placed(), 1 => bars(), 2 => included()];
    let sheet = (tags(), vec(thing(), 0..8)).prop_map(|(tags, things)| Sheet { tags, things });
    let group = (tags(), vec(sheet, 1..4)).prop_map(|(tags, pages)| Group { tags, pages });
    let overlay = vec(prop_oneof![2 => written(), 1 => placed(), 1 => bars()], 0..5);
    let segment = vec(placed(), 1..4);
    (vec(overlay, OVERLAYS), vec(segment, SEGMENTS), vec(group, 1..3)).prop_map(|(overlays, segments, groups)| Stream {
        overlays,
        segments,
        groups,
    })
}

fn framing() -> impl Strategy<Value = Framing> {
    prop_oneof![Just(Framing::Plain), Just(Framing::Bare), Just(Framing::Rdw), Just(Framing::LengthExclusive)]
}

/// More in the long runs of `make test-all`.
fn cases() -> u32 {
    if std::env::var_os("GREENBAR_LONG").is_some() { 3000 } else { 96 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn what_is_encoded_is_decoded(
        stream in stream(),
        framing in framing(),
        cuts in vec(any::<bool>(), 1..9),
    ) {
        let bytes = Writer::new(framing, &cuts).stream(&stream);
        let how = spec(framing);
        prop_assert_eq!(sniffed(&bytes).framing, how.framing.clone());
        let (all, notes) = units(&bytes, &how);
        assert_covers(&bytes, &all, "random");
        let pages: Vec<&Unit> = all.iter().filter(|unit| unit.kind == UnitKind::Page).collect();
        let sheets: Vec<(&Group, usize)> =
            stream.groups.iter().flat_map(|group| (0..group.pages.len()).map(move |number| (group, number))).collect();
        prop_assert_eq!(pages.len(), sheets.len());
        let mut drawing = open(&bytes, Start::default(), &how, None);
        drain(drawing.as_mut());
        let shared = shared_of(&all, &how);
        let mut drawn_notes = Notes::default();
        for (number, (unit, (group, page))) in pages.iter().zip(&sheets).enumerate() {
            check_tags(unit, group, *page, number);
            let page_drawn = drawing.page(unit, &mut drawn_notes);
            check_page(&stream, &group.pages[*page], &page_drawn);
            let alone = open(&unit.bytes, unit.start(), &how, Some(shared.clone()));
            prop_assert_eq!(drawn(&alone.page(unit, &mut Notes::default())), drawn(&page_drawn));
        }
        let said: Vec<_> = notes.iter().chain(drawn_notes.iter()).filter(|note| note.code != "afp-substituted-font").collect();
        prop_assert!(said.is_empty(), "{said:?}");
    }
}

/// Reads a stream to its end, so that its decoder knows all resources.
fn drain(decoder: &mut dyn Decoder) {
    let mut unit = Unit::default();
    while decoder.next(&mut unit, &mut Notes::default()).unwrap() {}
}
