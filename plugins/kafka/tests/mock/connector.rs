//! What a connector brings, and what it commits.
