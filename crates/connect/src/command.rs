//! Commands: plans that do something instead of giving rows.

use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::resolver::resolve;
use spark_connect_proto as proto;
use spark_connect_proto::command::CommandType;
use spark_connect_proto::execute_plan_response::{ResponseType, SqlCommandResult};
use spark_connect_proto::relation::RelType;

use crate::error::missing;
use crate::lower::{Lowering, identifier};
use crate::operation::Task;
use crate::stack;

/// Executes a command; what it answers before the end of the stream.
///
/// # Errors
/// A command that fails, or that is not supported.
pub(crate) async fn execute(command: proto::Command, task: &Task) -> Result<Option<ResponseType>> {
    match command.command_type.ok_or_else(|| missing("command.command_type"))? {
        CommandType::SqlCommand(command) => sql(command).map(Some),
        CommandType::CreateDataframeView(command) => create_view(command, task).await.map(|()| None),
        other => Err(SparkError::unsupported(unsupported(&other))),
    }
}

/// A query is not run here: the client gets it back as a relation, and executes that.
#[expect(deprecated, reason = "older clients do not send the SQL as a relation")]
fn sql(command: proto::SqlCommand) -> Result<ResponseType> {
    let relation = match command.input {
        Some(relation) => relation,
        None => {
            let sql = proto::Sql {
                query: command.sql,
                args: command.args,
                pos_args: command.pos_args,
                named_arguments: command.named_arguments,
                pos_arguments: command.pos_arguments,
            };
            proto::Relation { rel_type: Some(RelType::Sql(sql)), ..proto::Relation::default() }
        }
    };
    Ok(ResponseType::SqlCommandResult(SqlCommandResult { relation: Some(relation) }))
}

async fn create_view(command: proto::CreateDataFrameViewCommand, task: &Task) -> Result<()> {
    if command.is_global {
        return Err(SparkError::unsupported("global temporary views"));
    }
    let name = match <[String; 1]>::try_from(identifier::parse(&command.name)?) {
        Ok([name]) => name,
        Err(parts) => {
            return Err(SparkError::new(
                ErrorClass::Analysis,
                "TEMP_VIEW_NAME_TOO_MANY_NAME_PARTS",
                "428EK",
                format!("A temporary view has a name of one part; `{}` has {}.", command.name, parts.len()),
            )
            .with("actualName", command.name));
        }
    };
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
