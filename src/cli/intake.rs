//! `greenbar intake`: what arrived, what failed and why; says what a stream is, tries it again, gives it up; rules.

use std::sync::Arc;

use clap::Subcommand;
use serde_json::json;

use crate::archive::{Archive, Bringing};
use crate::auth::clock::{Clock, iso};
use crate::capture::rule::Rule;
use crate::capture::switches::{Switch, Switches};
use crate::capture::{CaptureConfig, Intake, Item, State};
use crate::serve::ArchiveBackend;
use crate::serve::backend::Loads;

use super::context::{self, Context};
use super::failure::Failure;
use super::output::{self, bytes, grouped};

/// What arrived and is loaded, waits or failed. While a server runs, use its pages (/admin/arrivals) or its API.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List arrivals, newest first
    List {
        /// Only in this state; may be given several times
        #[arg(long, value_parser = stage)]
        state: Vec<State>,
        /// Only of this queue
        #[arg(long)]
        queue: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Only those before this number
        #[arg(long, default_value_t = 0)]
        before: u64,
    },
    /// Everything about one arrival
    Show { number: u64 },
    /// The first pages as text, or with a definition what it would make of the stream
    Preview {
        number: u64,
        /// What this definition would make of it: documents, pages, fields
        #[arg(long)]
        definition: Option<String>,
        /// First page
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        page: u32,
        /// How many pages
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
        pages: u32,
    },
    /// Say what an arrival is, and load it as that
    Assign { number: u64, definition: String },
    /// Try to load an arrival again, or all that failed
    Retry {
        #[arg(required_unless_present = "failed")]
        number: Option<u64>,
        /// All that failed, for when their cause is gone
        #[arg(long, conflicts_with = "number")]
        failed: bool,
    },
    /// Keep an arrival that waits from being loaded
    Hold {
        number: u64,
        /// Why; kept
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Let an arrival go that was held, and load it
    Release { number: u64 },
    /// Give an arrival up: its bytes go, its record stays
    Discard {
        number: u64,
        /// Why; kept
        #[arg(long)]
        reason: String,
    },
    /// List the rules by which arrivals get their definition
    Rules {
        /// Also older versions and rules taken back
        #[arg(long)]
        all: bool,
    },
    /// Make a rule; what waits unidentified and fits is loaded
    Rule {
        /// Pattern of queues: * for any characters, ? for one
        #[arg(long)]
        queue: Option<String>,
        /// Pattern of the name of the file or the job
        #[arg(long)]
        name: Option<String>,
        /// The definition
        #[arg(long)]
        definition: String,
        /// Change this rule instead of making one
        #[arg(long, default_value_t = 0)]
        number: u32,
    },
    /// Take a rule back
    Unrule { number: u32 },
    /// Queues that are paused or closed
    Queues,
    /// Pause a queue: its streams are taken and held
    Pause { queue: String },
    /// Let a paused queue go on; what was held is loaded
    Resume { queue: String },
    /// Close a queue: nothing is taken for it
    Close { queue: String },
    /// Take streams for a queue again
    Open { queue: String },
}

fn stage(text: &str) -> Result<State, String> {
    let all = || State::ALL.map(State::name).join(", ");
    State::parse(text).ok_or_else(|| format!("a state is one of: {}", all()))
}

/// An archive with its intake.
struct Desk<'c> {
    context: &'c Context,
    archive: Arc<Archive>,
    intake: Intake,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let (dir, archive) = (context.dir()?, context.open()?);
        let intake = Intake::open(archive.engine(), dir, Clock::default(), CaptureConfig::read(dir)?)?;
        let desk = Desk { context, archive, intake };
        match &self.command {
            Command::List { state, queue, limit, before } => desk.list(state, queue.as_deref(), *limit, *before),
            Command::Show { number } => desk.show(*number),
            Command::Preview { number, definition: Some(name), .. } => desk.trial(*number, name),
            Command::Preview { number, page, pages, .. } => desk.preview(*number, (*page, *pages)),
            Command::Assign { number, definition } => {
                desk.known(definition)?;
                let item = desk.intake.assign(*number, definition, &by())?;
                desk.record("intake-assign", &item.named(), definition)?;
                desk.load(&item)
            }
            Command::Retry { number: None, .. } => desk.retry_failed(),
            Command::Retry { number: Some(number), .. } => {
                let item = desk.intake.retry(*number, &by())?;
                desk.record("intake-retry", &item.named(), "")?;
                desk.load(&item)
            }
            Command::Hold { number, reason } => {
                let item = desk.intake.hold(*number, &by(), reason)?;
                desk.record("intake-hold", &item.named(), reason)?;
                desk.tell(&item)
            }
            Command::Release { number } => {
                let item = desk.intake.let_go(*number, &by())?;
                desk.record("intake-release", &item.named(), "")?;
                desk.load(&item)
            }
            Command::Discard { number, reason } => {
                if reason.trim().is_empty() {
                    return Err(Failure::usage("say why with --reason; it is kept"));
                }
                let item = desk.intake.discard_by(*number, &by(), reason)?;
                desk.record("intake-discard", &item.named(), reason)?;
                desk.tell(&item)
            }
            Command::Rules { all } => desk.rules(*all),
            Command::Rule { queue, name, definition, number } => {
                desk.known(definition)?;
                let (queue, name, definition) = (queue.clone(), name.clone(), definition.clone());
                desk.rule(Rule { number: *number, queue, name, definition, by: by(), ..Rule::default() })
            }
            Command::Unrule { number } => {
                let rule = desk.intake.remove_rule(*number, &by())?;
                desk.record("intake-rule", &format!("rule {} version {}", rule.number, rule.version), "removed")?;
                desk.tell_rule(&rule)
            }
            Command::Queues => desk.intake.switches().iter().try_for_each(|one| desk.tell_queue(one)),
            Command::Pause { queue } => desk.switch(queue, &Switch::Pause),
            Command::Resume { queue } => desk.switch(queue, &Switch::Resume),
            Command::Close { queue } => desk.switch(queue, &Switch::Close),
            Command::Open { queue } => desk.switch(queue, &Switch::Open),
        }
    }
}

/// Who acts.
fn by() -> String {
    context::operator().name
}

impl Desk<'_> {
    fn record(&self, kind: &str, what: &str, why: &str) -> Result<(), Failure> {
        Ok(context::gate(&self.archive).record(&context::operator(), kind, what, why)?)
    }

    fn item(&self, number: u64) -> Result<Item, Failure> {
        let item = self.intake.item(number)?;
        item.ok_or_else(|| {
            Failure::new(format!("there is no arrival {number}")).advise("`greenbar intake list` shows them.")
        })
    }

    /// An arrival whose bytes are there.
    fn kept(&self, number: u64) -> Result<Item, Failure> {
        let item = self.item(number)?;
        if item.state.keeps_bytes() {
            return Ok(item);
        }
        Err(Failure::new(format!(
            "arrival {number} is {}: its bytes are not in the intake any more",
            item.state.name()
        )))
    }

    fn known(&self, definition: &str) -> Result<(), Failure> {
        if self.archive.definition(definition, None)?.is_some() {
            return Ok(());
        }
        Err(Failure::new(format!("there is no report definition {definition}"))
            .advise("`greenbar definition list` shows them; `greenbar definition add FILE` adds one."))
    }

    fn list(&self, states: &[State], queue: Option<&str>, limit: usize, before: u64) -> Result<(), Failure> {
        let of_queue = |item: &Item| {
            queue.is_none_or(|name| item.queue.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(name)))
        };
        let (mut at, mut left) = (before, limit);
        while left > 0 {
            let page = self.intake.page(at, left, states, &of_queue)?;
            for item in &page.items {
                if self.context.json {
                    output::json_line(item)?;
                } else {
                    output::line(format!(
                        "{:>6}  {:<12} {:>10}  {}  {:<16} {}{}",
                        item.id,
                        item.state.name(),
                        bytes(item.bytes),
                        iso(item.received_at),
                        item.queue.as_deref().unwrap_or("-"),
                        item.file,
                        item.error.as_ref().map(|why| format!(": {why}")).unwrap_or_default()
                    ))?;
                }
            }
            left -= page.items.len().min(left);
            let Some(next) = page.next else { break };
            at = next;
        }
        Ok(())
    }

    fn show(&self, number: u64) -> Result<(), Failure> {
        let item = self.item(number)?;
        if self.context.json {
            return output::json_line(&item);
        }
        let line = |name: &str, value: &str| {
            if value.is_empty() { Ok(()) } else { output::line(format!("{name:<12}{value}")) }
        };
        self.tell(&item)?;
        line("received", &iso(item.received_at))?;
        line("size", &format!("{} bytes", grouped(item.bytes)))?;
        line("sha-256", &item.sha256)?;
        line("receiver", &item.receiver)?;
        line("queue", item.queue.as_deref().unwrap_or_default())?;
        line("sender", &item.sent_by)?;
        line("address", &item.peer)?;
        line("definition", item.definition.as_deref().unwrap_or_default())?;
        if item.duplicate {
            line("duplicate", "the same stream had been loaded before")?;
        }
        for (name, value) in &item.attributes {
            line("job", &format!("{name}: {value}"))?;
        }
        for step in &item.history {
            let by = if step.by.is_empty() { String::new() } else { format!(" by {}", step.by) };
            let detail = if step.detail.is_empty() { String::new() } else { format!(": {}", step.detail) };
            line("history", &format!("{} {}{by}{detail}", iso(step.at), step.what))?;
        }
        Ok(())
    }

    fn preview(&self, number: u64, pages: (u32, u32)) -> Result<(), Failure> {
        let item = self.kept(number)?;
        let look = self.archive.look(&self.intake.path(number), &item.file, item.definition.as_deref(), pages)?;
        self.record("intake-preview", &item.named(), "text")?;
        if self.context.json {
            return output::json_line(&look);
        }
        for page in &look.pages {
            output::line(format!("--- page {}, bytes {} to {}", page.page, page.start, page.start + page.bytes))?;
            output::line(&page.text)?;
        }
        if look.pages.is_empty() {
            output::line("no page prints anything; the first bytes:")?;
            output::line(look.first_bytes.join("\n"))?;
        }
        match &look.error {
            Some(error) => output::line(format!("--- it could be read only up to here: {error}")),
            None => Ok(()),
        }
    }

    fn trial(&self, number: u64, definition: &str) -> Result<(), Failure> {
        self.known(definition)?;
        let item = self.kept(number)?;
        let (definition, queue) = (Some(definition.to_string()), item.queue.clone());
        let how = Bringing { definition, queue, job: item.job(), only_known: true };
        let trial = self.archive.try_cut(&self.intake.path(number), &item.file, &how)?;
        self.record("intake-preview", &item.named(), &trial.report.definition)?;
        if self.context.json {
            return output::json_line(&trial);
        }
        super::check::tell(&trial.report)?;
        for field in trial.report.fields.iter().filter(|field| field.found < trial.report.documents) {
            let missing = trial.report.documents - field.found;
            output::line(format!("field {}: missing in {} documents", field.name, grouped(missing)))?;
        }
        if let Some(looked) = trial.looked_at_bytes {
            output::line(format!("only the first {} were cut", bytes(looked)))?;
        }
        if let Some(error) = &trial.error {
            output::line(format!("it could be read only up to here: {error}"))?;
        }
        output::line(format!(
            "{} version {} {} the stream",
            trial.report.definition,
            trial.version,
            if trial.fits { "recognises" } else { "does not recognise" }
        ))
    }

    /// Loads an arrival that was let go, and tells what came of it.
    fn load(&self, item: &Item) -> Result<(), Failure> {
        let search = context::open_search(&self.archive, self.context.dir()?)?;
        let backend = ArchiveBackend::new(self.archive.clone(), Arc::new(search));
        // A full disk keeps no command waiting: what cannot be loaded now stays for the next start.
        self.intake.stop();
        self.intake.work_off_one(&Loads(Arc::new(backend)), item.id);
        let item = self.item(item.id)?;
        self.tell(&item)?;
        if item.state == State::Loaded { Ok(()) } else { Err(Failure::reported()) }
    }

    /// Loads everything again that failed, and tells what came of it.
    fn retry_failed(&self) -> Result<(), Failure> {
        let failed = self.intake.list(0, usize::MAX, &[State::Failed])?;
        let count = self.intake.retry_failed(&by())?;
        self.record("intake-retry", &format!("{count} failed arrivals"), "")?;
        self.work_off()?;
        failed.iter().try_for_each(|item| self.tell(&self.item(item.id)?))
    }

    /// Loads what was let go. A full disk keeps no command waiting: what cannot be loaded now stays for the next start.
    fn work_off(&self) -> Result<(), Failure> {
        let search = context::open_search(&self.archive, self.context.dir()?)?;
        let backend = ArchiveBackend::new(self.archive.clone(), Arc::new(search));
        self.intake.stop();
        self.intake.work_off(&Loads(Arc::new(backend)));
        Ok(())
    }

    fn tell(&self, item: &Item) -> Result<(), Failure> {
        if self.context.json {
            return output::json_line(item);
        }
        let load = item.load.map(|load| format!(", load {load}")).unwrap_or_default();
        let why = item.error.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        output::line(format!("arrival {} ({}) is {}{load}{why}", item.id, item.file, item.state.name()))
    }

    fn rules(&self, all: bool) -> Result<(), Failure> {
        let rules = if all { self.intake.rule_versions() } else { self.intake.rules() };
        rules.iter().try_for_each(|rule| self.tell_rule(rule))
    }

    fn rule(&self, rule: Rule) -> Result<(), Failure> {
        let (rule, taken) = self.intake.set_rule(rule)?;
        let what = format!("rule {} version {}", rule.number, rule.version);
        self.record("intake-rule", &what, &rule.to_string())?;
        if taken > 0 {
            self.work_off()?;
        }
        if self.context.json {
            return output::json_line(&json!({ "rule": rule, "taken": taken }));
        }
        self.tell_rule(&rule)?;
        output::line(format!("{} arrivals were taken up by it", grouped(taken as u64)))
    }

    fn switch(&self, queue: &str, switch: &Switch) -> Result<(), Failure> {
        let (now, count) = self.intake.switch(queue, switch, &by())?;
        let why = if count > 0 { format!("{count} arrivals") } else { String::new() };
        self.record("intake-queue", &format!("queue {}: {}", now.queue, switch.name()), &why)?;
        if *switch == Switch::Resume {
            self.work_off()?;
        }
        self.tell_queue(&now)
    }

    fn tell_queue(&self, queue: &Switches) -> Result<(), Failure> {
        if self.context.json {
            return output::json_line(queue);
        }
        let how = match (queue.paused || queue.holds_new, queue.closed) {
            (true, true) => "closed, and what was taken is held",
            (true, false) => "paused: streams are taken and held",
            (false, true) => "closed: nothing is taken",
            (false, false) => "open",
        };
        output::line(format!("queue {} is {how}  {} {}", queue.queue, queue.by, iso(queue.at)))
    }

    fn tell_rule(&self, rule: &Rule) -> Result<(), Failure> {
        if self.context.json {
            return output::json_line(rule);
        }
        let removed = if rule.removed { " (taken back)" } else { "" };
        output::line(format!("{:>4} v{:<3} {rule}{removed}  {} {}", rule.number, rule.version, rule.by, iso(rule.at)))
    }
}
