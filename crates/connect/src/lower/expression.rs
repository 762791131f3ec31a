//! Expressions.

use datafusion::common::ScalarValue;
use sheetbend_plan::ddl;
use sheetbend_plan::error::{Result, SparkError};
use sheetbend_plan::ir::{CastMode, Expr, Function, NullOrdering, Relation, SortDirection, SortOrder, WindowFrame};
use sheetbend_plan::sql::parse_identifier;
use spark_connect_proto as proto;
use spark_connect_proto::expression::cast::{CastToType, EvalMode};
use spark_connect_proto::expression::sort_order::{NullOrdering as ProtoNulls, SortDirection as ProtoDirection};
use spark_connect_proto::expression::window::WindowFrame as ProtoFrame;
use spark_connect_proto::expression::window::window_frame::frame_boundary::Boundary;
use spark_connect_proto::expression::window::window_frame::{FrameBoundary, FrameType};
use spark_connect_proto::expression::{Cast, ExprType, UnresolvedFunction, UnresolvedStar, Window};
use spark_connect_proto::subquery_expression::SubqueryType;

use super::{Lowering, literal, types};
use crate::error::{invalid_plan, missing};

impl Lowering<'_> {
    /// The unresolved form of an expression.
    ///
    /// # Errors
    /// A message that is not whole, or something that is not supported.
    pub(crate) fn expression(&mut self, expression: proto::Expression) -> Result<Expr> {
        Ok(match expression.expr_type.ok_or_else(|| missing("expression.expr_type"))? {
            ExprType::Literal(value) => Expr::Literal(literal::value(value)?),
            ExprType::UnresolvedAttribute(attribute) => {
                if attribute.is_metadata_column.unwrap_or(false) {
                    return Err(SparkError::unsupported("metadata columns"));
                }
                Expr::Attribute { parts: parse_identifier(&attribute.unparsed_identifier)?, plan_id: attribute.plan_id }
            }
            ExprType::UnresolvedStar(star) => self.star(star)?,
            ExprType::UnresolvedFunction(function) => self.function(function)?,
            ExprType::CallFunction(call) => Expr::call(call.function_name, self.expressions(call.arguments)?),
            ExprType::ExpressionString(text) => Expr::Text(text.expression),
            ExprType::Alias(alias) => {
                let expr = self.child(alias.expr)?;
                Expr::Alias { expr: annotated(expr, alias.metadata), names: alias.name }
            }
            ExprType::Cast(cast) => self.cast(*cast)?,
            ExprType::SortOrder(order) => Expr::SortOrder(Box::new(self.sort_order(*order)?)),
            ExprType::UnresolvedExtractValue(extract) => {
                Expr::Extract { expr: self.child(extract.child)?, key: self.child(extract.extraction)? }
            }
            ExprType::Window(window) => self.window(*window)?,
            ExprType::LambdaFunction(lambda) => {
                let params = lambda.arguments.into_iter().map(|argument| argument.name_parts.join(".")).collect();
                Expr::Lambda { params, body: self.child(lambda.function)? }
            }
            ExprType::UnresolvedNamedLambdaVariable(variable) => Expr::column(variable.name_parts),
            ExprType::UnresolvedRegex(regex) => regex_of(&regex.col_name, regex.plan_id)?,
            ExprType::SubqueryExpression(subquery) => self.subquery(subquery)?,
            ExprType::UpdateFields(update) => Expr::UpdateField {
                expr: self.child(update.struct_expression)?,
                path: parse_identifier(&update.field_name)?,
                value: update.value_expression.map(|value| self.child(Some(value))).transpose()?,
            },
            // Where rows go, is the engine's affair.
            ExprType::DirectShufflePartitionId(by) => *self.child(by.child)?,
            other => return Err(SparkError::unsupported(unsupported(&other))),
        })
    }

    /// The unresolved forms of a list.
    pub(super) fn expressions(&mut self, list: Vec<proto::Expression>) -> Result<Vec<Expr>> {
        list.into_iter().map(|expression| self.expression(expression)).collect()
    }

    /// The keys of a sort.
    pub(super) fn sort_orders(&mut self, list: Vec<proto::expression::SortOrder>) -> Result<Vec<SortOrder>> {
        list.into_iter().map(|order| self.sort_order(order)).collect()
    }

    fn child(&mut self, child: Option<Box<proto::Expression>>) -> Result<Box<Expr>> {
        Ok(Box::new(self.expression(*child.ok_or_else(|| missing("expression"))?)?))
    }

    fn sort_order(&mut self, order: proto::expression::SortOrder) -> Result<SortOrder> {
        let direction = match ProtoDirection::try_from(order.direction) {
            Ok(ProtoDirection::Descending) => SortDirection::Descending,
            _ => SortDirection::Ascending,
        };
        let nulls = match ProtoNulls::try_from(order.null_ordering) {
            Ok(ProtoNulls::SortNullsFirst) => Some(NullOrdering::First),
            Ok(ProtoNulls::SortNullsLast) => Some(NullOrdering::Last),
            _ => None,
        };
        Ok(SortOrder::new(*self.child(order.child)?, direction, nulls))
    }

    fn star(&mut self, star: UnresolvedStar) -> Result<Expr> {
        let qualifier = match star.unparsed_target.as_deref() {
            None | Some("" | "*") => Vec::new(),
            Some(target) => match target.strip_suffix(".*") {
                Some(qualifier) => parse_identifier(qualifier)?,
                None => return Err(invalid_plan(&format!("`{target}` does not end with `.*`."))),
            },
        };
        Ok(Expr::Star { qualifier, plan_id: star.plan_id, except: Vec::new() })
    }

    fn function(&mut self, function: UnresolvedFunction) -> Result<Expr> {
        Ok(Expr::Function(Function {
            name: function.function_name,
            args: self.expressions(function.arguments)?,
            distinct: function.is_distinct,
            filter: None,
            order_by: Vec::new(),
        }))
    }

    fn cast(&mut self, cast: Cast) -> Result<Expr> {
        let to = match cast.cast_to_type.ok_or_else(|| missing("cast.cast_to_type"))? {
            CastToType::Type(data_type) => types::from_proto(data_type)?,
            CastToType::TypeStr(text) => ddl::parse_data_type(&text)?,
        };
        let mode = match EvalMode::try_from(cast.eval_mode) {
            Ok(EvalMode::Try) => CastMode::Try,
            _ => CastMode::Ansi,
        };
        Ok(Expr::Cast { expr: self.child(cast.expr)?, to, mode })
    }

    fn window(&mut self, window: Window) -> Result<Expr> {
        Ok(Expr::Window {
            function: self.child(window.window_function)?,
            partition_by: self.expressions(window.partition_spec)?,
            order_by: self.sort_orders(window.order_spec)?,
            frame: window.frame_spec.map(|frame| self.frame(*frame)).transpose()?,
        })
    }

    fn frame(&mut self, frame: ProtoFrame) -> Result<WindowFrame> {
        let rows = match FrameType::try_from(frame.frame_type) {
            Ok(FrameType::Row) => true,
            Ok(FrameType::Range) => false,
            Ok(FrameType::Undefined) | Err(_) => return Err(missing("frame_spec.frame_type")),
        };
        Ok(WindowFrame { rows, lower: self.boundary(frame.lower)?, upper: self.boundary(frame.upper)? })
    }

    fn boundary(&mut self, boundary: Option<Box<FrameBoundary>>) -> Result<Option<i64>> {
        let boundary = boundary.and_then(|boundary| boundary.boundary).ok_or_else(|| missing("frame boundary"))?;
        let value = match boundary {
            Boundary::CurrentRow(_) => return Ok(Some(0)),
            Boundary::Unbounded(_) => return Ok(None),
            Boundary::Value(value) => self.expression(*value)?,
        };
        match value {
            Expr::Literal(ScalarValue::Int8(Some(v))) => Ok(Some(v.into())),
            Expr::Literal(ScalarValue::Int16(Some(v))) => Ok(Some(v.into())),
            Expr::Literal(ScalarValue::Int32(Some(v))) => Ok(Some(v.into())),
            Expr::Literal(ScalarValue::Int64(Some(v))) => Ok(Some(v)),
            _ => Err(SparkError::unsupported("window frames whose bounds are no integers")),
        }
    }

    fn subquery(&mut self, subquery: proto::SubqueryExpression) -> Result<Expr> {
        let relation: &Relation = self
            .subqueries
            .get(&subquery.plan_id)
            .ok_or_else(|| invalid_plan(&format!("No relation has the plan id {}.", subquery.plan_id)))?;
        let relation = Box::new(relation.clone());
        match SubqueryType::try_from(subquery.subquery_type) {
            Ok(SubqueryType::Scalar) => Ok(Expr::ScalarSubquery(relation)),
            Ok(SubqueryType::Exists) => Ok(Expr::Exists { subquery: relation, negated: false }),
            Ok(SubqueryType::In) => {
                let values = self.expressions(subquery.in_subquery_values)?;
                Ok(Expr::InSubquery { values, subquery: relation, negated: false })
            }
            Ok(SubqueryType::TableArg) => Err(SparkError::unsupported("table arguments")),
            Ok(SubqueryType::Unknown) | Err(_) => Err(missing("subquery_type")),
        }
    }
}

/// The value of a column with metadata, where there is some.
pub(super) fn annotated(expr: Box<Expr>, metadata: Option<String>) -> Box<Expr> {
    match metadata {
        Some(metadata) => Box::new(Expr::Annotated { expr, metadata }),
        None => expr,
    }
}

/// `df.colRegex`: a pattern in backticks; without them it is the name of a column.
fn regex_of(text: &str, plan_id: Option<i64>) -> Result<Expr> {
    match text.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
        Some(pattern) => Ok(Expr::Regex { pattern: pattern.to_owned(), plan_id }),
        None => Ok(Expr::Attribute { parts: parse_identifier(text)?, plan_id }),
    }
}

/// What a user calls an expression that is not supported.
fn unsupported(expression: &ExprType) -> &'static str {
    match expression {
        ExprType::CommonInlineUserDefinedFunction(_) => "user-defined functions",
        ExprType::NamedArgumentExpression(_) => "named arguments",
        ExprType::MergeAction(_) => "`MERGE INTO`",
        ExprType::TypedAggregateExpression(_) => "typed aggregates",
        ExprType::Extension(_) => "protocol extensions",
        _ => "this expression",
    }
}
