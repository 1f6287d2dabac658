//! Mail over SMTP (RFC 5321).
//!
//! | what happens | means |
//! |---|---|
//! | 2xx after the final dot | [`Rung::Accepted`]: the next hop took responsibility; nothing is said of the recipient |
//! | 4xx anywhere, no connection, time-out before the final dot | later |
//! | 5xx before the recipient is named (greeting, signing in, `MAIL`) | the channel is out of order |
//! | 5xx to the recipient or the mail | refused |
//! | no answer after the final dot | in doubt |
//!
//! The piece's id is the `Message-ID`, so that a mail that is sent again can be told by its receiver; and, with a
//! `bounce_address`, a part of the envelope sender, so that what comes back can be told here.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::Address as MailAddress;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter, RcptParameter};
use lettre::transport::smtp::response::Response;

use super::{Channel, Composed, Content, Needs, Outcome, Parcel, Rung};
use crate::distribute::config::ChannelConfig;
use crate::distribute::{DistributeError, mail};

/// Longest that one answer may take, unless the configuration says otherwise. RFC 5321 allows more; a queue that stands
/// for ten minutes behind one dead server helps nobody, and the mail is tried again.
const TIMEOUT_S: u64 = 60;
/// Mails over one connection: servers count too.
const MOST_ON_A_CONNECTION: u32 = 100;

enum Tls {
    None,
    Start(TlsParameters),
    Whole(TlsParameters),
}

struct Smtp {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    sender: Mailbox,
    bounces: Option<MailAddress>,
    helo: ClientId,
    attach: bool,
    notices: bool,
    timeout: Duration,
    /// An open connection and how many mails went over it.
    open: Mutex<Option<(Line, u32)>>,
}

/// A connection.
struct Line {
    to_server: SmtpConnection,
    /// The server tells what becomes of mails (RFC 3461).
    tells: bool,
}

/// Opens the channel; no connection is made yet.
pub fn open(config: &ChannelConfig) -> Result<Box<dyn Channel>, DistributeError> {
    if config.host.is_empty() {
        return Err(config.wrong("host", "it is missing"));
    }
    let sender: Mailbox = config.sender.parse().map_err(|error| config.wrong("sender", error))?;
    let bounces = match config.bounce_address.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|error| config.wrong("bounce_address", error))?),
    };
    let (tls, usual) = match config.tls.as_str() {
        "none" => (Tls::None, 25),
        "" | "starttls" => (Tls::Start(parameters(config)?), 587),
        "tls" => (Tls::Whole(parameters(config)?), 465),
        _ => return Err(config.wrong("tls", "it is one of none, starttls, tls")),
    };
    let credentials = match (config.user.as_str(), config.password()?) {
        ("", _) => None,
        (_, None) => return Err(config.wrong("password_file", "a user needs a password_file or password_env")),
        (_, Some(_)) if matches!(tls, Tls::None) && !is_local(&config.host) => {
            return Err(config.wrong("tls", "a password is not sent in the clear"));
        }
        (user, Some(password)) => Some(Credentials::new(user.to_string(), password)),
    };
    Ok(Box::new(Smtp {
        host: config.host.clone(),
        port: if config.port == 0 { usual } else { config.port },
        tls,
        credentials,
        sender,
        bounces,
        helo: if config.helo.is_empty() { ClientId::default() } else { ClientId::Domain(config.helo.clone()) },
        attach: config.attach,
        notices: config.notices,
        timeout: Duration::from_secs(config.timeout_s.unwrap_or(TIMEOUT_S).clamp(1, 600)),
        open: Mutex::new(None),
    }))
}

fn is_local(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "::1")
}

fn parameters(config: &ChannelConfig) -> Result<TlsParameters, DistributeError> {
    let mut builder = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let pem = std::fs::read(path).map_err(|error| config.wrong("ca_file", error))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| config.wrong("ca_file", error))?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(|error| config.wrong("tls", error))
}

impl Channel for Smtp {
    fn needs(&self) -> Needs {
        if self.attach { Needs::Files } else { Needs::Link }
    }

    fn target(&self) -> Rung {
        Rung::Accepted
    }

    fn repeatable(&self) -> bool {
        false
    }

    fn compose(&self, content: &Content) -> Result<Composed, DistributeError> {
        let bytes = mail::compose(&self.sender, content)?;
        Ok(Composed { name: format!("{}.eml", content.id), bytes })
    }

    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        let to: MailAddress = match parcel.to.trim().parse() {
            Ok(address) => address,
            Err(error) => return Outcome::Refused(format!("{:?} is no mail address: {error}", parcel.to)),
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = open.take().filter(|(line, used)| !line.to_server.has_broken() && *used < MOST_ON_A_CONNECTION);
        // The server may have closed it since.
        if let Some((line, _)) = &mut kept
            && line.to_server.command(Rset).is_err()
        {
            kept = None;
        }
        let (mut line, used) = match kept {
            Some(kept) => kept,
            None => match self.connect() {
                Ok(line) => (line, 0),
                Err(outcome) => return outcome,
            },
        };
        let outcome = self.hand(&mut line, parcel, to);
        if !line.to_server.has_broken() && !matches!(outcome, Outcome::InDoubt(_)) {
            *open = Some((line, used + 1));
        }
        outcome
    }
}

impl Smtp {
    /// A connection that is ready for mail.
    fn connect(&self) -> Result<Line, Outcome> {
        let whole = if let Tls::Whole(parameters) = &self.tls { Some(parameters) } else { None };
        let server = (self.host.as_str(), self.port);
        let connected = SmtpConnection::connect(server, Some(self.timeout), &self.helo, whole, None);
        let mut connection = connected.map_err(|error| before_the_mail(&error))?;
        if let Tls::Start(parameters) = &self.tls {
            if !connection.can_starttls() {
                connection.abort();
                return Err(Outcome::OutOfOrder("the server offers no STARTTLS".into()));
            }
            connection.starttls(parameters, &self.helo).map_err(|error| before_the_mail(&error))?;
        }
        if let Some(credentials) = &self.credentials
            && let Err(error) = connection.auth(DEFAULT_MECHANISMS, credentials)
        {
            connection.abort();
            // A wrong password is put right by an operator; the mail is not to blame.
            let said = format!("signing in: {}", words(&error));
            return Err(if error.is_permanent() { Outcome::OutOfOrder(said) } else { Outcome::Later(said) });
        }
        let tells = self.notices && self.offers_notices(&mut connection)?;
        Ok(Line { to_server: connection, tells })
    }

    /// Whether the server names DSN among what it can: others refuse mails that ask for notices.
    fn offers_notices(&self, connection: &mut SmtpConnection) -> Result<bool, Outcome> {
        let answer = connection.command(Ehlo::new(self.helo.clone())).map_err(|error| before_the_mail(&error))?;
        let is_dsn = |line: &str| line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("DSN"));
        Ok(answer.message().any(is_dsn))
    }

    fn hand(&self, line: &mut Line, parcel: &Parcel<'_>, to: MailAddress) -> Outcome {
        let (connection, tells) = (&mut line.to_server, line.tells);
        let mut options = Vec::new();
        if !to.to_string().is_ascii() {
            if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Outcome::Refused("the address is not ASCII and the server has no SMTPUTF8".into());
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        if connection.server_info().supports_feature(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let other = |keyword: &str, value: &str| (keyword.to_string(), Some(value.to_string()));
        let mut asked = Vec::new();
        if tells {
            for (keyword, value) in [other("RET", "HDRS"), other("ENVID", parcel.id)] {
                options.push(MailParameter::Other { keyword, value });
            }
            let (keyword, value) = other("NOTIFY", "SUCCESS,FAILURE,DELAY");
            asked.push(RcptParameter::Other { keyword, value });
        }
        if let Err(error) = connection.command(Mail::new(Some(self.envelope(parcel.id)), options)) {
            failed(connection, &error);
            return before_the_mail(&error);
        }
        if let Err(error) = connection.command(Rcpt::new(to, asked)) {
            return failed(connection, &error);
        }
        if let Err(error) = connection.command(Data) {
            return failed(connection, &error);
        }
        let sent = match std::str::from_utf8(parcel.bytes) {
            Ok(text) => connection.command(Whole(text)),
            Err(_) => connection.message(parcel.bytes),
        };
        match sent {
            Ok(response) => Outcome::Taken { rung: Rung::Accepted, said: in_a_line(&response) },
            // It was refused with a code: nothing is in doubt.
            Err(error) if error.status().is_some() => failed(connection, &error),
            Err(error) => {
                let said = format!("no answer after the last byte: {}", words(&error));
                connection.abort();
                Outcome::InDoubt(said)
            }
        }
    }

    /// The envelope sender: with the piece's id in it when bounces are read back (VERP).
    fn envelope(&self, id: &str) -> MailAddress {
        let Some(bounces) = &self.bounces else { return self.sender.email.clone() };
        MailAddress::new(format!("{}+{id}", bounces.user()), bounces.domain()).unwrap_or_else(|_| bounces.clone())
    }
}

/// A mail with its final dot, in one write: two would wait for each other (Nagle's algorithm and the delayed
/// acknowledgement), 40 ms for each mail. Lines that begin with a dot get another (RFC 5321, 4.5.2).
struct Whole<'m>(&'m str);

impl std::fmt::Display for Whole<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.starts_with('.') {
            f.write_str(".")?;
        }
        f.write_str(&self.0.replace("\r\n.", "\r\n.."))?;
        f.write_str(if self.0.ends_with("\r\n") { ".\r\n" } else { "\r\n.\r\n" })
    }
}

/// What an error before the final dot means; the connection stays when the server answered.
fn failed(connection: &mut SmtpConnection, error: &lettre::transport::smtp::Error) -> Outcome {
    if error.status().is_none() {
        connection.abort();
    }
    told(error)
}

/// What an error means that came before the recipient was named: it is about us and the server, not about the piece.
fn before_the_mail(error: &lettre::transport::smtp::Error) -> Outcome {
    if error.is_permanent() { Outcome::OutOfOrder(words(error)) } else { Outcome::Later(words(error)) }
}

fn told(error: &lettre::transport::smtp::Error) -> Outcome {
    if error.is_permanent() { Outcome::Refused(words(error)) } else { Outcome::Later(words(error)) }
}

/// An error in one line, with its code and cause.
fn words(error: &lettre::transport::smtp::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let kind = inner.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        if matches!(kind, Some(std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)) {
            return "it took too long".into();
        }
        if !text.contains(&inner.to_string()) {
            text = format!("{text}: {inner}");
        }
        cause = inner.source();
    }
    text
}

fn in_a_line(response: &Response) -> String {
    let lines: Vec<&str> = response.message().collect();
    format!("{} {}", response.code(), lines.join(" "))
}

#[cfg(test)]
mod tests {
    use super::Whole;

    #[test]
    fn dots_at_the_beginning_of_lines_are_doubled_and_the_last_one_stands_alone() {
        assert_eq!(Whole(".a\r\n.b\r\n..\r\nc.d").to_string(), "..a\r\n..b\r\n...\r\nc.d\r\n.\r\n");
        assert_eq!(Whole("a\r\n").to_string(), "a\r\n.\r\n");
    }
}
