//! Dates and times in text, as Spark's casts read them.

use std::time::{SystemTime, UNIX_EPOCH};

use arrow::array::timezone::Tz;
use chrono::{DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};

/// Days since the epoch of `y[yyy]-[m]m-[d]d`, of a year or a month alone, with anything after a `T` or a space.
pub(crate) fn parse_date(text: &str) -> Option<i32> {
    let text = text.trim();
    let end = text.char_indices().skip(1).find(|(_, c)| matches!(c, 'T' | ' ')).map_or(text.len(), |(at, _)| at);
    days(calendar_date(&text[..end])?)
}

/// Microseconds since the epoch of a date with an optional time and zone; without a zone it is `zone`'s wall clock.
pub(crate) fn parse_timestamp(text: &str, zone: Tz) -> Option<i64> {
    let (local, own_zone) = parse_parts(text).or_else(|| today_at(text, zone))?;
    to_instant(local, own_zone.unwrap_or(zone))
}

/// The instant of a literal in the time zone of this name.
pub(crate) fn instant_of_literal(text: &str, zone: &str) -> Option<i64> {
    parse_timestamp(text, zone.parse().ok()?)
}

/// A time alone is one of today.
fn today_at(text: &str, zone: Tz) -> Option<(NaiveDateTime, Option<Tz>)> {
    let text = text.trim();
    if !text.get(..3)?.contains(':') {
        return None;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let today = to_local(i64::try_from(now.as_micros()).ok()?, zone)?.date();
    parse_parts(&format!("{today} {text}"))
}

/// Microseconds of a wall clock; a zone in the text is passed over.
pub(crate) fn parse_timestamp_ntz(text: &str) -> Option<i64> {
    Some(parse_parts(text)?.0.and_utc().timestamp_micros())
}

/// The instant at which `zone`'s wall clock shows `local`: the earlier one where there are two, and as far behind the
/// gap as `local` is into it where there is none.
pub(crate) fn to_instant(local: NaiveDateTime, zone: Tz) -> Option<i64> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => Some(instant.timestamp_micros()),
        LocalResult::None => {
            let before = zone.from_local_datetime(&(local - TimeDelta::days(1))).earliest()?;
            Some((before + TimeDelta::days(1)).timestamp_micros())
        }
    }
}

/// The wall clock of `zone` at an instant.
pub(crate) fn to_local(micros: i64, zone: Tz) -> Option<NaiveDateTime> {
    Some(DateTime::from_timestamp_micros(micros)?.with_timezone(&zone).naive_local())
}

/// Days since the epoch.
pub(crate) fn days(date: NaiveDate) -> Option<i32> {
    i32::try_from(date.signed_duration_since(DateTime::UNIX_EPOCH.date_naive()).num_days()).ok()
}

/// The date of a number of days since the epoch.
pub(crate) fn date_of(days: i32) -> Option<NaiveDate> {
    DateTime::UNIX_EPOCH.date_naive().checked_add_signed(TimeDelta::days(i64::from(days)))
}

fn calendar_date(text: &str) -> Option<NaiveDate> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let mut parts = digits.split('-');
    let year = parts.next()?;
    let year: i32 = (4..=7).contains(&year.len()).then(|| number(year)).flatten()?;
    let month = parts.next().map_or(Some(1), short_number)?;
    let day = parts.next().map_or(Some(1), short_number)?;
    if parts.next().is_some() {
        return None;
    }
    NaiveDate::from_ymd_opt(sign * year, month, day)
}

fn parse_parts(text: &str) -> Option<(NaiveDateTime, Option<Tz>)> {
    let text = text.trim();
    let Some((date, rest)) = text.split_once(['T', ' ']) else {
        return Some((calendar_date(text)?.and_time(NaiveTime::MIN), None));
    };
    let date = calendar_date(date)?;
    if rest.is_empty() {
        return Some((date.and_time(NaiveTime::MIN), None));
    }
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(rest.len());
    let zone = match rest[end..].trim() {
        "" => None,
        zone => Some(parse_zone(zone)?),
    };
    Some((date.and_time(time(&rest[..end])?), zone))
}

fn time(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':');
    let hour = short_number(parts.next()?)?;
    let minute = parts.next().map_or(Some(0), short_number)?;
    let second = parts.next().map_or(Some(0), short_number)?;
    if parts.next().is_some() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros: u32 = format!("{fraction:0<6}")[..6].parse().ok()?;
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
}

/// Microseconds since midnight of `hh:mm[:ss[.ffffff]]`.
pub(crate) fn time_of_day(text: &str) -> Option<i64> {
    let time = time(text.trim())?.signed_duration_since(NaiveTime::MIN);
    time.num_microseconds()
}

/// `Z`, `UTC`, `+01:00`, `+1`, `GMT+1`, `Europe/Oslo`.
pub(crate) fn parse_zone(text: &str) -> Option<Tz> {
    let offset = text.strip_prefix("UTC").or_else(|| text.strip_prefix("GMT")).unwrap_or(text);
    if offset.is_empty() || offset == "Z" {
        return "UTC".parse().ok();
    }
    let Some(sign) = offset.chars().next().filter(|c| matches!(c, '+' | '-')) else {
        return text.parse().ok();
    };
    let (hours, minutes) = offset[1..].split_once(':').unwrap_or((&offset[1..], "0"));
    let (hours, minutes): (u32, u32) = (short_number(hours)?, short_number(minutes)?);
    if hours > 18 || minutes > 59 {
        return None;
    }
    format!("{sign}{hours:02}:{minutes:02}").parse().ok()
}

fn short_number(text: &str) -> Option<u32> {
    (1..=2).contains(&text.len()).then(|| number(text)).flatten()
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
