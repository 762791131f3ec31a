//! `show()`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, RecordBatch, StringArray};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use spark_connect_proto::relation::RelType;
use spark_connect_proto::*;

use crate::support::{Fixture, batches, range, relation};

async fn show(input: Relation, num_rows: i32, truncate: i32, vertical: bool) -> String {
    let mut server = Fixture::new().await;
    let shown = ShowString { input: Some(Box::new(input)), num_rows, truncate, vertical };
    let responses = server.execute(relation(RelType::ShowString(Box::new(shown)))).await.unwrap();
    let data = batches(&responses)[0].data.clone();
    let batch = StreamReader::try_new(data.as_ref(), None).unwrap().next().unwrap().unwrap();
    assert_eq!((batch.num_rows(), batch.schema().field(0).name().as_str()), (1, "show_string"));
    batch.column(0).as_string::<i32>().value(0).to_owned()
}

fn words() -> Relation {
    let names: ArrayRef = Arc::new(StringArray::from(vec![Some("a\tb"), None, Some("表格"), Some("abcdefghijklmnop")]));
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 1e10, 0.5, -1e-5]));
    let batch = RecordBatch::try_from_iter([("word", names), ("n", numbers)]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    let data = Some(writer.into_inner().unwrap().into());
    relation(RelType::LocalRelation(LocalRelation { data, schema: None }))
}

#[tokio::test]
async fn a_table() {
    let expected = "\
+----------+-------+
|      word|      n|
+----------+-------+
|      a\\tb|    1.0|
|      NULL| 1.0E10|
|      表格|    0.5|
|abcdefg...|-1.0E-5|
+----------+-------+
";
    assert_eq!(show(words(), 20, 10, false).await, expected);
}

#[tokio::test]
async fn a_table_that_is_not_cut_stands_at_the_left() {
    let expected = "\
+----+------+
|word|n     |
+----+------+
|a\\tb|1.0   |
|NULL|1.0E10|
+----+------+
only showing top 2 rows";
    assert_eq!(show(words(), 2, 0, false).await, expected);
}

#[tokio::test]
async fn a_row_a_block() {
    let expected = "-RECORD 0--\n id  | 0   \n-RECORD 1--\n id  | 1   \nonly showing top 2 rows";
    assert_eq!(show(range(5), 2, 20, true).await, expected);
    assert_eq!(show(range(0), 2, 20, true).await, "(0 rows)");
}

#[tokio::test]
async fn no_rows() {
    assert_eq!(show(range(0), 20, 20, false).await, "+---+\n| id|\n+---+\n+---+\n");
    let one = "+---+\n| id|\n+---+\n|  0|\n+---+\nonly showing top 1 row";
    assert_eq!(show(range(5), 1, 20, false).await, one);
}
