//! Expressions of XPath 1.0: location paths, predicates, operators, and the functions that are used most.

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Path {
    Number(f64),
    Text(String),
    /// From the root or the node at hand, step by step.
    Location(bool, Vec<Step>),
    /// What another expression finds, and steps from there.
    From(Box<Path>, Vec<Step>),
    Call(String, Vec<Path>),
    Binary(&'static str, Box<Path>, Box<Path>),
    Negative(Box<Path>),
}

/// One step of a location path.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: Test,
    pub(super) predicates: Vec<Path>,
}

/// Where a step looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Child,
    Attribute,
    Itself,
    Parent,
    DescendantOrSelf,
}

/// What a step takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Test {
    Name(String),
    Any,
    Text,
    Node,
}

/// How deep expressions may lie in each other.
const DEEPEST: usize = 100;
/// How many operators an expression may have.
const MOST: usize = 1000;

/// Operators from the weakest to the strongest.
const OPERATORS: [&[&str]; 7] =
    [&["or"], &["and"], &["!=", "="], &["<=", ">=", "<", ">"], &["+", "-"], &["*", "div", "mod"], &["|"]];

impl Path {
    /// The expression; none where it is none that is understood.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { rest: text.trim(), depth: 0, operators: 0 };
        let path = parser.binary(0)?;
        parser.rest.is_empty().then_some(path)
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
    operators: usize,
}

impl<'a> Parser<'a> {
    fn take(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        let is_word = token.ends_with(|c: char| c.is_ascii_alphabetic());
        if is_word && rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '(')) {
            return false;
        }
        self.rest = rest.trim_start();
        true
    }

    fn binary(&mut self, level: usize) -> Option<Path> {
        let Some(operators) = OPERATORS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.take(operator)) {
            self.operators += 1;
            if self.operators > MOST {
                return None;
            }
            left = Path::Binary(operator, Box::new(left), Box::new(self.binary(level + 1)?));
        }
        Some(left)
    }

    fn unary(&mut self) -> Option<Path> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let path = if self.take("-") { Some(Path::Negative(Box::new(self.unary()?))) } else { self.primary() };
        self.depth -= 1;
        path
    }

    fn primary(&mut self) -> Option<Path> {
        let first = self.rest.chars().next()?;
        let found = match first {
            '\'' | '"' => {
                let (text, rest) = self.rest[1..].split_once(first)?;
                self.rest = rest.trim_start();
                Path::Text(text.to_owned())
            }
            '(' => {
                self.take("(");
                let inner = self.binary(0)?;
                self.take(")").then_some(inner)?
            }
            c if c.is_ascii_digit() || self.starts_with_fraction() => {
                let end = self.rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(self.rest.len());
                let number = self.rest[..end].parse().ok()?;
                self.rest = self.rest[end..].trim_start();
                Path::Number(number)
            }
            _ => match self.function() {
                Some((name, args)) => Path::Call(name, args?),
                None => return self.location(),
            },
        };
        if self.rest.starts_with('/') {
            return Some(Path::From(Box::new(found), self.steps_behind()?));
        }
        Some(found)
    }

    fn starts_with_fraction(&self) -> bool {
        self.rest.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// A name and its arguments; none where no function is called, an inner none where it is called wrongly.
    fn function(&mut self) -> Option<(String, Option<Vec<Path>>)> {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_'))?;
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() || !rest.trim_start().starts_with('(') || matches!(name, "text" | "node") {
            return None;
        }
        self.rest = rest.trim_start();
        self.take("(");
        let mut args = vec![];
        if self.take(")") {
            return Some((name.to_owned(), Some(args)));
        }
        loop {
            let Some(arg) = self.binary(0) else { return Some((name.to_owned(), None)) };
            args.push(arg);
            if self.take(")") {
                return Some((name.to_owned(), Some(args)));
            }
            if !self.take(",") {
                return Some((name.to_owned(), None));
            }
        }
    }

    fn location(&mut self) -> Option<Path> {
        if self.rest.starts_with('/') {
            if self.rest.trim_start_matches('/').trim_start().is_empty() && !self.rest.starts_with("//") {
                self.take("/");
                return Some(Path::Location(true, vec![]));
            }
            return Some(Path::Location(true, self.steps_behind()?));
        }
        let first = self.step()?;
        let mut steps = vec![first];
        if self.rest.starts_with('/') {
            steps.extend(self.steps_behind()?);
        }
        Some(Path::Location(false, steps))
    }

    /// `/a//b`.
    fn steps_behind(&mut self) -> Option<Vec<Step>> {
        let mut steps = vec![];
        loop {
            if self.take("//") {
                steps.push(Step { axis: Axis::DescendantOrSelf, test: Test::Node, predicates: vec![] });
            } else if !self.take("/") {
                return Some(steps);
            }
            steps.push(self.step()?);
        }
    }

    fn step(&mut self) -> Option<Step> {
        let plain = |axis| Some(Step { axis, test: Test::Node, predicates: vec![] });
        if self.take("..") {
            return plain(Axis::Parent);
        }
        if self.take(".") {
            return plain(Axis::Itself);
        }
        let axes = [
            ("@", Axis::Attribute),
            ("attribute::", Axis::Attribute),
            ("child::", Axis::Child),
            ("self::", Axis::Itself),
        ];
        let axis = axes.iter().find(|(written, _)| self.take(written)).map_or(Axis::Child, |(_, axis)| *axis);
        let test = match () {
            () if self.take("*") => Test::Any,
            () if self.take("text()") => Test::Text,
            () if self.take("node()") => Test::Node,
            () => {
                let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
                let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
                let (name, rest) = self.rest.split_at(end);
                if name.is_empty() || name.contains("::") {
                    return None;
                }
                self.rest = rest.trim_start();
                Test::Name(name.to_owned())
            }
        };
        let mut predicates = vec![];
        while self.take("[") {
            predicates.push(self.binary(0)?);
            if !self.take("]") {
                return None;
            }
        }
        Some(Step { axis, test, predicates })
    }
}
