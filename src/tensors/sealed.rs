//! Files of tensors under a checksum, so that one that is cut short or changed is told from one that is whole.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use safetensors::SafeTensors;

use super::{STATE, Tensor, encode, numbers};
use crate::error::{Error, Result};

/// What stands before the checksum, and the checksum while it is computed. In a string of the metadata, quotes would stand
/// behind backslashes.
const MARK: &str = "\"checksum\":\"";
const BLANK: &str = "00000000";

/// Writes tensors and strings of a `format`, which the metadata call `state`, under a checksum.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn write_sealed(
    path: &Path,
    format: &str,
    tensors: Vec<Tensor>,
    mut metadata: BTreeMap<String, String>,
) -> Result<()> {
    metadata.insert("state".to_string(), format.to_string());
    metadata.insert("checksum".to_string(), BLANK.to_string());
    let mut file = encode(path, tensors, metadata)?;
    seal(&mut file);
    crate::files::write_atomically(path, &file)
}

/// Such a file, found whole.
pub(crate) struct Sealed {
    path: PathBuf,
    bytes: Vec<u8>,
    pub(crate) metadata: HashMap<String, String>,
}

impl Sealed {
    /// Reads a file of a `format`; none if it is cut short or changed.
    ///
    /// # Errors
    /// The file cannot be read, or is of another format.
    pub(crate) fn read(path: &Path, format: &str) -> Result<Option<Self>> {
        let name = path.display();
        let bytes = std::fs::read(path).map_err(|e| Error::input(format!("cannot read checkpoint {name}: {e}")))?;
        if !is_whole(&bytes) {
            return Ok(None);
        }
        let header = SafeTensors::read_metadata(&bytes);
        let (_, header) = header.map_err(|e| Error::input(format!("cannot read checkpoint {name}: {e}")))?;
        let sealed = Self { path: path.to_path_buf(), metadata: header.metadata().clone().unwrap_or_default(), bytes };
        match sealed.text("state")? {
            same if same == format => Ok(Some(sealed)),
            other => Err(Error::input(format!("{name} has state `{other}`, this program reads `{format}`"))
                .hint("another version of the program has written it")),
        }
    }

    /// The whole file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// That something is wrong with the file.
    pub(crate) fn wrong(&self, what: &str) -> Error {
        Error::input(format!("{} {what}", self.path.display()))
    }

    /// A string of the metadata.
    pub(crate) fn text(&self, key: &str) -> Result<&str> {
        self.metadata.get(key).map(String::as_str).ok_or_else(|| self.wrong(&format!("has no `{key}` in its metadata")))
    }

    /// A number of the metadata.
    pub(crate) fn number<T: FromStr>(&self, key: &str) -> Result<T> {
        let text = self.text(key)?;
        text.parse().map_err(|_| self.wrong(&format!("has {key} `{text}`, which is no such number")))
    }

    /// The shape and the values of a tensor of the state, if there is one.
    pub(crate) fn tensor(&self, key: &str) -> Option<(Vec<usize>, Vec<f64>)> {
        let tensors = SafeTensors::deserialize(&self.bytes).ok()?;
        let tensor = tensors.tensor(&format!("{STATE}{key}")).ok()?;
        Some((tensor.shape().to_vec(), numbers(&tensor)?))
    }

    /// The values of a tensor that has to have so many.
    pub(crate) fn values(&self, key: &str, count: usize) -> Result<Vec<f64>> {
        let found = self.tensor(key).map(|(_, values)| values).filter(|values| values.len() == count);
        found.ok_or_else(|| self.wrong(&format!("has no {STATE}{key} of {count} numbers")))
    }
}

fn place_of_checksum(file: &[u8]) -> Option<std::ops::Range<usize>> {
    let start = file.windows(MARK.len()).position(|window| window == MARK.as_bytes())? + MARK.len();
    Some(start..start + BLANK.len()).filter(|place| place.end <= file.len())
}

/// The CRC-32 of a file as if its checksum, at `place`, were blank, in hexadecimal.
fn checksum(file: &[u8], place: std::ops::Range<usize>) -> String {
    let mut crc = flate2::Crc::new();
    [&file[..place.start], BLANK.as_bytes(), &file[place.end..]].iter().for_each(|part| crc.update(part));
    format!("{:08x}", crc.sum())
}

fn seal(file: &mut [u8]) {
    if let Some(place) = place_of_checksum(file) {
        let sum = checksum(file, place.clone());
        file[place].copy_from_slice(sum.as_bytes());
    }
}

fn is_whole(file: &[u8]) -> bool {
    place_of_checksum(file).is_some_and(|place| file[place.clone()] == *checksum(file, place).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_change_goes_unseen_and_other_formats_are_named() {
        let folder = std::env::temp_dir().join(format!("ebm-gpu-sealed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        let path = folder.join("s.safetensors");
        // numbers that need f64, with signs and values that text and comparisons lose
        let values = [1.0 / 3.0, -0.0, 5e-324, f64::MAX, f64::NAN];
        let tensors = || vec![Tensor::exact("x", vec![5], &values), Tensor::exact("y", vec![2], &[0.5, f64::INFINITY])];
        let said = BTreeMap::from([("a".to_string(), MARK.to_string())]);
        write_sealed(&path, "test/1", tensors(), said.clone()).expect("written");
        let sealed = Sealed::read(&path, "test/1").expect("readable").expect("whole");
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&sealed.values("x", 5).expect("there")), bits(&values));
        assert_eq!(sealed.tensor("y").expect("there"), (vec![2], vec![0.5, f64::INFINITY]));
        assert_eq!(sealed.text("a").expect("there"), MARK);
        assert!(sealed.values("x", 4).is_err() && sealed.text("b").is_err() && sealed.number::<u64>("a").is_err());

        let whole = std::fs::read(&path).expect("bytes");
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 4;
            assert!(!is_whole(&flipped), "byte {at} of {}", whole.len());
            assert!(!is_whole(&whole[..at]), "cut at {at}");
        }
        std::fs::write(&path, &whole[..whole.len() - 1]).expect("written");
        assert!(Sealed::read(&path, "test/1").is_ok_and(|s| s.is_none()));
        write_sealed(&path, "test/2", tensors(), said).expect("written");
        let error = Sealed::read(&path, "test/1").err().expect("refused").to_string();
        assert!(error.contains("`test/2`") && error.contains("`test/1`"), "{error}");
        std::fs::remove_dir_all(folder).expect("removable");
    }
}
