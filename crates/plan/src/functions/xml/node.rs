//! XML as a tree of nodes. Namespaces are parts of names; what a DTD says is passed over.

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Root,
    Element(String),
    /// Name and value.
    Attribute(String, String),
    Text(String),
}

/// A node and its place in the tree, by the numbers of other nodes.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) parent: usize,
    pub(super) attributes: Vec<usize>,
    pub(super) children: Vec<usize>,
}

/// The nodes in the order of the document; the first one is the root.
#[derive(Debug)]
pub(super) struct Document(pub(super) Vec<Node>);

/// How deep elements may lie in each other.
const DEEPEST: usize = 1000;

impl Document {
    /// The document, if it is well-formed.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let root = Node { kind: Kind::Root, parent: 0, attributes: vec![], children: vec![] };
        let mut parser = Parser { document: Self(vec![root]), open: vec![0], rest: text.trim() };
        while !parser.rest.is_empty() {
            parser.step()?;
        }
        let elements = parser.document.elements(0).count();
        (parser.open.len() == 1 && elements == 1).then_some(parser.document)
    }

    /// The elements right below a node.
    pub(super) fn elements(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let children = self.0[node].children.iter().copied();
        children.filter(|child| matches!(self.0[*child].kind, Kind::Element(_)))
    }

    /// The text of a node and of all below it.
    pub(super) fn text(&self, node: usize) -> String {
        match &self.0[node].kind {
            Kind::Text(text) | Kind::Attribute(_, text) => text.clone(),
            Kind::Root | Kind::Element(_) => self.below(node).into_iter().filter_map(|at| self.own_text(at)).collect(),
        }
    }

    fn own_text(&self, node: usize) -> Option<&str> {
        match &self.0[node].kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// All nodes below one but attributes, in the order of the document.
    pub(super) fn below(&self, node: usize) -> Vec<usize> {
        let mut found = vec![];
        let mut open: Vec<_> = self.0[node].children.iter().rev().copied().collect();
        while let Some(next) = open.pop() {
            found.push(next);
            open.extend(self.0[next].children.iter().rev());
        }
        found
    }

    /// The name of an element or an attribute.
    pub(super) fn name(&self, node: usize) -> &str {
        match &self.0[node].kind {
            Kind::Element(name) | Kind::Attribute(name, _) => name,
            Kind::Root | Kind::Text(_) => "",
        }
    }
}

struct Parser<'a> {
    document: Document,
    /// The elements that have begun and not ended.
    open: Vec<usize>,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// One tag or one text.
    fn step(&mut self) -> Option<()> {
        for (start, end) in [("<!--", "-->"), ("<?", "?>")] {
            if let Some(rest) = self.rest.strip_prefix(start) {
                self.rest = rest.split_once(end)?.1;
                return Some(());
            }
        }
        if let Some(rest) = self.rest.strip_prefix("<![CDATA[") {
            let (text, rest) = rest.split_once("]]>")?;
            self.rest = rest;
            return self.text(text.to_owned());
        }
        if let Some(rest) = self.rest.strip_prefix("<!DOCTYPE") {
            self.rest = rest.split_once('>')?.1;
            return Some(());
        }
        if let Some(rest) = self.rest.strip_prefix("</") {
            let (name, rest) = rest.split_once('>')?;
            self.rest = rest;
            let ended = self.open.pop()?;
            return (self.document.0[ended].kind == Kind::Element(name.trim_end().to_owned())).then_some(());
        }
        if self.rest.starts_with('<') {
            return self.begin();
        }
        let end = self.rest.find('<').unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.text(unescaped(text)?)
    }

    fn text(&mut self, text: String) -> Option<()> {
        let parent = *self.open.last()?;
        if parent == 0 {
            return text.trim().is_empty().then_some(());
        }
        self.add(Kind::Text(text), parent);
        Some(())
    }

    /// `<name key="value" ...>` or `<name/>`.
    fn begin(&mut self) -> Option<()> {
        let parent = *self.open.last()?;
        if self.open.len() > DEEPEST {
            return None;
        }
        self.rest = &self.rest[1..];
        let name = self.name()?;
        let element = self.add(Kind::Element(name.to_owned()), parent);
        loop {
            self.rest = self.rest.trim_start();
            if let Some(rest) = self.rest.strip_prefix("/>") {
                self.rest = rest;
                return Some(());
            }
            if let Some(rest) = self.rest.strip_prefix('>') {
                self.rest = rest;
                self.open.push(element);
                return Some(());
            }
            let key = self.name()?;
            self.rest = self.rest.trim_start().strip_prefix('=')?.trim_start();
            let quote = self.rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let (value, rest) = self.rest[1..].split_once(quote)?;
            self.rest = rest;
            let kind = Kind::Attribute(key.to_owned(), unescaped(value)?);
            let attribute = self.document.0.len();
            self.document.0.push(Node { kind, parent: element, attributes: vec![], children: vec![] });
            self.document.0[element].attributes.push(attribute);
        }
    }

    fn add(&mut self, kind: Kind, parent: usize) -> usize {
        let node = self.document.0.len();
        self.document.0.push(Node { kind, parent, attributes: vec![], children: vec![] });
        self.document.0[parent].children.push(node);
        node
    }

    fn name(&mut self) -> Option<&'a str> {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }
}

/// The text with its entities replaced.
fn unescaped(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        let (entity, after) = after.split_once(';')?;
        out.push_str(before);
        out.push(match entity {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            number => {
                let digits = number.strip_prefix('#')?;
                let code = match digits.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                    None => digits.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}
