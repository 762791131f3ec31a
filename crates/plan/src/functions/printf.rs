//! `format_string`: floating-point numbers are rounded as Java does, from the digits that they show.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{Expr, lit};

use super::call::{Call, Typed};
use super::math::Rounding;
use super::native::native;
use crate::error::Result;
use crate::types::is_string;

/// A call of `format_string` or `printf`.
pub(super) fn resolve(mut call: Call<'_>) -> Result<Expr> {
    let mut args = std::mem::take(&mut call.args).into_iter();
    let Some(format) = args.next() else { return Err(call.wrong_count("> 0", 0)) };
    if !is_string(&format.data_type) && format.data_type != DataType::Null {
        return Err(call.wrong_type(0, "STRING", &format.data_type));
    }
    let mut args: Vec<_> = args.collect();
    if let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = &format.expr {
        for (position, digits) in fixed(text) {
            if let Some(Typed { expr, data_type: of @ (DataType::Float32 | DataType::Float64) }) =
                args.get_mut(position)
            {
                let value = std::mem::take(expr);
                *expr = native(Rounding::HalfUp.function(), of.clone(), "", vec![value, lit(digits)]);
            }
        }
    }
    let args = [format].into_iter().chain(args).map(|arg| arg.expr).collect();
    Ok(datafusion_spark::function::string::format_string().call(args))
}

/// The arguments that are written as `%.2f`, each with the number of its digits.
fn fixed(format: &str) -> Vec<(usize, i32)> {
    let mut found = vec![];
    let (mut next, mut rest) = (0, format);
    while let Some((_, spec)) = rest.split_once('%') {
        let Some(end) = spec.find(|c: char| c.is_ascii_alphabetic() || c == '%') else { break };
        let (flags, kind) = (&spec[..end], &spec[end..=end]);
        rest = &spec[end + 1..];
        if matches!(kind, "%" | "n") {
            continue;
        }
        let position = match flags.split_once('$') {
            Some((number, _)) => number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)),
            None => {
                next += 1;
                Some(next - 1)
            }
        };
        let digits = flags.split_once('.').map_or(Ok(6), |(_, digits)| digits.parse());
        if let (Some(position), "f", Ok(digits)) = (position, kind, digits) {
            found.push((position, digits));
        }
    }
    found
}
