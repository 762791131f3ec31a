//! The table that a source makes.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::exec::PythonExec;
use crate::source::Source;
use crate::spec;

/// A table that a plug-in reads.
#[derive(Debug)]
pub struct PythonTableProvider {
    source: Arc<Source>,
    schema: SchemaRef,
}

impl PythonTableProvider {
    /// A table of `source` with this schema, which every batch is checked against.
    pub fn new(source: Arc<Source>, schema: SchemaRef) -> Self {
        Self { source, schema }
    }

    /// The source that is read.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }
}

#[async_trait]
impl TableProvider for PythonTableProvider {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let specs = self.source.plan_partitions().await?;
        let input = spec::source(&specs, state.config().target_partitions())?;
        let source = Arc::clone(&self.source);
        let exec = PythonExec::try_new(source, Arc::clone(&self.schema), projection.cloned(), limit, input)?;
        Ok(Arc::new(exec))
    }
}
