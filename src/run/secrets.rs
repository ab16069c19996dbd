//! The value of a secret, taken from where the pipeline file says, as bytes in memory.

use std::fs;

use crate::pipeline::{Secret, SecretSource};
use crate::run::task::{Context, TaskError};

/// None for one that is not there and need not be.
pub fn value(secret: &Secret, context: &Context) -> Result<Option<Vec<u8>>, TaskError> {
    let Secret { id, from, required, version: _ } = secret;
    let id = &id.value;
    let found = match from {
        SecretSource::Environment(name) => (context.environment)(name).map(String::into_bytes),
        SecretSource::File(path) => match fs::read(context.project.join(path)) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(source) => return Err(TaskError::SecretUnreadable { id: id.clone(), source }),
        },
    };
    if found.is_none() && *required {
        return Err(TaskError::SecretMissing(id.clone()));
    }
    Ok(found)
}

/// Ids and values of those that are there.
pub fn values(secrets: &[Secret], context: &Context) -> Result<Vec<(String, Vec<u8>)>, TaskError> {
    let mut out = Vec::new();
    for secret in secrets {
        out.extend(value(secret, context)?.map(|bytes| (secret.id.value.clone(), bytes)));
    }
    Ok(out)
}
