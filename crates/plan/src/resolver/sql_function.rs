//! Calls of functions that users made: what a function makes of its parameters, with the arguments in their place.

use std::sync::Arc;

use arrow::datatypes::{Field as ArrowField, Schema};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, DFSchema, ExprSchema};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::{EmptyRelation, Expr, LogicalPlan, LogicalPlanBuilder};

use super::expr::Scope;
use super::node::{Field, Node};
use super::subquery::subquery_of;
use super::{Context, Resolver, build, load};
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{self, FunctionBody, Generate, SqlFunction};

/// How many functions may call one another.
const MOST_CALLS: usize = 32;

/// The parameters of a call as columns of a row that is not there, and what stands for each.
struct Bound {
    node: Node,
    arguments: Vec<(Column, Expr)>,
}

impl Resolver {
    /// The function that a user made under a name.
    pub(super) fn function_of_user(&self, name: &str) -> Option<Arc<SqlFunction>> {
        load::of_user(&self.functions, name)
    }

    /// The rows of a function in `FROM`.
    pub(super) fn sql_table_function(
        &self,
        function: &SqlFunction,
        generate: &Generate,
        context: &Context<'_>,
    ) -> Result<Node> {
        let FunctionBody::Table { returns, query } = &function.body else { return Err(not_a_table_function(function)) };
        let nothing = Node { plan: LogicalPlanBuilder::empty(true).build()?, fields: vec![] };
        let bound = Scope::new(self, &nothing, context).bound(function, &generate.call.args)?;
        let inside = Context { outer: Some(&bound.node), ..Context::default() };
        let found = self.calling(function, || self.relation(query, &inside)?.into_visible())?;
        let plan = in_plan(found.plan, &bound.arguments, &|argument| Ok(argument))?;
        let found = Node { plan, fields: found.fields };
        let columns = returns.as_ref().map(|schema| schema.fields().iter().collect::<Vec<_>>());
        let width = columns.as_ref().map_or(found.fields.len(), Vec::len);
        let mut names = match (&columns, generate.columns.as_slice()) {
            (_, names) if !names.is_empty() => names.to_vec(),
            (Some(columns), _) => columns.iter().map(|field| field.name().clone()).collect(),
            (None, _) => found.fields.iter().map(|field| field.name.clone()).collect(),
        };
        if width != found.fields.len() || names.len() != width {
            return Err(wrong_width(function, names.len(), found.fields.len()));
        }
        let alias = generate.alias.clone().or_else(|| function.name.rsplit('.').next().map(str::to_owned));
        let (mut exprs, mut fields) = (vec![], vec![]);
        for (at, field) in found.fields.iter().enumerate() {
            let from = found.type_of(field)?;
            let to = columns.as_ref().map_or(from.data_type(), |columns| columns[at].data_type());
            let column = self.new_column();
            exprs.push(self.cast_between(field.expr(), from.data_type(), to)?.alias(&column.name));
            let qualifier = alias.iter().cloned().collect();
            fields.push(Field { qualifier, ..Field::new(column, std::mem::take(&mut names[at])) });
        }
        Ok(Node { plan: build::project(found.plan, exprs)?, fields })
    }

    /// Resolves the body of a function, unless functions call one another without an end.
    fn calling<T>(&self, function: &SqlFunction, body: impl FnOnce() -> Result<T>) -> Result<T> {
        let calls = self.calls.get();
        if calls == MOST_CALLS {
            let message = format!("The function {} calls functions more than {MOST_CALLS} deep.", function.name);
            return Err(SparkError::new(ErrorClass::Analysis, "VIEW_EXCEED_MAX_NESTED_DEPTH", "54K00", message));
        }
        self.calls.set(calls + 1);
        let result = body();
        self.calls.set(calls);
        result
    }
}

impl Scope<'_> {
    /// The value of a call.
    pub(super) fn sql_function(&self, function: &SqlFunction, args: &[ir::Expr]) -> Result<Expr> {
        let FunctionBody::Scalar { returns, expr } = &function.body else {
            return Err(not_a_scalar_function(function));
        };
        if self.parameters.is_some() {
            return Err(inside_lambda(function));
        }
        let bound = self.bound(function, args)?;
        let context = Context::default();
        let scope = Scope::new(self.resolver, &bound.node, &context);
        let value = self.resolver.calling(function, || {
            let value = scope.expr(expr)?;
            match returns {
                Some(to) => scope.cast_to(value, to),
                None => Ok(value),
            }
        })?;
        let is_complex = |expr: &Expr| Ok(matches!(expr, Expr::AggregateFunction(_) | Expr::WindowFunction(_)));
        if value.exists(is_complex)? {
            return Err(complex(&scope.name(expr)));
        }
        let inner = |argument: Expr| outer_columns(argument, self.node.plan.schema());
        let value = value.transform_up(|expr| {
            Ok(match expr {
                Expr::Column(column) => match argument(&bound.arguments, &column) {
                    Some(found) => Transformed::yes(found),
                    None => Transformed::no(Expr::Column(column)),
                },
                Expr::ScalarSubquery(subquery) => {
                    let plan = in_plan(Arc::unwrap_or_clone(subquery.subquery), &bound.arguments, &inner)?;
                    Transformed::yes(Expr::ScalarSubquery(subquery_of(plan)))
                }
                Expr::Exists(Exists { subquery, negated }) => {
                    let plan = in_plan(Arc::unwrap_or_clone(subquery.subquery), &bound.arguments, &inner)?;
                    Transformed::yes(Expr::Exists(Exists { subquery: subquery_of(plan), negated }))
                }
                Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                    let plan = in_plan(Arc::unwrap_or_clone(subquery.subquery), &bound.arguments, &inner)?;
                    Transformed::yes(Expr::InSubquery(InSubquery { expr, subquery: subquery_of(plan), negated }))
                }
                other => Transformed::no(other),
            })
        });
        Ok(value.data()?)
    }

    /// The parameters with what they are given, or their defaults.
    fn bound(&self, function: &SqlFunction, args: &[ir::Expr]) -> Result<Bound> {
        let least = function.parameters.iter().filter(|parameter| parameter.default.is_none()).count();
        if args.len() < least || args.len() > function.parameters.len() {
            return Err(wrong_count(function, args.len()));
        }
        let (mut fields, mut columns, mut arguments) = (vec![], vec![], vec![]);
        for (at, parameter) in function.parameters.iter().enumerate() {
            let Some(value) = args.get(at).or(parameter.default.as_ref()) else {
                return Err(wrong_count(function, args.len()));
            };
            let value = self.cast_to(self.expr(value)?, &parameter.data_type)?;
            let column = self.resolver.new_column();
            columns.push(ArrowField::new(&column.name, parameter.data_type.clone(), true));
            let qualifier = function.name.split('.').map(str::to_owned).collect();
            fields.push(Field { qualifier, ..Field::new(column.clone(), &parameter.name) });
            arguments.push((column, value));
        }
        let schema = Arc::new(DFSchema::try_from(Schema::new(columns))?);
        let plan = LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: true, schema });
        Ok(Bound { node: Node { plan, fields }, arguments })
    }
}

fn argument(arguments: &[(Column, Expr)], column: &Column) -> Option<Expr> {
    arguments.iter().find(|(parameter, _)| parameter == column).map(|(_, value)| value.clone())
}

/// A query with the arguments in place of the parameters, which are columns of the query around it.
fn in_plan(
    plan: LogicalPlan,
    arguments: &[(Column, Expr)],
    seen_from_inside: &impl Fn(Expr) -> EngineResult<Expr>,
) -> EngineResult<LogicalPlan> {
    let replaced = plan.transform_up_with_subqueries(|node| {
        node.map_expressions(|expr| {
            expr.transform_up(|expr| match expr {
                Expr::OuterReferenceColumn(field, column) => match argument(arguments, &column) {
                    Some(found) => Ok(Transformed::yes(seen_from_inside(found)?)),
                    None => Ok(Transformed::no(Expr::OuterReferenceColumn(field, column))),
                },
                other => Ok(Transformed::no(other)),
            })
        })
    });
    replaced.data()
}

/// An expression as a query inside it sees it.
fn outer_columns(expr: Expr, schema: &DFSchema) -> EngineResult<Expr> {
    let outer = expr.transform_up(|expr| match expr {
        Expr::Column(column) => {
            let field = Arc::clone(schema.field_from_column(&column)?);
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
        }
        other => Ok(Transformed::no(other)),
    });
    outer.data()
}

fn complex(body: &str) -> SparkError {
    let message = format!(
        "User defined function is invalid: SQL scalar function cannot contain aggregate/window/generate functions: {body}"
    );
    let condition = "USER_DEFINED_FUNCTIONS.CANNOT_CONTAIN_COMPLEX_FUNCTIONS";
    SparkError::new(ErrorClass::Analysis, condition, "42601", message).with("queryText", body)
}

fn wrong_count(function: &SqlFunction, found: usize) -> SparkError {
    let name = format!("`{}`", function.name.replace('.', "`.`"));
    let expected = function.parameters.len();
    let message = format!("The {name} requires {expected} parameters but the actual number is {found}.");
    SparkError::new(ErrorClass::Analysis, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", message)
        .with("functionName", name)
        .with("expectedNum", expected.to_string())
        .with("actualNum", found.to_string())
}

fn wrong_width(function: &SqlFunction, expected: usize, found: usize) -> SparkError {
    let message = format!("The function {} returns {expected} columns, but its query has {found}.", function.name);
    let condition = "USER_DEFINED_FUNCTIONS.RETURN_COLUMN_COUNT_MISMATCH";
    SparkError::new(ErrorClass::Analysis, condition, "42601", message).with("name", &function.name)
}

fn not_a_scalar_function(function: &SqlFunction) -> SparkError {
    let name = format!("`{}`", function.name.replace('.', "`.`"));
    let message =
        format!("{name} appears as a scalar expression here, but the function was defined as a table function.");
    SparkError::new(ErrorClass::Analysis, "NOT_A_SCALAR_FUNCTION", "42887", message).with("functionName", name)
}

fn not_a_table_function(function: &SqlFunction) -> SparkError {
    let name = format!("`{}`", function.name.replace('.', "`.`"));
    let message =
        format!("{name} appears as a table function here, but the function was defined as a scalar function.");
    SparkError::new(ErrorClass::Analysis, "NOT_A_TABLE_FUNCTION", "42887", message).with("functionName", name)
}

fn inside_lambda(function: &SqlFunction) -> SparkError {
    let message = format!(
        "The feature is not supported: Lambda function with SQL UDF {} in a higher order function.",
        function.name
    );
    let condition = "UNSUPPORTED_FEATURE.LAMBDA_FUNCTION_WITH_SQL_UDF";
    SparkError::new(ErrorClass::Analysis, condition, "0A000", message).with("funcName", &function.name)
}
