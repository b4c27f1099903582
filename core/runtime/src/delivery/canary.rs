//! Bugs that tests plant on purpose, to prove that the simulator would find them.
//!
//! A check that can not fail is worth nothing. Outside of tests no bug can be planted, and the questions here
//! are constants.

/// A mistake that a delivery machine could make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// The cursor goes to the largest delivered position instead of the end of the delivered prefix.
    CommitPastGap,
    /// Answers of a wrong count are believed as far as they go.
    TrustBreach,
    /// The time that an endpoint asked for is ignored.
    IgnorePause,
    /// An open circuit lets everything through.
    IgnoreCircuit,
    /// Machines that call one endpoint do not tell each other about it.
    ShareNothing,
    /// A late answer is believed, whatever call it is for.
    BelieveLate,
    /// A call that is refused as a whole costs all its records.
    BlameAll,
    /// Later records of a key pass one that is held back.
    Overtake,
    /// A record counts as delivered when the first publisher has it.
    FirstPublisherDecides,
}

#[cfg(not(test))]
pub(crate) const fn planted(_: Bug) -> bool {
    false
}

#[cfg(test)]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

#[cfg(test)]
pub(crate) fn planted(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

/// Plants a bug in the machines of this thread, or takes it away.
#[cfg(test)]
pub(crate) fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}
