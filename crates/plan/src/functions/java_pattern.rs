//! Patterns of Java's `DateTimeFormatter`, as far as Spark allows them: `yyyy-MM-dd HH:mm:ss`.

use arrow::array::timezone::Tz;
use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Offset, TimeZone, Timelike};
use chrono_tz::OffsetName;

use super::datetime::{parse_zone, to_instant};
use crate::error::{ErrorClass, Result, SparkError};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// One part of a pattern.
#[derive(Debug, Clone, PartialEq)]
enum Part {
    Literal(String),
    /// A letter of the pattern, and how often it stands there.
    Field(char, usize),
    /// `[`, from which on text may be missing, and `]`.
    Optional(Vec<Part>),
}

/// A pattern that has been read.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(Vec<Part>);

/// The letters that patterns of Spark 2 have.
const OLD_LETTERS: &str = "GyMwWDdFEaHkKhmsSzZYuLX";

impl Pattern {
    /// # Errors
    /// `INVALID_DATETIME_PATTERN.WITH_SUGGESTION` for letters that never meant anything, and
    /// `INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION` for those that did once.
    pub(crate) fn parse(pattern: &str) -> Result<Self> {
        let mut chars = pattern.chars().peekable();
        let mut stack: Vec<Vec<Part>> = vec![vec![]];
        while let Some(c) = chars.next() {
            let part = match c {
                '\'' => Part::Literal(quoted(&mut chars).ok_or_else(|| unknown(pattern))?),
                '[' => {
                    stack.push(vec![]);
                    continue;
                }
                ']' => {
                    let inner = stack.pop().unwrap_or_default();
                    if stack.is_empty() {
                        return Err(unknown(pattern));
                    }
                    Part::Optional(inner)
                }
                letter if letter.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while chars.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    if !is_known(letter, count) {
                        return Err(if OLD_LETTERS.contains(letter) { unknown(pattern) } else { invalid(pattern) });
                    }
                    Part::Field(letter, count)
                }
                '#' | '{' | '}' => return Err(unknown(pattern)),
                other => Part::Literal(other.to_string()),
            };
            if let Some(parts) = stack.last_mut() {
                parts.push(part);
            }
        }
        match (stack.pop(), stack.is_empty()) {
            (Some(parts), true) => Ok(Self(parts)),
            _ => Err(unknown(pattern)),
        }
    }

    /// The wall clock of `zone` at an instant, in this pattern.
    pub(crate) fn format(&self, micros: i64, zone: Tz) -> Option<String> {
        let at = DateTime::from_timestamp_micros(micros)?.with_timezone(&zone);
        let mut out = String::new();
        write(&self.0, &at, zone, &mut out)?;
        Some(out)
    }

    /// The instant that a text in this pattern means; what it does not say is the first of January 1970, midnight.
    pub(crate) fn parse_instant(&self, text: &str, zone: Tz) -> Option<i64> {
        let mut found = Found::default();
        if !read(&self.0, text, &mut found)?.is_empty() {
            return None;
        }
        let local = found.date()?.and_time(found.time()?);
        to_instant(local, found.zone.unwrap_or(zone))
    }
}

/// What stands between two quotes; two of them are one.
fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    if chars.next_if_eq(&'\'').is_some() {
        return Some("'".to_owned());
    }
    let mut text = String::new();
    loop {
        match chars.next()? {
            '\'' if chars.next_if_eq(&'\'').is_some() => text.push('\''),
            '\'' => return Some(text),
            c => text.push(c),
        }
    }
}

fn is_known(letter: char, count: usize) -> bool {
    count
        <= match letter {
            'y' | 'u' => 6,
            'S' => 9,
            'M' | 'L' | 'E' | 'Q' | 'q' | 'z' => 4,
            'D' | 'x' | 'X' => 3,
            'd' | 'H' | 'h' | 'K' | 'k' | 'm' | 's' => 2,
            'a' | 'G' => 1,
            'O' if count == 1 || count == 4 => 4,
            'V' if count == 2 => 2,
            'Z' => 5,
            _ => 0,
        }
}

fn invalid(pattern: &str) -> SparkError {
    let message = format!("Unrecognized datetime pattern: '{pattern}'.");
    SparkError::new(ErrorClass::Runtime, "INVALID_DATETIME_PATTERN.WITH_SUGGESTION", "22007", message)
        .with("pattern", format!("'{pattern}'"))
}

fn unknown(pattern: &str) -> SparkError {
    let message = format!("Fail to recognize '{pattern}' pattern in the DateTimeFormatter.");
    let condition = "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION";
    SparkError::new(ErrorClass::Upgrade, condition, "42K0B", message)
        .with("pattern", format!("'{pattern}'"))
        .with("config", "\"spark.sql.legacy.timeParserPolicy\"")
        .with("docroot", "https://spark.apache.org/docs/latest")
}

fn write(parts: &[Part], at: &DateTime<Tz>, zone: Tz, out: &mut String) -> Option<()> {
    for part in parts {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::Optional(parts) => write(parts, at, zone, out)?,
            Part::Field(letter, count) => out.push_str(&field(*letter, *count, at, zone)?),
        }
    }
    Some(())
}

fn field(letter: char, count: usize, at: &DateTime<Tz>, zone: Tz) -> Option<String> {
    let padded = |number: u32| format!("{number:0count$}");
    Some(match letter {
        'y' | 'u' => match count {
            2 => format!("{:02}", at.year().rem_euclid(100)),
            _ => format!("{}{:0count$}", if at.year() < 0 { "-" } else { "" }, at.year().unsigned_abs()),
        },
        'M' | 'L' => worded(&MONTHS, at.month0(), count).unwrap_or_else(|| padded(at.month())),
        'E' if count == 4 => DAYS.get(at.weekday().num_days_from_monday() as usize)?.to_string(),
        'E' => DAYS.get(at.weekday().num_days_from_monday() as usize)?.chars().take(3).collect(),
        'Q' | 'q' => {
            let quarter = at.month0() / 3 + 1;
            match count {
                3 => format!("Q{quarter}"),
                4 => format!("{quarter}{} quarter", ["st", "nd", "rd", "th"].get(at.month0() as usize / 3)?),
                _ => padded(quarter),
            }
        }
        'd' => padded(at.day()),
        'D' => padded(at.ordinal()),
        'H' => padded(at.hour()),
        'k' => padded(if at.hour() == 0 { 24 } else { at.hour() }),
        'K' => padded(at.hour() % 12),
        'h' => padded(at.hour12().1),
        'm' => padded(at.minute()),
        's' => padded(at.second()),
        'S' => format!("{:09}", at.nanosecond()).chars().take(count).collect(),
        'a' => if at.hour12().0 { "PM" } else { "AM" }.to_owned(),
        'G' => if at.year() > 0 { "AD" } else { "BC" }.to_owned(),
        'V' => zone.to_string(),
        'z' => zone_name(at, zone, count),
        'O' => format!("GMT{}", offset(at, true, count == 1)),
        'X' | 'x' => match offset_seconds(at) {
            0 if letter == 'X' => "Z".to_owned(),
            _ if count == 1 => offset(at, false, true),
            _ => offset(at, count == 3, false),
        },
        'Z' => match count {
            4 => format!("GMT{}", offset(at, true, false)),
            5 if offset_seconds(at) == 0 => "Z".to_owned(),
            5 => offset(at, true, false),
            _ => offset(at, false, false),
        },
        _ => return None,
    })
}

/// `EDT`; an offset has no other name than itself.
fn zone_name(at: &DateTime<Tz>, zone: Tz, count: usize) -> String {
    let name = zone.to_string();
    let region = name.parse::<chrono_tz::Tz>().ok().filter(|_| count < 4);
    let short = region.and_then(|region| {
        let offset = region.offset_from_utc_datetime(&at.naive_utc());
        offset.abbreviation().map(str::to_owned)
    });
    short.unwrap_or(name)
}

fn worded(names: &[&str], index: u32, count: usize) -> Option<String> {
    let name = names.get(index as usize)?;
    match count {
        3 => Some(name.chars().take(3).collect()),
        4 => Some((*name).to_owned()),
        _ => None,
    }
}

fn offset_seconds(at: &DateTime<Tz>) -> i32 {
    at.offset().fix().local_minus_utc()
}

/// `+01:00`, `+0100`, or `+1` where that is enough.
fn offset(at: &DateTime<Tz>, colon: bool, short: bool) -> String {
    let seconds = offset_seconds(at);
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match (colon, short) {
        (true, true) if seconds == 0 => String::new(),
        (true, true) if minutes == 0 => format!("{sign}{hours}"),
        (true, true) => format!("{sign}{hours}:{minutes:02}"),
        (false, true) if minutes == 0 => format!("{sign}{hours:02}"),
        (true, false) => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}"),
    }
}

/// What a text says.
#[derive(Default, Clone)]
struct Found {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: Option<u32>,
    half_hour: Option<u32>,
    afternoon: Option<bool>,
    minute: Option<u32>,
    second: Option<u32>,
    nanos: Option<u32>,
    zone: Option<Tz>,
}

impl Found {
    fn date(&self) -> Option<NaiveDate> {
        let year = self.year.unwrap_or(1970);
        match self.day_of_year {
            Some(day) if self.month.is_none() => NaiveDate::from_yo_opt(year, day),
            _ => NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1)),
        }
    }

    fn time(&self) -> Option<NaiveTime> {
        let hour = match (self.hour, self.half_hour) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour % 12 + if self.afternoon == Some(true) { 12 } else { 0 },
            (None, None) => 0,
        };
        let (minute, second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        NaiveTime::from_hms_nano_opt(hour, minute, second, self.nanos.unwrap_or(0))
    }
}

/// Reads as much as the parts say; what is left of the text, or none where it says something else.
fn read<'t>(parts: &[Part], mut text: &'t str, found: &mut Found) -> Option<&'t str> {
    for (at, part) in parts.iter().enumerate() {
        text = match part {
            Part::Literal(literal) => text.strip_prefix(literal.as_str())?,
            Part::Optional(parts) => {
                let mut maybe = found.clone();
                match read(parts, text, &mut maybe) {
                    Some(rest) => {
                        *found = maybe;
                        rest
                    }
                    None => text,
                }
            }
            Part::Field(letter, count) => {
                // Digits of a field that stands right before another one are just as many as it has letters.
                let adjacent = matches!(parts.get(at + 1), Some(Part::Field(next, _)) if next.is_ascii_alphabetic());
                read_field(*letter, *count, adjacent, text, found)?
            }
        };
    }
    Some(text)
}

fn read_field<'t>(letter: char, count: usize, adjacent: bool, text: &'t str, found: &mut Found) -> Option<&'t str> {
    let digits = |least: usize, most: usize| -> Option<(u32, &'t str)> {
        let most = if adjacent { count.max(least) } else { most };
        let end = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
        (end >= least).then(|| text[..end].parse().ok().map(|number| (number, &text[end..]))).flatten()
    };
    let two = || digits(count, 2);
    let set = |slot: &mut Option<u32>, read: Option<(u32, &'t str)>| {
        let (number, rest) = read?;
        *slot = Some(number);
        Some(rest)
    };
    match letter {
        'y' | 'u' if count == 2 => {
            let (year, rest) = digits(2, 2)?;
            found.year = Some(2000 + i32::try_from(year).ok()?);
            Some(rest)
        }
        'y' | 'u' => {
            let (year, rest) = digits(count, if count == 4 { 4 } else { 6 })?;
            found.year = i32::try_from(year).ok();
            Some(rest)
        }
        'M' | 'L' if count > 2 => {
            let named =
                |name: &str| if count == 3 { name.get(..3) } else { Some(name) }.is_some_and(|n| text.starts_with(n));
            let month = MONTHS.iter().position(|name| named(name))?;
            found.month = u32::try_from(month + 1).ok();
            text.get(if count == 3 { 3 } else { MONTHS[month].len() }..)
        }
        'M' | 'L' => set(&mut found.month, two()),
        'E' => {
            let named =
                |name: &str| if count < 4 { name.get(..3) } else { Some(name) }.is_some_and(|n| text.starts_with(n));
            let day = DAYS.iter().find(|name| named(name))?;
            text.get(if count < 4 { 3 } else { day.len() }..)
        }
        'd' => set(&mut found.day, two()),
        'D' => set(&mut found.day_of_year, digits(count, 3)),
        'H' | 'k' => {
            let rest = set(&mut found.hour, two())?;
            found.hour = found.hour.map(|hour| if letter == 'k' && hour == 24 { 0 } else { hour });
            Some(rest)
        }
        'h' | 'K' => set(&mut found.half_hour, two()),
        'm' => set(&mut found.minute, two()),
        's' => set(&mut found.second, two()),
        'S' => {
            let end = text.bytes().take(count).take_while(u8::is_ascii_digit).count();
            found.nanos = (end > 0).then(|| format!("{:0<9}", &text[..end]).parse().ok()).flatten();
            found.nanos?;
            Some(&text[end..])
        }
        'a' => {
            let half = text.get(..2)?;
            found.afternoon = Some(half.eq_ignore_ascii_case("PM"));
            (half.eq_ignore_ascii_case("AM") || half.eq_ignore_ascii_case("PM")).then(|| &text[2..])
        }
        'X' | 'x' | 'Z' | 'z' | 'O' | 'V' => {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '+' | '-' | ':' | '/' | '_'));
            let (name, rest) = text.split_at(end.unwrap_or(text.len()));
            let name = match name.len() {
                // `+0100`
                5 if name.starts_with(['+', '-']) => format!("{}:{}", &name[..3], &name[3..]),
                _ => name.to_owned(),
            };
            found.zone = Some(parse_zone(&name)?);
            Some(rest)
        }
        _ => None,
    }
}
