//! The manifest as a sheet to sign and file: what the run was for, whether it adds up, and by number, recipient, account and
//! document each piece that was given up or is in doubt. In the words of the page, in the language of the distribution.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::super::ledger::{Run, Totals};
use super::super::piece::{Obligation, Piece, State};
use super::super::reconcile::Reconciliation;
use super::amount;
use crate::render::sheet::{Section, Sheet};

const ENGLISH: &str = include_str!("../../../templates/web/words/en.toml");
const CHINESE: &str = include_str!("../../../templates/web/words/zh-CN.toml");

/// Pieces named in the PDF; the other forms have all, and it says how many there are.
const MOST_NAMED: usize = 5_000;

/// A language of the sheet.
#[derive(Debug, Clone, Copy)]
struct Words<'l>(&'l str);

impl Words<'_> {
    fn get(self, key: &str) -> String {
        static BOTH: OnceLock<[BTreeMap<String, String>; 2]> = OnceLock::new();
        let [english, chinese] =
            BOTH.get_or_init(|| [ENGLISH, CHINESE].map(|text| toml::from_str(text).unwrap_or_default()));
        let words = if self.0.starts_with("zh") { chinese } else { english };
        words.get(key).cloned().unwrap_or_default()
    }

    /// The name of a state or a rung.
    fn stands(self, name: &str) -> String {
        self.get(&format!("rung_{}", name.replace('-', "_")))
    }

    fn say(self, key: &str, values: &[(&str, String)]) -> String {
        let fill = |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{name}}}"), value);
        values.iter().fold(self.get(key), fill)
    }
}

/// The pieces that the sheet names: those that were given up or are in doubt.
#[derive(Debug, Default)]
pub(super) struct ToLookAt {
    rows: Vec<(u32, Piece)>,
    more: u64,
}

impl ToLookAt {
    /// Takes a piece if it is one of them.
    pub(super) fn take(&mut self, at: u32, piece: &Piece) {
        let is_one = piece.in_doubt || matches!(piece.state, State::Dead | State::InDoubt);
        if is_one && self.rows.len() < MOST_NAMED {
            self.rows.push((at, piece.clone()));
        } else if is_one {
            self.more += 1;
        }
    }
}

/// The sheet; `proofs` are the digests by the keys of their labels.
pub(super) fn sheet(run: &Run, sum: &Reconciliation, named: &ToLookAt, proofs: Vec<(&str, String)>) -> Sheet {
    let words = Words(run.rule.as_ref().map_or("", |rule| rule.language.as_str()));
    let label = |key: &str, value: String| (words.get(key), value);
    let section = |key: &str, rows: Vec<(String, String)>| Section { heading: words.get(key), rows };
    let channels = sum.rungs.iter().flat_map(|(channel, rungs)| {
        rungs.iter().map(move |(rung, count)| (channel.clone(), format!("{}: {count}", words.stands(rung))))
    });
    let mut pieces: Vec<(String, String)> = named.rows.iter().map(|(at, piece)| of_piece(words, *at, piece)).collect();
    if named.more > 0 {
        pieces.push((String::new(), words.say("manifest_more", &[("n", named.more.to_string())])));
    }
    let mut sections = vec![
        section("run_number", about(words, run)),
        section("manifest_sums", sums(words, run, sum)),
        section("run_channel", channels.collect()),
        section("manifest_to_look_at", pieces),
        section("manifest_digests", proofs.into_iter().map(|(key, value)| label(key, value)).collect()),
    ];
    sections.retain(|section| !section.rows.is_empty());
    let lead = match (sum.balances, run.missing.is_empty()) {
        (true, true) => "manifest_balances",
        (true, false) => "manifest_without",
        (false, _) => "manifest_exception",
    };
    Sheet { title: words.say("manifest_title", &[("run", run.key.clone())]), lead: words.get(lead), sections }
}

/// What the run was; rows that say nothing are left out.
fn about(words: Words<'_>, run: &Run) -> Vec<(String, String)> {
    let loads: Vec<String> = run.loads.iter().map(ToString::to_string).collect();
    let rows = [
        ("run_number", run.number.to_string()),
        ("run_distribution", run.distribution.clone()),
        ("run_loads", loads.join(", ")),
        ("run_missing", run.missing.join(", ")),
        ("manifest_planned_at", run.planned_at.to_string()),
        ("manifest_released_by", run.released_by.clone()),
        ("manifest_closed_by", run.closed_by.clone()),
        ("manifest_closed_at", run.closed_at.map(|at| at.to_string()).unwrap_or_default()),
        ("run_exception", run.exception.clone()),
        ("run_cancelled_by", run.cancelled_by.clone()),
        ("run_why_cancel", run.cancelled.clone()),
    ];
    rows.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (words.get(key), value)).collect()
}

fn sums(words: Words<'_>, run: &Run, sum: &Reconciliation) -> Vec<(String, String)> {
    let part = |(key, part): (&str, Totals)| {
        let parts = if part.has_parts() { "manifest_total_parts" } else { "manifest_total" };
        let values = [
            ("pieces", part.pieces.to_string()),
            ("documents", part.documents.to_string()),
            ("parts", part.parts.to_string()),
            ("pages", part.pages.to_string()),
            ("amount", amount(part.nano)),
        ];
        (words.get(key), words.say(parts, &values))
    };
    let totals = [
        ("run_planned", sum.planned),
        ("run_done", sum.done),
        ("run_dead", sum.dead),
        ("run_cancelled", sum.cancelled),
        ("run_open", sum.open),
    ];
    let counts = [
        ("rung_in_doubt", sum.in_doubt),
        ("run_suppressed", sum.paper_suppressed),
        ("rung_replaced", sum.replaced),
        ("run_copies", sum.copies),
        ("run_passed_over", run.passed_over),
    ];
    let counts = counts.map(|(key, count)| (words.get(key), count.to_string()));
    totals.map(part).into_iter().chain(counts).collect()
}

/// A piece that somebody answers for.
fn of_piece(words: Words<'_>, at: u32, piece: &Piece) -> (String, String) {
    let documents: Vec<String> = piece.owes.iter().map(Obligation::name).collect();
    let mut state = words.stands(piece.state.name());
    if piece.in_doubt && piece.state != State::InDoubt {
        state = format!("{state}, {}", words.stands("in-doubt"));
    }
    let to = if piece.to.is_empty() { words.get("manifest_nobody") } else { piece.to.clone() };
    let rows = [
        ("run_channel", piece.channel.clone()),
        ("run_to", to),
        ("account", piece.account.clone()),
        ("documents", documents.join(", ")),
        ("run_said", piece.said.clone()),
    ];
    let told = rows.into_iter().filter(|(_, value)| !value.is_empty());
    let told = told.map(|(key, value)| format!("{}: {value}", words.get(key)));
    let value = std::iter::once(state).chain(told).collect::<Vec<_>>().join(" · ");
    (words.say("manifest_piece", &[("n", at.to_string())]), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribute::config::Distribution;

    fn texts(run: &Run, sum: &Reconciliation, named: &ToLookAt) -> Vec<(String, String)> {
        let sheet = sheet(run, sum, named, vec![("manifest_chain", "abc".into())]);
        let lead = (sheet.title, sheet.lead);
        let rows = sheet.sections.into_iter().flat_map(|section| section.rows);
        std::iter::once(lead).chain(rows).collect()
    }

    #[test]
    fn the_sheet_names_every_piece_to_answer_for_and_what_the_run_went_without() {
        let owed = Obligation { document: "7-12".into(), pages: 2, ..Obligation::default() };
        let dead = Piece {
            channel: "mail".into(),
            to: "ada@lakes.example".into(),
            account: "4711".into(),
            owes: vec![owed],
            state: State::Dead,
            said: "550 no".into(),
            ..Piece::default()
        };
        let doubtful = Piece { state: State::Done, in_doubt: true, said: "250 ok".into(), ..dead.clone() };
        let fine = Piece { state: State::Done, ..dead.clone() };
        let mut named = ToLookAt::default();
        for (at, piece) in (0..).zip(std::iter::repeat_n(&dead, 215).chain([&doubtful, &fine])) {
            named.take(at, piece);
        }
        let run = Run { loads: vec![3, 4], missing: vec!["notices".into()], passed_over: 5, ..Run::default() };
        let sum = Reconciliation { balances: true, ..Reconciliation::default() };
        let rows = texts(&run, &sum, &named);
        let of = |label: &str| rows.iter().find(|row| row.0 == label).map(|row| row.1.as_str());
        let told = "given up · Channel: mail · Goes to: ada@lakes.example · Account: 4711 · Documents: 7-12 · What was said last: 550 no";
        assert_eq!(of("Piece 214"), Some(told));
        assert!(of("Piece 215").is_some_and(|told| told.starts_with("done, in doubt · ")), "{rows:?}");
        assert_eq!(of("Piece 216"), None);
        assert_eq!((of("Numbers of loads"), of("It went without these reports")), (Some("3, 4"), Some("notices")));
        assert!(rows.iter().any(|row| row.1 == "5" && row.0.starts_with("Documents looked at")));
        assert!(rows.iter().skip(1).all(|row| !row.1.is_empty() && !row.0.is_empty()), "no empty rows: {rows:?}");
        assert!(rows[0].1.contains("went without reports"), "{:?}", rows[0]);
        let rule = Distribution { language: "zh-CN".into(), ..Distribution::default() };
        let chinese = texts(&Run { rule: Some(Box::new(rule)), ..run }, &sum, &named);
        assert!(chinese.iter().any(|row| row.0 == "第 214 件" && row.1.starts_with("已放弃 · ")), "{chinese:?}");
        assert!(chinese.iter().skip(1).all(|row| !row.0.is_ascii()), "every label is Chinese: {chinese:?}");
    }
}
