//! A resolved relation: a plan, and the columns a user may name.

use std::collections::BTreeSet;

use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Column;
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::build;
use crate::error::{ErrorClass, Result, SparkError};

/// A column of a relation, as the user may name it.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Its unique internal name in the plan.
    pub(crate) column: Column,
    /// Its name as the user wrote it.
    pub(crate) name: String,
    /// The parts of the table's name or alias that may stand before it.
    pub(crate) qualifier: Vec<String>,
    /// The client's relations that this column came through.
    pub(crate) plan_ids: BTreeSet<i64>,
    /// Not part of the output: the second key of a join with USING, which a qualified name still reaches.
    pub(crate) hidden: bool,
    /// Says which file a row is of. It is hidden, and its name alone reaches it.
    pub(crate) is_metadata: bool,
}

/// A resolved relation.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// The plan; its columns have internal names.
    pub(crate) plan: LogicalPlan,
    /// Its columns, in the order in which the user sees them.
    pub(crate) fields: Vec<Field>,
}

impl Field {
    /// A column with a name and no table.
    pub(crate) fn new(column: Column, name: impl Into<String>) -> Self {
        Self {
            column,
            name: name.into(),
            qualifier: vec![],
            plan_ids: BTreeSet::new(),
            hidden: false,
            is_metadata: false,
        }
    }

    /// The column as an expression.
    pub(crate) fn expr(&self) -> Expr {
        Expr::Column(self.column.clone())
    }

    /// The name with its qualifier, each part in backticks, as messages show it.
    pub(crate) fn quoted(&self) -> String {
        quote(self.qualifier.iter().chain([&self.name]))
    }
}

impl Node {
    /// The columns that are part of the output.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.hidden)
    }

    /// The columns that say which file a row is of.
    pub(crate) fn metadata(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.is_metadata)
    }

    /// Type and nullability of a column.
    pub(crate) fn type_of(&self, field: &Field) -> Result<FieldRef> {
        let found = self.plan.schema().field_with_name(None, &field.column.name)?;
        Ok(found.clone())
    }

    /// The types of the columns that are part of the output.
    pub(crate) fn visible_types(&self) -> Result<Vec<DataType>> {
        self.visible().map(|field| Ok(self.type_of(field)?.data_type().clone())).collect()
    }

    /// The same rows with exactly the visible columns, in their order.
    pub(crate) fn into_visible(self) -> Result<Self> {
        self.with_fields(|field| !field.hidden)
    }

    /// The same rows with the visible columns, and those that say which file a row is of.
    pub(crate) fn without_keys(self) -> Result<Self> {
        self.with_fields(|field| !field.hidden || field.is_metadata)
    }

    fn with_fields(self, stays: impl Fn(&Field) -> bool) -> Result<Self> {
        let same = self.plan.schema().fields().len() == self.fields.len()
            && self.fields.iter().zip(self.plan.schema().columns()).all(|(f, column)| stays(f) && f.column == column);
        if same {
            return Ok(self);
        }
        let fields: Vec<_> = self.fields.iter().filter(|field| stays(field)).cloned().collect();
        let plan = build::project(self.plan, fields.iter().map(Field::expr))?;
        Ok(Self { plan, fields })
    }

    /// Another plan with the same columns.
    pub(crate) fn with_plan(self, plan: LogicalPlan) -> Self {
        Self { plan, fields: self.fields }
    }

    /// The visible column of this name, if there is just one.
    ///
    /// # Errors
    /// `AMBIGUOUS_REFERENCE` where there are several.
    pub(crate) fn by_name(&self, name: &str, case_sensitive: bool) -> Result<Option<&Field>> {
        let mut found = self.visible().filter(|field| same_name(&field.name, name, case_sensitive));
        let first = found.next();
        let others: Vec<_> = found.collect();
        match (first, others.is_empty()) {
            (Some(first), false) => {
                let all: Vec<_> = std::iter::once(first).chain(others).collect();
                Err(ambiguous(&quote([name]), &all))
            }
            (first, _) => Ok(first),
        }
    }
}

/// Whether two names are the same under the session's rule.
pub(crate) fn same_name(left: &str, right: &str, case_sensitive: bool) -> bool {
    match case_sensitive {
        true => left == right,
        false if left.is_ascii() && right.is_ascii() => left.eq_ignore_ascii_case(right),
        false => left.to_lowercase() == right.to_lowercase(),
    }
}

/// Parts of a name as messages show them: `` `t`.`a` ``.
pub(crate) fn quote<S: AsRef<str>>(parts: impl IntoIterator<Item = S>) -> String {
    let parts: Vec<_> = parts.into_iter().map(|part| format!("`{}`", part.as_ref().replace('`', "``"))).collect();
    parts.join(".")
}

/// The error for a name that means several columns.
pub(crate) fn ambiguous(name: &str, candidates: &[&Field]) -> SparkError {
    let candidates: Vec<_> = candidates.iter().map(|field| field.quoted()).collect();
    let candidates = format!("[{}]", candidates.join(", "));
    let message = format!("Reference {name} is ambiguous, could be: {candidates}.");
    SparkError::new(ErrorClass::Analysis, "AMBIGUOUS_REFERENCE", "42704", message)
        .with("name", name)
        .with("referenceNames", candidates)
}

/// The error for a name that must be one of a relation's columns and is none.
pub(crate) fn unresolved_among_fields(name: &str, node: &Node) -> SparkError {
    let known = node.visible().map(|field| quote([&field.name])).collect::<Vec<_>>().join(", ");
    let message = format!("Cannot resolve column name \"{name}\" among ({known}).");
    SparkError::new(ErrorClass::Analysis, "UNRESOLVED_COLUMN_AMONG_FIELD_NAMES", "42703", message)
        .with("colName", name)
        .with("fieldNames", known)
}
