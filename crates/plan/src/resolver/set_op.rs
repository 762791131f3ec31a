//! `UNION`, `INTERSECT`, `EXCEPT`.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef, Fields};
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, WindowFunctionDefinition};

use super::node::{Field, Node, quote, unresolved_among_fields};
use super::relation::null;
use super::{Context, Resolver, build};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::reshape::reshape;
use crate::ir::{SetOp, SetOpKind};
use crate::types::common_type;

impl Resolver {
    pub(super) fn set_op(&self, op: &SetOp, context: &Context<'_>) -> Result<Node> {
        let mut left = self.relation(&op.left, context)?.into_visible()?;
        let mut right = self.relation(&op.right, context)?.into_visible()?;
        if op.by_name {
            (left, right) = self.matched_by_name(left, right, op.allow_missing)?;
            if op.allow_missing {
                (left, right) = self.with_all_members(left, right)?;
            }
        }
        let (left_types, right_types) = (left.visible_types()?, right.visible_types()?);
        let name = match op.kind {
            SetOpKind::Union => "UNION",
            SetOpKind::Intersect => "INTERSECT",
            SetOpKind::Except => "EXCEPT",
        };
        if left_types.len() != right_types.len() {
            return Err(column_count(name, left_types.len(), right_types.len()));
        }
        let mut types = vec![];
        for (position, (left, right)) in left_types.iter().zip(&right_types).enumerate() {
            types.push(common_type(left, right).ok_or_else(|| incompatible(name, position, left, right))?);
        }
        let left = self.cast_all(left, &left_types, &types)?;
        let right = self.cast_all(right, &right_types, &types)?;

        let fields = left.fields;
        let plan = match op.kind {
            SetOpKind::Union => {
                let union = LogicalPlanBuilder::from(left.plan).union(right.plan)?;
                if op.all { union.build()? } else { union.distinct()?.build()? }
            }
            SetOpKind::Intersect | SetOpKind::Except if op.all => self.bag_operation(op.kind, left.plan, right.plan)?,
            SetOpKind::Intersect => LogicalPlanBuilder::intersect(left.plan, right.plan, false)?,
            SetOpKind::Except => LogicalPlanBuilder::except(left.plan, right.plan, false)?,
        };
        // The rows of both sides are new ones: no column is that of one side alone.
        let fields = fields.into_iter().map(|field| Field::new(field.column, field.name)).collect();
        Ok(Node { plan, fields })
    }

    /// `INTERSECT ALL` and `EXCEPT ALL`: equal rows are numbered on both sides, and a row meets the one of its number.
    fn bag_operation(&self, kind: SetOpKind, left: LogicalPlan, right: LogicalPlan) -> Result<LogicalPlan> {
        let visible: Vec<_> = left.schema().columns().into_iter().map(Expr::Column).collect();
        let (left, right) = (self.numbered(left)?, self.numbered(right)?);
        let matched = match kind {
            SetOpKind::Except => LogicalPlanBuilder::except(left, right, true)?,
            _ => LogicalPlanBuilder::intersect(left, right, true)?,
        };
        Ok(build::project(matched, visible)?)
    }

    fn numbered(&self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let columns: Vec<_> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let function = WindowFunctionDefinition::WindowUDF(row_number_udwf());
        let mut number = WindowFunction::new(function, vec![]);
        number.params.partition_by.clone_from(&columns);
        let number = Expr::from(number).alias(self.new_column().name);
        self.project_with_windows(plan, columns.into_iter().chain([number]).collect())
    }

    /// The columns of `right` in the order of `left`'s; those that one side lacks are NULL there, at the end.
    fn matched_by_name(&self, left: Node, right: Node, allow_missing: bool) -> Result<(Node, Node)> {
        let case_sensitive = self.settings.case_sensitive;
        let mut left_exprs: Vec<_> = left.fields.iter().map(Field::expr).collect();
        let mut left_fields = left.fields.clone();
        let mut right_exprs = vec![];
        let mut right_fields = vec![];
        for field in &left.fields {
            let found = right.by_name(&field.name, case_sensitive)?;
            let (expr, new) = match found {
                Some(found) => (found.expr(), found.clone()),
                None if allow_missing => {
                    let new = Field::new(self.new_column(), &field.name);
                    (null().alias(&new.column.name), new)
                }
                None => return Err(unresolved_among_fields(&field.name, &right)),
            };
            right_exprs.push(expr);
            right_fields.push(new);
        }
        for field in &right.fields {
            if left.by_name(&field.name, case_sensitive)?.is_some() {
                continue;
            }
            if !allow_missing {
                return Err(column_count("UNION", left.fields.len(), right.fields.len()));
            }
            let new = Field::new(self.new_column(), &field.name);
            left_exprs.push(null().alias(&new.column.name));
            left_fields.push(new);
            right_exprs.push(field.expr());
            right_fields.push(field.clone());
        }
        let left_plan = build::project(left.plan, left_exprs)?;
        let right_plan = build::project(right.plan, right_exprs)?;
        Ok((Node { plan: left_plan, fields: left_fields }, Node { plan: right_plan, fields: right_fields }))
    }

    /// Structs of both sides with the members of either: those of the left first.
    fn with_all_members(&self, left: Node, right: Node) -> Result<(Node, Node)> {
        let same = |left: &str, right: &str| self.same(left, right);
        let (left_types, right_types) = (left.visible_types()?, right.visible_types()?);
        let both: Vec<_> = left_types.iter().zip(&right_types).map(|(l, r)| merged(l, r, &same)).collect();
        let shaped = |node: Node, from: &[DataType]| {
            let mut exprs = vec![];
            let mut fields = vec![];
            for (field, (from, to)) in node.fields.into_iter().zip(from.iter().zip(&both)) {
                let column = self.new_column();
                exprs.push(reshape(field.expr(), from, to, &same).0.alias(&column.name));
                fields.push(Field { column, ..field });
            }
            let plan = build::project(node.plan, exprs)?;
            Ok::<_, SparkError>(Node { plan, fields })
        };
        Ok((shaped(left, &left_types)?, shaped(right, &right_types)?))
    }

    /// Every column cast to its type, under a fresh internal name.
    fn cast_all(&self, node: Node, from: &[DataType], to: &[DataType]) -> Result<Node> {
        let mut exprs = vec![];
        let mut fields = vec![];
        for (field, (from, to)) in node.fields.into_iter().zip(from.iter().zip(to)) {
            let column = self.new_column();
            exprs.push(self.cast_between(field.expr(), from, to)?.alias(&column.name));
            fields.push(Field { column, ..field });
        }
        let plan = build::project(node.plan, exprs)?;
        Ok(Node { plan, fields })
    }
}

/// A type with the members that structs of two types have, and the leaves of the first.
fn merged(left: &DataType, right: &DataType, same: &dyn Fn(&str, &str) -> bool) -> DataType {
    let both = |left: &FieldRef, right: &FieldRef| -> FieldRef {
        Arc::new(left.as_ref().clone().with_data_type(merged(left.data_type(), right.data_type(), same)))
    };
    match (left, right) {
        (DataType::Struct(left), DataType::Struct(right)) => {
            let find = |fields: &Fields, name: &str| fields.iter().find(|field| same(field.name(), name)).cloned();
            let known = left.iter().map(|field| match find(right, field.name()) {
                Some(other) => both(field, &other),
                None => Arc::clone(field),
            });
            let new = right.iter().filter(|field| find(left, field.name()).is_none()).cloned();
            DataType::Struct(known.chain(new).collect())
        }
        (DataType::List(left), DataType::List(right)) => DataType::List(both(left, right)),
        _ => left.clone(),
    }
}

pub(super) fn column_count(operator: &str, left: usize, right: usize) -> SparkError {
    let message = format!(
        "{operator} can only be performed on inputs with the same number of columns, but the first input has {left} \
         columns and the second input has {right} columns."
    );
    SparkError::new(ErrorClass::Analysis, "NUM_COLUMNS_MISMATCH", "42826", message)
        .with("operator", operator)
        .with("firstNumColumns", left.to_string())
        .with("invalidOrdinalNum", "second")
        .with("invalidNumColumns", right.to_string())
}

pub(super) fn incompatible(operator: &str, position: usize, left: &DataType, right: &DataType) -> SparkError {
    let (left, right) = (sql_name(left), sql_name(right));
    let message = format!(
        "{operator} can only be performed on tables with compatible column types. Column {} of the second table is \
         {} while the first has {}.",
        position + 1,
        quote([right]),
        quote([left])
    );
    SparkError::new(ErrorClass::Analysis, "INCOMPATIBLE_COLUMN_TYPE", "42825", message)
}
