//! Command lines: a byte that says what, then words.

/// Longest command line.
pub const MOST_LINE: usize = 1_024;
/// Counts by which senders say that they do not know the length (Windows without byte counting, and others).
const UNKNOWN: [u64; 4] = [0, 2_147_483_647, 4_294_967_295, 4_294_967_296];
/// Any count from here on is one of those, too: 125,899,906,843,000 has been seen.
const ABSURD: u64 = 100 << 40;

/// The first line of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// 01: print what waits.
    Print,
    /// 02: receive a job for a queue.
    Receive(String),
    /// 03, 04: the state of a queue, short or long; of these users or jobs.
    State {
        /// The queue.
        queue: String,
        /// Long.
        long: bool,
        /// Users or job numbers.
        list: Vec<String>,
    },
    /// 05: remove jobs.
    Remove {
        /// The queue.
        queue: String,
        /// Who asks.
        agent: String,
        /// Users or job numbers.
        list: Vec<String>,
    },
}

/// A line inside a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// 01: forget the job.
    Abort,
    /// 02: a control file.
    Control {
        /// Its length.
        bytes: Option<u64>,
        /// `cfA123host`.
        name: String,
    },
    /// 03: a data file.
    Data {
        /// Its length; `None`: up to the end of the connection.
        bytes: Option<u64>,
        /// `dfA123host`.
        name: String,
    },
}

fn words(rest: &[u8]) -> Vec<String> {
    let space = |byte: &u8| matches!(byte, b' ' | b'\t' | 0x0B | 0x0C);
    let words = rest.split(space).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// The name of a queue: printable, not empty.
fn queue(word: Option<String>) -> Result<String, String> {
    let name = word.unwrap_or_default();
    let fine = !name.is_empty() && name.chars().count() <= 255 && !name.chars().any(char::is_control);
    if fine { Ok(name) } else { Err("the command names no queue".into()) }
}

impl Command {
    /// Reads a command line.
    pub fn parse(line: &[u8]) -> Result<Command, String> {
        let (code, rest) = line.split_first().ok_or("the command is empty")?;
        let mut rest = words(rest).into_iter();
        match code {
            1 => queue(rest.next()).map(|_| Command::Print),
            2 => queue(rest.next()).map(Command::Receive),
            3 | 4 => Ok(Command::State { queue: queue(rest.next())?, long: *code == 4, list: rest.collect() }),
            5 => {
                let (queue, agent) = (queue(rest.next())?, rest.next().unwrap_or_default());
                Ok(Command::Remove { queue, agent, list: rest.collect() })
            }
            other => Err(format!("there is no command {other}")),
        }
    }
}

impl Part {
    /// Reads a line inside a job.
    pub fn parse(line: &[u8]) -> Result<Part, String> {
        let (code, rest) = line.split_first().ok_or("the line is empty")?;
        let mut rest = words(rest);
        if *code == 1 {
            return Ok(Part::Abort);
        }
        if !matches!(code, 2 | 3) {
            return Err(format!("there is no line {code} in a job"));
        }
        // A count may be left out: then there is only the name.
        let name = rest.pop().ok_or("the file has no name")?;
        let count = match rest.first() {
            None => None,
            Some(count) => Some(count.parse::<u64>().map_err(|_| format!("{count:?} is no length"))?),
        };
        let known = count.filter(|count| !UNKNOWN.contains(count) && *count < ABSURD);
        let letters = name.get(..2).unwrap_or_default();
        match (code, letters) {
            (2, "cf") => Ok(Part::Control { bytes: count, name }),
            (3, "df") => Ok(Part::Data { bytes: known, name }),
            _ => Err(format!("{:?} is no name of a {} file", name, if *code == 2 { "control" } else { "data" })),
        }
    }
}

/// Whether bytes behind a file can be the next line of the job, or the beginning of it, and not more of the file.
pub fn may_follow(bytes: &[u8]) -> bool {
    let Some((code, rest)) = bytes.split_first() else { return true };
    let (rest, is_whole) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => (rest.get(..end).unwrap_or_default(), true),
        None => (rest, false),
    };
    let rest = rest.strip_suffix(b"\r").unwrap_or(rest);
    let wanted: &[u8] = match code {
        1 => return rest.is_empty(),
        2 => b"cf",
        3 => b"df",
        _ => return false,
    };
    if rest.len() >= MOST_LINE || rest.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return false;
    }
    let without = |bytes: &'_ [u8], which: fn(&u8) -> bool| bytes.iter().take_while(|byte| which(byte)).count();
    let space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let rest = rest.get(without(rest, space)..).unwrap_or_default();
    let rest = rest.get(without(rest, u8::is_ascii_digit)..).unwrap_or_default();
    let name = rest.get(without(rest, space)..).unwrap_or_default();
    name.starts_with(wanted) || (!is_whole && wanted.starts_with(name))
}

/// The job's number in a file's name: the digits behind `cfA` (three, or six from some senders) and the host behind them.
pub fn job_of(name: &str) -> (String, String) {
    let rest: String = name.chars().skip(3).collect();
    let digits = rest.chars().take(6).take_while(char::is_ascii_digit).count();
    let digits = if digits == 6 { 6 } else { digits.min(3) };
    let (number, host) = rest.split_at_checked(digits).unwrap_or((&rest, ""));
    (number.to_string(), host.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_file_is_told_from_more_of_it() {
        for line in
            [&b""[..], b"\x01\n", b"\x02 43 cfA009h\n", b"\x0212 cf", b"\x03", b"\x0312 dfA1h\nany\0thing", b"\x031"]
        {
            assert!(may_follow(line), "{line:?}");
        }
        // The rest of a VB file whose record lengths begin with 00, and text behind a 01 or 03.
        for more in [
            &b"\x0e\0\0LINE 00500"[..],
            b"\x01more of the file\n",
            b"\x03text\n",
            b"\x03 12 it",
            b"\0",
            b"\x0312 cfA1h\n",
        ] {
            assert!(!may_follow(more), "{more:?}");
        }
    }
}
