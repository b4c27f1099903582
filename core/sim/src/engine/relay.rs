//! A relay: the lanes of a block, or of some blocks one after the other, and what they wait for.
//!
//! A lane of a grid that wraps reads in each block the rows that it wrote in the block before, and of others only what
//! they [keep](super::link) for it. So it may go on to the next block when others have not ended theirs: between the
//! blocks of a small grid all lanes would otherwise wait as long for each other and for the calling thread as a tenth of
//! the work takes. What it writes in a block takes the place of what was read in the one before, which
//! has to be done again if a value was not finite; so it waits there until all have ended the block before well.
//!
//! A lane never waits long: it leaves off, and [goes on](Runner::run) when all have come as far as they can. The one that is
//! furthest behind always can, so that any number of threads does all lanes.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::block::Block;
use super::chemistry::{Hosted, RowKernel};
use super::grid::Fields;
use super::kernel::Counts;
use super::lane::{Before, Inputs, LaneRows, Next, front, sums_of};
use super::link::Link;
use super::scratch::{Buffers, Parts};
use super::strip::Strip;
use super::team::comes;
use super::tiling::Tiling;
use super::wavefront::Lane;
use crate::features::RowSums;
use crate::real::Real;

/// Where a lane goes on in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// At the beginning.
    #[default]
    Beginning,
    /// Where the first row is written: all lanes have to have ended the block before.
    Leaving,
    /// Where the lane behind has to have kept its rows.
    Parting,
    /// Nowhere: a value was not finite.
    Stopped,
}

/// How far a lane has come.
#[derive(Debug, Default)]
pub(super) struct Leg {
    /// Blocks that it has ended.
    blocks: usize,
    stage: Stage,
    /// Of the blocks that all lanes have ended.
    counts: Counts,
    /// Of the last one that it has ended beside them.
    latest: Counts,
}

/// What the lanes tell each other beside what they keep.
pub(super) struct Progress {
    /// Blocks that the lanes have ended, those of all of them added up.
    ended: AtomicUsize,
    /// Blocks of the relay that can be kept: those before the one in which some have stopped. It is the same for all that
    /// have, as nobody passes the place where it leaves off in the next one.
    good: AtomicUsize,
}

impl Progress {
    /// Before a relay of so many blocks.
    pub(super) fn of(blocks: usize) -> Self {
        Self { ended: 0.into(), good: blocks.into() }
    }
}

/// What the lanes have in common.
pub(super) struct Relay<'s, T: Real> {
    pub(super) tiling: &'s Tiling,
    pub(super) chemistry: (&'s dyn RowKernel<T>, Option<Hosted<'s, T>>),
    pub(super) inputs: Inputs<'s, T>,
    /// All have as many steps; more than one only if each lane [sees its own rows alone](Before::own).
    pub(super) blocks: &'s [Block<'s, T>],
    pub(super) strip: &'s Strip,
    /// Those of the lanes, unless none needs another one.
    pub(super) links: Option<&'s [Link<T>]>,
    /// Rows by which the lanes are turned in the first block.
    pub(super) turned: usize,
    /// Lanes can run at the same time.
    pub(super) others: bool,
    pub(super) progress: Progress,
}

impl<'s, T: Real> Relay<'s, T> {
    /// The lanes that can go on, each with its buffers and its part of what is read and written. `first_rows` are the rows of
    /// the grid with which the planes begin.
    pub(super) fn runners<'l>(
        &'l self,
        [current, next]: [&'l mut Fields<T>; 2],
        first_rows: [usize; 2],
        sums: &'l mut [RowSums],
        buffers: &'l mut Buffers<T>,
    ) -> impl Iterator<Item = Runner<'l, T>>
    where
        's: 'l,
    {
        let Inputs { rows: all, columns, boundary, .. } = self.inputs;
        let (block, own) = (&self.blocks[0], self.blocks.len() > 1);
        let steps = block.spikes.len();
        let sums = sums_of(sums, all, block.followed);
        // The first lane begins where they are turned to, the last one ends there.
        let rows_above = if own { 0 } else { (self.turned + all - first_rows[1]) % all };
        let fields = [&mut *next.potential, &mut next.activator, &mut next.inhibitor].map(|field| {
            let (last, first) = field.split_at_mut((rows_above * columns).min(field.len()));
            [first, last]
        });
        let mut rest = Next { fields, sums };
        let current = [&mut *current.potential, &mut current.activator, &mut current.inhibitor];
        let (mut owned, before) = if own {
            (current, None)
        } else {
            let fields = current.map(|field| &*field);
            (Default::default(), Some(Before { fields, first_row: first_rows[0], own }))
        };
        let lanes = buffers.lanes().enumerate().map(move |(index, (parts, leg))| {
            let rows = self.tiling.rows_of(index, all);
            let lane = LaneRows::of(rows.clone(), self.turned, all, boundary);
            let summed = |level: usize| lane.below(steps.saturating_sub(level)).len();
            let cells = rows.len() * columns;
            let next = rest.split_off(cells, summed);
            let own = owned.each_mut().map(|field| front(field, cells));
            let planes = match before {
                Some(before) => Planes::Whole(before, next),
                None => Planes::Own([own, next.fields.map(|[field, _]| field)]),
            };
            Runner { relay: self, index, rows, planes, parts, leg }
        });
        lanes.filter(|runner| self.can_go_on(runner.leg))
    }

    /// Whether a lane can go on, now or when others have.
    fn can_go_on(&self, leg: &Leg) -> bool {
        // Where some have stopped the others end that block and no other.
        let last = self.blocks.len().min(self.progress.good.load(Ordering::Relaxed) + 1);
        leg.stage != Stage::Stopped && leg.blocks < last
    }

    /// Whether all lanes have come as far as they ever will.
    pub(super) fn is_over(&self, buffers: &mut Buffers<T>) -> bool {
        !buffers.legs().any(|(_, leg)| self.can_go_on(leg))
    }

    /// Puts what was counted in the blocks that can be kept to the rest of what came of each lane. Gives the number of these
    /// blocks.
    pub(super) fn end(&self, buffers: &mut Buffers<T>) -> usize {
        let good = self.progress.good.load(Ordering::Relaxed);
        for (swept, leg) in buffers.legs() {
            let Leg { mut counts, latest, .. } = std::mem::take(leg);
            if good == self.blocks.len() {
                counts.add(latest);
            }
            if self.blocks.len() > 1 {
                // What is there was counted at the beginning of a block that is not kept.
                swept.counts = counts;
            }
        }
        good
    }
}

/// What a lane reads and writes.
#[allow(clippy::large_enum_variant, reason = "one for each lane, and a step allocates nothing")]
enum Planes<'s, T> {
    /// All rows are read, and some of the other planes written.
    Whole(Before<'s, T>, Next<'s, T>),
    /// Its rows of both planes, which are read and written in turn.
    Own([[&'s mut [T]; 3]; 2]),
}

impl<T: Copy> Planes<'_, T> {
    /// What is read and what is written in a block, which reads from the row `first` on.
    fn of(&mut self, block: usize, first: isize, all: usize) -> (Before<'_, T>, Next<'_, T>) {
        match self {
            Self::Whole(before, next) => (*before, next.reborrow()),
            Self::Own([even, odd]) => {
                let (read, write) = if block.is_multiple_of(2) { (even, odd) } else { (odd, even) };
                let fields = read.each_ref().map(|field| &**field);
                let first_row = first.rem_euclid(all as isize) as usize;
                let next = write.each_mut().map(|field| [&mut **field, &mut []]);
                let before = Before { fields, first_row, own: true };
                (before, Next { fields: next, sums: Default::default() })
            }
        }
    }
}

/// A lane of a relay.
pub(super) struct Runner<'s, T: Real> {
    relay: &'s Relay<'s, T>,
    index: usize,
    rows: Range<usize>,
    planes: Planes<'s, T>,
    parts: Parts<'s, T>,
    leg: &'s mut Leg,
}

impl<T: Real> Runner<'_, T> {
    /// Goes on from where the lane has come to, until it is done or has to wait for another one.
    pub(super) fn run(mut self) {
        while self.relay.can_go_on(self.leg) && self.reaches_end() {
            self.end();
        }
    }

    /// Goes on with a block; whether it came to its end.
    fn reaches_end(&mut self) -> bool {
        let Self { relay, index, rows, planes, parts, leg } = self;
        let Relay { inputs, blocks, chemistry, strip, links, others, .. } = &**relay;
        let block = leg.blocks;
        let steps = blocks[block].spikes.len();
        let rows = LaneRows::of(rows.clone(), relay.turned + block * steps, inputs.rows, inputs.boundary);
        let (before, next) = planes.of(block, rows.below(steps).start, inputs.rows);
        let mut lane = Lane::of((inputs, &blocks[block]), *chemistry, rows, (before, next), parts.reborrow());
        let Some(links) = links else {
            lane.whole(strip);
            return true;
        };
        let [own, behind] = [*index, *index + 1].map(|index| &links[index % links.len()]);
        if leg.stage == Stage::Beginning {
            lane.until_leaving(strip, &mut own.kept(block));
            leg.stage = Stage::Leaving;
        }
        if leg.stage == Stage::Leaving {
            let ended = || relay.progress.ended.load(Ordering::Acquire);
            if !comes(*others, || ended() >= block * links.len()) {
                return false;
            }
            leg.counts.add(std::mem::take(&mut leg.latest));
            lane.until_kept(strip, &mut own.kept(block));
            own.keep(block + 1);
            lane.until_parting(strip);
            leg.stage = Stage::Parting;
        }
        // There is none behind the last one of a bounded grid.
        if lane.has_one_behind() {
            if !behind.has_kept(block, *others) {
                return false;
            }
            lane.until_end(strip, &behind.kept(block));
        }
        true
    }

    /// Ends a block.
    fn end(&mut self) {
        let Self { relay, parts, leg, .. } = self;
        if relay.blocks.len() > 1 {
            let counts = std::mem::take(&mut parts.swept.counts);
            if counts.not_finite {
                relay.progress.good.store(leg.blocks, Ordering::Relaxed);
                leg.stage = Stage::Stopped;
                return;
            }
            leg.latest = counts;
        }
        leg.blocks += 1;
        leg.stage = Stage::Beginning;
        relay.progress.ended.fetch_add(1, Ordering::Release);
    }
}
