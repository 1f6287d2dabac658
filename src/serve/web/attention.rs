//! What waits for somebody: streams that failed or that nobody knows, runs and pieces, a disk that is full.

use minijinja::{Value, context};

use crate::auth::permission::Permission;
use crate::distribute::ledger::RunState;
use crate::serve::ask::SignedIn;
use crate::serve::problem::Problem;
use crate::serve::state::State;

/// What waits, as far as the reader may do something about it.
#[derive(Debug, Default)]
pub struct Attention {
    /// Words, how many, where to go, and whether it is urgent.
    lines: Vec<(&'static str, u64, &'static str, bool)>,
}

impl Attention {
    /// Counts it; from counters, so that the page costs the same however much waits.
    pub fn read(state: &State, who: &SignedIn) -> Result<Attention, Problem> {
        let mut all = Attention::default();
        if who.may(Permission::LoadRead) {
            let counts = state.intake.counts();
            let waiting = (counts.waiting + counts.loading) as u64;
            all.add("attention_full", u64::from(state.intake.has_room().is_err()), "/admin/arrivals", true);
            all.add("attention_failed", counts.failed as u64, "/admin/arrivals?state=failed", true);
            all.add("attention_unidentified", counts.unidentified as u64, "/admin/arrivals?state=unidentified", true);
            all.add("attention_held", counts.held as u64, "/admin/arrivals?state=held", false);
            all.add("attention_waiting", waiting, "/admin/arrivals", false);
        }
        if who.may(Permission::DistributionRead) {
            let (mut held, mut named) = (0, 0);
            for run in state.ledger.open_runs()? {
                held += u64::from(run.state == RunState::Held);
                named += state.ledger.tally(run.number)?.named;
            }
            all.add("attention_runs", held, "/admin/distribution", false);
            all.add("attention_pieces", named, "/admin/distribution", true);
        }
        Ok(all)
    }

    fn add(&mut self, word: &'static str, count: u64, place: &'static str, urgent: bool) {
        if count > 0 {
            self.lines.push((word, count, place, urgent));
        }
    }

    /// For templates.
    pub fn shown(&self) -> Vec<Value> {
        let line = |(word, count, place, urgent): &(&'static str, u64, &'static str, bool)| {
            context! { word => *word, count => *count, place => *place, urgent => *urgent }
        };
        self.lines.iter().map(line).collect()
    }
}
