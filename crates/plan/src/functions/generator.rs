//! Functions that make rows: `explode`, `posexplode`, `inline`, `stack`, `json_tuple`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::functions::expr_fn::named_struct;
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::{Expr, lit};

use super::call::{Call, Typed};
use super::json;
use super::native::{Args, Table, native};
use crate::error::{ErrorClass, Result, SparkError};
use crate::types::common_type;

pub(super) const TABLE: Table = &[(POSITIONS, "", ' ', |a| listed(a, true)), (ENTRIES, "", ' ', |a| listed(a, false))];

/// The elements of an array or the entries of a map, each as a struct that begins with its position.
const POSITIONS: &str = "spark.positions";
/// The entries of a map as an array.
const ENTRIES: &str = "spark.entries";

/// Rows as one array for each row of the input.
pub(crate) struct Generated {
    /// The array.
    pub(crate) rows: Expr,
    /// The names of the columns.
    pub(crate) columns: Vec<String>,
    /// Whether an element is a struct of the columns; else it is the column.
    pub(crate) structs: bool,
}

/// Whether the function of this name, in lower case, makes rows.
pub(crate) fn is_generator(name: &str) -> bool {
    matches!(base(name), "explode" | "posexplode" | "inline" | "stack" | "json_tuple")
}

/// Whether the function keeps a row for which it makes none.
pub(crate) fn is_outer(name: &str) -> bool {
    name.ends_with("_outer")
}

fn base(name: &str) -> &str {
    match name.strip_suffix("_outer") {
        Some(base @ ("explode" | "posexplode" | "inline")) => base,
        _ => name,
    }
}

/// What a call of a function that makes rows makes.
pub(crate) fn generate(call: Call<'_>) -> Result<Generated> {
    match base(&call.name) {
        "explode" => explode(call),
        "posexplode" => posexplode(call),
        "inline" => inline(call),
        "stack" => stack(call),
        "json_tuple" => json_tuple(call),
        _ => Err(SparkError::internal("no function that makes rows")),
    }
}

fn list_of(fields: Fields) -> DataType {
    DataType::new_list(DataType::Struct(fields), true)
}

fn entry_fields(call: &Call<'_>, map: &DataType) -> Result<Fields> {
    match map {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => Ok(fields.clone()),
            _ => Err(SparkError::internal("a map without entries")),
        },
        other => Err(call.wrong_type(0, "ARRAY\" or \"MAP", other)),
    }
}

/// The entries of a map as an array of structs.
pub(super) fn entries(call: &Call<'_>, map: Typed) -> Result<Expr> {
    let result = list_of(entry_fields(call, &map.data_type)?);
    Ok(native(ENTRIES, result, "", vec![map.expr]))
}

fn named(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn explode(mut call: Call<'_>) -> Result<Generated> {
    let [value] = call.exactly()?;
    if matches!(value.data_type, DataType::List(_)) {
        return Ok(Generated { rows: value.expr, columns: named(&["col"]), structs: false });
    }
    let result = list_of(entry_fields(&call, &value.data_type)?);
    let rows = native(ENTRIES, result, "", vec![value.expr]);
    Ok(Generated { rows, columns: named(&["key", "value"]), structs: true })
}

fn posexplode(mut call: Call<'_>) -> Result<Generated> {
    let [value] = call.exactly()?;
    let position: FieldRef = Arc::new(Field::new("pos", DataType::Int32, true));
    let (fields, columns) = match &value.data_type {
        DataType::List(item) => {
            (vec![Arc::new(Field::new("col", item.data_type().clone(), true))], named(&["pos", "col"]))
        }
        map => {
            let nullable = |field: &FieldRef| Arc::new(field.as_ref().clone().with_nullable(true));
            (entry_fields(&call, map)?.iter().map(nullable).collect(), named(&["pos", "key", "value"]))
        }
    };
    let result = list_of([position].into_iter().chain(fields).collect());
    Ok(Generated { rows: native(POSITIONS, result, "", vec![value.expr]), columns, structs: true })
}

fn inline(mut call: Call<'_>) -> Result<Generated> {
    let [value] = call.exactly()?;
    let columns = match &value.data_type {
        DataType::List(item) => match item.data_type() {
            DataType::Struct(fields) => Some(fields.iter().map(|field| field.name().clone()).collect()),
            _ => None,
        },
        _ => None,
    };
    match columns {
        Some(columns) => Ok(Generated { rows: value.expr, columns, structs: true }),
        None => Err(call.wrong_type(0, "ARRAY<STRUCT>", &value.data_type)),
    }
}

/// `stack(2, a, b, c, d)`: the values in so many rows, NULLs at the end where they do not fill them.
fn stack(mut call: Call<'_>) -> Result<Generated> {
    let mut args = std::mem::take(&mut call.args).into_iter();
    let count = args.next().ok_or_else(|| call.wrong_count("> 1", 0))?;
    let rows = match &count.expr {
        Expr::Literal(ScalarValue::Int32(Some(rows)), _) => usize::try_from(*rows).ok().filter(|rows| *rows > 0),
        _ => return Err(call.wrong_type(0, "INT", &count.data_type)),
    };
    let rows = rows.ok_or_else(|| {
        let message = "The number of rows of `stack` must be positive.";
        SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "42K09", message)
    })?;
    let values: Vec<_> = args.collect();
    if values.is_empty() {
        return Err(call.wrong_count("> 1", 1));
    }
    let width = values.len().div_ceil(rows);
    let null = Typed { expr: Expr::Literal(ScalarValue::Null, None), data_type: DataType::Null };
    let mut structs = vec![vec![]; rows];
    for column in 0..width {
        let place = |row: usize| values.get(row * width + column).cloned().unwrap_or_else(|| null.clone());
        let cells: Vec<_> = (0..rows).map(place).collect();
        let mut to = DataType::Null;
        for cell in &cells {
            to = common_type(&to, &cell.data_type).ok_or_else(|| call.different_types(&cells))?;
        }
        for (row, cell) in cells.into_iter().enumerate() {
            structs[row].extend([lit(format!("col{column}")), call.cast(cell, &to)?]);
        }
    }
    let columns = (0..width).map(|column| format!("col{column}")).collect();
    Ok(Generated { rows: make_array(structs.into_iter().map(named_struct).collect()), columns, structs: true })
}

/// `json_tuple(json, 'a', 'b')`: one row of what stands under these keys, as text.
fn json_tuple(mut call: Call<'_>) -> Result<Generated> {
    let mut args = std::mem::take(&mut call.args).into_iter().enumerate();
    let Some((_, text)) = args.next() else { return Err(call.wrong_count("> 1", 0)) };
    let text = call.cast(text, &DataType::Utf8)?;
    let mut cells = vec![];
    for (position, key) in args {
        let field = native(json::FIELD, DataType::Utf8, "", vec![text.clone(), call.cast(key, &DataType::Utf8)?]);
        cells.extend([lit(format!("c{}", position - 1)), field]);
    }
    if cells.is_empty() {
        return Err(call.wrong_count("> 1", 1));
    }
    let columns = (0..cells.len() / 2).map(|column| format!("c{column}")).collect();
    Ok(Generated { rows: make_array(vec![named_struct(cells)]), columns, structs: true })
}

/// Arrays and maps as arrays of structs; no element moves.
fn listed(args: &Args<'_>, with_positions: bool) -> EngineResult<ArrayRef> {
    let wrong = || SparkError::internal("rows are an array of structs");
    let DataType::List(item) = args.result else { return Err(wrong().into()) };
    let DataType::Struct(fields) = item.data_type() else { return Err(wrong().into()) };
    let array = &args.columns[0];
    let (offsets, nulls, values) = match array.data_type() {
        DataType::Map(..) => {
            let map = array.as_map();
            (map.offsets(), map.nulls(), map.entries().columns().to_vec())
        }
        _ => {
            let list = array.as_list::<i32>();
            (list.offsets(), list.nulls(), vec![Arc::clone(list.values())])
        }
    };
    let mut columns = values;
    if with_positions {
        let count = columns.first().map_or(0, |column| column.len());
        let mut positions = vec![0_i32; count];
        for bounds in offsets.windows(2) {
            for (position, place) in (0..).zip(bounds[0]..bounds[1]) {
                positions[place as usize] = position;
            }
        }
        columns.insert(0, Arc::new(Int32Array::from(positions)));
    }
    let structs = StructArray::try_new(fields.clone(), columns, None)?;
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets.clone(), Arc::new(structs), nulls.cloned())?))
}
