//! What is due: for each load as it comes, or at a time of day for the loads since the last time.
//!
//! What was planned is told by the names of runs, so asking again plans nothing twice; a server that was down at a cut-off
//! plans that run when it is up again.

use super::DistributeError;
use super::calendar::Calendar;
use super::config::{Distribution, When};
use super::ledger::Run;
use super::plan::Planner;
use crate::archive::LoadId;
use crate::crm::Time;

/// Plans every run that is due by the clock of the customers' store; returns those that are new.
pub fn plan_due(planner: &Planner<'_>) -> Result<Vec<Run>, DistributeError> {
    let mut new = Vec::new();
    if planner.config.distributions.is_empty() {
        return Ok(new);
    }
    let loads = planner.source.loads()?;
    let calendar = Calendar::of(planner.config)?;
    for rule in &planner.config.distributions {
        match rule.when {
            When::Trigger => {}
            When::Load => {
                for load in loads.iter().filter(|load| of_interest(rule, &load.definition)) {
                    let (run, is_new) = planner.plan(rule, &format!("load-{}", load.id), &[load.id])?;
                    new.extend(is_new.then_some(run));
                }
            }
            When::Time => new.extend(at_time(planner, rule, &calendar, &loads)?),
        }
    }
    Ok(new)
}

fn of_interest(rule: &Distribution, definition: &str) -> bool {
    rule.definitions.is_empty() || rule.definitions.iter().any(|name| name == definition)
}

/// The run of the last cut-off, for loads that are in no run of this distribution yet.
fn at_time(
    planner: &Planner<'_>,
    rule: &Distribution,
    calendar: &Calendar,
    loads: &[crate::archive::LoadRow],
) -> Result<Option<Run>, DistributeError> {
    let Some(due) = calendar.last_due(rule, planner.crm.now()) else { return Ok(None) };
    let mut taken: Vec<u32> = Vec::new();
    for run in planner.ledger.runs()?.iter().filter(|run| run.distribution == rule.name) {
        taken.extend(&run.loads);
    }
    let waits = |load: &&crate::archive::LoadRow| {
        of_interest(rule, &load.definition) && Time(load.loaded_at) <= due && !taken.contains(&load.id.0)
    };
    let waiting: Vec<LoadId> = loads.iter().filter(waits).map(|load| load.id).collect();
    if waiting.is_empty() {
        return Ok(None);
    }
    let (run, is_new) = planner.plan(rule, &format!("at-{due}"), &waiting)?;
    Ok(is_new.then_some(run))
}
