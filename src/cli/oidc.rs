//! `greenbar oidc`: signing in through an OpenID Connect provider.

use std::io;
use std::path::PathBuf;

use serde_json::json;

use super::context::{Context, gate, operator};
use super::failure::{Failure, chain};
use super::output;
use super::user::known_role;
use crate::auth::directory::Directory;
use crate::auth::oidc::{Oidc, Settings};

/// Sets, shows, tries and removes the provider (authorization code with PKCE). The address to register there is
/// BASE_URL/oidc/callback.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Set the provider
    Set(Set),
    /// What is set
    Show,
    /// Ask the provider who it is, and for its keys
    Check,
    /// Take the provider out
    Remove,
}

#[derive(Debug, clap::Args)]
struct Set {
    /// The issuer, exactly as its tokens name it
    #[arg(long)]
    issuer: String,
    /// The id that greenbar has there
    #[arg(long)]
    client_id: String,
    /// Read greenbar's secret there from standard input; without it, a public client
    #[arg(long)]
    client_secret_stdin: bool,
    /// Address of this server as browsers see it
    #[arg(long)]
    base_url: String,
    /// The claim that is the user's name here
    #[arg(long, default_value = "preferred_username")]
    user_claim: String,
    /// A scope to ask for besides openid; may be given several times
    #[arg(long = "scope", default_value = "profile")]
    scopes: Vec<String>,
    /// Make users at their first sign-in, with this role; without it they must be there
    #[arg(long, value_name = "ROLE")]
    create_role: Option<String>,
    /// Certificates (PEM) of authorities to trust instead of the well-known ones
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Args {
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        let archive = context.open()?;
        let engine = archive.engine();
        let record = |what: &str| gate(&archive).record(&operator(), "provider", what, "");
        match self.action {
            Action::Set(set) => {
                if let Some(role) = &set.create_role {
                    known_role(&Directory::new(engine.clone()), role)?;
                }
                record(&set.issuer)?;
                let settings = set.settings()?;
                settings.write(&*engine)?;
                told(context, &settings)
            }
            Action::Show => match Settings::read(&*engine)? {
                Some(settings) => told(context, &settings),
                None => Err(Failure::new("no provider is set")),
            },
            Action::Check => {
                let said =
                    Oidc::new(engine, Default::default()).check().map_err(|error| Failure::new(chain(&error)))?;
                output::line(said)
            }
            Action::Remove => {
                record("removed")?;
                Ok(Settings::remove(&*engine)?)
            }
        }
    }
}

impl Set {
    fn settings(self) -> Result<Settings, Failure> {
        let mut secret = None;
        if self.client_secret_stdin {
            let mut line = String::new();
            io::stdin().read_line(&mut line)?;
            secret = Some(line.trim_end_matches(['\r', '\n']).to_string());
        }
        let ca_pem = self.ca.map(std::fs::read_to_string).transpose()?;
        Ok(Settings {
            issuer: self.issuer,
            client_id: self.client_id,
            client_secret: secret,
            base_url: self.base_url,
            user_claim: self.user_claim,
            scopes: self.scopes,
            create_role: self.create_role,
            ca_pem,
        })
    }
}

/// Everything but the secret.
fn told(context: &Context, settings: &Settings) -> Result<(), Failure> {
    if context.json {
        return output::json_line(&json!({
            "issuer": settings.issuer,
            "client_id": settings.client_id,
            "secret": settings.client_secret.is_some(),
            "base_url": settings.base_url,
            "user_claim": settings.user_claim,
            "scopes": settings.scopes,
            "create_role": settings.create_role,
        }));
    }
    let secret = if settings.client_secret.is_some() { "with a secret" } else { "public client" };
    output::line(format!("{} as {} ({secret}), back to {}", settings.issuer, settings.client_id, settings.base_url))
}
