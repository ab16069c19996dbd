//! `osgraph explain --path` and `--if-changed`: what one path counts for, and what it would cost.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::commands::args::{Explain, Format};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::ground::Ground;
use crate::commands::images::EngineImages;
use crate::commands::load::{self, Loaded};
use crate::commands::prepare::published;
use crate::commands::screen::Screen;
use crate::digest::Digest;
use crate::dockerfile::normal_platform;
use crate::graph::NodeIndex;
use crate::inputs::observe::{Observer, Progress};
use crate::key::Manifest;
use crate::pipeline::{Node, NodeName, Work};
use crate::plan::oracle::{Effect, Expected, Oracle, Sight};
use crate::report::explain::oracle::{Asked, json, text};
use crate::run::docker::{EngineError, ImageFacts};
use crate::store::Store;
use crate::survey::dockerfiles::Images;
use crate::survey::gather::{Surroundings, scout};
use crate::survey::oracle::{Scene, look};
use crate::survey::snapshot::Snapshot;
use crate::survey::why::estimate;

pub fn run(ground: &Ground, args: &Explain, screen: &Screen) -> Result<Exit, Fault> {
    let loaded = load::load(ground, &mut Snapshot::default())?;
    let graph = &loaded.graph;
    let targets = graph.targets(&args.targets)?;
    let order = if args.targets.is_empty() { graph.order().to_vec() } else { graph.closure(&targets) };
    let store = Store::open_read_only(&ground.store)?;
    let project_id = ground.project_id();
    let engine = EngineImages::new(&ground.engine, &store, &project_id, &loaded.lock);
    let images = Lenient { engine: &engine, silent: false.into() };
    let around = Surroundings {
        project: &ground.project,
        store: &ground.store,
        git: &ground.git,
        // What a tool says of itself is no path.
        identify: &|_| Ok(Some(String::new())),
        resolve: &|program| ground.resolve(program),
        published: &published(&loaded, &store, &project_id)?,
        images: &images,
        assumed: &HashSet::new(),
        obscured: &HashSet::new(),
    };
    let progress = Progress::default();
    let mut observer = Observer::scout(&progress);
    let nodes: Vec<&Node> = order.iter().map(|index| &loaded.pipeline.nodes[index.index()]).collect();
    let composed = scout(&loaded.pipeline, &nodes, &around, &mut observer);
    let nodes: Vec<_> = nodes.into_iter().zip(composed).collect();
    let scene = Scene {
        around: &around,
        pipeline: &loaded.pipeline,
        file: &ground.file,
        text: &loaded.source.text,
        lock: &ground.lock(),
        nodes: &nodes,
    };
    let mut paths = Vec::new();
    for path in args.path.iter().chain(&args.if_changed) {
        let named = path.display().to_string();
        let absolute = absolute(ground, path)?;
        let sight = look(&scene, &mut observer, &named, &absolute)
            .map_err(|error| Fault::unanswered(&format!("`{named}` cannot be told about: {error}")))?;
        paths.push(sight);
    }
    let mut notes = Vec::new();
    if images.silent.get() {
        notes.push(
            "no container engine answers: whether images bring instructions with them is not known"
                .to_owned(),
        );
    }
    let mut oracle = Oracle {
        file: ground.shown.clone(),
        paths,
        runs: Vec::new(),
        follow: Vec::new(),
        restored: Vec::new(),
        notes,
    };
    expect(&mut oracle, &loaded, &order, &|node| estimate(&store, &project_id, node))?;
    let asked = if args.path.is_empty() { Asked::IfChanged } else { Asked::Path };
    screen.answer(&match screen.format {
        Format::Json => json(&oracle),
        Format::Text => text(&oracle, asked, screen.palette),
    });
    Ok(Exit::Done)
}

/// A path of the command line, without links as far as the folder it is named from.
fn absolute(ground: &Ground, path: &Path) -> Result<PathBuf, Fault> {
    if path.as_os_str().is_empty() {
        return Err(Fault::usage(
            "a path is empty",
            "name a file or folder of the project, or leave the option out",
        ));
    }
    let here = std::fs::canonicalize(&ground.here)
        .map_err(|source| Fault::NoFolder { path: ground.here.clone(), source })?;
    Ok(here.join(path))
}

/// What would come of a change of all the paths.
fn expect(
    oracle: &mut Oracle,
    loaded: &Loaded,
    order: &[NodeIndex],
    estimate: &dyn Fn(&NodeName) -> Option<crate::plan::Estimate>,
) -> Result<(), Fault> {
    let graph = &loaded.graph;
    let default: HashSet<NodeIndex> = graph.closure(&graph.targets(&[])?).into_iter().collect();
    let used = |wanted: fn(Effect) -> bool| -> Vec<NodeIndex> {
        let is_used = |node: &NodeName| {
            let uses = oracle.paths.iter().flat_map(|Sight { counts, .. }| counts);
            uses.into_iter().any(|one| one.node == *node && wanted(one.effect))
        };
        order.iter().copied().filter(|index| is_used(graph.name(*index))).collect()
    };
    let roots = used(|effect| effect != Effect::Restore);
    let restored = used(|effect| effect == Effect::Restore);
    let expected = |index: &NodeIndex| Expected {
        node: graph.name(*index).clone(),
        estimate: estimate(graph.name(*index)),
        by_default: default.contains(index),
    };
    let is_group = |index: &NodeIndex| matches!(loaded.pipeline.nodes[index.index()].work, Work::Group(_));
    let follow: Vec<Expected> = graph
        .affected(&roots)
        .iter()
        .filter(|index| order.contains(index) && !roots.contains(index) && !is_group(index))
        .map(expected)
        .collect();
    let runs = roots.iter().map(expected).collect();
    let restored = restored.iter().filter(|index| !roots.contains(index));
    oracle.restored = restored.map(|index| graph.name(*index).clone()).collect();
    (oracle.runs, oracle.follow) = (runs, follow);
    Ok(())
}

/// The engine's images, where there is an engine. Which line makes a path count hardly hangs on it.
struct Lenient<'a> {
    engine: &'a EngineImages<'a>,
    /// Whether nobody answered.
    silent: std::cell::Cell<bool>,
}

impl Images for Lenient<'_> {
    fn look(&self, references: &[&str]) -> Result<Vec<Option<ImageFacts>>, EngineError> {
        let nothing = || references.iter().map(|_| None).collect();
        if self.silent.get() || references.is_empty() {
            return Ok(nothing());
        }
        Ok(self.engine.look(references).unwrap_or_else(|_| {
            self.silent.set(true);
            nothing()
        }))
    }

    fn platform(&self) -> Result<String, EngineError> {
        let own = || {
            let own = format!("linux/{}", std::env::consts::ARCH);
            normal_platform(&own).unwrap_or(own)
        };
        if self.silent.get() {
            return Ok(own());
        }
        Ok(self.engine.platform().unwrap_or_else(|_| {
            self.silent.set(true);
            own()
        }))
    }

    fn locked(&self, reference: &str, platform: &str) -> Option<String> {
        self.engine.locked(reference, platform)
    }

    fn is_refused(&self, image: &Digest) -> bool {
        self.engine.is_refused(image)
    }

    fn latest(&self, node: &NodeName) -> Option<Manifest> {
        self.engine.latest(node)
    }
}
