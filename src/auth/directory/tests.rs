use super::*;
use crate::archive::kv::memory::Memory;
use crate::archive::{DocId, LoadId};
use crate::auth::permission::Permission;
use crate::index::value::{FieldValue, Value};

fn user(name: &str, role: &str) -> User {
    User {
        name: name.into(),
        role: role.into(),
        groups: Vec::new(),
        attributes: Attributes::new(),
        accounts: Vec::new(),
        display_name: name.into(),
        language: String::new(),
        password_hash: None,
        subject: None,
        disabled: false,
        created_at: 0,
    }
}

fn facts(definition: &str, account: &str, region: &str) -> Facts {
    Facts {
        definition: definition.into(),
        account: Some(account.into()),
        fields: vec![("region".into(), FieldValue::One(Value::Text(region.into())))],
        ..Facts::none(DocId { load: LoadId(1), ordinal: 1 })
    }
}

fn policy(name: &str, effect: Effect, rule: &str) -> Policy {
    let none = Vec::new;
    Policy { name: name.into(), effect, rule: rule.into(), roles: none(), groups: none(), users: none() }
}

#[test]
fn roles_reach_policies_widen_and_limit() {
    let directory = Directory::new(Arc::new(Memory::default()));
    let see = |user: &User, facts: &Facts| {
        let rights = directory.rights(user, &Vec::new()).expect("read");
        assert_eq!(rights.by(facts).is_some(), rights.predicate().holds(facts));
        rights.by(facts).map(str::to_string)
    };
    let (north, south) = (facts("bill", "1", "North"), facts("bill", "2", "South"));
    let ann = user("ann", "agent");
    let carl = User { accounts: vec!["1".into()], ..user("carl", "customer") };
    let olga = user("olga", "operator");
    assert_eq!(see(&ann, &south), Some("role agent".into()));
    assert_eq!((see(&carl, &north), see(&carl, &south)), (Some("role customer".into()), None));
    assert_eq!(see(&olga, &north), None);

    let group = Group {
        name: "north".into(),
        roles: vec!["senior-agent".into()],
        attributes: Attributes::from([("region".into(), vec!["north".into()])]),
    };
    directory.set_group(&group).expect("set");
    let limit = policy("own-region", Effect::Limit, "region = user.region");
    directory.set_policy(&Policy { roles: vec!["agent".into()], ..limit.clone() }).expect("set");
    assert_eq!(see(&ann, &north), None, "an attribute that she does not have allows nothing");
    let ann = User { groups: vec!["north".into()], ..ann };
    assert_eq!((see(&ann, &north), see(&ann, &south)), (Some("role agent".into()), None));
    assert!(directory.rights(&ann, &Vec::new()).expect("read").permissions.has(Permission::DocumentUnmask));

    let allow = policy("samples", Effect::Allow, "region = \"south\" and definition = \"bill\"");
    directory.set_policy(&Policy { users: vec!["olga".into()], ..allow }).expect("set");
    assert_eq!((see(&olga, &north), see(&olga, &south)), (None, Some("policy samples".into())));
    directory.remove_policy("samples").expect("removed");
    assert_eq!(see(&olga, &south), None);
    let restricted = vec![("bill".to_string(), vec!["auditor".to_string()])];
    for (role, seen) in [("supervisor", false), ("auditor", true), ("administrator", true)] {
        let rights = directory.rights(&user("x", role), &restricted).expect("read");
        assert_eq!(rights.by(&north).is_some(), seen, "{role}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let directory = Directory::new(Arc::new(Memory::default()));
    assert!(matches!(directory.set_policy(&policy("x", Effect::Limit, "region =")), Err(AuthError::Rule(_))));
    assert!(matches!(directory.set_policy(&policy("X y", Effect::Limit, "nothing")), Err(AuthError::BadWord)));
    let group = Group { name: "g".into(), roles: vec!["king".into()], ..Group::default() };
    assert!(matches!(directory.set_group(&group), Err(AuthError::Unknown { what: "role", .. })));
    let mut agent = directory.role("agent").expect("read").expect("there");
    agent.second_factor = true;
    directory.set_role(&agent).expect("the second factor may be wanted");
    assert!(directory.rights(&user("ann", "agent"), &Vec::new()).expect("read").second_factor);
    agent.permissions = Permissions::all();
    assert!(matches!(directory.set_role(&agent), Err(AuthError::BuiltIn { .. })));
    assert!(matches!(directory.remove_role("agent"), Err(AuthError::BuiltIn { .. })));
    assert!(matches!(directory.remove_role("king"), Err(AuthError::Unknown { .. })));
}

#[test]
fn a_role_of_ones_own_allows_what_it_says() {
    let directory = Directory::new(Arc::new(Memory::default()));
    let permissions = [Permission::DocumentRead, Permission::ConsoleUse].into_iter().collect();
    let own = Role { name: "reader".into(), permissions, reach: Reach::None, second_factor: false, built_in: false };
    directory.set_role(&own).expect("set");
    let rights = directory.rights(&user("rob", "reader"), &Vec::new()).expect("read");
    assert!(rights.permissions == permissions && rights.grants.is_empty());
    directory.remove_role("reader").expect("removed");
    assert_eq!(directory.rights(&user("rob", "reader"), &Vec::new()).expect("read").permissions, Permissions::NONE);
}
