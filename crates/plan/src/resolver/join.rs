//! Joins.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{JoinType, ScalarValue};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::logical_expr::{Expr, LogicalPlan, lit};

use super::node::{Field, Node, quote, same_name};
use super::subquery::subquery_of;
use super::{Context, Resolver, build};
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{self, Generate, Join, JoinKind, JoinOn, RelationKind};
use crate::types::common_type;

/// One column of a join with USING.
struct UsingKey {
    left: Field,
    right: Field,
    /// Both sides, as values of their common type.
    left_expr: Expr,
    right_expr: Expr,
}

impl Resolver {
    pub(super) fn join(&self, join: &Join, context: &Context<'_>) -> Result<Node> {
        let left = self.relation(&join.left, context)?;
        if join.lateral {
            return self.lateral_join(left, join, context);
        }
        let right = self.relation(&join.right, context)?;
        let kind = join_type(join.kind);
        match &join.on {
            JoinOn::Nothing => match join.kind {
                JoinKind::Inner | JoinKind::Cross => {
                    let fields = left.fields.into_iter().chain(right.fields).collect();
                    Ok(Node { plan: build::join(left.plan, right.plan, kind, None)?, fields })
                }
                _ => joined(left, right, kind, lit(true)),
            },
            JoinOn::Condition(_) => self.joined_on(left, right, join, context),
            JoinOn::Using(names) => self.join_using(left, right, kind, names),
            JoinOn::Natural => {
                let case_sensitive = self.settings.case_sensitive;
                let shared =
                    |name: &&Field| right.visible().any(|other| same_name(&other.name, &name.name, case_sensitive));
                let names: Vec<_> = left.visible().filter(shared).map(|field| field.name.clone()).collect();
                self.join_using(left, right, kind, &names)
            }
        }
    }

    /// A join whose right side may name columns of the left: what a function makes of each row, or a query of it.
    fn lateral_join(&self, left: Node, join: &Join, context: &Context<'_>) -> Result<Node> {
        let is_outer = match join.kind {
            JoinKind::Inner | JoinKind::Cross => false,
            JoinKind::LeftOuter => true,
            _ => return Err(SparkError::unsupported("a LATERAL join that is neither an inner nor a left one")),
        };
        let always = match &join.on {
            JoinOn::Nothing => true,
            JoinOn::Condition(condition) => *condition == ir::Expr::Literal(ScalarValue::Boolean(Some(true))),
            JoinOn::Using(_) | JoinOn::Natural => {
                return Err(SparkError::unsupported("a LATERAL join with USING"));
            }
        };
        if let RelationKind::Generate(generate @ Generate { input: None, .. }) = &join.right.kind
            && always
            && self.function_of_user(&generate.call.name).is_none()
        {
            let generate = Generate { outer: generate.outer || is_outer, ..generate.clone() };
            return self.generate_from(left, &generate, context);
        }
        let inner = Context { outer: Some(&left), ..*context };
        let right = self.relation(&join.right, &inner)?.into_visible()?;
        let query = subquery_of(right.plan);
        if query.outer_ref_columns.is_empty() {
            let right = Node { plan: Arc::unwrap_or_clone(query.subquery), fields: right.fields };
            return self.joined_on(left, right, join, context);
        }
        if !is_outer && always {
            let plan = Arc::unwrap_or_clone(query.subquery.clone());
            if let Some(plan) = hoisted(&left.plan, plan)? {
                let fields = left.fields.into_iter().chain(right.fields).collect();
                return Ok(Node { plan, fields });
            }
        }
        let right = Node { plan: LogicalPlan::Subquery(query), fields: right.fields };
        self.joined_on(left, right, join, context)
    }

    fn joined_on(&self, left: Node, right: Node, join: &Join, context: &Context<'_>) -> Result<Node> {
        let kind = join_type(join.kind);
        let JoinOn::Condition(condition) = &join.on else {
            return joined(left, right, kind, lit(true));
        };
        let of_left = left.fields.len();
        let fields = left.fields.into_iter().chain(right.fields).collect();
        let mut both = Node { plan: build::join(left.plan, right.plan, JoinType::Inner, None)?, fields };
        let condition = self.condition(condition, &both, context)?;
        both.plan = build::with_condition(both.plan, kind, condition)?;
        if matches!(kind, JoinType::LeftSemi | JoinType::LeftAnti) {
            both.fields.truncate(of_left);
        }
        Ok(both)
    }

    /// The keys come first and once: the left's, the right's for a right join, whichever is there for a full one.
    /// The other side's stay reachable by a qualified name.
    fn join_using(&self, left: Node, right: Node, kind: JoinType, names: &[String]) -> Result<Node> {
        let keys = names.iter().map(|name| self.using_key(name, &left, &right)).collect::<Result<Vec<_>>>()?;
        let is_key =
            |field: &Field| keys.iter().any(|key| key.left.column == field.column || key.right.column == field.column);
        let rest: Vec<_> = left.fields.iter().chain(&right.fields).filter(|field| !is_key(field)).cloned().collect();
        let equal = keys.iter().map(|key| key.left_expr.clone().eq(key.right_expr.clone()));
        let equal = equal.reduce(Expr::and).unwrap_or_else(|| lit(true));
        let mut node = joined(left, right, kind, equal)?;
        if matches!(kind, JoinType::LeftSemi | JoinType::LeftAnti) {
            let visible = keys.into_iter().map(|key| key.left);
            let rest = rest.into_iter().filter(|field| node.fields.iter().any(|kept| kept.column == field.column));
            node.fields = visible.chain(rest).collect();
            return node.into_visible();
        }

        let mut visible = vec![];
        let mut hidden = vec![];
        let mut merged = vec![];
        for UsingKey { left, right, left_expr, right_expr } in keys {
            match kind {
                JoinType::Full => {
                    let field = Field { qualifier: vec![], ..left.clone() };
                    let field = Field { column: self.new_column(), ..field };
                    merged.push(coalesce(vec![left_expr, right_expr]).alias(&field.column.name));
                    visible.push(field);
                    hidden.extend([left, right]);
                }
                JoinType::Right => {
                    visible.push(right);
                    hidden.push(left);
                }
                _ => {
                    visible.push(left);
                    hidden.push(right);
                }
            }
        }
        if !merged.is_empty() {
            let all: Vec<_> = node.plan.schema().columns().into_iter().map(Expr::Column).collect();
            node.plan = build::project(node.plan, all.into_iter().chain(merged))?;
        }
        for field in &mut hidden {
            field.hidden = true;
        }
        node.fields = visible.into_iter().chain(rest).chain(hidden).collect();
        Ok(node)
    }

    fn using_key(&self, name: &str, left: &Node, right: &Node) -> Result<UsingKey> {
        let find = |node: &Node, side: &str| {
            let found = node.by_name(name, self.settings.case_sensitive)?;
            found.cloned().ok_or_else(|| unresolved_using(name, side, node))
        };
        let (left_field, right_field) = (find(left, "left")?, find(right, "right")?);
        let left_type = left.type_of(&left_field)?.data_type().clone();
        let right_type = right.type_of(&right_field)?.data_type().clone();
        let to = common_type(&left_type, &right_type).ok_or_else(|| {
            let message = format!("The columns {} of both sides have no common type.", quote([name]));
            SparkError::new(ErrorClass::Analysis, "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES", "42K09", message)
        })?;
        Ok(UsingKey {
            left_expr: self.cast_between(left_field.expr(), &left_type, &to)?,
            right_expr: self.cast_between(right_field.expr(), &right_type, &to)?,
            left: left_field,
            right: right_field,
        })
    }
}

/// The rows of `left` beside those of a query of each of them, where what it names of the row stands in projections
/// and filters at its top: these are then above the join.
fn hoisted(left: &LogicalPlan, right: LogicalPlan) -> Result<Option<LogicalPlan>> {
    let mut above = vec![];
    let mut base = right;
    // What is below keeps its own names, which may be those of the left.
    while !base.all_out_ref_exprs().is_empty() {
        let input = match &base {
            LogicalPlan::Projection(projection) => Arc::clone(&projection.input),
            LogicalPlan::Filter(filter) => Arc::clone(&filter.input),
            _ => return Ok(None),
        };
        above.push(base);
        base = Arc::unwrap_or_clone(input);
    }
    let of_left: Vec<_> = left.schema().columns().into_iter().map(Expr::Column).collect();
    let mut plan = build::join(left.clone(), base, JoinType::Inner, None)?;
    for node in above.into_iter().rev() {
        plan = match node {
            LogicalPlan::Projection(projection) => {
                let exprs = projection.expr.into_iter().map(without_outer).collect::<Result<Vec<_>>>()?;
                build::project(plan, of_left.iter().cloned().chain(exprs))?
            }
            LogicalPlan::Filter(filter) => build::filter(plan, without_outer(filter.predicate)?)?,
            _ => return Ok(None),
        };
    }
    Ok(Some(plan))
}

fn without_outer(expr: Expr) -> Result<Expr> {
    let expr = expr.transform(|expr| match expr {
        Expr::OuterReferenceColumn(_, column) => Ok(Transformed::yes(Expr::Column(column))),
        other => Ok(Transformed::no(other)),
    });
    Ok(expr.data()?)
}

fn joined(left: Node, right: Node, kind: JoinType, condition: Expr) -> Result<Node> {
    let mut fields = left.fields;
    if !matches!(kind, JoinType::LeftSemi | JoinType::LeftAnti) {
        fields.extend(right.fields);
    }
    Ok(Node { plan: build::join(left.plan, right.plan, kind, Some(condition))?, fields })
}

fn join_type(kind: JoinKind) -> JoinType {
    match kind {
        JoinKind::Inner | JoinKind::Cross => JoinType::Inner,
        JoinKind::LeftOuter => JoinType::Left,
        JoinKind::RightOuter => JoinType::Right,
        JoinKind::FullOuter => JoinType::Full,
        JoinKind::LeftSemi => JoinType::LeftSemi,
        JoinKind::LeftAnti => JoinType::LeftAnti,
    }
}

fn unresolved_using(name: &str, side: &str, node: &Node) -> SparkError {
    let name = quote([name]);
    let known = node.visible().map(|field| quote([&field.name])).collect::<Vec<_>>().join(", ");
    let message = format!(
        "USING column {name} cannot be resolved on the {side} side of the join. The {side}-side columns: [{known}]."
    );
    SparkError::new(ErrorClass::Analysis, "UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703", message)
        .with("colName", name)
        .with("side", side)
        .with("suggestion", known)
}
