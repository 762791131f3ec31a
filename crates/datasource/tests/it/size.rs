use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use sheetbend_datasource::read::merge::{Merge, merged};
use sheetbend_datasource::read::size::{Limits, bytes, pieces};

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

fn numbers(rows: i64) -> RecordBatch {
    RecordBatch::try_from_iter([("x", Arc::new(Int64Array::from_iter_values(0..rows)) as ArrayRef)]).unwrap()
}

#[test]
fn pieces_are_even_and_within_both_limits() {
    let rows = |batch: RecordBatch, limits| {
        let size = bytes(&batch);
        pieces(batch, size, limits).map(|(piece, bytes)| (piece.num_rows(), bytes)).collect::<Vec<_>>()
    };
    let limits = Limits { rows: 100, bytes: 1600 };
    assert_eq!(rows(numbers(100), limits), [(100, 800)]);
    assert_eq!(rows(numbers(101), limits), [(51, 404), (50, 404)]);
    assert_eq!(rows(numbers(0), limits), [(0, 0)]);
    assert_eq!(rows(numbers(100), Limits { rows: 100, bytes: 400 }), [(50, 400), (50, 400)]);
    // A row is not divided.
    assert_eq!(rows(numbers(2), Limits { rows: 100, bytes: 4 }), [(1, 8), (1, 8)]);
}

#[test]
fn small_batches_are_put_together_and_others_are_not() {
    let taken = |sizes: &[(usize, usize)]| {
        let mut merge = Merge::new(Limits { rows: 100, bytes: 1000 });
        sizes.iter().take_while(|(rows, bytes)| merge.takes(*rows, *bytes)).count()
    };
    assert_eq!(taken(&[(25, 10); 9]), 4);
    assert_eq!(taken(&[(26, 10), (1, 10)]), 0);
    assert_eq!(taken(&[(1, 250); 9]), 4);
    assert_eq!(taken(&[(1, 10), (50, 10), (1, 10)]), 1);
}

#[test]
fn one_batch_is_not_copied() {
    assert_eq!(merged(vec![]).unwrap(), None);
    let one = numbers(3);
    let came = merged(vec![one.clone()]).unwrap().unwrap();
    assert!(Arc::ptr_eq(came.column(0), one.column(0)));
    assert_eq!(merged(vec![one, numbers(2)]).unwrap().unwrap().num_rows(), 5);
}
