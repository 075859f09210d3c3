//! A schema as bytes, in the log, in storage and in the checksum. Little-endian.
//!
//! | size   | field                                     |
//! |--------|-------------------------------------------|
//! | 1      | version, 1 or 2: 1 where nothing is declared that came with 2 |
//! | varint | number of signal types                    |
//!
//! and for each signal type, in the order of their ids:
//!
//! | size   | field                                     |
//! |--------|-------------------------------------------|
//! | 1      | length of the name                        |
//! | n      | name                                      |
//! | 1      | entity kind, see `record.rs`              |
//! | 1      | decay: 0 permanent, 1 exponential, 2 linear |
//! | varint | half-life or lifetime, nanoseconds; zero for permanent |
//! | 1      | windows: bit 0 1h, 1 24h, 2 7d, 3 30d, 4 all |
//! | 1      | bit 0 velocity, bit 1 sums, bit 2 uniques, bit 3 history; 2 and 3 from version 2 on |
//!
//! In version 2 there follow the number of attributes, a varint, and for each, in the
//! order of their ids:
//!
//! | size   | field                                     |
//! |--------|-------------------------------------------|
//! | 1      | length of the name                        |
//! | n      | name                                      |
//! | 1      | entity kind                               |
//! | 1      | type: 0 keyword, 1 integer, 2 float, 3 boolean, 4 timestamp, 5 keywords, 6 entity of item, 7 of user, 8 of creator |
//!
//! and the number of profiles, a varint, and for each, by name:
//!
//! | size   | field                                     |
//! |--------|-------------------------------------------|
//! | 1      | length of the name                        |
//! | n      | name                                      |
//! | varint | length of the text                        |
//! | n      | text                                      |

use std::time::Duration;

use tidal_types::{
    AttributeType, ByteReader, DecaySpec, Schema, SchemaBuilder, SignalTypeDefinition, Window,
    put_varint,
};

use super::{kind_byte, kind_of};

const VERSION_1: u8 = 1;
const VERSION: u8 = 2;
const VELOCITY: u8 = 1;
const SUMS: u8 = 2;
const UNIQUES: u8 = 4;
const HISTORY: u8 = 8;

/// Appends the bytes of a schema.
pub(crate) fn encode_schema(schema: &Schema, out: &mut Vec<u8>) {
    let version = version_of(schema);
    out.push(version);
    put_varint(out, schema.signal_count() as u64);
    for signal in schema.signals() {
        put_name(signal.name(), out);
        out.push(kind_byte(signal.kind()));
        let (decay, span) = match signal.decay() {
            DecaySpec::Permanent => (0, Duration::ZERO),
            DecaySpec::Exponential { half_life } => (1, half_life),
            DecaySpec::Linear { lifetime } => (2, lifetime),
        };
        out.push(decay);
        put_varint(out, u64::try_from(span.as_nanos()).expect("a span is at most a hundred years"));
        let windows = Window::ALL.iter().enumerate();
        out.push(windows.map(|(bit, window)| u8::from(signal.has_window(*window)) << bit).sum());
        out.push(flags_of(signal));
    }
    if version != VERSION_1 {
        encode_declared(schema, out);
    }
}

/// A schema that needs nothing of version 2 keeps the bytes, and so the checksum, that it
/// had before there was one.
fn version_of(schema: &Schema) -> u8 {
    let is_old = schema.attributes().is_empty()
        && schema.profiles().next().is_none()
        && schema.signals().iter().all(|signal| !signal.uniques() && !signal.history());
    if is_old { VERSION_1 } else { VERSION }
}

fn flags_of(signal: &SignalTypeDefinition) -> u8 {
    u8::from(signal.velocity()) * VELOCITY
        + u8::from(signal.sums()) * SUMS
        + u8::from(signal.uniques()) * UNIQUES
        + u8::from(signal.history()) * HISTORY
}

/// Attributes and profiles.
fn encode_declared(schema: &Schema, out: &mut Vec<u8>) {
    put_varint(out, schema.attributes().len() as u64);
    for attribute in schema.attributes() {
        put_name(attribute.name(), out);
        out.push(kind_byte(attribute.kind()));
        let of_type = AttributeType::ALL.iter().position(|one| *one == attribute.of_type());
        out.push(of_type.and_then(|at| u8::try_from(at).ok()).expect("there are nine types"));
    }
    put_varint(out, schema.profiles().count() as u64);
    for (name, text) in schema.profiles() {
        put_name(name, out);
        put_varint(out, text.len() as u64);
        out.extend_from_slice(text.as_bytes());
    }
}

fn put_name(name: &str, out: &mut Vec<u8>) {
    out.push(u8::try_from(name.len()).expect("an identifier has at most 64 bytes"));
    out.extend_from_slice(name.as_bytes());
}

/// The schema with these bytes, checked as if it had been declared anew.
pub(crate) fn decode_schema(bytes: &[u8]) -> Result<Schema, String> {
    let mut reader = ByteReader::new(bytes);
    let mut builder = SchemaBuilder::new();
    let version = match reader.u8() {
        Some(version @ VERSION_1..=VERSION) => version,
        version => {
            return Err(format!("a schema of version {version:?}, this program knows {VERSION}"));
        }
    };
    let count = reader.varint().ok_or("a schema with a malformed length")?;
    for index in 0..count {
        declare_next(&mut reader, &mut builder, version)
            .ok_or_else(|| format!("a schema whose signal type {index} is malformed"))?;
    }
    if version != VERSION_1 {
        declare_rest(&mut reader, &mut builder)
            .ok_or("a schema with a malformed attribute or profile")?;
    }
    if !reader.is_empty() {
        return Err("a schema with bytes behind its end".into());
    }
    let schema = builder.build().map_err(|error| format!("a schema that cannot be: {error}"))?;
    if version_of(&schema) != version {
        return Err(format!("a schema of version {version} that needs nothing of it"));
    }
    Ok(schema)
}

fn take_name<'a>(reader: &mut ByteReader<'a>) -> Option<&'a str> {
    let length = usize::from(reader.u8()?);
    std::str::from_utf8(reader.take(length)?).ok()
}

fn declare_rest(reader: &mut ByteReader<'_>, builder: &mut SchemaBuilder) -> Option<()> {
    for _ in 0..reader.varint()? {
        let name = take_name(reader)?;
        let kind = kind_of(reader.u8()?)?;
        let of_type = *AttributeType::ALL.get(usize::from(reader.u8()?))?;
        builder.attribute(name, kind, of_type);
    }
    let mut last = "";
    for _ in 0..reader.varint()? {
        let name = take_name(reader)?;
        let length = usize::try_from(reader.varint()?).ok()?;
        let text = std::str::from_utf8(reader.take(length)?).ok()?;
        if name <= last {
            return None;
        }
        builder.profile(name, text);
        last = name;
    }
    Some(())
}

fn declare_next(
    reader: &mut ByteReader<'_>,
    builder: &mut SchemaBuilder,
    version: u8,
) -> Option<()> {
    let name = take_name(reader)?;
    let kind = kind_of(reader.u8()?)?;
    let decay = reader.u8()?;
    let span = Duration::from_nanos(reader.varint()?);
    let decay = match decay {
        0 if span.is_zero() => DecaySpec::Permanent,
        1 => DecaySpec::Exponential { half_life: span },
        2 => DecaySpec::Linear { lifetime: span },
        _ => return None,
    };
    let bits = reader.u8()?;
    let flags = reader.u8()?;
    let known =
        if version == VERSION_1 { VELOCITY | SUMS } else { VELOCITY | SUMS | UNIQUES | HISTORY };
    if bits >> Window::ALL.len() != 0 || flags & !known != 0 {
        return None;
    }
    let windows: Vec<Window> = Window::ALL
        .into_iter()
        .enumerate()
        .filter(|(bit, _)| bits >> bit & 1 == 1)
        .map(|(_, window)| window)
        .collect();
    builder
        .signal(name, kind, decay)
        .windows(&windows)
        .velocity(flags & VELOCITY != 0)
        .sums(flags & SUMS != 0)
        .uniques(flags & UNIQUES != 0)
        .history(flags & HISTORY != 0)
        .add();
    Some(())
}
