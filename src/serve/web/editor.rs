//! The editor of report definitions: errors with their places, and a preview of what the text cuts from a sample.

use std::io::{self, Write};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use base64::Engine as _;
use minijinja::{Value, context};

use super::{Language, language, page as render};
use crate::archive::LoadId;
use crate::auth::permission::Permission;
use crate::index::check::CheckedDocument;
use crate::index::definition::{Definition, DefinitionError, DefinitionErrors};
use crate::index::preview::{Bounds, Preview, Sheet, Spot, What, preview};
use crate::page::Page;
use crate::render::{DocumentInfo, Pages, RenderError, RenderOptions, renderer};
use crate::serve::ask::{Answer, Ask, Params, SignedIn};
use crate::serve::backend::{Backend, BackendError};
use crate::serve::multipart;
use crate::serve::problem::Problem;
use crate::serve::routes::SAMPLE;
use crate::serve::state::State;

/// What one preview may cost.
const PAGES: u64 = 300;
const SECONDS: u64 = 5;
const DOCUMENTS: usize = 20;
const SHEETS: usize = 6;
/// Largest drawing that stands in the page.
const PICTURE: usize = 2 << 20;
/// Loads that are offered as samples.
const LOADS: usize = 50;
/// What a new definition starts with.
const BLANK: &str = "name = \"\"\ntitle = \"\"\nkind = \"report\"  # statement, invoice, bill, notice, report ...\n\
    read = \"auto\"\n\n[recognise]\nfile = [\"\"]\n\n[document]\nstart = \"stream\"\ntitle = \"{file}\"\n";

const TEXTS: &[&str] = &["csrf", "source", "load", "page", "do"];

/// What the page tells besides the text.
#[derive(Debug, Default)]
struct Told {
    errors: Option<DefinitionErrors>,
    /// Words of what kept the preview from being made.
    wrong: &'static str,
    preview: Option<Preview>,
    definition: Option<Definition>,
    sample: String,
    load: String,
    page: u32,
}

/// The editor, with the newest version of a definition (or the one asked for), or with a beginning.
pub async fn page(ask: Ask) -> Answer {
    let params = ask.params(&["name", "version", "load"])?;
    let who = ask.who()?.clone();
    who.need(Permission::DefinitionRead)?;
    let version = params.number("version", 1..=u32::MAX)?;
    let name = params.get("name").map(str::to_string);
    let load = params.get("load").unwrap_or_default().to_string();
    let source = ask
        .block(move |state| {
            let Some(name) = name else { return Ok(BLANK.to_string()) };
            let mut rows = state.backend.definition_versions()?.into_iter().filter(|row| row.name == name);
            let found = match version {
                Some(version) => rows.find(|row| row.version == version),
                None => rows.next_back(),
            };
            found.map(|row| row.source).ok_or_else(Problem::nothing)
        })
        .await?;
    show(&ask, &source, Told { load, ..Told::default() }, StatusCode::OK).await
}

/// Tries the text on a sample, or keeps it as a new version.
pub async fn act(ask: Ask) -> Answer {
    let who = ask.who()?.clone();
    who.need(Permission::DefinitionRead)?;
    let (params, file) = match multipart::boundary(&ask.request) {
        Some(boundary) => {
            let form = multipart::form(&boundary, &ask.body, TEXTS, "sample")?;
            (form.params, form.file.map(|(name, bytes)| (name, bytes.to_vec())))
        }
        None => (ask.form(TEXTS)?, None),
    };
    // Browsers send line ends as CR LF; definitions have the line ends of the files they came from.
    let source = params.get("source").unwrap_or_default().replace("\r\n", "\n");
    let keep = params.get("do") == Some("save");
    let (text, asked) = (source.clone(), params.clone());
    let outcome = ask
        .block(move |state| {
            let file_name = "definition.toml";
            match Definition::parse(&text, file_name).and_then(|definition| with_rules(definition, file_name)) {
                Ok(definition) if keep => save(state, &who, &definition).map(|()| Done::Saved(definition.name)),
                Ok(definition) => tried(state, &who, definition, &asked, file).map(|told| Done::Told(Box::new(told))),
                Err(errors) => Ok(Done::Told(Box::new(Told { errors: Some(errors), ..Told::default() }))),
            }
        })
        .await?;
    match outcome {
        Done::Saved(name) => {
            let place = format!("/admin/definitions/{name}?said=definition_kept");
            Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish())
        }
        Done::Told(told) => {
            let wrong = told.errors.is_some() || !told.wrong.is_empty();
            let status = if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
            let load = params.get("load").unwrap_or_default().to_string();
            show(&ask, &source, Told { load, ..*told }, status).await
        }
    }
}

enum Done {
    Saved(String),
    Told(Box<Told>),
}

/// A definition whose rules of what is sent out are right, too.
fn with_rules(definition: Definition, file: &str) -> Result<Definition, DefinitionErrors> {
    match crate::distribute::config::rules_of(&definition.name, &definition.source) {
        Ok(_) => Ok(definition),
        Err(error) => Err(DefinitionErrors(vec![DefinitionError {
            file: file.into(),
            line: 1,
            column: 1,
            key: "distribution".into(),
            message: error.to_string(),
            allowed: None,
        }])),
    }
}

fn save(state: &State, who: &SignedIn, definition: &Definition) -> Result<(), Problem> {
    who.need(Permission::DefinitionWrite)?;
    state.gate.record_by(&who.principal, Permission::DefinitionWrite, "add definition", &definition.name, "")?;
    state.backend.add_definition(definition)?;
    Ok(())
}

fn tried(
    state: &State,
    who: &SignedIn,
    definition: Definition,
    asked: &Params,
    file: Option<(String, Vec<u8>)>,
) -> Result<Told, Problem> {
    let page = asked.number("page", 1..=u32::MAX)?.unwrap_or(1);
    let found = match file {
        Some((name, bytes)) if bytes.len() <= SAMPLE => Some((name, bytes)),
        Some(_) => return Err(Problem::too_large(format!("A sample has at most {SAMPLE} bytes."))),
        None => archived(state, who, asked)?,
    };
    let Some((name, bytes)) = found else {
        return Ok(Told { wrong: "definition_no_sample", page, definition: Some(definition), ..Told::default() });
    };
    let time = Duration::from_secs(SECONDS);
    let first_sheet = u64::from(page);
    let bounds =
        Bounds { pages: PAGES + first_sheet.min(10_000), documents: DOCUMENTS, first_sheet, sheets: SHEETS, time };
    let context = |read: &_| state.backend.context(read);
    let told = Told { sample: name.clone(), page, ..Told::default() };
    Ok(match preview(&definition, &name, &bytes, &context, &bounds) {
        Ok(Some(mut found)) => {
            found.cut_short |= bytes.len() >= SAMPLE;
            Told { preview: Some(found), definition: Some(definition), ..told }
        }
        Ok(None) => Told { wrong: "definition_no_format", definition: Some(definition), ..told },
        Err(error) => {
            tracing::info!(%error, "a sample could not be read");
            Told { wrong: "definition_unreadable", definition: Some(definition), ..told }
        }
    })
}

/// The beginning of an archived stream: past policies and masks, so for those only who may have whole loads.
fn archived(state: &State, who: &SignedIn, asked: &Params) -> Result<Option<(String, Vec<u8>)>, Problem> {
    let Some(number) = asked.number("load", 1..=u32::MAX)? else { return Ok(None) };
    who.need(Permission::LoadExport)?;
    let id = LoadId(number);
    let row = state.backend.load(id)?.ok_or_else(Problem::nothing)?;
    state.gate.record_by(&who.principal, Permission::LoadExport, "preview", &format!("load {id}"), "definition")?;
    Ok(Some((row.file, beginning(&*state.backend, id)?)))
}

/// The first bytes of a load.
fn beginning(backend: &dyn Backend, id: LoadId) -> Result<Vec<u8>, Problem> {
    /// Takes what it has room for, then refuses more.
    struct Room(Vec<u8>);
    impl Write for Room {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let free = SAMPLE - self.0.len();
            if free == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::WriteZero.into());
            }
            let taken = bytes.len().min(free);
            self.0.extend(bytes.iter().take(taken));
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut room = Room(Vec::new());
    let outcome: Result<(), BackendError> = backend.export_load(id, &mut room);
    match outcome {
        Err(_) if room.0.len() == SAMPLE => Ok(room.0),
        outcome => Ok(outcome.map(|()| room.0)?),
    }
}

async fn show(ask: &Ask, source: &str, told: Told, status: StatusCode) -> Answer {
    let who = ask.who()?.clone();
    let samples = who.may(Permission::LoadExport);
    let loads = ask
        .block(move |state| {
            let rows = if samples { state.backend.loads()? } else { Vec::new() };
            let newest = rows.iter().rev().take(LOADS);
            Ok(newest.map(|row| (row.id.0, row.file.clone(), row.definition.clone())).collect::<Vec<_>>())
        })
        .await?;
    let language = language(&ask.request, Some(&who));
    let lines: Vec<&str> = source.lines().collect();
    let errors = told.errors.iter().flat_map(|errors| &errors.0).map(|error| {
        let line = lines.get(error.line.saturating_sub(1)).copied().unwrap_or_default();
        let before: String = line.chars().take(error.column.saturating_sub(1)).collect();
        let after: String = line.chars().skip(before.chars().count()).collect();
        context! {
            line => error.line, column => error.column, key => error.key.as_str(), message => error.message.as_str(),
            allowed => error.allowed.as_deref().unwrap_or_default(), before, after,
        }
    });
    let made = match (&told.preview, &told.definition) {
        (Some(found), Some(definition)) => Some(previewed(found, definition, language)),
        _ => None,
    };
    let own = context! {
        source,
        rows => lines.len().clamp(16, 40),
        errors => errors.collect::<Vec<_>>(),
        wrong => if told.wrong.is_empty() { String::new() } else { language.word(told.wrong) },
        fine => told.definition.as_ref().map(|definition| definition.name.as_str()).unwrap_or_default(),
        preview => made,
        sample => told.sample.as_str(),
        load => told.load.as_str(),
        first => told.page.max(1),
        loads => loads.iter().map(|(id, file, name)| context! { id, file, name }).collect::<Vec<_>>(),
        most_mib => SAMPLE >> 20,
        may_write => who.may(Permission::DefinitionWrite),
    };
    render(&ask.request, Some(&who), "editor.html", status, own)
}

fn previewed(found: &Preview, definition: &Definition, language: Language) -> Value {
    let report = &found.report;
    let aside = report.set_aside.iter().filter(|part| part.pages > 0);
    let failures = found.failures.iter().map(|failure| {
        let word = language.word(&failure.code.replace('-', "_"));
        context! {
            page => failure.page,
            what => if word.is_empty() { failure.code.clone() } else { word },
            field => label(definition, &failure.detail, language),
        }
    });
    let others = report.warnings.iter().filter(|note| !note.code.starts_with("field-"));
    context! {
        format => found.format,
        pages => report.pages,
        documents => report.documents,
        document_pages => report.document_pages,
        set_aside => report.set_aside_pages,
        cut_short => found.cut_short,
        first => report.first_documents.iter().map(|one| document(one, definition, language)).collect::<Vec<_>>(),
        aside => aside.map(|part| context! { page => part.first_page, pages => part.pages, reason => part.reason.as_str() }).collect::<Vec<_>>(),
        failures => failures.collect::<Vec<_>>(),
        warnings => others.map(|note| context! { code => note.code.as_str(), count => note.count, first => note.first.to_string(), detail => note.detail.as_str() }).collect::<Vec<_>>(),
        sheets => found.sheets.iter().map(|one| sheet(one, definition, language)).collect::<Vec<_>>(),
    }
}

/// A field's label in the reader's language; its name when there is no such field.
fn label(definition: &Definition, name: &str, language: Language) -> String {
    let Some(field) = definition.fields.iter().find(|field| field.name == name) else { return name.to_string() };
    let chinese = field.label_zh.as_ref().filter(|_| language == Language::Chinese);
    chinese.unwrap_or(&field.label).clone()
}

fn document(one: &CheckedDocument, definition: &Definition, language: Language) -> Value {
    let field = |(name, value): &(String, String)| context! { label => label(definition, name, language), name, value };
    context! {
        title => one.title.as_str(), page => one.first_page, pages => one.pages,
        fields => one.fields.iter().map(field).collect::<Vec<_>>(),
    }
}

fn sheet(sheet: &Sheet, definition: &Definition, language: Language) -> Value {
    let of_row = |row: u16| sheet.spots.iter().filter(move |spot| spot.row == row);
    let rows = sheet.rows.iter().map(|(row, text)| {
        let spots: Vec<&Spot> = of_row(*row).collect();
        context! { row, parts => parts(text, &spots) }
    });
    let drawn = sheet.drawing.as_ref().and_then(|page| picture(page, definition).map(|picture| (page, picture)));
    let points = |lu: crate::page::Lu| format!("{:.1}", lu.points());
    let areas = sheet.areas.iter().map(|area| {
        context! {
            what => word(area.what), name => area.name.as_str(),
            x => points(area.x), y => points(area.y), width => points(area.width), height => points(area.height),
        }
    });
    let found = sheet.spots.iter().map(|spot| {
        let text = sheet.rows.iter().find(|(row, _)| *row == spot.row).map_or("", |(_, text)| text.as_str());
        let text: String = text.chars().skip(spot.from).take(spot.to - spot.from).collect();
        context! { what => word(spot.what), name => spot.name.as_str(), row => spot.row, column => spot.from + 1, text }
    });
    context! {
        page => sheet.page,
        rows => rows.collect::<Vec<_>>(),
        texts => drawn.is_none() || !sheet.spots.is_empty(),
        picture => drawn.as_ref().map(|(_, picture)| picture.as_str()).unwrap_or_default(),
        width => drawn.as_ref().map(|(page, _)| points(page.width)).unwrap_or_default(),
        height => drawn.as_ref().map(|(page, _)| points(page.height)).unwrap_or_default(),
        areas => areas.collect::<Vec<_>>(),
        found => found.collect::<Vec<_>>(),
        tags => sheet.tags.iter().map(|(name, value)| context! { name, value }).collect::<Vec<_>>(),
        language => language.code(),
    }
}

fn word(what: What) -> &'static str {
    match what {
        What::Trigger => "trigger",
        What::Field => "field",
    }
}

/// A row in pieces: plain, or marked with all that was found there.
fn parts(text: &str, spots: &[&Spot]) -> Vec<Value> {
    let chars: Vec<char> = text.chars().collect();
    let mut cuts: Vec<usize> = spots.iter().flat_map(|spot| [spot.from, spot.to]).collect();
    cuts.extend([0, chars.len()]);
    cuts.retain(|cut| *cut <= chars.len());
    cuts.sort_unstable();
    cuts.dedup();
    let piece = |pair: &[usize]| {
        let [from, to] = [pair.first().copied().unwrap_or(0), pair.last().copied().unwrap_or(0)];
        let here: Vec<&&Spot> = spots.iter().filter(|spot| spot.from <= from && to <= spot.to).collect();
        let field = here.iter().any(|spot| spot.what == What::Field);
        let names: Vec<&str> = here.iter().map(|spot| spot.name.as_str()).collect();
        context! {
            text => chars.get(from..to).unwrap_or_default().iter().collect::<String>(),
            kind => if names.is_empty() { "" } else if field { "field" } else { "trigger" },
            names => names.join(", "),
        }
    };
    cuts.windows(2).map(piece).collect()
}

/// The page as a drawing in a `data:` address.
fn picture(page: &Page, definition: &Definition) -> Option<String> {
    struct One<'p>(&'p Page);
    impl Pages for One<'_> {
        fn count(&self) -> u32 {
            1
        }
        fn get(&mut self, _: u32) -> Result<Page, RenderError> {
            Ok(self.0.clone())
        }
    }
    let info = DocumentInfo { paper: definition.paper.clone(), ..DocumentInfo::default() };
    let mut drawing = Vec::new();
    renderer("svg")?.render(&info, &mut One(page), &RenderOptions::default(), &mut drawing).ok()?;
    let fits = drawing.len() <= PICTURE;
    fits.then(|| format!("data:image/svg+xml;base64,{}", base64::engine::general_purpose::STANDARD.encode(&drawing)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_shown_whole_with_its_spots_marked_also_where_they_overlap() {
        let spot = |what, name: &str, from, to| Spot { what, name: name.into(), row: 1, from, to };
        let (trigger, field) = (spot(What::Trigger, "dear", 0, 4), spot(What::Field, "who", 2, 8));
        let parts = parts("DEAR ADA, 你好", &[&trigger, &field]);
        let told: Vec<String> = parts
            .iter()
            .map(|part| {
                let get = |name: &str| part.get_attr(name).expect("a part").to_string();
                format!("{}:{}:{}", get("text"), get("kind"), get("names"))
            })
            .collect();
        assert_eq!(told, ["DE:trigger:dear", "AR:field:dear, who", " ADA:field:who", ", 你好::"]);
    }
}
