//! Relations without an input, and what chooses among rows.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field as ArrowField, Schema, SchemaRef};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::datasource::{MemTable, provider_as_source};
use datafusion::functions_table::generate_series::{GenSeriesArgs, GenerateSeriesTable};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

use super::expr::Scope;
use super::node::Node;
use super::{Context, Resolver};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::interval::{fields_of, with_fields};
use crate::interval::IntervalFields;
use crate::ir;
use crate::types::{common_type, is_integral};

impl Resolver {
    pub(super) fn local(&self, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Node> {
        let unique: Vec<_> = schema.fields().iter().map(|_| self.new_column()).collect();
        let columns = schema.fields().iter().zip(&unique);
        let renamed: Vec<_> = columns.map(|(field, column)| field.as_ref().clone().with_name(&column.name)).collect();
        let internal = Arc::new(Schema::new(renamed));
        // The number of rows is stated, for a batch without columns has no other way to know it.
        let rename = |batch: &RecordBatch| {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            RecordBatch::try_new_with_options(internal.clone(), batch.columns().to_vec(), &options)
        };
        let batches: Result<Vec<_>, _> = batches.iter().map(rename).collect();
        let batches = batches.map_err(|error| SparkError::from(datafusion::error::DataFusionError::from(error)))?;
        let table = Arc::new(MemTable::try_new(internal, vec![batches])?);
        let plan = LogicalPlanBuilder::scan("local", provider_as_source(table), None)?.build()?;
        self.aliased(plan, schema.fields().iter().map(|field| field.name().clone()))
    }

    pub(super) fn range(&self, start: i64, end: i64, step: i64) -> Result<Node> {
        if step == 0 {
            let message = "The step of a range must not be 0.";
            return Err(SparkError::new(ErrorClass::IllegalArgument, "INVALID_PARAMETER_VALUE", "22023", message));
        }
        let schema = Arc::new(Schema::new(vec![ArrowField::new("id", DataType::Int64, false)]));
        let args = GenSeriesArgs::Int64Args { start, end, step, include_end: false, name: "range" };
        self.scan("range", Arc::new(GenerateSeriesTable::new(schema, args)))
    }

    pub(super) fn values(&self, rows: &[Vec<ir::Expr>], context: &Context<'_>) -> Result<Node> {
        let empty = Node { plan: LogicalPlanBuilder::empty(true).build()?, fields: vec![] };
        let scope = Scope::new(self, &empty, context);
        let mut exprs = rows
            .iter()
            .map(|row| row.iter().map(|expr| scope.expr(expr)).collect::<Result<Vec<_>>>())
            .collect::<Result<Vec<_>>>()?;
        let width = exprs.first().map_or(0, Vec::len);
        if exprs.iter().any(|row| row.len() != width) {
            let message = "Every row of VALUES must have the same number of columns.";
            let condition = "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH";
            return Err(SparkError::new(ErrorClass::Parse, condition, "42000", message));
        }
        for position in 0..width {
            let mut to = DataType::Null;
            for row in &exprs {
                let from = scope.type_of(&row[position])?;
                to = common_type(&to, &from).ok_or_else(|| {
                    let message = "The rows of VALUES have no common type for a column.";
                    let condition = "INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE";
                    SparkError::new(ErrorClass::Analysis, condition, "42000", message)
                })?;
            }
            for row in &mut exprs {
                let expr = std::mem::take(&mut row[position]);
                row[position] = scope.cast_to(expr, &to)?;
            }
            // Intervals of a column have the fields of all of them.
            let schema = empty.plan.schema();
            let fields = exprs.iter().map(|row| fields_of(&row[position], schema)).collect::<Result<Vec<_>>>()?;
            if let Some(all) = fields.iter().flatten().copied().reduce(IntervalFields::union)
                && fields.iter().flatten().any(|own| *own != all)
            {
                for row in &mut exprs {
                    row[position] = with_fields(std::mem::take(&mut row[position]), all);
                }
            }
        }
        let plan = LogicalPlanBuilder::values(exprs)?.build()?;
        let names = (1..=width).map(|position| format!("col{position}"));
        self.aliased(plan, names)
    }

    /// The value of an expression without columns; none where it has some.
    pub(super) fn constant(&self, expr: Expr) -> Result<Option<ScalarValue>> {
        if let Expr::Literal(value, _) = expr {
            return Ok(Some(value));
        }
        if expr.any_column_refs() || expr.is_volatile() {
            return Ok(None);
        }
        let context = SimplifyContext::builder().with_schema(Arc::new(DFSchema::empty())).build();
        match ExprSimplifier::new(context).simplify(expr)?.unalias() {
            Expr::Literal(value, _) => Ok(Some(value)),
            _ => Ok(None),
        }
    }

    /// The number of rows of `LIMIT` or `OFFSET`.
    pub(super) fn row_count(&self, name: &str, rows: &ir::Expr, node: &Node) -> Result<usize> {
        let written = self.plain_name(rows);
        let refused = |condition: &str, message: String| {
            let condition = format!("INVALID_LIMIT_LIKE_EXPRESSION.{condition}");
            SparkError::new(ErrorClass::Analysis, &condition, "42K0E", message).with("name", name)
        };
        let context = Context::default();
        let scope = Scope::new(self, node, &context);
        let expr = scope.expr(rows)?;
        let data_type = scope.type_of(&expr)?;
        let Some(value) = self.constant(expr)? else {
            let message = format!("The {name} expression must evaluate to a constant value, but got \"{written}\".");
            return Err(refused("IS_UNFOLDABLE", message).with("expr", format!("\"{written}\"")));
        };
        if !is_integral(&data_type) {
            let found = sql_name(&data_type);
            let message = format!("The {name} expression must be integer type, but got \"{found}\".");
            return Err(refused("DATA_TYPE", message)
                .with("expr", format!("\"{written}\""))
                .with("dataType", format!("\"{found}\"")));
        }
        match value.cast_to(&DataType::Int64)? {
            ScalarValue::Int64(Some(count)) => usize::try_from(count).map_err(|_| {
                let message = format!("The {name} expression must be equal to or greater than 0, but got {count}.");
                refused("IS_NEGATIVE", message).with("expr", format!("\"{written}\"")).with("v", count.to_string())
            }),
            _ => {
                let message = format!("The evaluated {name} expression must not be null, but got \"{written}\".");
                Err(refused("IS_NULL", message).with("expr", format!("\"{written}\"")))
            }
        }
    }
}
