//! Reads the query language.
//!
//! ```text
//! query  = or
//! or     = and { "OR" and }
//! and    = unary { ["AND"] unary }
//! unary  = ("-" | "NOT") unary | "(" or ")" | name ":" value | value
//! value  = "(" or ")" | [">=" ">" "<=" "<" "="] atom | "[" end "TO" end "]" | end ".." end | atom
//! atom   = quoted | word | word "*"
//! ```

use super::{DEEPEST, End, MOST_CHARACTERS, MOST_TESTS, Node, Query, QueryError, Test, Want};

pub(super) fn parse(text: &str) -> Result<Query, QueryError> {
    let chars: Vec<char> = text.chars().map(plain).collect();
    if chars.len() > MOST_CHARACTERS {
        let problem = format!("the query has {} characters, at most {MOST_CHARACTERS} are allowed", chars.len());
        return Err(QueryError::new(MOST_CHARACTERS + 1, problem, "Split it into several queries."));
    }
    let mut parser = Parser { chars, at: 0, tests: 0, depth: 0, field: None, field_at: 0 };
    parser.blanks();
    if parser.peek().is_none() || parser.rest_is("*") {
        return Ok(Query { text: text.to_owned(), root: Node::All });
    }
    let root = parser.any()?;
    match parser.peek() {
        None => Ok(Query { text: text.to_owned(), root }),
        Some(c) => Err(parser.wrong(format!("{c:?} closes nothing"), "Remove it or add what it should close.")),
    }
}

/// Full-width signs typed with a Chinese or Japanese keyboard mean the same as the plain ones.
fn plain(c: char) -> char {
    match c {
        '“' | '”' | '„' | '＂' => '"',
        '：' => ':',
        '（' => '(',
        '）' => ')',
        '［' => '[',
        '］' => ']',
        '＞' => '>',
        '＜' => '<',
        '＝' => '=',
        '＊' => '*',
        '－' => '-',
        '\u{3000}' => ' ',
        _ => c,
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    tests: usize,
    depth: usize,
    field: Option<String>,
    /// Where its name stands, in characters from 1.
    field_at: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn rest_is(&self, text: &str) -> bool {
        self.chars[self.at..].iter().collect::<String>().trim() == text
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        self.at += usize::from(found);
        found
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn wrong(&self, problem: impl Into<String>, advice: impl Into<String>) -> QueryError {
        QueryError::new(self.at + 1, problem, advice)
    }

    /// Takes a keyword that stands alone.
    fn keyword(&mut self, word: &str) -> bool {
        let end = self.at + word.len();
        let found = self.chars.get(self.at..end).is_some_and(|chars| chars.iter().copied().eq(word.chars()))
            && self.chars.get(end).is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')'));
        if found {
            self.at = end;
            self.blanks();
        }
        found
    }

    fn any(&mut self) -> Result<Node, QueryError> {
        let mut list = vec![self.all()?];
        while self.keyword("OR") {
            list.push(self.all()?);
        }
        Ok(if list.len() == 1 { list.swap_remove(0) } else { Node::Or(list) })
    }

    fn all(&mut self) -> Result<Node, QueryError> {
        let mut list = Vec::new();
        loop {
            self.blanks();
            if !list.is_empty() && self.keyword("AND") && matches!(self.peek(), None | Some(')')) {
                return Err(self.wrong("nothing follows AND", "Write something to find after it, or remove it."));
            }
            let ends = matches!(self.peek(), None | Some(')')) || self.ahead("OR");
            if ends && list.is_empty() {
                let advice = "Put words or field tests on both sides of OR and inside parentheses.";
                return Err(self.wrong("something to find is missing here", advice));
            }
            if ends {
                break;
            }
            list.push(self.one()?);
        }
        Ok(if list.len() == 1 { list.swap_remove(0) } else { Node::And(list) })
    }

    fn ahead(&mut self, word: &str) -> bool {
        let at = self.at;
        let found = self.keyword(word);
        self.at = at;
        found
    }

    fn one(&mut self) -> Result<Node, QueryError> {
        if self.depth >= DEEPEST {
            let problem = format!("more than {DEEPEST} levels of parentheses and exclusions");
            return Err(self.wrong(problem, "Write the query flatter."));
        }
        self.depth += 1;
        let node = self.one_inside();
        self.depth -= 1;
        node
    }

    fn one_inside(&mut self) -> Result<Node, QueryError> {
        if self.keyword("NOT") || self.eat('-') {
            self.blanks();
            if matches!(self.peek(), None | Some(')')) {
                return Err(self.wrong("nothing follows the exclusion", "Write what to exclude right after `-`."));
            }
            return Ok(Node::Not(Box::new(self.one()?)));
        }
        if self.peek() == Some('(') {
            return self.group();
        }
        if self.field.is_none()
            && let here = self.at + 1
            && let Some(name) = self.name()
        {
            self.field_at = here;
            return self.with_field(name);
        }
        self.value()
    }

    fn group(&mut self) -> Result<Node, QueryError> {
        let open = self.at;
        self.at += 1;
        let node = self.any()?;
        if self.eat(')') {
            return Ok(node);
        }
        Err(QueryError::new(open + 1, "this parenthesis is not closed", "Add `)`, or quote the text it belongs to."))
    }

    /// A field name with its colon, if one stands here.
    fn name(&mut self) -> Option<String> {
        let rest = self.chars.get(self.at..)?;
        let length = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).count();
        let starts_well = rest.first().is_some_and(char::is_ascii_alphabetic);
        if !starts_well || rest.get(length) != Some(&':') {
            return None;
        }
        let name = rest[..length].iter().collect::<String>().to_ascii_lowercase();
        self.at += length + 1;
        Some(name)
    }

    fn with_field(&mut self, name: String) -> Result<Node, QueryError> {
        if self.peek().is_none_or(|c| c.is_whitespace() || c == ')') {
            let problem = format!("nothing follows `{name}:`");
            return Err(self.wrong(problem, "Write the value right after the colon, without a blank."));
        }
        self.field = Some(name);
        let node = if self.peek() == Some('(') { self.one() } else { self.value() };
        self.field = None;
        node
    }

    fn value(&mut self) -> Result<Node, QueryError> {
        self.tests += 1;
        if self.tests > MOST_TESTS {
            let problem = format!("more than {MOST_TESTS} words and field tests");
            return Err(self.wrong(problem, "Split it into several queries."));
        }
        let at = self.at + 1;
        let want = if self.field.is_some() { self.field_value()? } else { self.atom()? };
        let field_at = if self.field.is_some() { self.field_at } else { at };
        Ok(Node::Test(Test { field: self.field.clone(), field_at, at, want }))
    }

    fn field_value(&mut self) -> Result<Want, QueryError> {
        match self.peek() {
            Some('[' | '{') => return self.brackets(),
            Some('>') => {
                self.at += 1;
                let included = self.eat('=');
                return Ok(Want::Range(Some(End { value: self.operand()?, included }), None));
            }
            Some('<') => {
                self.at += 1;
                let included = self.eat('=');
                return Ok(Want::Range(None, Some(End { value: self.operand()?, included })));
            }
            Some('=') => {
                self.at += 1;
                return Ok(Want::Exact(self.operand()?));
            }
            _ => {}
        }
        let atom = self.atom()?;
        let Want::Word(word) = &atom else { return Ok(atom) };
        let Some((from, to)) = word.split_once("..") else { return Ok(atom) };
        let end = |value: &str| (!value.is_empty()).then(|| End { value: value.to_owned(), included: true });
        if from.is_empty() && to.is_empty() {
            return Err(self.wrong("a range without ends", "Write `120..130`, `120..` or `..130`."));
        }
        Ok(Want::Range(end(from), end(to)))
    }

    /// The value after a comparison.
    fn operand(&mut self) -> Result<String, QueryError> {
        match self.atom()? {
            Want::Word(value) | Want::Phrase(value) => Ok(value),
            _ => Err(self.wrong("a wildcard cannot be compared with", "Write a whole value.")),
        }
    }

    /// `[a TO b]` with the ends included, `{a TO b}` without.
    fn brackets(&mut self) -> Result<Want, QueryError> {
        let open = self.at;
        let close = self.chars[open..].iter().position(|c| matches!(c, ']' | '}'));
        let advice = "Write `[from TO to]`; `*` is an open end.";
        let Some(length) = close else {
            return Err(QueryError::new(open + 1, "this range is not closed", advice));
        };
        let included = (self.chars[open] == '[', self.chars[open + length] == ']');
        let inside: String = self.chars[open + 1..open + length].iter().collect();
        self.at = open + length + 1;
        let Some((from, to)) = inside.split_once(" TO ") else {
            return Err(QueryError::new(open + 1, "this range has no ` TO ` in it", advice));
        };
        let end = |value: &str, included: bool| {
            let value = value.trim().trim_matches('"').to_owned();
            (!value.is_empty() && value != "*").then_some(End { value, included })
        };
        let (from, to) = (end(from, included.0), end(to, included.1));
        if from.is_none() && to.is_none() {
            return Err(QueryError::new(open + 1, "this range is open at both ends", advice));
        }
        Ok(Want::Range(from, to))
    }

    fn atom(&mut self) -> Result<Want, QueryError> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let start = self.at;
        while self.peek().is_some_and(|c| !c.is_whitespace() && !matches!(c, '(' | ')' | '"')) {
            self.at += 1;
        }
        let word: String = self.chars[start..self.at].iter().collect();
        let stem = word.trim_end_matches('*');
        if stem.contains('*') {
            let advice = "Only the end of a word can be left open, as in `tay*`.";
            return Err(QueryError::new(start + 1, format!("a wildcard inside {word:?}"), advice));
        }
        if word.is_empty() || (stem.is_empty() && word.len() != stem.len()) {
            return Err(QueryError::new(start + 1, "a value is missing here", "Write what to find."));
        }
        let open = stem.len() < word.len();
        Ok(if open { Want::Prefix(stem.to_owned()) } else { Want::Word(word) })
    }

    fn quoted(&mut self) -> Result<Want, QueryError> {
        let open = self.at;
        self.at += 1;
        let mut phrase = String::new();
        loop {
            match self.peek() {
                None => {
                    let advice = "Add the closing quote.";
                    return Err(QueryError::new(open + 1, "this quote is not closed", advice));
                }
                Some('"') => break,
                Some('\\') if matches!(self.chars.get(self.at + 1), Some('"' | '\\')) => self.at += 1,
                Some(_) => {}
            }
            phrase.extend(self.peek());
            self.at += 1;
        }
        self.at += 1;
        if phrase.trim().is_empty() {
            return Err(QueryError::new(open + 1, "empty quotes", "Write the words to find between them."));
        }
        Ok(Want::Phrase(phrase))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn show(node: &Node) -> String {
        let list = |nodes: &[Node], word: &str| format!("({})", nodes.iter().map(show).collect::<Vec<_>>().join(word));
        match node {
            Node::All => "*".into(),
            Node::And(nodes) => list(nodes, " & "),
            Node::Or(nodes) => list(nodes, " | "),
            Node::Not(node) => format!("!{}", show(node)),
            Node::Test(test) => {
                let field = test.field.as_ref().map(|f| format!("{f}:")).unwrap_or_default();
                let end = |end: &Option<End>| end.as_ref().map_or("*".into(), |e| e.value.clone());
                let closed = |end: &Option<End>| end.as_ref().is_none_or(|e| e.included);
                let value = match &test.want {
                    Want::Word(word) => word.clone(),
                    Want::Phrase(phrase) => format!("{phrase:?}"),
                    Want::Prefix(stem) => format!("{stem}*"),
                    Want::Exact(value) => format!("={value}"),
                    Want::Range(from, to) => {
                        let (open, close) = (if closed(from) { "[" } else { "{" }, if closed(to) { "]" } else { "}" });
                        format!("{open}{},{}{close}", end(from), end(to))
                    }
                };
                field + &value
            }
        }
    }

    fn tree(text: &str) -> String {
        Query::parse(text).map_or_else(|e| format!("{}: {}", e.at, e.problem), |query| show(&query.root))
    }

    #[test]
    fn the_examples_of_the_design_mean_what_they_say() {
        assert_eq!(
            tree("account:4711 amount:>100 date:[2024-01-01 TO 2024-12-31] \"late fee\""),
            "(account:4711 & amount:{100,*] & date:[2024-01-01,2024-12-31] & \"late fee\")"
        );
        assert_eq!(tree("amount:120..130 date:2024-03 -word"), "(amount:[120,130] & date:2024-03 & !word)");
        assert_eq!(tree("a b OR (c AND NOT d)"), "((a & b) | (c & !d))");
        assert_eq!(tree("name:tay* definition:bank-statement"), "(name:tay* & definition:bank-statement)");
        assert_eq!(tree("Name:(ann OR \"bo b\") x"), "((name:ann | name:\"bo b\") & x)");
        assert_eq!(tree("amount:<=5 ref:=A-1 n:{1 TO *]"), "(amount:[*,5] & ref:=A-1 & n:{1,*])");
        assert_eq!(tree(""), "*");
        assert_eq!(tree(" * "), "*");
        assert_eq!(tree("金额：＞100 “滞纳金”"), "(金额:>100 & \"滞纳金\")");
        assert_eq!(tree("amount：＞100"), "amount:{100,*]");
        assert_eq!(tree("12:30 say\"hi\""), "(12:30 & say & \"hi\")");
        assert_eq!(tree("\"a \\\"b\\\" c\""), "\"a \\\"b\\\" c\"");
        assert_eq!(tree("ORDER ANDREW"), "(ORDER & ANDREW)");
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, expected) in [
            ("a (b", "3: this parenthesis is not closed"),
            ("a)", "2: ')' closes nothing"),
            ("x \"abc", "3: this quote is not closed"),
            ("amount:", "8: nothing follows `amount:`"),
            ("amount:[1 TO", "8: this range is not closed"),
            ("amount:[1 2]", "8: this range has no ` TO ` in it"),
            ("amount:[* TO *]", "8: this range is open at both ends"),
            ("a OR", "5: something to find is missing here"),
            ("OR a", "1: something to find is missing here"),
            ("a AND", "6: nothing follows AND"),
            ("-", "2: nothing follows the exclusion"),
            ("t*r", "1: a wildcard inside \"t*r\""),
            ("name:*", "6: a value is missing here"),
            ("n:>", "4: a value is missing here"),
            ("\"  \"", "1: empty quotes"),
        ] {
            assert_eq!(tree(text), expected, "{text}");
        }
        assert!(tree(&"(".repeat(100)).contains("levels"));
        assert!(tree(&"- ".repeat(100)).contains("levels"));
        assert!(tree(&"a ".repeat(500)).contains("words and field tests"));
        assert!(tree(&"a".repeat(5000)).contains("characters"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,80}") {
            let _ = Query::parse(&text);
        }

        #[test]
        fn no_mix_of_signs_makes_the_parser_panic(text in "([a-z0-9]|[():\\[\\]{}\"<>=*\\\\ -]|\\.\\.| TO | OR |AND |NOT |结|：){0,40}") {
            if let Err(error) = Query::parse(&text) {
                prop_assert!(error.at >= 1 && error.at <= text.chars().count() + 1, "{:?}", error);
                prop_assert!(error.advice.ends_with('.'));
            }
        }
    }
}
