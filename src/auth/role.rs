//! Roles: named sets of permissions, and how far they reach.

use serde::{Deserialize, Serialize};

use super::permission::{Permission, Permissions};

/// May do everything.
pub const ADMINISTRATOR: &str = "administrator";
/// Works in the agent console.
pub const AGENT: &str = "agent";
/// Sees the documents of the own accounts.
pub const CUSTOMER: &str = "customer";

/// Which documents a role reaches before data policies widen or narrow it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// None: only what policies allow.
    #[default]
    None,
    /// Those of the user's accounts.
    Own,
    /// All.
    All,
}

impl Reach {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Reach::None => "none",
            Reach::Own => "own",
            Reach::All => "all",
        }
    }

    /// The reach of this name.
    pub fn parse(name: &str) -> Option<Reach> {
        [Reach::None, Reach::Own, Reach::All].into_iter().find(|reach| reach.name() == name)
    }
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its name: lower case, digits and `-`.
    pub name: String,
    /// What it allows.
    pub permissions: Permissions,
    /// Which documents it reaches.
    #[serde(default)]
    pub reach: Reach,
    /// Its users must have a second factor.
    #[serde(default)]
    pub second_factor: bool,
    /// It came with the program. Of such a role only `second_factor` can be changed.
    #[serde(skip)]
    pub built_in: bool,
}

/// The roles that come with the program.
pub fn built_in() -> Vec<Role> {
    use Permission::*;
    const AGENTS: &[Permission] = &[
        ConsoleUse,
        DocumentRead,
        DocumentOriginal,
        DocumentPrint,
        DocumentSend,
        CustomerRead,
        NoteRead,
        NoteWrite,
        InteractionRead,
        InteractionWrite,
        RequestRead,
        RequestWrite,
        RequestAnswer,
        DefinitionRead,
    ];
    const SENIOR: &[Permission] = &[DocumentUnmask, DocumentSensitive, CustomerWrite, CustomerActFor, AddressOverride];
    const SUPERVISOR: &[Permission] = &[AdminUse, UserRead, AuditRead, FiguresRead];
    const AUDITOR: &[Permission] = &[
        AdminUse,
        DocumentRead,
        LoadRead,
        DefinitionRead,
        UserRead,
        PolicyRead,
        AuditRead,
        FiguresRead,
        DistributionRead,
    ];
    const OPERATOR: &[Permission] =
        &[AdminUse, LoadRead, LoadWrite, DefinitionRead, FiguresRead, DistributionRead, DistributionRun];
    const APPROVER: &[Permission] =
        &[AdminUse, LoadRead, DefinitionRead, FiguresRead, DistributionRead, DistributionClose];
    const CUSTOMERS: &[Permission] = &[
        PortalUse,
        DocumentRead,
        DocumentOriginal,
        DocumentPrint,
        DocumentUnmask,
        DocumentSensitive,
        RequestRead,
        RequestWrite,
    ];
    let role = |name: &str, sets: &[&[Permission]], reach| Role {
        name: name.into(),
        permissions: sets.iter().copied().flatten().copied().collect(),
        reach,
        second_factor: false,
        built_in: true,
    };
    vec![
        role(ADMINISTRATOR, &[Permission::ALL], Reach::All),
        role(AGENT, &[AGENTS], Reach::All),
        role("senior-agent", &[AGENTS, SENIOR], Reach::All),
        role("supervisor", &[AGENTS, SUPERVISOR], Reach::All),
        role("auditor", &[AUDITOR], Reach::All),
        role("operator", &[OPERATOR], Reach::None),
        role("approver", &[APPROVER], Reach::None),
        role(CUSTOMER, &[CUSTOMERS], Reach::Own),
    ]
}
