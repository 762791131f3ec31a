//! What lowering carries along: the text, the parameters, the windows in scope, and how deep it is.

use std::collections::HashMap;

use sqlparser::ast;

use super::error;
use super::parameters::Parameters;
use super::parse::Known;
use super::recursion_level::Levels;
use crate::error::{Result, SparkError};
use crate::ir::Expr;

/// How deep the plan may be. Whoever walks or drops it does so by calls, on a stack of ordinary size.
const MAX_DEPTH: usize = 1000;
/// How many expressions may come from writing out `BETWEEN` and `CASE x WHEN`, whose operand is needed several times.
/// Nested, each level doubles what is inside.
const MAX_COPIES: usize = 100_000;
/// Stack that one level of lowering takes at the most, and how much is added when it runs short.
const STACK_PER_LEVEL: usize = 128 * 1024;
const MORE_STACK: usize = 2 * 1024 * 1024;

/// Lowers one syntax tree. It takes the tree by value, so that long chains are taken apart link by link and not
/// dropped by calls as deep as the chain is long.
pub(super) struct Lowering<'a> {
    pub(super) text: &'a str,
    pub(super) params: &'a Parameters,
    /// Named windows of the `SELECT`s around, innermost last; names in lower case.
    pub(super) windows: Vec<HashMap<String, ast::NamedWindowExpr>>,
    /// How many steps recursions may take.
    pub(super) levels: Levels,
    /// Stack that dropping the tree can take: an error drops it wherever it happens.
    tree_stack: usize,
    depth: usize,
    copies: usize,
}

impl<'a> Lowering<'a> {
    pub(super) fn new(text: &'a str, params: &'a Parameters, known: Known) -> Self {
        let Known { tree_stack, levels } = known;
        Self { text, params, windows: Vec::new(), levels, tree_stack, depth: 0, copies: 0 }
    }

    /// Runs `f` so many levels deeper, or fails if that is too deep.
    pub(super) fn deeper<T>(&mut self, levels: usize, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += levels;
        if self.depth > MAX_DEPTH {
            return Err(error::too_complex());
        }
        let needed = STACK_PER_LEVEL + self.tree_stack;
        let result = stacker::maybe_grow(needed, needed + MORE_STACK, || f(self));
        self.depth -= levels;
        result
    }

    /// A copy of an operand that its operator stands for several times.
    pub(super) fn copy(&mut self, expr: &Expr) -> Result<Expr> {
        self.charge(expr)?;
        Ok(expr.clone())
    }

    /// Counts an expression that the engine will copy.
    pub(super) fn charge(&mut self, expr: &Expr) -> Result<()> {
        self.copies = self.copies.saturating_add(nodes(expr));
        if self.copies > MAX_COPIES { Err(error::too_complex()) } else { Ok(()) }
    }
}

/// How many expressions a tree is made of; subqueries count as one. The engine writes the value of a `between` twice.
fn nodes(expr: &Expr) -> usize {
    let below = expr.children().into_iter().map(nodes);
    let twice = match expr {
        Expr::Function(call) if call.name == "between" => call.args.first().map_or(0, nodes),
        _ => 0,
    };
    below.fold(1_usize.saturating_add(twice), usize::saturating_add)
}

/// An identifier. sqlparser takes text in quotes for one too; Spark does not.
pub(super) fn name(ident: ast::Ident) -> Result<String> {
    match ident.quote_style {
        None | Some('`') => Ok(ident.value),
        Some(_) => Err(error::near_text(&ident.to_string(), ident.span.start)),
    }
}

/// The parts of a qualified name.
pub(super) fn parts(object: ast::ObjectName) -> Result<Vec<String>> {
    object
        .0
        .into_iter()
        .map(|part| match part {
            ast::ObjectNamePart::Identifier(ident) => name(ident),
            ast::ObjectNamePart::Function(_) => Err(SparkError::unsupported("a name that is computed")),
        })
        .collect()
}
