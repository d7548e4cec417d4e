//! Days of the calendar, for every year that a date can express.

use std::fmt;

/// A day of the years 0000 to 9999, as `2025-05-29`. `Display` writes that form, which sorts as the days do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::struct_field_names, reason = "the name says what the number counts")]
pub(crate) struct Day {
    year: u16,
    month: u8,
    day_of_month: u8,
}

impl Day {
    /// Parses an RFC 3339 `full-date`: `YYYY-MM-DD`, a day that exists.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
            return None;
        };
        let day = Self {
            year: number(&[y1, y2, y3, y4])?,
            month: u8::try_from(number(&[m1, m2])?).ok()?,
            day_of_month: u8::try_from(number(&[d1, d2])?).ok()?,
        };
        let exists = (1..=12).contains(&day.month) && (1..=day.days_in_month()).contains(&day.day_of_month);
        exists.then_some(day)
    }

    /// The day after, or `None` after the last day of the year 9999.
    pub(crate) fn next(self) -> Option<Self> {
        let Self {
            year,
            month,
            day_of_month,
        } = self;
        match (month, day_of_month) {
            (12, 31) if year == 9999 => None,
            (12, 31) => Some(Self {
                year: year + 1,
                month: 1,
                day_of_month: 1,
            }),
            _ if day_of_month == self.days_in_month() => Some(Self {
                year,
                month: month + 1,
                day_of_month: 1,
            }),
            _ => Some(Self {
                year,
                month,
                day_of_month: day_of_month + 1,
            }),
        }
    }

    fn days_in_month(self) -> u8 {
        let leap =
            self.year.is_multiple_of(4) && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:04}-{:02}-{:02}",
            self.year, self.month, self.day_of_month
        )
    }
}

fn number(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |number: u16, digit| {
        let value = digit.is_ascii_digit().then(|| u16::from(digit - b'0'))?;
        Some(number * 10 + value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_parsed() {
        for good in [
            "0000-02-29",
            "0001-01-01",
            "0999-12-31",
            "1582-10-10",
            "2000-02-29",
            "9999-12-31",
        ] {
            assert_eq!(Day::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "",
            "1900-02-29",
            "2025-00-01",
            "2025-13-01",
            "2025-04-31",
            "2025-01-00",
            "2025-1-01",
            "10000-01-01",
            "+999-01-01",
            "-999-01-01",
            "2025-01-01Z",
            "2025/01/01",
        ] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_next_day_crosses_months_and_years() {
        let next = |day: &str| Day::parse(day).unwrap().next().map(|day| day.to_string());
        for (day, expected) in [
            ("1000-12-31", "1001-01-01"),
            ("1900-02-28", "1900-03-01"),
            ("2000-02-28", "2000-02-29"),
            ("2025-04-30", "2025-05-01"),
            ("2025-05-30", "2025-05-31"),
        ] {
            assert_eq!(next(day).as_deref(), Some(expected));
        }
        assert_eq!(next("9999-12-31"), None);
    }
}
