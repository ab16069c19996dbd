//! Who made a temporary thing in an engine: enough to tell, after a crash, that nobody needs it.
//!
//! Several machines and several containers of one machine may use one engine, so a process is named
//! with its machine, that machine's boot, and the space in which its number means something.

use std::fmt;

use crate::digest::Digest;
use crate::inputs::stat::boot_id;

/// A process that made something. Its text fits into a label and into an image's tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    machine: String,
    boot: String,
    /// The space of process numbers: containers have their own.
    space: String,
    process: u32,
    /// When it started, in the kernel's ticks: numbers are used again.
    started: u64,
}

impl Owner {
    /// This process.
    pub fn this() -> Self {
        Self::of(std::process::id())
    }

    /// A process that this one sees.
    pub fn of(process: u32) -> Self {
        Self {
            machine: machine(),
            boot: word(boot_id().as_bytes()),
            space: space(),
            process,
            started: started(process).unwrap_or(0),
        }
    }

    /// Reads what [`Owner`]'s `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut next = || parts.next().filter(|part| !part.is_empty());
        let owner = Self {
            machine: next()?.to_owned(),
            boot: next()?.to_owned(),
            space: next()?.to_owned(),
            process: next()?.parse().ok()?,
            started: next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(owner)
    }

    /// Whether that process is surely gone, as `this` one can tell. Of other machines and of other
    /// containers nothing is known, so theirs are left alone.
    pub fn is_gone(&self, this: &Self) -> bool {
        self.is_gone_if(this, started)
    }

    fn is_gone_if(&self, this: &Self, started: impl Fn(u32) -> Option<u64>) -> bool {
        if self.machine != this.machine {
            return false;
        }
        if self.boot != this.boot {
            return true;
        }
        self.space == this.space && started(self.process) != Some(self.started)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { machine, boot, space, process, started } = self;
        write!(f, "{machine}-{boot}-{space}-{process}-{started}")
    }
}

/// What marks the things of a project in an engine, where those of other projects may lie, too.
/// `project` is where it lies on this machine; another place or machine has another mark.
pub fn mark(project: &str) -> String {
    word(format!("{}\n{project}", machine()).as_bytes())
}

/// Short, and the same for the same bytes.
fn word(bytes: &[u8]) -> String {
    Digest::of(bytes).hex()[..12].to_owned()
}

/// A machine's own number, with its name: copies of one disk image share the number.
fn machine() -> String {
    let number = std::fs::read("/etc/machine-id").unwrap_or_default();
    let name = rustix::system::uname();
    word(&[&number, b"\n" as &[u8], name.nodename().to_bytes()].concat())
}

#[cfg(target_os = "linux")]
fn space() -> String {
    let link = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    word(link.as_os_str().as_encoded_bytes())
}

#[cfg(not(target_os = "linux"))]
fn space() -> String {
    "0".to_owned()
}

/// When a process started; none when there is no such process.
#[cfg(target_os = "linux")]
fn started(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name, which may hold anything, also `)` and blanks.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    // A process that is dead and not yet buried needs nothing any more.
    (fields.next()? != "Z").then_some(())?;
    fields.nth(18)?.parse().ok()
}

#[cfg(not(target_os = "linux"))]
fn started(process: u32) -> Option<u64> {
    let process = rustix::process::Pid::from_raw(process.try_into().ok()?)?;
    match rustix::process::test_kill_process(process) {
        Err(rustix::io::Errno::SRCH) => None,
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner { machine: "m".into(), boot: "b".into(), space: "s".into(), process: 7, started: 100 }
    }

    #[test]
    fn an_owner_is_read_as_it_was_written() {
        assert_eq!(owner().to_string(), "m-b-s-7-100");
        assert_eq!(Owner::parse("m-b-s-7-100"), Some(owner()));
        for odd in ["", "m-b-s-7", "m-b-s-7-100-1", "m-b-s-x-100", "m--s-7-100"] {
            assert_eq!(Owner::parse(odd), None, "{odd}");
        }
        let this = Owner::this();
        assert_eq!(Owner::parse(&this.to_string()), Some(this.clone()));
        assert!(this.to_string().len() < 128 && this.started > 0, "{this}");
    }

    #[test]
    fn only_those_are_gone_of_whom_it_is_known() {
        let this = owner();
        let lives = |_: u32| Some(100);
        assert!(!owner().is_gone_if(&this, lives));
        assert!(owner().is_gone_if(&this, |_| None));
        assert!(owner().is_gone_if(&this, |_| Some(101)), "another process has its number now");
        assert!(Owner { boot: "old".into(), ..owner() }.is_gone_if(&this, lives));
        let elsewhere = Owner { machine: "n".into(), boot: "old".into(), ..owner() };
        assert!(!elsewhere.is_gone_if(&this, |_| None));
        assert!(!Owner { space: "t".into(), ..owner() }.is_gone_if(&this, |_| None));
    }

    #[test]
    fn a_mark_is_of_one_project() {
        let one = mark("/a/cache\n/a/pipeline.kdl");
        assert_eq!(one, mark("/a/cache\n/a/pipeline.kdl"));
        assert_ne!(one, mark("/b/cache\n/b/pipeline.kdl"));
        assert!(one.len() == 12 && !one.contains('/'), "it goes where the image goes: {one}");
    }

    #[test]
    fn processes_are_seen_to_end() {
        let this = Owner::this();
        assert!(!this.is_gone(&this));
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let of_child = Owner::of(child.id());
        assert!(!of_child.is_gone(&this));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(of_child.is_gone(&this));
    }
}
