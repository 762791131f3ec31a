//! Predicates: `IS`, `IN`, `BETWEEN`, `LIKE`.

use datafusion::common::ScalarValue;
use sqlparser::ast;

use super::expr::not;
use super::lower::Lowering;
use crate::error::{Result, SparkError};
use crate::ir::Expr;

impl Lowering<'_> {
    /// The predicate, or the expression back if it is none.
    pub(super) fn predicate(&mut self, expr: ast::Expr) -> Result<Result<Expr, ast::Expr>> {
        let lowered = match expr {
            ast::Expr::IsNull(e) | ast::Expr::IsUnknown(e) => self.call_on("isnull", *e)?,
            ast::Expr::IsNotNull(e) | ast::Expr::IsNotUnknown(e) => self.call_on("isnotnull", *e)?,
            ast::Expr::IsTrue(e) => self.is_boolean(*e, true)?,
            ast::Expr::IsNotTrue(e) => not(self.is_boolean(*e, true)?),
            ast::Expr::IsFalse(e) => self.is_boolean(*e, false)?,
            ast::Expr::IsNotFalse(e) => not(self.is_boolean(*e, false)?),
            ast::Expr::InList { expr, list, negated } => {
                let mut args = vec![self.expr(*expr)?];
                args.extend(self.exprs(list)?);
                negate(Expr::call("in", args), negated)
            }
            ast::Expr::InSubquery { expr, subquery, negated } => {
                let values = match *expr {
                    ast::Expr::Tuple(values) => self.exprs(values)?,
                    value => vec![self.expr(value)?],
                };
                Expr::InSubquery { values, subquery: Box::new(self.query(*subquery)?), negated }
            }
            ast::Expr::Between { expr, negated, low, high } => {
                let value = self.expr(*expr)?;
                self.charge(&value)?;
                let args = vec![value, self.expr(*low)?, self.expr(*high)?];
                negate(Expr::call("between", args), negated)
            }
            ast::Expr::Like { negated, any, expr, pattern, escape_char } => {
                self.like("like", negated, any, *expr, *pattern, escape_char)?
            }
            ast::Expr::ILike { negated, any, expr, pattern, escape_char } => {
                self.like("ilike", negated, any, *expr, *pattern, escape_char)?
            }
            ast::Expr::RLike { negated, expr, pattern, .. } => {
                let args = vec![self.expr(*expr)?, self.expr(*pattern)?];
                negate(Expr::call("rlike", args), negated)
            }
            other => return Ok(Err(other)),
        };
        Ok(Ok(lowered))
    }

    fn call_on(&mut self, function: &str, expr: ast::Expr) -> Result<Expr> {
        Ok(Expr::call(function, vec![self.expr(expr)?]))
    }

    fn is_boolean(&mut self, expr: ast::Expr, value: bool) -> Result<Expr> {
        Ok(Expr::call("<=>", vec![self.expr(expr)?, Expr::Literal(ScalarValue::Boolean(Some(value)))]))
    }

    fn like(
        &mut self,
        function: &str,
        negated: bool,
        any: bool,
        expr: ast::Expr,
        pattern: ast::Expr,
        escape: Option<ast::ValueWithSpan>,
    ) -> Result<Expr> {
        let expr = self.expr(expr)?;
        let escape = escape.map(|e| self.value(e)).transpose()?;
        let (quantifier, patterns) = match (any, pattern) {
            (true, ast::Expr::Tuple(patterns)) => ("any", patterns),
            // sqlparser takes `LIKE ALL (...)` for a call.
            (false, ast::Expr::Function(call)) if quantifier(&call).is_some() => {
                (quantifier(&call).unwrap_or_default(), arguments(call)?)
            }
            (_, pattern) => {
                let mut args = vec![expr, self.expr(pattern)?];
                args.extend(escape);
                return Ok(negate(Expr::call(function, args), negated));
            }
        };
        let mut args = vec![expr];
        args.extend(self.exprs(patterns)?);
        let not = if negated { "not" } else { "" };
        Ok(Expr::call(format!("{not}{function}{quantifier}"), args))
    }
}

/// The quantifier that sqlparser took for the name of a function.
fn quantifier(call: &ast::Function) -> Option<&'static str> {
    match call.name.to_string().to_ascii_lowercase().as_str() {
        "all" => Some("all"),
        "any" | "some" => Some("any"),
        _ => None,
    }
}

fn arguments(call: ast::Function) -> Result<Vec<ast::Expr>> {
    let ast::FunctionArguments::List(list) = call.args else { return Ok(Vec::new()) };
    let args = list.args.into_iter().map(|arg| match arg {
        ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => Ok(expr),
        other => Err(SparkError::unsupported(format!("the pattern `{other}`"))),
    });
    args.collect()
}

fn negate(expr: Expr, negated: bool) -> Expr {
    if negated { not(expr) } else { expr }
}
