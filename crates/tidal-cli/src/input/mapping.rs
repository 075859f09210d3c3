//! Which column means what.

use super::Fields;
use crate::failure::Failure;

/// The columns an import reads: by name, and once the file is open by place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns<T> {
    pub(crate) entity: T,
    pub(crate) time: Option<T>,
    pub(crate) signal: Option<T>,
    pub(crate) weight: Option<T>,
    pub(crate) actor: Option<T>,
}

impl<T> Columns<T> {
    /// The same columns, each passed through `find`.
    fn try_map<U>(
        &self,
        mut find: impl FnMut(&T) -> Result<U, Failure>,
    ) -> Result<Columns<U>, Failure> {
        Ok(Columns {
            entity: find(&self.entity)?,
            time: self.time.as_ref().map(&mut find).transpose()?,
            signal: self.signal.as_ref().map(&mut find).transpose()?,
            weight: self.weight.as_ref().map(&mut find).transpose()?,
            actor: self.actor.as_ref().map(&mut find).transpose()?,
        })
    }
}

impl Columns<String> {
    /// The places of these columns in a header, from 0. Names are compared byte
    /// for byte.
    ///
    /// # Errors
    /// A name is not in the header, or is there twice.
    pub(crate) fn in_header(&self, header: &[Vec<u8>]) -> Result<Columns<usize>, Failure> {
        self.try_map(|name| place_in_header(name, header))
    }

    /// The places of these columns, from 0, when they are numbers from 1.
    ///
    /// # Errors
    /// Wrong usage: a column is not a number, or zero.
    pub(crate) fn by_number(&self) -> Result<Columns<usize>, Failure> {
        self.try_map(|text| place_by_number(text))
    }

    /// The names in order of their slots, empty slots left out.
    pub(crate) fn names(&self) -> impl Iterator<Item = (usize, &str)> {
        let slots = [
            Some(&self.entity),
            self.time.as_ref(),
            self.signal.as_ref(),
            self.weight.as_ref(),
            self.actor.as_ref(),
        ];
        slots.into_iter().enumerate().filter_map(|(slot, name)| Some((slot, name?.as_str())))
    }
}

impl Columns<usize> {
    /// The number of columns that a row must have at least.
    pub(crate) fn width(&self) -> usize {
        let places = [Some(self.entity), self.time, self.signal, self.weight, self.actor];
        places.into_iter().flatten().max().map_or(0, |place| place + 1)
    }

    /// The fields of a row whose columns are at hand.
    pub(crate) fn pick<'a>(&self, column: impl Fn(usize) -> &'a [u8]) -> Fields<'a> {
        let optional = |place: Option<usize>| place.map_or(&[][..], &column);
        Fields {
            entity: column(self.entity),
            time: optional(self.time),
            signal: optional(self.signal),
            weight: optional(self.weight),
            actor: optional(self.actor),
            more: &[],
        }
    }
}

/// The place of a column in a header, from 0.
pub(super) fn place_in_header(name: &str, header: &[Vec<u8>]) -> Result<usize, Failure> {
    let mut places =
        header.iter().enumerate().filter(|(_, title)| title.as_slice() == name.as_bytes());
    match (places.next(), places.next()) {
        (Some((place, _)), None) => Ok(place),
        (Some(_), Some(_)) => Err(Failure::failed(format!(
            "the header has the column {name:?} twice; use --no-header and numbers"
        ))),
        (None, _) => {
            let titles: Vec<_> = header.iter().map(|title| crate::output::excerpt(title)).collect();
            Err(Failure::failed(format!(
                "no column {name:?} in the header, which has {}",
                titles.join(", ")
            )))
        }
    }
}

/// The place, from 0, of a column that is a number from 1.
pub(super) fn place_by_number(text: &str) -> Result<usize, Failure> {
    match text.parse::<usize>() {
        Ok(number) if number > 0 => Ok(number - 1),
        _ => Err(Failure::usage(format!(
            "with --no-header a column is a number from 1, not {text:?}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(entity: &str, time: Option<&str>) -> Columns<String> {
        Columns {
            entity: entity.into(),
            time: time.map(Into::into),
            signal: None,
            weight: None,
            actor: None,
        }
    }

    fn header() -> Vec<Vec<u8>> {
        ["a", "b", "c", "b"].map(|title| title.as_bytes().to_vec()).to_vec()
    }

    #[test]
    fn names_are_found_in_the_header() {
        let found = columns("c", Some("a")).in_header(&header()).unwrap();
        assert_eq!((found.entity, found.time, found.width()), (2, Some(0), 3));
    }

    #[test]
    fn a_name_must_be_there_once() {
        assert!(
            columns("C", None)
                .in_header(&header())
                .unwrap_err()
                .message()
                .contains(r#""a", "b", "c", "b""#)
        );
        assert!(columns("b", None).in_header(&header()).unwrap_err().message().contains("twice"));
    }

    #[test]
    fn numbers_count_from_one() {
        let found = columns("2", Some("3")).by_number().unwrap();
        assert_eq!((found.entity, found.time, found.width()), (1, Some(2), 3));
        for text in ["0", "name", "-1", ""] {
            assert!(columns(text, None).by_number().unwrap_err().is_usage(), "{text}");
        }
    }
}
