//! Relations of one input, and leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::functions_table::generate_series::{GenSeriesArgs, GenerateSeriesTable};
use datafusion::logical_expr::utils::{find_aggregate_exprs, find_window_exprs};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Partitioning};
use recursive::recursive;

use super::aggregate::Clauses;
use super::expr::Scope;
use super::node::{Field, Node, quote, same_name, unresolved_among_fields};
use super::{Context, Named, Resolver};
use crate::environment::Resolved;
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::cast::cast;
use crate::ir::{self, Deduplicate, Read, Relation, RelationKind};
use crate::types::common_type;

impl Resolver {
    /// The meaning of `relation`; its columns are marked with its plan id.
    #[recursive]
    pub(super) fn relation(&self, relation: &Relation, context: &Context<'_>) -> Result<Node> {
        let mut node = self.relation_kind(&relation.kind, context)?;
        if let Some(id) = relation.plan_id {
            for field in &mut node.fields {
                field.plan_ids.insert(id);
            }
        }
        Ok(node)
    }

    fn relation_kind(&self, kind: &RelationKind, context: &Context<'_>) -> Result<Node> {
        match kind {
            RelationKind::Read(Read::Table(name)) => self.table(name, context),
            RelationKind::Read(Read::Source(source)) => {
                let provider =
                    self.tables.source(source).ok_or_else(|| SparkError::internal("a source was not opened"))?;
                self.scan(&source.format, provider.clone())
            }
            RelationKind::Local { schema, batches } => self.local(schema, batches),
            RelationKind::Range { start, end, step } => self.range(*start, *end, *step),
            RelationKind::Values(rows) => self.values(rows, context),
            RelationKind::Project { input, list } => self.project(input.as_deref(), list, context),
            RelationKind::Filter { input, condition } => self.filter(input, condition, context),
            RelationKind::Aggregate(aggregate) => {
                let input = self.relation(&aggregate.input, context)?;
                self.aggregate(input, &Clauses::of(aggregate), &[], None, context)
            }
            RelationKind::Join(join) => self.join(join, context),
            RelationKind::SetOp(op) => self.set_op(op, context),
            RelationKind::Sort { input, order } => self.sort(input, order, context),
            RelationKind::Limit { input, skip, fetch } => {
                let node = self.relation(input, context)?;
                let plan = LogicalPlanBuilder::from(node.plan.clone()).limit(*skip, *fetch)?.build()?;
                Ok(node.with_plan(plan))
            }
            RelationKind::Deduplicate(deduplicate) => self.deduplicate(deduplicate, context),
            RelationKind::SubqueryAlias { input, alias, columns } => {
                self.subquery_alias(input, alias, columns, context)
            }
            RelationKind::WithColumns { input, columns } => self.with_columns(input, columns, context),
            RelationKind::WithColumnsRenamed { input, renames } => self.with_columns_renamed(input, renames, context),
            RelationKind::Drop { input, columns, names } => self.drop_columns(input, columns, names, context),
            RelationKind::ToDf { input, names } => {
                let node = self.relation(input, context)?.into_visible()?;
                renamed(node, names)
            }
            RelationKind::Repartition { input, partitions } => {
                let node = self.relation(input, context)?;
                let partitioning = Partitioning::RoundRobinBatch((*partitions).max(1));
                let plan = LogicalPlanBuilder::from(node.plan.clone()).repartition(partitioning)?.build()?;
                Ok(node.with_plan(plan))
            }
            RelationKind::With { input, relations } => self.with(input, relations, context),
            RelationKind::Tail { .. } => Err(SparkError::unsupported("tail() below another operation")),
            RelationKind::ShowString { .. } => Err(SparkError::unsupported("show() below another operation")),
            RelationKind::Sql { .. } => Err(SparkError::internal("SQL text was not expanded")),
        }
    }

    fn with(&self, input: &Relation, relations: &[(String, Relation)], context: &Context<'_>) -> Result<Node> {
        match relations {
            [] => self.relation(input, context),
            [(name, relation), rest @ ..] => {
                let named = Named { name, relation, context: *context };
                self.with(input, rest, &Context { named: Some(&named), outer: context.outer })
            }
        }
    }

    fn table(&self, name: &[String], context: &Context<'_>) -> Result<Node> {
        let mut node = match name {
            [single] => match context.find(single, self.settings.case_sensitive) {
                Some(named) => self.relation(named.relation, &named.context)?.into_visible()?,
                None => self.view(name)?,
            },
            _ => self.view(name)?,
        };
        for field in &mut node.fields {
            field.qualifier = name.to_vec();
        }
        Ok(node)
    }

    /// A view under fresh internal names, so that it can be read twice in one query.
    fn view(&self, name: &[String]) -> Result<Node> {
        let view = self.tables.view(name).ok_or_else(|| table_not_found(name))?;
        let Resolved { plan, schema } = &**view;
        let columns = plan.schema().columns();
        self.aliased(plan.clone(), columns.into_iter().zip(schema.fields().iter().map(|field| field.name().clone())))
    }

    fn scan(&self, table: &str, provider: Arc<dyn TableProvider>) -> Result<Node> {
        let names: Vec<_> = provider.schema().fields().iter().map(|field| field.name().clone()).collect();
        let plan = LogicalPlanBuilder::scan(table.to_lowercase(), provider_as_source(provider), None)?.build()?;
        let columns = plan.schema().columns();
        self.aliased(plan, columns.into_iter().zip(names))
    }

    /// `plan` with each of `columns` under a fresh internal name.
    fn aliased(&self, plan: LogicalPlan, columns: impl Iterator<Item = (Column, String)>) -> Result<Node> {
        let mut fields = vec![];
        let mut exprs = vec![];
        for (column, name) in columns {
            let field = Field::new(self.new_column(), name);
            exprs.push(Expr::Column(column).alias(&field.column.name));
            fields.push(field);
        }
        let plan = LogicalPlanBuilder::from(plan).project(exprs)?.build()?;
        Ok(Node { plan, fields })
    }

    fn local(&self, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Node> {
        let unique: Vec<_> = schema.fields().iter().map(|_| self.new_column()).collect();
        let columns = schema.fields().iter().zip(&unique);
        let renamed: Vec<_> = columns.map(|(field, column)| field.as_ref().clone().with_name(&column.name)).collect();
        let internal = Arc::new(Schema::new(renamed));
        // The number of rows is stated, for a batch without columns has no other way to know it.
        let rename = |batch: &RecordBatch| {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(internal.clone(), batch.columns().to_vec(), &options)
        };
        let batches: Result<Vec<_>, _> = batches.iter().map(rename).collect();
        let batches = batches.map_err(|error| SparkError::from(datafusion::error::DataFusionError::from(error)))?;
        let table = Arc::new(MemTable::try_new(internal, vec![batches])?);
        let plan = LogicalPlanBuilder::scan("local", provider_as_source(table), None)?.build()?;
        let columns = plan.schema().columns();
        self.aliased(plan, columns.into_iter().zip(schema.fields().iter().map(|field| field.name().clone())))
    }

    fn range(&self, start: i64, end: i64, step: i64) -> Result<Node> {
        if step == 0 {
            let message = "The step of a range must not be 0.";
            return Err(SparkError::new(ErrorClass::IllegalArgument, "INVALID_PARAMETER_VALUE", "22023", message));
        }
        let schema = Arc::new(Schema::new(vec![ArrowField::new("id", DataType::Int64, false)]));
        let args = GenSeriesArgs::Int64Args { start, end, step, include_end: false, name: "range" };
        self.scan("range", Arc::new(GenerateSeriesTable::new(schema, args)))
    }

    fn values(&self, rows: &[Vec<ir::Expr>], context: &Context<'_>) -> Result<Node> {
        let empty = Node { plan: LogicalPlanBuilder::empty(true).build()?, fields: vec![] };
        let scope = Scope::new(self, &empty, context);
        let mut exprs = rows
            .iter()
            .map(|row| row.iter().map(|expr| scope.expr(expr)).collect::<Result<Vec<_>>>())
            .collect::<Result<Vec<_>>>()?;
        let width = exprs.first().map_or(0, Vec::len);
        if exprs.iter().any(|row| row.len() != width) {
            let message = "Every row of VALUES must have the same number of columns.";
            let condition = "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH";
            return Err(SparkError::new(ErrorClass::Analysis, condition, "42000", message));
        }
        for position in 0..width {
            let mut to = DataType::Null;
            for row in &exprs {
                let from = scope.type_of(&row[position])?;
                to = common_type(&to, &from).ok_or_else(|| {
                    let message = "The rows of VALUES have no common type for a column.";
                    let condition = "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE";
                    SparkError::new(ErrorClass::Analysis, condition, "42000", message)
                })?;
            }
            for row in &mut exprs {
                let expr = std::mem::take(&mut row[position]);
                row[position] = scope.cast_to(expr, &to)?;
            }
        }
        let plan = LogicalPlanBuilder::values(exprs)?.build()?;
        let names = (1..=width).map(|position| format!("col{position}"));
        let columns = plan.schema().columns();
        self.aliased(plan, columns.into_iter().zip(names))
    }

    fn project(&self, input: Option<&Relation>, list: &[ir::Expr], context: &Context<'_>) -> Result<Node> {
        let node = match input {
            Some(input) => self.relation(input, context)?,
            None => Node { plan: LogicalPlanBuilder::empty(true).build()?, fields: vec![] },
        };
        let Some((exprs, fields)) = self.select_list(&node, list, context)? else {
            return self.aggregate(node, &Clauses::of_all_rows(list), &[], None, context);
        };
        let plan = self.project_with_windows(node.plan, exprs)?;
        Ok(Node { plan, fields })
    }

    fn filter(&self, input: &Relation, condition: &ir::Expr, context: &Context<'_>) -> Result<Node> {
        let (node, resolved) = self.relation_with_hidden(input, condition, context)?;
        let resolved = Scope::new(self, &node, context).boolean(resolved, condition)?;
        if !find_aggregate_exprs([&resolved]).is_empty() {
            let message = "An aggregate function cannot stand in WHERE: filter the groups with HAVING.";
            return Err(SparkError::new(ErrorClass::Analysis, "INVALID_WHERE_CONDITION", "42903", message));
        }
        let plan = LogicalPlanBuilder::from(node.plan.clone()).filter(resolved)?.build()?;
        let filtered = node.with_plan(plan);
        // A column that only the condition needed goes; hidden keys of a join stay reachable.
        if filtered.plan.schema().fields().len() == filtered.fields.len() {
            Ok(filtered)
        } else {
            filtered.into_visible()
        }
    }

    /// A projection; window functions inside it are computed below it.
    pub(super) fn project_with_windows(&self, input: LogicalPlan, exprs: Vec<Expr>) -> Result<LogicalPlan> {
        let windows = find_window_exprs(&exprs);
        if windows.is_empty() {
            return Ok(LogicalPlanBuilder::from(input).project(exprs)?.build()?);
        }
        let plan = LogicalPlanBuilder::window_plan(input, windows.clone())?;
        let computed = |expr: Expr| {
            Ok(match windows.contains(&expr) {
                true => Transformed::yes(Expr::Column(Column::new_unqualified(expr.schema_name().to_string()))),
                false => Transformed::no(expr),
            })
        };
        let exprs: Result<Vec<_>, _> = exprs.into_iter().map(|expr| expr.transform_up(computed).data()).collect();
        Ok(LogicalPlanBuilder::from(plan).project(exprs?)?.build()?)
    }

    /// A condition of WHERE, HAVING or ON: an expression that is a boolean.
    pub(super) fn condition(&self, condition: &ir::Expr, node: &Node, context: &Context<'_>) -> Result<Expr> {
        let scope = Scope::new(self, node, context);
        let expr = scope.expr(condition)?;
        scope.boolean(expr, condition)
    }

    fn deduplicate(&self, deduplicate: &Deduplicate, context: &Context<'_>) -> Result<Node> {
        let node = self.relation(&deduplicate.input, context)?.into_visible()?;
        if deduplicate.columns.is_empty() {
            let plan = LogicalPlanBuilder::from(node.plan.clone()).distinct()?.build()?;
            return Ok(node.with_plan(plan));
        }
        let keys = deduplicate.columns.iter().map(|name| {
            let found = node.by_name(name, self.settings.case_sensitive)?;
            found.map(Field::expr).ok_or_else(|| unresolved_among_fields(name, &node))
        });
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let all = node.fields.iter().map(Field::expr).collect();
        let plan = LogicalPlanBuilder::from(node.plan.clone()).distinct_on(keys, all, None)?.build()?;
        let columns = plan.schema().columns();
        let fields = node.fields.into_iter().zip(columns).map(|(field, column)| Field { column, ..field }).collect();
        Ok(Node { plan, fields })
    }

    fn subquery_alias(&self, input: &Relation, alias: &str, columns: &[String], context: &Context<'_>) -> Result<Node> {
        let mut node = self.relation(input, context)?.into_visible()?;
        if !columns.is_empty() {
            node = renamed(node, columns)?;
        }
        for field in &mut node.fields {
            field.qualifier = vec![alias.to_owned()];
        }
        Ok(node)
    }

    fn with_columns(&self, input: &Relation, columns: &[(String, ir::Expr)], context: &Context<'_>) -> Result<Node> {
        let node = self.relation(input, context)?.into_visible()?;
        let scope = Scope::new(self, &node, context);
        let mut fields = node.fields.clone();
        let mut exprs: Vec<_> = fields.iter().map(Field::expr).collect();
        for (name, expr) in columns {
            let field = Field::new(self.new_column(), name);
            let expr = scope.expr(expr)?.alias(&field.column.name);
            let same = |known: &Field| same_name(&known.name, name, self.settings.case_sensitive);
            let replaced: Vec<_> = (0..node.fields.len()).filter(|position| same(&node.fields[*position])).collect();
            if replaced.is_empty() {
                fields.push(field);
                exprs.push(expr);
                continue;
            }
            for position in replaced {
                let field = Field::new(self.new_column(), name);
                exprs[position] = expr.clone().unalias().alias(&field.column.name);
                fields[position] = field;
            }
        }
        let plan = self.project_with_windows(node.plan, exprs)?;
        Ok(Node { plan, fields })
    }

    fn with_columns_renamed(
        &self,
        input: &Relation,
        renames: &[(String, String)],
        context: &Context<'_>,
    ) -> Result<Node> {
        let mut node = self.relation(input, context)?.into_visible()?;
        let case_sensitive = self.settings.case_sensitive;
        let renames: BTreeMap<_, _> = renames
            .iter()
            .map(|(old, new)| (if case_sensitive { old.clone() } else { old.to_lowercase() }, new))
            .collect();
        for field in &mut node.fields {
            let key = if case_sensitive { field.name.clone() } else { field.name.to_lowercase() };
            if let Some(new) = renames.get(&key) {
                field.name = (*new).clone();
            }
        }
        Ok(node)
    }

    fn drop_columns(
        &self,
        input: &Relation,
        columns: &[ir::Expr],
        names: &[String],
        context: &Context<'_>,
    ) -> Result<Node> {
        let mut node = self.relation(input, context)?.into_visible()?;
        let case_sensitive = self.settings.case_sensitive;
        let mut dropped = vec![];
        for column in columns {
            if let ir::Expr::Attribute { parts, plan_id } = column {
                dropped.extend(self.find_column(parts, *plan_id, &node)?.map(|field| field.column.clone()));
            }
        }
        node.fields.retain(|field| {
            !dropped.contains(&field.column) && !names.iter().any(|name| same_name(name, &field.name, case_sensitive))
        });
        node.into_visible()
    }

    /// `expr` cast to `to`, if it is not of that type.
    pub(super) fn cast_between(&self, expr: Expr, from: &DataType, to: &DataType) -> Result<Expr> {
        cast(expr, from, to, ir::CastMode::Ansi, &self.settings.time_zone)
    }
}

/// The same columns under new names, by position.
fn renamed(mut node: Node, names: &[String]) -> Result<Node> {
    if names.len() != node.fields.len() {
        let message = format!(
            "Number of column aliases does not match number of columns. Number of column aliases: {}; number of \
             columns: {}.",
            names.len(),
            node.fields.len()
        );
        return Err(SparkError::new(ErrorClass::Analysis, "ASSIGNMENT_ARITY_MISMATCH", "42802", message)
            .with("numExpr", node.fields.len().to_string())
            .with("numTarget", names.len().to_string()));
    }
    for (field, name) in node.fields.iter_mut().zip(names) {
        field.name.clone_from(name);
        field.plan_ids.clear();
    }
    Ok(node)
}

fn table_not_found(name: &[String]) -> SparkError {
    let name = quote(name);
    let message = format!(
        "The table or view {name} cannot be found. Verify the spelling and correctness of the schema and catalog."
    );
    SparkError::new(ErrorClass::Analysis, "TABLE_OR_VIEW_NOT_FOUND", "42P01", message).with("relationName", name)
}

/// `NULL` of no type yet.
pub(super) fn null() -> Expr {
    Expr::Literal(ScalarValue::Null, None)
}
