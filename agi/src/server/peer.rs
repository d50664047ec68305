//! The other end of the line: Asterisk, byte by byte.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::protocol::{Command, CommandRefusal, Decoder, Event, Violation};

/// Why the line is of no more use.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("the other side closed")]
    Closed,
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    #[error("the other side does not speak FastAGI: {0}")]
    Violation(#[from] Violation),
    #[error("a command was not sent: {0}")]
    Command(#[from] CommandRefusal),
}

pub(super) struct Peer {
    stream: TcpStream,
    decoder: Decoder,
    segment: Box<[u8; 2048]>,
    /// Why a command could not be sent; told in place of the next event.
    lost: Option<Lost>,
}

impl Peer {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, decoder: Decoder::default(), segment: Box::new([0; 2048]), lost: None }
    }

    /// The next event. May be dropped while it waits, and loses nothing.
    pub(super) async fn next_event(&mut self) -> Result<Event, Lost> {
        loop {
            if let Some(lost) = self.lost.take() {
                return Err(lost);
            }
            if let Some(event) = self.decoder.next_event()? {
                return Ok(event);
            }
            match self.stream.read(&mut self.segment[..]).await? {
                0 => return Err(Lost::Closed),
                read => self.decoder.push(&self.segment[..read]),
            }
        }
    }

    /// Sends a command in one write; its reply is the next one that counts.
    pub(super) async fn send(&mut self, command: &Command, patience: Duration) {
        self.lost = self.try_send(command, patience).await.err();
    }

    async fn try_send(&mut self, command: &Command, patience: Duration) -> Result<(), Lost> {
        let line = command.render()?;
        self.decoder.expect_reply()?;
        let written = timeout(patience, self.stream.write_all(&line)).await;
        Ok(written.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?)
    }
}
