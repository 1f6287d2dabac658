//! Retention classes: how long the loads of a report are kept.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::{RecordsError, encode, rows};
use crate::archive::kv::{Batch, Engine, Family, StoreError};
use crate::archive::{Archive, LoadId, LoadRow};
use crate::index::value::Day;

/// Seconds in a day.
const DAY_S: i64 = 86_400;

/// A retention class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Its name, as definitions say it in `retention`.
    pub name: String,
    /// Years from the date of the last document; `None` keeps for ever.
    pub years: Option<u16>,
}

/// A load whose time is over.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Due {
    /// The load.
    pub load: LoadId,
    /// Its report.
    pub definition: String,
    /// Its class.
    pub class: String,
    /// The last day it had to be kept, ISO 8601.
    pub kept_until: String,
    /// Its documents.
    pub documents: u32,
}

/// All classes by name.
pub fn classes(engine: &dyn Engine) -> Result<Vec<Class>, StoreError> {
    rows(engine, Family::Settings, "retention/")
}

/// Makes or changes a class.
pub fn set(engine: &dyn Engine, class: &Class) -> Result<(), RecordsError> {
    let mut batch = Batch::default();
    batch.put(Family::Settings, format!("retention/{}", class.name), encode(class)?);
    Ok(engine.commit(batch)?)
}

/// The loads whose time was over before `today`. A load without a class, or with one that is not set, is kept.
pub fn due(archive: &Archive, today: Day) -> Result<Vec<Due>, RecordsError> {
    let classes = classes(archive.engine().as_ref())?;
    let mut due = Vec::new();
    for row in archive.loads()? {
        let definition = archive.definition(&row.definition, Some(row.definition_version))?;
        let named = definition.and_then(|definition| definition.retention.clone());
        let class = classes.iter().find(|class| Some(&class.name) == named.as_ref());
        let Some((class, years)) = class.and_then(|class| Some((class, class.years?))) else { continue };
        let until = add_years(last_day(archive, &row)?, years);
        if until < today {
            due.push(Due {
                load: row.id,
                definition: row.definition,
                class: class.name.clone(),
                kept_until: until.to_string(),
                documents: row.documents,
            });
        }
    }
    Ok(due)
}

/// The day of the newest document of a load; the day of loading where documents carry no date.
fn last_day(archive: &Archive, row: &LoadRow) -> Result<Day, RecordsError> {
    let loaded = i32::try_from(row.loaded_at.div_euclid(DAY_S)).unwrap_or(i32::MAX);
    let mut last = None;
    archive.documents(row.id, &mut |document| {
        last = last.max(Some(document.date.unwrap_or(loaded)));
        ControlFlow::Continue(())
    })?;
    Ok(Day(last.unwrap_or(loaded)))
}

/// The same day some years later; 29 February becomes 28 where there is none.
fn add_years(day: Day, years: u16) -> Day {
    let (year, month, date) = day.ymd();
    let later = i16::try_from(i32::from(year) + i32::from(years)).unwrap_or(i16::MAX);
    Day::from_ymd(later, month, date).or_else(|| Day::from_ymd(later, month, 28)).unwrap_or(Day(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::kv::memory::Memory;

    #[test]
    fn years_are_added_on_the_calendar() {
        let leap = Day::from_ymd(2024, 2, 29).expect("a day");
        assert_eq!(add_years(leap, 7).to_string(), "2031-02-28");
        assert_eq!(add_years(leap, 4).to_string(), "2028-02-29");
    }

    #[test]
    fn a_class_is_read_back_and_can_be_changed() {
        let engine = Memory::default();
        set(&engine, &Class { name: "statements".into(), years: Some(7) }).expect("stored");
        set(&engine, &Class { name: "statements".into(), years: Some(10) }).expect("stored");
        assert_eq!(classes(&engine).expect("read"), [Class { name: "statements".into(), years: Some(10) }]);
    }
}
