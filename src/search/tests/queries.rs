//! What queries find.

use super::super::words::Scanner;
use super::memory::{Memory, Sample, day, decimal, text};
use super::*;
use crate::index::definition::FullText;
use crate::index::fold::{fold, has_separators, squeeze};
use crate::index::value::Value;

const NONE: [&str; 0] = [];

fn bank() -> Memory {
    let memory = Memory::default();
    memory.load(
        "bank-statement",
        vec![
            Sample::new("12-3456 78", "2024-03-05")
                .with("name", text("JOHN TAYLOR"))
                .with("amount", decimal(10_010, 2))
                .with("due", Value::Date(day("2024-04-01")))
                .with("count", Value::Integer(7))
                .page("A late fee of 4,573.19 was charged\nsecond line"),
            Sample::new("4711", "2023-12-31")
                .with("name", text("François Müller-Taylor"))
                .with("amount", decimal(1001, 1))
                .with("count", Value::Integer(-7))
                .page("fee late 4.573,19 EUR"),
        ],
    );
    memory.load(
        "phone-bill",
        vec![
            Sample::new("4712", "2024-03-31")
                .with("name", text("张三丰"))
                .with("amount", decimal(29, 2))
                .page("银行结算账户对账单 ｶﾞｽ料金 청구서 합계"),
            Sample::new("0815", "2022-01-01")
                .with("name", text("张三"))
                .with("amount", decimal(3, 1))
                .many("ref", vec![text("INV-2024-0001"), text("INV-2024-0002")])
                .page("請求書　ＡＢＣ商事"),
        ],
    );
    memory
}

#[test]
fn text_fields_are_found_whole_by_word_and_by_beginning() {
    let memory = bank();
    let (_dir, search) = fed("text-fields", &memory);
    let find = |text: &str| ids(&search, &memory, text);
    assert_eq!(find("name:taylor"), ["1-1", "1-2"]);
    assert_eq!(find("name:\"john taylor\""), ["1-1"]);
    assert_eq!(find("name:\"taylor john\""), NONE);
    assert_eq!(find("name:=\"John  Taylor\""), ["1-1"]);
    assert_eq!(find("name:=taylor"), NONE);
    assert_eq!(find("name:tay*"), ["1-1", "1-2"]);
    assert_eq!(find("name:\"francois muller taylor\""), ["1-2"]);
}

#[test]
fn accounts_are_found_with_and_without_separators_but_not_by_part() {
    let memory = bank();
    let (_dir, search) = fed("accounts", &memory);
    let find = |text: &str| ids(&search, &memory, text);
    assert_eq!(find("account:\"12-3456 78\""), ["1-1"]);
    assert_eq!(find("account:12345678"), ["1-1"]);
    assert_eq!(find("account:123-456-78"), ["1-1"]);
    assert_eq!(find("account:=12345678"), ["1-1"]);
    assert_eq!(find("account:4711"), ["1-2"]);
    assert_eq!(find("account:471"), NONE);
    assert_eq!(find("account:471*"), ["1-2", "2-1"]);
    assert_eq!(find("account:[4711 TO 4712]"), ["1-2", "2-1"]);
    assert_eq!(find("4711"), ["1-2"], "plain words look into fields too");
}

/// Whether a text value is found by a beginning in letters and digits: as `docs/search.md` says.
fn begins(value: &str, beginning: &str) -> bool {
    let whole = fold(value);
    let whole = if has_separators(&whole) { squeeze(&whole) } else { whole };
    let (mut scanner, mut word) = (Scanner::new(value), String::new());
    let mut any = whole.starts_with(beginning);
    while scanner.next(&mut word).is_some() {
        any |= word.starts_with(beginning);
    }
    any
}

#[test]
fn every_beginning_finds_what_begins_so_whatever_stands_between() {
    const PARTS: [&str; 20] = [
        "p", "P", "pe", "per", "1", "12", "2", "\u{e9}", "\u{bd}", "\u{2474}", "账", "-", "-", " ", " ", ".", ",", "'",
        "\u{2013}", "/",
    ];
    const FIELDS: usize = 150;
    let mut seed = 7_u32;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    let names: Vec<&'static str> = (0..FIELDS).map(|n| &*Box::leak(format!("f{n}").into_boxed_str())).collect();
    let mut values = vec![Vec::new(); 4];
    let mut samples = Vec::new();
    for of_document in &mut values {
        let mut sample = Sample::new("1", "2024-01-01");
        for name in &names {
            let value: String = (0..=random(5)).map(|_| PARTS[random(PARTS.len())]).collect();
            sample = sample.with(name, text(&value));
            of_document.push(value);
        }
        samples.push(sample);
    }
    let memory = Memory::default();
    memory.load("beginnings", samples);
    let (_dir, search) = fed("beginnings", &memory);
    for (at, name) in names.iter().enumerate() {
        for beginning in
            ["pe", "pp", "p1", "1p", "12", "11", "21", "per", "p12", "122", "121", "112", "pep", "ee", "e1"]
        {
            let wanted: Vec<String> = (1..)
                .zip(&values)
                .filter(|(_, all)| begins(&all[at], beginning))
                .map(|(n, _)| format!("1-{n}"))
                .collect();
            let all: Vec<&str> = values.iter().map(|of_document| of_document[at].as_str()).collect();
            assert_eq!(ids(&search, &memory, &format!("{name}:{beginning}*")), wanted, "{beginning}* in {all:?}");
        }
    }
}

#[test]
fn amounts_are_exact_to_the_cent() {
    let memory = bank();
    let (_dir, search) = fed("amounts", &memory);
    let find = |text: &str| ids(&search, &memory, text);
    assert_eq!(find("amount:100.10"), ["1-1", "1-2"]);
    assert_eq!(find("amount:100.1"), ["1-1", "1-2"]);
    assert_eq!(find("amount:100,10"), ["1-1", "1-2"]);
    assert_eq!(find("amount:0.29"), ["2-1"]);
    assert_eq!(find("amount:0.3"), ["2-2"]);
    assert_eq!(find("amount:>0.29"), ["1-1", "1-2", "2-2"]);
    assert_eq!(find("amount:>=0.29 amount:<0.3"), ["2-1"]);
    assert_eq!(find("amount:0.29..0.30"), ["2-1", "2-2"]);
    assert_eq!(find("amount:{0.29 TO 0.30]"), ["2-2"]);
    assert_eq!(find("amount:[0.30 TO 0.29]"), NONE);
    assert_eq!(find("count:-7"), ["1-2"]);
    assert_eq!(find("count:>=-7"), ["1-1", "1-2"]);
}

#[test]
fn numbers_no_column_holds_are_exact_too() {
    let memory = Memory::default();
    let values = [decimal(123_456_789, 9), decimal(123_456_788, 9), Value::Integer(i64::MAX), Value::Integer(i64::MIN)];
    memory.load("x", values.into_iter().map(|value| Sample::default().with("rate", value)).collect());
    let (_dir, search) = fed("odd-numbers", &memory);
    let find = |text: &str| ids(&search, &memory, text);
    assert_eq!(find("rate:0.123456789"), ["1-1"]);
    assert_eq!(find("rate:<0.123456789"), ["1-2", "1-4"]);
    assert_eq!(find("rate:9223372036854775807"), ["1-3"]);
    assert_eq!(find("rate:>=9223372036854775807"), ["1-3"]);
    assert_eq!(find("rate:<-1"), ["1-4"]);
    assert_eq!(find("rate:0..1"), ["1-1", "1-2"]);
}

#[test]
fn dates_are_found_by_day_month_year_and_range() {
    let memory = bank();
    let (_dir, search) = fed("dates", &memory);
    let find = |text: &str| ids(&search, &memory, text);
    assert_eq!(find("date:2024-03-05"), ["1-1"]);
    assert_eq!(find("date:2024-03"), ["1-1", "2-1"]);
    assert_eq!(find("date:2023"), ["1-2"]);
    assert_eq!(find("date:[2023-12-31 TO 2024-03-05]"), ["1-1", "1-2"]);
    assert_eq!(find("date:{2023-12-31 TO 2024-03-31}"), ["1-1"]);
    assert_eq!(find("date:<2023"), ["2-2"]);
    assert_eq!(find("date:>2023-12"), ["1-1", "2-1"]);
    assert_eq!(find("due:2024"), ["1-1"]);
    assert_eq!(find("year:2024"), ["1-1", "2-1"]);
}

#[test]
fn words_of_pages_are_found_with_their_order_in_quotes() {
    let memory = bank();
    let (_dir, search) = fed("page-words", &memory);
    let find = |text: &str| ids(&search, &memory, text);
    assert_eq!(find("late fee"), ["1-1", "1-2"]);
    assert_eq!(find("\"late fee\""), ["1-1"]);
    assert_eq!(find("4573.19"), ["1-1", "1-2"]);
    assert_eq!(find("4,573.19 -eur"), ["1-1"]);
    assert_eq!(find("char*"), ["1-1"]);
    assert_eq!(find("text:taylor"), NONE);
    assert_eq!(find("taylor"), ["1-1", "1-2"]);
    assert_eq!(find("(charged OR eur) date:2024"), ["1-1"]);
    assert_eq!(find("-fee"), ["2-1", "2-2"]);
    assert_eq!(find(""), ["1-1", "1-2", "2-1", "2-2"]);
}

#[test]
fn chinese_japanese_and_korean_are_found_by_any_characters() {
    let memory = bank();
    let (_dir, search) = fed("cjk", &memory);
    let find = |text: &str| ids(&search, &memory, text);
    for word in ["银行", "行结", "结算账户", "对账单", "单", "银", "ガス", "ガス料金", "청구", "청구서", "합계", "계"]
    {
        assert_eq!(find(word), ["2-1"], "{word}");
        assert_eq!(find(&format!("\"{word}\"")), ["2-1"], "{word}");
    }
    assert_eq!(find("算行"), NONE);
    assert_eq!(find("\"结算对账\""), NONE);
    assert_eq!(find("請求書 ABC"), ["2-2"]);
    assert_eq!(find("\"ＡＢＣ商\""), ["2-2"]);
    assert_eq!(find("name:张三"), ["2-1", "2-2"]);
    assert_eq!(find("name:=张三"), ["2-2"]);
    assert_eq!(find("name:三"), ["2-1", "2-2"]);
    assert_eq!(find("name:丰"), ["2-1"]);
    assert_eq!(find("张三丰"), ["2-1"]);
}

#[test]
fn words_without_positions_are_found_but_make_no_phrase() {
    let memory = Memory::default().full_text(FullText::Words);
    memory.load("x", vec![Sample::default().page("late fee 银行结算"), Sample::default().page("fee late")]);
    let (_dir, search) = fed("bag", &memory);
    assert_eq!(ids(&search, &memory, "late"), ["1-1", "1-2"]);
    assert_eq!(ids(&search, &memory, "\"late fee\""), ["1-1", "1-2"], "both have both words");
    assert_eq!(ids(&search, &memory, "行结"), ["1-1"]);
    assert_eq!(ids(&search, &memory, "la*"), ["1-1", "1-2"]);
}

#[test]
fn no_text_is_searched_where_the_definition_says_none() {
    let memory = Memory::default().full_text(FullText::None);
    memory.load("x", vec![Sample::default().with("name", text("ann")).page("late fee")]);
    let (_dir, search) = fed("no-text", &memory);
    assert_eq!(ids(&search, &memory, "late"), NONE);
    assert_eq!(ids(&search, &memory, "ann"), ["1-1"]);
}

#[test]
fn many_values_and_page_ranges_match_by_any_of_them() {
    let memory = Memory::default();
    memory.load(
        "register",
        vec![
            Sample::default()
                .span("acct", text("1000"), text("1999"))
                .span("amount", decimal(100, 2), decimal(500, 2))
                .span("day", Value::Date(day("2024-01-01")), Value::Date(day("2024-01-31"))),
            Sample::default().span("acct", text("998"), text("1003")),
            Sample::default()
                .many("acct", vec![text("7"), text("1500")])
                .many("amount", vec![decimal(7, 0), decimal(250, 2)]),
        ],
    );
    let (_dir, search) = fed("spans", &memory);
    let find = |text: &str| ids(&search, &memory, text);
    assert_eq!(find("acct:1500"), ["1-1", "1-3"]);
    assert_eq!(find("acct:1000"), ["1-1", "1-2"]);
    assert_eq!(find("acct:999"), ["1-2"]);
    assert_eq!(find("acct:2000"), NONE);
    assert_eq!(find("acct:7"), ["1-3"]);
    assert_eq!(find("amount:2.50"), ["1-1", "1-3"]);
    assert_eq!(find("amount:0.99"), NONE);
    assert_eq!(find("amount:>5"), ["1-3"]);
    assert_eq!(find("amount:>=5"), ["1-1", "1-3"]);
    assert_eq!(find("day:2024-01-15"), ["1-1"]);
    assert_eq!(find("day:2024-02"), NONE);
}

#[test]
fn documents_are_found_by_definition_kind_load_and_id() {
    let memory = bank();
    let (_dir, search) = fed("labels", &memory);
    let find = |text: &str| ids(&search, &memory, text);
    assert_eq!(find("definition:bank-statement"), ["1-1", "1-2"]);
    assert_eq!(find("definition:phone*"), ["2-1", "2-2"]);
    assert_eq!(find("kind:bill"), ["2-1", "2-2"]);
    assert_eq!(find("load:2"), ["2-1", "2-2"]);
    assert_eq!(find("id:2-1"), ["2-1"]);
    assert_eq!(find("pages:>1"), NONE);
    assert_eq!(find("pages:1 kind:bill"), ["2-1", "2-2"]);
    assert_eq!(find("ref:INV-2024-0002"), ["2-2"]);
    assert_eq!(find("INV-2024-0002"), ["2-2"]);
}

#[test]
fn wrong_queries_say_what_exists() {
    let memory = bank();
    let (_dir, search) = fed("wrong", &memory);
    let error = |text: &str| match search.hits(&memory, &query(text), &everybody(), &Window::default()) {
        Err(SearchError::Query(error)) => (error.at, format!("{error} {}", error.advice)),
        other => panic!("{text}: {other:?}"),
    };
    let (at, words) = error("late acount:4711");
    assert_eq!(at, 6);
    assert!(words.contains("`acount`") && words.contains("account, amount, count, date, definition, due"), "{words}");
    for (text, part) in [
        ("amount:abc", "not a number"),
        ("amount:1*", "no wildcard"),
        ("due:soon", "not a date"),
        ("date:2024-13", "not a date"),
        ("t*", "too much"),
        ("name:t*", "too much"),
        ("&&", "no word"),
        ("id:x", "not a document id"),
    ] {
        assert!(error(text).1.contains(part), "{text}: {:?}", error(text));
    }
}
