//! Files packed as archives have them.

use std::io::Write;

/// Returns bytes in a gzip stream.
pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).and_then(|()| encoder.finish()).expect("memory takes all")
}

/// Returns an archive of members by name.
pub(crate) fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("a member begins");
        writer.write_all(content).expect("memory takes all");
    }
    writer.finish().expect("the archive ends").into_inner()
}
