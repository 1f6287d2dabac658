//! Roles, groups and data policies of an archive, and what they come to for one user.
//!
//! | key | row |
//! |---|---|
//! | `r/` + name | a role of the archive's own, or what was changed of a built-in one |
//! | `g/` + name | a group: the roles it gives and the attributes its members have |
//! | `p/` + name | a data policy |
//! | `v/` | counts up with each change of these; what was compiled under another count is not used |
//!
//! A document is seen when a role reaches it or an `allow` policy allows it, and no `limit` policy keeps it away.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::permission::{Permission, Permissions};
use super::predicate::{Attributes, Facts, Predicate, Rule};
use super::role::{self, Reach, Role};
use super::user::User;
use super::{AuthError, row};
use crate::archive::kv::{Batch, Engine, Family};
use crate::index::definition::MANIFEST;

const ROLES: &[u8] = b"r/";
const GROUPS: &[u8] = b"g/";
const POLICIES: &[u8] = b"p/";
const REVISION: &[u8] = b"v/";

/// A group of users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name: lower case, digits and `-`.
    pub name: String,
    /// Roles that its members have besides their own.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Attributes that its members have besides their own.
    #[serde(default)]
    pub attributes: Attributes,
}

/// What a policy does for those it is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Documents for which the rule holds are seen as well.
    Allow,
    /// Only documents for which the rule holds are seen.
    Limit,
}

/// A data policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name: lower case, digits and `-`.
    pub name: String,
    /// What it does.
    pub effect: Effect,
    /// The rule as written; see [`super::predicate`].
    pub rule: String,
    /// Roles it is for.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Groups it is for.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Users it is for.
    #[serde(default)]
    pub users: Vec<String>,
}

impl Policy {
    /// Whether its name and its rule can be kept.
    pub fn fits(&self) -> Result<(), AuthError> {
        check_name(&self.name)?;
        Rule::parse(&self.rule)?;
        Ok(())
    }
}

/// What a principal may do, worked out for one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// Names of the roles, in order.
    pub roles: Vec<String>,
    /// What they allow.
    pub permissions: Permissions,
    /// Which documents they reach: name of the right, and its condition. One of them must hold.
    pub grants: Vec<(String, Predicate)>,
    /// What keeps documents away. All of them must hold.
    pub limits: Vec<Predicate>,
    /// A role of the user wants a second factor.
    pub second_factor: bool,
    /// No mask applies: the operator on the command line and greenbar's own work.
    pub unmasked: bool,
}

impl Rights {
    /// The definitions that only other roles may see.
    pub fn kept_from(&self, restricted: &Restricted) -> Vec<String> {
        let seen = |roles: &[String]| self.roles.iter().any(|role| role == role::ADMINISTRATOR || roles.contains(role));
        restricted.iter().filter(|(_, roles)| !seen(roles)).map(|(definition, _)| definition.clone()).collect()
    }

    /// Everything: the operator on the command line, greenbar's own work.
    pub fn everything(name: &str) -> Rights {
        Rights {
            roles: vec![role::ADMINISTRATOR.into()],
            permissions: Permissions::all(),
            grants: vec![(name.into(), Predicate::Everything)],
            limits: Vec::new(),
            second_factor: false,
            unmasked: true,
        }
    }

    /// The right by which a document is seen; `None`: it is not. Every condition is looked at whatever the others
    /// say, so that a hidden document costs what a seen one costs. Manifests of runs are in no search, and for those alone who
    /// may read distributions.
    pub fn by(&self, facts: &Facts) -> Option<&str> {
        let mut by = None;
        for (name, grant) in &self.grants {
            let holds = grant.holds(facts);
            by = by.or(holds.then_some(name.as_str()));
        }
        let kept = self.limits.iter().filter(|limit| !limit.holds(facts)).count();
        by.filter(|_| kept == 0 && self.may_see_report(&facts.definition))
    }

    /// Whether documents of a report are for somebody at all, as far as its name tells.
    pub fn may_see_report(&self, definition: &str) -> bool {
        definition != MANIFEST || self.permissions.has(Permission::DistributionRead)
    }

    /// The same as one condition, for what can be searched.
    pub fn predicate(&self) -> Predicate {
        if self.limits.is_empty() && self.grants.iter().any(|(_, grant)| *grant == Predicate::Everything) {
            return Predicate::Everything;
        }
        let any = Predicate::Any(self.grants.iter().map(|(_, grant)| grant.clone()).collect());
        let mut parts = vec![any];
        parts.extend(self.limits.iter().cloned());
        Predicate::All(parts)
    }

    /// Takes away what is not in `permissions`.
    pub fn narrow(&mut self, permissions: Permissions) {
        self.permissions = self.permissions.and(permissions);
    }

    /// Keeps only documents of these accounts.
    pub fn narrow_to_accounts(&mut self, accounts: Vec<String>) {
        self.limits.push(Predicate::Account(accounts));
    }
}

/// Definitions with roles of their own: name, and the roles that may see their documents.
pub type Restricted = Vec<(String, Vec<String>)>;

/// Roles, groups and policies.
#[derive(Clone)]
pub struct Directory {
    engine: Arc<dyn Engine>,
    compiled: Arc<Mutex<Option<Arc<Compiled>>>>,
}

/// Everything as it was at one revision, with the rules read.
struct Compiled {
    revision: Option<Vec<u8>>,
    roles: Vec<Role>,
    groups: Vec<Group>,
    policies: Vec<(Policy, Option<Rule>)>,
}

impl Directory {
    /// Of the archive in this store.
    pub fn new(engine: Arc<dyn Engine>) -> Directory {
        Directory { engine, compiled: Arc::default() }
    }

    /// All roles, built-in ones first.
    pub fn roles(&self) -> Result<Vec<Role>, AuthError> {
        Ok(self.compiled()?.roles.clone())
    }

    /// The role of this name.
    pub fn role(&self, name: &str) -> Result<Option<Role>, AuthError> {
        Ok(self.compiled()?.roles.iter().find(|role| role.name == name).cloned())
    }

    /// Adds or changes a role. Of a built-in one only the second factor is taken.
    pub fn set_role(&self, role: &Role) -> Result<(), AuthError> {
        check_name(&role.name)?;
        let mut role = role.clone();
        if let Some(own) = role::built_in().into_iter().find(|own| own.name == role.name) {
            if own.permissions != role.permissions || own.reach != role.reach {
                return Err(AuthError::BuiltIn { name: role.name });
            }
            role = Role { second_factor: role.second_factor, ..own };
        }
        self.put(ROLES, &role.name, &role)
    }

    /// Takes a role out. Users who have it keep its name and lose what it allowed.
    pub fn remove_role(&self, name: &str) -> Result<(), AuthError> {
        if role::built_in().iter().any(|own| own.name == name) {
            return Err(AuthError::BuiltIn { name: name.into() });
        }
        self.remove(ROLES, "role", name)
    }

    /// All groups.
    pub fn groups(&self) -> Result<Vec<Group>, AuthError> {
        Ok(self.compiled()?.groups.clone())
    }

    /// Adds or changes a group.
    pub fn set_group(&self, group: &Group) -> Result<(), AuthError> {
        check_name(&group.name)?;
        let compiled = self.compiled()?;
        let unknown = group.roles.iter().find(|role| !compiled.roles.iter().any(|known| known.name == **role));
        if let Some(role) = unknown {
            return Err(AuthError::Unknown { what: "role", name: role.clone() });
        }
        self.put(GROUPS, &group.name, group)
    }

    /// Takes a group out.
    pub fn remove_group(&self, name: &str) -> Result<(), AuthError> {
        self.remove(GROUPS, "group", name)
    }

    /// All policies.
    pub fn policies(&self) -> Result<Vec<Policy>, AuthError> {
        Ok(self.compiled()?.policies.iter().map(|(policy, _)| policy.clone()).collect())
    }

    /// Adds or changes a policy; its rule is read first.
    pub fn set_policy(&self, policy: &Policy) -> Result<(), AuthError> {
        policy.fits()?;
        self.put(POLICIES, &policy.name, policy)
    }

    /// Takes a policy out.
    pub fn remove_policy(&self, name: &str) -> Result<(), AuthError> {
        self.remove(POLICIES, "policy", name)
    }

    /// What a user may do now. `restricted` are the definitions that only some roles may see.
    pub fn rights(&self, user: &User, restricted: &Restricted) -> Result<Rights, AuthError> {
        Ok(rights(&*self.compiled()?, user, restricted))
    }

    /// What a user could do if a policy were added, or were changed to this.
    pub fn rights_if(&self, user: &User, restricted: &Restricted, policy: &Policy) -> Result<Rights, AuthError> {
        let rule = Rule::parse(&policy.rule)?;
        let now = self.compiled()?;
        let others = now.policies.iter().filter(|(known, _)| known.name != policy.name);
        let policies = others.cloned().chain([(policy.clone(), Some(rule))]).collect();
        let (roles, groups) = (now.roles.clone(), now.groups.clone());
        Ok(rights(&Compiled { revision: None, roles, groups, policies }, user, restricted))
    }

    fn compiled(&self) -> Result<Arc<Compiled>, AuthError> {
        let revision = self.engine.get(Family::Users, REVISION)?;
        let mut kept = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = kept.as_ref().filter(|compiled| compiled.revision == revision) {
            return Ok(compiled.clone());
        }
        let mut roles = role::built_in();
        for own in self.rows::<Role>(ROLES)? {
            match roles.iter_mut().find(|role| role.name == own.name) {
                Some(built_in) => built_in.second_factor = own.second_factor,
                None => roles.push(own),
            }
        }
        let policies = self.rows::<Policy>(POLICIES)?;
        let compiled = Arc::new(Compiled {
            revision,
            roles,
            groups: self.rows(GROUPS)?,
            policies: policies.into_iter().map(|policy| (policy.clone(), Rule::parse(&policy.rule).ok())).collect(),
        });
        *kept = Some(compiled.clone());
        Ok(compiled)
    }

    fn rows<T: DeserializeOwned>(&self, prefix: &[u8]) -> Result<Vec<T>, AuthError> {
        let mut rows = Vec::new();
        self.engine.scan(Family::Users, prefix..&row::prefix_end(prefix), &mut |_, value| {
            rows.push(row::decode(value));
            ControlFlow::Continue(())
        })?;
        Ok(rows.into_iter().collect::<Result<_, _>>()?)
    }

    fn put<T: Serialize>(&self, prefix: &[u8], name: &str, value: &T) -> Result<(), AuthError> {
        let mut batch = self.next_revision()?;
        batch.put(Family::Users, [prefix, name.as_bytes()].concat(), row::encode(value)?);
        Ok(self.engine.commit(batch)?)
    }

    fn remove(&self, prefix: &[u8], what: &'static str, name: &str) -> Result<(), AuthError> {
        let key = [prefix, name.as_bytes()].concat();
        if self.engine.get(Family::Users, &key)?.is_none() {
            return Err(AuthError::Unknown { what, name: name.to_string() });
        }
        let mut batch = self.next_revision()?;
        batch.delete(Family::Users, key);
        Ok(self.engine.commit(batch)?)
    }

    /// A batch that makes what was compiled so far old. The revision is random: two changes at once cannot agree on
    /// a number.
    fn next_revision(&self) -> Result<Batch, AuthError> {
        let mut batch = Batch::default();
        batch.put(Family::Users, REVISION, super::secret::token()?.into_bytes());
        Ok(batch)
    }
}

fn rights(compiled: &Compiled, user: &User, restricted: &Restricted) -> Rights {
    let groups: Vec<&Group> = compiled.groups.iter().filter(|group| user.groups.contains(&group.name)).collect();
    let names: BTreeSet<&String> =
        std::iter::once(&user.role).chain(groups.iter().flat_map(|group| &group.roles)).collect();
    let attributes = attributes(user, &groups);
    let mut rights = Rights::default();
    for role in compiled.roles.iter().filter(|role| names.contains(&role.name)) {
        rights.roles.push(role.name.clone());
        rights.permissions = rights.permissions.or(role.permissions);
        rights.second_factor |= role.second_factor;
        let reached = match role.reach {
            Reach::None => continue,
            Reach::Own => Predicate::Account(user.accounts.clone()),
            Reach::All => Predicate::Everything,
        };
        rights.grants.push((format!("role {}", role.name), reached));
    }
    for (policy, rule) in &compiled.policies {
        let bound = policy.users.contains(&user.name)
            || policy.roles.iter().any(|role| rights.roles.contains(role))
            || groups.iter().any(|group| policy.groups.contains(&group.name));
        if !bound {
            continue;
        }
        // A rule that says nothing about this user allows nothing.
        let predicate = rule.as_ref().and_then(|rule| rule.bind(&attributes)).unwrap_or(Predicate::Nothing);
        match policy.effect {
            Effect::Allow => rights.grants.push((format!("policy {}", policy.name), predicate)),
            Effect::Limit => rights.limits.push(predicate),
        }
    }
    let hidden = rights.kept_from(restricted);
    if !hidden.is_empty() {
        rights.limits.push(Predicate::Not(Box::new(Predicate::Definition(hidden))));
    }
    rights
}

/// What rules may ask of a user: `name`, `accounts`, the user's attributes, those of the groups.
fn attributes(user: &User, groups: &[&Group]) -> Attributes {
    let mut all = user.attributes.clone();
    for (name, values) in groups.iter().flat_map(|group| &group.attributes) {
        all.entry(name.clone()).or_default().extend(values.iter().cloned());
    }
    all.insert("name".into(), vec![user.name.clone()]);
    all.insert("accounts".into(), user.accounts.clone());
    all
}

/// Whether a role, a group or a policy can have this name.
pub fn check_name(name: &str) -> Result<(), AuthError> {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
        return Err(AuthError::BadWord);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
