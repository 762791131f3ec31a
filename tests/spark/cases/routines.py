"""Functions that users make of SQL."""

from __future__ import annotations

from .model import Case, cleaned

_DROP = "drop temporary function if exists f; drop temporary function if exists g; drop function if exists stored"
_ONE_MORE = "create temporary function f(x int) returns int return x + 1"


def _of_functions(*texts: str, ordered: bool = False) -> Case:
    return cleaned(_DROP, *texts, ordered=ordered)


CASES: list[Case] = [
    # Values
    _of_functions(_ONE_MORE, "select f(1), f('5'), f(null)"),
    _of_functions(
        "create temporary function f(x int, y int default 10) returns int return x + y", "select f(1), f(1, 2)"
    ),
    _of_functions("create temporary function f(x int) return x * 1.5", "select f(2)"),
    _of_functions("create temporary function f() returns string return 'hi'", "select f()"),
    _of_functions(
        "create temporary function f(a string) returns string deterministic comment 'c' language sql return upper(a)",
        "select f(name) from people",
    ),
    _of_functions(_ONE_MORE, "select id, f(id) n from people where f(id) > 3"),
    _of_functions(_ONE_MORE, "select sum(f(id)), f(sum(id)) from people"),
    _of_functions(_ONE_MORE, "select count(*), f(id) from people group by f(id)"),
    _of_functions(_ONE_MORE, "create temporary function g(x int) returns int return f(x) * 2", "select g(3)"),
    _of_functions("create temporary function f(x int) returns int return f.x + 1", "select f(4)"),
    _of_functions(
        "create temporary function f(x int) returns int return (select max(id) from people where id < x)",
        "select f(3)",
    ),
    _of_functions(
        "create temporary function f(s string) returns struct<a: int> return named_struct('a', length(s))",
        "select f('abc').a",
    ),
    _of_functions("create temporary function f(x int) returns int return 'abc'", "select f(1)"),
    _of_functions("create function stored(x int) returns int return x + 1", "select stored(1), default.stored(2)"),
    # Rows
    _of_functions(
        "create temporary function f(x int) returns table (a int, b int) return select x, x + 1", "select * from f(3)"
    ),
    _of_functions(
        "create temporary function f(x int) returns table return select id, name from people where id > x",
        "select * from f(3) t",
    ),
    _of_functions(
        "create temporary function f(x int) returns table (a int) return select id from people where id = x",
        "select p.id, q.a from people p, lateral f(p.id) q",
    ),
    _of_functions(_ONE_MORE, "select * from f(3)"),
    # What is refused
    _of_functions(_ONE_MORE, "create temporary function f(x int) returns int return x"),
    _of_functions(
        "create function stored(x int) returns int return x", "create function stored(x int) returns int return x"
    ),
    _of_functions("create temporary function f(x int) returns int return x + nope"),
    _of_functions("create temporary function f(x int, x int) returns int return x"),
    _of_functions("create temporary function f(x int) returns int return sum(x)"),
    _of_functions(_ONE_MORE, "select f()"),
    _of_functions(_ONE_MORE, "select f(1, 2)"),
    _of_functions(_ONE_MORE, "select transform(array(1), y -> f(y))"),
    _of_functions(_ONE_MORE, "create view v_of_f as select f(1) a"),
    _of_functions("create function stored(x int) returns int return (select max(id) from people)"),
    _of_functions("create or replace temporary function upper(x string) returns string return 'mine'"),
    _of_functions("create or replace temporary function default.f(x int) returns int return x"),
    _of_functions("create temporary function if not exists f(x int) returns int return x"),
    _of_functions("create or replace function if not exists stored(x int) returns int return x"),
    _of_functions("create temporary function f(x int) returns int language python as $$ return x $$"),
    # DROP, SHOW, DESCRIBE
    _of_functions(_ONE_MORE, "drop temporary function f", "select f(1)"),
    _of_functions(_ONE_MORE, "drop function f"),
    _of_functions("drop temporary function f"),
    _of_functions(_ONE_MORE, "show user functions"),
    _of_functions("create function stored(x int) returns int return x", "show user functions"),
    _of_functions(_ONE_MORE, "show functions like 'f'"),
    _of_functions(_ONE_MORE, "describe function f", ordered=True),
    _of_functions(
        "create function stored(x int comment 'cx', y string default 'q') returns int return x + 1",
        "describe function stored",
        ordered=True,
    ),
    _of_functions(
        "create temporary function f(x int) returns table (a int) return select x", "describe function f", ordered=True
    ),
]
