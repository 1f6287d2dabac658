//! Random pages, written as PTX by an encoder of its own, decode to what was encoded.

use proptest::prelude::*;

use super::*;

/// Something on a page, in units of 1/1440 inch and in its own axes.
#[derive(Debug, Clone)]
enum Thing {
    Text { inline: u16, baseline: u16, text: Vec<u8>, color: u16, font: u8 },
    Rule { inline: u16, baseline: u16, length: i16, width: i16, level: bool, color: u16 },
}

fn thing() -> impl Strategy<Value = Thing> {
    let place = (0u16..12_000, 0u16..12_000);
    let text = proptest::collection::vec(prop_oneof![b'A'..=b'H', Just(b'i'), Just(b'+'), Just(0xD3u8)], 1..40);
    let letters = (place.clone(), text, 1u16..=16, 1u8..=2)
        .prop_map(|((inline, baseline), text, color, font)| Thing::Text { inline, baseline, text, color, font });
    let size = prop_oneof![-2000i16..-10, 10i16..2000];
    let rule = (place, size.clone(), size, any::<bool>(), 1u16..=16).prop_map(
        |((inline, baseline), length, width, level, color)| Thing::Rule {
            inline,
            baseline,
            length,
            width,
            level,
            color,
        },
    );
    prop_oneof![letters, rule]
}

/// Writes control sequences, chained or not as `chain` says in turn.
struct Encoder<'c> {
    bytes: Vec<u8>,
    chained: bool,
    chain: std::iter::Cycle<std::slice::Iter<'c, bool>>,
}

impl Encoder<'_> {
    fn put(&mut self, kind: u8, data: &[u8]) {
        if !self.chained {
            self.bytes.extend([0x2B, 0xD3]);
        }
        self.chained = *self.chain.next().unwrap_or(&false);
        self.bytes.extend([u8::try_from(data.len() + 2).unwrap(), kind | u8::from(self.chained)]);
        self.bytes.extend(data);
    }

    fn thing(&mut self, thing: &Thing, axes: usize) {
        let (Thing::Text { inline, baseline, color, .. } | Thing::Rule { inline, baseline, color, .. }) = thing;
        self.put(0xF6, &ANGLES[axes]);
        self.put(0xC6, &inline.to_be_bytes());
        self.put(0xD2, &baseline.to_be_bytes());
        self.put(0x74, &color.to_be_bytes());
        match thing {
            Thing::Text { text, font, .. } => {
                self.put(0xF0, &[*font]);
                self.put(0xDA, text);
            }
            Thing::Rule { length, width, level, .. } => {
                let data = [&length.to_be_bytes()[..], &width.to_be_bytes(), &[0]].concat();
                self.put(if *level { 0xE4 } else { 0xE6 }, &data);
            }
        }
    }
}

const ANGLES: [[u8; 4]; 8] = [
    [0, 0, 0x2D, 0],
    [0x2D, 0, 0x5A, 0],
    [0x5A, 0, 0x87, 0],
    [0x87, 0, 0, 0],
    [0x2D, 0, 0, 0],
    [0x5A, 0, 0x2D, 0],
    [0x87, 0, 0x5A, 0],
    [0, 0, 0x87, 0],
];
/// The unit vectors of I and B for each of them.
const VECTORS: [[[i32; 2]; 2]; 8] = [
    [[1, 0], [0, 1]],
    [[0, 1], [-1, 0]],
    [[-1, 0], [0, -1]],
    [[0, -1], [1, 0]],
    [[0, 1], [1, 0]],
    [[-1, 0], [0, 1]],
    [[0, -1], [-1, 0]],
    [[1, 0], [0, -1]],
];

fn corner(axes: usize, inline: i32, baseline: i32) -> [i32; 2] {
    let [[ix, iy], [bx, by]] = VECTORS[axes];
    let from = |a: i32, b: i32, extent: i32| if a + b < 0 { extent } else { 0 };
    [
        from(ix, bx, 144_000) + 10 * (inline * ix + baseline * bx),
        from(iy, by, 288_000) + 10 * (inline * iy + baseline * by),
    ]
}

fn check(thing: &Thing, axes: usize, element: &Element) {
    match (thing, element) {
        (Thing::Text { inline, baseline, text, color, font }, Element::Text(run)) => {
            let shown: String = text.iter().copied().map(char::from).collect();
            assert_eq!(run.text, shown);
            assert_eq!([run.x.0, run.y.0], corner(axes, (*inline).into(), (*baseline).into()));
            assert_eq!(usize::from(run.turns), [0, 1, 2, 3, 1, 2, 3, 0][axes]);
            assert_eq!(run.size.0, 2000 * i32::from(*font));
            assert_eq!(Some(run.color), crate::decode::afp::color::named(*color));
            let expected: Vec<i32> = text.iter().map(|byte| if *byte == b'i' { 400 } else { 1200 }).collect();
            assert_eq!(advances(run), expected);
        }
        (Thing::Rule { inline, baseline, length, width, level, color }, Element::Rule(rule)) => {
            let (inline, baseline) = (i32::from(*inline), i32::from(*baseline));
            let (length, width) = (i32::from(*length), i32::from(*width));
            let (along, across) = if *level { (length, width) } else { (width, length) };
            let [x0, y0] = corner(axes, inline, baseline);
            let [x1, y1] = corner(axes, inline + along, baseline + across);
            assert_eq!([rule.x.0, rule.y.0], [x0.min(x1), y0.min(y1)]);
            assert_eq!([rule.width.0, rule.height.0], [(x1 - x0).abs(), (y1 - y0).abs()]);
            assert_eq!(Some(rule.color), crate::decode::afp::color::named(*color));
        }
        (thing, element) => panic!("{thing:?} became {element:?}"),
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        things in proptest::collection::vec((thing(), 0usize..8), 0..30),
        chain in proptest::collection::vec(any::<bool>(), 1..7),
    ) {
        let mut encoder = Encoder { bytes: Vec::new(), chained: false, chain: chain.iter().cycle() };
        for (thing, axes) in &things {
            encoder.thing(thing, *axes);
        }
        let drawn = drawn(&encoder.bytes);
        prop_assert!(drawn.codes.is_empty());
        prop_assert_eq!(drawn.elements.len(), things.len());
        for ((thing, axes), element) in things.iter().zip(&drawn.elements) {
            check(thing, *axes, element);
        }
    }

    #[test]
    fn words_and_gaps_come_out_as_they_were_placed(
        words in proptest::collection::vec((proptest::collection::vec(b'A'..=b'Z', 1..12), 40u16..400), 1..12),
    ) {
        let mut data = Vec::new();
        let mut at = 0u16;
        for (word, gap) in &words {
            for letter in word {
                data.extend(stream(&[(0xC6, &at.to_be_bytes()), (0xDA, &[*letter])]));
                at += 120;
            }
            at += gap;
        }
        let drawn = drawn(&data);
        let found: Vec<&[u8]> = drawn.texts().iter().map(|run| run.text.as_bytes()).collect();
        let expected: Vec<&[u8]> = words.iter().map(|(word, _)| word.as_slice()).collect();
        prop_assert_eq!(found, expected);
    }
}
