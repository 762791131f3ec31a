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
    Ok(PreimageResult::Range { expr: expr.clone(), interval: Box::new(Interval::try_new(lower, upper)?) })
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;
    use datafusion::common::ScalarValue;
    use datafusion::logical_expr::preimage::PreimageResult;
    use datafusion::logical_expr::{col, lit};

    use super::{moments_of_day, moments_of_unit};
    use crate::types::{timestamp, timestamp_ntz};

    const HOUR: i64 = 3_600_000_000;

    fn bounds(found: PreimageResult) -> Option<(i64, i64)> {
        let PreimageResult::Range { interval, .. } = found else { return None };
        let number = |value: &ScalarValue| match value {
            ScalarValue::TimestampMicrosecond(value, _) => value.unwrap(),
            ScalarValue::Date32(value) => value.unwrap().into(),
            other => panic!("{other}"),
        };
        Some((number(interval.lower()), number(interval.upper())))
    }

    fn day(day: i32, of: &DataType, zone: &str) -> Option<(i64, i64)> {
        bounds(moments_of_day(&col("at"), day, of, zone).unwrap())
    }

    #[test]
    fn a_day_is_as_long_as_its_clocks_say() {
        let midnight = |day: i64| 24 * HOUR * day;
        // 31 March and 27 October 2024, when the clocks are moved.
        let (march, october) = (19_813, 20_023);
        assert_eq!(day(march, &timestamp_ntz(), "Europe/Oslo"), Some((midnight(19_813), midnight(19_814))));
        let oslo = day(march, &timestamp(), "Europe/Oslo").unwrap();
        assert_eq!(oslo, (midnight(19_813) - HOUR, midnight(19_814) - 2 * HOUR));
        let oslo = day(october, &timestamp(), "Europe/Oslo").unwrap();
        assert_eq!(oslo.1 - oslo.0, 25 * HOUR);
    }

    #[test]
    fn a_day_that_begins_twice_or_never_at_midnight_has_no_range() {
        // Havana's clocks go back from one to midnight on 3 November 2024, Sao Paulo's went from midnight to one.
        assert_eq!(day(20_030, &timestamp(), "America/Havana"), None);
        assert_eq!(day(20_029, &timestamp(), "America/Havana"), None);
        assert!(day(20_031, &timestamp(), "America/Havana").is_some());
        assert_eq!(day(17_839, &timestamp(), "America/Sao_Paulo"), None);
        assert_eq!(day(i32::MAX, &timestamp(), "UTC"), None);
    }

    #[test]
    fn only_the_beginning_of_a_unit_has_a_range() {
        let dates = |day: i32, unit: &str| {
            bounds(moments_of_unit(&col("day"), &lit(unit), &lit(ScalarValue::Date32(Some(day))), "UTC").unwrap())
        };
        // 1 February 2024, a Thursday.
        assert_eq!(dates(19_754, "MONTH"), Some((19_754, 19_783)));
        assert_eq!(dates(19_755, "MONTH"), None);
        assert_eq!(dates(19_754, "week"), None);
        assert_eq!(dates(19_751, "week"), Some((19_751, 19_758)));
        assert_eq!(dates(19_754, "HOUR"), None);
    }
}
