//! What is due: for each load as it comes, or at a time of day for the loads since the last time.
//!
//! A distribution begins with the loads that come after it was first seen, or with those of its `since`. What was planned is told by the names of runs, so asking again plans nothing twice; a server that was down at a cut-off
//! plans that run when it is up again.

use std::collections::HashSet;

use super::DistributeError;
use super::calendar::Calendar;
use super::config::{Distribution, When};
use super::ledger::Run;
use super::plan::Planner;
use crate::archive::{LoadId, LoadRow};
use crate::crm::Time;

/// Plans every run that is due by the clock of the customers' store; returns those that are new.
pub fn plan_due(planner: &Planner<'_>) -> Result<Vec<Run>, DistributeError> {
    let mut new = Vec::new();
    if planner.config.distributions.is_empty() {
        return Ok(new);
    }
    let mut loads = planner.source.loads()?;
    let last = loads.iter().map(|load| load.id.0).max().unwrap_or_default();
    // Our own manifests lie in the archive like everything else; nobody is sent them.
    let ours: HashSet<String> =
        planner.ledger.runs()?.into_iter().flat_map(|run| run.manifests.into_iter().chain([run.manifest])).collect();
    loads.retain(|load| !ours.contains(&load.sha256));
    let calendar = Calendar::of(planner.config)?;
    for rule in &planner.config.distributions {
        if rule.when == When::Trigger {
            continue;
        }
        let begin = begin(planner, rule, &calendar, last)?;
        let loads: Vec<&LoadRow> = loads.iter().filter(|load| begin.takes(load)).collect();
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

/// With which load a distribution begins: nobody wants the bills of five years because a rule was added.
enum Begin {
    /// With those that came after this one, which was the last when the rule was first seen.
    After(u32),
    /// With those that were loaded from this moment on.
    Since(Time),
}

impl Begin {
    fn takes(&self, load: &LoadRow) -> bool {
        match self {
            Begin::After(last) => load.id.0 > *last,
            Begin::Since(since) => load.loaded_at >= since.0,
        }
    }
}

fn begin(planner: &Planner<'_>, rule: &Distribution, calendar: &Calendar, last: u32) -> Result<Begin, DistributeError> {
    Ok(match calendar.start_of(&rule.since) {
        Some(since) => Begin::Since(since),
        None => Begin::After(planner.ledger.begins_after(&rule.name, last)?),
    })
}

fn of_interest(rule: &Distribution, definition: &str) -> bool {
    rule.definitions.is_empty() || rule.definitions.iter().any(|name| name == definition)
}

/// The run of the last cut-off, for loads that are in no run of this distribution yet.
fn at_time(
    planner: &Planner<'_>,
    rule: &Distribution,
    calendar: &Calendar,
    loads: &[&LoadRow],
) -> Result<Option<Run>, DistributeError> {
    let Some(due) = calendar.last_due(rule, planner.crm.now()) else { return Ok(None) };
    let mut taken: Vec<u32> = Vec::new();
    for run in planner.ledger.runs()?.iter().filter(|run| run.distribution == rule.name) {
        taken.extend(&run.loads);
    }
    let waits = |load: &&&LoadRow| {
        of_interest(rule, &load.definition) && Time(load.loaded_at) <= due && !taken.contains(&load.id.0)
    };
    let waiting: Vec<LoadId> = loads.iter().filter(waits).map(|load| load.id).collect();
    if waiting.is_empty() {
        return Ok(None);
    }
    let (run, is_new) = planner.plan(rule, &format!("at-{due}"), &waiting)?;
    Ok(is_new.then_some(run))
}
