//! Predicates: `IS`, `IN`, `BETWEEN`, `LIKE`.

use datafusion::common::ScalarValue;
use sqlparser::ast;

use super::expr::{balanced, not};
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
                if matches!(expr.as_ref(), ast::Expr::Tuple(_)) {
                    return Err(SparkError::unsupported("IN with a subquery of several columns"));
                }
                let expr = Box::new(self.expr(*expr)?);
                Expr::InSubquery { expr, subquery: Box::new(self.query(*subquery)?), negated }
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
        let patterns = match (any, pattern) {
            (true, ast::Expr::Tuple(patterns)) => patterns,
            (_, pattern) => vec![pattern],
        };
        let mut terms = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let mut args = vec![self.copy(&expr)?, self.expr(pattern)?];
            args.extend(escape.clone());
            // `NOT LIKE ANY` is true where one of them does not match.
            terms.push(negate(Expr::call(function, args), negated));
        }
        Ok(balanced("or", terms))
    }
}

fn negate(expr: Expr, negated: bool) -> Expr {
    if negated { not(expr) } else { expr }
}
