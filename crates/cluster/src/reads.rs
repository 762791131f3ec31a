//! What tasks have read of sources. Of all that the nodes of its plan count, a task tells the server this alone, and
//! Ballista's scheduler learns nothing of it: what it knows it walks through for every task that ends.

use std::iter::Sum;
use std::ops::Add;

use ballista_core::serde::protobuf::operator_metric::Metric as Counted;
use ballista_core::serde::protobuf::{NamedCount, OperatorMetric, OperatorMetricsSet};
use sheetbend_datasource::read::PLUGIN_BYTES;

/// Rows and bytes that sources gave.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl Reads {
    /// What the nodes of a plan have counted, of those that read sources.
    pub(crate) fn of(nodes: &[OperatorMetricsSet]) -> Self {
        nodes.iter().filter_map(Self::of_node).sum()
    }

    /// None of a node that reads no source.
    fn of_node(node: &OperatorMetricsSet) -> Option<Self> {
        let (mut rows, mut bytes) = (0, None);
        for metric in node.metrics.iter().filter_map(|metric| metric.metric.as_ref()) {
            match metric {
                Counted::OutputRows(count) => rows += count,
                Counted::Count(count) if count.name == PLUGIN_BYTES => {
                    bytes = Some(bytes.unwrap_or(0) + count.value);
                }
                _ => {}
            }
        }
        Some(Self { rows, bytes: bytes? })
    }

    /// The same as a node counts it.
    fn counted(self) -> OperatorMetricsSet {
        let bytes = NamedCount { name: PLUGIN_BYTES.to_owned(), value: self.bytes };
        let metrics = [Counted::OutputRows(self.rows), Counted::Count(bytes)];
        let metrics = metrics.map(|metric| OperatorMetric { metric: Some(metric), partition: None });
        OperatorMetricsSet { metrics: metrics.into() }
    }
}

/// The nodes of a plan, with what those have read that read sources, and nothing else.
pub(crate) fn only(nodes: &[OperatorMetricsSet]) -> Vec<OperatorMetricsSet> {
    nodes.iter().map(|node| Reads::of_node(node).map(Reads::counted).unwrap_or_default()).collect()
}

impl Add for Reads {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { rows: self.rows + other.rows, bytes: self.bytes + other.bytes }
    }
}

impl Sum for Reads {
    fn sum<I: Iterator<Item = Self>>(reads: I) -> Self {
        reads.fold(Self::default(), Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::{Counted, OperatorMetric, OperatorMetricsSet, Reads, only};

    #[test]
    fn only_nodes_that_read_sources_count() {
        let rows = |rows| OperatorMetric { metric: Some(Counted::OutputRows(rows)), partition: Some(0) };
        let mut scan = Reads { rows: 10, bytes: 80 }.counted();
        scan.metrics.push(rows(1));
        let filter = OperatorMetricsSet { metrics: vec![rows(7)] };
        let nodes = [filter, scan, Reads { rows: 1, bytes: 8 }.counted()];
        assert_eq!(Reads::of(&nodes), Reads { rows: 12, bytes: 88 });
        let told = only(&nodes);
        assert_eq!(Reads::of(&told), Reads::of(&nodes));
        assert_eq!(told.iter().map(|node| node.metrics.len()).collect::<Vec<_>>(), [0, 2, 2]);
    }
}
