//! Control files: lines of a letter and its operand.

/// Documents of one job.
pub const MOST_FILES: usize = 52;

/// One file that a job prints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Printed {
    /// Name of its data file.
    pub data: String,
    /// `f`, `l`, `r` ...: how the sender wants it printed.
    pub how: char,
    /// Name of the file at the sender (`N`).
    pub source: String,
    /// Times that its line is repeated.
    pub copies: u32,
}

/// What a control file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Control {
    /// `H`: the host.
    pub host: String,
    /// `P`: the user.
    pub user: String,
    /// `J`: the name of the job.
    pub job: String,
    /// `C`: the class.
    pub class: String,
    /// `T`: the title.
    pub title: String,
    /// The lines of other senders: attribute name and value.
    pub more: Vec<(&'static str, String)>,
    /// What is printed.
    pub files: Vec<Printed>,
}

/// Letters of lines that print a file.
const PRINTS: &str = "cdfglnoprtvkz";

impl Control {
    /// Reads a control file. Lines that it does not know are passed over.
    pub fn parse(bytes: &[u8]) -> Result<Control, String> {
        let mut control = Control::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
            let mut chars = line.chars();
            let Some(letter) = chars.next() else { continue };
            let operand = chars.as_str().trim().to_string();
            match letter {
                'H' => control.host = operand,
                'P' => control.user = operand,
                'J' => control.job = operand,
                'C' => control.class = operand,
                'T' => control.title = operand,
                'N' => {
                    // It belongs to the line before; some senders put it first.
                    match control.files.last_mut() {
                        Some(file) if file.source.is_empty() => file.source = operand,
                        _ => control.more.push(("source", operand)),
                    }
                }
                'I' => control.more.push(("indent", operand)),
                'W' => control.more.push(("width", operand)),
                'A' => control.more.push(("identifier", operand)),
                'Q' => control.more.push(("queue-name", operand)),
                'R' => control.more.push(("account", operand)),
                'Z' => control.more.push(("options", operand)),
                '#' => control.more.push(("copies", operand)),
                '-' => control.more.push(("option", operand)),
                _ if PRINTS.contains(letter) && operand.starts_with("df") => control.prints(letter, operand)?,
                _ => {}
            }
        }
        Ok(control)
    }

    fn prints(&mut self, how: char, data: String) -> Result<(), String> {
        if let Some(file) = self.files.iter_mut().find(|file| file.data == data) {
            file.copies = file.copies.saturating_add(1);
            return Ok(());
        }
        if self.files.len() >= MOST_FILES {
            return Err(format!("a job has at most {MOST_FILES} files"));
        }
        self.files.push(Printed { data, how, source: String::new(), copies: 1 });
        Ok(())
    }
}
