//! What is sent comes out as it was.

use super::*;

const COPY_ALL: &str = "FROM scratch\nCOPY . /\n";

/// As [`Bucket::listing`] has it.
fn expected(files: &Files) -> Vec<(String, String)> {
    let text = |(entry, content): (&ContextEntry, &Vec<u8>)| match &entry.kind {
        EntryKind::Directory => "755 folder".to_owned(),
        EntryKind::Symlink { target } => format!("-> {target}"),
        EntryKind::File { executable, .. } => {
            let mode = if *executable { 755 } else { 644 };
            format!("{mode} {} {}", content.len(), Digest::of(content).short())
        }
    };
    let both = files.entries.iter().zip(&files.contents);
    both.map(|both| (both.0.path.clone(), text(both))).collect()
}

fn assert_copied(files: Files, dockerfile: &str) {
    let (build, bucket) = with_tar(plain(files.clone(), dockerfile));
    built(build);
    let (mut out, mut sent) = (bucket.listing(), expected(&files));
    out.sort();
    sent.sort();
    assert_eq!(out, sent);
}

#[test]
fn odd_names_modes_and_links_come_out_byte_for_byte() {
    let files = Files::default()
        .file("with space/a (1) [x] 'q' \"d\" $v #h.txt", "odd")
        .file("umläut/日本語/🦀.txt", "not ascii")
        .file(&format!("deep/{}/{}", "d".repeat(120), "f".repeat(200)), "long")
        .file("a/b", "folder first")
        .file("a-b", "then the name that only sorts before in plain text")
        .file("a.b", "")
        .program("bin/run", "#!/bin/sh\n")
        .link("bin/again", "run")
        .link("dangling", "/nowhere/at all")
        .link("up", "umläut/日本語")
        .folder("empty")
        .file("zero", "")
        .file("binary", (0..=255).cycle().take(700_001).collect::<Vec<u8>>());
    assert_copied(files, COPY_ALL);
}

#[test]
fn thousands_of_files_come_out() {
    let mut files = Files::default();
    for at in 0..5000 {
        files.put_last(&format!("d{:02}", at / 100), &format!("f{at:04}"), format!("content of {at}"));
    }
    assert_copied(files, COPY_ALL);
}

#[test]
fn only_what_the_dockerfile_copies_is_read() {
    let reads = Arc::new(Mutex::new(Vec::new()));
    let files = Files::default()
        .file("app/wanted é.txt", "x")
        .file("app/other", "x")
        .file("rest/large", vec![0; 1 << 20])
        .link("way", "app");
    let context = Watched { files, reads: Arc::clone(&reads) };
    let dockerfile = "FROM scratch\nCOPY [\"way/wanted é.txt\", \"/\"]\n";
    let (build, bucket) = with_tar(Build::new(Arc::new(context), dockerfile, name()));
    built(build);
    assert_eq!(
        bucket.listing(),
        [("wanted é.txt".to_owned(), format!("644 1 {}", Digest::of(b"x").short()))]
    );
    assert!(!reads.lock().unwrap().contains(&"rest/large".to_owned()), "{:?}", reads.lock().unwrap());
}

struct Watched {
    files: Files,
    reads: Arc<Mutex<Vec<String>>>,
}

impl Context for Watched {
    fn entries(&self) -> &[ContextEntry] {
        self.files.entries()
    }

    fn open(&self, entry: usize) -> io::Result<Box<dyn Read + Send>> {
        self.reads.lock().unwrap().push(self.files.entries[entry].path.clone());
        self.files.open(entry)
    }
}

/// The engine compares what it got last time by size and time alone.
#[test]
fn an_edit_that_keeps_the_size_is_seen() {
    let id = name();
    for content in ["one", "two", "one"] {
        let mut build = plain(Files::default().file("file", content), COPY_ALL);
        build.context_id = id.clone();
        let (build, bucket) = with_tar(build);
        built(build);
        assert_eq!(bucket.listing()[0].1, format!("644 3 {}", Digest::of(content.as_bytes()).short()));
    }
}

#[test]
fn what_did_not_change_is_not_sent_again() {
    let id = name();
    let reads = Arc::new(Mutex::new(Vec::new()));
    for content in ["one", "two"] {
        let files = Files::default().file("same", "same").file("changed", content).link("link", "same");
        let context = Watched { files, reads: Arc::clone(&reads) };
        built(Build::new(Arc::new(context), COPY_ALL, id.clone()));
    }
    let mut reads = reads.lock().unwrap().clone();
    reads.sort();
    assert_eq!(reads, ["changed", "changed", "same"]);
}

#[test]
fn times_in_an_image_are_constant() {
    let files = Files::default().file("file", "content").folder("folder");
    let (build, bucket) = with_tar(plain(files, COPY_ALL));
    built(build);
    let bytes = bucket.0.lock().unwrap().clone();
    let mut archive = tar::Archive::new(Cursor::new(bytes));
    let times: Vec<u64> =
        archive.entries().unwrap().map(|entry| entry.unwrap().header().mtime().unwrap()).collect();
    assert_eq!(times, [crate::run::archive::MTIME; 2]);
}

/// The caller has applied it already, and may have read it differently.
#[test]
fn an_ignore_file_is_a_file_like_any_other() {
    assert_copied(Files::default().file(".dockerignore", "*\n").file("file", "x"), COPY_ALL);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    struct Unreadable(Files);
    impl Context for Unreadable {
        fn entries(&self) -> &[ContextEntry] {
            self.0.entries()
        }
        fn open(&self, _: usize) -> io::Result<Box<dyn Read + Send>> {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
    let context = Arc::new(Unreadable(Files::default().file("secret/file", "x")));
    let error = told(Build::new(context, COPY_ALL, name())).0.unwrap_err();
    assert_eq!(error.to_string(), "`secret/file` of the build context cannot be read");
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_named() {
    for size in [2, 4] {
        let mut files = Files::default().file("file", "abc");
        files.entries[0].kind = EntryKind::File { size, executable: false, content: Digest::of(b"abc") };
        let error = told(plain(files, COPY_ALL)).0.unwrap_err();
        assert_eq!(error.to_string(), "`file` of the build context has changed since it was looked at");
    }
}
