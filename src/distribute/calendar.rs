//! When a run is due: a time of day on certain days in a zone, with its daylight saving.
//!
//! A time that does not exist on the day on which clocks go forward is due an hour later; one that exists twice is due the
//! first time only.

use jiff::civil::{Date, Time as Civil, Weekday};
use jiff::tz::TimeZone;

use super::DistributeError;
use super::config::{Config, Distribution, wrong};
use crate::crm::Time;

/// Days looked ahead: more than any chain of holidays.
const MOST_DAYS: usize = 400;

/// The zone and the holidays.
#[derive(Debug, Clone)]
pub struct Calendar {
    zone: TimeZone,
    holidays: Vec<Date>,
}

/// Reads `18:00`.
pub fn time_of_day(text: &str) -> Option<Civil> {
    let (hour, minute) = text.split_once(':')?;
    Civil::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// Reads `mon`.
pub fn weekday(text: &str) -> Option<Weekday> {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let at = names.iter().position(|name| *name == text)?;
    Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok()
}

impl Calendar {
    /// The calendar of a configuration.
    pub fn of(config: &Config) -> Result<Calendar, DistributeError> {
        let zone = match config.zone.as_str() {
            "" => TimeZone::UTC,
            name => TimeZone::get(name).map_err(|error| wrong(format!("zone: {error}")))?,
        };
        let day = |text: &String| text.parse().map_err(|error| wrong(format!("holidays: {text:?}: {error}")));
        Ok(Calendar { zone, holidays: config.holidays.iter().map(day).collect::<Result<_, _>>()? })
    }

    /// The time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The same with the clock of another zone; as it is when there is no such zone.
    #[must_use]
    pub fn in_zone(self, zone: &str) -> Calendar {
        match TimeZone::get(zone) {
            Ok(zone) if !zone.is_unknown() => Calendar { zone, ..self },
            _ => self,
        }
    }

    /// The last moment not after `now` at which a distribution was due.
    pub fn last_due(&self, rule: &Distribution, now: Time) -> Option<Time> {
        let at = time_of_day(&rule.at)?;
        let mut day = self.zone.to_datetime(jiff::Timestamp::from_second(now.0).ok()?).date();
        for _ in 0..MOST_DAYS {
            if self.counts(rule, day) {
                let due = self.zone.to_ambiguous_timestamp(day.to_datetime(at)).compatible().ok()?.as_second();
                if due <= now.0 {
                    return Some(Time(due));
                }
            }
            day = day.yesterday().ok()?;
        }
        None
    }

    /// The first moment of a day such as `2026-12-01`.
    pub fn start_of(&self, day: &str) -> Option<Time> {
        let day: Date = day.parse().ok()?;
        Some(Time(self.zone.to_ambiguous_timestamp(day.to_datetime(Civil::midnight())).compatible().ok()?.as_second()))
    }

    /// The end of the quiet hours (the first of them, and the first hour after them) if it is quiet now; `None`: it is not.
    pub fn quiet_until(&self, from: u8, to: u8, now: Time) -> Option<Time> {
        let here = self.zone.to_datetime(jiff::Timestamp::from_second(now.0).ok()?);
        let (from, to, hour) = (i8::try_from(from).ok()?, i8::try_from(to).ok()?, here.hour());
        let quiet = if from <= to { (from..to).contains(&hour) } else { hour >= from || hour < to };
        if !quiet {
            return None;
        }
        let day = if hour < to { here.date() } else { here.date().tomorrow().ok()? };
        let end = day.to_datetime(Civil::new(to, 0, 0, 0).ok()?);
        Some(Time(self.zone.to_ambiguous_timestamp(end).compatible().ok()?.as_second()))
    }

    fn counts(&self, rule: &Distribution, day: Date) -> bool {
        let wanted = rule.days.is_empty() || rule.days.iter().any(|name| weekday(name) == Some(day.weekday()));
        wanted && !self.holidays.contains(&day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(zone: &str, at: &str, days: &[&str], now: &str) -> String {
        let config = Config { zone: zone.into(), holidays: vec!["2026-12-25".into()], ..Config::default() };
        let days = days.iter().map(ToString::to_string).collect();
        let rule = Distribution { at: at.into(), days, ..Distribution::default() };
        let now: jiff::Timestamp = now.parse().expect("a time");
        let calendar = Calendar::of(&config).expect("a calendar");
        calendar.last_due(&rule, Time(now.as_second())).map_or_else(String::new, |time| time.to_string())
    }

    #[test]
    fn quiet_hours_end_at_their_hour_of_the_day_also_past_midnight() {
        let config = Config { zone: "Europe/Zurich".into(), ..Config::default() };
        let calendar = Calendar::of(&config).expect("a calendar");
        let until = |from, to, now: &str| {
            let now: jiff::Timestamp = now.parse().expect("a time");
            calendar.quiet_until(from, to, Time(now.as_second())).map(|time| time.to_string())
        };
        assert_eq!(until(22, 7, "2026-11-28T22:30:00Z").as_deref(), Some("2026-11-29T06:00:00Z"), "23:30 here");
        assert_eq!(until(22, 7, "2026-11-28T05:59:59Z").as_deref(), Some("2026-11-28T06:00:00Z"));
        assert_eq!(until(22, 7, "2026-11-28T06:00:00Z"), None);
        assert_eq!(until(12, 14, "2026-06-01T10:00:00Z").as_deref(), Some("2026-06-01T12:00:00Z"), "summer");
        assert_eq!(until(8, 8, "2026-06-01T06:30:00Z"), None, "no hour at all");
    }

    #[test]
    fn quiet_hours_go_by_the_customers_clock_also_when_it_is_changed() {
        let config = Config { zone: "Europe/Zurich".into(), ..Config::default() };
        let until = |zone: &str, from, to, now: &str| {
            let now: jiff::Timestamp = now.parse().expect("a time");
            let calendar = Calendar::of(&config).expect("a calendar").in_zone(zone);
            calendar.quiet_until(from, to, Time(now.as_second())).map(|time| time.to_string())
        };
        // 22:30 in New York, an early morning in Zurich.
        assert_eq!(until("America/New_York", 22, 7, "2026-01-15T03:30:00Z").as_deref(), Some("2026-01-15T12:00:00Z"));
        assert_eq!(until("America/New_York", 22, 7, "2026-01-15T12:00:00Z"), None);
        assert_eq!(until("Mars/Olympus", 22, 7, "2026-01-15T03:30:00Z").as_deref(), Some("2026-01-15T06:00:00Z"));
        // Clocks go forward in the night: it is an hour shorter, and an end that does not exist is the next moment that does.
        assert_eq!(until("America/New_York", 22, 7, "2026-03-08T04:00:00Z").as_deref(), Some("2026-03-08T11:00:00Z"));
        assert_eq!(until("America/New_York", 22, 2, "2026-03-08T06:59:00Z").as_deref(), Some("2026-03-08T07:00:00Z"));
        // Clocks go back: the hour that comes twice is quiet both times.
        assert_eq!(until("America/New_York", 22, 7, "2026-11-01T03:00:00Z").as_deref(), Some("2026-11-01T12:00:00Z"));
        for twice in ["2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"] {
            assert_eq!(until("America/New_York", 1, 2, twice).as_deref(), Some("2026-11-01T07:00:00Z"), "{twice}");
        }
        // Half an hour beside the full one, without daylight saving.
        assert_eq!(until("Asia/Kolkata", 22, 6, "2026-07-01T16:30:00Z").as_deref(), Some("2026-07-02T00:30:00Z"));
    }

    #[test]
    fn a_cut_off_is_wall_clock_time_through_daylight_saving_weekends_and_holidays() {
        let zurich = |at: &str, now: &str| due("Europe/Zurich", at, &[], now);
        assert_eq!(zurich("18:00", "2026-03-28T20:00:00Z"), "2026-03-28T17:00:00Z");
        assert_eq!(zurich("18:00", "2026-03-29T20:00:00Z"), "2026-03-29T16:00:00Z");
        assert_eq!(zurich("18:00", "2026-03-29T15:59:59Z"), "2026-03-28T17:00:00Z");
        assert_eq!(zurich("02:30", "2026-03-29T12:00:00Z"), "2026-03-29T01:30:00Z", "02:30 does not exist");
        assert_eq!(zurich("02:30", "2026-10-25T12:00:00Z"), "2026-10-25T00:30:00Z", "02:30 exists twice");
        assert_eq!(zurich("18:00", "2026-12-25T23:00:00Z"), "2026-12-24T17:00:00Z", "a holiday");
        assert_eq!(due("", "08:00", &["mon", "fri"], "2026-11-26T09:00:00Z"), "2026-11-23T08:00:00Z");
        assert!(Calendar::of(&Config { zone: "Mars/Olympus".into(), ..Config::default() }).is_err());
    }
}
