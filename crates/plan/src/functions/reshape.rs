//! Containers with the members of another type, which are found by name.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, new_null_array};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::Expr;

use super::native::{Args, Table, native};
use crate::error::SparkError;

pub(super) const TABLE: Table = &[(RESHAPE, "", ' ', kernel)];

const RESHAPE: &str = "spark.reshape";

/// A value with the members that structs of type `to` have, in their order and of the types that they have now, and
/// its type. Members that are not there are NULL.
pub(crate) fn reshape(
    expr: Expr,
    from: &DataType,
    to: &DataType,
    same: &dyn Fn(&str, &str) -> bool,
) -> (Expr, DataType) {
    let shape = shape_of(from, to, same);
    if shape == *from {
        return (expr, shape);
    }
    (native(RESHAPE, shape.clone(), "", vec![expr]), shape)
}

fn shape_of(from: &DataType, to: &DataType, same: &dyn Fn(&str, &str) -> bool) -> DataType {
    let field = |from: &FieldRef, to: &FieldRef| -> FieldRef {
        let data_type = shape_of(from.data_type(), to.data_type(), same);
        Arc::new(Field::new(from.name(), data_type, from.is_nullable()))
    };
    match (from, to) {
        (DataType::List(from), DataType::List(to)) => DataType::List(field(from, to)),
        (DataType::Map(from, sorted), DataType::Map(to, _)) => DataType::Map(field(from, to), *sorted),
        (DataType::Struct(from), DataType::Struct(to)) => {
            let members = to.iter().map(|wanted| match from.iter().find(|field| same(field.name(), wanted.name())) {
                Some(found) => field(found, wanted),
                None => Arc::new(wanted.as_ref().clone().with_nullable(true)),
            });
            DataType::Struct(members.collect())
        }
        _ => from.clone(),
    }
}

fn kernel(args: &Args<'_>) -> EngineResult<ArrayRef> {
    match args.columns.as_slice() {
        [value] => reshaped(value, args.result),
        _ => Err(SparkError::internal("one value is reshaped at a time").into()),
    }
}

/// The members have the names that they are found by.
fn reshaped(value: &ArrayRef, to: &DataType) -> EngineResult<ArrayRef> {
    if value.data_type() == to {
        return Ok(Arc::clone(value));
    }
    match (value.data_type(), to) {
        (DataType::List(_), DataType::List(item)) => {
            let lists = value.as_list::<i32>();
            let values = reshaped(lists.values(), item.data_type())?;
            let offsets = lists.offsets().clone();
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, lists.nulls().cloned())?))
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => {
            let DataType::Struct(fields) = entries.data_type() else {
                return Err(SparkError::internal("a map has entries").into());
            };
            let maps = value.as_map();
            let parts =
                vec![reshaped(maps.keys(), fields[0].data_type())?, reshaped(maps.values(), fields[1].data_type())?];
            let members = StructArray::try_new(fields.clone(), parts, None)?;
            let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
            Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, members, nulls, *sorted)?))
        }
        (DataType::Struct(from), DataType::Struct(fields)) => {
            let rows = value.as_struct();
            let member = |field: &FieldRef| match position(from, field.name()) {
                Some(at) => reshaped(rows.column(at), field.data_type()),
                None => Ok(new_null_array(field.data_type(), rows.len())),
            };
            let members = fields.iter().map(member).collect::<EngineResult<Vec<_>>>()?;
            let nulls = rows.nulls().cloned();
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), members, nulls, rows.len())?))
        }
        (from, to) => Err(SparkError::internal(format_args!("{from} has no members of {to}")).into()),
    }
}

fn position(fields: &Fields, name: &str) -> Option<usize> {
    fields.iter().position(|field| field.name() == name)
}
