//! Bytes to text: what charset a file is in, and a bounded stream of UTF-8 out of it.

use std::io::{self, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::IntakeError;

const CHUNK_BYTES: usize = 32 * 1024;

/// The first `limit` bytes of a source, and the source.
pub(super) fn sample<R: Read>(mut source: R, limit: usize) -> io::Result<(Vec<u8>, R)> {
    let mut sample = Vec::with_capacity(limit);
    source.by_ref().take(limit as u64).read_to_end(&mut sample)?;
    Ok((sample, source))
}

/// Refuses what other programs write that is no text, by its first bytes.
pub(super) fn refuse_foreign(sample: &[u8]) -> Result<(), IntakeError> {
    const SAVE_AS_CSV: &str = "open it in the spreadsheet and save it as CSV (UTF-8)";
    const UNPACK: &str = "unpack it and import the file inside";
    const KINDS: [(&[u8], &str, &str); 9] = [
        (b"PK\x03\x04", "a spreadsheet (xlsx, ods) or another ZIP archive", SAVE_AS_CSV),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old spreadsheet (xls)", SAVE_AS_CSV),
        (b"%PDF", "a PDF", "export the numbers as CSV from the program that made it"),
        (b"{\\rtf", "a word processor's document (RTF)", "save it as plain text"),
        (b"\x1f\x8b", "a gzip archive", UNPACK),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
        (b"<html", "a web page", SAVE_AS_CSV),
        (b"<!DOCTYPE", "a web page", SAVE_AS_CSV),
        (b"<?xml", "an XML document", SAVE_AS_CSV),
    ];
    let starts = |magic: &[u8]| sample.get(..magic.len()).is_some_and(|s| s.eq_ignore_ascii_case(magic));
    match KINDS.iter().find(|(magic, ..)| starts(magic)) {
        Some((_, what, mend)) => Err(IntakeError::NotText { what, mend }),
        None => Ok(()),
    }
}

/// The charset by its name, else by its byte order mark, else as the bytes look.
pub(super) fn find(sample: &[u8], name: Option<&str>) -> Result<&'static Encoding, IntakeError> {
    if let Some(name) = name {
        let unknown = || IntakeError::UnknownCharset { name: name.chars().take(40).collect() };
        return Encoding::for_label_no_replacement(name.as_bytes()).ok_or_else(unknown);
    }
    if let Some((encoding, _)) = Encoding::for_bom(sample) {
        return Ok(encoding);
    }
    if let Some(encoding) = utf_16_without_mark(sample) {
        return Ok(encoding);
    }
    let nuls = sample.iter().filter(|b| **b == 0).count();
    if nuls * 20 > sample.len() {
        return Err(IntakeError::NotText { what: "a binary file", mend: "export the numbers as CSV or plain text" });
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(sample, false);
    Ok(detector.guess(None, Utf8Detection::Allow))
}

/// In UTF-16, digits and separators have a zero in every second byte.
fn utf_16_without_mark(sample: &[u8]) -> Option<&'static Encoding> {
    let pairs = sample.chunks_exact(2);
    let count = pairs.len();
    let zeros = |place: usize| sample.chunks_exact(2).filter(|p| p[place] == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    let (most, few) = (count * 7 / 10, count / 10);
    match count {
        0 | 1 => None,
        _ if second > most && first <= few => Some(UTF_16LE),
        _ if first > most && second <= few => Some(UTF_16BE),
        _ => None,
    }
}

/// The sample as text, for looking at; a character cut off at its end becomes a replacement.
pub(super) fn decode(sample: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode_with_bom_removal(sample).0.into_owned()
}

/// UTF-8 text from bytes, a chunk at a time. What is no text becomes U+FFFD, so rows can tell.
pub(super) struct TextStream {
    source: Box<dyn Read + Send>,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_at: usize,
    ended: bool,
    finished: bool,
    bytes_read: u64,
}

impl TextStream {
    pub(super) fn new(sample: Vec<u8>, rest: impl Read + Send + 'static, encoding: &'static Encoding) -> Self {
        let source: Box<dyn Read + Send> = Box::new(io::Cursor::new(sample).chain(rest));
        let decoder = if encoding == UTF_8 || encoding == UTF_16LE || encoding == UTF_16BE {
            encoding.new_decoder_with_bom_removal()
        } else {
            encoding.new_decoder_without_bom_handling()
        };
        Self {
            source,
            decoder,
            raw: Vec::with_capacity(CHUNK_BYTES),
            raw_at: 0,
            ended: false,
            finished: false,
            bytes_read: 0,
        }
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Puts the next piece of text into `text`; empty at the end.
    pub(super) fn fill(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        text.resize(CHUNK_BYTES, 0);
        if self.finished {
            text.clear();
            return Ok(());
        }
        loop {
            if self.raw_at == self.raw.len() && !self.ended {
                self.refill()?;
            }
            let (result, read, written, _) = self.decoder.decode_to_utf8(&self.raw[self.raw_at..], text, self.ended);
            self.raw_at += read;
            self.finished = self.ended && result == CoderResult::InputEmpty;
            if written > 0 || self.finished {
                text.truncate(written);
                return Ok(());
            }
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.raw.clear();
        self.raw_at = 0;
        let read = self.source.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut self.raw)?;
        self.bytes_read += read as u64;
        self.ended = read == 0;
        Ok(())
    }
}
