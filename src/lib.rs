//! `retune` re-tunes a trading strategy's entry filters and exits against fresh market data.
//!
//! Data flows one way: foreign files become candles (`ingest`), candles become features (`features`), features
//! become signals (`signals`), signals become outcomes (`exits`), outcomes become tallies, metrics and scores of
//! every parameter set (`evaluate`), the best are judged (`validate`) and compared with the parameters in force
//! (`decide`), and what was learned is remembered (`store`). `run` is the only place that knows every stage.

pub mod model;
pub mod present;
pub mod store;
