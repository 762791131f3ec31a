//! Plans as bytes: what DataFusion and Ballista do not know themselves.

use std::collections::VecDeque;
use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use parking_lot::Mutex;
use sheetbend_datasource::recipe::Recipe;
use sheetbend_datasource::scan::merge;
use sheetbend_datasource::source::Source;
use sheetbend_datasource::wire as datasource;
use sheetbend_files::wire as files;
use sheetbend_plan::wire;

/// The first byte of a node: whose it is.
const BALLISTA: u8 = 0;
const DATASOURCE: u8 = 1;
const FILES: u8 = 2;

/// The first byte of a function: one of `plan`, or another.
const PLAIN: u8 = 0;
/// An aggregate that goes on from what a source has aggregated.
const MERGE: u8 = 1;
/// One that reads texts as files are read.
const PARSER: u8 = 1;

/// How many sources are kept for the next task of the same one.
const SOURCES: usize = 64;

/// Encodes and decodes the nodes and the functions of this server.
#[derive(Debug, Default)]
pub(crate) struct Codec {
    ballista: BallistaPhysicalExtensionCodec,
    sources: Kept,
}

/// Sources that were made lately, by their recipes.
#[derive(Debug, Default)]
struct Kept(Mutex<VecDeque<(Vec<u8>, Arc<Source>)>>);

impl datasource::Sources for Kept {
    fn get(&self, recipe: &[u8]) -> Result<Arc<Source>> {
        let found = self.0.lock().iter().find(|(of, _)| of == recipe).map(|(_, source)| Arc::clone(source));
        if let Some(source) = found {
            return Ok(source);
        }
        // Not under the lock: a plug-in may take long to load.
        let source = Arc::new(Recipe::decode(recipe)?.make()?);
        let mut kept = self.0.lock();
        let oldest = if kept.len() == SOURCES { kept.pop_front() } else { None };
        kept.push_back((recipe.to_owned(), Arc::clone(&source)));
        drop(kept);
        // Not under the lock, too: what a plug-in does when it ends.
        drop(oldest);
        Ok(source)
    }
}

fn truncated() -> DataFusionError {
    DataFusionError::Internal("a plan was sent that is cut off".to_owned())
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        ctx: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match buf.split_first().ok_or_else(truncated)? {
            (&DATASOURCE, node) => datasource::decode(node, inputs, &self.sources),
            (&FILES, node) => files::decode(node, inputs),
            (_, node) => self.ballista.try_decode(node, inputs, ctx, converter),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        for (tag, bytes) in [(DATASOURCE, datasource::encode(&node)?), (FILES, files::encode(&node)?)] {
            if let Some(bytes) = bytes {
                buf.push(tag);
                buf.extend(bytes);
                return Ok(());
            }
        }
        buf.push(BALLISTA);
        let mut bytes = vec![];
        self.ballista.try_encode(node, &mut bytes, converter)?;
        buf.extend(bytes);
        Ok(())
    }

    fn try_decode_udf(&self, _: &str, buf: &[u8]) -> Result<Arc<ScalarUDF>> {
        match buf.split_first().ok_or_else(truncated)? {
            (&PARSER, function) => files::decode_function(function),
            (_, function) => wire::decode(function),
        }
    }

    fn try_encode_udf(&self, function: &ScalarUDF, buf: &mut Vec<u8>) -> Result<()> {
        let (tag, bytes) = match files::encode_function(function)? {
            Some(parser) => (PARSER, parser),
            None => (PLAIN, wire::encode(function)?),
        };
        buf.push(tag);
        buf.extend(bytes);
        Ok(())
    }

    fn try_decode_higher_order_function(&self, _: &str, buf: &[u8]) -> Result<Arc<HigherOrderUDF>> {
        wire::decode(buf)
    }

    fn try_encode_higher_order_function(&self, function: &HigherOrderUDF, buf: &mut Vec<u8>) -> Result<()> {
        buf.extend(wire::encode(function)?);
        Ok(())
    }

    fn try_decode_udaf(&self, _: &str, buf: &[u8]) -> Result<Arc<AggregateUDF>> {
        match buf.split_first().ok_or_else(truncated)? {
            (&MERGE, merged) => merge::decode(merged, wire::decode),
            (_, function) => wire::decode(function),
        }
    }

    fn try_encode_udaf(&self, function: &AggregateUDF, buf: &mut Vec<u8>) -> Result<()> {
        let (tag, bytes) = match merge::encode(function, wire::encode)? {
            Some(merged) => (MERGE, merged),
            None => (PLAIN, wire::encode(function)?),
        };
        buf.push(tag);
        buf.extend(bytes);
        Ok(())
    }

    fn try_decode_udwf(&self, _: &str, buf: &[u8]) -> Result<Arc<WindowUDF>> {
        wire::decode(buf)
    }

    fn try_encode_udwf(&self, function: &WindowUDF, buf: &mut Vec<u8>) -> Result<()> {
        buf.extend(wire::encode(function)?);
        Ok(())
    }
}
