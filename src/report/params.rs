//! A pipeline's parameters, and where each value came from.

use serde::Serialize;

use crate::pipeline::{ParamOrigin, ParamValue};
use crate::plan::privacy::told_param;
use crate::report::colour::Palette;
use crate::report::text::{pad, shorten, width};

/// Columns of a value before it is cut; JSON has all of it.
const VALUE: usize = 60;

/// One parameter, as shown and as in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Param {
    pub name: String,
    pub value: String,
    /// `default`, `file`, `environment` or `command-line`.
    pub origin: &'static str,
    /// The file, or the environment's name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

impl Param {
    pub fn of(param: &ParamValue) -> Self {
        let ParamValue { name, value, origin, span: _ } = param;
        let (origin, from) = match origin {
            ParamOrigin::Default => ("default", None),
            ParamOrigin::FromFile(path) => ("file", Some(path.to_string())),
            ParamOrigin::Environment(name) => ("environment", Some(name.clone())),
            ParamOrigin::CommandLine => ("command-line", None),
        };
        Self { name: name.clone(), value: told_param(name, value), origin, from }
    }

    fn source(&self) -> String {
        match (self.origin, &self.from) {
            ("file", Some(path)) => format!("from `{path}`"),
            ("environment", Some(name)) => format!("from ${name}"),
            ("command-line", _) => "from --set".to_owned(),
            (origin, _) => origin.to_owned(),
        }
    }
}

/// `  version  1.0.0  from `VERSION``, one line each.
pub fn text(params: &[Param], palette: Palette) -> String {
    let value = |param: &Param| match param.value.as_str() {
        "" => "\"\"".to_owned(),
        value => shorten(&value.escape_debug().to_string(), VALUE).into_owned(),
    };
    let columns = |of: &dyn Fn(&Param) -> usize| params.iter().map(of).max().unwrap_or(0);
    let names = columns(&|param| width(&param.name));
    let values = columns(&|param| width(&value(param)));
    let line = |param: &Param| {
        let (name, value) = (pad(&param.name, names), pad(&value(param), values));
        format!("  {name}  {value}  {}\n", palette.dim(param.source()))
    };
    params.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_says_where_it_came_from() {
        let param = |name: &str, value: &str, origin, from: Option<&str>| Param {
            name: name.into(),
            value: value.into(),
            origin,
            from: from.map(str::to_owned),
        };
        let all = [
            param("arch", "", "default", None),
            param("version", "1.0.0", "file", Some("VERSION")),
            param("php", "8.3", "environment", Some("OSGRAPH_PARAM_PHP")),
            param("source", "../app", "command-line", None),
        ];
        assert_eq!(
            text(&all, Palette::PLAIN),
            "  arch     \"\"      default\n  version  1.0.0   from `VERSION`\n  \
             php      8.3     from $OSGRAPH_PARAM_PHP\n  source   ../app  from --set\n"
        );
        assert_eq!(
            serde_json::to_string(&all[1]).unwrap(),
            r#"{"name":"version","value":"1.0.0","origin":"file","from":"VERSION"}"#
        );
    }
}
