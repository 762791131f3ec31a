use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::physical_plan::ExecutionPlanProperties;
use sheetbend_datasource::spec;

fn partitions(specs: usize, target: usize) -> usize {
    let texts: StringArray = (0..specs).map(|at| Some(format!(r#"{{"at":{at}}}"#))).collect();
    let planned = RecordBatch::try_from_iter([("spec", Arc::new(texts) as ArrayRef)]).unwrap();
    let leaf = spec::source(&spec::numbered(&planned).unwrap(), target).unwrap();
    assert_eq!(spec::count(&leaf), Some(specs));
    leaf.output_partitioning().partition_count()
}

#[test]
fn as_many_partitions_as_are_read_at_a_time() {
    assert_eq!(partitions(0, 4), 1);
    assert_eq!(partitions(1, 4), 1);
    assert_eq!(partitions(10, 4), 10);
    assert_eq!(partitions(1000, 4), 16);
    assert_eq!(partitions(1000, 200), 200);
}
