//! A relay of blocks, after `core/sim/src/engine/relay.rs`: two lanes do block after block, each reads what the other has kept
//! for it, and none writes over what a block was computed from before both have ended that block well.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

/// A number that loom need not follow: nobody reads it before its writer has said that it is there.
type Value = std::sync::atomic::AtomicUsize;

const BLOCKS: usize = 2;
const LANES: usize = 2;

/// What a lane may do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It writes its planes while the other one has not ended the block before.
    NobodyWaits,
    /// It keeps the rows of all blocks in one place.
    OnePlace,
}

/// loom checks each access: two that are not ordered, of which one writes, are a fault.
#[derive(Default)]
struct Kept {
    access: UnsafeCell<()>,
    block: Value,
}

#[derive(Default)]
struct Lane {
    /// The blocks after which the planes are.
    planes: [Value; 2],
    /// Those of even and of odd blocks.
    kept: [Kept; 2],
    /// Blocks of which the rows are kept.
    blocks: AtomicUsize,
}

struct Relay {
    lanes: [Lane; LANES],
    ended: AtomicUsize,
    good: AtomicUsize,
}

impl Relay {
    /// The blocks of a lane until the last one, or the one in which lane 1 has a value that is not finite.
    fn run(&self, index: usize, bad_block: usize, fault: Fault) {
        let [own, behind] = [index, index + 1].map(|lane| &self.lanes[lane % LANES]);
        for block in 0..BLOCKS {
            let place = if fault == Fault::OnePlace { 0 } else { block % 2 };
            own.kept[place].access.with_mut(|_| own.kept[place].block.store(block, Ordering::Relaxed));
            // Here a lane leaves off where another one has stopped.
            while fault != Fault::NobodyWaits && self.ended.load(Ordering::Acquire) < block * LANES {
                if self.good.load(Ordering::Relaxed) < block {
                    return;
                }
                thread::yield_now();
            }
            own.planes[(block + 1) % 2].store(block + 1, Ordering::Relaxed);
            own.blocks.store(block + 1, Ordering::Release);
            while behind.blocks.load(Ordering::Acquire) <= block {
                if self.good.load(Ordering::Relaxed) < block {
                    return;
                }
                thread::yield_now();
            }
            let kept = behind.kept[place].access.with(|_| behind.kept[place].block.load(Ordering::Relaxed));
            assert_eq!(kept, block, "what was kept is of another block");
            if block == bad_block && index == 1 {
                self.good.store(block, Ordering::Relaxed);
                return;
            }
            self.ended.fetch_add(1, Ordering::Release);
        }
    }
}

/// Runs a relay of which lane 1 stops in `bad_block`, if there is such a block.
///
/// # Panics
/// Where a lane reads rows of another block, or what the last good block left is not there.
pub fn planes_are_left_as_the_last_good_block_left_them(bad_block: usize, fault: Fault) {
    let relay = Arc::new(Relay { lanes: Default::default(), ended: 0.into(), good: BLOCKS.into() });
    let other = Arc::clone(&relay);
    let worker = thread::spawn(move || other.run(1, bad_block, fault));
    relay.run(0, bad_block, fault);
    worker.join().expect("a lane does not panic");
    let good = relay.good.load(Ordering::Relaxed);
    assert_eq!(good, bad_block.min(BLOCKS));
    for lane in &relay.lanes {
        assert_eq!(lane.planes[good % 2].load(Ordering::Relaxed), good, "what a good block left is gone");
    }
}
