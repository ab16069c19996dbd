//! Recipes on the host, one for each kind of project that says how it is built.

use serde_json::Value as Json;

use crate::pipeline::draft::words::comment;
use crate::pipeline::draft::{Folder, Part};
use crate::pipeline::edit::quoted;

/// Where tools keep what they download; these say nothing about what comes out.
const HOMES: &str = "HOME";

/// What is read from another node cannot be written, and builds write where they stand.
const COPY: &str = "cp -R source work; chmod -R u+w work; cd work";

/// A recipe as it is written.
struct Recipe<'a> {
    name: &'a str,
    said: String,
    /// Programs that it needs; the first is the one whose version counts.
    programs: &'a [&'a str],
    /// How that program is asked for its version; its content counts without.
    identify: Option<&'a str>,
    pass: &'a [&'a str],
    /// Shell commands, in a copy of the source.
    commands: Vec<String>,
    output: Option<String>,
    timeout: &'a str,
}

pub fn builds(folder: &Folder, out: &str) -> Vec<Part> {
    let makers: [fn(&Folder, &str) -> Option<Part>; 5] = [cargo, go, npm, composer, make];
    let mut parts: Vec<Part> = makers.iter().take(4).filter_map(|make| make(folder, out)).collect();
    // A Makefile beside these mostly calls them.
    if parts.is_empty() {
        parts.extend(make(folder, out));
    }
    parts
}

fn cargo(folder: &Folder, out: &str) -> Option<Part> {
    let manifest = folder.text("Cargo.toml")?;
    let has = |end: &str| folder.paths.iter().any(|path| path == end || path.ends_with(&format!("/{end}")));
    let has_programs = manifest.contains("[[bin]]") || has("src/main.rs") || has("src/bin/");
    let locked = if folder.has("Cargo.lock") { " --locked" } else { "" };
    let mut part = if has_programs {
        written(
            folder,
            Recipe {
                name: "cargo",
                said: "Every program of the package or workspace.".to_owned(),
                programs: &["cargo", "rustc"],
                identify: Some("cargo -V"),
                pass: &["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"],
                commands: vec![
                    format!("cargo build --release{locked} --target-dir ../build"),
                    format!("mkdir -p ../{out}/cargo"),
                    format!(
                        "find ../build/release -maxdepth 1 -type f -perm -100 ! -name '*.so' -exec cp {{}} ../{out}/cargo/ \\;"
                    ),
                ],
                output: Some(format!("{out}/cargo")),
                timeout: "1h",
            },
        )
    } else {
        written(
            folder,
            Recipe {
                name: "cargo-test",
                said: "A library: its tests have to pass.".to_owned(),
                programs: &["cargo", "rustc"],
                identify: Some("cargo -V"),
                pass: &["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"],
                commands: vec![format!("cargo test{locked} --target-dir ../build")],
                output: None,
                timeout: "1h",
            },
        )
    };
    part.found = "`Cargo.toml`".to_owned();
    if locked.is_empty() {
        part.open.push(
            "there is no `Cargo.lock`: with one, every machine builds with the same packages".to_owned(),
        );
    }
    Some(part)
}

fn go(folder: &Folder, out: &str) -> Option<Part> {
    folder.text("go.mod")?;
    let is_program = |path: &str| {
        folder.text(path).is_some_and(|text| text.lines().any(|line| line.trim() == "package main"))
    };
    let has_programs = folder.texts.keys().any(|path| path.ends_with(".go") && is_program(path));
    let pass = ["GOPATH", "GOMODCACHE", "GOPROXY", "GOPRIVATE", "GOFLAGS"];
    let recipe = if has_programs {
        Recipe {
            name: "go",
            said: "Every program of the module.".to_owned(),
            programs: &["go"],
            identify: Some("go version"),
            pass: &pass,
            commands: vec![
                format!("mkdir -p ../{out}/go"),
                format!("go build -trimpath -o ../{out}/go/ ./..."),
            ],
            output: Some(format!("{out}/go")),
            timeout: "30m",
        }
    } else {
        Recipe {
            name: "go-test",
            said: "A library: its tests have to pass.".to_owned(),
            programs: &["go"],
            identify: Some("go version"),
            pass: &pass,
            commands: vec!["go test ./...".to_owned()],
            output: None,
            timeout: "30m",
        }
    };
    Some(Part { found: "`go.mod`".to_owned(), ..written(folder, recipe) })
}

fn npm(folder: &Folder, out: &str) -> Option<Part> {
    let manifest: Json = serde_json::from_str(folder.text("package.json")?).ok()?;
    let script =
        |name: &str| manifest["scripts"][name].as_str().filter(|text| !text.contains("no test specified"));
    let (wanted, text) = ["build", "test"].iter().find_map(|name| Some((*name, script(name)?)))?;
    let needs = ["dependencies", "devDependencies"]
        .iter()
        .any(|list| manifest[*list].as_object().is_some_and(|list| !list.is_empty()));
    let (program, install, locked) = if folder.has("pnpm-lock.yaml") {
        ("pnpm", "pnpm install --frozen-lockfile", true)
    } else if folder.has("yarn.lock") {
        ("yarn", "yarn install --frozen-lockfile", true)
    } else if folder.has("package-lock.json") {
        ("npm", "npm ci", true)
    } else {
        ("npm", "npm install", false)
    };
    let mut commands: Vec<String> = needs.then(|| install.to_owned()).into_iter().collect();
    commands.push(format!("{program} run {wanted}"));
    let written_to = (wanted == "build").then(|| place(&manifest, text)).flatten();
    if let Some(place) = written_to {
        commands.push(format!("mkdir -p ../{out} && mv {place} ../{out}/web"));
    }
    let programs = [program, "node"];
    let mut part = written(
        folder,
        Recipe {
            name: if wanted == "build" { "web" } else { "web-test" },
            said: format!("The script `{wanted}` of package.json."),
            programs: &programs,
            identify: None,
            pass: &["npm_config_registry", "HTTPS_PROXY"],
            commands,
            output: written_to.map(|_| format!("{out}/web")),
            timeout: "30m",
        },
    );
    part.found = "`package.json`".to_owned();
    if needs && !locked {
        part.open.push(
            "there is no lock file beside `package.json`: with one, every machine installs the same"
                .to_owned(),
        );
    }
    if wanted == "build" && written_to.is_none() {
        part.open.push("it cannot be told where the script `build` writes: copy it to a place below, and name that as `output` of `web`".to_owned());
    }
    Some(part)
}

/// Where a build script writes, by the tool that it calls or by what it says itself.
fn place(manifest: &Json, script: &str) -> Option<&'static str> {
    const TOOLS: [(&str, &str); 8] = [
        ("react-scripts", "build"),
        ("next", ".next"),
        ("astro", "dist"),
        ("vite", "dist"),
        ("webpack", "dist"),
        ("parcel", "dist"),
        ("tsup", "dist"),
        ("rollup", "dist"),
    ];
    let said = ["dist", "build", "out", "public"].into_iter().find(|place| {
        // The first two words are the program and what it is to do, as in `vite build`.
        let mut words = script.split(|c: char| c.is_whitespace() || "=/'\"".contains(c)).skip(2);
        words.any(|word| word == *place)
    });
    let uses = |tool: &str| {
        let is_listed = |list: &str| !manifest[list][tool].is_null();
        script.contains(tool) && (is_listed("dependencies") || is_listed("devDependencies"))
    };
    TOOLS.iter().find(|(tool, _)| uses(tool)).map(|(_, place)| *place).or(said)
}

fn composer(folder: &Folder, out: &str) -> Option<Part> {
    folder.text("composer.json")?;
    let mut part = written(
        folder,
        Recipe {
            name: "vendor",
            said: "The packages that composer.json names, without those for development.".to_owned(),
            programs: &["composer", "php"],
            identify: None,
            pass: &["COMPOSER_HOME", "COMPOSER_AUTH", "HTTPS_PROXY"],
            commands: vec![
                "composer install --no-dev --no-interaction --no-progress --no-scripts --optimize-autoloader"
                    .to_owned(),
                format!("mkdir -p ../{out} && mv vendor ../{out}/vendor"),
            ],
            output: Some(format!("{out}/vendor")),
            timeout: "15m",
        },
    );
    part.found = "`composer.json`".to_owned();
    if !folder.has("composer.lock") {
        part.open.push(
            "there is no `composer.lock`: with one, every machine installs the same packages".to_owned(),
        );
    }
    Some(part)
}

fn make(folder: &Folder, _: &str) -> Option<Part> {
    let (path, text) =
        ["Makefile", "makefile", "GNUmakefile"].iter().find_map(|path| Some((*path, folder.text(path)?)))?;
    let has =
        |target: &str| text.lines().any(|line| line.split(':').next() == Some(target) && line.contains(':'));
    let target = ["check", "test"].into_iter().find(|target| has(target)).unwrap_or_default();
    let said = match target {
        "" => {
            format!("The first target of {path}. What it makes stays where it is made: name it as `output`.")
        }
        target => format!("The target `{target}` of {path}, which has to pass."),
    };
    let mut part = written(
        folder,
        Recipe {
            name: "make",
            said,
            programs: &["make"],
            identify: None,
            pass: &[],
            commands: vec![format!("make {target}").trim_end().to_owned()],
            output: None,
            timeout: "30m",
        },
    );
    part.found = format!("`{path}`");
    part.open.push(format!(
        "it cannot be told what `{path}` makes: copy it out of `work/`, and name it as `output` of `make`"
    ));
    Some(part)
}

fn written(folder: &Folder, recipe: Recipe<'_>) -> Part {
    let Recipe { name, said, programs, identify, pass, commands, output, timeout } = recipe;
    let lacking: Vec<&str> = programs.iter().copied().filter(|program| !folder.can_run(program)).collect();
    let mut text = comment("", &said);
    text.push_str(&format!("command {} {{\n    from \"source\" into=\"source\"\n", quoted(name)));
    for (at, program) in programs.iter().enumerate() {
        let identify = identify.filter(|_| at == 0).map(|command| format!(" identify={}", quoted(command)));
        text.push_str(&format!("    tool {}{}\n", quoted(program), identify.unwrap_or_default()));
    }
    if !pass.is_empty() {
        text.push_str(&comment("    ", "Where caches and settings are; these never count."));
        let names: Vec<String> = [HOMES].iter().chain(pass).map(|name| quoted(name)).collect();
        text.push_str(&format!("    pass-env {}\n", names.join(" ")));
    }
    text.push_str(&format!(
        "    run \"sh\" \"-ec\" {}\n",
        quoted(&[vec![COPY.to_owned()], commands].concat().join("; "))
    ));
    if let Some(output) = output {
        text.push_str(&format!("    output {}\n", quoted(&output)));
    }
    text.push_str(&format!("    timeout \"{timeout}\"\n}}\n"));
    let open = lacking
        .iter()
        .map(|program| format!("`{name}` needs `{program}`, which is not on PATH here"))
        .collect();
    Part { node: Some((name.to_owned(), lacking.is_empty())), text, open, ..Part::default() }
}
