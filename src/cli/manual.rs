//! The parts of the manual that belong to no single verb.

/// Examples, who acts, and the exit codes: after the long help.
pub const AFTER_HELP: &str = "\
A first campaign:
  campanile trunk add gw1 --dial 'PJSIP/{number}@gw1' --channels 10
  campanile campaign add spring --trunk gw1 --start 09:00 --stop 18:00
  campanile numbers import spring numbers.txt
  campanile actions add spring PLAY hello-world
  campanile campaign start spring
  campanile watch spring
  campanile report spring

Exit codes:
    0  done; also when there was nothing to do, such as stopping a stopped campaign
    1  the answer is no, and nothing is broken: a campaign that cannot start, a name that is taken
    2  a line check missed a limit
    3  a line check has nothing to judge by
   64  the command line was wrong
   65  data that came in was wrong, such as a numbers file without a single number
   66  what was named does not exist: a file, a campaign (or one of another user), a trunk, a number
   69  something that is needed does not answer
   70  a fault of Campanile; please report it
   73  a file that is needed cannot be made or written: not this user's, or on a read-only disk
   74  reading or writing failed
   75  not now; try again
   77  not permitted: an admin's verb, an unknown user, a spool of another system user
   78  the settings are wrong; `campanile check-config` says where
  130  ended early by Ctrl-C or SIGTERM; what was acknowledged stays

Answers go to stdout, everything else to stderr. `campanile help VERB` shows the options and examples of a verb.";

#[cfg(test)]
mod tests {
    use crate::exit::Exit;

    #[test]
    fn the_manual_names_every_exit_code() {
        for exit in Exit::ALL {
            let line = format!("\n  {:>3}  ", exit.code());
            assert!(super::AFTER_HELP.contains(&line), "{exit:?}");
        }
    }
}
