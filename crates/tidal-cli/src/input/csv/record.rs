//! One record of CSV: where it ends and where its fields are.
//!
//! The scan is resumable: when the bytes end before the record does, it goes on
//! where it stopped once there are more. Offsets count from the beginning of
//! the record.

/// What a scan found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// There is no record left.
    End,
    /// The record takes up this many bytes, its line break included, and this
    /// many lines.
    Record { bytes: usize, lines: u64 },
    /// The bytes end before the record does.
    More,
    /// The quotes are wrong.
    Broken(&'static str),
}

#[derive(Debug, Clone, Copy)]
enum State {
    FieldStart,
    /// In a field that began at `from`.
    Plain {
        from: usize,
    },
    /// In a quoted field; `from` is the first byte not yet unescaped.
    Quoted {
        from: usize,
    },
    /// Behind a quote in a quoted field: it ends, or the quote was doubled.
    QuoteSeen {
        from: usize,
    },
}

/// Where a field lies.
#[derive(Debug, Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    /// It was unescaped, and lies in `unescaped` rather than in the record.
    unescaped: bool,
}

/// A record under the scan. One is used for all records, so that its memory is.
#[derive(Debug)]
pub(super) struct Record {
    delimiter: u8,
    state: State,
    at: usize,
    lines: u64,
    spans: Vec<Span>,
    /// The contents of fields that held doubled quotes.
    unescaped: Vec<u8>,
    /// Where the field under the scan begins in `unescaped`, if it is there.
    unescaped_from: Option<usize>,
}

impl Record {
    pub(super) const fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            state: State::FieldStart,
            at: 0,
            lines: 1,
            spans: Vec::new(),
            unescaped: Vec::new(),
            unescaped_from: None,
        }
    }

    /// Forgets the last record.
    pub(super) fn restart(&mut self) {
        self.state = State::FieldStart;
        self.at = 0;
        self.lines = 1;
        self.spans.clear();
        self.unescaped.clear();
        self.unescaped_from = None;
    }

    /// How many fields the record has.
    pub(super) const fn width(&self) -> usize {
        self.spans.len()
    }

    /// The field at this place, from 0; empty when there is none. `data` begins
    /// with the record that was scanned.
    pub(super) fn field<'a>(&'a self, data: &'a [u8], place: usize) -> &'a [u8] {
        let bytes = |span: &Span| {
            let home = if span.unescaped { &self.unescaped } else { data };
            home.get(span.start..span.end)
        };
        self.spans.get(place).and_then(bytes).unwrap_or_default()
    }

    /// Scans on. `data` begins with the record and, between two restarts, only
    /// ever gets longer; `ended` says that it will not.
    pub(super) fn scan(&mut self, data: &[u8], ended: bool) -> Scan {
        if data.is_empty() && ended {
            return Scan::End;
        }
        loop {
            let rest = data.get(self.at..).unwrap_or_default();
            let step = match self.state {
                State::FieldStart => self.field_start(rest),
                State::Plain { from } => self.plain(rest, from, data),
                State::Quoted { from } => self.quoted(rest, from),
                State::QuoteSeen { from } => self.quote_seen(rest, from, data),
            };
            match step {
                Some(Scan::More) if ended => return self.at_end(data),
                Some(scan) => return scan,
                None => {}
            }
        }
    }

    fn field_start(&mut self, rest: &[u8]) -> Option<Scan> {
        match rest.first() {
            None => return Some(Scan::More),
            Some(b'"') => {
                self.at += 1;
                self.state = State::Quoted { from: self.at };
            }
            Some(_) => self.state = State::Plain { from: self.at },
        }
        None
    }

    fn plain(&mut self, rest: &[u8], from: usize, data: &[u8]) -> Option<Scan> {
        let delimiter = self.delimiter;
        let Some(place) = rest.iter().position(|byte| *byte == delimiter || *byte == b'\n') else {
            self.at += rest.len();
            return Some(Scan::More);
        };
        let end = self.at + place;
        self.at = end + 1;
        let field = data.get(from..end).unwrap_or_default();
        if rest.get(place) == Some(&delimiter) {
            self.push(from, end);
            return None;
        }
        self.push(from, end - usize::from(field.ends_with(b"\r")));
        Some(self.record())
    }

    fn quoted(&mut self, rest: &[u8], from: usize) -> Option<Scan> {
        let place = rest.iter().position(|byte| *byte == b'"');
        let inside = rest.get(..place.unwrap_or(rest.len())).unwrap_or_default();
        self.lines += inside.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.at += inside.len();
        if place.is_none() {
            return Some(Scan::More);
        }
        self.at += 1;
        self.state = State::QuoteSeen { from };
        None
    }

    fn quote_seen(&mut self, rest: &[u8], from: usize, data: &[u8]) -> Option<Scan> {
        let quote = self.at - 1;
        match rest {
            [] => Some(Scan::More),
            [b'"', ..] => {
                // A doubled quote stands for one: keep the first.
                self.unescaped_from.get_or_insert(self.unescaped.len());
                self.unescaped.extend_from_slice(data.get(from..self.at).unwrap_or_default());
                self.at += 1;
                self.state = State::Quoted { from: self.at };
                None
            }
            [byte, ..] if *byte == self.delimiter => {
                self.close(from, quote, data);
                self.at += 1;
                None
            }
            [b'\n', ..] => {
                self.close(from, quote, data);
                self.at += 1;
                Some(self.record())
            }
            [b'\r'] => Some(Scan::More),
            [b'\r', b'\n', ..] => {
                self.close(from, quote, data);
                self.at += 2;
                Some(self.record())
            }
            [..] => Some(Scan::Broken(
                "a quoted field goes on behind its closing quote; inside, a quote is doubled",
            )),
        }
    }

    fn at_end(&mut self, data: &[u8]) -> Scan {
        match self.state {
            State::FieldStart => self.push(self.at, self.at),
            State::Plain { from } => {
                let field = data.get(from..).unwrap_or_default();
                self.push(from, data.len() - usize::from(field.ends_with(b"\r")));
            }
            State::Quoted { .. } => return Scan::Broken("a quote is not closed"),
            State::QuoteSeen { from } => self.close(from, self.at - 1, data),
        }
        self.at = data.len();
        self.record()
    }

    const fn record(&self) -> Scan {
        Scan::Record { bytes: self.at, lines: self.lines }
    }

    fn push(&mut self, start: usize, end: usize) {
        self.spans.push(Span { start, end, unescaped: false });
        self.state = State::FieldStart;
    }

    fn close(&mut self, from: usize, quote: usize, data: &[u8]) {
        match self.unescaped_from.take() {
            None => self.push(from, quote),
            Some(start) => {
                self.unescaped.extend_from_slice(data.get(from..quote).unwrap_or_default());
                self.spans.push(Span { start, end: self.unescaped.len(), unescaped: true });
                self.state = State::FieldStart;
            }
        }
    }
}
