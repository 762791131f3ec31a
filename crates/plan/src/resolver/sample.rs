//! Rows by chance. Each row has a number, of which and of the seed its luck is made: so a plan may be split over
//! threads, and the parts of `randomSplit` have each row once.

use std::hash::{BuildHasher, RandomState};

use arrow::datatypes::DataType;
use datafusion::common::{NullHandling, UnnestOptions};
use datafusion::functions_nested::expr_fn::array_repeat;
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::WindowFunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, WindowFunctionDefinition, cast, lit};

use super::expr::Scope;
use super::node::{Field, Node};
use super::{Context, Resolver, build};
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::chance::{chance, is_sampled, times_taken};
use crate::ir::{self, Sample, SampleBy};

impl Resolver {
    pub(super) fn sample(&self, sample: &Sample, context: &Context<'_>) -> Result<Node> {
        let node = self.relation(&sample.input, context)?.into_visible()?;
        let (lower, upper) = (sample.lower, sample.upper);
        if sample.with_replacement {
            if upper < lower {
                return Err(not_a_fraction(upper - lower, "must be nonnegative with replacement"));
            }
            return self.with_replacement(node, upper - lower, sample.seed);
        }
        if !(0.0..=1.0).contains(&(upper - lower)) {
            return Err(not_a_fraction(upper - lower, "must be on interval [0, 1] without replacement"));
        }
        if lower <= 0.0 && upper >= 1.0 {
            return Ok(node);
        }
        let (plan, number) = self.with_numbers(&node, sample.ordered)?;
        let condition = is_sampled(seed_of(sample.seed), number, lower, upper);
        let plan = build::project(build::filter(plan, condition)?, node.fields.iter().map(Field::expr))?;
        Ok(node.with_plan(plan))
    }

    pub(super) fn sample_by(&self, sample: &SampleBy, context: &Context<'_>) -> Result<Node> {
        let node = self.relation(&sample.input, context)?.into_visible()?;
        if let Some((_, wrong)) = sample.fractions.iter().find(|(_, fraction)| !(0.0..=1.0).contains(fraction)) {
            let message = format!("requirement failed: Fractions must be in [0, 1], but got {wrong}.");
            return Err(SparkError::new(ErrorClass::IllegalArgument, "", "", message));
        }
        let number = |value: f64| ir::Expr::literal(datafusion::common::ScalarValue::Float64(Some(value)));
        let mut cases = vec![];
        for (stratum, fraction) in &sample.fractions {
            cases.push(ir::Expr::call("<=>", vec![sample.column.clone(), ir::Expr::literal(stratum.clone())]));
            cases.push(number(*fraction));
        }
        let of_row = if cases.is_empty() {
            number(0.0)
        } else {
            cases.push(number(0.0));
            ir::Expr::call("when", cases)
        };
        let of_row = Scope::new(self, &node, context).expr(&of_row)?;
        let (plan, number) = self.with_numbers(&node, false)?;
        let condition = chance(seed_of(sample.seed), number).lt(of_row);
        let plan = build::project(build::filter(plan, condition)?, node.fields.iter().map(Field::expr))?;
        Ok(node.with_plan(plan))
    }

    /// Each row as often as its luck says.
    fn with_replacement(&self, node: Node, mean: f64, seed: Option<i64>) -> Result<Node> {
        let (plan, number) = self.with_numbers(&node, false)?;
        let columns: Vec<_> = node.fields.iter().map(Field::expr).collect();
        let copies = self.new_column();
        let times = times_taken(seed_of(seed), number, lit(mean));
        let repeated = array_repeat(lit(true), times).alias(&copies.name);
        let plan = LogicalPlanBuilder::from(build::project(plan, columns.iter().cloned().chain([repeated]))?)
            .unnest_column_with_options(copies, UnnestOptions::new().with_null_handling(NullHandling::Drop))?
            .build()?;
        Ok(node.with_plan(build::project(plan, columns)?))
    }

    /// The rows with a number each: as they come, or by their values, which has equal rows in any order.
    fn with_numbers(&self, node: &Node, ordered: bool) -> Result<(LogicalPlan, Expr)> {
        let mut function = WindowFunction::new(WindowFunctionDefinition::WindowUDF(row_number_udwf()), vec![]);
        for field in node.fields.iter().filter(|_| ordered) {
            if has_order(node.type_of(field)?.data_type()) {
                function.params.order_by.push(field.expr().sort(true, true));
            }
        }
        let number = self.new_column();
        let numbered = cast(Expr::from(function), DataType::Int64).alias(&number.name);
        let columns = node.fields.iter().map(Field::expr).chain([numbered]).collect();
        Ok((self.project_with_windows(node.plan.clone(), columns)?, Expr::Column(number)))
    }
}

fn has_order(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..) | DataType::Null | DataType::Interval(_) => false,
        DataType::Struct(fields) => fields.iter().all(|field| has_order(field.data_type())),
        DataType::List(item) => has_order(item.data_type()),
        _ => true,
    }
}

fn seed_of(seed: Option<i64>) -> Expr {
    lit(seed.unwrap_or_else(|| RandomState::new().hash_one(()) as i64))
}

fn not_a_fraction(fraction: f64, rule: &str) -> SparkError {
    let message = format!("requirement failed: Sampling fraction ({fraction}) {rule}");
    SparkError::new(ErrorClass::IllegalArgument, "", "", message)
}
