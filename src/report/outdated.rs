//! What `osgraph outdated` says. All is handed in as plain data: this module knows no registry.

use serde::Serialize;

use crate::pipeline::NodeName;
use crate::report::colour::Palette;
use crate::report::json::answer;
use crate::report::lock::short;
use crate::report::quantity::{about, count};
use crate::report::table::{Align, Table};

/// The whole answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outdated {
    /// The lock file, as the reader knows it.
    pub file: String,
    pub images: Vec<Image>,
    /// Images that nodes build on and that are not locked.
    pub unlocked: Vec<Unlocked>,
}

/// An entry of the lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Image {
    pub image: String,
    pub platform: String,
    /// `sha256:…`
    pub locked: String,
    #[serde(flatten)]
    pub state: State,
    pub age: Age,
    pub cost: Cost,
}

/// What the registry has now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// What is locked.
    Same,
    Moved {
        present: String,
    },
    /// Nothing of that name any more.
    Gone,
    /// It did not say.
    Unknown {
        error: String,
    },
}

/// When the images were made, in the words of an engine that has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Age {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present: Option<String>,
}

/// What would run, at most, if the image changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    pub nodes: Vec<NodeName>,
    /// One after the other, from past runs.
    pub expected_ms: u64,
    /// Nodes that no run timed, and which the time leaves out.
    pub untimed: usize,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unlocked {
    pub image: String,
    pub platform: String,
}

/// Nodes that are named; more are counted.
const NAMED: usize = 3;

/// A table, and what to do about it.
pub fn text(outdated: &Outdated, palette: Palette) -> String {
    let Outdated { file, images, unlocked } = outdated;
    let mut out = String::new();
    if images.is_empty() {
        out.push_str(&format!("`{file}` locks no image\n"));
    } else {
        let mut table = Table::new([
            ("image", Align::Left),
            ("platform", Align::Left),
            ("locked", Align::Left),
            ("now", Align::Left),
            ("adopting it runs", Align::Left),
        ]);
        for Image { image, platform, locked, state, age, cost } in images {
            let dated =
                |digest: &str, made: &Option<String>| match made.as_deref().and_then(|at| at.get(..10)) {
                    Some(day) => format!("{} of {day}", short(digest)),
                    None => short(digest).to_owned(),
                };
            let (now, runs) = match state {
                State::Same => ("the same".to_owned(), String::new()),
                State::Moved { present } => (dated(present, &age.present), costs(cost)),
                State::Gone => ("gone".to_owned(), String::new()),
                State::Unknown { .. } => ("not known".to_owned(), costs(cost)),
            };
            table.row([image.clone(), platform.clone(), dated(locked, &age.locked), now, runs]);
        }
        out.push_str(&table.text(palette));
    }
    for one in images {
        if let State::Unknown { error } = &one.state {
            out.push_str(&format!("{}  `{}`: {error}\n", palette.red("unknown"), one.image));
        }
    }
    for Unlocked { image, platform } in unlocked {
        out.push_str(&format!("{}  `{image}` for {platform}\n", palette.yellow("not locked")));
    }
    let moved = images.iter().filter(|one| matches!(one.state, State::Moved { .. })).count();
    if moved > 0 {
        out.push_str(&format!("{} moved: adopt with `osgraph lock --update NAME`\n", count(moved, "image")));
    }
    if !unlocked.is_empty() {
        out.push_str(&format!(
            "{} not locked: `osgraph lock` adds what is missing\n",
            count(unlocked.len(), "image")
        ));
    }
    out
}

/// `base, embed and 2 more, ~31m00s`
fn costs(cost: &Cost) -> String {
    let Cost { nodes, expected_ms, untimed } = cost;
    if nodes.is_empty() {
        return "nothing".to_owned();
    }
    let named: Vec<String> = nodes.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match nodes.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let time = match (nodes.len() - untimed, untimed) {
        (0, _) => "not timed yet".to_owned(),
        (_, 0) => about(*expected_ms),
        (_, untimed) => format!("{} and {} not timed", about(*expected_ms), count(*untimed, "node")),
    };
    format!("{}{more}, {time}", named.join(", "))
}

/// `{"v":1,"file","images":[…],"unlocked":[…]}`
pub fn json(outdated: &Outdated) -> String {
    answer(outdated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> String {
        format!("sha256:{}", text.repeat(64))
    }

    fn image(name: &str, state: State, age: Age, cost: Cost) -> Image {
        Image { image: name.into(), platform: "linux/amd64".into(), locked: digest("a"), state, age, cost }
    }

    fn cost(nodes: &[&str], expected_ms: u64, untimed: usize) -> Cost {
        Cost { nodes: nodes.iter().map(|name| NodeName((*name).to_owned())).collect(), expected_ms, untimed }
    }

    #[test]
    fn each_state_has_its_line() {
        let day = |day: &str| Some(format!("{day}T01:02:03.5Z"));
        let moved = State::Moved { present: digest("b") };
        let unknown = State::Unknown { error: "no network".into() };
        let outdated = Outdated {
            file: "pipeline.lock".into(),
            images: vec![
                image("a:1", State::Same, Age::default(), cost(&["x"], 1, 0)),
                image(
                    "b:1",
                    moved,
                    Age { locked: day("2026-10-01"), present: None },
                    cost(&["base", "embed", "binary", "dist"], 1_860_000, 1),
                ),
                image("c:1", State::Gone, Age::default(), Cost::default()),
                image("d:1", unknown, Age::default(), cost(&["x"], 0, 1)),
            ],
            unlocked: vec![Unlocked { image: "e:1".into(), platform: "linux/arm64".into() }],
        };
        assert_eq!(
            text(&outdated, Palette::PLAIN),
            "\
image  platform     locked                      now           adopting it runs
a:1    linux/amd64  aaaaaaaaaaaa                the same
b:1    linux/amd64  aaaaaaaaaaaa of 2026-10-01  bbbbbbbbbbbb  base, embed, binary and 1 more, ~31m00s and 1 node not timed
c:1    linux/amd64  aaaaaaaaaaaa                gone
d:1    linux/amd64  aaaaaaaaaaaa                not known     x, not timed yet
unknown  `d:1`: no network
not locked  `e:1` for linux/arm64
1 image moved: adopt with `osgraph lock --update NAME`
1 image not locked: `osgraph lock` adds what is missing
"
        );
    }

    #[test]
    fn json_is_stable() {
        let moved = image("b:1", State::Moved { present: digest("b") }, Age::default(), cost(&["x"], 5, 0));
        let outdated = Outdated { file: "p.lock".into(), images: vec![moved], unlocked: vec![] };
        assert_eq!(
            json(&outdated),
            format!(
                r#"{{"v":1,"file":"p.lock","images":[{{"image":"b:1","platform":"linux/amd64","locked":"{}","state":"moved","present":"{}","age":{{}},"cost":{{"nodes":["x"],"expected_ms":5,"untimed":0}}}}],"unlocked":[]}}"#,
                digest("a"),
                digest("b")
            ) + "\n"
        );
    }
}
