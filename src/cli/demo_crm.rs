//! What the demo knows of its customers: a file of them, consents, and what passed in the last weeks.

use std::path::Path;

use crate::archive::{Archive, DocId};
use crate::auth::clock::Clock;
use crate::crm::consent::{NewConsent, Purpose};
use crate::crm::contact::{ContactKind, Owner};
use crate::crm::copy::{How, NewCopy};
use crate::crm::import::{ImportHow, Mapping};
use crate::crm::interaction::{Channel, InteractionChange, NewInteraction};
use crate::crm::note::{NewNote, Place, Visibility};
use crate::crm::preference::{PreferenceData, Way};
use crate::crm::request::{NewRequest, RequestKind};
use crate::crm::{Crm, CrmError, Side};

use super::failure::Failure;

/// Who acts in the demo.
const BY: &str = "demo";
/// The customer with the most to see.
const AVA: &str = "410000-1000-0";
/// The same, Chinese.
const ZHOU: &str = "025348168131";

/// The text before consent to e-delivery, in both languages.
const E_DELIVERY: [(&str, &str); 2] = [
    (
        "en",
        "You agree to receive your statements and bills electronically instead of on paper.\n\
         You may have any document on paper, now and later, free of charge: ask us, or change your preferences.\n\
         You can withdraw at any time in your preferences, without cost; what was delivered before stays delivered.\n\
         The agreement covers the kinds of documents that you choose. Keep your mail address up to date in your preferences.\n\
         You need a device with internet access, a browser or a program that shows PDF, and a mail address.\n\
         To show that you can open such documents, open the sample and type the code that is printed in it.",
    ),
    (
        "zh-CN",
        "您同意以电子方式接收对账单和账单，不再接收纸质文件。\n\
         您随时可以免费索取任何文件的纸质版：请联系我们，或更改您的接收方式。\n\
         您可以随时在接收方式中免费撤回同意；撤回之前已送达的文件不受影响。\n\
         本同意仅适用于您所选的文件种类。请及时更新您的电子邮箱。\n\
         您需要可上网的设备、浏览器或可显示 PDF 的程序，以及电子邮箱。\n\
         为确认您能够打开此类文件，请打开样本并输入其中印有的代码。",
    ),
];

/// Adds the customers of the samples and what passed with some of them. In a demo that has them nothing happens.
pub fn add(archive: &Archive, samples: &Path) -> Result<(), Failure> {
    let crm = Crm::new(archive.engine(), Clock::default());
    let read = |name: &str| {
        let path = samples.join("fixtures").join(name);
        std::fs::read(&path).map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))
    };
    let mapping = String::from_utf8_lossy(&read("customers.toml")?).into_owned();
    let mapping = Mapping::parse(&mapping).map_err(|error| Failure::new(error.to_string()))?;
    let file = read("customers.csv")?;
    let report = crm
        .import(BY, &mut std::io::Cursor::new(file), &mapping, ImportHow::default(), &mut |_| {})
        .map_err(|error| Failure::new(super::failure::chain(&error)))?;
    if report.customers_added == 0 {
        return Ok(());
    }
    for (locale, text) in E_DELIVERY {
        crm.publish_disclosure(Purpose::EDelivery, locale, text)?;
    }
    for account in [AVA, ZHOU] {
        let newest = newest_of(archive, account)?;
        let Some(document) = newest else { continue };
        let (user, locale) = if account == ZHOU { ("zhou", "zh-CN") } else { ("ava", "en") };
        consent(&crm, user, account, locale)?;
        activity(&crm, account, document, account == ZHOU)?;
    }
    Ok(())
}

/// The last document of an account in the newest load that has one.
fn newest_of(archive: &Archive, account: &str) -> Result<Option<DocId>, Failure> {
    let mut newest = None;
    for load in archive.loads()? {
        archive.documents(load.id, &mut |document| {
            if document.account.as_deref() == Some(account) {
                newest = newest.max(Some((document.date, document.id)));
            }
            std::ops::ControlFlow::Continue(())
        })?;
    }
    Ok(newest.map(|(_, id)| id))
}

fn consent(crm: &Crm, user: &str, account: &str, locale: &str) -> Result<(), CrmError> {
    let shown = crm.disclosure(Purpose::EDelivery, locale)?;
    let new = NewConsent {
        customer: None,
        account: Some(account.into()),
        purpose: Purpose::EDelivery,
        classes: Vec::new(),
        locale: locale.into(),
        disclosure_sha256: shown.sha256,
        method: "portal".into(),
        demonstrated_with: "pdf".into(),
    };
    let (consent, code) = crm.begin_consent(user, "127.0.0.1", new)?;
    if let Some(code) = code {
        crm.confirm_consent(user, &consent.id, &code)?;
    }
    Ok(())
}

/// A call, a note, a question with its answer, a copy and a preference.
fn activity(crm: &Crm, account: &str, document: DocId, chinese: bool) -> Result<(), CrmError> {
    let say = |english: &'static str, zh: &'static str| if chinese { zh } else { english }.to_string();
    let kept = crm.account(account)?;
    let customer = kept.customer.clone();
    let user = if chinese { "zhou" } else { "ava" };
    let call = crm.begin_interaction(
        "ann",
        NewInteraction {
            channel: Channel::Voice,
            customer: customer.clone(),
            account: Some(account.into()),
            call_id: format!("demo-{account}"),
            ani: if chinese { "138 0013 8010".into() } else { "(614) 555-0110".into() },
            ..NewInteraction::default()
        },
    )?;
    crm.interaction_saw("ann", &call.id, document)?;
    let change = InteractionChange {
        summary: Some(say("Asked what the last charge was; explained.", "询问最后一笔费用，已解释。")),
        wrap_up: Some("answered".into()),
        verified_by: Some("questions".into()),
        ended: Some(true),
        ..InteractionChange::default()
    };
    crm.change_interaction("ann", &call.id, None, change)?;
    let note = NewNote {
        account: Some(account.into()),
        customer: customer.clone(),
        document: Some(document.to_string()),
        place: Some(Place { page: 1, line: Some(2), ..Place::default() }),
        text: say("Prefers to be called in the afternoon.", "希望下午接听电话。"),
        visibility: Visibility::Staff,
    };
    crm.add_note("ann", note)?;
    let question = NewRequest {
        kind: RequestKind::Question,
        customer: customer.clone(),
        account: Some(account.into()),
        document: Some(document.to_string()),
        text: say("What is the first charge on this page for?", "这一页的第一笔费用是什么？"),
        ..NewRequest::default()
    };
    let request = crm.open_request(user, Side::Customer, question)?;
    let answer =
        say("It is the purchase of the day before; it was booked a day later.", "这是前一天的消费，次日入账。");
    crm.reply("ann", Side::Agent, &request.id, None, &answer, false)?;
    let Some(customer) = customer else { return Ok(()) };
    let points = crm.contacts_of(&Owner::Customer(customer))?;
    let mail = points.iter().find(|point| point.kind == ContactKind::Email && point.verified_at.is_some());
    if let Some(mail) = mail {
        let copy = NewCopy {
            how: How::Link,
            contact_point: Some(mail.id.clone()),
            interaction: Some(call.id.clone()),
            ..NewCopy::default()
        };
        crm.plan_copy("ann", document, Some(account), copy, false)?;
        let wish = PreferenceData {
            account: account.into(),
            way: Way::Portal,
            contact_point: Some(mail.id.clone()),
            language: if chinese { "zh-CN".into() } else { "en".into() },
            notices: true,
            ..PreferenceData::default()
        };
        crm.set_preference(user, None, wish)?;
    }
    Ok(())
}
