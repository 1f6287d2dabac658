//! The customer's box in the portal: the document is there as soon as it is archived; a mail tells of it, to customers who
//! want notices. The keys of the mail server are those of [`super::smtp`].

use super::{Channel, Composed, Content, Needs, Outcome, Parcel, Rung, smtp};
use crate::distribute::DistributeError;
use crate::distribute::config::ChannelConfig;

struct Portal {
    mail: Option<Box<dyn Channel>>,
}

/// Opens the channel; without a `host` nobody is told.
pub fn open(config: &ChannelConfig) -> Result<Box<dyn Channel>, DistributeError> {
    let mail = if config.host.is_empty() { None } else { Some(smtp::open(config)?) };
    Ok(Box::new(Portal { mail }))
}

impl Channel for Portal {
    fn needs(&self) -> Needs {
        Needs::Mention
    }

    fn target(&self) -> Rung {
        Rung::Accepted
    }

    fn repeatable(&self) -> bool {
        self.mail.is_none()
    }

    fn compose(&self, content: &Content) -> Result<Composed, DistributeError> {
        match &self.mail {
            Some(mail) if !content.to.is_empty() => mail.compose(content),
            _ => Ok(Composed { name: String::new(), bytes: Vec::new() }),
        }
    }

    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome {
        match &self.mail {
            Some(mail) if !parcel.to.is_empty() => mail.deliver(parcel),
            _ => {
                let why =
                    if parcel.to.is_empty() { "no notice is wanted" } else { "the channel has no host to tell it" };
                Outcome::Taken { rung: Rung::Completed, said: format!("it is in the portal; {why}") }
            }
        }
    }
}
