//! Functions that make rows: `explode` and its kin, in a select list, in `LATERAL VIEW` and in `FROM`.

use std::borrow::Cow;

use datafusion::common::{NullHandling, UnnestOptions};
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use recursive::recursive;

use super::expr::Scope;
use super::node::{Field, Node};
use super::{Context, Resolver, build};
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::generator::{self, is_generator, is_outer};
use crate::ir::{self, Generate, Relation, RelationKind};

impl Resolver {
    /// `LATERAL VIEW`, or a function alone.
    pub(super) fn generate(&self, generate: &Generate, context: &Context<'_>) -> Result<Node> {
        let input = match &generate.input {
            Some(input) => self.relation(input, context)?.into_visible()?,
            None => Node { plan: LogicalPlanBuilder::empty(true).build()?, fields: vec![] },
        };
        self.generate_from(input, generate, context)
    }

    /// The rows of `input`, each with those that the function makes of it.
    pub(super) fn generate_from(&self, input: Node, generate: &Generate, context: &Context<'_>) -> Result<Node> {
        if !is_generator(&generate.call.name.to_lowercase()) {
            if let Some(function) = self.function_of_user(&generate.call.name)
                && generate.input.is_none()
            {
                return self.sql_table_function(&function, generate, context);
            }
            return Err(no_table_function(&generate.call.name));
        }
        let (mut node, mut made) = self.with_generated(input, &generate.call, generate.outer, context)?;
        if !generate.columns.is_empty() {
            if generate.columns.len() != made.len() {
                return Err(alias_count(&generate.columns, made.len()));
            }
            for (field, name) in made.iter_mut().zip(&generate.columns) {
                field.name.clone_from(name);
            }
        }
        for field in &mut made {
            field.qualifier = generate.alias.iter().cloned().collect();
        }
        node.fields.extend(made);
        Ok(node)
    }

    /// `input` with the columns that a call makes, which are in the plan but not yet among its fields.
    fn with_generated(
        &self,
        input: Node,
        call: &ir::Function,
        outer: bool,
        context: &Context<'_>,
    ) -> Result<(Node, Vec<Field>)> {
        let scope = Scope::new(self, &input, context);
        let generated = generator::generate(scope.call(call)?)?;
        let columns: Vec<_> = input.plan.schema().columns().into_iter().map(Expr::Column).collect();
        let rows = self.new_column();
        let nulls = match outer || is_outer(&call.name.to_lowercase()) {
            true => NullHandling::PreserveAndExpandEmpty,
            false => NullHandling::Drop,
        };
        let fields: Vec<_> =
            generated.columns.into_iter().map(|name| (name.clone(), Field::new(self.new_column(), name))).collect();
        let made = fields.iter().map(|(name, field)| {
            let element = Expr::Column(rows.clone());
            let value = if generated.structs { element.field(name.as_str()) } else { element };
            value.alias(&field.column.name)
        });
        let each = columns.iter().cloned().chain([generated.rows.alias(&rows.name)]);
        let plan = LogicalPlanBuilder::from(build::project(input.plan.clone(), each)?)
            .unnest_column_with_options(rows.clone(), UnnestOptions::new().with_null_handling(nulls))?
            .build()?;
        let plan = build::project(plan, columns.iter().cloned().chain(made))?;
        Ok((input.with_plan(plan), fields.into_iter().map(|(_, field)| field).collect()))
    }

    /// A select list without functions that make rows: the rows are below it, and their columns stand in the list.
    pub(super) fn generated_below<'a>(
        &self,
        mut below: Node,
        list: &'a [ir::Expr],
        context: &Context<'_>,
    ) -> Result<(Node, Cow<'a, [ir::Expr]>)> {
        if !list.iter().any(|item| generator_of(item).is_some()) {
            return Ok((below, Cow::Borrowed(list)));
        }
        let mut rest = vec![];
        for item in list {
            let Some((call, names)) = generator_of(item) else {
                rest.push(item.clone());
                continue;
            };
            let (node, made) = self.with_generated(below, call, false, context)?;
            if !names.is_empty() && names.len() != made.len() {
                return Err(alias_count(names, made.len()));
            }
            for (position, field) in made.into_iter().enumerate() {
                let name = names.get(position).unwrap_or(&field.name);
                rest.push(ir::Expr::Internal(field.column.name).alias(name));
            }
            below = node;
        }
        Ok((below, Cow::Owned(rest)))
    }

    /// `SELECT explode(collect_list(a)) ... GROUP BY`: what the function is given is aggregated, and then it is called.
    /// None where the list has no such function.
    pub(super) fn generated_above(&self, aggregate: &ir::Aggregate) -> Option<Relation> {
        aggregate.list.iter().find(|item| generator_of(item).is_some())?;
        let mut inner = vec![];
        let mut outer = vec![];
        let mut named = |expr: ir::Expr| {
            let name = format!("#{}", inner.len());
            inner.push(expr.alias(&name));
            ir::Expr::column([name])
        };
        let keys = if aggregate.keys_in_front { aggregate.keys.as_slice() } else { &[] };
        for item in keys.iter().chain(&aggregate.list) {
            let Some((call, names)) = generator_of(item) else {
                let name = match item {
                    ir::Expr::Alias { names, .. } => names.first().cloned().unwrap_or_default(),
                    other => self.plain_name(other),
                };
                outer.push(named(item.clone()).alias(name));
                continue;
            };
            let args = call.args.iter().cloned().map(&mut named).collect();
            let call = ir::Expr::Function(ir::Function { args, ..call.clone() });
            outer.push(match names {
                [] => call,
                names => ir::Expr::Alias { expr: Box::new(call), names: names.to_vec() },
            });
        }
        let inner = ir::Aggregate { list: inner, keys_in_front: false, ..aggregate.clone() };
        let input = Box::new(RelationKind::Aggregate(inner).into());
        Some(RelationKind::Project { input: Some(input), list: outer }.into())
    }
}

/// The call of a function that makes rows which an item of a select list is, and the names of its columns.
fn generator_of(item: &ir::Expr) -> Option<(&ir::Function, &[String])> {
    match item {
        ir::Expr::Function(call) if is_generator(&call.name.to_lowercase()) => Some((call, &[])),
        ir::Expr::Alias { expr, names } => generator_of(expr).map(|(call, _)| (call, names.as_slice())),
        _ => None,
    }
}

/// Whether a function that makes rows is called inside an item of a select list.
pub(super) fn is_inside(item: &ir::Expr) -> bool {
    match item {
        ir::Expr::Alias { expr, .. } => is_inside(expr),
        _ => item.children().into_iter().any(is_called),
    }
}

#[recursive]
fn is_called(expr: &ir::Expr) -> bool {
    matches!(expr, ir::Expr::Function(call) if is_generator(&call.name.to_lowercase()))
        || expr.children().into_iter().any(is_called)
}

/// The error for a function that makes rows inside an expression.
pub(super) fn nested(written: &str) -> SparkError {
    let message = format!("A generator cannot be nested in an expression, as it is in \"{written}\".");
    let condition = "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS";
    SparkError::new(ErrorClass::Analysis, condition, "42K0E", message).with("expression", format!("\"{written}\""))
}

/// The error for a function that makes rows where there is no select list.
pub(super) fn outside_select(call: &ir::Function) -> SparkError {
    let message = format!("The generator `{}` can only stand in a SELECT clause.", call.name);
    SparkError::new(ErrorClass::Analysis, "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "42K0E", message)
        .with("plan", call.name.clone())
}

fn alias_count(names: &[String], found: usize) -> SparkError {
    let message = format!(
        "The number of aliases supplied in the AS clause does not match the number of columns output by the function: \
         expected {found} aliases, but got {}.",
        names.join(",")
    );
    SparkError::new(ErrorClass::Analysis, "UDTF_ALIAS_NUMBER_MISMATCH", "42802", message)
        .with("aliasesSize", found.to_string())
        .with("aliasesNames", names.join(","))
}

fn no_table_function(name: &str) -> SparkError {
    let message = format!("Could not resolve `{name}` to a table-valued function.");
    SparkError::new(ErrorClass::Analysis, "UNRESOLVABLE_TABLE_VALUED_FUNCTION", "42883", message)
        .with("name", format!("`{name}`"))
}
