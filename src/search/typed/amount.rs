//! Amounts of money: `$120`, `120.50`, `$120..130`, `>100`, `¥1,234`.

use super::token::Token;

const SIGNS: [char; 4] = ['$', '€', '£', '¥'];

/// An amount, or a range of amounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// Exactly this, to the cent; with a minus in front only below zero, else on both sides of it.
    Exact(String),
    /// This many units, with whatever cents; the sign as above.
    Units(String),
    /// From, to; either may be open.
    Range(String, String),
    /// A comparison: `>`, `>=`, `<`, `<=`, and the value.
    Compared(&'static str, String),
}

/// The amount at the beginning of these words, and how many of them it takes.
pub fn read(tokens: &[Token]) -> Option<(usize, Amount)> {
    let first = tokens.first().filter(|token| !token.quoted)?;
    let text = first.text.as_str();
    for sign in [">=", "<=", ">", "<"] {
        if let Some(value) = text.strip_prefix(sign) {
            let (minus, value) = bare(value).1.strip_prefix('-').map_or(("", bare(value).1), |owed| ("-", owed));
            return Some((1, Amount::Compared(sign, format!("{minus}{}", number(value)?))));
        }
    }
    if let Some((from, to)) = text.split_once("..") {
        let ((_, from), (_, to)) = (bare(from), bare(to));
        let end = |value: &str| if value.is_empty() { Some(String::new()) } else { number(value) };
        let (from, to) = (end(from)?, end(to)?);
        return (!from.is_empty() || !to.is_empty()).then(|| (1, between(from, to)));
    }
    let (signed, value) = bare(text);
    if signed {
        if let Some(owed) = value.strip_prefix('-') {
            return Some((1, exact(format!("-{}", number(owed)?))));
        }
        if let Some((from, to)) = value.split_once('-')
            && let (Some(from), Some(to)) = (number(from), number(bare(to).1))
        {
            return Some((1, between(from, to)));
        }
        return Some((1, exact(number(value)?)));
    }
    // Without a sign it takes cents to be an amount of money.
    let cents = value.rsplit_once('.').is_some_and(|(_, cents)| cents.len() == 2);
    let exact = number(value).filter(|_| cents)?;
    Some((1, Amount::Exact(exact)))
}

/// The amount of one number.
fn exact(value: String) -> Amount {
    if value.contains('.') { Amount::Exact(value) } else { Amount::Units(value) }
}

/// A range, whichever end was typed first.
fn between(from: String, to: String) -> Amount {
    let size = |value: &str| value.parse::<f64>().ok();
    match (size(&from), size(&to)) {
        (Some(low), Some(high)) if low > high => Amount::Range(to, from),
        _ => Amount::Range(from, to),
    }
}

/// Whether a currency sign stands in front (or `元` behind), and the rest.
fn bare(text: &str) -> (bool, &str) {
    let inner = text.strip_prefix(SIGNS).or_else(|| text.strip_suffix('元'));
    inner.map_or((false, text), |rest| (true, rest))
}

/// A number with a point and without thousands: `1,234.50` is `1234.50`. None for anything else.
fn number(text: &str) -> Option<String> {
    let plain = text.replace(',', "");
    let (whole, cents) = plain.split_once('.').unwrap_or((plain.as_str(), "0"));
    let digits = |part: &str| !part.is_empty() && part.len() <= 12 && part.bytes().all(|b| b.is_ascii_digit());
    let grouped = text.split('.').next()?.split(',').skip(1).all(|group| group.len() == 3);
    (digits(whole) && digits(cents) && grouped).then_some(plain)
}

impl Amount {
    /// What a field's value is tested for, in the query language. Balances may be below zero.
    pub fn tests(&self) -> Vec<String> {
        match self {
            Amount::Exact(value) if value.starts_with('-') => vec![value.clone()],
            Amount::Exact(value) => vec![value.clone(), format!("-{value}")],
            Amount::Units(value) if value.starts_with('-') => vec![format!("{value}.99..{value}")],
            Amount::Units(value) => vec![format!("{value}..{value}.99"), format!("-{value}.99..-{value}")],
            Amount::Range(from, to) if from.is_empty() || to.is_empty() => vec![format!("{from}..{to}")],
            Amount::Range(from, to) => vec![format!("{from}..{to}"), format!("-{to}..-{from}")],
            Amount::Compared(sign, value) => vec![format!("{sign}{value}")],
        }
    }

    /// The same below zero; none for a range.
    pub fn owed(self) -> Option<Amount> {
        let below = |value: String| format!("-{}", value.trim_start_matches('-'));
        match self {
            Amount::Exact(value) => Some(Amount::Exact(below(value))),
            Amount::Units(value) => Some(Amount::Units(below(value))),
            Amount::Range(..) | Amount::Compared(..) => None,
        }
    }

    /// As it may be printed on a page, where the sign may stand anywhere.
    pub fn printed(&self) -> Option<String> {
        match self {
            Amount::Exact(value) => Some(value.trim_start_matches('-').to_string()),
            _ => None,
        }
    }

    /// For people.
    pub fn shown(&self) -> String {
        match self {
            Amount::Exact(value) => value.clone(),
            Amount::Units(value) if value.starts_with('-') => format!("{value}.99 – {value}.00"),
            Amount::Units(value) => format!("{value}.00 – {value}.99"),
            Amount::Range(from, to) if from.is_empty() => format!("≤ {to}"),
            Amount::Range(from, to) if to.is_empty() => format!("≥ {from}"),
            Amount::Range(from, to) => format!("{from} – {to}"),
            Amount::Compared(sign, value) => format!("{} {value}", sign.replace(">=", "≥").replace("<=", "≤")),
        }
    }
}
