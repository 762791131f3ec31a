//! What goes into which file.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema, SchemaRef};
use sheetbend_plan::ddl;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};

use super::Target;
use super::encode::Encoding;
use crate::FileFormat;
use crate::error::{column_twice, unsupported_type};
use crate::schema::{check_unique, depth, same_name};

/// How deep the types of columns may lie in each other. Readers of Parquet refuse what lies deeper.
const DEEPEST: usize = 50;

/// How rows become files.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) encoding: Encoding,
    /// The columns that are written into files, by position.
    pub(super) data: Vec<usize>,
    /// Their names and types.
    pub(super) schema: SchemaRef,
    /// The columns that become folders, by position.
    pub(super) partitions: Vec<usize>,
}

impl Layout {
    /// # Errors
    /// Columns or options that do not fit the format.
    pub(super) fn of(target: &Target) -> Result<Self> {
        let Target { format, options, time_zone, case_sensitive, partition_by, schema, .. } = target;
        let (format, case_sensitive) = (*format, *case_sensitive);
        check_unique(schema.fields().iter().map(|field| field.name().as_str()), case_sensitive)?;
        let mut partitions = vec![];
        for name in partition_by {
            let same = |at: &usize| same_name(schema.field(*at).name(), name, case_sensitive);
            let at = (0..schema.fields().len()).find(same).ok_or_else(|| no_such_column(name, schema))?;
            if partitions.contains(&at) {
                return Err(column_twice(name));
            }
            check_partition(schema.field(at).data_type())?;
            partitions.push(at);
        }
        let data: Vec<_> = (0..schema.fields().len()).filter(|at| !partitions.contains(at)).collect();
        if data.is_empty() && !partitions.is_empty() {
            let message = "Cannot use all columns for partition columns.";
            return Err(SparkError::new(ErrorClass::Analysis, "ALL_PARTITION_COLUMNS_NOT_ALLOWED", "KD005", message));
        }
        let columns = Arc::new(schema.project(&data).map_err(SparkError::internal)?);
        for field in columns.fields() {
            if !is_supported(format, field.data_type()) {
                return Err(unsupported_type(format, field.name(), &ddl::sql_name(field.data_type())));
            }
            if depth(field.data_type()) > DEEPEST {
                let name = field.name();
                return Err(SparkError::unsupported(format_args!(
                    "writing the column `{name}`, whose type has more than {DEEPEST} levels,"
                )));
            }
        }
        if format == FileFormat::Text && columns.fields().len() != 1 {
            return Err(crate::text::one_column(columns.fields().len()));
        }
        let encoding = Encoding::of(format, options, time_zone)?;
        Ok(Self { encoding, data, schema: columns, partitions })
    }
}

fn is_supported(format: FileFormat, data_type: &DataType) -> bool {
    match (format, data_type) {
        (FileFormat::Text, other) => *other == DataType::Utf8,
        (FileFormat::Csv, other) => crate::csv::is_supported(other),
        (FileFormat::Json, _) => true,
        (FileFormat::Parquet, DataType::Null | DataType::Duration(_) | DataType::Interval(_)) => false,
        (_, DataType::List(item)) => is_supported(format, item.data_type()),
        (_, DataType::Map(entries, _)) => is_supported(format, entries.data_type()),
        (_, DataType::Struct(fields)) => fields.iter().all(|field| is_supported(format, field.data_type())),
        _ => true,
    }
}

fn check_partition(data_type: &DataType) -> Result<()> {
    match data_type {
        DataType::List(_) | DataType::Map(..) | DataType::Struct(_) | DataType::Binary | DataType::Duration(_) => {
            let name = format!("\"{}\"", ddl::sql_name(data_type));
            let message = format!("Cannot use {name} for partition column.");
            Err(SparkError::new(ErrorClass::Analysis, "INVALID_PARTITION_COLUMN_DATA_TYPE", "0A000", message)
                .with("type", name))
        }
        _ => Ok(()),
    }
}

fn no_such_column(name: &str, schema: &Schema) -> SparkError {
    let columns = ddl::type_name(&DataType::Struct(schema.fields().clone()));
    let message = format!("Partition column `{name}` not found in schema {columns}.");
    SparkError::new(ErrorClass::Analysis, "_LEGACY_ERROR_TEMP_1155", "", message)
        .with("col", name)
        .with("schemaCatalog", columns)
}
