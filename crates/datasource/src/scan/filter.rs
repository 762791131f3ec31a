//! Filters as a small closed tree, which a plug-in can say in its source's own language.
//!
//! Logic is of three values, and a row is kept where the filter is true. NaN equals NaN and is greater than any other
//! number; the two zeros are equal.

use std::cmp::Ordering;
use std::fmt;
use std::ops::RangeInclusive;

use datafusion::common::ScalarValue;
use serde_json::{Value, json};

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// `left operator right`; both have one type.
    Comparison(Operand, Operator, Operand),
    /// `operand IN (values)`; the values are of its type.
    In(Operand, Vec<ScalarValue>),
    /// `operand IS NULL`.
    IsNull(Operand),
    /// `operand IS NOT NULL`.
    IsNotNull(Operand),
    /// `operand LIKE pattern`.
    Like(Operand, Pattern),
    /// Text that begins with another.
    StartsWith(Operand, String),
    /// Text that ends with another.
    EndsWith(Operand, String),
    /// Text that has another in it.
    Contains(Operand, String),
    /// A column of dates or timestamps without a zone, a part of which is one of these numbers.
    Part(DatePart, String, Vec<i32>),
    /// The opposite; NULL stays NULL.
    Not(Box<Self>),
    /// All of them.
    And(Vec<Self>),
    /// At least one of them.
    Or(Vec<Self>),
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A column of the table.
    Column(String),
    /// A value; never NULL.
    Literal(ScalarValue),
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Eq,
    /// `!=`
    NotEq,
    /// `<`
    Lt,
    /// `<=`
    LtEq,
    /// `>`
    Gt,
    /// `>=`
    GtEq,
    /// `<=>`: equal, or both NULL.
    NullSafeEq,
}

/// A part of a date, or of a timestamp without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatePart {
    /// From 1 to 4.
    Quarter,
    /// From 1 to 12.
    Month,
    /// Of ISO 8601, from 1 to 53.
    Week,
    /// Of the month, from 1 to 31.
    Day,
    /// From 1 to 366.
    DayOfYear,
    /// From 0 to 23; 0 for a date.
    Hour,
    /// From 0 to 59; 0 for a date.
    Minute,
}

/// A pattern of `LIKE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// With `%` for any text and `_` for any character.
    pub text: String,
    /// The character that makes the next one stand for itself.
    pub escape: char,
    /// Whether upper and lower case are the same.
    pub ignore_case: bool,
}

impl Filter {
    /// The filter as JSON; its literals are appended to `literals` and named by their position there.
    pub fn to_json(&self, literals: &mut Vec<ScalarValue>) -> Value {
        match self {
            Self::Comparison(left, operator, right) => {
                let (left, right) = (left.to_json(literals), right.to_json(literals));
                json!({"op": operator.symbol(), "left": left, "right": right})
            }
            Self::In(operand, values) => {
                let operand = operand.to_json(literals);
                let values: Vec<_> = values.iter().map(|value| literal(value, literals)).collect();
                json!({"op": "in", "arg": operand, "values": values})
            }
            Self::IsNull(operand) => json!({"op": "is_null", "arg": operand.to_json(literals)}),
            Self::IsNotNull(operand) => json!({"op": "is_not_null", "arg": operand.to_json(literals)}),
            Self::Like(operand, Pattern { text, escape, ignore_case }) => json!({
                "op": "like",
                "arg": operand.to_json(literals),
                "pattern": text,
                "escape": escape.to_string(),
                "ignore_case": ignore_case,
            }),
            Self::StartsWith(operand, text) => {
                json!({"op": "starts_with", "arg": operand.to_json(literals), "text": text})
            }
            Self::EndsWith(operand, text) => json!({"op": "ends_with", "arg": operand.to_json(literals), "text": text}),
            Self::Contains(operand, text) => json!({"op": "contains", "arg": operand.to_json(literals), "text": text}),
            Self::Part(part, column, values) => {
                json!({"op": "part", "part": part.name(), "arg": {"column": column}, "values": values})
            }
            Self::Not(child) => json!({"op": "not", "arg": child.to_json(literals)}),
            Self::And(children) => json!({"op": "and", "args": all_json(children, literals)}),
            Self::Or(children) => json!({"op": "or", "args": all_json(children, literals)}),
        }
    }
}

impl Operand {
    fn to_json(&self, literals: &mut Vec<ScalarValue>) -> Value {
        match self {
            Self::Column(name) => json!({"column": name}),
            Self::Literal(value) => literal(value, literals),
        }
    }
}

impl Operator {
    /// The operator for the same operands the other way round.
    pub(crate) fn swapped(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::LtEq => Self::GtEq,
            Self::Gt => Self::Lt,
            Self::GtEq => Self::LtEq,
            Self::Eq | Self::NotEq | Self::NullSafeEq => self,
        }
    }

    /// Whether it holds between values in this order.
    pub(crate) fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Eq | Self::NullSafeEq => order.is_eq(),
            Self::NotEq => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::LtEq => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::GtEq => order.is_ge(),
        }
    }

    fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::NotEq => "!=",
            Self::Lt => "<",
            Self::LtEq => "<=",
            Self::Gt => ">",
            Self::GtEq => ">=",
            Self::NullSafeEq => "<=>",
        }
    }
}

impl DatePart {
    /// The part of this name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        use DatePart::{Day, DayOfYear, Hour, Minute, Month, Quarter, Week};
        [Quarter, Month, Week, Day, DayOfYear, Hour, Minute].into_iter().find(|part| part.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Quarter => "quarter",
            Self::Month => "month",
            Self::Week => "week",
            Self::Day => "day",
            Self::DayOfYear => "doy",
            Self::Hour => "hour",
            Self::Minute => "minute",
        }
    }

    /// Whether it is one of the time of day.
    pub(crate) fn is_of_time(self) -> bool {
        matches!(self, Self::Hour | Self::Minute)
    }

    /// The numbers that it may be.
    pub(crate) fn numbers(self) -> RangeInclusive<i32> {
        match self {
            Self::Quarter => 1..=4,
            Self::Month => 1..=12,
            Self::Week => 1..=53,
            Self::Day => 1..=31,
            Self::DayOfYear => 1..=366,
            Self::Hour => 0..=23,
            Self::Minute => 0..=59,
        }
    }
}

fn literal(value: &ScalarValue, literals: &mut Vec<ScalarValue>) -> Value {
    literals.push(value.clone());
    json!({"literal": literals.len() - 1})
}

fn all_json(filters: &[Filter], literals: &mut Vec<ScalarValue>) -> Vec<Value> {
    filters.iter().map(|filter| filter.to_json(literals)).collect()
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comparison(left, operator, right) => write!(f, "{left} {} {right}", operator.symbol()),
            Self::In(operand, values) => write!(f, "{operand} IN ({})", Joined(values, ", ", write_value)),
            Self::IsNull(operand) => write!(f, "{operand} IS NULL"),
            Self::IsNotNull(operand) => write!(f, "{operand} IS NOT NULL"),
            Self::Like(operand, Pattern { text, ignore_case, .. }) => {
                let like = if *ignore_case { "ILIKE" } else { "LIKE" };
                write!(f, "{operand} {like} {}", Quoted(text))
            }
            Self::StartsWith(operand, text) => write!(f, "startswith({operand}, {})", Quoted(text)),
            Self::EndsWith(operand, text) => write!(f, "endswith({operand}, {})", Quoted(text)),
            Self::Contains(operand, text) => write!(f, "contains({operand}, {})", Quoted(text)),
            Self::Part(part, column, values) => {
                let number = |value: &i32, f: &mut fmt::Formatter<'_>| write!(f, "{value}");
                write!(f, "{}({column}) IN ({})", part.name(), Joined(values, ", ", number))
            }
            Self::Not(child) => write!(f, "NOT ({child})"),
            Self::And(children) => write!(f, "{}", Joined(children, " AND ", write_child)),
            Self::Or(children) => write!(f, "{}", Joined(children, " OR ", write_child)),
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) => f.write_str(name),
            Self::Literal(value) => write_value(value, f),
        }
    }
}

struct Joined<'a, T>(&'a [T], &'a str, fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result);

impl<T> fmt::Display for Joined<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(items, separator, write) = self;
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                f.write_str(separator)?;
            }
            write(item, f)?;
        }
        Ok(())
    }
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

fn write_child(child: &Filter, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match child {
        Filter::And(_) | Filter::Or(_) => write!(f, "({child})"),
        _ => write!(f, "{child}"),
    }
}

/// Numbers and truth values bare, all else in quotes.
fn write_value(value: &ScalarValue, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match value {
        ScalarValue::Utf8(Some(text)) => write!(f, "{}", Quoted(text)),
        ScalarValue::Binary(Some(bytes)) => {
            f.write_str("X'")?;
            bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
            f.write_str("'")
        }
        // Arrow's own form of a cell: `2024-01-31T00:00:00Z`, `12.50`.
        value => match value.to_array().and_then(|cell| Ok(arrow::util::display::array_value_to_string(&cell, 0)?)) {
            Ok(text) if value.data_type().is_temporal() => write!(f, "{}", Quoted(&text)),
            Ok(text) => f.write_str(&text),
            Err(_) => write!(f, "{value}"),
        },
    }
}
