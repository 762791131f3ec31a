//! Operators and conditionals, which are calls in the unresolved plan.

use arrow::datatypes::{DataType, IntervalUnit};
use datafusion::common::ScalarValue;
use datafusion::functions::core::expr_fn as core;
use datafusion::functions::expr_fn as df;
use datafusion::logical_expr::expr::{BinaryExpr, InList, Like};
use datafusion::logical_expr::{Case, Expr, Operator, lit, not};

use super::arithmetic::{self, checked};
use super::call::{Call, Outcome, Typed};
use super::interval::{fields_of, with_fields};
use super::interval_number::{self, is_interval, number_of};
use super::native::native;
use super::{math, text, time};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::interval::IntervalFields;
use crate::types::{as_decimal, common_type, is_integral, is_numeric, is_string, timestamp};

/// An operator of this name, if there is one.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let expr = match call.name.as_str() {
        "+" | "-" | "*" | "/" | "%" | "mod" if call.args.len() == 2 => arithmetic(call)?,
        "try_add" | "try_subtract" | "try_multiply" | "try_divide" | "try_mod" => arithmetic(call)?,
        "div" => {
            let [left, right] =
                call.exactly()?.map(|side| if is_interval(&side.data_type) { number_of(side) } else { side });
            let (left, right) = (call.cast(left, &DataType::Int64)?, call.cast(right, &DataType::Int64)?);
            let divided = if call.ansi { checked } else { arithmetic::tried };
            divided(arithmetic::Operator::Divide, left, right, DataType::Int64)
        }
        "negative" | "-" => negative(call)?,
        "positive" | "+" => call.exactly::<1>()?[0].expr.clone(),
        "==" | "=" => compare(call, Operator::Eq)?,
        "!=" | "<>" => compare(call, Operator::NotEq)?,
        "<" => compare(call, Operator::Lt)?,
        "<=" => compare(call, Operator::LtEq)?,
        ">" => compare(call, Operator::Gt)?,
        ">=" => compare(call, Operator::GtEq)?,
        "<=>" | "equal_null" | "eqnullsafe" => compare(call, Operator::IsNotDistinctFrom)?,
        "and" => logical(call, Operator::And)?,
        "or" => logical(call, Operator::Or)?,
        "not" | "!" => {
            let [operand] = call.exactly()?;
            not(boolean(&call, operand, 0)?)
        }
        "&" | "|" | "^" => bitwise(call)?,
        "~" | "bitwise_not" => {
            let [operand] = call.exactly()?;
            match &operand.data_type {
                integral if is_integral(integral) => spark::bitwise_not(operand.expr),
                DataType::Null => call.cast(operand, &DataType::Int32)?,
                other => return Err(call.wrong_type(0, "INTEGRAL", other)),
            }
        }
        "<<" | "shiftleft" => shift(call, spark::shiftleft)?,
        ">>" | "shiftright" => shift(call, spark::shiftright)?,
        ">>>" | "shiftrightunsigned" => shift(call, spark::shiftrightunsigned)?,
        "isnull" => call.exactly::<1>()?[0].expr.clone().is_null(),
        "isnotnull" => call.exactly::<1>()?[0].expr.clone().is_not_null(),
        "in" => in_list(call)?,
        "between" => between(call)?,
        "like" | "ilike" => like(call)?,
        name if quantified(name).is_some() => like_patterns(call)?,
        "when" => case_when(call)?,
        "if" => {
            let [condition, yes, no] = call.exactly()?;
            call.args = vec![condition, yes, no];
            case_when(call)?
        }
        "coalesce" => {
            let args = std::mem::take(&mut call.args);
            if args.is_empty() {
                return Err(call.wrong_count("> 0", 0));
            }
            core::coalesce(call.common(args)?.0)
        }
        "nvl" | "ifnull" => {
            let args = call.exactly::<2>()?.to_vec();
            core::coalesce(call.common(args)?.0)
        }
        "nvl2" => {
            let [value, present, absent] = call.exactly()?;
            let (branches, _) = call.common(vec![present, absent])?;
            case(vec![(value.expr.is_not_null(), branches[0].clone())], Some(branches[1].clone()))
        }
        "nullif" => {
            let [left, right] = call.exactly()?;
            let kept = left.expr.clone();
            call.args = vec![left, right];
            let null = Expr::Literal(ScalarValue::Null, None);
            case(vec![(compare(call, Operator::Eq)?, null)], Some(kept))
        }
        "nullifzero" => {
            let [value] = call.exactly()?;
            let kept = value.expr.clone();
            let zero = Typed { expr: lit(0_i32), data_type: DataType::Int32 };
            call.args = vec![value, zero];
            let null = Expr::Literal(ScalarValue::Null, None);
            case(vec![(compare(call, Operator::Eq)?, null)], Some(kept))
        }
        "zeroifnull" => {
            let [value] = call.exactly()?;
            let zero = Typed { expr: lit(0_i32), data_type: DataType::Int32 };
            core::coalesce(call.common(vec![value, zero])?.0)
        }
        "greatest" | "least" => {
            let args = std::mem::take(&mut call.args);
            if args.len() < 2 {
                return Err(call.wrong_count("> 1", args.len()));
            }
            let (args, data_type) = call.common(args)?;
            if matches!(data_type, DataType::Float32 | DataType::Float64) {
                let double = |arg: Expr| datafusion::logical_expr::cast(arg, DataType::Float64);
                let function = if call.name == "greatest" { math::GREATEST } else { math::LEAST };
                let found = native(function, DataType::Float64, "", args.into_iter().map(double).collect());
                return Ok(Ok(datafusion::logical_expr::cast(found, data_type)));
            }
            if call.name == "greatest" { df::greatest(args) } else { df::least(args) }
        }
        _ => return Ok(Err(call)),
    };
    Ok(Ok(expr))
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

fn arithmetic(mut call: Call<'_>) -> Result<Expr> {
    let Some(operator) = arithmetic::Operator::of(&call.name) else {
        return Err(SparkError::internal("no arithmetic operator"));
    };
    let [left, right] = call.exactly()?;
    if let Some(expr) = temporal(&call, &left, &right)? {
        return Ok(expr);
    }
    if let Some(expr) = interval_number::resolve(&call, &left, &right)? {
        return Ok(expr);
    }
    if is_string(&left.data_type) && is_string(&right.data_type) {
        return Err(wrong_operands(&call, "NUMERIC", &left.data_type));
    }
    if common_type(&left.data_type, &right.data_type).is_none() {
        return Err(call.different_types(&[left, right]));
    }
    let tries = call.name.starts_with("try_");
    let checked = if tries || !call.ansi { arithmetic::tried } else { checked };
    let (left, right) = (number(&call, left, right.data_type.clone())?, right);
    let right = number(&call, right, left.data_type.clone())?;
    let divides = operator == arithmetic::Operator::Divide;
    if let (Some(l), Some(r)) = (decimal_shape(&left), decimal_shape(&right)) {
        let is_decimal = |value: &Typed| matches!(value.data_type, DataType::Decimal128(..));
        if is_decimal(&left) || is_decimal(&right) {
            let result = operator.decimal_type(l, r);
            let left = call.cast(left, &DataType::Decimal128(l.0, l.1))?;
            let right = call.cast(right, &DataType::Decimal128(r.0, r.1))?;
            return Ok(checked(operator, left, right, result));
        }
    }
    let to = match common_type(&left.data_type, &right.data_type) {
        Some(to) if divides && is_integral(&to) => DataType::Float64,
        Some(DataType::Null) => DataType::Float64,
        Some(DataType::Float32) if divides => DataType::Float64,
        Some(to) => to,
        None => return Err(call.different_types(&[left, right])),
    };
    let (left, right) = (call.cast(left, &to)?, call.cast(right, &to)?);
    // Floating-point numbers do not overflow, and without ANSI mode whole numbers wrap around: so do DataFusion's own
    // operators, which its optimiser knows.
    let wraps = matches!(to, DataType::Float32 | DataType::Float64) || (is_integral(&to) && !call.ansi);
    Ok(match operator {
        operator if tries => checked(operator, left, right, to),
        arithmetic::Operator::Add if wraps => binary(left, Operator::Plus, right),
        arithmetic::Operator::Subtract if wraps => binary(left, Operator::Minus, right),
        arithmetic::Operator::Multiply if wraps => binary(left, Operator::Multiply, right),
        operator => checked(operator, left, right, to),
    })
}

/// The precision and scale in which a value meets a decimal; a literal is as narrow as it can be.
fn decimal_shape(value: &Typed) -> Option<(u8, i8)> {
    match &value.expr {
        Expr::Literal(literal, _) if is_integral(&value.data_type) => {
            let digits = literal.to_string().trim_start_matches('-').len();
            Some((u8::try_from(digits).ok()?.max(1), 0))
        }
        _ => as_decimal(&value.data_type),
    }
}

/// An operand as a number: text becomes a whole number beside one, else a double.
fn number(call: &Call<'_>, value: Typed, other: DataType) -> Result<Typed> {
    let to = match &value.data_type {
        data_type if is_numeric(data_type) || *data_type == DataType::Null => return Ok(value),
        text if is_string(text) && is_integral(&other) => DataType::Int64,
        text if is_string(text) => DataType::Float64,
        other => return Err(wrong_operands(call, "NUMERIC", other)),
    };
    Ok(Typed { expr: call.cast(value, &to)?, data_type: to })
}

/// The error for two operands of one type that the operator does not take.
fn wrong_operands(call: &Call<'_>, required: &str, found: &DataType) -> SparkError {
    let (written, found) = (&call.written, sql_name(found));
    let message = format!(
        "Cannot resolve \"{written}\" due to data type mismatch: the binary operator requires the input type \
         \"{required}\", not \"{found}\"."
    );
    SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE", "42K09", message)
        .with("sqlExpr", format!("\"{written}\""))
        .with("inputType", format!("\"{required}\""))
        .with("actualDataType", format!("\"{found}\""))
}

/// Sums and differences of dates, timestamps and intervals.
fn temporal(call: &Call<'_>, left: &Typed, right: &Typed) -> Result<Option<Expr>> {
    use DataType::{Date32, Duration, Interval, Timestamp};
    let plus = match call.name.as_str() {
        "+" | "try_add" => Operator::Plus,
        "-" | "try_subtract" => Operator::Minus,
        _ => return Ok(None),
    };
    if !left.data_type.is_temporal() && !right.data_type.is_temporal() {
        return Ok(None);
    }
    let (l, r) = (left.expr.clone(), right.expr.clone());
    let days = |days: &Typed| Typed { expr: days.expr.clone(), data_type: days.data_type.clone() };
    Ok(Some(match (&left.data_type, &right.data_type) {
        (Date32, other) if is_integral(other) => {
            let days = call.cast(days(right), &DataType::Int32)?;
            if plus == Operator::Plus { spark::date_add(l, days) } else { spark::date_sub(l, days) }
        }
        (other, Date32) if is_integral(other) && plus == Operator::Plus => {
            spark::date_add(r, call.cast(days(left), &DataType::Int32)?)
        }
        (Date32, Date32) if plus == Operator::Minus => {
            let seconds = |value| call.cast(Typed { expr: value, data_type: Date32 }, &crate::types::timestamp_ntz());
            with_fields(binary(seconds(l)?, Operator::Minus, seconds(r)?), IntervalFields::DAY)
        }
        (Timestamp(..), Timestamp(..)) if plus == Operator::Minus => {
            let instant = |value: &Typed| call.cast(value.clone(), &timestamp());
            binary(instant(left)?, Operator::Minus, instant(right)?)
        }
        (Date32, Interval(IntervalUnit::YearMonth)) => binary(l, plus, r),
        (Interval(IntervalUnit::YearMonth), Date32) if plus == Operator::Plus => binary(r, plus, l),
        (Timestamp(..), Interval(_) | Duration(_)) => moved(call, left, plus, right),
        (Interval(_) | Duration(_), Timestamp(..)) if plus == Operator::Plus => moved(call, right, plus, left),
        // Days alone leave a date a date.
        (Date32, Duration(_)) if days_of(&right.expr).is_some() => {
            let days = lit(days_of(&right.expr).unwrap_or(0));
            if plus == Operator::Plus { spark::date_add(l, days) } else { spark::date_sub(l, days) }
        }
        (Duration(_), Date32) if plus == Operator::Plus && days_of(&left.expr).is_some() => {
            spark::date_add(r, lit(days_of(&left.expr).unwrap_or(0)))
        }
        (Date32, Duration(_)) => {
            let instant = Typed { expr: call.cast(left.clone(), &timestamp())?, data_type: timestamp() };
            moved(call, &instant, plus, right)
        }
        (Interval(_), Interval(_)) | (Duration(_), Duration(_)) => {
            let fields = fields_of(&l, call.schema)?.zip(fields_of(&r, call.schema)?);
            let sum = binary(l, plus, r);
            fields.map_or(sum.clone(), |(left, right)| with_fields(sum, left.union(right)))
        }
        _ => return Ok(None),
    }))
}

/// An instant moves by days and months on the wall clock of the session's time zone; without a zone all clocks agree.
fn moved(call: &Call<'_>, at: &Typed, op: Operator, by: &Typed) -> Expr {
    let unit = match (&at.data_type, &by.data_type) {
        (DataType::Timestamp(_, Some(_)), DataType::Interval(IntervalUnit::YearMonth)) => time::ADD_MONTHS,
        (DataType::Timestamp(_, Some(_)), DataType::Duration(_)) => time::ADD_MICROS,
        _ => return binary(at.expr.clone(), op, by.expr.clone()),
    };
    let by = match op {
        Operator::Minus => negated_interval(by.clone()),
        _ => by.expr.clone(),
    };
    native(unit, timestamp(), call.time_zone, vec![at.expr.clone(), by])
}

/// The days of an interval that is a constant and has no hours.
fn days_of(interval: &Expr) -> Option<i32> {
    const MICROS_PER_DAY: i64 = 86_400_000_000;
    match interval {
        Expr::Literal(ScalarValue::DurationMicrosecond(Some(micros)), _) if micros % MICROS_PER_DAY == 0 => {
            i32::try_from(micros / MICROS_PER_DAY).ok()
        }
        _ => None,
    }
}

/// The engine negates months, not durations.
fn negated_interval(interval: Typed) -> Expr {
    match interval.data_type {
        DataType::Duration(_) => binary(lit(ScalarValue::DurationMicrosecond(Some(0))), Operator::Minus, interval.expr),
        _ => Expr::Negative(Box::new(interval.expr)),
    }
}

fn negative(mut call: Call<'_>) -> Result<Expr> {
    let [operand] = call.exactly()?;
    match &operand.data_type {
        DataType::Float32 | DataType::Float64 => Ok(Expr::Negative(Box::new(operand.expr))),
        DataType::Duration(_) | DataType::Interval(_) => {
            let fields = fields_of(&operand.expr, call.schema)?;
            let negated = negated_interval(operand);
            Ok(fields.map_or(negated.clone(), |fields| with_fields(negated, fields)))
        }
        DataType::Decimal128(..) => Ok(Expr::Negative(Box::new(operand.expr))),
        text if is_string(text) || *text == DataType::Null => {
            Ok(Expr::Negative(Box::new(call.cast(operand, &DataType::Float64)?)))
        }
        integral if is_integral(integral) => {
            let data_type = operand.data_type.clone();
            Ok(native(math::NEGATIVE, data_type, "", vec![operand.expr]))
        }
        other => Err(call.wrong_type(0, "NUMERIC", other)),
    }
}

fn compare(mut call: Call<'_>, op: Operator) -> Result<Expr> {
    let [left, right] = call.exactly()?;
    let (args, data_type) = call.common(vec![left, right])?;
    let [left, right] = args.try_into().map_err(|_| call.wrong_count("2", 0))?;
    if matches!(data_type, DataType::Float32 | DataType::Float64) {
        return Ok(compare_floats(left, op, right, &data_type));
    }
    Ok(binary(left, op, right))
}

/// The engine tells two zeros apart, and NaNs by their sign. Beside a constant that is neither zero nor NaN nothing
/// is to be done, so that sources still see the comparison.
fn compare_floats(left: Expr, op: Operator, right: Expr, data_type: &DataType) -> Expr {
    let is_plain = |expr: &Expr| match expr {
        Expr::Literal(ScalarValue::Float64(Some(value)), _) => *value != 0.0 && !value.is_nan(),
        Expr::Literal(ScalarValue::Float32(Some(value)), _) => *value != 0.0 && !value.is_nan(),
        _ => false,
    };
    if is_plain(&left) || is_plain(&right) {
        return binary(left, op, right);
    }
    let normal = |expr: Expr| native(math::NORMAL, data_type.clone(), "", vec![expr]);
    binary(normal(left), op, normal(right))
}

fn logical(mut call: Call<'_>, op: Operator) -> Result<Expr> {
    let [left, right] = call.exactly()?;
    let is_boolean =
        |value: &Typed| is_string(&value.data_type) || matches!(value.data_type, DataType::Boolean | DataType::Null);
    if is_boolean(&left) != is_boolean(&right) {
        return Err(call.different_types(&[left, right]));
    }
    if !is_boolean(&left) {
        return Err(wrong_operands(&call, "BOOLEAN", &left.data_type));
    }
    Ok(binary(boolean(&call, left, 0)?, op, boolean(&call, right, 1)?))
}

fn boolean(call: &Call<'_>, value: Typed, position: usize) -> Result<Expr> {
    match &value.data_type {
        DataType::Boolean | DataType::Null => call.cast(value, &DataType::Boolean),
        text if is_string(text) => call.cast(value, &DataType::Boolean),
        other => Err(call.wrong_type(position, "BOOLEAN", other)),
    }
}

fn bitwise(mut call: Call<'_>) -> Result<Expr> {
    let op = match call.name.as_str() {
        "&" => Operator::BitwiseAnd,
        "|" => Operator::BitwiseOr,
        _ => Operator::BitwiseXor,
    };
    let [left, right] = call.exactly()?;
    for (position, operand) in [&left, &right].into_iter().enumerate() {
        if !is_integral(&operand.data_type) && operand.data_type != DataType::Null {
            return Err(call.wrong_type(position, "INTEGRAL", &operand.data_type));
        }
    }
    let (args, _) = call.common(vec![left, right])?;
    let [left, right] = args.try_into().map_err(|_| call.wrong_count("2", 0))?;
    Ok(binary(left, op, right))
}

/// Narrow numbers are shifted as those of 32 bits.
fn shift(mut call: Call<'_>, build: fn(Expr, Expr) -> Expr) -> Result<Expr> {
    let [value, by] = call.exactly()?;
    let to = match &value.data_type {
        DataType::Int64 => DataType::Int64,
        integral if is_integral(integral) => DataType::Int32,
        text if is_string(text) || *text == DataType::Null => DataType::Int32,
        other => return Err(call.wrong_type(0, "INT\" or \"BIGINT", other)),
    };
    Ok(build(call.cast(value, &to)?, call.cast(by, &DataType::Int32)?))
}

fn in_list(mut call: Call<'_>) -> Result<Expr> {
    let args = std::mem::take(&mut call.args);
    if args.is_empty() {
        return Err(call.wrong_count("> 0", 0));
    }
    if args.len() == 1 {
        return Ok(lit(false));
    }
    let (mut args, _) = call.common(args)?;
    let value = args.remove(0);
    Ok(Expr::InList(InList::new(Box::new(value), args, false)))
}

fn between(mut call: Call<'_>) -> Result<Expr> {
    let [value, low, high] = call.exactly()?;
    let (args, _) = call.common(vec![value, low, high])?;
    let [value, low, high] = args.try_into().map_err(|_| call.wrong_count("3", 0))?;
    Ok(value.between(low, high))
}

fn like(mut call: Call<'_>) -> Result<Expr> {
    let escape = match call.args.len() {
        3 => call.args.pop(),
        _ => None,
    };
    let [value, pattern] = call.exactly()?;
    let (value, pattern) = (call.cast(value, &DataType::Utf8)?, call.cast(pattern, &DataType::Utf8)?);
    // The engine knows the backslash alone.
    let pattern = match escape {
        Some(escape) => native(text::PATTERN, DataType::Utf8, "", vec![pattern, call.cast(escape, &DataType::Utf8)?]),
        None => pattern,
    };
    Ok(Expr::Like(Like::new(false, Box::new(value), Box::new(pattern), None, call.name == "ilike")))
}

/// The operator of `LIKE ANY (...)` and its kin, whether it is negated, and whether all patterns must hold.
fn quantified(name: &str) -> Option<(&str, bool, bool)> {
    let (negated, rest) = name.strip_prefix("not").map_or((false, name), |rest| (true, rest));
    let (like, all) =
        rest.strip_suffix("all").map(|like| (like, true)).or(rest.strip_suffix("any").map(|l| (l, false)))?;
    matches!(like, "like" | "ilike").then_some((like, negated, all))
}

/// A value, and the patterns of which one must fit, or all.
fn like_patterns(mut call: Call<'_>) -> Result<Expr> {
    let insensitive = call.name.contains("ilike");
    let (negated, all) = quantified(&call.name).map_or((false, false), |(_, negated, all)| (negated, all));
    let mut args = std::mem::take(&mut call.args).into_iter();
    let value = args.next().ok_or_else(|| call.wrong_count("> 1", 0))?;
    let value = call.cast(value, &DataType::Utf8)?;
    let mut joined: Option<Expr> = None;
    for pattern in args {
        let pattern = Box::new(call.cast(pattern, &DataType::Utf8)?);
        let fits = Expr::Like(Like::new(negated, Box::new(value.clone()), pattern, None, insensitive));
        joined = Some(match joined {
            Some(others) if all => others.and(fits),
            Some(others) => others.or(fits),
            None => fits,
        });
    }
    joined.ok_or_else(|| call.wrong_count("> 1", 1))
}

/// Condition, value, condition, value, ..., and what comes otherwise if the number is odd.
fn case_when(mut call: Call<'_>) -> Result<Expr> {
    let args = std::mem::take(&mut call.args);
    if args.len() < 2 {
        return Err(call.wrong_count("> 1", args.len()));
    }
    let mut conditions = vec![];
    let mut values = vec![];
    let otherwise_at = if args.len() % 2 == 1 { args.len() - 1 } else { args.len() };
    for (position, arg) in args.into_iter().enumerate() {
        if position < otherwise_at && position % 2 == 0 {
            // `IF` takes NULL for a condition, `CASE` does not.
            if call.name == "when" && matches!(&arg.expr, Expr::Literal(ScalarValue::Null, _)) {
                return Err(call.wrong_type(position, "BOOLEAN", &DataType::Null));
            }
            conditions.push(boolean(&call, arg, position)?);
        } else {
            values.push(arg);
        }
    }
    let (mut values, _) = call.common(values)?;
    let otherwise = if values.len() > conditions.len() { values.pop() } else { None };
    Ok(case(conditions.into_iter().zip(values).collect(), otherwise))
}

fn case(branches: Vec<(Expr, Expr)>, otherwise: Option<Expr>) -> Expr {
    let branches = branches.into_iter().map(|(when, then)| (Box::new(when), Box::new(then))).collect();
    Expr::Case(Case::new(None, branches, otherwise.map(Box::new)))
}

mod spark {
    pub(super) use datafusion_spark::expr_fn::{
        bitwise_not, date_add, date_sub, shiftleft, shiftright, shiftrightunsigned,
    };
}
