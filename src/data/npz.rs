//! NPZ archives: NPY arrays in a ZIP file, as `numpy.savez` and `numpy.savez_compressed` write them.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use super::table::cannot_read;
use crate::error::{Error, Result, nearest};

/// The bytes of the NPY array called `array`, or of the only one, after its name.
///
/// # Errors
/// If the file is not such an archive, has no such array, has several and none was named, or it cannot be unpacked.
pub(super) fn array_bytes(path: &Path, array: Option<&str>) -> Result<(String, Vec<u8>)> {
    let broken =
        |why: &dyn std::fmt::Display| Error::input(format!("{} is not a readable NPZ archive: {why}", path.display()));
    let no_archive = |why: &dyn std::fmt::Display| broken(&format!("no whole zip archive ({why})"));
    let file = File::open(path).map_err(|why| cannot_read(path, &why))?;
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|why| no_archive(&why))?;
    let names = archive.file_names().flatten().filter_map(|n| n.strip_suffix(".npy").map(str::to_owned));
    let name = choose(path, names.collect(), array)?;
    let entry = archive.by_name(&format!("{name}.npy")).map_err(|why| broken(&why))?;
    // The size that the archive states is a limit, not a promise: memory grows with what is really there. The checksum is
    // compared where the data ends, one byte after the last.
    let limit = entry.size().saturating_add(1);
    let mut bytes = Vec::new();
    entry.take(limit).read_to_end(&mut bytes).map_err(|why| broken(&why))?;
    Ok((name, bytes))
}

fn choose(path: &Path, mut names: Vec<String>, wanted: Option<&str>) -> Result<String> {
    names.sort_unstable();
    let (path, listing) = (path.display(), names.join(", "));
    match (wanted, names.as_slice()) {
        (_, []) => Err(Error::input(format!("{path} holds no array"))),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(Error::input(format!("{path} holds {} arrays, one is needed", names.len()))
            .hint(format!("--array NAME chooses one of {listing}"))),
        (Some(wanted), _) if names.iter().any(|n| n == wanted) => Ok(wanted.to_owned()),
        (Some(wanted), _) => Err(Error::input(format!("there is no array `{wanted}` in {path}")).hint(
            match nearest(wanted, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`? The arrays are: {listing}"),
                None => format!("the arrays are: {listing}"),
            },
        )),
    }
}
