//! Bytes into lines, however the segments fall.

use memchr::{memchr, memrchr};

/// The longest line that is read, in bytes; Asterisk's own lines stay below 8,192 (`AGI_BUF_LEN`).
pub const LINE_BYTES_MAX: usize = 16 * 1024;

/// A line that went past [`LINE_BYTES_MAX`] without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineTooLong;

/// The bytes that came and are not read yet.
#[derive(Debug, Default)]
pub(super) struct LineBuffer {
    bytes: Vec<u8>,
    /// Where the unread part begins.
    start: usize,
    /// How far the unread part was searched for a line end.
    searched: usize,
}

impl LineBuffer {
    pub(super) fn push(&mut self, segment: &[u8]) {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(segment);
    }

    /// The next whole line without its `\n` or `\r\n`; `None` when its end has not come yet.
    pub(super) fn next_line(&mut self) -> Result<Option<&[u8]>, LineTooLong> {
        let found = memchr(b'\n', &self.bytes[self.searched..]);
        let end = found.map_or(self.bytes.len(), |at| self.searched + at);
        self.searched = end;
        if end - self.start > LINE_BYTES_MAX {
            return Err(LineTooLong);
        }
        if found.is_none() {
            return Ok(None);
        }
        let line = &self.bytes[self.start..end];
        self.start = end + 1;
        self.searched = self.start;
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// All whole lines that have come, each with its end, of any length. They stay until [`pass`](Self::pass). What
    /// is behind them is looked at when there are none.
    pub(super) fn whole_lines(&mut self) -> Result<&[u8], LineTooLong> {
        let found = memrchr(b'\n', &self.bytes[self.searched..]);
        if let Some(at) = found {
            return Ok(&self.bytes[self.start..=self.searched + at]);
        }
        self.searched = self.bytes.len();
        if self.searched - self.start > LINE_BYTES_MAX { Err(LineTooLong) } else { Ok(&[]) }
    }

    /// So many bytes of whole lines were read.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.start += bytes;
        self.searched = self.searched.max(self.start);
    }

    /// Frees the room of what was read.
    pub(super) fn shrink(&mut self) {
        self.push(&[]);
        self.bytes.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_alike_whatever_the_segments() {
        let bytes = b"one\r\n\ntwo\nthree";
        for size in 1..=bytes.len() {
            let (mut buffer, mut lines) = (LineBuffer::default(), Vec::new());
            for segment in bytes.chunks(size) {
                buffer.push(segment);
                while let Some(line) = buffer.next_line().unwrap() {
                    lines.push(line.to_vec());
                }
            }
            assert_eq!(lines, [b"one".to_vec(), b"".to_vec(), b"two".to_vec()], "segments of {size}");
        }
    }

    #[test]
    fn whole_lines_come_as_they_are_and_stay_until_they_were_read() {
        let mut buffer = LineBuffer::default();
        buffer.push(b"on");
        assert_eq!(buffer.whole_lines(), Ok(&b""[..]));
        buffer.push(b"e\r\ntwo\nthr");
        assert_eq!(buffer.whole_lines(), Ok(&b"one\r\ntwo\n"[..]));
        buffer.pass(5);
        assert_eq!(buffer.whole_lines(), Ok(&b"two\n"[..]));
        buffer.pass(4);
        assert_eq!(buffer.whole_lines(), Ok(&b""[..]));
        buffer.push(b"ee\n");
        assert_eq!(buffer.next_line(), Ok(Some(&b"three"[..])));
        buffer.push(&[b'a'; LINE_BYTES_MAX + 1]);
        assert_eq!(buffer.whole_lines(), Err(LineTooLong));
    }

    #[test]
    fn a_line_without_an_end_is_given_up() {
        let mut buffer = LineBuffer::default();
        buffer.push(&[b'a'; LINE_BYTES_MAX]);
        assert_eq!(buffer.next_line(), Ok(None));
        buffer.push(b"a");
        assert_eq!(buffer.next_line(), Err(LineTooLong));
    }

    #[test]
    fn a_whole_line_may_not_be_too_long_either() {
        let mut buffer = LineBuffer::default();
        buffer.push(&[b'a'; LINE_BYTES_MAX + 1]);
        buffer.push(b"\n");
        assert_eq!(buffer.next_line(), Err(LineTooLong));
    }
}
