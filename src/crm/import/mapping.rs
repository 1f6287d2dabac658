//! Which column is what: a TOML file, or, where the columns have the names of the fields, nothing at all.

use serde::Deserialize;

/// A mapping as written. Every key is the name of a column (in JSON lines a member, with points inside objects).
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// The system whose keys the rows carry; `import` when left out.
    pub system: String,
    /// Country (ISO 3166) of telephone numbers that name none; the archive's when left out.
    pub country: String,
    /// Order of dates: `iso` (2024-12-31, when left out), `mdy` (12/31/2024), `dmy` (31.12.2024).
    pub dates: DateOrder,
    /// Columns of the customer.
    pub customer: CustomerColumns,
    /// Columns of the account.
    pub account: AccountColumns,
    /// Columns of contact points, any number.
    pub contact: Vec<ContactColumns>,
}

/// Order of day, month and year.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    /// 2024-12-31.
    #[default]
    Iso,
    /// 12/31/2024.
    Mdy,
    /// 31.12.2024.
    Dmy,
}

/// Columns of the customer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CustomerColumns {
    /// The key in the other system: what a customer is known again by.
    pub key: Option<String>,
    /// `person` or `org`.
    pub kind: Option<String>,
    /// The whole name.
    pub full: Option<String>,
    /// Family name.
    pub family: Option<String>,
    /// Given names.
    pub given: Option<String>,
    /// The name in Latin letters.
    pub latin: Option<String>,
    /// Language tag.
    pub locale: Option<String>,
    /// Time zone.
    pub zone: Option<String>,
    /// `yes` or `no`: objects to marketing.
    pub marketing_objection: Option<String>,
}

/// Columns of the account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountColumns {
    /// The number, as printed on documents.
    pub number: Option<String>,
    /// `open`, `suspended` or `closed`.
    pub status: Option<String>,
    /// The organisation's class.
    pub class: Option<String>,
    /// When bills come.
    pub billing_cycle: Option<String>,
    /// First day.
    pub opened: Option<String>,
    /// Last day.
    pub closed: Option<String>,
}

/// A column with a contact point.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContactColumns {
    /// `email`, `phone`, `sms`, `fax`, `post`.
    pub kind: String,
    /// The columns of the value; several are joined with line ends (the lines of an address).
    pub value: Vec<String>,
    /// Label of all of them, as it is.
    #[serde(default)]
    pub label: String,
    /// Column that says whether it was verified (`yes`, or the day it was).
    #[serde(default)]
    pub verified: Option<String>,
    /// Of the account instead of the customer.
    #[serde(default)]
    pub of_account: bool,
}

/// What is wrong with a mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct MappingError {
    /// What and where.
    pub problem: String,
}

impl Mapping {
    /// Reads a mapping.
    pub fn parse(text: &str) -> Result<Mapping, MappingError> {
        let problem = |problem: String| MappingError { problem };
        let mut mapping: Mapping = toml::from_str(text).map_err(|error| problem(error.to_string()))?;
        if mapping.system.is_empty() {
            mapping.system = "import".into();
        }
        if !mapping.country.is_empty() && !super::super::phone::is_country(&mapping.country) {
            return Err(problem(format!("country {:?} is not among those whose numbers are known", mapping.country)));
        }
        if mapping.customer.key.is_none() && mapping.account.number.is_none() {
            return Err(problem("name at least customer.key or account.number".into()));
        }
        for contact in &mapping.contact {
            if super::super::contact::ContactKind::parse(&contact.kind).is_none() {
                return Err(problem(format!(
                    "contact.kind {:?}: there are email, phone, sms, fax, post",
                    contact.kind
                )));
            }
            if contact.value.is_empty() {
                return Err(problem("contact.value names no column".into()));
            }
            if contact.of_account && mapping.account.number.is_none() {
                return Err(problem("contact.of_account needs account.number".into()));
            }
            if !contact.of_account && mapping.customer.key.is_none() {
                return Err(problem("contact points of customers need customer.key".into()));
            }
        }
        Ok(mapping)
    }

    /// The mapping of files whose columns have the names of the fields: `key`, `full`, `family`, `given`, `latin`,
    /// `locale`, `zone`, `kind`, `account`, `status`, `class`, `opened`, `closed`, `email`, `phone`, `address`.
    pub fn named(columns: &dyn Fn(&str) -> bool) -> Mapping {
        let column = |name: &str| columns(name).then(|| name.to_string());
        let contact = |kind: &str, name: &str| ContactColumns {
            kind: kind.into(),
            value: vec![name.into()],
            ..ContactColumns::default()
        };
        let contacts = [("email", "email"), ("phone", "phone"), ("sms", "sms"), ("post", "address")];
        Mapping {
            system: "import".into(),
            customer: CustomerColumns {
                key: column("key"),
                kind: column("kind"),
                full: column("full"),
                family: column("family"),
                given: column("given"),
                latin: column("latin"),
                locale: column("locale"),
                zone: column("zone"),
                marketing_objection: column("marketing_objection"),
            },
            account: AccountColumns {
                number: column("account"),
                status: column("status"),
                class: column("class"),
                billing_cycle: column("billing_cycle"),
                opened: column("opened"),
                closed: column("closed"),
            },
            contact: contacts
                .into_iter()
                .filter(|(_, name)| columns(name))
                .map(|(kind, name)| contact(kind, name))
                .collect(),
            ..Mapping::default()
        }
    }

    /// The mapping of a file without one, from its first bytes: see [`Mapping::named`].
    pub fn of_head(head: &[u8]) -> Mapping {
        let text = String::from_utf8_lossy(head);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.starts_with('{') {
            return Mapping::named(&|_| true);
        }
        let first = text.lines().next().unwrap_or_default();
        let columns: Vec<&str> = first.split([',', ';', '\t', '|']).map(|name| name.trim().trim_matches('"')).collect();
        Mapping::named(&|name| columns.contains(&name))
    }

    /// The column that every row needs: the customer's key, or without customers the account's number.
    pub(super) fn key_column(&self) -> &str {
        self.customer.key.as_ref().or(self.account.number.as_ref()).map_or("", String::as_str)
    }

    /// Every column that it names.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let CustomerColumns { key, kind, full, family, given, latin, locale, zone, marketing_objection } =
            &self.customer;
        let AccountColumns { number, status, class, billing_cycle, opened, closed } = &self.account;
        let single = [
            key,
            kind,
            full,
            family,
            given,
            latin,
            locale,
            zone,
            marketing_objection,
            number,
            status,
            class,
            billing_cycle,
            opened,
            closed,
        ];
        let contacts = self.contact.iter().flat_map(|contact| contact.value.iter().chain(&contact.verified));
        single.into_iter().flatten().chain(contacts).map(String::as_str)
    }
}
