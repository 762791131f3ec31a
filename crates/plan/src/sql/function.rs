//! Function calls, and functions with a grammar of their own.

use datafusion::common::ScalarValue;
use sqlparser::ast::{self, DateTimeField, FunctionArg, FunctionArgExpr, FunctionArguments, NullTreatment};

use super::expr::binary;
use super::lower::{Lowering, parts};
use crate::error::{Result, SparkError};
use crate::ir::{Expr, Function};

impl Lowering<'_> {
    pub(super) fn function(&mut self, function: ast::Function) -> Result<Expr> {
        let name = parts(function.name)?.join(".");
        let order_by = self.sort_orders(function.within_group)?;
        let mut null_treatment = function.null_treatment;
        let mut distinct = false;
        let mut args = match function.args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::Subquery(query) => vec![Expr::ScalarSubquery(Box::new(self.query(*query)?))],
            FunctionArguments::List(list) => {
                distinct = matches!(list.duplicate_treatment, Some(ast::DuplicateTreatment::Distinct));
                for clause in list.clauses {
                    match clause {
                        ast::FunctionArgumentClause::IgnoreOrRespectNulls(treatment) => {
                            null_treatment = Some(treatment);
                        }
                        other => return Err(SparkError::unsupported(format!("`{other}` in the call of {name}"))),
                    }
                }
                self.arguments(&name, list.args, distinct)?
            }
        };
        let name = with_unit(name, &mut args);
        if null_treatment == Some(NullTreatment::IgnoreNulls) {
            if !matches!(
                name.to_ascii_lowercase().as_str(),
                "first" | "first_value" | "last" | "last_value" | "any_value"
            ) {
                return Err(SparkError::unsupported(format!("IGNORE NULLS with the function {name}")));
            }
            args.push(Expr::Literal(ScalarValue::Boolean(Some(true))));
        }
        let filter = function.filter.map(|f| self.expr(*f)).transpose()?.map(Box::new);
        let call = Expr::Function(Function { name, args, distinct, filter, order_by });
        match function.over {
            Some(over) => self.window(call, over),
            None => Ok(call),
        }
    }

    fn arguments(&mut self, function: &str, args: Vec<FunctionArg>, distinct: bool) -> Result<Vec<Expr>> {
        // `count(*)` counts rows, and Spark calls it `count(1)`.
        if let ([FunctionArg::Unnamed(FunctionArgExpr::Wildcard)], false) = (args.as_slice(), distinct)
            && function.eq_ignore_ascii_case("count")
        {
            return Ok(vec![Expr::Literal(ScalarValue::Int32(Some(1)))]);
        }
        by_position(function, args)?.into_iter().map(|arg| self.argument(function, arg)).collect()
    }

    pub(super) fn argument(&mut self, function: &str, arg: FunctionArg) -> Result<Expr> {
        match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => self.expr(expr),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => Ok(Expr::star()),
            FunctionArg::Unnamed(FunctionArgExpr::QualifiedWildcard(object)) => {
                Ok(Expr::Star { qualifier: parts(object)?, plan_id: None, except: Vec::new() })
            }
            FunctionArg::Unnamed(FunctionArgExpr::WildcardWithOptions(_)) => Err(SparkError::unsupported("* EXCEPT")),
            FunctionArg::Named { .. } | FunctionArg::ExprNamed { .. } => {
                Err(SparkError::unsupported(format!("arguments by name in the call of {function}")))
            }
        }
    }

    /// Functions whose arguments are set apart by words.
    pub(super) fn special_function(&mut self, expr: ast::Expr) -> Result<Expr> {
        match expr {
            ast::Expr::Extract { field, expr, .. } => self.extract(&field, *expr),
            ast::Expr::Position { expr, r#in } => Ok(Expr::call("locate", vec![self.expr(*expr)?, self.expr(*r#in)?])),
            ast::Expr::Substring { expr, substring_from, substring_for, special, shorthand } => {
                let mut args = vec![self.expr(*expr)?];
                match substring_from {
                    Some(from) => args.push(self.expr(*from)?),
                    None if substring_for.is_some() => args.push(Expr::Literal(ScalarValue::Int32(Some(1)))),
                    None => {}
                }
                if let Some(length) = substring_for {
                    args.push(self.expr(*length)?);
                }
                Ok(Expr::call(if shorthand && special { "substr" } else { "substring" }, args))
            }
            ast::Expr::Trim { expr, trim_where, trim_what, trim_characters } => {
                self.trim(*expr, trim_where, trim_what, trim_characters)
            }
            ast::Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut args = vec![self.expr(*expr)?, self.expr(*overlay_what)?, self.expr(*overlay_from)?];
                if let Some(length) = overlay_for {
                    args.push(self.expr(*length)?);
                }
                Ok(Expr::call("overlay", args))
            }
            ast::Expr::Ceil { expr, field } => self.round("ceil", *expr, field),
            ast::Expr::Floor { expr, field } => self.round("floor", *expr, field),
            ast::Expr::Collate { .. } => Err(SparkError::unsupported("COLLATE")),
            ast::Expr::AnyOp { left, compare_op, right, is_some } => {
                self.compared_with_any(*left, compare_op, *right, if is_some { "some" } else { "any" })
            }
            ast::Expr::AllOp { .. } => {
                Err(SparkError::parse("Syntax error at or near '('. There is no comparison with ALL."))
            }
            ast::Expr::Array(ast::Array { named: false, .. }) => {
                Err(SparkError::parse("Syntax error at or near '['. An array is written as array(1, 2)."))
            }
            other => Err(SparkError::unsupported(format!("the expression `{other}`"))),
        }
    }

    /// `a = any(b)`: to Spark a call of the aggregate `any`.
    fn compared_with_any(
        &mut self,
        left: ast::Expr,
        op: ast::BinaryOperator,
        right: ast::Expr,
        function: &str,
    ) -> Result<Expr> {
        if matches!(right, ast::Expr::Subquery(_)) {
            return Err(SparkError::parse("Syntax error at or near '('. There is no comparison with ANY or SOME."));
        }
        let called = Expr::call(function, vec![self.expr(right)?]);
        binary(&op, self.expr(left)?, called)
    }

    fn extract(&mut self, field: &DateTimeField, expr: ast::Expr) -> Result<Expr> {
        let field = match field {
            DateTimeField::Custom(name) => name.value.clone(),
            other => other.to_string(),
        };
        Ok(Expr::call("extract", vec![Expr::Literal(ScalarValue::Utf8(Some(field))), self.expr(expr)?]))
    }

    /// Spark's two-argument `trim`, `ltrim` and `rtrim` take the characters first.
    fn trim(
        &mut self,
        expr: ast::Expr,
        side: Option<ast::TrimWhereField>,
        what: Option<Box<ast::Expr>>,
        characters: Option<Vec<ast::Expr>>,
    ) -> Result<Expr> {
        let function = match (side, what.is_some()) {
            (None | Some(ast::TrimWhereField::Both), false) => "trim",
            (Some(ast::TrimWhereField::Leading), false) => "ltrim",
            (Some(ast::TrimWhereField::Trailing), false) => "rtrim",
            (None | Some(ast::TrimWhereField::Both), true) => "trim both",
            (Some(ast::TrimWhereField::Leading), true) => "trim leading",
            (Some(ast::TrimWhereField::Trailing), true) => "trim trailing",
        };
        let mut args = Vec::new();
        if let Some(what) = what {
            args.push(self.expr(*what)?);
        }
        args.push(self.expr(expr)?);
        args.extend(self.exprs(characters.unwrap_or_default())?);
        Ok(Expr::call(function, args))
    }

    fn round(&mut self, function: &str, expr: ast::Expr, field: ast::CeilFloorKind) -> Result<Expr> {
        let mut args = vec![self.expr(expr)?];
        match field {
            ast::CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => {}
            ast::CeilFloorKind::Scale(scale) => args.push(self.value(scale)?),
            ast::CeilFloorKind::DateTimeField(_) => {
                return Err(SparkError::unsupported(format!("{function} to a unit of time")));
            }
        }
        Ok(Expr::call(function, args))
    }
}

/// A parameter's name, and the text that stands for it where it is left out.
type Parameter = (&'static str, Option<&'static str>);

/// The parameters of functions that take arguments by name.
const PARAMETERS: &[(&str, &[Parameter])] = &[
    ("explode", &[("collection", None)]),
    ("explode_outer", &[("collection", None)]),
    ("inline", &[("input", None)]),
    ("inline_outer", &[("input", None)]),
    (
        "mask",
        &[
            ("str", None),
            ("upperChar", Some("X")),
            ("lowerChar", Some("x")),
            ("digitChar", Some("n")),
            ("otherChar", None),
        ],
    ),
    ("posexplode", &[("collection", None)]),
    ("posexplode_outer", &[("collection", None)]),
];

/// Arguments in the order of the parameters; those that are given by name stand behind the others.
pub(super) fn by_position(function: &str, args: Vec<FunctionArg>) -> Result<Vec<FunctionArg>> {
    let Some((_, parameters)) = PARAMETERS.iter().find(|(name, _)| function.eq_ignore_ascii_case(name)) else {
        return Ok(args);
    };
    let mut placed = vec![];
    let mut named = vec![];
    for arg in args {
        match arg {
            FunctionArg::Named { name, arg, .. } => named.push((name, arg)),
            other => placed.push(other),
        }
    }
    while let Some((parameter, default)) = parameters.get(placed.len()).filter(|_| !named.is_empty()) {
        let given = named.iter().position(|(name, _)| name.value.eq_ignore_ascii_case(parameter));
        placed.push(FunctionArg::Unnamed(match (given, default) {
            (Some(at), _) => named.remove(at).1,
            (None, Some(text)) => {
                FunctionArgExpr::Expr(ast::Expr::value(ast::Value::SingleQuotedString((*text).to_owned())))
            }
            (None, None) => break,
        }));
    }
    match named.first() {
        Some((name, _)) => {
            Err(SparkError::unsupported(format!("the argument `{name}` by name in the call of {function}")))
        }
        None => Ok(placed),
    }
}

/// `dateadd(MONTH, 1, day)` and the like: the first of three arguments is the name of a unit.
fn with_unit(name: String, args: &mut [Expr]) -> String {
    let function = match name.to_ascii_lowercase().as_str() {
        "dateadd" | "date_add" | "timestampadd" => "timestampadd",
        "datediff" | "date_diff" | "timestampdiff" => "timestampdiff",
        _ => return name,
    };
    let [unit, _, _] = args else { return name };
    if let Expr::Attribute { parts, plan_id: None } = unit
        && let [word] = parts.as_slice()
    {
        *unit = Expr::Literal(ScalarValue::Utf8(Some(word.clone())));
    }
    function.to_owned()
}
