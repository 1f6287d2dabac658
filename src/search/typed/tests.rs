//! What people type, and what it means.

use proptest::prelude::*;

use super::*;
use crate::search::Query;

fn vocabulary() -> Vocabulary {
    let list = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let pairs = |names: &[(&str, &str)]| names.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect::<Vec<_>>();
    Vocabulary {
        names: list(&["name", "customer_name"]),
        amounts: list(&["amount"]),
        invoices: list(&["invoice_number"]),
        kinds: pairs(&[("bill", "bill"), ("账单", "bill")]),
        reports: pairs(&[("east china telecom bills", "telecom-bill"), ("meridian power", "power-bill")]),
        today: Day::from_ymd(2024, 6, 15).expect("a day"),
    }
}

fn query(text: &str) -> String {
    let typed = understand(text, &vocabulary());
    let query = typed.query();
    Query::parse(&query).unwrap_or_else(|error| panic!("{text:?} became {query:?}: {error}"));
    query
}

fn meanings(text: &str) -> Vec<(Meaning, String)> {
    understand(text, &vocabulary()).parts.into_iter().map(|part| (part.meaning, part.value)).collect()
}

#[test]
fn words_are_words_and_the_last_one_is_open_while_it_is_typed() {
    assert_eq!(query("late fee "), "late fee");
    assert_eq!(query("late fe"), "late fe*");
    assert_eq!(query("b"), "b");
    assert_eq!(query("\"late fee\" x "), "\"late fee\" x");
    assert_eq!(query("结算 "), "结算");
    assert_eq!(query(""), "");
    assert_eq!(query("   "), "");
}

#[test]
fn shortcuts_name_what_is_meant() {
    assert_eq!(query("a:4711"), "account:4711*");
    assert_eq!(query("a:4711 "), "account:4711");
    assert_eq!(query("a: 4711 "), "account:4711");
    assert_eq!(query("账号：4711 "), "account:4711");
    assert_eq!(query("n:taylor "), "(name:taylor OR customer_name:taylor)");
    assert_eq!(query("n:\"ann lee\" "), "(name:\"ann lee\" OR customer_name:\"ann lee\")");
    assert_eq!(query("i:100 "), "invoice_number:100");
    assert_eq!(query("k:账单 "), "kind:bill");
    assert_eq!(query("r:telecom "), "definition:telecom-bill");
    assert_eq!(query("t:fee "), "text:fee");
    assert_eq!(query("$:120.50 "), "(amount:120.50 OR amount:-120.50 OR 120.50)");
    assert_eq!(query("d:march 2023 fee "), "date:[2023-03-01 TO 2023-03-31] fee");
    assert_eq!(query("p:555-0199 "), "(555-0199 OR 5550199)");
    assert_eq!(query("a:"), "", "nothing follows yet");
}

#[test]
fn amounts_and_ranges_ask_the_fields_with_amounts() {
    for text in ["$120..130", "120..130", "$120-130"] {
        assert_eq!(query(text), "(amount:120..130 OR amount:-130..-120)", "{text}");
    }
    assert_eq!(query("¥1,200-1,300"), "(amount:1200..1300 OR amount:-1300..-1200)");
    assert_eq!(query("..50"), "amount:..50");
    assert_eq!(query("$120"), "(amount:120..120.99 OR amount:-120.99..-120)");
    assert_eq!(query("4,573.19"), "(amount:4573.19 OR amount:-4573.19 OR 4573.19)");
    assert_eq!(query(">=100"), "amount:>=100");
    assert_eq!(query("＞100"), "amount:>100");
    assert_eq!(query("<-10000"), "amount:<-10000");
    assert_eq!(meanings("金额：13776.79"), [(Meaning::Amount, "13776.79".into())]);
    for text in ["-13,776.79", "$-13776.79", "-$13,776.79", "$:-13776.79"] {
        assert_eq!(meanings(text), [(Meaning::Amount, "-13776.79".into())], "{text}");
        assert_eq!(query(text), "(amount:-13776.79 OR 13776.79)", "{text}: only below zero");
    }
    for text in ["$-5", "-$5"] {
        assert_eq!(query(text), "amount:-5.99..-5", "{text}");
    }
    for text in ["$130..120", "$130-120", "130..120"] {
        assert_eq!(query(text), query("$120..130"), "{text}: the ends may be typed in either order");
    }
    assert_eq!(query("金额：>100"), "amount:>100");
    assert_eq!(query("$:120..130"), query("$120..130"));
    assert_eq!(query("fee -120.50 "), "fee -120.50", "left out");
    assert_eq!(query("-late "), "-late");
    assert_eq!(meanings("1,23"), [(Meaning::Number, "1,23".into())]);
    assert_eq!(meanings("1.2.3"), [(Meaning::Number, "1.2.3".into())]);
}

#[test]
fn dates_months_and_years() {
    let span = |text: &str| {
        let typed = understand(text, &vocabulary());
        typed
            .parts
            .first()
            .and_then(|part| part.days.first().copied())
            .map(|(from, to)| format!("{from} {to}"))
            .unwrap_or_default()
    };
    for text in ["March 2024", "mar 2024", "2024-03", "2024/3", "03/2024", "2024年3月", "3月", "march"] {
        assert_eq!(span(text), "2024-03-01 2024-03-31", "{text}");
    }
    for text in ["2024-03-05", "5 Mar 2024", "Mar 5, 2024", "March 5th 2024", "2024年3月5日", "5.3.2024", "2024/03/05"]
    {
        assert_eq!(span(text), "2024-03-05 2024-03-05", "{text}");
    }
    for text in ["March 5", "5 March", "5th Mar"] {
        assert_eq!(span(text), "2024-03-05 2024-03-05", "{text}");
    }
    assert_eq!(span("July 4"), "2023-07-04 2023-07-04", "the latest that has begun");
    assert_eq!(span("Feb 29"), "2024-02-29 2024-02-29");
    assert_eq!(span("12月"), "2023-12-01 2023-12-31", "the latest that has begun");
    assert_eq!(span("2023"), "2023-01-01 2023-12-31");
    assert_eq!(span("Q1 2024"), "2024-01-01 2024-03-31");
    assert_eq!(span("2024-q1"), "2024-01-01 2024-03-31");
    assert_eq!(span("last month"), "2024-05-01 2024-05-31");
    assert_eq!(span("上月"), "2024-05-01 2024-05-31");
    assert_eq!(span("yesterday"), "2024-06-14 2024-06-14");
    assert_eq!(span("2024-01..2024-03"), "2024-01-01 2024-03-31");
    assert_eq!(span("2024-03..2024-01"), span("2024-01..2024-03"), "the ends may be typed in either order");
    assert_eq!(query("03/05/2024"), "(date:2024-03-05 OR date:2024-05-03)", "either order of day and month");
    assert_eq!(query("d:03/05/2024"), query("03/05/2024"));
    assert_eq!(understand("03/05/2024", &vocabulary()).parts[0].days.len(), 2);
    for text in ["03/25/2024", "25/03/2024"] {
        assert_eq!(query(text), "date:2024-03-25", "{text}");
    }
    assert_eq!(query("05/05/2024"), "date:2024-05-05");
    for text in ["may", "31/31/2024", "2024-13", "2024-02-30", "marching 2024", "Q5 2024"] {
        let first = understand(text, &vocabulary()).parts.first().map(|part| part.meaning);
        assert_ne!(first, Some(Meaning::Date), "{text}");
    }
}

#[test]
fn telephone_numbers() {
    assert_eq!(meanings("+1 555 010 0199"), [(Meaning::Phone, "15550100199".into())]);
    assert_eq!(meanings("(555) 010-0199"), [(Meaning::Phone, "5550100199".into())]);
    assert_eq!(meanings("555-010-0199"), [(Meaning::Phone, "5550100199".into())]);
    assert_eq!(meanings("555 010 0199"), [(Meaning::Phone, "5550100199".into())]);
    assert_eq!(meanings("139 1234 5678"), [(Meaning::Phone, "13912345678".into())]);
    assert_eq!(query("555 010 0199 "), "(555-010-0199 OR 5550100199)");
    assert_eq!(meanings("555 010 019 "), [(Meaning::Number, "555 010 019".into())], "too short for one");
    assert_eq!(meanings("13912345678"), [(Meaning::Phone, "13912345678".into())]);
    assert_eq!(meanings("410000-1000-0"), [(Meaning::Number, "410000-1000-0".into())]);
    assert_eq!(query("555-010-0199 "), "(555-010-0199 OR 5550100199)");
}

#[test]
fn numbers_may_be_anything() {
    assert_eq!(query("410000-1000-0 "), "410000-1000-0");
    assert_eq!(query("4711 "), "(4711 OR amount:4711)");
    assert_eq!(query("INV-2024-001"), "INV-2024-001*");
    assert_eq!(query("410000 1000 0 "), "(410000-1000-0 OR 41000010000 OR (410000 1000 0))", "told on the phone");
    assert_eq!(query("410000 1000"), "(410000-1000* OR 4100001000* OR (410000 1000))");
    assert_eq!(meanings("4711000 2024 ").len(), 2, "a year is a year");
    assert_eq!(meanings("12 34567890 ").len(), 2);
}

#[test]
fn several_parts_are_all_meant() {
    assert_eq!(
        query("barnes march 2024 $120..130 "),
        "barnes date:[2024-03-01 TO 2024-03-31] (amount:120..130 OR amount:-130..-120)"
    );
    let meant: Vec<_> = meanings("barnes 2024-03 a:410").into_iter().map(|(meaning, _)| meaning).collect();
    assert_eq!(meant, [Meaning::Words, Meaning::Date, Meaning::Account]);
}

#[test]
fn the_query_language_stays_as_it_is() {
    for text in [
        "date:[2024-01-01 TO 2024-12-31]",
        "amount:{100 TO 200] fee",
        "account:4711 amount:>100",
        "(a OR b) c",
        "fee -late",
        "name:\"john taylor\"",
        "fee NOT late",
    ] {
        assert_eq!(query(&format!("{text} ")).trim(), text);
    }
}

#[test]
fn a_part_can_be_taken_away_and_a_place_found_again() {
    let typed = understand("barnes March 2024 amount:[1 TO", &vocabulary());
    assert_eq!(typed.without(1), "barnes amount:[1 TO");
    assert_eq!(typed.without(9), "barnes March 2024 amount:[1 TO");
    let error = Query::parse(&typed.query()).expect_err("a range that is not closed");
    assert_eq!(typed.place(error.at), "barnes March 2024 amount:".len() + 1);
    assert_eq!(understand("a (b", &vocabulary()).place(3), 3);
}

proptest! {
    #[test]
    fn no_text_panics_and_plain_words_always_make_a_query(text in "\\PC{0,60}", plain in "[a-z0-9 $.,:/年月-]{0,40}") {
        let typed = understand(&text, &vocabulary());
        for at in 0..typed.parts.len() {
            let _ = typed.without(at);
        }
        let _ = typed.place(text.len());
        let _ = understand(&plain, &vocabulary()).query();
    }
}

#[test]
fn words_beside_parentheses_keep_their_meaning() {
    assert_eq!(query("(fee OR charge) 2024-06 "), "(fee OR charge) date:[2024-06-01 TO 2024-06-30]");
    assert_eq!(query("2024-06 -(fee (a b)) "), "date:[2024-06-01 TO 2024-06-30] -(fee (a b))");
    for text in ["fee OR charge 2024-06", "NOT (fee) 2024-06", "(fee 2024-06", "fee) 2024-06", "(fee) OR 2024-06 "] {
        assert_eq!(understand(text, &vocabulary()).query(), text, "taken word for word");
    }
}
