//! The kernel of all three fields where rows have nothing special but noise, which is what most runs are made of.
//!
//! Few cells are activated and fewer are clamped, yet to look at each of them for that takes a fifth of the time. So the
//! rows are computed as if nothing happened, and what is kept of them is the range of their values. Where it says
//! that something did happen, [`Mend`](super::Mend) does it to the rows that were written.

use super::rows::RowWork;
use super::stencil::range_of;
use super::{Batch, Numbers, Registers};
use crate::engine::calm::Watch;
use crate::engine::constants::{FIELD_MAX_V, FIELD_MIN_V, REST_MEAN_V};
use crate::kinetics::Reaction;
use crate::real::Real;
use crate::simd::{Around, LaneWork, Lanes, Neighbours, TwoRows, Vector};

/// One step of all three fields but for activation, the clamp of the potential and that of an activator above its range,
/// for rows without extras but noise and [tame](crate::engine::grid::Fields::are_tame) cells. `TIMED`: the time step may
/// be another than 1, and the potential may relax to rest. `WATCH` is the
/// number of a [`Watch`]. Says whether there is something to be mended, which there never is but with [`Watch::All`].
///
/// A leak of 0 gives the bits of none. What it adds to a change is 0, which leaves every number as it is but -0; and it is
/// -0 wherever the potential is above rest, so that it leaves that too. Below rest the potential is not 0, and the sign of
/// a change of 0 is lost in its new value.
pub(crate) struct Plain<'a, 'b, T, R, const TIMED: bool, const WATCH: u8> {
    pub(crate) batch: &'a mut Batch<'b, T>,
    pub(crate) numbers: &'a Numbers<T>,
    pub(crate) reaction: &'a R,
}

/// What [`Plain`] needs in every row, in the registers of a level, and what it has seen.
struct PlainRows<V, R, const TIMED: bool, const WATCH: u8> {
    lanes: Lanes<V>,
    reaction: R,
    coefficients: [V; 3],
    time_step: V,
    leak_rate: V,
    rest: V,
    range: Option<(V, V)>,
    one: V,
    four: V,
    /// The least and the greatest potential, the greatest activator before its clamp.
    lowest: V,
    highest: V,
    top: V,
}

impl<V, R, const TIMED: bool, const WATCH: u8> PlainRows<V, R, TIMED, WATCH> {
    /// What the cells above and below add up to, of each field.
    #[inline(always)]
    fn up_and_down<T: Real>(Neighbours { up, down, .. }: &Neighbours<V, 3>) -> [V; 3]
    where
        V: Vector<T>,
    {
        [up[0] + down[0], up[1] + down[1], up[2] + down[2]]
    }

    /// The five-point Laplacian with unit spacing of a field, in the order of summation of MFN 4.1.
    #[inline(always)]
    fn laplacian<T: Real>(&self, around: &Neighbours<V, 3>, field: usize, up_and_down: V) -> V
    where
        V: Vector<T>,
        R: Reaction<T>,
    {
        // Some processors add and multiply in different units: with one of the three sums taken as a product both have
        // about as much to do.
        let three = up_and_down.plus_by_product(around.first[field], self.one);
        let neighbours = three + around.second[field];
        // The potential is clamped in every step, the others by some kinetics: four times such a number is exact.
        if field == 0 || R::CLAMP.is_some() {
            neighbours.less_exact_product(self.four, around.centre[field])
        } else {
            neighbours - self.four * around.centre[field]
        }
    }

    /// Those of all fields.
    #[inline(always)]
    fn laplacians<T: Real>(&self, around: &Neighbours<V, 3>, [v, a, i]: [V; 3]) -> [V; 3]
    where
        V: Vector<T>,
        R: Reaction<T>,
    {
        [self.laplacian(around, 0, v), self.laplacian(around, 1, a), self.laplacian(around, 2, i)]
    }

    /// `change` in a step.
    #[inline(always)]
    fn over_time<T: Real>(&self, change: V) -> V
    where
        V: Vector<T>,
    {
        if TIMED { self.time_step * change } else { change }
    }

    /// The new cells of a register, from the old ones and their Laplacians.
    #[inline(always)]
    fn step<T: Real>(&mut self, [v_old, a_old, i_old]: [V; 3], [v, a, i]: [V; 3]) -> [V; 3]
    where
        V: Vector<T>,
        R: Reaction<T>,
    {
        let [alpha, d_activator, d_inhibitor] = self.coefficients;
        let (f, g) = self.reaction.rates(a_old, i_old);
        let a_new = a_old + self.over_time(d_activator * a + f);
        let i_new = i_old + self.over_time(d_inhibitor * i + g);
        let mut change = alpha * v;
        if TIMED {
            change = change + self.leak_rate * (self.rest - v_old);
        }
        let v_new = v_old + self.over_time(change);
        if WATCH == Watch::All as u8 {
            self.lowest = self.lowest.lowered_to(v_new);
            self.highest = self.highest.raised_to(v_new);
            self.top = self.top.raised_to(a_new);
        }
        match self.range {
            Some((low, high)) if WATCH == Watch::All as u8 => {
                [v_new, a_new.raised_to(low), i_new.raised_to(low).lowered_to(high)]
            }
            Some((low, _)) if WATCH == Watch::Low as u8 => {
                [v_new, a_new.raised_to(low), i_new.raised_to(low)]
            }
            _ => [v_new, a_new, i_new],
        }
    }
}

impl<T: Real, V: Vector<T>, R: Reaction<T>, const TIMED: bool, const WATCH: u8> RowWork<T, V, 3>
    for PlainRows<V, R, TIMED, WATCH>
{
    #[inline(always)]
    fn row(&mut self, around: &mut Around<'_, T, V, 3>, registers: &Registers) {
        for k in 0..registers.all() {
            let cells = around.read(self.lanes, k);
            let laplacians = self.laplacians(&cells, Self::up_and_down(&cells));
            around.write(k, self.step(cells.centre, laplacians));
        }
    }

    const TWO_ROWS: bool = true;

    #[inline(always)]
    fn two_rows(&mut self, rows: &mut TwoRows<'_, T, V, 3>, registers: &Registers) {
        let mut before = rows.before_first(self.lanes);
        for k in 0..registers.all() {
            let [upper, lower] = rows.read(self.lanes, k, &mut before);
            // A processor looks only so far ahead. In stages it finds more to do at once than field after field, as which
            // the compiler would have it: 1 to 3 % of the time.
            let [one, two] = V::stage([Self::up_and_down(&upper), Self::up_and_down(&lower)]);
            let [one, two] = V::stage([self.laplacians(&upper, one), self.laplacians(&lower, two)]);
            rows.write(k, [self.step(upper.centre, one), self.step(lower.centre, two)]);
        }
    }
}

impl<T: Real, R: Reaction<T>, const TIMED: bool, const WATCH: u8> LaneWork<T>
    for Plain<'_, '_, T, R, TIMED, WATCH>
{
    type Output = bool;

    #[inline(always)]
    fn run<V: Vector<T>>(self, lanes: Lanes<V>) -> bool {
        let Self { batch, numbers: p, reaction } = self;
        let rest = lanes.splat(T::of(REST_MEAN_V));
        let threshold = lanes.splat(p.threshold);
        let mut rows = PlainRows::<V, R, TIMED, WATCH> {
            lanes,
            reaction: reaction.clone(),
            coefficients: [lanes.splat(p.alpha), lanes.splat(p.d_activator), lanes.splat(p.d_inhibitor)],
            time_step: lanes.splat(p.time_step),
            // -0 becomes 0.
            leak_rate: lanes.splat(p.leak_rate + T::ZERO),
            rest,
            range: range_of::<T, V>(lanes, R::CLAMP),
            one: lanes.one(),
            four: lanes.splat(T::of(4.0)),
            lowest: rest,
            highest: rest,
            top: threshold,
        };
        let registers = batch.span.registers(V::LANES);
        rows.rows(batch, &registers);
        if WATCH != Watch::All as u8 {
            return false;
        }
        let low = lanes.splat(T::of(FIELD_MIN_V)).above(rows.lowest);
        let high = rows.highest.above(lanes.splat(T::of(FIELD_MAX_V)));
        V::bits(low) | V::bits(high) | V::bits(rows.top.above(threshold)) != 0
    }
}
