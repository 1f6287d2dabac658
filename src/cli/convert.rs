//! `greenbar convert`: renders a file without an archive.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::decode::{Context, Decoder, FORMATS, Format, ReadSpec, SAMPLE_BYTES, Sample, Shared, Start, Unit, UnitKind};
use crate::index::definition::Paper;
use crate::note::{Note, Notes};
use crate::page::Page;
use crate::render::{DocumentInfo, Pages, RENDERERS, RenderError, RenderOptions, render, renderer};

use super::context::{outside, page_range};
use super::definition::read;
use super::failure::Failure;
use super::output;
use super::stream::Stream;

/// Renders a whole print stream: PDF (PDF/A-2b, any length in constant memory), HTML, text, PNG, CSV or JSON.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The stream; `-` is standard input
    file: PathBuf,
    /// What to make
    #[arg(long, value_parser = format_names())]
    format: String,
    /// Where to (standard output when left out)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only these pages, such as 2-4
    #[arg(long, value_parser = page_range)]
    pages: Option<(u32, u32)>,
    /// Read, and draw forms and bars, as this definition file says
    #[arg(long, value_name = "FILE")]
    definition: Option<PathBuf>,
}

/// The names of all renditions, for `--format`.
pub fn format_names() -> clap::builder::PossibleValuesParser {
    RENDERERS.iter().map(|renderer| renderer.name()).collect::<Vec<_>>().into()
}

/// A stream that was recognised and opened.
pub struct Opened {
    /// The decoder, at the start.
    pub decoder: Box<dyn Decoder>,
    format: &'static dyn Format,
    read: ReadSpec,
    outside: Context,
}

/// Recognises a file's format and opens it.
pub fn open_stream(file: &Path, hint: &ReadSpec) -> Result<Opened, Failure> {
    let shown = file.display();
    let cannot = |error: std::io::Error| Failure::new(format!("cannot read {shown}: {error}"));
    let total = std::fs::metadata(file).map_err(cannot)?.len();
    if total == 0 {
        return Err(Failure::new(format!("{shown} is empty")));
    }
    let mut head = Vec::new();
    File::open(file).map_err(cannot)?.take(SAMPLE_BYTES as u64).read_to_end(&mut head).map_err(cannot)?;
    let sample = Sample { head: &head, total: Some(total), name: file.to_str() };
    let best = FORMATS
        .iter()
        .filter(|format| hint.format.as_deref().is_none_or(|name| name == format.name()))
        .map(|format| (*format, format.sniff(&sample, hint)))
        // Among equals the first.
        .reduce(|best, next| if next.1.confidence > best.1.confidence { next } else { best });
    let Some((format, sniff)) = best else {
        return Err(Failure::new(format!("no decoder reads the format of {shown}"))
            .advise("`greenbar inspect` says what it is."));
    };
    let outside = outside(&sniff.read)?;
    let decoder = format.open(Box::new(File::open(file).map_err(cannot)?), Start::default(), &sniff.read, &outside)?;
    Ok(Opened { decoder, format, read: sniff.read, outside })
}

impl Args {
    pub fn run(&self, context: &super::context::Context) -> Result<(), Failure> {
        let definition = self.definition.as_deref().map(read).transpose()?;
        let hint = definition.as_ref().map(|definition| definition.read.clone()).unwrap_or_default();
        let file = Stream::named("convert", &self.file)?;
        let opened = open_stream(file.path(), &hint)?;
        let renderer = renderer(&self.format).ok_or_else(|| Failure::usage("no such format"))?;
        let mut pages = FilePages::new(file.path(), opened)?;
        let title = self.file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let info = DocumentInfo {
            id: title.clone(),
            title,
            author: definition.as_ref().map_or_else(|| "greenbar".into(), |definition| definition.title.clone()),
            kind: definition.as_ref().map_or_else(|| "report".into(), |definition| definition.kind.clone()),
            language: definition.as_ref().map_or_else(|| "en".into(), |definition| definition.language.clone()),
            paper: definition.map_or_else(Paper::default, |definition| definition.paper),
            ..DocumentInfo::default()
        };
        let how = RenderOptions { pages: self.pages, ..RenderOptions::default() };
        output::to_file_or_stdout(self.output.as_deref(), |out| {
            let rendered = render(renderer, &info, &mut pages, &how, out)?;
            output::warn_of(&rendered);
            if pages.count == 0 {
                Failure::new(format!("{} has no pages; one empty page stands for them", self.file.display()))
                    .advise("`greenbar inspect` says what it is made of.")
                    .warn();
            }
            let before = pages.counting.iter().filter(|note| pages.notes.count(&note.code) == 0);
            for note in pages.notes.iter().chain(before) {
                let Note { code, count, first, detail, .. } = note;
                Failure::new(format!("{count} x {code} first at {first}: {detail}")).warn();
            }
            Ok(())
        })?;
        output::written(context.json, self.output.as_deref())
    }
}

/// The pages of a file: counted once, then decoded going forward; going back starts again at the nearest mark.
struct FilePages {
    file: PathBuf,
    format: &'static dyn Format,
    read: ReadSpec,
    count: u32,
    /// Shared units of the file.
    shared: Vec<Range<u64>>,
    /// The start of every [`PAGES_BETWEEN_MARKS`]th page.
    marks: Vec<Start>,
    context: Context,
    decoder: Box<dyn Decoder>,
    unit: Unit,
    /// What was survived while pages were counted and shared units taken in.
    counting: Notes,
    /// What was survived while pages were read and drawn.
    notes: Notes,
    /// The page that comes next.
    next: u32,
}

/// How far apart the remembered starts are; a going back decodes at most this many pages for nothing.
const PAGES_BETWEEN_MARKS: u32 = 256;
/// Most shared units that are remembered.
const SHARED_UNITS: usize = 1 << 20;

impl FilePages {
    fn new(file: &Path, opened: Opened) -> Result<FilePages, Failure> {
        let Opened { mut decoder, format, read, outside } = opened;
        let (mut unit, mut notes, mut marks, mut count) = (Unit::default(), Notes::default(), Vec::new(), 0);
        let mut shared: Vec<Range<u64>> = Vec::new();
        decoder.want_text(false);
        while decoder.next(&mut unit, &mut notes)? {
            if unit.shared && shared.len() < SHARED_UNITS {
                shared.push(unit.span.clone());
            }
            if unit.kind == UnitKind::Page {
                if count % PAGES_BETWEEN_MARKS == 0 {
                    marks.push(unit.start());
                }
                count += 1;
            }
        }
        let mut pages = FilePages {
            file: file.into(),
            format,
            read,
            count,
            marks,
            shared,
            context: outside,
            decoder,
            unit,
            counting: notes,
            notes: Notes::default(),
            next: 0,
        };
        pages.open(0)?;
        Ok(pages)
    }

    /// Opens the decoder at a mark.
    fn open(&mut self, mark: u32) -> Result<(), RenderError> {
        let start = self.marks.get(mark as usize).copied().unwrap_or_default();
        if self.context.shared.is_none() && !self.shared.is_empty() {
            self.context.shared = self.share()?;
        }
        self.decoder = open_at(&self.file, self.format, &self.read, start, &self.context)?;
        self.next = mark * PAGES_BETWEEN_MARKS;
        Ok(())
    }

    /// What the shared units of the file say.
    fn share(&self) -> Result<Option<Arc<dyn Shared>>, RenderError> {
        let mut failed = None;
        let mut units = self.shared.iter().map_while(|span| match bytes_of(&self.file, span) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                failed = Some(error);
                None
            }
        });
        let shared = self.format.share(&mut units, &self.read, &self.context);
        match failed {
            Some(error) => Err(error.into()),
            None => shared.map_err(|error| RenderError::Source(error.to_string())),
        }
    }
}

fn open_at(
    file: &Path,
    format: &dyn Format,
    read: &ReadSpec,
    start: Start,
    context: &Context,
) -> Result<Box<dyn Decoder>, RenderError> {
    let mut input = File::open(file)?;
    input.seek(SeekFrom::Start(start.byte))?;
    let opened = format.open(Box::new(input), start, read, context);
    let mut decoder = opened.map_err(|error| RenderError::Source(error.to_string()))?;
    decoder.want_text(false);
    Ok(decoder)
}

fn bytes_of(file: &Path, span: &Range<u64>) -> std::io::Result<Vec<u8>> {
    let mut input = File::open(file)?;
    input.seek(SeekFrom::Start(span.start))?;
    let mut bytes = Vec::new();
    input.take(span.end - span.start).read_to_end(&mut bytes)?;
    Ok(bytes)
}

impl Pages for FilePages {
    fn count(&self) -> u32 {
        self.count
    }

    fn get(&mut self, number: u32) -> Result<Page, RenderError> {
        let lost = || RenderError::NoPage { page: number + 1, pages: self.count };
        let mark = number / PAGES_BETWEEN_MARKS;
        if number < self.next || mark > self.next / PAGES_BETWEEN_MARKS {
            self.marks.get(mark as usize).ok_or_else(lost)?;
            self.open(mark)?;
        }
        loop {
            let more = self.decoder.next(&mut self.unit, &mut self.notes);
            if !more.map_err(|error| RenderError::Source(error.to_string()))? {
                return Err(RenderError::NoPage { page: number + 1, pages: self.count });
            }
            if self.unit.kind != UnitKind::Page {
                continue;
            }
            self.next += 1;
            if self.next > number {
                return Ok(self.decoder.page(&self.unit, &mut self.notes));
            }
        }
    }
}
