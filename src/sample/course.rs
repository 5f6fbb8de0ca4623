//! Chains on their way: pieces of steps between draws and frames, looks at whether all are sound, and where the run stands.

use std::time::{Duration, Instant};

use super::record::Record;
use super::{AGAIN, Frames, Listen, SamplingState};
use crate::engine::Chains;
use crate::error::{Error, Result};
use crate::points::Points;

/// The time between looks at chains that take no draws. A look waits for the device, a fraction of a millisecond behind what is
/// in flight anyway: one in some five submissions is cheap, and a chain that has left every bound is told of soon.
const LOOK: Duration = Duration::from_millis(500);

/// Chains on their way, and who hears of them.
pub(super) struct Course<'a> {
    pub(super) chains: Box<dyn Chains + 'a>,
    pub(super) done: u64,
    /// The last step after which all chains were seen to be finite.
    pub(super) sound: &'a mut u64,
    /// The step from which on they are looked at after each, if there is one.
    pub(super) close: Option<u64>,
    /// When they were looked at last.
    pub(super) looked: Instant,
    pub(super) frames: &'a Frames,
    /// The next of the frames' steps.
    pub(super) next: usize,
    pub(super) record: Record,
    pub(super) begun: Instant,
    /// Time spent before.
    pub(super) seconds: f64,
    pub(super) listen: &'a mut dyn Listen,
}

impl Course<'_> {
    pub(super) fn seconds(&self) -> f64 {
        self.seconds + self.begun.elapsed().as_secs_f64()
    }

    /// Does the steps up to `end`, if any are left, in pieces that end where there are frames.
    pub(super) fn go_to(&mut self, end: u64) -> Result<()> {
        self.show()?;
        while self.done < end {
            if self.close.is_some() && self.begun.elapsed() > AGAIN {
                return Err(Error::failed("it takes too long to see the chains after every step"));
            }
            let until = self.frames.steps.get(self.next).map_or(end, |step| end.min(*step));
            let until = match self.close {
                Some(close) if self.done >= close => self.done + 1,
                close => until.min(close.unwrap_or(until)),
            };
            self.done += self.chains.advance(until - self.done)?;
            self.listen.steps(self.done);
            self.show()?;
            self.look()?;
            // at the end there may be more to do before the steps count as done
            if self.done < end {
                self.save()?;
            }
        }
        Ok(())
    }

    /// Takes a draw, `thin` steps after the one before.
    pub(super) fn draw(&mut self, thin: u64) -> Result<()> {
        let is_sound = self.record.take(self.chains.as_mut(), thin)?;
        self.looked_at(is_sound)?;
        if self.listen.wants_draws() {
            self.listen.draw(&self.chains.first(usize::MAX)?)?;
        }
        self.save()
    }

    /// Looks at all chains if the last look was long ago. It changes nothing about them, so that it may depend on the clock.
    fn look(&mut self) -> Result<()> {
        let is_due = self.close.map_or(self.looked.elapsed() >= LOOK, |close| self.done >= close);
        if !is_due {
            return Ok(());
        }
        let is_sound = self.chains.moments()?.broken == 0;
        self.looked_at(is_sound)
    }

    /// Takes note of a look at all chains, and refuses to go on if they are not sound: what has blown up does not come back.
    fn looked_at(&mut self, is_sound: bool) -> Result<()> {
        if !is_sound {
            let positions = self.chains.first(usize::MAX)?;
            self.check(&positions)?;
        }
        (*self.sound, self.looked) = (self.done, Instant::now());
        Ok(())
    }

    /// Refuses to go on with chains of which some have left every bound; the others do not feel it.
    pub(super) fn check(&self, positions: &Points) -> Result<()> {
        let is_lost = |x: &[f64]| x.iter().any(|v| !v.is_finite());
        let Some(first) = positions.rows().position(is_lost) else { return Ok(()) };
        let (lost, count) = (positions.rows().filter(|x| is_lost(x)).count(), positions.count());
        let (since, until) = (*self.sound, self.done);
        let when = match until - since {
            0 => "at the last step, without noise".to_string(),
            1 => format!("at step {until}"),
            _ => format!("between steps {since} and {until}"),
        };
        let which = if lost == 1 { "it is" } else { "the first of them is" };
        Err(Error::diverged(format!(
            "{lost} of {count} chains left every bound {when}; {which} chain {first}, counted from 0"
        ))
        .hint("a smaller --step-size"))
    }

    /// Tells where the run stands, if that is wanted.
    pub(super) fn save(&mut self) -> Result<()> {
        if !self.listen.wants_state() {
            return Ok(());
        }
        let (chains, record) = (self.chains.state()?, self.record.clone());
        self.listen.state(&SamplingState { chains, record, sound: *self.sound, seconds: self.seconds() })
    }

    /// Shows the chains to the listener if a frame is due.
    fn show(&mut self) -> Result<()> {
        let due = self.frames.steps[self.next..].iter().take_while(|step| **step <= self.done).count();
        self.next += due;
        if due == 0 {
            return Ok(());
        }
        let positions = self.chains.first(self.frames.chains)?;
        self.listen.frame(self.done, &positions)
    }
}
