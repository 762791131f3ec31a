//! Formats that read from memory: a case must not find its way to files.

use std::sync::Arc;

use arrow::array::{Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::datasource::MemTable;
use sheetbend_datasource::error::{BridgeError, Result};
use sheetbend_datasource::format::{FormatRegistry, SourceInfo, TableFormat};
use sheetbend_datasource::source::Source;

/// Two columns and two rows, under some name.
#[derive(Debug)]
struct InMemory(&'static str);

#[async_trait::async_trait]
impl TableFormat for InMemory {
    fn name(&self) -> &str {
        self.0
    }

    async fn create_provider(&self, info: SourceInfo) -> Result<Arc<dyn TableProvider>> {
        let schema = Arc::new(Schema::new(vec![
            Field::new("id", DataType::Int32, false),
            Field::new("name", DataType::Utf8, true),
        ]));
        if let Some(promised) = info.schema {
            return Ok(Arc::new(MemTable::try_new(promised, vec![vec![]])?));
        }
        let names = StringArray::from(vec![Some("Ann"), None]);
        let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(Int32Array::from(vec![1, 2])), Arc::new(names)])
            .map_err(DataFusionError::from)?;
        Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
    }

    async fn create_source(&self, _info: SourceInfo) -> Result<Arc<Source>> {
        Err(BridgeError::Engine(DataFusionError::NotImplemented("a case writes nothing".to_owned())))
    }
}

/// Every format that is built in, and reads from memory here.
pub(crate) fn formats() -> Arc<FormatRegistry> {
    let registry = FormatRegistry::default();
    for name in ["memory", "parquet", "csv", "json", "text"] {
        registry.register(Arc::new(InMemory(name)));
    }
    Arc::new(registry)
}
