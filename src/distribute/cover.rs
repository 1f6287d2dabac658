//! Bundles as one PDF: a cover with what is in it and on which page, then the documents.

use super::DistributeError;
use super::channel::{Content, File};
use super::ledger::Run;
use super::piece::Piece;
use crate::render::merge::merge;
use crate::render::sheet::{Section, Sheet};

/// Joins the files of a piece behind a cover.
pub(super) fn bundle(run: &Run, piece: &Piece, content: &Content) -> Result<File, DistributeError> {
    let broken = |error: String| DistributeError::Compose(format!("the bundle cannot be made: {error}"));
    let parts: Vec<Vec<u8>> = content.files.iter().map(|file| file.bytes.clone()).collect();
    let (documents, counts) = merge(&parts).map_err(broken)?;
    // The cover is as long as its table, whatever the numbers in it.
    let (_, length) = merge(&[sheet(run, piece, content, &counts, 0).pdf()]).map_err(broken)?;
    let cover = sheet(run, piece, content, &counts, length.iter().sum()).pdf();
    let (bytes, _) = merge(&[cover, documents]).map_err(broken)?;
    Ok(File { name: "bundle.pdf".into(), media_type: "application/pdf".into(), bytes })
}

fn sheet(run: &Run, piece: &Piece, content: &Content, counts: &[u32], cover: u32) -> Sheet {
    let pair = |label: &str, value: String| (label.to_string(), value);
    let mut at = cover + 1;
    let mut contents = Vec::new();
    for (mention, pages) in content.documents.iter().zip(counts) {
        contents.push(pair(&format!("Page {at}"), format!("{} {} ({pages} pages)", mention.report, mention.document)));
        at += pages;
    }
    let mut about = vec![
        pair("Account", piece.account.clone()),
        pair("Documents", content.documents.len().to_string()),
        pair("Run", run.key.clone()),
        pair("Date", run.planned_at.day().to_string()),
        pair("Piece", piece.id.clone()),
    ];
    if !run.missing.is_empty() {
        about.push(pair("Without", run.missing.join(", ")));
    }
    let section = |heading: &str, rows| Section { heading: heading.into(), rows };
    Sheet {
        title: if content.copy { "Your documents (copy)" } else { "Your documents" }.into(),
        lead: String::new(),
        sections: vec![section("Bundle", about), section("Contents", contents)],
    }
}
