//! A schema as bytes, in the log, in storage and in the checksum. Little-endian.
//!
//! | size   | field                                     |
//! |--------|-------------------------------------------|
//! | 1      | version, 1                                |
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
//! | 1      | bit 0 velocity, bit 1 sums                |

use std::time::Duration;

use tidal_types::{ByteReader, DecaySpec, Schema, SchemaBuilder, Window, put_varint};

use super::{kind_byte, kind_of};

const VERSION: u8 = 1;
const VELOCITY: u8 = 1;
const SUMS: u8 = 2;

/// Appends the bytes of a schema.
pub(crate) fn encode_schema(schema: &Schema, out: &mut Vec<u8>) {
    out.push(VERSION);
    put_varint(out, schema.signal_count() as u64);
    for signal in schema.signals() {
        let name = signal.name().as_bytes();
        out.push(u8::try_from(name.len()).expect("an identifier has at most 64 bytes"));
        out.extend_from_slice(name);
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
        out.push(u8::from(signal.velocity()) * VELOCITY + u8::from(signal.sums()) * SUMS);
    }
}

/// The schema with these bytes, checked as if it had been declared anew.
pub(crate) fn decode_schema(bytes: &[u8]) -> Result<Schema, String> {
    let mut reader = ByteReader::new(bytes);
    let mut builder = SchemaBuilder::new();
    match reader.u8() {
        Some(VERSION) => {}
        version => {
            return Err(format!("a schema of version {version:?}, this program knows {VERSION}"));
        }
    }
    let count = reader.varint().ok_or("a schema with a malformed length")?;
    for index in 0..count {
        declare_next(&mut reader, &mut builder)
            .ok_or_else(|| format!("a schema whose signal type {index} is malformed"))?;
    }
    if !reader.is_empty() {
        return Err("a schema with bytes behind its end".into());
    }
    builder.build().map_err(|error| format!("a schema that cannot be: {error}"))
}

fn declare_next(reader: &mut ByteReader<'_>, builder: &mut SchemaBuilder) -> Option<()> {
    let length = usize::from(reader.u8()?);
    let name = std::str::from_utf8(reader.take(length)?).ok()?;
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
    if bits >> Window::ALL.len() != 0 || flags & !(VELOCITY | SUMS) != 0 {
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
        .add();
    Some(())
}
