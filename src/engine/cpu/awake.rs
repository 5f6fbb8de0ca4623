//! Threads that are not put to sleep between short tasks: to wake one costs more than a small batch does.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Does `work` on a thread of the pool, which deals out no more than so many tasks at a time; as many other threads as these
/// need look for them without a pause.
pub(super) fn awake<R: Send>(pool: &rayon::ThreadPool, tasks: usize, work: impl FnOnce() -> R + Send) -> R {
    struct End<'a>(&'a AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }
    let (over, helpers) = (AtomicBool::new(false), AtomicUsize::new(1));
    pool.install(|| {
        let own = rayon::current_thread_index();
        rayon::in_place_scope(|scope| {
            // each thread has one of its own: this one, were it to take another's, would look for tasks instead of dealing them
            scope.spawn_broadcast(|_, context| {
                if Some(context.index()) == own || helpers.fetch_add(1, Ordering::Relaxed) >= tasks {
                    return;
                }
                while !over.load(Ordering::Acquire) {
                    if rayon::yield_now() != Some(rayon::Yield::Executed) {
                        std::hint::spin_loop();
                    }
                }
            });
            // also where `work` panics: the scope waits for the others
            let _end = End(&over);
            work()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::prelude::*;

    #[test]
    fn work_is_shared_and_a_panic_ends_it() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
        for tasks in [0, 1, 2, 9] {
            let sum = || (0..200).map(|_| (0..9_u64).into_par_iter().map(|i| i * i).sum::<u64>()).sum::<u64>();
            assert_eq!(awake(&pool, tasks, sum), 200 * 204);
            let fails = std::panic::AssertUnwindSafe(|| awake(&pool, tasks, || -> u64 { panic!("of a task") }));
            assert!(std::panic::catch_unwind(fails).is_err());
        }
    }
}
