//! The order that a source promises of each partition, and whether its rows keep to it.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::Schema;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::Column;

use crate::scan::request::SortKey;

/// `keys` as expressions over `schema`, up to the first whose column is not there.
pub(crate) fn of(keys: &[SortKey], schema: &Schema) -> Vec<PhysicalSortExpr> {
    let sort = |key: &SortKey| {
        let index = schema.index_of(&key.column).ok()?;
        let options = SortOptions { descending: key.descending, nulls_first: key.nulls_first };
        Some(PhysicalSortExpr::new(Arc::new(Column::new(&key.column, index)), options))
    };
    keys.iter().map_while(sort).collect()
}

/// The same key where the columns are called as in `schema`.
pub(crate) fn renamed(key: &PhysicalSortExpr, schema: &Schema) -> Option<PhysicalSortExpr> {
    let index = key.expr.downcast_ref::<Column>()?.index();
    let column = Column::new(schema.fields().get(index)?.name(), index);
    Some(PhysicalSortExpr::new(Arc::new(column), key.options))
}

/// Checks the rows of one partition after the other.
pub(crate) struct Order {
    keys: Vec<(Column, SortOptions)>,
    /// The keys of the last row.
    last: Option<Vec<ArrayRef>>,
    /// How many rows there were.
    rows: usize,
}

impl Order {
    pub(crate) fn new(order: &[PhysicalSortExpr]) -> Self {
        let key = |sort: &PhysicalSortExpr| Some((sort.expr.downcast_ref::<Column>()?.clone(), sort.options));
        Self { keys: order.iter().filter_map(key).collect(), last: None, rows: 0 }
    }

    /// Looks at the next rows.
    ///
    /// # Errors
    /// Which row comes too late, as what the plug-in did.
    pub(crate) fn check(&mut self, batch: &RecordBatch) -> Result<(), String> {
        if self.keys.is_empty() || batch.num_rows() == 0 {
            return Ok(());
        }
        let columns: Vec<_> = self.keys.iter().map(|(key, _)| Arc::clone(batch.column(key.index()))).collect();
        if let Some(last) = self.last.take() {
            self.compare(&last, &columns, self.rows)?;
        }
        let following: Vec<_> = columns.iter().map(|column| column.slice(1, column.len() - 1)).collect();
        self.compare(&columns, &following, self.rows + 1)?;
        self.rows += batch.num_rows();
        self.last = Some(columns.iter().map(|column| column.slice(column.len() - 1, 1)).collect());
        Ok(())
    }

    /// Compares row by row, as many as there are in both; `row` is the number of the first of the `later` ones.
    fn compare(&self, earlier: &[ArrayRef], later: &[ArrayRef], row: usize) -> Result<(), String> {
        let comparators = self.keys.iter().zip(earlier.iter().zip(later)).map(|((key, options), (earlier, later))| {
            let compare = make_comparator(earlier.as_ref(), later.as_ref(), *options);
            compare.map(|compare| (key.name(), compare)).map_err(|error| error.to_string())
        });
        let comparators = comparators.collect::<Result<Vec<_>, _>>()?;
        let count = later.first().map_or(0, |column| column.len());
        for at in 0..count {
            let difference = comparators.iter().map(|(name, compare)| (name, compare(at, at)));
            if let Some((name, Ordering::Greater)) = difference.into_iter().find(|(_, order)| order.is_ne()) {
                return Err(format!(
                    "gave row {} out of the order that was promised: column '{name}' comes before the row above it",
                    row + at
                ));
            }
        }
        Ok(())
    }
}
