//! The nodes of this crate as bytes, for the parts of a plan that run in other processes of the same installation.
//!
//! What a scan has settled with its plug-in travels with it, so that a plug-in is asked once. Partition specs do not: they
//! are the rows of its input (see [`crate::spec`]).

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::ExecutionPlan;
use prost::Message;

use crate::exec::PythonExec;
use crate::ipc;
use crate::scan::request::SortKey;
use crate::scan::{PlannedScan, Settled};
use crate::source::Source;
use crate::write::{Begun, PythonWriteExec, SaveMode, Write};

/// Where sources are made of the bytes of their recipes: most often there are many nodes of one.
pub trait Sources: Debug {
    /// The source of a recipe.
    ///
    /// # Errors
    /// As of [`Recipe::make`](crate::recipe::Recipe::make).
    fn get(&self, recipe: &[u8]) -> Result<Arc<Source>>;
}

/// `node` as bytes, its inputs left aside; none where it is not of this crate.
///
/// # Errors
/// A plug-in that cannot be pickled, or a write that has not begun.
pub fn encode(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Vec<u8>>> {
    let kind = if let Some(read) = node.downcast_ref::<PythonExec>() {
        Kind::Read(ReadProto::of(read)?)
    } else if let Some(write) = node.downcast_ref::<PythonWriteExec>() {
        Kind::Write(WriteProto::of(write)?)
    } else {
        return Ok(None);
    };
    Ok(Some(NodeProto { kind: Some(kind) }.encode_to_vec()))
}

/// The node of these bytes, over its input.
///
/// # Errors
/// Bytes that [`encode`] does not make, or a plug-in that cannot be loaded here.
pub fn decode(
    bytes: &[u8],
    inputs: &[Arc<dyn ExecutionPlan>],
    sources: &dyn Sources,
) -> Result<Arc<dyn ExecutionPlan>> {
    let node = NodeProto::decode(bytes).map_err(|error| DataFusionError::External(error.into()))?;
    let [input] = inputs else { return Err(malformed("a node without its one input")) };
    let input = Arc::clone(input);
    match node.kind.ok_or_else(|| malformed("a node of no kind"))? {
        Kind::Read(read) => read.node(input, sources),
        Kind::Write(write) => write.node(input, sources),
    }
}

fn malformed(what: &str) -> DataFusionError {
    DataFusionError::Internal(format!("a plan was sent that has {what}"))
}

fn schema(bytes: &[u8]) -> Result<SchemaRef> {
    Ok(ipc::read_schema(bytes)?)
}

#[derive(Clone, PartialEq, prost::Message)]
struct NodeProto {
    #[prost(oneof = "Kind", tags = "1, 2")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Kind {
    #[prost(message, tag = "1")]
    Read(ReadProto),
    #[prost(message, tag = "2")]
    Write(WriteProto),
}

#[derive(Clone, PartialEq, prost::Message)]
struct ReadProto {
    #[prost(bytes = "vec", tag = "1")]
    recipe: Vec<u8>,
    /// Of the table, of the rows that are promised, and of the columns that are kept; Arrow IPC.
    #[prost(bytes = "vec", tag = "2")]
    table: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    schema: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    output: Vec<u8>,
    #[prost(message, optional, tag = "5")]
    projection: Option<ProjectionProto>,
    #[prost(uint64, optional, tag = "6")]
    limit: Option<u64>,
    #[prost(message, repeated, tag = "7")]
    ordering: Vec<SortKeyProto>,
    /// What the source does beside reading, as a plan shows it.
    #[prost(string, repeated, tag = "8")]
    shown: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct ProjectionProto {
    #[prost(uint64, repeated, tag = "1")]
    columns: Vec<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct SortKeyProto {
    #[prost(string, tag = "1")]
    column: String,
    #[prost(bool, tag = "2")]
    descending: bool,
    #[prost(bool, tag = "3")]
    nulls_first: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WriteProto {
    #[prost(bytes = "vec", tag = "1")]
    recipe: Vec<u8>,
    #[prost(string, tag = "2")]
    mode: String,
    #[prost(bytes = "vec", tag = "3")]
    schema: Vec<u8>,
    #[prost(string, optional, tag = "4")]
    table: Option<String>,
    #[prost(string, tag = "5")]
    write_id: String,
    #[prost(string, tag = "6")]
    handle: String,
}

impl ReadProto {
    fn of(read: &PythonExec) -> Result<Self> {
        let scan = read.scan();
        let key = |key: &SortKey| SortKeyProto {
            column: key.column.clone(),
            descending: key.descending,
            nulls_first: key.nulls_first,
        };
        let columns = |columns: &Vec<usize>| ProjectionProto { columns: columns.iter().map(|at| *at as u64).collect() };
        Ok(Self {
            recipe: scan.source.recipe().encode()?,
            table: ipc::write_schema(&scan.table)?,
            schema: ipc::write_schema(&scan.schema)?,
            output: ipc::write_schema(&read.schema())?,
            projection: read.projection().map(columns),
            limit: read.fetch().map(|limit| limit as u64),
            ordering: scan.pushed.ordering.iter().map(key).collect(),
            shown: scan.pushed.parts(),
        })
    }

    fn node(self, input: Arc<dyn ExecutionPlan>, sources: &dyn Sources) -> Result<Arc<dyn ExecutionPlan>> {
        let key = |key: SortKeyProto| SortKey {
            column: key.column,
            descending: key.descending,
            nulls_first: key.nulls_first,
        };
        let scan = PlannedScan::settled(Settled {
            source: sources.get(&self.recipe)?,
            table: schema(&self.table)?,
            schema: schema(&self.schema)?,
            ordering: self.ordering.into_iter().map(key).collect(),
            shown: self.shown,
        });
        let projection = self.projection.map(|kept| kept.columns.iter().map(|at| *at as usize).collect());
        let limit = self.limit.map(|limit| limit as usize);
        let read = PythonExec::try_new(Arc::new(scan), projection, limit, input)?;
        let output = schema(&self.output)?;
        match output.fields().len() == read.schema().fields().len() {
            true if output == read.schema() => Ok(Arc::new(read)),
            true => Ok(Arc::new(read.renamed(output))),
            false => Err(malformed("a read of other columns than it says")),
        }
    }
}

impl WriteProto {
    fn of(exec: &PythonWriteExec) -> Result<Self> {
        let Begun { write_id, handle } = exec.handle().ok_or_else(|| malformed("a write that has not begun"))?;
        let Write { mode, schema, table } = exec.write();
        Ok(Self {
            recipe: exec.source().recipe().encode()?,
            mode: mode.name().to_owned(),
            schema: ipc::write_schema(schema)?,
            table: table.clone(),
            write_id: write_id.to_string(),
            handle: handle.to_string(),
        })
    }

    fn node(self, input: Arc<dyn ExecutionPlan>, sources: &dyn Sources) -> Result<Arc<dyn ExecutionPlan>> {
        let mode = SaveMode::named(&self.mode).ok_or_else(|| malformed("a write of an unknown mode"))?;
        let write = Write { mode, schema: schema(&self.schema)?, table: self.table };
        let begun = Begun { write_id: self.write_id.into(), handle: self.handle.into() };
        Ok(Arc::new(PythonWriteExec::new(sources.get(&self.recipe)?, write, input).begun(begun)))
    }
}
