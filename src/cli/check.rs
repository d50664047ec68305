//! `campanile check-config`.

use std::io::Write;

use clap::Args;

use super::Global;
use super::failure::Outcome;
use super::session::Form;
use crate::settings::check;

/// List every problem of the settings, and every value with its source.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  campanile check-config
  campanile --config ./campanile.conf check-config --json

JSON: {ok, problems: [{source, file, line, text, problem, mend}], warnings, values: [{key, value, source}]}. \
Ends with 0 when the settings hold, and with 78 when they do not.")]
pub struct CheckConfig {}

impl CheckConfig {
    pub fn run(&self, global: &Global) -> Outcome {
        let mut text = Vec::new();
        let file = global.config.as_deref();
        let exit = match global.form() {
            Form::Text => check::report(file, &mut text),
            Form::Json => check::report_json(file, &mut text),
        };
        std::io::stdout().write_all(&text)?;
        Ok(exit)
    }
}
