//! Commands: plans that do something instead of giving rows.

use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::resolver::resolve;
use sheetbend_plan::sql::parse_identifier;
use spark_connect_proto as proto;
use spark_connect_proto::command::CommandType;
use spark_connect_proto::execute_plan_response::{ResponseType, SqlCommandResult};

use crate::error::missing;
use crate::lower::Lowering;
use crate::operation::Task;
use crate::{sql, stack, views};

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
        other => Err(SparkError::unsupported(unsupported(&other))),
    }
}

async fn create_view(command: proto::CreateDataFrameViewCommand, task: &Task) -> Result<()> {
    if command.is_global {
        return Err(SparkError::unsupported("global temporary views"));
    }
    let name = views::temporary_name(parse_identifier(&command.name)?)?;
    let input = command.input.ok_or_else(|| missing("create_dataframe_view.input"))?;
    let session = task.session.clone();
    stack::run(move || async move {
        let relation = Lowering::new(&session).relation(input)?;
        let query = resolve(&relation, session.as_ref()).await?;
        session.views.create(&name, query, command.replace)
    })
    .await
}

/// What a user calls a command that is not supported.
fn unsupported(command: &CommandType) -> &'static str {
    match command {
        CommandType::RegisterFunction(_) => "`spark.udf.register`",
        CommandType::WriteOperation(_) => "`df.write`",
        CommandType::WriteOperationV2(_) => "`df.writeTo`",
        CommandType::WriteStreamOperationStart(_) => "`df.writeStream`",
        CommandType::StreamingQueryCommand(_)
        | CommandType::StreamingQueryManagerCommand(_)
        | CommandType::StreamingQueryListenerBusCommand(_) => "streaming queries",
        CommandType::GetResourcesCommand(_) => "`spark.resources`",
        CommandType::RegisterTableFunction(_) => "`spark.udtf.register`",
        CommandType::RegisterDataSource(_) => "`spark.dataSource.register`",
        CommandType::CreateResourceProfileCommand(_) => "resource profiles",
        CommandType::CheckpointCommand(_) | CommandType::RemoveCachedRemoteRelationCommand(_) => "checkpoints",
        CommandType::MergeIntoTableCommand(_) => "`df.mergeInto`",
        CommandType::MlCommand(_) => "machine learning (`pyspark.ml`)",
        CommandType::ExecuteExternalCommand(_) => "external commands",
        CommandType::PipelineCommand(_) => "pipelines",
        _ => "this command",
    }
}
