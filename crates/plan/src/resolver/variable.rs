//! Session variables: what a name means that no column has.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;

use super::Resolver;
use super::expr::Scope;
use crate::error::Result;

/// A variable, and the fields of a struct inside it.
pub(super) struct Variable {
    pub(super) name: String,
    pub(super) value: ScalarValue,
    pub(super) path: Vec<String>,
}

impl Resolver {
    /// The variable of a name: `v`, `session.v` or `system.session.v`, and fields of structs behind it.
    pub(super) fn variable(&self, parts: &[String]) -> Option<Variable> {
        if self.variables.is_empty() {
            return None;
        }
        let is = |part: &String, word: &str| part.eq_ignore_ascii_case(word);
        let parts = match parts {
            [system, session, rest @ ..] if is(system, "system") && is(session, "session") => rest,
            [session, rest @ ..] if is(session, "session") => rest,
            parts => parts,
        };
        let (name, path) = parts.split_first()?;
        let name = name.to_lowercase();
        let value = self.variables.get(&name)?.clone();
        Some(Variable { name, value, path: path.to_vec() })
    }

    pub(super) fn value_of(&self, variable: &Variable) -> Result<Expr> {
        let mut data_type = variable.value.data_type();
        let mut expr = Expr::Literal(variable.value.clone(), None);
        for field in &variable.path {
            (expr, data_type) = self.struct_field(expr, &data_type, field)?;
        }
        Ok(expr)
    }
}

impl Scope<'_> {
    /// The variable that an attribute is, where no column has its name.
    pub(super) fn variable(&self, parts: &[String]) -> Option<Variable> {
        let variable = self.resolver.variable(parts)?;
        let nodes = [Some(self.node), self.context.outer];
        let is_column = |node| !matches!(self.resolver.find_reference(parts, None, node), Ok(None));
        (!nodes.into_iter().flatten().any(is_column)).then_some(variable)
    }
}
