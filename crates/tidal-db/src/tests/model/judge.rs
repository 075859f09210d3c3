//! What a batch must come to, told by the model alone.

use std::collections::BTreeMap;
use std::time::Duration;

use tidal_types::{
    EntityId, EntityKind, QueryError, SchemaError, Seq, TidalError, Timestamp, WalError,
};

use super::facts::Facts;
use super::history::{Content, Origin, Record, Sent, SentEvent};
use super::schemas;
use crate::{DEFAULT_MAX_FUTURE_SKEW, Outcome};

/// What a batch comes to that is taken.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) outcomes: Vec<Outcome>,
    /// What is new of it.
    pub(super) records: Vec<Sent>,
}

/// Why a batch is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    UnknownSignal,
    UnknownAttribute,
    TooFarAhead,
    NotANamesId,
    Numeric,
    Fenced,
    Forgotten,
    KeyReused,
}

impl Refusal {
    /// G5: it is told so.
    pub(super) fn expect(self, error: &TidalError) {
        let is_told = match self {
            Self::UnknownSignal => {
                matches!(error, TidalError::Schema(SchemaError::UnknownSignal { .. }))
            }
            Self::UnknownAttribute => {
                matches!(error, TidalError::Query(QueryError::UnknownAttribute { .. }))
            }
            Self::TooFarAhead => matches!(error, TidalError::FutureTimestamp { .. }),
            Self::NotANamesId => matches!(error, TidalError::KindIsNamed { .. }),
            Self::Numeric => matches!(error, TidalError::KindIsNumeric { .. }),
            Self::Fenced => matches!(error, TidalError::Fenced { .. }),
            Self::Forgotten => matches!(error, TidalError::Forgotten { .. }),
            Self::KeyReused => matches!(error, TidalError::Wal(WalError::KeyReused { .. })),
        };
        assert!(is_told, "{self:?} is not told by {error:?}");
    }
}

impl Facts {
    /// Which records of a batch are taken and which are repeats, or why none is.
    pub(super) fn judge(&self, batch: &[Record], now: Timestamp) -> Result<Judged, Refusal> {
        batch.iter().try_for_each(|record| self.check(record, now))?;
        // G23, G25, G26: producers first, and then the keys of the rest.
        let mut lasts: BTreeMap<u8, (u32, u64)> = BTreeMap::new();
        let mut kept = Vec::new();
        for record in batch {
            kept.push(match record {
                Record::Event(SentEvent {
                    from: Origin::Producer { producer, epoch, seq },
                    ..
                }) => {
                    let last = lasts.get(producer).copied().or_else(|| {
                        self.producers.get(producer).map(|state| (state.epoch, state.seq))
                    });
                    if last.is_some_and(|(current, _)| *epoch < current) {
                        return Err(Refusal::Fenced);
                    }
                    let is_new = last.is_none_or(|last| (*epoch, *seq) > last);
                    if is_new {
                        lasts.insert(*producer, (*epoch, *seq));
                    }
                    is_new
                }
                Record::Note { producer, .. } => lasts.contains_key(producer),
                _ => true,
            });
        }
        // G81, G83: of what a producer did not send before, and before the log is asked.
        let mut used = batch.iter().zip(&kept).filter(|(_, kept)| **kept);
        let is_gone = |entity| self.forgotten.contains(&entity);
        if used.any(|(record, _)| record.entities().into_iter().any(is_gone)) {
            return Err(Refusal::Forgotten);
        }
        let mut judged = Judged { outcomes: Vec::new(), records: Vec::new() };
        for (record, kept) in batch.iter().zip(kept) {
            let outcome = if kept {
                self.judge_key(record, now, &judged.records)?
            } else {
                Outcome::Duplicate { seq: None }
            };
            if matches!(outcome, Outcome::Appended { .. }) {
                judged.records.push(Sent { record: record.clone(), log_time: now });
            }
            judged.outcomes.push(outcome);
        }
        Ok(judged)
    }

    /// R20: behind the records of its batch that are new.
    fn judge_key(&self, record: &Record, now: Timestamp, new: &[Sent]) -> Result<Outcome, Refusal> {
        let number = |index: usize| Seq::new(self.records + 1 + index as u64);
        let appended = Ok(Outcome::Appended { seq: number(new.len()) });
        let Record::Event(SentEvent { content, from }) = record else {
            return appended;
        };
        let here = |same: &dyn Fn(&SentEvent) -> bool| {
            new.iter().enumerate().find_map(|(index, sent)| match &sent.record {
                Record::Event(event) if same(event) => Some((event.content, number(index))),
                _ => None,
            })
        };
        let original: Option<(Content, Seq)> = match from {
            Origin::Nothing | Origin::Producer { .. } => None,
            Origin::Client(key) => {
                let known = self.clients.get(key).filter(|keyed| keyed.is_known(now));
                let known = known.map(|keyed| (keyed.content, keyed.seq));
                here(&|event| event.from == *from).or(known)
            }
            Origin::Content => {
                let known = self.contents.iter().rev();
                let known = known
                    .filter(|keyed| keyed.is_known(now))
                    .find(|keyed| keyed.content == *content)
                    .map(|keyed| (keyed.content, keyed.seq));
                here(&|event| event.from == *from && event.content == *content).or(known)
            }
        };
        match original {
            Some((known, seq)) if known == *content => Ok(Outcome::Duplicate { seq: Some(seq) }),
            Some(_) => Err(Refusal::KeyReused),
            None => appended,
        }
    }

    fn check(&self, record: &Record, now: Timestamp) -> Result<(), Refusal> {
        match record {
            Record::Event(SentEvent { content, .. }) => self.check_event(content, now),
            Record::WriteItem { id, .. } | Record::DeleteItem { id } => {
                self.check_use(EntityKind::Item, *id)
            }
            Record::PutAttributes { values, .. } => {
                let known = self.schema.map_or(0, schemas::attribute_count);
                if values.iter().any(|(attribute, _)| *attribute >= known) {
                    return Err(Refusal::UnknownAttribute);
                }
                record.entities().into_iter().try_for_each(|(kind, id)| self.check_use(kind, id))
            }
            Record::Schema(_)
            | Record::Name { .. }
            | Record::Note { .. }
            | Record::Forget { .. } => Ok(()),
        }
    }

    fn check_event(&self, content: &Content, now: Timestamp) -> Result<(), Refusal> {
        let signals = self.schema.map_or(0, schemas::signal_count);
        if content.signal >= signals {
            return Err(Refusal::UnknownSignal);
        }
        if content.time > now.saturating_add(DEFAULT_MAX_FUTURE_SKEW) {
            return Err(Refusal::TooFarAhead);
        }
        self.check_use(schemas::kind(content.signal), content.entity)?;
        content.actor.map_or(Ok(()), |actor| self.check_use(EntityKind::User, actor))
    }

    fn check_use(&self, kind: EntityKind, id: EntityId) -> Result<(), Refusal> {
        if self.may_use(kind, id) { Ok(()) } else { Err(Refusal::NotANamesId) }
    }
}

/// How far after the clock an event is that is too far ahead.
pub(super) const TOO_FAR: Duration = Duration::from_secs(2 * DEFAULT_MAX_FUTURE_SKEW.as_secs());
