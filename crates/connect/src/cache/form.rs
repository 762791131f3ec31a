//! The form of a relation: what is left of it when names that change no row are taken off.

use sheetbend_plan::ir::{Expr, Kept, Read, Relation, RelationKind};

/// The relation without the ids that the client gave its nodes: they tell two that mean the same apart.
pub(crate) fn anonymous(mut relation: Relation) -> Relation {
    fn forget(relation: &mut Relation) {
        while let RelationKind::Kept { of: Some(of), .. } = &mut relation.kind {
            relation.kind = std::mem::replace(&mut of.kind, RelationKind::Values(Vec::new()));
        }
        relation.plan_id = None;
        for expr in relation.expressions_mut() {
            forget_in(expr);
        }
        relation.inputs_mut().into_iter().for_each(forget);
    }
    fn forget_in(expr: &mut Expr) {
        if let Expr::Attribute { plan_id, .. } | Expr::Star { plan_id, .. } | Expr::Regex { plan_id, .. } = expr {
            *plan_id = None;
        }
        if let Some(subquery) = expr.subquery_mut() {
            forget(subquery);
        }
        expr.children_mut().into_iter().for_each(forget_in);
    }
    forget(&mut relation);
    relation
}

/// The relation without the names that it goes by as a whole.
pub(crate) fn bare(mut relation: Relation) -> Relation {
    loop {
        match relation.kind {
            RelationKind::SubqueryAlias { input, columns, .. } if columns.is_empty() => relation = *input,
            kind => return Relation { kind, ..relation },
        }
    }
}

/// Puts kept rows in place of the parts of `relation` that `find` knows by their form; whether there were any. `form` is
/// the form of `relation`, part for part.
pub(super) fn replace(relation: &mut Relation, form: &mut Relation, find: &dyn Fn(&Relation) -> Option<Kept>) -> bool {
    if let Some(rows) = find(without_alias(form)) {
        let plan_id = relation.plan_id;
        let of = std::mem::replace(relation, RelationKind::Values(Vec::new()).into());
        *relation = Relation { kind: RelationKind::Kept { rows, of: Some(Box::new(of)) }, plan_id };
        return true;
    }
    let mut found = false;
    for (expr, form) in relation.expressions_mut().into_iter().zip(form.expressions_mut()) {
        found |= replace_in(expr, form, find);
    }
    for (input, form) in relation.inputs_mut().into_iter().zip(form.inputs_mut()) {
        found |= replace(input, form, find);
    }
    found
}

fn replace_in(expr: &mut Expr, form: &mut Expr, find: &dyn Fn(&Relation) -> Option<Kept>) -> bool {
    let mut found = false;
    if let (Some(subquery), Some(form)) = (expr.subquery_mut(), form.subquery_mut()) {
        found |= replace(subquery, form, find);
    }
    for (child, form) in expr.children_mut().into_iter().zip(form.children_mut()) {
        found |= replace_in(child, form, find);
    }
    found
}

fn without_alias(form: &Relation) -> &Relation {
    match &form.kind {
        RelationKind::SubqueryAlias { input, columns, .. } if columns.is_empty() => without_alias(input),
        _ => form,
    }
}

/// Whether a relation reads something of which `is` holds.
pub(super) fn reads(form: &Relation, is: &mut dyn FnMut(&Read) -> bool) -> bool {
    fn below(relation: &mut Relation, is: &mut dyn FnMut(&Read) -> bool) -> bool {
        if let RelationKind::Read(read) = &relation.kind
            && is(read)
        {
            return true;
        }
        relation.expressions_mut().into_iter().any(|expr| below_in(expr, is))
            || relation.inputs_mut().into_iter().any(|input| below(input, is))
    }
    fn below_in(expr: &mut Expr, is: &mut dyn FnMut(&Read) -> bool) -> bool {
        expr.subquery_mut().is_some_and(|subquery| below(subquery, is))
            || expr.children_mut().into_iter().any(|child| below_in(child, is))
    }
    below(&mut form.clone(), is)
}
