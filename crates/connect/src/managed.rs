//! Tables whose files lie in the warehouse: where they are, and what becomes of them.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::Source;
use sheetbend_plan::sql::partitions_last;
use sheetbend_plan::types::client_type;

use crate::session::Session;
use crate::tables::{CATALOG, DATABASE, Entry, Name, Table};

impl Session {
    /// Has a table of files without a path lie in the warehouse; whether its files are the session's, which they are
    /// not where some lay there before.
    pub(crate) fn locate(&self, source: &mut Source, table: &Name) -> bool {
        let is_files = matches!(self.files(source), Ok(Some(_)));
        let has_path = !source.paths.is_empty() || source.options.keys().any(|key| key.eq_ignore_ascii_case("path"));
        if !is_files || has_path {
            return false;
        }
        source.paths.push(self.place(table));
        matches!(self.files(source), Ok(Some(files)) if sheetbend_files::is_vacant(&files))
    }

    fn place(&self, table: &Name) -> String {
        let warehouse = self.config.read().option("spark.sql.warehouse.dir").unwrap_or_default();
        let folder = if table.database == DATABASE { String::new() } else { format!("{}.db/", table.database) };
        format!("{warehouse}/{}{}", folder.to_lowercase(), table.name.to_lowercase())
    }

    /// Removes the files of a table that is dropped, where they lie in the warehouse.
    ///
    /// # Errors
    /// Files that cannot be removed.
    pub(crate) fn remove_files(&self, entry: &Entry) -> Result<()> {
        match entry {
            Entry::Table(table) if table.managed => match self.files(&table.source)? {
                Some(files) => sheetbend_files::remove_folder(&files),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// The table under another name, and its files where that name says.
    ///
    /// # Errors
    /// Files that cannot be moved.
    pub(crate) fn moved(&self, table: Table, name: Name) -> Result<Table> {
        let mut source = table.source.clone();
        if table.managed {
            source.paths = vec![self.place(&name)];
            if let (Some(from), Some(to)) = (self.files(&table.source)?, self.files(&source)?) {
                sheetbend_files::move_folder(&from, &to)?;
            }
        }
        Ok(Table { name, source, ..table })
    }

    /// The columns of a table: of files, each may be NULL, and those of partitions come last.
    pub(crate) fn columns_of_table(&self, source: &Source, schema: &SchemaRef, partition_by: &[String]) -> SchemaRef {
        let internal = schema.fields().iter().map(|field| {
            let data_type = client_type(field.data_type(), "UTC");
            Arc::new(Field::clone(field).with_data_type(data_type))
        });
        let internal: Vec<_> = internal.collect();
        match self.files(source) {
            Ok(Some(_)) => {
                let schema = Schema::new(sheetbend_files::nullable_fields(&internal));
                partitions_last(&Arc::new(schema), partition_by)
            }
            _ => Arc::clone(schema),
        }
    }
}

/// Sees that the columns of partitions are some of a table's, and not all of them.
pub(crate) fn check_partition_columns(table: &Name, schema: &Schema, partition_by: &[String]) -> Result<()> {
    let unknown = |name: &&String| !schema.fields().iter().any(|field| field.name().eq_ignore_ascii_case(name));
    let Some(missing) = partition_by.iter().find(unknown) else {
        if !partition_by.is_empty() && partition_by.len() == schema.fields().len() {
            let message = "Cannot use all columns for partition columns.";
            return Err(SparkError::new(ErrorClass::Analysis, "ALL_PARTITION_COLUMNS_NOT_ALLOWED", "KD005", message));
        }
        return Ok(());
    };
    let columns: Vec<_> = schema.fields().iter().map(|field| format!("`{}`", field.name())).collect();
    let (table, columns) = (format!("`{CATALOG}`.`{}`.`{}`", table.database, table.name), columns.join(", "));
    let message = format!("The partition column `{missing}` is none of the columns of the table {table}: {columns}.");
    Err(SparkError::new(ErrorClass::Analysis, "COLUMN_NOT_DEFINED_IN_TABLE", "42703", message)
        .with("colType", "partition")
        .with("colName", format!("`{missing}`"))
        .with("tableName", table)
        .with("tableCols", columns))
}
