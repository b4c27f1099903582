//! The archive of a tree, and checksums. Nothing in it depends on the machine, the user or the hour: entries are sorted,
//! belong to root and bear the time of the source.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header, HeaderMode};

use super::tree;
use crate::stage::hex;

/// A compromise: higher levels take several times as long for a few per cent.
const LEVEL: i32 = 9;

/// Writes the tree under `root` as the folder `name` of an archive.
pub(crate) fn write(root: &Path, name: &str, archive: &Path, time_s: u64) -> Result<()> {
    let file = File::create(archive).with_context(|| format!("can not write {}", archive.display()))?;
    let mut builder = Builder::new(zstd::Encoder::new(file, LEVEL)?.auto_finish());
    builder.mode(HeaderMode::Deterministic);
    for path in tree::files_of(root)? {
        let place = Path::new(name).join(path.strip_prefix(root)?);
        add(&mut builder, &path, &place, time_s)
            .with_context(|| format!("can not archive {}", path.display()))?;
    }
    builder.finish().with_context(|| format!("can not write {}", archive.display()))
}

fn add(builder: &mut Builder<impl std::io::Write>, path: &Path, place: &Path, time_s: u64) -> Result<()> {
    let metadata = path.symlink_metadata()?;
    let mut header = Header::new_gnu();
    header.set_metadata_in_mode(&metadata, HeaderMode::Deterministic);
    header.set_mtime(time_s);
    header.set_username("root")?;
    header.set_groupname("root")?;
    if metadata.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, place, std::fs::read_link(path)?)?;
    } else if metadata.is_file() {
        builder.append_data(&mut header, place, File::open(path)?)?;
    } else {
        bail!("it is neither a file nor a link");
    }
    Ok(())
}

/// Writes what `sha256sum --check` reads in `folder`: a line for each file, links left out.
pub(crate) fn write_checksums(folder: &Path, files: &[impl AsRef<Path>], to: &Path) -> Result<()> {
    let mut text = String::new();
    for file in files.iter().map(AsRef::as_ref).filter(|file| !file.is_symlink()) {
        let bytes = std::fs::read(file).with_context(|| format!("can not read {}", file.display()))?;
        let name: PathBuf = file.strip_prefix(folder)?.to_owned();
        text.push_str(&format!("{}  {}\n", hex(&Sha256::digest(bytes)), name.display()));
    }
    std::fs::write(to, text).with_context(|| format!("can not write {}", to.display()))
}
