//! Queries.

use sheetbend_plan::ir::{
    Aggregate, Deduplicate, Expr, Generate, GroupKind, Join, JoinKind, JoinOn, NullOrdering, Relation, RelationKind,
    SetOp, SetOpKind, SortDirection, SortOrder,
};

use super::{
    alias, ascending, assert_expressions, assert_queries, call, col, filter, int, join, project, query, sort, star,
    table, text,
};

fn aggregate<const N: usize>(input: Relation, kind: GroupKind, keys: &[Expr], list: [Expr; N]) -> Aggregate {
    let input = Box::new(input);
    Aggregate { input, kind, keys: keys.to_vec(), list: list.into(), keys_in_front: false, having: None }
}

fn group<const N: usize>(keys: &[Expr], list: [Expr; N]) -> Relation {
    RelationKind::Aggregate(aggregate(table("t"), GroupKind::GroupBy, keys, list)).into()
}

fn ordinal(position: usize) -> Expr {
    Expr::Ordinal(position)
}

fn distinct(input: Relation) -> Relation {
    RelationKind::Deduplicate(Deduplicate { input: Box::new(input), columns: vec![] }).into()
}

fn one_row(list: Vec<Expr>) -> Relation {
    RelationKind::Project { input: None, list }.into()
}

fn set_op(kind: SetOpKind, all: bool, by_name: bool, left: Relation, right: Relation) -> Relation {
    let (left, right) = (Box::new(left), Box::new(right));
    RelationKind::SetOp(SetOp { left, right, kind, all, by_name, allow_missing: false }).into()
}

fn limit(input: Relation, skip: Option<i32>, fetch: Option<i32>) -> Relation {
    let (skip, fetch) = (skip.map(int), fetch.map(int));
    RelationKind::Limit { input: Box::new(input), skip, fetch }.into()
}

fn with(input: Relation, relations: Vec<(&str, Relation)>) -> Relation {
    let relations = relations.into_iter().map(|(name, relation)| (name.to_owned(), relation)).collect();
    RelationKind::With { input: Box::new(input), relations }.into()
}

#[test]
fn select() {
    let all_of = |relation| project(relation, [star()]);
    assert_queries([
        ("SELECT 1", one_row(vec![int(1)])),
        ("SELECT 1 a, 2 a", one_row(vec![int(1).alias("a"), int(2).alias("a")])),
        (
            "SELECT 1 WHERE a",
            RelationKind::Project { input: Some(Box::new(filter(one_row(vec![]), col("a")))), list: vec![int(1)] }
                .into(),
        ),
        (
            "SELECT a, b AS c FROM t WHERE a > 1;",
            project(filter(table("t"), call(">", [col("a"), int(1)])), [col("a"), col("b").alias("c")]),
        ),
        ("SELECT DISTINCT a FROM t", distinct(project(table("t"), [col("a")]))),
        ("SELECT ALL a FROM t", project(table("t"), [col("a")])),
        ("FROM t SELECT a", project(table("t"), [col("a")])),
        ("select /*+ BROADCAST(t) */ a -- b\n from t", project(table("t"), [col("a")])),
        ("SELECT * FROM `c`.d.`t 1`", all_of(Relation::table(["c", "d", "t 1"]))),
        ("SELECT * FROM t AS x", all_of(alias(table("t"), "x", &[]))),
        ("SELECT * FROM t x(a, b)", all_of(alias(table("t"), "x", &["a", "b"]))),
        ("SELECT * FROM (SELECT 1) x", all_of(alias(one_row(vec![int(1)]), "x", &[]))),
        ("SELECT * FROM (SELECT 1)", all_of(alias(one_row(vec![int(1)]), "__auto_generated_subquery_name", &[]))),
        ("SELECT * FROM (t)", all_of(table("t"))),
        ("TABLE t", project(table("t"), [star()])),
        ("TABLE t LIMIT 1", limit(project(table("t"), [star()]), None, Some(1))),
    ]);
}

#[test]
fn values_and_range() {
    let rows = || -> Relation { RelationKind::Values(vec![vec![int(1), text("a")], vec![int(2), text("b")]]).into() };
    let range = |start, end, step| -> Relation { RelationKind::Range { start, end, step }.into() };
    assert_queries([
        ("VALUES (1, 'a'), (2, 'b')", rows()),
        ("SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t(x, y)", project(alias(rows(), "t", &["x", "y"]), [star()])),
        ("SELECT * FROM (VALUES (1, 'a'), (2, 'b')) t", project(alias(rows(), "t", &[]), [star()])),
        ("SELECT * FROM range(5)", project(range(0, 5, 1), [star()])),
        ("SELECT * FROM range(1, 10, 2) r", project(alias(range(1, 10, 2), "r", &[]), [star()])),
        ("SELECT * FROM range(10, -1, -1)", project(range(10, -1, -1), [star()])),
    ]);
}

#[test]
fn joins() {
    let condition = || JoinOn::Condition(call("==", [col("a.x"), col("b.x")]));
    let (a, b, c) = (|| table("a"), || table("b"), || table("c"));
    let all_of = |relation| project(relation, [star()]);
    for (text, kind) in [
        ("JOIN", JoinKind::Inner),
        ("INNER JOIN", JoinKind::Inner),
        ("LEFT JOIN", JoinKind::LeftOuter),
        ("LEFT OUTER JOIN", JoinKind::LeftOuter),
        ("RIGHT JOIN", JoinKind::RightOuter),
        ("FULL OUTER JOIN", JoinKind::FullOuter),
        ("FULL JOIN", JoinKind::FullOuter),
        ("LEFT SEMI JOIN", JoinKind::LeftSemi),
        ("SEMI JOIN", JoinKind::LeftSemi),
        ("LEFT ANTI JOIN", JoinKind::LeftAnti),
        ("ANTI JOIN", JoinKind::LeftAnti),
        ("CROSS JOIN", JoinKind::Inner),
    ] {
        let expected = all_of(join(a(), b(), kind, condition()));
        assert_eq!(query(&format!("SELECT * FROM a {text} b ON a.x = b.x")), Ok(expected), "{text}");
    }
    assert_queries([
        ("SELECT * FROM a, b", all_of(join(a(), b(), JoinKind::Cross, JoinOn::Nothing))),
        ("SELECT * FROM a CROSS JOIN b", all_of(join(a(), b(), JoinKind::Cross, JoinOn::Nothing))),
        ("SELECT * FROM a NATURAL JOIN b", all_of(join(a(), b(), JoinKind::Inner, JoinOn::Natural))),
        (
            "SELECT * FROM a JOIN b USING (x, y)",
            all_of(join(a(), b(), JoinKind::Inner, JoinOn::Using(vec!["x".to_owned(), "y".to_owned()]))),
        ),
        (
            "SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (x)",
            all_of(join(
                join(a(), b(), JoinKind::Inner, condition()),
                c(),
                JoinKind::LeftOuter,
                JoinOn::Using(vec!["x".to_owned()]),
            )),
        ),
        (
            "SELECT * FROM a CROSS JOIN (b NATURAL JOIN c)",
            all_of(join(a(), join(b(), c(), JoinKind::Inner, JoinOn::Natural), JoinKind::Cross, JoinOn::Nothing)),
        ),
    ]);
}

#[test]
fn group_by() {
    let count = || call("count", [int(1)]);
    let (a, b) = (|| col("a"), || col("b"));
    let sets = |sets: &[&[Expr]]| GroupKind::GroupingSets(sets.iter().map(|set| set.to_vec()).collect());
    let of = |kind, keys: &[Expr]| -> Relation {
        RelationKind::Aggregate(aggregate(table("t"), kind, keys, [count()])).into()
    };
    let having = |list: Expr, keys: &[Expr], having| -> Relation {
        let group = aggregate(table("t"), GroupKind::GroupBy, keys, [list]);
        RelationKind::Aggregate(Aggregate { having: Some(having), ..group }).into()
    };
    assert_queries([
        ("SELECT a, count(*) FROM t GROUP BY a", group(&[a()], [a(), count()])),
        ("SELECT a AS x, count(*) FROM t GROUP BY 1", group(&[a()], [a().alias("x"), count()])),
        ("SELECT a AS x FROM t GROUP BY x", group(&[col("x")], [a().alias("x")])),
        ("SELECT *, 1 FROM t GROUP BY 2", group(&[ordinal(2)], [star(), int(1)])),
        (
            "SELECT a, b + 1 c, sum(d) FROM t GROUP BY ALL",
            group(
                &[a(), call("+", [b(), int(1)])],
                [a(), call("+", [b(), int(1)]).alias("c"), call("sum", [col("d")])],
            ),
        ),
        ("SELECT count(*) FROM t", group(&[], [count()])),
        ("SELECT 1 + Max(a) FROM t", group(&[], [call("+", [int(1), call("Max", [a()])])])),
        ("SELECT a FROM t HAVING a > 1", having(a(), &[], call(">", [a(), int(1)]))),
        ("SELECT a FROM t GROUP BY a HAVING count(*) > 1", having(a(), &[a()], call(">", [count(), int(1)]))),
        ("SELECT count(*) FROM t GROUP BY ROLLUP(a, b)", of(GroupKind::Rollup, &[a(), b()])),
        ("SELECT count(*) FROM t GROUP BY a, b WITH ROLLUP", of(GroupKind::Rollup, &[a(), b()])),
        ("SELECT count(*) FROM t GROUP BY CUBE(a, b)", of(GroupKind::Cube, &[a(), b()])),
        (
            "SELECT count(*) FROM t GROUP BY GROUPING SETS ((a, b), (a), ())",
            of(sets(&[&[a(), b()], &[a()], &[]]), &[a(), b()]),
        ),
        ("SELECT count(*) FROM t GROUP BY a, ROLLUP(b)", of(sets(&[&[a(), b()], &[a()]]), &[a(), b()])),
        (
            "SELECT count(*) FROM t GROUP BY CUBE((a, b), c)",
            of(sets(&[&[a(), b(), col("c")], &[a(), b()], &[col("c")], &[]]), &[a(), b(), col("c")]),
        ),
    ]);
}

#[test]
fn a_window_is_no_aggregate_and_a_subquery_keeps_its_own() {
    let window =
        |function| Expr::Window { function: Box::new(function), partition_by: vec![], order_by: vec![], frame: None };
    let sum = || call("sum", [col("a")]);
    assert_queries([
        ("SELECT sum(a) OVER () FROM t", project(table("t"), [window(sum())])),
        ("SELECT sum(sum(a)) OVER () FROM t", group(&[], [window(call("sum", [sum()]))])),
        (
            "SELECT (SELECT sum(a) FROM t) FROM t",
            project(table("t"), [Expr::ScalarSubquery(Box::new(group(&[], [sum()])))]),
        ),
    ]);
}

#[test]
fn order_and_limit() {
    let t = |list| project(table("t"), [list]);
    let a = || col("a");
    let descending = |expr, nulls| SortOrder::new(expr, SortDirection::Descending, nulls);
    assert_queries([
        ("SELECT a FROM t ORDER BY a", sort(t(a()), [ascending(a())])),
        (
            "SELECT a FROM t ORDER BY b DESC NULLS FIRST, a ASC",
            sort(t(a()), [descending(col("b"), Some(NullOrdering::First)), ascending(a())]),
        ),
        ("SELECT t.a FROM t ORDER BY 1 DESC", sort(t(col("t.a")), [descending(col("t.a"), None)])),
        ("SELECT a + 1 FROM t ORDER BY 1", sort(t(call("+", [a(), int(1)])), [ascending(call("+", [a(), int(1)]))])),
        ("SELECT rand() AS r FROM t ORDER BY 1", sort(t(call("rand", []).alias("r")), [ascending(col("r"))])),
        ("SELECT * FROM t ORDER BY 2", sort(t(star()), [ascending(ordinal(2))])),
        (
            "SELECT DISTINCT a + 1 FROM t ORDER BY 1",
            sort(distinct(t(call("+", [a(), int(1)]))), [ascending(ordinal(1))]),
        ),
        (
            "SELECT t.a FROM t UNION SELECT b FROM t ORDER BY 1",
            sort(set_op(SetOpKind::Union, false, false, t(col("t.a")), t(col("b"))), [ascending(a())]),
        ),
        ("VALUES (1) ORDER BY 1", sort(RelationKind::Values(vec![vec![int(1)]]).into(), [ascending(col("col1"))])),
        ("SELECT a FROM t ORDER BY ALL", sort(t(a()), [ascending(a())])),
        ("SELECT a FROM t LIMIT 10", limit(t(a()), None, Some(10))),
        ("SELECT a FROM t LIMIT 10 OFFSET 5", limit(t(a()), Some(5), Some(10))),
        ("SELECT a FROM t OFFSET 5", limit(t(a()), Some(5), None)),
        ("SELECT a FROM t LIMIT ALL", t(a())),
    ]);
}

#[test]
fn set_operations() {
    let t = |name: &str| project(table(name), [star()]);
    let union_all = |l, r| set_op(SetOpKind::Union, true, false, l, r);
    let intersect = |l, r| set_op(SetOpKind::Intersect, false, false, l, r);
    let except = |l, r| set_op(SetOpKind::Except, false, false, l, r);
    assert_queries([
        ("SELECT * FROM a UNION ALL SELECT * FROM b", union_all(t("a"), t("b"))),
        (
            "SELECT * FROM a UNION ALL SELECT * FROM b UNION ALL SELECT * FROM c",
            union_all(union_all(t("a"), t("b")), t("c")),
        ),
        (
            "SELECT * FROM a UNION ALL SELECT * FROM b INTERSECT SELECT * FROM c",
            union_all(t("a"), intersect(t("b"), t("c"))),
        ),
        ("SELECT * FROM a MINUS SELECT * FROM b", except(t("a"), t("b"))),
        ("SELECT * FROM a EXCEPT (SELECT * FROM b)", except(t("a"), t("b"))),
        ("SELECT * FROM a UNION ALL TABLE b", union_all(t("a"), t("b"))),
        (
            "(SELECT * FROM a LIMIT 1) UNION ALL SELECT * FROM b LIMIT 2",
            limit(union_all(limit(t("a"), None, Some(1)), t("b")), None, Some(2)),
        ),
    ]);
}

#[test]
fn ctes_and_subqueries() {
    let t = || project(table("t"), [star()]);
    let inner = || project(table("u"), [col("x")]);
    assert_queries([
        ("WITH t AS (SELECT 1) SELECT * FROM t", with(t(), vec![("t", one_row(vec![int(1)]))])),
        (
            "WITH a(x) AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM t",
            with(t(), vec![("a", alias(one_row(vec![int(1)]), "a", &["x"])), ("b", project(table("a"), [star()]))]),
        ),
        (
            "SELECT * FROM t WHERE EXISTS (SELECT x FROM u)",
            project(filter(table("t"), Expr::Exists { subquery: Box::new(inner()), negated: false }), [star()]),
        ),
        (
            "SELECT * FROM t WHERE a NOT IN (SELECT x FROM u)",
            project(
                filter(
                    table("t"),
                    Expr::InSubquery { values: vec![col("a")], subquery: Box::new(inner()), negated: true },
                ),
                [star()],
            ),
        ),
    ]);
    assert_expressions([
        ("(SELECT x FROM u) + 1", call("+", [Expr::ScalarSubquery(Box::new(inner())), int(1)])),
        ("NOT EXISTS (SELECT x FROM u)", Expr::Exists { subquery: Box::new(inner()), negated: true }),
    ]);
}

#[test]
fn rows_that_functions_make() {
    let generate = |input: Option<Relation>, outer: bool, columns: &[&str]| -> Relation {
        let Expr::Function(call) = call("explode", [col("a")]) else { panic!("no call") };
        let columns = columns.iter().map(ToString::to_string).collect();
        let input = input.map(Box::new);
        RelationKind::Generate(Generate { input, call, outer, alias: Some("x".to_owned()), columns }).into()
    };
    let lateral = |right: Relation| -> Relation {
        let (left, right) = (Box::new(table("t")), Box::new(right));
        RelationKind::Join(Join { left, right, kind: JoinKind::Cross, on: JoinOn::Nothing, lateral: true }).into()
    };
    let all = |input| project(input, [star()]);
    assert_queries([
        ("SELECT * FROM t LATERAL VIEW explode(a) x AS y", all(generate(Some(table("t")), false, &["y"]))),
        ("SELECT * FROM t LATERAL VIEW OUTER explode(a) x", all(generate(Some(table("t")), true, &[]))),
        ("SELECT * FROM explode(a) AS x(y)", all(generate(None, false, &["y"]))),
        ("SELECT * FROM t, LATERAL explode(a) AS x", all(lateral(generate(None, false, &[])))),
    ]);
}

#[test]
fn pipes_and_bare_rows() {
    let rows = |values: Vec<Vec<Expr>>| RelationKind::Values(values).into();
    assert_queries([
        ("VALUES 1, 2", rows(vec![vec![int(1)], vec![int(2)]])),
        ("VALUES (1, 2), (3, 4)", rows(vec![vec![int(1), int(2)], vec![int(3), int(4)]])),
        ("VALUES f(1, 2), 3", rows(vec![vec![call("f", [int(1), int(2)])], vec![int(3)]])),
        (
            "FROM t |> WHERE a |> SELECT b |> LIMIT 1",
            limit(project(filter(project(table("t"), [star()]), col("a")), [col("b")]), None, Some(1)),
        ),
    ]);
}

#[test]
fn named_windows() {
    let over = Expr::Window {
        function: Box::new(call("rank", [])),
        partition_by: vec![],
        order_by: vec![ascending(col("a"))],
        frame: None,
    };
    assert_queries([
        ("SELECT rank() OVER w FROM t WINDOW w AS (ORDER BY a)", project(table("t"), [over.clone()])),
        ("SELECT rank() OVER (W) FROM t WINDOW v AS (ORDER BY a), w AS v", project(table("t"), [over])),
    ]);
}

#[test]
fn a_long_join_list_nests_to_the_left() {
    let text = format!("SELECT * FROM {}", ["t"; 100].join(", "));
    let Ok(Relation { kind: RelationKind::Project { input: Some(input), .. }, .. }) = query(&text) else {
        panic!("no projection");
    };
    let mut depth = 0;
    let mut relation = *input;
    while let RelationKind::Join(Join { left, .. }) = relation.kind {
        relation = *left;
        depth += 1;
    }
    assert_eq!((depth, relation), (99, table("t")));
}
