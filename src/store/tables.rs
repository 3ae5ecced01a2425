//! Every table, declared once. What lists tables (heads, view, sizes, schema document) derives from [`ALL`].

use std::marker::PhantomData;

use super::envelope::{self, RowAddress, RowEnvelope, RowError};
use super::keys::KeyShape;
use super::records::{
    CarriedRecord, DecisionRecord, EvidenceRecord, FeaturesRecord, HeadRecord, InsightsRecord, MetaRecord,
    ParamsRecord, Record, RunRecord, SeriesRecord, TrialsRecord, WorkRecord,
};

/// The set of tables and key shapes below.
pub(super) const STORE_FORMAT: u32 = 1;
/// The lowest `store_format` a program must know to read what is written here.
pub(super) const MIN_READER_FORMAT: u32 = 1;

/// Whether a table can be rebuilt from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Nothing else knows it.
    Truth,
    /// Follows from the tables of truth, written in the same transaction.
    Derived,
}

/// What a head covers: tables that change together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// The store itself; without a head.
    Store,
    /// Active parameters.
    Params,
    /// What was learned about features.
    Features,
    /// What was learned, for people.
    Insights,
    /// Runs, decisions, trials.
    History,
}

impl Section {
    /// The sections that have a head.
    pub(super) const HEADED: [Self; 4] = [Self::Params, Self::Features, Self::Insights, Self::History];

    /// Returns the name, which is the key of its head.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Params => "params",
            Self::Features => "features",
            Self::Insights => "insights",
            Self::History => "history",
        }
    }
}

/// A record type, without its Rust type.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordInfo {
    #[cfg(test)]
    pub name: &'static str,
    pub type_id: u16,
    pub version: u16,
    pub bytes_max: usize,
    #[cfg(test)]
    pub schema: fn() -> schemars::Schema,
    /// The record in a payload of some version, as JSON of the newest.
    pub to_json: fn(u16, &[u8]) -> Result<String, RowError>,
    /// A record that was given as JSON of some version, as a row of a place.
    pub from_json: fn(RowAddress<'_>, u16, &str) -> Result<Vec<u8>, RowError>,
}

/// A table, without its Rust types.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableInfo {
    pub name: &'static str,
    pub section: Section,
    pub class: Class,
    pub key: KeyShape,
    pub record: RecordInfo,
    pub doc: &'static str,
}

/// A table as the engine knows it.
pub(super) type Definition = redb::TableDefinition<'static, &'static str, RowEnvelope>;

impl TableInfo {
    /// Returns the engine's definition.
    pub(super) fn definition(&self) -> Definition {
        redb::TableDefinition::new(self.name)
    }
}

/// A table whose rows are `R`.
#[derive(Debug)]
pub(super) struct Table<R> {
    pub info: TableInfo,
    record: PhantomData<fn() -> R>,
}

impl<R: Record> Table<R> {
    const fn new(
        name: &'static str,
        section: Section,
        class: Class,
        key: KeyShape,
        doc: &'static str,
    ) -> Self {
        let record = RecordInfo {
            #[cfg(test)]
            name: R::NAME,
            type_id: R::TYPE_ID,
            version: R::VERSION,
            bytes_max: R::BYTES_MAX,
            #[cfg(test)]
            schema: schema_of::<R>,
            to_json: envelope::payload_to_json::<R>,
            from_json: envelope::row_from_json::<R>,
        };
        Self { info: TableInfo { name, section, class, key, record, doc }, record: PhantomData }
    }
}

#[cfg(test)]
fn schema_of<R: Record>() -> schemars::Schema {
    schemars::schema_for!(R)
}

pub(super) const META: Table<MetaRecord> =
    Table::new("meta", Section::Store, Class::Truth, KeyShape::Store, "which store this is; read first");
pub(super) const HEADS: Table<HeadRecord> =
    Table::new("heads", Section::Store, Class::Derived, KeyShape::Section, "what each section must contain");
pub(super) const PARAMS: Table<ParamsRecord> =
    Table::new("params", Section::Params, Class::Truth, KeyShape::ProfileScope, "active parameters");
pub(super) const FEATURES: Table<FeaturesRecord> = Table::new(
    "features",
    Section::Features,
    Class::Truth,
    KeyShape::ProfileStyle,
    "what was learned about features",
);
pub(super) const INSIGHTS: Table<InsightsRecord> = Table::new(
    "insights",
    Section::Insights,
    Class::Truth,
    KeyShape::ProfileStyle,
    "what was learned, for people",
);
pub(super) const RUNS: Table<RunRecord> =
    Table::new("runs", Section::History, Class::Truth, KeyShape::ProfileRun, "runs, at most 400 per profile");
pub(super) const DECISIONS: Table<DecisionRecord> = Table::new(
    "decisions",
    Section::History,
    Class::Truth,
    KeyShape::ProfileRunStyle,
    "what a run decided per style",
);
pub(super) const TRIALS: Table<TrialsRecord> = Table::new(
    "trials",
    Section::History,
    Class::Truth,
    KeyShape::ProfileRunStyle,
    "the best parameter sets of runs that are whole",
);
pub(super) const WORK: Table<WorkRecord> = Table::new(
    "work",
    Section::History,
    Class::Truth,
    KeyShape::ProfileRun,
    "what runs that are whole evaluated, and why",
);
pub(super) const SERIES: Table<SeriesRecord> = Table::new(
    "series",
    Section::History,
    Class::Truth,
    KeyShape::ProfileRunStyle,
    "what pictures of runs that are whole are drawn from",
);
pub(super) const EVIDENCE: Table<EvidenceRecord> = Table::new(
    "evidence",
    Section::History,
    Class::Truth,
    KeyShape::ProfileRunStyle,
    "what is known about a run's candidate, and of the active parameters since; of runs that are not whole what decides",
);
pub(super) const CARRIED: Table<CarriedRecord> = Table::new(
    "carried",
    Section::Params,
    Class::Truth,
    KeyShape::ProfileScope,
    "what an imported file held besides, for the next export",
);

/// Every table. `meta` and `heads` come first because everything else is checked against them.
pub(super) static ALL: [TableInfo; 12] = [
    META.info,
    HEADS.info,
    PARAMS.info,
    FEATURES.info,
    INSIGHTS.info,
    RUNS.info,
    DECISIONS.info,
    TRIALS.info,
    WORK.info,
    SERIES.info,
    EVIDENCE.info,
    CARRIED.info,
];

/// Returns a hash over what this program knows of tables and versions of rows: another program may know less of a file.
pub(super) fn known_formats() -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    hash.update(&STORE_FORMAT.to_le_bytes());
    for table in &ALL {
        hash.update(table.name.as_bytes());
        hash.update(&[0]);
        hash.update(&table.record.version.to_le_bytes());
    }
    hash.finalize().into()
}

/// Returns the tables a section's head covers.
pub(super) fn of_section(section: Section) -> impl Iterator<Item = &'static TableInfo> {
    ALL.iter().filter(move |table| table.section == section)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_types_are_used_once_and_every_section_has_a_table() {
        let names: BTreeSet<_> = ALL.iter().map(|table| table.name).collect();
        let types: BTreeSet<_> = ALL.iter().map(|table| table.record.type_id).collect();
        assert_eq!((names.len(), types.len()), (ALL.len(), ALL.len()));
        for section in Section::HEADED {
            assert!(of_section(section).count() > 0, "{section:?} has a table");
            assert!(KeyShape::Section.accepts(section.as_str()));
        }
    }
}
