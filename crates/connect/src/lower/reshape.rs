//! Relations that make rows of columns, or fill, choose and describe rows.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::ScalarValue;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::{Expr, Generate, Join, JoinOn, RelationKind, Unpivot};
use spark_connect_proto as proto;

use super::relation::join_kind;
use super::{Lowering, literal, types};
use crate::error::{invalid_plan, missing};

impl Lowering<'_> {
    pub(super) fn of_schema(&mut self, to: proto::ToSchema) -> Result<RelationKind> {
        match types::from_proto(to.schema.ok_or_else(|| missing("to_schema.schema"))?)? {
            DataType::Struct(fields) => {
                Ok(RelationKind::ToSchema { input: self.input(to.input)?, schema: Arc::new(Schema::new(fields)) })
            }
            _ => Err(invalid_plan("The schema of `df.to` is no struct.")),
        }
    }

    pub(super) fn fill_na(&mut self, fill: proto::NaFill) -> Result<RelationKind> {
        let values = fill.values.into_iter().map(literal::value).collect::<Result<Vec<_>>>()?;
        if values.is_empty() || (values.len() > 1 && values.len() != fill.cols.len()) {
            return Err(invalid_plan("`na.fill` needs one value, or one for each column."));
        }
        Ok(RelationKind::FillNa { input: self.input(fill.input)?, columns: fill.cols, values })
    }

    pub(super) fn drop_na(&mut self, drop: proto::NaDrop) -> Result<RelationKind> {
        let least = drop.min_non_nulls.map(|least| usize::try_from(least).unwrap_or(0));
        Ok(RelationKind::DropNa { input: self.input(drop.input)?, columns: drop.cols, least })
    }

    pub(super) fn replace(&mut self, replace: proto::NaReplace) -> Result<RelationKind> {
        let pairs = replace.replacements.into_iter().map(|pair| {
            let old = pair.old_value.ok_or_else(|| missing("replacement.old_value"))?;
            let new = pair.new_value.ok_or_else(|| missing("replacement.new_value"))?;
            Ok((literal::value(old)?, literal::value(new)?))
        });
        let pairs = pairs.collect::<Result<_>>()?;
        Ok(RelationKind::Replace { input: self.input(replace.input)?, columns: replace.cols, pairs })
    }

    pub(super) fn unpivot(&mut self, unpivot: proto::Unpivot) -> Result<RelationKind> {
        let values = match unpivot.values {
            Some(values) => {
                Some(self.expressions(values.values)?.into_iter().map(|value| (vec![value], None)).collect())
            }
            None => None,
        };
        Ok(RelationKind::Unpivot(Unpivot {
            input: self.input(unpivot.input)?,
            ids: Some(self.expressions(unpivot.ids)?),
            values,
            variable: unpivot.variable_column_name,
            value_names: vec![unpivot.value_column_name],
            include_nulls: true,
        }))
    }

    /// `spark.tvf.explode(...)`.
    pub(super) fn table_function(&mut self, function: proto::UnresolvedTableValuedFunction) -> Result<RelationKind> {
        let args = self.expressions(function.arguments)?;
        if function.function_name.eq_ignore_ascii_case("range") {
            return range(&args);
        }
        match Expr::call(function.function_name, args) {
            Expr::Function(call) => {
                let columns = Vec::new();
                Ok(RelationKind::Generate(Generate { input: None, call, outer: false, alias: None, columns }))
            }
            _ => Err(SparkError::internal("a call is one")),
        }
    }

    pub(super) fn lateral_join(&mut self, join: proto::LateralJoin) -> Result<RelationKind> {
        let on = match join.join_condition {
            Some(condition) => JoinOn::Condition(self.expression(condition)?),
            None => JoinOn::Nothing,
        };
        let (left, right) = (self.input(join.left)?, self.input(join.right)?);
        Ok(RelationKind::Join(Join { left, right, kind: join_kind(join.join_type)?, on, lateral: true }))
    }
}

fn range(args: &[Expr]) -> Result<RelationKind> {
    let numbers = args.iter().map(|arg| match arg {
        Expr::Literal(ScalarValue::Int32(Some(n))) => Ok(i64::from(*n)),
        Expr::Literal(ScalarValue::Int64(Some(n))) => Ok(*n),
        _ => Err(SparkError::unsupported("range with anything but integers")),
    });
    let (start, end, step) = match numbers.collect::<Result<Vec<_>>>()?[..] {
        [end] => (0, end, 1),
        [start, end] => (start, end, 1),
        // The fourth is the number of partitions, which changes no row.
        [start, end, step] | [start, end, step, _] => (start, end, step),
        _ => return Err(invalid_plan("`range` takes one to four numbers.")),
    };
    Ok(RelationKind::Range { start, end, step })
}
