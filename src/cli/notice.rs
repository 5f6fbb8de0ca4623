//! Words to people, on standard error. Where they cannot be written (a full disk, a reader that has gone), the work goes on
//! without them: nothing of what it makes is in them.

/// Writes a line to standard error, if that is possible.
macro_rules! notice {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}
pub(crate) use notice;
