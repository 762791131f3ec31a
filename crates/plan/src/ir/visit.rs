//! Walking the unresolved plan.

use super::{Expr, GroupKind, JoinOn, Relation, RelationKind, SortOrder};

impl Relation {
    /// The relations right below this one, those of subqueries aside.
    pub fn inputs_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.kind {
            RelationKind::Read(_)
            | RelationKind::Local { .. }
            | RelationKind::Range { .. }
            | RelationKind::Sql { .. }
            | RelationKind::Values(_)
            | RelationKind::Project { input: None, .. } => vec![],
            RelationKind::Project { input: Some(input), .. }
            | RelationKind::Filter { input, .. }
            | RelationKind::Sort { input, .. }
            | RelationKind::Limit { input, .. }
            | RelationKind::Tail { input, .. }
            | RelationKind::SubqueryAlias { input, .. }
            | RelationKind::WithColumns { input, .. }
            | RelationKind::WithColumnsRenamed { input, .. }
            | RelationKind::Drop { input, .. }
            | RelationKind::ToDf { input, .. }
            | RelationKind::Repartition { input, .. }
            | RelationKind::ShowString { input, .. } => vec![input],
            RelationKind::Aggregate(aggregate) => vec![&mut aggregate.input],
            RelationKind::Deduplicate(deduplicate) => vec![&mut deduplicate.input],
            RelationKind::Join(join) => vec![&mut join.left, &mut join.right],
            RelationKind::SetOp(op) => vec![&mut op.left, &mut op.right],
            RelationKind::With { input, relations } => {
                relations.iter_mut().map(|(_, relation)| relation).chain([&mut **input]).collect()
            }
        }
    }

    /// The expressions of this relation alone.
    pub fn expressions_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            RelationKind::Project { list, .. } => list.iter_mut().collect(),
            RelationKind::Filter { condition, .. } => vec![condition],
            RelationKind::Sort { order, .. } => order.iter_mut().map(|order| &mut order.expr).collect(),
            RelationKind::WithColumns { columns, .. } => columns.iter_mut().map(|(_, expr)| expr).collect(),
            RelationKind::Drop { columns, .. } => columns.iter_mut().collect(),
            RelationKind::Values(rows) => rows.iter_mut().flatten().collect(),
            RelationKind::Sql { named_args, positional_args, .. } => {
                named_args.values_mut().chain(positional_args).collect()
            }
            RelationKind::Join(join) => match &mut join.on {
                JoinOn::Condition(condition) => vec![condition],
                JoinOn::Nothing | JoinOn::Using(_) | JoinOn::Natural => vec![],
            },
            RelationKind::Aggregate(aggregate) => {
                let sets = match &mut aggregate.kind {
                    GroupKind::GroupingSets(sets) => sets.iter_mut().flatten().collect(),
                    GroupKind::GroupBy | GroupKind::Rollup | GroupKind::Cube => vec![],
                };
                sets.into_iter()
                    .chain(&mut aggregate.keys)
                    .chain(&mut aggregate.list)
                    .chain(&mut aggregate.having)
                    .collect()
            }
            _ => vec![],
        }
    }
}

impl Expr {
    /// The expressions right below this one.
    pub fn children(&self) -> Vec<&Self> {
        match self {
            Self::Literal(_)
            | Self::Attribute { .. }
            | Self::Star { .. }
            | Self::Timestamp { .. }
            | Self::Ordinal(_)
            | Self::Text(_)
            | Self::ScalarSubquery(_)
            | Self::Exists { .. } => vec![],
            Self::Function(function) => function.args.iter().chain(function.filter.as_deref()).collect(),
            Self::Alias { expr, .. } | Self::Cast { expr, .. } | Self::InSubquery { expr, .. } => vec![expr],
            Self::Extract { expr, key } => vec![expr, key],
            Self::SortOrder(order) => vec![&order.expr],
            Self::Window { function, partition_by, order_by, .. } => {
                std::iter::once(&**function).chain(partition_by).chain(order_by.iter().map(|o| &o.expr)).collect()
            }
        }
    }

    /// The expressions right below this one, to be changed in place.
    pub fn children_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Literal(_)
            | Self::Attribute { .. }
            | Self::Star { .. }
            | Self::Timestamp { .. }
            | Self::Ordinal(_)
            | Self::Text(_)
            | Self::ScalarSubquery(_)
            | Self::Exists { .. } => vec![],
            Self::Function(function) => function.args.iter_mut().chain(function.filter.as_deref_mut()).collect(),
            Self::Alias { expr, .. } | Self::Cast { expr, .. } | Self::InSubquery { expr, .. } => vec![expr],
            Self::Extract { expr, key } => vec![expr, key],
            Self::SortOrder(order) => vec![&mut order.expr],
            Self::Window { function, partition_by, order_by, .. } => {
                let keys = order_by.iter_mut().map(|SortOrder { expr, .. }| expr);
                std::iter::once(&mut **function).chain(partition_by).chain(keys).collect()
            }
        }
    }

    /// The query inside this expression, if it is a subquery.
    pub fn subquery_mut(&mut self) -> Option<&mut Relation> {
        match self {
            Self::ScalarSubquery(subquery) | Self::Exists { subquery, .. } | Self::InSubquery { subquery, .. } => {
                Some(subquery)
            }
            _ => None,
        }
    }
}
