//! What a plug-in knows of partitions before they are read, as columns beside their specs.
//!
//! `rows`, `bytes`, and for column `i` of the table `i.min`, `i.max`, `i.nulls`; each has a column `..._exact` beside it.
//! NULL is unknown. Filters and limits are left aside in all of them.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, ScalarValue, Statistics};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::{PruningPredicate, PruningPredicateBuilder};

/// What is known of all `rows` together, for the choice of a plan. Counts may be exact; bounds never are, as they need not
/// be values of the column.
pub(crate) fn of_rows(rows: &RecordBatch, table: &Schema) -> Result<Statistics> {
    let none = || Precision::Exact(0);
    let columns = vec![ColumnStatistics::new_unknown().with_null_count(none()); table.fields().len()];
    let empty = Statistics { num_rows: none(), total_byte_size: none(), column_statistics: columns };
    let known: Vec<_> = (0..rows.num_rows()).map(|row| of_row(rows, row, table)).collect();
    if known.is_empty() { Ok(empty) } else { Statistics::try_merge_iter(&known, table) }
}

/// What is known of a table: the figures of `all` of it where there are any, else those of its partitions together.
pub(crate) fn of_table(partitions: &RecordBatch, all: Option<&RecordBatch>, table: &Schema) -> Result<Statistics> {
    let mut known = of_rows(partitions, table)?;
    let Some(all) = all else { return Ok(known) };
    let all = of_row(all, 0, table);
    prefer(&mut known.num_rows, all.num_rows);
    prefer(&mut known.total_byte_size, all.total_byte_size);
    for (column, of_all) in known.column_statistics.iter_mut().zip(all.column_statistics) {
        prefer(&mut column.null_count, of_all.null_count);
        prefer(&mut column.min_value, of_all.min_value);
        prefer(&mut column.max_value, of_all.max_value);
    }
    Ok(known)
}

/// Finds partitions that have no row that a predicate is true of, by figures that are exact.
#[derive(Debug)]
pub(crate) struct Pruner(Option<Arc<PruningPredicate>>);

impl Pruner {
    /// For a predicate over rows of `schema`, whose columns have the names of the table's.
    pub(crate) fn new(predicate: Arc<dyn PhysicalExpr>, schema: SchemaRef) -> Self {
        Self(PruningPredicateBuilder::new().with_file_schema(schema).build(predicate))
    }

    /// Which of `rows` may have such a row. What cannot be evaluated leaves all.
    pub(crate) fn kept(&self, rows: &RecordBatch, table: &Schema) -> Vec<bool> {
        let pruned = self.0.as_ref().map(|predicate| predicate.prune(&Exact { rows, table }));
        match pruned {
            Some(Ok(kept)) => return kept,
            Some(Err(error)) => tracing::debug!(%error, "partitions are not pruned"),
            None => {}
        }
        vec![true; rows.num_rows()]
    }
}

fn of_row(rows: &RecordBatch, row: usize, table: &Schema) -> Statistics {
    let mut known = Statistics::new_unknown(table);
    known.num_rows = count(rows, row, "rows");
    known.total_byte_size = count(rows, row, "bytes");
    for (index, column) in known.column_statistics.iter_mut().enumerate() {
        column.null_count = count(rows, row, &format!("{index}.nulls"));
        column.min_value = bound(rows, row, &format!("{index}.min"));
        column.max_value = bound(rows, row, &format!("{index}.max"));
    }
    known
}

fn prefer<T: Clone + std::fmt::Debug + PartialEq + Eq + PartialOrd>(known: &mut Precision<T>, other: Precision<T>) {
    if other != Precision::Absent {
        *known = other;
    }
}

fn count(rows: &RecordBatch, row: usize, name: &str) -> Precision<usize> {
    let counts = rows.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
    let count = counts.filter(|counts| counts.is_valid(row)).map(|counts| counts.value(row));
    match count.and_then(|count| usize::try_from(count).ok()) {
        Some(count) if is_exact(rows, name).is_some_and(|exact| exact.value(row)) => Precision::Exact(count),
        Some(count) => Precision::Inexact(count),
        None => Precision::Absent,
    }
}

fn bound(rows: &RecordBatch, row: usize, name: &str) -> Precision<ScalarValue> {
    let value = rows.column_by_name(name).and_then(|column| ScalarValue::try_from_array(column, row).ok());
    value.filter(|value| !value.is_null()).map_or(Precision::Absent, Precision::Inexact)
}

fn is_exact<'a>(rows: &'a RecordBatch, name: &str) -> Option<&'a BooleanArray> {
    rows.column_by_name(&format!("{name}_exact"))?.as_boolean_opt()
}

/// The figures that are exact, for the pruning of partitions.
struct Exact<'a> {
    rows: &'a RecordBatch,
    table: &'a Schema,
}

impl Exact<'_> {
    fn figures(&self, name: &str) -> Option<ArrayRef> {
        let figures = self.rows.column_by_name(name)?;
        let marks = is_exact(self.rows, name)?;
        let unsure: BooleanArray = marks.iter().map(|mark| Some(mark != Some(true))).collect();
        nullif(figures, &unsure).ok()
    }

    fn of_column(&self, column: &Column, what: &str) -> Option<ArrayRef> {
        let index = self.table.index_of(&column.name).ok()?;
        self.figures(&format!("{index}.{what}"))
    }
}

impl PruningStatistics for Exact<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.of_column(column, "min")
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.of_column(column, "max")
    }

    fn num_containers(&self) -> usize {
        self.rows.num_rows()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        cast(&self.of_column(column, "nulls")?, &DataType::UInt64).ok()
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        cast(&self.figures("rows")?, &DataType::UInt64).ok()
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
