//! Small helpers that make tests read like what a user does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// The binary under test.
pub const GREENBAR: &str = env!("CARGO_BIN_EXE_greenbar");

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that goes away with its owner.
pub struct TempDir(PathBuf);

impl TempDir {
    pub fn new(purpose: &str) -> TempDir {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("greenbar-{purpose}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a temporary folder can be made");
        TempDir(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file in the folder and returns its path.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a temporary file can be written");
        path
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The folder of this checkout.
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the shared corpus, or `None` (after saying so) where the corpus is absent.
pub fn corpus(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GREENBAR_CORPUS").map_or_else(|| checkout().join("../shared/corpus"), PathBuf::from);
    let file = root.join(path);
    if file.exists() {
        return Some(file);
    }
    eprintln!("skipped: the shared corpus is not here ({path})");
    None
}

/// An archive of its own for one test.
pub struct Archive {
    pub home: TempDir,
}

impl Archive {
    /// A new archive with every definition of `indexers/`.
    pub fn new(purpose: &str) -> Archive {
        let archive = Archive::bare(purpose);
        for definition in indexers() {
            archive.ok(&["definition", "add", definition.to_str().expect("UTF-8 path")]);
        }
        archive
    }

    /// A new archive that knows no definition.
    pub fn bare(purpose: &str) -> Archive {
        let archive = Archive { home: TempDir::new(purpose) };
        let dir = archive.dir();
        let out = run(&["init", dir.to_str().expect("UTF-8 path")]);
        assert!(out.status.success(), "init failed: {}", text(&out.stderr));
        archive
    }

    pub fn dir(&self) -> PathBuf {
        self.home.path().join("archive")
    }

    /// A command on this archive, not yet run.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(GREENBAR);
        command.arg("--data").arg(self.dir()).args(args).stdin(Stdio::null());
        command
    }

    /// Runs a command that must succeed; returns its output.
    pub fn ok(&self, args: &[&str]) -> Vec<u8> {
        let out = self.command(args).output().expect("greenbar starts");
        assert!(out.status.success(), "greenbar {args:?} failed: {}\n{}", text(&out.stderr), text(&out.stdout));
        out.stdout
    }

    /// Runs a command with `--json` that must succeed; one value for each line.
    pub fn json(&self, args: &[&str]) -> Vec<Value> {
        let mut all = args.to_vec();
        all.push("--json");
        let out = self.ok(&all);
        lines(&out)
    }

    /// Runs a command that must fail with exit code 1; returns what it says.
    pub fn fails(&self, args: &[&str]) -> String {
        let out = self.command(args).output().expect("greenbar starts");
        assert_eq!(out.status.code(), Some(1), "greenbar {args:?} should fail: {}", text(&out.stdout));
        text(&out.stderr)
    }

    /// Loads one file and returns the report of the load.
    pub fn load(&self, file: &Path, definition: Option<&str>) -> Value {
        let file = file.to_str().expect("UTF-8 path");
        let mut args = vec!["load"];
        if let Some(definition) = definition {
            args.extend(["--definition", definition]);
        }
        args.push(file);
        let mut reports = self.json(&args);
        assert_eq!(reports.len(), 1, "one report for one file");
        reports.remove(0)
    }

    /// All hits of a query.
    pub fn search(&self, query: &str) -> Vec<Value> {
        self.json(&["search", query, "--limit", "1000000"])
    }

    /// Asserts that `verify` finds nothing wrong.
    pub fn is_sound(&self) -> Value {
        let report = self.json(&["verify"]).remove(0);
        assert_eq!(report["errors"], serde_json::json!([]), "verify: {report}");
        report
    }
}

/// The report definitions of the checkout.
pub fn indexers() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(checkout().join("indexers"))
        .expect("indexers/ is in the checkout")
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    all.sort();
    all
}

/// Runs greenbar without an archive.
pub fn run(args: &[&str]) -> Output {
    Command::new(GREENBAR)
        .args(args)
        .stdin(Stdio::null())
        .env_remove("GREENBAR_DATA")
        .output()
        .expect("greenbar starts")
}

/// JSON lines as values.
pub fn lines(bytes: &[u8]) -> Vec<Value> {
    text(bytes)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}")))
        .collect()
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Rows of a truth table: column name to value.
pub fn truth(path: &Path) -> Vec<std::collections::BTreeMap<String, String>> {
    let table = std::fs::read_to_string(path).expect("the truth table is UTF-8");
    let mut lines = table.lines();
    let names: Vec<&str> = lines.next().expect("a header").split('\t').collect();
    lines
        .map(|line| names.iter().zip(line.split('\t')).map(|(name, value)| ((*name).into(), value.into())).collect())
        .collect()
}

/// A small stream of statements with ASA control in ASCII, made here: `count` documents, two pages each third one.
pub fn small_statements(count: usize) -> Vec<u8> {
    let mut out = String::new();
    for n in 1..=count {
        let pages = if n % 3 == 0 { 2 } else { 1 };
        for page in 1..=pages {
            out.push_str(&format!(
                "1{:<40}STATEMENT OF ACCOUNT{:<16}PAGE {page:>3} OF {pages}\n",
                "GREAT LAKES MUTUAL BANK", ""
            ));
            out.push_str(&format!(" ACCOUNT NO  {:<20} STATEMENT DATE {:02}/28/2024\n", account(n), n % 12 + 1));
            if page == 1 {
                out.push_str(&format!("-    Person Number {n}\n     {n} Birch St\n     Dayton OH 45402\n"));
                out.push_str(&format!("0{:<69}{:>16}\n", "BALANCE FORWARD", "100.00"));
            }
            out.push_str(&format!("0DATE   DESCRIPTION{:60}AMOUNT\n", ""));
            for line in 1..=5 {
                out.push_str(&format!(
                    "  {line:02}/07  {:<60}{:>16}\n",
                    format!("CARD PURCHASE ORCHARD CAFE {n}"),
                    "1.00-"
                ));
            }
        }
        out.push_str(&format!("0{:<69}{:>16}\n", "CLOSING BALANCE", format!("{}.{:02}", n * 10, n % 100)));
    }
    out.into_bytes()
}

/// The account number of the `n`-th statement of [`small_statements`].
pub fn account(n: usize) -> String {
    format!("{:06}-{:04}-{}", 100_000 + n, n % 10_000, n % 10)
}

/// How many times a test of random kills is repeated: few for every change, many for `make test-all`.
pub fn rounds(few: usize, many: usize) -> usize {
    if std::env::var_os("GREENBAR_LONG").is_some() { many } else { few }
}

/// The next number of a sequence that looks random and is the same each time (xorshift).
pub fn next(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}
