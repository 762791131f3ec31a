//! `GROUP BY`, `HAVING`, and the sort right above them.

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result as EngineResult;
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{Expr, GroupingSet, LogicalPlan};

use super::expr::{Scope, sort_of};
use super::node::{Node, same_name};
use super::{Context, Resolver, build};
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{self, Aggregate, GroupKind, SortOrder};

/// An aggregation without its rows.
pub(super) struct Clauses<'a> {
    pub(super) kind: &'a GroupKind,
    pub(super) keys: &'a [ir::Expr],
    /// All that comes out.
    pub(super) list: Vec<ir::Expr>,
    pub(super) having: Option<&'a ir::Expr>,
}

impl<'a> Clauses<'a> {
    pub(super) fn of(aggregate: &'a Aggregate) -> Self {
        let keys = if aggregate.keys_in_front { aggregate.keys.as_slice() } else { &[] };
        Self {
            kind: &aggregate.kind,
            keys: &aggregate.keys,
            list: keys.iter().chain(&aggregate.list).cloned().collect(),
            having: aggregate.having.as_ref(),
        }
    }

    /// The aggregation of all rows, for a select list with an aggregate function in it.
    pub(super) fn of_all_rows(list: &[ir::Expr]) -> Self {
        Self { kind: &GroupKind::GroupBy, keys: &[], list: list.to_vec(), having: None }
    }
}

impl Resolver {
    /// An aggregate whose output is sorted. The keys of the sort may name its output, its input's columns where they
    /// are grouped by, and aggregates that do not come out. `plan_id` is the aggregate's own.
    pub(super) fn aggregate(
        &self,
        input: Node,
        clauses: &Clauses<'_>,
        order: &[SortOrder],
        plan_id: Option<i64>,
        context: &Context<'_>,
    ) -> Result<Node> {
        let scope = Scope::new(self, &input, context);
        let list = self.with_aliases_replaced(&clauses.list, &input)?;
        let list: Vec<_> = list.into_iter().map(|item| self.with_grouping_keys(item, clauses.keys)).collect();
        let list = list.as_slice();
        let by_alias = |expr: &ir::Expr| self.replace_aliases(expr, list, &input, None);

        let mut grouping = Grouping::default();
        let keys = match clauses.kind {
            GroupKind::GroupingSets(sets) => {
                let resolve = |expr: &ir::Expr| scope.expr(&by_alias(expr)?);
                let sets: Result<Vec<Vec<_>>> = sets.iter().map(|set| set.iter().map(resolve).collect()).collect();
                let sets = sets?.into_iter().map(|set| set.into_iter().map(|key| grouping.key(self, key)).collect());
                vec![Expr::GroupingSet(GroupingSet::GroupingSets(sets.collect()))]
            }
            kind => {
                let mut keys = vec![];
                for key in clauses.keys {
                    keys.push(grouping.key(self, scope.expr(&by_alias(key)?)?));
                }
                match kind {
                    GroupKind::Rollup => vec![Expr::GroupingSet(GroupingSet::Rollup(keys))],
                    GroupKind::Cube => vec![Expr::GroupingSet(GroupingSet::Cube(keys))],
                    _ => keys,
                }
            }
        };

        let (exprs, fields) = scope.list(list)?;
        let exprs = exprs.into_iter().map(|expr| grouping.rewrite(self, expr, &input)).collect::<Result<Vec<_>>>()?;
        let having = match clauses.having {
            Some(having) => {
                let condition = self.condition(&by_alias(having)?, &input, context)?;
                Some(grouping.rewrite(self, condition, &input)?)
            }
            None => None,
        };
        let mut sort_keys = vec![];
        for key in order {
            let named = match &key.expr {
                ir::Expr::Ordinal(position) => match list.get(position.wrapping_sub(1)) {
                    Some(ir::Expr::Alias { expr, .. }) => (**expr).clone(),
                    Some(item) => item.clone(),
                    None => return Err(position_out_of_range(*position, list.len())),
                },
                expr => self.replace_aliases(expr, list, &input, Some(plan_id))?,
            };
            let expr = scope.expr(&self.with_grouping_keys(named, clauses.keys)).map_err(|error| {
                match error.condition.as_str() {
                    "UNRESOLVED_COLUMN.WITH_SUGGESTION" => self.unresolved_column(
                        &[self.plain_name(&key.expr)],
                        &Node { plan: input.plan.clone(), fields: fields.clone() },
                    ),
                    _ => error,
                }
            })?;
            sort_keys.push(sort_of(grouping.rewrite(self, expr, &input)?, key));
        }

        let mut plan = grouping.plan(input.plan, keys)?;
        if let Some(having) = having {
            plan = build::filter(plan, having)?;
        }
        if !sort_keys.is_empty() {
            plan = build::sort(plan, sort_keys);
        }
        let plan = self.project_with_windows(plan, exprs)?;
        Ok(Node { plan, fields })
    }

    /// `expr` with the names of `list` replaced by what they stand for.
    ///
    /// In a sort (`output` is the plan id of the list) the list's names come first; elsewhere the input's do.
    pub(super) fn replace_aliases(
        &self,
        expr: &ir::Expr,
        list: &[ir::Expr],
        input: &Node,
        output: Option<Option<i64>>,
    ) -> Result<ir::Expr> {
        if let ir::Expr::Attribute { parts, plan_id } = expr {
            let [name] = parts.as_slice() else { return Ok(expr.clone()) };
            let of_output = match output {
                Some(own) => plan_id.is_none() || *plan_id == own,
                None => plan_id.is_none() && self.find_reference(parts, None, input)?.is_none(),
            };
            let found = list.iter().find(|item| of_output && self.has_name(item, name));
            return Ok(match found {
                Some(ir::Expr::Alias { expr, .. }) => (**expr).clone(),
                Some(other) => other.clone(),
                None => expr.clone(),
            });
        }
        let mut replaced = expr.clone();
        for child in replaced.children_mut() {
            *child = self.replace_aliases(child, list, input, output)?;
        }
        Ok(replaced)
    }

    /// `grouping_id()` is that of all keys; it keeps its name.
    fn with_grouping_keys(&self, item: ir::Expr, keys: &[ir::Expr]) -> ir::Expr {
        fn replace(expr: &mut ir::Expr, keys: &[ir::Expr]) -> bool {
            if let ir::Expr::Function(call) = expr
                && call.name.eq_ignore_ascii_case("grouping_id")
                && call.args.is_empty()
            {
                call.args = keys.to_vec();
                return true;
            }
            let mut replaced = false;
            for child in expr.children_mut() {
                replaced |= replace(child, keys);
            }
            replaced
        }
        let mut replaced = item.clone();
        if !replace(&mut replaced, keys) || matches!(replaced, ir::Expr::Alias { .. }) {
            return replaced;
        }
        replaced.alias(self.plain_name(&item))
    }

    pub(super) fn has_name(&self, item: &ir::Expr, name: &str) -> bool {
        let own = match item {
            ir::Expr::Alias { names, .. } => names.first().cloned().unwrap_or_default(),
            other => self.plain_name(other),
        };
        same_name(&own, name, self.settings.case_sensitive)
    }
}

/// The error for a position of `ORDER BY` that the select list does not have.
pub(super) fn position_out_of_range(position: usize, size: usize) -> SparkError {
    let message = format!("ORDER BY position {position} is not in select list (valid range is [1, {size}]).");
    SparkError::new(ErrorClass::Analysis, "ORDER_BY_POS_OUT_OF_RANGE", "42805", message)
        .with("index", position.to_string())
        .with("size", size.to_string())
}

/// The keys and aggregate functions of one aggregation, each under an internal name.
#[derive(Default)]
struct Grouping {
    keys: Vec<(Expr, Column)>,
    aggregates: Vec<(Expr, Column)>,
}

impl Grouping {
    /// The column of a key; the same key twice is one column.
    fn key(&mut self, resolver: &Resolver, key: Expr) -> Expr {
        let key = key.unalias();
        if let Some((_, column)) = self.keys.iter().find(|(known, _)| *known == key) {
            return Expr::Column(column.clone());
        }
        let column = match &key {
            Expr::Column(column) => column.clone(),
            _ => resolver.new_column(),
        };
        self.keys.push((key, column.clone()));
        Expr::Column(column)
    }

    /// `expr` over the output of the aggregation: keys and aggregate functions become columns.
    fn rewrite(&mut self, resolver: &Resolver, expr: Expr, input: &Node) -> Result<Expr> {
        let mut missing = None;
        let grouped = !self.keys.is_empty();
        let rewritten = expr.transform_down(|expr| {
            if let Some((_, column)) = self.keys.iter().find(|(key, _)| *key == expr) {
                return Ok(Transformed::new(Expr::Column(column.clone()), true, TreeNodeRecursion::Jump));
            }
            if let Expr::AggregateFunction(function) = &expr
                && function.func.name() == "grouping"
            {
                let keys = function.params.args.iter().map(|arg| {
                    let found = self.keys.iter().find(|(key, _)| key == arg);
                    found.map(|(_, column)| Expr::Column(column.clone())).ok_or_else(|| no_grouping_key(arg).into())
                });
                let mut grouping = function.clone();
                grouping.params.args = keys.collect::<EngineResult<_>>()?;
                let column = self.aggregate(resolver, Expr::AggregateFunction(grouping));
                return Ok(Transformed::new(Expr::Column(column), true, TreeNodeRecursion::Jump));
            }
            if let Expr::AggregateFunction(function) = &expr {
                if !find_aggregate_exprs(&function.params.args).is_empty() {
                    return Err(nested_aggregate().into());
                }
                let column = self.aggregate(resolver, expr);
                return Ok(Transformed::new(Expr::Column(column), true, TreeNodeRecursion::Jump));
            }
            if let Expr::Column(column) = &expr {
                missing = Some(column.clone());
            }
            Ok(Transformed::no(expr))
        })?;
        match missing {
            Some(_) if !grouped => Err(missing_group_by()),
            Some(column) => Err(missing_aggregation(&column, input)),
            None => Ok(rewritten.data),
        }
    }

    fn aggregate(&mut self, resolver: &Resolver, expr: Expr) -> Column {
        if let Some((_, column)) = self.aggregates.iter().find(|(known, _)| *known == expr) {
            return column.clone();
        }
        let column = resolver.new_column();
        self.aggregates.push((expr, column.clone()));
        column
    }

    /// The aggregation of `input` by `keys`, which are columns that [`Self::key`] gave. Keys that are not columns of
    /// the input are computed below it.
    fn plan(self, mut input: LogicalPlan, keys: Vec<Expr>) -> Result<LogicalPlan> {
        let computed: Vec<_> = self.keys.iter().filter(|(key, _)| !matches!(key, Expr::Column(_))).collect();
        if !computed.is_empty() {
            let columns: Vec<_> = input.schema().columns().into_iter().map(Expr::Column).collect();
            let computed = computed.into_iter().map(|(key, column)| key.clone().alias(&column.name));
            input = build::project(input, columns.into_iter().chain(computed))?;
        }
        let aggregates = self.aggregates.into_iter().map(|(expr, column)| expr.alias(column.name));
        Ok(build::aggregate(input, keys, aggregates)?)
    }
}

fn no_grouping_key(expr: &Expr) -> SparkError {
    let message = format!("Column of grouping ({expr}) can't be found in the grouping columns.");
    SparkError::new(ErrorClass::Analysis, "GROUPING_COLUMN_MISMATCH", "42803", message)
}

fn nested_aggregate() -> SparkError {
    let message = "An aggregate function cannot stand inside another one. Aggregate in a subquery first.";
    SparkError::new(ErrorClass::Analysis, "NESTED_AGGREGATE_FUNCTION", "42607", message)
}

fn missing_group_by() -> SparkError {
    let message = "The query has an aggregate function and no GROUP BY, so every column must stand inside an aggregate \
                   function; any_value() takes any value.";
    SparkError::new(ErrorClass::Analysis, "MISSING_GROUP_BY", "42803", message)
}

fn missing_aggregation(column: &Column, input: &Node) -> SparkError {
    let name = input.fields.iter().find(|field| field.column == *column).map_or(&column.name, |field| &field.name);
    let message = format!(
        "The non-aggregating expression \"{name}\" is based on columns which are not participating in the GROUP BY \
         clause. Add it to GROUP BY, or wrap it in any_value() if any value of the group will do."
    );
    SparkError::new(ErrorClass::Analysis, "MISSING_AGGREGATION", "42803", message)
        .with("expression", format!("\"{name}\""))
        .with("expressionAnyValue", format!("\"any_value({name})\""))
}
