use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::json;

use super::*;
use crate::archive::kv::memory::Memory;

/// A provider of one request after the other, on this machine.
struct Stub {
    issuer: String,
    shared: Arc<Mutex<Answers>>,
}

/// What the stub answers, and what it was asked.
#[derive(Default)]
struct Answers {
    claims: Value,
    /// Claims are signed with this; the key set has its public half under `kid`.
    key: Option<(EcdsaKeyPair, String)>,
    /// Replaces the token.
    token: Option<String>,
    asked: Vec<String>,
}

fn pair() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("made");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).expect("read")
}

fn signed(header: &Value, claims: &Value, key: &EcdsaKeyPair) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).expect("signed");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

fn public(key: &EcdsaKeyPair, kid: &str) -> Value {
    let point = key.public_key().as_ref();
    let part = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[range]);
    json!({ "kty": "EC", "crv": "P-256", "x": part(1..33), "y": part(33..65), "kid": kid, "use": "sig" })
}

impl Stub {
    fn start() -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Mutex::new(Answers { key: Some((pair(), "one".into())), ..Answers::default() }));
        let (answers, own) = (shared.clone(), issuer.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut bytes = vec![0; 16 << 10];
                let mut length = 0;
                loop {
                    let count = stream.read(&mut bytes[length..]).unwrap_or(0);
                    length += count;
                    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                    let head = text.find("\r\n\r\n");
                    let wanted = text.to_lowercase().split("content-length: ").nth(1).map_or(0, |rest| {
                        rest.split("\r\n").next().and_then(|number| number.parse().ok()).unwrap_or(0)
                    });
                    if count == 0 || head.is_some_and(|end| length >= end + 4 + wanted) {
                        break;
                    }
                }
                let request = String::from_utf8_lossy(&bytes[..length]).into_owned();
                let body = answers.lock().expect("whole").answer(&own, request);
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
                let _ = stream.write_all(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes());
            }
        });
        Stub { issuer, shared }
    }

    fn asked(&self, what: &str) -> usize {
        self.shared.lock().expect("whole").asked.iter().filter(|line| line.contains(what)).count()
    }
}

impl Answers {
    fn answer(&mut self, issuer: &str, request: String) -> String {
        let (key, kid) = self.key.as_ref().expect("a key");
        let body = if request.contains("openid-configuration") {
            json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/auth"),
                "token_endpoint": format!("{issuer}/token"),
                "jwks_uri": format!("{issuer}/keys"),
            })
        } else if request.contains("/keys") {
            json!({ "keys": [public(key, kid)] })
        } else {
            let token = self.token.clone();
            let header = json!({ "alg": "ES256", "kid": kid });
            json!({ "id_token": token.unwrap_or_else(|| signed(&header, &self.claims, key)), "access_token": "x" })
        };
        self.asked.push(request);
        body.to_string()
    }
}

struct World {
    stub: Stub,
    oidc: Oidc,
    users: Users,
    clock: Clock,
}

impl World {
    fn new(create_role: Option<&str>) -> World {
        let engine: Arc<dyn Engine> = Arc::new(Memory::default());
        let clock = Clock::standing(1_700_000_000);
        let stub = Stub::start();
        let settings = Settings {
            issuer: stub.issuer.clone(),
            client_id: "greenbar".into(),
            client_secret: Some("s3 cret".into()),
            base_url: "https://archive.example.org".into(),
            user_claim: "preferred_username".into(),
            scopes: vec!["profile".into()],
            create_role: create_role.map(str::to_string),
            ca_pem: None,
        };
        settings.write(&*engine).expect("written");
        let users = Users::new(engine.clone(), clock.clone());
        let ann = NewUser {
            name: "ann".into(),
            role: "agent".into(),
            accounts: Vec::new(),
            display_name: String::new(),
            language: String::new(),
            password: None,
        };
        users.add(ann).expect("added");
        World { stub, oidc: Oidc::new(engine, clock.clone()), users, clock }
    }

    /// A whole sign-in whose token has these claims changed.
    fn sign_in(&self, changes: &[(&str, Value)]) -> Result<(User, String), OidcError> {
        let begun = self.oidc.begin("/agent?q=1").expect("begun");
        let value = |name: &str| {
            let (_, rest) =
                begun.url.split_once(&format!("{name}=")).unwrap_or_else(|| panic!("{name}: {}", begun.url));
            rest.split('&').next().unwrap_or_default().to_string()
        };
        assert_eq!((value("response_type"), value("code_challenge_method")), ("code".into(), "S256".into()));
        assert_eq!(value("state"), begun.state);
        let mut claims = json!({
            "iss": self.stub.issuer, "aud": "greenbar", "sub": "u-1", "preferred_username": "ann",
            "exp": self.clock.now() + 300, "iat": self.clock.now(), "nonce": value("nonce"),
        });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        self.stub.shared.lock().expect("whole").claims = claims;
        let outcome = self.oidc.end(&Answer {
            code: Some("c0de"),
            state: &begun.state,
            cookie: &begun.state,
            ..Answer::default()
        });
        let shared = self.stub.shared.lock().expect("whole");
        let asked =
            shared.asked.iter().rev().find(|asked| asked.contains("code_verifier=")).cloned().unwrap_or_default();
        let verifier = asked.split("code_verifier=").nth(1).unwrap_or_default().split('&').next().unwrap_or_default();
        assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())), value("code_challenge"));
        assert!(asked.contains("Basic ") || asked.contains("basic "), "{asked}");
        outcome
    }
}

#[test]
fn somebody_signs_in_and_stays_bound_to_the_subject() {
    let world = World::new(None);
    let (user, next) = world.sign_in(&[]).expect("signed in");
    assert_eq!((user.name.as_str(), next.as_str()), ("ann", "/agent?q=1"));
    let (user, _) = world.sign_in(&[("preferred_username", json!("ann-marie"))]).expect("the subject counts");
    assert_eq!(user.name, "ann");
    let other = world.sign_in(&[("sub", json!("u-2"))]);
    assert!(matches!(other, Err(OidcError::NoUser(_))), "the name was given to somebody else");
    assert!(matches!(
        world.sign_in(&[("sub", json!("u-3")), ("preferred_username", json!("bob"))]),
        Err(OidcError::NoUser(_))
    ));
    world.users.set_disabled("ann", true).expect("set");
    assert!(matches!(world.sign_in(&[]), Err(OidcError::NoUser(_))));
    assert_eq!(world.stub.asked("openid-configuration"), 1, "what the provider says of itself is kept");
    let world = World::new(Some("auditor"));
    let (user, _) = world.sign_in(&[("preferred_username", json!("Otto"))]).expect("made");
    assert_eq!((user.name.as_str(), user.role.as_str(), user.password_hash), ("otto", "auditor", None));
}

#[test]
fn tokens_that_do_not_hold_open_nothing() {
    let world = World::new(None);
    let now = world.clock.now();
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("aud", json!("other")),
        ("aud", json!(["greenbar", "other"])),
        ("azp", json!("other")),
        ("exp", json!(now - 61)),
        ("exp", json!("tomorrow")),
        ("iat", json!(now + 3600)),
        ("nonce", json!("another")),
        ("nonce", Value::Null),
        ("sub", json!("")),
        ("preferred_username", Value::Null),
    ] {
        let outcome = world.sign_in(&[(name, value.clone())]);
        assert!(matches!(outcome, Err(OidcError::Token(_))), "{name} = {value}: {outcome:?}");
    }
    let claims = json!({ "sub": "u-1" });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let (key, other) = (pair(), pair());
    let keys = json!({ "keys": [public(&key, "one")] });
    let good = signed(&json!({ "alg": "ES256", "kid": "one" }), &claims, &key);
    assert_eq!(jwt::verified(&good, &keys), Ok(claims.clone()));
    for (token, error) in [
        (format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims)), jwt::JwtError::Algorithm),
        (signed(&json!({ "alg": "HS256", "kid": "one" }), &claims, &key), jwt::JwtError::Algorithm),
        (signed(&json!({ "alg": "ES256", "kid": "one" }), &claims, &other), jwt::JwtError::Signature),
        (signed(&json!({ "alg": "ES256", "kid": "two" }), &claims, &key), jwt::JwtError::UnknownKey),
        (signed(&json!({ "alg": "RS256", "kid": "one" }), &claims, &key), jwt::JwtError::UnknownKey),
        (signed(&json!({ "alg": "ES256", "kid": "one", "crit": ["x"] }), &claims, &key), jwt::JwtError::Form),
        (good.replacen('.', "..", 1), jwt::JwtError::Signature),
        (format!("{good}="), jwt::JwtError::Form),
        (String::new(), jwt::JwtError::Form),
    ] {
        assert_eq!(jwt::verified(&token, &keys), Err(error), "{token}");
    }
    let mut parts: Vec<&str> = good.split('.').collect();
    let forged = part(&json!({ "sub": "u-9" }));
    parts[1] = &forged;
    assert_eq!(jwt::verified(&parts.join("."), &keys), Err(jwt::JwtError::Signature));
}

#[test]
fn new_keys_of_the_provider_are_fetched_once_a_minute() {
    let world = World::new(None);
    world.sign_in(&[]).expect("signed in");
    world.stub.shared.lock().expect("whole").key = Some((pair(), "two".into()));
    assert!(matches!(world.sign_in(&[]), Err(OidcError::Token(_))), "not within the minute");
    world.clock.turn(KEYS_AGAIN_S);
    world.sign_in(&[]).expect("the new key is known now");
    assert_eq!(world.stub.asked("/keys"), 2);
}

#[test]
fn an_answer_is_good_once_in_its_browser_and_not_for_long() {
    let world = World::new(None);
    let answer = |begun: &Begun, cookie: &str| {
        world
            .oidc
            .end(&Answer { code: Some("x"), state: &begun.state, cookie, ..Answer::default() })
            .expect_err("refused")
    };
    let begun = world.oidc.begin("/").expect("begun");
    assert!(matches!(answer(&begun, "another browser"), OidcError::State));
    assert!(matches!(answer(&begun, ""), OidcError::State));
    assert!(matches!(answer(&begun, &begun.state), OidcError::Token(_)), "it was under way");
    assert!(matches!(answer(&begun, &begun.state), OidcError::State), "and is no longer");
    let begun = world.oidc.begin("/").expect("begun");
    world.clock.turn(UNDER_WAY_S);
    assert!(matches!(answer(&begun, &begun.state), OidcError::State));
    let begun = world.oidc.begin("/").expect("begun");
    let refused =
        Answer { error: Some("access_denied"), state: &begun.state, cookie: &begun.state, ..Answer::default() };
    assert!(matches!(world.oidc.end(&refused), Err(OidcError::Refused(_))));
    let begun = world.oidc.begin("/").expect("begun");
    let mixed = Answer {
        code: Some("x"),
        issuer: Some("https://evil.example"),
        state: &begun.state,
        cookie: &begun.state,
        ..Answer::default()
    };
    assert!(matches!(world.oidc.end(&mixed), Err(OidcError::Token(_))), "mix-up of providers");
}

/// RFC 7515, appendix A.2: a token signed with RS256, and its key.
#[test]
fn rs256_is_checked_as_the_standard_shows() {
    let keys = json!({ "keys": [{
        "kty": "RSA",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        "e": "AQAB",
    }] });
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    assert_eq!(jwt::verified(token, &keys).expect("holds")["iss"], "joe");
    assert_eq!(jwt::verified(&token.replace("cC4h", "cC4i"), &keys), Err(jwt::JwtError::Signature));
}
