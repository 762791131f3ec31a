//! Writes: rows of a query to a source, with or without a table's name.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::error::Result as EngineResult;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{LogicalPlan, Partitioning as LogicalPartitioning};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use sheetbend_cluster::{Runner, Work};
use sheetbend_datasource::source::Source as PythonSource;
use sheetbend_datasource::write::{self, PythonWriteExec, SaveMode, Write};
use sheetbend_files::Files;
use sheetbend_plan::environment::{Environment, Resolved};
use sheetbend_plan::error::{ErrorClass, Result, SparkError};
use sheetbend_plan::ir::{InsertColumns, Relation, RelationKind, Source};
use sheetbend_plan::resolver::{Target, assign};

use crate::engine::{Query, Terms};
use crate::failure;
use crate::managed::check_partition_columns;
use crate::names::Found;
use crate::operation::Task;
use crate::place::Place;
use crate::session::Session;
use crate::tables::{self, Details, Entry, Table, quoted};
use crate::views::View;

/// Where rows go.
struct Sink {
    /// As messages show it.
    name: String,
    source: Source,
    table: Option<String>,
    /// The columns whose values are names of folders, where the table says so.
    partition_by: Vec<String>,
}

/// A write that is ready to run.
pub(crate) struct Ready {
    sink: ReadySink,
    context: Arc<TaskContext>,
    runner: Arc<dyn Runner>,
}

enum ReadySink {
    Source(PythonWriteExec),
    /// The rows, their columns, and the files that they go to.
    Files(Arc<dyn ExecutionPlan>, SchemaRef, Box<sheetbend_files::Write>),
}

impl Ready {
    /// Runs the write to its end.
    pub(crate) async fn run(&self) -> Result<()> {
        let context = Arc::clone(&self.context);
        let done = match &self.sink {
            ReadySink::Source(exec) => write::execute(exec, context, self.tasks()).await,
            ReadySink::Files(rows, schema, write) => {
                let (rows, schema) = (Arc::clone(rows), Arc::clone(schema));
                sheetbend_files::write(Clone::clone(write), rows, schema, context, self.tasks()).await
            }
        };
        done.map_err(|e| failure::from_engine(&e))
    }

    /// What runs the tasks of a write.
    fn tasks(&self) -> write::Run {
        let runner = Arc::clone(&self.runner);
        Box::new(move |plan, context| {
            let work = Work { name: "write".to_owned(), plan, context };
            Box::pin(async move { Ok(runner.run(work).await?.rows) })
        })
    }

    /// The plan whose rows are written.
    pub(crate) fn plan(&self) -> &dyn ExecutionPlan {
        match &self.sink {
            ReadySink::Source(exec) => exec,
            ReadySink::Files(rows, ..) => rows.as_ref(),
        }
    }
}

/// A source that is there to be written to.
enum Opened {
    Source(Arc<PythonSource>),
    Files(Box<Files>),
}

/// Writes of an operation.
#[derive(Clone, Copy)]
pub(crate) struct Writer<'a>(pub(crate) &'a Task);

impl Writer<'_> {
    /// Writes to a source without a name: `df.write.save()`.
    pub(crate) async fn save(
        &self,
        query: Resolved,
        source: Source,
        mode: SaveMode,
        partition_by: Vec<String>,
    ) -> Result<()> {
        let opened = self.open(&source).await?;
        self.plan(query, opened, Kind { mode, table: None, partition_by }).await?.run().await?;
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
        let partition_by = match &opened {
            Opened::Source(_) => vec![],
            Opened::Files(_) if !sink.partition_by.is_empty() => sink.partition_by,
            Opened::Files(files) => sheetbend_files::partition_columns(Files::clone(files)).await?,
        };
        self.plan(rows, opened, Kind { mode, table: sink.table, partition_by }).await
    }

    /// Writes to a table, which is created or replaced where the mode says so: `df.write.saveAsTable()`.
    pub(crate) async fn save_as_table(
        &self,
        query: Resolved,
        name: &[String],
        mut source: Source,
        mode: SaveMode,
        details: Details,
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
            (before @ None, _) | (before @ Some(_), SaveMode::Overwrite) => {
                let session = &self.0.session;
                let name = session.tables.new_name(name)?;
                check_partition_columns(&name, &query.schema, &details.partition_by)?;
                let is_new = session.locate(&mut source, &name);
                let managed = is_new || before.is_some_and(|table| table.managed && table.source.paths == source.paths);
                let schema = session.columns_of_table(&source, &query.schema, &details.partition_by);
                let opened = self.open(&source).await?;
                let partition_by = details.partition_by.clone();
                let kind = Kind { mode, table: Some(name.name.clone()), partition_by };
                if let Opened::Files(_) = &opened {
                    source.schema = Some(Arc::clone(&schema));
                }
                self.plan(query, opened, kind).await?.run().await?;
                self.changed(&source);
                let table = Table { name, source, schema, details, managed };
                session.tables.create(Entry::Table(table), mode != SaveMode::Error)
            }
        }
    }

    /// Creates a table without writing to it.
    pub(crate) async fn create_table(&self, name: &[String], mut source: Source, details: Details) -> Result<()> {
        if let Some(table) = self.0.session.tables.entry(name) {
            return Err(tables::already_exists(table.name()));
        }
        let session = &self.0.session;
        let name = session.tables.new_name(name)?;
        let managed = session.locate(&mut source, &name);
        if let Some(schema) = source.schema.take() {
            check_partition_columns(&name, &schema, &details.partition_by)?;
            source.schema = Some(session.columns_of_table(&source, &schema, &details.partition_by));
        }
        let opened = self.open(&source).await?;
        if let Opened::Files(files) = &opened
            && source.schema.is_some()
        {
            sheetbend_files::create_folder(files)?;
        }
        let schema = schema_of(&source, &opened).await?;
        session.tables.create(Entry::Table(Table { name, source, schema, details, managed }), false)
    }

    fn sink(&self, name: &[String]) -> Result<Sink> {
        match self.0.session.get(name)? {
            Found::Temporary(View { source: Some(source), .. }) | Found::Global(View { source: Some(source), .. }) => {
                let name = quoted(std::slice::from_ref(&source.format));
                Ok(Sink { name, source, table: None, partition_by: Vec::new() })
            }
            Found::Temporary(View { relation, .. }) if is_local(&relation) => Err(no_target()),
            Found::Temporary(_) | Found::Global(_) => Err(not_a_table(&quoted(name))),
            Found::Stored(Entry::View(view)) => Err(not_a_table(&view.name.quoted())),
            Found::Stored(Entry::Table(table)) => {
                let Table { name, source, details, .. } = table;
                Ok(Sink { name: name.quoted(), source, table: Some(name.name), partition_by: details.partition_by })
            }
        }
    }

    /// Takes note that rows were written to a source.
    fn changed(&self, source: &Source) {
        self.0.session.cache.changed(source, &self.0.session);
    }

    async fn open(&self, source: &Source) -> Result<Opened> {
        if let Some(files) = self.0.session.files(source)? {
            return Ok(Opened::Files(Box::new(files)));
        }
        let opened = self.0.session.format(source)?.create_source(Session::source_info(source)).await;
        opened.map(Opened::Source).map_err(|e| failure::from_bridge(&e))
    }

    /// Whether files of other partitions stay when some are overwritten.
    fn is_dynamic(&self, files: &Files, partition_by: &[String]) -> bool {
        let conf = self.0.session.config.read().option("spark.sql.sources.partitionOverwriteMode");
        let mode = files.options.get("partitionOverwriteMode").map(str::to_owned).or(conf);
        !partition_by.is_empty() && mode.is_some_and(|mode| mode.eq_ignore_ascii_case("dynamic"))
    }

    async fn plan(&self, query: Resolved, opened: Opened, kind: Kind) -> Result<Ready> {
        let Kind { mode, table, partition_by } = kind;
        match &opened {
            Opened::Source(_) if !partition_by.is_empty() => {
                return Err(SparkError::unsupported("`df.write.partitionBy` for a source that is a plug-in"));
            }
            Opened::Source(_) => check_unique(&query.schema)?,
            Opened::Files(_) => {}
        }
        let partitions = asked_partitions(&query.plan);
        let deadline = self.0.time.map(|time| time.deadline);
        let terms = Terms::of(&self.0.session, deadline)?;
        let terms = match (&opened, terms.place) {
            // Tasks leave files on their machines, which may be those of others.
            (Opened::Files(_), Place::Auto) => Terms { place: Place::Here, ..terms },
            _ => terms,
        };
        let Query { plan, context, schema, runner } = self.0.engine.prepare(query, terms).await?;
        let input = match partitions {
            // The optimiser takes one off that the query itself does not need.
            Some(partitions) => repartition(plan, partitions),
            None => Ok(plan),
        };
        let input = input.and_then(|input| runner.fixed(input)).map_err(|e| failure::from_engine(&e))?;
        let sink = match opened {
            Opened::Source(source) => {
                ReadySink::Source(PythonWriteExec::new(source, Write { mode, schema, table }, input))
            }
            Opened::Files(files) => {
                let dynamic = self.is_dynamic(&files, &partition_by);
                let mode = files_mode(mode);
                let write = sheetbend_files::Write { files: *files, mode, partition_by, dynamic };
                ReadySink::Files(input, schema, Box::new(write))
            }
        };
        Ok(Ready { sink, context, runner })
    }
}

/// What a write does besides its rows and its target.
struct Kind {
    mode: SaveMode,
    table: Option<String>,
    partition_by: Vec<String>,
}

fn files_mode(mode: SaveMode) -> sheetbend_files::SaveMode {
    match mode {
        SaveMode::Append => sheetbend_files::SaveMode::Append,
        SaveMode::Overwrite => sheetbend_files::SaveMode::Overwrite,
        SaveMode::Error => sheetbend_files::SaveMode::Error,
        SaveMode::Ignore => sheetbend_files::SaveMode::Ignore,
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
    match (&source.schema, opened) {
        (Some(schema), _) => Ok(Arc::clone(schema)),
        (None, Opened::Source(source)) => source.infer_schema().await.map_err(|e| failure::from_bridge(&e)),
        (None, Opened::Files(files)) => Ok(sheetbend_files::columns(Files::clone(files)).await?),
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
