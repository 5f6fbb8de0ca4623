//! Long runs take no more memory than short ones, and large files no more than so many bytes a number.

#![cfg(target_os = "linux")]

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::bad_tables::npy_bytes;
use crate::program::Folder;

/// The memory in bytes that the program was seen with every few milliseconds before it had written the file `end`: what is drawn at
/// the end is the same for short and long runs. Only what the program has written to counts: pages of its code and of libraries
/// come and go by the machine's need, a megabyte at a time. It has one thread, since each more has memory of its own to work with.
fn watched(folder: &Folder, args: &str, end: &str) -> Vec<u64> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ebm-gpu"))
        .args(args.split_whitespace())
        .current_dir(folder.path(""))
        .env("RAYON_NUM_THREADS", "1")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut seen = Vec::new();
    let code = loop {
        let is_before_end = !folder.path(end).exists();
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let own = text
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        seen.extend(own.filter(|_| is_before_end).map(|kilobytes| 1024 * kilobytes));
        if let Some(code) = child.try_wait().unwrap() {
            break code;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(code.success());
    assert!(!seen.is_empty(), "the run was over before it was looked at");
    seen
}

/// The most memory in bytes that the program was seen with.
fn most(folder: &Folder, args: &str, end: &str) -> u64 {
    watched(folder, args, end).into_iter().max().unwrap()
}

/// What a training run of so many steps takes, and the bytes of its last checkpoint.
fn training(folder: &Folder, steps: u64) -> (u64, u64) {
    let out = format!("of-{steps}");
    let args = format!(
        "run --engine cpu --quiet --data gauss1d --points 64 --hidden 1 --batch 1 --seed 3 --steps {steps} --checkpoint-every 50000 \
         --keep 1 --chains 0 --out {out}"
    );
    let most = most(folder, &args, &format!("{out}/model.safetensors"));
    let newest = folder.names(&format!("{out}/checkpoints")).pop().unwrap();
    (most, folder.bytes(&format!("{out}/checkpoints/{newest}")).len() as u64)
}

#[test]
fn a_million_steps_take_the_memory_of_a_hundred_thousand() {
    let folder = Folder::new();
    let [short, long] = [100_000, 1_000_000].map(|steps| training(&folder, steps));
    // a number for each step would be 7.2 MB
    assert!(long.0 < short.0 + (2 << 20), "{} bytes, {} of a short run", long.0, short.0);
    assert!(long.1 < short.1 + (1 << 16), "a checkpoint of {} bytes, {} of a short run", long.1, short.1);
}

/// The same where wgpu and a driver have memory of their own for every submission, which the counts of buffers do not show. A driver
/// that compiles, before the first step and before the chains at the end, takes megabytes more or less from one time to the next:
/// looked at is what steps add.
#[test]
fn steps_on_a_device_add_no_memory() {
    let folder = Folder::new();
    for (steps, args, end) in [
        (30_000, "run --data gauss1d --points 64 --hidden 1 --batch 1 --seed 3 --chains 0", "model.safetensors"),
        (200_000, "sample --target gaussian --chains 1 --thin 100", "samples.npy"),
    ] {
        let out = format!("of-{steps}");
        let args = format!("{args} --engine gpu --no-check --quiet --steps {steps} --out {out}");
        let seen = watched(&folder, &args, &format!("{out}/{end}"));
        assert!(seen.len() > 100, "{args} was seen {} times", seen.len());
        let [middle, late] = [4, 8].map(|tenth| {
            let mut part = seen[seen.len() * tenth / 10..seen.len() * (tenth + 1) / 10].to_vec();
            part.sort_unstable();
            part[part.len() / 2]
        });
        // lets 90 bytes a step of training pass, and 13 a step of the chain: allocators keep half a megabyte more or less
        assert!(late < middle + (1 << 20), "{args}: {late} bytes late, {middle} in the middle");
    }
}

/// Draws that are kept to be diagnosed are 44 bytes each, 0.4 MB; everything else is the same for any number of them.
#[test]
fn a_million_steps_of_a_chain_take_the_memory_of_a_hundred_thousand() {
    let folder = Folder::new();
    let [short, long] = [100_000, 1_000_000].map(|steps| {
        let out = format!("of-{steps}");
        let chains = "sample --engine cpu --quiet --target gaussian --dim 10 --chains 1 --thin 100";
        most(&folder, &format!("{chains} --steps {steps} --out {out}"), &format!("{out}/samples.npy"))
    });
    // a moment for each draw would be 6.5 MB
    assert!(long < short + (2 << 20), "{long} bytes, {short} of a short run");
}

/// As README says: 8 bytes a number in memory, and of the training rows, eight in ten, 4 for what stands for the device's; beside
/// them the pieces in which they are read and sent.
#[test]
fn data_take_eleven_bytes_a_number() {
    let folder = Folder::new();
    let loaded = |file: &str, out: &str| {
        let run = "run --engine cpu --quiet --hidden 1 --batch 8 --steps 1 --chains 0 --transform none --data";
        most(&folder, &format!("{run} {file} --out {out}"), &format!("{out}/model.safetensors"))
    };
    folder.write("small.csv", "a,b\n".to_string() + &"0.5,1\n2,0.25\n".repeat(300));
    let small = loaded("small.csv", "small");
    let rows = 2_000_000usize;
    let values: Vec<u8> = (0..2 * rows).flat_map(|i| (i as f32).sin().to_le_bytes()).collect();
    folder.write("array.npy", npy_bytes("<f4", &format!("({rows}, 2)"), &values));
    let lines: String = (0..rows / 2).map(|i| format!("{},{}\n", i % 7, i % 11)).collect();
    folder.write("table.csv", format!("a,b\n{lines}"));
    for (file, numbers) in [("array.npy", 2 * rows), ("table.csv", rows)] {
        let more = loaded(file, file.split('.').next().unwrap()) - small;
        let least = 8 * numbers as u64;
        assert!((least..least * 14 / 10 + (8 << 20)).contains(&more), "{more} bytes for {numbers} numbers of {file}");
    }
}
