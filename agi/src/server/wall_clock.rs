//! Waiting for an instant of the wall clock, to a fraction of a millisecond.
//!
//! A runtime's timers count whole milliseconds of another clock, and round up. The kernel's timer on
//! the wall clock fires at the instant itself and moves along when the clock is set. One thread waits
//! for it on behalf of all gates.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use campanile::clock;
use campanile::domain::instant::UtcMs;
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::sync::oneshot;

/// The alarms of this process. Its thread ends with it.
#[derive(Debug)]
pub(super) struct WallClock(Arc<Clockwork>);

#[derive(Debug)]
struct Clockwork {
    /// Set to the first of the alarms.
    timer: TimerFd,
    alarms: Mutex<Alarms>,
}

#[derive(Debug, Default)]
struct Alarms {
    /// By their instant and, among equals, in the order in which they came.
    set: BTreeMap<(UtcMs, u64), oneshot::Sender<()>>,
    came: u64,
    dropped: bool,
}

impl WallClock {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let timer = TimerFd::new(ClockId::CLOCK_REALTIME, TimerFlags::TFD_CLOEXEC)?;
        let clockwork = Arc::new(Clockwork { timer, alarms: Mutex::default() });
        let ticking = Arc::clone(&clockwork);
        thread::Builder::new().name("wall-clock".to_owned()).spawn(move || {
            if let Err(error) = ticking.tick() {
                log::error!("the precise timer broke: {error}");
            }
        })?;
        Ok(Self(clockwork))
    }

    /// Returns when the wall clock shows `at`.
    pub(super) async fn wait_until(&self, at: UtcMs) {
        if at <= clock::now() {
            return;
        }
        let rung = match self.0.set(at) {
            Ok(ring) => ring.await.is_ok(),
            Err(_) => false,
        };
        if !rung {
            let left_ms = u64::try_from(at.since_ms(clock::now())).unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(left_ms)).await;
        }
    }
}

impl Drop for WallClock {
    fn drop(&mut self) {
        self.0.alarms().dropped = true;
        let at_once = Expiration::OneShot(TimeSpec::from_duration(Duration::from_nanos(1)));
        // Without the timer its thread stays asleep, and that is all.
        let _ = self.0.timer.set(at_once, TimerSetTimeFlags::empty());
    }
}

impl Clockwork {
    fn alarms(&self) -> MutexGuard<'_, Alarms> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, at: UtcMs) -> nix::Result<oneshot::Receiver<()>> {
        let (ring, rings) = oneshot::channel();
        let mut alarms = self.alarms();
        alarms.came += 1;
        let place = (at, alarms.came);
        alarms.set.insert(place, ring);
        if alarms.set.first_key_value().is_some_and(|(first, _)| *first == place) {
            self.arm(at)?;
        }
        Ok(rings)
    }

    /// Sets the timer, also under a thread that already waits for it. The caller holds the alarms, so
    /// that no other instant comes between.
    fn arm(&self, at: UtcMs) -> nix::Result<()> {
        // Zero would disarm it.
        let since_epoch = Duration::from_millis(u64::try_from(at.0).unwrap_or(0).max(1));
        let instant = Expiration::OneShot(TimeSpec::from_duration(since_epoch));
        self.timer.set(instant, TimerSetTimeFlags::TFD_TIMER_ABSTIME)
    }

    fn tick(&self) -> nix::Result<()> {
        loop {
            self.timer.wait()?;
            let mut alarms = self.alarms();
            if alarms.dropped {
                return Ok(());
            }
            let later = alarms.set.split_off(&(clock::now().plus_ms(1), 0));
            for ring in std::mem::replace(&mut alarms.set, later).into_values() {
                // Who hung up meanwhile does not listen.
                let _ = ring.send(());
            }
            if let Some((&(first, _), _)) = alarms.set.first_key_value() {
                self.arm(first)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn alarms_ring_at_their_instant_and_not_before_in_any_order() {
        let wall_clock = Arc::new(WallClock::start().unwrap());
        let begin = clock::now();
        let waits: Vec<_> = [40, 9, 25, 9, 1, 33]
            .map(|ms| {
                let (wall_clock, at) = (Arc::clone(&wall_clock), begin.plus_ms(ms));
                tokio::spawn(async move {
                    wall_clock.wait_until(at).await;
                    assert!(clock::now() >= at);
                })
            })
            .into();
        for wait in waits {
            wait.await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_past_is_not_waited_for() {
        let wall_clock = WallClock::start().unwrap();
        for at in [clock::now(), UtcMs(0), UtcMs(i64::MIN)] {
            wall_clock.wait_until(at).await;
        }
    }

    #[test]
    fn its_thread_ends_with_it() {
        let wall_clock = WallClock::start().unwrap();
        let clockwork = Arc::downgrade(&wall_clock.0);
        drop(wall_clock);
        while clockwork.upgrade().is_some() {
            thread::yield_now();
        }
    }
}
