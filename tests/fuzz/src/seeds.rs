//! Cuts the AFP files of a folder into seeds for the fuzz targets: `seeds FOLDER OUT`. A program by itself, see `run`.

#[allow(dead_code)]
mod parts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use parts::joined;

/// Seeds of one target from one file, so that no file drowns the others.
const OF_A_FILE: usize = 24;
/// Longest seed: longer ones slow every run down.
const BYTES: usize = 48 << 10;

const PTD: [u8; 3] = [0xD3, 0xB1, 0x9B];
const PTX: [u8; 3] = [0xD3, 0xEE, 0x9B];
const EPT: [u8; 3] = [0xD3, 0xA9, 0x9B];
const IDD: [u8; 3] = [0xD3, 0xA6, 0xFB];
const IPD: [u8; 3] = [0xD3, 0xEE, 0xFB];
const EIM: [u8; 3] = [0xD3, 0xA9, 0xFB];
const BII: [u8; 3] = [0xD3, 0xA8, 0x7B];
const EII: [u8; 3] = [0xD3, 0xA9, 0x7B];
const GDD: [u8; 3] = [0xD3, 0xA6, 0xBB];
const GAD: [u8; 3] = [0xD3, 0xEE, 0xBB];
const EGR: [u8; 3] = [0xD3, 0xA9, 0xBB];
const BDD: [u8; 3] = [0xD3, 0xA6, 0xEB];
const BDA: [u8; 3] = [0xD3, 0xEE, 0xEB];
const EBC: [u8; 3] = [0xD3, 0xA9, 0xEB];
const BFN: [u8; 3] = [0xD3, 0xA8, 0x89];
const EFN: [u8; 3] = [0xD3, 0xA9, 0x89];
const BCP: [u8; 3] = [0xD3, 0xA8, 0x87];
const ECP: [u8; 3] = [0xD3, 0xA9, 0x87];
const OCD: [u8; 3] = [0xD3, 0xEE, 0x92];
const EOC: [u8; 3] = [0xD3, 0xA9, 0x92];

/// An area of 10 by 10 inches that scales its content to fit.
const AREA: [u8; 6] = [0, 0, 0, 144, 144, 0x20];

struct Seeds {
    out: PathBuf,
    file: String,
    count: BTreeMap<&'static str, usize>,
}

impl Seeds {
    fn put(&mut self, target: &'static str, seed: &[u8]) -> std::io::Result<()> {
        let count = self.count.entry(target).or_default();
        if *count >= OF_A_FILE || seed.len() > BYTES {
            return Ok(());
        }
        *count += 1;
        let folder = self.out.join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("{}-{count}", self.file)), seed)
    }
}

fn field(id: [u8; 3], data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(0).to_be_bytes();
    [&id[..], &length, data].concat()
}

fn cut(bytes: &[u8], seeds: &mut Seeds) -> std::io::Result<()> {
    let (mut last, mut data) = (BTreeMap::<[u8; 3], Vec<u8>>::new(), Vec::<Vec<u8>>::new());
    let (mut resource, mut set, mut page) = (None::<Vec<u8>>, Vec::new(), Vec::new());
    let text: Vec<u8> = (0x40..=0xFF).collect();
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == 0x5A) {
        rest = &rest[at..];
        let length = rest.get(1..3).map_or(0, |two| usize::from(u16::from_be_bytes([two[0], two[1]])));
        if length < 8 || rest.len() < length + 1 || rest[3] != 0xD3 {
            rest = &rest[1..];
            continue;
        }
        let (id, body) = ([rest[3], rest[4], rest[5]], &rest[9..=length]);
        rest = &rest[length + 1..];
        let get = |last: &BTreeMap<_, Vec<u8>>, id| last.get(&id).cloned().unwrap_or_default();
        if let Some(resource) = &mut resource {
            resource.extend(field(id, body));
        }
        match id {
            PTD | IDD | GDD | BDD => drop(last.insert(id, body.to_vec())),
            PTX | IPD | GAD | BDA | OCD => data.push(body.to_vec()),
            BFN | BCP | BII => resource = Some(field(id, body)),
            EPT => seeds.put("ptoca", &joined(&[&get(&last, PTD), &std::mem::take(&mut data).concat()]))?,
            EIM => seeds.put("ioca", &joined(&[&AREA, &get(&last, IDD), &std::mem::take(&mut data).concat()]))?,
            EII => seeds.put("ioca", &joined(&[&AREA, &[], &resource.take().unwrap_or_default()]))?,
            EGR => seeds.put("goca", &joined(&[&AREA, &get(&last, GDD), &std::mem::take(&mut data).concat()]))?,
            EBC => {
                let blocks = std::mem::take(&mut data);
                let first = blocks.first().cloned().unwrap_or_default();
                seeds.put("bcoca", &joined(&[&AREA, &get(&last, BDD), &first, blocks.get(1).map_or(&[], Vec::as_slice)]))?;
            }
            EFN => set = resource.take().unwrap_or_default(),
            ECP => page = resource.take().unwrap_or_default(),
            EOC => seeds.put("foca", &[&[2][..], &joined(&[&text, &[], &std::mem::take(&mut data).concat()])].concat())?,
            _ => {}
        }
        if id == EFN || id == ECP {
            seeds.put("foca", &[&[0][..], &joined(&[&text, &set, &page])].concat())?;
        }
    }
    Ok(())
}

/// Bar codes are rare in files: one of each type, made by hand.
fn bar_codes(seeds: &mut Seeds) -> std::io::Result<()> {
    for kind in 1..=0x24_u8 {
        let fixed = [0, 0, 0x38, 0x40, 0x38, 0x40, 0x10, 0, 0x10, 0, 0x03, 0xE8, kind, 1, 0xFF, 0xFF, 0xFF, 20, 1, 0, 2, 0xFF, 0xFF];
        for text in [&b"\xF1\xF2\xF3\xF4\xF5\xF6\xF7\xF8\xF9\xF0\xF1\xF2"[..], b"GREENBAR 123", b"12345678901234567890"] {
            let block = [&[0, 0, 100, 0, 100][..], text].concat();
            seeds.put("bcoca", &joined(&[&AREA, &fixed, &block, &[]]))?;
        }
        seeds.file = format!("type{kind}");
        seeds.count.clear();
    }
    Ok(())
}

/// Two blocks from the beginning of each file of line data, changes to their forms, and the head of a form.
fn line_data(folder: &Path, seeds: &mut Seeds) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path)?;
        seeds.file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        seeds.count.clear();
        for size in [2 << 10, 8 << 10] {
            let (first, rest) = bytes.split_at(bytes.len().min(size));
            let second = &rest[..rest.len().min(size)];
            let changes = [9, 0, 2, 0x7F, 40, 0, 0, 0, 90, 0, 1, 0, 200, 1, 3, 0xFF];
            let form = [0, 0, 0, 8, 1, 0, 2, 0, 9, 2, 0, 0, 0, b'a', 0, b'b', 0, 0, b'c', 0, b'd', 0];
            seeds.put("columns", &joined(&[first, second, &changes, &form]))?;
        }
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, out] = arguments.as_slice() else {
        eprintln!("usage: seeds FOLDER OUT");
        std::process::exit(2);
    };
    let mut made = Seeds { out: Path::new(out).into(), file: "type0".into(), count: BTreeMap::new() };
    bar_codes(&mut made)?;
    line_data(&Path::new(folder).with_file_name("linedata"), &mut made)?;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "afp") {
            let bytes = std::fs::read(&path)?;
            made.file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            made.count.clear();
            made.put("framing", &bytes[..bytes.len().min(BYTES)])?;
            cut(&bytes, &mut made)?;
        }
    }
    Ok(())
}
