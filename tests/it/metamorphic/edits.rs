//! What may happen to a project between two runs.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::Random;
use super::world::World;

/// Folders whose content is the user's.
const SOURCES: [&str; 3] = ["app", "overlay", "common"];

/// Whether a file may go: without the seed's source the pipeline is wrong.
fn is_spare(path: &Path) -> bool {
    !path.ends_with("seed.example")
}

impl World {
    /// Does one thing, and says which. Outputs are tampered with only when nothing else happens
    /// before the next run: what was altered and is no longer wanted is the user's, and stays.
    pub fn edit(&mut self, random: &mut Random, alone: bool) -> String {
        match random.below(if alone { 15 } else { 13 }) {
            0 => self.write(random),
            1 => self.append(random),
            2 => self.edit_same_size(random),
            3 => self.delete(random),
            4 => self.rename(random),
            5 => self.add_folder(random),
            6 => self.remove_folder(random),
            7 => self.change_mode(random),
            8 => self.turn_link(random),
            9 => self.change_ignore_rules(random),
            10 => self.change_option(random),
            11 => self.touch(random),
            12 => self.delete_output(random),
            _ => self.tamper(random),
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for folder in SOURCES {
            self.gather(&self.project.path(folder), &|meta| meta.is_file(), &mut all);
        }
        all.sort();
        all
    }

    fn folders(&self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for folder in SOURCES {
            all.push(self.project.path(folder));
            self.gather(&self.project.path(folder), &|meta| meta.is_dir(), &mut all);
        }
        all.sort();
        all
    }

    /// Paths below `folder`, but nothing that was published there.
    fn gather(&self, folder: &Path, wanted: &dyn Fn(&fs::Metadata) -> bool, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if path == self.project.path("common/bin") {
                continue;
            }
            if wanted(&meta) {
                all.push(path.clone());
            }
            if meta.is_dir() {
                self.gather(&path, wanted, all);
            }
        }
    }

    fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.project.root).unwrap().display().to_string()
    }

    fn any_file(&self, random: &mut Random) -> Option<PathBuf> {
        let files = self.files();
        (!files.is_empty()).then(|| files[random.below(files.len())].clone())
    }

    fn write(&self, random: &mut Random) -> String {
        let folders = self.folders();
        let folder = &folders[random.below(folders.len())];
        let name = random.pick(&["new.txt", "a.txt", "n.log", "n.tmp", "with blank", "ü.txt", ".hidden"]);
        let path = folder.join(name);
        if path.is_dir() {
            return "nothing".to_owned();
        }
        let _ = fs::remove_file(&path);
        fs::write(&path, format!("text {}", random.below(50))).unwrap();
        format!("write {}", self.shown(&path))
    }

    fn append(&self, random: &mut Random) -> String {
        let Some(path) = self.any_file(random) else { return "nothing".to_owned() };
        let text = fs::read_to_string(&path).unwrap() + "+";
        fs::write(&path, text).unwrap();
        format!("append to {}", self.shown(&path))
    }

    fn edit_same_size(&self, random: &mut Random) -> String {
        let Some(path) = self.any_file(random) else { return "nothing".to_owned() };
        let mtime = path.metadata().unwrap().modified().unwrap();
        let text: String =
            fs::read_to_string(&path).unwrap().chars().map(|c| if c == 'z' { 'y' } else { 'z' }).collect();
        fs::write(&path, text).unwrap();
        let file = File::options().write(true).open(&path).unwrap();
        file.set_times(FileTimes::new().set_modified(mtime)).unwrap();
        format!("edit {} and put its mtime back", self.shown(&path))
    }

    fn delete(&self, random: &mut Random) -> String {
        let Some(path) = self.any_file(random).filter(|path| is_spare(path)) else {
            return "nothing".to_owned();
        };
        fs::remove_file(&path).unwrap();
        format!("delete {}", self.shown(&path))
    }

    fn rename(&self, random: &mut Random) -> String {
        let Some(path) = self.any_file(random).filter(|path| is_spare(path)) else {
            return "nothing".to_owned();
        };
        let folders = self.folders();
        let folder = &folders[random.below(folders.len())];
        let target = folder.join(random.pick(&["moved.txt", "b.txt", "c.log"]));
        if target.is_dir() {
            return "nothing".to_owned();
        }
        fs::rename(&path, &target).unwrap();
        format!("rename {} to {}", self.shown(&path), self.shown(&target))
    }

    fn add_folder(&self, random: &mut Random) -> String {
        let folders = self.folders();
        let path = folders[random.below(folders.len())].join(random.pick(&["empty", "lib", "a.txt", "bin2"]));
        if path.symlink_metadata().is_ok() {
            return "nothing".to_owned();
        }
        fs::create_dir(&path).unwrap();
        if random.below(2) == 0 {
            fs::write(path.join("inner.txt"), "inner").unwrap();
        }
        format!("make folder {}", self.shown(&path))
    }

    fn remove_folder(&self, random: &mut Random) -> String {
        let keep = SOURCES.map(|folder| self.project.path(folder));
        let config = self.project.path("common/config");
        let folders: Vec<_> =
            self.folders().into_iter().filter(|path| !keep.contains(path) && *path != config).collect();
        if folders.is_empty() {
            return "nothing".to_owned();
        }
        let path = &folders[random.below(folders.len())];
        fs::remove_dir_all(path).unwrap();
        format!("remove folder {}", self.shown(path))
    }

    fn change_mode(&self, random: &mut Random) -> String {
        let Some(path) = self.any_file(random) else { return "nothing".to_owned() };
        let mode = [0o644, 0o755, 0o600, 0o700][random.below(4)];
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        format!("chmod {mode:o} {}", self.shown(&path))
    }

    fn turn_link(&self, random: &mut Random) -> String {
        let path = self.project.path(random.pick(&["app/link", "overlay/link", "common/link"]));
        if path.is_dir() && !path.is_symlink() {
            return "nothing".to_owned();
        }
        let target = random.pick(&["a.txt", "nowhere", "./o.txt"]);
        let _ = fs::remove_file(&path);
        symlink(target, &path).unwrap();
        format!("link {} to {target}", self.shown(&path))
    }

    fn change_ignore_rules(&self, random: &mut Random) -> String {
        let path = random.pick(&[".gitignore", "app/.gitignore", "common/.gitignore", "app/lib/.gitignore"]);
        let text = random.pick(&["*.log\n", "", "new.txt\n", "lib/\n", "*\n!*.txt\n", "/a.txt\n!*.log\n"]);
        if self.project.path(path).is_dir() || !self.project.path(path).parent().unwrap().is_dir() {
            return "nothing".to_owned();
        }
        if random.below(4) == 0 && self.project.exists(path) {
            self.project.remove(path);
            return format!("remove {path}");
        }
        self.project.write(path, text);
        format!("write {path}: {text:?}")
    }

    fn change_option(&mut self, random: &mut Random) -> String {
        let before = format!("{:?}", self.options);
        let options = &mut self.options;
        match random.below(14) {
            0 => options.exclude = random.pick(&["*.tmp", "*.txt", "lib", "/config/", "deep/"]),
            1 => options.overlay_into = random.pick(&["config", ".", "lib", "config/deeper"]),
            2 => options.word = random.pick(&["one", "two", "three"]),
            3 => options.environment = random.pick(&["red", "green"]),
            4 => options.extracted = random.pick(&["extracted", "common/bin", "out2/bin"]),
            5 => options.package = random.pick(&["package", "packages/native"]),
            6 => options.archive = random.pick(&["app", "other"]),
            7 => options.executable = !options.executable,
            8 => options.min_size = 1 + random.below(3) as u32,
            9 => options.seed = !options.seed,
            10 => options.version = 1 + random.below(3) as u32,
            11 => options.fact = random.pick(&["word", "name"]),
            12 => options.provenance = random.pick(&["\"source\"", "\"list\" \"source\"", "\"binary\""]),
            _ => options.retries = random.below(3) as u32,
        }
        self.write_pipeline();
        format!("options {before} become {:?}", self.options)
    }

    fn places(&self) -> Vec<&'static str> {
        vec!["out", "tree", "place.txt", "summary", "dist", self.options.package, self.options.extracted]
    }

    fn delete_output(&self, random: &mut Random) -> String {
        let place = random.pick(&self.places());
        if !self.project.exists(place) {
            return "nothing".to_owned();
        }
        self.project.remove(place);
        format!("delete output {place}")
    }

    /// Alters something in an output, but for the seed, which is the user's.
    fn tamper(&self, random: &mut Random) -> String {
        let mut all = Vec::new();
        for place in self.places() {
            let path = self.project.path(place);
            if path.is_dir() {
                self.gather(&path, &|meta| !meta.is_dir(), &mut all);
            } else if path.exists() {
                all.push(path);
            }
        }
        all.retain(|path| !path.ends_with(".env"));
        all.sort();
        if all.is_empty() {
            return "nothing".to_owned();
        }
        let path = &all[random.below(all.len())];
        let shown = self.shown(path);
        match random.below(5) {
            0 => {
                fs::remove_file(path).unwrap();
                format!("tamper: delete {shown}")
            }
            1 if !path.is_symlink() => {
                let mode = [0o600, 0o777, 0o444][random.below(3)];
                fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
                format!("tamper: chmod {mode:o} {shown}")
            }
            2 => {
                fs::remove_file(path).unwrap();
                symlink("elsewhere", path).unwrap();
                format!("tamper: link in the place of {shown}")
            }
            3 => {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
                format!("tamper: folder in the place of {shown}")
            }
            _ => {
                fs::remove_file(path).unwrap();
                fs::write(path, "tampered").unwrap();
                format!("tamper: rewrite {shown}")
            }
        }
    }

    fn touch(&self, random: &mut Random) -> String {
        let Some(path) = self.any_file(random) else { return "nothing".to_owned() };
        let file = File::options().append(true).open(&path).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(random.below(9) as u64))
            .unwrap();
        format!("touch {}", self.shown(&path))
    }
}
