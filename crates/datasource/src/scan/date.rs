//! Parts of dates, and dates some days later, as filters on the column itself.

use arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;

use crate::scan::filter::{DatePart, Filter, Operand, Operator};
use crate::scan::translate::{column, literal};

/// The cast that makes a date of a timestamp, among others.
const CAST: &str = "spark_cast_ansi";

/// By how many days a date is moved at most. Within so many days of the ends of its 32 bits, five million years away, a
/// date wraps around where it is moved, and stays in its place where the other side is.
const MOST_DAYS: i32 = 36_525;

/// The part of a column that `expr` is. A timestamp with a zone has no parts of its own: they are those of a session.
pub(super) fn part(expr: &Expr, schema: &Schema) -> Option<(DatePart, String)> {
    let Expr::ScalarFunction(call) = expr else { return None };
    let ([name, of], "date_part") = (call.args.as_slice(), call.func.name()) else { return None };
    let part = DatePart::of(literal(name)?.try_as_str()??)?;
    let (column, has_time) = match of {
        Expr::ScalarFunction(cast) if cast.func.name() == CAST => {
            let [timestamp] = cast.args.as_slice() else { return None };
            let (column, _) = dated(timestamp, schema).filter(|(_, has_time)| *has_time)?;
            let cast_to = cast.func.return_type(&[DataType::Timestamp(TimeUnit::Microsecond, None)]).ok()?;
            (cast_to == DataType::Date32).then_some((column, false))?
        }
        of => dated(of, schema)?,
    };
    (has_time || !part.is_of_time()).then_some((part, column))
}

/// A column that has dates, and whether it has times of day too.
fn dated(expr: &Expr, schema: &Schema) -> Option<(String, bool)> {
    let found = column(expr, schema)?;
    let has_time = match found.data_type {
        DataType::Date32 => false,
        DataType::Timestamp(TimeUnit::Microsecond, None) => true,
        _ => return None,
    };
    match found.operand {
        Operand::Column(name) => Some((name, has_time)),
        Operand::Literal(_) => None,
    }
}

/// `part operator value`, as the numbers for which it holds.
pub(super) fn compared_part(part: DatePart, column: String, operator: Operator, value: &ScalarValue) -> Option<Filter> {
    let value = number(value).filter(|_| operator != Operator::NullSafeEq)?;
    one_of(part, column, |number| operator.holds(number.cmp(&value)))
}

/// The filter for the numbers of a part that are wanted; none where no number is.
pub(super) fn one_of(part: DatePart, column: String, is_wanted: impl Fn(i32) -> bool) -> Option<Filter> {
    let numbers: Vec<_> = part.numbers().filter(|number| is_wanted(*number)).collect();
    (!numbers.is_empty()).then_some(Filter::Part(part, column, numbers))
}

/// The number that a part is compared with.
pub(super) fn number(value: &ScalarValue) -> Option<i32> {
    match value {
        ScalarValue::Int32(value) => *value,
        _ => None,
    }
}

/// `date_add(column, days) operator value`: the days go to the other side.
pub(super) fn shifted(expr: &Expr, operator: Operator, value: &ScalarValue, schema: &Schema) -> Option<Filter> {
    let Expr::ScalarFunction(call) = expr else { return None };
    let [date, days] = call.args.as_slice() else { return None };
    let (column, false) = dated(date, schema)? else { return None };
    let days = number(literal(days)?).filter(|days| (-MOST_DAYS..=MOST_DAYS).contains(days))?;
    let days = match call.func.name() {
        "date_add" => days,
        "date_sub" => -days,
        _ => return None,
    };
    let ScalarValue::Date32(Some(value)) = value else { return None };
    let bound = ScalarValue::Date32(Some(value.checked_sub(days)?));
    Some(Filter::Comparison(Operand::Column(column), operator, Operand::Literal(bound)))
}
