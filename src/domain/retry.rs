//! What follows from a disposition: again, and when, or a final state.
