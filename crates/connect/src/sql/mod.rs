//! `spark.sql`: a query goes back to the client, which executes it as a relation; any other statement takes effect at
//! once, and its result goes back as rows.

mod alter;
mod cache;
mod define;
mod describe;
mod execute;
mod function;
mod show;
mod show_create;
mod variable;

use arrow::ipc::writer::StreamWriter;
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{Insert, Relation, RelationKind};
use sheetbend_plan::sql::{self, Parameters, Statement};
use spark_connect_proto as proto;
use spark_connect_proto::analyze_plan_request::explain::ExplainMode;
use spark_connect_proto::relation::RelType;

use crate::catalog::rows::{nothing, strings, table};
use crate::lower::Lowering;
use crate::operation::Task;
use crate::session::Session;
use crate::tables::{CATALOG, catalog_not_found};
use crate::write::Writer;
use crate::{explain, stack};

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
        let statements = Statements { named, task: &task };
        match sql::parse_statement(&query, &parameters)? {
            // What it means is found again when it is executed; a query that means nothing is refused here already.
            Statement::Query(query) => {
                task.session.resolve(&statements.with(query)).await?;
                Ok(relation)
            }
            Statement::ExecuteImmediate(execute) => statements.immediate(execute).await,
            statement => to_relation(statements.run(statement).await?),
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

/// Runs statements of one text.
struct Statements<'a> {
    /// The relations that the text refers to by name.
    named: Vec<(String, Relation)>,
    task: &'a Task,
}

impl Statements<'_> {
    async fn run(&self, statement: Statement) -> Result<RelationKind> {
        let session = self.session();
        match statement {
            Statement::Query(query) => return Ok(query.kind),
            Statement::CreateView(view) => self.create_view(view).await?,
            Statement::CreateSourceView { name, replace, scope, source } => {
                self.create_source_view(name, replace, scope, source).await?;
            }
            Statement::AlterView { name, query, text } => self.alter_view(&name, query, text).await?,
            Statement::Rename { view, name, to } => define::rename(&name, view, &to, session)?,
            Statement::AlterTable { name, view, operation, change } => {
                alter::table(&name, view, &operation, change, session)?;
            }
            Statement::Truncate(name) => self.truncate(&name).await?,
            Statement::CreateTable(create) => self.create_table(create).await?,
            Statement::CreateTableLike(create) => self.create_table_like(create).await?,
            Statement::Drop { view, name, if_exists } => define::drop(&name, view, if_exists, session)?,
            Statement::CreateFunction(create) => self.create_function(create).await?,
            Statement::DropFunction { name, temporary, if_exists } => {
                function::drop(&name, temporary, if_exists, session)?;
            }
            Statement::CreateDatabase { name, if_not_exists, comment, properties } => {
                define::create_database(&name, if_not_exists, comment, properties, session)?;
            }
            Statement::AlterDatabase { name, change } => alter::database(&name, change, session)?,
            Statement::DropDatabase { name, if_exists, cascade } => {
                if session.tables.database(&name).is_ok() || !if_exists {
                    define::drop_database(&name, cascade, session)?;
                }
            }
            Statement::Use(name) => session.tables.set_current(&name)?,
            Statement::SetCatalog(name) if name.eq_ignore_ascii_case(CATALOG) => {}
            Statement::SetCatalog(name) => return Err(catalog_not_found(&name)),
            Statement::Insert(insert) => self.insert(insert).await?,
            Statement::ExplainAnalyze(query) => {
                let deadline = self.task.time.map(|time| time.deadline);
                let query = self.task.engine.plan(&self.with(query), session, deadline).await?;
                return plan_of(explain::analyze(&query).await?);
            }
            Statement::Explain { mode, query } => return self.explain(mode, query).await,
            Statement::ExplainInsert { mode, insert } => {
                let Insert { table, overwrite, columns, query } = insert;
                let query = session.resolve(&self.with(query)).await?;
                let write = Writer(self.task).plan_insert(query, &table, &columns, overwrite).await?;
                return plan_of(explain::physical(write.plan(), explain_mode(mode)));
            }
            Statement::ExplainAnalyzeInsert(Insert { table, overwrite, columns, query }) => {
                let query = session.resolve(&self.with(query)).await?;
                let write = Writer(self.task).plan_insert(query, &table, &columns, overwrite).await?;
                write.run().await?;
                return plan_of(explain::measured(write.plan()));
            }
            Statement::Cache { name, query, lazy, level } => {
                self.cache(&name, query, lazy, level.as_deref()).await?;
            }
            Statement::Uncache { name, if_exists } => cache::uncache(name, if_exists, session)?,
            Statement::ClearCache => session.cache.clear(),
            Statement::Refresh(name) => cache::refresh(name, session)?,
            Statement::RefreshPath(_) => {}
            Statement::RefreshFunction(name) => return Err(cache::not_refreshed(&name, session)),
            Statement::OfTable { operation, name } if define::is_done(&operation, &name, session) => {}
            Statement::OfTable { operation, name } => return Err(define::of_table(&operation, &name, session)),
            Statement::Set { key, value } => return set(key, value, session),
            Statement::Reset(key) => reset(key, session)?,
            Statement::Declare(declare) => self.declare(declare).await?,
            Statement::SetVariables(set) => self.set_variables(set).await?,
            Statement::DropVariable { name, if_exists } => self.drop_variable(&name, if_exists)?,
            Statement::ExecuteImmediate(_) => return Err(SparkError::unsupported("EXECUTE IMMEDIATE here")),
            Statement::ListResources => return table(vec![("Results", false, strings::<&str>([]))]),
            Statement::Show(what) => return self.show(what).await,
            Statement::Describe(what) => return self.describe(what).await,
        }
        nothing()
    }

    fn session(&self) -> &Session {
        self.task.session.as_ref()
    }

    /// The query with the relations that it refers to by name.
    fn with(&self, query: Relation) -> Relation {
        match self.named.as_slice() {
            [] => query,
            named => RelationKind::With { input: Box::new(query), relations: named.to_vec() }.into(),
        }
    }

    async fn insert(&self, insert: Insert) -> Result<()> {
        let Insert { table, overwrite, columns, query } = insert;
        let query = self.session().resolve(&self.with(query)).await?;
        Writer(self.task).insert(query, &table, &columns, overwrite).await
    }

    /// A query that means nothing is no error: the plan says what is wrong.
    async fn explain(&self, mode: sql::ExplainMode, query: Relation) -> Result<RelationKind> {
        let text = match self.session().resolve(&self.with(query)).await {
            Ok(query) => explain::text(&query, explain_mode(mode), &self.task.engine).await?,
            Err(error) if error.class == ErrorClass::Analysis => {
                format!("Error occurred during query planning: \n{error}")
            }
            Err(error) => return Err(error),
        };
        plan_of(text)
    }
}

fn plan_of(text: String) -> Result<RelationKind> {
    table(vec![("plan", false, strings([text]))])
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
    table(vec![("key", false, strings(keys)), ("value", false, strings(values))])
}

/// What is fixed for the server stays as it is.
fn reset(key: Option<String>, session: &Session) -> Result<()> {
    let mut config = session.config.write();
    match key {
        Some(key) if config.is_fixed(&key) => Ok(()),
        Some(key) => config.unset(&key),
        None => {
            config.clear();
            Ok(())
        }
    }
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
