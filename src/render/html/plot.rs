//! Plots as SVG: lines over days with a shaded out-of-sample part, and bars. Colours come from classes, so that one file shows
//! well on light and dark.

use std::fmt::Write as _;

use crate::model::Day;

/// Size of a plot's area; user units.
const WIDTH: f64 = 860.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 12.0;
const BELOW: f64 = 22.0;
const ABOVE: f64 = 10.0;
/// Most days of a plot that say their values.
const POINTS_MAX: usize = 400;

/// A line over the days of a plot.
pub(super) struct PlotLine {
    /// Class that colours it: `candidate` or `incumbent`.
    pub class: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// One value per day.
    pub values: Vec<f64>,
}

/// A plot over days.
pub(super) struct Plot {
    /// What it shows, for readers that do not see it.
    pub label: &'static str,
    /// The first day.
    pub first: Day,
    /// Height; user units.
    pub height: f64,
    /// Lines of equal length.
    pub lines: Vec<PlotLine>,
    /// Index of the first day of the out-of-sample part, if there is one.
    pub late_from: Option<usize>,
    /// Whether the area under the first line is filled.
    pub filled: bool,
}

impl Plot {
    /// Returns the plot as an `svg` element.
    pub(super) fn svg(&self) -> String {
        let count = self.lines.iter().map(|line| line.values.len()).max().unwrap_or(0);
        let values = || self.lines.iter().flat_map(|line| &line.values).copied();
        let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
        let span = if high > low { high - low } else { 1.0 };
        let x =
            |day: usize| LEFT + (WIDTH - LEFT - RIGHT) * day as f64 / count.saturating_sub(1).max(1) as f64;
        let y = |value: f64| ABOVE + (self.height - ABOVE - BELOW) * (high - value) / span;
        let mut svg = format!(
            r#"<svg viewBox="0 0 {WIDTH} {}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">"#,
            self.height,
            escaped(self.label)
        );
        if let Some(late) = self.late_from.filter(|late| *late < count) {
            let (from, to) = (x(late), x(count - 1));
            let height = self.height - ABOVE - BELOW;
            let _ = write!(
                svg,
                r#"<rect class="late" x="{from:.1}" y="{ABOVE}" width="{:.1}" height="{height:.1}"/>"#,
                to - from
            );
        }
        for tick in ticks(low, high) {
            let at = y(tick);
            let _ = write!(
                svg,
                r#"<line class="grid" x1="{LEFT}" x2="{:.1}" y1="{at:.1}" y2="{at:.1}"/><text class="tick" x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"#,
                WIDTH - RIGHT,
                LEFT - 6.0,
                at + 4.0,
                number(tick)
            );
        }
        svg.push_str(r#"<g class="months">"#);
        for (day, label) in months(self.first, count) {
            let _ = write!(
                svg,
                r#"<text class="tick" x="{:.1}" y="{:.1}" text-anchor="middle">{label}</text>"#,
                x(day),
                self.height - 6.0
            );
        }
        svg.push_str("</g>");
        for (index, line) in self.lines.iter().enumerate() {
            let points: Vec<String> = line
                .values
                .iter()
                .enumerate()
                .map(|(day, v)| format!("{:.1},{:.1}", x(day), y(*v)))
                .collect();
            if points.is_empty() {
                continue;
            }
            if self.filled && index == 0 {
                let (from, to, zero) = (x(0), x(line.values.len() - 1), y(0.0));
                let _ = write!(
                    svg,
                    r#"<polygon class="area {}" points="{from:.1},{zero:.1} {} {to:.1},{zero:.1}"/>"#,
                    line.class,
                    points.join(" ")
                );
            }
            let _ = write!(svg, r#"<polyline class="line {}" points="{}"/>"#, line.class, points.join(" "));
        }
        svg.push_str(&self.values_on_pointing(count, x));
        svg.push_str("</svg>");
        svg
    }

    /// Returns areas that nobody sees and that say day and values to who points at them.
    fn values_on_pointing(&self, count: usize, x: impl Fn(usize) -> f64) -> String {
        let step = count.div_ceil(POINTS_MAX).max(1);
        let (height, width) = (self.height - ABOVE - BELOW, x(step) - x(0));
        let mut svg = r#"<g class="hits" fill-opacity="0">"#.to_owned();
        for day in (0..count).step_by(step) {
            let said = self
                .lines
                .iter()
                .filter_map(|line| Some(format!("{} {}", line.name, number(*line.values.get(day)?))));
            let said = format!("{}: {}", Day(self.first.0 + day as i32), said.collect::<Vec<_>>().join(", "));
            let _ = write!(
                svg,
                r#"<rect x="{:.1}" y="{ABOVE}" width="{width:.1}" height="{height:.1}"><title>{}</title></rect>"#,
                x(day) - width / 2.0,
                escaped(&said)
            );
        }
        svg + "</g>"
    }
}

/// Returns horizontal bars as an `svg` element: label, share 0..=1, what stands at its end.
pub(super) fn bars_plot(label: &str, rows: &[(String, f64, String)]) -> String {
    const ROW: f64 = 22.0;
    const NAMES: f64 = 210.0;
    let height = ROW * rows.len() as f64 + 6.0;
    let longest = rows.iter().map(|(_, share, _)| *share).fold(f64::MIN_POSITIVE, f64::max);
    let mut svg = format!(
        r#"<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{}" xmlns="http://www.w3.org/2000/svg">"#,
        escaped(label)
    );
    for (index, (name, share, end)) in rows.iter().enumerate() {
        let (top, width) = (ROW * index as f64 + 4.0, (WIDTH - NAMES - 180.0) * share / longest);
        let _ = write!(
            svg,
            r#"<text class="name" x="{:.1}" y="{:.1}" text-anchor="end">{}</text><rect class="bar" x="{NAMES}" y="{top:.1}" width="{:.1}" height="14" rx="3"/><text class="tick" x="{:.1}" y="{:.1}">{}</text>"#,
            NAMES - 8.0,
            top + 11.5,
            escaped(name),
            width.max(1.0),
            NAMES + width.max(1.0) + 8.0,
            top + 11.5,
            escaped(end)
        );
    }
    svg.push_str("</svg>");
    svg
}

/// Returns text that may stand in markup.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Returns up to seven round values from low to high, both ends inside.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let span = high - low;
    if span <= 0.0 {
        return vec![low];
    }
    let rough = span / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|f| f * power).find(|step| *step >= rough);
    let step = step.unwrap_or(power);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).map(|n| n as f64 * step).collect()
}

fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns the days that begin a month, thinned so that labels do not touch, as `YYYY-MM`.
fn months(first: Day, count: usize) -> Vec<(usize, String)> {
    let days = (0..count).map(|index| (index, Day(first.0 + index as i32).to_string()));
    let starts: Vec<(usize, String)> = days
        .filter(|(_, day)| day.ends_with("-01"))
        .map(|(index, day)| (index, day[..7].to_owned()))
        .collect();
    let every = starts.len().div_ceil(9).max(1);
    starts.into_iter().step_by(every).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_round_and_labels_do_not_crowd() {
        assert_eq!(ticks(-3.2, 7.9), [0.0, 5.0]);
        assert_eq!(ticks(-3.2, 5.9), [-2.0, 0.0, 2.0, 4.0]);
        assert_eq!(ticks(0.0, 0.0), [0.0]);
        assert_eq!((number(2.0), number(-0.5)), ("2".to_owned(), "-0.5".to_owned()));
        let first = Day::parse("2023-01-02").expect("a day");
        assert_eq!(months(first, 40), [(30, "2023-02".to_owned())]);
        assert!(months(first, 900).len() <= 10);
    }

    #[test]
    fn what_goes_into_markup_is_escaped_and_finite() {
        assert_eq!(escaped(r#"<b a="1">&"#), "&lt;b a=&quot;1&quot;&gt;&amp;");
        for values in [&[][..], &[1.0], &[0.0, 0.0], &[1.0, -2.0, 3.0]] {
            let lines = vec![PlotLine { class: "candidate", name: "<c>", values: values.to_vec() }];
            let plot =
                Plot { label: "<x>", first: Day(0), height: 200.0, lines, late_from: Some(1), filled: true };
            let svg = plot.svg();
            assert!(svg.ends_with("</svg>") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert!(svg.contains("&lt;x&gt;"));
            let said = values.len();
            assert_eq!(svg.matches("<title>").count(), said, "every day says its values");
            assert_eq!(svg.matches(": &lt;c&gt; ").count(), said);
        }
    }
}
