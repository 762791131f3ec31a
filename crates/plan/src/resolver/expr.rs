//! Expressions: names, calls, casts and subqueries to what DataFusion computes.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue, Spans};
use datafusion::functions::core::expr_fn::nullif;
use datafusion::logical_expr::expr::{Exists, InSubquery, Sort};
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Subquery};
use recursive::recursive;

use super::names::output_name;
use super::node::{Field, Node, quote};
use super::{Context, Resolver};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions;
use crate::functions::call::{Call, Typed};
use crate::functions::cast::cast;
use crate::ir::{self, CastMode, NullOrdering, SortDirection};
use crate::types::{common_type, timestamp, timestamp_ntz};

/// The columns that an expression may name, and where it stands.
pub(super) struct Scope<'a> {
    resolver: &'a Resolver,
    node: &'a Node,
    context: &'a Context<'a>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(resolver: &'a Resolver, node: &'a Node, context: &'a Context<'a>) -> Self {
        Self { resolver, node, context }
    }

    /// A select list: one expression under a fresh internal name for each column that comes out.
    pub(super) fn list(&self, list: &[ir::Expr]) -> Result<(Vec<Expr>, Vec<Field>)> {
        let mut exprs = vec![];
        let mut fields = vec![];
        for expr in list {
            for (expr, field) in self.item(expr)? {
                exprs.push(expr.alias(&field.column.name));
                fields.push(field);
            }
        }
        Ok((exprs, fields))
    }

    /// One item of a select list; a star is several columns.
    fn item(&self, expr: &ir::Expr) -> Result<Vec<(Expr, Field)>> {
        match expr {
            ir::Expr::Star { qualifier, plan_id } => self.star(qualifier, *plan_id),
            ir::Expr::Attribute { parts, plan_id } => {
                // A column that passes through keeps the relations that it came through, so that `df["a"]` still finds it.
                if let Some(found) = self.resolver.find_reference(parts, *plan_id, self.node)? {
                    let expr = self.resolver.access(&found, self.node)?;
                    let column = self.resolver.new_column();
                    let name = parts.last().cloned().unwrap_or_default();
                    let field = match found.path {
                        [] => Field { column, name, hidden: false, ..found.field.clone() },
                        _ => Field::new(column, name),
                    };
                    return Ok(vec![(expr, field)]);
                }
                self.named(expr, output_name(expr))
            }
            ir::Expr::Alias { expr, names } => match names.as_slice() {
                [name] => self.named(expr, name.clone()),
                _ => Err(SparkError::unsupported("an alias with several names")),
            },
            // A cast keeps the name of a bare column.
            ir::Expr::Cast { expr: inner, .. } => match &**inner {
                ir::Expr::Attribute { .. } => self.named(expr, output_name(inner)),
                _ => self.named(expr, output_name(expr)),
            },
            other => self.named(other, output_name(other)),
        }
    }

    fn named(&self, expr: &ir::Expr, name: String) -> Result<Vec<(Expr, Field)>> {
        let column = self.resolver.new_column();
        Ok(vec![(self.expr(expr)?, Field::new(column, name))])
    }

    fn star(&self, qualifier: &[String], plan_id: Option<i64>) -> Result<Vec<(Expr, Field)>> {
        let fits = |field: &&Field| {
            plan_id.is_none_or(|id| field.plan_ids.contains(&id))
                && field.qualifier.len() >= qualifier.len()
                && field.qualifier[field.qualifier.len() - qualifier.len()..]
                    .iter()
                    .zip(qualifier)
                    .all(|(own, given)| super::node::same_name(own, given, self.resolver.settings.case_sensitive))
        };
        let found: Vec<_> = self
            .node
            .visible()
            .filter(fits)
            .map(|field| (field.expr(), Field { column: self.resolver.new_column(), ..field.clone() }))
            .collect();
        if !found.is_empty() || qualifier.is_empty() {
            return Ok(found);
        }
        if let Some(found) = self.resolver.find_reference(qualifier, plan_id, self.node)? {
            return self.struct_star(self.resolver.access(&found, self.node)?);
        }
        let message = format!("Cannot resolve {}.* given the columns of the input.", quote(qualifier));
        Err(SparkError::new(ErrorClass::Analysis, "CANNOT_RESOLVE_STAR_EXPAND", "42704", message)
            .with("targetString", quote(qualifier)))
    }

    fn struct_star(&self, base: Expr) -> Result<Vec<(Expr, Field)>> {
        let data_type = self.type_of(&base)?;
        let DataType::Struct(fields) = &data_type else {
            let message = "Only a struct can be expanded with a star.";
            return Err(SparkError::new(ErrorClass::Analysis, "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", message));
        };
        fields
            .iter()
            .map(|field| {
                let (expr, _) = self.resolver.struct_field(base.clone(), &data_type, field.name())?;
                Ok((expr, Field::new(self.resolver.new_column(), field.name())))
            })
            .collect()
    }

    /// The meaning of one expression.
    #[recursive]
    pub(super) fn expr(&self, expr: &ir::Expr) -> Result<Expr> {
        match expr {
            ir::Expr::Literal(value) => Ok(Expr::Literal(value.clone(), None)),
            ir::Expr::Attribute { parts, plan_id } => self.attribute(parts, *plan_id),
            ir::Expr::Alias { expr, .. } => self.expr(expr),
            ir::Expr::Cast { expr, to, mode } => {
                let expr = self.expr(expr)?;
                let from = self.type_of(&expr)?;
                cast(expr, &from, to, *mode, &self.resolver.settings.time_zone)
            }
            ir::Expr::Timestamp { text, without_zone } => {
                let to = if *without_zone { timestamp_ntz() } else { timestamp() };
                let text = Expr::Literal(ScalarValue::Utf8(Some(text.clone())), None);
                cast(text, &DataType::Utf8, &to, CastMode::Ansi, &self.resolver.settings.time_zone)
            }
            ir::Expr::Ordinal(position) => {
                let message = format!("The position {position} means a column in ORDER BY alone.");
                Err(SparkError::new(ErrorClass::Analysis, "ORDER_BY_POS_OUT_OF_RANGE", "42805", message))
            }
            ir::Expr::Function(function) if functions::window::needs_window(&function.name.to_lowercase()) => {
                Err(window_without_over(&function.name))
            }
            ir::Expr::Function(function) => self.function(function),
            ir::Expr::Extract { expr, key } => self.extract(expr, key),
            ir::Expr::Window { function, partition_by, order_by, frame } => {
                self.window(function, partition_by, order_by, frame.as_ref())
            }
            ir::Expr::ScalarSubquery(relation) => self.scalar_subquery(relation),
            ir::Expr::Exists { subquery, negated } => {
                Ok(Expr::Exists(Exists { subquery: self.subquery(subquery)?, negated: *negated }))
            }
            ir::Expr::InSubquery { expr, subquery, negated } => self.in_subquery(expr, subquery, *negated),
            ir::Expr::Star { .. } => {
                let message = "Invalid usage of '*' in an expression.";
                Err(SparkError::new(ErrorClass::Analysis, "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", message))
            }
            ir::Expr::SortOrder(_) => Err(SparkError::unsupported("a sort order inside an expression")),
            ir::Expr::Text(_) => Err(SparkError::internal("SQL text was not expanded")),
        }
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
        cast(expr, &from, to, CastMode::Ansi, &self.resolver.settings.time_zone)
    }

    /// `expr` where a truth value is needed; `written` is what the message shows.
    pub(super) fn boolean(&self, expr: Expr, written: &ir::Expr) -> Result<Expr> {
        match self.type_of(&expr)? {
            DataType::Boolean => Ok(expr),
            DataType::Null => self.cast_to(expr, &DataType::Boolean),
            other => {
                let (name, found) = (output_name(written), sql_name(&other));
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
        if let Some(found) = self.resolver.find_reference(parts, plan_id, self.node)? {
            return self.resolver.access(&found, self.node);
        }
        if let Some(outer) = self.context.outer
            && let Some(found) = self.resolver.find_reference(parts, plan_id, outer)?
            && found.path.is_empty()
        {
            return Ok(Expr::OuterReferenceColumn(outer.type_of(found.field)?, found.field.column.clone()));
        }
        match plan_id {
            Some(_) => Err(self.resolver.unresolved_dataframe_column(parts)),
            None => Err(self.resolver.unresolved_column(parts, self.node)),
        }
    }

    fn typed(&self, expr: &ir::Expr) -> Result<Typed> {
        let resolved = self.expr(expr)?;
        let data_type = self.type_of(&resolved)?;
        Ok(Typed { expr: resolved, data_type })
    }

    fn function(&self, function: &ir::Function) -> Result<Expr> {
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
        let written = output_name(&ir::Expr::Function(function.clone()));
        let call = Call {
            name: function.name.to_lowercase(),
            written,
            args,
            arg_names: function.args.iter().map(column_name).collect(),
            distinct: function.distinct,
            filter,
            time_zone: &self.resolver.settings.time_zone,
            schema: self.node.plan.schema(),
        };
        functions::resolve(call)
    }

    fn extract(&self, base: &ir::Expr, key: &ir::Expr) -> Result<Expr> {
        let base = self.typed(base)?;
        if let (DataType::Struct(_), ir::Expr::Literal(ScalarValue::Utf8(Some(name)))) = (&base.data_type, key) {
            return Ok(self.resolver.struct_field(base.expr, &base.data_type, name)?.0);
        }
        let key = self.typed(key)?;
        functions::call::element(base, key, &self.resolver.settings.time_zone)
    }

    fn subquery(&self, relation: &ir::Relation) -> Result<Subquery> {
        let context = Context { named: self.context.named, outer: Some(self.node) };
        let node = self.resolver.relation(relation, &context)?.into_visible()?;
        Ok(subquery_of(node.plan))
    }

    fn scalar_subquery(&self, relation: &ir::Relation) -> Result<Expr> {
        let subquery = self.subquery(relation)?;
        let [field] = subquery.subquery.schema().fields().iter().collect::<Vec<_>>()[..] else {
            return Err(one_column_expected(subquery.subquery.schema().fields().len()));
        };
        if field.is_nullable() {
            return Ok(Expr::ScalarSubquery(subquery));
        }
        // Without a row the value is NULL, which DataFusion does not see in a column that has none.
        let column = Expr::Column(Column::new_unqualified(field.name()));
        let null = Expr::Literal(ScalarValue::try_from(field.data_type())?, None);
        let value = nullif(column, null).alias(self.resolver.new_column().name);
        let plan = LogicalPlanBuilder::new_from_arc(subquery.subquery).project([value])?.build()?;
        Ok(Expr::ScalarSubquery(subquery_of(plan)))
    }

    fn in_subquery(&self, expr: &ir::Expr, relation: &ir::Relation, negated: bool) -> Result<Expr> {
        let value = self.typed(expr)?;
        let subquery = self.subquery(relation)?;
        let [field] = subquery.subquery.schema().fields().iter().collect::<Vec<_>>()[..] else {
            return Err(one_column_expected(subquery.subquery.schema().fields().len()));
        };
        let to = common_type(&value.data_type, field.data_type()).ok_or_else(|| {
            let message = "The value and the column of the IN subquery have no common type.";
            SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH", "42K09", message)
        })?;
        let expr = Box::new(self.cast_to(value.expr, &to)?);
        Ok(Expr::InSubquery(InSubquery { expr, subquery, negated }))
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
        let order_by = order_by.iter().map(|order| self.sort_key(order)).collect::<Result<Vec<_>>>()?;
        functions::window::over(function, partition_by, order_by, frame)
    }
}

/// A sort key of an expression that is resolved already.
pub(super) fn sort_of(expr: Expr, order: &ir::SortOrder) -> Sort {
    expr.sort(order.direction == SortDirection::Ascending, order.nulls == NullOrdering::First)
}

fn subquery_of(plan: LogicalPlan) -> Subquery {
    let outer_ref_columns = plan.all_out_ref_exprs();
    Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() }
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

fn one_column_expected(found: usize) -> SparkError {
    let message = format!("A subquery that is used as a value must have one column, this one has {found}.");
    let condition = "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN";
    SparkError::new(ErrorClass::Analysis, condition, "42823", message).with("number", found.to_string())
}
