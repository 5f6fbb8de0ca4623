//! What has been made on a device and asked of it: the numbers behind "nothing is made after the first step".

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// How often each has happened since the device was opened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct Counts { $($(#[$doc])* pub $name: u64),+ }

        /// The counters themselves.
        #[derive(Debug, Default)]
        pub(super) struct Counters { $(pub(super) $name: Counter),+ }

        impl Counters {
            pub(super) fn now(&self) -> Counts {
                Counts { $($name: self.$name.0.load(Ordering::Relaxed)),+ }
            }
        }
    };
}

counts! {
    /// Buffers made, those that the host maps included.
    buffers,
    /// Bytes of these buffers.
    bytes,
    /// Kernels compiled.
    pipelines,
    /// Kernels bound to buffers.
    bind_groups,
    /// Dispatches recorded.
    dispatches,
    /// Submissions to the queue.
    submissions,
    /// Times that the host has waited for a submission to end.
    waits,
}

#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}
