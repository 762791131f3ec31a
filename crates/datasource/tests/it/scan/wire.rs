//! Reads that are sent to another process.

use std::sync::Arc;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use sheetbend_datasource::exec::PythonExec;
use sheetbend_datasource::source::Source;
use sheetbend_datasource::wire::{Sources, decode, encode};

use super::support::{Known, Numbers, context};

/// Has the one source that there is.
#[derive(Debug)]
struct One(Arc<Source>);

impl Sources for One {
    fn get(&self, recipe: &[u8]) -> Result<Arc<Source>> {
        assert_eq!(recipe, self.0.recipe().encode()?);
        Ok(Arc::clone(&self.0))
    }
}

/// The read in the plan of a query.
async fn read(query: &str) -> (Arc<dyn ExecutionPlan>, One) {
    let context = context();
    context.register_table("t", Numbers::pushing(3, Known::Bounds, Some("exact")).table()).unwrap();
    let plan = context.sql(query).await.unwrap().create_physical_plan().await.unwrap();
    let mut found = None;
    plan.apply(|node| {
        if let Some(read) = node.downcast_ref::<PythonExec>() {
            found = Some((Arc::clone(node), One(Arc::clone(read.source()))));
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    found.unwrap()
}

async fn rows(plan: &Arc<dyn ExecutionPlan>) -> String {
    let rows = collect(Arc::clone(plan), context().task_ctx()).await.unwrap();
    let text = pretty_format_batches(&rows).unwrap().to_string();
    // Partitions come as they are ready.
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[tokio::test]
async fn a_read_is_the_same_where_it_arrives() {
    for query in ["SELECT * FROM t", "SELECT v AS w FROM t", "SELECT k FROM t WHERE k >= 10", "SELECT v FROM t LIMIT 3"]
    {
        let (sent, sources) = read(query).await;
        let inputs: Vec<_> = sent.children().into_iter().cloned().collect();
        let arrived = decode(&encode(&sent).unwrap().unwrap(), &inputs, &sources).unwrap();
        let shown = |plan: &Arc<dyn ExecutionPlan>| displayable(plan.as_ref()).indent(false).to_string();
        assert_eq!(shown(&arrived), shown(&sent), "{query}");
        assert_eq!(arrived.schema(), sent.schema(), "{query}");
        assert_eq!(rows(&arrived).await, rows(&sent).await, "{query}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_node_are_an_error() {
    let (sent, sources) = read("SELECT * FROM t").await;
    let inputs: Vec<_> = sent.children().into_iter().cloned().collect();
    let bytes = encode(&sent).unwrap().unwrap();
    assert!(decode(&bytes, &[], &sources).is_err());
    for end in 0..bytes.len() {
        // A prefix may be a node of less, but never a panic.
        if let Ok(node) = decode(&bytes[..end], &inputs, &One(Arc::clone(&sources.0))) {
            assert_eq!(node.name(), sent.name());
        }
    }
    assert!(decode(b"\xff\xff\xff\xff", &inputs, &sources).is_err());
}

#[tokio::test]
async fn other_nodes_are_left_to_others() {
    let (sent, _) = read("SELECT * FROM t").await;
    assert!(encode(sent.children()[0]).unwrap().is_none());
}
