//! The names of calls and operators.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use itertools::Itertools;

use super::{Named, Namer};
use crate::functions::is_cast;
use crate::interval::IntervalFields;
use crate::ir::{Expr, Function, SortDirection, SortOrder};
use crate::types::is_integral;

/// Functions whose name Spark writes in capitals.
const CAPITALS: &[&str] = &[
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "cos",
    "cosh",
    "cot",
    "csc",
    "degrees",
    "dense_rank",
    "e",
    "exp",
    "expm1",
    "hypot",
    "log10",
    "log1p",
    "log2",
    "percent_rank",
    "pi",
    "power",
    "radians",
    "rank",
    "regexp",
    "regexp_like",
    "sec",
    "signum",
    "sin",
    "sinh",
    "spark_partition_id",
    "sqrt",
    "tan",
    "tanh",
];

/// Functions that Spark knows by another name where it shows them.
const RENAMED: &[(&str, &str)] = &[
    ("array_agg", "collect_list"),
    ("curdate", "current_date"),
    ("current_database", "current_schema"),
    ("dateadd", "date_add"),
    ("explode_outer", "explode"),
    ("random", "rand"),
];

/// What Spark adds to a call that has only so many arguments: name, number of arguments, and the rest.
const DEFAULTS: &[(&str, usize, &[&str])] = &[
    ("approx_percentile", 2, &["10000"]),
    ("from_unixtime", 1, &["yyyy-MM-dd HH:mm:ss"]),
    ("lag", 1, &["1", "NULL"]),
    ("lag", 2, &["NULL"]),
    ("lead", 1, &["1", "NULL"]),
    ("lead", 2, &["NULL"]),
    ("listagg", 1, &["NULL"]),
    ("locate", 2, &["1"]),
    ("lpad", 2, &[" "]),
    ("make_dt_interval", 0, &["0", "0", "0", "0.000000"]),
    ("make_dt_interval", 1, &["0", "0", "0.000000"]),
    ("make_dt_interval", 2, &["0", "0.000000"]),
    ("make_dt_interval", 3, &["0.000000"]),
    ("make_interval", 0, &["0", "0", "0", "0", "0", "0", "0.000000"]),
    ("make_interval", 1, &["0", "0", "0", "0", "0", "0.000000"]),
    ("make_interval", 2, &["0", "0", "0", "0", "0.000000"]),
    ("make_interval", 3, &["0", "0", "0", "0.000000"]),
    ("make_interval", 4, &["0", "0", "0.000000"]),
    ("make_interval", 5, &["0", "0.000000"]),
    ("make_interval", 6, &["0.000000"]),
    ("make_ym_interval", 0, &["0", "0"]),
    ("make_ym_interval", 1, &["0"]),
    ("mask", 1, &["X", "x", "n", "NULL"]),
    ("mask", 2, &["x", "n", "NULL"]),
    ("mask", 3, &["n", "NULL"]),
    ("mask", 4, &["NULL"]),
    ("months_between", 2, &["true"]),
    ("overlay", 3, &["-1"]),
    ("percentile", 2, &["1"]),
    ("position", 2, &["1"]),
    ("percentile_approx", 2, &["10000"]),
    ("regexp_instr", 2, &["0"]),
    ("regexp_replace", 3, &["1"]),
    ("replace", 2, &[""]),
    ("round", 1, &["0"]),
    ("bround", 1, &["0"]),
    ("rpad", 2, &[" "]),
    ("sentences", 1, &["", ""]),
    ("sentences", 2, &[""]),
    ("sort_array", 1, &["true"]),
    ("split", 2, &["-1"]),
    ("str_to_map", 1, &[",", ":"]),
    ("str_to_map", 2, &[":"]),
    ("string_agg", 1, &["NULL"]),
    ("substr", 2, &["2147483647"]),
    ("substring", 2, &["2147483647"]),
    ("to_unix_timestamp", 1, &["yyyy-MM-dd HH:mm:ss"]),
    ("time_bucket", 2, &["TIMESTAMP '1970-01-01 00:00:00'"]),
    ("unix_timestamp", 0, &["current_timestamp()", "yyyy-MM-dd HH:mm:ss"]),
    ("unix_timestamp", 1, &["yyyy-MM-dd HH:mm:ss"]),
    ("vector_norm", 1, &["2.0"]),
    ("vector_normalize", 1, &["2.0"]),
];

/// The function that `array_sort` compares with where none is given.
const DEFAULT_COMPARISON: &str = "lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS \
     NULL)), 0, (IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, \
     (IF((namedlambdavariable() < namedlambdavariable()), -1, (IF((namedlambdavariable() > namedlambdavariable()), 1, \
     0)))))))))), namedlambdavariable(), namedlambdavariable())";

/// The function that `aggregate` ends with where none is given.
const IDENTITY: &str = "lambdafunction(namedlambdavariable(), namedlambdavariable())";

impl Namer<'_> {
    pub(super) fn function(&self, call: &Function) -> Named {
        let name = call.name.to_lowercase();
        let (args, types): (Vec<_>, Vec<_>) = call.args.iter().map(|arg| self.named(arg)).unzip();
        if let ("+" | "-", [left, right]) = (name.as_str(), args.as_slice())
            && let Some(named) = of_dates(&name, (left, types[0].as_ref()), (right, types[1].as_ref()), &call.args)
        {
            return named;
        }
        let data_type = match name.as_str() {
            "map" => Some(crate::functions::map::map_type(DataType::Null, DataType::Null)),
            "to_date" | "date_add" | "date_sub" | "current_date" | "last_day" | "make_date" => Some(DataType::Date32),
            "unhex" | "encode" | "unbase64" | "to_binary" => Some(DataType::Binary),
            "+" | "-" | "*" | "%" | "negative" => types.iter().flatten().next().cloned(),
            _ => None,
        };
        (self.written(call, &name, args, &types), data_type)
    }

    fn written(&self, call: &Function, name: &str, args: Vec<String>, types: &[Option<DataType>]) -> String {
        match (name, args.as_slice()) {
            ("==", [left, right]) => format!("({left} = {right})"),
            ("!=" | "<>", [left, right]) => format!("(NOT ({left} = {right}))"),
            (
                "+" | "-" | "*" | "/" | "%" | "<" | "<=" | ">" | ">=" | "<=>" | "&" | "|" | "^" | "<<" | ">>" | ">>>"
                | "div",
                [left, right],
            ) => format!("({left} {name} {right})"),
            ("and" | "or", [left, right]) => format!("({left} {} {right})", name.to_uppercase()),
            ("not" | "!", [operand]) => format!("(NOT {operand})"),
            ("-" | "+", [operand]) => format!("({name} {operand})"),
            ("positive", [operand]) => format!("(+ {operand})"),
            ("~", [operand]) => format!("~{operand}"),
            ("log", [value]) => format!("LOG(E(), {value})"),
            ("log", [base, value]) => format!("LOG({base}, {value})"),
            ("ceil" | "floor", [value]) => format!("{}({value})", name.to_uppercase()),
            ("first" | "last" | "any_value" | "first_value" | "last_value", [value, _]) => format!("{name}({value})"),
            ("isnull", [operand]) => format!("({operand} IS NULL)"),
            ("isnotnull", [operand]) => format!("({operand} IS NOT NULL)"),
            ("in", [value, list @ ..]) => format!("({value} IN ({}))", list.join(", ")),
            ("like", [value, pattern]) => format!("{value} LIKE {pattern}"),
            ("like", [value, pattern, escape]) => format!("{value} LIKE {pattern} ESCAPE '{escape}'"),
            ("ilike", [value, pattern, _]) => format!("ilike({value}, {pattern})"),
            ("likeany" | "likeall" | "notlikeany" | "notlikeall", [value, ..]) => format!("{name}({value})"),
            ("rlike", [value, pattern]) => format!("RLIKE({value}, {pattern})"),
            ("extract" | "datepart", [field, value]) => format!("{name}({field} FROM {value})"),
            ("trim both", [characters, text]) => format!("TRIM(BOTH {characters} FROM {text})"),
            ("trim leading", [characters, text]) => format!("TRIM(LEADING {characters} FROM {text})"),
            ("trim trailing", [characters, text]) => format!("TRIM(TRAILING {characters} FROM {text})"),
            ("when", _) => case_when(&args),
            ("if", [condition, yes, no]) => format!("(IF({condition}, {yes}, {no}))"),
            ("count", [star]) if star == "*" => "count(1)".to_owned(),
            ("struct", _) => self.structure(call, &args),
            ("from_json" | "to_json" | "schema_of_json" | "from_csv" | "to_csv" | "schema_of_csv", [value, ..]) => {
                format!("{name}({value})")
            }
            ("approx_count_distinct", [value, _]) => format!("{name}({value})"),
            ("try_make_timestamp", [parts @ .., _]) if parts.len() == 6 => self.plain(call, name, parts.to_vec()),
            ("rank" | "dense_rank" | "percent_rank", _) => format!("{}()", name.to_uppercase()),
            ("make_timestamp_ltz" | "try_make_timestamp_ltz", parts) if parts.len() < 4 => {
                format!("make_timestamp({})", parts.join(", "))
            }
            ("try_make_timestamp_ntz", [date, time]) => format!("{name}(make_timestamp_ntz({date}, {time}))"),
            ("convert_timezone", [zone, time]) => format!("{name}(current_timezone(), {zone}, {time})"),
            ("mode", [value, deterministic]) => match deterministic.as_str() {
                "true" => format!("mode() WITHIN GROUP (ORDER BY {value} DESC)"),
                _ => format!("mode({value})"),
            },
            ("lpad" | "rpad", [value, length]) if types[0] == Some(DataType::Binary) => {
                format!("{name}({value}, {length}, X'00')")
            }
            ("to_varchar", [value, encoding]) if types[0] == Some(DataType::Binary) => match encoding.as_str() {
                "base64" | "hex" => format!("{name}({value})"),
                charset => format!("{name}({value}, {charset})"),
            },
            ("to_char" | "to_varchar", [value, pattern]) => match &types[0] {
                Some(DataType::Date32 | DataType::Timestamp(..)) => format!("date_format({value}, {pattern})"),
                Some(DataType::Binary) if matches!(pattern.as_str(), "base64" | "hex") => format!("{pattern}({value})"),
                Some(DataType::Binary) => format!("decode({value}, {pattern})"),
                _ => format!("to_char({value}, {pattern})"),
            },
            ("assert_true", [condition]) => format!("assert_true({condition}, '{condition}' is not true!)"),
            ("aggregate" | "reduce", [array, zero, merge]) => {
                format!("{name}({array}, {zero}, {merge}, {IDENTITY})")
            }
            ("array_sort", [array]) => format!("array_sort({array}, {DEFAULT_COMPARISON})"),
            (_, [value]) if is_cast(name) => value.clone(),
            _ => self.plain(call, name, args),
        }
    }

    fn plain(&self, call: &Function, name: &str, mut args: Vec<String>) -> String {
        let in_order = name == "string_agg" && !call.order_by.is_empty();
        let name = if in_order { "listagg" } else { name };
        let name = RENAMED.iter().find(|(written, _)| *written == name).map_or(name, |(_, shown)| *shown);
        let of = if name == "try_make_interval" { "make_interval" } else { name };
        let defaults = DEFAULTS.iter().find(|(known, count, _)| *known == of && *count == args.len());
        args.extend(defaults.iter().flat_map(|(.., rest)| rest.iter().map(ToString::to_string)));
        let distinct = if call.distinct { "DISTINCT " } else { "" };
        let name = if CAPITALS.contains(&name) { name.to_uppercase() } else { name.to_owned() };
        let within = (!call.order_by.is_empty()).then(|| {
            let order = match name.as_str() {
                "percentile_cont" | "percentile_disc" => self.briefly(&call.order_by, SortDirection::Descending),
                "mode" => self.briefly(&call.order_by, SortDirection::Ascending),
                _ => self.sort_orders(&call.order_by),
            };
            format!(" WITHIN GROUP (ORDER BY {order})")
        });
        let filter = call.filter.as_ref().map(|filter| format!(" FILTER (WHERE {})", self.name(filter)));
        format!("{name}({distinct}{}){}{}", args.join(", "), within.unwrap_or_default(), filter.unwrap_or_default())
    }

    /// The keys of a sort, those that go in one direction marked as descending.
    fn briefly(&self, keys: &[SortOrder], marked: SortDirection) -> String {
        let key =
            |key: &SortOrder| format!("{}{}", self.name(&key.expr), if key.direction == marked { " DESC" } else { "" });
        keys.iter().map(key).join(", ")
    }

    /// Fields keep the names that they are given.
    fn structure(&self, call: &Function, args: &[String]) -> String {
        let parameter = |field: &Expr| match field {
            Expr::Attribute { parts, .. } => {
                parts.first().filter(|name| self.parameters.contains(&name.as_str())).cloned()
            }
            _ => None,
        };
        // With a parameter of a lambda function in it, it is shown as what it becomes.
        if call.args.iter().any(|field| parameter(field).is_some()) {
            let fields = call.args.iter().zip(args).enumerate().map(|(at, (field, name))| {
                format!("{}, {name}", parameter(field).unwrap_or_else(|| format!("col{}", at + 1)))
            });
            return format!("named_struct({})", fields.collect_vec().join(", "));
        }
        let fields = call.args.iter().zip(args).map(|(field, name)| match field {
            Expr::Alias { names, .. } => format!("{name} AS {}", names.join(", ")),
            _ => name.clone(),
        });
        format!("struct({})", fields.collect_vec().join(", "))
    }
}

/// Sums and differences with dates and timestamps in them.
fn of_dates(
    op: &str,
    (left, l): (&str, Option<&DataType>),
    (right, r): (&str, Option<&DataType>),
    operands: &[Expr],
) -> Option<Named> {
    let of_days = |at: usize| matches!(&operands[at], Expr::Interval { fields: IntervalFields::DAY, .. });
    use DataType::{Date32, Duration, Interval, Timestamp};
    let plus = op == "+";
    let name = match (l?, r?) {
        (Date32, days) if is_integral(days) => {
            format!("{}({left}, {right})", if plus { "date_add" } else { "date_sub" })
        }
        (days, Date32) if is_integral(days) && plus => format!("date_add({right}, {left})"),
        (Date32, Duration(_)) if plus && of_days(1) => {
            format!("date_add({left}, extractansiintervaldays({right}))")
        }
        (Date32, Duration(_)) if of_days(1) => format!("date_add({left}, (- extractansiintervaldays({right})))"),
        (Duration(_), Date32) if plus && of_days(0) => {
            format!("date_add({right}, extractansiintervaldays({left}))")
        }
        (Date32 | Timestamp(..), Interval(_) | Duration(_)) => format!("{left} {op} {right}"),
        (Interval(_) | Duration(_), Date32 | Timestamp(..)) if plus => format!("{right} + {left}"),
        _ => return None,
    };
    let instant = [l, r].into_iter().flatten().find(|of| matches!(of, Timestamp(..)));
    Some((name, instant.cloned().or(Some(Date32))))
}

/// The frame that a window function has whatever the window says.
pub(super) fn own_frame(function: &Expr) -> Option<String> {
    let Expr::Function(call) = function else { return None };
    let distance = || match call.args.get(1) {
        None => Some(1),
        Some(Expr::Literal(ScalarValue::Int32(distance))) => distance.map(i64::from),
        Some(Expr::Literal(ScalarValue::Int64(distance))) => *distance,
        Some(_) => None,
    };
    match call.name.to_lowercase().as_str() {
        "row_number" | "rank" | "dense_rank" | "percent_rank" | "ntile" => {
            Some("ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned())
        }
        "lag" => distance().map(|rows| format!("ROWS BETWEEN -{rows} FOLLOWING AND -{rows} FOLLOWING")),
        "lead" => distance().map(|rows| format!("ROWS BETWEEN {rows} FOLLOWING AND {rows} FOLLOWING")),
        _ => None,
    }
}

fn case_when(args: &[String]) -> String {
    let branches = args.chunks_exact(2);
    let otherwise = branches.remainder().first().map(|value| format!(" ELSE {value}"));
    let branches = branches.map(|branch| format!(" WHEN {} THEN {}", branch[0], branch[1])).join("");
    format!("CASE{branches}{} END", otherwise.unwrap_or_default())
}
