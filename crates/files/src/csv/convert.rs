//! Values of CSV files as values of types.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, StringArray};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use sheetbend_plan::error::Result;

use super::options::CsvOptions;

/// Whether a column of a type may stand in a CSV file.
pub(crate) fn is_supported(data_type: &DataType) -> bool {
    use DataType::{
        Binary, Boolean, Date32, Decimal128, Duration, Float32, Float64, Int8, Int16, Int32, Int64, Interval, Time64,
        Timestamp, Utf8,
    };
    matches!(
        data_type,
        Boolean
            | Int8
            | Int16
            | Int32
            | Int64
            | Float32
            | Float64
            | Decimal128(..)
            | Utf8
            | Binary
            | Date32
            | Timestamp(..)
            | Duration(_)
            | Interval(_)
            | Time64(_)
    )
}

/// Texts as values of a type; NULL for those that say none.
///
/// # Errors
/// A type that text is never of.
pub(super) fn column(texts: &StringArray, to: &DataType, options: &CsvOptions) -> Result<ArrayRef> {
    Ok(match to {
        DataType::Int8 => numbers::<Int8Type>(texts, to, |text| text.parse().ok()),
        DataType::Int16 => numbers::<Int16Type>(texts, to, |text| text.parse().ok()),
        DataType::Int32 => numbers::<Int32Type>(texts, to, |text| text.parse().ok()),
        DataType::Int64 => numbers::<Int64Type>(texts, to, |text| text.parse().ok()),
        DataType::Float32 => numbers::<Float32Type>(texts, to, |text| double(text, options).map(|value| value as f32)),
        DataType::Float64 => numbers::<Float64Type>(texts, to, |text| double(text, options)),
        DataType::Date32 => numbers::<Date32Type>(texts, to, |text| options.times.date(text)),
        DataType::Timestamp(_, Some(_)) => {
            numbers::<TimestampMicrosecondType>(texts, to, |text| options.times.timestamp(text))
        }
        DataType::Timestamp(_, None) => {
            numbers::<TimestampMicrosecondType>(texts, to, |text| options.times.timestamp_ntz(text))
        }
        DataType::Boolean => {
            let flag = |text: &str| match text {
                _ if text.eq_ignore_ascii_case("true") => Some(true),
                _ if text.eq_ignore_ascii_case("false") => Some(false),
                _ => None,
            };
            Arc::new(texts.iter().map(|text| text.and_then(flag)).collect::<BooleanArray>())
        }
        DataType::Utf8 => Arc::new(texts.clone()),
        DataType::Decimal128(..) => {
            let plain: StringArray = texts.iter().map(|text| text.map(|text| text.replace(',', ""))).collect();
            options.times.reader.values(&plain, to)?
        }
        other => options.times.reader.values(texts, other)?,
    })
}

fn numbers<T: ArrowPrimitiveType>(
    texts: &StringArray,
    to: &DataType,
    parse: impl Fn(&str) -> Option<T::Native>,
) -> ArrayRef {
    let values: PrimitiveArray<T> = texts.iter().map(|text| text.and_then(&parse)).collect();
    Arc::new(values.with_data_type(to.clone()))
}

/// A number with a point, an exponent, or one of the names for what is none.
pub(super) fn double(text: &str, options: &CsvOptions) -> Option<f64> {
    match text {
        _ if text == options.nan => Some(f64::NAN),
        _ if text == options.positive_infinity => Some(f64::INFINITY),
        _ if text == options.negative_infinity => Some(f64::NEG_INFINITY),
        _ => {
            let text = text.trim();
            let is_java = text.contains(|c: char| c.is_ascii_digit()) || text.contains("Infinity") || text == "NaN";
            is_java.then(|| options.times.reader.parse_double(text)).flatten()
        }
    }
}
