//! A window over a stream of bytes that grows until a row fits in.

use std::io::{self, Read};

use super::ROW_BYTES_MAX;

/// How much room is made for one read.
const READ_BYTES: usize = 256 * 1024;

/// Bytes of a source that are read and not yet consumed.
pub(super) struct Buffer {
    source: Box<dyn Read>,
    bytes: Vec<u8>,
    start: usize,
    filled: usize,
    ended: bool,
}

impl Buffer {
    pub(super) fn new(source: Box<dyn Read>) -> Self {
        Self { source, bytes: Vec::new(), start: 0, filled: 0, ended: false }
    }

    /// What is read and not consumed.
    pub(super) fn pending(&self) -> &[u8] {
        self.bytes.get(self.start..self.filled).unwrap_or_default()
    }

    /// Whether the source has nothing behind [`Buffer::pending`].
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// Forgets the first `count` pending bytes.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.filled);
    }

    /// Reads more behind the pending bytes, or learns that there is no more.
    pub(super) fn fill(&mut self) -> io::Result<()> {
        if self.ended {
            return Ok(());
        }
        if self.bytes.len() - self.filled < READ_BYTES {
            self.bytes.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
            let wanted = (self.filled + READ_BYTES).next_power_of_two();
            self.bytes.resize(self.bytes.len().max(wanted), 0);
        }
        let room = self.bytes.get_mut(self.filled..).unwrap_or_default();
        loop {
            match self.source.read(room) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(());
                }
                Ok(count) => {
                    self.filled += count;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Consumes a UTF-8 byte order mark at the beginning.
    pub(super) fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        while self.pending().len() < MARK.len() && !self.ended {
            self.fill()?;
        }
        if self.pending().starts_with(MARK) {
            self.consume(MARK.len());
        }
        Ok(())
    }

    /// The length of the first pending line with its line break; zero at the
    /// end.
    ///
    /// # Errors
    /// The source fails, or the line is longer than [`ROW_BYTES_MAX`].
    pub(super) fn line_bytes(&mut self) -> io::Result<usize> {
        let mut searched = 0;
        loop {
            let pending = self.pending();
            let unsearched = pending.get(searched..).unwrap_or_default();
            if let Some(place) = unsearched.iter().position(|byte| *byte == b'\n') {
                return Ok(searched + place + 1);
            }
            searched = pending.len();
            if self.ended {
                return Ok(searched);
            }
            if searched > ROW_BYTES_MAX {
                let problem =
                    format!("a line is longer than {ROW_BYTES_MAX} bytes; is this a text file?");
                return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
            }
            self.fill()?;
        }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Buffer")
            .field("pending", &self.pending().len())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// The line without its line break, LF or CRLF.
pub(crate) fn without_line_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A source that yields a byte at a time, so that every boundary is met.
#[cfg(test)]
#[derive(Debug)]
pub(super) struct Dribble(pub(super) Vec<u8>);

#[cfg(test)]
impl Read for Dribble {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Ok(0);
        }
        room[0] = self.0.remove(0);
        Ok(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_across_reads() {
        let mut buffer = Buffer::new(Box::new(Dribble(b"\xef\xbb\xbfab\r\n\ncd".to_vec())));
        buffer.skip_byte_order_mark().unwrap();
        let mut lines = Vec::new();
        loop {
            let bytes = buffer.line_bytes().unwrap();
            if bytes == 0 {
                break;
            }
            lines.push(without_line_break(&buffer.pending()[..bytes]).to_vec());
            buffer.consume(bytes);
        }
        assert_eq!(lines, [b"ab".to_vec(), b"".to_vec(), b"cd".to_vec()]);
    }

    #[test]
    fn a_line_without_end_is_an_error() {
        let mut buffer = Buffer::new(Box::new(io::repeat(b'x')));
        assert_eq!(buffer.line_bytes().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
