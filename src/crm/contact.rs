//! Contact points: where a customer or an account can be reached, in one form for each kind.

use serde::{Deserialize, Serialize};

use super::account::AccountData;
use super::customer::CustomerData;
use super::store::{Change, Data, Entry, Kept, key};
use super::time::{Date, Time};
use super::{Crm, CrmError, phone, short};
use crate::archive::kv::{Batch, Family};
use crate::index::fold::fold;

/// A contact point as kept.
pub type ContactPoint = Kept<ContactData>;

/// Kinds of contact points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContactKind {
    /// An address for mail.
    Email,
    /// A telephone that takes short messages.
    Sms,
    /// A telephone.
    Phone,
    /// A fax machine.
    Fax,
    /// An address for letters.
    Post,
    /// A device that takes notifications.
    Push,
    /// The portal's own box.
    Portal,
}

impl ContactKind {
    /// All kinds.
    pub const ALL: [ContactKind; 7] = [
        ContactKind::Email,
        ContactKind::Sms,
        ContactKind::Phone,
        ContactKind::Fax,
        ContactKind::Post,
        ContactKind::Push,
        ContactKind::Portal,
    ];

    /// The word for it, as in JSON.
    pub fn name(self) -> &'static str {
        match self {
            ContactKind::Email => "email",
            ContactKind::Sms => "sms",
            ContactKind::Phone => "phone",
            ContactKind::Fax => "fax",
            ContactKind::Post => "post",
            ContactKind::Push => "push",
            ContactKind::Portal => "portal",
        }
    }

    /// The kind of this name.
    pub fn parse(text: &str) -> Option<ContactKind> {
        ContactKind::ALL.into_iter().find(|kind| kind.name() == text)
    }

    fn is_phone(self) -> bool {
        matches!(self, ContactKind::Phone | ContactKind::Sms | ContactKind::Fax)
    }
}

/// Whose contact point it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// A customer, by id.
    Customer(String),
    /// An account, by number.
    Account(String),
}

impl Owner {
    fn key(&self) -> (&'static [u8], &str) {
        match self {
            Owner::Customer(id) => (b"c", id),
            Owner::Account(number) => (b"a", number),
        }
    }

    /// The id of the customer, or the number of the account.
    pub fn name(&self) -> &str {
        self.key().1
    }
}

/// What is known of a contact point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactData {
    /// Whose.
    pub owner: Owner,
    /// What kind.
    pub kind: ContactKind,
    /// As it was told.
    pub value: String,
    /// In the one form of its kind: E.164, mail address with its domain in lower case, folded text.
    #[serde(default)]
    pub normalised: String,
    /// In the customer's words: `home`, `office`.
    #[serde(default)]
    pub label: String,
    /// When it was proved that the customer is reached here; goes away when the value changes.
    #[serde(default)]
    pub verified_at: Option<Time>,
    /// How it was proved: `code`, `letter`, `agent` ...
    #[serde(default)]
    pub verified_by: String,
    /// Since when the last mail or call did not reach anybody.
    #[serde(default)]
    pub failing_since: Option<Time>,
    /// First day of use.
    #[serde(default)]
    pub valid_from: Option<Date>,
    /// Last day of use.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// Where it is known from: `import`, `customer`, `agent` ...
    #[serde(default)]
    pub source: String,
}

/// A contact point to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewContact {
    /// Whose.
    pub owner: Owner,
    /// What kind.
    pub kind: ContactKind,
    /// The address or number.
    pub value: String,
    /// In the customer's words.
    #[serde(default)]
    pub label: String,
    /// First day of use.
    #[serde(default)]
    pub valid_from: Option<Date>,
    /// Last day of use.
    #[serde(default)]
    pub valid_to: Option<Date>,
    /// Where it is known from.
    #[serde(default)]
    pub source: String,
}

impl ContactData {
    /// Whether it was verified and is in use on a day.
    pub fn is_usable(&self, today: Date) -> bool {
        self.verified_at.is_some()
            && self.valid_from.is_none_or(|from| from <= today)
            && self.valid_to.is_none_or(|to| today <= to)
    }

    /// The value with its middle hidden, to be recognised by those who know it: `a***s@example.com`, `***1170`, `10***`.
    pub fn masked(&self) -> String {
        match self.kind {
            ContactKind::Email => {
                let (local, domain) = self.value.split_once('@').unwrap_or((self.value.as_str(), ""));
                let mut chars = local.chars();
                let first = chars.next().map(String::from).unwrap_or_default();
                let last = chars.next_back().map(String::from).unwrap_or_default();
                format!("{first}***{last}@{domain}")
            }
            _ if self.kind.is_phone() => {
                let digits: Vec<char> = self.normalised.chars().collect();
                let tail = digits.len().saturating_sub(4);
                format!("***{}", digits.iter().skip(tail).collect::<String>())
            }
            ContactKind::Post => format!("{}***", self.value.chars().take(3).collect::<String>().trim_end()),
            _ => "***".into(),
        }
    }
}

/// Key of the setting with the country of numbers that name none.
const COUNTRY_KEY: &[u8] = b"crm/country";
/// What is said of an owner that is not there.
pub const NO_OWNER: &str = "there is no such customer or account";
/// Contact points of one owner at most.
const MOST_POINTS: usize = 200;

impl Data for ContactData {
    const FAMILY: Family = Family::Customers;
    const LETTER: u8 = b't';
    const WHAT: &'static str = "contact point";

    fn entries(&self, id: &str) -> Vec<Entry> {
        let (kind, owner) = self.owner.key();
        let keys = [
            key(b'o', &[kind, owner.as_bytes(), id.as_bytes()]),
            key(b'v', &[self.family().as_bytes(), self.normalised.as_bytes(), id.as_bytes()]),
        ];
        keys.into_iter().map(|key| (Family::Customers, key)).collect()
    }
}

impl ContactData {
    /// Telephones of all kinds are found by one number.
    fn family(&self) -> &'static str {
        if self.kind.is_phone() { "phone" } else { self.kind.name() }
    }
}

/// A value in the one form of its kind. `country` counts for numbers that name none.
pub fn normalise(kind: ContactKind, value: &str, country: &str) -> Result<String, CrmError> {
    let value = value.trim();
    if value.is_empty() || value.chars().count() > 500 {
        return Err(CrmError::invalid("value", "it has 1 to 500 characters"));
    }
    let lines = kind == ContactKind::Post;
    if value.chars().any(|c| c.is_control() && !(lines && matches!(c, '\n' | '\r'))) {
        return Err(CrmError::invalid("value", "control characters are not allowed"));
    }
    match kind {
        ContactKind::Email => email(value),
        kind if kind.is_phone() => phone::e164(value, country).map_err(|why| CrmError::invalid("value", why)),
        _ => Ok(fold(value)),
    }
}

/// A mail address: something, `@`, a domain in lower case. The local part keeps its case, but is found without (RFC 5321
/// leaves it to the receiver; nobody's receiver tells two cases apart), so the normalised form is lower case too.
fn email(value: &str) -> Result<String, CrmError> {
    let bad = || CrmError::invalid("value", "it is a mail address such as name@example.com");
    let (local, domain) = value.rsplit_once('@').ok_or_else(bad)?;
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>()[],;:\\\"@".contains(c);
    let label = |part: &str| {
        let inner = |c: char| c.is_alphanumeric() || c == '-';
        !part.is_empty()
            && part.len() <= 63
            && part.chars().all(inner)
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let whole = !local.is_empty() && local.len() <= 64 && local.chars().all(plain) && value.len() <= 254;
    if !whole || !domain.contains('.') || !domain.split('.').all(label) {
        return Err(bad());
    }
    Ok(value.to_lowercase())
}

impl Crm {
    /// The country (ISO 3166) of telephone numbers that name none.
    pub fn default_country(&self) -> Result<String, CrmError> {
        let kept = self.engine.get(Family::Settings, COUNTRY_KEY)?;
        Ok(kept.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| "US".into()))
    }

    /// Sets it.
    pub fn set_default_country(&self, country: &str) -> Result<(), CrmError> {
        if !phone::is_country(country) {
            return Err(CrmError::invalid("country", "it is not among the countries whose numbers are known"));
        }
        let mut batch = Batch::default();
        batch.put(Family::Settings, COUNTRY_KEY, country.as_bytes());
        Ok(self.engine.commit(batch)?)
    }

    /// The country for the numbers of an owner: that of the customer's language, or the archive's.
    fn country_for(&self, owner: &Owner) -> Result<String, CrmError> {
        let customer = match owner {
            Owner::Customer(id) => Some(id.clone()),
            Owner::Account(number) => self.find::<AccountData>(number)?.and_then(|account| account.data.customer),
        };
        let locale = match customer {
            Some(id) => self.find::<CustomerData>(&id)?.map(|customer| customer.data.locale).unwrap_or_default(),
            None => String::new(),
        };
        match phone::country_of(&locale) {
            Some(country) => Ok(country.to_string()),
            None => self.default_country(),
        }
    }

    /// Adds a contact point.
    pub fn add_contact(&self, by: &str, new: NewContact) -> Result<ContactPoint, CrmError> {
        let _turn = self.lock();
        let there = match &new.owner {
            Owner::Customer(id) => self.find::<CustomerData>(id)?.is_some(),
            Owner::Account(number) => self.find::<AccountData>(number)?.is_some(),
        };
        if !there {
            return Err(CrmError::invalid("owner", NO_OWNER));
        }
        let country = self.country_for(&new.owner)?;
        let mut batch = Batch::default();
        let point = self.insert_contact(&mut batch, by, new, &country)?;
        self.engine.commit(batch)?;
        Ok(point)
    }

    pub(super) fn insert_contact(
        &self,
        batch: &mut Batch,
        by: &str,
        new: NewContact,
        country: &str,
    ) -> Result<ContactPoint, CrmError> {
        self.insert_contact_as(batch, by, new, country, None)
    }

    /// The same with a time at which it was verified elsewhere.
    pub(super) fn insert_contact_as(
        &self,
        batch: &mut Batch,
        by: &str,
        new: NewContact,
        country: &str,
        verified_at: Option<Time>,
    ) -> Result<ContactPoint, CrmError> {
        let normalised = normalise(new.kind, &new.value, country)?;
        let known = self.contacts_of(&new.owner)?;
        if known.iter().any(|point| point.kind == new.kind && point.normalised == normalised) {
            return Err(CrmError::Exists { what: "this contact point".into() });
        }
        if known.len() >= MOST_POINTS {
            return Err(CrmError::invalid("owner", format!("at most {MOST_POINTS} contact points")));
        }
        let data = ContactData {
            owner: new.owner,
            kind: new.kind,
            value: new.value.trim().to_string(),
            normalised,
            label: short("label", &new.label)?,
            verified_at,
            verified_by: if verified_at.is_some() { "import".into() } else { String::new() },
            failing_since: None,
            valid_from: new.valid_from,
            valid_to: new.valid_to,
            source: short("source", &new.source)?,
        };
        self.insert(batch, by, None, data)
    }

    /// A contact point.
    pub fn contact(&self, id: &str) -> Result<ContactPoint, CrmError> {
        self.need(id)
    }

    /// Changes value, label or time of use; another value is no longer verified.
    pub fn set_contact(
        &self,
        by: &str,
        id: &str,
        expected: Option<u64>,
        new: NewContact,
    ) -> Result<ContactPoint, CrmError> {
        let kept: ContactPoint = self.need(id)?;
        if new.owner != kept.owner || new.kind != kept.kind {
            return Err(CrmError::invalid("owner", "owner and kind of a contact point stay"));
        }
        let normalised = normalise(new.kind, &new.value, &self.country_for(&new.owner)?)?;
        let (label, mut source) = (short("label", &new.label)?, short("source", &new.source)?);
        if kept.normalised != normalised && source == kept.source && source.starts_with("import") {
            // What a person changed is no longer what import brought, and import leaves it.
            source = "changed".into();
        }
        self.change(by, id, expected, |data: &mut ContactData| {
            if data.normalised != normalised {
                data.verified_at = None;
                data.verified_by.clear();
                data.failing_since = None;
            }
            *data = ContactData {
                value: new.value.trim().to_string(),
                normalised,
                label,
                source,
                valid_from: new.valid_from,
                valid_to: new.valid_to,
                ..data.clone()
            };
            Ok(())
        })
    }

    /// Notes that the customer was proved to be reached here, and how.
    pub fn verify_contact(&self, by: &str, id: &str, how: &str) -> Result<ContactPoint, CrmError> {
        let how = super::required("verified_by", how)?;
        let now = self.now();
        self.change(by, id, None, |data: &mut ContactData| {
            data.verified_at = Some(now);
            data.verified_by = how;
            data.failing_since = None;
            Ok(())
        })
    }

    /// Notes that mail to an address came back: nothing is sent there until somebody verifies it again. Returns how many
    /// contact points have it.
    pub fn contact_fails(&self, by: &str, address: &str) -> Result<usize, CrmError> {
        let normalised = normalise(ContactKind::Email, address, "US")?;
        let points = self.contacts_with(ContactKind::Email, &normalised, MOST_POINTS)?;
        let now = self.now();
        for point in &points {
            self.change(by, &point.id, None, |data: &mut ContactData| {
                data.failing_since.get_or_insert(now);
                Ok(())
            })?;
        }
        Ok(points.len())
    }

    /// Who changed what of a contact point, oldest first.
    pub fn contact_history(&self, id: &str) -> Result<Vec<Change>, CrmError> {
        self.changes::<ContactData>(id)
    }

    /// The contact points of an owner in the order they were added.
    pub fn contacts_of(&self, owner: &Owner) -> Result<Vec<ContactPoint>, CrmError> {
        let (kind, owner) = owner.key();
        let ids = self.ids(Family::Customers, &key(b'o', &[kind, owner.as_bytes(), b""]), MOST_POINTS)?;
        self.rows(&ids)
    }

    /// All contact points with this value, whoever's. A telephone number is found as voice, fax and short message alike.
    pub fn contacts_with(
        &self,
        kind: ContactKind,
        normalised: &str,
        limit: usize,
    ) -> Result<Vec<ContactPoint>, CrmError> {
        let family = if kind.is_phone() { "phone" } else { kind.name() };
        let ids = self.ids(Family::Customers, &key(b'v', &[family.as_bytes(), normalised.as_bytes(), b""]), limit)?;
        self.rows(&ids)
    }
}

#[cfg(test)]
mod tests {
    use super::super::name::Names;
    use super::super::tests::crm;
    use super::*;

    fn customer(crm: &Crm, locale: &str) -> Owner {
        let name = Names { full: "Somebody".into(), ..Names::default() };
        let data = CustomerData { name, locale: locale.into(), ..CustomerData::default() };
        Owner::Customer(crm.add_customer("ann", data).expect("added").id)
    }

    fn new(owner: &Owner, kind: ContactKind, value: &str) -> NewContact {
        NewContact {
            owner: owner.clone(),
            kind,
            value: value.into(),
            label: String::new(),
            valid_from: None,
            valid_to: None,
            source: "agent".into(),
        }
    }

    #[test]
    fn numbers_get_the_country_of_their_customer_or_the_archives() {
        let (crm, _) = crm();
        let (ava, zhou) = (customer(&crm, "en-US"), customer(&crm, "zh-CN"));
        let add = |owner, value| crm.add_contact("ann", new(owner, ContactKind::Phone, value)).expect("added");
        assert_eq!(add(&ava, "(614) 225-1170").normalised, "+16142251170");
        assert_eq!(add(&zhou, "138 0013 8000").normalised, "+8613800138000");
        let anybody = customer(&crm, "");
        assert_eq!(add(&anybody, "614 225 1170").normalised, "+16142251170");
        crm.set_default_country("GB").expect("set");
        assert_eq!(add(&anybody, "020 7946 0018").normalised, "+442079460018");
        assert_eq!(crm.contacts_with(ContactKind::Sms, "+16142251170", 9).expect("read").len(), 2, "two customers");
        let again = crm.add_contact("ann", new(&ava, ContactKind::Phone, "+1 614 225 1170"));
        assert!(matches!(again, Err(CrmError::Exists { .. })));
    }

    #[test]
    fn another_value_must_be_verified_anew() {
        let (crm, _) = crm();
        let ava = customer(&crm, "en");
        let today = Date(crm.now().day());
        let point = crm.add_contact("ann", new(&ava, ContactKind::Email, "Ava@Example.COM")).expect("added");
        assert!(!point.is_usable(today) && point.normalised == "ava@example.com" && point.value == "Ava@Example.COM");
        assert_eq!(point.masked(), "A***a@Example.COM");
        let post = crm.add_contact("ann", new(&ava, ContactKind::Post, "10 Birch St\nDayton OH 45402")).expect("added");
        assert_eq!(post.masked(), "10***", "neither the street nor the town");
        let point = crm.verify_contact("ann", &point.id, "code").expect("verified");
        assert!(point.is_usable(today));
        let same = NewContact { label: "home".into(), ..new(&ava, ContactKind::Email, "ava@example.com") };
        assert!(crm.set_contact("ann", &point.id, None, same).expect("changed").is_usable(today));
        let other = new(&ava, ContactKind::Email, "ava@example.org");
        let point = crm.set_contact("ann", &point.id, None, other).expect("changed");
        assert!(!point.is_usable(today));
        assert_eq!(crm.contacts_with(ContactKind::Email, "ava@example.com", 9).expect("read"), []);
        assert_eq!(crm.contact_history(&point.id).expect("read").len(), 4);
    }

    #[test]
    fn mail_addresses_are_checked_as_far_as_they_must_be() {
        for good in ["a@b.co", "first.last+tag@sub.example.com", "用户@例子.中国"] {
            assert!(normalise(ContactKind::Email, good, "US").is_ok(), "{good}");
        }
        for bad in ["", "a", "a@b", "a b@c.de", "a@@c.de", "<a@b.co>", "a@-b.co", "a@b..co", "a\r\nBcc: x@y.zz"] {
            assert!(normalise(ContactKind::Email, bad, "US").is_err(), "{bad}");
        }
    }
}
