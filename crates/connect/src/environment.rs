//! A session, as the resolver sees it.

use std::sync::Arc;

use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::logical_expr::ScalarUDF;
use futures::TryStreamExt;
use sheetbend_datasource::alone::together;
use sheetbend_datasource::format::{SourceInfo, TableFormat};
use sheetbend_files::{FileFormat, Files};
use sheetbend_plan::environment::{Environment, Functions, Resolved, Settings, Table, Variables};
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::{Expr, Relation, RelationKind, Source};
use sheetbend_plan::resolver::resolve;

use crate::config::INFER_PARTITIONS;
use crate::engine::{Engine, Terms};
use crate::names::Found;
use crate::session::Session;
use crate::tables::Entry;
use crate::{arrow_out, failure};

#[async_trait]
impl Environment for Session {
    async fn views(&self, names: &[Vec<String>]) -> Result<Vec<Option<Arc<Resolved>>>> {
        together(names.iter().map(|name| self.view(name))).await
    }

    async fn sources(&self, sources: &[Source]) -> Result<Vec<Table>> {
        together(sources.iter().map(|source| self.source(source))).await
    }

    /// A table has the columns that its source has now.
    fn source_named(&self, name: &[String]) -> Option<Source> {
        match (self.find(name), name) {
            (Some(Found::Stored(Entry::Table(table))), _) => Some(table.source),
            (None, [format, path]) => {
                let format = FileFormat::named(format)?.title().to_owned();
                Some(Source { format, paths: vec![path.clone()], ..Source::default() })
            }
            _ => None,
        }
    }

    async fn rows(&self, query: Resolved) -> Result<Vec<RecordBatch>> {
        let schema = arrow_out::with_nulls(&query.schema);
        let stream = Engine::new(None).prepare(query, Terms::default()).await?.start().await?;
        let batches: Vec<_> = stream.try_collect().await.map_err(|e| failure::from_engine(&e))?;
        batches.iter().map(|batch| arrow_out::conform(batch, &schema)).collect()
    }

    fn parser(&self, source: &Source, texts: &[RecordBatch]) -> Result<Arc<ScalarUDF>> {
        let Some(files) = self.files(source)? else {
            return Err(SparkError::unsupported(format_args!("texts in the format `{}`", source.format)));
        };
        Ok(Arc::new(sheetbend_files::parser(&files, texts)?))
    }

    fn settings(&self) -> Settings {
        Settings { database: self.tables.current(), ..self.config.read().settings() }
    }

    fn variables(&self) -> Variables {
        self.variables.values()
    }

    fn functions(&self) -> Functions {
        self.functions.callable(&self.tables.current())
    }
}

/// A session without its variables.
pub(crate) struct WithoutVariables<'a>(pub(crate) &'a Session);

#[async_trait]
impl Environment for WithoutVariables<'_> {
    async fn views(&self, names: &[Vec<String>]) -> Result<Vec<Option<Arc<Resolved>>>> {
        self.0.views(names).await
    }

    async fn sources(&self, sources: &[Source]) -> Result<Vec<Table>> {
        self.0.sources(sources).await
    }

    fn source_named(&self, name: &[String]) -> Option<Source> {
        self.0.source_named(name)
    }

    async fn rows(&self, query: Resolved) -> Result<Vec<RecordBatch>> {
        self.0.rows(query).await
    }

    fn parser(&self, source: &Source, texts: &[RecordBatch]) -> Result<Arc<ScalarUDF>> {
        self.0.parser(source, texts)
    }

    fn settings(&self) -> Settings {
        self.0.settings()
    }

    fn functions(&self) -> Functions {
        self.0.functions()
    }
}

impl Session {
    async fn view(&self, name: &[String]) -> Result<Option<Arc<Resolved>>> {
        match self.find(name) {
            Some(Found::Temporary(view) | Found::Global(view)) => match view.text {
                Some(query) => self.text_of_view(&query, &view.query.schema).await.map(Some),
                None => Ok(Some(view.query)),
            },
            Some(Found::Stored(Entry::View(view))) => self.text_of_view(&view.query, &view.schema).await.map(Some),
            Some(Found::Stored(Entry::Table(_))) | None => Ok(None),
        }
    }

    /// A view of SQL text is what its text says now, with the columns that it had when it was made.
    async fn text_of_view(&self, query: &Relation, schema: &Schema) -> Result<Arc<Resolved>> {
        let found = resolve(query, self).await?;
        let names = |schema: &Schema| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        let (now, then) = (names(&found.schema), names(schema));
        if now == then {
            return Ok(Arc::new(found));
        }
        let list = then.into_iter().map(|name| Expr::column([name])).collect();
        let narrowed = RelationKind::Project { input: Some(Box::new(query.clone())), list }.into();
        Ok(Arc::new(resolve(&narrowed, self).await?))
    }

    async fn source(&self, source: &Source) -> Result<Table> {
        if let Some(files) = self.files(source)? {
            return sheetbend_files::open(files).await;
        }
        let provider = self.format(source)?.create_provider(Self::source_info(source)).await;
        provider.map(Table::from).map_err(|e| failure::from_bridge(&e))
    }

    /// The format of a source.
    ///
    /// # Errors
    /// `DATA_SOURCE_NOT_FOUND`.
    pub(crate) fn format(&self, source: &Source) -> Result<Arc<dyn TableFormat>> {
        self.formats.get(&source.format).map_err(|e| failure::from_bridge(&e))
    }

    /// The files that a source names; none where it is of a plug-in, which goes first.
    ///
    /// # Errors
    /// A setting that cannot be read.
    pub(crate) fn files(&self, source: &Source) -> Result<Option<Files>> {
        let Some(format) = FileFormat::named(&source.format).filter(|_| !self.formats.has(&source.format)) else {
            return Ok(None);
        };
        let infers = self.config.read().get(INFER_PARTITIONS)?;
        Ok(Some(Files {
            paths: source.paths.clone(),
            schema: source.schema.clone(),
            infers_partitions: infers != "false",
            ..Files::new(format, source.options.clone(), self.settings())
        }))
    }

    /// The format that was asked for, or else the session's.
    ///
    /// # Errors
    /// A setting that cannot be read.
    pub(crate) fn format_or_default(&self, format: Option<String>) -> Result<String> {
        match format.filter(|format| !format.is_empty()) {
            Some(format) => Ok(format),
            None => self.config.read().get("spark.sql.sources.default"),
        }
    }

    /// What a format is told of a source.
    pub(crate) fn source_info(source: &Source) -> SourceInfo {
        SourceInfo {
            options: source.options.clone(),
            paths: source.paths.clone(),
            predicates: source.predicates.clone(),
            schema: source.schema.clone(),
        }
    }
}
