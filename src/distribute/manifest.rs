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
use crate::crm::Time;
use crate::index::value::Decimal;
use crate::render::csv;

mod sheet;

/// Seconds after which a manifest should be in the archive.
const LATE_S: i64 = 60;

/// The forms, in the order in which a run has their digests, with their media types.
pub const FORMS: [(&str, &str); 3] =
    [("json", "application/jsonl"), ("csv", "text/csv; charset=utf-8"), ("pdf", "application/pdf")];

/// A form of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// File name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Bytes of a file's name before its ending, at most.
const MOST_NAME: usize = 120;

/// The name of a run's files: short enough for every file system, however long the run's is.
fn file_name(run: &Run) -> String {
    let plain: String = run.key.chars().map(|c| if c == '/' || c.is_control() { '-' } else { c }).collect();
    let name = format!("manifest-{plain}");
    if name.len() <= MOST_NAME {
        return name;
    }
    let end = format!("-run-{}", run.number);
    let cut = name.floor_char_boundary(MOST_NAME - end.len());
    format!("{}{end}", name.get(..cut).unwrap_or_default())
}

/// The three forms, and the chain over the digests of all pieces, so that none can be left out.
pub(super) fn forms(ledger: &Ledger, run: &Run, sum: &Reconciliation) -> Result<Vec<Form>, DistributeError> {
    let head = serde_json::json!({ "manifest": run.key, "run": run, "reconciliation": sum });
    let (mut json, mut table) = (format!("{head}\n"), String::from(COLUMNS));
    let (mut chain, mut ends, mut failed) = (String::new(), (String::new(), String::new()), None);
    let mut named = sheet::ToLookAt::default();
    ledger.pieces(run.number, &mut |at, piece| {
        match serde_json::to_string(&piece) {
            Ok(line) => json.push_str(&line),
            Err(error) => failed = Some(error),
        }
        json.push('\n');
        row(&mut table, at, &piece);
        named.take(at, &piece);
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
    let name = file_name(run);
    let proofs = vec![
        ("manifest_json", digest(json.as_bytes())),
        ("manifest_csv", digest(table.as_bytes())),
        ("manifest_chain", chain),
        ("manifest_first", ends.0),
        ("manifest_last", ends.1),
    ];
    let proofs = proofs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let sheet = sheet::sheet(run, sum, &named, proofs);
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

    /// The forms of manifests that nobody archived yet, by their keys.
    pub fn unkept(&self) -> Result<Vec<Vec<u8>>, DistributeError> {
        let mut found = Vec::new();
        self.engine.scan(Family::Outbox, b"dm".as_slice()..b"dn".as_slice(), &mut |at, _| {
            found.push(at.to_vec());
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// One of the [`FORMS`] of a run's manifest while it waits to be archived.
    pub fn form_of(&self, run: u32, number: u32) -> Result<Option<Form>, DistributeError> {
        self.form(&key(b'm', run, Some(number)))
    }

    /// A form that waits to be archived; `None`: it is archived by now.
    pub fn form(&self, at: &[u8]) -> Result<Option<Form>, DistributeError> {
        let Some(row) = self.engine.get(Family::Outbox, at)? else { return Ok(None) };
        let end = row.iter().position(|byte| *byte == b'\n').ok_or_else(|| broken("a form of a manifest"))?;
        let (name, bytes) = row.split_at(end);
        let name = String::from_utf8_lossy(name).into_owned();
        Ok(Some(Form { name, bytes: bytes.get(1..).unwrap_or_default().to_vec() }))
    }

    /// The runs that were closed a while ago and whose manifests are not in the archive: something keeps them.
    pub fn manifests_late(&self, now: Time) -> Result<Vec<u32>, DistributeError> {
        let mut runs: Vec<u32> = Vec::new();
        for at in self.unkept()? {
            let number = at.get(2..6).and_then(|number| number.try_into().ok()).map(u32::from_be_bytes);
            let number = number.ok_or_else(|| broken("the key of a manifest"))?;
            if runs.last() != Some(&number)
                && self.run(number)?.closed_at.is_none_or(|closed| now.0 - closed.0 > LATE_S)
            {
                runs.push(number);
            }
        }
        Ok(runs)
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
