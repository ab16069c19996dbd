//! Text of a pipeline file: strings, comments, the words at its head.

/// Columns of a comment.
const WIDTH: usize = 100;

/// Comment lines, broken where they are long.
pub fn comment(indent: &str, text: &str) -> String {
    let mut out = String::new();
    // What a file is called may hold anything.
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line = String::new();
    for word in clean.split_whitespace() {
        if !line.is_empty() && indent.len() + 3 + line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&format!("{indent}// {line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        out.push_str(&format!("{indent}// {line}\n"));
    }
    out
}

pub fn header(found: &[String]) -> String {
    let mut out = comment("", &format!("Drafted from what lies in this folder: {}.", found.join("; ")));
    out.push_str(
        "//\n//   osgraph run        build what is not fresh\n//   osgraph explain    say what would run, and why\n\
         //   osgraph graph      show who needs whom\n//\n",
    );
    out.push_str(&comment("", "It is an ordinary pipeline file: read it, and change what does not fit."));
    out.push('\n');
    out
}
