//! The configuration of what goes out: `distribution.toml` in the archive's folder.
//!
//! It is read when the server starts and again whenever the file changes. Unknown keys are errors with line and column.
//! Secrets stand in files or in the environment, never in it. Described in `docs/distribution.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::DistributeError;
use super::channel::{self, Address};

/// Name of the file.
pub const FILE: &str = "distribution.toml";

/// Everything that is said.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of this server as customers see it; links start with it.
    pub public_url: String,
    /// How long links show their document.
    pub link_days: Option<u32>,
    /// Seconds to wait after the first attempt, the second and so on; the last counts for all that follow.
    pub retry_s: Vec<u32>,
    /// The channel for copies that agents send; without it the first that sends mail.
    pub copies: Option<String>,
    /// The Maildir that mails to the channels' `bounce_address` end in; they are read and noted.
    pub returned_mail: Option<PathBuf>,
    /// Time zone of times of day, such as `Europe/Zurich`; without it UTC.
    pub zone: String,
    /// Days without runs, such as `2026-12-25`.
    pub holidays: Vec<String>,
    /// Who gets what when.
    #[serde(rename = "distribution")]
    pub distributions: Vec<Distribution>,
    /// The channels by name.
    pub channel: BTreeMap<String, ChannelConfig>,
}

/// When a distribution runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// For each load, as soon as it is there.
    #[default]
    Load,
    /// When loads of all its definitions are there; at the deadline `at` without those that are missing.
    Parts,
    /// At a time of day, for the loads since the last time.
    Time,
    /// When somebody says so.
    Trigger,
}

/// What is done with pieces whose answer was lost, where the channel cannot tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InDoubt {
    /// They are sent again, as the same mail.
    #[default]
    Resend,
    /// Somebody decides (`replay`).
    Ask,
}

/// A distribution: who gets which documents, when, how and by which channels.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Distribution {
    /// Its name.
    pub name: String,
    /// The reports whose documents go out; none: all.
    pub definitions: Vec<String>,
    /// Only documents for which this holds (a data policy's rule, such as `kind in bill and amount >= 10`).
    #[serde(rename = "where")]
    pub rule: String,
    /// When it runs.
    pub when: When,
    /// Loads from this day on, such as `2026-12-01`; without it, those that come after the rule was first seen.
    pub since: String,
    /// Time of day, such as `18:00`.
    pub at: String,
    /// Days of the week (`mon` ... `sun`); none: every day.
    pub days: Vec<String>,
    /// The channels in order: the first that reaches the customer as they wish is taken, the next when it fails.
    pub channels: Vec<String>,
    /// Kinds of documents that always go on paper too.
    pub always_paper: Vec<String>,
    /// All documents of an account in a run are one piece.
    pub bundle: bool,
    /// All documents of a run with the same value of this field are one piece, for the recipient of that value.
    pub burst: String,
    /// Documents are taken apart: each page goes to the recipient of the value on it.
    pub burst_pages: bool,
    /// Language of covers and mails to those whose own is not known: `zh-CN`; empty is English.
    pub language: String,
    /// Who gets the documents with a value of the `burst` field; `*` stands for every other value, also for none.
    pub recipients: BTreeMap<String, String>,
    /// What goes as files or attachments is one PDF, with a cover (a banner, of a single document) that lists what is in it.
    pub cover: bool,
    /// Pages of each document, such as `1-2`; empty: all.
    pub pages: String,
    /// The rendition that channels carry.
    pub format: String,
    /// Somebody must release each run.
    pub hold: bool,
    /// What is done with pieces in doubt.
    pub in_doubt: InDoubt,
    /// Attempts before a piece is given up.
    pub attempts: Option<u32>,
    /// Hours after which a run that balances is closed by itself; none: five days, as long as mail servers try.
    pub close_after_h: Option<u32>,
    /// Somebody closes each run, also one that balances.
    pub close_by_hand: bool,
}

/// A channel. Which keys count depends on its kind.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChannelConfig {
    /// Its name; the key of its table.
    #[serde(skip)]
    pub name: String,
    /// One of [`channel::KINDS`].
    pub kind: String,
    /// Host name or address.
    pub host: String,
    /// Port; 0 for the usual one.
    pub port: u16,
    /// `none`, `starttls` or `tls`.
    pub tls: String,
    /// Certificates (PEM) of authorities to trust instead of the well-known ones.
    pub ca_file: Option<PathBuf>,
    /// Who to sign in as.
    pub user: String,
    /// File with the password.
    pub password_file: Option<PathBuf>,
    /// Environment variable with the password.
    pub password_env: Option<String>,
    /// From whom mails come: `Name <address>`.
    pub sender: String,
    /// Where undeliverable mails go; the piece's id is added before the `@`.
    pub bounce_address: String,
    /// Ask for notices of what became of each mail (for servers with DSN, RFC 3461).
    pub notices: bool,
    /// The name that this machine calls itself.
    pub helo: String,
    /// Mails carry the documents instead of a link.
    pub attach: bool,
    /// Longest that one answer may take.
    pub timeout_s: Option<u64>,
    /// One address for all pieces (smtp): a print room, another organisation.
    pub to: String,
    /// Folder that files go to.
    pub path: PathBuf,
    /// Private key to sign in with (sftp).
    pub key_file: Option<PathBuf>,
    /// The keys that the server may have (sftp), as `ssh-keyscan` prints them and somebody checked them.
    pub known_hosts: Option<PathBuf>,
    /// Bucket (s3).
    pub bucket: String,
    /// Region (s3); empty: `us-east-1`.
    pub region: String,
    /// Queue (lpd).
    pub queue: String,
    /// What goes there comes out on paper.
    pub paper: bool,
    /// Address that events go to.
    pub url: String,
    /// File with the secret (`whsec_...`) that events are signed with.
    pub secret_file: Option<PathBuf>,
    /// Events may go to addresses of the own network.
    pub private: bool,
    /// Hosts, addresses and networks of the own network that events may go to (webhook).
    pub allow: Vec<String>,
}

/// Hours after which a run that balances is closed: mails come back for five days.
const CLOSE_AFTER_H: u32 = 120;

impl Distribution {
    /// Seconds after which a run that balances is closed by itself; `None`: somebody does it.
    pub fn closes_after_s(&self) -> Option<i64> {
        (!self.close_by_hand).then(|| i64::from(self.close_after_h.unwrap_or(CLOSE_AFTER_H)) * 3_600)
    }

    /// First and last page of each document, from 1.
    pub fn page_range(&self) -> Option<(u32, u32)> {
        let (first, last) = self.pages.split_once('-')?;
        let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        (first >= 1 && first <= last).then_some((first, last))
    }
}

impl Config {
    /// Reads the file of an archive; without one nothing is sent.
    pub fn read(folder: &Path) -> Result<Config, DistributeError> {
        let path = folder.join(FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Config::parse(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Config::default()),
            Err(error) => Err(wrong(error.to_string())),
        }
    }

    /// Seconds after which a run that balances is closed by itself; `None`: somebody does it. Runs of rules that there are not
    /// any more are closed like others.
    pub fn closes_after_s(&self, run: &super::ledger::Run) -> Option<i64> {
        self.distribution(&run.distribution)
            .map_or_else(|| Distribution::default().closes_after_s(), Distribution::closes_after_s)
    }

    /// Reads and checks a text.
    pub fn parse(text: &str) -> Result<Config, DistributeError> {
        let mut config: Config = toml::from_str(text).map_err(|error| wrong(error.to_string().trim().to_string()))?;
        for (name, channel) in &mut config.channel {
            channel.name.clone_from(name);
            if channel::kind(&channel.kind).is_none() {
                let known: Vec<&str> = channel::KINDS.iter().map(|kind| kind.name).collect();
                let kind = &channel.kind;
                return Err(wrong(format!("channel.{name}.kind: {kind:?} is none of {}", known.join(", "))));
            }
        }
        if let Some(copies) = &config.copies
            && config.address_of(copies) != Some(Address::Email)
        {
            return Err(wrong(format!("copies: {copies:?} is no channel that sends mail")));
        }
        let url = &config.public_url;
        if !(url.is_empty() || url.starts_with("https://") || url.starts_with("http://")) || url.ends_with('/') {
            return Err(wrong("public_url: it is like https://bills.example.com, without a slash at its end"));
        }
        if config.link_days.is_some_and(|days| !(1..=90).contains(&days)) {
            return Err(wrong("link_days: 1 to 90"));
        }
        super::calendar::Calendar::of(&config)?;
        config.channel.values().try_for_each(ChannelConfig::check)?;
        for at in 0..config.distributions.len() {
            config.check_distribution(at)?;
        }
        Ok(config)
    }

    fn check_distribution(&self, at: usize) -> Result<(), DistributeError> {
        let Some(rule) = self.distributions.get(at) else { return Ok(()) };
        let name = &rule.name;
        let bad = |key: &str, problem: &str| Err(wrong(format!("distribution {name:?}: {key}: {problem}")));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            return bad("name", "lower case letters, digits and -");
        }
        if self.distributions.iter().take(at).any(|other| other.name == *name) {
            return bad("name", "it is there twice");
        }
        if rule.channels.is_empty() {
            return bad("channels", "name at least one");
        }
        if let Some(unknown) = rule.channels.iter().find(|channel| !self.channel.contains_key(*channel)) {
            return bad("channels", &format!("there is no channel {unknown:?}"));
        }
        if !rule.rule.is_empty()
            && let Err(error) = crate::auth::predicate::Rule::parse(&rule.rule)
        {
            return bad("where", &error.to_string());
        }
        if rule.when == When::Parts && rule.definitions.len() < 2 {
            return bad("definitions", "a run of parts names two reports at least");
        }
        if !rule.burst.is_empty() && rule.bundle {
            return bad("burst", "pieces are made by account (bundle) or by field (burst), not both");
        }
        if rule.burst.is_empty() && !rule.recipients.is_empty() {
            return bad("recipients", "they are for the values of a field: burst names it");
        }
        if rule.cover && !matches!(rule.format.as_str(), "" | "pdf") {
            return bad("cover", "covers are for PDFs");
        }
        if !rule.pages.is_empty() && rule.page_range().is_none() {
            return bad("pages", "a range such as 1-2");
        }
        let some = rule.burst_pages || !rule.pages.is_empty();
        if some && !matches!(rule.format.as_str(), "" | "pdf" | "text" | "html") {
            return bad("format", "some pages of a document go as pdf, text or html; other forms tell of all of it");
        }
        if rule.burst_pages && (rule.burst.is_empty() || !rule.pages.is_empty()) {
            return bad("burst_pages", "burst names the field that is looked for on each page, and pages is not there");
        }
        if some && let Some(name) = rule.channels.iter().find(|name| self.shows_whole(name)) {
            return bad(
                "channels",
                &format!("{name:?} leads to whole documents: a mail with some pages has attach = true"),
            );
        }
        if !matches!(rule.language.as_str(), "" | "en" | "zh" | "zh-CN") {
            return bad("language", "it is one of en, zh-CN");
        }
        if !rule.format.is_empty() && !crate::view::View::formats().any(|known| known.name == rule.format) {
            let known: Vec<&str> = crate::view::View::formats().map(|known| known.name).collect();
            return bad("format", &format!("{:?} is none of {}", rule.format, known.join(", ")));
        }
        let mails = rule.channels.iter().any(|name| self.address_of(name) == Some(Address::Email));
        let wrong_one = rule.recipients.iter().find(|(_, to)| mails && !is_mail_address(to));
        if let Some((value, to)) = wrong_one {
            return bad("recipients", &format!("{to:?} of {value:?} is no mail address"));
        }
        let has_times = !rule.at.is_empty() || !rule.days.is_empty();
        if has_times && !matches!(rule.when, When::Time | When::Parts) {
            return bad("at", "times and days are for when = \"time\" or \"parts\"");
        }
        if rule.attempts == Some(0) {
            return bad("attempts", "one at least");
        }
        let needs_time = rule.when == When::Time || !rule.at.is_empty();
        if needs_time && super::calendar::time_of_day(&rule.at).is_none() {
            return bad("at", "a time of day such as 18:00");
        }
        if !rule.since.is_empty() && rule.since.parse::<jiff::civil::Date>().is_err() {
            return bad("since", "a day such as 2026-12-01");
        }
        match rule.days.iter().find(|day| super::calendar::weekday(day).is_none()) {
            Some(day) => bad("days", &format!("{day:?} is none of mon, tue, wed, thu, fri, sat, sun")),
            None => Ok(()),
        }
    }

    /// Checks what a rule names against the reports that there are: a report or field of another name would send nothing,
    /// and look as if all was sent.
    pub fn check_names(rule: &Distribution, reports: &[(String, Vec<String>)]) -> Result<(), DistributeError> {
        let bad = |key: &str, problem: String| Err(wrong(format!("distribution {:?}: {key}: {problem}", rule.name)));
        let is_known = |name: &String| reports.iter().any(|(known, _)| known == name);
        if let Some(unknown) = rule.definitions.iter().find(|name| !is_known(name)) {
            return bad("definitions", format!("there is no report definition {unknown:?}"));
        }
        let of_rule = |name: &String| rule.definitions.is_empty() || rule.definitions.contains(name);
        let fields: Vec<String> =
            reports.iter().filter(|(name, _)| of_rule(name)).flat_map(|(_, fields)| fields.clone()).collect();
        if !rule.rule.is_empty() {
            let parsed = crate::auth::predicate::Rule::parse(&rule.rule);
            let unknown = parsed.map(|parsed| parsed.unknown_fields(&fields)).unwrap_or_default();
            if let Some(unknown) = unknown.first() {
                return bad("where", format!("none of its reports has a field {unknown:?}"));
            }
        }
        if !rule.burst.is_empty() && !fields.contains(&rule.burst) {
            return bad("burst", format!("none of its reports has a field {:?}", rule.burst));
        }
        Ok(())
    }

    /// Adds the rules that a report definition brings along; those that are wrong are left out and told.
    pub fn add_rules(&mut self, definition: &str, source: &str) -> Vec<DistributeError> {
        let rules = match rules_of(definition, source) {
            Ok(rules) => rules,
            Err(error) => return vec![error],
        };
        let mut told = Vec::new();
        for rule in rules {
            self.distributions.push(rule);
            if let Err(error) = self.check_distribution(self.distributions.len() - 1) {
                self.distributions.pop();
                let problem = match error {
                    DistributeError::Config { problem, .. } => problem,
                    other => other.to_string(),
                };
                told.push(DistributeError::Config { file: format!("the definition {definition}"), problem });
            }
        }
        told
    }

    /// The distribution of this name.
    pub fn distribution(&self, name: &str) -> Option<&Distribution> {
        self.distributions.iter().find(|known| known.name == name)
    }

    /// The channel that sends copies.
    pub fn copies_channel(&self) -> Option<&ChannelConfig> {
        match &self.copies {
            Some(name) => self.channel.get(name),
            None => self.channel.values().find(|channel| self.address_of(&channel.name) == Some(Address::Email)),
        }
    }

    /// How long to wait after so many attempts, in seconds.
    pub fn wait_s(&self, attempts: usize) -> i64 {
        let usual: &[u32] = &[60, 300, 900, 3_600, 10_800, 21_600, 43_200];
        let waits = if self.retry_s.is_empty() { usual } else { &self.retry_s };
        waits.get(attempts.saturating_sub(1)).or(waits.last()).map_or(3_600, |wait| i64::from(*wait))
    }

    /// How long links live, in seconds.
    pub fn link_life_s(&self) -> i64 {
        i64::from(self.link_days.unwrap_or(14)) * 86_400
    }

    /// Whether pieces of a channel can be sent to another address.
    pub fn takes_address(&self, channel: &str) -> bool {
        self.channel.get(channel).is_some_and(|channel| matches!(channel.kind.as_str(), "smtp" | "portal"))
    }

    /// Whether a piece of a channel can go to an address; the text says why not.
    pub fn check_address(&self, channel: &str, to: &str) -> Result<(), DistributeError> {
        if !self.takes_address(channel) {
            return Err(DistributeError::State(format!("{channel} sends to one place only")));
        }
        if !to.trim().is_empty() && !is_mail_address(to) {
            return Err(DistributeError::Value(format!("to: {to:?} is no mail address")));
        }
        Ok(())
    }

    /// Whether a channel shows the documents where they are instead of carrying them.
    fn shows_whole(&self, channel: &str) -> bool {
        self.channel
            .get(channel)
            .is_some_and(|channel| channel.kind == "portal" || (channel.kind == "smtp" && !channel.attach))
    }

    /// Whether a channel takes one file for each piece.
    pub fn takes_one_file(&self, channel: &str) -> bool {
        let kind = self.channel.get(channel).map_or("", |channel| channel.kind.as_str());
        matches!(kind, "folder" | "sftp" | "s3" | "lpd" | "ipp")
    }

    /// A rule whose mails lead by a link where there is no address for it: its pieces wait.
    pub fn links_nowhere(&self) -> Option<DistributeError> {
        if !self.public_url.is_empty() {
            return None;
        }
        let by_link =
            |name: &String| self.channel.get(name).is_some_and(|channel| channel.kind == "smtp" && !channel.attach);
        let rule = self.distributions.iter().find(|rule| rule.channels.iter().any(by_link))?;
        Some(wrong(format!("distribution {:?}: its mails have a link, and public_url is missing", rule.name)))
    }

    /// Where a channel finds its recipients.
    pub fn address_of(&self, channel: &str) -> Option<Address> {
        let channel = self.channel.get(channel)?;
        if channel.paper {
            return Some(Address::Paper);
        }
        if !channel.to.is_empty() {
            return Some(Address::Fixed);
        }
        channel::kind(&channel.kind).map(|kind| kind.address)
    }
}

/// Whether mail can go there: `meier@bank.example` or `Meier <meier@bank.example>`.
fn is_mail_address(text: &str) -> bool {
    text.trim().parse::<lettre::message::Mailbox>().is_ok()
}

impl ChannelConfig {
    /// What can be told without opening the channel: addresses, and keys without which its kind cannot be.
    fn check(&self) -> Result<(), DistributeError> {
        let missing = |key: &str| Err(self.wrong(key, "it is missing"));
        let mails = self.kind == "smtp" || (self.kind == "portal" && !self.host.is_empty());
        match self.kind.as_str() {
            "smtp" | "sftp" | "lpd" if self.host.is_empty() => return missing("host"),
            "s3" | "ipp" | "webhook" if self.url.is_empty() => return missing("url"),
            "s3" if self.bucket.is_empty() => return missing("bucket"),
            _ => {}
        }
        if !mails {
            return Ok(());
        }
        if !matches!(self.tls.as_str(), "" | "none" | "starttls" | "tls") {
            return Err(self.wrong("tls", "it is one of none, starttls, tls"));
        }
        let addresses = [("sender", &self.sender), ("bounce_address", &self.bounce_address), ("to", &self.to)];
        for (key, text) in addresses {
            let may_be_empty = key != "sender";
            if !(is_mail_address(text) || text.is_empty() && may_be_empty) {
                return Err(self.wrong(key, format!("{text:?} is no mail address")));
            }
        }
        Ok(())
    }

    /// The password, if there is to be one.
    pub fn password(&self) -> Result<Option<String>, DistributeError> {
        if let Some(path) = &self.password_file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| wrong(format!("channel.{}.password_file: {error}", self.name)))?;
            return Ok(Some(text.trim_end_matches(['\r', '\n']).to_string()));
        }
        let Some(name) = &self.password_env else { return Ok(None) };
        let value = std::env::var(name);
        value.map(Some).map_err(|_| wrong(format!("channel.{}.password_env: {name} is not set", self.name)))
    }

    /// The files beside the configuration that the channel reads when it is opened: passwords, keys, certificates.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let all = [&self.ca_file, &self.password_file, &self.key_file, &self.known_hosts, &self.secret_file];
        all.into_iter().flatten().map(PathBuf::as_path)
    }

    /// An error in this channel's table.
    pub fn wrong(&self, key: &str, problem: impl std::fmt::Display) -> DistributeError {
        wrong(format!("channel.{}.{key}: {problem}", self.name))
    }
}

/// The rules (`[[distribution]]`) in the text of a report definition: their keys are those of `distribution.toml`, their
/// names begin with that of the definition, and without `definitions` they are for its documents. The channels that they
/// name are those of the archive and not looked at here.
pub fn rules_of(definition: &str, source: &str) -> Result<Vec<Distribution>, DistributeError> {
    #[derive(Deserialize)]
    struct InDefinition {
        #[serde(default, rename = "distribution")]
        rules: Vec<Distribution>,
    }
    let file = || format!("the definition {definition}");
    let read: Result<InDefinition, _> = toml::from_str(source);
    let mut rules = read
        .map_err(|error| DistributeError::Config { file: file(), problem: error.to_string().trim().to_string() })?
        .rules;
    for rule in &mut rules {
        if rule.definitions.is_empty() {
            rule.definitions.push(definition.to_string());
        }
        if !rule.definitions.iter().any(|name| name == definition) {
            let problem = format!("distribution {:?}: definitions: {definition} is missing", rule.name);
            return Err(DistributeError::Config { file: file(), problem });
        }
        rule.name = format!("{definition}-{}", rule.name);
    }
    Ok(rules)
}

/// An error in the file.
pub(super) fn wrong(problem: impl Into<String>) -> DistributeError {
    DistributeError::Config { file: FILE.into(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_brings_its_rules_and_a_wrong_one_is_told_and_left_out() {
        let mut config = Config::parse("[channel.press]\nkind = \"folder\"\n").expect("right");
        let rule = |name: &str, channel: &str| {
            format!("[[distribution]]\nname = \"{name}\"\nchannels = [\"{channel}\"]\nburst = \"branch\"\n")
        };
        let source = format!("name = \"sales\"\n{}{}", rule("day", "press"), rule("night", "gone"));
        let told = config.add_rules("sales", &source);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].to_string().starts_with("the definition sales: distribution \"sales-night\": channels:"),
            "{}",
            told[0]
        );
        let kept = config.distribution("sales-day").expect("there");
        assert_eq!(kept.definitions, ["sales"]);
        assert_eq!(config.add_rules("sales", "[[distribution]]\nnmae = \"x\"\n").len(), 1, "an unknown key");
        let others = "[[distribution]]\nname = \"x\"\ndefinitions = [\"other\"]\nchannels = [\"press\"]\n";
        assert!(rules_of("sales", others).is_err(), "a definition speaks for itself");
        for wrong in ["burst = \"b\"\nbundle = true", "[distribution.recipients]\na = \"b\""] {
            let text = format!(
                "[channel.c]\nkind = \"folder\"\n[[distribution]]\nname = \"r\"\nchannels = [\"c\"]\n{wrong}\n"
            );
            assert!(Config::parse(&text).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_could_never_be_sent_is_an_error_of_the_configuration() {
        let mail = "[channel.m]\nkind = \"smtp\"\nhost = \"h\"\nsender = \"a@lakes.example\"\n";
        let rule = |more: &str| format!("[[distribution]]\nname = \"r\"\nchannels = [\"m\"]\n{more}\n{mail}");
        assert!(Config::parse(&rule("")).is_ok());
        for (text, told) in [
            (rule("format = \"pfd\""), "format: \"pfd\" is none of"),
            (rule("when = \"time\"\nat = \"25:99\""), "at: a time of day"),
            (rule("at = \"18:00\""), "at: times and days are for"),
            (
                rule("burst = \"b\"\n[distribution.recipients]\n\"0012\" = \"nobody\""),
                "\"nobody\" of \"0012\" is no mail address",
            ),
            (mail.replace("host = \"h\"\n", ""), "channel.m.host: it is missing"),
            (mail.replace("a@lakes.example", "lakes"), "channel.m.sender: \"lakes\" is no mail address"),
            (format!("{mail}to = \"room 7\"\n"), "channel.m.to: \"room 7\" is no mail address"),
            ("[channel.l]\nkind = \"lpd\"\n".into(), "channel.l.host: it is missing"),
            ("[channel.w]\nkind = \"webhook\"\n".into(), "channel.w.url: it is missing"),
        ] {
            let said = Config::parse(&text).expect_err(told).to_string();
            assert!(said.contains(told), "{told}: {said}");
        }
    }

    #[test]
    fn an_unknown_key_says_where_it_stands() {
        let error = Config::parse("public_url = \"https://x.example\"\n[channel.mail]\nkind = \"smtp\"\nprot = 25\n");
        let text = error.expect_err("refused").to_string();
        assert!(text.contains("line 4") && text.contains("prot"), "{text}");
        assert!(Config::parse("[channel.x]\nkind = \"pigeon\"\n").is_err());
        assert!(Config::parse("copies = \"mail\"\n").is_err());
        let mail = "[channel.mail]\nkind = \"smtp\"\nhost = \"mail.example.com\"\nsender = \"a@lakes.example\"\n";
        let config = Config::parse(mail).expect("read");
        assert_eq!(config.copies_channel().map(|channel| channel.name.as_str()), Some("mail"));
        assert_eq!(config.link_life_s(), 14 * 86_400);
    }
}
