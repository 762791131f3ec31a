//! Mutations of protobuf messages. Bytes that are changed anywhere rarely are a message again, for every message
//! around says how long it is; here a change is made to a tree of fields.

use libfuzzer_sys::fuzzer_mutate;
use prost::encoding::{decode_varint, encode_varint};

/// How deep messages are looked into.
const MAX_DEPTH: usize = 64;
/// How many changes are made at once, at the most.
const MAX_CHANGES: u64 = 3;
/// Numbers that are more likely to be wrong than others.
const NUMBERS: [u64; 12] =
    [0, 1, 2, 7, 100, 127, 128, 0x7fff_ffff, 0x8000_0000, 0x7fff_ffff_ffff_ffff, 1 << 63, u64::MAX];

/// Changes `data[..size]`, which is read as a message, and gives the new size.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(u64::from(seed) | 1 << 32);
    let Some(mut message) = parse(&data[..size], 0).filter(|fields| !fields.is_empty() && random.below(16) > 0) else {
        return fuzzer_mutate(data, size, max_size);
    };
    for _ in 0..=random.below(MAX_CHANGES) {
        change(&mut message, &mut random);
    }
    let mut encoded = Vec::new();
    encode(&message, &mut encoded);
    if encoded.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..encoded.len()].copy_from_slice(&encoded);
    encoded.len()
}

#[derive(Clone)]
struct Field {
    number: u64,
    value: Value,
}

#[derive(Clone)]
enum Value {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    Bytes(Vec<u8>),
    Message(Vec<Field>),
}

/// The fields of a message; none for bytes that are none. Text may be taken for a message: then it is changed as one.
fn parse(mut bytes: &[u8], depth: usize) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = decode_varint(&mut bytes).ok()?;
        let value = match key & 7 {
            0 => Value::Varint(decode_varint(&mut bytes).ok()?),
            1 => Value::Fixed64(take(&mut bytes, 8)?.try_into().ok()?),
            2 => {
                let length = usize::try_from(decode_varint(&mut bytes).ok()?).ok()?;
                let inner = take(&mut bytes, length)?;
                let message = if depth < MAX_DEPTH { parse(inner, depth + 1) } else { None };
                message.filter(|fields| !fields.is_empty()).map_or_else(|| Value::Bytes(inner.to_vec()), Value::Message)
            }
            5 => Value::Fixed32(take(&mut bytes, 4)?.try_into().ok()?),
            _ => return None,
        };
        if !(1..=2000).contains(&(key >> 3)) {
            return None;
        }
        fields.push(Field { number: key >> 3, value });
    }
    Some(fields)
}

fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn encode(fields: &[Field], out: &mut Vec<u8>) {
    for Field { number, value } in fields {
        let key = number << 3;
        match value {
            Value::Varint(value) => {
                encode_varint(key, out);
                encode_varint(*value, out);
            }
            Value::Fixed64(bytes) => {
                encode_varint(key | 1, out);
                out.extend(bytes);
            }
            Value::Bytes(bytes) => delimited(key, bytes, out),
            Value::Message(fields) => {
                let mut inner = Vec::new();
                encode(fields, &mut inner);
                delimited(key, &inner, out);
            }
            Value::Fixed32(bytes) => {
                encode_varint(key | 5, out);
                out.extend(bytes);
            }
        }
    }
}

fn delimited(key: u64, bytes: &[u8], out: &mut Vec<u8>) {
    encode_varint(key | 2, out);
    encode_varint(bytes.len() as u64, out);
    out.extend(bytes);
}

fn change(message: &mut Vec<Field>, random: &mut Random) {
    let count = count(message);
    let donor = nth(message, &mut random.below(count)).map(|(fields, at)| fields[at].clone());
    let Some((fields, at)) = nth(message, &mut random.below(count)) else { return };
    match random.below(8) {
        0 if fields.len() > 1 => drop(fields.remove(at)),
        0 | 1 => fields.insert(at, fields[at].clone()),
        // Often the number says which of many kinds a message is.
        2 => fields[at].number = 1 + random.below(64),
        3 => {
            if let Some(donor) = donor {
                fields[at].value = donor.value;
            }
        }
        4 => {
            let other = usize::try_from(random.below(fields.len() as u64)).unwrap_or(0);
            fields.swap(at, other);
        }
        5 => fields.extend(donor),
        _ => change_value(&mut fields[at].value, random),
    }
}

fn change_value(value: &mut Value, random: &mut Random) {
    match value {
        Value::Varint(number) if random.below(2) == 0 => *number = random.of(&NUMBERS),
        Value::Varint(number) => *number = random.below(64),
        Value::Fixed64(bytes) => *bytes = random.of(&NUMBERS).to_le_bytes(),
        Value::Fixed32(bytes) => bytes.copy_from_slice(&random.of(&NUMBERS).to_le_bytes()[..4]),
        Value::Bytes(bytes) => change_bytes(bytes),
        Value::Message(fields) => {
            let mut bytes = Vec::new();
            encode(fields, &mut bytes);
            change_bytes(&mut bytes);
            *value = Value::Bytes(bytes);
        }
    }
}

fn change_bytes(bytes: &mut Vec<u8>) {
    let (size, most) = (bytes.len(), bytes.len() * 2 + 16);
    bytes.resize(most, 0);
    let size = fuzzer_mutate(bytes, size, most);
    bytes.truncate(size);
}

/// How many fields there are, at any depth.
fn count(fields: &[Field]) -> u64 {
    let inner = |field: &Field| match &field.value {
        Value::Message(fields) => count(fields),
        _ => 0,
    };
    fields.iter().map(|field| 1 + inner(field)).sum()
}

/// The field that so many others stand before, as a place in the message that it is of.
fn nth<'a>(fields: &'a mut Vec<Field>, before: &mut u64) -> Option<(&'a mut Vec<Field>, usize)> {
    let mut found = None;
    for (at, field) in fields.iter().enumerate() {
        if *before == 0 {
            found = Some((at, false));
            break;
        }
        *before -= 1;
        if let Value::Message(inner) = &field.value {
            let inside = count(inner);
            if *before < inside {
                found = Some((at, true));
                break;
            }
            *before -= inside;
        }
    }
    match found? {
        (at, false) => Some((fields, at)),
        (at, true) => match &mut fields[at].value {
            Value::Message(inner) => nth(inner, before),
            _ => None,
        },
    }
}

/// Numbers from a seed (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }

    fn of(&mut self, numbers: &[u64]) -> u64 {
        usize::try_from(self.below(numbers.len() as u64)).map_or(0, |at| numbers[at])
    }
}
