//! The program on its way: waited for, sent signals, and how it ends.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::Folder;

/// The program on its way.
pub(crate) struct Going {
    pub(crate) child: Child,
}

impl Going {
    pub(crate) fn start(folder: &Folder, args: &str) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ebm-gpu"));
        command.args(args.split_whitespace()).current_dir(folder.path(""));
        Self { child: command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap() }
    }

    /// Waits until something holds, or the program has ended.
    pub(crate) fn until(&mut self, holds: impl Fn() -> bool) {
        let start = Instant::now();
        while !holds() && self.child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "it takes too long");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// The exit code and what was said, once it has ended.
    pub(crate) fn end(self) -> (Option<i32>, String) {
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }
}
