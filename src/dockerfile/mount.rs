//! `RUN --mount=…`: its fields.
//!
//! Knows the notation only; what a mount reads is for [`super::sources`].

/// The fields that matter here, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mount {
    /// `bind` where nothing is said.
    pub kind: Option<String>,
    pub from: Option<String>,
    pub source: Option<String>,
    pub target: Option<String>,
    pub id: Option<String>,
    /// `required` alone is `true`.
    pub required: Option<String>,
}

/// Fields are separated by commas; one in double quotes may hold some.
pub(super) fn parse(text: &str) -> Result<Mount, String> {
    let mut mount = Mount::default();
    for field in fields(text)? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key, value),
            None => (&*field, "true"),
        };
        let place = match &*key.to_ascii_lowercase() {
            "type" => &mut mount.kind,
            "from" => &mut mount.from,
            "source" | "src" => &mut mount.source,
            "target" | "dst" | "destination" => &mut mount.target,
            "id" => &mut mount.id,
            "required" => &mut mount.required,
            _ => continue,
        };
        *place = Some(value.to_owned());
    }
    Ok(mount)
}

fn fields(text: &str) -> Result<Vec<String>, String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let field = fields.last_mut().expect("there is one from the beginning");
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => fields.push(String::new()),
            _ => field.push(c),
        }
    }
    if quoted { Err("a quote does not close".to_owned()) } else { Ok(fields) }
}
