//! `df.to(schema)`: the columns of a schema, and the members of its structs, found by name.

use arrow::datatypes::{DataType, Field as ArrowField, FieldRef, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;

use super::assignable::fits;
use super::node::{Field, Node, quote};
use super::{Context, Resolver, build};
use crate::ddl::sql_name;
use crate::error::{ErrorClass, Result, SparkError};
use crate::functions::reshape::reshape;
use crate::ir::Relation;

impl Resolver {
    /// NULL where there is no column of the name.
    pub(super) fn to_schema(&self, input: &Relation, schema: &SchemaRef, context: &Context<'_>) -> Result<Node> {
        let node = self.relation(input, context)?.into_visible()?;
        let mut fields = vec![];
        let mut exprs = vec![];
        for wanted in schema.fields() {
            let field = Field::new(self.new_column(), wanted.name());
            let found: Vec<_> = node.visible().filter(|field| self.same(&field.name, wanted.name())).collect();
            let value = match found[..] {
                [found] => {
                    let from = node.type_of(found)?;
                    self.check_field(&from, wanted, &[wanted.name()])?;
                    let same = |left: &str, right: &str| self.same(left, right);
                    let (value, shape) = reshape(found.expr(), from.data_type(), wanted.data_type(), &same);
                    self.cast_between(value, &shape, wanted.data_type())?
                }
                [] if wanted.is_nullable() => Expr::Literal(ScalarValue::try_from(wanted.data_type())?, None),
                [] => return Err(self.unresolved_column(&[wanted.name().clone()], &node)),
                _ => return Err(ambiguous(&[wanted.name()], found.len())),
            };
            exprs.push(value.alias(&field.column.name));
            fields.push(field);
        }
        let plan = build::project(node.plan, exprs)?;
        Ok(Node { plan, fields })
    }

    fn check_field(&self, from: &ArrowField, to: &ArrowField, at: &[&str]) -> Result<()> {
        if from.is_nullable() && !to.is_nullable() {
            return Err(nullable(at));
        }
        self.check_type(from.data_type(), to.data_type(), at)
    }

    fn check_type(&self, from: &DataType, to: &DataType, at: &[&str]) -> Result<()> {
        match (from, to) {
            (DataType::List(from), DataType::List(to)) => self.check_field(from, to, &[at, &["element"]].concat()),
            (DataType::Map(from, _), DataType::Map(to, _)) => match (from.data_type(), to.data_type()) {
                (DataType::Struct(from), DataType::Struct(to)) => from
                    .iter()
                    .zip(to)
                    .zip(["key", "value"])
                    .try_for_each(|((from, to), part)| self.check_field(from, to, &[at, &[part]].concat())),
                _ => Ok(()),
            },
            (DataType::Struct(from), DataType::Struct(to)) => {
                to.iter().try_for_each(|wanted| self.check_member(from, wanted, at))
            }
            _ if fits(from, to) => Ok(()),
            _ => Err(other_type(from, to, at)),
        }
    }

    fn check_member(&self, members: &[FieldRef], wanted: &ArrowField, at: &[&str]) -> Result<()> {
        let found: Vec<_> = members.iter().filter(|field| self.same(field.name(), wanted.name())).collect();
        let below = [at, &[wanted.name()]].concat();
        match found[..] {
            [found] => self.check_field(found, wanted, &below),
            [] if wanted.is_nullable() => Ok(()),
            [] => Err(no_member(members, wanted.name(), at)),
            _ => Err(ambiguous(&below, found.len())),
        }
    }
}

fn nullable(at: &[&str]) -> SparkError {
    let name = quote(at);
    let message = format!("Column or field {name} is nullable while it's required to be non-nullable.");
    SparkError::new(ErrorClass::Analysis, "NULLABLE_COLUMN_OR_FIELD", "42000", message).with("name", name)
}

fn ambiguous(at: &[&str], count: usize) -> SparkError {
    let name = quote(at);
    let message = format!("Column or field {name} is ambiguous and has {count} matches.");
    SparkError::new(ErrorClass::Analysis, "AMBIGUOUS_COLUMN_OR_FIELD", "42702", message)
        .with("name", name)
        .with("n", count.to_string())
}

fn other_type(from: &DataType, to: &DataType, at: &[&str]) -> SparkError {
    let (name, from, to) = (quote(at), format!("\"{}\"", sql_name(from)), format!("\"{}\"", sql_name(to)));
    let message = format!("Column or field {name} is of type {from} while it's required to be {to}.");
    SparkError::new(ErrorClass::Analysis, "INVALID_COLUMN_OR_FIELD_DATA_TYPE", "42000", message)
        .with("name", name)
        .with("type", from)
        .with("expectedType", to)
}

fn no_member(members: &[FieldRef], name: &str, at: &[&str]) -> SparkError {
    let (name, column) = (quote([name]), quote(at));
    let proposal = members.iter().map(|field| quote([field.name()])).collect::<Vec<_>>().join(", ");
    let message = format!(
        "A field with name {name} cannot be resolved with the struct-type column {column}. Did you mean one of the \
         following? [{proposal}]."
    );
    SparkError::new(ErrorClass::Analysis, "UNRESOLVED_FIELD.WITH_SUGGESTION", "42703", message)
        .with("fieldName", name)
        .with("columnPath", column)
        .with("proposal", proposal)
}
