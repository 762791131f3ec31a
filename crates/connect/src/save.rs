//! `df.write` and `df.writeTo`: the messages of writes.

use std::collections::HashMap;

use sheetbend_datasource::write::SaveMode;
use sheetbend_plan::environment::Resolved;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::{InsertColumns, Source};
use sheetbend_plan::sql::parse_identifier;
use spark_connect_proto as proto;
use spark_connect_proto::write_operation::save_table::TableSaveMethod;
use spark_connect_proto::write_operation::{self, SaveType};
use spark_connect_proto::write_operation_v2::Mode;

use crate::error::missing;
use crate::lower::Lowering;
use crate::operation::Task;
use crate::session::Session;
use crate::stack;
use crate::tables::Details;
use crate::write::Writer;

/// `df.write`.
///
/// # Errors
/// A write that fails, or that is not supported.
pub(crate) async fn write(operation: proto::WriteOperation, task: &Task) -> Result<()> {
    refuse(&[
        (operation.bucket_by.is_some(), "`df.write.bucketBy`"),
        (!operation.sort_column_names.is_empty(), "`df.write.sortBy`"),
        (!operation.clustering_columns.is_empty(), "`df.write.clusterBy`"),
        (operation.with_schema_evolution, "`df.write` with schema evolution"),
    ])?;
    let task = task.clone();
    stack::run(move || async move {
        let (writer, session) = (Writer(&task), &task.session);
        let mode = mode_of(operation.mode());
        let query = query(operation.input, session).await?;
        let partition_by = operation.partitioning_columns;
        match operation.save_type {
            None => {
                let source = source(operation.source, operation.options, vec![], session)?;
                writer.save(query, source, mode, partition_by).await
            }
            Some(SaveType::Path(path)) => {
                let source = source(operation.source, operation.options, vec![path], session)?;
                writer.save(query, source, mode, partition_by).await
            }
            Some(SaveType::Table(table)) => {
                let name = parse_identifier(&table.table_name)?;
                match table.save_method() {
                    TableSaveMethod::InsertInto => {
                        let overwrite = mode == SaveMode::Overwrite;
                        writer.insert(query, &name, &InsertColumns::Position, overwrite).await
                    }
                    TableSaveMethod::SaveAsTable => {
                        let format = operation.source.or_else(|| format_of(&name, mode, session));
                        let source = source(format, operation.options, vec![], session)?;
                        let details = Details { partition_by, ..Details::default() };
                        writer.save_as_table(query, &name, source, mode, details).await
                    }
                    TableSaveMethod::Unspecified => Err(missing("write_operation.table.save_method")),
                }
            }
        }
    })
    .await
}

/// `df.writeTo`.
///
/// # Errors
/// A write that fails, or that is not supported.
pub(crate) async fn write_to(operation: proto::WriteOperationV2, task: &Task) -> Result<()> {
    let mode = operation.mode();
    refuse(&[
        (!operation.partitioning_columns.is_empty(), "`df.writeTo` with partitionedBy"),
        (!operation.clustering_columns.is_empty(), "`df.writeTo` with clusterBy"),
        (operation.with_schema_evolution, "`df.writeTo` with schema evolution"),
        (mode == Mode::OverwritePartitions, "`df.writeTo` with overwritePartitions"),
        (mode == Mode::Overwrite && !is_true(operation.overwrite_condition.as_ref()), "overwriting a part of a table"),
    ])?;
    let task = task.clone();
    stack::run(move || async move {
        let (writer, session) = (Writer(&task), &task.session);
        let name = parse_identifier(&operation.table_name)?;
        let query = query(operation.input, session).await?;
        let save_mode = match mode {
            Mode::Append => return writer.insert(query, &name, &InsertColumns::Name, false).await,
            Mode::Overwrite => return writer.insert(query, &name, &InsertColumns::Name, true).await,
            Mode::Create => SaveMode::Error,
            Mode::CreateOrReplace => SaveMode::Overwrite,
            Mode::Replace if session.tables.get(&name).is_some() => SaveMode::Overwrite,
            Mode::Replace => return Err(session.not_found(&name)),
            Mode::OverwritePartitions | Mode::Unspecified => return Err(missing("write_operation_v2.mode")),
        };
        let source = source(operation.provider, operation.options, vec![], session)?;
        writer.save_as_table(query, &name, source, save_mode, Details::default()).await
    })
    .await
}

/// Refuses what was asked for and is not supported.
fn refuse(asked: &[(bool, &str)]) -> Result<()> {
    match asked.iter().find(|(asked, _)| *asked) {
        Some((_, what)) => Err(SparkError::unsupported(what)),
        None => Ok(()),
    }
}

async fn query(input: Option<proto::Relation>, session: &Session) -> Result<Resolved> {
    let relation = Lowering::new(session).relation(input.ok_or_else(|| missing("write_operation.input"))?)?;
    session.resolve(&relation).await
}

fn source(
    format: Option<String>,
    options: HashMap<String, String>,
    paths: Vec<String>,
    session: &Session,
) -> Result<Source> {
    let format = session.format_or_default(format)?;
    Ok(Source { format, options: options.into_iter().collect(), paths, ..Source::default() })
}

/// Rows that are appended without a format go to the table as it is.
fn format_of(table: &[String], mode: SaveMode, session: &Session) -> Option<String> {
    let table = session.tables.get(table).filter(|_| mode == SaveMode::Append)?;
    Some(table.source.format)
}

fn mode_of(mode: write_operation::SaveMode) -> SaveMode {
    match mode {
        write_operation::SaveMode::Append => SaveMode::Append,
        write_operation::SaveMode::Overwrite => SaveMode::Overwrite,
        write_operation::SaveMode::Ignore => SaveMode::Ignore,
        write_operation::SaveMode::ErrorIfExists | write_operation::SaveMode::Unspecified => SaveMode::Error,
    }
}

fn is_true(condition: Option<&proto::Expression>) -> bool {
    use proto::expression::literal::LiteralType;
    use proto::expression::{ExprType, Literal};
    let literal = condition.and_then(|condition| condition.expr_type.as_ref());
    matches!(literal, Some(ExprType::Literal(Literal { literal_type: Some(LiteralType::Boolean(true)), .. })))
}
