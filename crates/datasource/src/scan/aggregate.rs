//! Aggregates that a source computes, and what is left to the engine of them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::Column;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::expr::{AggregateFunction as Call, AggregateFunctionParams};
use datafusion::logical_expr::{
    Aggregate as Over, AggregateUDF, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, TableScan,
};

use crate::scan::candidate::plain_column;
use crate::scan::merge::merge;
use crate::scan::request::{Aggregate, AggregateFunction, COUNT};
use crate::scan::translate::is_comparable;

/// What an aggregate is over: the keys, then the arguments of the functions. None where it has what no source is asked
/// for: sets of keys, `DISTINCT`, `FILTER`, an order, several arguments.
pub fn expressions(over: &Over) -> Option<Vec<Expr>> {
    let arguments = over.aggr_expr.iter().map(|expr| {
        let call = call(expr)?;
        let AggregateFunctionParams { args, distinct, filter, order_by, null_treatment } = &call.params;
        match args.as_slice() {
            [argument] if !distinct && filter.is_none() && order_by.is_empty() && null_treatment.is_none() => {
                Some(argument.clone())
            }
            _ => None,
        }
    });
    over.group_expr.iter().cloned().map(Some).chain(arguments).collect()
}

/// The aggregate as a source is asked for it; `exprs` are its [`expressions`], over the columns of the table.
pub fn request(over: &Over, exprs: &[Expr], table: &Schema) -> Option<Aggregate> {
    let (keys, arguments) = exprs.split_at_checked(over.group_expr.len())?;
    let group_by = keys.iter().map(|key| plain_column(key).filter(|name| is_key(table, name)));
    let group_by: Vec<_> = group_by.collect::<Option<_>>()?;
    let types = over.schema.fields().iter().skip(group_by.len());
    let functions = arguments.iter().zip(&over.aggr_expr).zip(types).enumerate();
    let functions = functions.map(|(at, ((argument, expr), field))| {
        let data_type = field.data_type().clone();
        let (function, column) = function(call(expr)?.func.name(), argument, &data_type, table)?;
        merge_of(expr, over).ok()??;
        // A name that no column of the table has.
        let free = |name: &String| table.field_with_name(name).is_err();
        let name = (at..).map(|number| format!("{function}_{number}")).find(free)?;
        Some(AggregateFunction { function, column, name, data_type })
    });
    let functions = functions.collect::<Option<_>>()?;
    Some(Aggregate { group_by, functions })
}

/// The plan that gives the rows of `over`, from a `scan` of the rows that its source computes. Where those `are_groups`,
/// each just once, nothing is left to do.
pub fn merged(over: &Over, aggregate: &Aggregate, scan: TableScan, are_groups: bool) -> Result<LogicalPlan> {
    let column = |name: &String| Expr::Column(Column::new(Some(scan.table_name.clone()), name));
    let keys: Vec<_> = aggregate.group_by.iter().map(column).collect();
    let results: Vec<_> = aggregate.functions.iter().map(|function| column(&function.name)).collect();
    let mut functions = vec![];
    for ((expr, function), result) in over.aggr_expr.iter().zip(&aggregate.functions).zip(&results) {
        let merge = merge_of(expr, over)?.ok_or_else(|| DataFusionError::Internal(format!("{expr} has no merge")))?;
        functions.push(merge.call(vec![result.clone()]).alias(&function.name));
    }
    let mut plan = LogicalPlanBuilder::from(LogicalPlan::TableScan(scan));
    let mut columns = keys.clone();
    if are_groups {
        columns.extend(results);
    } else {
        plan = plan.aggregate(keys, functions)?;
        let names = aggregate.functions.iter();
        columns.extend(names.map(|function| Expr::Column(Column::new_unqualified(&function.name))));
    }
    let named = columns.into_iter().zip(over.schema.iter()).map(|(column, (qualifier, field))| {
        let is_same =
            matches!(&column, Expr::Column(own) if own.relation.as_ref() == qualifier && own.name == *field.name());
        if is_same { column } else { column.alias_qualified(qualifier.cloned(), field.name()) }
    });
    plan.project(named)?.build()
}

fn merge_of(expr: &Expr, over: &Over) -> Result<Option<Arc<AggregateUDF>>> {
    let Some(Call { func, params }) = call(expr) else { return Ok(None) };
    let field = |expr: &Expr| Ok(expr.to_field(over.input.schema().as_ref())?.1);
    merge(func, params.args.iter().map(field).collect::<Result<_>>()?, field(expr)?)
}

fn call(expr: &Expr) -> Option<&Call> {
    match expr {
        Expr::Alias(alias) => call(&alias.expr),
        Expr::AggregateFunction(call) => Some(call),
        _ => None,
    }
}

/// A function that a source may be asked for, and its column; none for `count(*)`.
fn function(name: &str, argument: &Expr, result: &DataType, table: &Schema) -> Option<(&'static str, Option<String>)> {
    let column = plain_column(argument);
    let comparable = || column.clone().filter(|name| is_comparable(table, name)).map(Some);
    match name {
        COUNT => match (argument, column) {
            (Expr::Literal(value, _), _) if !value.is_null() => Some((COUNT, None)),
            (_, Some(column)) => Some((COUNT, Some(column))),
            _ => None,
        },
        "sum" => Some(("sum", Some(summed(argument, result, table)?))),
        "min" => Some(("min", comparable()?)),
        "max" => Some(("max", comparable()?)),
        _ => None,
    }
}

/// The column of a sum. Whole numbers may be widened to the type of the sum, which loses nothing.
fn summed(argument: &Expr, result: &DataType, table: &Schema) -> Option<String> {
    let (column, widened) = match argument {
        Expr::Cast(cast) => (plain_column(&cast.expr)?, cast.field.data_type() == result),
        other => (plain_column(other)?, false),
    };
    let of = table.field_with_name(&column).ok()?.data_type();
    let is_summed = match of {
        DataType::Int8 | DataType::Int16 | DataType::Int32 => widened && *result == DataType::Int64,
        DataType::Int64 | DataType::Float64 | DataType::Decimal128(..) => !matches!(argument, Expr::Cast(_)),
        _ => false,
    };
    is_summed.then_some(column)
}

/// Whether groups by the column are the same everywhere: of floating-point numbers they are not.
fn is_key(table: &Schema, column: &str) -> bool {
    let is_float = table.field_with_name(column).is_ok_and(|field| field.data_type().is_floating());
    is_comparable(table, column) && !is_float
}
