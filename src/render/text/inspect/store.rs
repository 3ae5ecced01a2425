//! The files and tables of a store as text.

use crate::documents::inspect::{InspectStoreDocument, StoreFilePart, StoreTablePart};
use crate::render::text::prose::minute_text;
use crate::render::text::table::text_table;

impl InspectStoreDocument {
    /// Returns the document as text for people.
    pub fn text(&self) -> String {
        let file = |file: &StoreFilePart| vec![file.name.clone(), file.bytes.to_string()];
        let row = |table: &StoreTablePart| {
            let (rows, bytes) = (table.rows.to_string(), table.bytes.to_string());
            vec![table.name.clone(), rows, bytes, table.class.clone(), table.doc.clone()]
        };
        let files: Vec<Vec<String>> = self.files.iter().map(file).collect();
        let tables: Vec<Vec<String>> = self.tables.iter().map(row).collect();
        format!(
            "{}\nformat {} (readable from {}), uuid {}\ncreated {} by version {}\nprofiles: {}\n\n{}\n\n{}\n",
            self.directory,
            self.store_format,
            self.min_reader_format,
            self.uuid,
            minute_text(&self.created_at),
            self.created_by,
            if self.profiles.is_empty() { "none".to_owned() } else { self.profiles.join(", ") },
            text_table(&["Table", "Rows", "Bytes", "Class", "Holds"], &tables),
            text_table(&["File", "Bytes"], &files),
        )
    }
}
