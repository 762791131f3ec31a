//! What a query wants of a scan.

use std::fmt;
use std::iter;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::host::Message;
use crate::scan::filter::Filter;

/// The one function that is never NULL.
pub(crate) const COUNT: &str = "count";

/// What a plug-in is asked for, and may do some of.
#[derive(Debug, Clone)]
pub struct ScanRequest {
    /// The schema of the table.
    pub schema: SchemaRef,
    /// The columns that the query needs beside those of the filters, by position, in order.
    pub projection: Vec<usize>,
    /// Each row that counts passes all of them.
    pub filters: Vec<Filter>,
    /// How many rows are needed after the filters, the first in `order_by`.
    pub limit: Option<usize>,
    /// How many of them are passed over.
    pub offset: Option<usize>,
    /// In which order the rows are wanted; only beside a limit.
    pub order_by: Vec<SortKey>,
    /// What is computed of the rows; then none is wanted as it is.
    pub aggregate: Option<Aggregate>,
    /// Which rows are taken by chance; then neither a limit nor an aggregate is asked for.
    pub sample: Option<Sample>,
    /// How many partitions the engine reads at a time.
    pub target_partitions: usize,
    /// How many rows a batch had best have.
    pub batch_size: usize,
}

/// Rows by chance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// The chance of each row, from 0 to 1.
    pub fraction: f64,
    /// The same seed takes the same rows.
    pub seed: i64,
}

/// One column of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortKey {
    /// The column's name.
    pub column: String,
    /// Greatest first.
    pub descending: bool,
    /// Whether NULL comes before all values.
    pub nulls_first: bool,
}

/// `GROUP BY` columns, and functions of each group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// Names of columns.
    pub group_by: Vec<String>,
    /// What is computed.
    pub functions: Vec<AggregateFunction>,
}

/// One function of an aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AggregateFunction {
    /// `count`, `sum`, `min` or `max`.
    pub function: &'static str,
    /// The column; none for `count(*)`.
    pub column: Option<String>,
    /// What the column of the results is called.
    pub name: String,
    /// The type of the results.
    pub data_type: DataType,
}

impl ScanRequest {
    /// The request in the form that crosses to Python: JSON, and what has a type as columns of a batch of one row: `l0`,
    /// `l1`, ... the literals of the filters, `t0`, `t1`, ... NULLs of the types of the aggregate's functions.
    ///
    /// # Errors
    /// A literal that makes no array.
    pub(crate) fn to_message(&self) -> Result<Message> {
        let mut literals = vec![];
        let filters: Vec<_> = self.filters.iter().map(|filter| filter.to_json(&mut literals)).collect();
        let names: Vec<_> = self.projection.iter().map(|&index| self.schema.field(index).name()).collect();
        let json = json!({
            "projection": names,
            "filters": filters,
            "limit": self.limit,
            "offset": self.offset,
            "order_by": self.order_by,
            "aggregate": self.aggregate.as_ref().map(Aggregate::to_json),
            "sample": self.sample,
            "target_partitions": self.target_partitions,
            "batch_size": self.batch_size,
        });
        let types = self.aggregate.iter().flat_map(|aggregate| &aggregate.functions).map(|of| &of.data_type);
        let batch = values(&literals, types)?;
        Ok(Message { json: json.to_string(), schema: Some(Arc::clone(&self.schema)), batch: Some(batch) })
    }
}

impl Aggregate {
    /// The schema of the rows that it makes of a table with `table`: the columns of the groups, then the functions.
    ///
    /// # Errors
    /// A group by a column that is not there.
    pub fn schema(&self, table: &Schema) -> Result<Schema> {
        let mut fields = vec![];
        for name in &self.group_by {
            fields.push(table.field_with_name(name)?.clone());
        }
        let functions = self.functions.iter();
        fields.extend(functions.map(|of| Field::new(&of.name, of.data_type.clone(), of.function != COUNT)));
        Ok(Schema::new(fields))
    }

    fn to_json(&self) -> serde_json::Value {
        let functions = self.functions.iter();
        let functions: Vec<_> =
            functions.map(|of| json!({"function": of.function, "column": of.column, "name": of.name})).collect();
        json!({"group_by": self.group_by, "functions": functions})
    }
}

impl Filter {
    /// The filter of a table with `schema` in the form that crosses to Python, as in [`ScanRequest::to_message`].
    pub(crate) fn to_message(&self, schema: SchemaRef) -> Result<Message> {
        let mut literals = vec![];
        let json = self.to_json(&mut literals).to_string();
        Ok(Message { json, schema: Some(schema), batch: Some(values(&literals, iter::empty())?) })
    }
}

fn values<'a>(literals: &[ScalarValue], types: impl Iterator<Item = &'a DataType>) -> Result<RecordBatch> {
    let mut columns: Vec<(String, ArrayRef)> = vec![];
    for (at, literal) in literals.iter().enumerate() {
        columns.push((format!("l{at}"), literal.to_array()?));
    }
    columns.extend(types.enumerate().map(|(at, data_type)| (format!("t{at}"), new_null_array(data_type, 1))));
    let fields: Vec<_> = columns.iter().map(|(name, of)| Field::new(name, of.data_type().clone(), true)).collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    // Stated, for a batch without columns has no other way to know it.
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &one_row)?)
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.descending { "DESC" } else { "ASC" };
        let nulls = if self.nulls_first { "FIRST" } else { "LAST" };
        write!(f, "{} {direction} NULLS {nulls}", self.column)
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of seed {}", self.fraction, self.seed)
    }
}

impl fmt::Display for AggregateFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.function, self.column.as_deref().unwrap_or("*"))
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let functions: Vec<_> = self.functions.iter().map(ToString::to_string).collect();
        f.write_str(&functions.join(", "))?;
        match self.group_by.as_slice() {
            [] => Ok(()),
            keys => write!(f, "{}by {}", if functions.is_empty() { "" } else { " " }, keys.join(", ")),
        }
    }
}
