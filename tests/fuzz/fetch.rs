//! Hostile bytes for the answers of an exchange and the files kept of them.

use super::archive;
use super::client::Trouble;
use super::exchange::EXCHANGES;
use super::held;
use super::page::Asked;
use super::plan::{Part, Ticker};
use crate::fuzz::{Scratch, Target};
use crate::model::{Interval, MINUTE_MS};

const M15: i64 = 15 * MINUTE_MS;
/// 2025-01-01T00:00:00Z.
const START: i64 = 1_735_689_600_000;

/// Everything that reads what an exchange says.
pub(crate) const TARGETS: &[Target] = &[
    Target {
        name: "pages",
        run: pages,
        seeds: page_seeds,
        words: &["[", "]", ",", "\"1\"", "900000", "null"],
        executions: 5000,
    },
    Target {
        name: "kept_rows",
        run: kept_rows,
        seeds: kept_seeds,
        words: &["\n", ",", "900000"],
        executions: 1000,
    },
    Target { name: "published", run: published, seeds: published_seeds, words: WORDS, executions: 5000 },
];

const WORDS: &[&str] = &["BTCUSDT", "-15m-", "2025-01", "2025-01-31", ".zip", "*", "1INCHUSDT", "_"];

fn page_seeds() -> Vec<Vec<u8>> {
    let row = |index: i64| {
        let open = index * M15;
        format!(r#"[{open},"2.0","3.5","1.5","2.5","10",{},"1",7,"1","1","0"]"#, open + M15 - 1)
    };
    vec![format!("[{},{}]", row(1), row(3)).into_bytes(), format!("[{}]", row(2)).into_bytes()]
}

/// Rows of a page are candles of the time asked for, in order, in digits and points only.
fn pages(bytes: &[u8]) -> String {
    let (span, interval) = (M15..50 * M15, Interval::M15);
    let exchange = EXCHANGES[0];
    let asked = Asked { exchange, what: "candles", span, interval, rows_max: 20, may_show: true };
    match asked.parse(bytes) {
        Ok(page) => {
            assert!(page.rows.len() <= 20, "no more than asked for");
            assert!(page.rows.is_sorted_by(|a, b| a.open_ms < b.open_ms), "in order");
            let plain = |c: char| c.is_ascii_digit() || c == '.';
            assert!(
                page.rows.iter().flat_map(|row| &row.digits).all(|text| text.chars().all(plain)),
                "numbers"
            );
            assert!(page.rows.iter().all(|row| asked.span.contains(&row.open_ms)), "of the time asked for");
            assert!(page.end_ms.is_none_or(|end| end > asked.span.start), "it goes on");
            format!("ok {}", page.odd.len())
        }
        Err(Trouble::Again(text)) => text,
        Err(Trouble::Fatal(error)) => error.to_string(),
    }
}

fn kept_seeds() -> Vec<Vec<u8>> {
    let row = |index: i64| format!("{},2.0,3.5,1.5,2.5,10\n", START + index * M15);
    vec![format!("{}\n{}{}{}", held::HEADER, row(1), row(2), row(4)).into_bytes()]
}

fn kept_rows(bytes: &[u8]) -> String {
    let folder = Scratch::with("BTCUSDT-15m.csv", bytes);
    match held::spans_of_rows(&folder.path().join("BTCUSDT-15m.csv"), Interval::M15) {
        Ok(spans) => {
            assert!(spans.windows(2).all(|pair| pair[0].end < pair[1].start), "apart and in order");
            format!("ok {}", spans.len().min(3))
        }
        Err(error) => error.to_string(),
    }
}

fn published_seeds() -> Vec<Vec<u8>> {
    let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    vec![
        b"BTCUSDT-15m-2025-01.zip".to_vec(),
        format!("{hex}  BTCUSDT-15m-2025-01.zip").into_bytes(),
        b"BTC_USDT".to_vec(),
    ]
}

/// Names of archives and of markets, and published checksums.
fn published(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let bitcoin = Ticker::parse("BTCUSDT", Interval::M15).expect("a ticker");
    let part = Part::of_name(&text, &bitcoin, Interval::M15);
    if let Some(part) = part {
        assert_eq!(part.name(&bitcoin, Interval::M15), text, "a name has one meaning");
    }
    let hash = archive::published_hash(&text, "BTCUSDT-15m-2025-01.zip");
    assert!(hash.as_ref().is_none_or(|hash| hash.len() == 64), "{hash:?}");
    match Ticker::parse(&text, Interval::M15) {
        Ok(ticker) => {
            assert!(!ticker.as_str().contains(['/', '.', '\\', '?', '&']), "safe in paths and addresses");
            format!("ok {}", part.is_some())
        }
        Err(error) => match part.is_some() || hash.is_some() {
            true => "ok a part".to_owned(),
            false => error.to_string(),
        },
    }
}
