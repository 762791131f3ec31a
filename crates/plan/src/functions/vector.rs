//! Vectors: arrays of floats with a length, a direction and angles.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Builder, ListBuilder};
use arrow::datatypes::{DataType, Float32Type};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::lit;

use super::call::{Call, Outcome, Typed};
use super::native::{Args, Table, native};
use crate::error::{ErrorClass, SparkError};

pub(super) const TABLE: Table = &[
    (INNER_PRODUCT, "", ' ', |a| {
        pairs(a, INNER_PRODUCT, |left, right| Some(sum(left.iter().zip(right).map(|(l, r)| l * r))))
    }),
    (COSINE, "", ' ', |a| {
        pairs(a, COSINE, |left, right| {
            let squared = |vector: &[f64]| sum(vector.iter().map(|value| value * value)) as f32;
            let lengths = (squared(left) * squared(right)).sqrt();
            (lengths != 0.0).then(|| f64::from(sum(left.iter().zip(right).map(|(l, r)| l * r)) as f32 / lengths))
        })
    }),
    (DISTANCE, "", ' ', |a| {
        pairs(a, DISTANCE, |left, right| Some(sum(left.iter().zip(right).map(|(l, r)| (l - r) * (l - r))).sqrt()))
    }),
    (NORM, "", ' ', |a| {
        a.numbers::<Float32Type>(|row| {
            let Some((vector, degree)) = vector(a, 0, row).zip(degree(a, row)) else { return Ok(None) };
            Ok(Some(norm(&vector, checked(degree)?) as f32))
        })
    }),
    (NORMALIZE, "", ' ', normalize),
];

const INNER_PRODUCT: &str = "spark.vector_inner_product";
const COSINE: &str = "spark.vector_cosine_similarity";
const DISTANCE: &str = "spark.vector_l2_distance";
const NORM: &str = "spark.vector_norm";
const NORMALIZE: &str = "spark.vector_normalize";

/// A function of vectors of this name, if there is one.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let functions = [INNER_PRODUCT, COSINE, DISTANCE, NORM, NORMALIZE];
    let Some(function) =
        functions.into_iter().find(|function| function.strip_prefix("spark.") == Some(call.name.as_str()))
    else {
        return Ok(Err(call));
    };
    let of_one = matches!(function, NORM | NORMALIZE);
    if of_one && call.args.len() == 1 {
        call.args.push(Typed { expr: lit(2.0_f32), data_type: DataType::Float32 });
    }
    let args = call.exactly::<2>()?;
    let floats = DataType::new_list(DataType::Float32, true);
    let mut exprs = vec![];
    for (position, arg) in args.into_iter().enumerate() {
        let to = if of_one && position == 1 { DataType::Float32 } else { floats.clone() };
        let is_vector = |data_type: &DataType| match data_type {
            DataType::List(item) => *item.data_type() == DataType::Float32,
            other => *other == DataType::Null,
        };
        if to == floats && !is_vector(&arg.data_type) {
            return Err(call.wrong_type(position, "ARRAY<FLOAT>", &arg.data_type));
        }
        exprs.push(call.cast(arg, &to)?);
    }
    let result = if function == NORMALIZE { floats } else { DataType::Float32 };
    Ok(Ok(native(function, result, "", exprs)))
}

/// The elements; none for NULL, and where one of them is NULL.
fn vector(args: &Args<'_>, column: usize, row: usize) -> Option<Vec<f64>> {
    let list = args.columns[column].as_list_opt::<i32>().filter(|lists| lists.is_valid(row))?.value(row);
    let floats = list.as_primitive::<Float32Type>();
    (floats.null_count() == 0).then(|| floats.values().iter().map(|value| f64::from(*value)).collect())
}

fn degree(args: &Args<'_>, row: usize) -> Option<f32> {
    let degrees = args.columns[1].as_primitive::<Float32Type>();
    degrees.is_valid(row).then(|| degrees.value(row))
}

fn checked(degree: f32) -> EngineResult<f32> {
    if [1.0, 2.0, f32::INFINITY].contains(&degree) {
        return Ok(degree);
    }
    let message = format!("The degree of a norm is 1.0, 2.0 or infinity, not {degree}.");
    Err(SparkError::new(ErrorClass::Runtime, "INVALID_VECTOR_NORM_DEGREE", "22023", message)
        .with("degree", degree.to_string())
        .into())
}

fn sum(values: impl Iterator<Item = f64>) -> f64 {
    values.sum()
}

fn norm(vector: &[f64], degree: f32) -> f64 {
    match degree {
        1.0 => sum(vector.iter().map(|value| value.abs())),
        2.0 => sum(vector.iter().map(|value| value * value)).sqrt(),
        _ => vector.iter().fold(0.0, |most, value| value.abs().max(most)),
    }
}

fn pairs(args: &Args<'_>, function: &str, compute: fn(&[f64], &[f64]) -> Option<f64>) -> EngineResult<ArrayRef> {
    args.numbers::<Float32Type>(|row| {
        let Some((left, right)) = vector(args, 0, row).zip(vector(args, 1, row)) else { return Ok(None) };
        if left.len() != right.len() {
            return Err(different_lengths(function.trim_start_matches("spark."), left.len(), right.len()).into());
        }
        Ok(compute(&left, &right).map(|value| value as f32))
    })
}

fn normalize(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let mut lists = ListBuilder::new(Float32Builder::new());
    for row in 0..args.rows {
        let Some((vector, degree)) = vector(args, 0, row).zip(degree(args, row)) else {
            lists.append_null();
            continue;
        };
        let length = norm(&vector, checked(degree)?);
        match length {
            0.0 => lists.append_null(),
            length => lists.append_value(vector.iter().map(|value| Some((value / length) as f32))),
        }
    }
    Ok(Arc::new(lists.finish()))
}

/// The error for vectors that have not as many elements as each other.
pub(super) fn different_lengths(function: &str, left: usize, right: usize) -> SparkError {
    let message = format!("Vectors passed to `{function}` have the same length; these have {left} and {right}.");
    SparkError::new(ErrorClass::Runtime, "VECTOR_DIMENSION_MISMATCH", "22000", message)
        .with("functionName", format!("`{function}`"))
        .with("leftDim", left.to_string())
        .with("rightDim", right.to_string())
}
