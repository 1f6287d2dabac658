use super::*;

/// A structured field without anything around it.
fn bare(kind: u8, category: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + data.len()).unwrap().to_be_bytes();
    [&[length[0], length[1], 0xD3, kind, category, 0, 0, 0], data].concat()
}

fn be16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap().to_be_bytes()
}

/// The field in each container.
fn packed(field: &[u8], framing: Framing) -> Vec<u8> {
    let record = [&[0x5A], field].concat();
    match framing {
        Framing::Plain => record,
        Framing::Bare => field.to_vec(),
        Framing::Rdw => [&be16(record.len() + 4)[..], &[0, 0], &record].concat(),
        Framing::Blocked => [&be16(record.len() + 8)[..], &[0, 0], &be16(record.len() + 4), &[0, 0], &record].concat(),
        Framing::LengthInclusive => [&be16(record.len() + 2)[..], &record].concat(),
        Framing::LengthExclusive => [&be16(record.len())[..], &record].concat(),
        Framing::Fixed(size) => {
            let mut record = record;
            record.resize(record.len().div_ceil(size) * size, 0x40);
            record
        }
        Framing::Lines => [&record[..], b"\r\n"].concat(),
    }
}

const ALL: [Framing; 8] = [
    Framing::Plain,
    Framing::Bare,
    Framing::Rdw,
    Framing::Blocked,
    Framing::LengthInclusive,
    Framing::LengthExclusive,
    Framing::Fixed(80),
    Framing::Lines,
];

/// All records of `bytes`: kind and data.
fn cut(bytes: &[u8], framing: Framing) -> Vec<(Kind, Vec<u8>)> {
    let (mut rest, mut all) = (bytes, Vec::new());
    while let Some(found) = record(rest, framing) {
        assert!(found.raw > 0 && found.raw <= rest.len() && found.from <= found.to && found.to <= found.raw);
        all.push((found.kind, rest[found.from..found.to].to_vec()));
        rest = &rest[found.raw..];
    }
    all
}

#[test]
fn fields_come_out_of_every_container() {
    for framing in ALL {
        let fields = [bare(0xA8, 0xA8, b"12345678"), bare(0xEE, 0xEE, &[0x5A; 200]), bare(0xA9, 0xA8, b"")];
        let bytes: Vec<u8> = fields.iter().flat_map(|field| packed(field, framing)).collect();
        let found = cut(&bytes, framing);
        let ids: Vec<Kind> = found.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(ids, [Kind::Field(id::BDT), Kind::Field(id::NOP), Kind::Field(id::EDT)], "{framing:?}");
        assert_eq!((found[0].1.as_slice(), found[1].1.len(), found[2].1.len()), (&b"12345678"[..], 200, 0));
    }
}

#[test]
fn extension_and_padding_are_no_data() {
    let mut padded = bare(0xEE, 0xEE, b"xxxxDATA\0\0\x03");
    padded[5] = 0x08;
    assert_eq!(cut(&packed(&padded, Framing::Plain), Framing::Plain)[0].1, b"xxxxDATA");
    let mut long = bare(0xEE, 0xEE, &[&b"DATA"[..], &[7; 297], &[0x01, 0x2C, 0]].concat());
    long[5] = 0x08;
    assert_eq!(cut(&packed(&long, Framing::Plain), Framing::Plain)[0].1, b"DATA");
    let mut extended = bare(0xEE, 0xEE, b"\x03xxDATA");
    extended[5] = 0x80;
    assert_eq!(cut(&packed(&extended, Framing::Plain), Framing::Plain)[0].1, b"DATA");
    // Lengths beyond the field are not believed.
    let mut wrong = bare(0xEE, 0xEE, b"\xFFDATA\xFF");
    wrong[5] = 0x88;
    assert_eq!(cut(&packed(&wrong, Framing::Plain), Framing::Plain)[0].1.len(), 6);
}

#[test]
fn junk_is_stepped_over_and_fields_behind_it_are_found() {
    for framing in ALL.into_iter().filter(|framing| !matches!(framing, Framing::Fixed(_))) {
        let field = packed(&bare(0xEE, 0xEE, b"data"), framing);
        let bytes = [&b"\x01junk in front"[..], &field, &field, b"\x01junk between", &field, &[0x40; 30]].concat();
        let kinds: Vec<Kind> = cut(&bytes, framing).into_iter().map(|(kind, _)| kind).collect();
        let nop = Kind::Field(id::NOP);
        assert_eq!(kinds, [Kind::Junk, nop, nop, Kind::Junk, nop, Kind::Filler], "{framing:?}");
    }
}

#[test]
fn a_field_whose_length_is_wrong_costs_only_itself() {
    let mut bytes: Vec<u8> = (0..4).flat_map(|_| packed(&bare(0xEE, 0xEE, b"data"), Framing::Plain)).collect();
    // The second claims to reach into the fourth.
    bytes[13 + 2] = 35;
    let kinds: Vec<Kind> = cut(&bytes, Framing::Plain).into_iter().map(|(kind, _)| kind).collect();
    let nop = Kind::Field(id::NOP);
    assert_eq!(kinds, [nop, Kind::Junk, nop, nop]);
    // And now more than there is.
    bytes[13 + 1] = 0x7F;
    let kinds: Vec<Kind> = cut(&bytes, Framing::Plain).into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [nop, Kind::Junk, nop, nop]);
}

#[test]
fn a_stream_that_ends_inside_a_field_says_so() {
    let bytes = packed(&bare(0xA8, 0xAF, b"12345678"), Framing::Plain);
    for keep in 9..bytes.len() {
        assert_eq!(cut(&bytes[..keep], Framing::Plain)[0].0, Kind::CutShort(id::BPG), "{keep}");
    }
}
