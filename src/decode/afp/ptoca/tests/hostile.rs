//! Whatever the bytes are: no panic, no hang, no more elements than allowed.

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 500;

fn survive(data: &[u8], descriptor: &[u8]) {
    let hostile = |env: &mut TextEnvironment<'_>| {
        env.elements = LIMIT;
        env.suppressed = &[3];
        env.units = [0.0, f64::NAN];
    };
    let mut drawn = draw_with(data, hostile, &mut Carried::default());
    assert!(drawn.elements.len() <= LIMIT);
    number_lines(&mut drawn.elements);
    for run in drawn.texts() {
        assert!(!run.text.is_empty());
        if let Advances::Each(all) = &run.advances {
            assert_eq!(all.len(), run.text.chars().count());
        }
    }
    let font: Arc<dyn SetsText> = Arc::new(Fake { size: 2000 });
    let env = TextEnvironment {
        descriptor,
        units: [1440.0; 2],
        origin: [Lu(i32::MIN), Lu(i32::MAX)],
        turns: 3,
        extent: [Lu(i32::MAX), Lu(i32::MIN)],
        fonts: &Fonts,
        default_font: &font,
        color: Color::BLACK,
        suppressed: &[],
        elements: LIMIT,
    };
    let mut elements = Vec::new();
    draw(data, &env, &mut Carried::default(), &mut elements, &mut |_, _| {});
    number_lines(&mut elements);
    assert!(elements.len() <= LIMIT);
}

/// Every control sequence, with data of any length.
fn sequences() -> impl Strategy<Value = Vec<u8>> {
    let kinds = proptest::sample::select(vec![
        0xC0u8, 0xC2, 0xC4, 0xC6, 0xC8, 0xD0, 0xD2, 0xD4, 0xD8, 0xDA, 0xE4, 0xE6, 0xEE, 0xF0, 0xF2, 0xF4, 0xF6, 0xF8,
        0x72, 0x74, 0x76, 0x78, 0x80, 0x6A, 0x6C, 0x8A, 0x8C, 0x8E, 0x98, 0x9A, 0x9C, 0x00, 0xFE,
    ]);
    let one = (kinds, any::<bool>(), proptest::collection::vec(any::<u8>(), 0..20), any::<u8>(), 0u8..20);
    proptest::collection::vec(one, 0..60).prop_map(|all| {
        let mut bytes = Vec::new();
        for (kind, chained, data, length, odd) in all {
            bytes.extend([0x2B, 0xD3]);
            // One in twenty has a length of its own.
            let right = u8::try_from(data.len() + 2).unwrap();
            bytes.extend([if odd == 0 { length } else { right }, kind | u8::from(chained)]);
            bytes.extend(data);
        }
        bytes
    })
}

proptest! {
    #[test]
    fn random_bytes(data in proptest::collection::vec(any::<u8>(), 0..600)) {
        survive(&data, &data);
    }

    #[test]
    fn random_sequences(data in sequences(), descriptor in proptest::collection::vec(any::<u8>(), 0..60)) {
        survive(&data, &descriptor);
        survive(&data, descriptor.get(..10).unwrap_or_default());
    }

    #[test]
    fn flipped_and_cut(data in sequences(), at in any::<proptest::sample::Index>(), bit in 0u8..8) {
        let mut data = data;
        if !data.is_empty() {
            let at = at.index(data.len());
            data[at] ^= 1 << bit;
            survive(&data, &[]);
            survive(&data[..at], &[]);
        }
    }
}

#[test]
fn repeated_strings_stop_at_a_limit() {
    let one = stream(&[(0xEE, &[0x7F, 0xFF, b'a']), (0xC6, &[0, 0])]);
    let data = one.repeat(200);
    let drawn = drawn(&data);
    let letters: usize = drawn.texts().iter().map(|run| run.text.len()).sum();
    assert!(letters <= data.len() + 1_000_000);
    assert_eq!(drawn.codes, ["afp-text-limit"]);
}

#[test]
fn the_limit_is_that_of_the_page_not_of_each_object() {
    let data = stream(&[(0xEE, &[0x7F, 0xFF, b'a']), (0xC6, &[0, 0])]).repeat(20);
    let mut carried = Carried::default();
    let first = draw_with(&data, |_| {}, &mut carried);
    assert!(first.codes.is_empty());
    let mut apart = carried.apart();
    assert_eq!(draw_with(&data, |_| {}, &mut apart).codes, ["afp-text-limit"]);
    carried.count(&apart);
    let last = draw_with(&data, |_| {}, &mut carried);
    assert_eq!(last.texts().iter().map(|run| run.text.len()).sum::<usize>(), data.len());
}

#[test]
fn a_page_takes_so_many_elements_and_no_more() {
    let data = stream(&[(0xE4, &[0, 9]), (0xDA, b"A"), (0xD4, &[0, 9])]).repeat(100);
    let drawn = draw_with(&data, |env| env.elements = 51, &mut Carried::default());
    assert_eq!((drawn.elements.len(), drawn.codes), (51, vec!["afp-text-limit"]));
}

#[test]
fn positions_beyond_all_pages_are_clamped() {
    let data = stream(&[(0xC8, &[0x7F, 0xFF]), (0xD4, &[0x7F, 0xFF])]).repeat(5000);
    let data = [data, stream(&[(0xDA, b"A"), (0xE4, &[0x80, 0, 0x80, 0, 0])])].concat();
    survive(&data, &[0, 0, 0, 1, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0]);
}
