//! The allocator of the program: where the machine has no memory left, a sentence and exit code 1 instead of an abort.

use std::alloc::{GlobalAlloc, Layout, System};

use crate::cli::notice::notice;

/// The system's allocator, which ends the program when it has nothing to give.
struct Plain;

#[global_allocator]
static ALLOCATOR: Plain = Plain;

fn given(place: *mut u8, size: usize) -> *mut u8 {
    if place.is_null() {
        // nothing here allocates; checkpoints are renamed into place, so that none is lost
        notice!("error: this machine has no memory left, {size} bytes more were asked for");
        notice!("hint: fewer points, chains or kept draws; what was saved is there for --resume");
        // without the exit handlers of drivers, which may ask for memory
        signal_hook::low_level::exit(1);
    }
    place
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Plain {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps to the contract of `alloc`.
        given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.realloc(at, layout, size) }, size)
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}
