//! An archive that knows three documents.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::archive::kv::Engine;
use crate::archive::kv::memory::Memory;
use crate::archive::trial::{Look, LookPage, Trial};
use crate::archive::{Bringing, DefinitionRow, DocId, LoadId, LoadRow, Progress};
use crate::auth::directory::Restricted;
use crate::auth::gate::{Permit, Scope, Sight};
use crate::auth::predicate::{Facts, Subject};
use crate::capture::Brought;
use crate::decode::{Context, ReadSpec};
use crate::distribute::Listed;
use crate::index::definition::Definition;
use crate::index::value::{Day, Decimal, FieldValue, Value};
use crate::render::RenderOptions;
use crate::serve::backend::*;

pub struct Fake {
    engine: Arc<dyn Engine>,
    pub renders: AtomicU64,
    /// Times that a document was looked at.
    pub asked: AtomicU64,
    loads: Mutex<Vec<(LoadRow, Vec<u8>)>>,
    versions: Mutex<Vec<DefinitionRow>>,
    /// Whether masks without named roles held for the last rendition.
    pub masked: AtomicBool,
}

/// Account, title, pages, bytes of the text.
const DOCUMENTS: [(&str, &str, u32, usize); 3] = [
    ("4711", "Statement for Ada \"März\" 对账单", 3, 400),
    ("4712", "Statement <b>for</b> Bob", 1, 400),
    ("4711", "A long report", 60, 3 << 20),
];

impl Fake {
    pub fn new() -> Fake {
        Fake {
            engine: Arc::new(Memory::default()),
            renders: AtomicU64::new(0),
            asked: AtomicU64::new(0),
            loads: Mutex::default(),
            versions: Mutex::default(),
            masked: AtomicBool::default(),
        }
    }

    fn facts(view: &DocumentView) -> Facts {
        Facts {
            id: view.id,
            definition: view.definition.clone(),
            kind: view.kind.clone(),
            account: view.account.clone(),
            date: view.date.map(|day| day.0),
            fields: view.fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect(),
        }
    }

    fn view(id: DocId) -> Option<DocumentView> {
        let at = usize::try_from(id.ordinal).ok()?.checked_sub(1)?;
        let (account, title, pages, _) = *DOCUMENTS.get(at).filter(|_| id.load == LoadId(1))?;
        let field = |name: &str, value| FieldView {
            name: name.into(),
            label: name.to_uppercase(),
            label_zh: Some("字段".into()),
            sensitive: name == "secret",
            currency: None,
            value: FieldValue::One(value),
        };
        Some(DocumentView {
            id,
            definition: "great-lakes-statement".into(),
            report: "Great Lakes Statement".into(),
            report_zh: None,
            kind: "statement".into(),
            title: title.into(),
            date: Day::from_ymd(2024, 3, 10 + i8::try_from(id.ordinal).unwrap_or(0)),
            account: Some(account.into()),
            pages,
            fields: vec![
                field("account", Value::Text(account.into())),
                field("amount_due", Value::Decimal(Decimal { units: 123_456_700, scale: 2 })),
                field("secret", Value::Text("hush".into())),
            ],
            masked: false,
        })
    }
}

impl Backend for Fake {
    fn engine(&self) -> Arc<dyn Engine> {
        self.engine.clone()
    }

    fn generation(&self) -> u64 {
        1
    }

    fn hits(&self, asked: &HitsAsked, scope: &Scope) -> Result<HitPage, BackendError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if asked.query.contains("((") {
            return Err(crate::search::Query::parse(&asked.query).map(|_| ()).expect_err("a broken query").into());
        }
        let ids = (1..=3).map(|ordinal| DocId { load: LoadId(1), ordinal });
        let seen = |view: &DocumentView| {
            scope.predicate().holds(&Fake::facts(view))
                && asked.account.as_ref().is_none_or(|a| Some(a) == view.account.as_ref())
        };
        let dated = |view: &DocumentView| asked.to.is_none_or(|to| view.date.is_some_and(|date| date <= to));
        let mut views: Vec<_> = ids.filter_map(Fake::view).filter(seen).filter(dated).collect();
        if asked.account.is_some() {
            // What is asked for one account relies on the order.
            views.sort_by_key(|view| std::cmp::Reverse(view.date));
        }
        let highlights = vec![Highlight {
            parts: vec![
                HighlightPart { text: "a <late> ".into(), marked: false },
                HighlightPart { text: "fee".into(), marked: true },
            ],
        }];
        let total = views.len() as u64;
        let hits = views.into_iter().take(asked.limit);
        Ok(HitPage {
            total,
            hits: hits.map(|document| HitView { document, score: Some(1.0), highlights: highlights.clone() }).collect(),
            facets: vec![
                Facet { name: "kind", counts: vec![("statement".into(), total)] },
                Facet { name: "year", counts: vec![("2024".into(), total)] },
            ],
            next_cursor: (asked.limit < 3).then(|| "abc".into()),
        })
    }

    fn subject(&self, id: DocId) -> Result<Subject, BackendError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(match Fake::view(id) {
            Some(view) => Subject::found(Fake::facts(&view)),
            None => Subject::absent(id, None),
        })
    }

    fn document(&self, permit: &Permit) -> Result<DocumentView, BackendError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Ok(Fake::view(permit.document()).expect("the gate has let it through"))
    }

    fn restricted(&self) -> Result<Restricted, BackendError> {
        Ok(Vec::new())
    }

    fn formats(&self) -> Vec<FormatInfo> {
        let format = |name, media_type, extension| FormatInfo {
            name,
            media_type,
            extension,
            one_page: name == "png",
            marks_words: name == "html",
        };
        vec![
            format("pdf", "application/pdf", "pdf"),
            format("html", "text/html; charset=utf-8", "html"),
            format("text", "text/plain; charset=utf-8", "txt"),
            format("png", "image/png", "png"),
            format("original", "application/octet-stream", "bin"),
        ]
    }

    fn texts(&self, _: &Permit, each: &mut dyn FnMut(u32, &str) -> ControlFlow<()>) -> Result<(), BackendError> {
        let _ = each(0, "a late FEE\nfee");
        let _ = each(1, "nothing");
        let _ = each(2, "fee");
        Ok(())
    }

    fn render(
        &self,
        permit: &Permit,
        format: &str,
        how: &RenderOptions,
        out: &mut dyn Write,
    ) -> Result<(), BackendError> {
        self.renders.fetch_add(1, Ordering::Relaxed);
        self.masked.store(!permit.sight().sees(&[]), Ordering::Relaxed);
        let at = permit.document().ordinal as usize - 1;
        if format == "png" {
            // A one-pixel picture is enough for a browser to show something.
            let mut encoder = png::Encoder::new(out, 1, 1);
            encoder.set_color(png::ColorType::Grayscale);
            let mut writer = encoder.write_header().map_err(|error| BackendError::Failed(error.to_string()))?;
            return writer.write_image_data(&[200]).map_err(|error| BackendError::Failed(error.to_string()));
        }
        writeln!(out, "{} {format} {:?}", permit.document(), how.pages)?;
        out.write_all(&b"0123456789abcde\n".repeat(DOCUMENTS[at].3 / 16))?;
        Ok(())
    }

    fn stretches(&self, _: &Permit, _: &str) -> Result<Vec<crate::index::stretch::Stretch>, BackendError> {
        Ok(Vec::new())
    }

    fn loads(&self) -> Result<Vec<LoadRow>, BackendError> {
        Ok(self.loads.lock().expect("not poisoned").iter().map(|(row, _)| row.clone()).collect())
    }

    fn load(&self, id: LoadId) -> Result<Option<LoadRow>, BackendError> {
        Ok(self.loads()?.into_iter().find(|row| row.id == id))
    }

    fn documents(&self, load: LoadId, each: &mut dyn FnMut(Listed) -> ControlFlow<()>) -> Result<(), BackendError> {
        for ordinal in 1..=3 {
            let Some(view) = Fake::view(DocId { load, ordinal }) else { break };
            if each(Listed { facts: Fake::facts(&view), pages: view.pages }).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn export_load(&self, id: LoadId, out: &mut dyn Write) -> Result<(), BackendError> {
        let loads = self.loads.lock().expect("not poisoned");
        let (_, bytes) = loads.iter().find(|(row, _)| row.id == id).expect("asked for after load()");
        Ok(out.write_all(bytes)?)
    }

    fn catch_up(&self) -> Result<(), BackendError> {
        Ok(())
    }

    fn not_held(&self, _: LoadId) -> Result<(), BackendError> {
        Ok(())
    }

    fn unload(&self, id: LoadId, _: &str) -> Result<(), BackendError> {
        self.loads.lock().expect("not poisoned").retain(|(row, _)| row.id != id);
        Ok(())
    }

    fn load_stream(&self, brought: &Brought<'_>, _: &dyn Fn(Progress)) -> Result<(LoadRow, bool), BackendError> {
        let bytes = std::fs::read(brought.path)?;
        if bytes.starts_with(b"NEW") && brought.definition.is_none() && brought.only_known {
            return Err(BackendError::Unidentified("no report definition fits the stream".into()));
        }
        if bytes.starts_with(b"BAD") || brought.file.ends_with("-fail.jsonl") {
            return Err(BackendError::NotLoadable("the accounting does not balance".into()));
        }
        let mut loads = self.loads.lock().expect("not poisoned");
        let row = LoadRow {
            id: LoadId(u32::try_from(loads.len()).expect("few") + 1),
            file: brought.file.into(),
            definition: brought.definition.unwrap_or("great-lakes-statement").into(),
            definition_version: 1,
            field_names: Vec::new(),
            read: crate::decode::ReadSpec::default(),
            sha256: crate::distribute::piece::digest(&bytes),
            bytes: bytes.len() as u64,
            pages: 1,
            documents: 1,
            set_aside_pages: 0,
            set_aside: Vec::new(),
            stored_bytes: 10,
            warnings: Vec::new(),
            loaded_at: 0,
            seconds: 0.1,
        };
        loads.push((row.clone(), bytes));
        Ok((row, false))
    }

    fn loads_before(
        &self,
        before: Option<LoadId>,
        each: &mut dyn FnMut(LoadRow) -> ControlFlow<()>,
    ) -> Result<(), BackendError> {
        for row in self.loads()?.into_iter().rev().filter(|row| before.is_none_or(|before| row.id < before)) {
            if each(row).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn job_of(&self, _: LoadId) -> Result<std::collections::BTreeMap<String, String>, BackendError> {
        Ok([("queue".to_string(), "NIGHT".to_string())].into())
    }

    fn unloaded(&self) -> Result<Vec<crate::archive::Tombstone>, BackendError> {
        Ok(Vec::new())
    }

    fn look(&self, file: &Path, _: &str, _: Option<&str>, _: (u32, u32)) -> Result<Look, BackendError> {
        let text = String::from_utf8_lossy(&std::fs::read(file)?).into_owned();
        let page = LookPage { page: 1, start: 0, bytes: text.len() as u64, text, cut: false };
        Ok(Look { format: "line-data".into(), pages: vec![page], ..Look::default() })
    }

    fn try_cut(&self, _: &Path, _: &str, how: &Bringing) -> Result<Trial, BackendError> {
        let mut trial = Trial { version: 1, ..Trial::default() };
        trial.report.definition = how.definition.clone().unwrap_or_default();
        Ok(trial)
    }

    fn has_masks(&self, definition: &str) -> Result<bool, BackendError> {
        Ok(definition == "masked")
    }

    fn masking(&self, _: &Sight, _: Option<&str>) -> Result<Vec<String>, BackendError> {
        Ok(Vec::new())
    }

    fn masked_text(&self, _: &Permit, text: &str) -> Result<String, BackendError> {
        Ok(text.to_string())
    }

    fn quoted(&self, _: &Permit, _: u32, text: &str) -> Result<String, BackendError> {
        Ok(text.to_string())
    }

    fn definitions(&self) -> Result<Vec<DefinitionView>, BackendError> {
        Ok(vec![DefinitionView {
            name: "great-lakes-statement".into(),
            version: 1,
            title: "Great Lakes Statement".into(),
            title_zh: None,
            kind: "statement".into(),
            fields: vec!["account".into(), "amount_due".into()],
            amount: Some("amount_due".into()),
            due: None,
            enrol: vec![EnrolField {
                name: "amount_due".into(),
                label: "Amount due".into(),
                label_zh: Some("应付金额".into()),
                dates: None,
            }],
        }])
    }

    fn definition_versions(&self) -> Result<Vec<DefinitionRow>, BackendError> {
        Ok(self.versions.lock().expect("not poisoned").clone())
    }

    fn add_definition(&self, definition: &Definition) -> Result<DefinitionRow, BackendError> {
        let mut versions = self.versions.lock().expect("not poisoned");
        let version = versions.iter().filter(|row| row.name == definition.name).count() as u32 + 1;
        let (name, source) = (definition.name.clone(), definition.source.clone());
        versions.push(DefinitionRow { name, version, sha256: "0".repeat(64), added_at: 1_700_000_000, source });
        Ok(versions.last().expect("just added").clone())
    }

    fn counters(&self, _: i32, to: i32) -> Result<Counters, BackendError> {
        let sums = crate::archive::figures::Sums { loads: 1, documents: 3, pages: 64, bytes: 4_000, stored: 1_000 };
        Ok((vec![(to, sums)], vec![("great-lakes-statement".into(), sums)]))
    }

    fn context(&self, _: &ReadSpec) -> Context {
        Context::default()
    }

    fn vocabulary(&self, _: &Scope) -> Result<crate::search::Vocabulary, BackendError> {
        let amounts = vec!["amount_due".into()];
        Ok(crate::search::Vocabulary { amounts, ..Default::default() })
    }

    fn figures(&self) -> Result<Figures, BackendError> {
        Ok(Figures { documents: 3, ..Figures::default() })
    }
}
