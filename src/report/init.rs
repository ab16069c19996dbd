//! The pipeline that `osgraph init` writes.

/// A commented pipeline that runs in any folder, on the host alone.
pub const TEMPLATE: &str = include_str!("init_template.kdl");
