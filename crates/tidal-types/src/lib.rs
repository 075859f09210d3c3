//! The vocabulary of tidalDB: ids, time, windows, decay, schema, events and
//! errors.
//!
//! This crate performs no I/O and keeps no state. Every other crate of tidalDB
//! depends on it, and it depends on none of them.
//!
//! ```
//! use std::time::Duration;
//! use tidal_types::{DecaySpec, EntityId, EntityKind, Event, SchemaBuilder, Timestamp, Window};
//!
//! let mut builder = SchemaBuilder::new();
//! builder
//!     .signal("view", EntityKind::Item, DecaySpec::Exponential { half_life: Duration::from_secs(3600) })
//!     .windows(&[Window::OneHour, Window::AllTime])
//!     .velocity(true)
//!     .add();
//! let schema = builder.build()?;
//!
//! let event = Event::new("view", EntityId::new(42), 1.0, Timestamp::from_secs(1_700_000_000));
//! let accepted = schema.accept(&event)?;
//! assert_eq!(accepted.entity(), EntityId::new(42));
//! # Ok::<(), tidal_types::SchemaError>(())
//! ```

mod attribute;
mod bytes;
mod clock;
mod decay;
mod dedup;
mod entity;
mod error;
mod event;
mod position;
mod producer;
mod schema;
mod signal;
mod time;
mod window;

pub use attribute::{
    ATTRIBUTES_MAX, AttributeDefinition, AttributeId, AttributeType, AttributeValue,
    KEYWORD_BYTES_MAX, KEYWORDS_MAX,
};
pub use bytes::{ByteReader, VARINT_BYTES_MAX, put_varint};
pub use clock::{Clock, ManualClock, SystemClock};
pub use decay::{DecaySpec, SPAN_MAX};
pub use dedup::DedupKey;
pub use entity::{EntityId, EntityKind};
pub use error::{
    ErrorKind, KeyError, QueryError, SchemaError, SharedError, StorageError, TidalError, WalError,
};
pub use event::{AcceptedEvent, Event, WEIGHT_MAX};
pub use position::{LogId, Position, Seq};
pub use producer::{Producer, ProducerId};
pub use schema::{
    IDENTIFIER_BYTES_MAX, PROFILE_BYTES_MAX, PROFILES_MAX, SIGNAL_TYPES_MAX, Schema, SchemaBuilder,
    SignalBuilder,
};
pub use signal::{SignalTypeDefinition, SignalTypeId};
pub use time::Timestamp;
pub use window::Window;
