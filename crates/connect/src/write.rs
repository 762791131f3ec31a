//! Writes: rows of a query to a source, with or without a table's name.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::error::Result as EngineResult;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{LogicalPlan, Partitioning as LogicalPartitioning};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use sheetbend_datasource::source::Source as Opened;
use sheetbend_datasource::write::{self, PythonWriteExec, SaveMode, Write};
use sheetbend_plan::environment::{Environment, Resolved};
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{InsertColumns, Relation, RelationKind, Source};
use sheetbend_plan::resolver::{Target, assign};

use crate::engine::Query;
use crate::failure;
use crate::names::Found;
use crate::operation::Task;
use crate::session::Session;
use crate::tables::{self, Entry, Table, quoted};
use crate::views::View;

/// Where rows go.
struct Sink {
    /// As messages show it.
    name: String,
    source: Source,
    table: Option<String>,
}

/// A write that is ready to run.
pub(crate) struct Ready {
    pub(crate) exec: PythonWriteExec,
    context: Arc<TaskContext>,
}

impl Ready {
    /// Runs the write to its end.
    pub(crate) async fn run(&self) -> Result<()> {
        write::execute(&self.exec, Arc::clone(&self.context)).await.map_err(|e| failure::from_engine(&e))
    }
}

/// Writes of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Writer<'a>(pub(crate) &'a Task);

impl Writer<'_> {
    /// Writes to a source without a name: `df.write.save()`.
    pub(crate) async fn save(&self, query: Resolved, source: Source, mode: SaveMode) -> Result<()> {
        let opened = self.open(&source).await?;
        self.plan(query, opened, mode, None).await?.run().await?;
        self.changed(&source);
        Ok(())
    }

    /// Writes to a table or to a view of a source.
    pub(crate) async fn insert(
        &self,
        query: Resolved,
        table: &[String],
        columns: &InsertColumns,
        overwrite: bool,
    ) -> Result<()> {
        let source = self.sink(table)?.source;
        self.plan_insert(query, table, columns, overwrite).await?.run().await?;
        self.changed(&source);
        Ok(())
    }

    /// What [`Writer::insert`] runs.
    pub(crate) async fn plan_insert(
        &self,
        query: Resolved,
        table: &[String],
        columns: &InsertColumns,
        overwrite: bool,
    ) -> Result<Ready> {
        let sink = self.sink(table)?;
        let opened = self.open(&sink.source).await?;
        let schema = schema_of(&sink.source, &opened).await?;
        let target = Target { name: &sink.name, schema: &schema };
        let rows = assign(query, &target, columns, &self.0.session.settings())?;
        let mode = if overwrite { SaveMode::Overwrite } else { SaveMode::Append };
        self.plan(rows, opened, mode, sink.table).await
    }

    /// Writes to a table, which is created or replaced where the mode says so: `df.write.saveAsTable()`.
    pub(crate) async fn save_as_table(
        &self,
        query: Resolved,
        name: &[String],
        source: Source,
        mode: SaveMode,
    ) -> Result<()> {
        match (self.0.session.tables.get(name), mode) {
            (Some(table), SaveMode::Error) => Err(tables::already_exists(&table.name)),
            (Some(_), SaveMode::Ignore) => Ok(()),
            (Some(table), SaveMode::Append) => {
                if !table.source.format.eq_ignore_ascii_case(&source.format) {
                    return Err(other_format(&table, &source));
                }
                self.insert(query, name, &InsertColumns::Name, false).await
            }
            (None, _) | (Some(_), SaveMode::Overwrite) => {
                let name = self.0.session.tables.new_name(name)?;
                let schema = Arc::clone(&query.schema);
                let opened = self.open(&source).await?;
                self.plan(query, opened, mode, Some(name.name.clone())).await?.run().await?;
                self.changed(&source);
                self.0.session.tables.create(Entry::Table(Table { name, source, schema }), mode != SaveMode::Error)
            }
        }
    }

    /// Creates a table without writing to it.
    pub(crate) async fn create_table(&self, name: &[String], source: Source) -> Result<()> {
        if let Some(table) = self.0.session.tables.entry(name) {
            return Err(tables::already_exists(table.name()));
        }
        let name = self.0.session.tables.new_name(name)?;
        let opened = self.open(&source).await?;
        let schema = schema_of(&source, &opened).await?;
        self.0.session.tables.create(Entry::Table(Table { name, source, schema }), false)
    }

    fn sink(&self, name: &[String]) -> Result<Sink> {
        match self.0.session.get(name)? {
            Found::Temporary(View { source: Some(source), .. }) | Found::Global(View { source: Some(source), .. }) => {
                Ok(Sink { name: quoted(std::slice::from_ref(&source.format)), source, table: None })
            }
            Found::Temporary(View { relation, .. }) if is_local(&relation) => Err(no_target()),
            Found::Temporary(_) | Found::Global(_) => Err(not_a_table(&quoted(name))),
            Found::Stored(Entry::View(view)) => Err(not_a_table(&view.name.quoted())),
            Found::Stored(Entry::Table(table)) => {
                Ok(Sink { name: table.name.quoted(), source: table.source, table: Some(table.name.name) })
            }
        }
    }

    /// Takes note that rows were written to a source.
    fn changed(&self, source: &Source) {
        self.0.session.cache.changed(source, &self.0.session);
    }

    async fn open(&self, source: &Source) -> Result<Arc<Opened>> {
        let opened = self.0.session.format(source)?.create_source(Session::source_info(source)).await;
        opened.map_err(|e| failure::from_bridge(&e))
    }

    async fn plan(&self, query: Resolved, source: Arc<Opened>, mode: SaveMode, table: Option<String>) -> Result<Ready> {
        check_unique(&query.schema)?;
        let partitions = asked_partitions(&query.plan);
        let deadline = self.0.time.map(|time| time.deadline);
        let Query { plan, context, schema } = self.0.engine.prepare(query, deadline).await?;
        let input = match partitions {
            // The optimiser takes one off that the query itself does not need.
            Some(partitions) => repartition(plan, partitions).map_err(|e| failure::from_engine(&e))?,
            None => plan,
        };
        Ok(Ready { exec: PythonWriteExec::new(source, Write { mode, schema, table }, input), context })
    }
}

/// The partitions that `df.repartition(n)` asks for where it is the last that is done with the rows.
fn asked_partitions(plan: &LogicalPlan) -> Option<usize> {
    match plan {
        LogicalPlan::Projection(projection) => asked_partitions(&projection.input),
        LogicalPlan::Repartition(repartition) => match repartition.partitioning_scheme {
            LogicalPartitioning::RoundRobinBatch(partitions) => Some(partitions),
            _ => None,
        },
        _ => None,
    }
}

fn repartition(input: Arc<dyn ExecutionPlan>, partitions: usize) -> EngineResult<Arc<dyn ExecutionPlan>> {
    Ok(Arc::new(RepartitionExec::try_new(input, Partitioning::RoundRobinBatch(partitions))?))
}

async fn schema_of(source: &Source, opened: &Opened) -> Result<SchemaRef> {
    match &source.schema {
        Some(schema) => Ok(Arc::clone(schema)),
        None => opened.infer_schema().await.map_err(|e| failure::from_bridge(&e)),
    }
}

fn check_unique(schema: &Schema) -> Result<()> {
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    if names.iter().enumerate().all(|(at, name)| names.iter().position(|other| other == name) == Some(at)) {
        return Ok(());
    }
    let names = format!("[{}]", names.join(", "));
    let message = format!("Duplicated field names in Arrow Struct are not allowed, got {names}.");
    Err(SparkError::new(ErrorClass::Unsupported, "DUPLICATED_FIELD_NAME_IN_ARROW_STRUCT", "42713", message)
        .with("fieldNames", names))
}

fn is_local(relation: &Relation) -> bool {
    match &relation.kind {
        RelationKind::Local { .. } | RelationKind::Range { .. } => true,
        RelationKind::ToDf { input, .. } => is_local(input),
        _ => false,
    }
}

fn no_target() -> SparkError {
    let message = "Can't insert into the target. An RDD-based table is not allowed.";
    SparkError::new(ErrorClass::Analysis, "UNSUPPORTED_INSERT.RDD_BASED", "42809", message)
}

fn not_a_table(name: &str) -> SparkError {
    let message = format!("'INSERT' expects a table but {name} is a view.");
    SparkError::new(ErrorClass::Analysis, "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", message)
        .with("viewName", name)
        .with("operation", "INSERT")
}

fn other_format(table: &Table, source: &Source) -> SparkError {
    let name = table.name.quoted();
    let (existing, given) = (&table.source.format, &source.format);
    let message = format!(
        "The format of the existing table {name} is `{existing}`. It doesn't match the specified format `{given}`."
    );
    SparkError::new(ErrorClass::Analysis, "_LEGACY_ERROR_TEMP_1159", "42000", message)
        .with("tableName", name)
        .with("existingProvider", existing)
        .with("specifiedProvider", given)
}
