//! Tests of the whole, in one binary so that it links once.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests start programs and look around")]

mod architecture;
mod bats;
mod causes;
mod command_line;
mod completing;
mod crash;
mod display;
mod docker;
mod docs_cli;
mod docs_dependencies;
mod docs_events;
mod docs_orangescrum;
mod docs_pipeline;
mod docs_reasons;
mod help_examples;
mod history;
mod hostile_kdl;
mod init_folders;
mod init_template;
mod links;
mod manual;
mod metamorphic;
mod oracle;
mod orangescrum;
mod page;
mod quickstart;
mod schema;
mod server;
mod shell;
mod trees;
mod verify;
mod watching;
