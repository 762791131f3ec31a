//! Positions of a select list in `ORDER BY` and `GROUP BY`: `ORDER BY 1`.

use datafusion::common::ScalarValue;

use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::generator::is_generator;
use crate::ir::{Expr, SortOrder};

/// What the columns of a query are made of.
pub(super) enum Outputs {
    /// Not known here.
    Unknown,
    /// The items of a select list; a sort key can name what they are made of.
    Items(Vec<Expr>),
    /// As `Items`, but a sort key sees names only: the columns come out of a set operation or `DISTINCT`.
    Names(Vec<Expr>),
}

impl Outputs {
    pub(super) fn into_names(self) -> Self {
        match self {
            Self::Items(items) => Self::Names(items),
            other => other,
        }
    }

    /// The sort key with a position replaced.
    pub(super) fn order_by(&self, mut key: SortOrder) -> Result<SortOrder> {
        if let Some(position) = position(&key.expr) {
            key.expr = self.at(position)?;
        }
        Ok(key)
    }

    fn at(&self, position: i32) -> Result<Expr> {
        let (items, names_only) = match self {
            Self::Unknown => return Ok(ordinal(position)),
            Self::Items(items) => (items, false),
            Self::Names(items) => (items, true),
        };
        let Some(item) = item(items, position, "ORDER_BY_POS_OUT_OF_RANGE", "ORDER BY")? else {
            return Ok(ordinal(position));
        };
        Ok(match item {
            // By its name, so that what it is made of is not computed again; unless another has the name too.
            Expr::Alias { names, .. } => match names.as_slice() {
                [name] if items.iter().filter(|other| output_name(other) == Some(name)).count() == 1 => {
                    Expr::column([name.clone()])
                }
                _ => ordinal(position),
            },
            Expr::Attribute { .. } if !names_only => item.clone(),
            Expr::Attribute { parts, .. } => match parts.last() {
                Some(name) => Expr::column([name.clone()]),
                None => ordinal(position),
            },
            item if names_only || has_star(item) => ordinal(position),
            other => other.clone(),
        })
    }
}

/// All columns, for `ORDER BY ALL`.
pub(super) fn all(outputs: &Outputs) -> Result<Vec<Expr>> {
    match outputs {
        Outputs::Items(items) | Outputs::Names(items) if !items.iter().any(is_star) => {
            (1..).take(items.len()).map(|position| outputs.at(position)).collect()
        }
        _ => Ok(vec![Expr::star()]),
    }
}

/// The grouping key with a position replaced by the item's expression without its name.
pub(super) fn group_by(key: Expr, list: &[Expr]) -> Result<Expr> {
    let Some(position) = position(&key) else { return Ok(key) };
    let Some(item) = item(list, position, "GROUP_BY_POS_OUT_OF_RANGE", "GROUP BY")? else {
        return Ok(ordinal(position));
    };
    let expr = without_alias(item);
    if super::aggregate::has_aggregate(expr) {
        return Err(SparkError::new(
            ErrorClass::Analysis,
            "GROUP_BY_POS_AGGREGATE",
            "42903",
            format!("GROUP BY {position} refers to an expression that contains an aggregate function."),
        )
        .with("index", position.to_string()));
    }
    Ok(expr.clone())
}

/// An item of a select list without the name it is given.
pub(super) fn without_alias(item: &Expr) -> &Expr {
    match item {
        Expr::Alias { expr, .. } => expr,
        other => other,
    }
}

/// Whether an item of a select list may be several columns.
pub(super) fn is_star(item: &Expr) -> bool {
    match without_alias(item) {
        Expr::Star { .. } | Expr::Regex { .. } => true,
        Expr::Function(call) => is_generator(&call.name.to_lowercase()),
        _ => false,
    }
}

/// Whether a star stands for arguments of a function.
fn has_star(item: &Expr) -> bool {
    is_star(item) || item.children().into_iter().any(has_star)
}

fn position(key: &Expr) -> Option<i32> {
    match key {
        Expr::Literal(ScalarValue::Int32(Some(position))) => Some(*position),
        _ => None,
    }
}

/// A position which only the resolver can count, because a `*` stands before it or the column has no name yet.
fn ordinal(position: i32) -> Expr {
    Expr::Ordinal(usize::try_from(position).unwrap_or(0))
}

/// The item at a position; none if a star before it makes the position uncertain.
fn item<'a>(list: &'a [Expr], position: i32, condition: &str, clause: &str) -> Result<Option<&'a Expr>> {
    let index = usize::try_from(position).ok().and_then(|p| p.checked_sub(1));
    let before = list.get(..index.map_or(0, |i| (i + 1).min(list.len()))).unwrap_or_default();
    if index.is_some() && before.iter().any(is_star) {
        return Ok(None);
    }
    index.and_then(|i| list.get(i)).map(Some).ok_or_else(|| {
        SparkError::new(
            ErrorClass::Analysis,
            condition,
            "42805",
            format!("{clause} position {position} is not in the select list (valid range is [1, {}]).", list.len()),
        )
        .with("index", position.to_string())
        .with("size", list.len().to_string())
    })
}

fn output_name(item: &Expr) -> Option<&String> {
    match item {
        Expr::Alias { names, .. } => names.first(),
        Expr::Attribute { parts, .. } => parts.last(),
        _ => None,
    }
}
