//! The other end of the line: Asterisk, byte by byte.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

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
    /// What the other side's buffer had no room for. Asterisk reads each command before it replies, so this
    /// is empty unless somebody else speaks with us.
    unsent: Vec<u8>,
    /// Why a command could not be sent; told in place of the next event.
    lost: Option<Lost>,
}

impl Peer {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, decoder: Decoder::default(), unsent: Vec::new(), lost: None }
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
            if poll_fn(|context| self.poll(context)).await? == 0 {
                return Err(Lost::Closed);
            }
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while !self.unsent.is_empty() {
            match Pin::new(&mut self.stream).poll_write(context, &self.unsent) {
                Poll::Ready(written) => drop(self.unsent.drain(..written?)),
                Poll::Pending => break,
            }
        }
        self.poll_read(context)
    }

    /// Reads what has come, and gives how much. The buffer is the stack's: whoever waits holds none.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut bytes = [MaybeUninit::uninit(); 2048];
        let mut segment = ReadBuf::uninit(&mut bytes);
        ready!(Pin::new(&mut self.stream).poll_read(context, &mut segment))?;
        self.decoder.push(segment.filled());
        Poll::Ready(Ok(segment.filled().len()))
    }

    /// Sends a command in one write; its reply is the next one that counts.
    pub(super) fn send(&mut self, command: &Command) {
        self.lost = self.try_send(command).err();
    }

    fn try_send(&mut self, command: &Command) -> Result<(), Lost> {
        let line = command.render()?;
        self.decoder.expect_reply()?;
        let written = match self.stream.try_write(&line) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            written => written?,
        };
        self.unsent.extend_from_slice(&line[written..]);
        Ok(())
    }
}
