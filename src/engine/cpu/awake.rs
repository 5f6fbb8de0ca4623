//! Threads that are not put to sleep between short tasks: to wake one costs more than a small batch does.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

/// Looks for tasks without one before a thread that has none lets others have the processor.
const PATIENCE: u32 = 64;

/// The threads of an engine.
pub(super) struct Threads {
    pool: rayon::ThreadPool,
    /// Are they kept awake for some work?
    awake: AtomicBool,
}

impl Threads {
    /// So many; 0 for one a core.
    pub(super) fn start(count: usize) -> Result<Self, rayon::ThreadPoolBuildError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build()?;
        Ok(Self { pool, awake: AtomicBool::new(false) })
    }

    /// Does `work` on one of the threads, which deals out no more than so many tasks at a time. As many others as these need
    /// look for them without a pause; the rest wait for the end, so that a task that is dealt out wakes none of them. Of works
    /// that come at the same time, one has the threads so.
    pub(super) fn awake<R: Send>(&self, tasks: usize, work: impl FnOnce() -> R + Send) -> R {
        let others = self.pool.current_num_threads() - 1;
        if others == 0 || self.awake.swap(true, Ordering::Acquire) {
            return self.pool.install(work);
        }
        let _free = Free(&self.awake);
        let (end, come) = (End::default(), AtomicUsize::new(0));
        self.pool.install(|| {
            let own = rayon::current_thread_index();
            rayon::in_place_scope(|scope| {
                // each thread has one of its own: this one, were it to take another's, would look for tasks instead of dealing
                // them
                scope.spawn_broadcast(|_, context| {
                    if Some(context.index()) == own {
                    } else if come.fetch_add(1, Ordering::Relaxed) + 1 < tasks {
                        help(&end);
                    } else {
                        end.wait();
                    }
                });
                let _come = Come(&end);
                // a thread that took a task before it came would come while it waits for a part of that task, and stay until
                // the end, which waits for the task
                while come.load(Ordering::Relaxed) < others {
                    std::thread::yield_now();
                }
                work()
            })
        })
    }
}

impl Deref for Threads {
    type Target = rayon::ThreadPool;

    fn deref(&self) -> &rayon::ThreadPool {
        &self.pool
    }
}

/// Sets a flag back when it goes.
struct Free<'a>(&'a AtomicBool);

impl Drop for Free<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
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

    fn threads() -> Threads {
        Threads::start(4).unwrap()
    }

    #[test]
    fn a_panic_ends_it() {
        let threads = threads();
        for tasks in [0, 1, 2, 9] {
            let fails = std::panic::AssertUnwindSafe(|| threads.awake(tasks, || -> u64 { panic!("of a task") }));
            assert!(std::panic::catch_unwind(fails).is_err());
            let sum = || (0..9_u64).into_par_iter().map(|i| i * i).sum::<u64>();
            assert_eq!(threads.awake(tasks, sum), 204);
        }
    }

    /// Fails if something does not end.
    fn ends(what: impl FnOnce() + Send + 'static) {
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            what();
            tell.send(()).unwrap();
        });
        assert!(told.recv_timeout(std::time::Duration::from_secs(120)).is_ok(), "it has not ended");
    }

    /// A thread that came to look for tasks inside of one would not end before the work, nor the work before it.
    #[test]
    fn it_ends_however_the_threads_come() {
        ends(|| {
            let threads = threads();
            for _ in 0..20_000 {
                let work =
                    || (0..3).map(|_| (0..16_u64).into_par_iter().map(|i| (0..40 * i).sum::<u64>()).sum::<u64>());
                threads.awake(9, || work().sum::<u64>());
            }
        });
    }

    #[test]
    fn works_that_come_together_are_all_done() {
        ends(|| {
            let threads = threads();
            let sum = || (0..50).map(|_| (0..64_u64).into_par_iter().map(|i| i * i).sum::<u64>()).sum::<u64>();
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| (0..200).for_each(|_| assert_eq!(threads.awake(9, sum), 50 * 85_344)));
                }
            });
            assert!(!threads.awake.load(Ordering::Relaxed), "the last has left the threads taken");
        });
    }

    #[test]
    fn no_more_threads_than_tasks_share_the_work() {
        let threads = threads();
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
            threads.awake(2, || (0..50).for_each(|_| pair()));
            let seen = std::mem::take(&mut *seen.lock().unwrap());
            assert_eq!(seen.len(), 2, "{seen:?}");
        }
    }
}
