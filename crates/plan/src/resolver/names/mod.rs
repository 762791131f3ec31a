//! The names that Spark gives to columns without one: `count(1)`, `(a + 1)`, `CAST(a AS STRING)`.

mod function;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use itertools::Itertools;
use recursive::recursive;

use super::variable::Variable;
use crate::ddl::sql_name;
use crate::format::format_scalar;
use crate::functions::datetime::{instant_of_literal, parse_timestamp_ntz};
use crate::interval::IntervalFields;
use crate::ir::{CastMode, Expr, NullOrdering, SortDirection, SortOrder, WindowFrame};
use crate::types::{timestamp, timestamp_ntz};

/// A name, and the type of what it is the name of where that is plain to see.
type Named = (String, Option<DataType>);

/// Names expressions. Some names depend on types: a date and a number of days are `date_add(day, 1)`.
pub(super) struct Namer<'a> {
    /// The session's time zone, in which instants are written.
    pub(super) time_zone: &'a str,
    /// The type of an attribute.
    pub(super) type_of: &'a dyn Fn(&Expr) -> Option<DataType>,
    /// The session variable that an attribute is, if it is one.
    pub(super) variable: &'a dyn Fn(&[String]) -> Option<Variable>,
    /// The name of an attribute that is a field inside of a column.
    pub(super) inside: &'a dyn Fn(&Expr) -> Option<String>,
    /// The parameters of the lambda functions around.
    pub(super) parameters: Vec<&'a str>,
}

impl<'a> Namer<'a> {
    /// The name of the column that `expr` makes.
    pub(super) fn name(&self, expr: &Expr) -> String {
        self.named(expr).0
    }

    #[recursive]
    fn named(&self, expr: &Expr) -> Named {
        let name = match expr {
            Expr::Literal(value) => return (self.literal(value), Some(value.data_type())),
            Expr::Attribute { parts, .. } => return self.attribute(expr, parts),
            Expr::Star { qualifier, .. } => qualifier.iter().map(String::as_str).chain(["*"]).join("."),
            Expr::Regex { pattern, .. } => pattern.clone(),
            Expr::Internal(column) => column.clone(),
            Expr::Function(call) => return self.function(call),
            Expr::Lambda { params, body } => self.lambda(params, body),
            Expr::Alias { expr, .. } | Expr::Annotated { expr, .. } => return self.named(expr),
            Expr::UpdateField { expr, path, value } => self.updated(expr, path, value.as_deref()),
            // Casts of containers do not show.
            Expr::Cast { expr, to: DataType::List(_) | DataType::Map(..) | DataType::Struct(_), .. } => self.name(expr),
            Expr::Cast { expr, to, mode } => {
                let cast = if *mode == CastMode::Try { "TRY_CAST" } else { "CAST" };
                return (format!("{cast}({} AS {})", self.name(expr), sql_name(to)), Some(to.clone()));
            }
            Expr::Interval { value, fields } => return (interval(value, *fields), Some(value.data_type())),
            Expr::Timestamp { text, without_zone } => return self.timestamp(text, *without_zone),
            Expr::Ordinal(position) => position.to_string(),
            Expr::Extract { expr, key } => {
                let (base, of) = self.named(expr);
                match &**key {
                    Expr::Literal(ScalarValue::Utf8(Some(field))) if !matches!(of, Some(DataType::Map(..))) => {
                        format!("{base}.{field}")
                    }
                    key => format!("{base}[{}]", self.name(key)),
                }
            }
            Expr::SortOrder(order) => self.sort_order(order),
            Expr::Window { function, partition_by, order_by, frame } => {
                self.window(function, partition_by, order_by, frame.as_ref())
            }
            Expr::Text(text) => text.clone(),
            Expr::ScalarSubquery(_) => "scalarsubquery()".to_owned(),
            Expr::Exists { negated: false, .. } => "exists()".to_owned(),
            Expr::Exists { negated: true, .. } => "(NOT exists())".to_owned(),
            Expr::InSubquery { values, negated, .. } => {
                let found = format!("({} IN (listquery()))", self.names(values).join(", "));
                if *negated { format!("(NOT {found})") } else { found }
            }
        };
        (name, None)
    }

    fn names(&self, exprs: &[Expr]) -> Vec<String> {
        exprs.iter().map(|expr| self.name(expr)).collect()
    }

    fn attribute(&self, attribute: &Expr, parts: &[String]) -> Named {
        match parts {
            [first, rest @ ..] if self.parameters.iter().any(|name| name.eq_ignore_ascii_case(first)) => {
                let fields = rest.iter().map(|field| format!(".{field}")).join("");
                (format!("namedlambdavariable(){fields}"), None)
            }
            _ => match (self.variable)(parts) {
                Some(variable) => (self.variable_name(&variable), (self.type_of)(attribute)),
                None => {
                    let name = (self.inside)(attribute).or_else(|| parts.last().cloned());
                    (name.unwrap_or_default(), (self.type_of)(attribute))
                }
            },
        }
    }

    /// `variablereference(system.session.v=1)`.
    fn variable_name(&self, Variable { name, value, path }: &Variable) -> String {
        let value = match value {
            ScalarValue::Utf8(Some(text)) => format!("'{text}'"),
            other => self.literal(other),
        };
        let fields = path.iter().map(|field| format!(".{field}")).join("");
        format!("variablereference(system.session.{name}={value}){fields}")
    }

    fn lambda(&self, params: &[String], body: &Expr) -> String {
        let parameters = self.parameters.iter().copied().chain(params.iter().map(String::as_str)).collect();
        let inner = Namer { parameters, ..*self };
        let variables = std::iter::repeat_n("namedlambdavariable()", params.len());
        format!("lambdafunction({})", [inner.name(body).as_str()].into_iter().chain(variables).join(", "))
    }

    fn literal(&self, value: &ScalarValue) -> String {
        match value {
            _ if value.is_null() => "NULL".to_owned(),
            ScalarValue::Date32(_) => format!("DATE '{}'", format_scalar(value, "UTC")),
            ScalarValue::TimestampMicrosecond(_, Some(_)) => {
                format!("TIMESTAMP '{}'", format_scalar(value, self.time_zone))
            }
            ScalarValue::TimestampMicrosecond(_, None) => format!("TIMESTAMP_NTZ '{}'", format_scalar(value, "UTC")),
            ScalarValue::Time64Microsecond(_) => format!("TIME '{}'", format_scalar(value, "UTC")),
            ScalarValue::Binary(Some(bytes)) => {
                format!("X'{}'", bytes.iter().map(|byte| format!("{byte:02X}")).join(""))
            }
            other => format_scalar(other, "UTC"),
        }
    }

    /// `TIMESTAMP '2024-01-01 00:00:00'`: the text as Spark would write it, on the session's wall clock.
    fn timestamp(&self, text: &str, without_zone: bool) -> Named {
        let value = if without_zone {
            parse_timestamp_ntz(text).map(|micros| ScalarValue::TimestampMicrosecond(Some(micros), None))
        } else {
            let micros = instant_of_literal(text, self.time_zone);
            micros.map(|micros| ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())))
        };
        let name = value.map_or_else(|| text.to_owned(), |value| self.literal(&value));
        (name, Some(if without_zone { timestamp_ntz() } else { timestamp() }))
    }

    fn sort_order(&self, order: &SortOrder) -> String {
        let direction = if order.direction == SortDirection::Ascending { "ASC" } else { "DESC" };
        let nulls = if order.nulls == NullOrdering::First { "FIRST" } else { "LAST" };
        format!("{} {direction} NULLS {nulls}", self.name(&order.expr))
    }

    fn sort_orders(&self, keys: &[SortOrder]) -> String {
        keys.iter().map(|key| self.sort_order(key)).join(", ")
    }

    fn window(
        &self,
        function: &Expr,
        partition_by: &[Expr],
        order_by: &[SortOrder],
        frame: Option<&WindowFrame>,
    ) -> String {
        let partition =
            (!partition_by.is_empty()).then(|| format!("PARTITION BY {}", self.names(partition_by).join(", ")));
        let order = (!order_by.is_empty()).then(|| format!("ORDER BY {}", self.sort_orders(order_by)));
        let frame = match frame {
            Some(frame) => format!(
                "{} BETWEEN {} AND {}",
                if frame.rows { "ROWS" } else { "RANGE" },
                bound(frame.lower, "PRECEDING"),
                bound(frame.upper, "FOLLOWING")
            ),
            None => function::own_frame(function).unwrap_or_else(|| {
                match order_by.is_empty() {
                    true => "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
                    false => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
                }
                .to_owned()
            }),
        };
        let clauses = partition.into_iter().chain(order).chain([frame]).join(" ");
        format!("{} OVER ({clauses})", self.name(function))
    }
}

fn interval(value: &ScalarValue, fields: IntervalFields) -> String {
    let mut out = String::new();
    match value {
        ScalarValue::DurationMicrosecond(Some(micros)) => fields.write_micros(&mut out, *micros),
        ScalarValue::IntervalYearMonth(Some(months)) => fields.write_months(&mut out, *months),
        other => return format_scalar(other, "UTC"),
    }
    out
}

fn bound(offset: Option<i64>, unbounded: &str) -> String {
    match offset {
        None => format!("UNBOUNDED {unbounded}"),
        Some(0) => "CURRENT ROW".to_owned(),
        Some(offset) if offset < 0 => format!("{} PRECEDING", offset.unsigned_abs()),
        Some(offset) => format!("{offset} FOLLOWING"),
    }
}
