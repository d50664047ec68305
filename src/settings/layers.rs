//! Lays defaults, file and environment over each other; each value keeps the place it came from.

use std::collections::HashMap;
use std::ffi::OsString;

use config::{Config, ConfigError, Map, Source, Value};

use super::keys::{self, KEYS, KeySpec, VARIABLE_PREFIX};
use super::problem::{Fault, Place, Problem};

/// A key, its value as text and where that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: &'static KeySpec,
    /// The value as written.
    pub text: String,
    /// Where it was written.
    pub place: Place,
}

/// Entries of one origin, as a source for `config`.
#[derive(Debug, Clone)]
struct Layer(Vec<Entry>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let value = |e: &Entry| Value::new(Some(&e.place.to_string()), e.text.clone());
        Ok(self.0.iter().map(|e| (e.key.name.to_owned(), value(e))).collect())
    }
}

/// What the environment sets, and the variables that begin like ours but are not UTF-8 or set nothing.
pub fn environment(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> (Vec<Entry>, Vec<Problem>, Vec<Problem>) {
    let (mut entries, mut problems, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    let mut ours: Vec<(String, OsString)> = variables
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX) && !keys::is_other_variable(name))
        .collect();
    ours.sort();
    for (name, value) in ours {
        let place = Place::Variable(name.clone());
        match (KEYS.iter().find(|k| k.variable() == name), value.into_string()) {
            (Some(key), Ok(text)) => entries.push(Entry { key, text, place }),
            (Some(_), Err(_)) => problems.push(Problem { place, text: None, fault: Fault::NotText }),
            // Only a warning: others may use the prefix, and the value is theirs to show.
            (None, _) => {
                let key = name[VARIABLE_PREFIX.len()..].to_lowercase();
                warnings.push(Problem { place, text: None, fault: Fault::UnknownKey { key } });
            }
        }
    }
    (entries, problems, warnings)
}

/// The value that holds for each key, in the order of [`KEYS`].
///
/// # Errors
/// Only when `config` refuses a key's name, which is a fault of the table.
pub fn lay(file: Vec<Entry>, environment: Vec<Entry>) -> Result<Vec<Entry>, ConfigError> {
    let places: HashMap<String, Place> =
        file.iter().chain(&environment).map(|e| (e.place.to_string(), e.place.clone())).collect();
    let mut builder = Config::builder();
    for key in KEYS {
        builder = builder.set_default(key.name, key.default)?;
    }
    let mut laid = builder.add_source(Layer(file)).add_source(Layer(environment)).build()?.cache.into_table()?;
    KEYS.iter()
        .map(|key| {
            let value = laid.remove(key.name).ok_or_else(|| ConfigError::NotFound(key.name.to_owned()))?;
            let place = value.origin().and_then(|o| places.get(o)).cloned().unwrap_or(Place::Default);
            Ok(Entry { key, text: value.into_string()?, place })
        })
        .collect()
}
