//! Runs that somebody asks for: loads and, if they like, a name of their own.
//!
//! The same documents do not go out twice by mistake: loads are one set, in whatever order they were named, and one that is in
//! another run of the distribution already is taken only under a name that somebody gave.

use super::DistributeError;
use super::config::Distribution;
use super::ledger::Run;
use super::piece::digest;
use super::plan::Planner;
use crate::archive::LoadId;

/// Characters of a name at most.
const MOST_NAME: usize = 100;
/// Loads that a name is made of; of more it has a digest.
const MOST_LOADS: usize = 8;
/// What the names begin with that greenbar gives by itself.
const OWN: [&str; 3] = ["load-", "parts-", "at-"];

impl Planner<'_> {
    /// Plans a run for loads; `false`: it was planned before.
    pub fn plan_by_hand(
        &self,
        rule: &Distribution,
        name: Option<&str>,
        mut loads: Vec<LoadId>,
    ) -> Result<(Run, bool), DistributeError> {
        loads.sort_unstable_by_key(|load| load.0);
        loads.dedup();
        let what = match name {
            Some(name) => {
                check(name)?;
                name.to_string()
            }
            None => of_loads(&loads),
        };
        let numbers: Vec<u32> = loads.iter().map(|load| load.0).collect();
        if let Some(run) = self.ledger.run_named(&format!("{}/{what}", rule.name))? {
            let mut of_run = run.loads.clone();
            of_run.sort_unstable();
            if of_run == numbers {
                return Ok((run, false));
            }
            let (key, number, of_run) = (&run.key, run.number, listed(&of_run));
            return Err(DistributeError::State(format!("{key} is run {number}, for the loads {of_run}")));
        }
        if name.is_none() {
            self.refuse_again(rule, &numbers)?;
        }
        self.plan(rule, &what, &loads)
    }

    /// Refuses loads that are in a run of the distribution already.
    fn refuse_again(&self, rule: &Distribution, loads: &[u32]) -> Result<(), DistributeError> {
        for run in self.ledger.runs()?.iter().filter(|run| run.distribution == rule.name) {
            if let Some(load) = loads.iter().find(|load| run.loads.contains(load)) {
                let (number, key) = (run.number, &run.key);
                return Err(DistributeError::State(format!(
                    "load {load} is in run {number} ({key}) already; a run that sends it again has a name of its own"
                )));
            }
        }
        Ok(())
    }
}

/// The name of a run for loads.
fn of_loads(loads: &[LoadId]) -> String {
    let numbers: Vec<String> = loads.iter().map(ToString::to_string).collect();
    let all = numbers.join("+");
    match (loads.first(), loads.last()) {
        (Some(first), Some(last)) if loads.len() > MOST_LOADS => {
            let digest: String = digest(all.as_bytes()).chars().take(8).collect();
            format!("load-{first}-to-{last}-{digest}")
        }
        _ => format!("load-{all}"),
    }
}

fn listed(loads: &[u32]) -> String {
    loads.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Whether somebody may call a run so.
fn check(name: &str) -> Result<(), DistributeError> {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | ':' | '+');
    let count = name.chars().count();
    if count == 0 || count > MOST_NAME || name.trim() != name || !name.chars().all(fits) {
        return Err(DistributeError::Value(format!(
            "name: 1 to {MOST_NAME} letters, digits, blanks and - _ . : +, no blank at its ends"
        )));
    }
    match OWN.iter().find(|own| name.starts_with(**own)) {
        Some(own) => Err(DistributeError::Value(format!("name: greenbar itself gives names that begin with {own}"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_short_line_of_letters_and_not_one_of_ours() {
        for good in ["again", "July 2026, no".replace(',', "").as_str(), "账单-7月", "a".repeat(100).as_str()] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["", " x", "we\nird", "a/b", "load-3", "at-noon", "a".repeat(101).as_str()] {
            assert!(matches!(check(bad), Err(DistributeError::Value(_))), "{bad:?}");
        }
        let many: Vec<LoadId> = (1..=1_000).map(LoadId).collect();
        assert!(of_loads(&many).len() < 40);
        assert_eq!(of_loads(&many[2..4]), "load-3+4");
    }
}
