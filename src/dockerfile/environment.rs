//! What the variables of a stage, and of the lines before the first `FROM`, hold.
//!
//! In a stage `ENV` and `ARG` set the same variables, the last one wins, and a stage that is built
//! on another one begins with all of that one's.

use std::collections::{BTreeMap, BTreeSet};

use super::expand::{Found, Value};
use super::platform::Platform;

/// Variables by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    variables: BTreeMap<String, Value>,
    /// Why a name that nobody sets here may be set all the same: by the external image below.
    unset: Option<String>,
}

impl Environment {
    /// For a stage on an external image; none for `scratch`.
    pub fn on_image(image: Option<&str>) -> Self {
        let unset = image.map(|image| format!("the image `{image}` may set it"));
        Self { variables: BTreeMap::new(), unset }
    }

    pub fn set(&mut self, name: String, value: Value) {
        self.variables.insert(name, value);
    }

    /// A name that cannot be told was set: it may be any.
    pub fn doubt(&mut self, why: &str) {
        for variable in self.variables.values_mut() {
            *variable = Value::Unknown(why.to_owned());
        }
        self.unset = Some(why.to_owned());
    }

    pub fn get(&self, name: &str) -> Found {
        match (self.variables.get(name), &self.unset) {
            (Some(Value::Known(value)), _) => Found::Set(value.clone()),
            (Some(Value::Unknown(why)), _) => Found::Unknown(why.clone()),
            (None, Some(why)) => Found::Unknown(format!("`{name}` is not known: {why}")),
            // Every image has one, of BuildKit's making if need be.
            (None, None) if name == "PATH" => Found::Unknown("`PATH` is the image's".to_owned()),
            (None, None) => Found::Unset,
        }
    }
}

/// What `FROM` lines see: `ARG`s before the first of them, and what BuildKit predefines.
#[derive(Debug)]
pub(super) struct Globals {
    values: BTreeMap<String, Value>,
    /// Which other `ARG`s a default is made of.
    needs: BTreeMap<String, BTreeSet<String>>,
}

impl Globals {
    /// With what is predefined; `given` replaces it.
    pub fn new(target: Option<&Platform>, builder: Option<&Platform>, given: &[(String, String)]) -> Self {
        let mut values = BTreeMap::new();
        for (prefix, platform) in [("TARGET", target), ("BUILD", builder)] {
            match platform {
                Some(platform) => {
                    let known = platform.variables(prefix);
                    values.extend(known.map(|(name, value)| (name, Value::Known(value))));
                }
                None => {
                    for part in ["PLATFORM", "OS", "ARCH", "VARIANT"] {
                        let name = format!("{prefix}{part}");
                        values
                            .insert(name.clone(), Value::Unknown(format!("`{name}` hangs on the platform")));
                    }
                }
            }
        }
        for name in ["TARGETOSVERSION", "BUILDOSVERSION", "TARGETSTAGE"] {
            values.insert(name.to_owned(), Value::Unknown(format!("not every BuildKit sets `{name}`")));
        }
        for (name, value) in given {
            if let Some(predefined) = values.get_mut(name) {
                *predefined = Value::Known(value.clone());
            }
        }
        Self { values, needs: BTreeMap::new() }
    }

    /// An `ARG` before the first `FROM`, with what its default was made of.
    pub fn declare(&mut self, name: &str, value: Option<Value>, needs: BTreeSet<String>) {
        if let Some(value) = value {
            self.values.insert(name.to_owned(), value);
        }
        self.needs.insert(name.to_owned(), needs);
    }

    pub fn get(&self, name: &str) -> Found {
        match self.values.get(name) {
            Some(Value::Known(value)) => Found::Set(value.clone()),
            Some(Value::Unknown(why)) => Found::Unknown(why.clone()),
            None => Found::Unset,
        }
    }

    pub fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Of `names`, those that a build argument can reach, and what their defaults are made of.
    pub fn close(&self, names: impl IntoIterator<Item = String>) -> BTreeSet<String> {
        let mut closed = BTreeSet::new();
        let mut open: Vec<String> = names.into_iter().collect();
        while let Some(name) = open.pop() {
            let needs = self.needs.get(&name);
            if (needs.is_some() || self.values.contains_key(&name)) && closed.insert(name) {
                open.extend(needs.into_iter().flatten().cloned());
            }
        }
        closed
    }
}
