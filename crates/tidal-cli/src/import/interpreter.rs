//! What the fields of a row mean under a schema.

use tidal_db::{
    EntityId, EntityKind, Event, NAME_BYTES_MAX, Schema, SignalTypeDefinition, Timestamp,
};

use crate::failure::{Failure, explain};
use crate::input::{Fields, TimeFormat, TimeParser};
use crate::moment;
use crate::output::excerpt;

/// Reads the fields of rows.
#[derive(Debug)]
pub(crate) struct Interpreter<'s> {
    schema: &'s Schema,
    /// The signal type of every row; without it a column says.
    signal: Option<&'s SignalTypeDefinition>,
    /// The kind that every signal type must have.
    kind: Option<EntityKind>,
    /// How to read times; without it everything happens now.
    time: Option<TimeParser>,
    /// The latest time that is known to be no future.
    horizon: Timestamp,
}

/// A row as it is meant. The entity and the actor are still names or digits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Reading<'s, 'f> {
    pub(crate) signal: &'s SignalTypeDefinition,
    pub(crate) entity: &'f [u8],
    pub(crate) actor: Option<&'f [u8]>,
    pub(crate) weight: f64,
    pub(crate) at: Timestamp,
}

impl<'s> Interpreter<'s> {
    /// An interpreter for rows of the signal type `signal`, or of the one that
    /// each row names. `time` is the format of the time column if there is one.
    ///
    /// # Errors
    /// The signal type is unknown, or of another kind than `kind`.
    pub(crate) fn new(
        schema: &'s Schema,
        signal: Option<&str>,
        kind: Option<EntityKind>,
        time: Option<TimeFormat>,
    ) -> Result<Self, Failure> {
        let signal = match signal {
            Some(name) => Some(
                schema.require(name).map_err(|error| Failure::failed(explain(&error.into())))?,
            ),
            None => None,
        };
        if let Some(signal) = signal {
            check_kind(signal, kind)
                .map_err(|problem| Failure::failed(format!("{problem}; leave --kind out")))?;
        }
        Ok(Self { schema, signal, kind, time: time.map(TimeParser::new), horizon: Timestamp::MIN })
    }

    /// The kinds of entity that rows may be about.
    pub(crate) fn entity_kinds(&self) -> Vec<EntityKind> {
        let of_signal = |kind: &EntityKind| match self.signal {
            Some(signal) => signal.kind() == *kind,
            None => self.schema.signals().iter().any(|signal| signal.kind() == *kind),
        };
        EntityKind::ALL
            .into_iter()
            .filter(|kind| of_signal(kind) && self.kind.is_none_or(|wanted| wanted == *kind))
            .collect()
    }

    /// Reads a row, or says why it cannot be taken.
    pub(crate) fn read<'f>(&mut self, fields: Fields<'f>) -> Result<Reading<'s, 'f>, String> {
        let signal = match self.signal {
            Some(signal) => signal,
            None => self.signal_of_row(fields.signal)?,
        };
        check_name("entity", fields.entity)?;
        let actor = Some(fields.actor).filter(|actor| !actor.is_empty());
        actor.map_or(Ok(()), |actor| check_name("actor", actor))?;
        let weight = weight(fields.weight)?;
        let at = match &mut self.time {
            Some(time) => time.read(fields.time)?,
            None => Timestamp::now(),
        };
        self.check_not_future(at, fields.time)?;
        // The id does not matter to this check, and is not known yet.
        let event = Event::new(signal.name(), EntityId::new(0), weight, at);
        self.schema.accept(&event).map_err(|error| error.to_string())?;
        Ok(Reading { signal, entity: fields.entity, actor, weight, at })
    }

    fn signal_of_row(&self, name: &[u8]) -> Result<&'s SignalTypeDefinition, String> {
        if name.is_empty() {
            return Err("no signal type".into());
        }
        let signal = std::str::from_utf8(name).ok().and_then(|name| self.schema.signal(name));
        let signal =
            signal.ok_or_else(|| format!("no signal type {} in the schema", excerpt(name)))?;
        check_kind(signal, self.kind)?;
        Ok(signal)
    }

    /// Refuses what the database would refuse, before the row's names are taken
    /// up.
    fn check_not_future(&mut self, at: Timestamp, text: &[u8]) -> Result<(), String> {
        if at <= self.horizon {
            return Ok(());
        }
        self.horizon = moment::horizon();
        if at <= self.horizon {
            return Ok(());
        }
        Err(format!(
            "time {} is more than an hour ahead of the clock; check its unit",
            excerpt(text)
        ))
    }
}

fn check_kind(signal: &SignalTypeDefinition, kind: Option<EntityKind>) -> Result<(), String> {
    match kind {
        Some(kind) if kind != signal.kind() => Err(format!(
            "signal type {:?} is about entities of kind {}, not {kind}",
            signal.name(),
            signal.kind()
        )),
        _ => Ok(()),
    }
}

/// Refuses what cannot be a name.
pub(crate) fn check_name(what: &str, name: &[u8]) -> Result<(), String> {
    match name.len() {
        0 => Err(format!("no {what}")),
        1..=NAME_BYTES_MAX => Ok(()),
        bytes => Err(format!(
            "{what} {} has {bytes} bytes, and a name has at most {NAME_BYTES_MAX}",
            excerpt(name)
        )),
    }
}

fn weight(text: &[u8]) -> Result<f64, String> {
    let trimmed = text.trim_ascii();
    if trimmed.is_empty() {
        return Ok(1.0);
    }
    let number = std::str::from_utf8(trimmed).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("weight {} is not a number", excerpt(text)))
}

#[cfg(test)]
mod tests {
    use tidal_db::{DecaySpec, SchemaBuilder};

    use super::*;

    fn schema() -> Schema {
        let mut builder = SchemaBuilder::new();
        builder.signal("view", EntityKind::Item, DecaySpec::Permanent).add();
        builder.signal("follow", EntityKind::Creator, DecaySpec::Permanent).add();
        builder.build().unwrap()
    }

    fn fields() -> Fields<'static> {
        Fields { entity: b"a", time: b"60", signal: b"view", weight: b"", actor: b"", more: &[] }
    }

    fn read(fields: Fields<'_>) -> Result<(f64, Option<Vec<u8>>, Timestamp), String> {
        let schema = schema();
        let mut interpreter =
            Interpreter::new(&schema, None, None, Some(TimeFormat::SecondsOrRfc3339)).unwrap();
        interpreter
            .read(fields)
            .map(|reading| (reading.weight, reading.actor.map(<[u8]>::to_vec), reading.at))
    }

    #[test]
    fn empty_optional_fields_have_their_defaults() {
        assert_eq!(read(fields()), Ok((1.0, None, Timestamp::from_secs(60))));
        let full = Fields { weight: b" -2.5 ", actor: b" x", ..fields() };
        assert_eq!(read(full), Ok((-2.5, Some(b" x".to_vec()), Timestamp::from_secs(60))));
    }

    #[test]
    fn every_bad_field_has_its_reason() {
        let long = vec![b'x'; 256];
        let cases = [
            (Fields { entity: b"", ..fields() }, "no entity"),
            (Fields { entity: &long, ..fields() }, "256 bytes"),
            (Fields { actor: &long, ..fields() }, "256 bytes"),
            (Fields { time: b"", ..fields() }, "no time"),
            (Fields { time: b"soon", ..fields() }, "\"soon\""),
            (Fields { time: b"-1", ..fields() }, "before 1970"),
            (Fields { time: b"18446744073", ..fields() }, "ahead of the clock"),
            (Fields { weight: b"much", ..fields() }, "not a number"),
            (Fields { weight: b"NaN", ..fields() }, "not finite"),
            (Fields { weight: b"inf", ..fields() }, "not finite"),
            (Fields { weight: b"1e16", ..fields() }, "1e15"),
            (Fields { signal: b"", ..fields() }, "no signal type"),
            (Fields { signal: b"wiev", ..fields() }, "\"wiev\""),
            (Fields { signal: b"\xff", ..fields() }, "no signal type"),
        ];
        for (fields, expected) in cases {
            let problem = read(fields).unwrap_err();
            assert!(problem.contains(expected), "{problem:?} lacks {expected:?}");
        }
    }

    #[test]
    fn the_longest_name_fits() {
        let longest = vec![b'x'; NAME_BYTES_MAX];
        assert!(read(Fields { entity: &longest, actor: &longest, ..fields() }).is_ok());
    }

    #[test]
    fn a_signal_type_belongs_to_one_kind() {
        let schema = schema();
        assert!(Interpreter::new(&schema, Some("view"), Some(EntityKind::User), None).is_err());
        assert!(
            Interpreter::new(&schema, Some("wiev"), None, None)
                .unwrap_err()
                .message()
                .contains("view, follow")
        );
        let mut items = Interpreter::new(&schema, None, Some(EntityKind::Item), None).unwrap();
        assert_eq!(items.entity_kinds(), [EntityKind::Item]);
        assert!(items.read(fields()).is_ok());
        assert!(
            items.read(Fields { signal: b"follow", ..fields() }).unwrap_err().contains("creator")
        );
        let any = Interpreter::new(&schema, None, None, None).unwrap();
        assert_eq!(any.entity_kinds(), [EntityKind::Item, EntityKind::Creator]);
    }
}
