//! The bytes of a sketch. This file is their home. Numbers are unsigned LEB128, as
//! `tidal_types` has them, but for single bytes.
//!
//! | field       | encoding  |                                                       |
//! |-------------|-----------|-------------------------------------------------------|
//! | version     | one byte  | [`VERSION`]                                           |
//! | actors      | one byte  | how many are kept by id, 1 to [`RECENT_MAX`]          |
//!
//! Then each of them, newest first:
//!
//! | field       | encoding  |                                                       |
//! |-------------|-----------|-------------------------------------------------------|
//! | time        | unsigned  | of the first, nanoseconds since the epoch; of each other, how much earlier than the one before |
//! | actor       | unsigned  | its id                                                |
//!
//! And, if there are [`RECENT_MAX`] of them:
//!
//! | field       | encoding  |                                                       |
//! |-------------|-----------|-------------------------------------------------------|
//! | newest      | unsigned  | the newest bucket of any register                     |
//! | registers   |           | each of the [`REGISTERS`], in order                   |
//!
//! A register has its entries, newest first, and a byte 0 if it has none. An entry:
//!
//! | field       | encoding  |                                                       |
//! |-------------|-----------|-------------------------------------------------------|
//! | rank        | one byte  | twice the rank less that of the entry before (at least 1), and 1 more if another entry follows |
//! | age         | unsigned  | how many buckets older than the entry before (at least 1); of the first, than the newest |
//!
//! F1. A decoder takes exactly the bytes that an encoder writes: whatever decodes
//!     encodes to the same bytes.
//! F2. Memory is asked for only up to the limits, never as the bytes say.
//! F3. Whatever decodes can be folded on and read without overflow.

use tidal_types::{ByteReader, put_varint};

use super::recent::{Act, RECENT_MAX, Recent};
use super::registers::{BUCKETS_END, RANK_MAX, REGISTERS, Registers};
use super::sketch::Sketch;

/// The format that this file describes.
const VERSION: u8 = 1;

const _: () = assert!(RECENT_MAX <= u8::MAX as usize);
const _: () = assert!(RANK_MAX << 1 | 1 <= u8::MAX as u64);

pub(super) fn encode(sketch: &Sketch) -> Vec<u8> {
    let acts = sketch.recent.acts();
    let mut out = vec![VERSION, acts.len() as u8];
    let mut later = None;
    for act in acts.iter().rev() {
        put_varint(&mut out, later.map_or(act.time, |later: u64| later - act.time));
        put_varint(&mut out, act.actor);
        later = Some(act.time);
    }
    if sketch.recent.is_full() {
        encode_registers(&sketch.registers, &mut out);
    }
    out
}

fn encode_registers(registers: &Registers, out: &mut Vec<u8>) {
    let newest = registers.entries().map(|(_, bucket, _)| bucket).max().unwrap_or_default();
    put_varint(out, newest);
    let mut entries = registers.entries().collect::<Vec<_>>();
    // By register, and newest first in each.
    entries.sort_unstable_by_key(|&(register, bucket, _)| (register, u64::MAX - bucket));
    let mut entries = entries.into_iter().peekable();
    for register in 0..REGISTERS as u64 {
        let (mut bucket_before, mut rank_before) = (newest, 0);
        let mut any = false;
        while let Some((_, bucket, rank)) = entries.next_if(|entry| entry.0 == register) {
            let more = entries.peek().is_some_and(|next| next.0 == register);
            out.push(((rank - rank_before) << 1) as u8 | u8::from(more));
            put_varint(out, bucket_before - bucket);
            (bucket_before, rank_before, any) = (bucket, rank, true);
        }
        if !any {
            out.push(0);
        }
    }
}

/// The sketch of these bytes, or what is wrong with them.
pub(super) fn decode(bytes: &[u8]) -> Result<Sketch, &'static str> {
    const SHORT: &str = "it is too short, or a number in it is malformed";
    let mut reader = ByteReader::new(bytes);
    if reader.u8().ok_or(SHORT)? != VERSION {
        return Err("its version is unknown");
    }
    let len = usize::from(reader.u8().ok_or(SHORT)?);
    if !(1..=RECENT_MAX).contains(&len) {
        return Err("its number of actors is out of range");
    }
    let mut acts: Vec<Act> = Vec::with_capacity(len);
    for _ in 0..len {
        let (time, actor) = (reader.varint().ok_or(SHORT)?, reader.varint().ok_or(SHORT)?);
        let time = match acts.last() {
            None => time,
            Some(later) => later.time.checked_sub(time).ok_or("a time is before the epoch")?,
        };
        let act = Act { time, actor };
        if acts.last().is_some_and(|later| *later <= act) {
            return Err("its actors are out of order");
        }
        if acts.iter().any(|known| known.actor == actor) {
            return Err("an actor is there twice");
        }
        acts.push(act);
    }
    acts.reverse();
    let registers = match len {
        RECENT_MAX => decode_registers(&mut reader)?,
        _ => Registers::default(),
    };
    if reader.is_empty() {
        Ok(Sketch { recent: Recent::of(acts), registers })
    } else {
        Err("something is behind its end")
    }
}

fn decode_registers(reader: &mut ByteReader<'_>) -> Result<Registers, &'static str> {
    const SHORT: &str = "its registers are cut short, or a number in them is malformed";
    let newest = reader.varint().ok_or(SHORT)?;
    if newest >= BUCKETS_END {
        return Err("its newest bucket is out of range");
    }
    let mut entries = Vec::new();
    let mut touches_newest = false;
    for register in 0..REGISTERS as u64 {
        let start = entries.len();
        let (mut bucket, mut rank) = (newest, 0);
        loop {
            let byte = u64::from(reader.u8().ok_or(SHORT)?);
            let (higher, more, first) = (byte >> 1, byte & 1 == 1, entries.len() == start);
            if byte == 0 && first {
                break;
            }
            let age = reader.varint().ok_or(SHORT)?;
            rank += higher;
            if higher == 0 || rank > RANK_MAX {
                return Err("a rank is out of range");
            }
            if age == 0 && !first {
                return Err("the buckets of a register are out of order");
            }
            bucket = bucket.checked_sub(age).ok_or("a bucket is before the epoch")?;
            touches_newest |= age == 0;
            entries.push((register, bucket, rank));
            if !more {
                break;
            }
        }
        entries.get_mut(start..).unwrap_or_default().reverse();
    }
    if touches_newest { Ok(Registers::of(entries)) } else { Err("its newest bucket is empty") }
}
