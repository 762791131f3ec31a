//! Small tables, and the names that fit a pattern.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, StringArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::RelationKind;

/// Rows of columns: name, nullability and values of each.
pub(crate) fn table(columns: Vec<(&str, bool, ArrayRef)>) -> Result<RelationKind> {
    let fields =
        columns.iter().map(|(name, nullable, column)| Field::new(*name, column.data_type().clone(), *nullable));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let rows = columns.first().map_or(0, |(.., column)| column.len());
    let columns = columns.into_iter().map(|(.., column)| column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(SparkError::internal)?;
    Ok(RelationKind::Local { schema, batches: vec![batch] })
}

/// One row of one text.
pub(crate) fn text(value: &str) -> Result<RelationKind> {
    table(vec![("value", false, strings([value]))])
}

/// One row of one boolean.
pub(crate) fn flag(value: bool) -> Result<RelationKind> {
    table(vec![("value", false, flags([value]))])
}

/// No column.
pub(crate) fn nothing() -> Result<RelationKind> {
    table(Vec::new())
}

pub(crate) fn strings<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

pub(crate) fn optional<S: AsRef<str>>(values: impl IntoIterator<Item = Option<S>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<StringArray>())
}

pub(crate) fn flags(values: impl IntoIterator<Item = bool>) -> ArrayRef {
    Arc::new(BooleanArray::from(values.into_iter().collect::<Vec<_>>()))
}

/// Whether a name fits a pattern, in which `*` stands for anything and `|` for "or"; any name fits none.
pub(crate) fn fits(name: &str, pattern: Option<&str>) -> bool {
    let Some(pattern) = pattern else { return true };
    let name = name.to_lowercase();
    pattern.split('|').any(|part| fits_part(&name, &part.trim().to_lowercase()))
}

/// The first place of each part is as good as any later one, so nothing is tried twice.
fn fits_part(name: &str, pattern: &str) -> bool {
    let Some((first, more)) = pattern.split_once('*') else { return name == pattern };
    let (middle, last) = more.rsplit_once('*').unwrap_or(("", more));
    let Some(inner) = name.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    middle.split('*').try_fold(inner, |rest, part| rest.split_once(part).map(|(_, after)| after)).is_some()
}
