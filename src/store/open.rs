//! Opening a store: creating it, refusing what is no place for one, starting anew from what is
//! on disk when the database is damaged.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use serde::Serialize;

use crate::digest::Digest;
use crate::inputs::stat::boot_id;
use crate::store::db::{Db, damage_mark};
use crate::store::error::StoreError;
use crate::store::index::{Index, Location, Place};
use crate::store::layout::{self, Layout};
use crate::store::lease::lock;
use crate::store::pack::{self, Writer};
use crate::store::seal::Seal;
use crate::store::session::Session;
use crate::store::trash::Trash;
use crate::store::trees::Directories;

/// A content-addressed store with its records. All methods block and may be called from several
/// threads.
pub struct Store {
    pub(super) layout: Layout,
    pub(super) read_only: bool,
    pub(super) db: Db,
    pub(super) boot: String,
    pub(super) index: RwLock<Option<Loaded>>,
    pub(super) pending: Mutex<Pending>,
    pub(super) writer: Mutex<Option<Writer>>,
    pub(super) readers: RwLock<HashMap<u32, Arc<File>>>,
    pub(super) directories: Directories,
    pub(super) trash: Trash,
    session: OnceLock<Session>,
    opening: Mutex<()>,
    warnings: Mutex<Vec<String>>,
}

/// The index in memory.
pub(super) struct Loaded {
    pub(super) index: Index,
    /// The database's version when it was read: another one means that somebody else wrote.
    pub(super) version: u64,
}

/// What is on disk and in the index, and goes to the database with the next transaction.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) rows: Vec<(Digest, Location)>,
    pub(super) trusted: Vec<(Digest, Option<Seal>)>,
}

/// What is in a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreInfo {
    pub root: PathBuf,
    pub read_only: bool,
    /// Distinct contents and their bytes.
    pub contents: u64,
    pub bytes: u64,
    /// Bytes on disk: blobs, packs and the database. Unpacked trees are not counted.
    pub disk_bytes: u64,
    pub blobs: u64,
    pub packs: u64,
    /// Bytes in packs that no content needs any more.
    pub dead_bytes: u64,
    pub database_bytes: u64,
    pub unpacked_trees: u64,
    pub records: u64,
    pub runs: u64,
    pub projects: u64,
}

impl Store {
    /// Opens the store at `root`, creating what is missing. Where nothing may be written the
    /// store is read-only: reads work, writes give [`StoreError::ReadOnly`].
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        layout::create_root(root)?;
        let layout = canonical(root)?;
        if !layout.writable() {
            return Self::open_existing(layout);
        }
        layout.create()?;
        let mut warnings = Vec::new();
        let is_new = fs::metadata(layout.database()).map_or(0, |m| m.len()) == 0;
        let db = match Db::open(layout.root(), &layout.database(), false) {
            Err(StoreError::DatabaseDamaged(_)) => {
                let (db, warning) = start_anew(&layout)?;
                warnings.push(warning);
                db
            }
            other => other?,
        };
        if is_new {
            warnings.extend(adopt_contents(&layout, &db)?);
        }
        let store = Self::assemble(layout, db, false, warnings);
        store.sweep();
        Ok(store)
    }

    /// Opens the store at `root` for reading alone: no content, record or lock is written. SQLite
    /// may leave its empty shared-memory files. Where there is no store yet it is an empty one.
    pub fn open_read_only(root: &Path) -> Result<Self, StoreError> {
        if fs::symlink_metadata(root).is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
            && let Ok(layout) = Layout::absent(root)
        {
            return Self::open_existing(layout);
        }
        Self::open_existing(canonical(root)?)
    }

    fn open_existing(layout: Layout) -> Result<Self, StoreError> {
        let path = layout.database();
        let mut warnings = Vec::new();
        let db = if !path.exists() {
            Db::nothing(layout.root(), &path)?
        } else {
            match Db::open(layout.root(), &path, true) {
                Err(StoreError::DatabaseDamaged(_)) => {
                    warnings.push(format!("the database `{}` is damaged: nothing is reused", path.display()));
                    Db::nothing(layout.root(), &path)?
                }
                other => other?,
            }
        };
        Ok(Self::assemble(layout, db, true, warnings))
    }

    fn assemble(layout: Layout, db: Db, read_only: bool, warnings: Vec<String>) -> Self {
        Self {
            layout,
            read_only,
            db,
            boot: boot_id(),
            index: RwLock::default(),
            pending: Mutex::default(),
            writer: Mutex::default(),
            readers: RwLock::default(),
            directories: Directories::default(),
            trash: Trash::default(),
            session: OnceLock::new(),
            opening: Mutex::default(),
            warnings: Mutex::new(warnings),
        }
    }

    /// Absolute, without symlinks.
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// What its user should know: a database that had to be set aside or was gone.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A path in the store's temporary folder that nothing has yet. What is left there goes with
    /// this store value, or after its process's death.
    pub fn scratch(&self) -> Result<PathBuf, StoreError> {
        self.check_writable()?;
        // Only one thread makes the folder; the others wait for it.
        let _one = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = self.session.get() {
            return Ok(session.path());
        }
        let session = Session::open(&self.layout)?;
        Ok(self.session.get_or_init(|| session).path())
    }

    pub(super) fn check_writable(&self) -> Result<(), StoreError> {
        if self.read_only { Err(StoreError::ReadOnly(self.root().to_owned())) } else { Ok(()) }
    }

    /// Writes what is pending to the database.
    pub fn flush(&self) -> Result<(), StoreError> {
        if self.read_only {
            return Ok(());
        }
        self.commit_with(|_| Ok(()))
    }

    /// Numbers about the store. Lists its folders.
    pub fn info(&self) -> Result<StoreInfo, StoreError> {
        self.flush()?;
        let packs = self.layout.packs()?.known;
        let blobs = self.layout.blobs()?.known;
        let (mut contents, mut bytes, mut packed) = (0, 0, 0);
        self.with_index(|index| {
            for (_, location) in index.iter() {
                contents += 1;
                bytes += location.size;
                if location.place != Place::Blob {
                    packed += location.size + pack::FRAME;
                }
            }
        })?;
        let size = |path: &Path| fs::metadata(path).map_or(0, |m| m.len());
        let database = self.layout.database();
        let log = size(&database.with_extension("db-wal"));
        let database_bytes = size(&database) + log;
        let pack_bytes: u64 = packs.iter().map(|(_, size)| *size).sum();
        let heads = pack::HEADER * packs.len() as u64;
        Ok(StoreInfo {
            root: self.root().to_owned(),
            read_only: self.read_only,
            contents,
            bytes,
            disk_bytes: blobs.iter().map(|(_, size)| *size).sum::<u64>() + pack_bytes + database_bytes,
            blobs: blobs.len() as u64,
            packs: packs.len() as u64,
            dead_bytes: pack_bytes.saturating_sub(packed + heads),
            database_bytes,
            unpacked_trees: self.layout.list(&self.layout.folder("trees"))?.len() as u64,
            records: self.db.record_count()?,
            runs: self.db.run_count()?,
            projects: self.db.project_count()?,
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // Unrecorded contents are garbage to later runs, not a fault.
        let _ = self.flush();
    }
}

fn canonical(root: &Path) -> Result<Layout, StoreError> {
    let layout = Layout::of(root).map_err(|source| StoreError::Io {
        action: "open the store",
        path: root.to_owned(),
        source,
    })?;
    match layout::network(layout.root()) {
        Some(kind) => Err(StoreError::Network { root: layout.root().to_owned(), kind }),
        None => Ok(layout),
    }
}

/// Sets a damaged database aside and records the contents that are still on disk in a new one.
/// Only while nobody else is in the store.
fn start_anew(layout: &Layout) -> Result<(Db, String), StoreError> {
    let path = layout.database();
    let held = lock(&layout.lock("store"), true, &mut || false)
        .map_err(|e| layout.error("lock", &layout.lock("store"), e))?;
    if held.is_none() {
        return Err(StoreError::DatabaseDamaged(path));
    }
    let mark = damage_mark(&path);
    // Another process may have done all of this while this one waited for its turn.
    if !mark.exists()
        && let Ok(db) = Db::open(layout.root(), &path, false)
    {
        return Ok((db, format!("the database `{}` was made anew by another run", path.display())));
    }
    let aside = set_aside(layout, &path)?;
    // The mark goes only after the damaged file: it is what makes the next start try again.
    match fs::remove_file(&mark) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(layout.error("remove", &mark, e)),
        _ => {}
    }
    let db = Db::open(layout.root(), &path, false)?;
    let contents = reindex(layout, &db)?;
    let found = crate::store::error::contents(contents);
    let warning = format!(
        "the store's database was damaged and is kept as `{}`; {found} were found again, records were not",
        aside.display()
    );
    Ok((db, warning))
}

/// Records contents that lie there without a database, because somebody removed it. Only while
/// nobody else is in the store: another process may just be making its first contents.
fn adopt_contents(layout: &Layout, db: &Db) -> Result<Option<String>, StoreError> {
    let path = layout.lock("store");
    let held = lock(&path, true, &mut || false).map_err(|e| layout.error("lock", &path, e))?;
    let found = if held.is_some() { reindex(layout, db)? } else { 0 };
    Ok((found > 0).then(|| {
        let found = crate::store::error::contents(found);
        format!("the store's database was gone; {found} were found again, records were not")
    }))
}

fn set_aside(layout: &Layout, path: &Path) -> Result<PathBuf, StoreError> {
    let free = |number: &u32| !path.with_extension(format!("db.damaged-{number}")).exists();
    let number = (1..).find(free).unwrap_or(u32::MAX);
    for ending in ["db", "db-wal", "db-shm"] {
        let old = path.with_extension(ending);
        let new = path.with_extension(ending.replacen("db", &format!("db.damaged-{number}"), 1));
        match fs::rename(&old, &new) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(layout.error("set aside", &old, e)),
            _ => {}
        }
    }
    Ok(path.with_extension(format!("db.damaged-{number}")))
}

/// Records every content that lies on disk. Blobs are believed by their name until first used.
fn reindex(layout: &Layout, db: &Db) -> Result<usize, StoreError> {
    let mut rows: Vec<(Digest, Location)> = Vec::new();
    let packs = layout.packs()?.known;
    for (id, _) in &packs {
        let path = layout.pack(*id);
        for framed in pack::scan(&path).map_err(|e| layout.error("read", &path, e))? {
            let place = Place::Pack { id: *id, start: framed.start };
            rows.push((framed.digest, Location { size: framed.size, place, suspect: false, seal: None }));
        }
    }
    for (digest, size) in layout.blobs()?.known {
        rows.push((digest, Location { size, place: Place::Blob, suspect: true, seal: None }));
    }
    let boot = boot_id();
    if rows.is_empty() && packs.is_empty() {
        return Ok(0);
    }
    db.write(|write| {
        packs.iter().try_for_each(|(id, _)| write.add_pack(*id))?;
        write.add_contents(&rows, &boot)
    })?;
    Ok(rows.len())
}
