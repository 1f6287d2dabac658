//! Telephone numbers in one form: E.164, `+` and at most 15 digits.
//!
//! People and systems write the same number in many ways. A number with a country code is taken as it is; one without
//! gets that of a country, after its trunk prefix (`0`, in North America `1`) is taken off. Lengths are checked as far
//! as national plans fix them. Source: ITU-T E.164 and the national numbering plans announced to the ITU (E.129).

/// A country's plan: ISO 3166, country code, trunk prefix, shortest and longest national number.
struct Plan(&'static str, &'static str, &'static str, usize, usize);

const PLANS: &[Plan] = &[
    Plan("AR", "54", "0", 10, 11),
    Plan("AT", "43", "0", 4, 13),
    Plan("AU", "61", "0", 5, 10),
    Plan("BE", "32", "0", 8, 9),
    Plan("BR", "55", "0", 10, 11),
    Plan("CA", "1", "1", 10, 10),
    Plan("CH", "41", "0", 9, 9),
    Plan("CL", "56", "", 9, 9),
    Plan("CN", "86", "0", 7, 12),
    Plan("CO", "57", "", 8, 10),
    Plan("CZ", "420", "", 9, 9),
    Plan("DE", "49", "0", 3, 13),
    Plan("DK", "45", "", 8, 8),
    Plan("ES", "34", "", 9, 9),
    Plan("FI", "358", "0", 5, 12),
    Plan("FR", "33", "0", 9, 9),
    Plan("GB", "44", "0", 7, 10),
    Plan("GR", "30", "", 10, 10),
    Plan("HK", "852", "", 8, 8),
    Plan("HU", "36", "06", 8, 9),
    Plan("ID", "62", "0", 5, 12),
    Plan("IE", "353", "0", 7, 9),
    Plan("IL", "972", "0", 8, 9),
    Plan("IN", "91", "0", 10, 10),
    Plan("IT", "39", "", 6, 12),
    Plan("JP", "81", "0", 9, 10),
    Plan("KR", "82", "0", 8, 10),
    Plan("MO", "853", "", 8, 8),
    Plan("MX", "52", "", 10, 10),
    Plan("MY", "60", "0", 7, 10),
    Plan("NL", "31", "0", 9, 9),
    Plan("NO", "47", "", 5, 8),
    Plan("NZ", "64", "0", 8, 10),
    Plan("PH", "63", "0", 8, 10),
    Plan("PL", "48", "", 9, 9),
    Plan("PT", "351", "", 9, 9),
    Plan("RU", "7", "8", 10, 10),
    Plan("SE", "46", "0", 7, 13),
    Plan("SG", "65", "", 8, 8),
    Plan("TH", "66", "0", 8, 9),
    Plan("TR", "90", "0", 10, 10),
    Plan("TW", "886", "0", 8, 9),
    Plan("UA", "380", "0", 9, 9),
    Plan("US", "1", "1", 10, 10),
    Plan("VN", "84", "0", 8, 10),
    Plan("ZA", "27", "0", 9, 9),
];

/// Digits of an international number, by E.164.
const MOST_DIGITS: usize = 15;
/// The shortest number with its country code that is no service number.
const FEWEST_DIGITS: usize = 7;

/// The country (ISO 3166) of a language tag: its region, or the usual one of its language.
pub fn country_of(locale: &str) -> Option<&'static str> {
    let mut parts = locale.split(['-', '_']);
    let language = parts.next().unwrap_or_default().to_ascii_lowercase();
    let region = parts.rfind(|part| part.len() == 2).map(str::to_ascii_uppercase);
    let usual = match language.as_str() {
        "zh" => "CN",
        "ja" => "JP",
        "ko" => "KR",
        "pl" => "PL",
        "de" => "DE",
        "fr" => "FR",
        "it" => "IT",
        "es" => "ES",
        _ => "",
    };
    let wanted = region.as_deref().unwrap_or(usual);
    PLANS.iter().map(|plan| plan.0).find(|country| *country == wanted)
}

/// Whether numbers of this country are known.
pub fn is_country(country: &str) -> bool {
    PLANS.iter().any(|plan| plan.0 == country)
}

/// The number in E.164 form (`+16142251170`), or what is wrong with it. `country` counts where the number names none.
pub fn e164(text: &str, country: &str) -> Result<String, &'static str> {
    let (digits, international) = digits(text)?;
    if let Some(rest) = international {
        return checked(&rest);
    }
    let plan = PLANS.iter().find(|plan| plan.0.eq_ignore_ascii_case(country));
    let Some(Plan(_, code, trunk, shortest, longest)) = plan else {
        return Err("the number names no country (+86 ...), and there is no known one to suppose");
    };
    let fits = |national: &str| (*shortest..=*longest).contains(&national.len());
    if !trunk.is_empty()
        && let Some(national) = digits.strip_prefix(trunk)
        && fits(national)
        // A North American area code never starts with 1, a Chinese mobile number never with 0.
        && (*code != "1" || digits.len() > *longest)
    {
        return checked(&format!("{code}{national}"));
    }
    if fits(&digits) {
        return checked(&format!("{code}{digits}"));
    }
    // Some write the country code without a plus.
    match digits.strip_prefix(code) {
        Some(national) if fits(national) => checked(&digits),
        _ => Err("it has too few or too many digits"),
    }
}

fn checked(digits: &str) -> Result<String, &'static str> {
    let number = without_trunk(digits)?;
    if number.len() > MOST_DIGITS {
        return Err("it has more than 15 digits");
    }
    if number.len() < FEWEST_DIGITS || number.starts_with('0') {
        return Err("it has too few digits");
    }
    Ok(format!("+{number}"))
}

/// An international number without the trunk prefix that some write in brackets ("+44 (0)20 ..."): it is not dialled
/// after the country code. Italian numbers keep their zero.
fn without_trunk(digits: &str) -> Result<String, &'static str> {
    let plan = PLANS.iter().filter(|plan| digits.starts_with(plan.1)).max_by_key(|plan| plan.1.len());
    if let Some(Plan(_, code, "0", ..)) = plan
        && let Some(national) = digits.strip_prefix(code).and_then(|rest| rest.strip_prefix('0'))
    {
        if national.starts_with('0') {
            return Err("it has more than one zero after its country code");
        }
        return Ok(format!("{code}{national}"));
    }
    Ok(digits.to_string())
}

/// All digits, and, when it says so, the digits behind the international prefix.
fn digits(text: &str) -> Result<(String, Option<String>), &'static str> {
    let text = crate::index::fold::fold(text);
    let text = text.strip_prefix("tel:").unwrap_or(&text);
    let number = ["ext", "x", ";", "#", "转"].iter().filter_map(|mark| text.find(mark)).min();
    let number = text.get(..number.unwrap_or(text.len())).unwrap_or_default().trim();
    let mut out = String::new();
    for c in number.chars() {
        match c {
            '0'..='9' => out.push(c),
            ' ' | '-' | '.' | '(' | ')' | '/' | '+' | '\u{2010}'..='\u{2015}' | '\u{a0}' => {}
            _ => return Err("it holds more than digits, blanks, brackets and hyphens"),
        }
    }
    if out.is_empty() || number.matches('+').count() > usize::from(number.starts_with('+')) {
        return Err("it holds no number");
    }
    let international = if number.starts_with('+') {
        Some(out.clone())
    } else if let Some(rest) = out.strip_prefix("011").filter(|rest| rest.len() > 8) {
        Some(rest.to_string())
    } else {
        out.strip_prefix("00").filter(|rest| rest.len() > 8).map(str::to_string)
    };
    Ok((out, international))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_many_ways_of_writing_a_number_give_one() {
        for (text, country) in [
            ("+1 614 225 1170", "CN"),
            ("(614) 225-1170", "US"),
            ("1-614-225-1170", "US"),
            ("614.225.1170 ext. 12", "US"),
            ("614.225.1170x12", "US"),
            ("0016142251170", "DE"),
            ("tel:+1-614-225-1170", "US"),
            ("（６１４）２２５－１１７０", "US"),
            ("16142251170", "US"),
        ] {
            assert_eq!(e164(text, country).as_deref(), Ok("+16142251170"), "{text}");
        }
        for text in ["138 0013 8000", "+86 138 0013 8000", "86-13800138000", "008613800138000"] {
            assert_eq!(e164(text, "CN").as_deref(), Ok("+8613800138000"), "{text}");
        }
        assert_eq!(e164("010-6552 9988 转 12", "CN").as_deref(), Ok("+861065529988"));
        assert_eq!(e164("020 7946 0018", "GB").as_deref(), Ok("+442079460018"));
        assert_eq!(e164("+44 (0)20 7946 0018", "US").as_deref(), Ok("+442079460018"));
        assert_eq!(e164("0221 1234567", "DE").as_deref(), Ok("+492211234567"));
        assert_eq!(e164("06 20 123 4567", "HU").as_deref(), Ok("+36201234567"));
        assert_eq!(e164("011-4922112345678", "US").as_deref(), Ok("+4922112345678"));
    }

    #[test]
    fn what_is_no_number_says_why() {
        for (text, country) in [
            ("", "US"),
            ("call me", "US"),
            ("12", "US"),
            ("+1234567890123456", "US"),
            ("614 225 1170", "XX"),
            ("+", "US"),
            ("+41 00000", "US"),
            ("+41 00 44 668 18 00", "US"),
            ("+41 01234", "US"),
        ] {
            assert!(e164(text, country).is_err(), "{text}");
        }
    }

    #[test]
    fn a_language_has_its_usual_country() {
        assert_eq!(country_of("zh-CN"), Some("CN"));
        assert_eq!(country_of("zh"), Some("CN"));
        assert_eq!(country_of("zh-Hans-HK"), Some("HK"));
        assert_eq!(country_of("en-GB"), Some("GB"));
        assert_eq!(country_of("en"), None);
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(text in "\\+?[0-9 ()-]{0,20}|\\PC{0,16}") {
            if let Ok(number) = e164(&text, "US") {
                prop_assert_eq!(e164(&number, "CN"), Ok(number.clone()));
                prop_assert!(number.len() <= 16 && number.starts_with('+'));
            }
        }
    }
}
