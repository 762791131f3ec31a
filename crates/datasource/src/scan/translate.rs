//! Which expressions of the engine the closed tree of [`Filter`]s can say without loss of meaning.
//!
//! A cast is never dropped: an expression over a cast column has no translation. What may fail, or change from row to
//! row, has none either.

use arrow::datatypes::{DataType, Schema, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{InList, Like, ScalarFunction};
use datafusion::logical_expr::{BinaryExpr, Case, Expr, Operator as EngineOperator};

use crate::scan::date;
use crate::scan::filter::{Filter, Operand, Operator, Pattern};

/// A function of floating-point numbers that makes one of the two zeros, and one of all NaNs. What is compared under
/// it is compared as [`Filter`] says.
const NORMAL_FLOAT: &str = "spark.normal_float";

/// What escapes in a pattern that does not say so.
const DEFAULT_ESCAPE: char = '\\';

/// How deep a filter may be nested: whoever reads it, reads it recursively.
const MAX_DEPTH: usize = 50;

/// The filter that keeps the rows of a table with `schema` for which `expr` is true; none where the tree cannot say it.
pub fn translate(expr: &Expr, schema: &Schema) -> Option<Filter> {
    translate_to(expr, schema, MAX_DEPTH)
}

fn translate_to(expr: &Expr, schema: &Schema, depth: usize) -> Option<Filter> {
    let depth = depth.checked_sub(1)?;
    match expr {
        Expr::Alias(alias) => translate_to(&alias.expr, schema, depth),
        Expr::BinaryExpr(binary) => translate_binary(binary, schema, depth),
        Expr::Not(child) => Some(negated(true, translate_to(child, schema, depth)?)),
        Expr::IsNull(child) => Some(Filter::IsNull(column(child, schema)?.operand)),
        Expr::IsNotNull(child) => Some(Filter::IsNotNull(column(child, schema)?.operand)),
        Expr::InList(in_list) => translate_in(in_list, schema),
        Expr::Between(between) => {
            let low = comparison(&between.expr, Operator::GtEq, &between.low, schema)?;
            let high = comparison(&between.expr, Operator::LtEq, &between.high, schema)?;
            Some(negated(between.negated, Filter::And(vec![low, high])))
        }
        Expr::Like(like) => translate_like(like, schema),
        Expr::ScalarFunction(call) => translate_call(call, schema),
        Expr::Column(_) => {
            let flag = column(expr, schema)?;
            let yes = Operand::Literal(ScalarValue::Boolean(Some(true)));
            (flag.data_type == DataType::Boolean).then(|| Filter::Comparison(flag.operand, Operator::Eq, yes))
        }
        _ => None,
    }
}

fn translate_binary(binary: &BinaryExpr, schema: &Schema, depth: usize) -> Option<Filter> {
    let (left, right) = (binary.left.as_ref(), binary.right.as_ref());
    let operator = match binary.op {
        EngineOperator::And => return Some(Filter::And(operands(binary, schema, depth)?)),
        EngineOperator::Or => return Some(Filter::Or(operands(binary, schema, depth)?)),
        EngineOperator::Eq => Operator::Eq,
        EngineOperator::NotEq => Operator::NotEq,
        EngineOperator::Lt => Operator::Lt,
        EngineOperator::LtEq => Operator::LtEq,
        EngineOperator::Gt => Operator::Gt,
        EngineOperator::GtEq => Operator::GtEq,
        EngineOperator::IsNotDistinctFrom => Operator::NullSafeEq,
        EngineOperator::IsDistinctFrom => {
            return Some(negated(true, comparison(left, Operator::NullSafeEq, right, schema)?));
        }
        _ => return None,
    };
    comparison(left, operator, right, schema)
}

/// The operands of nested operators of one kind, in one list.
fn operands(binary: &BinaryExpr, schema: &Schema, depth: usize) -> Option<Vec<Filter>> {
    let mut translated = vec![];
    let mut pending = vec![&*binary.right, &*binary.left];
    while let Some(expr) = pending.pop() {
        match expr {
            Expr::BinaryExpr(same) if same.op == binary.op => pending.extend([&*same.right, &*same.left]),
            other => translated.push(translate_to(other, schema, depth)?),
        }
    }
    Some(translated)
}

fn translate_in(in_list: &InList, schema: &Schema) -> Option<Filter> {
    if let Some((part, column)) = date::part(&in_list.expr, schema) {
        let values = in_list.list.iter().map(|value| date::number(literal(value)?));
        let values: Vec<_> = values.collect::<Option<_>>()?;
        let found = date::one_of(part, column, |number| values.contains(&number))?;
        return Some(negated(in_list.negated, found));
    }
    let found = column(&in_list.expr, schema).filter(|found| is_comparable_type(&found.data_type))?;
    let values = in_list.list.iter().map(|value| match literal(value)? {
        value if value.data_type() == found.data_type && (found.is_normal || !is_special(value)) => Some(value.clone()),
        _ => None,
    });
    Some(negated(in_list.negated, Filter::In(found.operand, values.collect::<Option<_>>()?)))
}

fn translate_like(like: &Like, schema: &Schema) -> Option<Filter> {
    let text = text_column(&like.expr, schema)?;
    let pattern = Pattern {
        text: literal(&like.pattern)?.try_as_str()??.to_owned(),
        escape: like.escape_char.unwrap_or(DEFAULT_ESCAPE),
        ignore_case: like.case_insensitive,
    };
    let filter = match plain_parts(&pattern) {
        Some((false, part, true)) => Filter::StartsWith(text, part),
        Some((true, part, false)) => Filter::EndsWith(text, part),
        Some((true, part, true)) => Filter::Contains(text, part),
        _ => Filter::Like(text, pattern),
    };
    Some(negated(like.negated, filter))
}

fn translate_call(call: &ScalarFunction, schema: &Schema) -> Option<Filter> {
    let build = match call.func.name() {
        "starts_with" => Filter::StartsWith,
        "ends_with" => Filter::EndsWith,
        "contains" => Filter::Contains,
        _ => return None,
    };
    let [text, part] = call.args.as_slice() else { return None };
    Some(build(text_column(text, schema)?, literal(part)?.try_as_str()??.to_owned()))
}

/// The text of a pattern that has `%` at its ends alone, and at which of them; none for other patterns.
fn plain_parts(pattern: &Pattern) -> Option<(bool, String, bool)> {
    if pattern.ignore_case {
        return None;
    }
    let (starts, rest) = match pattern.text.strip_prefix('%') {
        Some(rest) => (true, rest),
        None => (false, pattern.text.as_str()),
    };
    let mut text = String::new();
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            escape if escape == pattern.escape => text.push(characters.next()?),
            '%' if characters.as_str().is_empty() => return Some((starts, text, true)),
            '%' | '_' => return None,
            plain => text.push(plain),
        }
    }
    Some((starts, text, false))
}

fn comparison(left: &Expr, operator: Operator, right: &Expr, schema: &Schema) -> Option<Filter> {
    match (literal(left), literal(right)) {
        (None, Some(value)) => with_literal(left, operator, value, schema),
        (Some(value), None) => with_literal(right, operator.swapped(), value, schema),
        _ => None,
    }
    .or_else(|| between_sides(left, operator, right, schema))
}

/// A comparison of what is more than a column.
fn with_literal(expr: &Expr, operator: Operator, value: &ScalarValue, schema: &Schema) -> Option<Filter> {
    match date::part(expr, schema) {
        Some((part, column)) => date::compared_part(part, column, operator, value),
        None => date::shifted(expr, operator, value, schema).or_else(|| filled(expr, operator, value, schema)),
    }
}

/// A column with a value in the place of NULL, which the engine has made a case of by now.
fn filled(expr: &Expr, operator: Operator, value: &ScalarValue, schema: &Schema) -> Option<Filter> {
    let Expr::Case(Case { expr: None, when_then_expr, else_expr: Some(otherwise) }) = expr else { return None };
    let [(condition, then)] = when_then_expr.as_slice() else { return None };
    let Expr::IsNotNull(tested) = condition.as_ref() else { return None };
    let filling = literal(otherwise).filter(|_| tested == then)?;
    let known = between_sides(then, operator, &Expr::Literal(value.clone(), None), schema)?;
    let operand = column(tested, schema)?.operand;
    if filling.data_type() != value.data_type() || value.data_type().is_floating() {
        return None;
    }
    Some(match operator.holds(filling.partial_cmp(value)?) {
        true => Filter::Or(vec![Filter::IsNull(operand), known]),
        false => Filter::And(vec![Filter::IsNotNull(operand), known]),
    })
}

fn between_sides(left: &Expr, operator: Operator, right: &Expr, schema: &Schema) -> Option<Filter> {
    let (left, right) = (side(left, schema)?, side(right, schema)?);
    if matches!((&left.operand, &right.operand), (Operand::Literal(_), Operand::Literal(_))) {
        return None;
    }
    // The engine tells two zeros apart, and NaNs by their sign; beside any other number that does not show.
    let is_plain = |side: &Side| matches!(&side.operand, Operand::Literal(value) if !is_special(value));
    let is_float = matches!(left.data_type, DataType::Float32 | DataType::Float64);
    let agrees = !is_float || is_plain(&left) || is_plain(&right) || (left.is_normal && right.is_normal);
    (left.data_type == right.data_type && is_comparable_type(&left.data_type) && agrees)
        .then(|| Filter::Comparison(left.operand, operator, right.operand))
}

/// One side of a comparison.
pub(super) struct Side {
    pub(super) operand: Operand,
    pub(super) data_type: DataType,
    /// Whether zeros and NaNs are those of [`NORMAL_FLOAT`].
    is_normal: bool,
}

fn side(expr: &Expr, schema: &Schema) -> Option<Side> {
    match literal(expr) {
        // A literal is folded: `normal(-0.0)` is `0.0` by now.
        Some(value) => {
            Some(Side { operand: Operand::Literal(value.clone()), data_type: value.data_type(), is_normal: true })
        }
        None => column(expr, schema),
    }
}

pub(super) fn column(expr: &Expr, schema: &Schema) -> Option<Side> {
    match expr {
        Expr::Column(column) => {
            let data_type = schema.field_with_name(&column.name).ok()?.data_type().clone();
            Some(Side { operand: Operand::Column(column.name.clone()), data_type, is_normal: false })
        }
        Expr::ScalarFunction(call) if call.func.name() == NORMAL_FLOAT => {
            let [argument] = call.args.as_slice() else { return None };
            Some(Side { is_normal: true, ..column(argument, schema)? })
        }
        _ => None,
    }
}

fn text_column(expr: &Expr, schema: &Schema) -> Option<Operand> {
    column(expr, schema).filter(|side| side.data_type == DataType::Utf8).map(|side| side.operand)
}

pub(super) fn literal(expr: &Expr) -> Option<&ScalarValue> {
    match expr {
        Expr::Literal(value, _) if !value.is_null() => Some(value),
        _ => None,
    }
}

fn negated(negated: bool, filter: Filter) -> Filter {
    match negated {
        true => Filter::Not(Box::new(filter)),
        false => filter,
    }
}

fn is_special(value: &ScalarValue) -> bool {
    match value {
        ScalarValue::Float64(Some(value)) => *value == 0.0 || value.is_nan(),
        ScalarValue::Float32(Some(value)) => *value == 0.0 || value.is_nan(),
        _ => false,
    }
}

/// Whether the values of a column can be compared, and so be sorted.
pub(crate) fn is_comparable(schema: &Schema, column: &str) -> bool {
    schema.field_with_name(column).is_ok_and(|field| is_comparable_type(field.data_type()))
}

/// The types that a literal of the tree may have.
fn is_comparable_type(data_type: &DataType) -> bool {
    use DataType::{Binary, Boolean, Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp, Utf8};
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
            | Timestamp(TimeUnit::Microsecond, _)
    )
}
