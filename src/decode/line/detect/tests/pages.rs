//! Code pages that are told apart.

use super::*;

#[test]
fn text_of_four_byte_codes_is_gb18030() {
    let lines: Vec<String> = (0..60).map(|n| format!("第{n}页 编号{n} 㐀㐁𠀀 合计金额")).collect();
    let found = look(&joined(&encode("gb18030", &lines), b"\n"), None);
    expect("four bytes", &found, &["gb18030"], "text", "nl", None, "none");
    assert!(found.confidence > 0.7, "{} {:?}", found.confidence, found.evidence);
}

#[test]
fn national_host_pages_are_told_apart_by_words_and_symbols() {
    let german = ["Jürgen Müller", "Käthe Schröder", "Günther Weiß", "Übertrag für März", "Fällig: 3 Stück"];
    let danish = ["Søren Jørgensen", "Beløb på året", "Århus Købmand", "Læs også side 2"];
    let swedish = ["Björn Sjöberg", "Avgift för år 2024", "Från Göteborg", "Påminnelse gäller"];
    let french = ["Hélène Lefèvre", "Numéro de référence", "Relevé à échéance", "Reçu après le 5 août"];
    let italian = ["Nicolò Rossi", "Quantità e società", "Perché la città è più", "Già modalità"];
    let spanish = ["José Muñoz", "Año y número", "Teléfono según información", "Peña Núñez"];
    let icelandic = ["Þór Guðmundsson", "Það og þú", "Fjárhæð og greiðsla", "Æsa Ægisdóttir"];
    let polish = ["Łukasz Wiśniewski", "Należność i zapłaty", "Dzień się kończy", "Kraków Łódź"];
    let russian = ["Иван Петров", "Сумма к оплате", "Счёт за март", "Итого рублей"];
    let greek = ["Γιώργος Παπαδόπουλος", "Λογαριασμός", "Ποσό πληρωμής", "Σύνολο"];
    for (page, names, money) in [
        ("ibm-273", &german[..], " "),
        ("ibm-273", NAMES, "$"),
        ("ibm-277", &danish, " "),
        ("ibm-278", &swedish, " "),
        ("ibm-297", &french, " "),
        ("ibm-297", NAMES, "$"),
        ("ibm-280", &italian, " "),
        ("ibm-284", &spanish, " "),
        ("ibm-284", NAMES, "$"),
        ("ibm-285", NAMES, "$"),
        ("ibm-871", &icelandic, " "),
        ("ibm-870", &polish, " "),
        ("ibm-1025", &russian, " "),
        ("ibm-875", &greek, " "),
        ("ibm-1141", &german, "€"),
        ("ibm-1140", NAMES, "€"),
        ("ibm-1147", &french, "€"),
    ] {
        let mut lines = report(40, names, money);
        lines.push(" Done!".into());
        let bytes = fixed(&encode(page, &lines), 133, 0x40);
        expect(page, &look(&bytes, None), &[page], "FBA", "fixed", Some(133), "asa");
    }
    // Brackets and exclamation marks tell the pages for English apart.
    for page in ["ibm-037", "ibm-1047", "ibm-500"] {
        let mut lines = report(40, NAMES, "$");
        for n in 0..40 {
            lines.push(format!(" Thank you! See note [{n}] or item [A{n}]; total | subtotal"));
        }
        let bytes = fixed(&encode(page, &lines), 133, 0x40);
        expect(page, &look(&bytes, None), &[page], "FBA", "fixed", Some(133), "asa");
    }
}

#[test]
fn mixed_host_pages_are_told_apart_by_language() {
    let japanese = ["日本電話株式会社", "お客様番号のご案内", "ご利用料金のお知らせ", "東京都千代田区"];
    let kana = ["ｶﾌﾞｼｷｶﾞｲｼｬ ﾃﾞﾝﾜ", "日本電話のﾘﾖｳﾘｮｳｷﾝ", "ﾀﾅｶ ﾀﾛｳ 様"];
    let korean = ["대한민국 전화요금", "고객님의 청구서", "서울특별시 강남구", "합계금액"];
    let simplified = ["中华人民共和国电信", "客户名称: 周明怡", "应付金额", "话费账单"];
    let rare = ["镕喆堃", "中华人民共和国电信", "应付金额", "朱镕基"];
    let traditional = ["中華民國電話帳單", "客戶名稱: 陳小明", "應付金額", "臺北市"];
    for (page, names, accept) in [
        ("ibm-939", &japanese[..], &["ibm-939"][..]),
        ("ibm-930", &kana, &["ibm-930"]),
        ("ibm-930", &japanese, &["ibm-930"]),
        ("ibm-939", &kana, &["ibm-939"]),
        ("ibm-933", &korean, &["ibm-933"]),
        ("ibm-935", &simplified, &["ibm-935"]),
        ("ibm-1388", &rare, &["ibm-1388"]),
        ("ibm-937", &traditional, &["ibm-937"]),
    ] {
        let records = encode(page, &report(40, names, " "));
        let named = format!("spool.{}", page.trim_start_matches("ibm-"));
        expect(page, &look(&fixed(&records, 133, 0x40), None), accept, "FBA", "fixed", Some(133), "asa");
        expect(page, &look(&bdw(&records, 4000), Some(&named)), accept, "VBA", "bdw-rdw", None, "asa");
    }
    let simplified = fixed(&encode("ibm-1388", &report(40, &simplified, " ")), 133, 0x40);
    expect("name", &look(&simplified, Some("in/tele-1388.fba")), &["ibm-1388"], "FBA", "fixed", Some(133), "asa");
}

#[test]
fn workstation_text_is_told_apart_by_its_bytes() {
    let german = ["Jürgen Müller", "Käthe Schröder", "Günther Weiß", "Übertrag für März"];
    let quotes = ["“quoted” text – dash", "Jürgen Müller", "José Muñoz’s"];
    let polish = ["Łukasz Wiśniewski", "Należność i zapłaty", "Dzień się kończy"];
    let russian = ["Иван Петров", "Сумма к оплате", "Счёт за март"];
    let simplified = ["中华人民共和国电信", "客户名称", "应付金额合计", "话费账单四川省"];
    let four = ["中华人民共和国电信", "㐂𠀀", "应付金额"];
    let traditional = ["中華民國電話帳單", "客戶名稱", "應付金額", "臺北市中山區"];
    let japanese = ["日本電話株式会社", "お客様番号のご案内", "ご利用料金のお知らせ", "東京都ﾁﾖﾀﾞ"];
    let korean = ["대한민국 전화요금", "고객님의 청구서", "서울특별시 강남구", "합계금액"];
    for (page, names, money) in [
        ("utf-8", &german[..], "€"),
        ("utf-8", &simplified, " "),
        ("iso-8859-1", &german, "£"),
        ("iso-8859-15", &german, "€"),
        ("windows-1252", &quotes, "€"),
        ("windows-1250", &polish, "€"),
        ("iso-8859-2", &polish, " "),
        ("windows-1251", &russian, " "),
        ("koi8-r", &russian, " "),
        ("ibm-850", &german, " "),
        ("gbk", &simplified, " "),
        ("gb18030", &four, " "),
        ("big5", &traditional, " "),
        ("shift_jis", &japanese, " "),
        ("euc-kr", &korean, " "),
        ("euc-jp", &japanese, " "),
    ] {
        let records = encode(page, &report(40, names, money));
        let accept = if page == "ibm-850" { &["ibm-850", "ibm-437", "ibm-858"][..] } else { &[page] };
        expect(page, &look(&joined(&records, b"\n"), None), accept, "textA", "nl", None, "asa");
        expect(page, &look(&joined(&without_control(&records), b"\r\n"), None), accept, "text", "crlf", None, "none");
        if page != "utf-8" && page != "gb18030" {
            expect(page, &look(&fixed(&records, 133, 0x20), None), accept, "FBA", "fixed", Some(133), "asa");
        }
    }
}

#[test]
fn few_records_and_few_letters_say_so_in_the_confidence() {
    let ebcdic = |lines: &[String], page: &str| {
        let padded: Vec<String> = lines.iter().map(|line| format!("{line:<80}")).collect();
        encode(page, &padded).concat()
    };
    let lines: Vec<String> = (0..3).map(|n| format!("INVOICE 10{n} TOTAL {n}1.20 DATE 2024-01-0{n}")).collect();
    let few = look(&ebcdic(&lines, "ibm-037"), None);
    assert!(few.confidence < 0.7, "{} {:?}", few.confidence, few.evidence);
    // A German text with a few Danish letters that come back on every line: nothing tells what they are.
    let lines: Vec<String> = (0..400).map(|n| format!("Rechnung {n} bl\u{E5}b\u{E6}r \u{F8} Betrag 1{n}.20")).collect();
    let danish = look(&ebcdic(&lines, "ibm-277"), None);
    assert!(danish.confidence < 0.8, "{} {:?}", danish.confidence, danish.evidence);
}

#[test]
fn chinese_and_japanese_text_without_blanks_is_no_host_text() {
    let line = |n: usize| {
        format!(
            "\u{5C0A}\u{656C}\u{7684}\u{5BA2}\u{6237}\u{FF1A}\u{60A8}\u{672C}\u{6708}\u{7684}\u{7535}\u{4FE1}\u{8D39}\u{7528}\u{4E3A}{n}\u{5143}\u{3002}\n"
        )
    };
    let text: String = (0..300).map(line).collect();
    let japanese = "\u{304A}\u{5BA2}\u{69D8}\u{306E}\u{4ECA}\u{6708}\u{306E}\u{3054}\u{8ACB}\u{6C42}\u{984D}\u{306F}\u{6B21}\u{306E}\u{901A}\u{308A}\u{3067}\u{3059}\u{3002}\n".repeat(200);
    let traditional = "\u{89AA}\u{611B}\u{7684}\u{5BA2}\u{6236}\u{FF1A}\u{60A8}\u{672C}\u{6708}\u{7684}\u{96FB}\u{4FE1}\u{8CBB}\u{7528}\u{5DF2}\u{7D93}\u{51FA}\u{5E33}\u{3002}\n".repeat(200);
    for (text, encoding, page) in [
        (&text, encoding_rs::UTF_8, "utf-8"),
        (&text, encoding_rs::GBK, "gbk"),
        (&japanese, encoding_rs::UTF_8, "utf-8"),
        (&japanese, encoding_rs::SHIFT_JIS, "shift_jis"),
        (&japanese, encoding_rs::EUC_JP, "euc-jp"),
        (&traditional, encoding_rs::BIG5, "big5"),
    ] {
        let (bytes, _, unmappable) = encoding.encode(text);
        assert!(!unmappable);
        let found = look(&bytes, None);
        assert_eq!(found.read.code_page.as_deref(), Some(page), "{:?}", found.evidence);
        assert_eq!(found.read.framing.as_deref(), Some("nl"), "{page}: {:?}", found.evidence);
        assert!(found.confidence > 0.75, "{page}: {} {:?}", found.confidence, found.evidence);
    }
}
