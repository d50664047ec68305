//! Call files, pure: what Asterisk reads in one ([`parse()`]) and what we write into one ([`render()`]).
//!
//! The reader obeys `pbx_spool.c` to the letter, also where that is odd, because it must see what
//! Asterisk sees. The writer knows one shape only, a ticket and a wait time in a fixed set of keys,
//! refuses whatever does not fit, and reads every file back before it lets it go (I7).
//!
//! Absent on purpose: applications, caller ids, account codes, Asterisk's own retries. The ledger
//! holds the order and the gate hands it out.

mod history;
mod line;
mod parse;
mod render;
mod template;
mod template_fault;
mod text;

pub use history::{Begun, Mark, MarkWord};
pub use parse::{CallFile, Ignored, Parsed, WhyIgnored, parse};
pub use render::{Ticketed, Unrenderable, WAIT_TIME_S_MAX, file_wait_time_s, render};
pub use template::{DEFAULT_TEMPLATE, RETRY_TIME_S_MAX, RETRY_TIME_S_MIN, SETS_MAX, Template};
pub use template_fault::{TemplateFault, TemplateProblem, TemplateProblems};
pub use text::Text;

/// The variable that carries the ticket. Two underscores hand it down to the dialling leg and to
/// whatever that leg creates (asterisk.md 1.4).
pub const TICKET_VARIABLE: &str = "__CAMPANILE_TICKET";
/// The channel of every file. Without `/n` the two halves optimise themselves away as soon as the
/// answered leg is bridged, and the file ends while the call goes on (asterisk.md 6).
pub const CHANNEL: (&str, &str) = ("Local", "dial@campanile-dial/n");
/// Context, extension and priority of the answered leg in `extensions_campanile.conf`.
pub const ANSWERED: (&str, &str, i32) = ("campanile-answered", "s", 1);
