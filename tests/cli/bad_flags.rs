//! Flags with values that mean nothing: refused before anything is written, with the value and what would be right.

use crate::program::{Folder, TINY};

#[test]
fn unknown_names_suggest_the_nearest() {
    let folder = Folder::new();
    folder.write("returns.csv", "date,sp500,nasdaq\nMon,1,2\nTue,3,5\nWed,4,3\nThu,2,2\n");
    folder.all_refused(
        TINY,
        &[
            ("--loss dsn", &["`dsn`", "did you mean `dsm`?"]),
            ("--data 8gausians", &["`8gausians`", "did you mean `8gaussians`?", "checkerboard", ".csv"]),
            ("--activation slu", &["`slu`", "did you mean `silu`?", "leaky-relu"]),
            ("--engine gup", &["`gup`", "did you mean `gpu`?", "reference"]),
            ("--schedule cosin", &["`cosin`", "did you mean `cosine`?", "constant"]),
            ("--weighting sigm2", &["`sigm2`", "did you mean `sigma2`?", "one"]),
            ("--data returns.csv --columns sp50", &["`sp50`", "did you mean `sp500`?", "returns.csv"]),
            ("--data returns.csv --columns sp500,3", &["column 3", "it has 3", "sp500, nasdaq"]),
            ("--data returns.csv --columns 1,sp500", &["`sp500`", "twice"]),
            // nothing near: the list alone
            ("--loss qqq", &["`qqq`", "are: esm, ssm"]),
            ("--data qqq", &["`qqq`", "8gaussians, 25gaussians"]),
        ],
    );
}

#[test]
fn sentences_as_a_person_sees_them() {
    let folder = Folder::new();
    let says = |args: &str| folder.run(&format!("{TINY} {args}")).stderr;
    assert_eq!(
        says("--activation slu"),
        "error: there is no activation called `slu`\n\
         hint: did you mean `silu`? The activations are: silu, softplus, tanh, gelu, relu, leaky-relu\n"
    );
    assert_eq!(
        says("--sigma 0"),
        "error: sigma is 0, a noise level is from 1e-6 to 1e6\n\
         hint: 0.05 to 0.3 times the smallest feature of the data is a good start\n"
    );
    assert_eq!(says("--batch 0"), "error: batch is 0, it has to be from 1 to 16777216\n");
    assert_eq!(says("--ema 1"), "error: ema is 1, it has to be at least 0 and below 1\n");
    assert_eq!(
        says("--columns x1"),
        "error: --columns goes with a file, `8gaussians` is a toy law\nhint: leave --columns out\n"
    );
    let net = folder.run("run --quiet --net 3-8-1").stderr;
    assert_eq!(
        net,
        "error: 8gaussians has 2 columns, net 3-8-1 takes 3\n\
         hint: --hidden 128,128 takes the number of columns from the data\n"
    );
    assert_eq!(
        says("--loss dsn"),
        "error: there is no loss called `dsn`\nhint: did you mean `dsm`? The losses are: esm, ssm, ssm-vr, fd-ssm, dsm, mdsm, cd, pcd, ed, nce\n"
    );
}

#[test]
fn networks() {
    let folder = Folder::new();
    folder.all_refused(
        "run --engine cpu --steps 3 --points 50 --chains 0",
        &[
            ("--net 0-8-1", &["0-8-1", "width of 0", "position 1"]),
            ("--net 2-0-1", &["2-0-1", "width of 0", "position 2"]),
            ("--net 2-8-2", &["2-8-2", "2 outputs", "end the widths with 1"]),
            ("--net 2-1", &["2-1", "2 widths", "at least 3"]),
            ("--net abc", &["`abc`", "for example 2-128-128-1"]),
            ("--net 2--1", &["`2--1`"]),
            ("--net 2-8-1-", &["`2-8-1-`"]),
            ("--net 2-99999999999999999999-1", &["99999999999999999999"]),
            ("--net 2-70000-1", &["70000", "65536"]),
            ("--net 3-8-1", &["8gaussians has 2 columns", "3-8-1 takes 3", "--hidden"]),
            ("--hidden 0", &["width of 0"]),
            ("--hidden 8,0", &["width of 0"]),
            ("--hidden 70000", &["70000", "65536"]),
            ("--hidden a", &["`a`", "--hidden"]),
            ("--hidden 8,,8", &["``", "--hidden"]),
            ("--hidden 8 --net 2-8-1", &["--hidden", "--net"]),
        ],
    );
}

#[test]
fn numbers_outside_their_range() {
    let folder = Folder::new();
    folder.all_refused(
        TINY,
        &[
            ("--batch 0", &["batch is 0", "from 1 to 16777216"]),
            ("--batch 99999999", &["batch is 99999999", "16777216"]),
            ("--batch 1.5", &["`1.5`", "--batch"]),
            ("--steps 0", &["steps is 0", "from 1"]),
            ("--steps 4294967295", &["steps is 4294967295"]),
            ("--sigma 0", &["sigma is 0"]),
            ("--sigma -1", &["sigma is -1"]),
            ("--sigma nan", &["sigma is NaN"]),
            ("--sigma inf", &["sigma is inf"]),
            ("--sigma 1e-9", &["sigma is", "1e-6 to 1e6"]),
            ("--sigma abc", &["`abc`", "--sigma"]),
            ("--lr 0", &["lr is 0", "above 0"]),
            ("--lr -1", &["lr is -1", "above 0"]),
            ("--lr nan", &["lr is NaN"]),
            ("--lr inf", &["lr is inf"]),
            ("--ema 1", &["ema is 1", "below 1"]),
            ("--ema -0.1", &["ema is -0.1"]),
            ("--ema nan", &["ema is NaN"]),
            ("--clip -1", &["clip is -1", "0 for no clipping"]),
            ("--clip nan", &["clip is NaN"]),
            ("--weight-decay -1", &["weight-decay is -1"]),
            ("--weight-decay nan", &["weight-decay is NaN"]),
            ("--step-size 0", &["step size is 0", "above 0"]),
            ("--step-size -0.1", &["step size is -0.1"]),
            ("--step-size nan", &["step size is NaN"]),
            ("--step-size inf", &["step size is inf"]),
            ("--temperature -1", &["temperature is -1"]),
            ("--temperature nan", &["temperature is NaN"]),
            ("--points 0", &["points is 0", "from 2"]),
            ("--points 1", &["points is 1", "from 2"]),
            ("--max-submit-ms 0", &["max-submit-ms is 0", "1 to 500"]),
            ("--max-submit-ms 501", &["max-submit-ms is 501"]),
            ("--max-submit-ms nan", &["max-submit-ms is NaN"]),
            ("--seed 18446744073709551616", &["18446744073709551616", "--seed"]),
        ],
    );
}

#[test]
fn negative_counts_name_their_flag() {
    let folder = Folder::new();
    folder.all_refused(
        TINY,
        &[
            ("--batch -1", &["-1", "--batch"]),
            ("--steps -1", &["-1", "--steps", "whole number"]),
            ("--steps 1e3", &["--steps takes a whole number", "`1e3`", "hint: --steps 1000"]),
            ("--steps 10,000", &["`10,000`", "hint: --steps 10000"]),
            ("--steps many", &["`many`", "in digits"]),
            ("--steps 99999999999999999999", &["number too large"]),
            ("--chains -3", &["-3", "--chains"]),
            ("--chain-steps -3", &["-3", "--chain-steps"]),
            ("--seed -1", &["-1", "--seed"]),
            ("--hidden -8", &["-8", "--hidden"]),
        ],
    );
    folder.all_refused("bench train", &[("--sigma -1", &["sigma", "-1"]), ("--seconds -1", &["seconds", "-1"])]);
    // one number of a list, and a comma that may be a decimal one, are not guessed at
    for args in ["--hidden 64,1e2", "--batch 1,5"] {
        let refused = folder.run(&format!("{TINY} {args}"));
        assert!(refused.code == Some(2) && refused.stderr.contains("whole number"), "{refused}");
        assert!(!refused.stderr.contains("hint"), "{refused}");
    }
}

/// What cannot be held in any memory is refused like any other wrong number, not by running out of memory.
#[cfg(target_os = "linux")]
#[test]
fn sizes_beyond_any_memory() {
    let folder = Folder::new();
    folder.all_refused_by(
        "",
        &[
            ("run --engine cpu --chains 0 --points 18446744073709551615", &["18446744073709551615", "points"]),
            ("run --engine cpu --chains 0 --points 100000000000000", &["100000000000000", "points"]),
            (
                "run --engine cpu --steps 1 --points 50 --chains 18446744073709551615",
                &["18446744073709551615", "chains"],
            ),
            ("run --engine cpu --steps 1 --points 50 --chains 100000000000000", &["100000000000000", "chains"]),
            ("run --engine cpu --steps 1 --points 50 --hidden 65536,65536", &["65536-65536"]),
            ("bench train --engine cpu --json --batch 18446744073709551615", &["18446744073709551615", "batch"]),
            ("bench train --engine cpu --json --seconds nan", &["seconds", "NaN"]),
            ("bench train --engine cpu --json --seconds inf", &["seconds", "inf"]),
            ("bench chains --engine cpu --json --chains 18446744073709551615", &["18446744073709551615", "chains"]),
        ],
        || folder.short_of_memory(),
    );
}

#[test]
fn usage() {
    let folder = Folder::new();
    folder.all_refused(
        "",
        &[
            ("fly", &["`fly`"]),
            ("run --foo 3", &["--foo"]),
            ("run extra", &["`extra`"]),
            ("run --sigma", &["--sigma"]),
            ("grad", &["--checkpoint", "--data"]),
            ("bench fly", &["`fly`"]),
            ("bench train --batch 0", &["batch is 0"]),
            ("bench train --net 2-0-1", &["2-0-1", "width of 0"]),
            ("bench train --loss dsn", &["`dsn`", "did you mean `dsm`?"]),
            ("bench train --activation slu", &["`slu`", "did you mean `silu`?"]),
            ("bench train --sigma 0", &["sigma is 0"]),
            ("bench chains --chains 0", &["chains is 0"]),
            ("bench scale --sizes 1", &["sizes is 1"]),
            ("bench roofline --batch 0", &["batch is 0"]),
            ("bench chains --steps 0", &["steps is 0"]),
            ("bench chains --rounds 0", &["rounds is 0"]),
            ("check --engine cqu", &["`cqu`", "did you mean `cpu`?"]),
            ("shaders --net abc", &["`abc`"]),
            ("run moons", &["`moons`", "hint: --data moons"]),
            ("compare --losses dsm 8gaussians", &["`8gaussians`", "hint: --data 8gaussians"]),
            ("run dsm", &["`dsm`", "hint: --loss dsm"]),
            ("run --gpu", &["`--gpu`", "hint: --engine gpu"]),
            ("run --name mine", &["`--name`", "hint: --out FOLDER"]),
            ("compare --losses dsm --data moons --steps 3", &["`--steps`", "hint: --budget STEPS"]),
            ("run --epochs 3", &["`--epochs`", "hint: --steps counts"]),
            ("bench train --epochs 3", &["`--epochs`", "`ebm-gpu bench train --help`"]),
            ("sample --cpu", &["`--cpu`", "hint: --engine cpu"]),
            ("run --save-every 2e6", &["save-every is 2000000"]),
            ("run mons", &["`mons`", "`ebm-gpu run --help`"]),
            ("run --sigma o'x", &["`o'x`"]),
            ("bench train --foo", &["`--foo`", "`ebm-gpu bench train --help`"]),
            ("run --stepz 3", &["`--stepz`", "`--steps`"]),
            ("eval", &["<CHECKPOINT>", "`ebm-gpu eval --help`"]),
            ("frobnicate", &["`frobnicate`", "`ebm-gpu --help`"]),
            ("eval a --samples x.npy --chains 3", &["`--samples <FILE>`", "`--chains <CHAINS>`"]),
            ("shaders --activation slu", &["`slu`", "did you mean `silu`?"]),
        ],
    );
    // no command at all: the help, but on stderr
    let outcome = folder.run("");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{outcome}");
    assert!(outcome.stderr.contains("Usage: ebm-gpu <COMMAND>"), "{outcome}");
}
