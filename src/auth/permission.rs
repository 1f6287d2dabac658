//! What can be allowed: verbs on resources.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! permissions {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal;)+) => {
        /// One thing that a role may allow. The names are stable: routes, roles, API keys and the audit use them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Permission {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Permission {
            /// All of them.
            pub const ALL: &'static [Permission] = &[$(Permission::$name),+];

            /// The word for it, such as `document.read`.
            pub fn name(self) -> &'static str {
                match self { $(Permission::$name => $word),+ }
            }

            /// What it allows, for people.
            pub fn about(self) -> &'static str {
                match self { $(Permission::$name => concat!($($doc),+).trim_ascii()),+ }
            }
        }
    };
}

permissions! {
    /// Use the agent console.
    ConsoleUse = "console.use";
    /// Use the customer portal.
    PortalUse = "portal.use";
    /// Open the administration pages.
    AdminUse = "admin.use";
    /// Find documents and see their pages, as far as the data policies go.
    DocumentRead = "document.read";
    /// Get the captured bytes of a document.
    DocumentOriginal = "document.original";
    /// Print a document.
    DocumentPrint = "document.print";
    /// Send a document to somebody.
    DocumentSend = "document.send";
    /// See masked values whole, unless the mask names the roles that may.
    DocumentUnmask = "document.unmask";
    /// See fields marked sensitive in hit lists.
    DocumentSensitive = "document.sensitive";
    /// See customers, accounts, contact points and timelines.
    CustomerRead = "customer.read";
    /// Change customers, accounts and contact points.
    CustomerWrite = "customer.write";
    /// Do in a customer's name what the customer could do.
    CustomerActFor = "customer.act-for";
    /// Send to an address that is not verified, with a reason.
    AddressOverride = "address.override";
    /// Read notes and annotations.
    NoteRead = "note.read";
    /// Write notes and annotations.
    NoteWrite = "note.write";
    /// See the log of contacts with customers.
    InteractionRead = "interaction.read";
    /// Log contacts with customers.
    InteractionWrite = "interaction.write";
    /// See questions and disputes.
    RequestRead = "request.read";
    /// Ask questions and open disputes.
    RequestWrite = "request.write";
    /// Answer, assign and close questions and disputes.
    RequestAnswer = "request.answer";
    /// See loads and their accounting.
    LoadRead = "load.read";
    /// Send print streams to be loaded.
    LoadWrite = "load.write";
    /// Take loads out of the archive.
    LoadDelete = "load.delete";
    /// Get the captured bytes of whole loads, past data policies and masks.
    LoadExport = "load.export";
    /// See report definitions.
    DefinitionRead = "definition.read";
    /// Add report definitions.
    DefinitionWrite = "definition.write";
    /// See users, sessions and API keys.
    UserRead = "user.read";
    /// Add and change users, their sessions and API keys.
    UserWrite = "user.write";
    /// See roles, groups and data policies.
    PolicyRead = "policy.read";
    /// Change roles, groups and data policies.
    PolicyWrite = "policy.write";
    /// Read and verify the audit trail.
    AuditRead = "audit.read";
    /// Set and lift legal holds, dispose of what is over.
    RecordsWrite = "records.write";
    /// See what is sent out: runs, pieces and what became of them, without the documents.
    DistributionRead = "distribution.read";
    /// Plan, release and repeat runs of what is sent out.
    DistributionRun = "distribution.run";
    /// Close runs, also those that do not balance.
    DistributionClose = "distribution.close";
    /// See the archive's figures.
    FiguresRead = "figures.read";
}

impl Permission {
    /// The permission of this name.
    pub fn parse(name: &str) -> Option<Permission> {
        Permission::ALL.iter().copied().find(|permission| permission.name() == name)
    }

    fn bit(self) -> u64 {
        1 << (self as u64)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names that roles and keys of older archives may hold. They allowed nothing, so leaving them out takes nothing away.
const RETIRED: &[&str] = &["customer.view-as"];

/// A set of permissions. As JSON a list of their names; a name that this program does not know is an error, because
/// leaving it out of a scope would be silent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Permissions(u64);

const _: () = assert!(Permission::ALL.len() <= 64, "they are kept as bits of one number");

impl Permissions {
    /// None.
    pub const NONE: Permissions = Permissions(0);

    /// Every one.
    pub fn all() -> Permissions {
        Permission::ALL.iter().copied().collect()
    }

    /// Whether one is in the set.
    pub fn has(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    /// Those of either set.
    pub fn or(self, other: Permissions) -> Permissions {
        Permissions(self.0 | other.0)
    }

    /// Those of both sets.
    pub fn and(self, other: Permissions) -> Permissions {
        Permissions(self.0 & other.0)
    }

    /// In the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.has(*permission))
    }

    /// Reads names; the first that is none is the error.
    pub fn parse<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Permissions, String> {
        let parsed = names.into_iter().map(|name| Permission::parse(name).ok_or_else(|| name.to_string()));
        parsed.collect()
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<T: IntoIterator<Item = Permission>>(permissions: T) -> Permissions {
        Permissions(permissions.into_iter().fold(0, |bits, permission| bits | permission.bit()))
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(Permission::name))
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Permissions, D::Error> {
        let names = Vec::<String>::deserialize(from)?;
        let kept = names.iter().map(String::as_str).filter(|name| !RETIRED.contains(name));
        Permissions::parse(kept).map_err(|name| D::Error::custom(format!("{name:?} is no permission")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.name()), Some(*permission));
            assert!(permission.about().ends_with('.'), "{permission}");
        }
        assert_eq!(Permission::parse("document.everything"), None);
        let set: Permissions = [Permission::AuditRead, Permission::DocumentRead].into_iter().collect();
        let json = serde_json::to_string(&set).expect("written");
        assert_eq!(json, r#"["document.read","audit.read"]"#);
        assert_eq!(serde_json::from_str::<Permissions>(&json).expect("read"), set);
        assert!(serde_json::from_str::<Permissions>(r#"["document.none"]"#).is_err());
        let older = serde_json::from_str::<Permissions>(r#"["customer.view-as","audit.read"]"#).expect("read");
        assert_eq!(older, Permissions::from_iter([Permission::AuditRead]));
        assert_eq!(Permissions::all().iter().count(), Permission::ALL.len());
    }
}
