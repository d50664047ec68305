//! FastAGI as bytes: what Asterisk sends becomes [`Event`]s, and [`Command`]s become lines.
//!
//! Pure. Asterisk's side is res/res_agi.c; asterisk.md 7 and 8 say what it really does. Two of its
//! habits shape this module: a command must go out as one line below 2,000 bytes and in one write,
//! and the next one only after the reply, because Asterisk neither joins nor queues what it reads.

mod command;
mod decoder;
mod line;
mod reply;
mod request;

pub use command::{Application, COMMAND_BYTES_MAX, Command, CommandRefusal, Interrupt, KEYS, SOUND_MS, Variable};
pub use decoder::{Decoder, Event, SESSION_BYTES_MAX, Violation};
pub use line::LINE_BYTES_MAX;
pub use reply::{Answer, Reply};
pub use request::{ARGS_MAX, ENVIRONMENT_BYTES_MAX, ENVIRONMENT_LINES_MAX, Request};
