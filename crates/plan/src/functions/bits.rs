//! Single bits of whole numbers.

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Int8Type};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::lit;

use super::call::{Call, Outcome};
use super::native::{Args, Table, native};
use crate::error::{ErrorClass, SparkError};
use crate::types::is_integral;

pub(super) const TABLE: Table = &[(BIT, "", ' ', bit)];

const BIT: &str = "spark.bit_get";

/// `bit_get(number, position)`, if it is that.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    if !matches!(call.name.as_str(), "bit_get" | "getbit") {
        return Ok(Err(call));
    }
    let [number, position] = call.exactly()?;
    let width = match &number.data_type {
        DataType::Int8 => 8,
        DataType::Int16 => 16,
        DataType::Int32 => 32,
        integral if is_integral(integral) || *integral == DataType::Null => 64,
        other => return Err(call.wrong_type(0, "INTEGRAL", other)),
    };
    let number = call.cast(number, &DataType::Int64)?;
    let position = call.cast(position, &DataType::Int32)?;
    Ok(Ok(native(BIT, DataType::Int8, "", vec![number, position, lit(width)])))
}

/// Zero or one: the bit at a position from the right in a number of a width.
fn bit(args: &Args<'_>) -> EngineResult<ArrayRef> {
    args.numbers::<Int8Type>(|row| {
        let (Some((number, position)), Some(width)) = (args.long(0, row).zip(args.int(1, row)), args.int(2, row))
        else {
            return Ok(None);
        };
        if !(0..width).contains(&position) {
            let message = format!("The position of a bit is between 0 and {width}, not {position}.");
            let condition = "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE";
            return Err(SparkError::new(ErrorClass::IllegalArgument, condition, "22023", message)
                .with("functionName", "`bit_get`")
                .with("lower", "0")
                .with("upper", width.to_string())
                .with("invalidValue", position.to_string())
                .into());
        }
        Ok(Some((number >> position & 1) as i8))
    })
}
