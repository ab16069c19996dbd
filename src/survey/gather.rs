//! Composes every node of a run from what is on disk.
//!
//! Looks things up once: a folder that two nodes declare is walked once, a tool that ten nodes
//! name is asked once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::dockerfile::Analysis;
use crate::inputs::git::{self, GitFacts, GitProgram, GitSource, Traits, User};
use crate::inputs::input::{GitAnswer, GitInput, GitQuestion, Input, ToolQuestion};
use crate::inputs::observe::{ObserveError, Observer};
use crate::inputs::stat::Stat;
use crate::inputs::walk::Request;
use crate::key::Value;
use crate::key::compose::{Composed, Dockerfile, Origin, Stand, World, compose, quoted};
use crate::path::RelPath;
use crate::pipeline::{
    DockerRecipe, Node, NodeName, NodeRef, Pipeline, PublishedPlace, Source, Span, Spanned, Tool,
};
use crate::survey::context;
use crate::survey::dockerfiles::{self, Below, Images};
use crate::tree::Entry;

mod error;

pub use error::{GatherError, Trouble};

/// Where a program's name leads.
pub struct Resolved {
    pub program: Option<PathBuf>,
    /// Where it was looked for before, in vain.
    pub searched: Vec<PathBuf>,
}

/// What does not change during a survey.
pub struct Surroundings<'a> {
    /// Absolute, without links.
    pub project: &'a Path,
    pub store: &'a Path,
    pub git: &'a GitProgram,
    /// Asks a tool for its identity; none when the program is not there.
    pub identify: &'a dyn Fn(&ToolQuestion) -> Result<Option<String>, String>,
    /// The file that a program's name leads to.
    pub resolve: &'a dyn Fn(&str) -> Resolved,
    /// Published paths of every node, now and ever.
    pub published: &'a BTreeMap<RelPath, Option<NodeName>>,
    pub images: &'a dyn Images,
    /// Nodes that are taken as they were.
    pub assumed: &'a HashSet<NodeName>,
    /// What went into one of them, which is not what is there now.
    pub obscured: &'a HashSet<NodeName>,
}

/// Everything that was found out.
pub struct Gathered {
    /// By node, in the order given.
    pub nodes: Vec<Composed<Input>>,
    pub tools: Vec<(ToolQuestion, String)>,
    pub sources: Vec<(GitQuestion, GitAnswer)>,
    /// Images of others that the engine was asked for, and the ids that it has for them.
    pub images: Vec<(String, Option<String>)>,
}

/// Composes `nodes`, which come after what they read; every trouble is reported, not only the first.
pub fn gather(
    pipeline: &Pipeline,
    nodes: &[&Node],
    around: &Surroundings<'_>,
    observer: &mut Observer<'_>,
) -> Result<Gathered, Vec<Trouble>> {
    let mut world = Disk::new(pipeline, around, observer);
    let mut composed = Vec::with_capacity(nodes.len());
    let mut troubles = Vec::new();
    for node in nodes {
        match world.compose(node) {
            Ok(one) => composed.push(one),
            Err(trouble) => troubles.push(*trouble),
        }
    }
    if !troubles.is_empty() {
        return Err(troubles);
    }
    let Disk { tools, sources, images, .. } = world;
    let answer = |(facts, traits): (GitFacts, Traits)| GitAnswer {
        facts: GitAnswer::digest(&facts),
        tree: facts.tree,
        traits,
    };
    let sources = sources.into_iter().map(|(question, found)| (question, answer(found))).collect();
    Ok(Gathered { nodes: composed, tools: tools.into_iter().collect(), sources, images })
}

/// A node as far as it could be composed.
pub type Scouted = Result<Composed<Input>, Box<Trouble>>;

/// Each node composed as far as it can be, for who asks where inputs are and not what they hold: the
/// observer may be a scout.
pub fn scout(
    pipeline: &Pipeline,
    nodes: &[&Node],
    around: &Surroundings<'_>,
    observer: &mut Observer<'_>,
) -> Vec<Scouted> {
    let mut world = Disk::new(pipeline, around, observer);
    nodes.iter().map(|node| world.compose(node)).collect()
}

struct Disk<'w, 'o> {
    around: &'w Surroundings<'w>,
    observer: &'w mut Observer<'o>,
    kinds: HashMap<&'w NodeName, &'w Node>,
    tools: BTreeMap<ToolQuestion, String>,
    sources: BTreeMap<GitQuestion, (GitFacts, Traits)>,
    /// By repository top: tracked files that an ignore rule names.
    tracked: HashMap<PathBuf, BTreeSet<RelPath>>,
    /// The commits that nodes are taken from.
    commits: HashMap<NodeName, String>,
    images: Vec<(String, Option<String>)>,
    /// Nodes whose Dockerfiles have `ONBUILD`; they come before those that build on them.
    triggers: BTreeSet<NodeName>,
    /// What is being looked at, for the report of trouble.
    at: Option<Span>,
}

impl<'w, 'o> Disk<'w, 'o> {
    fn new(pipeline: &'w Pipeline, around: &'w Surroundings<'w>, observer: &'w mut Observer<'o>) -> Self {
        Self {
            around,
            observer,
            kinds: pipeline.nodes.iter().map(|node| (&node.name, node)).collect(),
            tools: BTreeMap::new(),
            sources: BTreeMap::new(),
            tracked: HashMap::new(),
            commits: HashMap::new(),
            images: Vec::new(),
            triggers: BTreeSet::new(),
            at: None,
        }
    }

    fn compose(&mut self, node: &Node) -> Result<Composed<Input>, Box<Trouble>> {
        self.at = None;
        let composed = compose(node, self);
        let composed =
            composed.map_err(|error| Box::new(Trouble { node: node.name.clone(), span: self.at, error }))?;
        self.note_commit(&node.name, &composed);
        Ok(composed)
    }

    fn note_commit(&mut self, node: &NodeName, composed: &Composed<Input>) {
        for placed in &composed.inputs {
            if let Input::Git(git) = &placed.input {
                self.commits.insert(node.clone(), git.facts.commit.clone());
            }
        }
    }

    /// A folder's walk request, with everything that osgraph itself writes cut from it. `named` is
    /// the folder as declared: where that is a link, outputs are declared below its name.
    fn request(
        &mut self,
        named: &Path,
        root: &Path,
        excludes: &[Spanned<String>],
    ) -> Result<Request, GatherError> {
        let mut cuts: BTreeSet<RelPath> =
            [named, root].into_iter().flat_map(|folder| self.published_below(folder)).collect();
        cuts.extend(self.around.store.strip_prefix(root).ok().and_then(relative));
        cuts.remove(&RelPath::root());
        let tracked = self.tracked(root)?;
        Ok(Request {
            root: root.to_path_buf(),
            project: self.around.project.to_path_buf(),
            cuts,
            ignore_rules: true,
            tracked,
            excludes: excludes.iter().map(|pattern| pattern.value.clone()).collect(),
            selection: None,
        })
    }

    /// Every published path below an absolute folder, relative to it. In a large pipeline there are
    /// many, and many folders that hold few of them: only those are gone through.
    fn published_below(&self, folder: &Path) -> Vec<RelPath> {
        let Surroundings { project, published, .. } = self.around;
        if let Ok(above) = project.strip_prefix(folder) {
            let above = relative(above).unwrap_or_else(RelPath::root);
            return published.keys().map(|path| above.join(path)).collect();
        }
        let Some(inside) = folder.strip_prefix(project).ok().and_then(relative) else { return Vec::new() };
        // No name holds a NUL, so this bound sorts before everything below the folder.
        let from = published.range(inside.child("\0")..).map(|(path, _)| path.below(&inside));
        from.map_while(|below| below).collect()
    }

    fn tracked(&mut self, root: &Path) -> Result<BTreeSet<RelPath>, GatherError> {
        let Some(top) = crate::inputs::ignore_rules::repository_top(root) else {
            // A repository that is made later brings its own rules.
            for folder in root.ancestors() {
                self.observer.note_rules(&folder.join(".git"));
            }
            // What names the user's own excludes file, which holds without a repository too.
            let User { home, config_home } = &self.around.git.user;
            let config_home = config_home.clone().or_else(|| Some(home.as_ref()?.join(".config")));
            for path in [
                home.as_ref().map(|home| home.join(".gitconfig")),
                config_home.map(|dir| dir.join("git/config")),
            ] {
                path.into_iter().for_each(|path| self.observer.note_rules(&path));
            }
            return Ok(BTreeSet::new());
        };
        if !self.tracked.contains_key(&top) {
            for path in git::influences(&top, self.around.git)? {
                // Git rewrites its index whenever it looks at files; what that changes for a walk
                // is asked below. The others decide what is ignored.
                if path.file_name().is_some_and(|name| name == "index") {
                    self.observer.note_present(&path);
                } else {
                    self.observer.note_rules(&path);
                }
            }
            let list = git::tracked_but_ignored(&top, self.around.git)?;
            let list = list.iter().filter_map(|path| RelPath::parse(path).ok()).collect();
            self.tracked.insert(top.clone(), list);
        }
        let below = root.strip_prefix(&top).ok().and_then(Path::to_str).unwrap_or("");
        let below = if below.is_empty() {
            RelPath::root()
        } else {
            RelPath::parse(below).unwrap_or_else(|_| RelPath::root())
        };
        Ok(self.tracked[&top].iter().filter_map(|path| path.below(&below)).collect())
    }

    /// Looks at an absolute path. A link that is named explicitly is followed, and watched.
    fn look(&mut self, path: &Path, excludes: &[Spanned<String>]) -> Result<(Entry, Input), GatherError> {
        let named = path;
        let path = self.observer.follow(named);
        if Stat::of(&path).is_err() {
            return Err(ObserveError::Missing { path: named.display().to_string() }.into());
        }
        let is_folder = Stat::of(&path).is_ok_and(|stat| stat.kind() == rustix::fs::FileType::Directory);
        if is_folder {
            let request = self.request(named, &path, excludes)?;
            let observation = self.observer.folder(&request)?;
            let entry = Entry::Directory { digest: observation.digest };
            return Ok((entry, Input::Folder(observation)));
        }
        let seen = self.observer.file(&path)?;
        Ok((seen.entry.clone(), Input::Leaf(path, seen)))
    }

    fn git_source(
        &mut self,
        path: &Path,
        reference: &str,
        submodules: bool,
        excludes: &[Spanned<String>],
    ) -> Result<(Vec<(String, Value)>, Input), GatherError> {
        let question = GitQuestion { path: path.to_path_buf(), reference: reference.to_owned(), submodules };
        let source = GitSource::open(path, self.around.git)?;
        let facts = match self.sources.get(&question) {
            Some((facts, _)) => facts.clone(),
            None => {
                let resolved = source.resolve(reference)?;
                let traits = source.traits(&resolved, submodules)?;
                let facts = source.facts_of(resolved, &traits, submodules)?;
                self.sources.insert(question.clone(), (facts.clone(), traits));
                facts
            }
        };
        let mut values: Vec<(String, Value)> =
            facts.counts.iter().map(|(label, value)| (label.clone(), Value::Text(value.clone()))).collect();
        let excludes: Vec<String> = excludes.iter().map(|pattern| pattern.value.clone()).collect();
        if !excludes.is_empty() {
            values.push(("exclude".to_owned(), Value::Text(quoted(&excludes))));
        }
        Ok((values, Input::Git(Arc::new(GitInput { source, facts, question, excludes }))))
    }

    fn own_outputs(&self, node: &NodeName) -> Stand {
        let outputs = self.kinds.get(node).and_then(|node| node.host()).map(|recipe| &recipe.outputs);
        Stand::Own(outputs.into_iter().flatten().map(|output| output.value.clone()).collect())
    }

    /// What of a recipe's context counts; `app`, where another node's tree stands, does not.
    fn context(
        &mut self,
        context: &Spanned<RelPath>,
        recipe: &DockerRecipe,
        app: Option<&RelPath>,
        analysis: &Analysis,
    ) -> Result<(Entry, Input), GatherError> {
        self.at = Some(context.span);
        let project = self.around.project;
        let named = context.value.under(project);
        let root = self.observer.follow(&named);
        if !root.is_dir() {
            return Err(GatherError::NoFolder { path: context.value.to_string() });
        }
        // What is sent is the Dockerfile's and `.dockerignore`'s to say, not git's.
        let mut request =
            Request { ignore_rules: false, tracked: BTreeSet::new(), ..self.request(&named, &root, &[])? };
        request.cuts.extend(app.cloned());
        let observation = context::observe(self.observer, request, recipe, project, analysis)?;
        Ok((Entry::Directory { digest: observation.digest }, Input::Folder(observation)))
    }

    /// Without `..` and links, so that cuts below it are recognised.
    fn absolute(&mut self, path: &str) -> PathBuf {
        let joined = self.around.project.join(path);
        self.observer.follow(&joined)
    }
}

impl World for Disk<'_, '_> {
    type Input = Input;
    type Error = GatherError;

    fn path(&mut self, path: &Spanned<RelPath>) -> Result<(Entry, Input), GatherError> {
        self.at = Some(path.span);
        if let Some(node) = self.publisher(&path.value) {
            return Err(GatherError::OutputRead { path: path.value.clone(), node });
        }
        self.look(&path.value.under(self.around.project), &[])
    }

    fn source(
        &mut self,
        source: &Source,
        excludes: &[Spanned<String>],
    ) -> Result<(Vec<(String, Value)>, Input), GatherError> {
        match source {
            Source::Git { path, reference, submodules } => {
                self.at = Some(path.span);
                let path = self.absolute(&path.value);
                self.git_source(&path, &reference.value, *submodules, excludes)
            }
            Source::Auto { path, reference, submodules } => {
                self.at = Some(path.span);
                let absolute = self.absolute(&path.value);
                self.observer.note_present(&absolute.join(".git"));
                self.observer.note_present(&absolute.join("HEAD"));
                if git::is_top(&absolute) {
                    return self.git_source(&absolute, &reference.value, *submodules, excludes);
                }
                self.source(&Source::Dir { path: path.clone() }, excludes)
            }
            Source::Dir { path } => {
                self.at = Some(path.span);
                let absolute = self.absolute(&path.value);
                let (entry, input) = self.look(&absolute, excludes)?;
                if !matches!(entry, Entry::Directory { .. }) {
                    return Err(GatherError::NoFolder { path: path.value.clone() });
                }
                Ok((vec![("source".to_owned(), Value::Entry(entry))], input))
            }
        }
    }

    fn tool(&mut self, tool: &Tool, pass: &[Spanned<String>]) -> Result<Value, GatherError> {
        let Tool { program, identify } = tool;
        self.at = Some(program.span);
        let missing = || GatherError::ToolMissing { program: program.value.clone() };
        let Some(identify) = identify else {
            let found = (self.around.resolve)(&program.value);
            // A program that appears in an earlier folder of the search path hides this one.
            for place in &found.searched {
                self.observer.note_present(place);
            }
            let path = self.observer.follow(&found.program.ok_or_else(missing)?);
            return Ok(Value::Entry(self.observer.file(&path)?.entry));
        };
        let pass = pass.iter().map(|name| name.value.clone()).collect();
        let question = ToolQuestion { program: program.value.clone(), identify: identify.clone(), pass };
        if let Some(known) = self.tools.get(&question) {
            return Ok(Value::Text(known.clone()));
        }
        let printed = (self.around.identify)(&question)
            .map_err(|message| GatherError::ToolFailed { program: program.value.clone(), message })?
            .ok_or_else(missing)?;
        self.tools.insert(question, printed.clone());
        Ok(Value::Text(printed))
    }

    fn publisher(&self, path: &RelPath) -> Option<NodeName> {
        let mut at = Some(path.clone());
        while let Some(path) = at {
            if let Some(Some(node)) = self.around.published.get(&path) {
                return Some(node.clone());
            }
            at = path.parent();
        }
        None
    }

    fn natural(&self, node: &NodeName) -> Stand {
        let place = self.kinds.get(node).and_then(|node| node.natural_place());
        place.map_or_else(|| self.own_outputs(node), Stand::At)
    }

    fn published(&self, node: &NodeName) -> Stand {
        match self.kinds.get(node).map(|node| node.published_place()) {
            Some(PublishedPlace::At(path)) => Stand::At(path),
            _ => self.own_outputs(node),
        }
    }

    fn origin(&self, node: &NodeName) -> Option<Origin> {
        let Surroundings { assumed, obscured, .. } = self.around;
        let commit = self.commits.get(node).filter(|_| !assumed.contains(node));
        (!obscured.contains(node)).then(|| Origin { commit: commit.cloned() })
    }

    fn platform(&self) -> String {
        format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH)
    }

    fn dockerfile(
        &mut self,
        node: &NodeName,
        recipe: &DockerRecipe,
        base: Option<&NodeRef>,
        app: Option<&RelPath>,
    ) -> Result<Dockerfile<Input>, GatherError> {
        self.at = Some(recipe.dockerfile.span);
        let Surroundings { project, images, .. } = *self.around;
        let tags = base.map(|base| (&base.value, self.kinds.get(&base.value).map(|n| dockerfiles::tags(n))));
        let below = tags.as_ref().map(|(node, tags)| Below {
            node,
            tags: tags.as_deref().unwrap_or_default(),
            triggers: self.triggers.contains(node),
        });
        let file = dockerfiles::dockerfile(self.observer, project, recipe, below.as_ref(), images)?;
        if !file.analysis.triggers.is_empty() {
            self.triggers.insert(node.clone());
        }
        let upstream = dockerfiles::upstream_images(node, &file, images, &mut self.images)?;
        let context = match &recipe.context {
            Some(context) => Some(self.context(context, recipe, app, &file.analysis)?),
            None => None,
        };
        Ok(Dockerfile {
            steps: file.analysis.script(),
            path: recipe.dockerfile.value.clone(),
            context,
            args: file.analysis.args.clone(),
            images: upstream,
            platform: file.platform.clone(),
            file: Input::Dockerfile(Arc::new(file)),
        })
    }
}

fn relative(path: &Path) -> Option<RelPath> {
    RelPath::parse(path.to_str()?).ok()
}

#[cfg(test)]
mod tests;
