//! Which batches are outstanding: each token settles once, with one verdict for each record.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
};

use mfn_plugin::value::BatchToken;

/// The outstanding batches of one connector.
#[derive(Default)]
pub(super) struct Settlement {
    outstanding: Mutex<HashMap<BatchToken, Batch>>,
}

struct Batch {
    records: usize,
    settling: bool,
}

impl Settlement {
    /// Notes a fetched batch; false when its token is outstanding already.
    pub(super) fn fetched(&self, token: BatchToken, records: usize) -> bool {
        match self.lock().entry(token) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(Batch { records, settling: false });
                true
            }
        }
    }

    /// Starts a settlement; the text says why it can not be.
    pub(super) fn begin(&self, token: BatchToken, verdicts: usize) -> Result<(), String> {
        let mut outstanding = self.lock();
        let Some(batch) = outstanding.get_mut(&token) else {
            return Err(format!("token {} is not outstanding; a batch settles once", token.0));
        };
        if batch.settling {
            return Err(format!("token {} is being settled by another thread", token.0));
        }
        if batch.records != verdicts {
            return Err(format!(
                "{verdicts} verdicts for the {} records of token {}",
                batch.records, token.0
            ));
        }
        batch.settling = true;
        Ok(())
    }

    /// Ends a settlement: done for good, or to be tried again.
    pub(super) fn end(&self, token: BatchToken, done: bool) {
        let mut outstanding = self.lock();
        if done {
            outstanding.remove(&token);
        } else if let Some(batch) = outstanding.get_mut(&token) {
            batch.settling = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BatchToken, Batch>> {
        self.outstanding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards that a token settles once, that a failed settlement can be tried again, and that the
    /// number of verdicts fits.
    #[test]
    fn a_token_settles_once() {
        let settlement = Settlement::default();
        let token = BatchToken(7);
        assert!(settlement.begin(token, 2).is_err());
        assert!(settlement.fetched(token, 2));
        assert!(!settlement.fetched(token, 3));
        assert!(settlement.begin(token, 3).is_err());
        settlement.begin(token, 2).unwrap();
        assert!(settlement.begin(token, 2).is_err());
        settlement.end(token, false);
        settlement.begin(token, 2).unwrap();
        settlement.end(token, true);
        assert!(settlement.begin(token, 2).is_err());
    }
}
