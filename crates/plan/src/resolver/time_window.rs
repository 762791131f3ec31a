//! `GROUP BY window(time, '5 minutes')` and `session_window(time, gap)`: rows get the windows that they lie in, as a column
//! that the aggregation groups by.

use std::borrow::Cow;

use datafusion::common::ScalarValue;

use crate::ir::{Aggregate, Expr, Function, Relation, RelationKind, SortDirection, SortOrder, WindowFrame};

const WINDOW: &str = "window";
const SESSION: &str = "session_window";
/// What the sessions of a time are found by; no name of a user's.
const UNTIL: &str = "#until";
const NUMBER: &str = "#session";

/// The same aggregation by a column where it groups by windows of time.
pub(super) fn by_columns(aggregate: &Aggregate) -> Cow<'_, Aggregate> {
    let Some(call) = aggregate.keys.iter().find_map(window_of).cloned() else { return Cow::Borrowed(aggregate) };
    let mut replaced = aggregate.clone();
    let is_session = call.name.eq_ignore_ascii_case(SESSION);
    let column = Expr::column([if is_session { SESSION } else { WINDOW }]);
    let whole = Expr::Function(call.clone());
    let others = aggregate.keys.iter().filter(|key| window_of(key).is_none()).cloned().collect();
    let exprs = replaced.keys.iter_mut().chain(&mut replaced.list).chain(&mut replaced.having);
    exprs.for_each(|expr| replace(expr, &whole, &column));
    let input = *replaced.input;
    replaced.input = Box::new(if is_session { sessions(input, call, others) } else { windows(input, call) });
    Cow::Owned(replaced)
}

fn window_of(key: &Expr) -> Option<&Function> {
    match key {
        Expr::Function(call) if call.name.eq_ignore_ascii_case(WINDOW) && (2..=4).contains(&call.args.len()) => {
            Some(call)
        }
        Expr::Function(call) if call.name.eq_ignore_ascii_case(SESSION) && call.args.len() == 2 => Some(call),
        Expr::Alias { expr, .. } => window_of(expr),
        _ => None,
    }
}

fn replace(expr: &mut Expr, whole: &Expr, by: &Expr) {
    if expr == whole {
        *expr = by.clone();
    }
    expr.children_mut().into_iter().for_each(|child| replace(child, whole, by));
}

/// Each row with its window, or once with each where they overlap.
fn windows(input: Relation, call: Function) -> Relation {
    let slices = Expr::call("window slices", call.args);
    let windows = Expr::call("explode", vec![slices]).alias(WINDOW);
    RelationKind::Project { input: Some(Box::new(input)), list: vec![Expr::star(), windows] }.into()
}

/// Each row with the session that it lies in: a session ends where no other row comes before its end.
fn sessions(input: Relation, call: Function, keys: Vec<Expr>) -> Relation {
    let field = |name: &str| Expr::column([SESSION, name]);
    let with = |input: Relation, name: &str, value: Expr| -> Relation {
        RelationKind::WithColumns { input: Box::new(input), columns: vec![(name.to_owned(), value)] }.into()
    };
    let over = |function: &str, arg: Expr, partition_by: Vec<Expr>, upper: Option<i64>| Expr::Window {
        function: Box::new(Expr::call(function, vec![arg])),
        partition_by,
        order_by: upper.map(|_| SortOrder::new(field("start"), SortDirection::Ascending, None)).into_iter().collect(),
        frame: upper.map(|upper| WindowFrame { rows: true, lower: None, upper: Some(upper) }),
    };
    let known = with(input, SESSION, Expr::call("session of", call.args));
    let condition = Expr::call("isnotnull", vec![Expr::column([SESSION])]);
    let known = RelationKind::Filter { input: Box::new(known), condition }.into();
    let until = with(known, UNTIL, over("max", field("end"), keys.clone(), Some(-1)));
    let begins = Expr::call("<", vec![Expr::column([UNTIL]), field("start")]);
    let literal = |value: i32| Expr::literal(ScalarValue::Int32(Some(value)));
    let begins = Expr::call("if", vec![begins, literal(1), literal(0)]);
    let numbered = with(until, NUMBER, over("sum", begins, keys.clone(), Some(0)));
    let session: Vec<_> = keys.into_iter().chain([Expr::column([NUMBER])]).collect();
    let bound = |function: &str, name: &str| {
        let name_of = Expr::literal(ScalarValue::Utf8(Some(name.to_owned())));
        [name_of, over(function, field(name), session.clone(), None)]
    };
    let whole = Expr::call("named_struct", [bound("min", "start"), bound("max", "end")].concat());
    with(numbered, SESSION, whole)
}
