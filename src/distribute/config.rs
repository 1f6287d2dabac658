//! The configuration of what goes out: `distribution.toml` in the archive's folder.
//!
//! It is read when the server starts and again whenever the file changes. Unknown keys are errors with line and column.
//! Secrets stand in files or in the environment, never in it. Described in `docs/distribution.md`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

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
    /// The channels by name.
    pub channel: BTreeMap<String, ChannelConfig>,
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
    /// The name that this machine calls itself.
    pub helo: String,
    /// Mails carry the documents instead of a link.
    pub attach: bool,
    /// Longest that one answer may take.
    pub timeout_s: Option<u64>,
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
        Ok(config)
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

    /// Where a channel finds its recipients.
    pub fn address_of(&self, channel: &str) -> Option<Address> {
        channel::kind(&self.channel.get(channel)?.kind).map(|kind| kind.address)
    }
}

impl ChannelConfig {
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

    /// An error in this channel's table.
    pub fn wrong(&self, key: &str, problem: impl std::fmt::Display) -> DistributeError {
        wrong(format!("channel.{}.{key}: {problem}", self.name))
    }
}

/// An error in the file.
pub(super) fn wrong(problem: impl Into<String>) -> DistributeError {
    DistributeError::Config { file: FILE.into(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_says_where_it_stands() {
        let error = Config::parse("public_url = \"https://x.example\"\n[channel.mail]\nkind = \"smtp\"\nprot = 25\n");
        let text = error.expect_err("refused").to_string();
        assert!(text.contains("line 4") && text.contains("prot"), "{text}");
        assert!(Config::parse("[channel.x]\nkind = \"pigeon\"\n").is_err());
        assert!(Config::parse("copies = \"mail\"\n").is_err());
        let config = Config::parse("[channel.mail]\nkind = \"smtp\"\n").expect("read");
        assert_eq!(config.copies_channel().map(|channel| channel.name.as_str()), Some("mail"));
        assert_eq!(config.link_life_s(), 14 * 86_400);
    }
}
