//! What the resolver asks of the world outside: tables, sources and settings of a session.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{LogicalPlan, ScalarUDF};

use crate::error::Result;
use crate::ir::{Source, SqlFunction};

/// A query that has its meaning: a plan with internal column names, and the names that the user sees.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The plan. Its columns have unique internal names and stand in the order of `schema`.
    pub plan: LogicalPlan,
    /// Names, types and nullability as Spark reports them; every type is one that a PySpark client can read.
    /// Names may repeat.
    pub schema: SchemaRef,
}

/// A table that is open.
#[derive(Debug, Clone)]
pub struct Table {
    /// What gives its rows.
    pub provider: Arc<dyn TableProvider>,
    /// Whether its last column is hidden: a star does not name it. It says which file a row is of.
    pub has_metadata: bool,
}

impl From<Arc<dyn TableProvider>> for Table {
    fn from(provider: Arc<dyn TableProvider>) -> Self {
        Self { provider, has_metadata: false }
    }
}

/// The settings that change what a plan means. They become part of the plan, so it means the same on any machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `spark.sql.session.timeZone`: an IANA name or an offset.
    pub time_zone: String,
    /// `spark.sql.caseSensitive`.
    pub case_sensitive: bool,
    /// `spark.sql.ansi.enabled`: what does not fit is an error, not NULL.
    pub ansi: bool,
    /// The current database.
    pub database: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { time_zone: "UTC".to_owned(), case_sensitive: false, ansi: true, database: "default".to_owned() }
    }
}

/// The variables of a session with their values, by their names in lower case.
pub type Variables = BTreeMap<String, ScalarValue>;

/// The functions that users made, by each name that they are called by, in lower case.
pub type Functions = BTreeMap<String, Arc<SqlFunction>>;

/// A session, as the resolver sees it.
#[async_trait]
pub trait Environment: Send + Sync {
    /// The view of each name; none where there is no such view.
    async fn views(&self, names: &[Vec<String>]) -> Result<Vec<Option<Arc<Resolved>>>>;

    /// The table that each source describes.
    async fn sources(&self, sources: &[Source]) -> Result<Vec<Table>>;

    /// The source that a name stands for; none for a view.
    fn source_named(&self, _name: &[String]) -> Option<Source> {
        None
    }

    /// All rows of a query, which part of the plan around it is made of: the values that a pivot has columns for.
    async fn rows(&self, query: Resolved) -> Result<Vec<RecordBatch>>;

    /// What makes an array of rows of each text, as a source says whose columns some of the texts tell.
    fn parser(&self, source: &Source, texts: &[RecordBatch]) -> Result<Arc<ScalarUDF>>;

    /// The session's settings.
    fn settings(&self) -> Settings;

    /// The session's variables.
    fn variables(&self) -> Variables {
        Variables::new()
    }

    /// The functions that users made.
    fn functions(&self) -> Functions {
        Functions::new()
    }
}
