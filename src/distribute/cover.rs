//! Bundles as one PDF: a cover with what is in it and on which page, then the documents.

use super::DistributeError;
use super::channel::{Content, File};
use super::ledger::Run;
use super::mail::say;
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

/// The cover in the recipient's language.
fn sheet(run: &Run, piece: &Piece, content: &Content, counts: &[u32], cover: u32) -> Sheet {
    let word = |key: &str| say(&piece.language, key, &[]);
    let mut at = cover + 1;
    let mut contents = Vec::new();
    for (mention, pages) in content.documents.iter().zip(counts) {
        let (page, count) = (at.to_string(), pages.to_string());
        let fill = [("report", mention.report.as_str()), ("document", &mention.document), ("count", &count)];
        let row = say(&piece.language, "cover_row", &fill);
        contents.push((say(&piece.language, "cover_page", &[("page", &page)]), row));
        at += pages;
    }
    let mut about = vec![
        (word("cover_documents"), content.documents.len().to_string()),
        (word("cover_run"), run.key.clone()),
        (word("cover_date"), run.planned_at.day().to_string()),
        (word("cover_piece"), piece.id.clone()),
    ];
    for (key, value) in [("cover_group", &piece.group), ("cover_account", &piece.account)] {
        if !value.is_empty() {
            about.insert(0, (word(key), value.clone()));
        }
    }
    if !run.missing.is_empty() {
        about.push((word("cover_without"), run.missing.join(", ")));
    }
    let section = |key: &str, rows| Section { heading: word(key), rows };
    Sheet {
        title: word(if content.copy { "cover_copy_title" } else { "cover_title" }),
        lead: String::new(),
        sections: vec![section("cover_about", about), section("cover_contents", contents)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribute::channel::Mention;

    #[test]
    fn a_cover_speaks_the_language_of_its_recipient() {
        for (language, report, told) in [
            ("en", "Water bill", ["Your documents", "Page 2", "branch 0012"]),
            ("zh-CN", "对账单", ["您的文件", "第 2 页", "branch 0012"]),
        ] {
            let part = Sheet { title: "a document".into(), ..Sheet::default() }.pdf();
            let file = File { name: "1-1.pdf".into(), media_type: "application/pdf".into(), bytes: part };
            let mention = Mention { document: "1-1".into(), report: report.into(), ..Mention::default() };
            let content = Content { documents: vec![mention], files: vec![file], ..Content::default() };
            let piece = Piece { language: language.into(), group: "branch 0012".into(), ..Piece::default() };
            let texts: Vec<String> = {
                let sheet = sheet(&Run::default(), &piece, &content, &[1], 1);
                let rows = sheet.sections.into_iter().flat_map(|section| section.rows);
                rows.flat_map(|(label, value)| [label, value]).chain([sheet.title]).collect()
            };
            assert!(told.iter().all(|told| texts.iter().any(|text| text == told)), "{texts:?}");
            assert!(texts.iter().any(|text| text.starts_with(report)), "{texts:?}");
            let bundle = bundle(&Run::default(), &piece, &content).expect("made");
            let (_, pages) = merge(&[bundle.bytes]).expect("a PDF");
            assert_eq!(pages, [2], "a cover and the document");
        }
    }
}
