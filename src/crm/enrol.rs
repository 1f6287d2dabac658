//! Enrolment: a customer gets a user of the portal, with one account.
//!
//! Either with facts from a recent document of the account (the report definition says which fields may be asked), or with
//! the PIN of a letter that went to the account's address. Facts prove that somebody holds the paper, a PIN that the
//! post reached them. Guessing is slowed down by account and by address, known or not; an account that is not there, a
//! wrong fact and a wrong PIN get the same answer ([`CrmError::NotConfirmed`]).

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Serialize};

use super::account::AccountData;
use super::contact::{ContactKind, Owner};
use super::note::{NewNote, Visibility};
use super::store::{decode, encode, key};
use super::timeline::{DocumentEntry, Documents};
use super::{Crm, CrmError, Time, required, short};
use crate::archive::kv::{Batch, Family};
use crate::auth::AuthError;
use crate::auth::role::CUSTOMER;
use crate::auth::user::{NewUser, User, Users};
use crate::index::date::{DateFormat, told};
use crate::index::fold::{fold, squeeze};
use crate::index::value::Day;

/// What of a report may be asked at enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnrolmentForm {
    /// Name of the report definition.
    pub definition: String,
    /// Title of the report.
    pub title: String,
    /// The same in Chinese.
    pub title_zh: Option<String>,
    /// The fields that are asked, all of them.
    pub fields: Vec<FactField>,
}

/// A field that is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FactField {
    /// Its name.
    pub name: String,
    /// Its label, English.
    pub label: String,
    /// Its label, Chinese.
    pub label_zh: Option<String>,
    /// Of a date: a day as the document prints it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Of a date: how it is printed.
    #[serde(skip)]
    dates: Option<Vec<DateFormat>>,
}

impl FactField {
    /// A field; `dates` are the formats of a date, `None` of anything else.
    pub fn new(name: String, label: String, label_zh: Option<String>, dates: Option<Vec<DateFormat>>) -> FactField {
        let day = Day::from_ymd(2024, 6, 30).unwrap_or_default();
        let first = dates.as_ref().and_then(|formats| formats.first());
        let example = dates.as_ref().map(|_| first.map_or_else(|| day.to_string(), |format| format.print(day)));
        FactField { name, label, label_zh, example, dates }
    }

    /// Whether a text can be a value of the field at all: a day, where it is a date.
    pub fn reads(&self, text: &str) -> bool {
        self.dates.as_ref().is_none_or(|formats| told(text, formats).is_some())
    }

    /// Whether a document says this: the same number, the same day, or the same text but for case, width and separators.
    fn is_said_by(&self, document: &DocumentEntry, value: &str) -> bool {
        document.fields.iter().filter(|field| field.name == self.name).any(|field| {
            if let Some(day) = self.dates.as_ref().and_then(|formats| told(value, formats)) {
                field.value == day.to_string()
            } else if field.number {
                let (kept, told) = (number(&field.value), number(value));
                kept.is_some() && kept == told
            } else {
                squeeze(&fold(&field.value)) == squeeze(&fold(value))
            }
        })
    }
}

/// Who enrols.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewEnrolment {
    /// The account number.
    pub account: String,
    /// The report that the facts are from.
    pub definition: String,
    /// Field names and what they say on the paper.
    pub facts: Vec<Fact>,
    /// The PIN of a letter, instead of facts.
    pub pin: String,
    /// Sign-in name of the user to make.
    pub name: String,
    /// Password of the user to make.
    pub password: String,
    /// Name for people.
    pub display_name: String,
    /// Language of the pages, `en` or `zh-CN`.
    pub language: String,
}

/// A fact from a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fact {
    /// Name of the field.
    pub field: String,
    /// What it says.
    pub value: String,
}

/// A PIN as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct PinRow {
    hash: String,
    made_by: String,
    made_at: Time,
    expires_at: Time,
    wrong: u32,
}

/// Documents of the account that facts may be from, the newest.
const RECENT: usize = 3;
/// Facts of one enrolment at most.
const MOST_FACTS: usize = 8;
/// How long a PIN can be used: the post takes days, people take weeks.
const PIN_LIFE_S: i64 = 30 * 86_400;
/// Wrong PINs before a letter is worth nothing.
const MOST_WRONG: u32 = 10;
/// Characters of a PIN: 50 random bits.
const PIN_LENGTH: usize = 10;
/// Characters that are not mistaken for one another: no I, O, 0, 1.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// So many random characters of [`LETTERS`].
pub(super) fn letters(count: usize) -> Result<String, String> {
    let mut random = vec![0_u8; count];
    getrandom::fill(&mut random).map_err(|error| error.to_string())?;
    let letter = |byte: &u8| LETTERS.get(usize::from(byte & 31)).copied().map_or('?', char::from);
    Ok(random.iter().map(letter).collect())
}

/// Whom a letter about an account goes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addressee {
    /// The holder's name; empty when nobody is known.
    pub name: String,
    /// The postal address, line by line.
    pub address: Vec<String>,
    /// The holder reads Chinese.
    pub chinese: bool,
}

/// What somebody says of a document of a report: all that is asked, each in a form that can be read.
struct Facts<'a> {
    definition: &'a str,
    told: Vec<(&'a FactField, &'a str)>,
}

impl<'a> Facts<'a> {
    fn of(forms: &'a [EnrolmentForm], asked: &'a NewEnrolment) -> Result<Facts<'a>, CrmError> {
        let Some(form) = forms.iter().find(|form| form.definition == asked.definition) else {
            return Err(CrmError::invalid("definition", "there is no enrolment with such documents"));
        };
        let mut told = Vec::new();
        for field in &form.fields {
            let fact = asked.facts.iter().find(|fact| fact.field == field.name && !fact.value.trim().is_empty());
            let Some(fact) = fact.filter(|_| told.len() < MOST_FACTS) else {
                return Err(CrmError::invalid("facts", format!("all of them are needed, also {}", field.name)));
            };
            if !field.reads(&fact.value) {
                let example = field.example.as_deref().unwrap_or_default();
                return Err(CrmError::invalid("facts", format!("{} is a day such as {example}", field.name)));
            }
            told.push((field, fact.value.as_str()));
        }
        Ok(Facts { definition: &form.definition, told })
    }
}

fn pin_key(account: &str) -> Vec<u8> {
    key(b'k', &[account.as_bytes()])
}

impl Crm {
    /// Whom a letter about an account goes to; the account's own address is preferred to its holder's.
    pub fn addressee(&self, account: &str) -> Result<Addressee, CrmError> {
        let holder = self.account(account)?.customer.clone();
        let customer = holder.as_deref().map(|id| self.customer(id)).transpose()?;
        let owners = [Some(Owner::Account(account.to_string())), holder.map(Owner::Customer)];
        for owner in owners.into_iter().flatten() {
            let points = self.contacts_of(&owner)?;
            let Some(post) = points.iter().find(|point| point.kind == ContactKind::Post) else { continue };
            return Ok(Addressee {
                name: customer.as_ref().map(|customer| customer.display_name()).unwrap_or_default(),
                address: post.value.lines().map(str::to_string).collect(),
                chinese: customer.as_ref().is_some_and(|customer| customer.locale.starts_with("zh")),
            });
        }
        Err(CrmError::invalid("account", "it has no address for letters"))
    }

    /// Makes the PIN of a letter to an account; one that was made before is worth nothing then. It is returned once.
    pub fn make_pin(&self, by: &str, account: &str) -> Result<(String, Time), CrmError> {
        self.need::<AccountData>(account)?;
        let pin = letters(PIN_LENGTH).map_err(|detail| AuthError::Random { detail })?;
        let hash = Argon2::default()
            .hash_password(pin.as_bytes())
            .map_err(|error| AuthError::Hash { detail: error.to_string() })?
            .to_string();
        let now = self.now();
        let expires_at = now.plus(PIN_LIFE_S);
        self.put_pin(account, &PinRow { hash, made_by: by.into(), made_at: now, expires_at, wrong: 0 })?;
        Ok((pin, expires_at))
    }

    /// Makes a user for an account. `from` is the address of who asks.
    pub fn enrol(
        &self,
        users: &Users,
        documents: &dyn Documents,
        forms: &[EnrolmentForm],
        from: &str,
        asked: NewEnrolment,
    ) -> Result<User, CrmError> {
        let account = required("account", &asked.account)?;
        // What the caller can mend without knowing anything is said before anything is compared, and is no guess.
        let name = required("name", &asked.name)?;
        let display_name = short("display_name", &asked.display_name)?;
        if !(8..=1024).contains(&asked.password.len()) {
            return Err(AuthError::BadPassword.into());
        }
        let facts = if asked.pin.trim().is_empty() { Some(Facts::of(forms, &asked)?) } else { None };
        let key = squeeze(&fold(&account));
        self.enrolling.attempt(&key, from).map_err(|wait_s| CrmError::TooMany { wait_s })?;
        let confirmed = match facts {
            Some(facts) => self.facts_fit(documents, &facts, &account)?,
            None => self.pin_fits(&account, &asked.pin)?,
        };
        // Asked in any case, so that the time tells nothing.
        let all = users.list()?;
        let number = confirmed.ok_or(CrmError::NotConfirmed)?;
        let holds = |user: &User| user.is_customer() && !user.disabled && user.accounts.contains(&number);
        let held = all.iter().any(holds);
        if held {
            self.tell_holders(&number, &asked)?;
        }
        // Whoever has the paper could be anybody who emptied the letter box: the second login of an account needs the post.
        if held && asked.pin.trim().is_empty() {
            return Err(CrmError::NotConfirmed);
        }
        let user = users.add(NewUser {
            name,
            role: CUSTOMER.into(),
            accounts: vec![number.clone()],
            display_name,
            language: if asked.language == "zh-CN" { "zh-CN".into() } else { "en".into() },
            password: Some(asked.password),
        })?;
        if !asked.pin.trim().is_empty() {
            let mut batch = Batch::default();
            batch.delete(Family::Accounts, pin_key(&number));
            self.engine.commit(batch)?;
        }
        self.enrolling.succeeded(&key, from);
        Ok(user)
    }

    /// Leaves a note in the activity of those who have a login for the account.
    fn tell_holders(&self, account: &str, asked: &NewEnrolment) -> Result<(), CrmError> {
        let text = if asked.pin.trim().is_empty() {
            "Somebody tried to make a second login for this account with facts of a bill; it was refused. \
             有人试图用账单信息为此账户再注册一个登录，已被拒绝。"
        } else {
            "A second login for this account was made with the PIN of a letter. 有人用信函中的 PIN 码为此账户又注册了一个登录。"
        };
        let about = NewNote {
            account: Some(account.to_string()),
            text: text.into(),
            visibility: Visibility::Shared,
            ..NewNote::default()
        };
        self.add_note("system:enrolment", about).map(|_| ())
    }

    /// The number of the account as it is kept, when all facts are those of one recent document of it.
    fn facts_fit(
        &self,
        documents: &dyn Documents,
        facts: &Facts<'_>,
        account: &str,
    ) -> Result<Option<String>, CrmError> {
        let mut numbers: Vec<String> = self.accounts_like(account, 5)?.into_iter().map(|found| found.id).collect();
        if numbers.is_empty() {
            // An account that only documents know.
            numbers.push(account.to_string());
        }
        for number in numbers {
            let (mut looked_at, mut fits) = (0, false);
            documents.of_account(&number, Some(facts.definition), None, &mut |document| {
                looked_at += 1;
                fits |= facts.told.iter().all(|(field, value)| field.is_said_by(&document, value));
                if looked_at < RECENT { std::ops::ControlFlow::Continue(()) } else { std::ops::ControlFlow::Break(()) }
            })?;
            if fits {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    fn pin_fits(&self, account: &str, pin: &str) -> Result<Option<String>, CrmError> {
        let _turn = self.lock();
        let known = self.accounts_like(account, 2)?;
        let number = known.into_iter().map(|found| found.id).next().unwrap_or_else(|| account.to_string());
        let row = self.engine.get(Family::Accounts, &pin_key(&number))?.map(|bytes| decode::<PinRow>(&bytes));
        let Some(mut row) = row.transpose()?.filter(|row| self.now() < row.expires_at && row.wrong < MOST_WRONG) else {
            // The work of one comparison, so that the time does not tell whether there is a letter.
            let _ = Argon2::default().hash_password(pin.as_bytes().get(..64).unwrap_or(pin.as_bytes()));
            return Ok(None);
        };
        let typed: String = pin.chars().filter(|c| c.is_ascii_alphanumeric()).take(64).collect();
        let parsed = PasswordHash::new(&row.hash).map_err(|error| AuthError::Hash { detail: error.to_string() })?;
        if Argon2::default().verify_password(typed.to_uppercase().as_bytes(), &parsed).is_ok() {
            return Ok(Some(number));
        }
        row.wrong += 1;
        self.put_pin(&number, &row)?;
        Ok(None)
    }

    fn put_pin(&self, account: &str, row: &PinRow) -> Result<(), CrmError> {
        let mut batch = Batch::default();
        batch.put(Family::Accounts, pin_key(account), encode(row)?);
        Ok(self.engine.commit(batch)?)
    }
}

/// Digits and places of a number, however it is grouped: the last point or comma with one or two digits behind it parts
/// the decimals.
fn number(text: &str) -> Option<(bool, String, String)> {
    let folded = fold(text);
    let digits: String = folded.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',')).collect();
    let negative = folded.contains('-') || folded.contains('\u{2212}') || folded.contains('(');
    let mark = digits.rfind(['.', ',']).filter(|at| digits.len() - at <= 3);
    let (whole, part) = mark.map_or((digits.as_str(), ""), |at| digits.split_at(at));
    let plain = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (whole, part) = (plain(whole), plain(part));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let part = part.trim_end_matches('0').to_string();
    let whole = whole.trim_start_matches('0').to_string();
    Some((negative && !(whole.is_empty() && part.is_empty()), whole, part))
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;

    use super::super::tests::{NOON, crm};
    use super::super::timeline::DocumentField;
    use super::*;
    use crate::archive::DocId;
    use crate::archive::kv::memory::Memory;
    use crate::auth::clock::Clock;

    /// Bills of account 41-1, newest first.
    struct Bills;

    impl Documents for Bills {
        fn of_account(
            &self,
            account: &str,
            _: Option<&str>,
            _: Option<Day>,
            each: &mut dyn FnMut(DocumentEntry) -> ControlFlow<()>,
        ) -> Result<(), CrmError> {
            for amount in ["-1234.50", "20.00", "30.00", "40.00"].iter().filter(|_| account == "41-1") {
                let field = |name: &str, value: &str, number| DocumentField {
                    name: name.into(),
                    label: String::new(),
                    label_zh: None,
                    value: value.into(),
                    number,
                };
                let fields = vec![
                    field("amount", amount, true),
                    field("invoice", "RE-77/3", false),
                    field("date", "2024-06-30", false),
                ];
                if each(DocumentEntry { fields, ..DocumentEntry::default() }).is_break() {
                    break;
                }
            }
            Ok(())
        }

        fn with_number(&self, _: &str, _: usize) -> Result<Vec<DocumentEntry>, CrmError> {
            Ok(Vec::new())
        }

        fn may_see(&self, _: DocId) -> Result<bool, CrmError> {
            Ok(true)
        }
    }

    fn forms() -> Vec<EnrolmentForm> {
        let field = |name: &str, dates| FactField::new(name.into(), name.into(), None, dates);
        let form = |definition: &str, fields| EnrolmentForm {
            definition: definition.into(),
            title: "Bill".into(),
            title_zh: None,
            fields,
        };
        let dates = vec![DateFormat::new("%m/%d/%Y").expect("a format")];
        vec![
            form("bill", vec![field("amount", None), field("invoice", None)]),
            form("dated", vec![field("amount", None), field("date", Some(dates))]),
        ]
    }

    fn asked(account: &str, amount: &str, invoice: &str, name: &str) -> NewEnrolment {
        let fact = |field: &str, value: &str| Fact { field: field.into(), value: value.into() };
        NewEnrolment {
            account: account.into(),
            definition: "bill".into(),
            facts: vec![fact("amount", amount), fact("invoice", invoice)],
            name: name.into(),
            password: "correct horse".into(),
            ..NewEnrolment::default()
        }
    }

    fn users() -> Users {
        Users::new(Arc::new(Memory::default()), Clock::standing(NOON))
    }

    #[test]
    fn facts_of_a_recent_document_make_a_user_with_the_account() {
        let (crm, _) = crm();
        let users = users();
        let enrol = |asked| crm.enrol(&users, &Bills, &forms(), "10.0.0.1", asked);
        let user = enrol(asked("41-1", "-1,234.50", "re 77 3", "ava")).expect("enrolled");
        assert_eq!((user.role.as_str(), user.accounts.as_slice()), (CUSTOMER, &["41-1".to_string()][..]));
        let again = enrol(asked("41-1", "30", "RE-77/3", "ava2")).expect_err("a second login needs a letter");
        assert_eq!(again.to_string(), CrmError::NotConfirmed.to_string());
        crm.add_account("x", AccountData { number: "41-1".into(), ..AccountData::default() }).expect("added");
        let (pin, _) = crm.make_pin("op", "41-1").expect("made");
        let by_letter = NewEnrolment { pin, facts: Vec::new(), ..asked("41-1", "", "", "ava3") };
        assert_eq!(enrol(by_letter).expect("by the post").accounts, ["41-1"]);
        let ask = super::super::timeline::TimelineAsk { kinds: Vec::new(), cursor: None, limit: 10 };
        let mine = super::super::Viewer::Customer { name: "ava", accounts: &["41-1".to_string()] };
        let told = crm.account_timeline(mine, &["41-1".to_string()], &Bills, &ask).expect("read");
        let notes = told.items.iter().filter(|entry| entry.kind == super::super::timeline::EntryKind::Note).count();
        assert_eq!(notes, 2, "the holder reads of both");
        for (account, amount, invoice) in
            [("41-1", "40.00", "RE-77/3"), ("41-1", "20.01", "RE-77/3"), ("41-2", "20", "x")]
        {
            let said = enrol(asked(account, amount, invoice, "eve")).expect_err("refused");
            assert_eq!(said.to_string(), CrmError::NotConfirmed.to_string(), "{account} {amount}");
        }
        let missing = NewEnrolment { facts: Vec::new(), ..asked("41-1", "", "", "eve") };
        assert!(matches!(enrol(missing), Err(CrmError::Invalid { field: "facts", .. })));
    }

    #[test]
    fn a_day_is_taken_as_the_bill_prints_it_and_one_that_cannot_be_read_is_no_guess() {
        let dated = |day: &str| NewEnrolment {
            definition: "dated".into(),
            facts: vec![
                Fact { field: "amount".into(), value: "20".into() },
                Fact { field: "date".into(), value: day.into() },
            ],
            ..asked("41-1", "", "", "ava")
        };
        assert_eq!(forms()[1].fields[1].example.as_deref(), Some("06/30/2024"));
        for day in ["06/30/2024", "06-30-2024", "June 30, 2024", "30.06.2024", "2024年6月30日", "2024-06-30"] {
            let (crm, _) = crm();
            let users = users();
            for _ in 0..7 {
                let said = crm.enrol(&users, &Bills, &forms(), "10.0.0.1", dated("last month")).expect_err("no day");
                assert!(matches!(said, CrmError::Invalid { field: "facts", .. }), "{said}");
            }
            let wrong = crm.enrol(&users, &Bills, &forms(), "10.0.0.1", dated("07/30/2024")).expect_err("another day");
            assert!(matches!(wrong, CrmError::NotConfirmed));
            crm.enrol(&users, &Bills, &forms(), "10.0.0.1", dated(day)).expect(day);
        }
    }

    #[test]
    fn guessing_waits_for_accounts_that_are_there_and_for_those_that_are_not() {
        for account in ["41-1", "99-9"] {
            let (crm, clock) = crm();
            let users = users();
            let enrol = |n: usize| {
                let from = format!("10.0.0.{n}");
                crm.enrol(&users, &Bills, &forms(), &from, asked(account, "1", "1", "eve")).expect_err("refused")
            };
            for n in 0..5 {
                assert!(matches!(enrol(n), CrmError::NotConfirmed), "{account}");
            }
            assert!(matches!(enrol(6), CrmError::TooMany { wait_s: 30 }), "{account}");
            clock.turn(30);
            assert!(matches!(enrol(7), CrmError::NotConfirmed));
        }
    }

    #[test]
    fn a_pin_works_once_within_its_time() {
        let (crm, clock) = crm();
        let users = users();
        assert!(crm.make_pin("op", "41-1").is_err(), "no such account");
        crm.add_account("x", AccountData { number: "41-1".into(), ..AccountData::default() }).expect("added");
        let (pin, _) = crm.make_pin("op", "41-1").expect("made");
        let with = |pin: &str, name: &str| NewEnrolment {
            pin: pin.into(),
            definition: String::new(),
            facts: Vec::new(),
            ..asked("411", "", "", name)
        };
        let enrol = |asked| crm.enrol(&users, &Bills, &forms(), "10.0.0.1", asked);
        assert!(matches!(enrol(with("WRONGWRONG", "ava")), Err(CrmError::NotConfirmed)));
        let typed = format!("{} {}", &pin[..5].to_lowercase(), &pin[5..]);
        assert_eq!(enrol(with(&typed, "ava")).expect("enrolled").accounts, ["41-1"]);
        assert!(matches!(enrol(with(&pin, "eve")), Err(CrmError::NotConfirmed)), "used");
        let (pin, expires_at) = crm.make_pin("op", "41-1").expect("made");
        clock.turn(expires_at.0 - crm.now().0);
        assert!(matches!(enrol(with(&pin, "eve")), Err(CrmError::NotConfirmed)), "over");
    }

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        for (a, b) in
            [("1234.50", "1.234,50"), ("1234.50", "$1,234.5"), ("20.00", "20"), ("-5.00", "5.00-"), ("0.00", "-0")]
        {
            assert_eq!(number(a), number(b), "{a} {b}");
        }
        for (a, b) in [("20.00", "2000"), ("5", "-5"), ("1.23", "1.24")] {
            assert_ne!(number(a), number(b), "{a} {b}");
        }
        assert_eq!(number("abc"), None);
    }
}
