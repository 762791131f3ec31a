//! What an expression of XPath means for a document.

use super::node::{Document, Kind};
use super::path::{Axis, Path, Step, Test};

/// A value of XPath.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// In the order of the document.
    Nodes(Vec<usize>),
    Number(f64),
    Text(String),
    Boolean(bool),
}

/// The node at hand, its place among those that are looked at, and how many these are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context {
    pub(super) node: usize,
    pub(super) position: usize,
    pub(super) size: usize,
}

impl Document {
    /// The value of `path` for a node; none where a function is not known, or does not take what it is given.
    pub(super) fn evaluate(&self, path: &Path, at: Context) -> Option<Value> {
        Some(match path {
            Path::Number(number) => Value::Number(*number),
            Path::Text(text) => Value::Text(text.clone()),
            Path::Location(absolute, steps) => {
                Value::Nodes(self.walk(vec![if *absolute { 0 } else { at.node }], steps)?)
            }
            Path::From(start, steps) => match self.evaluate(start, at)? {
                Value::Nodes(nodes) => Value::Nodes(self.walk(nodes, steps)?),
                _ => return None,
            },
            Path::Negative(path) => Value::Number(-self.number(&self.evaluate(path, at)?)),
            Path::Binary(operator, left, right) => self.binary(operator, left, right, at)?,
            Path::Call(name, args) => {
                let args = args.iter().map(|arg| self.evaluate(arg, at)).collect::<Option<Vec<_>>>()?;
                self.call(name, &args, at)?
            }
        })
    }

    fn walk(&self, from: Vec<usize>, steps: &[Step]) -> Option<Vec<usize>> {
        let mut nodes = from;
        for step in steps {
            let mut found = vec![];
            for node in nodes {
                let mut next = self.along(node, step);
                for predicate in &step.predicates {
                    let size = next.len();
                    let mut kept = vec![];
                    for (position, node) in (1..).zip(next) {
                        let holds = match self.evaluate(predicate, Context { node, position, size })? {
                            Value::Number(number) => number == position as f64,
                            other => self.boolean(&other),
                        };
                        if holds {
                            kept.push(node);
                        }
                    }
                    next = kept;
                }
                found.extend(next);
            }
            found.sort_unstable();
            found.dedup();
            nodes = found;
        }
        Some(nodes)
    }

    fn along(&self, node: usize, step: &Step) -> Vec<usize> {
        let of = &self.0[node];
        let nodes = match step.axis {
            Axis::Child => of.children.clone(),
            Axis::Attribute => of.attributes.clone(),
            Axis::Itself => vec![node],
            Axis::Parent => {
                if node == 0 {
                    vec![]
                } else {
                    vec![of.parent]
                }
            }
            Axis::DescendantOrSelf => [vec![node], self.below(node)].concat(),
        };
        let fits = |node: &usize| match (&step.test, &self.0[*node].kind) {
            (Test::Node, _) | (Test::Any, Kind::Element(_) | Kind::Attribute(..)) | (Test::Text, Kind::Text(_)) => true,
            (Test::Name(wanted), Kind::Element(name) | Kind::Attribute(name, _)) => wanted == name,
            _ => false,
        };
        nodes.into_iter().filter(fits).collect()
    }

    fn binary(&self, operator: &str, left: &Path, right: &Path, at: Context) -> Option<Value> {
        let (left, right) = (self.evaluate(left, at)?, self.evaluate(right, at)?);
        let (l, r) = (self.number(&left), self.number(&right));
        Some(match operator {
            "or" => Value::Boolean(self.boolean(&left) || self.boolean(&right)),
            "and" => Value::Boolean(self.boolean(&left) && self.boolean(&right)),
            "|" => match (left, right) {
                (Value::Nodes(mut left), Value::Nodes(right)) => {
                    left.extend(right);
                    left.sort_unstable();
                    left.dedup();
                    Value::Nodes(left)
                }
                _ => return None,
            },
            "+" => Value::Number(l + r),
            "-" => Value::Number(l - r),
            "*" => Value::Number(l * r),
            "div" => Value::Number(l / r),
            "mod" => Value::Number(l % r),
            comparison => Value::Boolean(self.compare(comparison, &left, &right)),
        })
    }

    /// A set of nodes compares as any of its nodes does.
    fn compare(&self, operator: &str, left: &Value, right: &Value) -> bool {
        let texts = |nodes: &[usize]| nodes.iter().map(|node| Value::Text(self.text(*node))).collect::<Vec<_>>();
        match (left, right) {
            (Value::Nodes(nodes), Value::Boolean(_)) => {
                self.compare(operator, &Value::Boolean(!nodes.is_empty()), right)
            }
            (Value::Boolean(_), Value::Nodes(nodes)) => {
                self.compare(operator, left, &Value::Boolean(!nodes.is_empty()))
            }
            (Value::Nodes(nodes), _) => texts(nodes).iter().any(|text| self.compare(operator, text, right)),
            (_, Value::Nodes(nodes)) => texts(nodes).iter().any(|text| self.compare(operator, left, text)),
            (Value::Boolean(_), _) | (_, Value::Boolean(_)) if matches!(operator, "=" | "!=") => {
                (self.boolean(left) == self.boolean(right)) == (operator == "=")
            }
            (Value::Text(left), Value::Text(right)) if matches!(operator, "=" | "!=") => {
                (left == right) == (operator == "=")
            }
            _ => {
                let (left, right) = (self.number(left), self.number(right));
                match operator {
                    "=" => left == right,
                    "!=" => left != right,
                    "<" => left < right,
                    "<=" => left <= right,
                    ">" => left > right,
                    _ => left >= right,
                }
            }
        }
    }

    fn call(&self, name: &str, args: &[Value], at: Context) -> Option<Value> {
        let own = Value::Nodes(vec![at.node]);
        let first = args.first().unwrap_or(&own);
        let text = |position: usize| args.get(position).map(|value| self.string(value));
        let nodes = |value: &Value| match value {
            Value::Nodes(nodes) => Some(nodes.clone()),
            _ => None,
        };
        Some(match (name, args.len()) {
            ("count", 1) => Value::Number(nodes(first)?.len() as f64),
            ("sum", 1) => {
                let numbers = nodes(first)?.into_iter().map(|node| self.number(&Value::Nodes(vec![node])));
                Value::Number(numbers.fold(0.0, |sum, number| sum + number))
            }
            ("position", 0) => Value::Number(at.position as f64),
            ("last", 0) => Value::Number(at.size as f64),
            ("string", 0 | 1) => Value::Text(self.string(first)),
            ("number", 0 | 1) => Value::Number(self.number(first)),
            ("boolean", 1) => Value::Boolean(self.boolean(first)),
            ("not", 1) => Value::Boolean(!self.boolean(first)),
            ("true", 0) => Value::Boolean(true),
            ("false", 0) => Value::Boolean(false),
            ("name" | "local-name", 0 | 1) => {
                Value::Text(nodes(first)?.first().map_or_else(String::new, |node| self.name(*node).to_owned()))
            }
            ("concat", 2..) => Value::Text(args.iter().map(|arg| self.string(arg)).collect()),
            ("contains", 2) => Value::Boolean(text(0)?.contains(&text(1)?)),
            ("starts-with", 2) => Value::Boolean(text(0)?.starts_with(&text(1)?)),
            ("string-length", 0 | 1) => Value::Number(self.string(first).chars().count() as f64),
            ("normalize-space", 0 | 1) => {
                Value::Text(self.string(first).split_whitespace().collect::<Vec<_>>().join(" "))
            }
            ("floor", 1) => Value::Number(self.number(first).floor()),
            ("ceiling", 1) => Value::Number(self.number(first).ceil()),
            ("round", 1) => Value::Number((self.number(first) + 0.5).floor()),
            _ => return None,
        })
    }

    pub(super) fn string(&self, value: &Value) -> String {
        match value {
            Value::Nodes(nodes) => nodes.first().map_or_else(String::new, |node| self.text(*node)),
            Value::Number(number) if number.is_infinite() => {
                if *number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
            }
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            Value::Boolean(value) => value.to_string(),
        }
    }

    pub(super) fn number(&self, value: &Value) -> f64 {
        match value {
            Value::Number(number) => *number,
            Value::Boolean(value) => f64::from(u8::from(*value)),
            other => self.string(other).trim().parse().unwrap_or(f64::NAN),
        }
    }

    pub(super) fn boolean(&self, value: &Value) -> bool {
        match value {
            Value::Nodes(nodes) => !nodes.is_empty(),
            Value::Number(number) => *number != 0.0 && !number.is_nan(),
            Value::Text(text) => !text.is_empty(),
            Value::Boolean(value) => *value,
        }
    }
}
