//! `ALTER TABLE`, `ALTER VIEW`, `ALTER DATABASE` and `COMMENT ON`.

use std::sync::Arc;

use arrow::datatypes::{FieldRef, Schema, SchemaRef};
use sheetbend_plan::environment::Environment;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::Relation;
use sheetbend_plan::resolver::column_exists;
use sheetbend_plan::sql::{DatabaseChange, TableChange, partitions_last};

use super::define;
use crate::names::{COMMENT, Found};
use crate::session::Session;
use crate::tables::{Entry, Table, quoted};

/// Changes a table, or a view where `view` says so.
pub(super) fn table(
    name: &[String],
    view: bool,
    operation: &str,
    change: TableChange,
    session: &Session,
) -> Result<()> {
    let mut entry = match session.get(name)? {
        Found::Stored(entry) => entry,
        Found::Temporary(_) | Found::Global(_) => return Err(temporary_view(operation, name)),
    };
    match &mut entry {
        Entry::View(_) if !view && matches!(change, TableChange::Comment(_)) => {
            return Err(define::of_table(operation, name, session));
        }
        found if matches!(found, Entry::View(_)) != view => return Err(define::of_other_kind(name, view)),
        found => apply(found, change, session)?,
    }
    session.forget(&Relation::table(name.iter().cloned()))?;
    session.tables.create(entry, true)
}

fn apply(entry: &mut Entry, change: TableChange, session: &Session) -> Result<()> {
    let details = entry.details_mut();
    match change {
        TableChange::Comment(comment) => details.comment = comment,
        TableChange::SetProperties(properties) => details.properties.extend(properties),
        TableChange::UnsetProperties(keys) => details.properties.retain(|key, _| !keys.contains(key)),
        TableChange::AddColumns(columns) => {
            if let Entry::Table(table) = entry {
                add_columns(table, &columns, session)?;
            }
        }
        TableChange::ColumnComment { column, comment } => {
            if let Entry::Table(table) = entry {
                comment_column(table, &column, &comment)?;
            }
        }
    }
    Ok(())
}

/// The files that are there have NULL in the new columns.
fn add_columns(table: &mut Table, columns: &SchemaRef, session: &Session) -> Result<()> {
    if !matches!(session.files(&table.source), Ok(Some(_))) {
        return Err(SparkError::unsupported("ALTER TABLE ADD COLUMNS for a source that is a plug-in"));
    }
    let case_sensitive = session.settings().case_sensitive;
    let same = |one: &str, other: &str| if case_sensitive { one == other } else { one.eq_ignore_ascii_case(other) };
    let mut fields: Vec<FieldRef> = table.schema.fields().iter().cloned().collect();
    for column in columns.fields() {
        if fields.iter().any(|field| same(field.name(), column.name())) {
            return Err(column_exists(column.name()));
        }
        fields.push(Arc::new(column.as_ref().clone().with_nullable(true)));
    }
    set_schema(table, Schema::new(fields));
    Ok(())
}

fn comment_column(table: &mut Table, column: &str, comment: &str) -> Result<()> {
    let mut fields: Vec<FieldRef> = table.schema.fields().iter().cloned().collect();
    let Some(field) = fields.iter_mut().find(|field| field.name().eq_ignore_ascii_case(column)) else {
        let name = quoted(&[column.to_owned()]);
        let message = format!("A column with name {name} cannot be resolved.");
        return Err(SparkError::new(ErrorClass::Analysis, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", message)
            .with("objectName", name));
    };
    let mut metadata = field.metadata().clone();
    metadata.insert(COMMENT.to_owned(), comment.to_owned());
    *field = Arc::new(field.as_ref().clone().with_metadata(metadata));
    set_schema(table, Schema::new(fields));
    Ok(())
}

fn set_schema(table: &mut Table, schema: Schema) {
    let schema = partitions_last(&Arc::new(schema), &table.details.partition_by);
    table.source.schema = table.source.schema.as_ref().map(|_| Arc::clone(&schema));
    table.schema = schema;
}

/// Changes a database.
pub(super) fn database(name: &[String], change: DatabaseChange, session: &Session) -> Result<()> {
    session.tables.change_database(name, |database| match change {
        DatabaseChange::Comment(comment) => database.comment = comment.unwrap_or_default(),
        DatabaseChange::SetProperties(properties) => {
            let mut known: std::collections::BTreeMap<_, _> = database.properties.drain(..).collect();
            known.extend(properties);
            database.properties = known.into_iter().collect();
        }
    })
}

fn temporary_view(operation: &str, name: &[String]) -> SparkError {
    let name = quoted(name);
    let message = format!("'{operation}' expects a permanent view but {name} is a temp view.");
    SparkError::new(ErrorClass::Analysis, "EXPECT_PERMANENT_VIEW_NOT_TEMP", "42809", message)
        .with("operation", operation)
        .with("viewName", name)
}
