//! What the printer says of itself. It prints nothing: media, sides and the like are taken, kept with the job and change
//! nothing.

use super::change;
use super::document::COMPRESSIONS;
use super::documents;
use super::jobs::seconds;
use super::message::Value;
use super::operation;
use super::operator;
use super::printer::Printer;
use super::subscriptions::{EVENTS, LEASE_S, LIFE_S, MOST_LEASE_S, USUAL};
use super::target::Target;

/// Formats of documents; what a document really is, is recognised later, by its content.
pub const FORMATS: &[&str] = &[
    "application/octet-stream",
    "text/plain",
    "application/pdf",
    "application/postscript",
    "application/vnd.hp-PCL",
    "application/vnd.hp-PCLXL",
    "application/vnd.ibm.modcap",
    "application/vnd.afpc.modca",
    "application/vnd.afpc.afplinedata",
    "application/vnd.cups-raw",
    "image/tiff",
];

/// Sizes of paper, in hundredths of a millimetre.
const MEDIA: &[(&str, i32, i32)] = &[
    ("iso_a4_210x297mm", 21_000, 29_700),
    ("na_letter_8.5x11in", 21_590, 27_940),
    ("na_legal_8.5x14in", 21_590, 35_560),
];

/// What is kept of a job; it changes nothing of what is archived.
const KEPT: &[&str] = &[
    "copies",
    "finishings",
    "job-account-id",
    "job-hold-until",
    "job-name",
    "job-priority",
    "job-sheets",
    "media",
    "number-up",
    "orientation-requested",
    "output-bin",
    "page-ranges",
    "print-color-mode",
    "print-quality",
    "printer-resolution",
    "sides",
];

/// What the printer would answer to IEEE 1284's question.
const DEVICE_ID: &str =
    "MFG:greenbar;MDL:archive;CLS:PRINTER;DES:greenbar archive;CMD:AFP,PCL,PCLXL,POSTSCRIPT,PDF,TIFF,TXT;";

/// An attribute of the printer.
pub struct Told {
    /// Its name.
    pub name: &'static str,
    /// The group that it belongs to.
    pub group: &'static str,
    /// Its values.
    pub values: Vec<Value>,
}

fn keywords(words: &[&str]) -> Vec<Value> {
    words.iter().map(|word| Value::keyword(*word)).collect()
}

fn size(across: i32, down: i32) -> Value {
    Value::Collection(vec![("x-dimension", across.into()), ("y-dimension", down.into())])
}

/// All attributes of the printer of a queue.
pub fn attributes(printer: &Printer, target: &Target, now: i64) -> Vec<Told> {
    let mut all = job_template();
    all.extend(description(printer, target, now));
    all.extend(subscribing());
    all
}

/// What subscriptions may ask for (RFC 3995, section 5.3).
fn subscribing() -> impl Iterator<Item = Told> {
    let events = EVENTS.iter().map(|(name, _)| Value::keyword(*name)).collect::<Vec<_>>();
    let most = i32::try_from(EVENTS.len()).unwrap_or(i32::MAX);
    let rows = [
        ("notify-events-default", keywords(&[USUAL])),
        ("notify-events-supported", events),
        ("notify-lease-duration-default", vec![LEASE_S.into()]),
        ("notify-lease-duration-supported", vec![Value::Range(1, MOST_LEASE_S)]),
        ("notify-max-events-supported", vec![most.into()]),
        ("notify-pull-method-supported", keywords(&["ippget"])),
    ];
    rows.into_iter().map(|(name, values)| Told { name, group: "subscription-template", values })
}

fn job_template() -> Vec<Told> {
    let media: Vec<&str> = MEDIA.iter().map(|(name, _, _)| *name).collect();
    let sizes: Vec<Value> = MEDIA.iter().map(|(_, across, down)| size(*across, *down)).collect();
    let columns: Vec<Value> = sizes.iter().map(|size| Value::Collection(vec![("media-size", size.clone())])).collect();
    let enums = |numbers: &[i32]| numbers.iter().map(|number| Value::Enum(*number)).collect::<Vec<_>>();
    let rows = [
        ("copies-default", vec![1.into()]),
        ("copies-supported", vec![Value::Range(1, 9_999)]),
        ("finishings-default", enums(&[3])),
        ("finishings-supported", enums(&[3])),
        ("job-hold-until-default", keywords(&["no-hold"])),
        ("job-hold-until-supported", keywords(change::HOLDS)),
        ("job-priority-default", vec![50.into()]),
        ("job-priority-supported", vec![100.into()]),
        ("job-sheets-default", keywords(&["none"])),
        ("job-sheets-supported", keywords(&["none"])),
        ("media-default", keywords(media.get(..1).unwrap_or_default())),
        ("media-ready", keywords(&media)),
        ("media-supported", keywords(&media)),
        ("media-col-database", columns.clone()),
        ("media-col-default", columns.get(..1).unwrap_or_default().to_vec()),
        ("media-col-ready", columns.clone()),
        ("media-col-supported", keywords(&["media-size"])),
        ("media-size-supported", sizes),
        ("multiple-document-handling-default", keywords(&["separate-documents-uncollated-copies"])),
        ("multiple-document-handling-supported", keywords(&["separate-documents-uncollated-copies"])),
        ("number-up-default", vec![1.into()]),
        ("number-up-supported", vec![1.into()]),
        ("orientation-requested-default", enums(&[3])),
        ("orientation-requested-supported", enums(&[3, 4, 5, 6])),
        ("output-bin-default", keywords(&["face-down"])),
        ("output-bin-supported", keywords(&["face-down"])),
        ("overrides-supported", keywords(&["document-numbers", "pages"])),
        ("page-ranges-supported", vec![Value::Boolean(true)]),
        ("print-color-mode-default", keywords(&["auto"])),
        ("print-color-mode-supported", keywords(&["auto", "color", "monochrome"])),
        ("print-quality-default", enums(&[4])),
        ("print-quality-supported", enums(&[3, 4, 5])),
        ("printer-resolution-default", vec![Value::Dpi(600)]),
        ("printer-resolution-supported", vec![Value::Dpi(300), Value::Dpi(600)]),
        ("sides-default", keywords(&["one-sided"])),
        ("sides-supported", keywords(&["one-sided", "two-sided-long-edge", "two-sided-short-edge"])),
    ];
    rows.into_iter().map(|(name, values)| Told { name, group: "job-template", values }).collect()
}

fn description(printer: &Printer, target: &Target, now: i64) -> Vec<Told> {
    let most_kib = i32::try_from(printer.intake.config().max_bytes >> 10).unwrap_or(i32::MAX);
    let waits = i32::try_from(printer.queued(now)).unwrap_or(i32::MAX);
    let switched = printer.intake.switched(&target.queue);
    // A full disk stops the printer without a job being refused for good.
    let condition = printer.condition(&target.queue);
    let why = match condition.reason {
        "none" => String::new(),
        "paused" => "paused: jobs are taken and held".into(),
        "hold-new-jobs" => "new jobs are taken and held".into(),
        "shutdown" => "shut down: an operator has to start it again".into(),
        _ => printer.intake.has_room().err().map_or_else(String::new, |error| error.to_string()),
    };
    let info =
        if switched.info.is_empty() { format!("greenbar archive, queue {}", target.queue) } else { switched.info };
    let patience = i32::try_from(printer.config.job_timeout_s).unwrap_or(i32::MAX);
    let operations = operation::ALL.iter().map(|operation| Value::Enum(i32::from(*operation))).collect();
    let (alert, alert_text) = alert(condition.reason, &why);
    let formats: Vec<Value> = FORMATS.iter().map(|format| Value::media_type(format)).collect();
    let rows = [
        ("charset-configured", vec![Value::charset("utf-8")]),
        ("charset-supported", vec![Value::charset("utf-8"), Value::charset("us-ascii")]),
        ("color-supported", vec![Value::Boolean(true)]),
        ("compression-supported", keywords(COMPRESSIONS)),
        ("document-format-default", vec![Value::media_type("application/octet-stream")]),
        ("document-format-supported", formats),
        ("document-settable-attributes-supported", keywords(documents::SETTABLE)),
        ("generated-natural-language-supported", vec![Value::language("en")]),
        ("ipp-versions-supported", keywords(&["1.1", "2.0", "2.1", "2.2"])),
        ("ippget-event-life", vec![LIFE_S.into()]),
        ("job-creation-attributes-supported", keywords(KEPT)),
        ("job-ids-supported", vec![Value::Boolean(true)]),
        ("job-k-octets-supported", vec![Value::Range(0, most_kib)]),
        ("job-settable-attributes-supported", keywords(change::SETTABLE)),
        ("multiple-document-jobs-supported", vec![Value::Boolean(true)]),
        ("multiple-operation-time-out", vec![patience.into()]),
        ("multiple-operation-time-out-action", keywords(&["process-job"])),
        ("natural-language-configured", vec![Value::language("en")]),
        ("operations-supported", operations),
        ("pages-per-minute", vec![6_000.into()]),
        ("pages-per-minute-color", vec![6_000.into()]),
        ("pdl-override-supported", keywords(&["not-attempted"])),
        ("printer-alert", vec![Value::Octets(alert.into_bytes())]),
        ("printer-alert-description", vec![Value::text(alert_text)]),
        ("printer-device-id", vec![Value::text(DEVICE_ID)]),
        ("printer-get-attributes-supported", keywords(&["document-format"])),
        ("printer-info", vec![Value::text(info)]),
        ("printer-is-accepting-jobs", vec![Value::Boolean(condition.accepts)]),
        ("printer-location", vec![Value::text(switched.location)]),
        ("printer-make-and-model", vec![Value::text("greenbar archive")]),
        ("printer-message-from-operator", vec![Value::text(switched.message)]),
        ("printer-more-info", vec![Value::uri(format!("http://{}/", target.host))]),
        ("printer-name", vec![Value::name(&target.queue)]),
        ("printer-settable-attributes-supported", keywords(operator::SETTABLE)),
        ("printer-state", vec![Value::Enum(condition.state)]),
        ("printer-state-change-time", vec![seconds(switched.at.max(printer.started)).into()]),
        ("printer-state-message", vec![Value::text(why)]),
        ("printer-state-reasons", keywords(&[condition.reason])),
        ("printer-up-time", vec![seconds(now).into()]),
        ("printer-uri-supported", vec![Value::uri(&target.printer_uri)]),
        ("queued-job-count", vec![waits.into()]),
        ("uri-authentication-supported", keywords(&["requesting-user-name"])),
        ("uri-security-supported", keywords(&["none"])),
        ("which-jobs-supported", keywords(&["completed", "not-completed", "all", "proof-print"])),
    ];
    rows.into_iter().map(|(name, values)| Told { name, group: "printer-description", values }).collect()
}

/// The row of the alert table (PWG 5100.9) that says how the printer is, and the same for people.
fn alert(reason: &str, why: &str) -> (String, String) {
    let (code, severity) = match reason {
        "none" | "hold-new-jobs" => ("printerReadyToPrint", "other"),
        "spool-area-full" => ("other", "critical"),
        _ => ("other", "warning"),
    };
    let text = if why.is_empty() { "ready" } else { why };
    (format!("code={code};severity={severity};group=generalPrinter;index=1;location=1"), text.into())
}
