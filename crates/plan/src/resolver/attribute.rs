//! Names to columns.

use std::cmp::Reverse;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field as ArrowField, Fields};
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::logical_expr::{Expr, lit};

use super::Resolver;
use super::node::{Field, Node, ambiguous, quote, same_name};
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::call::{Typed, element, members};

/// A column, and the fields of a struct inside it.
pub(super) struct Reference<'a> {
    pub(super) field: &'a Field,
    pub(super) path: &'a [String],
}

impl Resolver {
    /// The column of a name, tied to a plan or not; none where there is no such column.
    pub(super) fn find_column<'a>(
        &self,
        parts: &'a [String],
        plan_id: Option<i64>,
        node: &'a Node,
    ) -> Result<Option<&'a Field>> {
        Ok(self.find_reference(parts, plan_id, node)?.filter(|found| found.path.is_empty()).map(|found| found.field))
    }

    /// What a name refers to in `node`; none where nothing has it.
    ///
    /// The longest qualifier that fits wins, then fields of a struct: `t.a.x` is column `a` of `t` before it is
    /// field `x` of a column `t.a`.
    pub(super) fn find_reference<'a>(
        &self,
        parts: &'a [String],
        plan_id: Option<i64>,
        node: &'a Node,
    ) -> Result<Option<Reference<'a>>> {
        for qualifier_len in (0..parts.len()).rev() {
            let (qualifier, rest) = parts.split_at(qualifier_len);
            let found: Vec<_> = node
                .fields
                .iter()
                .filter(|field| !field.hidden || field.is_metadata || qualifier_len > 0 || plan_id.is_some())
                .filter(|field| plan_id.is_none_or(|id| field.plan_ids.contains(&id)))
                .filter(|field| self.same(&field.name, &rest[0]) && self.qualifies(qualifier, field))
                .collect();
            // A column of the table that has this name hides what is said of its files.
            let found = match found.iter().any(|field| !field.is_metadata) {
                true => found.into_iter().filter(|field| !field.is_metadata).collect(),
                false => found,
            };
            match found.as_slice() {
                [] => {}
                [field] => return Ok(Some(Reference { field, path: &rest[1..] })),
                _ if plan_id.is_some() => return Err(ambiguous_column_reference(&rest[0])),
                several => return Err(ambiguous(&quote(parts), several)),
            }
        }
        Ok(None)
    }

    /// The expression of a reference.
    pub(super) fn access(&self, reference: &Reference<'_>, node: &Node) -> Result<Expr> {
        let mut data_type = node.type_of(reference.field)?.data_type().clone();
        let mut expr = reference.field.expr();
        for name in reference.path {
            let (next, next_type) = self.struct_field(expr, &data_type, name)?;
            expr = next;
            data_type = next_type;
        }
        Ok(expr)
    }

    /// How Spark writes a name that goes into a column: `s.x`, or `m[k]` of a map; none where it is a column's.
    pub(super) fn name_inside(&self, parts: &[String], plan_id: Option<i64>, node: &Node) -> Option<String> {
        let found = self.find_reference(parts, plan_id, node).ok()??;
        let column = parts.len().checked_sub(found.path.len() + 1)?;
        let mut data_type = node.type_of(found.field).ok()?.data_type().clone();
        let mut written = parts[column].clone();
        for name in found.path {
            written = match data_type {
                DataType::Map(..) => format!("{written}[{name}]"),
                _ => format!("{written}.{name}"),
            };
            data_type = self.struct_field(found.field.expr(), &data_type, name).ok()?.1;
        }
        (!found.path.is_empty()).then_some(written)
    }

    /// Field `name` of a struct, looked up under the session's rule of case. Of an array of structs it is an array of
    /// theirs, of a map the value of a key.
    pub(super) fn struct_field(&self, expr: Expr, data_type: &DataType, name: &str) -> Result<(Expr, DataType)> {
        let field_of = |fields: &Fields| {
            let found = fields.iter().position(|field| self.same(field.name(), name));
            found.map(|at| (at, Arc::clone(&fields[at]))).ok_or_else(|| no_such_field(name, fields))
        };
        match data_type {
            DataType::Struct(fields) => {
                let (_, field) = field_of(fields)?;
                Ok((expr.field(field.name().as_str()), field.data_type().clone()))
            }
            DataType::List(item) if let DataType::Struct(fields) = item.data_type() => {
                let (at, field) = field_of(fields)?;
                let nullable = item.is_nullable() || field.is_nullable();
                let list = DataType::List(Arc::new(ArrowField::new(item.name(), field.data_type().clone(), nullable)));
                Ok((members(expr, at, list.clone()), list))
            }
            DataType::Map(entries, _) if let DataType::Struct(members) = entries.data_type() => {
                let value = members[1].data_type().clone();
                let key = Typed { expr: lit(name), data_type: DataType::Utf8 };
                let base = Typed { expr, data_type: data_type.clone() };
                Ok((element(base, key, &self.settings.time_zone)?, value))
            }
            _ => {
                let type_name = crate::ddl::sql_name(data_type);
                let message =
                    format!("Field name `{name}` cannot be extracted from a value of the type \"{type_name}\".");
                Err(SparkError::new(ErrorClass::Analysis, "INVALID_EXTRACT_BASE_FIELD_TYPE", "42000", message))
            }
        }
    }

    /// The error for a name that nothing has, with the nearest names there are.
    pub(super) fn unresolved_column(&self, parts: &[String], node: &Node) -> SparkError {
        let name = quote(parts);
        let what = format!("A column, variable, or function parameter with name {name} cannot be resolved.");
        let wanted = parts.join(".").to_lowercase();
        let mut known: Vec<_> = node.visible().collect();
        if known.is_empty() {
            let condition = "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION";
            return SparkError::new(ErrorClass::Analysis, condition, "42703", what).with("objectName", name);
        }
        known.sort_by_key(|field| {
            let distance = strsim::normalized_levenshtein(&wanted, &field.name.to_lowercase());
            Reverse((distance * 1000.0) as i64)
        });
        let proposal = known.iter().take(5).map(|field| field.quoted()).collect::<Vec<_>>().join(", ");
        let message = format!("{what} Did you mean one of the following? [{proposal}].");
        SparkError::new(ErrorClass::Analysis, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", message)
            .with("objectName", name)
            .with("proposal", proposal)
    }

    /// The error for a column of a DataFrame that the query does not contain.
    pub(super) fn unresolved_dataframe_column(&self, parts: &[String]) -> SparkError {
        let name = quote(parts);
        let message = format!(
            "Cannot resolve dataframe column {name}. It's probably because of illegal references like \
             `df1.select(df2.col(\"a\"))`."
        );
        SparkError::new(ErrorClass::Analysis, "CANNOT_RESOLVE_DATAFRAME_COLUMN", "42704", message).with("name", name)
    }

    pub(super) fn same(&self, left: &str, right: &str) -> bool {
        same_name(left, right, self.settings.case_sensitive)
    }

    /// Whether `qualifier` is the end of the field's own: `v` and `db.v` both fit a column of `db.v`.
    fn qualifies(&self, qualifier: &[String], field: &Field) -> bool {
        let Some(skipped) = field.qualifier.len().checked_sub(qualifier.len()) else {
            return false;
        };
        field.qualifier[skipped..].iter().zip(qualifier).all(|(own, given)| self.same(own, given))
    }
}

/// Whether values of a type are structs, or arrays of them.
pub(super) fn has_fields(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(item) => matches!(item.data_type(), DataType::Struct(_)),
        other => matches!(other, DataType::Struct(_)),
    }
}

/// The error for a name that no field of a struct has.
pub(super) fn no_such_field(name: &str, fields: &Fields) -> SparkError {
    let names = fields.iter().map(|field| quote([field.name()])).collect::<Vec<_>>().join(", ");
    let message = format!("No such struct field `{name}` in {names}.");
    SparkError::new(ErrorClass::Analysis, "FIELD_NOT_FOUND", "42704", message)
        .with("fieldName", quote([name]))
        .with("fields", names)
}

fn ambiguous_column_reference(name: &str) -> SparkError {
    let name = quote([name]);
    let message = format!(
        "Column {name} is ambiguous: the same DataFrame is joined more than once. Give each an alias with \
         `DataFrame.alias` before the join, and qualify the column with it."
    );
    SparkError::new(ErrorClass::Analysis, "AMBIGUOUS_COLUMN_REFERENCE", "42702", message).with("name", name)
}
