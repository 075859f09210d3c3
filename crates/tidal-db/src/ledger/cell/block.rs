//! The memory of a busy cell: one allocation, with all of its series.
//!
//! | part                                        | bytes                          |
//! |---------------------------------------------|--------------------------------|
//! | header: totals, decay, one word a series    | 80                             |
//! | buckets of a linear score                   | 16 each                        |
//! | buckets of the windows, longest first       | 8 for a sum, if the schema asks for sums, and 1, 2, 4 or 8 for the count |
//! | room                                        | up to the next of [`ROOMS`]    |
//!
//! Within a series buckets lie newest first and close together, and the series behind
//! it begins where it ends; so the windows whose buckets come and go most often are
//! last, where nothing has to make way for them.
//!
//! The largest cell of a schema with all four windows, every bucket in use, and the
//! allocator's own [`ALLOCATION_BYTES`] included. Counts of a series take as many bytes
//! as its largest needs; what a cell takes beside its block is [`super::Cell`]'s:
//!
//! | decay       | sums | up to 255 events a bucket | 65,535 | 4,294,967,295 | more  |
//! |-------------|------|--------------------------:|-------:|--------------:|------:|
//! | exponential | no   | 344                       | 584    | 1,072         | 2,048 |
//! | exponential | yes  | 2,296                     | 2,536  | 3,024         | 4,000 |
//! | linear      | no   | 1,320                     | 1,560  | 2,048         | 3,024 |
//! | linear      | yes  | 3,272                     | 3,512  | 4,000         | 4,976 |
//!
//! B1. No buckets are lost or mixed up when series grow, shrink or widen: what is read
//!     afterwards is what was written.

use std::fmt::{self, Debug};

use super::decayed::Decayed;
use super::places::Places;

/// What an allocator is taken to need for each allocation.
pub(crate) const ALLOCATION_BYTES: usize = 16;

/// The most windows that end.
pub(super) const SLIDING_MAX: usize = 4;

/// What is known of a busy cell beside its buckets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    /// How many events there ever were.
    pub(super) count: u64,
    /// The sum of all weights, folded in log order.
    pub(super) weight_sum: f64,
    /// The newest time, in nanoseconds since the epoch.
    pub(super) newest: u64,
    /// Of an exponential score all there is. Of a linear one, which has no such sum, the
    /// time is the word of its series.
    decayed: Decayed,
    fades: Fades,
    /// How many buckets the linear series has, and each window.
    linear_len: u8,
    lens: [u8; SLIDING_MAX],
    /// One for each window that ends, shortest first; empty behind the last.
    windows: [Places; SLIDING_MAX],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fades {
    Exponentially,
    Linearly,
    Never,
}

/// What a score needs beside the totals, after the decay of the shape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fading {
    Exponential(Decayed),
    Linear(Places),
    Permanent,
}

impl Header {
    pub(super) fn new(fading: Fading, windows: [Places; SLIDING_MAX]) -> Self {
        let (fades, decayed) = match fading {
            Fading::Exponential(decayed) => (Fades::Exponentially, decayed),
            Fading::Linear(_) => (Fades::Linearly, Decayed::default()),
            Fading::Permanent => (Fades::Never, Decayed::default()),
        };
        let (count, weight_sum, newest) = (0, 0.0, 0);
        let (linear_len, lens) = (0, windows.map(|places| byte(places.len())));
        let mut header =
            Self { count, weight_sum, newest, decayed, fades, linear_len, lens, windows };
        if let Fading::Linear(places) = fading {
            header.set_linear(places, places.len());
        }
        header
    }

    pub(super) fn fading(&self) -> Fading {
        match self.fades {
            Fades::Exponentially => Fading::Exponential(self.decayed),
            Fades::Linearly => Fading::Linear(Places::from_word(self.decayed.since)),
            Fades::Never => Fading::Permanent,
        }
    }

    /// The decayed sum, to change, if there is one.
    pub(super) fn decayed_mut(&mut self) -> Option<&mut Decayed> {
        (self.fades == Fades::Exponentially).then_some(&mut self.decayed)
    }

    /// The series of a linear score; an empty one of any other.
    pub(super) fn linear(&self) -> Series {
        let Fading::Linear(places) = self.fading() else {
            return Series { places: Places::default(), len: 0, start: 0 };
        };
        Series { places, len: usize::from(self.linear_len), start: 0 }
    }

    /// The series of the window at a place of the shape; an empty one where there is none.
    pub(super) fn window(&self, place: usize) -> Series {
        let longer = place + 1..SLIDING_MAX;
        let longer = longer.map(|longer| self.window_at(longer, 0).bytes());
        self.window_at(place, self.linear().bytes() + longer.sum::<usize>())
    }

    /// The same, of a window whose buckets are known to begin here.
    pub(super) fn window_at(&self, place: usize, start: usize) -> Series {
        let places = self.windows.get(place).copied().unwrap_or_default();
        let len = self.lens.get(place).copied().unwrap_or_default();
        Series { places, len: usize::from(len), start }
    }

    /// The series of a linear score and how many buckets it has.
    pub(super) fn set_linear(&mut self, places: Places, len: usize) {
        self.decayed.since = places.word();
        self.linear_len = byte(len);
    }

    /// The series of a window and how many buckets it has.
    pub(super) fn set_window(&mut self, place: usize, places: Places, len: usize) {
        let room = (self.windows.get_mut(place), self.lens.get_mut(place));
        if let (Some(window), Some(room)) = room {
            *window = places;
            *room = byte(len);
        }
    }

    /// The bytes of all buckets.
    fn used(&self) -> usize {
        let all = (0..SLIDING_MAX).map(|place| self.window_at(place, 0).bytes());
        self.linear().bytes() + all.sum::<usize>()
    }
}

/// A number of buckets, of which there are at most 61, in a byte.
fn byte(len: usize) -> u8 {
    u8::try_from(len).unwrap_or(u8::MAX)
}

/// Where the buckets of a series are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series {
    pub(super) places: Places,
    /// How many there are.
    pub(super) len: usize,
    /// Where they begin.
    pub(super) start: usize,
}

impl Series {
    pub(super) fn bytes(self) -> usize {
        self.len * self.places.stride()
    }
}

/// The allocation. Its room is one of [`ROOMS`].
struct Whole<D: ?Sized = [u8]> {
    header: Header,
    buckets: D,
}

const HEADER_BYTES: usize = size_of::<Whole<[u8; 0]>>();

const _: () = assert!(HEADER_BYTES == 80);

macro_rules! rooms {
    ($($bytes:literal)*) => {
        /// The sizes of the part of a block that holds buckets. The largest are just what
        /// the largest cells need, and between them steps of about a quarter.
        const ROOMS: &[usize] = &[$($bytes),*];

        fn whole(header: Header, bytes: usize) -> Box<Whole> {
            match bytes {
                $(0..=$bytes => Box::new(Whole { header, buckets: [0; $bytes] }),)*
                _ => unreachable!("a bucket takes at most 16 bytes, and a series has at most 61"),
            }
        }
    };
}

rooms! {
    32 48 64 96 128 160 192 248 320 400 488 608 768 976 1224 1464 1664 1952 2200 2440 2684 2928
    3176 3416 3904 4392 4880
}

/// A growing cell takes at most a third more than it uses, and a little.
const _: () = {
    let mut rooms = ROOMS;
    while let [room, rest @ ..] = rooms {
        if let [next, ..] = rest {
            assert!(*room < *next && 3 * *next <= 4 * *room + 48);
        }
        rooms = rest;
    }
};

/// A header and the bytes of all buckets.
pub(super) struct Block(Box<Whole>);

impl Block {
    /// A block whose series hold these bytes.
    pub(super) fn new(header: Header, buckets: &[u8]) -> Self {
        let mut block = Self(whole(header, buckets.len()));
        if let Some(room) = block.0.buckets.get_mut(..buckets.len()) {
            room.copy_from_slice(buckets);
        }
        block
    }

    pub(super) fn header(&self) -> &Header {
        &self.0.header
    }

    pub(super) fn header_mut(&mut self) -> &mut Header {
        &mut self.0.header
    }

    /// The buckets of a series.
    pub(super) fn buckets(&self, series: Series) -> &[u8] {
        self.0.buckets.get(series.start..series.start + series.bytes()).unwrap_or_default()
    }

    /// One bucket of a series that begins here and has buckets of this many bytes.
    pub(super) fn bucket_mut(&mut self, start: usize, stride: usize, place: usize) -> &mut [u8] {
        let at = start + place * stride;
        self.0.buckets.get_mut(at..at + stride).unwrap_or_default()
    }

    /// Cuts a series down to its newest `kept` buckets and, if asked to, makes a new one
    /// of zeroes at a place among these. The header has to be told.
    pub(super) fn reshape(&mut self, series: Series, kept: usize, new: Option<usize>) {
        let (start, stride) = (series.start, series.places.stride());
        let end = start + series.bytes();
        let new_end = start + (kept + usize::from(new.is_some())) * stride;
        if new_end > end {
            self.move_rest(end, new_end);
        }
        if let Some(place) = new {
            let at = start + place * stride;
            self.0.buckets.copy_within(at..start + kept * stride, at + stride);
            self.bucket_mut(start, stride, place).fill(0);
        }
        if new_end < end {
            self.move_rest(end, new_end);
        }
    }

    /// Gives the last numbers of the buckets of a series the bytes of `to`. The header
    /// has to be told.
    pub(super) fn widen(&mut self, series: Series, to: Places) {
        let (start, len, stride) = (series.start, series.len, series.places.stride());
        self.move_rest(start + series.bytes(), start + len * to.stride());
        // From the oldest bucket on, whose new place is behind all that is still to move.
        for place in (0..len).rev() {
            let mut bucket = [0; 16];
            let source = self.bucket_mut(start, stride, place);
            if let Some(room) = bucket.get_mut(..source.len()) {
                room.copy_from_slice(source);
            }
            let wide = self.bucket_mut(start, to.stride(), place);
            let wider = bucket.get(..wide.len()).unwrap_or_default();
            wide.copy_from_slice(wider);
        }
    }

    /// Moves all that lies behind a series when its end moves.
    fn move_rest(&mut self, end: usize, new_end: usize) {
        let used = self.0.header.used();
        let room = used - end + new_end;
        if room > self.0.buckets.len() {
            let mut larger = whole(self.0.header, room);
            if let Some(front) = larger.buckets.get_mut(..self.0.buckets.len()) {
                front.copy_from_slice(&self.0.buckets);
            }
            self.0 = larger;
        }
        self.0.buckets.copy_within(end..used, new_end);
    }

    /// A number that depends on each cache line of it.
    pub(super) fn glance(&self) -> u64 {
        let lines = self.0.buckets.iter().step_by(64);
        lines.fold(self.0.header.count, |sum, byte| sum ^ u64::from(*byte))
    }

    /// Bytes on the heap, with what the allocator needs.
    pub(super) fn heap_bytes(&self) -> usize {
        size_of_val(&*self.0) + ALLOCATION_BYTES
    }
}

impl Clone for Block {
    fn clone(&self) -> Self {
        Self::new(self.0.header, self.0.buckets.get(..self.0.header.used()).unwrap_or_default())
    }
}

impl Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.header.fmt(f)
    }
}
