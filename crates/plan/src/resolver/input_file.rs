//! `input_file_name()` and its kin: which file a row is of, as the hidden column of a table of files says.

use arrow::datatypes::DataType;
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::functions::expr_fn::{concat, substr};
use datafusion::logical_expr::{Expr, lit};

use super::expr::Scope;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::Function;

/// Where the path begins in `file:/path`.
const PATH: i64 = 6;

/// Whether a call asks for the file of a row.
pub(super) fn is_one(call: &Function) -> bool {
    call.args.is_empty() && member(&call.name).is_some()
}

fn member(function: &str) -> Option<&'static str> {
    Some(match function.to_lowercase().as_str() {
        "input_file_name" => "file_path",
        "input_file_block_start" => "file_block_start",
        "input_file_block_length" => "file_block_length",
        _ => return None,
    })
}

impl Scope<'_> {
    /// What a call asks of the file; what Spark says where there is none for a row that is of none.
    pub(super) fn input_file(&self, call: &Function) -> Result<Expr> {
        let mut sources = self.node.metadata();
        let (Some(member), Some(source)) = (member(&call.name), sources.next()) else {
            return self.function(call);
        };
        if sources.next().is_some() {
            let expr = format!("\"{}()\"", call.name.to_lowercase());
            let message = format!("The expression {expr} does not support more than one source.");
            let condition = "MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION";
            return Err(SparkError::new(ErrorClass::Analysis, condition, "42K0E", message).with("expr", expr));
        }
        let found = source.expr().field(member);
        Ok(match self.type_of(&found)? {
            // Hadoop writes the path of a file in two ways.
            DataType::Utf8 => concat(vec![lit("file://"), substr(found, lit(PATH))]),
            _ => found,
        })
    }
}
