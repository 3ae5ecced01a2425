//! The report, as a file and in a browser.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{StoreDir, text};

fn written(store: &StoreDir, name: &str, more: &[&str]) -> (PathBuf, String) {
    let file = store.path.join(name);
    let output = store.run(&[&["report", "-o", file.to_str().expect("text")], more].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let page = std::fs::read_to_string(&file).expect("the page");
    (file, page)
}

#[test]
fn the_report_is_one_file_that_needs_nothing_else() {
    let store = StoreDir::after_a_run();
    let (_, page) = written(&store, "report.html", &[]);
    assert!(page.len() < 2 << 20 && page.starts_with("<!DOCTYPE html>"));
    let outside = page.replace("http://www.w3.org/2000/svg", "");
    assert!(!outside.contains("http://") && !outside.contains("https://") && !outside.contains("src="));
    for part in
        ["scalping: WARNING", "swing: FAILED", "What changed", "By symbol", "Best trials", "ALPHAUSDT"]
    {
        assert!(page.contains(part), "{part}");
    }
    // Per style: curve, falls, importance; every picture has a label.
    assert_eq!(page.matches("<svg ").count(), 6);
    assert_eq!(page.matches("aria-label=\"").count(), 6);
    let (_, chinese) = written(&store, "zh.html", &["--lang", "zh"]);
    assert!(chinese.contains("<html lang=\"zh\">") && chinese.contains("参数变化"));
    assert_eq!(chinese.matches("<svg ").count(), 6);
    for (page, traded, kind) in [
        (&page, "candidate, traded", "downtrend, high volatility"),
        (&chinese, "候选参数, 按实盘规则", "下跌、剧烈"),
    ] {
        assert_eq!(
            (page.matches(traded).count(), page.matches(&format!(">{kind}<")).count()),
            (2, 2),
            "one row per style"
        );
    }
    assert_eq!(store.stdout(&["report", "-o", "-"]).trim_end(), page.trim_end());
    // What was decided and the curves come before everything else.
    let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part}"));
    assert!(at("class=\"head\">Parameters changed") < at("<svg ") && at("<svg ") < at("<h3>Why"), "{page}");
    assert!(
        page.contains("expected Sharpe after selection, per year") && page.contains("newest candle closed")
    );
    assert!(page.matches("<title>20").count() >= 4 * 120, "every day of a curve says its values");
    assert!(page.contains("<th title=\"Share of trades with a profit"), "words say what they mean");
    assert_eq!(english_in(&chinese), Vec::<String>::new(), "names aside, a Chinese page is Chinese");
    assert!(!english_in(&page).is_empty(), "what is looked for can be found");
}

/// Returns the pieces of a page's text that are English sentences: three words of small letters in succession. What is quoted is not the
/// page's own: the configuration, and what the bot's prompt is told.
fn english_in(page: &str) -> Vec<String> {
    let mut text = page.to_owned();
    for (open, close) in [
        ("<script", "</script>"),
        ("<style", "</style>"),
        ("<pre", "</pre>"),
        ("<ul class=\"prompt\"", "</ul>"),
    ] {
        while let Some(from) = text.find(open) {
            let to = text[from..].find(close).map_or(text.len(), |at| from + at + close.len());
            text.replace_range(from..to, "");
        }
    }
    let is_word = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_lowercase());
    let pieces = text.split(['<', '>']).skip(2).step_by(2);
    let sentence = |piece: &&str| {
        let words: Vec<&str> = piece.split_whitespace().collect();
        words.windows(3).any(|three| three.iter().all(|word| is_word(word)))
    };
    pieces.filter(sentence).map(str::to_owned).collect()
}

#[test]
fn the_plots_come_as_pictures_and_figures_that_agree_with_the_metrics() {
    let store = StoreDir::after_a_run();
    let folder = store.path.join("plots");
    written(&store, "report.html", &["--plots", folder.to_str().expect("text")]);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file");
    let returns = read("returns-scalping.csv");
    let total: f64 = returns
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).expect("a column").parse::<f64>().expect("a number"))
        .sum();
    let decision = &store.json(&["inspect", "run", "1"])["data"]["styles"]["scalping"]["decision"];
    let wanted = decision["candidate"]["metrics"]["total_return_pct"].as_f64().expect("a number");
    assert!((total - wanted).abs() < 1e-6, "{total} is not {wanted}");
    let surfaces = read("surfaces-swing.csv");
    // Twelve axes with two to four levels: every pair is there.
    let pairs: std::collections::BTreeSet<(&str, &str)> =
        surfaces.lines().skip(1).map(|l| l.split(',').collect::<Vec<_>>()).map(|f| (f[0], f[2])).collect();
    assert_eq!(pairs.len(), 66);
    for name in ["equity-scalping.svg", "drawdown-swing.svg", "importance-swing.svg"] {
        let picture = read(name);
        assert!(picture.starts_with("<svg ") && picture.contains("<style>"), "{name}");
    }
}

#[test]
fn what_is_not_there_cannot_be_reported() {
    let store = StoreDir::after_a_run();
    let (code, error) = store.failure(&["report", "9"]);
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("found 9"), "{error}");
    let nowhere = store.path.join("no/such/folder/report.html");
    let (code, error) = store.failure(&["report", "-o", nowhere.to_str().expect("text")]);
    assert_eq!(code, Some(74), "{error}");
    assert!(!Path::new("report.html").exists());
}

/// In a real browser, where there is one: the script runs, says nothing on the console, and draws the chosen pair.
#[test]
fn the_page_works_in_a_browser() {
    let browsers = ["chromium", "chromium-browser", "google-chrome"];
    let there = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
    let Some(browser) = browsers.into_iter().find(there) else { return };
    let store = StoreDir::after_a_run();
    let (file, page) = written(&store, "report.html", &[]);
    assert!(!page.contains("class=\"chosen\""), "the figures are drawn by the script");
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--enable-logging=stderr",
            "--v=0",
            "--dump-dom",
        ])
        .arg(format!("--user-data-dir={}", store.path.join("browser").display()))
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("the browser starts");
    let (drawn, log) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(drawn.matches("class=\"chosen\"").count(), 2, "one framed cell per style");
    assert!(drawn.matches("color-mix").count() >= 8, "cells are coloured");
    let said: Vec<&str> = log.lines().filter(|line| line.contains("CONSOLE")).collect();
    assert!(said.is_empty(), "{said:?}");
}
