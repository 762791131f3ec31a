//! From the columns of a file to those of the table: by name, in Spark's rules for types.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr_adapter::{
    DefaultPhysicalExprAdapterFactory, PhysicalExprAdapter, PhysicalExprAdapterFactory,
};
use sheetbend_plan::ddl;
use sheetbend_plan::error::{ErrorClass, SparkError};
use sheetbend_plan::types::client_type;

use crate::schema::same_name;

/// Makes the adapter of each file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SparkAdapterFactory {
    pub(crate) case_sensitive: bool,
}

impl PhysicalExprAdapterFactory for SparkAdapterFactory {
    fn create(&self, table: SchemaRef, file: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let renamed: Vec<FieldRef> =
            file.fields().iter().map(|field| self.renamed(field, &table)).collect::<Result<_>>()?;
        let adapter = DefaultPhysicalExprAdapterFactory.create(table, Arc::new(Schema::new(renamed)))?;
        Ok(Arc::new(SparkAdapter { adapter, file }))
    }
}

impl SparkAdapterFactory {
    /// A field of a file under the name of its column in the table.
    fn renamed(&self, field: &FieldRef, table: &Schema) -> Result<FieldRef> {
        let exact = table.fields().iter().find(|column| column.name() == field.name());
        let column = exact.or_else(|| {
            table.fields().iter().find(|column| same_name(column.name(), field.name(), self.case_sensitive))
        });
        let Some(column) = column else { return Ok(Arc::clone(field)) };
        if !is_readable(&client_type(field.data_type(), "UTC"), column.data_type()) {
            return Err(mismatch(field, column).into());
        }
        Ok(Arc::new(Field::clone(field).with_name(column.name())))
    }
}

#[derive(Debug)]
struct SparkAdapter {
    adapter: Arc<dyn PhysicalExprAdapter>,
    file: SchemaRef,
}

impl PhysicalExprAdapter for SparkAdapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        // What comes back has the table's names at the places of the file.
        let of_file = |expr: Arc<dyn PhysicalExpr>| {
            let field = expr.downcast_ref::<Column>().and_then(|column| {
                let field = self.file.fields().get(column.index())?;
                (field.name() != column.name()).then(|| Column::new(field.name(), column.index()))
            });
            Ok(match field {
                Some(column) => Transformed::yes(Arc::new(column) as Arc<dyn PhysicalExpr>),
                None => Transformed::no(expr),
            })
        };
        self.adapter.rewrite(expr)?.transform(of_file).data()
    }
}

/// Whether Spark reads values of a file's type as another type.
fn is_readable(file: &DataType, table: &DataType) -> bool {
    use DataType::{Binary, Date32, Decimal128, Float32, Float64, Int8, Int16, Int32, Int64, Timestamp, Utf8};
    match (file, table) {
        _ if file == table => true,
        // Parquet keeps all of them in 32 bits.
        (Int8 | Int16 | Int32, Int8 | Int16 | Int32 | Int64 | Float64) | (Float32, Float64) => true,
        (Binary, Utf8) | (Utf8, Binary) | (Timestamp(..), Timestamp(..)) | (Date32, Timestamp(_, None)) => true,
        (Int8 | Int16 | Int32, Decimal128(precision, scale)) => i16::from(*precision) - i16::from(*scale) >= 10,
        (Int64, Decimal128(precision, scale)) => i16::from(*precision) - i16::from(*scale) >= 20,
        (Decimal128(p, s), Decimal128(precision, scale)) => {
            scale >= s && i16::from(*precision) - i16::from(*scale) >= i16::from(*p) - i16::from(*s)
        }
        (DataType::List(file), DataType::List(table)) => is_readable(file.data_type(), table.data_type()),
        (DataType::Struct(file), DataType::Struct(table)) => are_readable(file, table),
        (DataType::Map(file, _), DataType::Map(table, _)) => is_map_readable(file, table),
        _ => false,
    }
}

fn are_readable(file: &Fields, table: &Fields) -> bool {
    let of = |name: &str| file.iter().find(|field| field.name() == name);
    table.iter().all(|field| of(field.name()).is_none_or(|file| is_readable(file.data_type(), field.data_type())))
}

/// The names of a map's entries differ among writers.
fn is_map_readable(file: &Field, table: &Field) -> bool {
    match (file.data_type(), table.data_type()) {
        (DataType::Struct(file), DataType::Struct(table)) if file.len() == 2 && table.len() == 2 => {
            file.iter().zip(table).all(|(file, table)| is_readable(file.data_type(), table.data_type()))
        }
        _ => false,
    }
}

fn mismatch(field: &Field, column: &Field) -> SparkError {
    let (actual, expected) = (ddl::sql_name(field.data_type()), ddl::type_name(column.data_type()));
    let message = format!(
        "Data type mismatches when reading Parquet column [{}]. Expected Spark type {expected}, actual Parquet type {actual}.",
        field.name()
    );
    SparkError::new(ErrorClass::Internal, "FAILED_READ_FILE.PARQUET_COLUMN_DATA_TYPE_MISMATCH", "KD001", message)
        .with("column", format!("[{}]", field.name()))
        .with("expectedType", expected)
        .with("actualType", actual)
}
