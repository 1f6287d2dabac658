//! The words of the box.

/// A word, a quoted text, or a parenthesis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As typed, with plain signs for full-width ones; quotes included.
    pub text: String,
    /// Where it begins, in characters from 0.
    pub at: usize,
    /// Whether quotes stand around it.
    pub quoted: bool,
    length: usize,
}

/// Shortcuts in front of a value: the words of both languages, and the key they stand for.
const SHORTCUTS: &[(&str, char)] = &[
    ("a", 'a'),
    ("n", 'n'),
    ("i", 'i'),
    ("p", 'p'),
    ("d", 'd'),
    ("k", 'k'),
    ("r", 'r'),
    ("t", 't'),
    ("$", '$'),
    ("phone", 'p'),
    ("invoice", 'i'),
    ("账号", 'a'),
    ("帐号", 'a'),
    ("户号", 'a'),
    ("姓名", 'n'),
    ("客户", 'n'),
    ("发票", 'i'),
    ("电话", 'p'),
    ("手机", 'p'),
    ("日期", 'd'),
    ("月份", 'd'),
    ("类型", 'k'),
    ("报表", 'r'),
    ("金额", '$'),
];

/// Full-width signs mean the same as plain ones. One character stays one character.
pub fn plain(c: char) -> char {
    match c {
        '“' | '”' | '„' | '＂' => '"',
        '：' => ':',
        '（' => '(',
        '）' => ')',
        '＞' => '>',
        '＜' => '<',
        '－' => '-',
        '＄' => '$',
        '￥' => '¥',
        '．' => '.',
        '，' => ',',
        '＋' => '+',
        '\u{3000}' => ' ',
        '０'..='９' => char::from_u32(u32::from(c) - u32::from('０') + u32::from('0')).unwrap_or(c),
        _ => c,
    }
}

impl Token {
    /// A token that is one word.
    pub fn new(text: String, at: usize) -> Token {
        let quoted = text.starts_with('"');
        let length = text.chars().count();
        Token { text, at, quoted, length }
    }

    /// Where it ends.
    pub fn end(&self) -> usize {
        self.at + self.length
    }

    /// The text without its quotes.
    pub fn inner(&self) -> String {
        self.text.trim_matches('"').to_string()
    }

    /// Whether it only makes sense in the query language.
    pub fn is_language(&self) -> bool {
        !self.quoted
            && (matches!(self.text.as_str(), "OR" | "AND" | "NOT" | "(" | ")")
                || self.text.contains(['(', ')']) && !is_area(&self.text))
    }

    /// The key of a shortcut and what follows it.
    pub fn shortcut(&self) -> Option<(char, String)> {
        let (word, value) = self.text.split_once(':')?;
        let word = word.to_lowercase();
        SHORTCUTS.iter().find(|(known, _)| *known == word).map(|(_, key)| (*key, value.to_string()))
    }

    /// `name:value` of the query language.
    pub fn is_field_test(&self) -> bool {
        let Some((name, value)) = self.text.split_once(':') else { return false };
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        plain && name.starts_with(|c: char| c.is_ascii_alphabetic()) && !value.starts_with("//")
    }
}

/// An area code in parentheses, perhaps with more of the number: `(555)`, `(555)010-0199`, `+1(555)`.
fn is_area(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let open = text.matches('(').count();
    digits >= 2
        && open == 1
        && text.matches(')').count() == 1
        && text.chars().all(|c| c.is_ascii_digit() || "()+-.".contains(c))
}

/// Where the range of the query language ends that opens here, behind the name of a field: `date:[2024-01-01 TO 2024-03-31]`.
fn range_end(chars: &[char], at: usize, start: usize) -> Option<usize> {
    let opens = matches!(chars.get(at), Some('[' | '{')) && at > start && chars.get(at - 1) == Some(&':');
    let close = opens.then(|| chars.get(at..)?.iter().position(|c| matches!(c, ']' | '}')))??;
    Some(at + close)
}

/// Cuts a text into words; a quote opens anywhere and closes at the next one, a range is one word.
pub fn tokens(chars: &[char]) -> Vec<Token> {
    let mut list = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        if chars[at].is_whitespace() {
            at += 1;
            continue;
        }
        let start = at;
        let mut inside = false;
        while at < chars.len() && (inside || !chars[at].is_whitespace()) {
            inside ^= chars[at] == '"';
            at = if inside { at } else { range_end(chars, at, start).unwrap_or(at) } + 1;
        }
        list.push(Token::new(chars[start..at].iter().collect(), start));
    }
    list
}

/// The digits of three words that are a number as it is spoken: `937 555 0177`, `139 1234 5678`.
fn spoken(tokens: &[Token]) -> Option<String> {
    let digits = |token: &Token| !token.quoted && token.text.bytes().all(|b| b.is_ascii_digit());
    let lengths: Vec<usize> = tokens.iter().map(|token| token.text.len()).collect();
    let mobile = lengths == [3, 4, 4] && tokens.first()?.text.starts_with('1');
    let fits = tokens.iter().all(digits) && (lengths == [3, 3, 4] || mobile);
    fits.then(|| tokens.iter().map(|token| token.text.as_str()).collect())
}

/// A number that was typed in groups, as on the bill or as it is told on the phone (`410000 1000 0`): how many words it takes.
///
/// Two to five groups of digits with at least 8 in all, the first of three or more. A year ends it: `4711000 2024` is two things.
pub fn grouped(tokens: &[Token]) -> Option<usize> {
    let digits = |token: &&Token| !token.quoted && token.text.bytes().all(|b| b.is_ascii_digit());
    let year = |token: &Token| token.text.len() == 4 && (token.text.starts_with("19") || token.text.starts_with("20"));
    let groups: Vec<&Token> = tokens
        .iter()
        .take(5)
        .enumerate()
        .take_while(|(at, token)| digits(token) && (*at == 0 || !year(token)))
        .map(|(_, token)| token)
        .collect();
    let all: usize = groups.iter().map(|token| token.text.len()).sum();
    (groups.len() >= 2 && all >= 8 && groups[0].text.len() >= 3).then_some(groups.len())
}

/// A telephone number at the beginning of these words: how many of them, and its digits.
///
/// International with `+`, with an area code in parentheses, three groups of 3-3-4 digits with signs or blanks between them,
/// or a Chinese mobile number, whole or in groups of 3-4-4.
pub fn phone(tokens: &[Token]) -> Option<(usize, String)> {
    let first = &tokens.first()?.text;
    let begins = first.starts_with('+') || is_area(first);
    let mut digits = String::new();
    let mut count = 0;
    for token in tokens.iter().take(5) {
        let fits = !token.quoted && token.text.chars().all(|c| c.is_ascii_digit() || "()+-.".contains(c));
        if !fits || (count > 0 && token.text.starts_with('+')) || digits.len() >= 11 {
            break;
        }
        digits.extend(token.text.chars().filter(char::is_ascii_digit));
        count += 1;
        if !begins {
            break;
        }
    }
    if begins {
        return (7..=15).contains(&digits.len()).then_some((count, digits));
    }
    if let Some(digits) = tokens.get(..3).and_then(spoken) {
        return Some((3, digits));
    }
    let groups: Vec<&str> = first.split(['-', '.']).collect();
    let three = matches!(groups.as_slice(), [a, b, c] if a.len() == 3 && b.len() == 3 && c.len() == 4);
    let mobile = digits.len() == 11
        && first.len() == 11
        && digits.starts_with('1')
        && matches!(digits.as_bytes().get(1), Some(b'3'..=b'9'));
    let plain = first.chars().all(|c| c.is_ascii_digit() || "-.".contains(c));
    (plain && (three || mobile)).then_some((1, digits))
}

/// The words with each pair of parentheses and what stands in it as one, so that words beside them keep their meaning. `None`: an
/// operator joins what stands beside it, or a parenthesis is open.
pub fn groups(words: Vec<Token>, chars: &[char]) -> Option<Vec<Token>> {
    let mut list: Vec<Token> = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for word in words {
        let language = word.is_language();
        if depth == 0 && !language {
            list.push(word);
            continue;
        }
        if depth == 0 {
            start = word.at;
        }
        if language {
            depth = (depth + word.text.matches('(').count()).checked_sub(word.text.matches(')').count())?;
            if depth == 0 && !word.text.ends_with(')') {
                return None;
            }
        }
        if depth == 0 {
            list.push(Token::new(chars[start..word.end()].iter().collect(), start));
        }
    }
    (depth == 0).then_some(list)
}
