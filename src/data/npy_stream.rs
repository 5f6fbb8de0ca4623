//! An NPY file of known size that is written as its values come, so that draws need no more memory than one of them.

use std::fs::File;
use std::io::{BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::npy;
use crate::error::{Error, Result};
use crate::files::{cannot_write, moment, move_into_place, part_of, sync_name};

/// Draws `[draws, chains, dim]` of little-endian f4, appended one after another.
///
/// They go to a temporary file beside the final one, which [`finish`](NpyStream::finish) renames into place once it is
/// complete: no reader sees half an array. Dropped before that, it removes the temporary file, unless it was
/// [kept](NpyStream::keep) to be gone on with.
#[derive(Debug)]
pub struct NpyStream {
    path: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
    shape: [usize; 3],
    /// Values still to come.
    left: usize,
    /// The file outlives this.
    stays: bool,
}

impl NpyStream {
    /// Begins an array of `draws` draws of shape `[chains, dim]` that will stand at `path`.
    ///
    /// # Errors
    /// If the array is too large to be counted, or the temporary file cannot be made.
    pub fn create(path: &Path, [chains, dim]: [usize; 2], draws: usize) -> Result<Self> {
        let shape = [draws, chains, dim];
        let bytes = shape.iter().try_fold(size_of::<f32>(), |n, side| n.checked_mul(*side));
        let Some(bytes) = bytes else {
            return Err(Error::input(format!("{}: an array of shape {shape:?} is too large", path.display())));
        };
        let head = npy::head(path, "<f4", &shape)?;
        let part = part_of(path);
        let file = File::create(&part).map_err(|why| cannot_write(path, &why))?;
        let left = bytes / size_of::<f32>();
        let file = BufWriter::with_capacity(1 << 16, file);
        let mut stream = Self { path: path.to_owned(), part, file, shape, left, stays: false };
        stream.file.write_all(&head).map_err(|why| cannot_write(path, &why))?;
        Ok(stream)
    }

    /// Goes on with an array that was [kept](NpyStream::keep) after `done` draws, or is complete; what came later is dropped.
    ///
    /// # Errors
    /// As [`NpyStream::create`], or the temporary file has fewer draws.
    pub fn resume(path: &Path, [chains, dim]: [usize; 2], draws: usize, done: usize) -> Result<Self> {
        let shape = [draws, chains, dim];
        let part = part_of(path);
        if !part.exists() && path.exists() {
            std::fs::rename(path, &part).map_err(|why| cannot_write(&part, &why))?;
        }
        let mut file = File::options().write(true).open(&part).map_err(|why| cannot_write(&part, &why))?;
        let head = npy::head(path, "<f4", &shape)?.len();
        let [written, all] = [done, draws].map(|draws| draws * chains * dim);
        let (end, has) = ((head + written * size_of::<f32>()) as u64, file.metadata().map_or(0, |m| m.len()));
        if has < end || done > draws {
            let name = part.display();
            return Err(Error::input(format!("{name} has {has} bytes, {done} of {draws} draws are {end}")));
        }
        let ready = file.set_len(end).and_then(|()| file.seek(SeekFrom::End(0)));
        ready.map_err(|why| cannot_write(&part, &why))?;
        let file = BufWriter::with_capacity(1 << 16, file);
        Ok(Self { path: path.to_owned(), part, file, shape, left: all - written, stays: true })
    }

    /// Puts what was appended on the disk, where it stays if the program ends before the array is complete.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep(&mut self) -> Result<()> {
        self.stays = true;
        let flushed = self.file.flush();
        moment();
        let synced = flushed.and_then(|()| self.file.get_ref().sync_all()).and_then(|()| sync_name(&self.part));
        synced.map_err(|why| cannot_write(&self.path, &why))
    }

    /// Appends whole draws, row-major `[any number, chains, dim]`.
    ///
    /// # Errors
    /// If the values are not whole draws, are more than were announced, or cannot be written.
    pub fn append(&mut self, values: &[f32]) -> Result<()> {
        let [draws, chains, dim] = self.shape;
        let (path, count) = (self.path.display(), values.len());
        // the product fits: it divides that of `create`; an array without numbers has only draws without numbers
        let draw = if draws == 0 { 0 } else { chains * dim };
        if count.checked_rem(draw).unwrap_or(count) != 0 {
            return Err(Error::failed(format!("{path}: {count} values are not draws of {chains} x {dim}")));
        }
        if count > self.left {
            return Err(Error::failed(format!("{path}: more than {draws} draws were appended")));
        }
        values
            .iter()
            .try_for_each(|v| self.file.write_all(&v.to_le_bytes()))
            .map_err(|e| cannot_write(&self.path, &e))?;
        self.left -= count;
        Ok(())
    }

    /// Puts the complete array in its place.
    ///
    /// # Errors
    /// If draws are missing, or the file cannot be written or renamed; there is no file then.
    pub fn finish(mut self) -> Result<()> {
        let [draws, chains, dim] = self.shape;
        if self.left > 0 {
            let got = draws - self.left / (chains * dim);
            return Err(Error::failed(format!("{}: {got} of {draws} draws were written", self.path.display())));
        }
        let ended = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        ended.and_then(|()| move_into_place(&self.part, &self.path)).map_err(|why| cannot_write(&self.path, &why))?;
        self.stays = true;
        Ok(())
    }
}

impl Drop for NpyStream {
    fn drop(&mut self) {
        if !self.stays {
            // a leftover must not be taken for the array; that it cannot be removed changes nothing for the caller
            drop(std::fs::remove_file(&self.part));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::npy::read_npy;

    /// An empty folder of this process.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ebm-gpu-npy-stream-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        folder
    }

    #[test]
    fn draws_come_back_in_order() {
        let folder = folder("order");
        let path = folder.join("draws.v1.npy");
        let value = |i: usize| (i as f32).sin();
        let values: Vec<f32> = (0..5 * 3 * 2).map(value).collect();
        let mut stream = NpyStream::create(&path, [3, 2], 5).expect("stream");
        stream.append(&values[..6]).expect("one draw");
        stream.append(&[]).expect("none");
        assert!(!path.exists(), "the file is not there before it is whole");
        stream.append(&values[6..]).expect("four draws");
        stream.finish().expect("complete");
        let want: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
        assert_eq!(read_npy(&path).expect("readable"), (vec![5, 3, 2], want));
        // NumPy aligns the data to 64 bytes
        let bytes = std::fs::read(&path).expect("bytes");
        assert_eq!(bytes.len() % 64, (5 * 3 * 2 * 4) % 64);
        assert_eq!(bytes[bytes.len() - 120 - 1], b'\n');
        assert_eq!(std::fs::read_dir(&folder).expect("folder").count(), 1, "nothing else is left");
        std::fs::remove_dir_all(folder).expect("removable");
    }

    #[test]
    fn a_kept_array_is_gone_on_with() {
        let folder = folder("kept");
        let path = folder.join("draws.npy");
        let mut stream = NpyStream::create(&path, [2, 1], 3).expect("stream");
        stream.append(&[1.0, 2.0]).expect("a draw");
        stream.keep().expect("kept");
        stream.append(&[8.0, 9.0]).expect("a draw that is lost");
        drop(stream);
        assert!(NpyStream::resume(&path, [2, 1], 3, 3).is_err(), "there are not so many");
        // the second time from an array that is complete
        for _ in 0..2 {
            let mut stream = NpyStream::resume(&path, [2, 1], 3, 1).expect("stream");
            assert!(!path.exists(), "the file is not there before it is whole");
            stream.append(&[3.0, 4.0, 5.0, 6.0]).expect("the rest");
            stream.finish().expect("complete");
            assert_eq!(read_npy(&path).expect("readable"), (vec![3, 2, 1], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        }
        std::fs::remove_dir_all(folder).expect("removable");
    }

    #[test]
    fn what_does_not_fill_the_array_is_refused() {
        let folder = folder("refused");
        let path = folder.join("draws.npy");
        let mut stream = NpyStream::create(&path, [2, 2], 3).expect("stream");
        let says = |result: Result<()>| result.expect_err("refused").to_string();
        assert!(says(stream.append(&[0.0; 5])).ends_with("5 values are not draws of 2 x 2"));
        stream.append(&[1.0; 8]).expect("two draws");
        assert!(says(stream.append(&[0.0; 8])).ends_with("more than 3 draws were appended"));
        assert!(says(stream.finish()).ends_with("2 of 3 draws were written"));
        assert!(NpyStream::create(&path, [usize::MAX, 2], 3).is_err());
        assert!(says(NpyStream::resume(&path, [2, 2], 3, 1).map(drop)).contains("draws.npy.part"));
        assert!(NpyStream::create(&folder.join("none").join("draws.npy"), [1, 1], 1).is_err());
        assert_eq!(std::fs::read_dir(&folder).expect("folder").count(), 0, "nothing is left");

        // arrays without numbers are arrays
        let mut empty = NpyStream::create(&path, [0, 2], 3).expect("stream");
        assert!(empty.append(&[1.0]).is_err());
        empty.finish().expect("complete");
        assert_eq!(read_npy(&path).expect("readable"), (vec![3, 0, 2], vec![]));
        std::fs::remove_dir_all(folder).expect("removable");
    }
}
