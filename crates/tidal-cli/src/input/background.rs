//! A reader that runs ahead on a thread of its own, so that decompressing and
//! parsing share two cores.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// The size of a chunk, in bytes.
const CHUNK_BYTES: usize = 256 * 1024;

/// How many chunks may wait to be read.
const CHUNKS_AHEAD: usize = 8;

/// Reads what another thread has read ahead.
#[derive(Debug)]
pub(super) struct Background {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: Vec<u8>,
    taken: usize,
}

impl Background {
    /// Starts reading `source`. The thread ends with the source, at its first
    /// error, or when the reader is dropped.
    pub(super) fn spawn(source: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(CHUNKS_AHEAD);
        thread::Builder::new()
            .name("tidal-read-ahead".into())
            .spawn(move || read_ahead(source, &sender))?;
        Ok(Self { chunks, chunk: Vec::new(), taken: 0 })
    }
}

fn read_ahead(source: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    let mut source = source;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let limit = u64::try_from(CHUNK_BYTES).unwrap_or(u64::MAX);
        let outcome = source.by_ref().take(limit).read_to_end(&mut chunk);
        // What came before an error is good, and goes first.
        let at_end = chunk.is_empty();
        if !at_end && sender.send(Ok(chunk)).is_err() {
            return;
        }
        match outcome {
            Ok(_) if at_end => return,
            Ok(_) => {}
            Err(error) => {
                // When nobody listens any more, nobody needs the error.
                sender.send(Err(error)).unwrap_or_default();
                return;
            }
        }
    }
}

impl Read for Background {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.chunk.len() {
            match self.chunks.recv() {
                Ok(chunk) => self.chunk = chunk?,
                // The thread has ended, and so has the source.
                Err(_) => return Ok(0),
            }
            self.taken = 0;
        }
        let mut rest = self.chunk.get(self.taken..).unwrap_or_default();
        let count = rest.read(room)?;
        self.taken += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives_in_order() {
        let sent: Vec<u8> = (0..3 * CHUNK_BYTES + 17).map(|place| (place % 251) as u8).collect();
        let mut received = Vec::new();
        Background::spawn(io::Cursor::new(sent.clone()))
            .unwrap()
            .read_to_end(&mut received)
            .unwrap();
        assert!(received == sent);
    }

    #[test]
    fn what_came_before_an_error_arrives_first() {
        struct Failing;
        impl Read for Failing {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::UnexpectedEof))
            }
        }
        let mut reader = Background::spawn(io::Cursor::new(b"abc").chain(Failing)).unwrap();
        let mut received = Vec::new();
        let error = reader.read_to_end(&mut received).unwrap_err();
        assert_eq!(
            (received.as_slice(), error.kind()),
            (b"abc".as_slice(), io::ErrorKind::UnexpectedEof)
        );
    }

    #[test]
    fn a_dropped_reader_stops_an_endless_source() {
        let mut reader = Background::spawn(io::repeat(1)).unwrap();
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), 8);
    }
}
