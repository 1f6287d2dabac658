//! Marks what a query found in a text that comes from the archive.

use std::ops::Range;

use super::query::{Node, Query, Want};
use super::words::{Kind, Scanner, Wanted, wanted};
use crate::index::fold::fold;

/// Finds the places in texts that a query looked for.
#[derive(Debug, Clone)]
pub struct Highlighter {
    phrases: Vec<Phrase>,
}

#[derive(Debug, Clone)]
struct Phrase {
    words: Vec<Wanted>,
    /// The last word may go on.
    open: bool,
}

/// A piece of a text around its first highlights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The piece, on one line.
    pub text: String,
    /// Byte ranges in it to highlight, in order, not overlapping.
    pub ranges: Vec<Range<usize>>,
    /// Something was left out before it.
    pub cut_before: bool,
    /// Something was left out behind it.
    pub cut_after: bool,
}

impl Query {
    /// What to mark in the text of pages.
    pub fn highlighter(&self) -> Highlighter {
        self.highlighter_of(&|field| matches!(field, None | Some("text")))
    }

    /// What to mark in the value of a text field: what was asked of it, and of any text.
    pub fn field_highlighter(&self, name: &str) -> Highlighter {
        self.highlighter_of(&|field| field.is_none_or(|field| field == name))
    }

    fn highlighter_of(&self, wants: &dyn Fn(Option<&str>) -> bool) -> Highlighter {
        let mut phrases = Vec::new();
        gather(&self.root, wants, &mut phrases);
        Highlighter { phrases }
    }
}

fn gather(node: &Node, wants: &dyn Fn(Option<&str>) -> bool, phrases: &mut Vec<Phrase>) {
    match node {
        Node::All | Node::Not(_) => {}
        Node::And(nodes) | Node::Or(nodes) => nodes.iter().for_each(|node| gather(node, wants, phrases)),
        Node::Test(test) if wants(test.field.as_deref()) => {
            let (text, open) = match &test.want {
                Want::Word(text) | Want::Phrase(text) | Want::Exact(text) => (text, false),
                Want::Prefix(text) => (text, true),
                Want::Range(..) => return,
            };
            let words = wanted(text);
            let open = open || words.last().is_some_and(|last| last.kind == Kind::Lone);
            if !words.is_empty() && !fold(text).is_empty() {
                phrases.push(Phrase { words, open });
            }
        }
        Node::Test(_) => {}
    }
}

impl Highlighter {
    /// Whether there is anything to mark at all.
    pub fn is_empty(&self) -> bool {
        self.phrases.is_empty()
    }

    /// Byte ranges of `text` to highlight, in order, not overlapping.
    pub fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        // The words that each phrase still needs to see, as progress per phrase start.
        let longest = self.phrases.iter().map(|phrase| phrase.words.len()).max().unwrap_or(0);
        let mut recent: Vec<(String, Range<usize>)> = Vec::with_capacity(longest);
        let mut scanner = Scanner::new(text);
        let mut word = String::new();
        while let Some(next) = scanner.next(&mut word) {
            if longest == 0 {
                break;
            }
            if recent.len() == longest {
                recent.remove(0);
            }
            recent.push((word.clone(), next.span));
            for phrase in &self.phrases {
                if let Some(span) = phrase.ends(&recent) {
                    found.push(span);
                }
            }
        }
        merged(found)
    }

    /// About `most` characters around the first highlight; `None` when there is none.
    pub fn snippet(&self, text: &str, most: usize) -> Option<Snippet> {
        let ranges = self.ranges(text);
        let first = ranges.first()?;
        let before = most / 4;
        let start = text[..first.start].char_indices().rev().take(before).last().map_or(first.start, |(at, _)| at);
        let end = text[start..].char_indices().nth(most.max(1)).map_or(text.len(), |(at, _)| start + at);
        let end = end.max(first.end);
        let inside = ranges.into_iter().take_while(|range| range.end <= end).collect::<Vec<_>>();
        let mut snippet =
            Snippet { text: String::new(), ranges: Vec::new(), cut_before: start > 0, cut_after: end < text.len() };
        let mut at = start;
        for range in inside {
            push_line(&text[at..range.start], &mut snippet.text);
            let from = snippet.text.len();
            push_line(&text[range.clone()], &mut snippet.text);
            snippet.ranges.push(from..snippet.text.len());
            at = range.end;
        }
        push_line(&text[at..end], &mut snippet.text);
        Some(snippet)
    }
}

/// Appends text with runs of blanks and line ends as one blank.
fn push_line(text: &str, out: &mut String) {
    for c in text.chars() {
        if !c.is_whitespace() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    }
}

impl Phrase {
    /// The span of this phrase, if the recent words end with it.
    fn ends(&self, recent: &[(String, Range<usize>)]) -> Option<Range<usize>> {
        let start = recent.len().checked_sub(self.words.len())?;
        let tail = &recent[start..];
        let last = self.words.len() - 1;
        let same = tail.iter().zip(&self.words).enumerate().all(|(i, ((word, _), wanted))| {
            if i == last && self.open { word.starts_with(&wanted.word) } else { *word == wanted.word }
        });
        if !same {
            return None;
        }
        let (from, (word, to)) = (tail.first()?.1.start, tail.last()?);
        // One character found at the beginning of a pair: only that one is marked.
        let lone = self.words[last].kind == Kind::Lone && word.len() > self.words[last].word.len();
        let end = if lone { to.end.min(to.start + first_character(&self.words[last].word)) } else { to.end };
        Some(from..end)
    }
}

/// Bytes of a character that stands for itself in text.
fn first_character(word: &str) -> usize {
    word.chars().next().map_or(0, char::len_utf8)
}

fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut out: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => out.push(range),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn marked(query: &str, text: &str) -> Vec<String> {
        let highlighter = Query::parse(query).expect("a good query").highlighter();
        highlighter.ranges(text).into_iter().map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn words_phrases_and_beginnings_are_marked_where_they_stand() {
        let text = "LATE FEE: 4,573.19 for François, late again";
        assert_eq!(marked("late", text), ["LATE", "late"]);
        assert_eq!(marked("\"late fee\" francois", text), ["LATE FEE", "François"]);
        assert_eq!(marked("4573.19 -fee", text), ["4,573.19"]);
        assert_eq!(marked("fran*", text), ["François"]);
        assert_eq!(marked("name:late", text), Vec::<String>::new());
        assert_eq!(marked("结算账户", "银行结算账户清单 结算"), ["结算账户"]);
        assert_eq!(marked("户", "账户清单"), ["户"]);
        assert_eq!(marked("算账", "结算账户"), ["算账"]);
    }

    #[test]
    fn a_snippet_is_short_and_marks_the_first_places() {
        let text = format!("{} the late fee\n   of {}", "lorem ".repeat(50), "ipsum ".repeat(50));
        let snippet = Query::parse("fee").expect("good").highlighter().snippet(&text, 40).expect("found");
        assert!(snippet.cut_before && snippet.cut_after);
        assert!(snippet.text.contains("the late fee of ipsum"), "{}", snippet.text);
        assert_eq!(&snippet.text[snippet.ranges[0].clone()], "fee");
    }

    proptest! {
        #[test]
        fn ranges_are_in_order_and_on_character_borders(
            query in "[a-cｶ结算ﾞ]{1,4}\\*?( [a-c结]{1,2}){0,2}",
            text in "[a-cｶ结算ﾞé ,\n]{0,40}",
        ) {
            let highlighter = Query::parse(&query).expect("good").highlighter();
            let mut end = 0;
            for range in highlighter.ranges(&text) {
                prop_assert!(range.start >= end && range.start < range.end);
                prop_assert!(text.is_char_boundary(range.start) && text.is_char_boundary(range.end));
                end = range.end;
            }
            if let Some(snippet) = highlighter.snippet(&text, 10) {
                for range in snippet.ranges {
                    prop_assert!(snippet.text.get(range).is_some());
                }
            }
        }
    }
}
