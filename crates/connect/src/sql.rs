//! `spark.sql`: a query goes back to the client, which executes it as a relation; any other statement takes effect at
//! once, and its result goes back as rows.

use arrow::ipc::writer::StreamWriter;
use sheetbend_datasource::write::SaveMode;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::{Insert, Read, Relation, RelationKind};
use sheetbend_plan::resolver::resolve;
use sheetbend_plan::sql::{self, CreateTable, Parameters, Statement};
use spark_connect_proto as proto;
use spark_connect_proto::analyze_plan_request::explain::ExplainMode;
use spark_connect_proto::relation::RelType;

use crate::catalog::{flags, matching, strings, table};
use crate::lower::Lowering;
use crate::operation::Task;
use crate::session::Session;
use crate::views::View;
use crate::write::Writer;
use crate::{explain, stack, tables, views};

/// Executes a statement; the relation that stands for its result.
///
/// # Errors
/// Text that is no statement, or a statement that fails.
pub(crate) async fn execute(command: proto::SqlCommand, task: &Task) -> Result<proto::Relation> {
    let relation = relation_of(command);
    let task = task.clone();
    stack::run(move || async move {
        let lowered = Lowering::new(&task.session).relation(relation.clone())?;
        let (query, parameters, named) = match lowered.kind {
            RelationKind::Sql { query, named_args, positional_args } => {
                (query, Parameters { named: named_args, positional: positional_args }, Vec::new())
            }
            // `spark.sql("... {df}", df=df)`: relations that the text refers to by name.
            RelationKind::With { input, relations } => match input.kind {
                RelationKind::Sql { query, named_args, positional_args } => {
                    (query, Parameters { named: named_args, positional: positional_args }, relations)
                }
                _ => return Ok(relation),
            },
            _ => return Ok(relation),
        };
        match sql::parse_statement(&query, &parameters)? {
            Statement::Query(_) => Ok(relation),
            statement => to_relation(run(statement, named, &task).await?),
        }
    })
    .await
}

#[expect(deprecated, reason = "older clients do not send the SQL as a relation")]
fn relation_of(command: proto::SqlCommand) -> proto::Relation {
    command.input.unwrap_or_else(|| {
        let sql = proto::Sql {
            query: command.sql,
            args: command.args,
            pos_args: command.pos_args,
            named_arguments: command.named_arguments,
            pos_arguments: command.pos_arguments,
        };
        proto::Relation { rel_type: Some(RelType::Sql(sql)), ..proto::Relation::default() }
    })
}

async fn run(statement: Statement, named: Vec<(String, Relation)>, task: &Task) -> Result<RelationKind> {
    let session = task.session.as_ref();
    let writer = Writer(task);
    match statement {
        Statement::Query(query) => Ok(query.kind),
        Statement::CreateView { name, replace, query } => {
            let query = resolve(&with(query, named), session).await?;
            session.views.create(View::of_query(views::temporary_name(name)?, query), replace)?;
            table(Vec::new())
        }
        Statement::CreateSourceView { name, replace, source } => {
            let query = resolve(&RelationKind::Read(Read::Source(source.clone())).into(), session).await?;
            session.views.create(View::of_source(views::temporary_name(name)?, query, source), replace)?;
            table(Vec::new())
        }
        Statement::Insert(Insert { table: name, overwrite, columns, query }) => {
            let query = resolve(&with(query, named), session).await?;
            writer.insert(query, &name, &columns, overwrite).await?;
            table(Vec::new())
        }
        Statement::CreateTable(create) => {
            create_table(create, named, writer).await?;
            table(Vec::new())
        }
        Statement::DropTable { name, if_exists } => {
            drop_table(&name, if_exists, session)?;
            table(Vec::new())
        }
        Statement::DropView { name, if_exists } => {
            drop_view(&name, if_exists, session)?;
            table(Vec::new())
        }
        Statement::ExplainAnalyze(query) => {
            let deadline = task.time.map(|time| time.deadline);
            let query = task.engine.plan(&with(query, named), session, deadline).await?;
            table(vec![("plan", false, strings(&[explain::analyze(&query).await?]))])
        }
        Statement::Explain { mode, query } => {
            let query = resolve(&with(query, named), session).await?;
            let text = explain::text(&query, explain_mode(mode), &task.engine).await?;
            table(vec![("plan", false, strings(&[text]))])
        }
        Statement::ExplainInsert { mode, insert: Insert { table: name, overwrite, columns, query } } => {
            let query = resolve(&with(query, named), session).await?;
            let write = writer.plan_insert(query, &name, &columns, overwrite).await?;
            table(vec![("plan", false, strings(&[explain::physical(write.plan(), explain_mode(mode))]))])
        }
        Statement::ExplainAnalyzeInsert(Insert { table: name, overwrite, columns, query }) => {
            let query = resolve(&with(query, named), session).await?;
            let write = writer.plan_insert(query, &name, &columns, overwrite).await?;
            write.run().await?;
            table(vec![("plan", false, strings(&[explain::measured(write.plan())]))])
        }
        Statement::Set { key, value } => set(key, value, session),
        Statement::Show { views, namespace: _, pattern } => show(views, pattern.as_deref(), session),
    }
}

fn with(query: Relation, relations: Vec<(String, Relation)>) -> Relation {
    if relations.is_empty() {
        return query;
    }
    RelationKind::With { input: Box::new(query), relations }.into()
}

async fn create_table(create: CreateTable, named: Vec<(String, Relation)>, writer: Writer<'_>) -> Result<()> {
    let CreateTable { name, if_not_exists, source, query } = create;
    if if_not_exists && writer.0.session.tables.get(&name).is_some() {
        return Ok(());
    }
    match query {
        None => writer.create_table(&name, source).await,
        Some(query) => {
            let query = resolve(&with(query, named), writer.0.session.as_ref()).await?;
            writer.save_as_table(query, &name, source, SaveMode::Error, vec![]).await
        }
    }
}

/// A temporary view of the name is dropped in place of the table.
fn drop_table(name: &[String], if_exists: bool, session: &Session) -> Result<()> {
    let dropped = matches!(name, [name] if session.views.remove(name)) || session.tables.remove(name);
    if dropped || if_exists { Ok(()) } else { Err(views::not_found(&name.join("."))) }
}

fn drop_view(name: &[String], if_exists: bool, session: &Session) -> Result<()> {
    if matches!(name, [name] if session.views.remove(name)) {
        return Ok(());
    }
    match session.tables.get(name) {
        Some(table) => Err(tables::not_a_view(&table)),
        None if if_exists => Ok(()),
        None => Err(views::not_found(&name.join("."))),
    }
}

/// Tables, which stand in a namespace, then temporary views, which do not and are in every listing.
fn show(views_only: bool, pattern: Option<&str>, session: &Session) -> Result<RelationKind> {
    let tables = if views_only { Vec::new() } else { matching(session.tables.names(), pattern) };
    let views = matching(session.views.names(), pattern);
    let both = |table: &str, view: &str| [vec![table.to_owned(); tables.len()], vec![view.to_owned(); views.len()]];
    let temporary = [vec![false; tables.len()], vec![true; views.len()]].concat();
    table(vec![
        ("namespace", false, strings(&both(tables::DATABASE, "").concat())),
        (if views_only { "viewName" } else { "tableName" }, false, strings(&[tables, views].concat())),
        ("isTemporary", false, flags(&temporary)),
    ])
}

fn set(key: Option<String>, value: Option<String>, session: &Session) -> Result<RelationKind> {
    let pairs = match (key, value) {
        (Some(key), Some(value)) => {
            session.config.write().set(&key, &value)?;
            vec![(key, value)]
        }
        (Some(key), None) => {
            let value = session.config.read().option(&key).unwrap_or_else(|| "<undefined>".to_owned());
            vec![(key, value)]
        }
        (None, _) => session.config.read().all("").into_iter().collect(),
    };
    let (keys, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    table(vec![("key", false, strings(&keys)), ("value", false, strings(&values))])
}

fn explain_mode(mode: sql::ExplainMode) -> ExplainMode {
    match mode {
        sql::ExplainMode::Simple => ExplainMode::Simple,
        sql::ExplainMode::Extended => ExplainMode::Extended,
        sql::ExplainMode::Codegen => ExplainMode::Codegen,
        sql::ExplainMode::Cost => ExplainMode::Cost,
        sql::ExplainMode::Formatted => ExplainMode::Formatted,
    }
}

/// Rows as a relation that the client sends back.
fn to_relation(rows: RelationKind) -> Result<proto::Relation> {
    let RelationKind::Local { schema, batches } = rows else {
        return Err(SparkError::internal("The result of a statement has no rows of its own."));
    };
    let encode = || {
        let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
        batches.iter().try_for_each(|batch| writer.write(batch))?;
        writer.into_inner()
    };
    let data = encode().map_err(SparkError::internal)?;
    let local = proto::LocalRelation { data: Some(data.into()), schema: None };
    Ok(proto::Relation { rel_type: Some(RelType::LocalRelation(local)), ..proto::Relation::default() })
}
