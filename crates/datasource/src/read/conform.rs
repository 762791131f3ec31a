//! Checks batches against the schema that was promised, and makes small differences good.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use datafusion::common::project_schema;

use crate::types::{Widening, widening};

/// In which way a batch is not what was promised.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// The batch lacks a column that is needed.
    #[error(
        "it has no column '{column}', which the schema promises as {promised}. It has: {}",
        found.join(", ")
    )]
    Missing {
        /// The column.
        column: String,
        /// Its type.
        promised: String,
        /// The columns of the batch.
        found: Vec<String>,
    },
    /// The batch has columns that the schema does not have.
    #[error("it has columns that the schema does not promise: {}. The schema promises: {}", columns.join(", "), promised.join(", "))]
    Unpromised {
        /// The columns.
        columns: Vec<String>,
        /// The columns of the schema.
        promised: Vec<String>,
    },
    /// The batch has two columns of one name.
    #[error("it has the column '{column}' twice")]
    Twice {
        /// The column.
        column: String,
    },
    /// The type of a column is another, and its values may not fit.
    #[error("column '{column}' is {found}, the schema promises {promised}")]
    Type {
        /// The column.
        column: String,
        /// The type that was promised.
        promised: String,
        /// The type in the batch.
        found: String,
    },
    /// A value does not fit into the type that was promised.
    #[error("column '{column}' is {found}, the schema promises {promised}, and a value does not fit: {reason}")]
    Value {
        /// The column.
        column: String,
        /// The type that was promised.
        promised: String,
        /// The type in the batch.
        found: String,
        /// What does not fit.
        reason: String,
    },
    /// There are NULLs where there must be none.
    #[error("column '{column}' has {nulls} NULL, and the schema promises none (nullable=False)")]
    Null {
        /// The column.
        column: String,
        /// How many.
        nulls: usize,
    },
    /// The columns do not make a batch.
    #[error("it is malformed: {0}")]
    Malformed(String),
}

/// Makes batches of a schema, projected, of the batches of one source.
///
/// Columns are found by name. Where the type is another that the promised one holds all values of, it is cast.
#[derive(Debug)]
pub struct Conform {
    promised: SchemaRef,
    projection: Option<Vec<usize>>,
    projected: SchemaRef,
    output: SchemaRef,
    /// The schema that was met last, and what is to be done with a batch of it: batches of a source mostly agree.
    last: Option<(SchemaRef, Vec<Step>)>,
}

/// What makes one column of the output.
#[derive(Debug, Clone, Copy)]
struct Step {
    from: usize,
    how: Widening,
}

impl Conform {
    /// For batches of `promised`, of which only the columns of `projection` are kept.
    ///
    /// # Errors
    /// A projection of columns that are not there.
    pub fn try_new(promised: SchemaRef, projection: Option<Vec<usize>>) -> datafusion::error::Result<Self> {
        let projected = project_schema(&promised, projection.as_ref())?;
        Ok(Self { promised, projection, output: Arc::clone(&projected), projected, last: None })
    }

    /// The same, with the names of `schema`, which has as many columns.
    #[must_use]
    pub fn renamed(self, schema: SchemaRef) -> Self {
        Self { output: schema, ..self }
    }

    /// The schema of the batches that come out.
    pub fn schema(&self) -> &SchemaRef {
        &self.output
    }

    /// The batch as promised. Columns that need no cast are not copied.
    ///
    /// # Errors
    /// A [`Mismatch`], also in a column that is not kept, except for NULLs there.
    pub fn apply(&mut self, batch: &RecordBatch) -> Result<RecordBatch, Mismatch> {
        let found = batch.schema_ref();
        // The same object mostly: to compare schemas has a cost for each column.
        let known = self.last.as_ref().is_some_and(|(last, _)| Arc::ptr_eq(last, found) || last == found);
        if !known {
            self.last = Some((Arc::clone(found), self.steps(found)?));
        }
        let steps = self.last.as_ref().map(|(_, steps)| steps.as_slice()).unwrap_or_default();
        let columns: Result<Vec<_>, _> = steps
            .iter()
            .zip(self.projected.fields())
            .map(|(step, field)| step.column(batch.column(step.from), field))
            .collect();
        let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.output), columns?, &rows)
            .map_err(|error| Mismatch::Malformed(error.to_string()))
    }

    /// Checks all columns that are there; returns the steps for those that are kept, which must be.
    fn steps(&self, found: &Schema) -> Result<Vec<Step>, Mismatch> {
        let mut places: HashMap<&str, (usize, &Field)> = HashMap::with_capacity(found.fields().len());
        for (place, field) in found.fields().iter().enumerate() {
            if places.insert(field.name(), (place, field)).is_some() {
                return Err(Mismatch::Twice { column: field.name().clone() });
            }
        }
        let mut steps = Vec::with_capacity(self.promised.fields().len());
        for promised in self.promised.fields() {
            let place = places.remove(promised.name().as_str());
            steps.push(place.map(|place| Step::new(place, promised)).transpose()?);
        }
        if !places.is_empty() {
            let mut extra: Vec<_> = places.into_iter().collect();
            extra.sort_by_key(|(_, (place, _))| *place);
            let columns = extra.into_iter().map(|(name, _)| name.to_owned()).collect();
            return Err(Mismatch::Unpromised { columns, promised: names(&self.promised) });
        }
        let step = |index: usize| {
            steps.get(index).copied().flatten().ok_or_else(|| Mismatch::Missing {
                column: self.promised.field(index).name().clone(),
                promised: self.promised.field(index).data_type().to_string(),
                found: names(found),
            })
        };
        match &self.projection {
            Some(kept) => kept.iter().map(|&index| step(index)).collect(),
            None => (0..steps.len()).map(step).collect(),
        }
    }
}

fn names(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

impl Step {
    fn new((from, field): (usize, &Field), promised: &Field) -> Result<Self, Mismatch> {
        let how = widening(field.data_type(), promised.data_type()).ok_or_else(|| Mismatch::Type {
            column: promised.name().clone(),
            promised: promised.data_type().to_string(),
            found: field.data_type().to_string(),
        })?;
        Ok(Self { from, how })
    }

    fn column(&self, column: &ArrayRef, promised: &Field) -> Result<ArrayRef, Mismatch> {
        let column = match self.how {
            Widening::Same => Arc::clone(column),
            how => cast(column, promised, how == Widening::Checked).map_err(|reason| Mismatch::Value {
                column: promised.name().clone(),
                promised: promised.data_type().to_string(),
                found: column.data_type().to_string(),
                reason,
            })?,
        };
        let nulls = if promised.is_nullable() { 0 } else { column.logical_null_count() };
        match nulls {
            0 => Ok(column),
            nulls => Err(Mismatch::Null { column: promised.name().clone(), nulls }),
        }
    }
}

fn cast(column: &ArrayRef, promised: &Field, checked: bool) -> Result<ArrayRef, String> {
    // Arrow's own cast panics here.
    if let Some(bytes) = bytes_unpacked(column, promised.data_type()).filter(|bytes| i32::try_from(*bytes).is_err()) {
        return Err(format!(
            "its values have {bytes} bytes in all, which is too many for one batch; yield smaller ones"
        ));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    let text = |error: ArrowError| error.to_string();
    let cast = cast_with_options(column, promised.data_type(), &options).map_err(text)?;
    // There and back again: what is lost on the way does not fit.
    if checked && *cast_with_options(&cast, column.data_type(), &options).map_err(text)? != **column {
        return Err("it is finer than the type; round it in the plug-in".to_owned());
    }
    Ok(cast)
}

/// The bytes of views that become values with offsets of 32 bits; none for another cast.
fn bytes_unpacked(column: &ArrayRef, to: &DataType) -> Option<u64> {
    match (column.data_type(), to) {
        (DataType::Utf8View, DataType::Utf8) => Some(column.as_string_view().lengths().map(u64::from).sum()),
        (DataType::BinaryView, DataType::Binary) => Some(column.as_binary_view().lengths().map(u64::from).sum()),
        _ => None,
    }
}
