//! Timing: the CPU time and the wall time of programs that run in turns.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// Times of one unit of work, seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times {
    /// CPU time of all threads of this process.
    pub cpu: f64,
    /// Time that passed.
    pub wall: f64,
}

impl Times {
    /// The smaller CPU time and the smaller wall time of the two.
    #[must_use]
    pub fn best(self, other: Self) -> Self {
        Self { cpu: self.cpu.min(other.cpu), wall: self.wall.min(other.wall) }
    }
}

/// Times `units` of work.
pub fn time(program: &mut dyn FnMut(u64), units: u64) -> Times {
    let (wall, cpu) = (Instant::now(), cpu_time());
    program(units);
    let each = |spent: Duration| spent.as_secs_f64() / units as f64;
    Times { cpu: each(cpu_time().saturating_sub(cpu)), wall: each(wall.elapsed()) }
}

/// How many units take at least `least`, beginning with `first`; the last try warms the caches.
pub fn units_for(program: &mut dyn FnMut(u64), first: u64, least: Duration) -> u64 {
    let mut units = first.max(1);
    loop {
        let spent = time(program, units).wall * units as f64;
        if spent >= least.as_secs_f64() {
            return units;
        }
        // Not more than eightfold: a first run that met cold caches says little.
        let missing = least.as_secs_f64() / spent.max(1e-9) * 1.1;
        units = (units as f64 * missing.clamp(1.5, 8.0)).ceil() as u64;
    }
}

/// CPU time of all threads of this process so far.
#[must_use]
pub fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the clocks: sleeping passes time, work takes CPU time, and a run is as long as asked. Other tests of the
    /// process add CPU time, so it has no upper bound here.
    #[test]
    fn both_clocks_run() {
        let mut sleep = |units| std::thread::sleep(Duration::from_millis(2 * units));
        assert!(time(&mut sleep, 5).wall >= 0.002);
        assert!(units_for(&mut sleep, 1, Duration::from_millis(10)) >= 4);
        let mut spin = |units| {
            let started = Instant::now();
            while started.elapsed() < Duration::from_millis(20 * units) {
                std::hint::black_box(units);
            }
        };
        let times = time(&mut spin, 1);
        assert!(times.cpu > 0.0 && times.wall >= 0.020, "{times:?}");
    }
}
