//! Streams that are longer than was announced, and files with names that nobody expects: told, never taken for something else
//! and never silently left.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, Instant};

use crate::capture::{becomes, configure, loaded, lpd, port, watch};
use crate::server::{Server, key};
use crate::story::{Archive, small_statements};

#[test]
fn more_than_was_announced_is_refused_or_holds_what_was_acknowledged() {
    let archive = Archive::new("surplus");
    let admin = key(&archive, "root", "administrator", &[]);
    let port = port();
    let settings = format!(
        "[capture]\nunknown = \"wait\"\n[capture.lpd]\nlisten = \"127.0.0.1:{port}\"\n\
         [[capture.queue]]\nname = \"whole\"\nunknown = \"whole\"\n"
    );
    configure(&archive, &settings);
    let server = Server::start(&archive);
    // The next record of a VB file begins with 00, as the end of a file does; and text behind a 01 is no command.
    for surplus in [&b"sixsix\x00\x0e\x00\x00LINE 00500"[..], b"sixsix\x01more of the file\n\0"] {
        assert_eq!(lpd(port, &[b"\x02whole\n", b"\x036 dfA001host\n", surplus]), Some(3), "{surplus:?}");
    }
    // What comes when yes was said already: the arrival is held, and says why.
    let mut wire = TcpStream::connect(("127.0.0.1", port)).expect("connects");
    wire.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
    let mut say = |bytes: &[u8]| {
        let mut answer = [9];
        wire.write_all(bytes).expect("sent");
        wire.read_exact(&mut answer).expect("answered");
        answer[0]
    };
    assert_eq!((say(b"\x02whole\n"), say(b"\x036 dfA002host\n"), say(b"sixsix\0")), (0, 0, 0));
    assert_eq!(say(b"\x0e\0\0LINE 00500\n"), 3);
    let item = becomes(&server, &admin, 1, "held");
    let steps: Vec<&str> =
        item["history"].as_array().expect("a list").iter().filter_map(|step| step["what"].as_str()).collect();
    assert!(steps.contains(&"more-came"), "{item}");
    assert!(item["history"].to_string().contains("more came than the 6 bytes that were announced"), "{item}");
    // What goes on as a job should is as before.
    let control = b"Hhost\nPann\nJevening\nfdfA003host\n\0";
    let head = format!("\x02{} cfA003host\n", control.len() - 1);
    let data: &[&[u8]] = &[b"\x02whole\n", b"\x036 dfA003host\n", b"first\n\0", head.as_bytes(), control];
    assert_eq!(lpd(port, data), Some(0));
}

#[test]
fn a_file_is_taken_whatever_its_name_is() {
    let archive = Archive::new("names");
    let admin = key(&archive, "root", "administrator", &[]);
    let inbox = watch(&archive);
    let server = Server::start(&archive);
    let odd = OsString::from_vec(b"bills-\xe4\xf6.txt".to_vec());
    for (at, name) in [odd, "two\nlines.txt".into()].into_iter().enumerate() {
        std::fs::write(inbox.join("x.tmp"), small_statements(2 + at)).expect("written");
        std::fs::rename(inbox.join("x.tmp"), inbox.join(name)).expect("moved");
    }
    let told = loaded(&server, &admin, 2);
    let mut files: Vec<&str> =
        told["loads"].as_array().expect("a list").iter().filter_map(|load| load["file"].as_str()).collect();
    files.sort_unstable();
    assert_eq!(files.len(), 2, "{told}");
    assert!(files[0].starts_with("bills-") && files[1].starts_with("two"), "{told}");
    let started = Instant::now();
    while std::fs::read_dir(inbox.join("done")).expect("there").count() < 2 {
        assert!(started.elapsed() < Duration::from_secs(10), "both are moved");
        std::thread::sleep(Duration::from_millis(50));
    }
}
