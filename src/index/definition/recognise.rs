//! Finds the definition for a stream.

use super::Definition;
use crate::decode::{Unit, UnitKind};
use crate::frame::codepage::CodePage;
use crate::index::rule::{Condition, Sight, Test};
use crate::index::sheet::Glass;
use crate::index::trigger::{Ready, Triggers};

/// The definition that a stream is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// This one of the definitions given, with its score.
    One(usize, f32),
    /// These are equally good: somebody must choose.
    Ambiguous(Vec<usize>),
    /// None recognises it.
    Nobody,
}

/// Chooses among scores of [`Definition::recognises`]. A definition wins when it is better than all others; what is within
/// a hundredth of the best is as good.
pub fn choose(scores: &[f32]) -> Choice {
    let best = scores.iter().copied().fold(0.0, f32::max);
    if best <= 0.0 {
        return Choice::Nobody;
    }
    let good: Vec<usize> = (0..scores.len()).filter(|at| scores.get(*at).is_some_and(|s| *s > best - 0.01)).collect();
    match good.as_slice() {
        [one] => Choice::One(*one, best),
        _ => Choice::Ambiguous(good),
    }
}

impl Definition {
    /// How sure the definition is that a stream is for it: 0 (not mine) to 1.
    ///
    /// `sample` are the first units of the stream (a few pages are enough), decoded as the definition reads them;
    /// `file` and `queue` are the names the stream came with. A signature that is not found means 0, whatever the
    /// names say; a longer signature is worth more than a short one, and names that fit add to it.
    pub fn recognises(
        &self,
        sample: &[Unit],
        code_page: &'static CodePage,
        file: Option<&str>,
        queue: Option<&str>,
    ) -> f32 {
        let rules = &self.rules.recognise;
        let file = file.map(|file| file.rsplit(['/', '\\']).next().unwrap_or(file).to_lowercase());
        let by_file = file.is_some_and(|file| rules.files.iter().any(|glob| fits_glob(&glob.to_lowercase(), &file)));
        let by_queue = queue.is_some_and(|queue| rules.queues.iter().any(|name| name.eq_ignore_ascii_case(queue)));
        let names = if by_queue { 0.06 } else { 0.0 } + if by_file { 0.04 } else { 0.0 };
        if rules.signature.is_empty() {
            return if by_queue || by_file { 0.5 + names } else { 0.0 };
        }
        if !self.signed(sample, code_page) {
            return 0.0;
        }
        let length: u16 = rules.signature.iter().map(weight).sum();
        0.7 + names + f32::from(length.min(200)) / 1_000.0
    }

    /// Whether all conditions of the signature hold on one of the first pages.
    fn signed(&self, sample: &[Unit], code_page: &'static CodePage) -> bool {
        let mut glass = Glass::new(code_page);
        let rules = &self.rules.recognise;
        let ready: Vec<Ready> = rules.signature.iter().map(|one| Ready::new(one, &glass)).collect();
        let mut triggers = Triggers::new(&[], &glass);
        let mut pages = sample.iter().filter(|unit| unit.kind == UnitKind::Page).take(rules.pages);
        pages.any(|unit| {
            triggers.turn_page(&mut glass);
            ready.iter().all(|one| triggers.holds(one, &mut glass, unit))
        })
    }
}

/// How much a condition says: the signs it fixes.
fn weight(condition: &Condition) -> u16 {
    let tag = match &condition.sight {
        Sight::Tag(name) => name.chars().count(),
        Sight::Rows | Sight::Region(_) => 0,
    };
    let signs = match &condition.test {
        Test::Text(text) => text.chars().count(),
        Test::Regex(regex) => regex.as_str().chars().filter(|ch| ch.is_alphanumeric()).count(),
        Test::Mask(mask) => mask.len() / 2,
        Test::Printed => 0,
    };
    u16::try_from(tag + signs).unwrap_or(200)
}

/// Whether a name fits a pattern: `*` stands for any signs, `?` for one.
pub fn fits_glob(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut g, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if glob.get(g) == Some(&'*') {
            star = Some((g, n));
            g += 1;
        } else if glob.get(g).is_some_and(|ch| *ch == '?' || name.get(n) == Some(ch)) {
            g += 1;
            n += 1;
        } else if let Some((at, seen)) = star {
            star = Some((at, seen + 1));
            g = at + 1;
            n = seen + 1;
        } else {
            return false;
        }
    }
    glob.iter().skip(g).all(|ch| *ch == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_fit_names() {
        assert!(fits_glob("stmt*.fba", "stmt-037.fba"));
        assert!(fits_glob("*", ""));
        assert!(fits_glob("a?c*", "abc"));
        assert!(fits_glob("*a*b", "xxaxxbxb"));
        assert!(!fits_glob("stmt*.fba", "stmt-037.fbax"));
        assert!(!fits_glob("?", ""));
    }

    #[test]
    fn equal_scores_are_ambiguous_and_zero_is_nobody() {
        assert_eq!(choose(&[0.0, 0.8, 0.75]), Choice::One(1, 0.8));
        assert_eq!(choose(&[0.8, 0.0, 0.8]), Choice::Ambiguous(vec![0, 2]));
        assert_eq!(choose(&[0.0, 0.0]), Choice::Nobody);
    }
}
