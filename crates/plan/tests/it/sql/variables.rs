//! Session variables, and texts that are executed.

use arrow::datatypes::DataType;
use sheetbend_plan::error::SparkError;
use sheetbend_plan::sql::{
    DeclareVariables, ExecuteImmediate, Parameters, SetVariables, Statement, markers, parse_statement,
};

use super::{col, int, query, text};

fn statement(text: &str) -> Result<Statement, SparkError> {
    parse_statement(text, &Parameters::default())
}

fn names<const N: usize>(names: [&str; N]) -> Vec<Vec<String>> {
    names.iter().map(|name| name.split('.').map(str::to_owned).collect()).collect()
}

#[test]
fn variables_are_declared() {
    let declared = |names, replace, data_type, default| {
        Ok(Statement::Declare(DeclareVariables { names, replace, data_type, default }))
    };
    for (text, expected) in [
        ("DECLARE v INT", declared(names(["v"]), false, Some(DataType::Int32), None)),
        ("declare variable v = 1", declared(names(["v"]), false, None, Some(int(1)))),
        (
            "DECLARE OR REPLACE VARIABLE a, session.b array<array<int>> DEFAULT 1;",
            declared(names(["a", "session.b"]), true, Some(nested()), Some(int(1))),
        ),
    ] {
        assert_eq!(statement(text), expected, "{text}");
    }
    for text in ["DECLARE", "DECLARE v int int", "DECLARE v INT DEFAULT", "DECLARE a INT, b INT", "DECLARE v = 1 2"] {
        assert_eq!(statement(text).unwrap_err().condition, "PARSE_SYNTAX_ERROR", "{text}");
    }
    let nothing = statement("DECLARE v").unwrap_err();
    assert_eq!(nothing.condition, "INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED");
}

fn nested() -> DataType {
    sheetbend_plan::ddl::parse_data_type("array<array<int>>").unwrap()
}

#[test]
fn variables_are_set() {
    let values = |values: Vec<(Vec<String>, _)>| Ok(Statement::SetVariables(SetVariables::Values(values)));
    let name = |name: &str| vec![name.to_owned()];
    assert_eq!(statement("SET VAR a = 1"), values(vec![(name("a"), Some(int(1)))]));
    let several = values(vec![(name("a"), Some(super::call("f", [int(1), int(2)]))), (name("b"), None)]);
    assert_eq!(statement("set variable a = f(1, 2), b = DEFAULT"), several);
    let row = SetVariables::Row { names: names(["a", "b"]), query: Box::new(query("(SELECT 1, 2)").unwrap()) };
    assert_eq!(statement("SET VAR (a, b) = (SELECT 1, 2)"), Ok(Statement::SetVariables(row)));
    for text in ["SET VAR a", "SET VAR a =", "SET VAR (a, b) = 5", "SET VAR a = 1 +", "SET VAR a = 1,"] {
        assert_eq!(statement(text).unwrap_err().condition, "INVALID_SET_SYNTAX", "{text}");
    }
    let setting = Statement::Set { key: Some("var".to_owned()), value: Some("1".to_owned()) };
    assert_eq!(statement("SET var = 1"), Ok(setting));
}

#[test]
fn a_text_is_executed() {
    let execute =
        |of_text, into, using| Ok(Statement::ExecuteImmediate(ExecuteImmediate { text: of_text, into, using }));
    assert_eq!(statement("EXECUTE IMMEDIATE 'x'"), execute(text("x"), vec![], vec![]));
    assert_eq!(
        statement("execute immediate v into a, b using 1, c as d"),
        execute(col("v"), names(["a", "b"]), vec![(int(1), None), (col("c"), Some("d".to_owned()))])
    );
    for text in ["EXECUTE IMMEDIATE", "EXECUTE IMMEDIATE 'x' INTO", "EXECUTE IMMEDIATE 'x' USING 1,"] {
        assert_eq!(statement(text).unwrap_err().condition, "PARSE_SYNTAX_ERROR", "{text}");
    }
}

#[test]
fn markers_are_told_apart() {
    for (text, expected) in [
        ("SELECT 1", (false, false)),
        ("SELECT ?, '?:a'", (true, false)),
        ("SELECT :a", (false, true)),
        ("SELECT ?, :a", (true, true)),
    ] {
        assert_eq!(markers(text), Ok(expected), "{text}");
    }
}
