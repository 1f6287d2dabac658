//! Patterns against those that an independent encoder (zint) and the specifications give, and what becomes of bad data.
//! What scanners say of the drawn symbols: `tests/judges/barcodes`.

use std::sync::Arc;

use proptest::prelude::*;

use super::encode::{Symbol, encode};
use super::symbol::{Pattern, PostalBar};
use super::*;
use crate::decode::afp::font::ActiveFont;
use crate::decode::afp::object::ObjectFonts;
use crate::page::{Color, Lu, Step};

struct NoFonts;

impl ObjectFonts for NoFonts {
    fn font(&self, _lid: u8) -> Option<Arc<ActiveFont>> {
        None
    }
}

fn area() -> ObjectArea {
    ObjectArea { x: Lu(1000), y: Lu(2000), ..ObjectArea::AT_ORIGIN }
}

fn bdd(kind: u8, modifier: u8) -> Vec<u8> {
    let mut bdd = vec![0, 0, 0x38, 0x40, 0x38, 0x40, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, kind, modifier];
    bdd.extend([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0xFF, 0xFF]);
    bdd
}

/// Code page 500 of what bar codes usually hold.
fn ebcdic(text: &str) -> Vec<u8> {
    let latin: Vec<u8> = text.chars().map(|ch| u8::try_from(u32::from(ch)).unwrap()).collect();
    let all: Vec<u8> = (0..=255).collect();
    let table = ebcdic::to_latin(&all);
    latin.iter().map(|ch| u8::try_from(table.iter().position(|c| c == ch).unwrap()).unwrap()).collect()
}

fn symbol_of(kind: u8, modifier: u8, text: &str) -> Symbol {
    let descriptor = Descriptor::read(&bdd(kind, modifier), None).unwrap();
    encode(&descriptor, Flags(0), &ebcdic(text)).unwrap().0
}

fn invalid(kind: u8, modifier: u8, text: &str) -> bool {
    let descriptor = Descriptor::read(&bdd(kind, modifier), None).unwrap();
    encode(&descriptor, Flags(0), &ebcdic(text)).is_err()
}

/// Wide and narrow elements as letters, or widths as digits.
fn elements(symbol: &Symbol, wide: f64) -> String {
    let Pattern::Linear(widths) = &symbol.pattern else { panic!() };
    let element = |width: &f64| match *width {
        width if wide == 0.0 => width.to_string(),
        width if width > 1.0 => "w".into(),
        _ => "n".into(),
    };
    widths.iter().map(element).collect()
}

fn two_width(kind: u8, modifier: u8, text: &str) -> String {
    elements(&symbol_of(kind, modifier, text), 2.5)
}

fn states(kind: u8, modifier: u8, text: &str) -> String {
    let Pattern::Postal(bars) = symbol_of(kind, modifier, text).pattern else { panic!() };
    let digit = |bar: &PostalBar| match bar {
        PostalBar::Full => '0',
        PostalBar::Ascender => '1',
        PostalBar::Descender => '2',
        PostalBar::Tracker => '3',
        PostalBar::Half => 's',
    };
    bars.iter().map(digit).collect()
}

/// Bars and spaces of EAN and UPC.
fn runs(kind: u8, modifier: u8, text: &str) -> String {
    let Pattern::Retail(bars) = symbol_of(kind, modifier, text).pattern else { panic!() };
    let mut out = String::new();
    let mut at = 0;
    for bar in bars {
        if bar.at > at {
            out.push_str(&(bar.at - at).to_string());
        }
        out.push_str(&bar.width.to_string());
        at = bar.at + bar.width;
    }
    out
}

#[test]
fn code_39_has_the_elements_of_zint() {
    let plain =
        "nwnnwnwnnnwnnnnwnnwnwnnwnnnnwnnwnnnnwnwnwwnnnnwnnnnwwnnnwnnnnwnwnwnnnnnwnwnnnwnnnwnnnwnwnnnnnwnwnwnnnwnnwnwnn";
    assert_eq!(two_width(0x01, 1, "A1-. $/+%"), plain);
    let check = "nwnnwnwnnnwnnnnwnnwnnnwnnwnnwnwnwnnwnnnnwnnwnnnnwnnnwwnnnnwnwnwwnnnnnnnwnwnwnnnnnwnnwnwnn";
    assert_eq!(two_width(0x01, 2, "ABC123"), check);
    assert!(invalid(0x01, 1, "abc") && invalid(0x01, 1, "A*B") && invalid(0x01, 1, ""));
}

#[test]
fn asterisks_of_code_39_are_printed_when_asked_for() {
    let descriptor = Descriptor::read(&bdd(0x01, 1), None).unwrap();
    let text = |flags| encode(&descriptor, Flags(flags), &ebcdic("AB")).unwrap().0;
    assert_eq!((text(0).text, text(0x10).text, text(0x10).value), ("AB".into(), "*AB*".into(), "AB".to_owned()));
}

#[test]
fn msi_has_the_check_digits_of_its_modifier() {
    let none = "wnnwnwnwwnnwnwwnnwnwnwwnwnnwwnnwnwnwwnnwwnnwwnwnnwnwwnwnwnnwn";
    assert_eq!(two_width(0x02, 1, "1234567"), none);
    let two = "wnnwnwnwwnnwnwwnnwnwnwwnwnnwwnnwnwnwwnnwwnnwwnwnnwnwwnwnwnnwwnnwnwnwn";
    assert_eq!(two_width(0x02, 2, "1234567"), two);
    let three = "wnnwnwnwwnnwnwwnnwnwnwwnwnnwwnnwnwnwwnnwwnnwwnwnnwnwwnwnwnnwwnnwnwnwnwnwwnnwn";
    assert_eq!(two_width(0x02, 3, "1234567"), three);
    // IBM modulo 11, then modulo 10; NCR modulo 11, then modulo 10.
    assert_eq!(two_width(0x02, 7, "1234567"), three);
    let ncr = "wnnwnwnwwnnwnwwnnwnwnwwnwnnwwnnwnwnwwnnwwnnwwnwnnwnwwnwnwnwnnwnwwnnwnwnwnwnwn";
    assert_eq!(two_width(0x02, 6, "1234567"), ncr);
}

#[test]
fn two_of_five_codes_have_the_elements_of_zint() {
    let industrial = "wnwnnnnnnnwnwnnnwnnnnnnnwnnnwnnnnnwnwnwnnnnnnnnnnnwnnnwnwnnnwnnnnnnnwnwnnnnnnnnnnnwnwnwnnnnnwnnnnnwnnnwnnnwnnnw";
    assert_eq!(two_width(0x0A, 1, "0123456789"), industrial);
    let matrix = "wnnnnnnnwwnnwnnnwnnwnnwnwwnnnnnnwnwnwnwnnnnwwnnnnnnwwnwnnwnnnwnwnnwnnnn";
    assert_eq!(two_width(0x0B, 1, "0123456789"), matrix);
    let interleaved = "nnnnnwnnwnwnnwnwwwnnnnwnnwnnwwnnwnnnwnwnnwnwwnnwnnwwnnwnn";
    assert_eq!(two_width(0x0C, 1, "0123456789"), interleaved);
    assert_eq!(symbol_of(0x0C, 1, "123").text, "0123");
    assert_eq!(symbol_of(0x0C, 3, "1540014128876").text, "15400141288763");
    assert!(invalid(0x0C, 1, "12A4") && invalid(0x0A, 1, ""));
}

#[test]
fn codabar_has_the_elements_of_zint() {
    let plain = "nnwwnwnnnnnnnwwnnnnnwwnnnnnwnnwnwwnnnnnnnnwnnwnnwnnnnwnnnwnnnnwnnwnnwnnnnwwnnnnnwnnwnnnnnnnwwnnnnnwwnnnnwnnnwnwnwnwnnnwnwnwnwnnnnnwnwnwnnwnwnnw";
    assert_eq!(two_width(0x0D, 1, "A0123456789-$:/.+B"), plain);
    let check = "nnwwnwnnnnnnwwnnnnnwnnwnwwnnnnnnnnwnnwnnwnnnnwnnnnnnnwwnnwnwnnw";
    assert_eq!(two_width(0x0D, 2, "A12345B"), check);
    assert!(invalid(0x0D, 1, "12345") && invalid(0x0D, 1, "A1B2C") && invalid(0x0D, 1, "A"));
}

#[test]
fn code_128_and_93_have_the_elements_of_zint() {
    let code128 = "2112141113231311231131411122321311233311212411121141311411221412211112422331112";
    assert_eq!(elements(&symbol_of(0x11, 2, "AB12345678cd"), 0.0), code128);
    let code93 = "1111412111132112121211311112131113123112111222112113111222112211121221211112131111411";
    assert_eq!(elements(&symbol_of(0x21, 0, "AB-12 cd"), 0.0), code93);
}

#[test]
fn digits_go_in_pairs_where_that_is_shorter() {
    use super::multi_width::{Code128Item, code128_values};
    let values = |text: &[u8]| {
        let items: Vec<_> = text.iter().map(|ch| Code128Item::Character(*ch)).collect();
        code128_values(&items).unwrap()
    };
    assert_eq!(values(b"123456"), [105, 12, 34, 56, 44]);
    // Start C costs no more than start B: 12 34, then one digit in set B.
    assert_eq!(values(b"12345")[..1], [105]);
    assert_eq!(values(b"A\x01")[0], 103);
    // One control character among small letters is shifted.
    assert_eq!(values(b"ab\x01cd").iter().filter(|value| **value == 98).count(), 1);
    assert!(code128_values(&[Code128Item::Character(0xE4)]).is_err());
}

#[test]
fn ean_and_upc_have_the_elements_of_zint() {
    assert_eq!(runs(0x09, 0, "400638133393"), "11132111123111414113121122211111141114111411311214112221111");
    assert_eq!(runs(0x08, 0, "9638507"), "1113112111414111213111111231321113121132111");
    assert_eq!(runs(0x03, 0, "01234567890"), "11132112221212214111132123111111111413121213311232111231111");
    assert_eq!(runs(0x16, 0, "05"), "1123211111321");
    assert_eq!(runs(0x17, 0, "51299"), "1121231111222112122113112112113");
    // 0 12345 00006 7 shortens to 123456: the sets are those of its check digit.
    assert_eq!(symbol_of(0x05, 0, "1234500006").value.len(), 8);
    assert!(invalid(0x05, 0, "1234567890") && invalid(0x09, 0, "4006381333930") && invalid(0x09, 0, "40063813339"));
    assert_eq!(symbol_of(0x09, 0, "4006381333931").value, "4006381333931");
}

#[test]
fn postal_codes_have_the_bars_of_their_specifications() {
    assert_eq!(states(0x1A, 0, "BX11LT1A"), "12031013232103210033002133210212113200");
    assert_eq!(states(0x1A, 0, "SN34RD1A"), "10303023123102301031230123210212112210");
    assert_eq!(states(0x1A, 1, "1231FZ13XHS"), "32103201231032102112003332102310013220130303");
    assert_eq!(
        states(0x1B, 0, "15400233-16-4-205"),
        "0200303001203303302120120130300321030301230302103303032132132121020"
    );
    assert_eq!(states(0x1B, 0, "1540023A1Z"), "0200303001203303302120121303300312303032132132132132132132132132120");
    assert_eq!(states(0x1F, 1, "39987520"), "1301011030302221120200330212131030213");
    assert_eq!(states(0x1F, 3, "39987520AB c3"), "1312301030302221120200000001003031302321310330030213");
    assert_eq!(states(0x1F, 2, "3998752012345678"), "1312301030302221120200010210111220212220211020203213");
    assert_eq!(states(0x1F, 8, "39987520"), "1311121030302221120200313310303031013");
    let table_c = "1320021030302221120200000023001030003322013331332221330333300203113";
    assert_eq!(states(0x1F, 6, "39987520AaBb 9#xyZ"), table_c);
    let table_n = "1320021030302221120200010210111220212230000102101112312311310320313";
    assert_eq!(states(0x1F, 5, "39987520123456789012345"), table_n);
    assert!(invalid(0x1F, 1, "3998752") && invalid(0x1F, 1, "399875201") && invalid(0x1F, 9, "39987520"));
    assert!(invalid(0x1A, 0, "A-1") && invalid(0x1B, 0, "123456"));
}

#[test]
fn intelligent_mail_has_the_bars_of_the_specification() {
    let full = "11230020321231121130232211122323321012122230002233312011120321121";
    assert_eq!(states(0x22, 3, "0123456709498765432101234567891"), full);
    let none = "13301332331231133232313321022012020300000313011113200321120302323";
    assert_eq!(states(0x22, 0, "01234567094987654321"), none);
    let five = "23310122330323030232212121012013220311102331201113202320122232003";
    assert_eq!(states(0x22, 1, "0123456709498765432101234"), five);
    assert!(invalid(0x22, 0, "05234567094987654321") && invalid(0x22, 0, "0123456709498765432101"));
}

#[test]
fn postnet_adds_its_check_digit_between_frame_bars() {
    assert_eq!(states(0x18, 0, "12345"), "0sss00ss0s0ss00ss0ss0s0s0ss0s0s0");
    assert!(invalid(0x18, 0, "1234") && invalid(0x18, 4, "12345"));
    let tall = |bars: String| bars.replace('s', "x").replace('0', "1").replace('x', "0");
    assert_eq!(tall(states(0x18, 2, "12345678901")), "10001100101001100100101010011001000110010101001100000011010011");
    assert_eq!(tall(states(0x18, 4, "12345678901")), "11110011010110011011010101100110111001101010110011111100101101");
}

fn drawn(bdd: &[u8], bda: &[u8]) -> (Vec<Element>, Vec<(&'static str, String)>) {
    let mut notes = Vec::new();
    let elements = bar_code(&area(), bdd, &[bda], &NoFonts, &Limits::default(), &mut |code, detail| {
        notes.push((code, detail));
    });
    (elements, notes)
}

fn bda(flags: u8, data: &[u8]) -> Vec<u8> {
    [&[flags, 0, 100, 0, 50][..], data].concat()
}

fn moves(path: &crate::page::Path) -> Vec<[Lu; 2]> {
    path.steps.iter().filter_map(|step| if let Step::Move(at) = step { Some(*at) } else { None }).collect()
}

#[test]
fn a_symbol_starts_at_its_position_and_its_text_stands_below() {
    let (elements, notes) = drawn(&bdd(0x01, 1), &bda(0, &ebcdic("AB")));
    let [Element::Barcode(code), Element::Text(text)] = elements.as_slice() else { panic!("{elements:?}") };
    assert_eq!((code.symbology.as_str(), code.value.as_str()), ("Code 39", "AB"));
    assert_eq!(moves(&code.bars)[0], [Lu(2000), Lu(2500)]);
    assert_eq!(moves(&code.bars).len(), 4 * 5);
    assert!(text.text == "AB" && text.y > Lu(2500 + 3600));
    assert!(notes.is_empty());
    let (above, _) = drawn(&bdd(0x01, 1), &bda(0x40, &ebcdic("AB")));
    let Some(Element::Text(text)) = above.last() else { panic!() };
    assert!(text.y < Lu(2500));
    assert_eq!(drawn(&bdd(0x01, 1), &bda(0x80, &ebcdic("AB"))).0.len(), 1);
    assert!(matches!(drawn(&bdd(0x01, 1), &bda(0x04, &ebcdic("AB"))).0.as_slice(), [Element::Text(_)]));
}

#[test]
fn a_turned_object_turns_bars_and_text() {
    let turned = ObjectArea { turns: 1, ..area() };
    let data = bda(0, &ebcdic("AB"));
    let elements = bar_code(&turned, &bdd(0x01, 1), &[&data], &NoFonts, &Limits::default(), &mut |_, _| {});
    let [Element::Barcode(code), Element::Text(text)] = elements.as_slice() else { panic!() };
    assert_eq!(moves(&code.bars)[0], [Lu(500), Lu(3000)]);
    assert_eq!(text.turns, 1);
}

#[test]
fn trailing_blanks_are_left_out_when_asked_for() {
    let (kept, notes) = drawn(&bdd(0x0C, 1), &bda(0x02, &ebcdic("1234   ")));
    assert!(notes.is_empty() && kept.len() == 2);
    assert_eq!(drawn(&bdd(0x0C, 1), &bda(0, &ebcdic("1234   "))).1[0].0, "afp-barcode-invalid");
}

#[test]
fn what_cannot_be_drawn_is_reported_without_its_data() {
    let (elements, notes) = drawn(&bdd(0x09, 0), &bda(0, &ebcdic("SECRET")));
    assert!(elements.is_empty());
    assert_eq!(notes[0].0, "afp-barcode-invalid");
    assert!(!notes[0].1.contains("SECRET"));
    assert_eq!(drawn(&bdd(0x7F, 0), &bda(0, &ebcdic("1"))).1[0].0, "afp-barcode-type");
    assert_eq!(drawn(&bdd(0x01, 1)[..10], &bda(0, b"")).1[0].0, "afp-barcode-cut");
    assert_eq!(drawn(&bdd(0x01, 1), &[0, 0]).1[0].0, "afp-barcode-cut");
    assert_eq!(drawn(&bdd(0x1C, 0), &bda(0, &[0, 0, 0])).1[0].0, "afp-barcode-invalid");
}

#[test]
fn ascii_data_is_taken_where_ebcdic_makes_no_sense_and_reported() {
    let (elements, notes) = drawn(&bdd(0x0C, 1), &bda(0, b"1234"));
    assert_eq!((elements.len(), notes[0].0), (2, "afp-barcode-ascii"));
}

#[test]
fn modules_are_taken_together() {
    let data = [&[0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], b"12345"].concat();
    let (elements, _) = drawn(&bdd(0x1C, 0), &bda(0, &data));
    let [Element::Barcode(code)] = elements.as_slice() else { panic!() };
    // 10 x 10 modules, 21 mils each; the solid edges are one rectangle each.
    let all = moves(&code.bars);
    assert!(all.len() < 30, "{}", all.len());
    assert!(code.bars.fill == Some(Color::BLACK) && code.bars.stroke.is_none());
}

#[test]
fn an_extended_ratio_widens_wide_elements_only() {
    let mut wide = bdd(0x01, 1);
    wide[21..23].copy_from_slice(&[0, 30]);
    let descriptor = Descriptor::read(&wide, None).unwrap();
    let symbol = encode(&descriptor, Flags(0), &ebcdic("A")).unwrap().0;
    let Pattern::Linear(widths) = symbol.pattern else { panic!() };
    assert!(widths.iter().all(|width| *width == 1.0 || *width == 3.0));
}

proptest! {
    #[test]
    fn no_data_makes_it_panic(kind in 0u8..0x30, modifier in 0u8..16, flags: u8, data in proptest::collection::vec(any::<u8>(), 0..200)) {
        drawn(&bdd(kind, modifier), &bda(flags, &data));
    }

    #[test]
    fn no_descriptor_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), data in proptest::collection::vec(any::<u8>(), 0..40)) {
        drawn(&bytes, &data);
    }

    #[test]
    fn digits_in_ebcdic_always_make_a_code_128(text in "[0-9A-Za-z]{1,60}") {
        let symbol = symbol_of(0x11, 2, &text);
        prop_assert_eq!(&symbol.value, &text);
        let Pattern::Linear(widths) = symbol.pattern else { panic!() };
        // Eleven modules for each value, two more for the stop.
        prop_assert_eq!(widths.iter().sum::<f64>() % 11.0, 2.0);
    }
}

#[test]
fn mailmark_has_the_bars_of_zint() {
    assert_eq!(
        states(0x25, 0, "1100000000000XY11"),
        "332331332311332311332311332332211311221311322010322311222311020100"
    );
    let c = "211313331231133012222330302222002021031223003221312330133210230221";
    assert_eq!(states(0x25, 0, "21B2254800659JW5O9QA6Y"), c);
    let l = "233013322313331303200030202103331233023022232022030112302323230113102231133233";
    assert_eq!(states(0x25, 1, "41038422416563762EF61AH8T"), l);
    assert!(invalid(0x25, 0, "1500000000000XY11") && invalid(0x25, 0, "1100000000000QQ1"));
    assert!(invalid(0x25, 1, "1100000000000XY11") && invalid(0x25, 0, "110000000000"));
}

#[test]
fn forms_of_data_bar_show_all_digits_of_the_data() {
    let symbol = symbol_of(0x24, 0, "20012345678900");
    assert_eq!((symbol.text.as_str(), symbol.value.as_str()), ("(01)20012345678900", "20012345678909"));
    assert_eq!(symbol_of(0x24, 4, "1501234567890").text, "(01)15012345678907");
    let expanded = symbol_of(0x24, 0x11, "0198898765432106320201234515991231");
    assert_eq!(expanded.text, "(01)98898765432106(3202)012345(15)991231");
    let Pattern::Stack(stack) = expanded.pattern else { panic!() };
    assert_eq!(stack.heights, [34.0]);
    assert!(invalid(0x24, 5, "20012345678909") && invalid(0x24, 0x1C, "10A"));
    // The symbol begins with a space: its first bar is one module from the origin.
    let (elements, _) = drawn(&bdd(0x24, 0), &bda(0, &ebcdic("20012345678909")));
    let [Element::Barcode(code), Element::Text(text)] = elements.as_slice() else { panic!() };
    assert_eq!(moves(&code.bars)[0], [Lu(2000 + 144), Lu(2500)]);
    assert!(text.y > Lu(2500 + 33 * 144));
}

#[test]
fn the_printer_puts_parentheses_around_identifiers() {
    let data = [&[0x8F][..], &ebcdic("019061414100768715001230")].concat();
    let symbol = |modifier| {
        let descriptor = Descriptor::read(&bdd(0x11, modifier), None).unwrap();
        encode(&descriptor, Flags(0), &data).unwrap().0
    };
    assert_eq!(symbol(4).text, "(01)90614141007687(15)001230");
    assert_eq!(symbol(3).text, "019061414100768715001230");
    assert_eq!((symbol(4).value, symbol(4).pattern), (symbol(3).value, symbol(3).pattern));
}

#[test]
fn intelligent_mail_labels_have_banner_and_bars() {
    let container = [&[0x8F][..], &ebcdic("99M123456-----ABC1234")].concat();
    let (elements, notes) = drawn(&bdd(0x11, 5), &bda(0, &container));
    let [Element::Barcode(code), Element::Text(banner), Element::Text(text)] = elements.as_slice() else {
        panic!("{notes:?}")
    };
    assert_eq!((banner.text.as_str(), text.text.as_str()), ("USPS SCAN REQUIRED", "99  M  123456  -----ABC1234"));
    assert!(banner.y < Lu(2500) && text.y > Lu(2500 + 925 * 14));
    assert_eq!(code.value, "99M123456-----ABC1234");
    let words: Vec<u8> = "USPS TRACKING # eVS".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut package = vec![0, 0, 0, u8::try_from(words.len()).unwrap()];
    package.extend(words);
    package.push(0x8F);
    package.extend(ebcdic("42021234"));
    package.push(0x8F);
    package.extend(ebcdic("9374890100000003985039"));
    let (elements, notes) = drawn(&bdd(0x11, 6), &bda(0, &package));
    let [Element::Barcode(_), Element::Text(banner), Element::Text(text)] = elements.as_slice() else {
        panic!("{notes:?}")
    };
    assert_eq!((banner.text.as_str(), text.text.as_str()), ("USPS TRACKING # eVS", "9374 8901 0000 0003 9850 39"));
    assert_eq!(drawn(&bdd(0x11, 5), &bda(0, &ebcdic("99M12"))).1[0].0, "afp-barcode-invalid");
}

#[test]
fn japan_post_may_come_as_bars() {
    let direct = |data: &[u8]| {
        let descriptor = Descriptor::read(&bdd(0x1B, 1), None).unwrap();
        encode(&descriptor, Flags(0), data).map(|(symbol, _)| symbol.pattern)
    };
    let Ok(Pattern::Postal(bars)) = direct(&[0x4C, 0xF1, 0x60, 0x5A, 0x6E]) else { panic!() };
    assert_eq!(bars.len(), 2 + 9 + 2);
    assert!(direct(&[0x40]).is_err());
}

#[test]
fn text_alone_starts_at_the_position_and_check_digits_of_msi_are_not_printed() {
    let (elements, _) = drawn(&bdd(0x02, 2), &bda(0x04, &ebcdic("1234567")));
    let [Element::Text(text)] = elements.as_slice() else { panic!() };
    assert_eq!((text.text.as_str(), text.x, text.y), ("1234567", Lu(2000), Lu(2500)));
    assert_eq!(symbol_of(0x02, 2, "1234567").value, "12345674");
    assert!(symbol_of(0x1F, 8, "39987520").text.starts_with("45"));
}

#[test]
fn trailing_blanks_choose_the_type_of_the_family() {
    let (elements, notes) = drawn(&bdd(0x09, 0), &bda(0x02, &ebcdic("9638507     ")));
    let Some(Element::Barcode(code)) = elements.first() else { panic!("{notes:?}") };
    assert_eq!(code.symbology, "EAN-8");
    let (elements, _) = drawn(&bdd(0x22, 0), &bda(0x02, &ebcdic("0123456709498765432101234      ")));
    assert!(matches!(elements.first(), Some(Element::Barcode(_))));
}

#[test]
fn a_supplement_alone_has_its_digits_above() {
    let (elements, _) = drawn(&bdd(0x16, 0), &bda(0, &ebcdic("05")));
    let [Element::Barcode(code), Element::Text(text)] = elements.as_slice() else { panic!() };
    assert_eq!(moves(&code.bars)[0], [Lu(2000), Lu(2500)]);
    assert!(text.y < Lu(2500));
}

fn two_dimensional(kind: u8, modifier: u8, data: &[u8]) -> Result<Symbol, super::symbol::Invalid> {
    let descriptor = Descriptor::read(&bdd(kind, modifier), None).unwrap();
    encode(&descriptor, Flags(0), data).map(|(symbol, _)| symbol)
}

fn matrix_of(symbol: &Symbol) -> [usize; 2] {
    let Pattern::Matrix(matrix) = &symbol.pattern else { panic!() };
    [matrix.width(), matrix.height()]
}

#[test]
fn data_matrix_keeps_to_the_row_size_and_grows_unless_forbidden() {
    let with = |control, columns: u8, rows: u8, modifier, length: usize| {
        let head = [control, 0, columns, 0, rows, 0, 0, 0, 0, 0];
        two_dimensional(0x1C, modifier, &[&head[..], &vec![b'a'; length]].concat())
    };
    assert_eq!(matrix_of(&with(0x40, 32, 8, 0, 5).unwrap()), [32, 8]);
    assert_eq!(matrix_of(&with(0x40, 48, 0, 0, 5).unwrap()), [48, 16]);
    assert_eq!(matrix_of(&with(0x40, 48, 8, 1, 5).unwrap()), [48, 8]);
    assert!(with(0x40, 48, 8, 0, 5).is_err() && with(0x60, 18, 8, 0, 40).is_err());
    assert_eq!(matrix_of(&with(0x40, 18, 8, 0, 40).unwrap()), [36, 16]);
    assert_eq!(matrix_of(&with(0x40, 0, 0, 1, 5).unwrap()), [12, 12]);
}

#[test]
fn qr_data_follow_the_application_indicator() {
    let with = |control, special, indicator, data: &[u8]| {
        two_dimensional(0x20, 2, &[&[control, 0, 1, 0, 0, 0, 0, special, indicator][..], data].concat())
    };
    assert_eq!(with(0x40, 0, 0, b"ABC").unwrap().value, "ABC");
    assert_eq!(with(0x40, 0x40, 99, b"ABC").unwrap().value, "ABC");
    // Without a code page nothing is translated.
    assert_eq!(with(0xC0, 0, 0, b"ABC").unwrap().value, "ABC");
    assert_eq!(matrix_of(&with(0x40, 0, 0, &[b'a'; 40]).unwrap()), [29, 29]);
    assert!(with(0x60, 0, 0, &[b'a'; 40]).is_err());
    let image = [&[0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 9, 9][..], b"ABC"].concat();
    let symbol = two_dimensional(0x20, 0x12, &image).unwrap();
    assert!(symbol.value == "ABC" && symbol.left_out.is_some());
}

#[test]
fn aztec_has_runes_compact_and_full_symbols() {
    let with = |modifier, layers, data: &[u8]| {
        two_dimensional(0x26, modifier, &[&[0x40, 0, layers, 0xFF, 0, 0, 0, 0, 0, 0][..], data].concat())
    };
    assert_eq!(matrix_of(&with(0, 0xFF, b"ABC").unwrap()), [19, 19]);
    assert_eq!(matrix_of(&with(1, 0xFF, b"ABC").unwrap()), [15, 15]);
    assert_eq!(matrix_of(&with(3, 0xFF, b"ABC").unwrap()), [15, 15]);
    assert_eq!(matrix_of(&with(1, 2, b"ABC").unwrap()), [19, 19]);
    assert_eq!(matrix_of(&with(1, 1, &[b'a'; 30]).unwrap()), [19, 19]);
    let rune = with(2, 0, &[0x7B]).unwrap();
    assert_eq!(matrix_of(&rune), [11, 11]);
    assert!(with(2, 0, b"AB").is_err());
}
