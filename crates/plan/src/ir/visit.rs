//! Walking the unresolved plan.

use super::{Expr, Function, GroupKind, JoinOn, Relation, RelationKind, SortOrder};

impl Relation {
    /// The relations right below this one, those of subqueries aside.
    pub fn inputs_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.kind {
            RelationKind::Read(_)
            | RelationKind::Local { .. }
            | RelationKind::Range { .. }
            | RelationKind::Sql { .. }
            | RelationKind::Values(_)
            | RelationKind::Kept { of: None, .. }
            | RelationKind::Project { input: None, .. } => vec![],
            RelationKind::Kept { of: Some(of), .. } => vec![of],
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
            | RelationKind::ToSchema { input, .. }
            | RelationKind::Repartition { input, .. }
            | RelationKind::FillNa { input, .. }
            | RelationKind::DropNa { input, .. }
            | RelationKind::Replace { input, .. }
            | RelationKind::Summary { input, .. }
            | RelationKind::Observe { input, .. }
            | RelationKind::ShowString { input, .. } => vec![input],
            RelationKind::Generate(generate) => generate.input.as_deref_mut().into_iter().collect(),
            RelationKind::Pivot(pivot) => vec![&mut pivot.input],
            RelationKind::Parse(parse) => vec![&mut parse.input],
            RelationKind::Sample(sample) => vec![&mut sample.input],
            RelationKind::SampleBy(sample) => vec![&mut sample.input],
            RelationKind::Statistic(statistic) => vec![&mut statistic.input],
            RelationKind::Transpose(transpose) => vec![&mut transpose.input],
            RelationKind::Unpivot(unpivot) => vec![&mut unpivot.input],
            RelationKind::Recursive(recursive) => vec![&mut recursive.anchor, &mut recursive.step],
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
            RelationKind::Project { list, .. } | RelationKind::Observe { metrics: list, .. } => {
                list.iter_mut().collect()
            }
            RelationKind::Filter { condition, .. } => vec![condition],
            RelationKind::Sort { order, .. } => order.iter_mut().map(|order| &mut order.expr).collect(),
            RelationKind::WithColumns { columns, .. } => columns.iter_mut().map(|(_, expr)| expr).collect(),
            RelationKind::Drop { columns, .. } => columns.iter_mut().collect(),
            RelationKind::Limit { skip, fetch, .. } => skip.iter_mut().chain(fetch).collect(),
            RelationKind::Generate(generate) => generate.call.children_mut(),
            RelationKind::Pivot(pivot) => {
                let values = pivot.values.iter_mut().flatten().map(|(value, _)| value);
                pivot
                    .keys
                    .iter_mut()
                    .flatten()
                    .chain([&mut pivot.column])
                    .chain(values)
                    .chain(&mut pivot.list)
                    .collect()
            }
            RelationKind::Unpivot(unpivot) => {
                let values = unpivot.values.iter_mut().flatten().flat_map(|(columns, _)| columns);
                unpivot.ids.iter_mut().flatten().chain(values).collect()
            }
            RelationKind::Values(rows) => rows.iter_mut().flatten().collect(),
            RelationKind::SampleBy(sample) => vec![&mut sample.column],
            RelationKind::Transpose(transpose) => transpose.index.iter_mut().collect(),
            RelationKind::Repartition { by, .. } => by.iter_mut().collect(),
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

impl Function {
    fn children(&self) -> Vec<&Expr> {
        let keys = self.order_by.iter().map(|order| &order.expr);
        self.args.iter().chain(self.filter.as_deref()).chain(keys).collect()
    }

    fn children_mut(&mut self) -> Vec<&mut Expr> {
        let keys = self.order_by.iter_mut().map(|order| &mut order.expr);
        self.args.iter_mut().chain(self.filter.as_deref_mut()).chain(keys).collect()
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
            | Self::Interval { .. }
            | Self::Ordinal(_)
            | Self::Text(_)
            | Self::Regex { .. }
            | Self::Internal(_)
            | Self::ScalarSubquery(_)
            | Self::Exists { .. } => vec![],
            Self::Function(function) => function.children(),
            Self::Alias { expr, .. } | Self::Annotated { expr, .. } | Self::Cast { expr, .. } => vec![expr],
            Self::UpdateField { expr, value, .. } => std::iter::once(&**expr).chain(value.as_deref()).collect(),
            Self::InSubquery { values, .. } => values.iter().collect(),
            Self::Lambda { body, .. } => vec![body],
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
            | Self::Interval { .. }
            | Self::Ordinal(_)
            | Self::Text(_)
            | Self::Regex { .. }
            | Self::Internal(_)
            | Self::ScalarSubquery(_)
            | Self::Exists { .. } => vec![],
            Self::Function(function) => function.children_mut(),
            Self::Alias { expr, .. } | Self::Annotated { expr, .. } | Self::Cast { expr, .. } => vec![expr],
            Self::UpdateField { expr, value, .. } => std::iter::once(&mut **expr).chain(value.as_deref_mut()).collect(),
            Self::InSubquery { values, .. } => values.iter_mut().collect(),
            Self::Lambda { body, .. } => vec![body],
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
