//! Reading a configuration so that each secret in it knows its field and where relative paths start.
//!
//! `Deserialize` knows neither. So the secrets are made first, by the schema, a mark takes their place in
//! the tree, and the type's own reading finds them by it.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    sync::{Arc, Weak},
};

use serde_json::Value;
use zeroize::Zeroize;

use super::{Inner, Secret, SecretError, fields};
use crate::{
    author::{Component, Result},
    value::{ErrorClass, PluginError},
};

/// What a secret's place in the tree begins with while the tree is read; its number follows.
const MARK: char = '\u{1}';

thread_local! {
    static SCOPE: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

struct Scope {
    base_dir: PathBuf,
    secrets: Vec<Secret>,
}

/// The secrets of an instance, as long as the instance keeps them itself.
#[derive(Debug)]
pub(crate) struct Secrets {
    held: Vec<Weak<Inner>>,
}

impl Secrets {
    /// Reads every source anew and logs what is unwise about it.
    pub(crate) fn check(&self) -> Result<()> {
        let mut faults: Vec<SecretError> = Vec::new();
        for inner in self.held.iter().filter_map(Weak::upgrade) {
            let secret = Secret { inner };
            if let Some(warning) = secret.warning() {
                tracing::warn!("{warning}");
            }
            faults.extend(secret.check().err());
        }
        if faults.is_empty() {
            return Ok(());
        }
        // With one that can not be put right while the process runs, waiting does not help.
        let hopeless = faults.iter().any(|fault| fault.class() == ErrorClass::Permanent);
        let class = if hopeless { ErrorClass::Permanent } else { ErrorClass::Blocked };
        let texts: Vec<String> = faults.iter().map(ToString::to_string).collect();
        Err(PluginError::new(class, texts.join("; ")))
    }
}

/// Reads the configuration of a component; relative paths of secrets start at `base_dir`. An error names
/// the path of the field, and of secrets all that are wrong.
pub(crate) fn read_config<T: Component>(mut config: Value, base_dir: &Path) -> Result<(T::Config, Secrets)> {
    let schema = schemars::schema_for!(T::Config).to_value();
    let mut scope = Scope { base_dir: base_dir.to_owned(), secrets: Vec::new() };
    let mut faults = Vec::new();
    fields::each(&schema, &mut config, &mut |path, value, _| {
        let Some(text) = value.as_str() else { return };
        match Secret::parse(path, text, base_dir) {
            Ok(secret) => {
                wipe(value);
                *value = Value::String(format!("{MARK}{}", scope.secrets.len()));
                scope.secrets.push(secret);
            }
            Err(error) => faults.push(format!("config.{error}")),
        }
    });
    if !faults.is_empty() {
        wipe(&mut config);
        return Err(PluginError::permanent(faults.join("; ")));
    }
    let held = scope.secrets.iter().map(|secret| Arc::downgrade(&secret.inner)).collect();
    let read = within(scope, || serde_path_to_error::deserialize(config));
    let config = read.map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { "config".to_owned() } else { format!("config.{path}") };
        PluginError::permanent(format!("{place}: {}", error.inner()))
    })?;
    Ok((config, Secrets { held }))
}

/// Runs work with a scope on this thread; the scope before it comes back, also after a panic.
fn within<R>(scope: Scope, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<Scope>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            SCOPE.with(|slot| *slot.borrow_mut() = before);
        }
    }
    let _restore = Restore(SCOPE.with(|slot| slot.borrow_mut().replace(scope)));
    work()
}

/// The secret that a text of a configuration stands for.
pub(super) fn secret(text: &str) -> Result<Secret, SecretError> {
    SCOPE.with(|slot| {
        let slot = slot.borrow();
        let number = text.strip_prefix(MARK).and_then(|number| number.parse::<usize>().ok());
        let made = slot.as_ref().zip(number).and_then(|(scope, number)| scope.secrets.get(number));
        match made {
            Some(secret) => Ok(secret.clone()),
            // A reading that the kit does not lead, as in a test.
            None => Secret::parse("", text, slot.as_ref().map_or(Path::new("."), |scope| &scope.base_dir)),
        }
    })
}

/// Overwrites every text of a tree: for a host that has no more use for a configuration.
pub fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(entries) => entries.values_mut().for_each(wipe),
        _ => {}
    }
}
