//! Which columns, elements and members are never NULL, as Spark says of them: the engine says it of fewer.
//!
//! The plan stays as it is. What is found here goes into the schema that the client sees, so it holds for sure.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Column, ExprSchema, NullHandling, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use recursive::recursive;

use crate::functions::cast::never_null as cast_never_null;
use crate::functions::map::map_of;

/// Functions whose result is NULL for NULL alone, by the names that they have in plans.
const STRICT: &[&str] = &[
    "abs",
    "ascii",
    "bit_length",
    "btrim",
    "character_length",
    "char_length",
    "contains",
    "date_add",
    "date_diff",
    "date_part",
    "date_sub",
    "ends_with",
    "initcap",
    "left",
    "length",
    "levenshtein",
    "lower",
    "lpad",
    "ltrim",
    "md5",
    "octet_length",
    "repeat",
    "replace",
    "right",
    "rpad",
    "rtrim",
    "soundex",
    "starts_with",
    "strpos",
    "substr",
    "substring",
    "substr_index",
    "translate",
    "upper",
];

/// Type and nullability of a column of a plan.
#[recursive]
pub(super) fn stated(plan: &LogicalPlan, column: &Column) -> Option<FieldRef> {
    let known = plan.schema().field_from_column(column).ok()?;
    let at = plan.schema().maybe_index_of_column(column)?;
    let below = |input: &LogicalPlan| stated(input, column);
    let found = match plan {
        LogicalPlan::Projection(projection) => of_expr(projection.expr.get(at)?, &projection.input),
        LogicalPlan::Filter(filter) => below(&filter.input),
        LogicalPlan::Sort(sort) => below(&sort.input),
        LogicalPlan::Limit(limit) => below(&limit.input),
        LogicalPlan::Repartition(repartition) => below(&repartition.input),
        LogicalPlan::Window(window) => below(&window.input),
        LogicalPlan::Join(join) => {
            let found = below(&join.left).or_else(|| below(&join.right))?;
            Some(with_nullable(&found, found.is_nullable() || known.is_nullable()))
        }
        LogicalPlan::Unnest(unnest) => {
            match unnest.list_type_columns.iter().find(|(_, made)| made.output_column == *column) {
                None => below(&unnest.input),
                Some((input, _)) => {
                    let (_, list) = unnest.input.schema().qualified_field(*input);
                    let list = stated(&unnest.input, &Column::new_unqualified(list.name()))?;
                    let DataType::List(element) = list.data_type() else { return None };
                    let nulls = unnest.options.null_handling != NullHandling::Drop;
                    Some(with_nullable(element, element.is_nullable() || nulls))
                }
            }
        }
        LogicalPlan::Aggregate(aggregate) => match aggregate.group_expr.as_slice() {
            [Expr::GroupingSet(_)] => None,
            keys => match keys.get(at) {
                Some(key) => of_expr(key, &aggregate.input),
                None => of_aggregate(aggregate.aggr_expr.get(at - keys.len())?, &aggregate.input),
            },
        },
        _ => None,
    };
    Some(found.unwrap_or_else(|| Arc::clone(known)))
}

/// Type and nullability of an expression over a plan.
#[recursive]
fn of_expr(expr: &Expr, input: &LogicalPlan) -> Option<FieldRef> {
    let plain = || expr.to_field(input.schema().as_ref()).ok().map(|(_, field)| field);
    match expr {
        Expr::Alias(alias) => of_expr(&alias.expr, input),
        Expr::Column(column) => stated(input, column),
        Expr::Literal(value, _) => Some(of_value(value)),
        Expr::Cast(cast) => {
            let from = of_expr(&cast.expr, input)?;
            Some(with_nullable(&cast.field, from.is_nullable()))
        }
        Expr::ScalarFunction(call) => of_call(call, input, &plain).or_else(plain),
        _ => plain(),
    }
}

fn of_call(call: &ScalarFunction, input: &LogicalPlan, plain: &dyn Fn() -> Option<FieldRef>) -> Option<FieldRef> {
    let args = || call.args.iter().map(|arg| of_expr(arg, input)).collect::<Option<Vec<_>>>();
    let made = |data_type: DataType| Some(Arc::new(Field::new("", data_type, false)));
    match call.func.name() {
        "make_array" => {
            let items = args()?;
            let nullable = items.iter().any(|item| item.is_nullable());
            // Items of several types are cast; then the engine's word counts.
            let DataType::List(plain) = plain()?.data_type().clone() else { return None };
            let data_type = match items.first() {
                Some(first) if items.iter().all(|item| item.data_type() == first.data_type()) => first.data_type(),
                _ => plain.data_type(),
            };
            made(DataType::List(Arc::new(Field::new(plain.name(), data_type.clone(), nullable))))
        }
        "named_struct" => {
            let args = args()?;
            let mut fields = vec![];
            for (name, value) in call.args.iter().step_by(2).zip(args.iter().skip(1).step_by(2)) {
                let Expr::Literal(ScalarValue::Utf8(Some(name)), _) = name else { return None };
                let field = Field::new(name, value.data_type().clone(), value.is_nullable());
                fields.push(field.with_metadata(value.metadata().clone()));
            }
            made(DataType::Struct(fields.into()))
        }
        crate::functions::map::MAP => {
            let args = args()?;
            let nullable = args.iter().skip(1).step_by(2).any(|value| value.is_nullable());
            let [key, value] = map_members(plain()?.data_type())?;
            let first = args
                .get(1)
                .filter(|first| args.iter().skip(1).step_by(2).all(|value| value.data_type() == first.data_type()));
            let value = first.unwrap_or(&value);
            made(map_of(key.data_type().clone(), value.data_type().clone(), nullable))
        }
        "get_field" => {
            let base = of_expr(call.args.first()?, input)?;
            let (DataType::Struct(fields), Some(Expr::Literal(ScalarValue::Utf8(Some(name)), _))) =
                (base.data_type(), call.args.get(1))
            else {
                return None;
            };
            let field = fields.iter().find(|field| field.name() == name)?;
            Some(with_nullable(field, base.is_nullable() || field.is_nullable()))
        }
        "coalesce" => {
            let nullable = args()?.iter().all(|arg| arg.is_nullable());
            Some(with_nullable(&plain()?, nullable))
        }
        name if STRICT.contains(&name) => {
            let nullable = args()?.iter().any(|arg| arg.is_nullable());
            Some(with_nullable(&plain()?, nullable))
        }
        _ => {
            let [arg] = call.args.as_slice() else { return None };
            let from = of_expr(arg, input)?;
            let nullable = from.is_nullable() || !cast_never_null(&call.func, from.data_type())?;
            Some(with_nullable(&plain()?, nullable))
        }
    }
}

/// Lists of the values of a group have no NULL.
fn of_aggregate(expr: &Expr, input: &LogicalPlan) -> Option<FieldRef> {
    let Expr::AggregateFunction(call) = expr.clone().unalias() else { return None };
    if !matches!(call.func.name(), "collect_list" | "collect_set") {
        return None;
    }
    let item = of_expr(call.params.args.first()?, input)?;
    let list = DataType::List(Arc::new(Field::new("item", item.data_type().clone(), false)));
    Some(Arc::new(Field::new("", list, false)))
}

fn of_value(value: &ScalarValue) -> FieldRef {
    let data_type = match value {
        ScalarValue::List(list) if list.len() == 1 => match value.data_type() {
            DataType::List(item) => {
                let nullable = list.values().is_nullable();
                DataType::List(Arc::new(item.as_ref().clone().with_nullable(nullable)))
            }
            other => other,
        },
        other => other.data_type(),
    };
    Arc::new(Field::new("", data_type, value.is_null()))
}

fn map_members(data_type: &DataType) -> Option<[FieldRef; 2]> {
    let DataType::Map(entries, _) = data_type else { return None };
    let DataType::Struct(fields) = entries.data_type() else { return None };
    let [key, value] = fields.as_ref() else { return None };
    Some([Arc::clone(key), Arc::clone(value)])
}

fn with_nullable(field: &FieldRef, nullable: bool) -> FieldRef {
    Arc::new(field.as_ref().clone().with_nullable(nullable))
}
