//! `greenbar serve`: the server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use crate::archive::Archive;
use crate::capture::CaptureConfig;
use crate::search::Search;
use crate::serve::{ArchiveBackend, ServeConfig, run};

use super::context::{self, Context};
use super::failure::Failure;
use super::output;

/// Where the server listens when nothing else is said.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8642";

/// Serves the API (/api/v1), the agent console (/agent), the customer portal (/my) and administration (/admin).
///
/// It speaks HTTP: put a proxy that speaks TLS in front of it for anything but this machine, and give --secure-cookies.
/// Ctrl-C or SIGTERM ends it after the running requests and loads.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address and port; port 0 takes a free one
    #[arg(long, default_value = DEFAULT_LISTEN, value_name = "ADDR")]
    listen: SocketAddr,
    /// Cookies only over TLS (behind a proxy that speaks TLS)
    #[arg(long)]
    secure_cookies: bool,
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        let dir = context.dir()?;
        let archive = context.open()?;
        let search = context::open_search(&archive, dir)?;
        let mut config = ServeConfig::new(self.listen, dir);
        config.secure_cookies = self.secure_cookies;
        config.capture = CaptureConfig::read(dir)?;
        let json = context.json;
        serve(archive, search, config, |address| {
            let said = if json {
                output::json_line(&serde_json::json!({ "listen": address.to_string() }))
            } else {
                output::line(format!("greenbar serves http://{address}/ (Ctrl-C ends it)"))
            };
            if let Err(failure) = said {
                failure.print();
            }
        })
    }
}

/// Serves until a signal ends it; `listening` is called once with the address.
pub fn serve(
    archive: Arc<Archive>,
    search: Search,
    config: ServeConfig,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), Failure> {
    let backend = Arc::new(ArchiveBackend::new(archive, Arc::new(search)));
    run(backend, config, listening).map_err(|error| Failure::new(super::failure::chain(&error)))
}

/// Whether a folder holds nothing, or does not exist.
pub fn is_free(dir: &Path) -> bool {
    std::fs::read_dir(dir).map_or(!dir.exists(), |mut entries| entries.next().is_none())
}
