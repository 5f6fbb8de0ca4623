//! Working memory that belongs to a thread, not to a task: it stays in that core's caches, however many tasks there are.

use std::sync::{Mutex, PoisonError};

/// A `W` for each thread of a pool.
#[derive(Debug)]
pub(super) struct PerThread<W>(Vec<Mutex<W>>);

impl<W: Default> PerThread<W> {
    pub(super) fn new(pool: &rayon::ThreadPool) -> Self {
        Self((0..pool.current_num_threads()).map(|_| Mutex::default()).collect())
    }

    /// Runs a task with the memory of this thread, in which other tasks have left what they had there. A task must not wait
    /// for others.
    pub(super) fn with<R>(&self, task: impl FnOnce(&mut W) -> R) -> R {
        let thread = rayon::current_thread_index().unwrap_or(0) % self.0.len();
        // a task that has panicked ends the work that it belongs to, and the next one sets what it reads
        task(&mut self.0[thread].lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something of each, summed.
    pub(super) fn sum(&self, of: impl Fn(&W) -> u64) -> u64 {
        self.0.iter().map(|memory| of(&memory.lock().unwrap_or_else(PoisonError::into_inner))).sum()
    }
}
