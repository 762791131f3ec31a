//! Paths into JSON: `$.a[0].b`, `$['a b']`, `$.a[*].b`.

use super::value::Json;

/// One step of a path.
#[derive(Debug, PartialEq)]
enum Step {
    Key(String),
    Index(usize),
    /// Every element of an array.
    Each,
}

/// The steps from the root.
#[derive(Debug)]
pub(super) struct Path(Vec<Step>);

impl Path {
    /// The path of a text; none where it is no path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut rest = text.strip_prefix('$')?;
        let mut steps = vec![];
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let (key, after) = after.split_at(end);
                if key.is_empty() {
                    return None;
                }
                steps.push(if key == "*" { Step::Each } else { Step::Key(key.to_owned()) });
                rest = after;
            } else if let Some(after) = rest.strip_prefix("['") {
                let (key, after) = after.split_once("']")?;
                steps.push(Step::Key(key.to_owned()));
                rest = after;
            } else {
                let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
                steps.push(if index == "*" { Step::Each } else { Step::Index(index.parse().ok()?) });
                rest = after;
            }
        }
        Some(Self(steps))
    }

    /// What is found: one value as text, several as an array.
    pub(super) fn find(&self, json: &Json) -> Option<String> {
        let found = follow(&self.0, json);
        if !self.0.contains(&Step::Each) {
            return found.first()?.text();
        }
        match found.as_slice() {
            [] => None,
            [one] => Some(one.to_string()),
            several => Some(Json::Array(several.iter().map(|found| (*found).clone()).collect()).to_string()),
        }
    }
}

fn follow<'a>(steps: &[Step], json: &'a Json) -> Vec<&'a Json> {
    let Some((step, rest)) = steps.split_first() else { return vec![json] };
    match (step, json) {
        (Step::Key(key), _) => json.get(key).map(|value| follow(rest, value)).unwrap_or_default(),
        (Step::Index(index), Json::Array(items)) => {
            items.get(*index).map(|item| follow(rest, item)).unwrap_or_default()
        }
        (Step::Each, Json::Array(items)) => items.iter().flat_map(|item| follow(rest, item)).collect(),
        _ => vec![],
    }
}
