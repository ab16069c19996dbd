//! Values of options that are more than text.

use std::str::FromStr;
use std::time::Duration;

/// `--set NAME=VALUE`. The value may be empty and may hold `=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub name: String,
    pub value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Self { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err("a parameter is set as `name=value`".to_owned()),
        }
    }
}

/// Bytes, from `20GiB`, `500 MB` or `1024`.
pub fn size(text: &str) -> Result<u64, String> {
    text.parse::<bytesize::ByteSize>()
        .map(|size| size.as_u64())
        .map_err(|_| "a size is written as `20GiB`, `500MB` or a number of bytes".to_owned())
}

/// From `30d`, `12h` or `1h30m`.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "a duration is written as `30d`, `12h` or `1h30m`".to_owned())
}
