//! Where every profile stands, as lines for reading.

use std::fmt::Write as _;

use crate::documents::status::{InstallationPart, ProfileStatusPart, StatusDocument};

const MIB: u64 = 1 << 20;

impl StatusDocument {
    /// Returns six answers for each profile, a line each.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.is_pending {
            text += "a later run is stored and was interrupted before it was published\n";
        }
        for profile in &self.profiles {
            let _ = writeln!(text, "profile {}", profile.profile);
            for line in profile.lines(&self.installation) {
                let _ = writeln!(text, "  {line}");
            }
        }
        text.trim_end().to_owned()
    }
}

impl ProfileStatusPart {
    fn lines(&self, found: &InstallationPart) -> Vec<String> {
        let mut lines = Vec::new();
        lines.push(match &self.last_run {
            None => "ran: not yet".to_owned(),
            Some(run) => format!(
                "ran: run {} began {}, {} min ago{}: {}",
                run.run,
                run.started_at,
                run.age_seconds / 60,
                if self.is_late { " (LATE)" } else { "" },
                run.result
            ),
        });
        lines.push(match &self.last_change {
            None => "changed: never".to_owned(),
            Some(change) => {
                format!("changed: by run {}, {} days ago, {}", change.run, change.days_ago, counted(change))
            }
        });
        for (name, style) in &self.styles {
            let reason = style.reason.as_ref().map_or("", |reason| reason.text.as_str());
            lines.push(format!(
                "{name}: EDGE {}, verdict {}, {}: {reason}",
                style.significance, style.verdict, style.outcome
            ));
            if let Some(forward) = &style.forward {
                lines
                    .push(format!("{name} since adoption: {} days, {:+.2} %", forward.days, forward.net_pct));
            }
        }
        let files = self.bot_files.iter().map(|file| format!("bot file {}: {}", file.file, file.state));
        lines.extend(files);
        let held = self.held_back.iter();
        lines.extend(
            held.map(|held| format!("held back: {} is {} by run {}", held.style, held.verdict, held.run)),
        );
        let free =
            found.free_bytes.map_or_else(|| "unknown".to_owned(), |free| format!("{} MiB", free / MIB));
        let peak = self.last_run.as_ref().map_or(0, |run| run.peak_rss_bytes);
        let waiting =
            found.notify_queue_length.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
        lines
            .push(format!("box: peak memory {} MiB, {free} free, messages that wait: {waiting}", peak / MIB));
        lines
    }
}

fn counted(change: &crate::documents::status::StatusChangePart) -> String {
    match change.changes.len() as u64 + change.changes_more {
        1 => "1 value".to_owned(),
        many => format!("{many} values"),
    }
}
