//! Standard output, files and progress bars.

pub use crate::index::written::size as bytes;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::failure::Failure;
use crate::render::Rendered;

/// Prints one JSON object on a line of its own.
pub fn json_line(value: &impl Serialize) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    serde_json::to_writer(&mut out, value).map_err(|error| Failure::from(io::Error::from(error)))?;
    out.write_all(b"\n")?;
    out.flush()?;
    Ok(())
}

/// Prints a line of text.
pub fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Runs `write` on a file, or on standard output when `path` is `None` or `-`.
///
/// A file appears under its name only when it is complete. What is no file (a device, a pipe) is written to as it is, never
/// replaced.
pub fn to_file_or_stdout(
    path: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let Some(path) = path.filter(|path| *path != Path::new("-")) else {
        let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
        write(&mut out)?;
        return Ok(out.flush()?);
    };
    let cannot = |error: io::Error| Failure::new(format!("cannot write {}: {error}", path.display()));
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let file = File::options().write(true).open(path).map_err(cannot)?;
        let mut out = BufWriter::with_capacity(1 << 16, file);
        return write(&mut out).and_then(|()| out.flush().map_err(cannot));
    }
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = Path::new(&part);
    let mut out = BufWriter::with_capacity(1 << 16, File::create(part).map_err(cannot)?);
    let done = write(&mut out).and_then(|()| out.flush().map_err(cannot));
    drop(out);
    match done {
        Ok(()) => std::fs::rename(part, path).map_err(cannot),
        Err(failure) => {
            let _ = std::fs::remove_file(part);
            Err(failure)
        }
    }
}

/// Says that something was done: a line, or with `--json` an object.
pub fn done(json: bool, object: &serde_json::Value, text: impl std::fmt::Display) -> Result<(), Failure> {
    if json { json_line(object) } else { line(text) }
}

/// Says with `--json` which file was written, and nothing otherwise; nothing where the content went to standard output.
pub fn written(json: bool, path: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = path.filter(|path| json && *path != Path::new("-")) else { return Ok(()) };
    let bytes = std::fs::metadata(path).map(|file| file.len()).unwrap_or_default();
    json_line(&serde_json::json!({ "file": path.display().to_string(), "bytes": bytes }))
}

/// Warns of what a rendition goes without.
pub fn warn_of(rendered: &Rendered) {
    if !rendered.missing_glyphs.is_empty() {
        let glyphs: String = rendered.missing_glyphs.iter().collect();
        Failure::new(format!("no font has these characters: {glyphs}"))
            .advise("Install a font that has them; for Chinese, Japanese and Korean fonts-noto-cjk.")
            .warn();
    }
    if let Some(why) = &rendered.missing_form {
        Failure::new(why).advise("The pages are shown without it; docs/renditions.md says where forms lie.").warn();
    }
}

/// A progress bar over bytes on a terminal; hidden elsewhere.
pub fn byte_bar(total: Option<u64>, what: &str) -> ProgressBar {
    let template = "{msg:30!} {bytes:>10} of {total_bytes} {bar:30} {bytes_per_sec}, {eta} left";
    bar(total, what, template)
}

/// A progress bar over pieces on a terminal; hidden elsewhere.
pub fn count_bar(total: Option<u64>, what: &str) -> ProgressBar {
    bar(total, what, "{msg:30!} {pos:>10} of {len} {bar:30} {eta} left")
}

fn bar(total: Option<u64>, what: &str, template: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("##-"));
    }
    bar.set_message(what.to_string());
    bar
}

/// Tells each of a list; people are told when there is none.
pub fn each<T>(json: bool, items: &[T], tell: impl FnMut(&T) -> Result<(), Failure>) -> Result<(), Failure> {
    if items.is_empty() && !json {
        return line("none");
    }
    items.iter().try_for_each(tell)
}

/// Says something beside the output, on standard error, where it disturbs no program that reads the output.
pub fn aside(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A number with what it counts: `1 page`, `2 pages`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A whole number with thousands separators.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let null = Path::new("/dev/null");
        let write = |out: &mut dyn Write| Ok(out.write_all(b"gone")?);
        to_file_or_stdout(Some(null), write).expect("written");
        assert!(std::fs::metadata(null).expect("is there").file_type().is_char_device());
    }
}
