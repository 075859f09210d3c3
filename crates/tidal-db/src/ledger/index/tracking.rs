//! What the fold sees of the indexes of a signal type, and what it notes for them.
//!
//! F1. Whether an entity is to be noted is decided, and it is noted, while its shard is
//!     locked. So who reads its cell behind the note reads it as it was noted or newer; and
//!     a list that is made sees each change or has it noted, since it tracks before it
//!     looks at a shard.
//! F2. A floor that the fold sees is at the list's floor or further in.
//! F3. Notes that overflow are lost, and say so before they go. While a list is made they do
//!     not, and take room by how many entities are noted, not by how often.
//! F4. An entity that was noted is passed over until notes are taken. That forgets first whom
//!     it passes over and reads cells afterwards, so it reads what was passed over.

use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

use tidal_types::EntityId;

use super::super::cell::Cell;
use super::super::measure::{Gauge, MEASURES};
use super::super::shape::Shape;
use super::super::shards::{Place, SHARDS};
use super::list::List;
use super::ordered::End;

/// Set, alone, when notes were lost.
const LOST: u16 = 1 << 15;
const _: () = assert!(MEASURES < 15);
const _: () = assert!(SHARDS == u64::BITS as usize);

/// What of which measures is to be noted, and the notes.
#[derive(Debug)]
pub(in super::super) struct Tracking {
    /// A bit for each measure that has a list.
    measures: AtomicU16,
    floors: [OnceLock<Floors>; MEASURES],
    notes_max: AtomicUsize,
    /// A bit for each shard that has notes.
    noted: AtomicU64,
    shards: Box<[ShardNotes; SHARDS]>,
}

/// How many entities of a shard are passed over once they were noted: those that have the
/// same bits in their hashes take turns.
const PASSED_MAX: usize = 64;

/// What happened in one shard.
#[derive(Debug)]
struct ShardNotes {
    /// Entities whose change was noted last, and is; [`NOBODY`] where there is none. Changed
    /// while the notes are locked only.
    passed: [AtomicU64; PASSED_MAX],
    notes: Mutex<Notes>,
}

/// The entity with this id is never passed over.
const NOBODY: u64 = u64::MAX;

/// Entities by what happened to them.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) changed: Vec<EntityId>,
    pub(super) came_or_went: Vec<EntityId>,
    /// How many there were when they were tidied last.
    tidied: usize,
}

/// Notes are tidied once there are twice as many as when they were last, and as this; room for
/// twice as many as this is kept when they are taken.
const TIDIED_MIN: usize = 2048;

impl Notes {
    fn tidy(&mut self) {
        for ids in [&mut self.changed, &mut self.came_or_went] {
            ids.sort_unstable();
            ids.dedup();
        }
        self.tidied = self.len();
    }

    const fn have_doubled(&self) -> bool {
        let tidied = if self.tidied > TIDIED_MIN { self.tidied } else { TIDIED_MIN };
        self.len() / 2 >= tidied
    }

    const fn len(&self) -> usize {
        self.changed.len() + self.came_or_went.len()
    }
}

/// From where on bounds concern a list, as coarse keys.
#[derive(Debug)]
struct Floors {
    gauge: Gauge,
    highest: AtomicU64,
    lowest: AtomicU64,
}

impl Tracking {
    pub(super) fn new(notes_max: usize) -> Self {
        Self {
            measures: AtomicU16::new(0),
            floors: Default::default(),
            notes_max: AtomicUsize::new(notes_max),
            noted: AtomicU64::new(0),
            shards: Box::new(std::array::from_fn(|_| ShardNotes::default())),
        }
    }

    /// Notes an entity whose cell an event of this weight has changed, if that concerns a
    /// list. A list would stay right without the decreases, but it had better know of them.
    pub(in super::super) fn changed(&self, shape: &Shape, place: Place, cell: &Cell, weight: f64) {
        let measures = self.measures.load(Ordering::Relaxed) & !LOST;
        if measures == 0 {
            return;
        }
        let shard = self.shard(place.shard());
        let passed = shard.passed(place);
        if passed.load(Ordering::Relaxed) == place.id.get() && place.id.get() != NOBODY {
            return;
        }
        if weight < 0.0 || self.concerns(measures, shape, cell) {
            self.note(place.shard(), |notes| {
                notes.changed.push(place.id);
                passed.store(place.id.get(), Ordering::Relaxed);
            });
        }
    }

    /// Notes an entity whose cell is new, or gone.
    pub(in super::super) fn came_or_went(&self, place: Place) {
        if self.measures.load(Ordering::Relaxed) & !LOST != 0 {
            self.note(place.shard(), |notes| notes.came_or_went.push(place.id));
        }
    }

    fn concerns(&self, mut measures: u16, shape: &Shape, cell: &Cell) -> bool {
        while measures != 0 {
            let number = measures.trailing_zeros() as usize;
            measures &= measures - 1;
            let Some(floors) = self.floors.get(number).and_then(OnceLock::get) else {
                continue;
            };
            let (least, most) = floors.gauge.bounds(shape, cell, cell.newest());
            if most.coarse() >= floors.highest.load(Ordering::Relaxed)
                || least.is_negative() && least.coarse() <= floors.lowest.load(Ordering::Relaxed)
            {
                return true;
            }
        }
        false
    }

    fn note(&self, shard: usize, push: impl FnOnce(&mut Notes)) {
        let this = self.shard(shard);
        let mut notes = this.lock();
        let max = self.notes_max.load(Ordering::Relaxed);
        // While there is no most, entities that come again and again take no room for it.
        if notes.len() >= max || notes.have_doubled() {
            notes.tidy();
            // Where sorting has helped little, it would have to be done again soon.
            if notes.len() > max / 2 {
                self.measures.store(LOST, Ordering::Release);
                *notes = Notes::default();
                this.forget_passed();
                return;
            }
        }
        push(&mut notes);
        if self.noted.load(Ordering::Relaxed) >> shard & 1 == 0 {
            self.noted.fetch_or(1 << shard, Ordering::Release);
        }
    }

    /// Whether nothing is noted and nothing was lost.
    pub(super) fn is_quiet(&self) -> bool {
        self.noted.load(Ordering::Acquire) == 0 && !self.is_lost()
    }

    pub(super) fn is_lost(&self) -> bool {
        self.measures.load(Ordering::Acquire) & LOST != 0
    }

    /// Takes the notes, shard by shard, in which each entity is noted once for what happened
    /// to it.
    pub(super) fn take(&self) -> Notes {
        let mut all = Notes::default();
        let mut noted = self.noted.load(Ordering::Acquire);
        while noted != 0 {
            let number = noted.trailing_zeros() as usize;
            noted &= noted - 1;
            // Sorted once the fold can go on.
            let mut notes = self.take_of(number);
            notes.tidy();
            all.changed.append(&mut notes.changed);
            all.came_or_went.append(&mut notes.came_or_went);
        }
        all
    }

    fn take_of(&self, number: usize) -> Notes {
        let (shard, mut taken) = (self.shard(number), Notes::default());
        let mut notes = shard.lock();
        self.noted.fetch_and(!(1 << number), Ordering::Relaxed);
        shard.forget_passed();
        let Notes { changed, came_or_went, tidied } = &mut *notes;
        *tidied = 0;
        for (ids, taken) in [(changed, &mut taken.changed), (came_or_went, &mut taken.came_or_went)]
        {
            taken.append(ids);
            ids.shrink_to(self.notes_max.load(Ordering::Relaxed).min(2 * TIDIED_MIN));
        }
        taken
    }

    /// Begins to note everything that happens to a measure. Until the next
    /// [`Tracking::limit`], notes do not overflow (F3).
    pub(super) fn begin(&self, number: usize, gauge: Gauge) {
        self.notes_max.store(usize::MAX, Ordering::Relaxed);
        if let Some(floors) = self.floors.get(number) {
            let floors = floors.get_or_init(|| Floors {
                gauge,
                highest: AtomicU64::default(),
                lowest: AtomicU64::default(),
            });
            floors.highest.store(0, Ordering::Relaxed);
            floors.lowest.store(u64::MAX, Ordering::Relaxed);
        }
        // Beside a loss, which is seen to before the list is used.
        self.measures.fetch_or(1 << number, Ordering::Release);
    }

    pub(super) fn limit(&self, notes_max: usize) {
        self.notes_max.store(notes_max, Ordering::Relaxed);
    }

    /// Notes nothing more for a measure.
    pub(super) fn end(&self, number: usize) {
        self.measures.fetch_and(!(1 << number), Ordering::Relaxed);
    }

    /// Notes nothing more.
    pub(super) fn end_all(&self) {
        self.measures.store(0, Ordering::Relaxed);
    }

    /// Tells the fold of the floors of a list.
    pub(super) fn show_floors(&self, number: usize, list: &List) {
        if let Some(floors) = self.floors.get(number).and_then(OnceLock::get) {
            let coarse = |end: End| list.end(end).floor().map(|floor| end.key(floor).coarse());
            floors.highest.store(coarse(End::Highest).unwrap_or(0), Ordering::Relaxed);
            floors.lowest.store(coarse(End::Lowest).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let ids = self.shards.iter().map(|shard| {
            let notes = shard.lock();
            notes.changed.capacity() + notes.came_or_went.capacity()
        });
        let ids = ids.sum::<usize>() * size_of::<EntityId>();
        size_of::<Self>() + size_of_val(&*self.shards) + ids
    }

    fn shard(&self, shard: usize) -> &ShardNotes {
        self.shards.get(shard).expect("there are notes for each shard")
    }
}

impl ShardNotes {
    fn passed(&self, place: Place) -> &AtomicU64 {
        self.passed.get(place.hash as usize % PASSED_MAX).expect("a remainder is below the divisor")
    }

    fn forget_passed(&self) {
        self.passed.iter().for_each(|passed| passed.store(NOBODY, Ordering::Relaxed));
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().expect("no thread panics while it notes an entity")
    }
}

impl Default for ShardNotes {
    fn default() -> Self {
        Self { passed: std::array::from_fn(|_| AtomicU64::new(NOBODY)), notes: Mutex::default() }
    }
}

#[cfg(test)]
mod tests;
