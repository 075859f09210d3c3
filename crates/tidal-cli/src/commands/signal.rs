//! `tidal signal`: one event.

use serde_json::json;
use tidal_db::{EntityKind, Event, Seq};

use crate::args::{Global, SignalArgs};
use crate::failure::{Failure, explain};
use crate::output::{count, print, print_json, printable, rfc3339};
use crate::{database, entity, moment};

pub(super) fn run(global: &Global, args: &SignalArgs) -> Result<(), Failure> {
    let db = database::open(global)?;
    let signal = db
        .schema()
        .require(&args.signal)
        .map_err(|error| Failure::failed(explain(&error.into())))?;
    let at = args.time.of_event(&db)?;
    // Checked before the names are, so that a bad event leaves no name behind.
    let sample = Event::new(signal.name(), tidal_db::EntityId::new(0), args.weight, at);
    db.schema().accept(&sample).map_err(|error| Failure::failed(error.to_string()))?;
    if at > moment::horizon() {
        return Err(Failure::failed(format!(
            "{} is more than an hour ahead of the clock; check the time and the clock",
            rfc3339(at)
        )));
    }
    let id = entity::assign(&db, signal.kind(), &args.entity)?;
    let actor = args
        .actor
        .as_deref()
        .map(|actor| entity::assign(&db, EntityKind::User, actor))
        .transpose()?;
    let event = Event { actor, ..Event::new(signal.name(), id, args.weight, at) };
    let committed = db.signals(&[event])?;
    let seq = committed.outcomes.first().and_then(|outcome| outcome.seq()).map(Seq::get);
    if global.json {
        print_json(
            &json!({ "signal": signal.name(), "kind": signal.kind().as_str(), "id": id.get(), "at": rfc3339(at), "seq": seq }),
        )?;
    } else {
        let name = printable(args.entity.as_encoded_bytes());
        let record = seq.map_or_else(String::new, |seq| format!(", record {}", count(seq)));
        print(&format!(
            "{} of {} {name} (id {id}) at {}{record}\n",
            signal.name(),
            signal.kind(),
            rfc3339(at)
        ))?;
    }
    database::close(&db)
}
