//! The columnar form comes back as the same bytes, and hostile forms are errors.

use proptest::prelude::*;

use super::number::Style;
use super::*;

fn decode(form: &[u8], length: usize) -> Result<Vec<u8>, &'static str> {
    // What is left of another block does no harm.
    let mut bytes = vec![b'x'; 9];
    decode_into(form, length, &mut bytes).map(|()| bytes)
}

/// Statement lines with a running balance; `end` closes a line.
fn statements(lines: usize, seed: u64, end: &str) -> String {
    let mut random = seed | 1;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let (mut text, mut balance) = (String::new(), 100_000_i64);
    for line in 0..lines {
        if line % 40 == 0 {
            text += &format!("1FIRST CASCADE BANK          STATEMENT        PAGE {:>4}{end}", line / 40 + 1);
            text += &format!("0ACCOUNT NUMBER:  {:04}-{:04}-{:06}{end}", next(9999), next(9999), next(999_999));
        }
        let amount = next(200_000) as i64 - 100_000;
        balance += amount;
        let what =
            ["CHECK", "ATM WITHDRAWAL 5TH & MAIN", "INTEREST PAID", "POS PURCHASE CORNER HARDWARE"][next(4) as usize];
        let day = next(28) + 1;
        text += &format!("      03/{day:02}   {what:<38}{:>18}{:>18}{end}", money(amount), money(balance));
    }
    text
}

fn money(cents: i64) -> String {
    let mut out = [0; 48];
    let style = Style { decimals: 2, grouped: true, ..Style::default() };
    let begin = style.write(cents, ASCII, &mut out);
    String::from_utf8_lossy(&out[begin..]).into_owned()
}

fn fixed(text: &str, length: usize) -> Vec<u8> {
    text.lines().flat_map(|line| format!("{line:<length$}").into_bytes()).collect()
}

fn rdw(text: &str) -> Vec<u8> {
    let record = |line: &str| [&(line.len() as u16 + 4).to_be_bytes()[..], &[0, 0], line.as_bytes()].concat();
    text.lines().flat_map(record).collect()
}

/// A stand-in for code page 037: blanks, digits, points, commas and minus where EBCDIC has them, letters moved up.
fn ebcdic(bytes: &[u8]) -> Vec<u8> {
    let one = |byte: &u8| match *byte {
        b' ' => 0x40,
        b'.' => 0x4B,
        b',' => 0x6B,
        b'-' => 0x60,
        digit @ b'0'..=b'9' => digit - b'0' + 0xF0,
        b'\n' => 0x15,
        other => other + 0x80,
    };
    bytes.iter().map(one).collect()
}

fn encoded(encoder: &mut Encoder, raw: &[u8]) -> Option<Vec<u8>> {
    let mut form = Vec::new();
    encoder.encode(raw, &mut form).map(|()| form)
}

fn round_trip(raw: &[u8]) -> usize {
    let (mut encoder, form) = Encoder::learn(raw).expect("has layouts");
    assert!(decode(&form, raw.len()).expect("a form") == raw);
    // A later block, cut anywhere.
    let later = &raw[raw.len() / 3..];
    if let Some(form) = encoded(&mut encoder, later) {
        assert!(decode(&form, later.len()).expect("a form") == later);
    }
    form.len()
}

#[test]
fn records_of_every_framing_come_back_and_are_smaller() {
    let text = statements(3000, 5, "\n");
    let forms = [
        ("lines", text.clone().into_bytes()),
        ("CR LF", statements(3000, 5, "\r\n").into_bytes()),
        ("fixed", fixed(&text, 133)),
        ("RDW", rdw(&text)),
        ("EBCDIC fixed", ebcdic(&fixed(&text, 133))),
        ("EBCDIC lines", ebcdic(text.as_bytes())),
    ];
    for (name, raw) in forms {
        let form = round_trip(&raw);
        assert!(form * 2 < raw.len(), "{name}: {form} of {}", raw.len());
    }
}

#[test]
fn a_running_balance_costs_one_byte_a_line() {
    let text = statements(3000, 5, "\n");
    let (_, form) = Encoder::learn(text.as_bytes()).expect("has layouts");
    let hits = form.iter().filter(|byte| **byte == ASCII.hit()).count();
    assert!(hits > 2900, "{hits} of 3000 balances were foretold");
}

#[test]
fn what_does_not_fit_is_kept_and_what_has_no_records_has_no_form() {
    let mut raw = statements(2000, 9, "\n").into_bytes();
    let mut long = b"  LONG".repeat(1000);
    long.push(b'\n');
    let middle = raw.iter().position(|byte| *byte == b'\n').expect("a line") + 1;
    raw.splice(middle..middle, long);
    raw.extend(b"  a line without its end   ");
    round_trip(&raw);
    let noise: Vec<u8> = (0_u32..100_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert!(Encoder::learn(&noise).is_none());
    let (mut encoder, _) = Encoder::learn(&raw).expect("has layouts");
    assert!(encoded(&mut encoder, &noise).is_none());
    assert!(encoded(&mut encoder, &[]).is_none());
}

#[test]
fn numbers_are_read_only_if_they_are_written_alike() {
    let style = |grouped, minus_behind, decimals| Style { decimals, grouped, minus_behind, comma_decimals: false };
    let cases = [
        (style(true, false, 2), "1,234.56", Some(123_456)),
        (style(true, false, 2), "-0.32", Some(-32)),
        (style(true, true, 2), "1,000,000.00-", Some(-100_000_000)),
        (style(false, false, 0), "1234", Some(1234)),
        (style(false, false, 0), "0", Some(0)),
        (style(true, false, 2), "1234.56", None),
        (style(true, false, 2), "01.00", None),
        (style(true, false, 2), ",234.56", None),
        (style(true, false, 2), "-0.00", None),
        (style(true, false, 2), ".56", None),
        (style(true, false, 2), "1,234.5 ", None),
        (style(false, false, 0), "", None),
        (style(false, false, 0), "123456789012345678", None),
    ];
    for (style, text, number) in cases {
        assert_eq!(style.read(text.as_bytes(), ASCII), number, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_number_that_was_read_is_written_as_it_was(text in "-?[0-9]{0,3}(,[0-9]{3}){0,3}([.][0-9]{0,4})?-?") {
        let style = Style::guess(text.as_bytes(), text.contains('-').then_some(text.as_bytes()), ASCII);
        if let Some(number) = style.read(text.as_bytes(), ASCII) {
            let mut out = [0; 48];
            let begin = style.write(number, ASCII, &mut out);
            prop_assert_eq!(&out[begin..], text.as_bytes());
        }
    }

    #[test]
    fn any_lines_come_back(lines in prop::collection::vec("[ -~]{0,12}( {1,9}[0-9.,-]{0,8}){0,5}[ \\x00-\\x7f]{0,3}", 20..200), end in 0..4_usize) {
        let text = lines.iter().map(|line| line.replace('\n', " ") + ["\n", "\r\n", "\r", "\n"][end]).collect::<String>();
        let raw = match end {
            3 => rdw(&text),
            _ => text.into_bytes(),
        };
        if let Some((mut encoder, form)) = Encoder::learn(&raw) {
            prop_assert!(decode(&form, raw.len()).expect("a form") == raw);
            let later = &raw[raw.len() / 2..];
            if let Some(form) = encoded(&mut encoder, later) {
                prop_assert!(decode(&form, later.len()).expect("a form") == later);
            }
        }
    }

    #[test]
    fn any_bytes_come_back_from_an_encoder_that_learned_something_else(noise in prop::collection::vec(any::<u8>(), 0..300), seed in any::<u64>(), at in 0..20_000_usize) {
        for framed in [statements(400, seed, "\n").into_bytes(), fixed(&statements(400, seed, "\n"), 133), rdw(&statements(400, seed, "\n"))] {
            let (mut encoder, _) = Encoder::learn(&framed).expect("has layouts");
            let mut raw = framed.clone();
            raw.splice(at..at, noise.clone());
            if let Some(form) = encoded(&mut encoder, &raw) {
                prop_assert!(decode(&form, raw.len()).expect("a form") == raw);
            }
        }
    }

    #[test]
    fn damaged_forms_do_not_panic(seed in any::<u64>(), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>()) {
        let text = statements(200, seed, "\n");
        for raw in [text.clone().into_bytes(), fixed(&text, 133), rdw(&text)] {
            let (_, mut form) = Encoder::learn(&raw).expect("has layouts");
            for (at, byte) in &changes {
                let at = at.index(form.len());
                form[at] = *byte;
            }
            if let Ok(bytes) = decode(&form, raw.len()) {
                prop_assert_eq!(bytes.len(), raw.len());
            }
            let _ = decode(&form[..cut.index(form.len())], raw.len());
        }
    }

    #[test]
    fn hostile_forms_do_not_panic(form in prop::collection::vec(any::<u8>(), 0..400), length in 0..5000_usize) {
        let _ = decode(&form, length);
    }
}
