//! Files by SFTP (OpenSSH), to an S3 store (moto) and to a print queue: with the real servers, on loopback.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::distribute::{beside, status, world};
use crate::mail::until;
use crate::story::{Archive, checkout, lines, text};

/// A server that ends with its owner.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address").port()
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn rule(channel: &str) -> String {
    format!(
        "retry_s = [0]\n[[distribution]]\nname = \"out\"\nsince = \"2020-01-01\"\nchannels = [\"there\"]\nformat = \"text\"\n\
         [channel.there]\n{channel}"
    )
}

fn run(archive: &Archive, config: &str) -> Value {
    std::fs::write(archive.dir().join("distribution.toml"), config).expect("written");
    archive.ok(&["distribute", "plan"]);
    archive.ok(&["distribute", "run"]);
    status(archive, "1")["reconciliation"].clone()
}

/// OpenSSH's server with a host key and a user key of its own.
fn sshd(home: &Path) -> (Peer, u16) {
    for name in ["host", "user", "other"] {
        let made =
            Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(home.join(name)).status();
        assert!(made.expect("ssh-keygen runs").success());
    }
    std::fs::copy(home.join("user.pub"), home.join("authorized")).expect("copied");
    std::fs::create_dir_all("/run/sshd").expect("made");
    let port = free_port();
    let at = home.display();
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/authorized\nPidFile none\n\
         StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\n"
    );
    std::fs::write(home.join("sshd_config"), config).expect("written");
    let child = Command::new("/usr/sbin/sshd")
        .args(["-D", "-e", "-f"])
        .arg(home.join("sshd_config"))
        .stderr(std::fs::File::create(home.join("sshd.log")).expect("made"))
        .spawn()
        .expect("Debian's openssh-server is there (`make setup-test`)");
    until("sshd listens", || listens(port));
    (Peer(child), port)
}

fn known(home: &Path, file: &str, key: &str, port: u16) -> PathBuf {
    let key = std::fs::read_to_string(home.join(key)).expect("there");
    let path = home.join(file);
    std::fs::write(&path, format!("[127.0.0.1]:{port} {key}")).expect("written");
    path
}

#[test]
fn files_go_by_sftp_whole_with_their_digests_and_only_to_the_server_whose_key_is_known() {
    let archive = world("sftp", 5, "");
    let home = archive.home.path();
    let (_sshd, port) = sshd(home);
    let user = text(&Command::new("id").arg("-un").output().expect("runs").stdout).trim().to_string();
    let (right, wrong) = (known(home, "right", "host.pub", port), known(home, "wrong", "other.pub", port));
    let config = |hosts: &Path| {
        rule(&format!(
            "kind = \"sftp\"\nhost = \"127.0.0.1\"\nport = {port}\nuser = \"{user}\"\nkey_file = \"{}\"\n\
             known_hosts = \"{}\"\npath = \"{}\"\n",
            home.join("user").display(),
            hosts.display(),
            home.join("drop").display()
        ))
    };
    let sum = run(&archive, &config(&wrong));
    assert_eq!(sum["rungs"]["there"]["retrying"], 5, "{sum}");
    let said = sum["named"][0]["said"].as_str().expect("text");
    assert!(said.contains("Host key verification failed"), "{said}");
    assert_eq!(std::fs::read_dir(home.join("drop")).expect("there").count(), 0, "nothing went to another server");
    let sum = run(&archive, &config(&right));
    assert_eq!((&sum["rungs"]["there"]["completed"], &sum["balances"]), (&5.into(), &true.into()), "{sum}");
    let check =
        Command::new("sh").args(["-c", "sha256sum -c --quiet *.sha256"]).current_dir(home.join("drop")).output();
    let check = check.expect("runs");
    assert!(check.status.success(), "{}", text(&check.stderr));
    let names: Vec<_> = std::fs::read_dir(home.join("drop")).expect("there").flatten().map(|f| f.file_name()).collect();
    assert_eq!(names.len(), 15, "five files, digests and manifests, nothing temporary: {names:?}");
    beside(&home.join("drop"));
}

/// moto's S3 server, which checks signatures, rights and digests; `None`, after saying so, where it is not to be had.
fn moto() -> Option<(Peer, u16, PathBuf)> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("moto-python");
    let (python, ready) = (folder.join("bin/python"), folder.join("ready"));
    if !ready.exists() {
        let ran = |command: &mut Command| command.status().is_ok_and(|status| status.success());
        let got = ran(Command::new("/usr/bin/python3").args(["-m", "venv"]).arg(&folder))
            && ran(Command::new(&python).args(["-m", "pip", "install", "-q", "moto[s3,iam,server]==5.2.1"]));
        if !got {
            eprintln!("skipped: moto could not be installed from PyPI");
            return None;
        }
        std::fs::write(&ready, "").expect("written");
    }
    let port = free_port();
    let mut command = Command::new(folder.join("bin/moto_server"));
    // Three steps make the user; from then on every request must be signed by somebody who may do it.
    command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).env("INITIAL_NO_AUTH_ACTION_COUNT", "3");
    let peer = Peer(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts"));
    until("moto listens", || listens(port));
    Some((peer, port, python))
}

#[test]
fn objects_go_to_an_s3_store_with_their_checksums() {
    let archive = world("s3", 4, "");
    let Some((_moto, port, python)) = moto() else { return };
    let ask = |args: &[&str]| {
        let script = checkout().join("tests/it/sinks/s3.py");
        let out = Command::new(&python).arg(script).args(args).output().expect("runs");
        assert!(out.status.success(), "{}", text(&out.stderr));
        text(&out.stdout)
    };
    let port = port.to_string();
    let keys = ask(&["setup", &port]);
    let (key, right) = keys.trim().split_once(' ').expect("key and secret");
    let config = |bucket: &str, secret: &str| {
        let secret = archive.home.file("secret", secret);
        rule(&format!(
            "kind = \"s3\"\nurl = \"http://127.0.0.1:{port}\"\nprivate = true\nbucket = \"{bucket}\"\npath = \"2026/11\"\n\
             user = \"{key}\"\npassword_file = \"{}\"\n",
            secret.display()
        ))
    };
    let said = |sum: &Value| sum["named"][0]["said"].as_str().unwrap_or_default().to_string();
    let sum = run(&archive, &config("bills", "a wrong secret"));
    assert!(said(&sum).contains("SignatureDoesNotMatch"), "{sum}");
    let sum = run(&archive, &config("nobody", right));
    assert!(said(&sum).contains("NoSuchBucket"), "{sum}");
    let sum = run(&archive, &config("bills", right));
    assert_eq!((&sum["rungs"]["there"]["completed"], &sum["balances"]), (&4.into(), &true.into()), "{sum}");
    let found: Value = serde_json::from_str(&ask(&["list", &port, key, right])).expect("JSON");
    let found = found.as_object().expect("objects");
    assert_eq!(found.len(), 12, "four objects, their digests and manifests: {found:?}");
    for (name, object) in found.iter().filter(|(name, _)| !name.ends_with(".sha256") && !name.ends_with(".json")) {
        let manifest = found[&format!("{name}.manifest.json")]["text"].as_str().expect("text");
        assert!(manifest.contains(object["sha256"].as_str().expect("a digest")), "{manifest}");
        assert!(
            name.starts_with("2026/11/") && object["text"].as_str().is_some_and(|text| text.contains("GREAT LAKES"))
        );
        let list = found[&format!("{name}.sha256")]["text"].as_str().expect("text");
        assert!(list.starts_with(object["sha256"].as_str().expect("a digest")), "{list}");
    }
}

/// A print daemon that writes down what it took, and where it went wrong if it was told to.
fn lpd(archive: &Archive) -> (Peer, u16, PathBuf) {
    let out = archive.home.path().join("jobs.jsonl");
    let mut command = Command::new("/usr/bin/python3");
    command.arg(checkout().join("tests/it/sinks/lpd.py")).arg(&out).stdout(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut port = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut port).expect("it says its port");
    (Peer(child), port.trim().parse().expect("a number"), out)
}

#[test]
fn jobs_go_to_a_print_queue_and_a_lost_answer_leaves_them_in_doubt() {
    // As many as a channel loses before it rests.
    let archive = world("lpd", 3, "");
    let (_lpd, port, out) = lpd(&archive);
    let config = |queue: &str| {
        let more = "in_doubt = \"ask\"\n[channel.there]";
        rule(&format!("kind = \"lpd\"\nhost = \"127.0.0.1\"\nport = {port}\nqueue = \"{queue}\"\ntimeout_s = 2\n"))
            .replace("[channel.there]", more)
    };
    let sum = run(&archive, &config("closed"));
    assert!(sum["named"][0]["said"].as_str().is_some_and(|said| said.contains("answered 1 to the queue")), "{sum}");
    let sum = run(&archive, &config("hang"));
    assert_eq!((&sum["rungs"]["there"]["handed"], &sum["in_doubt"]), (&3.into(), &3.into()), "{sum}");
    assert_eq!(sum["named"][0]["state"], "in-doubt", "somebody decides: {sum}");
    let jobs = lines(&std::fs::read(&out).expect("written")).len();
    let sum = run(&archive, &config("bills"));
    assert_eq!(sum["open"]["pieces"], 3, "nothing is printed twice by itself: {sum}");
    archive.ok(&["distribute", "replay", "1"]);
    let sum = run(&archive, &config("bills"));
    assert_eq!((&sum["rungs"]["there"]["accepted"], &sum["balances"]), (&3.into(), &true.into()), "{sum}");
    let printed = lines(&std::fs::read(&out).expect("written"));
    assert_eq!((jobs, printed.len()), (3, 6));
    for (before, after) in printed[..3].iter().zip(&printed[3..]) {
        assert_eq!((&before["job"], &before["data"]), (&after["job"], &after["data"]), "the same job and bytes");
    }
    assert!(printed[3]["data"].as_str().is_some_and(|data| data.contains("GREAT LAKES")), "{}", printed[3]);
}

/// CUPS with one queue, and the folder in which it keeps jobs.
fn cups(home: &Path) -> (Peer, u16, PathBuf) {
    let at = home.join("cups");
    for part in ["root", "spool/tmp", "cache", "state"] {
        std::fs::create_dir_all(at.join(part)).expect("made");
    }
    let port = free_port();
    let (place, spool) = (at.display(), at.join("spool"));
    let rules = format!(
        "Listen 127.0.0.1:{port}\nDefaultAuthType None\nWebInterface No\nBrowsing No\n<Location />\nAllow all\n</Location>\n\
         <Policy default>\n<Limit All>\nAllow all\n</Limit>\n</Policy>\n"
    );
    let files = format!(
        "FileDevice Yes\nServerRoot {place}/root\nRequestRoot {place}/spool\nTempDir {place}/spool/tmp\nCacheDir {place}/cache\n\
         StateDir {place}/state\nAccessLog {place}/access\nErrorLog {place}/error\nPageLog {place}/page\n"
    );
    std::fs::write(at.join("cupsd.conf"), rules).expect("written");
    std::fs::write(at.join("cups-files.conf"), files).expect("written");
    let mut command = Command::new("/usr/sbin/cupsd");
    command.arg("-f").arg("-c").arg(at.join("cupsd.conf")).arg("-s").arg(at.join("cups-files.conf"));
    let peer = Peer(command.spawn().expect("Debian's cups is there (`make setup-test`)"));
    until("cupsd listens", || listens(port));
    let mut queue = Command::new("lpadmin");
    queue.args(["-h", &format!("127.0.0.1:{port}"), "-p", "bills", "-E", "-m", "raw", "-v"]);
    assert!(queue.arg("file:/dev/null").status().expect("lpadmin runs").success());
    (peer, port, spool)
}

#[test]
fn jobs_go_to_a_cups_queue_by_ipp_and_are_done_when_cups_says_so() {
    let archive = world("ipp", 3, "");
    let (_cups, port, spool) = cups(archive.home.path());
    let config = |port: u16, queue: &str| {
        rule(&format!("kind = \"ipp\"\nurl = \"ipp://127.0.0.1:{port}/printers/{queue}\"\nprivate = true\n"))
    };
    let sum = run(&archive, &config(free_port(), "bills"));
    assert_eq!((&sum["rungs"]["there"]["retrying"], &sum["in_doubt"]), (&3.into(), &0.into()), "nobody listens: {sum}");
    let sum = run(&archive, &config(port, "nobody"));
    assert!(sum["named"][0]["said"].as_str().is_some_and(|said| said.contains("status 0x0406")), "{sum}");
    let sum = run(&archive, &config(port, "bills"));
    assert_eq!((&sum["rungs"]["there"]["completed"], &sum["balances"]), (&3.into(), &true.into()), "{sum}");
    // CUPS keeps what it was sent.
    let kept = std::fs::read_dir(spool).expect("there").flatten().map(|file| file.path());
    let kept = kept.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("d0")));
    let jobs: Vec<String> = kept.map(|path| text(&std::fs::read(path).expect("a job"))).collect();
    assert!(jobs.len() == 3 && jobs.iter().all(|job| job.contains("GREAT LAKES")), "{jobs:?}");
    let jobs = Command::new("lpstat").args(["-h", &format!("127.0.0.1:{port}"), "-W", "completed", "-o"]).output();
    assert_eq!(text(&jobs.expect("lpstat runs").stdout).lines().count(), 3);
}
