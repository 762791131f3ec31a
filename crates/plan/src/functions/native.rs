//! Functions of our own: one UDF for all of them, told apart by name, so that a plan can name them anywhere.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, StringArray};
use arrow::datatypes::{DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::scalar::Arguments;
use super::{
    array, array_edit, bits, calendar, chance, csv, generator, hash, interval_number, json, map, math, number_text,
    octets, raise, regex, reshape, text, time, time_parts, time_text, vector, words, xml,
};
use crate::error::SparkError;
use crate::types::{timestamp, timestamp_ntz};
use crate::wire;

/// What a function computes.
pub(super) type Kernel = fn(&Args<'_>) -> EngineResult<ArrayRef>;

/// Name, arguments, the letter of the result's type, and what computes it. Functions whose result has a type that
/// depends on the arguments have a space for it, and a name that cannot be called.
pub(super) type Table = &'static [(&'static str, Arguments, char, Kernel)];

const TABLES: [Table; 23] = [
    text::TABLE,
    regex::TABLE,
    math::TABLE,
    time::TABLE,
    time_text::TABLE,
    array::TABLE,
    array_edit::TABLE,
    map::TABLE,
    hash::TABLE,
    generator::TABLE,
    json::TABLE,
    raise::TABLE,
    vector::TABLE,
    octets::TABLE,
    words::TABLE,
    number_text::TABLE,
    time_parts::TABLE,
    csv::TABLE,
    interval_number::TABLE,
    bits::TABLE,
    xml::TABLE,
    chance::TABLE,
    reshape::TABLE,
];

/// The arguments and the result of the function that can be called by this name.
pub(super) fn find(name: &str) -> Option<(&'static str, Arguments, DataType)> {
    let mut functions = TABLES.iter().copied().flatten();
    let (name, arguments, result, _) = functions.find(|(known, ..)| *known == name)?;
    Some((name, arguments, type_of(*result)?))
}

fn type_of(letter: char) -> Option<DataType> {
    Some(match letter {
        's' => DataType::Utf8,
        'y' => DataType::Binary,
        'i' => DataType::Int32,
        'l' => DataType::Int64,
        'd' => DataType::Float64,
        't' => DataType::Date32,
        'z' => timestamp(),
        'n' => timestamp_ntz(),
        'v' => DataType::Null,
        'a' => DataType::new_list(DataType::Utf8, true),
        _ => return None,
    })
}

/// The call of a function of [`TABLES`]. The session's time zone becomes part of the expression.
pub(super) fn native(name: &'static str, result: DataType, time_zone: &str, args: Vec<Expr>) -> Expr {
    let signature = wire::immutable(args.len());
    let function = Native { name: Name(name), result, time_zone: time_zone.to_owned(), signature };
    ScalarUDF::new_from_impl(function).call(args)
}

#[derive(Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Native {
    name: Name,
    #[serde(with = "wire::types")]
    result: DataType,
    time_zone: String,
    #[serde(with = "wire::arity")]
    signature: Signature,
}

/// The name of a function of [`TABLES`].
#[derive(Debug, PartialEq, Eq, Hash, Serialize)]
struct Name(&'static str);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = TABLES.iter().copied().flatten().find(|(known, ..)| *known == name);
        let (known, ..) = known.ok_or_else(|| D::Error::custom(format_args!("no function is called {name}")))?;
        Ok(Self(known))
    }
}

impl ScalarUDFImpl for Native {
    fn name(&self) -> &str {
        self.name.0
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> EngineResult<DataType> {
        Ok(self.result.clone())
    }

    fn preimage(&self, args: &[Expr], value: &Expr, _: &SimplifyContext) -> EngineResult<PreimageResult> {
        match (self.name.0, args) {
            ("trunc", [of, unit]) | ("date_trunc", [unit, of]) => {
                calendar::moments_of_unit(of, unit, value, &self.time_zone)
            }
            _ => Ok(PreimageResult::None),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        let kernel = TABLES.iter().copied().flatten().find(|(name, ..)| *name == self.name.0);
        let Some((.., kernel)) = kernel else {
            return Err(SparkError::internal(format_args!("no function is called {}", self.name.0)).into());
        };
        let constant = args.args.iter().all(|arg| matches!(arg, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { args.number_rows };
        let columns = args.args.into_iter().map(|arg| arg.into_array(rows)).collect::<EngineResult<_>>()?;
        let array = kernel(&Args { columns, rows, result: &self.result, zone: &self.time_zone })?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}

/// The arguments of a call, column by column, and what the result must be.
pub(super) struct Args<'a> {
    pub(super) columns: Vec<ArrayRef>,
    pub(super) rows: usize,
    pub(super) result: &'a DataType,
    /// The session's time zone.
    pub(super) zone: &'a str,
}

/// One value, NULL, or an error; an option where nothing can fail.
pub(super) type Value<T> = EngineResult<Option<T>>;

impl Args<'_> {
    fn present(&self, column: usize, row: usize) -> Option<&ArrayRef> {
        let given =
            |array: &&ArrayRef| row < array.len() && array.is_valid(row) && *array.data_type() != DataType::Null;
        self.columns.get(column).filter(given)
    }

    fn primitive<T: ArrowPrimitiveType>(&self, column: usize, row: usize) -> Option<T::Native> {
        Some(self.present(column, row)?.as_primitive_opt::<T>()?.value(row))
    }

    pub(super) fn text(&self, column: usize, row: usize) -> Option<&str> {
        Some(self.present(column, row)?.as_string_opt::<i32>()?.value(row))
    }

    pub(super) fn bytes(&self, column: usize, row: usize) -> Option<&[u8]> {
        Some(self.present(column, row)?.as_binary_opt::<i32>()?.value(row))
    }

    pub(super) fn boolean(&self, column: usize, row: usize) -> Option<bool> {
        Some(self.present(column, row)?.as_boolean_opt()?.value(row))
    }

    pub(super) fn int(&self, column: usize, row: usize) -> Option<i32> {
        self.primitive::<Int32Type>(column, row)
    }

    pub(super) fn long(&self, column: usize, row: usize) -> Option<i64> {
        self.primitive::<Int64Type>(column, row)
    }

    pub(super) fn double(&self, column: usize, row: usize) -> Option<f64> {
        self.primitive::<Float64Type>(column, row)
    }

    /// Days since the epoch.
    pub(super) fn date(&self, column: usize, row: usize) -> Option<i32> {
        self.primitive::<Date32Type>(column, row)
    }

    /// Microseconds since the epoch.
    pub(super) fn micros(&self, column: usize, row: usize) -> Option<i64> {
        self.primitive::<TimestampMicrosecondType>(column, row)
    }

    /// The result, row by row.
    pub(super) fn numbers<T: ArrowPrimitiveType>(
        &self,
        compute: impl Fn(usize) -> Value<T::Native>,
    ) -> EngineResult<ArrayRef> {
        let array: PrimitiveArray<T> = (0..self.rows).map(compute).collect::<EngineResult<_>>()?;
        Ok(Arc::new(array.with_data_type(self.result.clone())))
    }

    pub(super) fn texts(&self, compute: impl Fn(usize) -> Value<String>) -> EngineResult<ArrayRef> {
        Ok(Arc::new((0..self.rows).map(compute).collect::<EngineResult<StringArray>>()?))
    }
}
