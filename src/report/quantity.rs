//! Numbers as people read them: counts with their noun, durations, sizes, ages, estimates.
//!
//! Pure: "now" is always an argument.

use std::time::Duration;

use crate::plan::Estimate;

/// `1 file`, `3 files`, `20,000 files`. `noun` is the singular of a noun that takes an `s`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number as u64))
}

/// Thousands apart: `20,000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `4 ms`, `1.2s`, `42s`, `2m05s`, `1h03m`, `2d04h`.
pub fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1_000 {
        return format!("{millis} ms");
    }
    if millis < 9_950 {
        let tenths = (millis + 50) / 100;
        return format!("{}.{}s", tenths / 10, tenths % 10);
    }
    let seconds = (millis + 500) / 1_000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d{:02}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

pub fn millis(millis: u64) -> String {
    duration(Duration::from_millis(millis))
}

/// An expected time: `~2m05s`. Nobody plans with less than a second, and such times are noise.
pub fn about(expected: u64) -> String {
    if expected < 1_000 { "<1s".to_owned() } else { format!("~{}", millis(expected)) }
}

/// `~2m05s (1m50s–2m30s over 14 runs)`; without the interval when there is only one run.
pub fn estimate(estimate: &Estimate) -> String {
    let about = about(estimate.median_ms);
    if estimate.high_ms < 1_000 {
        return about;
    }
    let runs = count(estimate.samples.max(1) as usize, "run");
    match interval(estimate) {
        Some(interval) if estimate.samples > 1 => format!("{about} ({interval} over {runs})"),
        _ => format!("{about} ({runs})"),
    }
}

/// Of several nodes together: `~2m05s (1m50s–2m30s)`.
pub fn total(estimate: &Estimate) -> String {
    let about = about(estimate.median_ms);
    match interval(estimate) {
        Some(interval) if estimate.high_ms >= 1_000 => format!("{about} ({interval})"),
        _ => about,
    }
}

/// What is left, as one would say it: `about 11 min`. Rounded up: who is told too little waits longer.
pub fn left(ms: u64) -> String {
    let seconds = ms.div_ceil(1_000);
    match seconds {
        0..5 => "a moment".to_owned(),
        5..20 => format!("about {seconds} s"),
        20..90 => format!("about {} s", seconds.next_multiple_of(5)),
        90..5_400 => format!("about {} min", seconds.div_ceil(60)),
        _ => format!("about {} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// `180 MiB of 417 MiB (43%)`; as many as were moved where nobody knows the total.
pub fn moved(done: u64, total: Option<u64>) -> String {
    match total {
        Some(total) => format!("{} of {} ({}%)", size(done), size(total), percent(done, total)),
        None => size(done),
    }
}

/// Rounded down: 100 is all of it.
pub fn percent(done: u64, total: u64) -> u64 {
    if total == 0 { 100 } else { (u128::from(done.min(total)) * 100 / u128::from(total)) as u64 }
}

fn interval(estimate: &Estimate) -> Option<String> {
    let (low, high) = (millis(estimate.low_ms), millis(estimate.high_ms));
    (low != high).then(|| format!("{low}–{high}"))
}

const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// `0 B`, `812 B`, `4.1 KiB`, `340 MiB`.
pub fn size(bytes: u64) -> String {
    let unit = unit_of(bytes);
    format!("{} {}", in_unit(bytes, unit), UNITS[unit])
}

/// `4.1 → 4.3 KiB`; in bytes where the larger unit would hide the difference.
pub fn size_change(old: u64, new: u64) -> String {
    let (a, b) = (unit_of(old), unit_of(new));
    if a != b {
        return format!("{} → {}", size(old), size(new));
    }
    let (x, y) = (in_unit(old, a), in_unit(new, a));
    if x == y && old != new {
        return format!("{} → {} B", grouped(old), grouped(new));
    }
    format!("{x} → {y} {}", UNITS[a])
}

/// The largest unit of which there is at least one, after rounding as [`in_unit`] does.
fn unit_of(bytes: u64) -> usize {
    let mut unit = 0;
    let mut value = bytes as f64;
    while value >= 1023.5 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    unit
}

fn in_unit(bytes: u64, unit: usize) -> String {
    if unit == 0 {
        return bytes.to_string();
    }
    let value = bytes as f64 / 1024_f64.powi(unit as i32);
    if value < 99.95 { format!("{value:.1}") } else { format!("{value:.0}") }
}

/// How long ago `then` was, both in seconds since 1970: `just now`, `12 min ago`, `3 h ago`,
/// `3 days ago`. A time to come (a clock that was put back) is `just now`.
pub fn age(then: i64, now: i64) -> String {
    let seconds = now.saturating_sub(then).max(0);
    match seconds {
        0..45 => "just now".to_owned(),
        45..5_400 => format!("{} min ago", (seconds + 30) / 60),
        5_400..129_600 => format!("{} h ago", (seconds + 1_800) / 3_600),
        _ => format!("{} ago", count(((seconds / 43_200 + 1) / 2) as usize, "day")),
    }
}

/// `seconds` since 1970 as `2026-11-23 16:08 UTC`, in the proleptic Gregorian calendar.
pub fn timestamp(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Howard Hinnant's civil_from_days: eras of 400 years that begin on 1 March.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", second / 3_600, second / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_are_counted() {
        assert_eq!(count(0, "file"), "0 files");
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(20_000, "file"), "20,000 files");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(999), "999");
    }

    #[test]
    fn durations_keep_two_figures() {
        let words = |ms| millis(ms);
        assert_eq!(words(0), "0 ms");
        assert_eq!(words(999), "999 ms");
        assert_eq!(words(1_249), "1.2s");
        assert_eq!(words(9_949), "9.9s");
        assert_eq!(words(9_950), "10s");
        assert_eq!(words(59_499), "59s");
        assert_eq!(words(59_500), "1m00s");
        assert_eq!(words(125_000), "2m05s");
        assert_eq!(words(3_780_000), "1h03m");
        assert_eq!(words(187_200_000), "2d04h");
    }

    #[test]
    fn sizes_share_a_unit_and_never_look_equal() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1024), "1.0 KiB");
        assert_eq!(size(1_048_575), "1.0 MiB", "no `1024 KiB`");
        assert_eq!(size(340 << 20), "340 MiB");
        assert_eq!(size(u64::MAX), "16.0 EiB");
        assert_eq!(size_change(4_200, 4_400), "4.1 → 4.3 KiB");
        assert_eq!(size_change(4_200, 4_201), "4,200 → 4,201 B");
        assert_eq!(size_change(1_000, 4_400), "1000 B → 4.3 KiB");
    }

    #[test]
    fn ages_are_round() {
        assert_eq!(age(100, 90), "just now");
        assert_eq!(age(0, 44), "just now");
        assert_eq!(age(0, 720), "12 min ago");
        assert_eq!(age(0, 10_800), "3 h ago");
        assert_eq!(age(0, 259_200), "3 days ago");
        assert_eq!(age(i64::MIN, i64::MAX), "106,751,991,167,301 days ago");
    }

    #[test]
    fn timestamps_know_leap_years() {
        assert_eq!(timestamp(0), "1970-01-01 00:00 UTC");
        assert_eq!(timestamp(-1), "1969-12-31 23:59 UTC");
        assert_eq!(timestamp(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(timestamp(1_795_450_139), "2026-11-23 16:08 UTC");
        assert_eq!(timestamp(4_107_542_400), "2100-03-01 00:00 UTC");
    }

    #[test]
    fn estimates_say_what_they_are_drawn_from() {
        let of = |low_ms, high_ms, samples| Estimate { median_ms: 125_000, low_ms, high_ms, samples };
        assert_eq!(estimate(&of(110_000, 150_000, 14)), "~2m05s (1m50s–2m30s over 14 runs)");
        assert_eq!(estimate(&of(125_000, 125_000, 3)), "~2m05s (3 runs)");
        assert_eq!(estimate(&of(125_000, 125_000, 1)), "~2m05s (1 run)");
        assert_eq!(total(&of(110_000, 150_000, 1)), "~2m05s (1m50s–2m30s)");
        assert_eq!(total(&of(125_000, 125_000, 0)), "~2m05s");
    }

    #[test]
    fn what_is_left_is_round() {
        let all = [0, 4_000, 6_001, 61_000, 89_001, 640_000, 5_400_000, 7_260_000].map(left);
        let expected = [
            "a moment",
            "a moment",
            "about 7 s",
            "about 65 s",
            "about 2 min",
            "about 11 min",
            "about 1 h 30 min",
            "about 2 h 01 min",
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn what_moved_is_part_of_all() {
        assert_eq!(moved(180 << 20, Some(417 << 20)), "180 MiB of 417 MiB (43%)");
        assert_eq!(moved(180 << 20, None), "180 MiB");
        assert_eq!([percent(0, 0), percent(999, 1_000), percent(u64::MAX, 1)], [100, 99, 100]);
    }

    #[test]
    fn moments_are_not_estimated_to_the_millisecond() {
        let short = Estimate { median_ms: 12, low_ms: 0, high_ms: 40, samples: 3 };
        assert_eq!((estimate(&short), total(&short)), ("<1s".to_owned(), "<1s".to_owned()));
        let wide = Estimate { high_ms: 20_000, ..short };
        assert_eq!(estimate(&wide), "<1s (0 ms–20s over 3 runs)");
        assert_eq!((about(0), about(999), about(1_000)), ("<1s".into(), "<1s".into(), "~1.0s".into()));
    }
}
