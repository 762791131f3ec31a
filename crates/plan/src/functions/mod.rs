//! Functions and operators by the names that Spark knows them by.
//!
//! First those that are our own, then `datafusion-spark`'s, then the ones of DataFusion that agree with Spark.

mod aggregate;
mod arithmetic;
mod array;
mod array_edit;
pub(crate) mod assign;
mod bits;
mod calendar;
pub(crate) mod call;
pub(crate) mod cast;
pub(crate) mod chance;
mod container;
mod csv;
pub(crate) mod datetime;
mod gather;
pub(crate) mod generator;
mod hash;
pub(crate) mod higher_order;
pub(crate) mod interval;
pub(crate) mod interval_number;
pub(crate) mod java_pattern;
pub(crate) mod json;
pub(crate) mod map;
mod math;
mod misc;
mod mode;
mod moments;
pub(crate) mod narrow_decimal;
mod native;
mod number_text;
mod octets;
mod operator;
mod options;
pub(crate) mod own;
mod printf;
mod quantiles;
mod raise;
mod refused;
mod regex;
pub(crate) mod reshape;
mod rounding;
mod scalar;
mod sum;
mod text;
mod time;
mod time_call;
mod time_parts;
mod time_text;
mod vector;
pub(crate) mod window;
mod words;
mod xml;

use std::sync::OnceLock;

use self::call::Call;
use self::higher_order::HigherOrder;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir;
use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::logical_expr::Expr;

/// The meaning of a call.
///
/// # Errors
/// `UNRESOLVED_ROUTINE` for a name that no function has; `WRONG_NUM_ARGS` and `DATATYPE_MISMATCH` for arguments that
/// it does not take.
pub(crate) fn resolve(mut call: Call<'_>) -> Result<Expr> {
    if let Some((_, plain)) = WRITTEN.iter().find(|(written, _)| *written == call.name) {
        call.name = (*plain).to_owned();
    }
    let call = match operator::resolve(call)? {
        Ok(expr) => return Ok(expr),
        Err(call) => call,
    };
    let call = match aggregate::resolve(call)? {
        Ok(expr) => return Ok(expr),
        Err(call) => call,
    };
    if call.distinct || call.filter.is_some() {
        let message = format!("DISTINCT and FILTER are for aggregate functions; `{}` is none.", call.name);
        let condition = "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX";
        return Err(SparkError::new(ErrorClass::Analysis, condition, "42000", message));
    }
    let call = match window::resolve(call)? {
        Ok(expr) => return Ok(expr),
        Err(call) => call,
    };
    scalar::resolve(call)
}

/// The names of the functions that are there, in order; in lower case.
pub fn names() -> Vec<&'static str> {
    static KNOWN: OnceLock<Vec<&str>> = OnceLock::new();
    KNOWN.get_or_init(|| include_str!("names.txt").lines().filter(|name| is_known(name)).collect()).clone()
}

/// Whether a function of this name is there: without arguments it fails another way then.
fn is_known(name: &str) -> bool {
    let lambda = [ir::Expr::Lambda { params: Vec::new(), body: Box::new(ir::Expr::Ordinal(1)) }];
    if generator::is_generator(name) || HigherOrder::of(name, &lambda).is_some() {
        return true;
    }
    let call = Call {
        name: name.to_owned(),
        written: String::new(),
        args: Vec::new(),
        arg_names: Vec::new(),
        distinct: false,
        filter: None,
        order_by: Vec::new(),
        time_zone: "UTC",
        ansi: true,
        database: "",
        schema: &DFSchema::empty(),
    };
    resolve(call).map_or_else(|error| error.condition != "UNRESOLVED_ROUTINE", |_| true)
}

/// Functions whose names say how they were written.
const WRITTEN: &[(&str, &str)] = &[
    ("trim both", "trim"),
    ("trim leading", "ltrim"),
    ("trim trailing", "rtrim"),
    ("<<", "shiftleft"),
    (">>", "shiftright"),
    (">>>", "shiftrightunsigned"),
];

/// Whether the function of this name in lower case is a cast to the type of its name.
pub(crate) fn is_cast(name: &str) -> bool {
    misc::type_called(name).is_some()
}

/// The type of an expression that says it at its top, without a look at what is below: asked at every step, a look down
/// a chain of a thousand operators would be a million looks.
pub(crate) fn result_type(expr: &Expr) -> Option<DataType> {
    match expr {
        Expr::ScalarFunction(call) => arithmetic::result_type(&call.func).or_else(|| cast::result_type(&call.func)),
        Expr::Literal(value, _) => Some(value.data_type()),
        Expr::Cast(cast) => Some(cast.field.data_type().clone()),
        _ => None,
    }
}
