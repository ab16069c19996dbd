//! One node of an explanation, in blocks.

use crate::key::Facet;
use crate::pipeline::NodeName;
use crate::plan::{Code, Estimate, Explanation, Identical, Instruction, Layer, Proposed, Reason, Verdict};
use crate::report::colour::Palette;
use crate::report::explain::{Context, PATHS, names};
use crate::report::quantity::{age, count, estimate, millis};
use crate::report::text::{broken, clean, pad, shorten, width};
use crate::report::words;

/// Columns of a block's name, with the indent.
const BLOCK: usize = 15;

/// Instructions whose places are named for one reason, and columns of each.
const INSTRUCTIONS: usize = 3;
const INSTRUCTION: usize = 40;
/// Instructions that are listed.
const SLOW: usize = 5;

/// Columns of an instruction.
const TEXT: usize = 60;

/// Downstream nodes that are named; more are counted.
const NAMES: usize = 8;

pub fn write(out: &mut String, explanation: &Explanation, columns: usize, context: &Context<'_>) {
    head(out, explanation, columns, context);
    match &explanation.verdict {
        Verdict::Stale(reasons) => {
            stale(out, explanation, reasons, context);
            downstream(out, explanation, context.palette);
        }
        Verdict::Waiting(on) => {
            let upstreams: Vec<String> = on.iter().map(|n| format!("`{n}`")).collect();
            let come = if on.len() == 1 { "comes" } else { "come" };
            let text = format!("fresh if {} {come} out identical", upstreams.join(" and "));
            block(out, context.palette, "upstream", &[text]);
            downstream(out, explanation, context.palette);
        }
        Verdict::Restorable(reasons) => {
            let listed = reasons.iter().take(PATHS);
            let mut lines: Vec<String> = listed.flat_map(|r| reason_lines(r, context)).collect();
            if reasons.len() > PATHS {
                lines.push(format!("… and {} more", reasons.len() - PATHS));
            }
            block(out, context.palette, "outputs", &lines);
        }
        Verdict::Fresh => {}
    }
    layers(out, explanation, context.palette);
    for (at, note) in explanation.notes.iter().enumerate() {
        let mut lines = vec![note.clone()];
        for Proposed { edit, .. } in explanation.edits.iter().filter(|one| one.note == at) {
            lines.push(context.palette.dim(format!("└ {}:{}", context.file, edit.line)).to_string());
            lines.extend(
                edit.remove.iter().map(|line| context.palette.red(format!("  - {line}")).to_string()),
            );
            lines
                .extend(edit.add.iter().map(|line| context.palette.green(format!("  + {line}")).to_string()));
        }
        block(out, context.palette, "note", &lines);
    }
}

/// `embed  REBUILD  ~2m05s (1m50s–2m30s over 14 runs)  compared with run 41, main@9f2c, 3 h ago`
fn head(out: &mut String, explanation: &Explanation, columns: usize, context: &Context<'_>) {
    let palette = context.palette;
    let word = match &explanation.verdict {
        Verdict::Fresh => palette.green("FRESH  "),
        Verdict::Restorable(_) => palette.cyan("RESTORE"),
        Verdict::Stale(_) => palette.yellow("REBUILD"),
        Verdict::Waiting(_) => palette.yellow("PERHAPS"),
    };
    out.push_str(&format!("{}  {word}", palette.bold(pad(explanation.node.as_ref(), columns))));
    let runs = matches!(explanation.verdict, Verdict::Stale(_) | Verdict::Waiting(_));
    let expected =
        runs.then(|| explanation.estimate.as_ref().map_or_else(|| "no history yet".to_owned(), estimate));
    if let Some(expected) = &expected {
        out.push_str(&format!("  {expected}"));
    }
    if let Some(baseline) = &explanation.baseline {
        let revision = baseline.revision.as_ref().map_or_else(String::new, |r| format!(", {r}"));
        let when = format!("run {}{revision}, {}", baseline.run, age(baseline.started, context.now));
        let text = match (runs, baseline.last_success) {
            (true, true) => format!("compared with {when}"),
            (true, false) => format!("nearest is {when}"),
            (false, _) => {
                format!(
                    "as in {when}, made in {}{}",
                    millis(baseline.duration_ms),
                    same(explanation.unchanged)
                )
            }
        };
        // Everything on the line so far is as wide without its colours.
        let before = columns + "  REBUILD  ".len() + expected.as_ref().map_or(0, |text| width(text) + 2);
        let room = context.columns.map_or(usize::MAX, |columns| columns.saturating_sub(before).max(LEAST));
        let parts = broken(&text, room).into_iter().map(|part| palette.dim(part).to_string());
        let turn = format!("\n{}", " ".repeat(before));
        out.push_str(&format!("  {}", parts.collect::<Vec<_>>().join(&turn)));
    }
    out.push('\n');
}

/// Columns that what follows a verdict has at the least.
const LEAST: usize = 30;

/// `; same: 3 own, 1 environment, 2 upstream`
fn same(unchanged: [usize; 3]) -> String {
    let named = unchanged.into_iter().zip(["own", "environment", "upstream"]);
    let parts: Vec<String> =
        named.filter(|(number, _)| *number > 0).map(|(number, name)| format!("{number} {name}")).collect();
    if parts.is_empty() { String::new() } else { format!("; same: {}", parts.join(", ")) }
}

fn stale(out: &mut String, explanation: &Explanation, reasons: &[Reason], context: &Context<'_>) {
    // Nothing is known to be unchanged where there is nothing to compare with.
    let unchanged = if explanation.baseline.is_some() { explanation.unchanged } else { [0; 3] };
    blocks(out, reasons, unchanged, &explanation.upstreams, context);
}

/// Reasons in blocks of own, environment and upstream. `unchanged` is told of facets without any,
/// `upstreams` with the word of their verdict.
pub fn blocks(
    out: &mut String,
    reasons: &[Reason],
    unchanged: [usize; 3],
    upstreams: &[(NodeName, &'static str)],
    context: &Context<'_>,
) {
    let palette = context.palette;
    // What is asked of the node or of its record is no difference of any facet.
    let asked = |r: &&Reason| {
        matches!(
            r.code,
            Code::NeverBuilt | Code::Forced | Code::Rebuild | Code::ArtifactMissing | Code::ImageMissing
        )
    };
    let lines: Vec<String> = reasons.iter().filter(asked).flat_map(|r| reason_lines(r, context)).collect();
    if !lines.is_empty() {
        block(out, palette, "because", &lines);
    }
    let facets = [(Facet::Own, "own", 0), (Facet::Environment, "environment", 1)];
    for (facet, name, at) in facets {
        let lines: Vec<String> = reasons
            .iter()
            .filter(|r| r.facet == facet && !asked(r))
            .flat_map(|r| reason_lines(r, context))
            .collect();
        match unchanged[at] {
            _ if !lines.is_empty() => block(out, palette, name, &lines),
            same if same > 0 => {
                block(out, palette, name, &[palette.dim(format!("unchanged ({same})")).to_string()]);
            }
            _ => {}
        }
    }
    let mut lines: Vec<String> = reasons
        .iter()
        .filter(|r| r.facet == Facet::Upstream && !asked(r))
        .flat_map(|r| reason_lines(r, context))
        .collect();
    let told = |name: &str| reasons.iter().any(|r| r.node.as_ref().is_some_and(|n| n.as_ref() == name));
    let others: Vec<String> = upstreams
        .iter()
        .filter(|(node, _)| !told(node.as_ref()))
        .map(|(node, word)| format!("`{node}` {word}"))
        .collect();
    // The block's name says it already.
    for line in &mut lines {
        if let Some(rest) = line.strip_prefix("upstream ") {
            *line = rest.to_owned();
        }
    }
    if !others.is_empty() {
        lines.push(palette.dim(others.join(", ")).to_string());
    }
    if !lines.is_empty() {
        block(out, palette, "upstream", &lines);
    }
}

/// Of a Dockerfile: how many there are, and those that take longest where the engine's cache has them not.
fn layers(out: &mut String, explanation: &Explanation, palette: Palette) {
    let all = &explanation.instructions;
    if all.is_empty() {
        return;
    }
    let mut slow: Vec<(&Layer, Estimate)> = all
        .iter()
        .filter_map(|one| Some((one, one.estimate?)))
        .filter(|(_, expected)| expected.high_ms >= 1_000)
        .collect();
    slow.sort_by_key(|(_, expected)| std::cmp::Reverse(expected.median_ms));
    slow.truncate(SLOW);
    slow.sort_by_key(|(one, _)| one.line);
    let untimed = all.iter().filter(|one| one.estimate.is_none()).count();
    let mut head = count(all.len(), "instruction");
    match untimed {
        0 => {}
        some if some == all.len() => head.push_str(", no history yet"),
        some => head.push_str(&format!(", {some} never timed")),
    }
    if !slow.is_empty() {
        head.push_str("; the longest, unless the engine has them:");
    }
    let mut lines = vec![palette.dim(head).to_string()];
    let columns = slow.iter().map(|(_, expected)| width(&estimate(expected))).max().unwrap_or(0);
    for (one, expected) in slow {
        let time = pad(&estimate(&expected), columns);
        let place = palette.dim(format!("line {}", one.line));
        lines.push(format!("{time}  {}   {place}", shorten(&clean(&one.text), TEXT)));
    }
    block(out, palette, "dockerfile", &lines);
}

fn downstream(out: &mut String, explanation: &Explanation, palette: Palette) {
    if explanation.downstream.is_empty() {
        return;
    }
    let often = explanation
        .identical
        .map_or_else(String::new, |Identical { same, of }| format!(" ({same} of the last {of})"));
    let text = format!(
        "{} — fresh if `{}` comes out identical{often}",
        names(&explanation.downstream, NAMES),
        explanation.node
    );
    block(out, palette, "downstream", &[text]);
}

/// One reason: what changed, the changed paths, and the line that made it count.
fn reason_lines(reason: &Reason, context: &Context<'_>) -> Vec<String> {
    let palette = context.palette;
    let first = if reason.changes.is_empty() {
        format!("{}{}", words::cause(reason), palette.dim(brought(reason, 0)))
    } else {
        format!("{}: {}", words::subject(reason), words::paths(reason))
    };
    let mut lines = vec![first];
    let others = if reason.code == Code::DockerfileChanged { reason.instructions.get(1..) } else { None };
    for one in others.unwrap_or_default().iter().take(PATHS) {
        lines.push(words::instruction(one));
    }
    for (at, change) in reason.changes.iter().enumerate().take(PATHS) {
        let mark = words::mark(change.kind);
        let mark = match mark {
            'A' => palette.green(mark),
            'D' => palette.red(mark),
            _ => palette.yellow(mark),
        };
        let size = words::change_size(change);
        lines.push(format!(
            "{mark}  {}   {}",
            change.path,
            palette.dim(format!("{size}{}", brought(reason, at)))
        ));
    }
    let unlisted = reason.changes.len().saturating_sub(PATHS);
    match (unlisted, reason.more) {
        (0, false) => {}
        (0, true) => lines.push("… and more".to_owned()),
        (more, false) => lines.push(format!("… and {more} more")),
        (more, true) => lines.push(format!("… and more than {more} more")),
    }
    let places = places(reason, context);
    if !places.is_empty() {
        lines.push(palette.dim(format!("└ {places}")).to_string());
    }
    if let Some(mend) = &reason.mend {
        lines.push(palette.dim(format!("  mend: {mend}")).to_string());
    }
    lines
}

/// `   uncommitted` or `   in 9f2c1ab`, of a change by its position.
fn brought(reason: &Reason, at: usize) -> String {
    if reason.uncommitted.contains(&at) {
        return "   uncommitted".to_owned();
    }
    let commit = reason.commits.iter().find(|one| one.changes.contains(&at));
    commit.map_or_else(String::new, |one| format!("   in {}", one.commit))
}

/// `pipeline.kdl:31, by COPY package/ at app-embed.Dockerfile:14`
fn places(reason: &Reason, context: &Context<'_>) -> String {
    let mut places: Vec<String> = reason.line.iter().map(|line| format!("{}:{line}", context.file)).collect();
    for Instruction { file, line, new, .. } in reason.instructions.iter().take(INSTRUCTIONS) {
        let Some(line) = line else { continue };
        places.push(match (reason.code, new) {
            // What differs is told already.
            (Code::DockerfileChanged, _) | (_, None) => format!("{file}:{line}"),
            (_, Some(text)) => format!("by `{}` at {file}:{line}", shorten(text, INSTRUCTION)),
        });
    }
    if reason.instructions.len() > INSTRUCTIONS {
        places.push(format!("and {} more", reason.instructions.len() - INSTRUCTIONS));
    }
    places.join(", ")
}

/// `  name         first line`, further lines below the first.
fn block(out: &mut String, palette: Palette, name: &str, lines: &[String]) {
    for (at, line) in lines.iter().enumerate() {
        let name = if at == 0 { name } else { "" };
        let name = pad(&format!("  {name}"), BLOCK);
        out.push_str(&format!("{}{line}\n", palette.dim(name)));
    }
}
