use std::sync::Arc;

use super::*;
use crate::index::value::{Day, Decimal};
use crate::page::{Advances, Element, Embedded, Form, Lu, PlacedForm, TextRun, sample};
use crate::render::{RENDERERS, RenderOptions, sample as rendered};

const CARD: &str = "4929-1234-5678-9012";

/// Masks the field `card` but its last four, and what looks like a phone number.
fn masker(card: &FieldValue) -> Masker {
    let source = "name = \"r\"\ntitle = \"R\"\n[[field]]\nname = \"card\"\ncolumns = 1\n[mask]\ncard = { keep_last = 4 }\n\
        [[mask_pattern]]\nregex = 'TEL (\\d+)'\nkeep_first = 2\n";
    let definition = Definition::parse(source, "r.toml").unwrap_or_else(|errors| panic!("{errors}"));
    Masker::new(&definition, |_| true, [("card", card)].into_iter()).expect("masks apply")
}

fn text(value: &str) -> FieldValue {
    FieldValue::One(Value::Text(value.into()))
}

fn shown(page: &Page) -> Vec<String> {
    let mut texts = Vec::new();
    crate::page::walk::walk(page, &mut |_, element| {
        if let Element::Text(run) = element {
            texts.push(run.text.clone());
        }
    });
    texts
}

/// Nothing of the hidden digits in any run, and the page says so.
fn masked_whole(page: Page) -> Page {
    let page = masker(&text(CARD)).page(page);
    let all = shown(&page).concat();
    let digits: String = all.chars().filter(char::is_ascii_digit).collect();
    assert!(!digits.contains("4929") && !digits.contains("1234") && !digits.contains("5678"), "{all}");
    assert!(all.contains('•') && (digits.contains("9012") || digits.contains("2109")), "{all}");
    page
}

#[test]
fn values_are_found_whatever_stands_between_their_digits() {
    let masker = masker(&text(CARD));
    for (line, seen) in [
        ("CARD 4929-1234-5678-9012 DUE", "CARD ••••-••••-••••-9012 DUE"),
        ("4929 1234 5678 9012", "•••• •••• •••• 9012"),
        ("4929123456789012", "••••••••••••9012"),
        (">004929123456789012007<", ">00••••••••••••9012007<"),
        ("４９２９１２３４５６７８９０１２", "••••••••••••９０１２"),
        ("4929-1234-5678-9013", "4929-1234-5678-9013"),
        ("49 29   1234 5678 9012", "49 29   1234 5678 9012"),
        ("TEL 5551234567 x", "TEL 55•••••••• x"),
        ("", ""),
    ] {
        assert_eq!(masker.text(line), seen);
    }
    assert_eq!(masker.text("a\nTEL 123\n\nb 4929123456789012"), "a\nTEL 12•\n\nb ••••••••••••9012");
}

#[test]
fn short_values_hide_no_parts_of_others_and_other_types_are_found_as_printed() {
    let short = masker(&text("A12"));
    assert_eq!(short.text("A12 A123 BA12 a-12 A 12"), "••• A123 BA12 •-•• • ••");
    let number = masker(&FieldValue::One(Value::Decimal(Decimal { units: -123_456, scale: 2 })));
    assert_eq!(number.text("$1,234.56- 1234.5 1234.567"), "$•,••4.56- 1234.5 •••4.567");
    let day = masker(&FieldValue::One(Value::Date(Day::from_ymd(2024, 3, 9).expect("a day"))));
    for printed in ["2024-03-09", "03/09/2024", "9.3.2024", "09.03.24"] {
        assert!(day.text(printed).contains('•'), "{printed}");
    }
    let many = masker(&FieldValue::Many(vec![Value::Text("111222".into()), Value::Text("333444".into())]));
    assert_eq!(many.text("111222 333444 555666"), "••1222 ••3444 555666");
}

#[test]
fn field_values_and_what_repeats_them_are_masked() {
    let masker = masker(&text(CARD));
    assert_eq!(masker.value("card", &text(CARD)), text("••••-••••-••••-9012"));
    assert_eq!(masker.value("title", &text("Card 4929123456789012")), text("Card ••••••••••••9012"));
    let amount = FieldValue::One(Value::Integer(7));
    assert_eq!(masker.value("amount", &amount), amount);
}

#[test]
fn runs_are_cut_and_keep_their_places() {
    let run = sample::run("CARD 4929-1234-5678-9012 DUE", 3, 1);
    let page = masked_whole(Page { elements: vec![Element::Text(run.clone())], ..sample::page(&[]) });
    let runs: Vec<&TextRun> =
        page.elements.iter().map(|e| if let Element::Text(run) = e { run } else { panic!("{e:?}") }).collect();
    assert_eq!(runs.iter().map(|run| run.text.as_str()).collect::<String>(), "CARD ••••-••••-••••-9012 DUE");
    let cell = if let Advances::Uniform(cell) = run.advances { cell.0 } else { 0 };
    let last = runs.last().expect("a run");
    assert_eq!(last.x.0, run.x.0 + cell * 19, "{last:?}");
    assert!(runs.iter().all(|run| run.y == sample::run("", 0, 1).y));
}

#[test]
fn values_printed_in_pieces_twice_or_in_forms_are_covered() {
    // Letter by letter, in an order of its own.
    let mut letters: Vec<Element> =
        CARD.chars().enumerate().map(|(at, ch)| Element::Text(sample::run(&ch.to_string(), at as i32, 2))).collect();
    letters.reverse();
    masked_whole(Page { elements: letters, ..sample::page(&[]) });
    // Struck twice for boldness, once as a shadow and once not, a little aside.
    let mut elements = vec![Element::Text(sample::run(CARD, 4, 2))];
    for shadow in [true, false] {
        let mut again = sample::run(CARD, 4, 2);
        (again.x, again.shadow) = (Lu(again.x.0 + 40), shadow);
        elements.push(Element::Text(again));
    }
    let page = masked_whole(Page { elements, ..sample::page(&[]) });
    assert_eq!(shown(&page).iter().filter(|text| *text == "9012" || text.ends_with("9012")).count(), 3);
    // A shadow of single digits over a line that reads otherwise.
    let mut over = sample::run("1234", 9, 2);
    over.shadow = true;
    let elements = vec![Element::Text(sample::run(CARD, 4, 2)), Element::Text(over)];
    masked_whole(Page { elements, ..sample::page(&[]) });
    // In a turned form that is placed twice.
    let inner = vec![Element::Text(sample::run(CARD, 4, 2))];
    let form = Arc::new(Form {
        id: crate::page::ContentId([7; 32]),
        name: "O1".into(),
        width: Lu(9000),
        height: Lu(900),
        elements: inner,
    });
    for turns in 0..4 {
        let placed = |x| Element::Form(PlacedForm { x: Lu(x), y: Lu(5000), turns, form: form.clone() });
        let page = masked_whole(Page { elements: vec![placed(0), placed(60_000)], ..sample::page(&[]) });
        let Some(Element::Form(remade)) = page.elements.first() else { panic!("{page:?}") };
        assert_ne!(remade.form.id, form.id, "a shared form is not mixed up with the masked one");
    }
}

#[test]
fn glyph_numbers_and_widths_of_hidden_characters_are_gone() {
    let font = sample::font();
    let mut run = sample::own(&font, CARD, (72.0, 72.0), 10.0);
    let count = CARD.chars().count();
    run.embedded = Some(Embedded { font, glyphs: (0..count as u16).collect() });
    run.advances = Advances::Each((0..count as i32).map(|at| Lu(1000 + at)).collect());
    let page = masked_whole(Page { elements: vec![Element::Text(run)], ..sample::page(&[]) });
    for element in &page.elements {
        let Element::Text(run) = element else { panic!("{element:?}") };
        let hidden = run.text.contains('•');
        assert_eq!(hidden, run.embedded.is_none(), "{run:?}");
        assert!(!hidden || matches!(run.advances, Advances::Uniform(_)));
        if let Some(own) = &run.embedded {
            assert_eq!(own.glyphs.len(), run.text.chars().count());
        }
    }
}

#[test]
fn bar_codes_that_hold_a_value_are_taken_out() {
    let mut code = sample::barcode();
    if let Element::Barcode(code) = &mut code {
        code.value = "]C1004929123456789012".into();
    }
    let other = sample::barcode();
    let elements = vec![code, other.clone()];
    let page = masker(&text(CARD)).page(Page { elements, ..sample::page(&[]) });
    assert_eq!(page.elements, [other]);
}

#[test]
fn no_rendition_holds_what_is_masked() {
    let page = sample::page(&["CARD 4929-1234-5678-9012", "SCAN 004929123456789012"]);
    let masked = masker(&text(CARD)).page(page.clone());
    let how = RenderOptions { highlight: vec!["4929-1234-5678-9012".into()], ..RenderOptions::default() };
    for renderer in RENDERERS {
        let make = |page: &Page| rendered::render(renderer.name(), &rendered::info(), vec![page.clone()], &how).0;
        let (clear, hidden) = (make(&page), make(&masked));
        // Tables are masked by `view`, which has them.
        assert!(clear != hidden || renderer.name() == "csv", "{}", renderer.name());
        let has = |bytes: &[u8], digits: &str| bytes.windows(digits.len()).any(|window| window == digits.as_bytes());
        assert!(!has(&hidden, "1234-5678") && !has(&hidden, "12345678"), "{}", renderer.name());
    }
}

#[test]
fn hostile_pages_are_survived() {
    let masker = masker(&text(CARD));
    for x in [i32::MIN, -1, i32::MAX] {
        let mut page = sample::everything();
        for element in &mut page.elements {
            if let Element::Text(run) = element {
                run.text = CARD.into();
                (run.x, run.y, run.size, run.turns) = (Lu(x), Lu(x), Lu(x), 255);
                run.advances = Advances::Each(vec![Lu(i32::MAX), Lu(i32::MIN)]);
            }
        }
        let page = masker.page(page);
        assert!(!shown(&page).concat().contains("1234"));
    }
}
