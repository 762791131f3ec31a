//! The table that a source makes.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, TableProviderFilterPushDown, TableScanBuilder, TableType};
use datafusion::physical_plan::ExecutionPlan;

use crate::scan;
use crate::source::Source;

/// What the table of a scan by itself is called; nobody sees it.
const TABLE: &str = "source";

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

    /// All that a plug-in can be told. What it does not answer EXACT is put back above the scan when that is planned.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match scan::translate(filter, &self.schema) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Unsupported,
        };
        Ok(filters.iter().map(support).collect())
    }

    /// Where [`scan::ScanPlanner`] does not plan the query, each scan is negotiated by itself.
    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let table = Arc::new(Self { source: Arc::clone(&self.source), schema: Arc::clone(&self.schema) });
        let scanned = TableScanBuilder::new(TABLE, provider_as_source(table))
            .with_projection(projection.cloned())
            .with_filters(filters.to_vec())
            .with_fetch(limit);
        let plan = scan::negotiate(LogicalPlan::TableScan(scanned.build()?), state).await?;
        state.create_physical_plan(&plan).await
    }
}
