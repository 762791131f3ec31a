//! Parquet: DataFusion's reader, with Spark's rules for schemas.

mod adapter;
mod exec;

use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::NdvFallback;
use datafusion::common::{Statistics, project_schema};
use datafusion::datasource::file_format::FileFormat as _;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::object_store::path::Path as StorePath;
use datafusion::object_store::{ObjectMeta, ObjectStore};
use datafusion::parquet::basic::Type as PhysicalType;
use datafusion::parquet::schema::types::TypePtr;
use datafusion::physical_plan::ExecutionPlan;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use sheetbend_plan::ddl;
use sheetbend_plan::error::Result;

use crate::error::{no_schema, unreadable};
use crate::listing::File;
use crate::schema::{engine_schema, merged, same_name};
use crate::table::{Columns, DataFile, Found};
use adapter::SparkAdapterFactory;
pub(crate) use exec::{ParquetScanExec, adapters};

/// Footers that are read at a time.
const FOOTERS: usize = 32;

/// The table of Parquet files.
///
/// # Errors
/// No file to tell the columns, files that are no Parquet, schemas that do not merge.
pub(crate) async fn open(found: Found) -> Result<Arc<dyn TableProvider>> {
    let given = found.given_columns();
    let is_given = given.is_some();
    let columns = match given {
        Some(columns) => columns,
        None => inferred(&found).await?.fields().to_vec(),
    };
    let columns = found.columns(columns)?;
    let adapters = SparkAdapterFactory { case_sensitive: found.files.settings.case_sensitive };
    Ok(Arc::new(ParquetTable { columns, data: found.data, is_given, adapters }))
}

/// The columns that the first file has, or with `mergeSchema` all of them.
async fn inferred(found: &Found) -> Result<Schema> {
    let merge = found.files.options.flag("mergeSchema", false)?;
    let count = if merge { found.data.len() } else { 1 };
    let runtime = Arc::new(RuntimeEnv::default());
    let files: Vec<_> = found.data.iter().take(count).map(|data| data.file.clone()).collect();
    let schemas: Vec<_> =
        stream::iter(files).map(|file| schema_of(file, Arc::clone(&runtime))).buffered(FOOTERS).try_collect().await?;
    let case_sensitive = found.files.settings.case_sensitive;
    let mut schemas = schemas.into_iter();
    let first = schemas.next().ok_or_else(|| no_schema(found.files.format))?;
    schemas.try_fold(first, |all, schema| merged(&all, &schema, case_sensitive))
}

async fn schema_of(file: File, runtime: Arc<RuntimeEnv>) -> Result<Schema> {
    let store = runtime.object_store(ObjectStoreUrl::local_filesystem())?;
    let meta = object_meta(&file)?;
    let metadata = DFParquetMetadata::new(store.as_ref(), &meta)
        .with_file_metadata_cache(Some(runtime.cache_manager.get_file_metadata_cache()))
        .with_coerce_int96(Some(TimeUnit::Microsecond))
        .with_coerce_int96_tz(Some("UTC".into()));
    let read = async { Ok((metadata.fetch_schema().await?, metadata.fetch_metadata().await?)) };
    let (schema, footer) = of_footer(&file.path, read).await?;
    let in_file = footer.file_metadata().schema_descr().root_schema().get_fields();
    let fields = schema.fields().iter().map(|field| {
        // Instants always, though a writer says of the column that it has no zone.
        let is_int96 = |column: &TypePtr| column.is_primitive() && column.get_physical_type() == PhysicalType::INT96;
        match in_file.iter().any(|column| column.name() == field.name() && is_int96(column)) {
            true => Arc::new(Field::clone(field).with_data_type(ddl::timestamp())),
            false => Arc::clone(field),
        }
    });
    Ok(engine_schema(&Schema::new(fields.collect::<Vec<_>>())))
}

/// What `read` makes of the footer of a file, which may be damaged.
async fn of_footer<T>(path: &Path, read: impl Future<Output = EngineResult<T>>) -> Result<T> {
    let unreadable = |what: &str| unreadable("CANNOT_READ_FILE_FOOTER", path, what);
    // The reader of footers does not foresee every damage.
    match AssertUnwindSafe(read).catch_unwind().await {
        Ok(read) => read.map_err(|error| match crate::failure(&error) {
            Some(own) if own.condition != "FAILED_READ_FILE.NO_HINT" => own,
            _ => unreadable(&error.strip_backtrace()),
        }),
        Err(_) => Err(unreadable("The footer is damaged.")),
    }
}

fn object_meta(file: &File) -> EngineResult<ObjectMeta> {
    Ok(ObjectMeta {
        location: StorePath::from_absolute_path(&file.path)
            .map_err(|e| DataFusionError::ObjectStore(Box::new(e.into())))?,
        last_modified: file.modified.into(),
        size: file.size,
        e_tag: None,
        version: None,
    })
}

#[derive(Debug)]
pub(crate) struct ParquetTable {
    columns: Columns,
    data: Vec<DataFile>,
    /// The columns are the user's, and may not be those of the files.
    is_given: bool,
    adapters: SparkAdapterFactory,
}

#[async_trait]
impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.columns.all)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        Ok(self.columns.answered(filters))
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let data = self.columns.pruned(&self.data, filters, state)?;
        if data.is_empty() {
            // Without rows it has one partition: some engines lose a plan that says it is empty.
            let schema = project_schema(&self.columns.all, projection)?;
            return Ok(MemorySourceConfig::try_new_exec(&[vec![]], schema, None)?);
        }
        let partitions = self.columns.scanned_partitions(projection);
        let count = self.columns.of_files.fields().len() + partitions.len();
        let scanned = Arc::new(self.columns.all.project(&(0..count).collect::<Vec<_>>())?);
        let url = ObjectStoreUrl::local_filesystem();
        let store = state.runtime_env().object_store(&url)?;
        let format = ParquetFormat::default().with_options(options(state));
        let files: Vec<_> = stream::iter(data)
            .map(|data| self.described(data, partitions.len(), &format, &store, state))
            .buffered(FOOTERS)
            .try_collect()
            .await?;
        let all = files.iter().filter_map(|file| file.statistics.as_deref());
        let statistics = Statistics::try_merge_iter_with_ndv_fallback(all, &scanned, NdvFallback::Max)?;
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let schema =
            TableSchema::builder(Arc::clone(&self.columns.of_files)).with_table_partition_cols(partitions).build();
        let source = ParquetSource::new(schema).with_table_parquet_options(options(state));
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_expr_adapter(Some(Arc::new(self.adapters)))
            .build();
        format.create_physical_plan(state, config).await
    }
}

impl ParquetTable {
    /// A file with what its footer says of its values.
    async fn described(
        &self,
        data: DataFile,
        partitions: usize,
        format: &ParquetFormat,
        store: &Arc<dyn ObjectStore>,
        state: &dyn Session,
    ) -> EngineResult<PartitionedFile> {
        let meta = object_meta(&data.file)?;
        let schema = &self.columns.of_files;
        let read = async {
            match self.is_given || self.has_other_names(&meta, store, state).await? {
                true => Ok(Statistics::new_unknown(schema)),
                false => format.infer_stats(state, store, Arc::clone(schema), &meta).await,
            }
        };
        let found = of_footer(&data.file.path, read).await?;
        let values = (0..partitions).map(|at| data.value(at)).collect();
        let file = PartitionedFile::new_from_meta(meta).with_partition_values(values);
        // The scan has them in a form that cannot be asked what they are.
        let file = file.with_extension(self.adapters);
        Ok(file.with_statistics(Arc::new(found)))
    }

    /// Whether a column stands in a file under a name in another case: it would be taken for one that is not there.
    async fn has_other_names(
        &self,
        meta: &ObjectMeta,
        store: &Arc<dyn ObjectStore>,
        state: &dyn Session,
    ) -> EngineResult<bool> {
        let cache = state.runtime_env().cache_manager.get_file_metadata_cache();
        let footer = DFParquetMetadata::new(store.as_ref(), meta).with_file_metadata_cache(Some(cache));
        let footer = footer.fetch_metadata().await?;
        let in_file = footer.file_metadata().schema_descr().root_schema().get_fields();
        let exact: HashSet<_> = in_file.iter().map(|column| column.name()).collect();
        let mut missing = self.columns.of_files.fields().iter().filter(|field| !exact.contains(field.name().as_str()));
        let has =
            |name: &str| in_file.iter().any(|column| same_name(column.name(), name, self.adapters.case_sensitive));
        Ok(missing.any(|field| has(field.name())))
    }
}

fn options(state: &dyn Session) -> TableParquetOptions {
    let mut options = state.default_table_options().parquet;
    options.global.coerce_int96 = Some("us".to_owned());
    options.global.coerce_int96_tz = Some("UTC".to_owned());
    options.global.schema_force_view_types = false;
    options
}
