//! `osgraph schema`: what each answer looks like, for programs that read it.

use crate::commands::args::{Format, Schema};
use crate::commands::exit::Exit;
use crate::commands::fault::Fault;
use crate::commands::screen::Screen;
use crate::pipeline::suggest;
use crate::report::schema;

/// Answers in any folder: it needs no pipeline.
pub fn run(args: &Schema, screen: &Screen) -> Result<Exit, Fault> {
    let all = schema::all();
    let Some(name) = &args.name else {
        screen.answer(&match screen.format {
            Format::Json => schema::list_json(&all),
            Format::Text => schema::list(&all),
        });
        return Ok(Exit::Done);
    };
    let found = schema::schema(name).ok_or_else(|| {
        let near = suggest::nearest(name, all.iter().map(|one| one.name.as_str()));
        let help = near.map_or_else(
            || "`osgraph schema` lists them all".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Fault::usage(format!("there is no schema `{name}`"), help)
    })?;
    screen.answer(&schema::text(&found));
    Ok(Exit::Done)
}
