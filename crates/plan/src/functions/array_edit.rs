//! Arrays made of others: elements put in, left out, put side by side.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, StructArray, UInt64Array, new_null_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{interleave, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::ScalarValue;
use datafusion::error::Result as EngineResult;
use datafusion::functions_nested::expr_fn as nested;
use datafusion::logical_expr::{Expr, not, when};

use super::call::{Call, Outcome, Typed};
use super::container::{array_and_item, array_and_known_item, two_arrays};
use super::generator::entries;
use super::map::{OF_ENTRIES, check_keys, map_type};
use super::native::{Args, Table, native};
use crate::error::{ErrorClass, Result, SparkError};
use crate::types::common_type;

pub(super) const TABLE: Table = &[
    (COMPACT, "", ' ', |a| {
        let lists = a.columns[0].as_list::<i32>();
        edited(a, |row| {
            let places = places(lists, row);
            Ok(Some(places.into_iter().filter(|(_, at)| lists.values().is_valid(*at)).collect()))
        })
    }),
    (APPEND, "", ' ', |a| edited(a, |row| Ok(Some([places(a.columns[0].as_list(), row), vec![(ITEM, row)]].concat())))),
    (PREPEND, "", ' ', |a| {
        edited(a, |row| Ok(Some([vec![(ITEM, row)], places(a.columns[0].as_list(), row)].concat())))
    }),
    (INSERT, "", ' ', insert),
    (SLICE, "", ' ', slice),
    (FLATTEN, "", ' ', flatten),
    (HAS_GAP, "", ' ', |a| {
        let lists = [a.columns[0].as_list::<i32>(), a.columns[1].as_list::<i32>()];
        let row = |row| {
            let [left, right] = lists.map(|list| list.value(row));
            left.logical_null_count().max(right.logical_null_count()) > 0 && !left.is_empty() && !right.is_empty()
        };
        Ok(Arc::new(
            (0..a.rows).map(|at| Some(lists.iter().all(|list| list.is_valid(at)) && row(at))).collect::<BooleanArray>(),
        ))
    }),
    (ZIP, "", ' ', zip),
    (CONCAT, "", ' ', concat),
];

const COMPACT: &str = "spark.array_compact";
const APPEND: &str = "spark.array_append";
const PREPEND: &str = "spark.array_prepend";
const INSERT: &str = "spark.array_insert";
const SLICE: &str = "spark.slice";
const FLATTEN: &str = "spark.flatten";
const HAS_GAP: &str = "spark.arrays_have_null";
const ZIP: &str = "spark.arrays_zip";
const CONCAT: &str = "spark.map_concat";

/// Where an element comes from: the values of the array, the item, or nowhere; and the position there.
type Place = (usize, usize);
const ITEM: usize = 1;
const NOTHING: Place = (2, 0);

/// A function of arrays of this name, if there is one.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let expr = match call.name.as_str() {
        "array_compact" => {
            let [array] = call.exactly()?;
            match &array.data_type {
                DataType::List(_) => native(COMPACT, array.data_type.clone(), "", vec![array.expr]),
                other => return Err(call.wrong_type(0, "ARRAY", other)),
            }
        }
        "array_append" => with_item(call, APPEND, None)?,
        "array_prepend" => with_item(call, PREPEND, None)?,
        "array_insert" => {
            if call.args.len() != 3 {
                return Err(call.wrong_count("3", call.args.len()));
            }
            let position = call.args.remove(1);
            let position = call.cast(position, &DataType::Int32)?;
            with_item(call, INSERT, Some(position))?
        }
        "slice" => {
            let [array, start, length] = call.exactly()?;
            let DataType::List(_) = &array.data_type else {
                return Err(call.wrong_type(0, "ARRAY", &array.data_type));
            };
            let of = array.data_type.clone();
            let bounds = [call.cast(start, &DataType::Int32)?, call.cast(length, &DataType::Int32)?];
            native(SLICE, of, "", [vec![array.expr], bounds.to_vec()].concat())
        }
        "flatten" => {
            let [array] = call.exactly()?;
            match &array.data_type {
                DataType::List(inner) if matches!(inner.data_type(), DataType::List(_)) => {
                    native(FLATTEN, inner.data_type().clone(), "", vec![array.expr])
                }
                other => return Err(call.wrong_type(0, "ARRAY<ARRAY>", other)),
            }
        }
        "arrays_overlap" => {
            let (left, right) = two_arrays(call)?;
            let unknown = native(HAS_GAP, DataType::Boolean, "", vec![left.clone(), right.clone()]);
            let shared = nested::array_has_any(left, right);
            let null = Expr::Literal(ScalarValue::Boolean(None), None);
            when(unknown.and(not(shared.clone())), null).otherwise(shared)?
        }
        "arrays_zip" => arrays_zip(call)?,
        "map_entries" => {
            let [map] = call.exactly()?;
            entries(&call, map)?
        }
        "map_contains_key" => {
            let [map, key] = call.exactly()?;
            let Some((of_keys, _)) = super::higher_order::map_types(&map.data_type) else {
                return Err(call.wrong_type(0, "MAP", &map.data_type));
            };
            let keys =
                Typed { expr: nested::map_keys(map.expr), data_type: DataType::new_list(of_keys.clone(), false) };
            call.args = vec![keys, key];
            let (keys, key) = array_and_known_item(&mut call)?;
            datafusion_spark::function::array::spark_array_contains().call(vec![keys, key])
        }
        "map_concat" => map_concat(call)?,
        "map_from_entries" => {
            let [entries] = call.exactly()?;
            let of = match &entries.data_type {
                DataType::List(item) => match item.data_type() {
                    DataType::Struct(fields) if fields.len() == 2 => {
                        Some(map_type(fields[0].data_type().clone(), fields[1].data_type().clone()))
                    }
                    _ => None,
                },
                _ => None,
            };
            let of = of.ok_or_else(|| call.wrong_type(0, "ARRAY<STRUCT>", &entries.data_type))?;
            native(OF_ENTRIES, of, "", vec![entries.expr])
        }
        _ => return Ok(Err(call)),
    };
    Ok(Ok(expr))
}

fn with_item(mut call: Call<'_>, function: &'static str, position: Option<Expr>) -> Result<Expr> {
    let item = call.args.get(1).map(|item| item.data_type.clone()).unwrap_or(DataType::Null);
    let of = match call.args.first().map(|array| &array.data_type) {
        Some(DataType::List(field)) => common_type(field.data_type(), &item).unwrap_or(DataType::Null),
        _ => DataType::Null,
    };
    let (array, item) = array_and_item(&mut call)?;
    let result = DataType::new_list(of, true);
    Ok(native(function, result, "", [array, item].into_iter().chain(position).collect()))
}

fn arrays_zip(mut call: Call<'_>) -> Result<Expr> {
    let args = std::mem::take(&mut call.args);
    let names = std::mem::take(&mut call.arg_names);
    let mut fields = vec![];
    for (position, arg) in args.iter().enumerate() {
        let DataType::List(item) = &arg.data_type else {
            return Err(call.wrong_type(position, "ARRAY", &arg.data_type));
        };
        let name = names.get(position).cloned().flatten().unwrap_or_else(|| position.to_string());
        fields.push(Field::new(name, item.data_type().clone(), true));
    }
    let result = DataType::new_list(DataType::Struct(fields.into()), true);
    Ok(native(ZIP, result, "", args.into_iter().map(|arg| arg.expr).collect()))
}

fn map_concat(mut call: Call<'_>) -> Result<Expr> {
    let args = std::mem::take(&mut call.args);
    for (position, arg) in args.iter().enumerate() {
        if !matches!(arg.data_type, DataType::Map(..)) {
            return Err(call.wrong_type(position, "MAP", &arg.data_type));
        }
    }
    // An empty map of no types adds nothing to others.
    let is_known =
        |arg: &Typed| super::higher_order::map_types(&arg.data_type).is_some_and(|(key, _)| *key != DataType::Null);
    let args = if args.iter().any(is_known) { args.into_iter().filter(is_known).collect() } else { args };
    if args.is_empty() {
        return Ok(native(super::map::MAP, map_type(DataType::Null, DataType::Null), "", vec![]));
    }
    let (args, of) = call.common(args)?;
    Ok(native(CONCAT, of, "", args))
}

/// The elements of the array in a row.
fn places(lists: &ListArray, row: usize) -> Vec<Place> {
    let offsets = lists.value_offsets();
    (offsets[row] as usize..offsets[row + 1] as usize).map(|at| (0, at)).collect()
}

/// Arrays of the elements of the first argument and of the second one; NULL where the first one is.
fn edited(args: &Args<'_>, row: impl Fn(usize) -> EngineResult<Option<Vec<Place>>>) -> EngineResult<ArrayRef> {
    let DataType::List(item) = args.result else {
        return Err(SparkError::internal("an array has the type of one").into());
    };
    let lists = args.columns[0].as_list::<i32>();
    let rows = (0..args.rows).map(|at| if lists.is_valid(at) { row(at) } else { Ok(None) });
    let rows = rows.collect::<EngineResult<Vec<_>>>()?;
    let nothing = new_null_array(item.data_type(), 1);
    let given = args.columns.get(ITEM).filter(|given| given.data_type() == item.data_type()).unwrap_or(&nothing);
    let sources: [&dyn Array; 3] = [lists.values().as_ref(), given.as_ref(), nothing.as_ref()];
    let places: Vec<_> = rows.iter().flatten().flatten().copied().collect();
    let values = if places.is_empty() { lists.values().slice(0, 0) } else { interleave(&sources, &places)? };
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|row| row.as_ref().map_or(0, Vec::len)));
    let nulls: NullBuffer = rows.iter().map(Option::is_some).collect();
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, Some(nulls))?))
}

/// `slice(array, start, length)`, counted from one or from the end.
fn slice(args: &Args<'_>) -> EngineResult<ArrayRef> {
    edited(args, |row| {
        let Some((start, length)) = args.int(1, row).zip(args.int(2, row)) else { return Ok(None) };
        let outside = |parameter: &str, expects: &str| {
            let message = format!("The value of parameter `{parameter}` in `slice` is invalid: {expects}.");
            let condition = format!("INVALID_PARAMETER_VALUE.{parameter}");
            SparkError::new(ErrorClass::Runtime, &condition, "22023", message).with("functionName", "`slice`")
        };
        if start == 0 {
            return Err(outside("START", "Expects a positive or a negative value, not 0").into());
        }
        let length = usize::try_from(length).map_err(|_| outside("LENGTH", "Expects a value that is not negative"))?;
        let elements = places(args.columns[0].as_list(), row);
        let distance = start.unsigned_abs() as usize;
        let skipped = if start > 0 { Some(distance - 1) } else { elements.len().checked_sub(distance) };
        Ok(Some(skipped.map(|skipped| elements.into_iter().skip(skipped).take(length).collect()).unwrap_or_default()))
    })
}

/// The elements of the inner arrays; NULL where one of these is.
fn flatten(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let outer = args.columns[0].as_list::<i32>();
    let inner = outer.values().as_list::<i32>();
    let rows = (0..args.rows).map(|row| {
        let arrays = outer.is_valid(row).then(|| places(outer, row))?;
        let whole = arrays.iter().all(|(_, at)| inner.is_valid(*at));
        whole.then(|| arrays.into_iter().flat_map(|(_, at)| places(inner, at)).map(|(_, at)| at as u64).collect())
    });
    let rows: Vec<Option<Vec<u64>>> = rows.collect();
    let DataType::List(item) = args.result else {
        return Err(SparkError::internal("an array has the type of one").into());
    };
    let values = take(inner.values(), &UInt64Array::from_iter_values(rows.iter().flatten().flatten().copied()), None)?;
    let offsets = OffsetBuffer::from_lengths(rows.iter().map(|row| row.as_ref().map_or(0, Vec::len)));
    let nulls: NullBuffer = rows.iter().map(Option::is_some).collect();
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, Some(nulls))?))
}

/// `array_insert(array, position, item)`, counted from one or from the end; what lies between is NULL.
fn insert(args: &Args<'_>) -> EngineResult<ArrayRef> {
    edited(args, |row| {
        let mut elements = places(args.columns[0].as_list(), row);
        let Some(position) = args.int(2, row) else { return Ok(None) };
        let distance = position.unsigned_abs() as usize;
        let item = (ITEM, row);
        match position {
            0 => {
                let message =
                    "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element has index 1).";
                return Err(SparkError::new(ErrorClass::Runtime, "INVALID_INDEX_OF_ZERO", "22003", message).into());
            }
            1.. => {
                elements.resize(elements.len().max(distance - 1), NOTHING);
                elements.insert(distance - 1, item);
            }
            _ if distance <= elements.len() + 1 => elements.insert(elements.len() + 1 - distance, item),
            _ => {
                let gap = vec![NOTHING; distance - elements.len() - 1];
                elements = [vec![item], gap, elements].concat();
            }
        }
        Ok(Some(elements))
    })
}

/// Arrays side by side as one of structs; the shorter ones end in NULL.
fn zip(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let DataType::List(item) = args.result else {
        return Err(SparkError::internal("an array has the type of one").into());
    };
    let DataType::Struct(fields) = item.data_type() else {
        return Err(SparkError::internal("zipped arrays are structs").into());
    };
    let lists: Vec<_> = args.columns.iter().map(|column| column.as_list::<i32>()).collect();
    let present: Vec<_> = (0..args.rows).map(|row| lists.iter().all(|list| list.is_valid(row))).collect();
    let length = |row: usize| match present[row] {
        true => lists.iter().map(|list| list.value_length(row) as usize).max().unwrap_or(0),
        false => 0,
    };
    let lengths: Vec<_> = (0..args.rows).map(length).collect();
    let columns = lists.iter().zip(fields).map(|(list, field)| {
        let nothing = new_null_array(field.data_type(), 1);
        let places = lengths.iter().enumerate().flat_map(|(row, length)| {
            let own = places(list, row);
            (0..*length).map(move |at| own.get(at).copied().unwrap_or((1, 0)))
        });
        let places: Vec<_> = places.collect();
        let sources: [&dyn Array; 2] = [list.values().as_ref(), nothing.as_ref()];
        Ok(if places.is_empty() { nothing.slice(0, 0) } else { interleave(&sources, &places)? })
    });
    let columns = columns.collect::<EngineResult<Vec<_>>>()?;
    let structs = match columns.is_empty() {
        true => StructArray::new_empty_fields(0, None),
        false => StructArray::try_new(fields.clone(), columns, None)?,
    };
    let nulls = NullBuffer::from(present);
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, Arc::new(structs), Some(nulls))?))
}

/// The entries of several maps as one.
fn concat(args: &Args<'_>) -> EngineResult<ArrayRef> {
    let DataType::Map(entries, _) = args.result else {
        return Err(SparkError::internal("a map has the type of one").into());
    };
    let maps: Vec<_> = args.columns.iter().map(|column| column.as_map()).collect();
    let present: Vec<_> = (0..args.rows).map(|row| maps.iter().all(|map| map.is_valid(row))).collect();
    let rows = (0..args.rows).map(|row| {
        let places = maps.iter().enumerate().flat_map(|(source, map)| {
            let offsets = map.value_offsets();
            (offsets[row] as usize..offsets[row + 1] as usize).map(move |at| (source, at))
        });
        if present[row] { places.collect() } else { vec![] }
    });
    let rows: Vec<Vec<Place>> = rows.collect();
    let places = rows.concat();
    let column = |of: fn(&MapArray) -> &ArrayRef, field: &FieldRef| -> EngineResult<ArrayRef> {
        let sources: Vec<_> = maps.iter().map(|map| of(map).as_ref()).collect();
        Ok(if places.is_empty() { new_null_array(field.data_type(), 0) } else { interleave(&sources, &places)? })
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(SparkError::internal("a map has entries").into());
    };
    let (keys, values) = (column(MapArray::keys, &fields[0])?, column(MapArray::values, &fields[1])?);
    let offsets = OffsetBuffer::<i32>::from_lengths(rows.iter().map(Vec::len));
    for bounds in offsets.windows(2) {
        check_keys(&keys, bounds[0] as usize..bounds[1] as usize)?;
    }
    let structs = StructArray::try_new(Fields::clone(fields), vec![keys, values], None)?;
    let nulls = NullBuffer::from(present);
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, structs, Some(nulls), false)?))
}
