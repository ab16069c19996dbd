//! What an engine reports while it moves an image: one JSON object a line, with the bytes of each
//! layer.
//!
//! Knows not where the image goes or comes from.

use std::collections::HashMap;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::Deserialize;

use crate::run::docker::buildkit::CancelToken;

/// A line that is longer is no report.
const LONGEST: usize = 1 << 20;

/// How far it is. `total` grows while layers become known; 0 where nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    pub done: u64,
    pub total: u64,
}

/// Who looks on while an image moves, and may stop it.
pub struct Watch<'a> {
    pub cancel: &'a CancelToken,
    pub progress: &'a mut (dyn FnMut(Transfer) + Send),
}

/// One line of a report.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    pub status: String,
    pub stream: String,
    /// The layer's.
    pub id: String,
    error: Option<String>,
    #[serde(rename = "errorDetail")]
    detail: Option<Detail>,
    #[serde(rename = "progressDetail")]
    progress: Option<Progress>,
    pub aux: Option<Aux>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Detail {
    message: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Progress {
    current: u64,
    total: u64,
}

/// What came of a push.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Aux {
    #[serde(rename = "Digest")]
    pub digest: String,
}

/// Why a report ended early.
#[derive(Debug)]
pub(super) enum Broken {
    /// In the engine's words.
    Said(String),
    /// The connection, or the form of what came over it.
    Lost(Box<dyn std::error::Error + Send + Sync>),
    Cancelled,
}

/// Passes on every line until the end, which `cancel` may bring about.
pub(super) async fn follow(
    mut body: Incoming,
    cancel: &CancelToken,
    take: &mut (dyn FnMut(&Message) + Send),
) -> Result<(), Broken> {
    let mut lines = Lines::default();
    loop {
        let frame = tokio::select! {
            frame = body.frame() => frame,
            () = cancel.cancelled() => return Err(Broken::Cancelled),
        };
        let Some(frame) = frame else { return lines.finish(take) };
        let frame = frame.map_err(|error| Broken::Lost(error.into()))?;
        if let Ok(bytes) = frame.into_data() {
            lines.push(&bytes, take)?;
        }
    }
}

/// Bytes put together to lines.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn push(&mut self, bytes: &[u8], take: &mut (dyn FnMut(&Message) + Send)) -> Result<(), Broken> {
        self.0.extend_from_slice(bytes);
        while let Some(end) = self.0.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.0.drain(..=end).collect();
            read(&line, take)?;
        }
        if self.0.len() > LONGEST {
            return Err(Broken::Lost("the engine's report has no lines".into()));
        }
        Ok(())
    }

    fn finish(self, take: &mut (dyn FnMut(&Message) + Send)) -> Result<(), Broken> {
        read(&self.0, take)
    }
}

fn read(line: &[u8], take: &mut (dyn FnMut(&Message) + Send)) -> Result<(), Broken> {
    if line.trim_ascii().is_empty() {
        return Ok(());
    }
    let message: Message = serde_json::from_slice(line).map_err(|error| Broken::Lost(error.into()))?;
    let detail = message.detail.as_ref().map(|detail| &detail.message).filter(|text| !text.is_empty());
    if let Some(said) = detail.or(message.error.as_ref()) {
        return Err(Broken::Said(said.clone()));
    }
    take(&message);
    Ok(())
}

/// The sum over all layers.
#[derive(Default)]
pub(super) struct Tally(HashMap<String, Transfer>);

impl Tally {
    /// Takes a line in, and gives the sum where it moved.
    pub(super) fn note(&mut self, message: &Message) -> Option<Transfer> {
        let Message { status, id, progress, .. } = message;
        match (status.as_str(), progress) {
            ("Pushing" | "Downloading", Some(Progress { current, total })) if *total > 0 => {
                // Engines count archives' padding in and end above the total.
                let layer = Transfer { done: (*current).min(*total), total: *total };
                if self.0.insert(id.clone(), layer) == Some(layer) {
                    return None;
                }
            }
            ("Pushed" | "Download complete" | "Pull complete", _) => {
                let layer = self.0.get_mut(id)?;
                if layer.done == layer.total {
                    return None;
                }
                layer.done = layer.total;
            }
            _ => return None,
        }
        let sum = |of: fn(&Transfer) -> u64| self.0.values().map(of).sum();
        Some(Transfer { done: sum(|layer| layer.done), total: sum(|layer| layer.total) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "{\"status\":\"Preparing\",\"progressDetail\":{},\"id\":\"a\"}\r\n\
        {\"status\":\"Pushing\",\"progressDetail\":{\"current\":5,\"total\":10},\"id\":\"a\"}\r\n\
        {\"status\":\"Pushing\",\"progressDetail\":{\"current\":3,\"total\":30},\"id\":\"b\"}\r\n\
        {\"status\":\"Pushing\",\"progressDetail\":{\"current\":12,\"total\":10},\"id\":\"a\"}\r\n\
        {\"status\":\"Pushed\",\"progressDetail\":{},\"id\":\"b\"}\r\n\
        {\"progressDetail\":{},\"aux\":{\"Tag\":\"1\",\"Digest\":\"sha256:d\",\"Size\":527}}";

    #[test]
    fn reports_are_read_in_whatever_pieces_they_come() {
        for size in [1, 7, 4096] {
            let (mut lines, mut tally, mut sums, mut digest) =
                (Lines::default(), Tally::default(), Vec::new(), String::new());
            let mut take = |message: &Message| {
                sums.extend(tally.note(message).map(|sum| (sum.done, sum.total)));
                digest.extend(message.aux.as_ref().map(|aux| aux.digest.as_str()));
            };
            for piece in SAID.as_bytes().chunks(size) {
                lines.push(piece, &mut take).unwrap();
            }
            lines.finish(&mut take).unwrap();
            assert_eq!(sums, [(5, 10), (8, 40), (13, 40), (40, 40)]);
            assert_eq!(digest, "sha256:d");
        }
    }

    #[test]
    fn what_went_wrong_ends_it() {
        let said = |text: &str| Lines::default().push(text.as_bytes(), &mut |_| ()).unwrap_err();
        let Broken::Said(why) = said("{\"errorDetail\":{\"message\":\"no\"},\"error\":\"no\"}\n") else {
            panic!("no message")
        };
        assert_eq!(why, "no");
        assert!(matches!(said("{\"error\":\"old\"}\n"), Broken::Said(why) if why == "old"));
        assert!(matches!(said("<html>\n"), Broken::Lost(_)));
        assert!(matches!(said(&"x".repeat(LONGEST + 1)), Broken::Lost(_)));
    }
}
