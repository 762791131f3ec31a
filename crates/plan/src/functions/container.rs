//! Calls that make or open arrays, maps and structs.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion::functions::expr_fn as df;
use datafusion::functions_nested::expr_fn as nested;
use datafusion::logical_expr::{Expr, cast, lit};

use super::array::{DATES, Element, SERIES, SIZE, TIMES};
use super::array_edit;
use super::call::{Call, Outcome, Typed, element_by};
use super::higher_order::map_types;
use super::interval_number::{is_interval, number_of};
use super::map::{MAP, map_type};
use super::native::native;
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::types::{common_type, is_integral, is_string};

/// A function of containers of this name, if there is one.
pub(super) fn resolve(mut call: Call<'_>) -> Outcome<'_> {
    let expr = match call.name.as_str() {
        "array" => {
            let args = std::mem::take(&mut call.args);
            nested::make_array(call.common(args)?.0)
        }
        "map" => map(call)?,
        "struct" => structure(call),
        "named_struct" => named_struct(call)?,
        "element_at" | "try_element_at" | "get" => {
            let [base, key] = call.exactly()?;
            let by = match call.name.as_str() {
                "element_at" => Element::At,
                "try_element_at" => Element::TryAt,
                _ => Element::Get,
            };
            match &base.data_type {
                map @ DataType::Map(..) if !is_key(map, &key.data_type) => {
                    return Err(no_key(&call, map, &key.data_type));
                }
                DataType::List(_) | DataType::Map(..) => element_by(base, key, by, call.time_zone)?,
                other => return Err(call.wrong_type(0, "ARRAY\" or \"MAP", other)),
            }
        }
        "size" | "cardinality" | "array_size" => {
            let [value] = call.exactly()?;
            match &value.data_type {
                DataType::List(_) => {}
                DataType::Map(..) if call.name != "array_size" => {}
                DataType::Null => return Ok(Ok(null(&DataType::Int32)?)),
                other => return Err(call.wrong_type(0, "ARRAY", other)),
            }
            native(SIZE, DataType::Int32, "", vec![value.expr])
        }
        "sort_array" | "array_sort" => sort(call)?,
        "array_contains" => {
            let (array, item) = array_and_known_item(&mut call)?;
            datafusion_spark::function::array::spark_array_contains().call(vec![array, item])
        }
        "array_position" => {
            let (array, item) = array_and_known_item(&mut call)?;
            let position = nested::array_position(array.clone(), item.clone(), lit(1_i64));
            let position = cast(position, DataType::Int64);
            let found = df::coalesce(vec![position, lit(0_i64)]);
            let known = array.is_not_null().and(item.is_not_null());
            datafusion::logical_expr::when(known, found).end()?
        }
        "array_remove" => {
            let (array, item) = array_and_item(&mut call)?;
            nested::array_remove_all(array, item)
        }
        "array_union" => two_arrays(call).map(|(left, right)| nested::array_union(left, right))?,
        "array_intersect" => two_arrays(call).map(|(left, right)| nested::array_intersect(left, right))?,
        "array_except" => two_arrays(call).map(|(left, right)| nested::array_except(left, right))?,
        "array_join" => join(call)?,
        "array_distinct" => nested::array_distinct(one_array(&mut call)?),
        "array_max" => nested::array_max(one_array(&mut call)?),
        "array_min" => nested::array_min(one_array(&mut call)?),
        "reverse" if matches!(call.args.first(), Some(Typed { data_type: DataType::List(_), .. })) => {
            nested::array_reverse(one_array(&mut call)?)
        }
        "sequence" => sequence(call)?,
        _ => return array_edit::resolve(call),
    };
    Ok(Ok(expr))
}

fn null(data_type: &DataType) -> Result<Expr> {
    Ok(Expr::Literal(datafusion::common::ScalarValue::try_from(data_type)?, None))
}

fn map(mut call: Call<'_>) -> Result<Expr> {
    let args = std::mem::take(&mut call.args);
    if args.len() % 2 == 1 {
        return Err(call.wrong_count("2n (n > 0)", args.len()));
    }
    let (keys, values): (Vec<_>, Vec<_>) = args.into_iter().enumerate().partition(|(at, _)| at % 2 == 0);
    let one_type = |args: Vec<(usize, Typed)>| call.common(args.into_iter().map(|(_, arg)| arg).collect());
    let ((keys, key), (values, value)) = (one_type(keys)?, one_type(values)?);
    let args = keys.into_iter().zip(values).flat_map(|(key, value)| [key, value]).collect();
    Ok(native(MAP, map_type(key, value), call.time_zone, args))
}

/// `struct(a, b)` takes the names of its columns, or `col1`, `col2`, ... where they have none.
fn structure(call: Call<'_>) -> Expr {
    let named = call.args.into_iter().enumerate().flat_map(|(at, arg)| {
        let name = call.arg_names.get(at).cloned().flatten();
        [lit(name.unwrap_or_else(|| format!("col{}", at + 1))), arg.expr]
    });
    df::named_struct(named.collect())
}

/// Names, which must be constants, and values in turn.
fn named_struct(mut call: Call<'_>) -> Result<Expr> {
    let args = std::mem::take(&mut call.args);
    if args.is_empty() || args.len() % 2 == 1 {
        return Err(call.wrong_count("2n (n > 0)", args.len()));
    }
    let is_name = |arg: &Typed| is_string(&arg.data_type) && matches!(arg.expr, Expr::Literal(..));
    if args.iter().step_by(2).all(is_name) {
        return Ok(df::named_struct(args.into_iter().map(|arg| arg.expr).collect()));
    }
    let message = format!(
        "Cannot resolve \"{}\" due to data type mismatch: Only foldable `STRING` expressions are allowed to appear at \
         odd position.",
        call.written
    );
    let condition = "DATATYPE_MISMATCH.CREATE_NAMED_STRUCT_WITHOUT_FOLDABLE_STRING";
    Err(SparkError::new(ErrorClass::Analysis, condition, "42K09", message)
        .with("sqlExpr", format!("\"{}\"", call.written)))
}

/// Whether a value may be compared with the keys of a map.
fn is_key(map: &DataType, value: &DataType) -> bool {
    map_types(map).is_some_and(|(key, _)| {
        *value == DataType::Null || (is_string(key) == is_string(value) && common_type(key, value).is_some())
    })
}

fn no_key(call: &Call<'_>, map: &DataType, key: &DataType) -> SparkError {
    let (name, left, right) = (&call.name, sql_name(map), sql_name(key));
    let message = format!(
        "Cannot resolve \"{}\" due to data type mismatch: Input to `{name}` should have been \"MAP\" followed by a \
         value with same key type, but it's [\"{left}\", \"{right}\"].",
        call.written
    );
    SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES", "42K09", message)
        .with("sqlExpr", format!("\"{}\"", call.written))
        .with("functionName", format!("`{name}`"))
        .with("dataType", "\"MAP\"")
        .with("leftType", format!("\"{left}\""))
        .with("rightType", format!("\"{right}\""))
}

fn one_array(call: &mut Call<'_>) -> Result<Expr> {
    let [array] = call.exactly()?;
    match &array.data_type {
        DataType::List(_) => Ok(array.expr),
        other => Err(call.wrong_type(0, "ARRAY", other)),
    }
}

fn array_type(item: &DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item.clone(), true)))
}

/// The same, but not where the value is NULL itself.
pub(super) fn array_and_known_item(call: &mut Call<'_>) -> Result<(Expr, Expr)> {
    if call.args.iter().any(|arg| arg.data_type == DataType::Null) {
        let (name, written) = (&call.name, &call.written);
        let message = format!(
            "Cannot resolve \"{written}\" due to data type mismatch: Null typed values cannot be used as arguments of \
             `{name}`."
        );
        return Err(SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.NULL_TYPE", "42K09", message)
            .with("sqlExpr", format!("\"{written}\""))
            .with("functionName", format!("`{name}`")));
    }
    array_and_item(call)
}

/// An array and a value of the type of its elements, or both of a wider one.
pub(super) fn array_and_item(call: &mut Call<'_>) -> Result<(Expr, Expr)> {
    let [array, item] = call.exactly()?;
    let DataType::List(field) = &array.data_type else {
        return Err(call.wrong_type(0, "ARRAY", &array.data_type));
    };
    let mixed = is_string(field.data_type()) != is_string(&item.data_type) && item.data_type != DataType::Null;
    let common = common_type(field.data_type(), &item.data_type).filter(|_| !mixed);
    let Some(common) = common else {
        let (array, item) = (sql_name(&array.data_type), sql_name(&item.data_type));
        let message = format!(
            "Cannot resolve \"{}\" due to data type mismatch: \"{array}\" holds no values of the type \"{item}\".",
            call.written
        );
        let condition = "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES";
        return Err(SparkError::new(ErrorClass::Analysis, condition, "42K09", message));
    };
    let item = call.cast(item, &common)?;
    Ok((call.cast(array, &array_type(&common))?, item))
}

/// Two arrays of one type.
pub(super) fn two_arrays(mut call: Call<'_>) -> Result<(Expr, Expr)> {
    let [left, right] = call.exactly()?;
    for (position, arg) in [&left, &right].into_iter().enumerate() {
        if !matches!(arg.data_type, DataType::List(_)) {
            return Err(call.wrong_type(position, "ARRAY", &arg.data_type));
        }
    }
    let (args, _) = call.common(vec![left, right])?;
    let [left, right] = args.try_into().map_err(|_| call.wrong_count("2", 0))?;
    Ok((left, right))
}

/// `array_sort` puts NULLs last; `sort_array` does so where it is descending.
fn sort(mut call: Call<'_>) -> Result<Expr> {
    let ascending = match call.args.len() {
        2 if call.name == "sort_array" => match call.args.pop().map(|arg| arg.expr) {
            Some(Expr::Literal(datafusion::common::ScalarValue::Boolean(Some(ascending)), _)) => ascending,
            _ => return Err(SparkError::unsupported("`sort_array` with an order that is no constant")),
        },
        2 => return Err(SparkError::unsupported("`array_sort` with a function that compares")),
        _ => true,
    };
    let nulls = if ascending && call.name == "sort_array" { "NULLS FIRST" } else { "NULLS LAST" };
    let array = one_array(&mut call)?;
    Ok(nested::array_sort(array, lit(if ascending { "ASC" } else { "DESC" }), lit(nulls)))
}

fn join(mut call: Call<'_>) -> Result<Expr> {
    let instead = if call.args.len() == 3 { call.args.pop() } else { None };
    let [array, separator] = call.exactly()?;
    if !matches!(array.data_type, DataType::List(_)) {
        return Err(call.wrong_type(0, "ARRAY", &array.data_type));
    }
    let mut args = vec![call.cast(array, &array_type(&DataType::Utf8))?, call.cast(separator, &DataType::Utf8)?];
    if let Some(instead) = instead {
        args.push(call.cast(instead, &DataType::Utf8)?);
    }
    Ok(datafusion::functions_nested::string::array_to_string_udf().call(args))
}

/// Whole numbers by a number, days by days or months, instants by an interval.
fn sequence(mut call: Call<'_>) -> Result<Expr> {
    if !(2..=3).contains(&call.args.len()) {
        return Err(call.wrong_count("[2, 3]", call.args.len()));
    }
    let mut args = std::mem::take(&mut call.args);
    let step = if args.len() == 3 { args.pop() } else { None };
    let (bounds, bound_type) = call.common(args)?;
    let typed = |expr: &Expr| Typed { expr: expr.clone(), data_type: bound_type.clone() };
    match &bound_type {
        integral if is_integral(integral) => {
            let mut args = vec![];
            for value in bounds.iter().map(typed).chain(step) {
                args.push(call.cast(value, &DataType::Int64)?);
            }
            Ok(native(SERIES, array_type(integral), "", args))
        }
        DataType::Date32 => {
            let mut args = bounds;
            match step {
                Some(step) if matches!(step.data_type, DataType::Interval(_)) => args.push(step.expr),
                Some(step) => args.push(super::time_call::whole_days(&call, step)?),
                None => {}
            }
            Ok(native(DATES, array_type(&DataType::Date32), "", args))
        }
        DataType::Timestamp(..) => {
            let mut args = bounds;
            match step {
                Some(step) if matches!(step.data_type, DataType::Duration(_)) => {
                    args.extend([lit(0_i32), number_of(step).expr]);
                }
                Some(step) if is_interval(&step.data_type) => args.extend([number_of(step).expr, lit(0_i64)]),
                Some(step) => return Err(call.wrong_type(2, "INTERVAL", &step.data_type)),
                None => {}
            }
            Ok(native(TIMES, array_type(&bound_type), call.time_zone, args))
        }
        other => Err(call.wrong_type(0, "INTEGRAL", other)),
    }
}
