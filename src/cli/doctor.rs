//! `greenbar doctor`: are the surroundings as they should be?

use std::sync::Arc;

use crate::archive::{COMPACT_STEPS, FAULT_STEPS};
use crate::distribute::work::open_channels;
use crate::render::font::FontSet;

use super::context::{Context, search_dir};
use super::failure::Failure;
use super::output::{self, bytes};
use crate::serve::{ArchiveBackend, configuration};

/// Checks what greenbar needs around it: fonts, room on the disk, the archive's lock, the search index.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// List the steps of a load at which the crash tests can make it die (GREENBAR_FAULT), and nothing else
    #[arg(long)]
    list_faults: bool,
    /// The same for the steps of `compact`
    #[arg(long)]
    list_compact_faults: bool,
}

/// Less room than this on the disk of the archive is too little to go on with.
const LEAST_ROOM: u64 = 256 << 20;

/// What is free on the disk of a folder.
fn room(dir: &std::path::Path) -> Option<(&'static str, bool, String)> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    let (free, all) = (disk.f_bavail.saturating_mul(disk.f_frsize), disk.f_blocks.saturating_mul(disk.f_frsize));
    let enough = free >= LEAST_ROOM;
    let advice = if enough { "" } else { ": too little, make room" };
    Some(("disk", enough, format!("{} of {} free{advice}", bytes(free), bytes(all))))
}

/// What keeps something from being sent: `distribution.toml`, the rules of definitions, or a channel that cannot be opened.
fn sending(dir: &std::path::Path, backend: &ArchiveBackend) -> Vec<(&'static str, bool, String)> {
    let wrong = |error: String| ("sending", false, error.trim().replace('\n', " "));
    match configuration(dir, backend) {
        Err(error) => vec![wrong(format!("nothing is sent: {error}"))],
        Ok((config, told)) => {
            let closed = open_channels(&config).into_values().filter_map(Result::err);
            told.into_iter().map(|error| error.to_string()).chain(closed).map(wrong).collect()
        }
    }
}

impl Args {
    pub fn run(&self, context: &Context) -> Result<(), Failure> {
        if self.list_faults {
            return FAULT_STEPS.iter().try_for_each(output::line);
        }
        if self.list_compact_faults {
            return COMPACT_STEPS.iter().try_for_each(output::line);
        }
        let mut findings = vec![("version", true, env!("CARGO_PKG_VERSION").to_string())];
        let cjk = FontSet::system().cjk_file();
        let found = cjk.map_or_else(|| "none: install fonts-noto-cjk".to_string(), |path| path.display().to_string());
        findings.push(("CJK font", cjk.is_some(), found));
        if let Ok(dir) = context.dir() {
            findings.extend(room(dir));
            match context.open() {
                Ok(archive) => {
                    findings.push((
                        "archive",
                        true,
                        format!("{} opens, layout {}", dir.display(), crate::archive::LAYOUT),
                    ));
                    let search = Arc::new(super::context::open_search(&archive, dir)?);
                    findings.extend(sending(dir, &ArchiveBackend::new(archive.clone(), search.clone())));
                    let (applied, last) = (search.applied(), archive.last_seq());
                    findings.push((
                        "search",
                        applied == last,
                        format!(
                            "change {} of {} applied, {}",
                            applied.0,
                            last.0,
                            bytes(super::stats::folder_bytes(&search_dir(dir)))
                        ),
                    ));
                }
                Err(failure) => {
                    failure.print();
                    findings.push(("archive", false, dir.display().to_string()));
                }
            }
        }
        let mut good = true;
        for (what, fine, detail) in &findings {
            good &= fine;
            if context.json {
                output::json_line(&serde_json::json!({ "what": what, "ok": fine, "detail": detail }))?;
            } else {
                output::line(format!("{} {what:<10} {detail}", if *fine { "ok  " } else { "FAIL" }))?;
            }
        }
        if good { Ok(()) } else { Err(Failure::reported()) }
    }
}
