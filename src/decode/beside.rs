//! Files that belong before a stream and lie beside it: ACIF writes resources, index and document as three files, which joined
//! in this order are one stream (`docs/formats/afp.md`, "Files beside the document").

use std::path::{Path, PathBuf};

use super::{FORMATS, Format, ReadSpec, Sample, Sniff};

/// Stands for the stream's file name without its extension in a [name](ReadSpec::beside).
const STEM: &str = "{stem}";
/// Stands for the stream's whole file name.
const NAME: &str = "{name}";

/// Whether a text can name files beside a stream: it has a place for the stream's own name and leads to no other folder.
pub fn is_name(text: &str) -> bool {
    let own = text.contains(STEM) || text.contains(NAME);
    own && text != STEM && text != NAME && !text.contains(['/', '\\', '\0'])
}

/// The files of these names beside `file` that are there, in the order of the names; where one is missing, the same name in
/// capitals is looked for.
pub fn find<'n>(file: &Path, names: impl Iterator<Item = &'n str>) -> Vec<PathBuf> {
    let text = |part: Option<&std::ffi::OsStr>| part.and_then(|part| part.to_str()).map(str::to_owned);
    let (Some(stem), Some(whole)) = (text(file.file_stem()), text(file.file_name())) else { return Vec::new() };
    let mut found: Vec<PathBuf> = Vec::new();
    for name in names.filter(|name| is_name(name)) {
        let capitals = name.split_inclusive('}').map(capitals).collect::<String>();
        let paths = [name, &capitals].map(|name| file.with_file_name(name.replace(STEM, &stem).replace(NAME, &whole)));
        let there = paths.into_iter().find(|path| path != file && path.is_file());
        found.extend(there.filter(|path| !found.contains(path)));
    }
    found
}

/// A part of a name up to a closing brace, in capitals but for what stands in braces.
fn capitals(part: &str) -> String {
    match part.split_once('{') {
        Some((before, place)) => format!("{}{{{place}", before.to_uppercase()),
        None => part.to_uppercase(),
    }
}

/// The format that fits a head best, and how it reads it.
pub fn sniff(head: &[u8], hint: &ReadSpec) -> Option<(&'static dyn Format, Sniff)> {
    let sample = Sample { head, total: None, name: None };
    let all = FORMATS.iter().filter(|format| hint.format.as_deref().is_none_or(|name| name == format.name()));
    all.map(|format| (*format, format.sniff(&sample, hint))).max_by(|a, b| a.1.confidence.total_cmp(&b.1.confidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_the_streams_name_in_small_letters_and_capitals() {
        let folder = std::env::temp_dir().join(format!("greenbar-beside-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["bills.afp", "bills.RES", "bills.ind", "bills.afp.idx", "other.ind"] {
            std::fs::write(folder.join(name), name).unwrap();
        }
        let find = |names: &[&str]| {
            let found = find(&folder.join("bills.afp"), names.iter().copied());
            found.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(find(&["{stem}.res", "{stem}.ind"]), ["bills.RES", "bills.ind"]);
        assert_eq!(
            find(&["{name}.idx", "{stem}.none", "{stem}.afp", "{stem}.ind", "{stem}.ind"]),
            ["bills.afp.idx", "bills.ind"]
        );
        for bad in ["other.ind", "../{stem}.ind", "{stem}", ""] {
            assert!(!is_name(bad) && find(&[bad]).is_empty(), "{bad}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
