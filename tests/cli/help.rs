//! Help as a person reads it.

use crate::program::Folder;

/// The flags in a help text and what is said about each, its default left out.
fn options(help: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in help.lines().skip_while(|l| *l != "Options:").skip(1).take_while(|l| !l.is_empty()) {
        let indent = line.len() - line.trim_start().len();
        if indent <= 6 {
            let (flags, what) = line.trim().split_once("  ").unwrap_or((line.trim(), ""));
            let long = flags.split([' ', ',', '[']).find(|w| w.starts_with("--")).unwrap_or(flags);
            found.push((long.to_string(), what.trim().to_string()));
        } else if let Some((_, what)) = found.last_mut() {
            what.push(' ');
            what.push_str(line.trim());
        }
    }
    for (_, what) in &mut found {
        if let Some(at) = what.find("[default:") {
            what.truncate(at);
        }
    }
    found
}

#[test]
fn each_flag_has_a_description() {
    let engine = ["--engine", "--adapter", "--json"];
    let cases: &[(&str, &[&str])] = &[
        (
            "run",
            &[
                "--loss",
                "--data",
                "--columns",
                "--drop",
                "--header",
                "--array",
                "--image",
                "--transform",
                "--dequantise",
                "--logit",
                "--range",
                "--validation",
                "--test",
                "--points",
                "--net",
                "--hidden",
                "--activation",
                "--sigma",
                "--weighting",
                "--k",
                "--eta",
                "--alpha",
                "--data-noise",
                "--buffer",
                "--restart",
                "--restart-law",
                "--ed-t",
                "--ed-sigma",
                "--ed-m",
                "--ed-w",
                "--nu",
                "--noise-scale",
                "--noise-std",
                "--steps",
                "--batch",
                "--lr",
                "--schedule",
                "--warmup",
                "--weight-decay",
                "--clip",
                "--ema",
                "--seed",
                "--chains",
                "--chain-steps",
                "--step-size",
                "--temperature",
                "--max-submit-ms",
                "--checkpoint-every",
                "--keep",
                "--resume",
                "--out",
                "--force",
                "--config",
                "--quiet",
            ],
        ),
        (
            "grad",
            &[
                "--checkpoint",
                "--loss",
                "--data",
                "--noise",
                "--negatives",
                "--nu",
                "--alpha",
                "--ed-w",
                "--noise-scale",
                "--noise-std",
                "--sigma",
                "--weighting",
                "--out",
            ],
        ),
        ("data list", &[]),
        ("data make", &["--n", "--seed", "--out", "--force"]),
        ("bench train", &["--net", "--activation", "--loss", "--sigma", "--batch", "--seconds"]),
        ("bench roofline", &["--nets", "--loss", "--batch"]),
        ("bench scale", &["--out", "--engine", "--seconds", "--sizes"]),
        ("bench chains", &["--net", "--activation", "--chains", "--sampler", "--steps", "--rounds"]),
        ("check", &[]),
    ];
    let folder = Folder::new();
    let mut problems = Vec::new();
    for (command, flags) in cases {
        let outcome = folder.done(&format!("{command} --help"));
        assert_eq!(outcome.stderr, "", "{outcome}");
        let said = options(&outcome.stdout);
        let engine = match *command {
            "bench roofline" | "bench scale" => &[][..],
            _ if command.starts_with("data") => &["--json"],
            _ => &engine,
        };
        for flag in flags.iter().chain(engine).chain(&["--help"]) {
            match said.iter().find(|(name, _)| name == flag) {
                None => problems.push(format!("{command} --help does not mention {flag}")),
                Some((_, what)) if what.trim().len() < 5 => {
                    problems.push(format!("{command} --help says `{what}` about {flag}"));
                }
                Some(_) => (),
            }
        }
        // flags that this list does not know have a description too
        problems
            .extend(said.iter().filter(|(_, what)| what.len() < 5).map(|(f, _)| format!("{command}: nothing on {f}")));
        assert!(folder.done(&format!("help {command}")).stdout == outcome.stdout, "help {command}");
    }
    for (command, flag) in [("devices", "--json"), ("shaders", "--dump"), ("shaders", "--net")] {
        let help = folder.done(&format!("{command} --help")).stdout;
        assert!(options(&help).iter().any(|(f, what)| f == flag && what.len() > 5), "{help}");
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_flag_without_a_description_is_noticed() {
    let help = "Usage: x\n\nOptions:\n      --steps <STEPS>  [default: 3]\n      --lr <LR>\n          The rate\n  -h, --help  Print help\n";
    let said = options(help);
    let flags: Vec<(&str, &str)> = said.iter().map(|(f, w)| (f.as_str(), w.trim())).collect();
    assert_eq!(flags, [("--steps", ""), ("--lr", "The rate"), ("--help", "Print help")]);
}

#[test]
fn names_that_can_be_given_are_in_the_help() {
    let folder = Folder::new();
    for (command, names) in [("run", ebm_gpu::data::toy::NAMES), ("sample", ebm_gpu::target::NAMES)] {
        let help = folder.done(&format!("{command} --help")).stdout;
        let words: Vec<&str> = help.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
        let missing: Vec<_> = names.iter().filter(|name| !words.contains(name)).collect();
        assert!(missing.is_empty(), "{command} --help does not name {missing:?}");
    }
}

#[test]
fn the_program_introduces_itself() {
    let folder = Folder::new();
    let help = folder.done("--help");
    assert!(help.stdout.starts_with("Train energy-based models and run massive numbers of Langevin chains"), "{help}");
    for command in ["run", "sample", "repro", "grad", "bench", "check", "data", "devices", "shaders"] {
        let line = help.stdout.lines().find(|l| l.trim_start().starts_with(&format!("{command} ")));
        assert!(line.is_some_and(|l| l.trim().len() > command.len() + 15), "{command}: {help}");
    }
    for part in [
        "Examples:\n",
        "ebm-gpu run --loss dsm",
        "Exit codes: 0 done, 1 failed",
        "2 wrong usage or input",
        "130 interrupted",
    ] {
        assert!(help.stdout.contains(part), "{part}: {help}");
    }
    assert_eq!(folder.done("--version").stdout, concat!("ebm-gpu ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(folder.names(""), [""; 0]);
}
