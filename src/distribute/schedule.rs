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
use crate::index::definition::MANIFEST;

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
    loads.retain(|load| load.definition != MANIFEST && !ours.contains(&load.sha256));
    let calendar = Calendar::of(planner.config)?;
    let mut failed = None;
    for rule in &planner.config.distributions {
        match of_rule(planner, rule, &calendar, (&loads, last)) {
            Ok(runs) => new.extend(runs),
            // What is wrong with one rule keeps no other from running.
            Err(error @ DistributeError::Config { .. }) => {
                tracing::error!(%error, distribution = rule.name, "the rule plans nothing until it is right");
            }
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(new), Err)
}

/// The runs of a rule that are due.
fn of_rule(
    planner: &Planner<'_>,
    rule: &Distribution,
    calendar: &Calendar,
    (loads, last): (&[LoadRow], u32),
) -> Result<Vec<Run>, DistributeError> {
    let mut new = Vec::new();
    if rule.when == When::Trigger {
        return Ok(new);
    }
    let begin = begin(planner, rule, calendar, last)?;
    let loads: Vec<&LoadRow> = loads.iter().filter(|load| begin.takes(load)).collect();
    match rule.when {
        When::Trigger => {}
        When::Load => {
            // A run of another load may have the name that was meant for this one: people give names, too.
            for load in waiting(planner, rule, &loads)? {
                let name = |number: u32| match number {
                    1 => format!("load-{}", load.id),
                    number => format!("load-{}-{number}", load.id),
                };
                for number in 1.. {
                    let (run, is_new) = planner.plan(rule, &name(number), &[load.id])?;
                    if run.loads.contains(&load.id.0) {
                        new.extend(is_new.then_some(run));
                        break;
                    }
                }
            }
        }
        When::Time => new.extend(at_time(planner, rule, calendar, &loads)?),
        When::Parts => new.extend(with_parts(planner, rule, calendar, &loads)?),
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

/// Loads that are in no run of this distribution yet.
fn waiting<'l>(
    planner: &Planner<'_>,
    rule: &Distribution,
    loads: &[&'l LoadRow],
) -> Result<Vec<&'l LoadRow>, DistributeError> {
    let runs = planner.ledger.runs()?;
    let ours = runs.iter().filter(|run| run.distribution == rule.name);
    let taken: HashSet<u32> = ours.flat_map(|run| run.loads.iter().copied()).collect();
    let waits = |load: &&LoadRow| of_interest(rule, &load.definition) && !taken.contains(&load.id.0);
    Ok(loads.iter().copied().filter(waits).collect())
}

/// A run as soon as every report is there; at the deadline without those that are not.
fn with_parts(
    planner: &Planner<'_>,
    rule: &Distribution,
    calendar: &Calendar,
    loads: &[&LoadRow],
) -> Result<Option<Run>, DistributeError> {
    let mut waiting = waiting(planner, rule, loads)?;
    let there = |waiting: &[&LoadRow], name: &String| waiting.iter().any(|load| load.definition == *name);
    let mut missing: Vec<String> = rule.definitions.iter().filter(|name| !there(&waiting, name)).cloned().collect();
    if !missing.is_empty() {
        // What comes after the deadline waits for the next one.
        let Some(due) = calendar.last_due(rule, planner.crm.now()) else { return Ok(None) };
        waiting.retain(|load| load.loaded_at <= due.0);
        missing = rule.definitions.iter().filter(|name| !there(&waiting, name)).cloned().collect();
    }
    let ids: Vec<LoadId> = waiting.iter().map(|load| load.id).collect();
    if ids.is_empty() {
        return Ok(None);
    }
    let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let (run, is_new) = planner.plan_without(rule, &format!("parts-{}", names.join("+")), &ids, missing)?;
    Ok(is_new.then_some(run))
}

/// The run of the last cut-off, for loads that are in no run of this distribution yet.
fn at_time(
    planner: &Planner<'_>,
    rule: &Distribution,
    calendar: &Calendar,
    loads: &[&LoadRow],
) -> Result<Option<Run>, DistributeError> {
    let Some(due) = calendar.last_due(rule, planner.crm.now()) else { return Ok(None) };
    let waiting = waiting(planner, rule, loads)?;
    let waiting: Vec<LoadId> = waiting.into_iter().filter(|load| load.loaded_at <= due.0).map(|load| load.id).collect();
    if waiting.is_empty() {
        return Ok(None);
    }
    let (run, is_new) = planner.plan(rule, &format!("at-{due}"), &waiting)?;
    Ok(is_new.then_some(run))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::ops::ControlFlow;
    use std::sync::{Arc, Mutex};

    use super::super::config::Config;
    use super::super::ledger::Ledger;
    use super::super::{Listed, Report, Source, Wanted};
    use super::*;
    use crate::archive::DocId;
    use crate::archive::kv::memory::Memory;
    use crate::auth::clock::Clock;
    use crate::auth::predicate::Facts;
    use crate::crm::Crm;
    use crate::index::stretch::Stretch;

    /// 2024-06-01 12:00 UTC.
    const NOON: i64 = 1_717_243_200;

    /// Loads without documents.
    #[derive(Default)]
    struct Loads(Mutex<Vec<LoadRow>>);

    impl Source for Loads {
        fn facts(&self, _: DocId) -> Result<Option<Facts>, DistributeError> {
            Ok(None)
        }
        fn report(&self, _: &str) -> Result<Option<Report>, DistributeError> {
            Ok(None)
        }
        fn render(&self, _: &Wanted<'_>, _: &mut dyn Write) -> Result<(), DistributeError> {
            Ok(())
        }
        fn stretches(&self, _: DocId, _: &str) -> Result<Vec<Stretch>, DistributeError> {
            Ok(Vec::new())
        }
        fn loads(&self) -> Result<Vec<LoadRow>, DistributeError> {
            Ok(self.0.lock().expect("unbroken").clone())
        }
        fn documents(&self, _: LoadId, _: &mut dyn FnMut(Listed) -> ControlFlow<()>) -> Result<(), DistributeError> {
            Ok(())
        }
    }

    struct World {
        loads: Loads,
        crm: Crm,
        clock: Clock,
        ledger: Ledger,
        config: Config,
    }

    impl World {
        fn new(rule: &str) -> World {
            World::at(NOON, "", rule)
        }

        /// A world at a moment, with the keys that stand before the rule.
        fn at(now: i64, top: &str, rule: &str) -> World {
            let (engine, clock) = (Arc::new(Memory::default()), Clock::standing(now));
            let text = format!(
                "{top}\n[[distribution]]\nname = \"r\"\nchannels = [\"c\"]\n{rule}\n[channel.c]\nkind = \"folder\"\n"
            );
            World {
                loads: Loads::default(),
                crm: Crm::new(engine.clone(), clock.clone()),
                clock,
                ledger: Ledger::new(engine),
                config: Config::parse(&text).expect("right"),
            }
        }

        fn load(&self, definition: &str) {
            let mut loads = self.loads.0.lock().expect("unbroken");
            let id = LoadId(loads.len() as u32 + 1);
            loads.push(LoadRow {
                id,
                file: String::new(),
                definition: definition.into(),
                definition_version: 1,
                field_names: Vec::new(),
                read: crate::decode::ReadSpec::default(),
                sha256: id.to_string(),
                bytes: 0,
                pages: 0,
                documents: 0,
                set_aside_pages: 0,
                set_aside: Vec::new(),
                stored_bytes: 0,
                warnings: Vec::new(),
                loaded_at: self.clock.now(),
                seconds: 0.0,
            });
        }

        /// What is planned now: the loads of each run and the reports that it goes without.
        fn planned(&self) -> Vec<(Vec<u32>, Vec<String>)> {
            let (ledger, crm, config) = (&self.ledger, &self.crm, &self.config);
            let new = plan_due(&Planner { ledger, crm, source: &self.loads, config }).expect("planned");
            new.into_iter().map(|run| (run.loads, run.missing)).collect()
        }
    }

    #[test]
    fn a_rule_takes_what_comes_after_it_or_since_its_day() {
        let world = World::new("");
        world.load("bills");
        assert_eq!(world.planned(), []);
        world.load("bills");
        assert_eq!(world.planned(), [(vec![2], vec![])]);
        let world = World::new("since = \"2024-06-02\"");
        world.load("bills");
        world.clock.turn(86_400);
        world.load("bills");
        assert_eq!(world.planned(), [(vec![2], vec![])]);
    }

    #[test]
    fn parts_go_when_all_are_there_and_at_the_deadline_without_the_missing() {
        let world =
            World::new("when = \"parts\"\ndefinitions = [\"a\", \"b\"]\nat = \"18:00\"\nsince = \"2024-01-01\"");
        world.load("a");
        assert_eq!(world.planned(), []);
        world.load("other");
        world.load("b");
        assert_eq!(world.planned(), [(vec![1, 3], vec![])], "all are there");
        assert_eq!(world.planned(), []);
        world.load("b");
        world.clock.turn(6 * 3_600 - 1);
        assert_eq!(world.planned(), [], "a second before the deadline");
        world.clock.turn(1);
        assert_eq!(world.planned(), [(vec![4], vec!["a".to_string()])]);
        world.load("a");
        assert_eq!(world.planned(), [(vec![5], vec!["b".to_string()])], "in the same second it still counts");
        world.clock.turn(1);
        world.load("a");
        assert_eq!(world.planned(), [], "what comes later waits for the next");
    }

    #[test]
    fn evening_runs_keep_wall_clock_time_through_daylight_saving_skip_holidays_and_are_made_up_for() {
        let now: jiff::Timestamp = "2026-03-27T16:59:59Z".parse().expect("a time");
        let top = "zone = \"Europe/Zurich\"\nholidays = [\"2026-03-28\"]";
        let world = World::at(now.as_second(), top, "when = \"time\"\nat = \"18:00\"\nsince = \"2026-01-01\"");
        world.load("bills");
        assert_eq!(world.planned(), [], "a second before 18:00 in winter");
        world.clock.turn(1);
        assert_eq!(world.planned(), [(vec![1], vec![])]);
        world.clock.turn(1);
        world.load("bills");
        world.clock.turn(24 * 3_600);
        assert_eq!(world.planned(), [], "a holiday");
        // The night has 23 hours: 18:00 comes an hour earlier.
        world.clock.turn(23 * 3_600 - 2);
        assert_eq!(world.planned(), [], "a second before 18:00 in summer");
        world.clock.turn(1);
        assert_eq!(world.planned(), [(vec![2], vec![])]);
        world.clock.turn(1);
        world.load("bills");
        // The server was down for two cut-offs: one run, for what came before the last of them.
        world.clock.turn(2 * 86_400 + 3_600);
        world.load("bills");
        assert_eq!((world.planned(), world.planned()), (vec![(vec![3], vec![])], vec![]));
    }

    #[test]
    fn without_a_deadline_parts_wait() {
        let world = World::new("when = \"parts\"\ndefinitions = [\"a\", \"b\"]\nsince = \"2024-01-01\"");
        world.load("a");
        world.clock.turn(30 * 86_400);
        assert_eq!(world.planned(), []);
        world.load("b");
        assert_eq!(world.planned(), [(vec![1, 2], vec![])]);
    }
}
