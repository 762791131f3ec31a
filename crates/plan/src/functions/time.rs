//! Dates and times computed: units cut off, zones changed, values made of parts.

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMicrosecondType, Float64Type, Int32Type, Int64Type,
    IntervalYearMonthType, TimestampMicrosecondType,
};
use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use datafusion::error::Result as EngineResult;

use super::datetime::{date_of, days, to_instant, to_local};
use super::native::{Args, Table, Value};
use crate::error::{ErrorClass, SparkError};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

pub(super) const TABLE: Table = &[
    ("date_trunc", "sz", 'z', |a| {
        let zone = zone(a.zone)?;
        a.numbers::<TimestampMicrosecondType>(|row| {
            let Some((unit, micros)) = a.text(0, row).zip(a.micros(1, row)) else { return Ok(None) };
            Ok(to_local(micros, zone)
                .and_then(|local| truncated(local, unit))
                .and_then(|local| to_instant(local, zone)))
        })
    }),
    ("trunc", "ts", 't', |a| {
        a.numbers::<Date32Type>(|row| {
            let Some((day, unit)) = a.date(0, row).zip(a.text(1, row)) else { return Ok(None) };
            let local = date_of(day).filter(|_| is_unit_of_dates(unit)).map(|date| date.and_time(NaiveTime::MIN));
            Ok(local.and_then(|local| truncated(local, unit)).and_then(|local| days(local.date())))
        })
    }),
    ("dayname", "t", 's', |a| {
        a.texts(|row| Ok(a.date(0, row).and_then(date_of).map(|date| date.format("%a").to_string())))
    }),
    ("make_date", "iii", 't', |a| {
        a.numbers::<Date32Type>(|row| {
            let (Some(year), Some(month), Some(day)) = (a.int(0, row), a.int(1, row), a.int(2, row)) else {
                return Ok(None);
            };
            Ok(days(date_of_parts(year, month, day)?))
        })
    }),
    ("spark.make_timestamp", "", ' ', |a| a.numbers::<TimestampMicrosecondType>(|row| moment(a, row))),
    ("spark.date_with_time", "", ' ', |a| {
        a.numbers::<TimestampMicrosecondType>(|row| {
            let Some((date, micros)) = a.date(0, row).and_then(date_of).zip(a.long(1, row)) else { return Ok(None) };
            let local = date.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::microseconds(micros));
            let zone = if a.columns.len() > 2 { a.text(2, row).map(zone).transpose()? } else { Some(zone(a.zone)?) };
            Ok(match a.result {
                DataType::Timestamp(_, None) => local.map(|local| local.and_utc().timestamp_micros()),
                _ => local.zip(zone).and_then(|(local, zone)| to_instant(local, zone)),
            })
        })
    }),
    ("spark.try_make_timestamp", "", ' ', |a| {
        a.numbers::<TimestampMicrosecondType>(|row| Ok(moment(a, row).unwrap_or(None)))
    }),
    ("spark.seconds", "", ' ', |a| {
        let zone = zone(a.zone)?;
        a.numbers::<Decimal128Type>(|row| {
            let local = a.micros(0, row).and_then(|micros| to_local(micros, zone));
            Ok(local.map(|local| {
                i128::from(local.second()) * 1_000_000 + i128::from(local.and_utc().timestamp_subsec_micros())
            }))
        })
    }),
    ("timestamp_micros", "l", 'z', |a| a.numbers::<TimestampMicrosecondType>(|row| Ok(a.long(0, row)))),
    ("timestamp_millis", "l", 'z', |a| {
        a.numbers::<TimestampMicrosecondType>(|row| {
            a.long(0, row).map(|millis| millis.checked_mul(1000).ok_or_else(|| overflow().into())).transpose()
        })
    }),
    ("unix_micros", "z", 'l', |a| a.numbers::<Int64Type>(|row| Ok(a.micros(0, row)))),
    ("unix_millis", "z", 'l', |a| a.numbers::<Int64Type>(|row| Ok(a.micros(0, row).map(|m| m.div_euclid(1000))))),
    ("unix_seconds", "z", 'l', |a| {
        a.numbers::<Int64Type>(|row| Ok(a.micros(0, row).map(|micros| micros.div_euclid(MICROS_PER_SECOND))))
    }),
    ("unix_date", "t", 'i', |a| a.numbers::<Int32Type>(|row| Ok(a.date(0, row)))),
    ("date_from_unix_date", "i", 't', |a| a.numbers::<Date32Type>(|row| Ok(a.int(0, row)))),
    ("from_utc_timestamp", "zs", 'z', |a| {
        moved(a, |micros, zone| Some(to_local(micros, zone)?.and_utc().timestamp_micros()))
    }),
    ("to_utc_timestamp", "zs", 'z', |a| {
        moved(a, |micros, zone| to_instant(DateTime::from_timestamp_micros(micros)?.naive_utc(), zone))
    }),
    ("convert_timezone", "ssn", 'n', |a| {
        a.numbers::<TimestampMicrosecondType>(|row| {
            let (Some(from), Some(to), Some(micros)) = (a.text(0, row), a.text(1, row), a.micros(2, row)) else {
                return Ok(None);
            };
            let (from, to) = (zone(from)?, zone(to)?);
            let instant = DateTime::from_timestamp_micros(micros).and_then(|local| to_instant(local.naive_utc(), from));
            Ok(instant.and_then(|instant| to_local(instant, to)).map(|local| local.and_utc().timestamp_micros()))
        })
    }),
    ("months_between", "zz?b", 'd', |a| {
        let zone = zone(a.zone)?;
        a.numbers::<Float64Type>(|row| {
            let local = |column| a.micros(column, row).and_then(|micros| to_local(micros, zone));
            let Some((left, right)) = local(0).zip(local(1)) else { return Ok(None) };
            let rounds = a.columns.len() < 3 || a.boolean(2, row) != Some(false);
            Ok(Some(months_between(left, right, rounds)))
        })
    }),
    ("timestampadd", "slz", 'z', |a| {
        let zone = zone(a.zone)?;
        a.numbers::<TimestampMicrosecondType>(|row| {
            let (Some(unit), Some(count), Some(micros)) = (a.text(0, row), a.long(1, row), a.micros(2, row)) else {
                return Ok(None);
            };
            added(unit, count, micros, zone)?.map(Some).ok_or_else(|| overflow().into())
        })
    }),
    ("timestampdiff", "szz", 'l', |a| {
        let zone = zone(a.zone)?;
        a.numbers::<Int64Type>(|row| {
            let (Some(unit), Some(from), Some(to)) = (a.text(0, row), a.micros(1, row), a.micros(2, row)) else {
                return Ok(None);
            };
            let Some((from, to)) = to_local(from, zone).zip(to_local(to, zone)) else { return Ok(None) };
            difference(unit, from, to).map(Some)
        })
    }),
    (ADD_MONTHS, "", ' ', |a| {
        let (zone, months) = (zone(a.zone)?, a.columns[1].as_primitive::<IntervalYearMonthType>());
        a.numbers::<TimestampMicrosecondType>(|row| {
            let Some(micros) = a.micros(0, row).filter(|_| months.is_valid(row)) else { return Ok(None) };
            added("MONTH", months.value(row).into(), micros, zone)?.map(Some).ok_or_else(|| overflow().into())
        })
    }),
    (ADD_MICROS, "", ' ', |a| {
        let (zone, lengths) = (zone(a.zone)?, a.columns[1].as_primitive::<DurationMicrosecondType>());
        a.numbers::<TimestampMicrosecondType>(|row| {
            let Some(micros) = a.micros(0, row).filter(|_| lengths.is_valid(row)) else { return Ok(None) };
            let (days, rest) = (lengths.value(row) / MICROS_PER_DAY, lengths.value(row) % MICROS_PER_DAY);
            let days_later = added("DAY", days, micros, zone)?;
            let sum = days_later.and_then(|micros| micros.checked_add(rest));
            sum.map(Some).ok_or_else(|| overflow().into())
        })
    }),
    ("spark.make_ym_interval", "ii", ' ', |a| {
        a.numbers::<IntervalYearMonthType>(|row| {
            let Some((years, months)) = a.int(0, row).zip(a.int(1, row)) else { return Ok(None) };
            let sum = years.checked_mul(12).and_then(|y| y.checked_add(months));
            sum.map(Some).ok_or_else(|| overflow().into())
        })
    }),
    ("spark.make_dt_interval", "iiid", ' ', |a| {
        a.numbers::<DurationMicrosecondType>(|row| {
            let (Some(day), Some(hour)) = (a.int(0, row), a.int(1, row)) else { return Ok(None) };
            let (Some(minute), Some(second)) = (a.int(2, row), a.double(3, row)) else { return Ok(None) };
            let minutes = (i64::from(day) * 24 + i64::from(hour)) * 60 + i64::from(minute);
            let micros = minutes.checked_mul(60 * MICROS_PER_SECOND);
            let sum = micros.and_then(|m| m.checked_add((second * MICROS_PER_SECOND as f64).round() as i64));
            sum.map(Some).ok_or_else(|| overflow().into())
        })
    }),
];

/// An instant some months later in the session's time zone.
pub(super) const ADD_MONTHS: &str = "spark.add_months_to_instant";
/// An instant some days and microseconds later.
pub(super) const ADD_MICROS: &str = "spark.add_micros_to_instant";

/// The time zone of this name.
pub(in crate::functions) fn zone(name: &str) -> EngineResult<Tz> {
    super::datetime::parse_zone(name).ok_or_else(|| {
        let message = format!("The timezone: {name} is invalid.");
        let condition = "INVALID_TIMEZONE";
        SparkError::new(ErrorClass::DateTime, condition, "22009", message).with("timeZone", name).into()
    })
}

fn overflow() -> SparkError {
    SparkError::new(ErrorClass::Arithmetic, "DATETIME_OVERFLOW", "22008", "A date or a time is out of range.")
}

/// The date of these parts, in the error that Spark has where there is none.
pub(super) fn date_of_parts(year: i32, month: i32, day: i32) -> EngineResult<NaiveDate> {
    let part = |number: i32| u32::try_from(number).ok();
    let date = part(month).zip(part(day)).and_then(|(month, day)| NaiveDate::from_ymd_opt(year, month, day));
    date.ok_or_else(|| out_of_bounds(format!("There is no day {day} in month {month} of the year {year}")))
}

fn out_of_bounds(range: String) -> datafusion::error::DataFusionError {
    let condition = "DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION";
    SparkError::new(ErrorClass::DateTime, condition, "22023", format!("{range}."))
        .with("rangeMessage", range)
        .with("ansiConfig", "\"spark.sql.ansi.enabled\"")
        .into()
}

fn is_unit_of_dates(unit: &str) -> bool {
    let unit = unit.to_ascii_uppercase();
    matches!(unit.as_str(), "YEAR" | "YYYY" | "YY" | "QUARTER" | "MONTH" | "MM" | "MON" | "WEEK")
}

/// The beginning of the unit that `local` lies in; none for a unit that there is not.
pub(super) fn truncated(local: NaiveDateTime, unit: &str) -> Option<NaiveDateTime> {
    let date = local.date();
    let midnight = |date: NaiveDate| date.and_time(NaiveTime::MIN);
    let micros = |unit: i64| {
        let passed = i64::from(local.num_seconds_from_midnight()) * MICROS_PER_SECOND
            + i64::from(local.and_utc().timestamp_subsec_micros());
        midnight(date).checked_add_signed(TimeDelta::microseconds(passed - passed.rem_euclid(unit)))
    };
    match unit.to_ascii_uppercase().as_str() {
        "YEAR" | "YYYY" | "YY" => Some(midnight(date.with_day(1)?.with_month(1)?)),
        "QUARTER" => Some(midnight(date.with_day(1)?.with_month0(date.month0() / 3 * 3)?)),
        "MONTH" | "MM" | "MON" => Some(midnight(date.with_day(1)?)),
        "WEEK" => {
            let monday = date.checked_sub_signed(TimeDelta::days(date.weekday().num_days_from_monday().into()));
            monday.map(midnight)
        }
        "DAY" | "DD" => Some(midnight(date)),
        "HOUR" => micros(3_600 * MICROS_PER_SECOND),
        "MINUTE" => micros(60 * MICROS_PER_SECOND),
        "SECOND" => micros(MICROS_PER_SECOND),
        "MILLISECOND" => micros(1_000),
        "MICROSECOND" => Some(local),
        _ => None,
    }
}

fn moved(args: &Args<'_>, shift: fn(i64, Tz) -> Option<i64>) -> EngineResult<ArrayRef> {
    args.numbers::<TimestampMicrosecondType>(|row| {
        let Some((micros, name)) = args.micros(0, row).zip(args.text(1, row)) else { return Ok(None) };
        Ok(shift(micros, zone(name)?))
    })
}

/// Year, month, day, hour, minute, second with its fraction, and maybe a zone.
fn moment(args: &Args<'_>, row: usize) -> Value<i64> {
    let (Some(year), Some(month), Some(day)) = (args.int(0, row), args.int(1, row), args.int(2, row)) else {
        return Ok(None);
    };
    let (Some(hour), Some(minute), Some(second)) = (args.int(3, row), args.int(4, row), args.double(5, row)) else {
        return Ok(None);
    };
    let zone = match args.columns.len() {
        7 => match args.text(6, row) {
            Some(name) => zone(name)?,
            None => return Ok(None),
        },
        _ => zone(args.zone)?,
    };
    let micros = (second * MICROS_PER_SECOND as f64).round();
    if !(0..24).contains(&hour) || !(0..60).contains(&minute) || !(0.0..=60.0 * 1e6).contains(&micros) {
        return Err(out_of_bounds(format!("There is no time {hour}:{minute}:{second}")));
    }
    let passed = TimeDelta::seconds(i64::from(hour * 3_600 + minute * 60)) + TimeDelta::microseconds(micros as i64);
    let local = date_of_parts(year, month, day)?.and_time(NaiveTime::MIN).checked_add_signed(passed);
    Ok(match args.result {
        DataType::Timestamp(_, None) => local.map(|local| local.and_utc().timestamp_micros()),
        _ => local.and_then(|local| to_instant(local, zone)),
    })
}

/// Whole months where both days are the same or both the last of their month, else with a 31st of a month for a day.
fn months_between(left: NaiveDateTime, right: NaiveDateTime, rounds: bool) -> f64 {
    let months = |at: NaiveDateTime| f64::from(at.year()) * 12.0 + f64::from(at.month());
    let is_last = |at: NaiveDateTime| at.date().succ_opt().is_none_or(|next| next.day() == 1);
    let whole = months(left) - months(right);
    if left.day() == right.day() || (is_last(left) && is_last(right)) {
        return whole;
    }
    let seconds = |at: NaiveDateTime| f64::from(at.day()) * 86_400.0 + f64::from(at.num_seconds_from_midnight());
    let exact = whole + (seconds(left) - seconds(right)) / (31.0 * 86_400.0);
    if rounds { (exact * 1e8).round() / 1e8 } else { exact }
}

enum Unit {
    Months(i64),
    Days(i64),
    Micros(i64),
}

fn unit(name: &str) -> EngineResult<Unit> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "YEAR" => Unit::Months(12),
        "QUARTER" => Unit::Months(3),
        "MONTH" => Unit::Months(1),
        "WEEK" => Unit::Days(7),
        "DAY" | "DAYOFYEAR" => Unit::Days(1),
        "HOUR" => Unit::Micros(3_600 * MICROS_PER_SECOND),
        "MINUTE" => Unit::Micros(60 * MICROS_PER_SECOND),
        "SECOND" => Unit::Micros(MICROS_PER_SECOND),
        "MILLISECOND" => Unit::Micros(1_000),
        "MICROSECOND" => Unit::Micros(1),
        _ => {
            let message = format!("'{name}' is no unit of time.");
            let condition = "INVALID_PARAMETER_VALUE.DATETIME_UNIT";
            return Err(SparkError::new(ErrorClass::Parse, condition, "22023", message).into());
        }
    })
}

/// Months and days are counted on the wall clock, what is shorter on the line of time.
pub(super) fn added(name: &str, count: i64, micros: i64, zone: Tz) -> EngineResult<Option<i64>> {
    let on_the_wall = |change: &dyn Fn(NaiveDateTime) -> Option<NaiveDateTime>| {
        to_local(micros, zone).and_then(change).and_then(|local| to_instant(local, zone))
    };
    Ok(match unit(name)? {
        Unit::Micros(length) => count.checked_mul(length).and_then(|length| micros.checked_add(length)),
        Unit::Days(length) => count
            .checked_mul(length)
            .and_then(|days| on_the_wall(&|local| local.checked_add_signed(TimeDelta::try_days(days)?))),
        Unit::Months(length) => count.checked_mul(length).and_then(|months| {
            let distance = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
            on_the_wall(&|local| match months < 0 {
                true => local.checked_sub_months(distance),
                false => local.checked_add_months(distance),
            })
        }),
    })
}

/// How many whole units lie between.
fn difference(name: &str, from: NaiveDateTime, to: NaiveDateTime) -> EngineResult<i64> {
    let micros = to.and_utc().timestamp_micros() - from.and_utc().timestamp_micros();
    Ok(match unit(name)? {
        Unit::Micros(length) => micros / length,
        Unit::Days(length) => micros / (MICROS_PER_DAY * length),
        Unit::Months(length) => {
            let months = i64::from(to.year() - from.year()) * 12 + i64::from(to.month()) - i64::from(from.month());
            let within = |at: NaiveDateTime| (at.day(), at.time());
            let whole = match months {
                months if months > 0 && within(to) < within(from) => months - 1,
                months if months < 0 && within(to) > within(from) => months + 1,
                months => months,
            };
            whole / length
        }
    })
}
