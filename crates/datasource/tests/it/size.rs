use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use sheetbend_datasource::read::size::bytes;

#[test]
fn a_slice_counts_its_own_rows() {
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
    let lists: ArrayRef = Arc::new(ListArray::new(
        Arc::new(Field::new_list_field(DataType::Int64, false)),
        OffsetBuffer::from_lengths(std::iter::repeat_n(10, 100)),
        Arc::clone(&values),
        None,
    ));
    for (column, whole) in [(values.slice(0, 100), 800), (lists, 8000 + 404)] {
        let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
        assert_eq!(bytes(&batch), whole);
        let tenth = bytes(&batch.slice(50, 10));
        assert!((whole / 10..whole / 10 + 8).contains(&tenth), "{tenth} of {whole}");
    }
}
