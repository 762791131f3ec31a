//! Expressions: names, calls, casts and subqueries to what DataFusion computes.

use std::collections::HashMap;

use arrow::datatypes::DataType;
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::Sort;
use datafusion::logical_expr::{Expr, ExprSchemable};
use recursive::recursive;

use super::attribute::has_fields;
use super::lambda::Parameters;
use super::names::Namer;
use super::node::{Field, Node};
use super::star::has_star;
use super::{Context, Resolver, generate, input_file};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions;
use crate::functions::call::{Call, Typed};
use crate::functions::cast::cast;
use crate::functions::higher_order::HigherOrder;
use crate::ir::{self, CastMode, NullOrdering, SortDirection};
use crate::types::{METADATA, timestamp, timestamp_ntz};

/// The columns that an expression may name, and where it stands.
pub(super) struct Scope<'a> {
    pub(super) resolver: &'a Resolver,
    pub(super) node: &'a Node,
    pub(super) context: &'a Context<'a>,
    /// The parameters of the lambda function around.
    pub(super) parameters: Option<&'a Parameters<'a>>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(resolver: &'a Resolver, node: &'a Node, context: &'a Context<'a>) -> Self {
        Self { resolver, node, context, parameters: None }
    }

    /// A select list: one expression under a fresh internal name for each column that comes out.
    pub(super) fn list(&self, list: &[ir::Expr]) -> Result<(Vec<Expr>, Vec<Field>)> {
        let mut exprs = vec![];
        let mut fields = vec![];
        for item in list {
            if generate::is_inside(item) {
                return Err(generate::nested(&self.name(item)));
            }
            for (expr, field) in self.item(item)? {
                exprs.push(expr.alias(&field.column.name));
                fields.push(field);
            }
        }
        Ok((exprs, fields))
    }

    /// One item of a select list; a star is several columns.
    pub(super) fn item(&self, expr: &ir::Expr) -> Result<Vec<(Expr, Field)>> {
        match expr {
            expr if has_star(expr) => {
                let mut written = expr.clone();
                self.write_out_stars(&mut written)?;
                self.item(&written)
            }
            ir::Expr::Star { qualifier, plan_id, except } => self.star(qualifier, *plan_id, except),
            ir::Expr::Regex { pattern, plan_id } => self.fitting(pattern, *plan_id),
            ir::Expr::Attribute { parts, plan_id } => {
                // A column that passes through keeps the relations that it came through, so that `df["a"]` still finds it.
                if let Some(found) = self.resolver.find_reference(parts, *plan_id, self.node)? {
                    let expr = self.resolver.access(&found, self.node)?;
                    let column = self.resolver.new_column();
                    let name = parts.last().cloned().unwrap_or_default();
                    let field = match found.path {
                        [] => Field { column, name, hidden: false, is_metadata: false, ..found.field.clone() },
                        _ => Field::new(column, name),
                    };
                    return Ok(vec![(expr, field)]);
                }
                self.named(expr, parts.last().cloned().unwrap_or_default())
            }
            ir::Expr::Alias { expr, names } => match names.as_slice() {
                [name] => self.named(expr, name.clone()),
                _ => Err(SparkError::unsupported("an alias with several names")),
            },
            // A cast keeps the name of a bare column.
            ir::Expr::Cast { expr: inner, .. } => match &**inner {
                ir::Expr::Attribute { parts, plan_id }
                    if self.resolver.name_inside(parts, *plan_id, self.node).is_none() =>
                {
                    self.named(expr, self.name(inner))
                }
                _ => self.named(expr, self.name(expr)),
            },
            other => self.named(other, self.name(other)),
        }
    }

    fn named(&self, expr: &ir::Expr, name: String) -> Result<Vec<(Expr, Field)>> {
        let column = self.resolver.new_column();
        Ok(vec![(self.expr(expr)?, Field::new(column, name))])
    }

    /// The meaning of one expression.
    #[recursive]
    pub(super) fn expr(&self, expr: &ir::Expr) -> Result<Expr> {
        match expr {
            ir::Expr::Literal(value) => Ok(Expr::Literal(value.clone(), None)),
            ir::Expr::Attribute { parts, plan_id } => self.attribute(parts, *plan_id),
            ir::Expr::Alias { expr, .. } => self.expr(expr),
            ir::Expr::Annotated { expr, metadata } => {
                let metadata = HashMap::from([(METADATA.to_owned(), metadata.clone())]);
                let column = self.resolver.new_column();
                Ok(self.expr(expr)?.alias_with_metadata(column.name, Some(FieldMetadata::from(metadata))))
            }
            ir::Expr::UpdateField { expr, path, value } => self.update_field(expr, path, value.as_deref()),
            ir::Expr::Cast { expr, to, mode } => {
                let expr = self.expr(expr)?;
                let from = self.type_of(&expr)?;
                let mode = if *mode == CastMode::Ansi { CastMode::plain(self.resolver.settings.ansi) } else { *mode };
                cast(expr, &from, to, mode, &self.resolver.settings.time_zone)
            }
            ir::Expr::Timestamp { text, without_zone } => {
                let to = if *without_zone { timestamp_ntz() } else { timestamp() };
                let text = Expr::Literal(ScalarValue::Utf8(Some(text.clone())), None);
                let value = cast(text, &DataType::Utf8, &to, CastMode::Ansi, &self.resolver.settings.time_zone)?;
                match self.resolver.constant(value.clone()) {
                    Ok(Some(known)) => Ok(Expr::Literal(known, None)),
                    // What is wrong with the text is said when the query runs.
                    _ => Ok(value),
                }
            }
            ir::Expr::Interval { value, fields } => Ok(Expr::Literal(value.clone(), Some(fields.of_expression()))),
            ir::Expr::Ordinal(position) => {
                let message = format!("The position {position} means a column in ORDER BY alone.");
                Err(SparkError::new(ErrorClass::Analysis, "ORDER_BY_POS_OUT_OF_RANGE", "42805", message))
            }
            ir::Expr::Function(function) if functions::window::needs_window(&function.name.to_lowercase()) => {
                Err(window_without_over(&function.name))
            }
            ir::Expr::Function(function) if input_file::is_one(function) => self.input_file(function),
            ir::Expr::Function(function) => self.function(function),
            ir::Expr::Extract { expr, key } => self.extract(expr, key),
            ir::Expr::Window { function, partition_by, order_by, frame } => {
                self.window(function, partition_by, order_by, frame.as_ref())
            }
            ir::Expr::ScalarSubquery(relation) => self.scalar_subquery(relation),
            ir::Expr::Exists { subquery, negated } => self.exists(subquery, *negated),
            ir::Expr::InSubquery { values, subquery, negated } => self.in_subquery(values, subquery, *negated),
            ir::Expr::Internal(column) => Ok(Expr::Column(Column::new_unqualified(column))),
            ir::Expr::Star { .. } | ir::Expr::Regex { .. } => {
                let message = "Invalid usage of '*' in an expression.";
                Err(SparkError::new(ErrorClass::Analysis, "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", message))
            }
            ir::Expr::Lambda { .. } => {
                let message = "A lambda function can only be the argument of a higher-order function.";
                let condition = "INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION";
                Err(SparkError::new(ErrorClass::Analysis, condition, "42K0D", message))
            }
            ir::Expr::SortOrder(_) => Err(SparkError::unsupported("a sort order inside an expression")),
            ir::Expr::Text(_) => Err(SparkError::internal("SQL text was not expanded")),
        }
    }

    /// The name that Spark gives to an expression.
    pub(super) fn name(&self, expr: &ir::Expr) -> String {
        let type_of = |attribute: &ir::Expr| self.typed(attribute).ok().map(|typed| typed.data_type);
        let parameters = self.parameters.map(Parameters::all_names).unwrap_or_default();
        let variable = |parts: &[String]| self.variable(parts);
        let time_zone = &self.resolver.settings.time_zone;
        // By itself a field is called by its own name.
        let inside = |attribute: &ir::Expr| match (expr, attribute) {
            (ir::Expr::Attribute { .. }, _) => None,
            (_, ir::Expr::Attribute { parts, plan_id }) => self.resolver.name_inside(parts, *plan_id, self.node),
            _ => None,
        };
        Namer { time_zone, type_of: &type_of, variable: &variable, inside: &inside, parameters }.name(expr)
    }

    /// The type that an expression has.
    pub(super) fn type_of(&self, expr: &Expr) -> Result<DataType> {
        if let Some(known) = functions::result_type(expr) {
            return Ok(known);
        }
        // The engine goes down the whole expression, and looks out for the stack at the top only.
        const STACK: usize = 1 << 20;
        Ok(stacker::maybe_grow(STACK, 4 * STACK, || expr.get_type(self.node.plan.schema().as_ref()))?)
    }

    /// `expr` as a value of type `to`.
    pub(super) fn cast_to(&self, expr: Expr, to: &DataType) -> Result<Expr> {
        let from = self.type_of(&expr)?;
        self.resolver.cast_between(expr, &from, to)
    }

    /// `expr` where a truth value is needed; `written` is what the message shows.
    pub(super) fn boolean(&self, expr: Expr, written: &ir::Expr) -> Result<Expr> {
        match self.type_of(&expr)? {
            DataType::Boolean => Ok(expr),
            DataType::Null => self.cast_to(expr, &DataType::Boolean),
            other => {
                let (name, found) = (self.name(written), sql_name(&other));
                let message = format!("The condition \"{name}\" has type \"{found}\", but \"BOOLEAN\" is needed.");
                Err(SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", "42K09", message)
                    .with("filter", format!("\"{name}\""))
                    .with("type", format!("\"{found}\"")))
            }
        }
    }

    /// A key of a sort.
    pub(super) fn sort_key(&self, order: &ir::SortOrder) -> Result<Sort> {
        Ok(sort_of(self.expr(&order.expr)?, order))
    }

    fn attribute(&self, parts: &[String], plan_id: Option<i64>) -> Result<Expr> {
        if let (Some(parameters), None) = (self.parameters, plan_id)
            && let Some(found) = parameters.find(parts, self.resolver)?
        {
            return Ok(found);
        }
        if let Some(found) = self.resolver.find_reference(parts, plan_id, self.node)? {
            return self.resolver.access(&found, self.node);
        }
        if let Some(outer) = self.context.outer
            && let Some(found) = self.resolver.find_reference(parts, plan_id, outer)?
            && found.path.is_empty()
        {
            return Ok(Expr::OuterReferenceColumn(outer.type_of(found.field)?, found.field.column.clone()));
        }
        if let (Some(variable), None) = (self.resolver.variable(parts), plan_id) {
            return self.resolver.value_of(&variable);
        }
        match plan_id {
            Some(_) => Err(self.resolver.unresolved_dataframe_column(parts)),
            None => Err(self.resolver.unresolved_column(parts, self.node)),
        }
    }

    /// The meaning of one expression, and its type.
    pub(super) fn typed(&self, expr: &ir::Expr) -> Result<Typed> {
        let resolved = self.expr(expr)?;
        let data_type = self.type_of(&resolved)?;
        Ok(Typed { expr: resolved, data_type })
    }

    pub(super) fn function(&self, function: &ir::Function) -> Result<Expr> {
        if let Some(of_user) = self.resolver.function_of_user(&function.name) {
            return self.sql_function(&of_user, &function.args);
        }
        if let Some(kind) = HigherOrder::of(&function.name.to_lowercase(), &function.args) {
            return self.higher_order(kind, function);
        }
        if functions::generator::is_generator(&function.name.to_lowercase()) {
            return Err(generate::outside_select(function));
        }
        functions::resolve(self.call(function)?)
    }

    /// A call with its arguments resolved.
    pub(super) fn call(&self, function: &ir::Function) -> Result<Call<'_>> {
        // `count(*)` counts rows; a star of several columns stands for them all.
        let args = match function.args.as_slice() {
            [ir::Expr::Star { qualifier, .. }]
                if function.name.eq_ignore_ascii_case("count") && qualifier.is_empty() =>
            {
                vec![Typed { expr: Expr::Literal(ScalarValue::Int32(Some(1)), None), data_type: DataType::Int32 }]
            }
            args => args.iter().map(|arg| self.typed(arg)).collect::<Result<Vec<_>>>()?,
        };
        let filter = match &function.filter {
            Some(filter) => Some(Box::new(self.boolean(self.expr(filter)?, filter)?)),
            None => None,
        };
        Ok(Call {
            name: function.name.to_lowercase(),
            written: self.name(&ir::Expr::Function(function.clone())),
            args,
            arg_names: function.args.iter().map(column_name).collect(),
            distinct: function.distinct,
            filter,
            order_by: function.order_by.iter().map(|order| self.sort_key(order)).collect::<Result<_>>()?,
            time_zone: &self.resolver.settings.time_zone,
            ansi: self.resolver.settings.ansi,
            database: &self.resolver.settings.database,
            schema: self.node.plan.schema(),
        })
    }

    fn extract(&self, base: &ir::Expr, key: &ir::Expr) -> Result<Expr> {
        let base = self.typed(base)?;
        if let (true, ir::Expr::Literal(ScalarValue::Utf8(Some(name)))) = (has_fields(&base.data_type), key) {
            return Ok(self.resolver.struct_field(base.expr, &base.data_type, name)?.0);
        }
        let key = self.typed(key)?;
        functions::call::element(base, key, &self.resolver.settings.time_zone)
    }

    fn window(
        &self,
        function: &ir::Expr,
        partition_by: &[ir::Expr],
        order_by: &[ir::SortOrder],
        frame: Option<&ir::WindowFrame>,
    ) -> Result<Expr> {
        let function = match function {
            ir::Expr::Function(function) => self.function(function)?,
            other => self.expr(other)?,
        };
        let partition_by = partition_by.iter().map(|expr| self.expr(expr)).collect::<Result<Vec<_>>>()?;
        let mut order_by = order_by.iter().map(|order| self.sort_key(order)).collect::<Result<Vec<_>>>()?;
        for key in &mut order_by {
            // The engine has no ranges of intervals: they are in the order of their numbers.
            let data_type = self.type_of(&key.expr)?;
            if functions::interval_number::is_interval(&data_type) {
                let interval = Typed { expr: std::mem::take(&mut key.expr), data_type };
                key.expr = functions::interval_number::number_of(interval).expr;
            }
        }
        let key = order_by.first().map(|key| self.type_of(&key.expr)).transpose()?;
        functions::window::over(function, partition_by, order_by, frame.map(|frame| (frame, key.as_ref())))
    }
}

/// A sort key of an expression that is resolved already.
pub(super) fn sort_of(expr: Expr, order: &ir::SortOrder) -> Sort {
    expr.sort(order.direction == SortDirection::Ascending, order.nulls == NullOrdering::First)
}

fn window_without_over(name: &str) -> SparkError {
    let message = format!("The window function `{name}` needs an OVER clause.");
    SparkError::new(ErrorClass::Analysis, "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "42601", message)
        .with("funcName", format!("`{name}`"))
}

/// The name that a struct gives to an argument.
fn column_name(arg: &ir::Expr) -> Option<String> {
    match arg {
        ir::Expr::Attribute { parts, .. } => parts.last().cloned(),
        ir::Expr::Alias { names, .. } => names.first().cloned(),
        ir::Expr::Extract { key, .. } => match key.as_ref() {
            ir::Expr::Literal(ScalarValue::Utf8(name)) => name.clone(),
            _ => None,
        },
        _ => None,
    }
}
