//! Everything a person, or a program that reads osgraph's output, sees.
//!
//! | module | what it says |
//! |---|---|
//! | [`words`] | a [`crate::plan::Reason`] in words, the only place that does |
//! | [`quantity`], [`text`], [`colour`] | durations, sizes and counts; widths; ANSI styles |
//! | [`style`] | which of the four ways of showing a run, as a function of facts |
//! | [`live`], [`plain`], [`github`], [`gitlab`], [`json`] | a run's events as they come; [`mod@sink`] picks one, [`sections`] is common to the two CI forms |
//! | [`lines`], [`heartbeat`] | the lines that those share: a node's end, a failure, the summary; a sign of life now and then |
//! | `roster` | things by node, in the order in which they came |
//! | [`summary`] | a run as a page of Markdown, for CI machines that show one |
//! | [`explain`], [`params`] | the whole answer to "why"; parameters and where their values came from |
//! | [`meter`] | one line for commands that answer only at their end |
//! | [`table`], [`runs`], [`running`], [`stats`], [`care`], [`collected`] | lists: past runs, what they wasted, what the store holds, what was collected |
//! | [`difference`], [`whence`] | what two runs made differently; what made a file |
//! | [`verified`] | whether packages are what their manifests say |
//! | [`page`], [`trace`] | a run as a page for a browser, and as a trace |
//! | [`doctor`] | which container engine there is |
//! | [`diagnostics`] | errors |
//! | [`init`] | the pipeline to begin with |
//! | [`manual`], [`schema`] | manual pages; what each JSON answer looks like |
//!
//! Knows no store, no engine and no run: it is handed events and plain data, a writer and facts
//! about who reads (terminal, width, colours), and never asks the environment for them.

pub mod care;
pub mod collected;
pub mod colour;
pub mod diagnostics;
pub mod difference;
pub mod doctor;
pub mod explain;
pub mod github;
pub mod gitlab;
pub mod heartbeat;
pub mod init;
pub mod json;
pub mod lines;
pub mod live;
pub mod lock;
pub mod manual;
pub mod meter;
pub mod outdated;
mod output;
pub mod page;
pub mod params;
pub mod plain;
pub mod quantity;
mod roster;
pub mod running;
pub mod runs;
pub mod schema;
pub mod sections;
pub mod sink;
pub mod stats;
pub mod style;
pub mod summary;
pub mod table;
pub mod terminal;
pub mod text;
pub mod trace;
pub mod verified;
pub mod whence;
pub mod words;

pub use colour::{ColourChoice, ColourFacts, Palette};
pub use lines::fresh_line;
pub use output::Writer;
pub use sink::{Clock, Options, Verbosity, sink};
pub use style::{LogStyle, StyleFacts};
