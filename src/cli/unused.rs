//! Flags that the chosen objective does not use. Help texts begin with the objectives that a flag is for: `cd, pcd: ...`.

use clap::{Arg, ArgMatches, Command};
use ebm_gpu::objective::Objective;

/// A sentence for each flag that was set to something else than its default and is for other objectives alone; none with
/// `--quiet`.
pub(super) fn warnings(command: &Command, matches: &ArgMatches) -> Vec<String> {
    let Some((name, matches)) = matches.subcommand() else { return Vec::new() };
    let Some(command) = command.find_subcommand(name) else { return Vec::new() };
    let Some(loss) = matches.try_get_one::<String>("loss").ok().flatten() else { return warnings(command, matches) };
    if matches!(matches.try_get_one("quiet"), Ok(Some(true))) {
        return Vec::new();
    }
    let sentence = |arg: &Arg| {
        let (owners, flag) = (owners(arg)?, arg.get_long()?);
        let idle = is_set(arg, matches) && !owners.contains(loss);
        idle.then(|| format!("--{flag} is for {}: {loss} does not use it", owners.join(", ")))
    };
    command.get_arguments().filter_map(sentence).collect()
}

/// The flags of `run` that an objective does not use, without their dashes.
pub(super) fn idle(loss: &str) -> Vec<String> {
    let command = super::command();
    let arguments = command.find_subcommand("run").into_iter().flat_map(Command::get_arguments);
    let is_of_others = |arg: &&Arg| owners(arg).is_some_and(|owners| owners.iter().all(|owner| owner != loss));
    arguments.filter(is_of_others).filter_map(|arg| arg.get_long().map(str::to_string)).collect()
}

/// The objectives that a flag is for, where it is for some alone.
fn owners(arg: &Arg) -> Option<Vec<String>> {
    let help = arg.get_help()?.to_string();
    let owners: Vec<String> = help.split_once(": ")?.0.split(", ").map(str::to_string).collect();
    owners.iter().all(|name| Objective::check_name(name).is_ok()).then_some(owners)
}

fn is_set(arg: &Arg, matches: &ArgMatches) -> bool {
    let given = matches.get_raw(arg.get_id().as_str());
    given.is_some_and(|values| !values.eq(arg.get_default_values().iter().map(|v| v.as_os_str())))
}
