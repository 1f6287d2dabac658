//! A server with users, and a client that hides nothing.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::fake::Fake;
use crate::audit::{Filter, Record};
use crate::auth::clock::Clock;
use crate::auth::directory::{Directory, Effect, Policy};
use crate::auth::gate::Gate;
use crate::auth::key::Keys;
use crate::auth::session::Sessions;
use crate::auth::user::{NewUser, Users};
use crate::serve::backend::Backend;
use crate::serve::{ServeConfig, ServeHandle, start};

pub const PASSWORD: &str = "correct horse";

pub struct World {
    pub server: ServeHandle,
    pub fake: Arc<Fake>,
    pub users: Users,
    pub directory: Directory,
    pub keys: Keys,
    pub sessions: Sessions,
    pub gate: Gate,
    pub folder: PathBuf,
}

impl World {
    /// Users: `root` administrator, `ann` agent, `carl` customer of 4711, `dora` customer of 4712.
    pub fn new() -> World {
        World::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut ServeConfig)) -> World {
        let fake = Arc::new(Fake::new());
        World::over(fake.clone(), fake, change)
    }

    /// A server on another archive; `fake` stands beside it unused.
    pub fn on(backend: Arc<dyn Backend>) -> World {
        World::over(backend, Arc::new(Fake::new()), |_| {})
    }

    fn over(backend: Arc<dyn Backend>, fake: Arc<Fake>, change: impl FnOnce(&mut ServeConfig)) -> World {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("greenbar-serve-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("made");
        let engine = backend.engine();
        let clock = Clock::default();
        let users = Users::new(engine.clone(), clock.clone());
        for (name, role, account) in [
            ("root", "administrator", None),
            ("ann", "agent", None),
            ("carl", "customer", Some("4711")),
            ("dora", "customer", Some("4712")),
        ] {
            let new = NewUser {
                name: name.into(),
                role: role.into(),
                accounts: account.into_iter().map(str::to_string).collect(),
                display_name: String::new(),
                language: String::new(),
                password: Some(PASSWORD.into()),
            };
            users.add(new).expect("added");
        }
        let mut config = ServeConfig::new("127.0.0.1:0".parse().expect("an address"), &folder);
        config.workers = 1;
        change(&mut config);
        let server = start(backend, config).expect("started");
        World {
            server,
            users,
            directory: Directory::new(engine.clone()),
            keys: Keys::new(engine.clone(), clock.clone()),
            sessions: Sessions::new(engine.clone(), clock),
            gate: Gate::new(engine),
            fake,
            folder,
        }
    }

    /// Limits a role to the documents of a rule.
    pub fn limit(&self, name: &str, rule: &str, role: &str) {
        let (groups, users) = (Vec::new(), Vec::new());
        let (name, rule, roles) = (name.into(), rule.into(), vec![role.into()]);
        let policy = Policy { name, effect: Effect::Limit, rule, roles, groups, users };
        self.directory.set_policy(&policy).expect("set");
    }

    /// Adds a user who is no customer.
    pub fn add(&self, name: &str, role: &str) {
        let new = NewUser {
            name: name.into(),
            role: role.into(),
            accounts: Vec::new(),
            display_name: String::new(),
            language: String::new(),
            password: None,
        };
        self.users.add(new).expect("added");
    }

    /// An `Authorization` header for a user.
    pub fn key(&self, user: &str) -> (String, String) {
        let (text, _) = self.keys.make(user, "test", None).expect("made");
        ("Authorization".into(), format!("Bearer {text}"))
    }

    /// A session's `Cookie` header and its token against forgery.
    pub fn session(&self, user: &str) -> ((String, String), String) {
        let (token, session) = self.sessions.open(user, "127.0.0.1").expect("opened");
        (("Cookie".into(), format!("greenbar={token}")), session.csrf)
    }

    pub fn ask(&self, method: &str, path: &str, headers: &[(String, String)], body: &[u8]) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.server.address);
        if !body.is_empty() || method == "POST" {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        self.raw(&[head.as_bytes(), b"\r\n", body].concat())
    }

    pub fn get(&self, path: &str, headers: &[(String, String)]) -> Reply {
        self.ask("GET", path, headers, b"")
    }

    pub fn raw(&self, request: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.server.address).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        // A server that refuses early may close while we still write.
        let _ = stream.write_all(request);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Reply::parse(&bytes)
    }

    pub fn audit(&self) -> Vec<Record> {
        self.gate.audit(&Filter::default()).expect("listed")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Reply {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole header");
        let head = String::from_utf8_lossy(&bytes[..end]);
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_string())).collect();
        Reply { status, headers, body: bytes[end + 4..].to_vec() }
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

pub fn header(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}
