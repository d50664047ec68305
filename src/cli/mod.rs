//! The command line of `campanile`: one file a verb; its help is the manual.
//!
//! A verb reads and writes the ledger and nothing else: whatever is to be dialled, the daemon and the
//! gate do. What a verb has acknowledged is durable (I8), and a stop that it acknowledged holds at the
//! gate from that instant (I4).

mod action_list;
mod actor;
mod algorithm;
mod calendar;
mod campaign;
mod causes;
mod check;
mod dnc;
mod doctor;
mod failure;
mod forecast;
mod interrupt;
mod line_check;
mod manual;
mod numbers;
mod present;
mod redial;
mod report;
mod serve;
mod session;
mod sounds;
mod trouble;
mod trunk;
mod user;
mod watch;
mod why;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use self::failure::Outcome;
use self::session::{Form, Session};
use crate::domain::name::Name;
use crate::exit::Exit;
use crate::logging;

/// The auto-dialer that is installed next to Asterisk.
///
/// Campanile spreads the calls of campaigns evenly over time and places them through Asterisk's call
/// files; each number is called at most once at a time, never outside its campaign's window, and never
/// after a stop was acknowledged. `campanile serve` and `campanile-agi` do the calling; every other
/// command looks at the ledger or changes it, and takes effect at once.
#[derive(Debug, Parser)]
#[command(name = "campanile", version, after_long_help = manual::AFTER_HELP, subcommand_required = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Their part of the help, below the options of the verb.
const EVERYWHERE: &str = "Everywhere";

/// Options that every verb takes.
#[derive(Debug, Args)]
pub struct Global {
    /// The settings file [default: /etc/campanile/campanile.conf].
    #[arg(long, global = true, help_heading = EVERYWHERE, value_name = "FILE", env = "CAMPANILE_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,

    /// Who acts [default: admin, the built-in admin].
    ///
    /// An admin sees and does all. A user sees only their own campaigns (those of others do not exist
    /// for them), and may not use the actions that reach the PBX (IVR, DIAL, …) nor administer users and trunks. Whoever can open the
    /// ledger's file is its authority: this is no password, it keeps honest people apart.
    #[arg(long = "as", global = true, help_heading = EVERYWHERE, value_name = "USER", env = "CAMPANILE_AS", hide_env_values = true)]
    acting: Option<Name>,

    /// Answer in JSON: one document, with instants as RFC 3339 in UTC with milliseconds.
    #[arg(long, global = true, help_heading = EVERYWHERE)]
    json: bool,

    /// Log to stderr what happens; twice or thrice for more.
    #[arg(short, long, global = true, help_heading = EVERYWHERE, action = clap::ArgAction::Count)]
    verbose: u8,
}

impl Global {
    fn form(&self) -> Form {
        if self.json { Form::Json } else { Form::Text }
    }
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the daemon: plan calls, hand them to Asterisk, settle what became of them.
    Serve(serve::Serve),
    /// List every problem of the settings, and every value with its source.
    CheckConfig(check::CheckConfig),
    /// Check that everything is in place for calls, up to a self-test call.
    Doctor(doctor::Doctor),
    /// Users: add, list, remove (admin).
    #[command(subcommand)]
    User(user::UserVerb),
    /// Trunks, the lines out: add, set, list, show, remove, test (admin; anybody may list).
    #[command(subcommand)]
    Trunk(trunk::TrunkVerb),
    /// Calendars: hours by weekday, first and last day, holidays.
    #[command(subcommand)]
    Calendar(calendar::CalendarVerb),
    /// Call generation algorithms, from which campaigns are made: list, show, add, set, remove.
    #[command(subcommand)]
    Algorithm(Box<algorithm::AlgorithmVerb>),
    /// Campaigns: add, set, list, show, start, pause, stop, remove.
    #[command(subcommand)]
    Campaign(Box<campaign::CampaignVerb>),
    /// Provider checking: every number through every trunk, on schedule: add, list, start, stop, remove, report.
    #[command(subcommand)]
    LineCheck(Box<line_check::LineCheckVerb>),
    /// The numbers of a campaign: import, list, show, imports, undo, stop, next, reactivate, result, delete-all.
    #[command(subcommand)]
    Numbers(numbers::NumbersVerb),
    /// What happens when a call is answered: list, add, set, move, remove.
    #[command(subcommand)]
    Actions(action_list::ActionsVerb),
    /// What follows from busy, no answer and other causes: list, set, remove.
    #[command(subcommand)]
    Causes(causes::CausesVerb),
    /// Do-not-call lists: create, list, show, add, import, remove, check, delete.
    #[command(subcommand)]
    Dnc(dnc::DncVerb),
    /// Make all failed numbers of a campaign callable again.
    RedialFailed(redial::RedialFailed),
    /// What became of a campaign's calls, one row for each attempt.
    Report(report::Report),
    /// What a campaign will come to: its end, its calls, channels over time, who will not be reached.
    Forecast(forecast::Forecast),
    /// Why is this number not being called? Each rule with pass or fail, and the next instant.
    Why(why::WhyNumber),
    /// Watch calls live: planned, ringing, talking, done by disposition, next starts.
    Watch(watch::Watch),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(error) => return told_by_clap(&error).into(),
    };
    outcome.unwrap_or_else(|failure| failure.tell()).into()
}

fn run(cli: Cli) -> Outcome {
    let global = cli.global;
    if !matches!(cli.verb, Verb::Serve(_)) {
        logging::start_verb(global.verbose);
    }
    match cli.verb {
        Verb::Serve(verb) => verb.run(&global),
        Verb::CheckConfig(verb) => verb.run(&global),
        Verb::Doctor(verb) => verb.run(&global),
        verb => run_with_ledger(verb, &mut Session::open(&global)?),
    }
}

fn run_with_ledger(verb: Verb, session: &mut Session) -> Outcome {
    match verb {
        Verb::Serve(_) | Verb::CheckConfig(_) | Verb::Doctor(_) => Ok(Exit::Software),
        Verb::User(verb) => verb.run(session),
        Verb::Trunk(verb) => verb.run(session),
        Verb::Calendar(verb) => verb.run(session),
        Verb::Algorithm(verb) => verb.run(session),
        Verb::Campaign(verb) => verb.run(session),
        Verb::LineCheck(verb) => verb.run(session),
        Verb::Numbers(verb) => verb.run(session),
        Verb::Actions(verb) => verb.run(session),
        Verb::Causes(verb) => verb.run(session),
        Verb::Dnc(verb) => verb.run(session),
        Verb::RedialFailed(verb) => verb.run(session),
        Verb::Report(verb) => verb.run(session),
        Verb::Forecast(verb) => verb.run(session),
        Verb::Why(verb) => verb.run(session),
        Verb::Watch(verb) => verb.run(session),
    }
}

/// Help goes to stdout; a wrong command line goes to stderr in our own voice.
fn told_by_clap(error: &clap::Error) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A closed pipe is no fault: `campanile --help | head`.
            let _ = error.print();
            Exit::Ok
        }
        _ => {
            let text = error.to_string();
            eprint!("campanile: {}", without_what_is_set(text.strip_prefix("error: ").unwrap_or(&text)));
            Exit::Usage
        }
    }
}

/// A usage line names what was given, and takes what the environment sets for that.
fn without_what_is_set(text: &str) -> String {
    let shown = |line: &str| match line.starts_with("Usage: ") {
        true => line.replace(" --config <FILE>", "").replace(" --as <USER>", ""),
        false => line.to_owned(),
    };
    text.split_inclusive('\n').map(shown).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn a_usage_line_has_nothing_of_the_environment() {
        let told = "what\n\nUsage: campanile campaign show --config <FILE> --as <USER> <NAME>\n";
        assert_eq!(super::without_what_is_set(told), "what\n\nUsage: campanile campaign show <NAME>\n");
    }

    #[test]
    fn the_command_line_is_well_formed_and_every_option_has_its_help() {
        let mut command = super::Cli::command();
        command.build();
        command.clone().debug_assert();
        assert_documented(&command);
    }

    #[test]
    fn the_options_of_a_verb_stand_above_those_of_every_verb() {
        let mut command = super::Cli::command();
        command.build();
        let mut add = command.find_subcommand("trunk").and_then(|c| c.find_subcommand("add")).unwrap().clone();
        let help = add.render_long_help().to_string();
        let everywhere = help.find("\nEverywhere:\n").unwrap();
        assert!(help.find("--account").unwrap() < everywhere && everywhere < help.find("--config").unwrap(), "{help}");
    }

    #[track_caller]
    fn assert_documented(command: &clap::Command) {
        assert!(command.get_about().is_some(), "{} has no help", command.get_name());
        for arg in command.get_arguments() {
            assert!(arg.get_help().is_some(), "{} of {} has no help", arg.get_id(), command.get_name());
        }
        assert_prose_wraps(&command.get_after_help().map(ToString::to_string).unwrap_or_default());
        command.get_subcommands().for_each(assert_documented);
    }

    /// A paragraph of the manual is one line, which the terminal's width breaks: one that is broken in the
    /// source too comes out ragged.
    #[track_caller]
    fn assert_prose_wraps(manual: &str) {
        let prose = |line: &str| !line.is_empty() && !line.starts_with(' ');
        for (line, next) in manual.lines().zip(manual.lines().skip(1)) {
            let broken = prose(line) && prose(next) && !line.ends_with(['.', ':', ')']);
            assert!(!broken, "`{line}` goes on in the next line");
        }
    }
}
