//! Tests of the whole, linked once.

mod docs_cli;
mod init_template;
