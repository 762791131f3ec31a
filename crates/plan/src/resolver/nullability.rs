//! Which columns, elements and members are never NULL, as Spark says of them: the engine says it of fewer.
//!
//! The plan stays as it is. What is found here goes into the schema that the client sees, so it holds for sure.

use std::sync::Arc;

use arrow::array::Array;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Column, JoinType, NullHandling, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{BinaryExpr, Distinct, Expr, ExprSchemable, LogicalPlan, Operator};
use recursive::recursive;

use crate::functions::cast::never_null as cast_never_null;
use crate::functions::map::map_of;

/// Functions whose result is NULL for NULL alone, by the names that they have in plans.
const STRICT: &[&str] = &[
    "abs",
    "add_months",
    "array_distinct",
    "array_repeat",
    "array_sort",
    "array_to_string",
    "array_union",
    "ascii",
    "base64",
    "bit_length",
    "btrim",
    "char_length",
    "character_length",
    "concat",
    "contains",
    "crc32",
    "date_add",
    "date_diff",
    "date_format",
    "date_part",
    "date_sub",
    "ends_with",
    "hash",
    "hex",
    "initcap",
    "last_day",
    "left",
    "length",
    "levenshtein",
    "locate",
    "lower",
    "lpad",
    "ltrim",
    "map_keys",
    "md5",
    "monthname",
    "months_between",
    "octet_length",
    "overlay",
    "pow",
    "regexp_count",
    "regexp_extract",
    "regexp_like",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "soundex",
    "space",
    "spark.add_micros_to_instant",
    "spark.negative",
    "spark.sequence",
    "spark.size",
    "spark.slice",
    "split",
    "starts_with",
    "strpos",
    "substr",
    "substr_index",
    "substring",
    "timestamp_millis",
    "timestampdiff",
    "translate",
    "unbase64",
    "unix_date",
    "unix_seconds",
    "upper",
];

/// Type and nullability of a column of a plan.
#[recursive]
pub(super) fn stated(plan: &LogicalPlan, column: &Column) -> Option<FieldRef> {
    // Not by `field_from_column`: the error where there is none has all names, and each join asks one side in vain.
    let at = plan.schema().maybe_index_of_column(column)?;
    let known = &plan.schema().fields()[at];
    let below = |input: &LogicalPlan| stated(input, column);
    let found = match plan {
        LogicalPlan::Projection(projection) => of_expr(projection.expr.get(at)?, &projection.input),
        LogicalPlan::Filter(filter) => below(&filter.input),
        LogicalPlan::Sort(sort) => below(&sort.input),
        LogicalPlan::Limit(limit) => below(&limit.input),
        LogicalPlan::Repartition(repartition) => below(&repartition.input),
        LogicalPlan::Window(window) => below(&window.input),
        LogicalPlan::Join(join) => {
            let (found, missing) = match below(&join.left) {
                Some(found) => (found, matches!(join.join_type, JoinType::Right | JoinType::Full)),
                None => (below(&join.right)?, matches!(join.join_type, JoinType::Left | JoinType::Full)),
            };
            Some(with_nullable(&found, found.is_nullable() || missing))
        }
        LogicalPlan::Distinct(Distinct::All(input)) => below(input),
        LogicalPlan::Union(union) => either(union.inputs.iter().map(|input| {
            let (_, column) = input.schema().qualified_field(at);
            stated(input, &Column::new_unqualified(column.name()))
        })),
        LogicalPlan::Values(values) => either(values.values.iter().map(|row| of_expr(row.get(at)?, plan))),
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
pub(super) fn of_expr(expr: &Expr, input: &LogicalPlan) -> Option<FieldRef> {
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
        Expr::Like(like) | Expr::SimilarTo(like) => {
            let nullable = [&like.expr, &like.pattern].into_iter().any(|side| is_nullable(side, input));
            Some(with_nullable(&plain()?, nullable))
        }
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let known = matches!(op, Operator::IsDistinctFrom | Operator::IsNotDistinctFrom);
            let nullable = !known && (is_nullable(left, input) || is_nullable(right, input));
            Some(with_nullable(&plain()?, nullable))
        }
        Expr::Case(case) => {
            let others = case.else_expr.as_deref();
            let mut values = case.when_then_expr.iter().map(|(_, then)| &**then).chain(others);
            let nullable = others.is_none() || values.any(|value| is_nullable(value, input));
            Some(with_nullable(&plain()?, nullable))
        }
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
        // Spark says so of divisions, though by zero they fail.
        "/" | "%" => Some(with_nullable(&plain()?, true)),
        "spark.element" | "spark.element_at" | "spark.try_element_at" | "spark.get" => {
            of_element(call, &args()?, input, &plain()?)
        }
        "spark.flatten" => {
            let lists = args()?;
            let DataType::List(inner) = lists.first()?.data_type() else { return None };
            let nullable = lists.first()?.is_nullable() || inner.is_nullable();
            Some(with_nullable(&plain()?.as_ref().clone().with_data_type(inner.data_type().clone()).into(), nullable))
        }
        "spark.members" => {
            let lists = args()?;
            let DataType::List(item) = lists.first()?.data_type() else { return None };
            let (DataType::Struct(fields), Some(at)) = (item.data_type(), constant(call.args.get(1)?)) else {
                return None;
            };
            let field = fields.get(usize::try_from(at).ok()?)?;
            let element = with_nullable(field, item.is_nullable() || field.is_nullable());
            let list = DataType::List(Arc::new(element.as_ref().clone().with_name(item.name())));
            Some(with_nullable(&plain()?.as_ref().clone().with_data_type(list).into(), lists.first()?.is_nullable()))
        }
        "spark.entries" | "spark.positions" => of_rows(&args()?, &plain()?),
        "concat_ws" => Some(with_nullable(&plain()?, of_expr(call.args.first()?, input)?.is_nullable())),
        "coalesce" | "greatest" | "least" => {
            let nullable = args()?.iter().all(|arg| arg.is_nullable());
            Some(with_nullable(&plain()?, nullable))
        }
        name if STRICT.contains(&name) => {
            let args = args()?;
            let nullable = args.iter().any(|arg| arg.is_nullable());
            let result = match (name, args.first()) {
                // A list of the elements of another one.
                ("array_distinct" | "array_sort" | "spark.slice", Some(list)) => Arc::clone(list),
                ("split" | "spark.sequence", _) => elements_known(&plain()?),
                _ => plain()?,
            };
            Some(with_nullable(&result, nullable))
        }
        _ => {
            let [arg] = call.args.as_slice() else { return None };
            let from = of_expr(arg, input)?;
            let nullable = from.is_nullable() || !cast_never_null(&call.func, from.data_type())?;
            Some(with_nullable(&plain()?, nullable))
        }
    }
}

/// An element of an array that is written out is what it is. Of another array only one that fails outside of it is known.
fn of_element(call: &ScalarFunction, args: &[FieldRef], input: &LogicalPlan, plain: &FieldRef) -> Option<FieldRef> {
    let ([list, index], [of, position]) = (args, call.args.as_slice()) else { return None };
    let DataType::List(element) = list.data_type() else { return None };
    let from_one = matches!(call.func.name(), "spark.element_at" | "spark.try_element_at");
    let nullable = match (of, constant(position)) {
        (Expr::ScalarFunction(of), Some(position)) if of.func.name() == "make_array" => {
            let count = i64::try_from(of.args.len()).ok()?;
            let position = match position {
                0 if from_one => None,
                position if from_one && position < 0 => position.checked_add(count),
                position => position.checked_sub(i64::from(from_one)),
            };
            let item = position.and_then(|position| of.args.get(usize::try_from(position).ok()?));
            item.is_none_or(|item| is_nullable(item, input))
        }
        (_, Some(_)) => true,
        (_, None) => {
            let fails_outside = matches!(call.func.name(), "spark.element" | "spark.element_at");
            !fails_outside || [list, index, element].into_iter().any(|field| field.is_nullable())
        }
    };
    Some(with_nullable(&plain.as_ref().clone().with_data_type(element.data_type().clone()).into(), nullable))
}

/// Structs of positions and elements, or of entries: there is one for each, and only what was NULL before is.
fn of_rows(args: &[FieldRef], plain: &FieldRef) -> Option<FieldRef> {
    let rows = args.first()?;
    let members = match rows.data_type() {
        DataType::List(element) => vec![Arc::clone(element)],
        map => map_members(map)?.to_vec(),
    };
    let DataType::List(item) = plain.data_type() else { return None };
    let DataType::Struct(fields) = item.data_type() else { return None };
    let (positions, values) = fields.split_at(fields.len().checked_sub(members.len())?);
    let positions = positions.iter().map(|field| with_nullable(field, false));
    let values = values.iter().zip(&members).map(|(field, member)| {
        let field = field.as_ref().clone().with_data_type(member.data_type().clone());
        Arc::new(field.with_nullable(member.is_nullable()))
    });
    let fields = DataType::Struct(positions.chain(values).collect());
    let list = DataType::List(Arc::new(item.as_ref().clone().with_data_type(fields).with_nullable(false)));
    Some(Arc::new(plain.as_ref().clone().with_data_type(list).with_nullable(rows.is_nullable())))
}

fn constant(index: &Expr) -> Option<i64> {
    let value = match index {
        Expr::Literal(value, _) => value.cast_to(&DataType::Int64).ok()?,
        Expr::Cast(cast) => return constant(&cast.expr),
        _ => return None,
    };
    match value {
        ScalarValue::Int64(index) => index,
        _ => None,
    }
}

fn is_nullable(expr: &Expr, input: &LogicalPlan) -> bool {
    of_expr(expr, input).is_none_or(|field| field.is_nullable())
}

fn elements_known(list: &FieldRef) -> FieldRef {
    match list.data_type() {
        DataType::List(item) => {
            Arc::new(list.as_ref().clone().with_data_type(DataType::List(with_nullable(item, false))))
        }
        _ => Arc::clone(list),
    }
}

/// What holds of the values of all; none where they have not one type.
fn either(mut all: impl Iterator<Item = Option<FieldRef>>) -> Option<FieldRef> {
    let first = all.next()??;
    all.try_fold(first, |left, right| both(&left, &right?))
}

fn both(left: &FieldRef, right: &FieldRef) -> Option<FieldRef> {
    let data_type = match (left.data_type(), right.data_type()) {
        (same, other) if same == other => same.clone(),
        (DataType::List(left), DataType::List(right)) => DataType::List(both(left, right)?),
        (DataType::Map(left, sorted), DataType::Map(right, _)) => DataType::Map(both(left, right)?, *sorted),
        (DataType::Struct(left), DataType::Struct(right)) if left.len() == right.len() => {
            DataType::Struct(left.iter().zip(right).map(|(left, right)| both(left, right)).collect::<Option<_>>()?)
        }
        _ => return None,
    };
    let nullable = left.is_nullable() || right.is_nullable();
    Some(Arc::new(left.as_ref().clone().with_data_type(data_type).with_nullable(nullable)))
}

/// Lists of the values of a group have no NULL. A value out of the group is of its type, or there is none.
fn of_aggregate(expr: &Expr, input: &LogicalPlan) -> Option<FieldRef> {
    let Expr::AggregateFunction(call) = expr.clone().unalias() else { return None };
    let item = of_expr(call.params.args.first()?, input)?;
    match call.func.name() {
        "collect_list" | "collect_set" => {
            let list = DataType::List(Arc::new(Field::new("item", item.data_type().clone(), false)));
            Some(Arc::new(Field::new("", list, false)))
        }
        "min" | "max" => Some(Arc::new(Field::new("", item.data_type().clone(), true))),
        _ => None,
    }
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
