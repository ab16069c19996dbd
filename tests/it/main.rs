//! Tests of the whole, in one binary so that it links once.

mod architecture;
mod docs_cli;
mod docs_pipeline;
mod init_template;
mod quickstart;
