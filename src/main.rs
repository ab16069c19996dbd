//! The `osgraph` program: hands its arguments to the library and ends with the code it gives.

use osgraph::commands::exit::Exit;
use osgraph::commands::start;

fn main() -> Exit {
    start::start(std::env::args_os())
}
