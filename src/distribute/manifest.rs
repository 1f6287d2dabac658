//! The manifest of a run that is closed: every piece, for programs (JSON, one object a line), for spreadsheets (CSV) and, as
//! a summary to sign and file, as PDF.
//!
//! Each piece that goes out as a file has a small one of its own beside it ([`of_piece`]).
//!
//! The three are kept in the ledger in the step that closes the run, until somebody archived them ([`Ledger::unkept`]): a
//! program that is killed in between loses none.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use super::DistributeError;
use super::ledger::{Ledger, Run, broken, key};
use super::piece::{Obligation, Piece, digest};
use super::reconcile::Reconciliation;
use crate::archive::kv::{Batch, Family};
use crate::index::value::Decimal;
use crate::render::csv;
use crate::render::sheet::{Section, Sheet};

/// Pieces named in the PDF; the other forms have all.
const MOST_NAMED: usize = 200;

/// A form of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// File name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A form that waits to be archived: its key in the ledger, and what it is.
pub type Unkept = (Vec<u8>, Form);

/// The three forms, and the chain over the digests of all pieces, so that none can be left out.
pub(super) fn forms(ledger: &Ledger, run: &Run, sum: &Reconciliation) -> Result<Vec<Form>, DistributeError> {
    let head = serde_json::json!({ "manifest": run.key, "run": run, "reconciliation": sum });
    let (mut json, mut table) = (format!("{head}\n"), String::from(COLUMNS));
    let (mut chain, mut ends, mut failed) = (String::new(), (String::new(), String::new()), None);
    ledger.pieces(run.number, &mut |at, piece| {
        match serde_json::to_string(&piece) {
            Ok(line) => json.push_str(&line),
            Err(error) => failed = Some(error),
        }
        json.push('\n');
        row(&mut table, at, &piece);
        chain = digest(format!("{chain}{}{}", piece.id, piece.sha256).as_bytes());
        if at == 0 {
            ends.0.clone_from(&piece.id);
        }
        ends.1 = piece.id;
    })?;
    if let Some(error) = failed {
        return Err(DistributeError::Compose(error.to_string()));
    }
    let _ = writeln!(json, "{}", serde_json::json!({ "digest_chain": chain }));
    let name = format!("manifest-{}", run.key.replace('/', "-"));
    let sheet = sheet(
        run,
        sum,
        &[
            ("JSON SHA-256", digest(json.as_bytes())),
            ("CSV SHA-256", digest(table.as_bytes())),
            ("Digest chain", chain),
            ("First piece", ends.0),
            ("Last piece", ends.1),
        ],
    );
    Ok(vec![
        Form { name: format!("{name}.jsonl"), bytes: json.into_bytes() },
        Form { name: format!("{name}.csv"), bytes: table.into_bytes() },
        Form { name: format!("{name}.pdf"), bytes: sheet.pdf() },
    ])
}

const COLUMNS: &str = "piece,id,channel,to,account,documents,pages,amount,state,rung,attempts,in_doubt,replaced_by,copy_of,sha256,said\r\n";

fn row(text: &mut String, at: u32, piece: &Piece) {
    let documents: Vec<String> = piece.owes.iter().map(Obligation::name).collect();
    let cells = [
        at.to_string(),
        piece.id.clone(),
        piece.channel.clone(),
        piece.to.clone(),
        piece.account.clone(),
        documents.join(" "),
        piece.owes.iter().map(|owed| u64::from(owed.pages)).sum::<u64>().to_string(),
        amount(piece.owes.iter().map(|owed| owed.nano).sum()),
        piece.state.name().into(),
        piece.rung.name().into(),
        piece.attempts.to_string(),
        if piece.in_doubt { "yes" } else { "" }.into(),
        piece.replaced_by.map(|number| number.to_string()).unwrap_or_default(),
        piece.copy_of.map(|number| number.to_string()).unwrap_or_default(),
        piece.sha256.clone(),
        piece.said.clone(),
    ];
    csv::row(text, cells.iter().map(String::as_str));
}

/// The manifest of one piece, that lies beside its file: what the file is, and the documents and pages in it. The same for
/// every attempt.
pub(super) fn of_piece(run: &Run, piece: &Piece, bytes: usize) -> String {
    let documents = piece
        .owes
        .iter()
        .map(|owed| serde_json::json!({ "document": owed.document, "pages": owed.pages, "which": owed.stretches }));
    let told = serde_json::json!({
        "run": run.key, "planned_at": run.planned_at.to_string(), "piece": piece.id, "generation": piece.generation,
        "group": piece.group, "file": piece.name, "bytes": bytes, "sha256": piece.sha256,
        "documents": documents.collect::<Vec<_>>(),
        "pages": piece.owes.iter().map(|owed| u64::from(owed.pages)).sum::<u64>(),
    });
    format!("{told}\n")
}

/// A sum of amounts with two decimal places.
pub fn amount(nano: i128) -> String {
    Decimal { units: i64::try_from(nano / 10_000_000).unwrap_or(i64::MAX), scale: 2 }.to_string()
}

fn sheet(run: &Run, sum: &Reconciliation, proofs: &[(&str, String)]) -> Sheet {
    let pair = |label: &str, value: String| (label.to_string(), value);
    let totals = [
        ("Planned", sum.planned),
        ("Done", sum.done),
        ("Given up", sum.dead),
        ("Cancelled", sum.cancelled),
        ("Open", sum.open),
    ];
    let totals = totals.map(|(label, part)| {
        let documents = part.documents_in_parts();
        let text = format!("{} pieces, {documents}, {} pages", part.pieces, part.pages);
        pair(label, format!("{text}, amounts {}", amount(part.nano)))
    });
    let about = vec![
        pair("Run", run.number.to_string()),
        pair("Planned at", run.planned_at.to_string()),
        pair("Released by", run.released_by.clone()),
        pair("Closed by", run.closed_by.clone()),
        pair("Closed at", run.closed_at.map(|at| at.to_string()).unwrap_or_default()),
        pair("Exception", run.exception.clone()),
        pair("Cancelled by", run.cancelled_by.clone()),
        pair("Cancelled because", run.cancelled.clone()),
    ];
    let rungs = sum
        .rungs
        .iter()
        .flat_map(|(channel, rungs)| rungs.iter().map(move |(rung, count)| pair(channel, format!("{rung}: {count}"))));
    let others = vec![
        pair("In doubt", sum.in_doubt.to_string()),
        pair("Paper suppressed", sum.paper_suppressed.to_string()),
        pair("Replaced", sum.replaced.to_string()),
        pair("Copies", sum.copies.to_string()),
    ];
    let named = sum.named.iter().take(MOST_NAMED);
    let named = named.map(|piece| pair(&piece.id, format!("{} {}: {}", piece.channel, piece.state.name(), piece.said)));
    let section = |heading: &str, rows: Vec<(String, String)>| Section { heading: heading.into(), rows };
    Sheet {
        title: format!("Manifest {}", run.key),
        lead: if sum.balances { "Every piece is accounted for." } else { "Closed with a signed exception." }.into(),
        sections: vec![
            section("Run", about),
            section("Reconciliation", totals.into_iter().chain(others).collect()),
            section("Channels", rungs.collect()),
            section("Proof", proofs.iter().map(|(label, value)| pair(label, value.clone())).collect()),
            section("Given up or in doubt", named.collect()),
        ],
    }
}

impl Ledger {
    /// Keeps the forms until they are archived.
    pub(super) fn keep_forms(&self, batch: &mut Batch, run: u32, forms: Vec<Form>) {
        for (number, form) in (0_u32..).zip(forms) {
            let mut row = form.name.into_bytes();
            row.push(b'\n');
            row.extend(form.bytes);
            batch.put(Family::Outbox, key(b'm', run, Some(number)), row);
        }
    }

    /// The forms of manifests that nobody archived yet, under their keys.
    pub fn unkept(&self) -> Result<Vec<Unkept>, DistributeError> {
        let mut found = Vec::new();
        self.engine.scan(Family::Outbox, b"dm".as_slice()..b"dn".as_slice(), &mut |at, row| {
            found.push((at.to_vec(), row.to_vec()));
            ControlFlow::Continue(())
        })?;
        let form = |(at, row): (Vec<u8>, Vec<u8>)| {
            let end = row.iter().position(|byte| *byte == b'\n').ok_or_else(|| broken("a form of a manifest"))?;
            let (name, bytes) = row.split_at(end);
            let name = String::from_utf8_lossy(name).into_owned();
            Ok((at, Form { name, bytes: bytes.get(1..).unwrap_or_default().to_vec() }))
        };
        found.into_iter().map(form).collect()
    }

    /// Notes that a form is archived.
    pub fn kept(&self, at: &[u8]) -> Result<(), DistributeError> {
        let mut batch = Batch::default();
        batch.delete(Family::Outbox, at.to_vec());
        Ok(self.engine.commit(batch)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_two_decimal_places() {
        assert_eq!(amount(-12_500_000_000), "-12.50");
    }
}
