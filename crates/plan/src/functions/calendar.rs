//! Units of the calendar as ranges: what is compared by its day or month is compared by the moments or dates of that, in
//! which a source can look for it.

use arrow::array::timezone::Tz;
use arrow::datatypes::{DataType, TimeUnit};
use chrono::{Months, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::interval_arithmetic::Interval;
use datafusion::logical_expr::preimage::PreimageResult;

use super::datetime::{date_of, days, to_local};
use super::time::{truncated, zone};

/// The moments of a day. Those of a timestamp with a zone are by the calendar of `time_zone`.
pub(super) fn moments_of_day(
    timestamp: &Expr,
    day: i32,
    of: &DataType,
    time_zone: &str,
) -> EngineResult<PreimageResult> {
    let DataType::Timestamp(TimeUnit::Microsecond, own) = of else { return Ok(PreimageResult::None) };
    let calendar = zone(if own.is_some() { time_zone } else { "UTC" })?;
    let beginning = |day: i32| {
        let micros = beginning(date_of(day)?.and_time(NaiveTime::MIN), calendar)?;
        Some(ScalarValue::TimestampMicrosecond(Some(micros), own.clone()))
    };
    range(timestamp, beginning(day), day.checked_add(1).and_then(beginning))
}

/// The dates or moments that `trunc` or `date_trunc` makes `value` of, where that is the beginning of a unit of at least a
/// day.
pub(super) fn moments_of_unit(of: &Expr, unit: &Expr, value: &Expr, time_zone: &str) -> EngineResult<PreimageResult> {
    let (Expr::Literal(unit, _), Expr::Literal(value, _)) = (unit, value) else { return Ok(PreimageResult::None) };
    let Some(unit) = unit.try_as_str().flatten() else { return Ok(PreimageResult::None) };
    match value {
        ScalarValue::Date32(Some(day)) => {
            let first = date_of(*day).map(|date| date.and_time(NaiveTime::MIN));
            let next = first.and_then(|first| next(first, unit));
            let next = next.and_then(|next| Some(ScalarValue::Date32(Some(days(next.date())?))));
            range(of, Some(value.clone()), next)
        }
        ScalarValue::TimestampMicrosecond(Some(micros), own) => {
            let calendar = zone(time_zone)?;
            let first = to_local(*micros, calendar).filter(|first| beginning(*first, calendar) == Some(*micros));
            let next = first.and_then(|first| beginning(next(first, unit)?, calendar));
            let next = next.map(|next| ScalarValue::TimestampMicrosecond(Some(next), own.clone()));
            range(of, Some(value.clone()), next)
        }
        _ => Ok(PreimageResult::None),
    }
}

/// The one moment at which `zone`'s clocks show `local`: before it they show less, and from it on no less. Where they
/// show it twice or never, units do not begin there, or not once.
fn beginning(local: NaiveDateTime, zone: Tz) -> Option<i64> {
    Some(zone.from_local_datetime(&local).single()?.timestamp_micros())
}

/// Where the unit after the one begins that begins at `first`.
fn next(first: NaiveDateTime, unit: &str) -> Option<NaiveDateTime> {
    let within = match unit.to_ascii_uppercase().as_str() {
        "YEAR" | "YYYY" | "YY" => first.checked_add_months(Months::new(12)),
        "QUARTER" => first.checked_add_months(Months::new(3)),
        "MONTH" | "MM" | "MON" => first.checked_add_months(Months::new(1)),
        "WEEK" => first.checked_add_signed(TimeDelta::days(7)),
        "DAY" | "DD" => first.checked_add_signed(TimeDelta::days(1)),
        _ => None,
    };
    within.filter(|_| truncated(first, unit) == Some(first))
}

fn range(expr: &Expr, lower: Option<ScalarValue>, upper: Option<ScalarValue>) -> EngineResult<PreimageResult> {
    let (Some(lower), Some(upper)) = (lower, upper) else { return Ok(PreimageResult::None) };
    if expr.is_volatile() {
        // A range has it twice.
        return Ok(PreimageResult::None);
    }
    Ok(PreimageResult::Range { expr: expr.clone(), interval: Box::new(Interval::try_new(lower, upper)?) })
}
