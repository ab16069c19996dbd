//! The page of a run, as a browser shows it: what it says, by mouse and by keyboard alone, in light
//! and dark, and that nothing gets out of it or into it.

mod browser;
mod contrast;

use std::path::PathBuf;

use serde_json::{Value, json};

use self::browser::Browser;
use self::contrast::{Colour, contrast};
use crate::causes::project::Project;

const SECRET: &str = "hunter2-correct-horse";

/// A project, the page of its second run (in which every outcome but an interruption comes up), and a
/// browser that shows it.
struct Shown {
    project: Project,
    browser: Browser,
}

impl Shown {
    fn new() -> Self {
        let mut project = Project::new(
            r##"
pipeline "shop <b>&</b>" {}
command "still" {
    input "still.txt"
    run "cp" "still.txt" "still.out"
    output "still.out"
}
command "lib" {
    input "lib"
    run "cp" "lib/a.txt" "lib.out"
    output "lib.out"
}
command "back" {
    input "still.txt"
    run "cp" "still.txt" "back.out"
    output "back.out"
}
command "broken" {
    from "lib" into="in"
    secret "token" env="TOKEN"
    run "sh" "-c" "if grep -q bad in/lib.out; then echo '<script>window.evil=1</script>' \"with $TOKEN\" >&2; exit 3; fi; cp in/lib.out broken.out"
    output "broken.out"
}
command "follower" {
    from "broken" into="in"
    run "cp" "in/broken.out" "follower.out"
    output "follower.out"
}
command "app" {
    from "lib" into="in"
    from "still" into="other"
    after "back"
    run "cp" "in/lib.out" "app.out"
    output "app.out"
}
"##,
        );
        project.env.insert("TOKEN".to_owned(), SECRET.to_owned());
        project.write("still.txt", "still\n");
        project.write("lib/a.txt", "good\n");
        project.run();
        project.remove("back.out");
        project.write("lib/a.txt", "bad\n");
        project.write("lib/<img src=x onerror=window.evil=1>", "");
        let said = project.try_run(&["--keep-going"]);
        assert_eq!(
            (&*said.ran, &*said.restored, &*said.failed),
            (&["app".into(), "lib".into()][..], &["back".into()][..], &["broken".into()][..]),
            "{}",
            said.text
        );
        let report = project.osgraph(&["report", "-o", "page.html"]);
        assert!(report.status.success(), "{report:?}");
        let mut browser = Browser::start();
        browser.screen(1280, false);
        let mut shown = Self { project, browser };
        shown.open();
        shown
    }

    fn page(&self) -> PathBuf {
        self.project.path("page.html")
    }

    fn open(&mut self) {
        let page = self.page();
        self.browser.open(&page);
    }

    /// The names in the list, as far as they are shown.
    fn listed(&mut self) -> Vec<String> {
        let script = "[...document.querySelectorAll('#rows .name')].map(one => one.textContent)";
        serde_json::from_value(self.browser.value(script)).unwrap()
    }

    fn chosen(&mut self) -> String {
        self.browser.text("document.getElementById('detail-title').textContent")
    }

    /// What has the keyboard.
    fn focused(&mut self) -> String {
        self.browser.text("(one => one === document.body ? '' : one.dataset.at ? nodes[one.dataset.at].node + ' in the graph' : one.id || one.textContent)(document.activeElement)")
    }

    fn detail(&mut self) -> String {
        self.browser.text("document.getElementById('detail').innerText")
    }

    fn press(&mut self, keys: &[&str]) {
        keys.iter().for_each(|key| self.browser.press(key));
    }
}

fn list(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_page_says_what_every_node_did_and_why() {
    let mut shown = Shown::new();
    assert_eq!(shown.listed(), list("still lib back broken follower app"));
    let rows = shown
        .browser
        .value("[...document.querySelectorAll('.row')].map(one => one.getAttribute('aria-label'))");
    let rows: Vec<String> = serde_json::from_value(rows).unwrap();
    for (row, start) in rows.iter().zip([
        "still, fresh",
        "lib, ran",
        "back, put back",
        "broken, failed",
        "follower, skipped, `broken` failed",
        "app, ran",
    ]) {
        assert!(row.starts_with(start), "{row}");
    }
    assert!(rows[1].contains("`input lib` changed"), "{rows:?}");
    assert!(rows[2].ends_with("output `back.out` is missing"), "{rows:?}");

    // What failed is looked at first: its reasons, the file's line and its last words.
    assert_eq!(shown.chosen(), "broken");
    let detail = shown.detail();
    for part in [
        "upstream `lib` changed: `lib.out` modified, 5 → 4 B",
        "\n  └ pipeline.kdl:19",
        "<script>window.evil=1</script> with ***",
    ] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    let facts = shown.browser.text("document.getElementById('facts').innerText");
    for part in ["1 failed, 2 ran, 1 put back, 1 fresh, 1 skipped", "2 of 6 nodes (33 %)"] {
        assert!(facts.contains(part), "{part}: {facts}");
    }
    // One edge for each need; the one that nothing is read over is dashed.
    assert_eq!(shown.browser.value("document.querySelectorAll('#picture path').length"), 5);
    assert_eq!(shown.browser.value("document.querySelectorAll('#picture path.after').length"), 1);
    let classes = "[...document.querySelectorAll('#picture g')].map(one => one.classList[0])";
    let mut classes: Vec<String> = serde_json::from_value(shown.browser.value(classes)).unwrap();
    classes.sort();
    assert_eq!(classes, list("failed fresh ran ran restored skipped"));
    let drawn = "(c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].some(byte => byte))(document.getElementById('timeline'))";
    assert_eq!(shown.browser.value(drawn), true, "the timeline is drawn");
}

#[test]
fn nothing_gets_out_of_the_page_or_into_it() {
    let mut shown = Shown::new();
    let text = std::fs::read_to_string(shown.page()).unwrap();
    assert!(!text.contains(SECRET), "a secret is in the page");
    for place in ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"] {
        assert_eq!(shown.browser.of(place), Vec::<&Value>::new());
    }
    let asked = shown.browser.of("Network.requestWillBeSent");
    let asked: Vec<&str> = asked.iter().map(|one| one["request"]["url"].as_str().unwrap()).collect();
    assert_eq!(asked, [format!("file://{}", shown.page().display())], "only the page itself is asked for");
    assert_eq!(shown.browser.value("typeof window.evil"), "undefined");
    assert_eq!(shown.browser.value("document.querySelectorAll('img, b, iframe, object, link').length"), 0);

    // Whatever slipped through would do nothing: the policy holds.
    let ran = "(() => { const one = document.createElement('script'); one.textContent = 'window.evil = 2'; document.body.append(one); return typeof window.evil })()";
    assert_eq!(shown.browser.value(ran), "undefined", "another script runs");
    let loaded = "new Promise(done => { const one = new Image(); one.onload = () => done('loaded'); one.onerror = () => done('refused'); one.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='; })";
    assert_eq!(shown.browser.value(loaded), "refused", "an image is loaded");
    assert_eq!(shown.browser.value("fetch(location.href).then(() => 'loaded', () => 'refused')"), "refused");
}

#[test]
fn the_search_and_the_outcomes_filter_everything() {
    let mut shown = Shown::new();
    shown.press(&["/"]);
    assert_eq!(shown.focused(), "search");
    // By a changed path, which stands in a reason.
    shown.press(&["onerror"]);
    assert_eq!(shown.listed(), ["lib"]);
    assert_eq!(shown.chosen(), "lib");
    assert_eq!(shown.browser.value("document.getElementById('count').textContent"), "1 of 6 nodes");
    assert_eq!(shown.browser.value("document.querySelectorAll('#picture g.other').length"), 5, "others fade");
    shown.press(&["Escape"]);
    assert_eq!(shown.listed().len(), 6);
    // Every word has to match; what a failed node printed counts.
    shown.press(&["evil with"]);
    assert_eq!(shown.listed(), ["broken"]);
    shown.press(&[" nowhere"]);
    assert_eq!(shown.listed(), Vec::<String>::new());
    shown.press(&["Escape"]);

    shown.browser.value("[...document.querySelectorAll('#outcomes button')].find(one => one.textContent.includes('ran')).click()");
    assert_eq!(shown.listed(), ["lib", "app"]);
    assert_eq!(shown.browser.value("document.querySelectorAll('#outcomes [aria-pressed=true]').length"), 1);
    shown.browser.value("(o => { o.value = 'by name'; o.dispatchEvent(new Event('change')) })(document.getElementById('order'))");
    assert_eq!(shown.listed(), ["app", "lib"]);
}

#[test]
fn the_keyboard_reaches_and_does_everything() {
    let mut shown = Shown::new();
    let mut stops = Vec::new();
    for _ in 0..30 {
        shown.press(&["Tab"]);
        let (stop, outline) = (
            shown.focused(),
            "(s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2)(getComputedStyle(document.activeElement))",
        );
        if stops.contains(&stop) || stop.is_empty() {
            break;
        }
        let seen = if stop.ends_with(" in the graph") {
            "parseFloat(getComputedStyle(document.activeElement.querySelector('rect')).strokeWidth) >= 4"
        } else {
            outline
        };
        assert_eq!(shown.browser.value(seen), true, "{stop} has the focus and does not show it");
        stops.push(stop);
    }
    // The graph and the list are one stop each; inside, arrows lead.
    let mut firsts: Vec<&str> = stops.iter().filter_map(|stop| stop.split(' ').next()).collect();
    // Which chain was the longest is for the clock to say.
    let critical = firsts.drain(2..4).collect::<Vec<_>>();
    assert!(["lib", "back"].contains(&critical[0]) && ["broken", "app"].contains(&critical[1]), "{stops:?}");
    assert_eq!(
        firsts,
        list("Skip theme around broken search order ✗ ● ↺ ✓ – list lib follower"),
        "{stops:?}"
    );

    // Along the graph, and from it to the details.
    shown.browser.value("document.querySelector('#picture g[tabindex=\"0\"]').focus()");
    shown.press(&["ArrowLeft"]);
    assert_eq!(shown.focused(), "lib in the graph");
    assert_eq!(shown.chosen(), "broken", "only looked at so far");
    shown.press(&["ArrowDown"]);
    assert_eq!(shown.focused(), "still in the graph");
    shown.press(&["ArrowUp", "ArrowRight", "ArrowRight"]);
    assert_eq!(shown.focused(), "follower in the graph");
    shown.press(&["Enter"]);
    assert_eq!((shown.chosen().as_str(), shown.focused().as_str()), ("follower", "detail"));
    // Back to the list, and along it.
    shown.press(&["Escape"]);
    assert_eq!(shown.focused(), "list");
    shown.press(&["Home"]);
    assert_eq!(shown.chosen(), "still");
    shown.press(&["ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp"]);
    assert_eq!(shown.chosen(), "back");
    let active = "document.getElementById(document.getElementById('list').getAttribute('aria-activedescendant')).ariaLabel";
    assert!(shown.browser.text(active).starts_with("back, put back"));
    shown.press(&["End"]);
    assert_eq!(shown.chosen(), "app");
    // From the search into the list without leaving it.
    shown.press(&["/", "b", "ArrowDown"]);
    assert_eq!((shown.focused().as_str(), shown.listed()), ("search", list("lib back broken follower app")));
    // The way past everything.
    shown.open();
    shown.press(&["Tab", "Enter", "Tab"]);
    assert_eq!(shown.focused(), "order", "the skip link leads to the search");
}

#[test]
fn everything_that_can_be_used_has_a_name() {
    let mut shown = Shown::new();
    let tree = shown.browser.ask("Accessibility.getFullAXTree", json!({}));
    let mut roles = Vec::new();
    for node in tree["nodes"].as_array().unwrap().iter().filter(|node| node["ignored"] == false) {
        let role = node["role"]["value"].as_str().unwrap_or_default().to_owned();
        let used = [
            "button",
            "link",
            "searchbox",
            "combobox",
            "listbox",
            "option",
            "checkbox",
            "image",
            "img",
            "heading",
            "region",
            "navigation",
            "list",
            "MenuListPopup",
        ];
        if used.contains(&&*role) {
            let name = node["name"]["value"].as_str().unwrap_or_default();
            assert!(!name.trim().is_empty() || role == "MenuListPopup", "a {role} without a name: {node}");
            roles.push(role);
        }
    }
    for (role, least) in [
        ("button", 12),
        ("searchbox", 1),
        ("combobox", 1),
        ("listbox", 1),
        ("option", 6),
        ("heading", 5),
        ("region", 4),
    ] {
        assert!(
            roles.iter().filter(|one| **one == role).count() >= least,
            "fewer than {least} {role}: {roles:?}"
        );
    }
    assert_eq!(shown.browser.value("document.documentElement.lang"), "en");
    assert_eq!(shown.browser.value("document.title"), "shop <b>&</b>: run 2");
}

#[test]
fn text_stands_out_in_light_and_dark_and_fits_a_telephone() {
    let mut shown = Shown::new();
    let mut papers = Vec::new();
    for dark in [false, true] {
        for width in [1280, 390] {
            shown.browser.screen(width, dark);
            shown.open();
            assert_eq!(
                shown.browser.value("document.documentElement.scrollWidth <= innerWidth"),
                true,
                "wider than {width}"
            );
            papers.push(check_contrast(&mut shown.browser, &format!("dark: {dark}, {width} wide")));
            // The other colours by hand.
            shown.browser.value("document.getElementById('theme').click()");
            let turned =
                check_contrast(&mut shown.browser, &format!("dark: {dark} and turned, {width} wide"));
            assert_ne!(papers.last(), Some(&turned), "the button changes the colours");
        }
    }
    assert_ne!(papers[0], papers[2], "the reader's wish for dark counts");
}

/// Looks at every piece of text that is shown; yields the page's own paper.
fn check_contrast(browser: &mut Browser, when: &str) -> Colour {
    // Outcomes that do not come up here have colours, too.
    browser.value("for (const one of OUTCOMES) byId('facts').append(make('span', one, `badge ${one}`))");
    let texts = browser.value(contrast::TEXTS);
    let texts = texts.as_array().unwrap();
    assert!(texts.len() > 60, "{} texts are shown", texts.len());
    for one in texts {
        let [text, ink, paper] = [0, 1, 2].map(|at| one[at].as_str().unwrap());
        let ratio = contrast(Colour::of(ink), Colour::of(paper));
        assert!(ratio >= 4.5, "`{text}` has a contrast of {ratio:.2}: {ink} on {paper}; {when}");
    }
    Colour::of(&browser.text("getComputedStyle(document.body).backgroundColor"))
}
