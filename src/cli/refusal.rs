//! What the parser refuses, in the words of the program: one sentence, and a hint.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use ebm_gpu::error::Error;

/// The parser's refusal of flags of a command (`bench train`; empty before one is named) as an error; none where it is no refusal but a page of help, which the parser prints itself.
pub(super) fn restated(refusal: &clap::Error, command: &str) -> Option<Error> {
    if let Some(error) = no_whole_number(refusal) {
        return Some(error);
    }
    use ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    if matches!(refusal.kind(), DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand) {
        return None;
    }
    let text = refusal.to_string();
    let mut lines = text.lines().map(str::trim);
    // the sentence may go on in a list below it
    let sentence: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
    let sentence = in_backticks(&sentence.join(" "));
    let tip = lines.find_map(|line| line.strip_prefix("tip: ")).map(in_backticks);
    let error = Error::input(sentence.strip_prefix("error: ").unwrap_or(&sentence));
    let gap = if command.is_empty() { "" } else { " " };
    let of_command = || format!("`ebm-gpu {command}{gap}--help` lists what it takes");
    Some(error.hint(forgotten_flag(refusal, command).or(tip).unwrap_or_else(of_command)))
}

/// What other programs call flags of `run`, and what they are here.
const OF_RUN: &[(&str, &str)] = &[
    ("--epochs", "--steps counts batches, not passes through the data"),
    ("--iterations", "--steps N"),
    ("--learning-rate", "--lr RATE"),
    ("--dataset", "--data NAME or FILE"),
    ("--objective", "--loss NAME"),
];

/// The same of flags of every command that computes.
const OF_MOST: &[(&str, &str)] = &[
    ("--name", "--out FOLDER"),
    ("--output", "--out FOLDER"),
    ("--gpu", "--engine gpu"),
    ("--cpu", "--engine cpu"),
    ("--device", "--engine gpu or cpu"),
];

/// The flag that was left out before a word, where the word says which, or that it is called here.
fn forgotten_flag(refusal: &clap::Error, command: &str) -> Option<String> {
    let word = said(refusal, ContextKind::InvalidArg).filter(|_| refusal.kind() == ErrorKind::UnknownArgument)?;
    if (command, word) == ("compare", "--steps") {
        return Some("--budget STEPS".to_string());
    }
    let takes_engine = matches!(command, "run" | "sample" | "eval" | "compare" | "grad" | "repro");
    let of_run = OF_RUN.iter().filter(|_| command == "run");
    let mut elsewhere = of_run.chain(OF_MOST.iter().filter(|_| takes_engine));
    if let Some((_, meant)) = elsewhere.find(|(said, _)| *said == word) {
        return Some((*meant).to_string());
    }
    if command == "run" && ebm_gpu::objective::NAMES.contains(&word) {
        return Some(format!("--loss {word}"));
    }
    let takes_data = matches!(command, "run" | "compare");
    let is_data = ebm_gpu::data::toy::NAMES.contains(&word) || std::path::Path::new(word).exists();
    (takes_data && is_data).then(|| format!("--data {word}"))
}

/// The text with backticks for the quotes around what it quotes: a quote within a word stays.
fn in_backticks(text: &str) -> String {
    let inner = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace() && !",.:;)(".contains(c));
    let (mut changed, mut before) = (String::with_capacity(text.len()), None);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_around = letter == '\'' && !(inner(before) && inner(letters.peek().copied()));
        changed.push(if is_around { '`' } else { letter });
        before = Some(letter);
    }
    changed
}

fn said(refusal: &clap::Error, kind: ContextKind) -> Option<&str> {
    match refusal.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    }
}

/// The error if it is that a flag has no whole number where it takes one.
fn no_whole_number(refusal: &clap::Error) -> Option<Error> {
    use std::error::Error as _;
    use std::num::{IntErrorKind, ParseIntError};
    let (arg, value) = (said(refusal, ContextKind::InvalidArg)?, said(refusal, ContextKind::InvalidValue)?);
    let why = refusal.source()?.downcast_ref::<ParseIntError>()?.kind();
    if *why != IntErrorKind::InvalidDigit {
        return None;
    }
    let (flag, names) = arg.split_once(' ').unwrap_or((arg, ""));
    let error = Error::input(format!("{flag} takes a whole number in digits, not `{value}`"));
    let mut groups = value.split(',');
    groups.next();
    let is_one = !names.contains(',');
    let is_digits = groups.all(|group| group.len() == 3);
    let meant = value.replace(',', "").parse::<f64>().ok().filter(|x| x.fract() == 0.0 && (0.0..1e15).contains(x));
    Some(match meant.filter(|_| is_one && is_digits) {
        Some(meant) => error.hint(format!("{flag} {meant}")),
        None => error,
    })
}
