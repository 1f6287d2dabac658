//! What bytes mean as text: how natural two neighbouring characters are, and words that give a language away.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words of bills, statements and letters that hold letters which code pages place differently; lower case.
static WORDS: &[&str] = &[
    // German
    "für",
    "über",
    "können",
    "müssen",
    "größe",
    "straße",
    "nächste",
    "überweisung",
    "gültig",
    "bezüglich",
    "rückfragen",
    "später",
    "beträge",
    "zählerstand",
    "gebühr",
    "gebühren",
    "münchen",
    "köln",
    "fällig",
    "fälligkeit",
    "verfügung",
    "prüfen",
    "geschäft",
    "januar",
    "märz",
    "jänner",
    "grüßen",
    "grüße",
    "müller",
    "schäfer",
    "schröder",
    "böhm",
    "weiß",
    "zürich",
    "österreich",
    "währung",
    "ändern",
    "änderung",
    "übertrag",
    "kündigung",
    "läuft",
    "während",
    "nürnberg",
    "düsseldorf",
    "stück",
    "menü",
    "jürgen",
    "günther",
    // Swedish, Finnish
    "på",
    "är",
    "från",
    "för",
    "år",
    "gäller",
    "vår",
    "även",
    "månad",
    "påminnelse",
    "göteborg",
    "malmö",
    "köp",
    "språk",
    "mån",
    "häst",
    "förfallodag",
    "räkning",
    "då",
    "till",
    "åke",
    "björn",
    "sjöberg",
    "lindström",
    "åström",
    "ångström",
    "södra",
    "norrköping",
    "yhteensä",
    "päivä",
    "tämä",
    "eräpäivä",
    "määrä",
    "että",
    "myös",
    "sekä",
    "pääte",
    "töölö",
    "jyväskylä",
    "mäkinen",
    "hämäläinen",
    // Danish, Norwegian
    "være",
    "året",
    "måned",
    "beløb",
    "også",
    "københavn",
    "århus",
    "gør",
    "når",
    "køb",
    "læs",
    "før",
    "beløp",
    "både",
    "så",
    "måle",
    "sørensen",
    "jørgensen",
    "kjær",
    "nørgaard",
    "bjørn",
    "søren",
    "tromsø",
    "ålesund",
    "bodø",
    "forfaldsdag",
    "på",
    "får",
    "øre",
    // French
    "numéro",
    "période",
    "été",
    "réf",
    "référence",
    "relevé",
    "crédit",
    "débit",
    "société",
    "août",
    "février",
    "décembre",
    "où",
    "état",
    "échéance",
    "réglé",
    "règlement",
    "détail",
    "intérêts",
    "reçu",
    "français",
    "françois",
    "après",
    "très",
    "même",
    "hélène",
    "éric",
    "rené",
    "andré",
    "adhérent",
    "précédent",
    "opérations",
    "libellé",
    "tél",
    "siège",
    "côté",
    "près",
    "déjà",
    "première",
    // Italian
    "più",
    "città",
    "perché",
    "quantità",
    "attività",
    "libertà",
    "già",
    "può",
    "società",
    "modalità",
    "così",
    "lunedì",
    "nicolò",
    // Spanish, Portuguese
    "año",
    "españa",
    "número",
    "día",
    "teléfono",
    "según",
    "más",
    "también",
    "información",
    "atención",
    "dirección",
    "josé",
    "maría",
    "muñoz",
    "peña",
    "niño",
    "señor",
    "garcía",
    "martínez",
    "lópez",
    "pérez",
    "gonzález",
    "hernández",
    "rodríguez",
    "núñez",
    "córdoba",
    "não",
    "ção",
    "são",
    "endereço",
    "serviço",
    "serviços",
    "março",
    "preço",
    "crédito",
    "débito",
    "período",
    "você",
    "até",
    "joão",
    // Icelandic
    "það",
    "og",
    "við",
    "þú",
    "þór",
    "reikningur",
    "árið",
    "þetta",
    "íslands",
    "greiðsla",
    "fjárhæð",
    "guðmundur",
    "jón",
    "sigurður",
    // Polish, Czech, Hungarian, Croatian
    "są",
    "się",
    "łódź",
    "kraków",
    "numer",
    "płatności",
    "należność",
    "zapłaty",
    "dzień",
    "miesiąc",
    "złotych",
    "słownie",
    "usługi",
    "číslo",
    "částka",
    "účet",
    "měsíc",
    "splatnosti",
    "příjmení",
    "ulice",
    "praha",
    "číslo",
    "összesen",
    "fizetendő",
    "számla",
    "időszak",
    // Turkish
    "için",
    "türkiye",
    "müşteri",
    "şubat",
    "ağustos",
    "ödeme",
    "değil",
    "kişi",
    "işlem",
    "tarihi",
    "tutarı",
    "istanbul",
    "şube",
];

/// [`WORDS`], to be looked up in.
static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.iter().copied().collect());

/// Whether a lower-case word is one of [`WORDS`].
pub fn is_word(word: &str) -> bool {
    KNOWN.contains(word)
}

/// What kind of character one is, as far as its neighbours matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Blank,
    Digit,
    Letter(Script, Case),
    Currency,
    /// Drawing characters of DOS pages.
    Box,
    /// `[ {` and their kin.
    Opening,
    Closing,
    /// Characters that stand in reports for themselves: `# @ ! | " ...`.
    Common,
    /// Characters that hardly anybody prints.
    Rare,
    Bad,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Greek,
    Cyrillic,
    Hebrew,
    Kana,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Lower,
    Upper,
    None,
}

fn kind(ch: char) -> Kind {
    match ch {
        ' ' => Kind::Blank,
        '0'..='9' => Kind::Digit,
        '$' | '£' | '€' | '¥' => Kind::Currency,
        '[' | '{' | '¿' | '¡' | '«' => Kind::Opening,
        ']' | '}' | '»' => Kind::Closing,
        '\u{2500}'..='\u{259F}' => Kind::Box,
        '\u{FFFD}' | '\u{1A}' => Kind::Bad,
        'ª' | 'º' | 'µ' | '¬' | '¢' | '¦' | '¨' | '¯' | '´' | '¸' | '·' | '¶' | '±' | '÷' | '×' | '¹' | '²' | '³'
        | '¼' | '½' | '¾' | '©' | '®' | '¤' | '§' | '^' | '~' | '`' | '\\' => Kind::Rare,
        _ if ch.is_ascii_punctuation() || ch == '°' || ('\u{2010}'..='\u{2122}').contains(&ch) => Kind::Common,
        _ if ch.is_alphabetic() => {
            let script = match u32::from(ch) {
                0..=0x24F | 0x1E00..=0x1EFF => Script::Latin,
                0x370..=0x3FF => Script::Greek,
                0x400..=0x52F => Script::Cyrillic,
                0x590..=0x5FF => Script::Hebrew,
                0xFF61..=0xFF9F => Script::Kana,
                _ => Script::Other,
            };
            let case = match (ch.is_lowercase(), ch.is_uppercase()) {
                (true, _) => Case::Lower,
                (_, true) => Case::Upper,
                _ => Case::None,
            };
            Kind::Letter(script, case)
        }
        // Voiced sound marks of half-width katakana belong to the letter before.
        '\u{FF61}'..='\u{FF65}' => Kind::Letter(Script::Kana, Case::None),
        _ => Kind::Rare,
    }
}

/// How much a letter takes away from a pair it is in: letters that few words have are seldom meant.
fn strangeness(ch: char) -> f32 {
    match ch {
        'e' | 'a' | 'i' | 'o' | 'n' | 's' | 't' | 'r' | 'u' => -0.15,
        'b'..='z' => 0.15,
        'Ý' | 'ÿ' => 1.5,
        'ý' | 'Ð' | 'ð' | 'Þ' | 'þ' => 0.5,
        'ã' | 'õ' | 'Ã' | 'Õ' | 'ì' | 'ò' | 'ù' | 'Ì' | 'Ò' | 'Ù' | 'Ê' | 'Ë' | 'Î' | 'Ï' | 'Ô' | 'Û' | 'Â' => {
            0.3
        }
        'å' | 'ø' | 'æ' | 'Å' | 'Ø' | 'Æ' => 0.15,
        '\u{100}'..='\u{24F}' => 0.25,
        _ => 0.0,
    }
}

/// How natural `second` is behind `first`: above 0 for text, below 0 for what a wrong code page makes of it.
pub fn natural(first: char, second: char) -> f32 {
    let (a, b) = (kind(first), kind(second));
    match (a, b) {
        (Kind::Bad, _) | (_, Kind::Bad) => -3.0,
        (Kind::Letter(s, from), Kind::Letter(t, to)) if s == t => {
            let cases = if from == Case::Lower && to == Case::Upper { -1.5 } else { 1.0 };
            let twice = if first == second && !first.is_ascii() && from == Case::Upper { -1.0 } else { 0.0 };
            cases + twice - strangeness(first) - strangeness(second)
        }
        (Kind::Letter(..), Kind::Letter(..)) => -2.0,
        (Kind::Box, Kind::Box) => 1.0,
        (Kind::Box, Kind::Blank) | (Kind::Blank, Kind::Box) => 0.3,
        (Kind::Box, _) | (_, Kind::Box) => -0.5,
        _ => beside(second, b, a, true) + beside(first, a, b, false),
    }
}

/// How natural a character is with this neighbour; `before`: the neighbour stands before it.
fn beside(ch: char, kind: Kind, neighbour: Kind, before: bool) -> f32 {
    let letter = matches!(neighbour, Kind::Letter(..));
    match kind {
        Kind::Letter(_, _) if neighbour == Kind::Digit && !ch.is_ascii() => -0.7,
        Kind::Letter(_, _) if !ch.is_ascii() => -strangeness(ch),
        Kind::Currency => {
            let usual = match ch {
                '$' | '€' => 0.0,
                '£' => -0.05,
                _ => -0.1,
            };
            usual
                + if neighbour == Kind::Digit {
                    0.7
                } else if letter {
                    -0.7
                } else {
                    0.1
                }
        }
        Kind::Opening => braces(ch) + if before && letter { -0.6 } else { 0.0 },
        Kind::Closing => braces(ch) + if !before && letter { -0.6 } else { 0.0 },
        Kind::Common => common(ch, neighbour, before, letter),
        Kind::Rare if ch == '¤' => -2.0,
        Kind::Rare if ch == '§' && !letter => 0.0,
        Kind::Rare if ch == '\\' && !letter => -0.2,
        Kind::Rare if letter => -1.5,
        Kind::Rare => -0.5,
        _ => 0.0,
    }
}

fn braces(ch: char) -> f32 {
    if matches!(ch, '{' | '}') { -0.5 } else { -0.05 }
}

fn common(ch: char, neighbour: Kind, before: bool, letter: bool) -> f32 {
    match ch {
        '#' if neighbour == Kind::Digit && !before => 0.7,
        '#' if letter => -0.7,
        '@' if letter => 0.3,
        '!' if before && letter => 0.9,
        '!' if letter || neighbour == Kind::Digit => -0.5,
        '!' if before && neighbour == Kind::Blank => -0.3,
        '|' if letter => -0.3,
        '|' => 0.1,
        '°' if letter => -0.7,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(words: &str) -> f32 {
        let chars: Vec<char> = words.chars().collect();
        chars.windows(2).map(|pair| natural(pair[0], pair[1])).sum()
    }

    #[test]
    fn words_are_more_natural_than_what_a_wrong_page_makes_of_them() {
        for (right, wrong) in [
            ("Müller", "M}ller"),
            ("François", "Fran\\ois"),
            (" $1,234.56 ", " Å1,234.56 "),
            (" €12.00 ", " ¤12.00 "),
            ("Thank you! ", "Thank you] "),
            ("[ABC]", "ÝABC¨"),
            ("Счёт", "Sч§t"),
        ] {
            assert!(text(right) > text(wrong), "{right} {} {wrong} {}", text(right), text(wrong));
        }
    }
}
