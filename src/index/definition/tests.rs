use super::*;
use crate::index::rule::{Source, Start};

const HEAD: &str = "name = \"r\"\ntitle = \"R\"\nkind = \"report\"\n";

fn errors(source: &str) -> Vec<String> {
    match Definition::parse(source, "r.toml") {
        Ok(_) => Vec::new(),
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    }
}

/// Asserts that a definition with `body` has exactly one error that begins and contains so.
fn one_error(body: &str, place: &str, words: &[&str]) {
    let found = errors(&format!("{HEAD}{body}"));
    assert_eq!(found.len(), 1, "{body}: {found:#?}");
    assert!(found[0].starts_with(&format!("r.toml:{place}: ")), "{body}: {}", found[0]);
    for word in words {
        assert!(found[0].contains(word), "{body}: {:?} lacks {word:?}", found[0]);
    }
}

#[test]
fn an_unknown_key_is_an_error_at_its_place_with_the_nearest_key() {
    one_error("titel = \"x\"\n", "4:1", &["titel", "did you mean `title`?", "allowed: name, title"]);
    one_error("[[field]]\nname = \"a\"\ncolums = \"1-2\"\ncolumns = 1\n", "6:1", &["field.a.colums", "`columns`"]);
    one_error("[read]\nxyzzyx = 1\n", "5:1", &["read.xyzzyx: unknown key (allowed"]);
}

#[test]
fn all_errors_are_reported_in_the_order_of_their_places() {
    let found = errors(
        "name = \"Bad Name\"\nkind = 5\nfull_text = \"all\"\n[document]\nstart = \"sometimes\"\n[[field]]\ntype = \"money\"\ncolumns = \"9-3\"\n",
    );
    let places: Vec<&str> = found.iter().map(|error| error.split(": ").next().expect("a place")).collect();
    let wanted = [
        "r.toml:1:1",
        "r.toml:1:8",
        "r.toml:2:8",
        "r.toml:3:13",
        "r.toml:5:9",
        "r.toml:6:1",
        "r.toml:7:8",
        "r.toml:8:11",
    ];
    assert_eq!(places, wanted, "{found:#?}");
}

#[test]
fn messages_say_what_is_allowed() {
    one_error(
        "[document]\nstart = \"sometimes\"\n",
        "5:9",
        &["document.start", "trigger, value, pages, tag, group, stream"],
    );
    one_error("[[trigger]]\nname = \"t\"\nrow = 0\ntext = \"x\"\n", "6:7", &["trigger.t.row", "\"5-9\""]);
    one_error("[[trigger]]\nname = \"t\"\nrow = 1\n", "4:1", &["exactly one of text, regex, mask, printed"]);
    one_error("[[trigger]]\nname = \"t\"\nregex = '('\n", "6:9", &["not a regular expression"]);
    one_error("[[trigger]]\nname = \"t\"\ntrigger = \"u\"\ntext = \"x\"\n", "6:11", &["no trigger \"u\""]);
    one_error(
        "[[field]]\nname = \"d\"\ntype = \"date\"\nformat = \"%m/%Q\"\ncolumns = 1\n",
        "7:10",
        &["%Q is not known"],
    );
    one_error(
        "[[field]]\nname = \"d\"\ntype = \"date\"\ncolumns = 1\n",
        "4:1",
        &["field.d.format", "is missing for a date"],
    );
    one_error("[[field]]\nname = \"d\"\ncolumns = 1\ndecimal = \",\"\n", "7:1", &["is for numbers only"]);
    one_error("[[field]]\nname = \"d\"\n", "4:1", &["says not where its text is"]);
    one_error(
        "[[field]]\nname = \"a\"\ncolumns = 1\n[document]\ntitle = \"{b}\"\n",
        "8:9",
        &["there is no field \"b\""],
    );
    one_error("[document]\nstart = \"stream\"\npages = 3\n", "6:1", &["does not go with this start"]);
    one_error("[document]\nstart = \"value\"\n", "4:1", &["document.by: is missing"]);
    one_error("[read]\ncode_page = \"ebcdic\"\n", "5:13", &["read.code_page", "ibm-1047"]);
    one_error("[read]\nformat = \"word\"\n", "5:10", &["line-data"]);
    one_error("[mask]\nsecret = {}\n", "5:1", &["mask.secret"]);
    one_error("[[mask_pattern]]\nkeep_last = 4\n", "4:1", &["mask_pattern.1.regex: is missing"]);
    one_error("[[mask_pattern]]\nregex = '[0-9]*'\n", "4:1", &["matches nothing"]);
    one_error(
        "[[exclude]]\nbuiltin = \"jes4\"\nname = \"x\"\ntext = \"y\"\n",
        "5:11",
        &["blank, jes2, jes3, vse, vps"],
    );
}

#[test]
fn broken_toml_is_an_error_with_its_place() {
    let found = errors("name = \"r\"\ntitle = \n");
    assert!(found.iter().any(|error| error.starts_with("r.toml:2:") && error.contains("not TOML")), "{found:?}");
}

#[test]
fn a_definition_without_triggers_is_one_document_for_each_stream() {
    let definition = Definition::parse(HEAD, "r.toml").expect("enough");
    assert!(matches!(definition.rules.start, Start::Stream));
    assert_eq!((definition.kind.as_str(), definition.language.as_str()), ("report", "en"));
    assert_eq!(definition.full_text, FullText::Phrases);
    assert!(matches!(Definition::whole().rules.start, Start::Stream));
}

#[test]
fn fields_know_their_labels_types_and_places() {
    let source = format!(
        "{HEAD}[[field]]\nname = \"closing_balance\"\ntype = \"decimal\"\ntag = \"Balance\"\nsensitive = true\n[[field]]\nname = \"who\"\nlabel = \"Customer\"\nlabel_zh = \"客户\"\nconstant = \"x\"\n[document]\naccount = \"who\"\n"
    );
    let definition = Definition::parse(&source, "r.toml").expect("no errors");
    assert_eq!(definition.fields[0].label, "Closing balance");
    assert_eq!((definition.fields[0].kind, definition.fields[0].sensitive), (FieldType::Decimal, true));
    assert_eq!(definition.fields[1].label_zh.as_deref(), Some("客户"));
    assert!(matches!(&definition.rules.fields[0].source, Source::Tag { name, .. } if name == "Balance"));
    assert_eq!((definition.account_field, definition.source), (Some(1), source));
}

#[test]
fn every_definition_of_the_checkout_parses_and_has_chinese_labels() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("indexers");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("indexers/ is there").flatten() {
        let source = std::fs::read_to_string(entry.path()).expect("UTF-8");
        let name = entry.file_name().into_string().expect("UTF-8");
        let definition = Definition::parse(&source, &name).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(format!("{}.toml", definition.name), name);
        assert!(
            definition.title_zh.is_some() && definition.fields.iter().all(|field| field.label_zh.is_some()),
            "{name}"
        );
        count += 1;
    }
    assert!(count >= 6, "{count} definitions");
}

#[test]
fn differences_read_well() {
    let parse = |body: &str| Definition::parse(&format!("{HEAD}{body}"), "r.toml").expect("no errors");
    let a = parse("[[field]]\nname = \"account\"\ncolumns = \"14-33\"\nrequired = true\n");
    let b = parse(
        "# moved\n[[field]]\nname = \"account\"\ncolumns = \"14-30\"\n[[field]]\nname = \"x\"\nconstant = \"1\"\n",
    );
    assert_eq!(
        diff(&a, &b),
        [
            "~ field account.columns = \"14-30\" (was \"14-33\")",
            "- field account.required = true",
            "+ field x.constant = \"1\"",
            "+ field x.name = \"x\"",
        ]
    );
    assert!(diff(&a, &a).is_empty());
}

#[test]
fn masks_show_only_the_ends() {
    let mask = Mask { what: Masked::Field(0), keep_first: 0, keep_last: 4, with: '•', clear: Vec::new() };
    assert_eq!(mask.apply("8618-2565-747469"), "••••-••••-••7469");
    assert_eq!(mask.apply("7469"), "••••", "a short value is hidden whole");
    assert_eq!(Mask { keep_first: 2, keep_last: 0, with: '*', ..mask }.apply("张三丰"), "张三*");
}

#[test]
fn the_first_example_of_the_manual_parses() {
    let manual = include_str!("../../../docs/definitions.md");
    let (_, example) = manual.split_once("```toml\n").expect("an example");
    let (example, _) = example.split_once("```").expect("its end");
    let definition = Definition::parse(example, "water-bill.toml").unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(definition.fields.len(), 3);
}

#[test]
fn the_currency_is_a_code_and_belongs_to_an_amount() {
    let document = "[[field]]\nname = \"due\"\ntype = \"decimal\"\nrow = 1\ncolumns = 1\n[document]\n";
    let known = Definition::parse(&format!("{HEAD}{document}amount = \"due\"\ncurrency = \"CHF\"\n"), "r.toml");
    assert_eq!(known.expect("sound").currency.as_deref(), Some("CHF"));
    one_error(&format!("{document}amount = \"due\"\ncurrency = \"Fr.\"\n"), "11:12", &["ISO 4217", "USD"]);
    one_error(&format!("{document}currency = \"CHF\"\n"), "10:12", &["goes with `amount` only"]);
}

#[test]
fn what_regions_and_tags_cannot_have_is_an_error_with_its_place() {
    let head = "name = \"r\"\ntitle = \"R\"\n";
    let region = "region = { x = 0, y = 0, width = 1, height = 1, unit = \"in\" }";
    let wrong = [
        (format!("[[field]]\nname = \"a\"\n{region}\ncolumns = 3\n"), "field.a.columns"),
        ("[[field]]\nname = \"a\"\nregion = { x = 0, y = 0, width = 1, height = 1 }\n".into(), "unit"),
        ("[[field]]\nname = \"a\"\nregion = { x = 0, y = 0, width = -1, height = 1, unit = \"in\" }\n".into(), "width"),
        (
            "[[field]]\nname = \"a\"\nregion = { x = 0, y = 0, width = 1e9, height = 1, unit = \"in\" }\n".into(),
            "width",
        ),
        ("[[field]]\nname = \"a\"\nregion = { x = nan, y = 0, width = 1, height = 1, unit = \"in\" }\n".into(), "x"),
        ("[[field]]\nname = \"a\"\nregion = { x = 0, y = 0, width = 1, height = 1, unit = \"km\" }\n".into(), "unit"),
        (format!("[[field]]\nname = \"a\"\ntag = \"x\"\n{region}\n"), "field.a"),
        ("[[field]]\nname = \"a\"\ntag = \"x\"\nrow = 3\n".into(), "field.a"),
        ("[[field]]\nname = \"a\"\ngroup = 0\n".into(), "field.a.group"),
        ("[[trigger]]\nname = \"t\"\ntag = \"x\"\nrow = 3\n".into(), "trigger.t.row"),
        (format!("[[trigger]]\nname = \"t\"\n{region}\n"), "trigger.t"),
        ("[document]\nstart = \"group\"\nlevel = 40\n".into(), "document.level"),
        ("[document]\nstart = \"stream\"\nlevel = 1\n".into(), "document.level"),
        ("[read]\nresources = \"../x\"\n".into(), "read.resources"),
    ];
    for (body, key) in wrong {
        let errors = Definition::parse(&format!("{head}{body}"), "r.toml").expect_err(&body);
        assert!(errors.to_string().contains(key), "{key}: {errors}");
    }
}

#[test]
fn a_form_that_is_not_there_and_bounds_that_cross_are_errors_when_a_definition_is_new() {
    let source = "name = \"x\"\ntitle = \"y\"\n[paper]\nform = \"bank-statment\"\n\
                  [[field]]\nname = \"a\"\ntype = \"integer\"\nrow = 1\ncolumns = \"1-5\"\nmin = 5\nmax = 1\n";
    let errors = Definition::parse(source, "x.toml").expect_err("two errors").to_string();
    let lines: Vec<&str> = errors.lines().collect();
    assert!(lines[0].starts_with("x.toml:4:8: paper.form: \"bank-statment\" is not known (allowed: "), "{errors}");
    assert!(lines[0].contains("bank-statement, telecom-bill"), "{errors}");
    assert_eq!(lines[1], "x.toml:11:7: field.a.max: is less than `min` (allowed: 5 or more)");
    // What the archive holds stays readable.
    assert!(Definition::stored(source, "x version 1").is_ok());
}
