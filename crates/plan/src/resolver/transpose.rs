//! `df.transpose`: the rows are asked for while the plan is made, and then are columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::{concat_batches, interleave};
use arrow::datatypes::{DataType, Field as ArrowField, Schema};
use arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::LogicalPlanBuilder;

use super::node::{Field, Node};
use super::{Context, Resolver, build};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Expr, RelationKind, Transpose};
use crate::types::{common_type, is_string};

/// The most rows that become columns: `spark.sql.transposeMaxValues`.
const MAX_ROWS: usize = 500;

impl Resolver {
    /// The rows that become columns, in their order: their names, and the other columns as values of one type.
    pub(super) fn transpose(&self, transpose: &Transpose, context: &Context<'_>) -> Result<Node> {
        let node = self.relation(&transpose.input, context)?.into_visible()?;
        let index = match &transpose.index {
            None => node.fields.first().ok_or_else(|| SparkError::unsupported("`df.transpose` without columns"))?,
            Some(Expr::Attribute { parts, plan_id }) => {
                self.find_column(parts, *plan_id, &node)?.ok_or_else(|| self.unresolved_column(parts, &node))?
            }
            Some(_) => return Err(invalid_index("Index column must be an atomic attribute")),
        };
        let index_type = node.type_of(index)?.data_type().clone();
        if index_type.is_nested() {
            let found = sql_name(&index_type);
            return Err(invalid_index(&format!("Index column must be of atomic type, but found: {found}")));
        }
        let others: Vec<_> = node.fields.iter().filter(|field| field.column != index.column).collect();
        let mut of_values = DataType::Null;
        for field in &others {
            let found = node.type_of(field)?.data_type().clone();
            of_values = least_common(&of_values, &found)?;
        }
        let mut exprs = vec![];
        let mut fields = vec![];
        for (field, to) in std::iter::once((index, &DataType::Utf8)).chain(others.into_iter().map(|f| (f, &of_values)))
        {
            let new = Field::new(self.new_column(), &field.name);
            let value = self.cast_between(field.expr(), node.type_of(field)?.data_type(), to)?;
            exprs.push(value.alias(&new.column.name));
            fields.push(new);
        }
        let plan = build::filter(node.plan.clone(), index.expr().is_not_null())?;
        let plan = build::sort(plan, vec![index.expr().sort(true, true)]);
        let plan = LogicalPlanBuilder::from(plan).limit(0, Some(MAX_ROWS + 1))?.build()?;
        let plan = build::project(plan, exprs)?;
        Ok(Node { plan, fields })
    }
}

/// The rows of [`Resolver::transpose`] as columns; `found` has the names that become rows.
pub(super) fn transposed(found: &Schema, rows: &[RecordBatch]) -> Result<RelationKind> {
    let names = found.fields().iter().skip(1).map(|field| Some(field.name().as_str()));
    let names = StringArray::from_iter(names);
    let all = match rows.first() {
        Some(first) => concat_batches(&first.schema(), rows).map_err(failed)?,
        None => RecordBatch::new_empty(Arc::new(found.clone())),
    };
    if all.num_rows() > MAX_ROWS {
        let message = format!("Number of rows exceeds the allowed limit of {MAX_ROWS} for TRANSPOSE.");
        return Err(SparkError::new(ErrorClass::Analysis, "TRANSPOSE_EXCEED_ROW_LIMIT", "54006", message)
            .with("maxValues", MAX_ROWS.to_string())
            .with("config", "spark.sql.transposeMaxValues"));
    }
    let values: Vec<&dyn Array> = all.columns().iter().skip(1).map(AsRef::as_ref).collect();
    let of_values = values.first().map_or(DataType::Utf8, |column| column.data_type().clone());
    let mut fields = vec![ArrowField::new("key", DataType::Utf8, false)];
    let mut columns: Vec<ArrayRef> = vec![Arc::new(names)];
    for (row, name) in all.column(0).as_string::<i32>().iter().enumerate() {
        let places: Vec<_> = (0..values.len()).map(|column| (column, row)).collect();
        columns.push(match values.is_empty() {
            true => arrow::array::new_empty_array(&of_values),
            false => interleave(&values, &places).map_err(failed)?,
        });
        fields.push(ArrowField::new(name.unwrap_or_default(), of_values.clone(), true));
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(failed)?;
    Ok(RelationKind::Local { schema, batches: vec![batch] })
}

/// The type of two columns of values: text is no number here.
fn least_common(left: &DataType, right: &DataType) -> Result<DataType> {
    let both = (*left == DataType::Null || *right == DataType::Null || is_string(left) == is_string(right))
        .then(|| common_type(left, right))
        .flatten();
    both.ok_or_else(|| {
        let (left, right) = (format!("\"{}\"", sql_name(left)), format!("\"{}\"", sql_name(right)));
        let message = format!(
            "Transpose requires non-index columns to share a least common type, but {left} and {right} do not."
        );
        SparkError::new(ErrorClass::Analysis, "TRANSPOSE_NO_LEAST_COMMON_TYPE", "42K09", message)
            .with("dt1", left)
            .with("dt2", right)
    })
}

fn invalid_index(reason: &str) -> SparkError {
    let message = format!("Invalid index column for TRANSPOSE because: {reason}.");
    SparkError::new(ErrorClass::Analysis, "TRANSPOSE_INVALID_INDEX_COLUMN", "42804", message).with("reason", reason)
}

fn failed(error: arrow::error::ArrowError) -> SparkError {
    DataFusionError::from(error).into()
}
