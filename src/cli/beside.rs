//! Opens a stream with the files that belong before it (`docs/formats/afp.md`, "Files beside the document").

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use crate::decode::{ReadSpec, SAMPLE_BYTES, beside};

/// Which files belong before a stream.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Before {
    /// A file that belongs before each stream (AFP resources, then an index object file); may be given several times.
    /// Without it the files that lie beside a stream by the names of its definition are taken, for AFP `X.res` and `X.ind`
    /// beside `X.afp`
    #[arg(long = "with", value_name = "FILE", conflicts_with = "alone")]
    with: Vec<PathBuf>,
    /// Take the files as they are, whatever lies beside them
    #[arg(long)]
    alone: bool,
}

/// A stream of one or several files.
pub struct Input {
    /// The bytes of all files, one after the other.
    pub reader: Box<dyn Read + Send>,
    /// How many bytes there are, when they can be counted.
    pub total: Option<u64>,
}

impl Before {
    /// Opens `file` with what belongs before it; `read` is what its definition says, as far as that is named.
    pub fn open(&self, file: &Path, read: &ReadSpec) -> Result<Input, Failure> {
        let before = self.files(file, read)?;
        let mut input = Input { reader: Box::new(std::io::empty()), total: Some(0) };
        for path in before.iter().map(PathBuf::as_path).chain([file]) {
            let cannot = |error: std::io::Error| Failure::new(format!("cannot load {}: {error}", path.display()));
            let meta = std::fs::metadata(path).map_err(cannot)?;
            input.total = input.total.filter(|_| meta.is_file()).map(|total| total + meta.len());
            input.reader = Box::new(input.reader.chain(File::open(path).map_err(cannot)?));
        }
        Ok(input)
    }

    fn files(&self, file: &Path, read: &ReadSpec) -> Result<Vec<PathBuf>, Failure> {
        if self.alone {
            return Ok(Vec::new());
        }
        if !self.with.is_empty() {
            return Ok(self.with.clone());
        }
        let usual = || crate::decode::FORMATS.iter().flat_map(|format| format.beside()).copied();
        let found = match &read.beside {
            Some(names) => beside::find(file, names.iter().map(String::as_str)),
            None => beside::find(file, usual()),
        };
        if found.is_empty() {
            return Ok(found);
        }
        let Some((format, stream)) = head_of(file).and_then(|head| beside::sniff(&head, read)) else {
            return Ok(Vec::new());
        };
        let names = read.beside.is_some() || !format.beside().is_empty();
        if !names || stream.confidence < 0.5 {
            return Ok(Vec::new());
        }
        let mut fitting = Vec::new();
        for path in found {
            let Some((of, sniff)) = head_of(&path).and_then(|head| beside::sniff(&head, &ReadSpec::default())) else {
                continue;
            };
            // Something else may have the name by chance.
            if of.name() != format.name() || sniff.confidence < 0.5 {
                continue;
            }
            let (one, two) = (&sniff.read, &stream.read);
            if (&one.framing, one.record_length) != (&two.framing, two.record_length) {
                let framing = |read: &ReadSpec| read.framing.clone().unwrap_or_default();
                let why = format!(
                    "{} belongs before {} but its records are held as `{}`, not as `{}`",
                    path.display(),
                    file.display(),
                    framing(one),
                    framing(two)
                );
                return Err(Failure::new(why).advise("Transfer both the same way, or load the stream with --alone."));
            }
            fitting.push(path);
        }
        Ok(fitting)
    }
}

fn head_of(file: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    File::open(file).ok()?.take(SAMPLE_BYTES as u64).read_to_end(&mut head).ok()?;
    Some(head)
}
