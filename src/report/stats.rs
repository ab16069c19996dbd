//! `osgraph stats`: the waste ledger in words.

use crate::plan::ledger::{Cause, Ledger};
use crate::report::colour::Palette;
use crate::report::json::answer;
use crate::report::quantity::{count, millis};
use crate::report::table::{Align, Table};

/// The text, with a line's end at its end; `limit` causes at most.
pub fn text(ledger: &Ledger, limit: usize, palette: Palette) -> String {
    let Ledger { runs, work_ms, identical_ms, causes } = ledger;
    if *runs == 0 {
        return "nothing has run yet\n".to_owned();
    }
    let mut out = format!(
        "{} of work in {}, {} of it gave what was there already\n",
        palette.bold(millis(*work_ms)),
        count(*runs, "run"),
        palette.bold(millis(*identical_ms)),
    );
    if causes.is_empty() {
        out.push_str("every node ran once, and nothing made one run again\n");
        return out;
    }
    out.push('\n');
    let mut table = Table::new([
        ("time", Align::Right),
        ("rebuilds", Align::Right),
        ("identical", Align::Right),
        ("node", Align::Left),
        ("cause", Align::Left),
    ]);
    for Cause { what, node, rebuilds, time_ms, identical } in causes.iter().take(limit) {
        let (rebuilds, identical) = (rebuilds.to_string(), identical.to_string());
        table.row([millis(*time_ms), rebuilds, identical, node.to_string(), what.clone()]);
    }
    out.push_str(&table.text(palette));
    if causes.len() > limit {
        out.push_str(&format!("… and {}\n", count(causes.len() - limit, "more cause")));
    }
    out
}

/// `{"v":1,"runs":…,"work_ms":…,"identical_ms":…,"causes":[…]}`
pub fn json(ledger: &Ledger) -> String {
    answer(ledger)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::NodeName;

    #[test]
    fn the_dearest_cause_comes_first() {
        let cause = |what: &str, time_ms| Cause {
            what: what.to_owned(),
            node: NodeName("base".into()),
            rebuilds: 9,
            time_ms,
            identical: 7,
        };
        let causes = vec![cause("builder/Caddyfile", 15_120_000), cause("php", 60_000)];
        let ledger = Ledger { runs: 41, work_ms: 20_000_000, identical_ms: 11_000_000, causes };
        insta::assert_snapshot!(text(&ledger, 1, Palette::PLAIN), @r"
        5h33m of work in 41 runs, 3h03m of it gave what was there already

         time  rebuilds  identical  node  cause
        4h12m         9          7  base  builder/Caddyfile
        … and 1 more cause
        ");
        assert_eq!(text(&Ledger::default(), 1, Palette::PLAIN), "nothing has run yet\n");
    }
}
