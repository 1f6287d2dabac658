//! Answers of one moment that are given again: people type the same beginnings, and a beginning is what many documents have.
//!
//! Promises: an answer is given again only to the same question with the same rights, masks and known fields, over the same
//! moment of the index, and only while the catalogue has no change that the index lacks. It lives no longer than its moment, and
//! a bounded number of small ones is kept. Whether the hits are still there is asked each time, as for a new answer.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::collect::{Facets, Found};

/// Answers kept.
const MOST: usize = 256;
/// Longest list kept.
const MOST_KEYS: usize = 200;
/// Longest question kept.
const MOST_QUESTION: usize = 64 << 10;

/// What the index said: the keys of the hits, the counts if they were asked for, and what the statistics were.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) found: Found,
    pub(super) facets: Option<Facets>,
    pub(super) statistics: Vec<u64>,
}

/// The answers of a moment, the one asked for last at the end.
#[derive(Debug, Default)]
pub(super) struct Answers(Mutex<VecDeque<(String, Answer)>>);

impl Answers {
    /// The answer to a question that was asked before.
    pub(super) fn get(&self, question: &str) -> Option<Answer> {
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = list.iter().rposition(|(known, _)| known == question)?;
        let kept = list.remove(at)?;
        let answer = kept.1.clone();
        list.push_back(kept);
        Some(answer)
    }

    /// Keeps an answer; the one that was not asked for longest goes.
    pub(super) fn keep(&self, question: String, answer: &Answer) {
        if answer.found.keys.len() > MOST_KEYS || question.len() > MOST_QUESTION {
            return;
        }
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= MOST {
            list.pop_front();
        }
        list.push_back((question, answer.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(total: u64) -> Answer {
        Answer { found: Found { total, ..Found::default() }, facets: None, statistics: Vec::new() }
    }

    #[test]
    fn what_was_asked_for_last_stays_and_long_lists_are_not_kept() {
        let answers = Answers::default();
        for n in 0..MOST as u64 {
            answers.keep(n.to_string(), &answer(n));
        }
        assert_eq!(answers.get("0").map(|answer| answer.found.total), Some(0));
        answers.keep("new".into(), &answer(7));
        assert!(answers.get("1").is_none(), "the one that was not asked for longest");
        assert!(answers.get("0").is_some() && answers.get("new").is_some());
        let mut long = answer(9);
        long.found.keys = vec![Default::default(); MOST_KEYS + 1];
        answers.keep("long".into(), &long);
        assert!(answers.get("long").is_none());
    }
}
