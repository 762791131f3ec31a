//! The tables of a session: names for sources, in the one database of the one catalog.

use std::collections::BTreeMap;

use arrow::datatypes::SchemaRef;
use parking_lot::RwLock;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::Source;

pub(crate) const CATALOG: &str = "spark_catalog";
pub(crate) const DATABASE: &str = "default";

/// Tables by name without regard to case.
#[derive(Debug, Default)]
pub(crate) struct Tables(RwLock<BTreeMap<String, Table>>);

/// A name for a source.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// The name as written.
    pub(crate) name: String,
    /// What it reads, and is written to.
    pub(crate) source: Source,
    /// Its columns when it was created.
    pub(crate) schema: SchemaRef,
}

impl Clone for Tables {
    fn clone(&self) -> Self {
        Self(RwLock::new(self.0.read().clone()))
    }
}

impl Tables {
    /// The table of a name with or without its database and catalog.
    pub(crate) fn get(&self, parts: &[String]) -> Option<Table> {
        let name = in_database(parts)?;
        self.0.read().get(&name.to_lowercase()).cloned()
    }

    /// Adds a table.
    ///
    /// # Errors
    /// `TABLE_OR_VIEW_ALREADY_EXISTS` if there is one and `replace` is not asked for.
    pub(crate) fn create(&self, table: Table, replace: bool) -> Result<()> {
        let mut tables = self.0.write();
        let key = table.name.to_lowercase();
        if !replace && tables.contains_key(&key) {
            return Err(already_exists(&table.name));
        }
        tables.insert(key, table);
        Ok(())
    }

    /// Forgets a table; whether there was one. What its source holds stays.
    pub(crate) fn remove(&self, parts: &[String]) -> bool {
        in_database(parts).is_some_and(|name| self.0.write().remove(&name.to_lowercase()).is_some())
    }

    /// The names as written, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.0.read().values().map(|table| table.name.clone()).collect()
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        self.0.write().clear();
    }
}

/// The name of a table that is to be created.
///
/// # Errors
/// `SCHEMA_NOT_FOUND` for another database.
pub(crate) fn new_name(parts: &[String]) -> Result<String> {
    in_database(parts).map(str::to_owned).ok_or_else(|| {
        let database = quoted(&parts[..parts.len().saturating_sub(1)]);
        let message = format!("The schema {database} cannot be found. There is one: `{CATALOG}`.`{DATABASE}`.");
        SparkError::new(ErrorClass::Analysis, "SCHEMA_NOT_FOUND", "42704", message).with("schemaName", database)
    })
}

/// The name of a table as messages show it.
pub(crate) fn full_name(name: &str) -> String {
    quoted(&[CATALOG.to_owned(), DATABASE.to_owned(), name.to_owned()])
}

/// Parts of a name in backticks.
pub(crate) fn quoted(parts: &[String]) -> String {
    parts.iter().map(|part| format!("`{}`", part.replace('`', "``"))).collect::<Vec<_>>().join(".")
}

/// The error for a table that is there already.
pub(crate) fn already_exists(name: &str) -> SparkError {
    let name = quoted(&[DATABASE.to_owned(), name.to_owned()]);
    let message = format!(
        "Cannot create table or view {name} because it already exists. Choose a different name, drop or replace the \
         existing object, or add the IF NOT EXISTS clause to tolerate pre-existing objects."
    );
    SparkError::new(ErrorClass::Analysis, "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", message).with("relationName", name)
}

/// The error for a table where a view is meant.
pub(crate) fn not_a_view(table: &Table) -> SparkError {
    let name = format!("{CATALOG}.{DATABASE}.{}", table.name);
    let message = format!(
        "The operation DROP VIEW requires a VIEW or METRIC_VIEW. But {name} is a MANAGED. Use DROP TABLE instead."
    );
    SparkError::new(ErrorClass::Analysis, "WRONG_COMMAND_FOR_OBJECT_TYPE", "42809", message)
        .with("objectName", name)
        .with("operation", "DROP VIEW")
        .with("foundType", "MANAGED")
        .with("requiredType", "VIEW or METRIC_VIEW")
        .with("alternative", "DROP TABLE")
}

/// The last part of a name that stands in the database; none for one that stands in another.
fn in_database(parts: &[String]) -> Option<&str> {
    let is = |part: &str, name: &str| part.eq_ignore_ascii_case(name);
    match parts {
        [name] => Some(name),
        [database, name] if is(database, DATABASE) => Some(name),
        [catalog, database, name] if is(catalog, CATALOG) && is(database, DATABASE) => Some(name),
        _ => None,
    }
}
