//! Reads rules: `region = user.region and (kind = "bill" or amount < 1000)`.
//!
//! No text makes it panic, and what it accepts is bounded: [`MOST_CHARACTERS`], [`MOST_TESTS`], [`DEEPEST`].

use super::{Part, Predicate};
use crate::index::value::Day;

/// Longest rule in characters.
const MOST_CHARACTERS: usize = 4_000;
/// Most tests in a rule.
const MOST_TESTS: usize = 200;
/// Deepest nesting of parentheses and `not`.
const DEEPEST: usize = 20;

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} (character {at} of the rule)")]
pub struct RuleError {
    /// Where, in characters from 1.
    pub at: usize,
    /// What is wrong.
    pub problem: String,
}

/// A piece of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Number(i128),
    Day(i32),
    Sign(&'static str),
}

/// Longest signs first.
const SIGNS: [&str; 9] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", ","];

pub(super) fn parse(text: &str) -> Result<Part, RuleError> {
    let mut reader = Reader { tokens: tokens(text)?, at: 0, tests: 0 };
    let part = reader.any(0)?;
    match reader.tokens.get(reader.at) {
        None => Ok(part),
        Some((place, _)) => Err(error(*place, "`and` or `or` is missing here")),
    }
}

fn error(at: usize, problem: impl Into<String>) -> RuleError {
    RuleError { at, problem: problem.into() }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, RuleError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MOST_CHARACTERS {
        return Err(error(MOST_CHARACTERS, format!("a rule has at most {MOST_CHARACTERS} characters")));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let rest = chars.get(at..).unwrap_or_default();
        let taken = |while_so: &dyn Fn(char) -> bool| rest.iter().take_while(|c| while_so(**c)).collect::<String>();
        let place = at + 1;
        if c.is_whitespace() {
            at += 1;
        } else if c == '"' || c == '\'' {
            let inner: String = rest.iter().skip(1).take_while(|other| **other != c).collect();
            let length = inner.chars().count();
            if rest.get(length + 1) != Some(&c) {
                return Err(error(place, "this quote is never closed"));
            }
            tokens.push((place, Token::Text(inner)));
            at += length + 2;
        } else if c.is_ascii_digit() || c == '-' {
            let word = taken(&|c| c.is_ascii_digit() || matches!(c, '-' | '.'));
            let token = day(&word).map(Token::Day).or_else(|| number(&word).map(Token::Number));
            let problem = "this is neither a number such as 1234.50 nor a day such as 2024-12-31";
            tokens.push((place, token.ok_or_else(|| error(place, problem))?));
            at += word.len();
        } else if c.is_ascii_alphabetic() {
            let word = taken(&|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
            at += word.len();
            tokens.push((place, Token::Word(word)));
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.iter().take(sign.len()).copied().eq(sign.chars()));
            let sign = sign.ok_or_else(|| error(place, format!("{c:?} has no meaning here")))?;
            tokens.push((place, Token::Sign(sign)));
            at += sign.len();
        }
    }
    Ok(tokens)
}

fn day(text: &str) -> Option<i32> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || [year.len(), month.len(), day.len()] != [4, 2, 2] {
        return None;
    }
    Day::from_ymd(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).map(|day| day.0)
}

/// A number in 10^-9: at most 18 digits before the point and 9 after it.
fn number(text: &str) -> Option<i128> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fits = |part: &str, most: usize| part.len() <= most && part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !fits(whole, 18) || !fits(fraction, 9) || digits.ends_with('.') {
        return None;
    }
    let value: i128 = format!("{whole}{fraction:0<9}").parse().ok()?;
    Some(if negative { -value } else { value })
}

struct Reader {
    tokens: Vec<(usize, Token)>,
    at: usize,
    tests: usize,
}

impl Reader {
    fn place(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(1, |(place, _)| *place)
    }

    fn next(&mut self) -> Option<Token> {
        let (_, token) = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token.clone())
    }

    fn takes(&mut self, wanted: &Token) -> bool {
        let there = self.tokens.get(self.at).is_some_and(|(_, token)| token == wanted);
        self.at += usize::from(there);
        there
    }

    fn takes_word(&mut self, word: &str) -> bool {
        self.takes(&Token::Word(word.into()))
    }

    fn any(&mut self, depth: usize) -> Result<Part, RuleError> {
        let mut parts = vec![self.all(depth)?];
        while self.takes_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Part::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Part, RuleError> {
        let mut parts = vec![self.one(depth)?];
        while self.takes_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.swap_remove(0) } else { Part::All(parts) })
    }

    fn one(&mut self, depth: usize) -> Result<Part, RuleError> {
        if depth >= DEEPEST {
            return Err(error(self.place(), format!("a rule is at most {DEEPEST} parentheses deep")));
        }
        if self.takes_word("not") {
            return Ok(Part::Not(Box::new(self.one(depth + 1)?)));
        }
        let place = self.place();
        if self.takes(&Token::Sign("(")) {
            let part = self.any(depth + 1)?;
            if !self.takes(&Token::Sign(")")) {
                return Err(error(place, "this parenthesis is never closed"));
            }
            return Ok(part);
        }
        self.test()
    }

    fn test(&mut self) -> Result<Part, RuleError> {
        let place = self.place();
        self.tests += 1;
        if self.tests > MOST_TESTS {
            return Err(error(place, format!("a rule has at most {MOST_TESTS} tests")));
        }
        let Some(Token::Word(field)) = self.next() else {
            return Err(error(place, "a field, `account`, `definition`, `kind` or `date` is missing here"));
        };
        match field.as_str() {
            "everything" => return Ok(Part::Fixed(Predicate::Everything)),
            "nothing" => return Ok(Part::Fixed(Predicate::Nothing)),
            _ => {}
        }
        let named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !field.chars().all(named) || matches!(field.as_str(), "and" | "or" | "not" | "in") {
            return Err(error(place, format!("`{field}` is not the name of a field")));
        }
        let place = self.place();
        match self.next() {
            Some(Token::Word(word)) if word == "in" => self.among(&field),
            Some(Token::Sign("!=")) => Ok(Part::Not(Box::new(self.compared(&field, "=")?))),
            Some(Token::Sign(sign @ ("=" | "<" | "<=" | ">" | ">="))) => self.compared(&field, sign),
            _ => Err(error(place, "one of = != < <= > >= in is missing here")),
        }
    }

    /// `in (...)` or `in user.accounts`.
    fn among(&mut self, field: &str) -> Result<Part, RuleError> {
        if !self.takes(&Token::Sign("(")) {
            return self.compared(field, "=");
        }
        let place = self.place();
        let mut parts = Vec::new();
        loop {
            parts.push(self.compared(field, "=")?);
            if self.takes(&Token::Sign(")")) {
                return Ok(Part::Any(parts));
            }
            if !self.takes(&Token::Sign(",")) {
                return Err(error(place, "this list is never closed"));
            }
            self.tests += 1;
            if self.tests > MOST_TESTS {
                return Err(error(place, format!("a rule has at most {MOST_TESTS} tests")));
            }
        }
    }

    fn compared(&mut self, field: &str, sign: &str) -> Result<Part, RuleError> {
        let place = self.place();
        let own = matches!(field, "account" | "definition" | "kind");
        match self.next() {
            Some(Token::Word(word)) if sign == "=" && field != "date" => match word.strip_prefix("user.") {
                Some(attribute) if !attribute.is_empty() => {
                    Ok(Part::OfUser { field: field.into(), attribute: attribute.into() })
                }
                _ => Err(error(place, "texts stand in quotes; attributes are written user.name")),
            },
            Some(Token::Text(text)) if sign == "=" && field != "date" => {
                let predicate = Predicate::one_of(field, vec![text]);
                let long = || error(place, format!("a text has at most {} bytes", super::LONGEST_TEXT));
                Ok(Part::Fixed(predicate.ok_or_else(long)?))
            }
            Some(Token::Day(day)) if !own => {
                let (from, to) = match sign {
                    "<" => (i32::MIN, day.saturating_sub(1)),
                    "<=" => (i32::MIN, day),
                    ">" => (day.saturating_add(1), i32::MAX),
                    ">=" => (day, i32::MAX),
                    _ => (day, day),
                };
                let field = (field != "date").then(|| field.to_string());
                Ok(Part::Fixed(Predicate::Dated { field, from, to }))
            }
            Some(Token::Number(number)) if !own && field != "date" => {
                let (from, to) = match sign {
                    "<" => (i128::MIN, number - 1),
                    "<=" => (i128::MIN, number),
                    ">" => (number + 1, i128::MAX),
                    ">=" => (number, i128::MAX),
                    _ => (number, number),
                };
                Ok(Part::Fixed(Predicate::Number { field: field.into(), from, to }))
            }
            _ => Err(error(place, format!("`{field} {sign}` cannot be followed by this"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Rule;

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, at, told) in [
            ("", 1, "is missing"),
            ("region", 1, "one of = "),
            ("region = north", 10, "in quotes"),
            ("region = \"north", 10, "never closed"),
            ("region = \"a\" kind = \"b\"", 14, "`and` or `or`"),
            ("(region = \"a\"", 1, "never closed"),
            ("amount < \"a\"", 10, "cannot be followed"),
            ("account = 4711", 11, "cannot be followed"),
            ("date = 2024-02-30", 8, "neither a number"),
            ("date = \"2024-02-03\"", 8, "cannot be followed"),
            ("amount = 1.0000000001", 10, "neither a number"),
            ("user.region = \"a\"", 1, "not the name"),
            ("region ~ \"a\"", 8, "no meaning"),
            ("kind in (\"a\" \"b\")", 10, "never closed"),
        ] {
            let error = Rule::parse(text).expect_err(text);
            assert!(error.at == at && error.problem.contains(told), "{text}: {error}");
        }
        assert!(Rule::parse(&"not ".repeat(100)).is_err());
        assert!(Rule::parse(&format!("{}everything{}", "(".repeat(50), ")".repeat(50))).is_err());
        assert!(Rule::parse(&vec!["a=1"; 300].join(" or ")).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}|[a-z().=<>'\" 0-9-]{0,80}") {
            let _ = Rule::parse(&text);
        }
    }
}
