//! Relations of one input, and leaves.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::utils::{find_aggregate_exprs, find_window_exprs};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Partitioning};
use recursive::recursive;

use super::aggregate::Clauses;
use super::expr::Scope;
use super::node::{Field, Node, quote, same_name, unresolved_among_fields};
use super::{Context, Named, Resolver, build, column_exists, time_window};
use crate::environment::Resolved;
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::cast::cast;
use crate::ir::{self, Deduplicate, Kept, Read, Relation, RelationKind};

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
            RelationKind::Read(Read::Source(source)) => self.source(source),
            RelationKind::Local { schema, batches } => self.local(schema, batches),
            RelationKind::Range { start, end, step } => self.range(*start, *end, *step),
            RelationKind::Values(rows) => self.values(rows, context),
            RelationKind::Project { input, list } => self.project(input.as_deref(), list, context),
            RelationKind::Filter { input, condition } => self.filter(input, condition, context),
            RelationKind::Aggregate(aggregate) => {
                if let Some(rows) = self.generated_above(aggregate) {
                    return self.relation(&rows, context);
                }
                let aggregate = time_window::by_columns(aggregate);
                let input = self.relation(&aggregate.input, context)?;
                self.aggregate(input, &Clauses::of(&aggregate), &[], None, context)
            }
            RelationKind::Join(join) => self.join(join, context),
            RelationKind::SetOp(op) => self.set_op(op, context),
            RelationKind::Sort { input, order } => self.sort(input, order, context),
            RelationKind::Limit { input, skip, fetch } => {
                let node = self.relation(input, context)?;
                let skip = skip.as_ref().map(|rows| self.row_count("offset", rows, &node)).transpose()?;
                let fetch = fetch.as_ref().map(|rows| self.row_count("limit", rows, &node)).transpose()?;
                let plan = LogicalPlanBuilder::from(node.plan.clone()).limit(skip.unwrap_or(0), fetch)?.build()?;
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
            RelationKind::ToSchema { input, schema } => self.to_schema(input, schema, context),
            RelationKind::Sample(sample) => self.sample(sample, context),
            RelationKind::SampleBy(sample) => self.sample_by(sample, context),
            RelationKind::Statistic(statistic) => self.statistic(statistic, context),
            RelationKind::Transpose(transpose) => self.transpose(transpose, context),
            RelationKind::FillNa { input, columns, values } => self.fill_na(input, columns, values, context),
            RelationKind::DropNa { input, columns, least } => self.drop_na(input, columns, *least, context),
            RelationKind::Replace { input, columns, pairs } => self.replace(input, columns, pairs, context),
            RelationKind::Summary { input, columns, statistics } => self.summary(input, columns, statistics, context),
            RelationKind::Generate(generate) => self.generate(generate, context),
            RelationKind::Pivot(pivot) => self.pivot(pivot, context),
            RelationKind::Parse(parse) => self.parse(parse, context),
            RelationKind::Unpivot(unpivot) => self.unpivot(unpivot, context),
            RelationKind::Recursive(recursive) => self.recursive(recursive, context),
            RelationKind::Repartition { input, partitions, by } => {
                let node = self.relation(input, context)?;
                let scope = Scope::new(self, &node, context);
                by.iter().try_for_each(|key| scope.expr(key).map(|_| ()))?;
                let Some(partitions) = partitions else { return Ok(node) };
                let partitioning = Partitioning::RoundRobinBatch((*partitions).max(1));
                let plan = LogicalPlanBuilder::from(node.plan.clone()).repartition(partitioning)?.build()?;
                Ok(node.with_plan(plan))
            }
            RelationKind::With { input, relations } => self.with(input, relations, context),
            RelationKind::Observe { input, .. } => self.relation(input, context),
            RelationKind::Kept { rows, of } => self.kept(rows, of.as_deref(), context),
            RelationKind::Tail { .. } => Err(SparkError::unsupported("tail() below another operation")),
            RelationKind::ShowString { .. } => Err(SparkError::unsupported("show() below another operation")),
            RelationKind::Sql { .. } => Err(SparkError::internal("SQL text was not expanded")),
        }
    }

    /// Rows that are kept, under the names of what they are of.
    fn kept(&self, rows: &Kept, of: Option<&Relation>, context: &Context<'_>) -> Result<Node> {
        let mut kept = self.scan("kept", Arc::clone(&rows.table))?;
        for (field, shown) in kept.fields.iter_mut().zip(rows.schema.fields()) {
            field.name.clone_from(shown.name());
        }
        if let Some(of) = of {
            let named = self.relation(of, context)?.into_visible()?;
            for (field, named) in kept.fields.iter_mut().zip(named.fields) {
                *field = Field { column: field.column.clone(), ..named };
            }
        }
        Ok(kept)
    }

    fn with(&self, input: &Relation, relations: &[(String, Relation)], context: &Context<'_>) -> Result<Node> {
        match relations {
            [] => self.relation(input, context),
            [(name, relation), rest @ ..] => {
                let named = Named { name, relation, context: *context };
                self.with(input, rest, &Context { named: Some(&named), ..*context })
            }
        }
    }

    fn table(&self, name: &[String], context: &Context<'_>) -> Result<Node> {
        let mut node = match name {
            [single] => match context.find(single, self.settings.case_sensitive) {
                _ if let Some(rows) = self.rows_before(single, context)? => rows,
                Some(named) => self.relation(named.relation, &named.context)?.into_visible()?,
                None => self.view(name)?,
            },
            [catalog, _, _, ..] if !self.same(catalog, "spark_catalog") => return Err(too_many_parts(name)),
            _ => self.view(name)?,
        };
        for field in &mut node.fields {
            field.qualifier = name.to_vec();
        }
        Ok(node)
    }

    fn source(&self, source: &ir::Source) -> Result<Node> {
        let table = self.tables.source(source).ok_or_else(|| SparkError::internal("a source was not opened"))?;
        let mut node = self.scan(&source.format, Arc::clone(&table.provider))?;
        if let Some(last) = node.fields.last_mut().filter(|_| table.has_metadata) {
            (last.hidden, last.is_metadata) = (true, true);
        }
        Ok(node)
    }

    /// A table, or a view under fresh internal names, so that it can be read twice in one query.
    fn view(&self, name: &[String]) -> Result<Node> {
        if let Some(source) = self.tables.source_named(name) {
            return self.source(source);
        }
        let view = self.tables.view(name).ok_or_else(|| table_not_found(name))?;
        let Resolved { plan, schema } = &**view;
        self.aliased(plan.clone(), schema.fields().iter().map(|field| field.name().clone()))
    }

    pub(super) fn scan(&self, table: &str, provider: Arc<dyn TableProvider>) -> Result<Node> {
        let names: Vec<_> = provider.schema().fields().iter().map(|field| field.name().clone()).collect();
        let plan = LogicalPlanBuilder::scan(table.to_lowercase(), provider_as_source(provider), None)?.build()?;
        self.aliased(plan, names)
    }

    /// `plan` with each column under a fresh internal name; `names` are what the user calls them.
    pub(super) fn aliased(&self, plan: LogicalPlan, names: impl IntoIterator<Item = String>) -> Result<Node> {
        let fields: Vec<_> = names.into_iter().map(|name| Field::new(self.new_column(), name)).collect();
        let plan = build::rename(plan, fields.iter().map(|field| field.column.name.clone()))?;
        Ok(Node { plan, fields })
    }

    fn project(&self, input: Option<&Relation>, list: &[ir::Expr], context: &Context<'_>) -> Result<Node> {
        let node = match input {
            Some(input) => self.relation(input, context)?,
            None => Node { plan: LogicalPlanBuilder::empty(true).build()?, fields: vec![] },
        };
        let (node, list) = self.select_from(node, list, context)?;
        let Some((exprs, fields)) = self.select_list(&node, &list, context)? else {
            return self.aggregate(node, &Clauses::of_all_rows(&list), &[], None, context);
        };
        let hidden: Vec<_> = node.metadata().cloned().collect();
        let exprs = exprs.into_iter().chain(hidden.iter().map(Field::expr)).collect();
        let plan = self.project_with_windows(node.plan, exprs)?;
        Ok(Node { plan, fields: fields.into_iter().chain(hidden).collect() })
    }

    fn filter(&self, input: &Relation, condition: &ir::Expr, context: &Context<'_>) -> Result<Node> {
        let (node, resolved) = self.relation_with_hidden(input, condition, context)?;
        let resolved = Scope::new(self, &node, context).boolean(resolved, condition)?;
        if !find_aggregate_exprs([&resolved]).is_empty() {
            let message = "An aggregate function cannot stand in WHERE: filter the groups with HAVING.";
            return Err(SparkError::new(ErrorClass::Analysis, "INVALID_WHERE_CONDITION", "42903", message));
        }
        if !find_window_exprs([&resolved]).is_empty() {
            let message = "It is not allowed to use window functions inside WHERE clause.";
            let condition = "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE";
            return Err(SparkError::new(ErrorClass::Analysis, condition, "42601", message).with("clauseName", "WHERE"));
        }
        let plan = build::filter(node.plan.clone(), resolved)?;
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
        let schema = Arc::clone(input.schema());
        let exprs = exprs.into_iter().map(|expr| self.with_counts(expr, &schema)).collect::<Result<Vec<_>>>()?;
        let windows = find_window_exprs(&exprs);
        if windows.is_empty() {
            return Ok(build::project(input, exprs)?);
        }
        let plan = LogicalPlanBuilder::window_plan(input, windows.clone())?;
        let computed = |expr: Expr| {
            Ok(match windows.contains(&expr) {
                true => Transformed::yes(Expr::Column(Column::new_unqualified(expr.schema_name().to_string()))),
                false => Transformed::no(expr),
            })
        };
        let exprs: Result<Vec<_>, _> = exprs.into_iter().map(|expr| expr.transform_up(computed).data()).collect();
        Ok(build::project(plan, exprs?)?)
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
            found.map(Field::expr).ok_or_else(|| unresolved_key(name, &node))
        });
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let all = node.fields.iter().map(Field::expr).collect();
        let plan = LogicalPlanBuilder::from(node.plan.clone()).distinct_on(keys, all, None)?.build()?;
        let columns = plan.schema().columns();
        let fields = node.fields.into_iter().zip(columns).map(|(field, column)| Field { column, ..field }).collect();
        Ok(Node { plan, fields })
    }

    fn subquery_alias(&self, input: &Relation, alias: &str, columns: &[String], context: &Context<'_>) -> Result<Node> {
        let mut node = self.relation(input, context)?;
        node = match columns {
            [] => node.without_keys()?,
            columns => renamed(node.into_visible()?, columns)?,
        };
        for field in &mut node.fields {
            field.qualifier = vec![alias.to_owned()];
        }
        Ok(node)
    }

    fn with_columns(&self, input: &Relation, columns: &[(String, ir::Expr)], context: &Context<'_>) -> Result<Node> {
        let node = self.relation(input, context)?.without_keys()?;
        let before: Vec<_> = node.visible().cloned().collect();
        let hidden: Vec<_> = node.metadata().cloned().collect();
        for (at, (name, _)) in columns.iter().enumerate() {
            if columns[..at].iter().any(|(other, _)| self.same(other, name)) {
                return Err(column_exists(name));
            }
        }
        let list: Vec<_> = columns.iter().map(|(name, expr)| expr.clone().alias(name)).collect();
        let (node, list) = self.generated_below(node, &list, context)?;
        let scope = Scope::new(self, &node, context);
        let mut fields = before.clone();
        let mut exprs: Vec<_> = fields.iter().map(Field::expr).collect();
        for item in list.iter() {
            for (expr, field) in scope.item(item)? {
                let same = |known: &Field| same_name(&known.name, &field.name, self.settings.case_sensitive);
                let replaced: Vec<_> = (0..before.len()).filter(|position| same(&before[*position])).collect();
                if replaced.is_empty() {
                    exprs.push(expr.clone().alias(&field.column.name));
                    fields.push(field.clone());
                }
                for position in replaced {
                    let field = Field::new(self.new_column(), &field.name);
                    exprs[position] = expr.clone().alias(&field.column.name);
                    fields[position] = field;
                }
            }
        }
        exprs.extend(hidden.iter().map(Field::expr));
        let plan = self.project_with_windows(node.plan, exprs)?;
        Ok(Node { plan, fields: fields.into_iter().chain(hidden).collect() })
    }

    fn with_columns_renamed(
        &self,
        input: &Relation,
        renames: &[(String, String)],
        context: &Context<'_>,
    ) -> Result<Node> {
        let mut node = self.relation(input, context)?.without_keys()?;
        let case_sensitive = self.settings.case_sensitive;
        // One after the other: a name that one gives is what the next one may find.
        for (old, new) in renames {
            let visible = node.fields.iter_mut().filter(|field| !field.hidden);
            for field in visible.filter(|field| same_name(&field.name, old, case_sensitive)) {
                field.name.clone_from(new);
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
        let mut node = self.relation(input, context)?.without_keys()?;
        let case_sensitive = self.settings.case_sensitive;
        let mut dropped = vec![];
        for column in columns {
            if let ir::Expr::Attribute { parts, plan_id } = column {
                dropped.extend(self.find_column(parts, *plan_id, &node)?.map(|field| field.column.clone()));
            }
        }
        node.fields.retain(|field| {
            let is_dropped = dropped.contains(&field.column)
                || names.iter().any(|name| same_name(name, &field.name, case_sensitive));
            field.hidden || !is_dropped
        });
        node.without_keys()
    }

    /// `expr` cast to `to`, if it is not of that type.
    pub(super) fn cast_between(&self, expr: Expr, from: &DataType, to: &DataType) -> Result<Expr> {
        cast(expr, from, to, ir::CastMode::plain(self.settings.ansi), &self.settings.time_zone)
    }
}

/// The same columns under new names, by position.
pub(super) fn renamed(mut node: Node, names: &[String]) -> Result<Node> {
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

/// Spark refuses such a plan before it analyses it.
fn unresolved_key(name: &str, node: &Node) -> SparkError {
    let error = unresolved_among_fields(name, node);
    let condition = format!("CONNECT_INVALID_PLAN.{}", error.condition);
    SparkError { class: ErrorClass::InvalidPlan, condition, sql_state: "56K00".to_owned(), ..error }
}

fn too_many_parts(name: &[String]) -> SparkError {
    let identifier = quote(name);
    let message = format!("spark_catalog requires a single-part namespace, but got identifier {identifier}.");
    SparkError::new(ErrorClass::Analysis, "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", message)
        .with("sessionCatalog", "spark_catalog")
        .with("identifier", identifier)
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
