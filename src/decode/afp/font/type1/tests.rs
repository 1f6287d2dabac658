use super::*;

/// The other way round, with four bytes of nothing in front.
fn encrypt(plain: &[u8], key: u16) -> Vec<u8> {
    let mut key = key;
    [0; 4]
        .iter()
        .chain(plain)
        .map(|&byte| {
            let [high, _] = key.to_be_bytes();
            let cipher = byte ^ high;
            key = u16::from(cipher).wrapping_add(key).wrapping_mul(52_845).wrapping_add(22_719);
            cipher
        })
        .collect()
}

fn num(value: i32) -> Vec<u8> {
    [vec![255], value.to_be_bytes().to_vec()].concat()
}

/// Numbers, then an operator; operators of two bytes are 1200 and what follows.
fn code(program: &[(&[i32], u16)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (numbers, operator) in program {
        numbers.iter().for_each(|n| out.extend(num(*n)));
        if *operator >= 1200 {
            out.extend([12, u8::try_from(operator - 1200).unwrap()]);
        } else {
            out.push(u8::try_from(*operator).unwrap());
        }
    }
    out
}

fn font(subroutines: &[Vec<u8>], characters: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut private = b"dup /Private 8 dict dup begin /RD {string currentfile exch readstring pop} executeonly def /lenIV 4 def /Subrs 9 array\n".to_vec();
    for (n, subroutine) in subroutines.iter().enumerate() {
        let data = encrypt(subroutine, 4330);
        private.extend(format!("dup {n} {} RD ", data.len()).bytes());
        private.extend(data);
        private.extend(b" NP\n");
    }
    private.extend(b"ND 2 index /CharStrings 9 dict dup begin\n");
    for (name, character) in characters {
        let data = encrypt(character, 4330);
        private.extend(format!("/{name} {} RD ", data.len()).bytes());
        private.extend(data);
        private.extend(b" ND\n");
    }
    private.extend(b"end end readonly put");
    let clear =
        b"%!PS-AdobeFont-1.0: Tiny\n/FontMatrix [0.001 0 0 0.001 0 0] readonly def\ncurrentfile eexec\n".to_vec();
    let cipher = encrypt(&private, 55_665);
    let mut file = vec![0x80, 1];
    file.extend(u32::try_from(clear.len()).unwrap().to_le_bytes());
    file.extend(clear);
    file.extend([0x80, 2]);
    file.extend(u32::try_from(cipher.len()).unwrap().to_le_bytes());
    file.extend(cipher);
    file.extend([0x80, 3]);
    file
}

fn square(side: i32) -> Vec<u8> {
    code(&[(&[10, 500], 13), (&[0], 4), (&[side], 6), (&[side], 7), (&[-side], 6), (&[], 9), (&[], 14)])
}

#[test]
fn lines_curves_and_widths_are_drawn() {
    let curve =
        code(&[(&[0, 600], 13), (&[5, 6], 21), (&[10, 20, 30, 40], 31), (&[1, 2, 3, 4, 5, 6], 8), (&[], 9), (&[], 14)]);
    let file = font(&[], &[("A", square(100)), ("B", curve)]);
    let font = Type1::read(&file).unwrap();
    assert_eq!(font.em(), 1000);
    let a = font.draw(b"A", &mut { WORK_LIMIT * 9 }).unwrap();
    assert_eq!((a.width, a.outline.bounds()), (500.0, Some([10.0, 0.0, 110.0, 100.0])));
    let b = font.draw(b"B", &mut { WORK_LIMIT * 9 }).unwrap();
    let expected = [
        Segment::Move([5.0, 6.0]),
        Segment::Curve([15.0, 6.0, 35.0, 36.0, 35.0, 76.0]),
        Segment::Curve([36.0, 78.0, 39.0, 82.0, 44.0, 88.0]),
    ];
    assert_eq!(b.outline.0, expected);
    assert!(font.draw(b"C", &mut { WORK_LIMIT * 9 }).is_none());
}

#[test]
fn subroutines_flex_and_division_are_followed() {
    // 0: a line to the right, 1: start of flex, 2: point of flex, 3: end of flex.
    let subroutines = [
        code(&[(&[50], 6), (&[], 11)]),
        code(&[(&[0, 1], 1216), (&[], 11)]),
        code(&[(&[0, 2], 1216), (&[], 11)]),
        code(&[(&[3, 0], 1216), (&[], 1217), (&[], 1217), (&[], 1233), (&[], 11)]),
    ];
    let mut flex = vec![(&[0_i32, 500][..], 13_u16), (&[100, 100], 21), (&[0], 10), (&[1], 10)];
    for point in [&[50, 10][..], &[-50, -10], &[20, 10], &[30, 0], &[30, 0], &[10, -10], &[10, 0]] {
        flex.push((point, 21));
        flex.push((&[2], 10));
    }
    let mut program = code(&flex);
    program.extend(code(&[(&[50, 250, 100, 3], 10), (&[90, 9], 1212)]));
    program.extend(code(&[(&[], 7), (&[], 9), (&[], 14)]));
    let file = font(&subroutines, &[("A", program)]);
    let drawn = Type1::read(&file).unwrap().draw(b"A", &mut { WORK_LIMIT * 9 }).unwrap();
    let [first, line, one, two, last] = drawn.outline.0.as_slice() else { panic!("{:?}", drawn.outline) };
    assert_eq!((*first, *line), (Segment::Move([100.0, 100.0]), Segment::Line([150.0, 100.0])));
    assert_eq!(*one, Segment::Curve([150.0, 100.0, 170.0, 110.0, 200.0, 110.0]));
    assert_eq!(*two, Segment::Curve([230.0, 110.0, 240.0, 100.0, 250.0, 100.0]));
    assert_eq!(*last, Segment::Line([250.0, 110.0]), "ninety divided by nine");
}

#[test]
fn a_composed_character_has_its_letter_and_its_accent() {
    let composed = code(&[(&[10, 500], 13), (&[10, 30, 200, 65, 0xC2], 1206)]);
    let file = font(&[], &[("A", square(100)), ("acute", square(20)), ("Aacute", composed)]);
    let drawn = Type1::read(&file).unwrap().draw(b"Aacute", &mut { WORK_LIMIT * 9 }).unwrap();
    assert_eq!(drawn.outline.bounds(), Some([10.0, 0.0, 110.0, 220.0]));
    assert_eq!(drawn.outline.0.last(), Some(&Segment::Line([40.0, 220.0])));
}

#[test]
fn loops_and_missing_parts_end() {
    let looping = code(&[(&[0], 10), (&[], 11)]);
    let file = font(
        std::slice::from_ref(&looping),
        &[("A", looping.clone()), ("B", vec![255]), ("C", code(&[(&[], 5)])), ("D", vec![10])],
    );
    let font = Type1::read(&file).unwrap();
    for name in [b"A", b"B", b"C", b"D"] {
        assert!(font.draw(name, &mut { WORK_LIMIT * 9 }).is_none());
    }
    assert!(Type1::read(b"").is_none());
    assert!(Type1::read(b"currentfile eexec").is_none());
}

#[test]
fn work_is_used_up_by_all_characters_together() {
    let file = font(&[], &[("A", square(100))]);
    let font = Type1::read(&file).unwrap();
    let mut work = 39;
    assert_eq!(font.draw(b"A", &mut work).unwrap().outline.0.len(), 4);
    assert_eq!(work, 26);
    font.draw(b"A", &mut work);
    font.draw(b"A", &mut work);
    assert_eq!(work, 0);
    assert_eq!(font.draw(b"A", &mut work).unwrap().outline.0.len(), 0);
}

#[test]
fn damaged_fonts_are_survived() {
    let file = font(&[square(3)], &[("A", square(100)), ("B", square(5))]);
    let mut seed = 7_u64;
    for _ in 0..2000 {
        let mut bad = file.clone();
        for _ in 0..3 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(seed >> 33).unwrap() % bad.len();
            bad[at] = seed.to_be_bytes()[1];
        }
        bad.truncate(bad.len() - usize::try_from(seed % 40).unwrap());
        if let Some(font) = Type1::read(&bad) {
            let names: Vec<Vec<u8>> = font.names().map(<[u8]>::to_vec).collect();
            names.iter().for_each(|name| _ = font.draw(name, &mut { WORK_LIMIT * 9 }));
        }
    }
}
