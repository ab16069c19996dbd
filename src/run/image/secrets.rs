//! The values of a build's secrets, taken from where the pipeline file says, as bytes in memory.

use std::fs;

use crate::pipeline::{Secret, SecretSource};
use crate::run::task::{Context, TaskError};

/// Ids and values of those that are there.
pub fn values(secrets: &[Secret], context: &Context) -> Result<Vec<(String, Vec<u8>)>, TaskError> {
    let mut out = Vec::new();
    for Secret { id, from, required, version: _ } in secrets {
        let id = &id.value;
        let found = match from {
            SecretSource::Environment(name) => (context.environment)(name).map(String::into_bytes),
            SecretSource::File(path) => match fs::read(context.project.join(path)) {
                Ok(bytes) => Some(bytes),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(source) => return Err(TaskError::SecretUnreadable { id: id.clone(), source }),
            },
        };
        match found {
            Some(bytes) => out.push((id.clone(), bytes)),
            None if *required => return Err(TaskError::SecretMissing(id.clone())),
            None => {}
        }
    }
    Ok(out)
}
