//! The customer portal: own documents only.

use super::agent;
use crate::serve::ask::{Answer, Ask};

/// Documents on a page.
const HITS: usize = 20;

/// The customer's documents, newest first.
pub async fn page(ask: Ask) -> Answer {
    agent::show(ask, "my.html", "/my", HITS).await
}
