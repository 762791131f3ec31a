//! Expressions.

use datafusion::common::ScalarValue;
use sqlparser::ast::{self, BinaryOperator, CastKind, UnaryOperator};

use super::dialect::{DIV, IS_DISTINCT_FROM, SHIFT_UNSIGNED};
use super::literal;
use super::lower::{Lowering, name};
use crate::ddl;
use crate::error::{Result, SparkError};
use crate::ir::{CastMode, Expr};

impl Lowering<'_> {
    pub(super) fn expr(&mut self, expr: ast::Expr) -> Result<Expr> {
        self.deeper(1, |this| this.expr_here(expr))
    }

    pub(super) fn exprs(&mut self, exprs: Vec<ast::Expr>) -> Result<Vec<Expr>> {
        exprs.into_iter().map(|e| self.expr(e)).collect()
    }

    fn expr_here(&mut self, expr: ast::Expr) -> Result<Expr> {
        match expr {
            ast::Expr::Nested(inner) => self.expr(*inner),
            ast::Expr::Value(value) => self.value(value),
            ast::Expr::TypedString(literal) => literal::typed_string(literal),
            ast::Expr::Identifier(ident) => self.identifier(ident),
            ast::Expr::CompoundIdentifier(idents) => {
                let parts: Vec<String> = idents.into_iter().map(name).collect::<Result<_>>()?;
                Ok(Expr::column(parts))
            }
            ast::Expr::CompoundFieldAccess { root, access_chain } => self.field_access(*root, access_chain),
            ast::Expr::Wildcard(_) => Ok(Expr::star()),
            ast::Expr::QualifiedWildcard(object, _) => {
                Ok(Expr::Star { qualifier: super::lower::parts(object)?, plan_id: None, except: Vec::new() })
            }
            ast::Expr::BinaryOp { .. } => self.operators(expr),
            ast::Expr::UnaryOp { op, expr } => self.unary(op, *expr),
            ast::Expr::Cast { kind, expr, data_type, format: None, array: false } => self.cast(kind, *expr, &data_type),
            ast::Expr::Function(function) => self.function(function),
            ast::Expr::Subquery(query) => Ok(Expr::ScalarSubquery(Box::new(self.query(*query)?))),
            ast::Expr::Exists { subquery, negated } => {
                Ok(Expr::Exists { subquery: Box::new(self.query(*subquery)?), negated })
            }
            ast::Expr::Tuple(values) => self.tuple(values),
            ast::Expr::Struct { values, fields } if fields.is_empty() => Ok(Expr::call("struct", self.exprs(values)?)),
            ast::Expr::Named { expr, name: alias } => Ok(self.expr(*expr)?.alias(name(alias)?)),
            ast::Expr::Case { operand, conditions, else_result, .. } => self.case(operand, conditions, else_result),
            ast::Expr::Lambda(lambda) => {
                let params =
                    lambda.params.iter().map(|parameter| name(parameter.name.clone())).collect::<Result<_>>()?;
                Ok(Expr::Lambda { params, body: Box::new(self.expr(*lambda.body)?) })
            }
            other => match self.predicate(other)? {
                Ok(lowered) => Ok(lowered),
                Err(other) => self.special_function(other),
            },
        }
    }

    /// Names that stand for a function without parentheses.
    fn identifier(&mut self, ident: ast::Ident) -> Result<Expr> {
        const FUNCTIONS: [&str; 4] = ["current_user", "session_user", "current_database", "current_catalog"];
        let plain = ident.quote_style.is_none();
        let name = name(ident)?;
        if plain && FUNCTIONS.iter().any(|function| name.eq_ignore_ascii_case(function)) {
            return Ok(Expr::call(name, Vec::new()));
        }
        Ok(Expr::column([name]))
    }

    /// `(a, b)`: a struct of unnamed fields.
    fn tuple(&mut self, values: Vec<ast::Expr>) -> Result<Expr> {
        let mut args = Vec::with_capacity(2 * values.len());
        for (position, value) in values.into_iter().enumerate() {
            let value = self.expr(value)?;
            let name = match &value {
                Expr::Attribute { parts, .. } => parts.last().cloned(),
                _ => None,
            };
            let name = name.unwrap_or_else(|| format!("col{}", position + 1));
            args.extend([Expr::Literal(ScalarValue::Utf8(Some(name))), value]);
        }
        Ok(Expr::call("named_struct", args))
    }

    /// `t.a[0].b`: names as far as they go, then elements.
    fn field_access(&mut self, root: ast::Expr, chain: Vec<ast::AccessExpr>) -> Result<Expr> {
        let levels = chain.len();
        self.deeper(levels, |this| {
            let mut names_only = matches!(root, ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_));
            let mut expr = this.expr(root)?;
            for access in chain {
                let key = match access {
                    ast::AccessExpr::Dot(ast::Expr::Identifier(field)) => {
                        let field = name(field)?;
                        match &mut expr {
                            Expr::Attribute { parts, .. } if names_only => {
                                parts.push(field);
                                continue;
                            }
                            _ => Expr::Literal(ScalarValue::Utf8(Some(field))),
                        }
                    }
                    ast::AccessExpr::Subscript(ast::Subscript::Index { index }) => this.expr(index)?,
                    other => return Err(SparkError::unsupported(format!("the access {other}"))),
                };
                names_only = false;
                expr = Expr::Extract { expr: Box::new(expr), key: Box::new(key) };
            }
            Ok(expr)
        })
    }

    /// A chain of binary operators, from the left. `a + b + ... + z` nests as deep as it is long.
    fn operators(&mut self, expr: ast::Expr) -> Result<Expr> {
        let mut links = Vec::new();
        let mut first = expr;
        while let ast::Expr::BinaryOp { left, op, right } = first {
            links.push((op, *right));
            first = *left;
        }
        links.reverse();
        // A run of AND or OR becomes a balanced tree, as in Spark, and is as deep as its logarithm.
        let mut levels = 0;
        let mut run = 0;
        for (n, (op, _)) in links.iter().enumerate() {
            let goes_on = n > 0 && is_logical(op) && links.get(n - 1).is_some_and(|(last, _)| last == op);
            run = if goes_on { run + 1 } else { 1 };
            levels += usize::from(run == 1_usize || run.is_power_of_two());
        }
        self.deeper(levels, |this| {
            let mut acc = this.expr(first)?;
            let mut links = links.into_iter().peekable();
            while let Some((op, right)) = links.next() {
                let right = this.expr(right)?;
                if !is_logical(&op) {
                    acc = binary(&op, acc, right)?;
                    continue;
                }
                let mut terms = vec![acc, right];
                while let Some((_, term)) = links.next_if(|(next, _)| *next == op) {
                    terms.push(this.expr(term)?);
                }
                acc = balanced(if op == BinaryOperator::And { "and" } else { "or" }, terms);
            }
            Ok(acc)
        })
    }

    fn unary(&mut self, op: UnaryOperator, operand: ast::Expr) -> Result<Expr> {
        if let (UnaryOperator::Minus, ast::Expr::Value(value)) = (op, &operand)
            && let ast::Value::Number(digits, _) = &value.value
        {
            return literal::number(digits, true).map(Expr::Literal);
        }
        let function = match op {
            UnaryOperator::Minus => "-",
            UnaryOperator::Plus => "+",
            UnaryOperator::Not | UnaryOperator::BangNot => "not",
            UnaryOperator::BitwiseNot => "~",
            other => return Err(SparkError::unsupported(format!("the operator {other}"))),
        };
        Ok(Expr::call(function, vec![self.expr(operand)?]))
    }

    fn cast(&mut self, kind: CastKind, expr: ast::Expr, to: &ast::DataType) -> Result<Expr> {
        let mode = match kind {
            CastKind::Cast | CastKind::DoubleColon => CastMode::Ansi,
            CastKind::TryCast => CastMode::Try,
            CastKind::SafeCast => return Err(SparkError::unsupported("SAFE_CAST")),
        };
        let to = ddl::parse_data_type(&to.to_string())?;
        Ok(Expr::Cast { expr: Box::new(self.expr(expr)?), to, mode })
    }

    fn case(
        &mut self,
        operand: Option<Box<ast::Expr>>,
        conditions: Vec<ast::CaseWhen>,
        otherwise: Option<Box<ast::Expr>>,
    ) -> Result<Expr> {
        let operand = operand.map(|o| self.expr(*o)).transpose()?;
        let mut args = Vec::with_capacity(2 * conditions.len() + 1);
        for when in conditions {
            let condition = self.expr(when.condition)?;
            args.push(match &operand {
                Some(operand) => Expr::call("==", vec![self.copy(operand)?, condition]),
                None => condition,
            });
            args.push(self.expr(when.result)?);
        }
        if let Some(otherwise) = otherwise {
            args.push(self.expr(*otherwise)?);
        }
        Ok(Expr::call("when", args))
    }
}

fn is_logical(op: &BinaryOperator) -> bool {
    matches!(op, BinaryOperator::And | BinaryOperator::Or)
}

pub(super) fn not(expr: Expr) -> Expr {
    Expr::call("not", vec![expr])
}

pub(super) fn binary(op: &BinaryOperator, left: Expr, right: Expr) -> Result<Expr> {
    let function = match op {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::Eq => "==",
        BinaryOperator::Spaceship => "<=>",
        BinaryOperator::Lt => "<",
        BinaryOperator::LtEq => "<=",
        BinaryOperator::Gt => ">",
        BinaryOperator::GtEq => ">=",
        BinaryOperator::StringConcat => "concat",
        BinaryOperator::BitwiseAnd => "&",
        BinaryOperator::BitwiseOr => "|",
        BinaryOperator::BitwiseXor => "^",
        BinaryOperator::PGBitwiseShiftLeft => "<<",
        BinaryOperator::PGBitwiseShiftRight => ">>",
        BinaryOperator::NotEq => return Ok(not(Expr::call("==", vec![left, right]))),
        BinaryOperator::Custom(name) if name == DIV => DIV,
        BinaryOperator::Custom(name) if name == SHIFT_UNSIGNED => SHIFT_UNSIGNED,
        BinaryOperator::Custom(name) if name == IS_DISTINCT_FROM => {
            return Ok(not(Expr::call("<=>", vec![left, right])));
        }
        other => return Err(SparkError::unsupported(format!("the operator {other}"))),
    };
    Ok(Expr::call(function, vec![left, right]))
}

/// Terms joined by AND or OR as a tree of least depth, split where Spark splits it: its generated names show it.
pub(super) fn balanced(function: &str, mut terms: Vec<Expr>) -> Expr {
    if terms.len() > 2 {
        let right = terms.split_off((terms.len() - 1) / 2 + 1);
        return Expr::call(function, vec![balanced(function, terms), balanced(function, right)]);
    }
    match terms.pop() {
        Some(last) => match terms.pop() {
            Some(first) => Expr::call(function, vec![first, last]),
            None => last,
        },
        None => Expr::Literal(ScalarValue::Boolean(Some(function == "and"))),
    }
}
