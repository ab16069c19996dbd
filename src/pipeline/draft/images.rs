//! A node for each Dockerfile.

use std::collections::BTreeMap;

use crate::dockerfile::{Analysis, Default, Question, analyse, arguments};
use crate::pipeline::draft::folder::slug;
use crate::pipeline::draft::words::comment;
use crate::pipeline::draft::{Folder, Param, Part, Value};
use crate::pipeline::edit::quoted;

/// More Dockerfiles than these are named, and left to a person.
const MOST: usize = 12;

pub fn is_dockerfile(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_text = !name.ends_with(".dockerignore");
    is_text && (name == "Dockerfile" || name.starts_with("Dockerfile.") || name.ends_with(".Dockerfile"))
}

pub fn images(folder: &Folder) -> Vec<Part> {
    let all: Vec<(&String, &String)> = folder.texts.iter().filter(|(path, _)| is_dockerfile(path)).collect();
    // The value that each parameter has by now: two files may mean different things by one name.
    let mut taken: BTreeMap<String, Value> = BTreeMap::new();
    let mut names: Vec<String> = Vec::new();
    let mut parts: Vec<Part> = Vec::new();
    for (at, (path, text)) in all.iter().enumerate() {
        if at >= MOST {
            parts.push(Part {
                found: format!("`{path}`"),
                open: vec![format!("`{path}` is left out: there are more than {MOST} Dockerfiles")],
                ..Part::default()
            });
            continue;
        }
        let name = name(path, &names);
        names.push(name.clone());
        parts.push(image(folder, path, text, &name, &mut taken));
    }
    parts
}

/// `image`, or `image-worker` for `docker/worker/Dockerfile` and `worker.Dockerfile`.
fn name(path: &str, taken: &[String]) -> String {
    let words: Vec<&str> = path.split(['/', '.']).filter(|word| *word != "Dockerfile").collect();
    let name = match slug(&words.join("-")).as_str() {
        "" => "image".to_owned(),
        word => format!("image-{word}"),
    };
    let mut free = name.clone();
    let mut count = 2;
    while taken.contains(&free) {
        free = format!("{name}-{count}");
        count += 1;
    }
    free
}

fn image(folder: &Folder, path: &str, text: &str, name: &str, taken: &mut BTreeMap<String, Value>) -> Part {
    let mut part = Part { found: format!("`{path}`"), ..Part::default() };
    let declared = match arguments(text) {
        Ok(declared) => declared,
        Err(mistake) => {
            part.open
                .push(format!("`{path}:{}` cannot be built, so it is left out: {mistake}", mistake.line));
            return part;
        }
    };
    // What has no default yet gets something, so that the rest can be read.
    let given: Vec<(String, String)> = declared
        .iter()
        .filter(|one| one.default == Default::None)
        .map(|one| (one.name.clone(), "unset".to_owned()))
        .collect();
    let question =
        Question { text, args: &given, target: None, platform: Some("linux/amd64"), builder: None };
    let analysis = match analyse(&question) {
        Ok(analysis) => analysis,
        Err(mistake) => {
            part.open
                .push(format!("`{path}:{}` cannot be built, so it is left out: {mistake}", mistake.line));
            return part;
        }
    };
    let (context, missing) = context(folder, path, &analysis);
    if !missing.is_empty() {
        let missing: Vec<String> = missing.iter().map(|one| format!("`{one}`")).collect();
        part.open.push(format!(
            "`{path}` copies {}, which is not there: correct `context` of `{name}`",
            missing.join(", ")
        ));
    }
    let mut lines = comment("", &format!("The image of {path}. Only what it copies and uses counts."));
    lines.push_str(&format!("base-image {} {{\n    context {}\n", quoted(name), quoted(&context)));
    lines.push_str(&format!("    dockerfile {}\n", quoted(path)));
    for one in &declared {
        let value = match &one.default {
            // It follows from the others.
            Default::Made => continue,
            Default::Text(text) => text.clone(),
            Default::None => {
                let used = analysis.args.contains(&one.name);
                if used {
                    part.open.push(format!(
                        "argument `{}` of `{path}` has no default: give its parameter one",
                        one.name
                    ));
                }
                String::new()
            }
        };
        let param = param(&one.name, &value, name, taken);
        part.params.push(Param {
            comment: format!("Argument {} of {path}.", one.name),
            default: Value::Text(value),
            name: param.clone(),
        });
        lines.push_str(&format!("    arg {} \"${{{param}}}\"\n", quoted(&one.name)));
    }
    let mut secrets: Vec<&str> = analysis.secrets.iter().map(|one| one.id.as_str()).collect();
    secrets.sort_unstable();
    secrets.dedup();
    for id in secrets {
        let variable = slug(id).replace('-', "_").to_uppercase();
        lines.push_str(&format!("    secret {} env={} required=#false\n", quoted(id), quoted(&variable)));
        part.open.push(format!("secret `{id}` of `{path}` is taken from the variable `{variable}`"));
    }
    if !analysis.ssh.is_empty() {
        let mut ids: Vec<String> = analysis.ssh.iter().map(|one| quoted(&one.id)).collect();
        ids.sort_unstable();
        ids.dedup();
        lines.push_str(&format!("    ssh {}\n", ids.join(" ")));
    }
    let suffix = name.strip_prefix("image").unwrap_or_default();
    lines.push_str(&format!("    tag {}\n", quoted(&format!("{}{suffix}:osgraph", folder.slug()))));
    lines.push_str("    timeout \"30m\"\n}\n");
    if !folder.has_engine {
        part.open
            .push(format!("`{name}` needs a container engine, and none answers: `osgraph doctor` says more"));
    }
    part.node = Some((name.to_owned(), folder.has_engine));
    part.text = lines;
    part
}

/// The folder that a Dockerfile is built in, and what it copies that is in neither: its own folder,
/// else the project, as most people's build commands have it.
fn context(folder: &Folder, path: &str, analysis: &Analysis) -> (String, Vec<String>) {
    let own = path.rsplit_once('/').map_or("", |(above, _)| above);
    let missing = |context: &str| -> Vec<String> {
        let is_there = |pattern: &str| {
            // Of a pattern only what is before its first wildcard can be looked for.
            let fixed: Vec<&str> =
                pattern.split('/').take_while(|name| !name.contains(['*', '?', '['])).collect();
            let place = [context, &fixed.join("/")]
                .iter()
                .filter(|one| !one.is_empty() && **one != ".")
                .copied()
                .collect::<Vec<_>>()
                .join("/");
            place.is_empty() || folder.has(&place) || folder.has(&format!("{place}/"))
        };
        let reads = analysis.reads.iter().map(|read| read.pattern.as_str());
        reads.filter(|pattern| !is_there(pattern)).map(str::to_owned).collect()
    };
    let (here, above) = (missing(own), missing(""));
    let shown = |context: &str| if context.is_empty() { ".".to_owned() } else { context.to_owned() };
    if here.len() <= above.len() { (shown(own), here) } else { (shown(""), above) }
}

/// The parameter for an argument: `php-version` for PHP_VERSION, with the node's name in it where
/// another has that name for something else.
fn param(argument: &str, value: &str, node: &str, taken: &mut BTreeMap<String, Value>) -> String {
    let plain = match slug(argument) {
        name if name.starts_with(|c: char| c.is_ascii_lowercase()) => name,
        name => format!("arg-{name}"),
    };
    let value = Value::Text(value.to_owned());
    // `version` is the project's.
    let candidates = [plain.clone(), format!("{node}-{plain}")];
    let fits = |name: &&String| *name != "version" && taken.get(*name).is_none_or(|known| *known == value);
    let name =
        candidates.iter().find(fits).cloned().unwrap_or_else(|| format!("{node}-{plain}-{}", taken.len()));
    taken.insert(name.clone(), value);
    name
}
