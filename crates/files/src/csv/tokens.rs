//! One record of separated values, as Spark's parser (univocity) takes it apart.

/// What stands between values.
#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub(crate) separator: Vec<u8>,
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
    /// Spaces around values that are not quoted are left out.
    pub(crate) trim_start: bool,
    pub(crate) trim_end: bool,
}

/// The values of a record.
#[derive(Debug, Default)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    /// Where each value ends, and whether it was quoted.
    ends: Vec<(usize, bool)>,
}

impl Record {
    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// A value, and whether it was quoted.
    pub(crate) fn get(&self, at: usize) -> Option<(&[u8], bool)> {
        let (end, quoted) = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before].0);
        Some((&self.bytes[start..end], quoted))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn end_value(&mut self, quoted: bool) {
        self.ends.push((self.bytes.len(), quoted));
    }
}

/// How far a record went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Where the next record begins.
    pub(crate) end: usize,
    /// The record ended with the input, not with a newline: with more input it might be another.
    pub(crate) open: bool,
}

impl Dialect {
    /// Reads the record at the start of `input` into `record`. Newlines end it, but for those in quotes.
    pub(crate) fn read(&self, input: &[u8], record: &mut Record) -> Taken {
        record.clear();
        let mut at = 0;
        loop {
            if self.trim_start {
                at += self.spaces(&input[at..]);
            }
            at = match self.quote {
                Some(quote) if input.get(at) == Some(&quote) => self.quoted(input, at, quote, record),
                _ => self.plain(input, at, record),
            };
            if input[at..].starts_with(&self.separator) {
                at += self.separator.len();
                continue;
            }
            return match input.get(at) {
                Some(b'\r') if input.get(at + 1) == Some(&b'\n') => Taken { end: at + 2, open: false },
                Some(_) => Taken { end: at + 1, open: at + 1 == input.len() },
                None => Taken { end: at, open: true },
            };
        }
    }

    fn spaces(&self, input: &[u8]) -> usize {
        let is_space = |at: &usize| matches!(input[*at], b' ' | b'\t') && !input[*at..].starts_with(&self.separator);
        (0..input.len()).take_while(is_space).count()
    }

    /// A value without quotes from `start` on; where it ends.
    fn plain(&self, input: &[u8], start: usize, record: &mut Record) -> usize {
        let end = start + self.until_end(&input[start..]);
        let value = &input[start..end];
        record.bytes.extend_from_slice(if self.trim_end { value.trim_ascii_end() } else { value });
        record.end_value(false);
        end
    }

    fn until_end(&self, input: &[u8]) -> usize {
        let first = self.separator.first().copied().unwrap_or(b',');
        let mut at = 0;
        while let Some(found) = memchr::memchr3(first, b'\n', b'\r', &input[at..]) {
            at += found;
            if input[at] != first || input[at..].starts_with(&self.separator) {
                return at;
            }
            at += 1;
        }
        input.len()
    }

    /// A value in quotes; where what stands behind it begins.
    fn quoted(&self, input: &[u8], start: usize, quote: u8, record: &mut Record) -> usize {
        let from = record.bytes.len();
        let mut at = start + 1;
        while let Some(&byte) = input.get(at) {
            let next = input.get(at + 1).copied();
            if Some(byte) == self.escape && (next == Some(quote) || (byte != quote && next == self.escape)) {
                record.bytes.extend(next);
                at += 2;
            } else if byte == quote {
                let after = at + 1 + self.spaces(&input[at + 1..]);
                let ends = matches!(input.get(after), None | Some(b'\n' | b'\r'));
                if ends || input[after..].starts_with(&self.separator) {
                    record.end_value(true);
                    return after;
                }
                // The quote closes nothing, so it opened nothing either: the value is as it stands there.
                record.bytes.truncate(from);
                let end = at + self.until_end(&input[at..]);
                record.bytes.extend_from_slice(&input[start..end]);
                record.end_value(false);
                return end;
            } else {
                record.bytes.push(byte);
                at += 1;
            }
        }
        record.end_value(true);
        at
    }
}
