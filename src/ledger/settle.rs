//! Closing an attempt: its one disposition, and what follows for the contact, in one transaction (I3).

use rusqlite::{Connection, params};

use super::{LedgerError, Result};
use crate::domain::disposition::Conclusion;
use crate::domain::ids::AttemptId;
use crate::domain::instant::UtcMs;

/// Closes an open attempt with its disposition. A second closing is an error, not a change.
pub fn close(db: &Connection, id: AttemptId, conclusion: &Conclusion, now: UtcMs) -> Result<()> {
    let closed = db
        .prepare_cached(
            "UPDATE attempts SET state = 'closed', closed_at = ?2, disposition = ?3, detail = ?4, cause = ?5,
                sip_code = ?6, dialled_at = ?7, answered_at = ?8, ended_at = ?9, ring_ms = ?10, talk_ms = ?11
             WHERE id = ?1 AND closed_at IS NULL",
        )?
        .execute(params![
            id.0,
            now.0,
            conclusion.disposition.as_str(),
            conclusion.detail,
            conclusion.cause,
            conclusion.sip_code,
            conclusion.dialled_at.map(|t| t.0),
            conclusion.answered_at.map(|t| t.0),
            conclusion.ended_at.0,
            conclusion.ring_ms,
            conclusion.talk_ms,
        ])?;
    if closed == 1 { Ok(()) } else { Err(LedgerError::absent("open attempt", id.to_string())) }
}
