//! Threads that are not put to sleep between short tasks: to wake one costs more than a small batch does.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Looks for tasks without one before a thread that has none lets others have the processor.
const PATIENCE: u32 = 64;

/// Does `work` on a thread of the pool, which deals out no more than so many tasks at a time. As many other threads as these
/// need look for them without a pause; the rest wait for the end, so that a task that is dealt out wakes none of them.
pub(super) fn awake<R: Send>(pool: &rayon::ThreadPool, tasks: usize, work: impl FnOnce() -> R + Send) -> R {
    let (end, helpers) = (End::default(), AtomicUsize::new(1));
    pool.install(|| {
        let own = rayon::current_thread_index();
        rayon::in_place_scope(|scope| {
            // each thread has one of its own: this one, were it to take another's, would look for tasks instead of dealing them
            scope.spawn_broadcast(|_, context| {
                if Some(context.index()) == own {
                } else if helpers.fetch_add(1, Ordering::Relaxed) < tasks {
                    help(&end);
                } else {
                    end.wait();
                }
            });
            let _come = Come(&end);
            work()
        })
    })
}

fn help(end: &End) {
    let mut fruitless = 0;
    while !end.has_come.load(Ordering::Acquire) {
        if rayon::yield_now() == Some(rayon::Yield::Executed) {
            fruitless = 0;
        } else if fruitless < PATIENCE {
            fruitless += 1;
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
    }
}

/// The end of the work.
#[derive(Default)]
struct End {
    has_come: AtomicBool,
    told: Mutex<()>,
    waiting: Condvar,
}

impl End {
    fn wait(&self) {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let until = self.waiting.wait_while(told, |()| !self.has_come.load(Ordering::Acquire));
        drop(until.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Tells the other threads of the end when it goes: also when the work panics, since it waits for them.
struct Come<'a>(&'a End);

impl Drop for Come<'_> {
    fn drop(&mut self) {
        let told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.has_come.store(true, Ordering::Release);
        drop(told);
        self.0.waiting.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;
    use std::collections::BTreeSet;

    fn pool() -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap()
    }

    #[test]
    fn a_panic_ends_it() {
        let pool = pool();
        for tasks in [0, 1, 2, 9] {
            let fails = std::panic::AssertUnwindSafe(|| awake(&pool, tasks, || -> u64 { panic!("of a task") }));
            assert!(std::panic::catch_unwind(fails).is_err());
            let sum = || (0..9_u64).into_par_iter().map(|i| i * i).sum::<u64>();
            assert_eq!(awake(&pool, tasks, sum), 204);
        }
    }

    #[test]
    fn no_more_threads_than_tasks_share_the_work() {
        let pool = pool();
        let seen = Mutex::new(BTreeSet::new());
        // two tasks that wait for each other are done by two threads, and a third has never time for any
        let pair = || {
            let begun = AtomicUsize::new(0);
            let task = || {
                begun.fetch_add(1, Ordering::SeqCst);
                while begun.load(Ordering::SeqCst) < 2 {
                    std::thread::yield_now();
                }
                seen.lock().unwrap().insert(rayon::current_thread_index());
            };
            rayon::join(task, task);
        };
        for _ in 0..20 {
            awake(&pool, 2, || (0..50).for_each(|_| pair()));
            let threads = std::mem::take(&mut *seen.lock().unwrap());
            assert_eq!(threads.len(), 2, "{threads:?}");
        }
    }
}
