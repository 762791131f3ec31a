//! `spark.read.json(df)`: texts of a column as rows.

use arrow::datatypes::DataType;
use datafusion::common::{NullHandling, UnnestOptions};
use datafusion::functions::core::expr_ext::FieldAccessor;
use datafusion::functions::expr_fn::{btrim, starts_with};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, ScalarUDF, lit, not};

use super::node::{Field, Node};
use super::{Context, Resolver, build};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::Parse;
use crate::types::is_string;

impl Resolver {
    /// The rows; as long as nothing is known that tells how they are read, the texts that do.
    pub(super) fn parse(&self, parse: &Parse, context: &Context<'_>) -> Result<Node> {
        let node = self.relation(&parse.input, context)?.into_visible()?;
        let [field] = node.fields.as_slice() else { return Err(not_one_column(node.fields.len())) };
        let data_type = node.type_of(field)?.data_type().clone();
        if !is_string(&data_type) {
            return Err(not_text(&data_type));
        }
        let text = field.expr();
        match &parse.parser {
            Some(parser) => self.parsed(node.plan.clone(), text, parser),
            None => Ok(Node { plan: telling(node.plan.clone(), text, parse)?, fields: node.fields }),
        }
    }

    fn parsed(&self, texts: LogicalPlan, text: Expr, parser: &ScalarUDF) -> Result<Node> {
        let rows = self.new_column();
        let plan = build::project(texts, [parser.call(vec![text]).alias(&rows.name)])?;
        let DataType::List(row) = plan.schema().field(0).data_type().clone() else {
            return Err(SparkError::internal("a parser that makes no rows"));
        };
        let DataType::Struct(members) = row.data_type() else {
            return Err(SparkError::internal("a parser that makes no columns"));
        };
        let plan = LogicalPlanBuilder::from(plan)
            .unnest_column_with_options(rows.clone(), UnnestOptions::new().with_null_handling(NullHandling::Drop))?
            .build()?;
        let fields: Vec<_> = members.iter().map(|member| Field::new(self.new_column(), member.name())).collect();
        let values =
            fields.iter().map(|field| Expr::Column(rows.clone()).field(field.name.as_str()).alias(&field.column.name));
        Ok(Node { plan: build::project(plan, values)?, fields })
    }
}

/// The texts that tell how the others are read: the first ones that are neither blank nor a comment.
fn telling(texts: LogicalPlan, text: Expr, parse: &Parse) -> Result<LogicalPlan> {
    let Some(count) = parse.told_by else { return Ok(texts) };
    let mut says_something = btrim(vec![text.clone()]).not_eq(lit(""));
    let comment = parse.source.options.iter().find(|(name, _)| name.eq_ignore_ascii_case("comment"));
    if let Some((_, mark)) = comment.filter(|(_, mark)| !mark.is_empty()) {
        says_something = says_something.and(not(starts_with(text, lit(mark))));
    }
    let plan = build::filter(texts, says_something)?;
    Ok(LogicalPlanBuilder::from(plan).limit(0, Some(count))?.build()?)
}

fn not_one_column(found: usize) -> SparkError {
    let message = format!("Input DataFrame must have exactly one column, but got {found}.");
    SparkError::new(ErrorClass::Analysis, "DATAFRAME_INPUT_NOT_SINGLE_COLUMN", "42K09", message)
        .with("numColumns", found.to_string())
}

fn not_text(found: &DataType) -> SparkError {
    let found = format!("\"{}\"", sql_name(found));
    let message = format!("Input DataFrame column must be StringType, but got {found}.");
    SparkError::new(ErrorClass::Analysis, "DATAFRAME_INPUT_NOT_STRING_TYPE", "42K09", message).with("dataType", found)
}
