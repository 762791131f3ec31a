use datafusion::physical_plan::ExecutionPlanProperties;
use sheetbend_datasource::spec;

fn partitions(specs: usize, target: usize) -> usize {
    let specs: Vec<_> = (0..specs).map(|at| format!(r#"{{"at":{at}}}"#)).collect();
    let leaf = spec::source(&specs, target).unwrap();
    assert_eq!(spec::count(&leaf), Some(specs.len()));
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
