//! Commands: plans that do something instead of giving rows.

use sheetbend_datasource::client_class::ClientClass;
use sheetbend_files::FileFormat;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::resolver::resolve;
use sheetbend_plan::sql::parse_identifier;
use spark_connect_proto as proto;
use spark_connect_proto::CheckpointCommandResult;
use spark_connect_proto::command::CommandType;
use spark_connect_proto::common_inline_user_defined_data_source::DataSource;
use spark_connect_proto::execute_plan_response::{ResponseType, SqlCommandResult};

use crate::error::missing;
use crate::lower::Lowering;
use crate::operation::Task;
use crate::session::Session;
use crate::views::View;
use crate::{cache, save, sql, stack, views};

/// Executes a command; what it answers before the end of the stream.
///
/// # Errors
/// A command that fails, or that is not supported.
pub(crate) async fn execute(command: proto::Command, task: &Task) -> Result<Option<ResponseType>> {
    match command.command_type.ok_or_else(|| missing("command.command_type"))? {
        CommandType::SqlCommand(command) => {
            let relation = Some(sql::execute(command, task).await?);
            Ok(Some(ResponseType::SqlCommandResult(SqlCommandResult { relation })))
        }
        CommandType::CreateDataframeView(command) => create_view(command, task).await.map(|()| None),
        CommandType::RegisterDataSource(source) => register(source, &task.session).map(|()| None),
        CommandType::WriteOperation(operation) => save::write(operation, task).await.map(|()| None),
        CommandType::WriteOperationV2(operation) => save::write_to(operation, task).await.map(|()| None),
        CommandType::CheckpointCommand(command) => checkpoint(command, task).await.map(Some),
        CommandType::RemoveCachedRemoteRelationCommand(command) => {
            let id = command.relation.ok_or_else(|| missing("remove_cached_remote_relation_command.relation"))?;
            task.session.cache.remove_checkpoint(&id.relation_id);
            Ok(None)
        }
        other => Err(SparkError::unsupported(unsupported(&other))),
    }
}

async fn create_view(command: proto::CreateDataFrameViewCommand, task: &Task) -> Result<()> {
    let name = views::temporary_name(parse_identifier(&command.name)?);
    let input = command.input.ok_or_else(|| missing("create_dataframe_view.input"))?;
    let session = task.session.clone();
    stack::run(move || async move {
        let relation = session.closed(Lowering::new(&session).relation(input)?)?;
        let query = resolve(&relation, session.as_ref()).await?;
        session.create_view(View::new(name, query, relation), command.is_global, command.replace)
    })
    .await
}

/// Keeps the rows of a relation apart from where they come from.
async fn checkpoint(command: proto::CheckpointCommand, task: &Task) -> Result<ResponseType> {
    let input = command.relation.ok_or_else(|| missing("checkpoint_command.relation"))?;
    let task = task.clone();
    let relation_id = stack::run(move || async move {
        let relation = Lowering::new(&task.session).relation(input)?;
        let (id, kept) = task.session.keep_checkpoint(&relation).await?;
        if command.eager {
            cache::fill(&kept, &task).await?;
        }
        Ok(id)
    })
    .await?;
    let relation = Some(proto::CachedRemoteRelation { relation_id });
    Ok(ResponseType::CheckpointCommandResult(CheckpointCommandResult { relation }))
}

/// Only the name is looked at: the class is loaded when it is first used, as in Spark.
fn register(source: proto::CommonInlineUserDefinedDataSource, session: &Session) -> Result<()> {
    let Some(DataSource::PythonDataSource(python)) = source.data_source else {
        return Err(missing("register_data_source.python_data_source"));
    };
    let name = source.name;
    if session.formats.reserves(&name) || FileFormat::named(&name).is_some() {
        return Err(SparkError::new(
            ErrorClass::Analysis,
            "DATA_SOURCE_ALREADY_EXISTS",
            "42710",
            format!("Data source '{name}' already exists. Please choose a different name for the new data source."),
        )
        .with("provider", name));
    }
    let class = ClientClass { name, pickled: python.command.into(), python_version: python.python_ver };
    match session.formats.register_class(class, session.artifacts.python_files()) {
        true => Ok(()),
        false => Err(SparkError::unsupported("`spark.dataSource.register`")),
    }
}

/// What a user calls a command that is not supported.
fn unsupported(command: &CommandType) -> &'static str {
    match command {
        CommandType::RegisterFunction(_) => "`spark.udf.register`",
        CommandType::WriteStreamOperationStart(_) => "`df.writeStream`",
        CommandType::StreamingQueryCommand(_)
        | CommandType::StreamingQueryManagerCommand(_)
        | CommandType::StreamingQueryListenerBusCommand(_) => "streaming queries",
        CommandType::GetResourcesCommand(_) => "`spark.resources`",
        CommandType::RegisterTableFunction(_) => "`spark.udtf.register`",
        CommandType::CreateResourceProfileCommand(_) => "resource profiles",
        CommandType::MergeIntoTableCommand(_) => "`df.mergeInto`",
        CommandType::MlCommand(_) => "machine learning (`pyspark.ml`)",
        CommandType::ExecuteExternalCommand(_) => "external commands",
        CommandType::PipelineCommand(_) => "pipelines",
        _ => "this command",
    }
}
