use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use sheetbend_datasource::read::conform::{Conform, Mismatch};

fn schema(fields: &[(&str, DataType)]) -> SchemaRef {
    Arc::new(Schema::new(fields.iter().map(|(name, of)| Field::new(*name, of.clone(), true)).collect::<Vec<_>>()))
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, of)| (name, of, true))).unwrap()
}

fn ints(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

#[test]
fn columns_are_put_in_order_and_projected() {
    let promised = schema(&[("a", DataType::Int64), ("b", DataType::Int64), ("c", DataType::Int64)]);
    let mut conform = Conform::try_new(promised, Some(vec![2, 0])).unwrap();
    let given = batch(vec![("b", ints(&[2])), ("c", ints(&[3])), ("a", ints(&[1]))]);
    let came = conform.apply(&given).unwrap();
    assert_eq!(&came.schema(), conform.schema());
    assert_eq!(came, batch(vec![("c", ints(&[3])), ("a", ints(&[1]))]));
    assert_eq!(came.column(0).to_data().buffers()[0].as_ptr(), given.column(1).to_data().buffers()[0].as_ptr());
}

#[test]
fn rows_are_kept_without_columns() {
    let mut conform = Conform::try_new(schema(&[("a", DataType::Int64)]), Some(vec![])).unwrap();
    assert_eq!(conform.apply(&batch(vec![("a", ints(&[1, 2, 3]))])).unwrap().num_rows(), 3);
}

#[test]
fn the_schema_may_change_from_batch_to_batch() {
    let mut conform = Conform::try_new(schema(&[("a", DataType::Int64)]), None).unwrap();
    let narrow: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let expected = batch(vec![("a", ints(&[1]))]);
    for column in [ints(&[1]), Arc::clone(&narrow), ints(&[1]), narrow] {
        assert_eq!(conform.apply(&batch(vec![("a", column)])).unwrap(), expected);
    }
    let text: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
    assert!(matches!(conform.apply(&batch(vec![("a", text)])), Err(Mismatch::Type { .. })));
    assert_eq!(conform.apply(&expected).unwrap(), expected);
}

#[test]
fn a_column_that_is_not_kept_is_checked_too() {
    let promised = schema(&[("a", DataType::Int64), ("b", DataType::Utf8)]);
    let mut conform = Conform::try_new(promised, Some(vec![0])).unwrap();
    let mismatch = conform.apply(&batch(vec![("a", ints(&[1])), ("b", ints(&[1]))])).unwrap_err();
    assert_eq!(mismatch.to_string(), "column 'b' is Int64, the schema promises Utf8");
}

#[test]
fn every_value_of_a_checked_cast_is_looked_at() {
    let promised = schema(&[("t", DataType::Timestamp(TimeUnit::Microsecond, None))]);
    let mut conform = Conform::try_new(promised, None).unwrap();
    let times = |values: Vec<Option<i64>>| batch(vec![("t", Arc::new(TimestampNanosecondArray::from(values)))]);
    let came = conform.apply(&times(vec![Some(-1_000), None, Some(2_000)])).unwrap();
    assert_eq!(came.column(0).null_count(), 1);
    assert!(matches!(conform.apply(&times(vec![Some(0), Some(-1)])), Err(Mismatch::Value { .. })));
}
