//! Scans that are cut into tasks and sent.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, collect, displayable};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext, col, lit};
use sheetbend_files::wire::{decode, decode_function, distributed, encode, encode_function};
use sheetbend_files::{FileFormat, Files, open, parser};
use sheetbend_plan::environment::Settings;

fn session() -> SessionContext {
    SessionContext::new_with_config(SessionConfig::new().with_target_partitions(4).with_round_robin_repartition(false))
}

/// All columns that a star names.
async fn table(format: FileFormat, folder: &Path, options: &[(&str, &str)]) -> DataFrame {
    with_metadata(format, folder, options).await.drop_columns(&["_metadata"]).unwrap()
}

async fn with_metadata(format: FileFormat, folder: &Path, options: &[(&str, &str)]) -> DataFrame {
    let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let mut files = Files::new(format, options, Settings::default());
    files.paths = vec![folder.to_str().unwrap().to_owned()];
    session().read_table(open(files).await.unwrap().provider).unwrap()
}

/// What a task gets of a plan: leaves that have one of their partitions, and have lost what no engine sends.
fn task(plan: &Arc<dyn ExecutionPlan>, partition: usize) -> Arc<dyn ExecutionPlan> {
    let cut = Arc::clone(plan).transform_up(|node| {
        if let Some(bytes) = encode(&node)? {
            let inputs: Vec<_> = node.children().into_iter().cloned().collect();
            let back = decode(&bytes, &inputs)?;
            assert_eq!(
                displayable(back.as_ref()).one_line().to_string(),
                displayable(node.as_ref()).one_line().to_string()
            );
            return Ok(Transformed::yes(back));
        }
        let Some(leaf) = node.downcast_ref::<DataSourceExec>() else { return Ok(Transformed::no(node)) };
        let source = leaf.data_source();
        let cut = if let Some(config) = source.downcast_ref::<MemorySourceConfig>() {
            let rows = config.partitions().get(partition).cloned();
            let rows: Vec<_> = rows.into_iter().collect();
            DataSourceExec::from_data_source(MemorySourceConfig::try_new(&rows, config.original_schema(), None)?)
        } else {
            let config = source.downcast_ref::<FileScanConfig>().unwrap();
            let files = config.file_groups.get(partition).cloned();
            let builder = FileScanConfigBuilder::from(config.clone()).with_file_groups(files.into_iter().collect());
            DataSourceExec::from_data_source(builder.with_expr_adapter(None).build())
        };
        Ok(Transformed::yes(cut as Arc<dyn ExecutionPlan>))
    });
    cut.data().unwrap()
}

fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let text = pretty_format_batches(batches).unwrap().to_string();
    let mut lines: Vec<_> = text.lines().skip(3).map(str::to_owned).filter(|line| line.starts_with('|')).collect();
    lines.sort();
    lines
}

/// The number of tasks of a query whose tasks together give the rows that it gives here, and its rows.
async fn tasks(query: DataFrame) -> (usize, Vec<String>) {
    let context = session().task_ctx();
    let plan = query.create_physical_plan().await.unwrap();
    let expected = lines(&collect(Arc::clone(&plan), Arc::clone(&context)).await.unwrap());
    let plan = distributed(distributed(plan).unwrap()).unwrap();
    let partitions = plan.output_partitioning().partition_count();
    let mut rows = vec![];
    for partition in 0..partitions {
        let task = task(&plan, partition);
        assert_eq!(task.output_partitioning().partition_count(), 1);
        rows.extend(collect(task, Arc::clone(&context)).await.unwrap());
    }
    assert_eq!(lines(&rows), expected);
    (partitions, expected)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_of_a_long_file_is_read_by_one_task() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..10_000).map(|line| format!("{line:1000}\n")).collect();
    std::fs::write(folder.path().join("long.txt"), text).unwrap();
    let (partitions, rows) = tasks(table(FileFormat::Text, folder.path(), &[]).await).await;
    assert_eq!((partitions, rows.len()), (3, 10_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn options_columns_and_partitions_travel() {
    let folder = tempfile::tempdir().unwrap();
    for year in 2021..=2024 {
        let inside = folder.path().join(format!("year={year}"));
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("a.csv"), "id;day\n1;02/01/2024\n2;03/01/2024\n").unwrap();
        std::fs::write(inside.join("a.json"), "{\"a\": {\"b\": [1, null]}}\n{\"a\": null, \"c\": 2.5}\n").unwrap();
    }
    let csv = [("header", "true"), ("sep", ";"), ("inferSchema", "true"), ("dateFormat", "dd/MM/yyyy")];
    let csv = [csv.as_slice(), &[("pathGlobFilter", "*.csv")]].concat();
    let query = table(FileFormat::Csv, folder.path(), &csv).await;
    let (partitions, rows) = tasks(query.clone()).await;
    assert_eq!((partitions, rows.len()), (4, 8));
    assert_eq!(rows[0], "| 1  | 2024-01-02 | 2021 |");
    let query = query.filter(col("year").gt(lit(2022))).unwrap().select(vec![col("year"), col("id")]).unwrap();
    assert_eq!(
        tasks(query).await,
        (2, ["| 2023 | 1  |", "| 2023 | 2  |", "| 2024 | 1  |", "| 2024 | 2  |"].map(str::to_owned).to_vec())
    );
    let json = table(FileFormat::Json, folder.path(), &[("pathGlobFilter", "*.json")]).await;
    assert_eq!(tasks(json).await.1.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_know_the_files_of_their_rows() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.txt", "b.txt"] {
        std::fs::write(folder.path().join(name), "1\n").unwrap();
    }
    let query = with_metadata(FileFormat::Text, folder.path(), &[]).await;
    let (_, rows) = tasks(query.select(vec![col("value"), col("_metadata")]).unwrap()).await;
    assert!(rows[0].contains("file_name: a.txt") && rows[1].contains("file_name: b.txt"), "{rows:?}");
}

#[test]
fn a_parser_of_texts_is_what_it_was() {
    let options = [("header", "true"), ("sep", ";")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let files = Files::new(FileFormat::Csv, options.into(), Settings::default());
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["id;day", "1;2"]));
    let known = RecordBatch::try_from_iter([("value", texts)]).unwrap();
    let function = parser(&files, &[known]).unwrap();
    let back = decode_function(&encode_function(&function).unwrap().unwrap()).unwrap();
    assert_eq!(*back, function);
    assert!(decode_function(b"{}").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_holds_for_each_task() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "1\n2\n3\n").unwrap();
    let query = table(FileFormat::Text, folder.path(), &[]).await.limit(0, Some(2)).unwrap();
    assert_eq!(tasks(query).await.1.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_filters_leave_none_of_have_a_partition() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("year=2024");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(inside.join("a.txt"), "1\n").unwrap();
    let query = table(FileFormat::Text, folder.path(), &[]).await.filter(col("year").eq(lit(1))).unwrap();
    assert_eq!(tasks(query).await, (1, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_of_parquet_are_found_in_any_case_by_every_task() {
    let folder = tempfile::tempdir().unwrap();
    for (file, name) in [("a", "Id"), ("b", "ID"), ("c", "id")] {
        let schema = Arc::new(Schema::new(vec![Field::new(name, DataType::Int64, true)]));
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let file = std::fs::File::create(folder.path().join(format!("{file}.parquet"))).unwrap();
        let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), None).unwrap();
        writer.write(&RecordBatch::try_new(schema, vec![ids]).unwrap()).unwrap();
        writer.close().unwrap();
    }
    let query = table(FileFormat::Parquet, folder.path(), &[]).await;
    let (_, rows) = tasks(query.clone()).await;
    assert_eq!(rows.len(), 9);
    assert!(rows.iter().all(|row| row != "|    |"), "{rows:?}");
    let query = query.filter(col("\"Id\"").gt(lit(1_i64))).unwrap();
    assert_eq!(tasks(query).await.1.len(), 6);
}

#[test]
fn other_bytes_are_an_error() {
    let input: Arc<dyn ExecutionPlan> =
        MemorySourceConfig::try_new_exec(&[vec![]], Arc::new(Schema::empty()), None).unwrap();
    let text = r#"{"Rows": {"reading": {"format": "Text", "options": {}, "columns": [], "time_zone": "UTC",
        "case_sensitive": true, "of_texts": false}, "partitions": [], "output": [7], "limit": null}}"#;
    let cases = [
        "",
        "{}",
        r#"{"Parquet": {"case_sensitive": true}}"#,
        text,
        &text.replace("Text", "Parquet").replace("[7]", "[]"),
        &text.replace("\"columns\": []", r#""columns": [{"name": "a", "of": {"Plain": "Int33"}, "nullable": true}]"#),
    ];
    for bytes in cases {
        assert!(decode(bytes.as_bytes(), &[Arc::clone(&input)]).is_err(), "{bytes}");
    }
    assert!(decode(text.replace("[7]", "[]").as_bytes(), &[]).is_err());
    assert_eq!(encode(&input).unwrap(), None);
}
