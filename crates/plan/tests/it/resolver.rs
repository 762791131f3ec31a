//! Names, types and rows of whole queries, from SQL text to batches.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Decimal128Array, Int32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::util::display::array_value_to_string;
use async_trait::async_trait;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::MemTable;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::{LogicalPlan, ScalarUDF};
use sheetbend_plan::environment::{Environment, Resolved, Settings, Table};
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::{Expr, Relation, RelationKind, Source};
use sheetbend_plan::resolver::resolve;
use sheetbend_plan::session::session_state;
use sheetbend_plan::sql::{Parameters, parse_query};

/// A session with two views, `people` and `cities`.
struct Session {
    time_zone: &'static str,
}

#[async_trait]
impl Environment for Session {
    async fn views(&self, names: &[Vec<String>]) -> Result<Vec<Option<Arc<Resolved>>>> {
        let mut views = vec![];
        for name in names {
            let batch = match name.join(".").to_lowercase().as_str() {
                "people" => Some(people()),
                "cities" => Some(cities()),
                _ => None,
            };
            views.push(match batch {
                Some(batch) => {
                    let kind = RelationKind::Local { schema: batch.schema(), batches: vec![batch] };
                    Some(Arc::new(resolve(&kind.into(), self).await?))
                }
                None => None,
            });
        }
        Ok(views)
    }

    async fn sources(&self, sources: &[Source]) -> Result<Vec<Table>> {
        let open = |source: &Source| -> Result<Table> {
            let batch = people();
            match source.format.as_str() {
                "memory" => {
                    let table = MemTable::try_new(batch.schema(), vec![vec![batch]])?;
                    Ok(Table { provider: Arc::new(table), has_metadata: false })
                }
                other => Err(SparkError::unsupported(other)),
            }
        };
        sources.iter().map(open).collect()
    }

    async fn rows(&self, query: Resolved) -> Result<Vec<RecordBatch>> {
        let state = session_state(None);
        let plan = state.create_physical_plan(&query.plan).await?;
        Ok(datafusion::physical_plan::collect(plan, state.task_ctx()).await?)
    }

    fn parser(&self, source: &Source, _: &[RecordBatch]) -> Result<Arc<ScalarUDF>> {
        Err(SparkError::unsupported(&source.format))
    }

    fn settings(&self) -> Settings {
        Settings { time_zone: self.time_zone.to_owned(), ..Settings::default() }
    }
}

fn people() -> RecordBatch {
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int32, false),
        Field::new("Name", DataType::Utf8, true),
        Field::new("city", DataType::Int64, true),
        Field::new("pay", DataType::Decimal128(10, 2), true),
    ]);
    let pay = Decimal128Array::from(vec![Some(10_000), Some(25_050), None, Some(9_999)]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![1, 2, 3, 4])),
        Arc::new(StringArray::from(vec![Some("Ann"), Some("Bo"), Some("Cy"), None])),
        Arc::new(Int64Array::from(vec![Some(10), Some(20), Some(10), None])),
        Arc::new(pay.with_precision_and_scale(10, 2).unwrap()),
    ];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

fn cities() -> RecordBatch {
    let schema =
        Schema::new(vec![Field::new("city", DataType::Int64, false), Field::new("name", DataType::Utf8, false)]);
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(vec![10, 30])), Arc::new(StringArray::from(vec!["Oslo", "Rome"]))];
    RecordBatch::try_new(Arc::new(schema), columns).unwrap()
}

pub(super) async fn resolved(query: &str, time_zone: &'static str) -> Result<Resolved> {
    let relation = parse_query(query, &Parameters::default())?;
    resolve(&relation, &Session { time_zone }).await
}

/// The names of the columns and the rows, as text; a row is its cells with `|` between them.
async fn run_in(query: &str, time_zone: &'static str) -> std::result::Result<(Vec<String>, Vec<String>), SparkError> {
    let Resolved { plan, schema } = resolved(query, time_zone).await?;
    let context = SessionContext::new_with_state(session_state(Some(2)));
    let frame = context.execute_logical_plan(plan).await.unwrap();
    let batches = frame.collect().await.map_err(SparkError::from)?;
    let cell = |column: &ArrayRef, row| match column.is_null(row) {
        true => "NULL".to_owned(),
        false => array_value_to_string(column, row).unwrap(),
    };
    let rows = batches.iter().flat_map(|batch| {
        (0..batch.num_rows()).map(|row| {
            let cells: Vec<_> = batch.columns().iter().map(|column| cell(column, row)).collect();
            cells.join("|")
        })
    });
    Ok((schema.fields().iter().map(|field| field.name().clone()).collect(), rows.collect()))
}

async fn run(query: &str) -> (Vec<String>, Vec<String>) {
    run_in(query, "UTC").await.unwrap_or_else(|error| panic!("{query}: {error}"))
}

async fn condition(query: &str) -> String {
    match run_in(query, "UTC").await {
        Ok(found) => panic!("{query} gives {found:?}"),
        Err(error) => error.condition,
    }
}

#[tokio::test]
async fn columns_are_named_as_spark_names_them() {
    let cases = [
        ("SELECT ID, name FROM people LIMIT 0", "ID, name"),
        ("SELECT * FROM people LIMIT 0", "id, Name, city, pay"),
        ("SELECT 1 a, 2 a", "a, a"),
        ("SELECT id + 1, -id, id = 1, NOT id = 1 FROM people", "(id + 1), (- id), (id = 1), (NOT (id = 1))"),
        ("SELECT count(*), count(DISTINCT id), sum(pay) FROM people", "count(1), count(DISTINCT id), sum(pay)"),
        ("SELECT CAST(id AS STRING), upper(name) FROM people", "id, upper(name)"),
        ("SELECT CASE WHEN id > 1 THEN 'a' ELSE 'b' END FROM people", "CASE WHEN (id > 1) THEN a ELSE b END"),
    ];
    for (query, names) in cases {
        assert_eq!(run(query).await.0.join(", "), names, "{query}");
    }
}

#[tokio::test]
async fn rows_of_queries() {
    let cases: [(&str, &[&str]); 14] = [
        ("SELECT id FROM people ORDER BY name", &["4", "1", "2", "3"]),
        ("SELECT id FROM people ORDER BY name DESC", &["3", "2", "1", "4"]),
        ("SELECT name AS n FROM people WHERE N = 'Ann' OR name = 'Bo' ORDER BY id", &[]),
        ("SELECT p.id, c.name FROM people p JOIN cities c ON p.city = c.city ORDER BY 1", &["1|Oslo", "3|Oslo"]),
        (
            "SELECT city, id FROM people FULL JOIN cities USING (city) ORDER BY city, id",
            &["NULL|4", "10|1", "10|3", "20|2", "30|NULL"],
        ),
        ("SELECT c.city FROM people p LEFT JOIN cities c USING (city) WHERE p.id = 2", &["NULL"]),
        ("SELECT city, count(*) AS n FROM people GROUP BY city HAVING n > 1", &["10|2"]),
        ("SELECT city + 1 AS k, max(id) FROM people GROUP BY k ORDER BY max(id) DESC LIMIT 1", &["NULL|4"]),
        ("SELECT city FROM people GROUP BY city ORDER BY count(*) DESC, city LIMIT 1", &["10"]),
        ("SELECT 1 / 2, 7 % -3, 7 div 2, 1.0 / 3", &["0.5|1|3|0.333333"]),
        ("WITH t AS (SELECT 1 a), u AS (SELECT a + 1 b FROM t) SELECT b FROM u", &["2"]),
        ("SELECT a FROM (VALUES (1, 'x'), (2, NULL)) AS t(a, b) WHERE b IS NULL", &["2"]),
        ("SELECT id FROM people WHERE city IN (SELECT city FROM cities) ORDER BY id", &["1", "3"]),
        ("SELECT id, (SELECT max(city) FROM cities) m FROM people WHERE id = 1", &["1|30"]),
    ];
    for (query, rows) in cases {
        if rows.is_empty() {
            // An alias of the select list is not a column of WHERE.
            assert_eq!(condition(query).await, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "{query}");
            continue;
        }
        assert_eq!(run(query).await.1, rows, "{query}");
    }
}

#[tokio::test]
async fn errors_have_spark_s_conditions() {
    let cases = [
        ("SELECT nope FROM people", "UNRESOLVED_COLUMN.WITH_SUGGESTION"),
        ("SELECT * FROM nope", "TABLE_OR_VIEW_NOT_FOUND"),
        ("SELECT nope(1)", "UNRESOLVED_ROUTINE"),
        ("SELECT name FROM people p JOIN cities c ON p.city = c.city", "AMBIGUOUS_REFERENCE"),
        ("SELECT id, count(*) FROM people GROUP BY city", "MISSING_AGGREGATION"),
        ("SELECT 1 UNION SELECT 1, 2", "NUM_COLUMNS_MISMATCH"),
        ("SELECT * FROM people WHERE id", "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN"),
        ("SELECT 2147483647 + 1", "ARITHMETIC_OVERFLOW"),
        ("SELECT 1 / 0", "DIVIDE_BY_ZERO"),
        ("SELECT CAST('abc' AS INT)", "CAST_INVALID_INPUT"),
        ("SELECT CAST(300 AS TINYINT)", "CAST_OVERFLOW"),
    ];
    for (query, expected) in cases {
        assert_eq!(condition(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn the_time_zone_of_the_session_counts() {
    let query = "SELECT CAST(CAST('2024-01-01 10:00:00' AS TIMESTAMP) AS BIGINT)";
    assert_eq!(run_in(query, "UTC").await.unwrap().1, ["1704103200"]);
    assert_eq!(run_in(query, "America/New_York").await.unwrap().1, ["1704121200"]);
}

#[tokio::test]
async fn each_level_of_a_plan_is_resolved_once() {
    let mut relation = Relation::table(["people"]);
    for _ in 0..24 {
        let list = vec![Expr::call("count", vec![Expr::literal(1.into())]).alias("n")];
        let counted: Relation = RelationKind::Project { input: Some(Box::new(relation)), list }.into();
        let condition = Expr::call(">", vec![Expr::column(["n"]), Expr::literal(0.into())]);
        relation = RelationKind::Filter { input: Box::new(counted), condition }.into();
    }
    let resolved = resolve(&relation, &Session { time_zone: "UTC" }).await.unwrap();
    assert_eq!(resolved.schema.field(0).name(), "n");
}

#[tokio::test]
async fn a_plan_has_no_column_that_nothing_needs() {
    let cases = [
        ("SELECT p.id FROM people p JOIN cities c ON p.city = c.city", "#0 #2, #0"),
        ("SELECT name FROM (SELECT *, raise_error('!') AS never FROM people) WHERE id = 1", "#0 #1"),
        ("SELECT count(*) FROM people", ""),
        ("SELECT DISTINCT city FROM people", "#2"),
        ("SELECT id FROM people p WHERE EXISTS (SELECT 1 FROM cities c WHERE c.city = p.city)", "#0 #2"),
        ("SELECT id, rank() OVER (ORDER BY pay) FROM people", "#0 #3"),
        ("SELECT * FROM people UNION ALL SELECT id, 'x', city, 1.0 FROM people", "#0 #1 #2 #3, #0 #2"),
    ];
    for (query, columns) in cases {
        let plan = resolved(query, "UTC").await.unwrap().plan;
        let mut read = vec![];
        plan.apply(|node| {
            if let LogicalPlan::Projection(projection) = node
                && matches!(*projection.input, LogicalPlan::TableScan(_))
            {
                let names = projection.expr.iter().flat_map(|expr| expr.column_refs());
                read.push(names.map(|column| column.name.as_str()).collect::<Vec<_>>().join(" "));
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .unwrap();
        assert_eq!(read.join(", "), columns, "{query}");
    }
}

#[test]
fn long_expressions_need_no_more_than_the_stack_of_a_planning_thread() {
    let sum = |terms: usize| format!("SELECT {}", vec!["1"; terms].join(" + "));
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            assert_eq!(run(&sum(200)).await.1, ["200"]);
            assert_eq!(condition(&sum(100_000)).await, "FAILED_TO_PARSE_TOO_COMPLEX");
        });
    };
    std::thread::Builder::new().stack_size(128 << 20).spawn(work).unwrap().join().unwrap();
}
