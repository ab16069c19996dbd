//! Every KDL block of the reference is read: what it says works, works.

use std::io;

use osgraph::graph::Graph;
use osgraph::path::RelPath;
use osgraph::pipeline::{Document, Lock, Overrides, SourceFile};

const REFERENCE: &str = include_str!("../../docs/pipeline.md");

/// A fenced block: its line in the page, the words after the fence, its text.
struct Block {
    line: usize,
    info: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (line, text) in page.lines().enumerate() {
        match (text.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => {
                open = Some(Block { line: line + 1, info: info.to_owned(), text: String::new() })
            }
            (None, Some(block)) => {
                block.text.push_str(text);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// Reads a block as a whole pipeline, or gives its mistakes by code.
fn read(block: &Block) -> Result<Graph, Vec<&'static str>> {
    let whole = block.text.lines().any(|line| line.starts_with("pipeline "));
    let text = if whole { block.text.clone() } else { format!("pipeline \"page\"\n{}", block.text) };
    let source = SourceFile { name: format!("docs/pipeline.md:{}", block.line), text: text.into() };
    let read_file = |path: &RelPath| match path.as_str() {
        "VERSION" => Ok(b"1.0\n".to_vec()),
        _ => Err(io::Error::from(io::ErrorKind::NotFound)),
    };
    let overrides = Overrides { set: Vec::new(), env: &|_| None, read_file: &read_file, host_arch: "x86_64" };
    let graph = Document::parse(&source).and_then(|document| {
        let pipeline = document.resolve(&source, &overrides)?;
        Graph::build(&pipeline, &source)
    });
    graph.map_err(|mistakes| mistakes.list.iter().map(|mistake| mistake.code).collect())
}

#[test]
fn every_block_does_what_the_page_says() {
    let blocks: Vec<Block> =
        blocks(REFERENCE).into_iter().filter(|block| block.info.starts_with("kdl")).collect();
    assert!(blocks.len() > 10, "the blocks were not found");
    for block in &blocks {
        let line = block.line;
        if block.info == "kdl,lock" {
            let source =
                SourceFile { name: format!("docs/pipeline.md:{line}"), text: block.text.as_str().into() };
            let lock = Lock::parse(&source).unwrap_or_else(|mistakes| panic!("line {line}: {mistakes:?}"));
            assert!(
                lock.render().ends_with(&block.text),
                "the block at line {line} is not as it would be written"
            );
            continue;
        }
        match (block.info.as_str(), read(block)) {
            ("kdl", Ok(_)) => {}
            ("kdl", Err(codes)) => panic!("the block at line {line} fails: {codes:?}"),
            ("kdl,must-fail", Ok(_)) => panic!("the block at line {line} must fail, but does not"),
            ("kdl,must-fail", Err(codes)) => {
                assert_eq!(codes.len(), 1, "the block at line {line} must show one mistake: {codes:?}");
            }
            (info, _) => panic!("line {line}: `{info}` means nothing"),
        }
    }
}

#[test]
fn every_kind_is_on_the_page() {
    let words = osgraph::pipeline::Kind::ALL.map(osgraph::pipeline::Kind::word);
    for word in words {
        assert!(REFERENCE.contains(&format!("`{word}`")), "`{word}` is not explained");
    }
}
