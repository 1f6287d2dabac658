//! The code pages greenbar knows, and the names people give them.

use std::sync::OnceLock;

use super::double::{Lead, Longer, mixed};
use super::single::Single;
use super::{CodePage, Kind};

/// What kind of page a row of [`ROWS`] is.
enum Row {
    /// Single byte.
    Single,
    /// Single byte half under the page's own name, double byte half under this one.
    Mixed(&'static str),
    /// Lead bytes.
    Lead(&'static encoding_rs::Encoding, Longer),
    /// UTF-8.
    Utf8,
}

use Row::{Lead as Bytes, Mixed, Single as One, Utf8};

/// Name, use, other names (reduced, see [`reduce`]), kind.
#[rustfmt::skip]
static ROWS: &[(&str, &str, &[&str], Row)] = &[
    ("ibm-037", "United States, Canada, Netherlands, Portugal, Brazil (EBCDIC)", &["ebcdiccpus", "ebcdiccpca", "ebcdiccpnl", "ebcdiccpwt"], One),
    ("ibm-256", "international, old (EBCDIC)", &["ebcdicint1"], One),
    ("ibm-273", "Germany, Austria (EBCDIC)", &["ebcdicde", "ebcdicat", "ebcdicatde"], One),
    ("ibm-274", "Belgium, old (EBCDIC)", &["ebcdicbe"], One),
    ("ibm-275", "Brazil, old (EBCDIC)", &["ebcdicbr"], One),
    ("ibm-277", "Denmark, Norway (EBCDIC)", &["ebcdiccpdk", "ebcdiccpno", "ebcdicdkno"], One),
    ("ibm-278", "Finland, Sweden (EBCDIC)", &["ebcdiccpfi", "ebcdiccpse", "ebcdicfise"], One),
    ("ibm-280", "Italy (EBCDIC)", &["ebcdiccpit", "ebcdicit"], One),
    ("ibm-281", "Japan, English (EBCDIC)", &["ebcdicjpe"], One),
    ("ibm-284", "Spain, Latin America (EBCDIC)", &["ebcdiccpes", "ebcdices"], One),
    ("ibm-285", "United Kingdom, Ireland (EBCDIC)", &["ebcdiccpgb", "ebcdicuk"], One),
    ("ibm-290", "Japan, katakana (EBCDIC)", &["ebcdicjpkana"], One),
    ("ibm-297", "France (EBCDIC)", &["ebcdiccpfr", "ebcdicfr"], One),
    ("ibm-420", "Arabic (EBCDIC)", &["ebcdiccpar1"], One),
    ("ibm-423", "Greece, old (EBCDIC)", &["ebcdiccpgr"], One),
    ("ibm-424", "Hebrew (EBCDIC)", &["ebcdiccphe"], One),
    ("ibm-500", "international, Belgium, Switzerland (EBCDIC)", &["ebcdiccpbe", "ebcdiccpch"], One),
    ("ibm-870", "Central Europe (EBCDIC)", &["ebcdiccproece", "ebcdiccpyu"], One),
    ("ibm-871", "Iceland (EBCDIC)", &["ebcdiccpis"], One),
    ("ibm-875", "Greece (EBCDIC)", &["ebcdicgreek"], One),
    ("ibm-880", "Cyrillic, old (EBCDIC)", &["ebcdiccyrillic"], One),
    ("ibm-905", "Turkey, old (EBCDIC)", &["ebcdiccptr"], One),
    ("ibm-918", "Urdu (EBCDIC)", &["ebcdiccpar2"], One),
    ("ibm-1025", "Cyrillic (EBCDIC)", &[], One),
    ("ibm-1026", "Turkey (EBCDIC)", &[], One),
    ("ibm-1047", "z/OS, Latin-1 (EBCDIC)", &["osu", "ebcdiclatin1"], One),
    ("ibm-1097", "Farsi (EBCDIC)", &[], One),
    ("ibm-1112", "Baltic (EBCDIC)", &[], One),
    ("ibm-1122", "Estonia (EBCDIC)", &[], One),
    ("ibm-1123", "Ukraine (EBCDIC)", &[], One),
    ("ibm-1130", "Vietnam (EBCDIC)", &[], One),
    ("ibm-1132", "Laos (EBCDIC)", &[], One),
    ("ibm-1137", "Devanagari (EBCDIC)", &[], One),
    ("ibm-1140", "as 037 with euro (EBCDIC)", &["ebcdicus037euro"], One),
    ("ibm-1141", "as 273 with euro (EBCDIC)", &["ebcdicde273euro"], One),
    ("ibm-1142", "as 277 with euro (EBCDIC)", &["ebcdicdk277euro", "ebcdicno277euro"], One),
    ("ibm-1143", "as 278 with euro (EBCDIC)", &["ebcdicfi278euro", "ebcdicse278euro"], One),
    ("ibm-1144", "as 280 with euro (EBCDIC)", &["ebcdicit280euro"], One),
    ("ibm-1145", "as 284 with euro (EBCDIC)", &["ebcdices284euro"], One),
    ("ibm-1146", "as 285 with euro (EBCDIC)", &["ebcdicgb285euro"], One),
    ("ibm-1147", "as 297 with euro (EBCDIC)", &["ebcdicfr297euro"], One),
    ("ibm-1148", "as 500 with euro (EBCDIC)", &["ebcdicinternational500euro"], One),
    ("ibm-1149", "as 871 with euro (EBCDIC)", &["ebcdicis871euro"], One),
    ("ibm-1153", "as 870 with euro (EBCDIC)", &[], One),
    ("ibm-1154", "as 1025 with euro (EBCDIC)", &[], One),
    ("ibm-1155", "as 1026 with euro (EBCDIC)", &[], One),
    ("ibm-1156", "as 1112 with euro (EBCDIC)", &[], One),
    ("ibm-1157", "as 1122 with euro (EBCDIC)", &[], One),
    ("ibm-1158", "as 1123 with euro (EBCDIC)", &[], One),
    ("ibm-1160", "Thailand with euro (EBCDIC)", &[], One),
    ("ibm-1164", "Vietnam with euro (EBCDIC)", &[], One),
    ("ibm-1166", "Kazakhstan (EBCDIC)", &[], One),
    ("ibm-930", "Japanese, katakana first (EBCDIC, SO/SI)", &["5026"], Mixed("ibm-930")),
    ("ibm-933", "Korean (EBCDIC, SO/SI)", &[], Mixed("ibm-933")),
    ("ibm-935", "Simplified Chinese (EBCDIC, SO/SI)", &[], Mixed("ibm-935")),
    ("ibm-937", "Traditional Chinese (EBCDIC, SO/SI)", &[], Mixed("ibm-937")),
    ("ibm-939", "Japanese, Latin first (EBCDIC, SO/SI)", &["5035"], Mixed("ibm-930")),
    ("ibm-1364", "Korean, extended (EBCDIC, SO/SI)", &[], Mixed("ibm-1364")),
    ("ibm-1371", "Traditional Chinese with euro (EBCDIC, SO/SI)", &[], Mixed("ibm-1371")),
    ("ibm-1388", "Simplified Chinese, GB 18030 (EBCDIC, SO/SI)", &[], Mixed("ibm-1388")),
    ("ibm-1390", "Japanese, katakana first, extended (EBCDIC, SO/SI)", &[], Mixed("ibm-1390")),
    ("ibm-1399", "Japanese, Latin first, extended (EBCDIC, SO/SI)", &[], Mixed("ibm-1390")),
    ("utf-8", "Unicode", &["1208", "unicode"], Utf8),
    ("iso-8859-1", "Western Europe", &["819", "latin1", "l1", "isolatin1", "usascii", "ascii", "367", "iso646us"], One),
    ("iso-8859-2", "Central Europe", &["912", "latin2", "l2"], One),
    ("iso-8859-3", "Southern Europe", &["913", "latin3"], One),
    ("iso-8859-4", "Northern Europe", &["914", "latin4"], One),
    ("iso-8859-5", "Cyrillic", &["915"], One),
    ("iso-8859-7", "Greek", &["813"], One),
    ("iso-8859-9", "Turkish", &["920", "latin5"], One),
    ("iso-8859-13", "Baltic", &["921", "latin7"], One),
    ("iso-8859-15", "Western Europe with euro", &["923", "latin9", "l9"], One),
    ("windows-1250", "Central Europe (Windows)", &["1250"], One),
    ("windows-1251", "Cyrillic (Windows)", &["1251"], One),
    ("windows-1252", "Western Europe (Windows)", &["1252"], One),
    ("windows-1253", "Greek (Windows)", &["1253"], One),
    ("windows-1254", "Turkish (Windows)", &["1254"], One),
    ("windows-1257", "Baltic (Windows)", &["1257"], One),
    ("ibm-437", "United States (DOS)", &[], One),
    ("ibm-850", "Western Europe (DOS)", &[], One),
    ("ibm-852", "Central Europe (DOS)", &[], One),
    ("ibm-855", "Cyrillic (DOS)", &[], One),
    ("ibm-857", "Turkish (DOS)", &[], One),
    ("ibm-858", "Western Europe with euro (DOS)", &[], One),
    ("ibm-865", "Denmark, Norway (DOS)", &[], One),
    ("ibm-866", "Cyrillic (DOS)", &[], One),
    ("koi8-r", "Russian", &["878"], One),
    ("koi8-u", "Ukrainian", &["1168"], One),
    ("gb18030", "Chinese, all of Unicode", &["54936", "1392", "gb180302005"], Bytes(encoding_rs::GB18030, Longer::Four)),
    ("gbk", "Simplified Chinese", &["936", "1386", "gb2312", "euccn", "1381", "1383"], Bytes(encoding_rs::GBK, Longer::None)),
    ("big5", "Traditional Chinese", &["950", "1370", "big5hkscs"], Bytes(encoding_rs::BIG5, Longer::None)),
    ("shift_jis", "Japanese (Windows 31J)", &["932", "943", "sjis", "windows31j", "mskanji"], Bytes(encoding_rs::SHIFT_JIS, Longer::None)),
    ("euc-kr", "Korean (UHC)", &["949", "970", "1363", "uhc", "ksc5601"], Bytes(encoding_rs::EUC_KR, Longer::None)),
    ("euc-jp", "Japanese (Unix)", &["954", "33722", "51932"], Bytes(encoding_rs::EUC_JP, Longer::EucJp)),
];

/// Every page, in the order of [`ROWS`].
pub fn all() -> &'static [CodePage] {
    static ALL: OnceLock<Vec<CodePage>> = OnceLock::new();
    ALL.get_or_init(|| {
        let page = |(name, label, aliases, row): &(&'static str, &'static str, &'static [&'static str], Row)| {
            let kind = match row {
                One => Kind::Single(Single::named(name)),
                Mixed(double) => mixed(name, double),
                Bytes(encoding, longer) => Kind::Lead(Lead::new(encoding, *longer)),
                Utf8 => Kind::Utf8,
            };
            CodePage { name, label, aliases, kind }
        };
        ROWS.iter().map(page).collect()
    })
}

/// A name without what people vary: case, punctuation, and the words in front of a number (`cp`, `ibm`, `ccsid`,
/// `windows` ...) with the number's leading zeros.
pub fn reduce(name: &str) -> String {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|ch| ch.to_ascii_lowercase()).collect();
    let number = ["ibm", "cp", "ccsid", "windows", "win", "ms", "ebcdiccp", "xcp", "xibm"]
        .iter()
        .filter_map(|word| plain.strip_prefix(word))
        .chain([plain.as_str()])
        .find(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    match number {
        Some(digits) => digits.trim_start_matches('0').into(),
        None => plain,
    }
}

/// The page with this name or alias.
pub fn find(name: &str) -> Option<&'static CodePage> {
    if let Some(page) = all().iter().find(|page| page.name == name) {
        return Some(page);
    }
    let wanted = reduce(name);
    all().iter().find(|page| reduce(page.name) == wanted || page.aliases.contains(&wanted.as_str()))
}
