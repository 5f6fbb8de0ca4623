//! Long runs take no more memory than short ones.

#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::program::Folder;

/// The most memory in bytes that a run of so many steps was seen with, and the bytes of its last checkpoint. Only what the
/// program has written to counts: pages of its code and of libraries come and go by the machine's need, a megabyte at a time.
fn needs(folder: &Folder, steps: u64) -> (u64, u64) {
    let out = format!("of-{steps}");
    let args = format!(
        "run --engine cpu --quiet --data gauss1d --points 64 --hidden 1 --batch 1 --seed 3 --steps {steps} --checkpoint-every 50000 \
         --keep 1 --chains 0 --out {out}"
    );
    let mut child = Command::new(env!("CARGO_BIN_EXE_ebm-gpu"))
        .args(args.split_whitespace())
        .current_dir(folder.path(""))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    let code = loop {
        // while it trains: what is drawn at the end is the same for both
        let is_training = !folder.path(&format!("{out}/model.safetensors")).exists();
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let own = text.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB")?.parse().ok());
        most = own.filter(|_| is_training).map_or(most, |kilobytes: u64| most.max(1024 * kilobytes));
        if let Some(code) = child.try_wait().unwrap() {
            break code;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(code.success());
    let newest = folder.names(&format!("{out}/checkpoints")).pop().unwrap();
    (most, folder.bytes(&format!("{out}/checkpoints/{newest}")).len() as u64)
}

#[test]
fn a_million_steps_take_the_memory_of_a_hundred_thousand() {
    let folder = Folder::new();
    let [short, long] = [100_000, 1_000_000].map(|steps| needs(&folder, steps));
    assert!(short.0 > 0, "the run was over before it was looked at");
    // a number for each step would be 7.2 MB
    assert!(long.0 < short.0 + (2 << 20), "{} bytes, {} of a short run", long.0, short.0);
    assert!(long.1 < short.1 + (1 << 16), "a checkpoint of {} bytes, {} of a short run", long.1, short.1);
}
