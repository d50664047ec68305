//! The rules of calling, pure: no I/O, no clock, no entropy, no async, no SQL.
//!
//! Time comes in as an argument ([`instant::UtcMs`]), refusals go out with their reason, and the same
//! functions serve the planner, the gate and `campanile why`.

pub mod action;
pub mod algorithm;
pub mod attempt;
pub mod bar;
pub mod breakdown;
pub mod breaker;
pub mod calendar;
pub mod campaign;
pub mod cause;
pub mod contact;
pub mod disposition;
pub mod evidence;
pub mod forecast;
pub mod gate;
pub mod ids;
pub mod instant;
pub mod line;
pub mod line_check;
pub mod name;
pub mod number;
pub mod outcome;
pub mod plan;
pub mod retry;
pub mod rhythm;
pub mod round;
pub mod stored;
pub mod traffic;
pub mod trunk;
pub mod user;
pub mod variable;
pub mod why;
pub mod zoning;
